"""Heads made to hurt: every size and count at its limit and beyond, and statements and indexes with which a signer who is trusted would
harm a site. All are refused, or accepted where they are right, with little memory and time."""
import collections
import hashlib
import json
import os
import struct

import bundle
import harness
import measured
import rewritten
import signers
from harness import check, equal

MIB = measured.MIB
ROOM = 2 * MIB - 4096  # for signatures, so that a statement of any size fits
FORMAT, SIGNATURE, OK = 'FORMAT', 'SIGNATURE', 'ok'


class Bench:
    def __init__(self, w):
        harness.need('openssl')
        self.w, self.most, self.verdicts = w, measured.Most(), collections.Counter()
        self.signer = signers.Signer.make(w.path, 'ecdsa-p256', 'release')
        self.root = w.write('root.json', signers.root([self.signer], 1))
        self.writer = rewritten.writer(w, room=ROOM)
        equal(self.writer.envelope_size <= 2 * MIB, True, 'the envelope is possible')
        self.index = self.writer.index()
        self.statement = self.writer.statement(self.index)
        self.path = w.path / 'hostile.gapship'

    def entry(self, statement):
        return signers.entry(1, self.signer.id, self.signer.sign(bundle.pae(statement)))

    def save(self, statement=None, entries=None, **changes):
        """A bundle with this statement, signed rightly, or with these entries; changes: of the envelope's header."""
        statement = self.statement if statement is None else statement
        entries = [self.entry(statement)] if entries is None else entries
        self.writer.save(self.path, index=self.index, statement=statement,
                         envelope=self.writer.envelope(statement, entries, **changes)[:self.writer.envelope_size])

    def expect(self, name, verdicts, *, root=None, memory=64 * MIB, seconds=1.0):
        """verdicts: one, or several where it depends on the limit met first."""
        verdicts = (verdicts,) if isinstance(verdicts, str) else verdicts
        done = measured.run(self.w.command('--output', 'json', 'verify', self.path, '--root', root or self.root, '--jobs', '2'),
                            cwd=self.w.path, env=self.w.environment())
        said = json.loads(done.out.splitlines()[-1]) if done.out else {}
        seen = OK if done.status == 0 else said.get('error', {}).get('code') if done.status == 3 else f'status {done.status}'
        check(seen in verdicts, f'{name}: {seen}, wanted {verdicts}\n{str(done)[:3000]}')
        check(len(done.out) < 10000, f'{name}: says {len(done.out)} bytes')
        try:
            done.within(seconds, memory)
        except AssertionError as error:
            raise AssertionError(f'{name}: {error}') from error
        self.most.add(done)
        self.verdicts[seen] += 1

    def report(self):
        print(f'     {dict(self.verdicts)}; {self.most}')


# ---- framing, which nobody signed

def test_sizes_and_counts_of_the_envelope(w):
    bench = Bench(w)
    bench.save()
    bench.expect('as it is', OK)
    full = 2 * MIB
    numbers = {'size': (0, 1, 511, 512, 513, full - 512, full, full + 512, 1 << 31, 0xfffffe00, 0xffffffff),
               'length': (0, 1, MIB - 1, MIB, MIB + 1, full - 64, full, 1 << 31, 0xffffffff),
               'count': (0, 2, 15, 16, 17, 1 << 16, 1 << 31, 0xffffffff),
               'roots': (1, 511, 512 << 10, (512 << 10) + 1, full, 1 << 31, 0xffffffff),
               'version': (0, 2, 1 << 31, 0xffffffff)}
    for field, values in numbers.items():
        for value in values:
            bench.save(**{field: value})
            bench.expect(f'{field} {value}', (FORMAT, SIGNATURE))
    for field, value in (('size', full), ('length', MIB), ('count', 16), ('roots', 512 << 10)):  # of a file of nothing but a head
        bench.path.write_bytes(bundle.tar_header('gapship/envelope', full) + bench.writer.envelope(b'{' * 64, [], **{'size': full, field: value}))
        bench.expect(f'{field} {value} of zeros', (FORMAT, SIGNATURE))
        os.truncate(bench.path, 1 << 43)
        bench.expect(f'{field} {value} of a file of 8 TiB', (FORMAT, SIGNATURE))
    bench.report()


