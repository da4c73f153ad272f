"""Signing where gapship is not, and checking where gapship is not trusted: --emit-tbs, attach-signature, extract --signatures, and every command
block of docs/audit.md and of section 10 of FORMAT.md, run as it is printed."""
import base64
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess

import harness
from harness import check, equal
from product import Product

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PSS = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest']
GENERATE = {
    'ecdsa-p256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    'ecdsa-p384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
    'ed25519': ['-algorithm', 'ed25519'],
    'rsa-pss': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'],
}


def openssl(*words, **options):
    return harness.run(['openssl', *words], **options).expect()


class Room:
    """Where the key is: openssl or minisign, no gapship."""

    def __init__(self, w, key_type, name=None):
        self.w, self.type = w, key_type
        name = name or key_type
        self.private, self.public = w.path / f'{name}.pem', w.path / f'{name}.pub'
        if key_type == 'minisign':
            harness.need('minisign')
            harness.run(['minisign', '-G', '-W', '-f', '-p', self.public, '-s', self.private]).expect()
        else:
            openssl('genpkey', *GENERATE[key_type], '-out', self.private)
            self.private.chmod(0o600)
            openssl('pkey', '-in', self.private, '-pubout', '-out', self.public)

    def sign(self, data, *more):
        """The file of a signature over bytes, or over a file; more: of openssl dgst, in place of what the format asks for."""
        if isinstance(data, bytes):
            path = self.w.path / 'data'
            path.write_bytes(data)
            data = path
        out = self.w.path / f'{self.type}.sig'
        out.unlink(missing_ok=True)
        if self.type == 'minisign':
            harness.run(['minisign', '-S', '-W', '-m', data, '-s', self.private, '-x', out, *more]).expect()
        elif self.type == 'ed25519':
            openssl('pkeyutl', '-sign', '-inkey', self.private, '-rawin', '-in', data, '-out', out)
        else:
            usual = {'ecdsa-p256': ['-sha256'], 'ecdsa-p384': ['-sha384'], 'rsa-pss': ['-sha256', *PSS]}[self.type]
            openssl('dgst', *(more or usual), '-sign', self.private, '-out', out, data)
        return out

    def r_and_s(self, signature):
        """As a token writes a signature of an elliptic curve."""
        text = openssl('asn1parse', '-inform', 'DER', '-in', signature).out
        width = 32 if self.type == 'ecdsa-p256' else 48
        numbers = [line.rpartition(':')[2].strip() for line in text.splitlines() if 'INTEGER' in line]
        return b''.join(int(number, 16).to_bytes(width, 'big') for number in numbers)


ALL = [*GENERATE, 'minisign']


class Unsigned:
    """A bundle that is to be signed elsewhere, and as many copies of it as a test needs."""

    def __init__(self, w, *words):
        self.w, self.product = w, Product(w)
        self.tbs = w.path / 'release.tbs'
        self.built = self.product('--output', 'json', 'build', '--emit-tbs', self.tbs, *words).result()
        self.copies = 0

    def copy(self):
        self.copies += 1
        return pathlib.Path(shutil.copy(self.product.bundle, self.w.path / f'copy{self.copies}.gapship'))

    def unchanged(self, bundle):
        equal(bundle.read_bytes(), self.product.bundle.read_bytes(), 'the bundle')


def signatures_of(bundle):
    """(scheme, key id, signature) of each entry, read from the envelope."""
    data = bundle.read_bytes()[512:]
    statement, count = struct.unpack_from('<II', data, 16)
    at, found = 64 + statement, []
    for _ in range(count):
        scheme, _, length = struct.unpack_from('<HHI', data, at)
        found.append((scheme, data[at + 8:at + 40].hex(), data[at + 40:at + 40 + length]))
        at += 40 + length
    return found


# ---- signing elsewhere

def test_a_bundle_is_signed_elsewhere_by_keys_of_every_type(w):
    unsigned = Unsigned(w)
    equal(hashlib.sha256(unsigned.tbs.read_bytes()).hexdigest(), unsigned.built['tbs']['digest'].removeprefix('sha256:'), 'digest')
    check(unsigned.tbs.read_bytes().startswith(b'DSSEv1 28 application/vnd.in-toto+json '), 'what is signed is not the encoding')
    for key_type in ALL:
        room, bundle = Room(w, key_type), unsigned.copy()
        w.gapship('verify', bundle, '--root', room.public, status=3, says='not signed')
        w.gapship('attach-signature', bundle, '--signature', room.sign(unsigned.tbs), '--key', room.public, says='signed by key')
        w.gapship('verify', bundle, '--root', room.public, says='signed by 1 trusted key')
        w.gapship('attach-signature', bundle, '--signature', room.sign(unsigned.tbs), '--key', room.public, status=2, says='has signed already')
        equal(len(signatures_of(bundle)), 1, 'signatures')


def test_a_site_refuses_what_is_not_signed_yet(w):
    unsigned = Unsigned(w)
    room = Room(w, 'ed25519')
    w.gapship('site', 'init', 'site', '--root', room.public)
    w.gapship('-C', 'site', 'import', unsigned.product.bundle, status=3, says='not signed')
    bundle = unsigned.copy()
    w.gapship('attach-signature', bundle, '--signature', room.sign(unsigned.tbs), '--key', room.public)
    w.gapship('-C', 'site', 'import', bundle, says='kept shop 1.0.0')


