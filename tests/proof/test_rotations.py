"""Who may sign after roots have changed: bundles that carry chains of roots, right and wrong ones, for every kind of key. `judge` walks
them by bundle-spec/FORMAT.md sections 6 to 8 on what the test knows it made; table and judge must agree before gapship is asked.

`verify` follows a chain and keeps nothing; `import` keeps each root that it reached, whatever is wrong with what follows, and nothing else
of what it refuses.
"""
import collections
import copy
import dataclasses
import hashlib
import json
import shutil
import struct

import bundle
import harness
import measured
import rewritten
import signers
from harness import check, equal

OK, FORMAT, SIGNATURE, DOWNGRADE = 'ok', 'FORMAT', 'SIGNATURE', 'DOWNGRADE'
ROOT_TYPE = b'application/vnd.gapship.root+json'


@dataclasses.dataclass
class Root:
    """version, and the numbers of the keys of its two roles; the thresholds are 2 of them."""
    version: int
    keys: tuple
    release: tuple = ()
    threshold: int = 2
    epoch: int = 1

    def ids(self, bench, role):
        return {bench.keys[i].id for i in (self.keys if role == 'root' else self.release or self.keys)}

    def signed(self, bench):
        release = [bench.keys[i] for i in self.release or self.keys]
        return signers.root(release, self.threshold, version=self.version, epoch=self.epoch,
                            root_role=([bench.keys[i] for i in self.keys], self.threshold))['signed']


@dataclasses.dataclass
class Link:
    """A root as it stands in a chain, and whose signatures it has; bad: those of them that do not fit; raw: other bytes of a body."""
    root: Root
    by: tuple
    bad: tuple = ()
    payload: bytes = ROOT_TYPE
    raw: bytes = None

    def document(self, bench):
        body = self.raw or bundle.canonical(self.root.signed(bench))
        entries = []
        for i in self.by:
            signed = bundle.pae(body + b' ' if i in self.bad else body, self.payload)
            entries.append(signers.entry(bench.keys[i].scheme, bench.keys[i].id, bench.sign(i, signed)))
        return struct.pack('<8sIIII', b'GSSIGNED', 1, 1, len(body), len(entries)) + body + b''.join(entries)


@dataclasses.dataclass
class Case:
    name: str
    expected: str
    links: list
    by: tuple  # who signs the bundle
    reached: int  # the version of the root that a site has afterwards
    trusted: Root = None
    behind: bytes = b''  # bytes behind the chain
    other: list = None  # links that the statement speaks of, where it is not these
    epoch: int = 0  # of the bundle


FIRST, SECOND, THIRD = Root(1, (0, 1, 2)), Root(2, (1, 2, 3)), Root(3, (2, 3, 4))
TO_SECOND, TO_THIRD = Link(SECOND, (0, 1, 2)), Link(THIRD, (2, 3))


def walk(bench, case):
    """(what is wrong with the chain, or None; the root reached)"""
    trust, before = case.trusted or FIRST, None
    for link in case.links:
        root, fits = link.root, link.payload == ROOT_TYPE
        if (before and root.version != before + 1) or root.version > trust.version + 1:
            return FORMAT, trust
        before = root.version
        if root.version == trust.version and root.signed(bench) != trust.signed(bench):
            return FORMAT, trust
        if root.version <= trust.version:
            continue
        for who in (trust, root):
            mine = [i for i in link.by if i in who.keys]
            if any(not fits or i in link.bad for i in mine) or len(mine) < who.threshold:
                return SIGNATURE, trust
            if who is trust and (link.raw or root.epoch < trust.epoch):
                return FORMAT, trust
        trust = root
    return (FORMAT if case.behind else None), trust


def judge(bench, case):
    """(verdict, version of the root reached)"""
    wrong, trust = walk(bench, case)
    if not wrong and len([i for i in case.by if i in (trust.release or trust.keys)]) < trust.threshold:
        wrong = SIGNATURE
    if not wrong and case.other is not None:  # the sizes of the chains differ in all of them
        wrong = FORMAT
    if not wrong and case.epoch > trust.epoch:
        wrong = DOWNGRADE
    return wrong or OK, trust.version