def test_the_longest_signatures(w):
    bench = Bench(w)
    junk = [signers.entry(1, hashlib.sha256(b'%d' % i).hexdigest(), bytes([i]) * 1024) for i in range(16)]
    bench.save(entries=junk)
    bench.expect('16 of 1024 bytes by strangers', SIGNATURE)
    bench.save(entries=[*junk[:15], bench.entry(bench.statement)])
    bench.expect('a good one behind 15 of them', OK)
    for filler in (b'\0', b'\xff', b'\x30', b'\x30\x84\x7f\xff\xff\xff', b'\x30\x80' * 2):
        made = (filler * 1024)[:1024]
        bench.save(entries=[*junk[:15], signers.entry(1, bench.signer.id, made)])
        bench.expect(f'1024 bytes {filler[:2].hex()} of a trusted key', SIGNATURE)
    strong = signers.Signer.make(w.path, 'rsa-pss', 'strong', bits=8192)
    sixteen = [strong, *(signers.make(w.path, kind, f'{kind}-{i}') for i in range(5) for kind in ('ecdsa-p384', 'minisign', 'rsa-pss'))]
    root = w.write('sixteen.json', signers.root(sixteen, 16))
    comment = 'x' * (1024 - 320)
    encoding = bundle.pae(bench.statement)
    entries = [signers.entry(s.scheme, s.id, s.sign(encoding, '-t', comment) if s.kind == 'minisign' else s.sign(encoding)) for s in sixteen]
    equal(max(len(entry) for entry in entries), 40 + 1024, 'the longest entry')
    bench.save(entries=entries)
    bench.expect('16 good ones, one of 8192 bits', OK, root=root)
    bench.save(entries=entries[:15])
    bench.expect('15 of 16', SIGNATURE, root=root)
    bench.report()


# ---- statements of a signer who is trusted