def test_the_bytes_to_be_signed_of_a_finished_bundle(w):
    private = w.key()[1]
    unsigned = Unsigned(w, '--key', private)
    equal(len(signatures_of(unsigned.product.bundle)), 1, 'signatures')
    said = w.gapship('sign', unsigned.product.bundle, '--emit-tbs', 'again.tbs', says=['attach-signature', 'sites refuse'])
    check(unsigned.built['tbs']['digest'] in said.out, 'the digest is not said')
    equal((w.path / 'again.tbs').read_bytes(), unsigned.tbs.read_bytes(), 'bytes to be signed')
    room = Room(w, 'ecdsa-p384')
    w.gapship('attach-signature', unsigned.product.bundle, '--signature', room.sign(unsigned.tbs), '--key', room.public)
    for public in (room.public, w.path / 'release.pub'):
        w.gapship('verify', unsigned.product.bundle, '--root', public)
    w.gapship('sign', unsigned.product.bundle, '--emit-tbs', 'again.tbs', status=2, says='again.tbs exists already')
    w.gapship('sign', unsigned.product.bundle, status=2, says='--emit-tbs')
    w.gapship('sign', unsigned.product.bundle, '--emit-tbs', 'other.tbs', '--key', private, status=2)
    unsigned.product('build', '--emit-tbs', w.path / 'again.tbs', '-o', w.path / 'other.gapship', status=2, says='again.tbs exists already')
    check(not (w.path / 'other.gapship').exists(), 'a bundle was built before its other output was looked at')
    unsigned.product('build', '--force', '--emit-tbs', w.path / 'again.tbs', '-o', w.path / 'other.gapship')
    unsigned.product('build', '--emit-tbs', w.path / 'nowhere/x.tbs', '-o', w.path / 'last.gapship', status=2,
                     says=['nowhere/x.tbs', 'the bundle is finished', 'last.gapship --emit-tbs FILE'])
    w.gapship('sign', 'last.gapship', '--emit-tbs', 'last.tbs')


def test_signatures_come_in_the_forms_that_tools_write(w):
    unsigned = Unsigned(w)
    for key_type in GENERATE:
        room = Room(w, key_type)
        raw = room.sign(unsigned.tbs).read_bytes()
        forms = [raw, base64.b64encode(raw), base64.encodebytes(raw), b'  ' + base64.b64encode(raw) + b'\r\n']
        if key_type.startswith('ecdsa'):
            plain = room.r_and_s(w.path / f'{key_type}.sig')
            forms += [plain, base64.b64encode(plain)]
        for form in forms:
            bundle, path = unsigned.copy(), w.path / 'form'
            path.write_bytes(form)
            w.gapship('attach-signature', bundle, '--signature', path, '--key', room.public)
            equal(signatures_of(bundle)[0][2], raw, 'the signature that is kept')
            w.gapship('verify', bundle, '--root', room.public)


MODULE = '/usr/lib/softhsm/libsofthsm2.so'


def test_a_token_signs_by_its_own_tool(w):
    """pkcs11-tool as it comes: r and s of ECDSA side by side, PSS as it is."""
    harness.need('softhsm2-util', 'pkcs11-tool')
    (w.path / 'tokens').mkdir()
    env = {'SOFTHSM2_CONF': str(w.write('softhsm2.conf', f'directories.tokendir = {w.path}/tokens\nlog.level = ERROR\n')), 'PKCS11_MODULE_PATH': MODULE}
    harness.run(['softhsm2-util', '--init-token', '--free', '--label', 'room', '--pin', '47110815', '--so-pin', '47110815'], env=env).expect()
    tool = ['pkcs11-tool', '--module', MODULE, '--token-label', 'room', '--login', '--pin', '47110815']
    unsigned = Unsigned(w)
    for bits in (256, 384):
        openssl('dgst', f'-sha{bits}', '-binary', '-out', w.path / f'hash{bits}', unsigned.tbs)
    for number, (kind, data, words) in enumerate((('EC:prime256v1', w.path / 'hash256', ['ECDSA']), ('EC:secp384r1', w.path / 'hash384', ['ECDSA']),
                                                  ('rsa:3072', unsigned.tbs, ['SHA256-RSA-PKCS-PSS'])), 1):
        key, public, signature = f'0{number}', w.path / f'{number}.pub', w.path / f'{number}.sig'
        harness.run([*tool, '--keypairgen', '--key-type', kind, '--id', key], env=env).expect()
        openssl('pkey', '-engine', 'pkcs11', '-inform', 'engine', '-pubin', '-in', f'pkcs11:token=room;id=%{key}', '-pubout', '-out', public, env=env)
        harness.run([*tool, '--sign', '--id', key, '-i', data, '-o', signature, '-m', *words], env=env).expect()
        bundle = unsigned.copy()
        w.gapship('attach-signature', bundle, '--signature', signature, '--key', public)
        w.gapship('verify', bundle, '--root', public, says='signed by 1 trusted key')
        if kind.startswith('rsa'):
            harness.run([*tool, '--sign', '--id', key, '-i', data, '-o', signature, '-m', 'SHA256-RSA-PKCS'], env=env).expect()
            w.gapship('attach-signature', unsigned.copy(), '--signature', signature, '--key', public, status=3, says='PKCS #1 v1.5 padding and SHA-256')


