"""Who may sign: several hundred bundles, each signed in another way, given to the real program.

A case says what its signatures are (whose, over what, by which scheme) and which verdict a reader of bundle-spec/FORMAT.md expects. `judge`
counts keys and thresholds for itself, by sections 3 and 6 alone; table and judge must agree before gapship is asked. Half of the good
signatures are made by openssl and minisign, the other half by `gapship sign`; each side verifies what the other made.
"""
import collections
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import time

import bundle
import harness
import rewritten
import signers
from harness import check, equal

SHAPES = [(1, 1), (1, 2), (2, 2), (2, 3), (3, 5)]
BY_IMPORT = {(2, 3)}  # given to a site, which must keep nothing; the others to `verify`
OK, FORMAT, SIGNATURE = 'ok', 'FORMAT', 'SIGNATURE'
UNKNOWN_SCHEME = 7
ROLE, STRANGERS = 5, 3  # keys of each kind
ORDERS = {  # of the groups of P-256 and P-384: FIPS 186-4, D.1.2
    'ecdsa-p256': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
    'ecdsa-p384': 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973,
}


@dataclasses.dataclass(frozen=True)
class Entry:
    """A signature entry: written as `scheme` and `key_id`; fits: these bytes are what the key of that id signs by its own scheme."""
    scheme: int
    key_id: str
    made: bytes
    fits: bool = True

    def but(self, **changes):
        return dataclasses.replace(self, **changes)


@dataclasses.dataclass
class Case:
    name: str
    expected: str
    entries: list
    root: str  # path
    behind: bytes = b''  # bytes that follow the entries
    by_import: bool = False
    allow_unsigned: bool = False


def judge(case):
    """What sections 3 and 6 of FORMAT.md say of it."""
    with open(case.root, encoding='utf-8') as file:
        signed = json.load(file)['signed']
    schemes = {key['id']: 2 if key['type'] == 'minisign' else 1 for key in signed['keys']}
    names = [(entry.scheme, entry.key_id) for entry in case.entries]
    if case.behind or len(names) > 16 or len(set(names)) < len(names) or any(not 1 <= len(entry.made) <= 1024 for entry in case.entries):
        return FORMAT
    if not case.entries:
        return OK if case.allow_unsigned else SIGNATURE
    for role in ('release', 'site'):
        if role not in signed['roles']:
            continue
        members, signed_by = set(signed['roles'][role]['keys']), set()
        for entry in case.entries:
            if entry.key_id in members and entry.scheme in (1, 2):
                if entry.scheme != schemes[entry.key_id] or not entry.fits:
                    return SIGNATURE
                signed_by.add(entry.key_id)
        if len(signed_by) < signed['roles'][role]['threshold']:
            return SIGNATURE
    return OK


class Bench:
    """Keys, one small bundle, and all good signatures of it, made once."""

    def __init__(self, w):
        self.w, self.folder = w, w.path
        self.writer = rewritten.writer(w)
        self.index = self.writer.index()
        self.statement = self.writer.statement(self.index)
        self.encoding = bundle.pae(self.statement)
        self.pae_of_another = bundle.pae(self.statement.replace(b'"1.0.0"', b'"1.0.1"'))
        self.writer.save(w.path / 'unsigned.gapship', index=self.index, statement=self.statement)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            made = list(pool.map(self.make_key, [(kind, i) for kind in signers.KINDS for i in range(ROLE + STRANGERS)]))
        self.keys = {kind: [] for kind in signers.KINDS}
        self.good = {}
        for signer, by_program, by_tool in made:
            self.keys[signer.kind].append(signer)
            self.good[signer.id] = Entry(signer.scheme, signer.id, by_program or by_tool)
        self.by_program = sum(by_program is not None for _, by_program, _ in made)
        self.keys['mixed'] = [self.keys[kind][i] for i, kind in enumerate(signers.KINDS)] + \
            [self.keys[kind][ROLE] for kind in signers.KINDS]

    def make_key(self, which):
        """Every second key signs by gapship; then the stock tool verifies, and the other way round by the cases."""
        kind, number = which
        signer = signers.make(self.folder, kind, f'{kind}-{number}')
        by_tool = signer.sign(self.encoding)
        if number % 2 or kind == 'minisign':
            check(signer.verify(self.encoding, by_tool), f'{kind} does not verify its own signature')
            return signer, None, by_tool
        copy = self.folder / f'{kind}-{number}.gapship'
        copy.write_bytes((self.folder / 'unsigned.gapship').read_bytes())
        self.w.gapship('sign', copy, '--key', signer.private)
        [(scheme, key_id, by_program)] = signers.entries_of(copy)
        equal((scheme, key_id), (signer.scheme, signer.id), 'entry that gapship wrote')
        check(signer.verify(self.encoding, by_program), f'openssl does not verify what gapship signed with {kind}')
        return signer, by_program, by_tool

    def root(self, name, *arguments, **options):
        return str(self.w.write(f'{name}.json', signers.root(*arguments, **options)))

    def save(self, case, path):
        envelope = self.writer.envelope(self.statement, [signers.entry(e.scheme, e.key_id, e.made) for e in case.entries] + [case.behind],
                                        count=len(case.entries))
        self.writer.save(path, index=self.index, statement=self.statement, envelope=envelope)