def bombs():
    """(name, bytes) of up to 1 MiB."""
    deep = MIB // 2 - 1
    yield 'nested lists', b'[' * deep + b']' * deep
    yield 'nested lists without an end', b'[' * MIB
    yield 'nested maps', b'{"a":' * (MIB // 6 - 1) + b'1' + b'}' * (MIB // 6 - 1)
    yield 'lists and maps', b'[{"a":' * (MIB // 8 - 1) + b'1' + b'}]' * (MIB // 8 - 1)
    yield 'ends alone', b']' * MIB
    yield 'many keys', b'{' + b','.join(b'"%06d":1' % i for i in range(MIB // 11)) + b'}'
    yield 'one key many times', b'{' + b','.join([b'"a":1'] * (MIB // 6 - 1)) + b'}'
    yield 'keys of one hash or one prefix', b'{' + b','.join(b'"%s%05d":1' % (b'a' * 80, i) for i in range(MIB // 92)) + b'}'
    yield 'many values', b'[' + b','.join([b'1'] * (MIB // 2 - 1)) + b']'
    yield 'many empty maps', b'[' + b','.join([b'{}'] * (MIB // 3 - 1)) + b']'
    yield 'many empty strings', b'[' + b','.join([b'""'] * (MIB // 3 - 1)) + b']'
    yield 'a string', b'"' + b'a' * (MIB - 2) + b'"'
    yield 'a string without an end', b'"' + b'a' * (MIB - 1)
    yield 'escapes', b'"' + b'\\u0041' * (MIB // 6 - 1) + b'"'
    yield 'half an escape', b'"' + b'\\' * (MIB - 1)
    yield 'surrogates alone', b'"' + b'\\ud800' * (MIB // 6 - 1) + b'"'
    yield 'no UTF-8', b'"' + b'\xff' * (MIB - 2) + b'"'
    yield 'long forms of UTF-8', b'"' + b'\xc0\x80' * (MIB // 2 - 1) + b'"'
    yield 'a key of everything', b'{"' + b'k' * (MIB - 6) + b'":1}'
    yield 'digits', b'9' * MIB
    yield 'digits behind a point', b'0.' + b'9' * (MIB - 2)
    yield 'an exponent', b'1e' + b'9' * (MIB - 2)
    yield 'minus signs', b'-' * MIB
    yield 'spaces', b' ' * MIB
    yield 'zeros', bytes(MIB)
    yield 'one zero', b'\0'
    yield 'a mark of byte order', b'\xef\xbb\xbf{}'
    yield 'UTF-16', '{}'.encode('utf-16')
    yield 'many documents', b'{}' * (MIB // 2)
    yield 'YAML', b'a: &a [1]\nb: *a\n'
    yield 'comments', b'{}' + b'//' * 1000
    yield 'anchors of YAML', b'&a [' * (MIB // 8)


def changed(statement):
    """(name, bytes): the right statement with one value that it must not have."""
    number = 2**53
    values = {
        'epoch': (-1, number, 2**63, 2**64, 10**400, 1.0, '1', None, True, [], {}),
        'sequence': (-1, number, 2**63, 2**64, 0.5, '1', None, False),
        'securityFloor': (2, number, 2**63 - 1, -2**63, -1),
        'totalLength': (0, 1, number - 1, number, 2**63, 2**64 - 1, -1),
        'envelopeSize': (0, 512, 2 * MIB + 512, number - 1, 2**32, 2**64, -1),
        'product': ('', '.', '..', '../x', 'a/b', 'A', 'a' * 64, 'a\0b', 'a\n', '\u202e', 'a' * (MIB // 2), '-', 'é', None, 1),
        'version': ('', '.', '../../etc', 'a/b', 'a' * 129, '1\0', '1\n2', '\x1b[2J', None, 1.2),
        'issuedAt': ('', '2025-11-21', '2025-11-21T13:55:00+00:00', '2025-13-01T00:00:00Z', '10000-01-01T00:00:00Z', '1969-12-31T23:59:59Z',
                     '2025-02-30T00:00:00Z', '2025-11-21T13:55:60Z', '2025-11-21T13:55:00Z\0', 0, None),
        'index': ({}, [], None, {'sha256': '0' * 64}, {'sha256': 'A' * 64, 'size': 1}, {'sha256': '../' * 20, 'size': 1},
                  *({'sha256': hashlib.sha256(b'').hexdigest(), 'size': size} for size in (0, 1, 256 * MIB + 1, number - 1, number, -1))),
        'layout': ({}, None, {'sha256': ''}, {'sha256': '0' * 64}, {'sha256': '0' * 63 + 'g'}),
        'requires': (None, [], {'x': 1}, {'upgradesFrom': ''}, {'upgradesFrom': '>=1' * 200}, {'upgradesFrom': '('}, {'upgradesFrom': 1}),
        'roots': (None, {}, {'sha256': '0' * 64, 'size': 0}, {'sha256': '0' * 64, 'size': 1}, {'sha256': '0' * 64, 'size': 2**63}),
        'freshUntil': (None, '', 0, '1970-01-01T00:00:00Z'),
        'unknown': (1, None, {}),
    }
    for field, tried in values.items():
        for value in tried:
            document = json.loads(statement)
            document['predicate'][field] = value
            yield f'{field} {str(value)[:40]!r}', json.dumps(document, separators=(',', ':')).encode()
    for field, value in (('_type', 'x'), ('_type', None), ('predicateType', 'x'), ('subject', []), ('subject', None), ('predicate', None),
                         ('subject', [{'name': 'x', 'digest': {'sha256': '0' * 64}}] * 8000), ('x', 1)):
        document = json.loads(statement)
        document[field] = value
        yield f'{field} {str(value)[:40]!r}', json.dumps(document, separators=(',', ':')).encode()
    yield 'a field twice', statement.replace(b'"epoch":0,', b'"epoch":0,"epoch":0,')
    yield 'a field twice, escaped', statement.replace(b'"epoch":0,', b'"epoch":0,"\\u0065poch":0,')
    yield 'more behind it', statement + b'{}'
    yield 'a zero behind it', statement + b'\0'
    yield 'cut', statement[:-1]


def test_statements_of_a_trusted_signer(w):
    bench = Bench(w)
    count = 0
    for name, statement in (*bombs(), *changed(bench.statement)):
        check(1 <= len(statement) <= MIB, f'{name}: {len(statement)} bytes')
        bench.save(statement)
        bench.expect(name, FORMAT, memory=96 * MIB)  # a MiB of JSON may hold half a million values, each a node of the tree
        count += 1
    spaces = b' ' * (MIB - len(bench.statement))
    for name, statement in (('spaces behind it', bench.statement + spaces), ('spaces before it', spaces + bench.statement),
                            ('spaces within it', bench.statement.replace(b'{', b'{' + spaces, 1)),
                            ('escapes', bench.statement.replace(b'shop', b'\\u0073hop'))):
        bench.save(statement)
        bench.expect(name, OK)
    check(count > 100, f'{count} statements')
    bench.report()


# ---- indexes of a signer who is trusted

ENTRY = struct.Struct('<HHIQQQQ32s')


class Huge:
    """A head whose index was made to order; behind it the file is a hole, but for what `writes` puts there."""

    def __init__(self, bench):
        self.bench, self.contents = bench, bench.writer.contents[:3]

    def place(self, size):
        return 1024 + self.bench.writer.envelope_size + bundle.round_up(size) + 512

    def entries(self, size, more):
        """The first three, then (size, digest) of each blob; and the length of the file."""
        at, chunks, data = self.place(size), 0, bytearray()
        stated = [(len(content), hashlib.sha256(content).digest()) for content in self.contents]
        for i, (length, digest) in enumerate([*stated, *more]):
            own = 0 if length <= bundle.CHUNK else -(-length // bundle.CHUNK)
            data += ENTRY.pack(min(i + 1, 4), 0, own, chunks, at, length, length, digest)
            chunks += own
            at += bundle.round_up(length) + 512
        return bytes(data), at - 512 + 1024

    def save(self, index, total, size=None):
        """Signs it, and writes the members that every bundle begins with."""
        bench, size = self.bench, len(index) if size is None else size
        digest = hashlib.sha256(index).hexdigest()
        statement = bundle.statement_bytes(bench.writer.fields, total, bench.writer.envelope_size, digest, size, hashlib.sha256(self.contents[1]).hexdigest())
        with open(bench.path, 'wb') as file:
            file.write(bundle.tar_header('gapship/envelope', bench.writer.envelope_size))
            file.write(bench.writer.envelope(statement, [bench.entry(statement)]))
            file.write(bundle.tar_header('gapship/index', size) + index)
            at = self.place(len(index)) - 512
            for kind, content in enumerate(self.contents, 1):
                file.seek(at)
                file.write(bundle.tar_header(bundle.NAMES[kind], len(content)) + content)
                at += 512 + bundle.round_up(len(content))
            self.next = at
            file.truncate(total)

    def head(self, count, magic=b'GSINDEX1'):
        return struct.pack('<8sIIII', magic, 1, count, 22, 0)


def test_an_index_of_a_million_members(w):
    bench, million = Bench(w), 1000000
    huge, size = Huge(bench), 24 + 72 * million
    blobs = [(8, struct.pack('<Q', i) * 4) for i in range(million - 3)]
    entries, total = huge.entries(size, blobs)
    bounds = {'memory': 64 * MIB + 2 * size, 'seconds': 20}
    cases = {
        'a million members whose headers are missing': entries,
        'the last is the first again': entries[:-32] + entries[72 * 3 + 40:72 * 4],
        'the last at a wrong place': entries[:-56] + bytes(8) + entries[-48:],
        'the last of an unknown kind': entries[:-72] + b'\5' + entries[-71:],
        'a zero entry in the middle': entries[:72 * (million // 2)] + bytes(72) + entries[72 * (million // 2 + 1):],
        'a length that overflows': entries[:-48] + b'\xff' * 16 + entries[-32:],
    }
    for name, data in cases.items():
        equal(len(data), 72 * million, name)
        huge.save(huge.head(million) + data, total)
        bench.expect(name, FORMAT, **bounds)
    os.truncate(bench.path, total - 512)
    bench.expect('cut', FORMAT)
    entries, total = huge.entries(24 + 72 * (million + 1), [*blobs, (8, bytes(32))])
    huge.save(huge.head(million + 1) + entries, total)
    bench.expect('a member more than a million', FORMAT, **bounds)
    bench.report()


def test_the_largest_index(w):
    """256 MiB of it; what it promises need not be there."""
    bench = Bench(w)
    huge, largest = Huge(bench), 256 * MIB
    bounds = {'memory': 64 * MIB + largest, 'seconds': 20}
    for count in (0, 2, 3, 4, 1000000, 0xffffffff):
        index = (huge.head(count) + huge.entries(largest, [])[0])[:largest].ljust(largest, b'\0')
        huge.save(index, huge.place(largest) + 8192)
        bench.expect(f'{count} members in 256 MiB', FORMAT, **bounds)
        if count == 3:
            with open(bench.path, 'r+b') as file:
                file.seek(1024 + bench.writer.envelope_size + 100 * MIB)
                file.write(b'\1')
            bench.expect('one bit of it changed', 'DIGEST', **bounds)
    huge.save(huge.head(3) + bytes(largest - 23), huge.place(largest) + 8192)
    bench.expect('a byte more than 256 MiB', FORMAT)
    huge.save(huge.head(3), huge.place(24) + 8192, size=largest)
    bench.expect('256 MiB that are not there', FORMAT)
    bench.report()


def test_a_member_of_terabytes(w):
    """Of zero digests: what is read is refused with its first chunk, not with its last."""
    bench = Bench(w)
    huge, length = Huge(bench), 4 << 40
    chunks = length // bundle.CHUNK
    size = 24 + 72 * 4 + 32 * chunks
    entries, total = huge.entries(size, [(length, bytes(32))])
    huge.save(huge.head(4) + entries + bytes(32 * chunks), total)
    bench.expect('without its header', FORMAT, memory=64 * MIB + 2 * size, seconds=5)
    with open(bench.path, 'r+b') as file:
        file.seek(huge.next)
        file.write(bundle.tar_header('blobs/sha256/' + '0' * 64, length))
    bench.expect('with it', 'DIGEST', memory=64 * MIB + 2 * size, seconds=5)
    bench.report()


harness.main()