def test_a_key_is_chosen_from_a_root_by_its_id(w):
    vectors = ROOT / 'bundle-spec' / 'vectors'
    unsigned = Unsigned(w)
    room, signature = Room(w, 'ed25519'), w.path / 'made.sig'
    root = json.loads((vectors / 'root-of-two.json').read_text())['signed']
    ids = root['roles']['release']['keys']
    openssl('pkeyutl', '-sign', '-inkey', vectors / 'keys' / 'release-1.key', '-rawin', '-in', unsigned.tbs, '-out', signature)
    shown = openssl('pkey', '-in', vectors / 'keys' / 'release-1.key', '-pubout').out
    own = next(key['id'] for key in root['keys'] if key['pem'] == shown)
    other = next(key for key in ids if key != own)
    attach = ['attach-signature', unsigned.product.bundle, '--signature', signature]
    w.gapship(*attach, '--root', vectors / 'root-of-two.json', '--key-id', other[:12], status=3,
              says=['over this bundle, but by another key of the root', own])
    w.gapship(*attach, '--root', vectors / 'root-of-two.json', '--key-id', 'abcdefabcdef', status=2, says='no key of root 1')
    w.gapship(*attach, '--root', vectors / 'root-of-two.json', '--key-id', '', status=2, says='at least 8 digits')
    for words in ([], ['--key-id', own], ['--root', vectors / 'root-of-two.json'], ['--key', room.public, '--key-id', own],
                  ['--key', room.public, '--root', vectors / 'root-of-two.json', '--key-id', own]):
        w.gapship(*attach, *words, status=2, says='the public key')
    w.gapship(*attach, '--root', vectors / 'root-of-two.json', '--key-id', own[:12], says=own)


def test_a_wrong_signature_changes_nothing_and_is_explained(w):
    unsigned = Unsigned(w)
    tbs = unsigned.tbs.read_bytes()
    statement = tbs[tbs.index(b'{'):]
    digest = hashlib.sha256(tbs)
    others = {'the bare statement': statement, 'the whole file of the bundle': unsigned.product.bundle.read_bytes(),
              'hashed once more': digest.digest(), 'written as text': digest.hexdigest().encode(), 'a line feed': tbs + b'\n',
              'another bundle, or not by the key': tbs.replace(b'"sequence":1', b'"sequence":2')}
    for key_type in GENERATE:
        room = Room(w, key_type)

        def refused(signature, says, key=None):
            bundle = unsigned.copy()
            w.gapship('attach-signature', bundle, '--signature', signature, '--key', key or room.public, status=3,
                      says=[says, 'emit-tbs', signature.name])
            unsigned.unchanged(bundle)

        for says, data in others.items():
            refused(room.sign(data), says)
        damaged = room.sign(tbs)
        damaged.write_bytes(damaged.read_bytes()[:-1] + bytes([damaged.read_bytes()[-1] ^ 1]))
        refused(damaged, 'another bundle, or not by the key')
        if key_type != 'ed25519':
            refused(room.sign(tbs, *(['-sha512', *PSS] if key_type == 'rsa-pss' else ['-sha512'])), 'was made with SHA-512')
            refused(room.sign(statement, *(['-sha512', *PSS] if key_type == 'rsa-pss' else ['-sha512'])), 'the bare statement')
        if key_type == 'rsa-pss':
            refused(room.sign(tbs, '-sha256'), 'PKCS #1 v1.5 padding and SHA-256')
            refused(room.sign(tbs, '-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:20'), 'a salt that has not 32')
        refused(room.sign(tbs), 'another bundle, or not by the key', key=Room(w, key_type, 'stranger').public)


def test_what_is_plainly_no_signature_is_named(w):
    unsigned, room, mini = Unsigned(w), Room(w, 'ecdsa-p256'), Room(w, 'minisign')
    certificate = w.path / 'certificate.pem'
    openssl('req', '-x509', '-key', room.private, '-out', certificate, '-subj', '/CN=x', '-days', '2')
    for name, words in (('signed', ['-sign', '-binary', '-in', unsigned.tbs, '-signer', certificate, '-inkey', room.private]),
                        ('pem', ['-sign', '-binary', '-in', unsigned.tbs, '-signer', certificate, '-inkey', room.private])):
        openssl('cms', *words, '-outform', 'PEM' if name == 'pem' else 'DER', '-out', w.path / name)
    w.write('empty', '')
    w.write('large', '').write_bytes(bytes(100000))
    made = mini.sign(unsigned.tbs)
    for signature, key, status, says in (('signed', room, 2, 'CMS'), ('pem', room, 2, 'PEM of another kind'), ('empty', room, 2, 'empty'),
                                         ('large', room, 2, ''), (made, room, 2, 'signature of minisign, but the key is not'),
                                         (room.sign(unsigned.tbs), mini, 2, "no signature of minisign"), ('absent', room, 2, 'absent'),
                                         (made, w, 2, 'absent.pub')):
        bundle = unsigned.copy()
        public = w.path / 'absent.pub' if key is w else key.public
        w.gapship('attach-signature', bundle, '--signature', signature, '--key', public, status=status, says=says)
        unsigned.unchanged(bundle)


