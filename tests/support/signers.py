"""Keys of every kind that may sign a bundle, as openssl and minisign make and use them, and root documents of them.

Knows nothing of gapship but what bundle-spec/FORMAT.md says in sections 3, 6 and 8.
"""
import base64
import hashlib
import os
import pathlib
import struct

import bundle
import harness

BY_KEY, BY_MINISIGN = 1, 2
GENERATE = {
    'ecdsa-p256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    'ecdsa-p384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
    'ed25519': ['-algorithm', 'ed25519'],
    'rsa-pss': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'],
}
KINDS = [*GENERATE, 'minisign']
# The two ways to name an RSA key in SubjectPublicKeyInfo, and how a PKCS#8 file of Ed25519 begins.
PLAIN_RSA, PSS_RSA = bytes.fromhex('300d06092a864886f70d0101010500'), bytes.fromhex('300b06092a864886f70d01010a')
PKCS8_ED25519 = bytes.fromhex('302e020100300506032b657004220420')


def say(*command):
    return harness.run(command).expect().out


def write_pem(path, label, der):
    text = base64.encodebytes(der).decode().replace('\n', '')
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    path.write_text('\n'.join([f'-----BEGIN {label}-----', *lines, f'-----END {label}-----', '']))
    path.chmod(0o600 if label.startswith('PRIVATE') else 0o644)
    return path


class Signer:
    """A key pair in PEM: `private` and `public` are its files."""

    scheme = BY_KEY

    def __init__(self, kind, private, public):
        self.kind, self.private, self.public = kind, pathlib.Path(private), pathlib.Path(public)
        self.der = base64.b64decode(''.join(self.public.read_text().splitlines()[1:-1]))
        self.id = hashlib.sha256(self.der).hexdigest()

    @classmethod
    def make(cls, folder, kind, name, bits=3072):
        """bits: of an RSA key."""
        private, public = (pathlib.Path(folder, f'{name}.{half}') for half in ('key', 'pub'))
        say('openssl', 'genpkey', *(word.replace(':3072', f':{bits}') for word in GENERATE[kind]), '-out', private)
        say('openssl', 'pkey', '-in', private, '-pubout', '-out', public)
        return cls(kind, private, public)

    def in_root(self):
        return {'id': self.id, 'type': self.kind, 'pem': self.public.read_text()}

    def sign(self, message):
        return bundle.Key(self.private, private=True).sign(message)

    def verify(self, message, signature):
        return bundle.Key(self.public).verify(message, signature)

    def other_encoding(self, folder):
        """The same RSA key, named in the other of its two ways."""
        public = write_pem(pathlib.Path(folder, f'{self.private.stem}.pss.pub'), 'PUBLIC KEY', self.der.replace(PLAIN_RSA, PSS_RSA).replace(
            struct.pack('>H', len(self.der) - 4), struct.pack('>H', len(self.der) - 6), 1))
        return Signer(self.kind, self.private, public)


class Minisigner(Signer):
    """A key pair of minisign without a password."""

    scheme = BY_MINISIGN

    def __init__(self, private, public):  # pylint: disable=super-init-not-called
        self.kind, self.private, self.public = 'minisign', pathlib.Path(private), pathlib.Path(public)
        self.line = self.public.read_text().splitlines()[1]
        self.pem_public = self._write_pem()
        self.id = Signer('ed25519', self.private, self.pem_public).id

    @classmethod
    def make(cls, folder, _, name):
        private, public = (pathlib.Path(folder, f'{name}.{half}') for half in ('minikey', 'minipub'))
        say('minisign', '-G', '-W', '-f', '-s', private, '-p', public)
        return cls(private, public)

    def _write_pem(self):
        path = pathlib.Path(f'{self.private}.pem')
        seed = base64.b64decode(self.private.read_text().splitlines()[1])[62:94]
        write_pem(path, 'PRIVATE KEY', PKCS8_ED25519 + seed)
        public = pathlib.Path(f'{self.private}.pem.pub')
        say('openssl', 'pkey', '-in', path, '-pubout', '-out', public)
        return public

    def as_pem(self):
        """The same Ed25519 key in PEM."""
        return Signer('ed25519', f'{self.private}.pem', self.pem_public)

    def in_root(self):
        return {'id': self.id, 'type': self.kind, 'minisign': self.line}

    def sign(self, message, *options):
        file = pathlib.Path(f'{self.private}.message')
        file.write_bytes(message)
        say('minisign', '-S', *options, '-s', self.private, '-m', file, '-x', f'{file}.minisig')
        return pathlib.Path(f'{file}.minisig').read_bytes()

    def verify(self, message, signature):
        file = pathlib.Path(f'{self.private}.message')
        file.write_bytes(message)
        pathlib.Path(f'{file}.minisig').write_bytes(signature)
        return harness.run(['minisign', '-V', '-q', '-p', self.public, '-m', file, '-x', f'{file}.minisig']).status == 0


def make(folder, kind, name):
    return (Minisigner if kind == 'minisign' else Signer).make(folder, kind, name)


def root(release, threshold, site=None, site_threshold=1, version=1, epoch=1, root_role=None):  # pylint: disable=too-many-arguments
    """A root document; its `root` role is that of `release` where none is given, as (signers, threshold)."""
    root_keys, root_threshold = root_role or (release, threshold)
    roles = {'root': (root_keys, root_threshold), 'release': (release, threshold)}
    if site:
        roles['site'] = (site, site_threshold)
    keys = {signer.id: signer for signers, _ in roles.values() for signer in signers}
    return {'signed': {
        'type': 'gapship-root', 'version': version, 'epoch': epoch, 'keys': [signer.in_root() for signer in keys.values()],
        'roles': {name: {'keys': [signer.id for signer in signers], 'threshold': least} for name, (signers, least) in roles.items()},
    }}


def entry(scheme, key_id, signature):
    """An entry of an envelope."""
    return struct.pack('<HHI', scheme, 0, len(signature)) + bytes.fromhex(key_id) + signature


def entries_of(path):
    """(scheme, key id, signature) of each entry of a bundle file."""
    with open(path, 'rb') as file:
        data = os.pread(file.fileno(), 2 << 20, bundle.BLOCK)
    length, count = struct.unpack_from('<II', data, 16)
    found, at = [], 64 + length
    for _ in range(count):
        scheme, _, size = struct.unpack_from('<HHI', data, at)
        found.append((scheme, data[at + 8:at + 40].hex(), data[at + 40:at + 40 + size]))
        at += 40 + size
    return found