def cases(bench):
    stranger = 5
    yield Case('no chain', OK, [], (0, 1), 1)
    yield Case('a link', OK, [TO_SECOND], (2, 3), 2)
    yield Case('a link, by keys of both roots', OK, [TO_SECOND], (1, 2), 2)
    yield Case('revoked by the link it brings', SIGNATURE, [TO_SECOND], (0, 1), 2)
    yield Case('two links', OK, [TO_SECOND, TO_THIRD], (3, 4), 3)
    yield Case('two links, revoked by the second', SIGNATURE, [TO_SECOND, TO_THIRD], (1, 2), 3)
    yield Case('a new key without its link', SIGNATURE, [], (2, 3), 1)
    yield Case('a gap', FORMAT, [TO_THIRD], (3, 4), 1)
    yield Case('a gap behind a good link', FORMAT, [TO_SECOND, Link(dataclasses.replace(THIRD, version=4), (2, 3))], (2, 3), 2)
    yield Case('a link twice', FORMAT, [TO_SECOND, TO_SECOND], (2, 3), 2)
    yield Case('backwards', FORMAT, [TO_SECOND, Link(FIRST, (0, 1))], (0, 1), 2)
    yield Case('from the trusted root itself', OK, [Link(FIRST, (0, 1)), TO_SECOND], (2, 3), 2)
    yield Case('from the trusted root, not signed', OK, [Link(FIRST, ()), TO_SECOND], (2, 3), 2)
    yield Case('another root of the trusted version', FORMAT, [Link(dataclasses.replace(FIRST, keys=(3, 4, 5)), (3, 4))], (3, 4), 1)
    yield Case('old threshold missing', SIGNATURE, [Link(SECOND, (1, 3))], (2, 3), 1)
    yield Case('new threshold missing', SIGNATURE, [Link(SECOND, (0, 1))], (2, 3), 1)
    yield Case('no signature', SIGNATURE, [Link(SECOND, ())], (2, 3), 1)
    yield Case('one signature', SIGNATURE, [Link(SECOND, (1,))], (2, 3), 1)
    yield Case('a bad signature of the old root beyond its threshold', SIGNATURE, [Link(SECOND, (1, 2, 0), bad=(0,))], (2, 3), 1)
    yield Case('a bad signature of the new root beyond its threshold', SIGNATURE, [Link(SECOND, (1, 2, 3), bad=(3,))], (2, 3), 1)
    yield Case('a bad signature of a stranger', OK, [Link(SECOND, (1, 2, stranger), bad=(stranger,))], (2, 3), 2)
    yield Case('signed as a statement', SIGNATURE, [dataclasses.replace(TO_SECOND, payload=bundle.PAYLOAD_TYPE)], (2, 3), 1)
    yield Case('signed as a permit', SIGNATURE, [dataclasses.replace(TO_SECOND, payload=b'application/vnd.gapship.permit+json')], (2, 3), 1)
    taken = Root(2, (3, 4, stranger))
    yield Case('strangers take it over', SIGNATURE, [Link(taken, (3, 4, stranger))], (3, 4), 1)
    yield Case('strangers and one old key take it over', SIGNATURE, [Link(taken, (0, 3, 4, stranger))], (3, 4), 1)
    yield Case('all keys change', OK, [Link(taken, (0, 1, 3, 4))], (3, stranger), 2)
    yield Case('the threshold falls', OK, [Link(dataclasses.replace(SECOND, threshold=1), (0, 1))], (3,), 2)
    yield Case('the threshold rises', SIGNATURE, [Link(dataclasses.replace(SECOND, threshold=3), (0, 1, 2, 3))], (1, 2), 2)
    roles = Root(1, (0, 1, 2), release=(3, 4))
    yield Case('signed by the release role', SIGNATURE, [Link(SECOND, (3, 4, 1))], (2, 3), 1, trusted=roles)
    yield Case('a bundle by the root role', SIGNATURE, [], (0, 1, 2), 1, trusted=roles)
    yield Case('a bundle by the release role', OK, [], (3, 4), 1, trusted=roles)
    yield Case('the second link lacks the old threshold', SIGNATURE, [TO_SECOND, Link(THIRD, (3, 4))], (2, 3), 2)
    yield Case('the second link lacks the new threshold', SIGNATURE, [TO_SECOND, Link(THIRD, (1, 2))], (2, 3), 2)
    yield Case('the second link is signed by the first root', SIGNATURE, [TO_SECOND, Link(THIRD, (0, 1, 4))], (3, 4), 2)
    yield Case('a link of the past, replayed', SIGNATURE, [TO_SECOND], (0, 1), 2, trusted=SECOND)
    yield Case('links of the past are passed over', OK, [Link(FIRST, ()), TO_SECOND], (2, 3), 2, trusted=SECOND)
    yield Case('another link of the version reached', FORMAT, [Link(taken, (0, 1, 3, 4))], (3, 4), 2, trusted=SECOND)
    yield Case('the epoch rises', OK, [Link(dataclasses.replace(SECOND, epoch=5), (0, 1, 2))], (2, 3), 2, epoch=5)
    yield Case('the epoch falls', FORMAT, [Link(dataclasses.replace(SECOND, epoch=1), (0, 1, 2))], (2, 3), 1, trusted=dataclasses.replace(FIRST, epoch=2))
    yield Case('a bundle of a later epoch than its root', DOWNGRADE, [], (0, 1), 1, epoch=2)
    yield Case('a bundle of a later epoch than the root it brings', DOWNGRADE, [TO_SECOND], (2, 3), 2, epoch=2)
    yield Case('a byte behind the chain', FORMAT, [TO_SECOND], (2, 3), 2, behind=b'\0')
    yield Case('the chain of another bundle', FORMAT, [TO_SECOND], (2, 3), 2, other=[TO_SECOND, TO_THIRD])
    yield Case('a chain of which the statement knows nothing', FORMAT, [TO_SECOND], (1, 2), 2, other=[])
    yield Case('no chain, of which the statement speaks', FORMAT, [], (1, 2), 1, other=[TO_SECOND])
    text = bundle.canonical(SECOND.signed(bench))
    for name, raw in (('a space in it', text.replace(b'"epoch":1', b'"epoch": 1')), ('the order of its keys', text.replace(b'{"epoch":1,', b'{', 1).replace(
            b',"version":2}', b',"epoch":1,"version":2}')), ('a key of its own', text.replace(b'{"epoch"', b'{"a":1,"epoch"', 1)),
            ('no root', b'{"type":"permit","version":2}'), ('a field twice', text.replace(b'{"epoch":1', b'{"epoch":1,"epoch":1', 1))):
        yield Case(f'the body of a link: {name}', FORMAT, [dataclasses.replace(TO_SECOND, raw=raw)], (2, 3), 1)