def test_a_wrong_signature_of_minisign_is_explained(w):
    unsigned, room, stranger = Unsigned(w), Room(w, 'minisign'), Room(w, 'minisign', 'stranger')
    tbs = unsigned.tbs.read_bytes()
    for data, key, says in ((tbs[tbs.index(b'{'):], room, 'the bare statement'), (b'something else', room, 'does not'),
                            (tbs, stranger, stranger.public.read_text().splitlines()[0].split()[-1])):
        bundle = unsigned.copy()
        w.gapship('attach-signature', bundle, '--signature', room.sign(data), '--key', key.public, status=3, says=[says, 'minisign -Sm'])
        unsigned.unchanged(bundle)


def test_sixteen_signatures_and_no_seventeenth(w):
    unsigned = Unsigned(w)
    bundle = unsigned.product.bundle
    for number in range(16):
        room = Room(w, 'ed25519', f'key{number}')
        w.gapship('attach-signature', bundle, '--signature', room.sign(unsigned.tbs), '--key', room.public)
    equal(len(signatures_of(bundle)), 16, 'signatures')
    before = bundle.read_bytes()
    room = Room(w, 'ed25519', 'one-more')
    w.gapship('attach-signature', bundle, '--signature', room.sign(unsigned.tbs), '--key', room.public, status=2, says='at most 16')
    w.gapship('sign', bundle, '--key', w.key()[1], status=2, says='at most 16')
    equal(bundle.read_bytes(), before, 'the bundle')
    for number in (0, 15):
        w.gapship('verify', bundle, '--root', w.path / f'key{number}.pub')


def test_room_that_is_used_up(w):
    """16 signatures of the longest kind fit by design; a smaller envelope, which the format allows, may be full before."""
    import bundle as independent
    fields = {'product': 'shop', 'version': '1', 'epoch': 0, 'sequence': 1, 'securityFloor': 0, 'issuedAt': '2026-01-01T00:00:00Z'}
    path = w.path / 'small.gapship'
    independent.Writer(fields, b'{}', b'[]', [b'blob'], room=500).save(path)
    w.gapship('sign', path, '--emit-tbs', 'tbs')
    rooms = [Room(w, 'rsa-pss', name) for name in ('one', 'two')]
    signatures = []
    for room in rooms:
        signatures.append((shutil.copy(room.sign(w.path / 'tbs'), w.path / f'{room.public.name}.sig'), room.public))
    w.gapship('attach-signature', path, '--signature', signatures[0][0], '--key', signatures[0][1])
    before = path.read_bytes()
    w.gapship('attach-signature', path, '--signature', signatures[1][0], '--key', signatures[1][1], status=2, says='no room left')
    equal(path.read_bytes(), before, 'the bundle')


def test_a_bundle_that_cannot_be_written_or_is_being_written(w):
    unsigned, room = Unsigned(w), Room(w, 'ed25519')
    attach = ['attach-signature', unsigned.product.bundle, '--signature', room.sign(unsigned.tbs), '--key', room.public]
    with open(unsigned.product.bundle, 'r+b') as held:
        before = held.read()
        fcntl.flock(held, fcntl.LOCK_EX)
        w.gapship(*attach, status=12)
        w.gapship('sign', unsigned.product.bundle, '--key', w.key()[1], status=12)
    unsigned.product.bundle.chmod(0o444)
    command = w.command(*attach)
    if os.geteuid() == 0:  # whom no mode stops
        w.path.chmod(0o755)
        command = ['setpriv', '--reuid=65534', '--clear-groups', *command]
    harness.run(command, env=w.environment({'HOME': '/nonexistent'})).expect(1, says=[unsigned.product.bundle.name, 'Permission denied'])
    equal(unsigned.product.bundle.read_bytes(), before, 'the bundle')


def test_volumes_are_signed_elsewhere(w):
    room, product, tbs = Room(w, 'ecdsa-p256'), Product(w, files=[{'name': 'large', 'from': 'large'}]), w.path / 'tbs'
    product.write('large', '').write_bytes(os.urandom(3 << 20))
    product('build', '--emit-tbs', tbs, '--volume-size', '1MiB')
    first, *rest = sorted(product.path.glob('*.gapship.*'))
    before = [path.read_bytes() for path in rest]
    w.gapship('attach-signature', rest[0], '--signature', room.sign(tbs), '--key', room.public, status=3, says='volume 2')
    w.gapship('attach-signature', first, '--signature', room.sign(tbs), '--key', room.public)
    w.gapship('verify', first, '--root', room.public, says='signed by 1 trusted key')
    equal([path.read_bytes() for path in rest], before, 'the other volumes')
    w.gapship('sign', first, '--emit-tbs', 'again')
    equal((w.path / 'again').read_bytes(), tbs.read_bytes(), 'what is to be signed')