# ---- the cases

def counting(bench, kind, least, count):
    """(name, expected, entries) by how many keys signed, and whose."""
    keys = bench.keys[kind]
    good = [bench.good[signer.id] for signer in keys]
    stranger = bench.good[keys[ROLE].id]
    yield f'the first {least}', OK, good[:least]
    yield f'the last {least}, in reverse', OK, good[:count][-least:][::-1]
    yield f'all {count}', OK, good[:count]
    yield f'{least - 1} are not enough', SIGNATURE, good[:least - 1]
    yield 'a stranger does not count', SIGNATURE, [*good[:least - 1], stranger]
    yield 'a stranger does not harm', OK, [stranger, *good[:least]]
    yield 'strangers alone', SIGNATURE, [bench.good[signer.id] for signer in keys[ROLE:ROLE + STRANGERS]]
    yield 'a stranger under the id of a trusted key', SIGNATURE, [*good[:least - 1], stranger.but(key_id=good[least - 1].key_id, fits=False)]
    yield 'a trusted key under the id of a stranger', SIGNATURE, [*good[:least - 1], good[least - 1].but(key_id=stranger.key_id, fits=False)]
    yield 'one key twice', FORMAT, [*good[:least], good[0]]
    again = bench.keys[kind][0].sign(bench.encoding)  # of the randomised algorithms this is another signature
    yield 'one key twice, signed twice', FORMAT, [*good[:least - 1], good[0].but(made=again)] if least > 1 else [good[0], good[0].but(made=again)]
    yield 'one key again by an unknown scheme', (SIGNATURE if least > 1 else OK), [*good[:max(least - 1, 1)], good[0].but(scheme=UNKNOWN_SCHEME)]
    yield 'an unknown scheme does not count', SIGNATURE, [*good[:least - 1], good[least - 1].but(scheme=UNKNOWN_SCHEME)]
    yield 'an unknown scheme does not harm', OK, [*good[:least], stranger.but(scheme=UNKNOWN_SCHEME)]
    if count > least:
        bad = good[least].but(made=bench.keys[kind][least].sign(bench.pae_of_another), fits=False)
        yield 'a bad one beyond the threshold', SIGNATURE, [*good[:least], bad]
        yield f'{least + 1}', OK, good[1:least + 2] if count > least + 1 else good[:least + 1]


def flips(signer, made):
    """Eight places over all that minisign or the algorithm covers."""
    first = made.index(b'\n') + 1 if signer.kind == 'minisign' else 0
    for i in range(8):
        at = first + (2 * i + 1) * (len(made) - first) // 16
        changed = bytearray(made)
        changed[at] ^= 1 << i % 7
        yield at, i % 7, bytes(changed)