class Bench:
    def __init__(self, w, kind):
        self.w, self.kind, self.most, self.made = w, kind, measured.Most(), {}
        self.keys = [signers.make(w.path, kind, f'{kind}-{i}') for i in range(6)]
        self.plain = {epoch: rewritten.writer(w, epoch) for epoch in (0, 2, 5)}
        self.path = w.path / 'bundle.gapship'

    def sign(self, i, message):
        """The same link stands in many cases."""
        key = (i, hashlib.sha256(message).digest())
        if key not in self.made:
            self.made[key] = self.keys[i].sign(message)
        return self.made[key]

    def chain(self, links, behind=b''):
        return b''.join(link.document(self) for link in links) + behind

    def save(self, case):
        writer = copy.copy(self.plain[case.epoch])
        writer.roots = self.chain(case.links if case.other is None else case.other, case.behind)
        writer.lay_out()
        index = writer.index()
        statement = writer.statement(index)
        entries = [signers.entry(self.keys[i].scheme, self.keys[i].id, self.sign(i, bundle.pae(statement))) for i in case.by]
        writer.roots = self.chain(case.links, case.behind)
        writer.save(self.path, index=index, statement=statement, envelope=writer.envelope(statement, entries)[:writer.envelope_size])

    def gapship(self, *words):
        done = measured.run(self.w.command('--output', 'json', *words), cwd=self.w.path, env=self.w.environment())
        self.most.add(done)
        return done.within()


def verdict(done):
    said = json.loads(done.out.splitlines()[-1])
    return OK if done.status == 0 else said['error']['code'] if done.status == 3 else f'status {done.status}'


def kinds_of_rows(bench, site):
    rows = bench.gapship('history', '--audit', '--site', site / 'site.yaml').expect().result()['rows']
    return [(row['kind'], row['state']) if row['kind'] == 'root' else row['kind'] for row in rows]


def prove(bench, case, site):
    """verify, which keeps nothing, and where `site` is given import, which keeps the roots that were reached."""
    equal(judge(bench, case), (case.expected, case.reached), f'table and judge of {case.name}')
    trusted = case.trusted or FIRST
    root = bench.w.write('root.json', {'signed': trusted.signed(bench)})
    bench.save(case)
    before = root.read_bytes()
    done = bench.gapship('verify', bench.path, '--root', root)
    equal(verdict(done), case.expected, f'{bench.kind}, {case.name}\n{done}')
    equal(root.read_bytes(), before, 'the root document')
    if not site:
        return
    place = bench.w.site(root, {'registry': {'url': 'http://127.0.0.1:1'}, 'environments': {}}, folder='site')
    done = bench.gapship('import', bench.path, '--site', place / 'site.yaml')
    equal(verdict(done), case.expected, f'import: {bench.kind}, {case.name}\n{done}')
    kept = json.loads((place / 'trust/root.json').read_text())['signed']
    links = {link.root.version: link.root for link in case.links}
    reached = trusted if case.reached == trusted.version else links[case.reached]
    equal(kept, reached.signed(bench), f'the trusted root after {case.name}')
    equal(len(list((place / 'store/bundles').iterdir())), int(case.expected == OK), f'kept bundles after {case.name}')
    steps = [('root', state) for _ in range(trusted.version, case.reached) for state in ('begun', 'done')]
    equal(kinds_of_rows(bench, place), ['created', *steps, 'accepted' if case.expected == OK else 'refused'], f'rows after {case.name}')
    shutil.rmtree(place)


def rotations(w, kind):
    harness.need('openssl', 'minisign')
    bench = Bench(w, kind)
    all_cases = list(cases(bench))
    equal(len({case.name for case in all_cases}), len(all_cases), 'names')
    for case in all_cases:
        prove(bench, case, site=kind in ('ecdsa-p256', 'minisign'))
    check(len(all_cases) >= 40, f'{len(all_cases)} cases')
    print(f'     {len(all_cases)} cases: {dict(collections.Counter(case.expected for case in all_cases))}; {bench.most}')


def test_rotations_of_ecdsa_p256(w):
    rotations(w, 'ecdsa-p256')


def test_rotations_of_ecdsa_p384(w):
    rotations(w, 'ecdsa-p384')


def test_rotations_of_ed25519(w):
    rotations(w, 'ed25519')


def test_rotations_of_rsa_pss(w):
    rotations(w, 'rsa-pss')


def test_rotations_of_minisign(w):
    rotations(w, 'minisign')


harness.main()