def test_many_who_sign_at_once_all_succeed_or_are_told(w):
    unsigned = Unsigned(w)
    rooms = [Room(w, 'ed25519', f'key{i}') for i in range(6)]
    running = []
    for number, room in enumerate(rooms):
        signature = shutil.copy(room.sign(unsigned.tbs), w.path / f'{number}.sig')
        command = w.command('attach-signature', unsigned.product.bundle, '--signature', signature, '--key', room.public)
        running.append(subprocess.Popen(list(map(str, command)), env={**os.environ, **w.environment()},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    statuses = [process.wait() for process in running]
    check(set(statuses) <= {0, 12} and 0 in statuses, f'statuses {statuses}')
    equal(len(signatures_of(unsigned.product.bundle)), statuses.count(0), 'signatures')
    for room, status in zip(rooms, statuses):
        w.gapship('verify', unsigned.product.bundle, '--root', room.public, status=0 if status == 0 else 3)



# ---- checking elsewhere

def blocks(path, section=None):
    """(words, script) of every ```sh block: the words say of which keys, or of what, it speaks."""
    text = (ROOT / path).read_text()
    if section:
        text = re.search(rf'^## {section}$(.*?)^## ', text, re.M | re.S)[1]
    found = [(words.split(), script) for words, script in re.findall(r'^```sh *(.*?)\n(.*?)^```$', text, re.M | re.S)]
    check(found, f'{path} has no blocks')
    return found


def script_for(found, *topics):
    """The blocks that are for everybody, and those of these topics, in their order."""
    wanted = set(topics) | ({'not-minisign'} if 'minisign' not in topics else set())
    return ''.join(script for words, script in found if set(words) <= wanted)


TOOLS = 'bash base64 cat cmp cp cut dd grep head mkdir od openssl minisign paste rm sed sha256sum sort split stat tail tar tr uniq wc'.split()


def by_hand(folder, script):
    """Runs a script where there is nothing but the tools that a reviewer is promised to get by with."""
    tools = pathlib.Path(f'{folder}-tools')
    tools.mkdir(exist_ok=True)
    for name in TOOLS:
        if shutil.which(name) and not (tools / name).exists():
            (tools / name).symlink_to(shutil.which(name))
    return harness.run(['bash', '-euo', 'pipefail', '-c', script], cwd=folder, env={'PATH': str(tools)})


class Reviewer:
    """A folder with the bundle F and key.pub, and no gapship."""

    def __init__(self, w, name, bundle, public):
        self.folder = w.path / name
        self.folder.mkdir()
        shutil.copy(bundle, self.folder / 'F')
        shutil.copy(public, self.folder / 'key.pub')

    def run(self, script):
        return by_hand(self.folder, script)


class Signed:
    """A bundle with images, one layer of several chunks, signed by a key of every type."""

    def __init__(self, w):
        registry = w.registry()
        w.image(registry, 'org/app:1', command=['httpd'])
        w.write('product/large', '').write_bytes(os.urandom(9 << 20))
        self.product = Product(w, [f'{registry.host}/org/app:1'], [f'{registry.host}/org/app:1'], files=[{'name': 'large', 'from': 'large'}])
        tbs = w.path / 'tbs'
        self.digest = self.product('--output', 'json', 'build', '--emit-tbs', tbs).result()['digest']
        self.rooms = {key_type: Room(w, key_type) for key_type in ALL}
        for room in self.rooms.values():
            w.gapship('attach-signature', self.product.bundle, '--signature', room.sign(tbs), '--key', room.public)
        self.bundle = self.product.bundle


def places(bundle):
    """A byte of each kind of place, and what it is."""
    data = bundle.read_bytes()
    envelope, statement = struct.unpack_from('<II', data, 524)
    index = 1024 + envelope
    members = struct.unpack_from('<I', data, index + 12)[0]
    large = max(range(members), key=lambda i: struct.unpack_from('<Q', data, index + 24 + 72 * i + 24)[0])
    first, last = (struct.unpack_from('<QQ', data, index + 24 + 72 * i + 16) for i in (0, large))
    return {'the header of the envelope': 20, 'the statement': 576 + 100, 'a signature': 576 + statement + 41,
            'zeros behind the signatures': 512 + envelope - 1, 'the header of the index': index - 500, 'the index': index + 30,
            'a chunk digest': index + 24 + 72 * members + 5, 'the header of a member': first[0] - 300, 'content': first[0] + 3,
            'content of a large member': last[0] + last[1] - 1, 'the last byte': len(data) - 1}


def test_audit_md_is_run_as_it_stands(w):
    found, signed = blocks('docs/audit.md'), Signed(w)
    topics = {word for words, _ in found for word in words}
    equal(topics - {'again', 'not-minisign', 'roots', 'volumes', 'permit', 'document'}, set(ALL), 'types of keys that audit.md speaks of')
    for key_type in ALL:
        reviewer = Reviewer(w, key_type, signed.bundle, signed.rooms[key_type].public)
        done = reviewer.run(script_for(found, key_type)).expect()
        check(signed.digest.removeprefix('sha256:') in done.out, 'the digest of the bundle is not what gapship says')
        check((reviewer.folder / 'chunks').read_text().count('\n') >= 3, 'no member has several chunks')
        harness.run(['skopeo', 'inspect', '--raw', f'oci:{reviewer.folder}/content:org/app:1']).expect()
    stranger = Room(w, 'ecdsa-p256', 'stranger')
    reviewer = Reviewer(w, 'strange', signed.bundle, stranger.public)
    check(reviewer.run(script_for(found, 'ecdsa-p256')).status != 0, 'a key that never signed is taken')


def test_audit_md_finds_every_kind_of_damage(w):
    found, signed = blocks('docs/audit.md'), Signed(w)
    good = signed.bundle.read_bytes()
    for what, at in places(signed.bundle).items():
        bad = bytearray(good)
        bad[at] ^= 1
        (w.path / 'bad').write_bytes(bad)
        reviewer = Reviewer(w, what.replace(' ', '-'), w.path / 'bad', signed.rooms['ed25519'].public)
        done = reviewer.run(script_for(found, 'ed25519'))
        check(done.status != 0 or what == 'a signature', f'a changed byte in {what} is not found\n{done}')  # another key's signature
        done = harness.run(['sh', ROOT / 'src/bundle/check.sh', w.path / 'bad', *(room.public for room in signed.rooms.values())])
        check(done.status == 1 or done.status == 2, f'check.sh: a changed byte in {what} is not found\n{done}')
    for what, bad in (('cut', good[:-512]), ('extended', good + bytes(512)), ('twice', good + good)):
        (w.path / 'bad').write_bytes(bad)
        reviewer = Reviewer(w, what, w.path / 'bad', signed.rooms['ed25519'].public)
        check(reviewer.run(script_for(found, 'ed25519')).status != 0, what)


def test_a_bundle_that_was_built_again_is_the_same(w):
    found, signed = blocks('docs/audit.md'), Signed(w)
    key_type = 'ecdsa-p256'
    reviewer = Reviewer(w, 'reviewer', signed.bundle, signed.rooms[key_type].public)
    signed.product('build', '--unsigned', '-o', reviewer.folder / 'again.gapship')
    reviewer.run(script_for(found, key_type, 'again')).expect()
    signed.product('build', '--unsigned', '--force', '-o', reviewer.folder / 'again.gapship', env={'SOURCE_DATE_EPOCH': '1700000001'})
    shutil.rmtree(reviewer.folder / 'content')
    check(reviewer.run(script_for(found, key_type, 'again')).status != 0, 'another bundle is the same')


class Roots:
    """Three roots, each with other keys of other types, and a bundle that leads from the first to the last."""

    def __init__(self, w):
        self.w, self.rooms = w, {}
        for name, key_type in (('a', 'ecdsa-p256'), ('b', 'ed25519'), ('c', 'ecdsa-p384'), ('old', 'ed25519'), ('new', 'rsa-pss'), ('mini', 'minisign')):
            self.rooms[name] = Room(w, key_type, name)
        public = {name: room.public for name, room in self.rooms.items()}
        w.gapship('root', 'init', '--key', public['a'], '--key', public['b'], '--threshold', '2', '--release-key', public['old'], '-o', 'root-1.json')
        shown = w.gapship('--output', 'json', 'key', 'show', public['old']).result()['keyId']
        w.gapship('root', 'next', 'root-1.json', '--key', public['c'], '--release-key', public['new'], '--drop', shown, '-o', 'root-2.json')
        self.sign('root-2.json', 'a', 'b')
        w.gapship('root', 'next', 'root-2.json', '--release-key', public['mini'], '--release-threshold', '2', '-o', 'root-3.json')
        self.sign('root-3.json', 'b', 'c')
        self.product, tbs = Product(w), w.path / 'tbs'
        self.product('build', '--emit-tbs', tbs, '--root', w.path / 'root-2.json', '--root', w.path / 'root-3.json')
        for name in ('new', 'mini'):
            w.gapship('attach-signature', self.product.bundle, '--signature', self.rooms[name].sign(tbs), '--key', public[name])
        w.gapship('verify', self.product.bundle, '--root', 'root-1.json', says='signed by 2 trusted keys')

    def sign(self, file, *names):
        for name in names:
            self.w.gapship('root', 'sign', file, '--key', self.rooms[name].private)

    def reviewer(self, name, root='root-1.json'):
        made = Reviewer(self.w, name, self.product.bundle, self.rooms['new'].public)
        shutil.copy(self.w.path / root, made.folder / 'root.json')
        return made


def fingerprint(w, root):
    return w.gapship('--output', 'json', 'root', 'show', root).result()['fingerprint'].removeprefix('sha256:')


def test_audit_md_makes_the_text_of_every_root(w):
    found, roots = blocks('docs/audit.md'), Roots(w)
    w.gapship('root', 'init', '--key', roots.rooms['a'].public, '--release-key', roots.rooms['mini'].public, '--release-key', roots.rooms['new'].public,
              '--release-threshold', '2', '--site-key', roots.rooms['c'].public, '--expires', '2030-01-01T00:00:00Z', '-o', 'of-all-fields.json')
    script = ''.join(script for words, script in found if words == ['document'])
    for name in ('root-1', 'root-2', 'root-3', 'of-all-fields'):
        done = roots.reviewer(name, f'{name}.json').run(f'{script}\necho; for r in root release site; do echo $r of $(threshold trusted.json $r); done')
        done.expect(says=[fingerprint(w, f'{name}.json')])
    done.expect(says=['root of 1', 'release of 2', 'site of 1'])


def test_audit_md_follows_roots(w):
    found, roots = blocks('docs/audit.md'), Roots(w)
    done = roots.reviewer('good').run(script_for(found, 'rsa-pss', 'document', 'roots')).expect()
    for version in (1, 3):
        check(fingerprint(w, f'root-{version}.json') in done.out, f'the fingerprint of root {version} is not what gapship says\n{done}')
    harness.run(['sh', ROOT / 'src/bundle/check.sh', roots.product.bundle, roots.rooms['new'].public, roots.rooms['mini'].public]).expect()
    strange = w.path / 'strange.json'
    w.gapship('root', 'init', '--key', roots.rooms['c'].public, '--release-key', roots.rooms['new'].public, '-o', strange)
    check(roots.reviewer('strange', 'strange.json').run(script_for(found, 'rsa-pss', 'document', 'roots')).status != 0, 'a root that nobody led to')
    data = roots.product.bundle.read_bytes()
    at = 576 + struct.unpack_from('<I', data, 528)[0]
    for place in (at + 30, at + 24 + 200, at + struct.unpack_from('<I', data, 536)[0] - 2):
        bad = bytearray(data)
        bad[place] ^= 1
        reviewer = roots.reviewer(f'bad-{place}')
        (reviewer.folder / 'F').write_bytes(bad)
        check(reviewer.run(script_for(found, 'rsa-pss', 'document', 'roots')).status != 0, f'a changed chain of roots, at {place}')


def test_audit_md_reads_a_permit(w):
    found, roots = blocks('docs/audit.md'), Roots(w)
    w.gapship('permit', roots.product.bundle, '--site', 'plant-7', '--below', '0.9', '--reason', 'a test', '--root', 'root-3.json', '-o', 'a.permit',
              '--key', roots.rooms['new'].private)
    script = script_for(found, 'rsa-pss', 'document', 'roots', 'permit')
    one = roots.reviewer('one')
    shutil.copy(w.path / 'a.permit', one.folder / 'P')
    check(one.run(script).status != 0, 'one signature of two is enough')
    w.gapship('permit', 'sign', 'a.permit', '--emit-tbs', 'permit.tbs')
    w.gapship('permit', 'sign', 'a.permit', '--key', roots.rooms['mini'].public, '--signature', roots.rooms['mini'].sign(w.path / 'permit.tbs'))
    two = roots.reviewer('two')
    shutil.copy(w.path / 'a.permit', two.folder / 'P')
    check('plant-7' in two.run(script).expect().out, 'the site is not shown')
    reviewer = roots.reviewer('three')
    (reviewer.folder / 'P').write_bytes((w.path / 'a.permit').read_bytes().replace(b'plant-7', b'plant-8'))
    check(reviewer.run(script).status != 0, 'a changed permit')


def test_audit_md_joins_volumes(w):
    found, room = blocks('docs/audit.md'), Room(w, 'ed25519')
    w.write('product/large', '').write_bytes(os.urandom(3 << 20))
    product = Product(w, files=[{'name': 'large', 'from': 'large'}])
    product('build', '--key', room.private, '--volume-size', '1MiB')
    names = sorted(path.name for path in product.path.glob('*.gapship.*'))
    check(len(names) >= 4, f'volumes {names}')
    folder = w.path / 'reviewer'
    folder.mkdir()
    for name in names:
        shutil.copy(product.path / name, folder / f'F.{name[-3:]}')
    shutil.copy(room.public, folder / 'key.pub')
    join = next(script for words, script in found if words == ['volumes'])
    rest = ''.join(script for topics, script in found if set(topics) <= {'ed25519', 'not-minisign'})
    functions = found[0][1]
    by_hand(folder, functions + join + rest).expect()
    (folder / 'F.002').rename(folder / 'x')
    (folder / 'F.003').rename(folder / 'F.002')
    (folder / 'x').rename(folder / 'F.003')
    check(by_hand(folder, functions + join).status != 0, 'exchanged volumes are joined')


def test_the_section_of_the_format_is_run_as_it_stands(w):
    found, signed = blocks('bundle-spec/FORMAT.md', '10. Checking by hand'), Signed(w)
    tbs = w.path / 'tbs'
    for key_type in ALL:
        bundle = w.path / f'{key_type}.gapship'
        signed.product('build', '--unsigned', '--force', '-o', bundle)
        room = signed.rooms[key_type]
        w.gapship('attach-signature', bundle, '--signature', room.sign(tbs), '--key', room.public)
        reviewer = Reviewer(w, f'format-{key_type}', bundle, room.public)
        shutil.copy(room.private, reviewer.folder / 'private.key')
        script = script_for(found, key_type)
        if key_type == 'minisign':  # whose test keys have no password: it asks where -W was not said
            sign = ''.join(s for words, s in found if words == ['sign', 'minisign']).replace('minisign -S', 'minisign -S -W')
        else:
            sign = ''.join(s for words, s in found if words == ['sign', key_type])
        check(sign, f'how {key_type} signs is not said')
        done = reviewer.run(script).expect()
        check(signatures_of(bundle)[0][1] in done.out, 'the key id is not shown')
        reviewer.run(sign).expect()
        signed.product('build', '--unsigned', '--force', '-o', bundle)
        w.gapship('attach-signature', bundle, '--signature', reviewer.folder / 'made.sig', '--key', room.public)
        pae = reviewer.folder / 'statement.pae'
        pae.write_bytes(pae.read_bytes().replace(b'"sequence":1', b'"sequence":2'))
        verify = ''.join(s for words, s in found if words == [key_type])
        check(reviewer.run(verify).status != 0, f'a changed statement verifies with {key_type}')


def test_extract_writes_what_a_reviewer_needs(w):
    signed = Signed(w)
    folder = w.path / 'kit'
    w.gapship('extract', signed.bundle, '--signatures', folder, '--root', signed.rooms['ed25519'].public)
    extensions = {1: 'sig', 2: 'minisig'}
    names = {f'sig-{key}.{extensions[scheme]}': signature for scheme, key, signature in signatures_of(signed.bundle)}
    equal({path.name for path in folder.iterdir()},
          {*names, 'statement.json', 'statement.pae', 'signers.txt', 'digests.sha256', 'check.sh'}, 'files')
    for name, signature in names.items():
        equal((folder / name).read_bytes(), signature, name)
    equal((folder / 'statement.pae').read_bytes(), (w.path / 'tbs').read_bytes(), 'statement.pae')
    check((folder / 'check.sh').read_bytes() == (ROOT / 'src/bundle/check.sh').read_bytes(), 'check.sh is another one')
    rows = [line.split() for line in (folder / 'signers.txt').read_text().splitlines() if not line.startswith('#')]
    equal([(row[0], int(row[1])) for row in rows], [(key, scheme) for scheme, key, _ in signatures_of(signed.bundle)], 'signers')
    equal(sorted(row[2] for row in rows), ['good'] + ['unknown-key'] * 4, 'verdicts')
    equal({row[3] for row in rows}, set(names), 'files of signers')
    unpacked = w.path / 'unpacked'
    unpacked.mkdir()
    by_hand(unpacked, f'tar -xf {signed.bundle} && sha256sum --check --strict {folder}/digests.sha256').expect(says='index.json: OK')
    done = harness.run(['sh', folder / 'check.sh', signed.bundle, *(room.public for room in signed.rooms.values())]).expect()
    check(signed.digest in done.out and '5 of the keys given have signed' in done.out, f'{done}')
    again = [signed.rooms['ed25519'].public] * 2
    harness.run(['sh', folder / 'check.sh', signed.bundle, *again]).expect(says='1 of the keys given have signed')
    harness.run(['sh', folder / 'check.sh', signed.bundle, Room(w, 'ed25519', 'stranger').public]).expect(1, says='none of the keys given')
    w.gapship('extract', signed.bundle, '--signatures', folder, status=2, says='exists already')
    w.gapship('extract', signed.bundle, '--signatures', w.path / 'unchecked', says='no signature was checked')
    check('not-checked' in (w.path / 'unchecked' / 'signers.txt').read_text(), 'signatures count as checked')


def test_the_script_refuses_what_gapship_refuses(w):
    vectors, keys = ROOT / 'bundle-spec' / 'vectors', {}
    for name in ('release-1', 'ecdsa', 'stranger'):
        keys[name] = w.path / f'{name}.pub'
        openssl('pkey', '-in', vectors / 'keys' / f'{name}.key', '-pubout', '-out', keys[name])

    def status(path, *names):
        return harness.run(['sh', ROOT / 'src/bundle/check.sh', path, *(keys[name] for name in names)], timeout=60).status

    # How many are enough, and what a chain of roots says, a reviewer finds as docs/audit.md says; the statement, a reviewer reads.
    counts = {'SIGNATURE-one-of-two', 'SIGNATURE-one-and-a-stranger-of-two'}
    places = {f'{kind}-roots{what}' for kind, what in (('DIGEST', ''), ('FORMAT', '-beyond-envelope'), ('FORMAT', '-not-in-the-statement'), (
        'FORMAT', '-of-size-zero'), ('FORMAT', '-only-in-the-statement'), ('FORMAT', '-size-differs'))}
    paths = {path.stem: path for path in (vectors / 'bad').glob('*.gapship')}
    equal(places - set(paths), set(), 'vectors that are not there')
    for name, path in sorted(paths.items()):
        if '-roots' in name:
            check(name not in places or status(path, 'release-1', 'ecdsa', 'stranger') != 0, name)
        elif not name.startswith('FORMAT-statement-'):
            check((status(path, 'release-1', 'ecdsa') != 0) == (name not in counts), name)
    refused = {path.stem for path in (vectors / 'good').glob('*.gapship') if status(path, *keys) != 0}
    equal(refused, {'unsigned', 'other-white-space'}, 'good bundles that the script refuses')


harness.main()