def content(bench, kind, least):
    """(name, expected, entries, bytes behind them) by what the last signature holds."""
    signer = bench.keys[kind][least - 1]
    good = [bench.good[key.id] for key in bench.keys[kind]]
    last, others = good[least - 1], good[:least - 1]

    def case(name, expected, behind=b'', **changes):
        return name, expected, [*others, last.but(fits=expected == OK, **changes)], behind

    yield case('another statement', SIGNATURE, made=signer.sign(bench.pae_of_another))
    yield case('the bare statement', SIGNATURE, made=signer.sign(bench.statement))
    yield case('another type of payload', SIGNATURE, made=signer.sign(bundle.pae(bench.statement, b'application/vnd.gapship.root+json')))
    yield case('the digest of the encoding', SIGNATURE, made=signer.sign(hashlib.sha256(bench.encoding).digest()))
    yield case('a byte', SIGNATURE, made=signer.sign(b'\0'))
    yield case('empty', FORMAT, made=b'')
    yield case('one byte', SIGNATURE, made=b'\x30')
    yield case('1024 zero bytes', SIGNATURE, made=bytes(1024))
    yield case('1025 bytes', FORMAT, made=bytes(1025))
    yield case('truncated', SIGNATURE, made=last.made.rstrip(b'\n')[:-1] if kind == 'minisign' else last.made[:-1])
    yield case('a byte more', SIGNATURE, made=last.made + b'\0')
    yield case('a byte behind it', FORMAT, behind=b'\1')
    yield case('all zeros', SIGNATURE, made=bytes(len(last.made)))
    yield case('by a scheme that is another key\'s', SIGNATURE, scheme=3 - last.scheme)
    for at, bit, made in flips(signer, last.made):
        yield case(f'bit {bit} of byte {at} flipped', SIGNATURE, made=made)
    for at, bit in ((0, 0), (31, 7)):
        key_id = bytearray.fromhex(last.key_id)
        key_id[at] ^= 1 << bit
        yield case(f'bit {bit} of byte {at} of the key id flipped', SIGNATURE, key_id=key_id.hex())
    yield from {'minisign': of_minisign, 'rsa-pss': of_rsa, 'ed25519': of_ed25519}.get(signer.kind, of_ecdsa)(bench, signer, case)


def of_minisign(bench, signer, case):
    lines = bench.good[signer.id].made.split(b'\n')
    number = bytearray(lines[1])
    number[6] ^= 3  # a digit of base64 that is part of the key number
    yield case('without the last line feed', OK, made=b'\n'.join(lines).rstrip(b'\n'))
    yield case('another untrusted comment', OK, made=b'\n'.join([b'untrusted comment: by anybody', *lines[1:]]))
    yield case('another trusted comment', SIGNATURE, made=b'\n'.join([*lines[:2], b'trusted comment: by nobody', *lines[3:]]))
    yield case('a comment of its own', OK, made=signer.sign(bench.encoding, '-t', 'release 1.2.3', '-c', 'for the site'))
    yield case('not prehashed', SIGNATURE, made=signer.sign(bench.encoding, '-l'))
    yield case('another key number', SIGNATURE, made=b'\n'.join([lines[0], bytes(number), *lines[2:]]))
    yield case('line ends of another system', SIGNATURE, made=b'\r\n'.join(lines))
    yield case('a line more', SIGNATURE, made=b'\n'.join(lines) + b'untrusted comment: more\n')
    pem = signer.as_pem()
    by_pem = pem.sign(bench.encoding)
    yield case('the same key as in PEM', SIGNATURE, made=by_pem, scheme=signers.BY_KEY)
    name, _, entries, behind = case('the same key twice, as in PEM too', SIGNATURE, made=by_pem, scheme=signers.BY_KEY)
    yield name, SIGNATURE, [bench.good[signer.id], *entries], behind


