"""Every change of a small bundle with one of each kind of content is refused: by test_bundle_mutations in its own process, which is fast
enough for all of them, and by the program, for what an operator meets: status 3, the right class, nothing written anywhere."""
import base64
import collections
import json
import os
import shutil
import struct

import bundle
import harness
import measured
import signers
import small
from harness import check, equal

FORMAT, SIGNATURE, DIGEST = 'FORMAT', 'SIGNATURE', 'DIGEST'


TRUSTED = 2  # version of the root
ROOT_TYPE = b'application/vnd.gapship.root+json'


def signed_root(keys, version):
    """A root document that both signed."""
    document = signers.root(keys, 2, version=version)
    message = bundle.pae(bundle.canonical(document['signed']), ROOT_TYPE)
    document['signatures'] = [{'keyid': key.id, 'sig': base64.b64encode(key.sign(message)).decode()} for key in keys]
    return document


class Pair:
    """Two bundles of one product, A and B, each signed by both keys of a root that requires both; roots: versions of roots that they
    carry."""

    def __init__(self, w, roots=()):
        self.site = small.Small(w)
        keys = [signers.Signer('ecdsa-p256', private, public) for public, private in self.site.key_pairs]
        self.site.trust(signed_root(keys, TRUSTED))
        carried = [word for version in roots for word in ('--root', w.write(f'root-{version}.json', signed_root(keys, version)))]
        self.paths = [self.site.build('1.0.0', 1, *carried), self.site.build('1.1.0', 2, *carried)]
        self.a, self.b = (path.read_bytes() for path in self.paths)


def change(pair, *test):
    """Numbers of cases: of all its tests, or of one."""
    check(os.environ.get('MUTATIONS'), 'the variable MUTATIONS must name the program test_bundle_mutations')
    done = measured.run([os.environ['MUTATIONS'], *pair.paths, pair.site.root, *test], timeout=850).expect(silent='FAILED')
    check(done.memory < 64 * measured.MIB, f'{done.memory / measured.MIB:.0f} MiB')
    counts = [int(line.split()[0]) for line in done.out.splitlines() if ' cases, all refused' in line]
    print(f'     {sum(counts)} cases in {done.seconds:.0f} s of processor time, {done.memory / measured.MIB:.0f} MiB')
    return counts