def of_rsa(bench, signer, case):
    other = signer.other_encoding(bench.folder)
    name, _, entries, behind = case('the same key in its other encoding does not count', SIGNATURE, key_id=other.id)
    yield name, SIGNATURE, entries, behind
    yield 'nor does it harm', OK, [bench.good[signer.id], *entries[:-1], entries[-1].but(fits=True)], behind
    with open(bench.folder / 'encoding', 'wb') as file:
        file.write(bench.encoding)
    for name, options in (('PKCS #1 v1.5', []), ('another salt', ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:20'])):
        ok, made = bundle.openssl('dgst', '-sha256', *options, '-sign', str(signer.private), str(bench.folder / 'encoding'))
        check(ok, name)
        yield case(name, SIGNATURE, made=made)


def of_ed25519(bench, signer, case):
    made = bench.good[signer.id].made
    order = 2**252 + 27742317777372353535851937790883648493  # RFC 8032, section 5.1
    s = int.from_bytes(made[32:], 'little')
    yield case('s above the order of the group', SIGNATURE, made=made[:32] + (s + order).to_bytes(32, 'little'))


def der(r, s):
    integers = b''
    for number in (r, s):
        octets = number.to_bytes(number.bit_length() // 8 + 1, 'big')
        integers += bytes([2, len(octets)]) + octets
    return bytes([0x30, len(integers)]) + integers


def of_ecdsa(bench, signer, case):
    made = bench.good[signer.id].made
    size = made[3]
    r, s = int.from_bytes(made[4:4 + size], 'big'), int.from_bytes(made[6 + size:], 'big')
    order = ORDERS[signer.kind]
    equal(der(r, s), made, 'how a signature is written')
    yield case('the order minus s', OK, made=der(r, order - s))
    yield case('s and the order', SIGNATURE, made=der(r, s + order))
    yield case('r of zero', SIGNATURE, made=der(0, s))
    yield case('r and s of zero', SIGNATURE, made=der(0, 0))
    yield case('a long form of a length', SIGNATURE, made=b'\x30\x81' + made[1:])


def of_site(bench, kind):
    """(name, expected, entries) for a root of 2 of 3 release keys and 1 of 2 site keys of the next kind."""
    release = [bench.good[signer.id] for signer in bench.keys[kind][:3]]
    site = [bench.good[signer.id] for signer in bench.keys[next_kind(kind)][ROLE:ROLE + 2]]
    yield 'the release keys alone', SIGNATURE, release
    yield 'the site keys alone', SIGNATURE, site
    yield 'both', OK, [*release[:2], site[1]]
    yield 'both, all keys', OK, [*site, *release]
    yield 'too few release keys', SIGNATURE, [release[0], *site]
    yield 'a bad site signature', SIGNATURE, [*release, site[0], site[1].but(made=site[0].made, fits=False)]
    yield 'a site key by an unknown scheme', SIGNATURE, [*release, site[0].but(scheme=UNKNOWN_SCHEME)]


def unsigned(bench, kind):
    """(name, expected, entries) where site.yaml says allowUnsigned: true. It lets in what nobody signed, and nothing else."""
    first, second, third = (bench.good[signer.id] for signer in bench.keys[kind][:3])
    stranger = bench.good[bench.keys[kind][ROLE].id]
    yield 'a stranger', SIGNATURE, [stranger]
    yield 'one of two', SIGNATURE, [first]
    yield 'one of two and a stranger', SIGNATURE, [stranger, second]
    yield 'an unknown scheme', SIGNATURE, [first.but(scheme=UNKNOWN_SCHEME)]
    yield 'a bad one', SIGNATURE, [first, second, third.but(made=stranger.made, fits=False)]
    yield 'an empty one', FORMAT, [first.but(made=b'')]
    yield 'none', OK, []
    yield 'two of two', OK, [first, second]


def next_kind(kind):
    return signers.KINDS[(signers.KINDS.index(kind) + 1) % len(signers.KINDS)]


def all_cases(bench):
    for kind in (*signers.KINDS, 'mixed'):
        for least, count in SHAPES:
            title, by_import = f'{kind}, {least} of {count}', (least, count) in BY_IMPORT
            root = bench.root(title, bench.keys[kind][:count], least)
            for name, expected, entries in counting(bench, kind, least, count):
                yield Case(f'{title}: {name}', expected, entries, root, by_import=by_import)
            if (least, count) in {(1, 1), (2, 3)}:
                for name, expected, entries, behind in content(bench, kind, least):
                    yield Case(f'{title}: {name}', expected, entries, root, behind, by_import)
    for kind in signers.KINDS:
        root = bench.root(f'{kind} and site', bench.keys[kind][:3], 2, bench.keys[next_kind(kind)][ROLE:ROLE + 2])
        for name, expected, entries in of_site(bench, kind):
            yield Case(f'{kind}, with a site role: {name}', expected, entries, root)
        root = bench.root(f'{kind} and allowUnsigned', bench.keys[kind][:3], 2)
        for name, expected, entries in unsigned(bench, kind):
            yield Case(f'{kind}, unsigned ones allowed: {name}', expected, entries, root, by_import=True, allow_unsigned=True)


# ---- the program

def tree(folder):
    """Name -> digest of everything below it, but for the ledger and for the lock, in which a run writes who it is."""
    return {str(path): path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob('*'))
            if not path.name.startswith('ledger.sqlite') and path.name != 'lock'}


class Program:
    def __init__(self, w, bench):
        self.w, self.bench, self.sites = w, bench, {}
        self.folder = w.path / 'bundles'
        self.folder.mkdir()

    def command(self, *words):
        return harness.run(self.w.command('--output', 'json', *words), cwd=self.folder, env=self.w.environment({'TMPDIR': str(self.w.home)}))

    def site(self, case):
        """One site a root; what a refused bundle leaves there is its row in the ledger alone."""
        key = (case.root, case.allow_unsigned)
        if key not in self.sites:
            self.sites[key] = self.w.site(case.root, {'registry': {'url': 'http://127.0.0.1:1'}, 'environments': {},
                                                      'policy': {'allowUnsigned': case.allow_unsigned}}, folder=f'site-{len(self.sites)}')
        return self.sites[key]

    def rows(self, site):
        return [row['kind'] for row in self.command('history', '--audit', '--site', site / 'site.yaml').result()['rows']]

    def give(self, case, file):
        """What gapship says; a site must be afterwards as it was before it refused a bundle, but for the ledger."""
        if not case.by_import:
            return self.command('verify', file, '--root', case.root)
        site = self.site(case)
        before = tree(site)
        done = self.command('import', file, '--site', site / 'site.yaml')
        if done.status != 0:
            equal(set(tree(site).items()) ^ set(before.items()), set(), f'what changed in the site by {case.name}')
        return done

    def prove(self, numbered):
        number, case = numbered
        equal(judge(case), case.expected, f'table and judge of {case.name}')
        file = self.folder / f'{number}.gapship'
        self.bench.save(case, file)
        before = file.read_bytes()
        done = self.give(case, file)
        said = done.events()[-1]
        problem = None
        if case.expected == OK:
            problem = None if done.status == 0 else 'was refused'
        elif done.status != 3 or said.get('error', {}).get('code') != case.expected or not said['error']['message']:
            problem = f'wanted status 3 and {case.expected}'
        check(not problem, f'{case.name}: {problem}\n{done}')
        equal(file.read_bytes(), before, 'the bundle')
        file.unlink()
        return done.seconds


def run_all(w, bench, cases):
    began = os.times()
    program = Program(w, bench)
    before = sorted(w.home.rglob('*'))
    by_site, alone = collections.defaultdict(list), []
    for number, case in enumerate(cases):
        (by_site[case.root, case.allow_unsigned] if case.by_import else alone).append((number, case))
    for group in by_site.values():  # made here, because their names are counted
        program.site(group[0][1])
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        seconds = list(pool.map(lambda group: [program.prove(one) for one in group], [*by_site.values(), *([one] for one in alone)]))
    seconds = [one for group in seconds for one in group]
    for group in by_site.values():
        verdicts = [case.expected for _, case in group]
        rows = ['created', *['accepted'][:OK in verdicts], *['refused'] * sum(verdict != OK for verdict in verdicts)]
        equal(sorted(program.rows(program.site(group[0][1]))), sorted(rows), f'rows of the ledger, {group[0][1].root}')
    equal(list(program.folder.iterdir()), [], 'files beside the bundles')
    equal(sorted(w.home.rglob('*')), before, 'TMPDIR and HOME')
    now = os.times()
    used = now.children_user + now.children_system - began.children_user - began.children_system
    verdicts = collections.Counter(case.expected for case in cases)
    print(f'     {len(cases)} cases, {sum(case.by_import for case in cases)} of them by import: {dict(verdicts)}; '
          f'the slowest {max(seconds):.2f} s, processor {used:.0f} s')


def test_signatures(w):
    harness.need('openssl', 'minisign')
    began = time.monotonic()
    bench = Bench(w)
    print(f'     {len(bench.good)} keys, {bench.by_program} signatures by gapship, in {time.monotonic() - began:.1f} s')
    cases = list(all_cases(bench))
    check(len(cases) >= 300, f'{len(cases)} cases')
    names = collections.Counter(case.name for case in cases)
    equal([name for name, count in names.items() if count > 1], [], 'names used twice')
    run_all(w, bench, cases)


harness.main()