def test_every_change_in_one_process(w):
    pair = Pair(w)
    bits, content, cuts, extensions, bodies, parts = change(pair)
    equal(cuts, len(pair.a), 'cuts of it')
    check(bits + 8 * content // 3 == 8 * len(pair.a), f'{bits} bits and {content} bytes of content')
    print(f'     {len(pair.a)} bytes; bits {bits}, bytes of content {content}, cuts {cuts}, extensions {extensions}, heads and bodies {bodies}, '
          f'parts {parts}')


def test_every_byte_of_a_head_that_carries_roots(w):
    """A link to the root that is trusted, and one beyond it."""
    pair = Pair(w, roots=(TRUSTED, TRUSTED + 1))
    [bits] = change(pair, 'test_every_bit_that_is_not_content')
    check(bits > 4000, f'{bits} bits')


# ---- by the program

def members(path):
    """(name, offset of the data, size) of each member, by the independent reader."""
    with bundle.Reader(path) as reader:
        index = reader.index_end
        found = [('gapship/envelope', 512, reader.envelope_size),
                 ('gapship/index', 1024 + reader.envelope_size, index - 1024 - reader.envelope_size)]
        return [*found, *((member.name, member.offset, member.size) for member in reader.members)]


def flips(pair):
    """(name, class, bytes): places in everything that a bundle consists of."""
    statement, = struct.unpack_from('<I', pair.a, 512 + 16)
    entries = 512 + 64 + statement
    first, = struct.unpack_from('<I', pair.a, entries + 4)
    places = [('magic', FORMAT, 512), ('version', FORMAT, 520), ('envelope_size', FORMAT, 525), ('statement_length', None, 528),
              ('signature_count', FORMAT, 532), ('roots_length', None, 536), ('reserved', FORMAT, 575), ('statement', SIGNATURE, 576),
              ('middle of the statement', SIGNATURE, 576 + statement // 2), ('end of the statement', SIGNATURE, entries - 1),
              ('scheme', SIGNATURE, entries), ('zero of an entry', FORMAT, entries + 2), ('length of a signature', None, entries + 4),
              ('key id', SIGNATURE, entries + 8), ('signature', SIGNATURE, entries + 40), ('its end', SIGNATURE, entries + 39 + first)]
    for name, offset, size in members(pair.paths[0]):
        header, end = offset - 512, offset + size
        fields = {'name': 0, 'mode': 106, 'size': 134, 'checksum': 148, 'type': 156, 'link': 157, 'magic': 257, 'prefix': 345, 'end': 511}
        places += [(f'{name}: {field} in its header', FORMAT, header + at) for field, at in fields.items()]
        if name != 'gapship/envelope':
            places += [(f'{name}: {where}', DIGEST, at) for where, at in
                       (('first byte', offset), ('middle', offset + size // 2), ('last byte', end - 1)) if size]
        if end % 512:
            places += [(f'{name}: padding', FORMAT, end), (f'{name}: last byte of its padding', FORMAT, bundle.round_up(end) - 1)]
    places += [('first byte of the end', FORMAT, len(pair.a) - 1024), ('last byte', FORMAT, len(pair.a) - 1)]
    for number, (name, expected, at) in enumerate(places):
        changed = bytearray(pair.a)
        changed[at] ^= 1 << number % 8
        yield name, expected, bytes(changed)


def others(pair):
    a, b = pair.a, pair.b
    edges = {at for _, offset, size in members(pair.paths[0]) for at in (offset - 512, offset, offset + size)}
    for length in sorted({0, 1, 511, 512, 520, 575, 576, 600, *edges, len(a) - 1024, len(a) - 512, len(a) - 1}):
        yield f'cut to {length} bytes', FORMAT, a[:length]
    for name, more in (('a byte', b'\0'), ('a block', bytes(512)), ('the end of a tar again', bytes(1024)), ('a record of tar', bytes(10240)),
                       ('another bundle', b), ('itself', a)):
        yield f'extended by {name}', FORMAT, a + more
    yield 'joined with another bundle', FORMAT, a[:-1024] + b
    parts = [[offset - 512 for _, offset, _ in members(path)] + [path.stat().st_size - 1024] for path in pair.paths]
    for i in range(1, min(map(len, parts))):
        yield f'head of A, body of B from part {i}', None, a[:parts[0][i]] + b[parts[1][i]:]
        yield f'part {i - 1} of B in A', None, a[:parts[0][i - 1]] + b[parts[1][i - 1]:parts[1][i]] + a[parts[0][i]:]


def words_for(number, expected, file, out):
    """What an operator may do with such a file, by turns: (words, whether the refusal is written down). `plan` and `inspect` read the head
    and what describes the content, so that they are not asked about damage behind it."""
    yield (('import', file), ('install', file, '--yes'), ('load', file))[number % 3], True
    whole = [('verify', file), ('extract', file, '-o', out)]
    head = [('plan', file), ('inspect', file)] if expected in (FORMAT, SIGNATURE) else []
    yield (whole + head)[number % len(whole + head)], False


def left_by_extract(out):
    """Whole members alone."""
    for path in out.rglob('*'):
        if path.is_file() and path.parent.name == 'sha256':
            equal(bundle.hashlib.sha256(path.read_bytes()).hexdigest(), path.name, 'what extract left')


def test_what_an_operator_meets(w):
    pair = Pair(w)
    site, most, classes = pair.site, measured.Most(), collections.Counter()
    cases = [case for case in (*flips(pair), *others(pair)) if case[2] not in (pair.a, pair.b)]
    before, rows = site.tree(), site.rows()
    out = w.path / 'out'
    for number, (name, expected, data) in enumerate(cases):
        file = w.path / 'damaged.gapship'
        file.write_bytes(data)
        for words, written in words_for(number, expected, file, out):
            done = site.command(*words)
            most.add(done)
            said = json.loads(done.out.splitlines()[-1]).get('error') if done.out else None
            check(done.status == 3 and said and said['message'], f'{name}: not refused by {words[0]}\n{done}')
            check(said['code'] in ([expected] if expected else (FORMAT, SIGNATURE, DIGEST)), f'{name}: wanted {expected}\n{done}')
            done.within()
            classes[said['code']] += 1
            rows += ['refused'] * written
            left_by_extract(out)
            shutil.rmtree(out, ignore_errors=True)
        equal(set(site.tree().items()) ^ set(before.items()), set(), f'{name}: what changed')
        equal(file.read_bytes() == data, True, f'{name}: the file is as it was')
    equal(site.rows(), rows, 'rows of the ledger')
    site.command('import', pair.paths[0]).expect()
    print(f'     {len(cases)} damaged files, {dict(classes)}; {most}')


harness.main()
