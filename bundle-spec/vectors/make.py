#!/usr/bin/env python3
"""Makes the test vectors beside it. With --check: says whether they are what it would make.

Everything but ecdsa.gapship comes out the same each time (Ed25519 signs deterministically). Run it with tests/support in PYTHONPATH.
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import bundle
import volumes

HERE = os.path.dirname(os.path.abspath(__file__))
FIELDS = {
    'product': 'demo', 'version': '1.2.3', 'epoch': 1, 'sequence': 42, 'securityFloor': 40,
    'issuedAt': '2025-11-21T13:55:00Z', 'upgradesFrom': '>=1.1.0',
}
BLOBS = [b'', b'hello\n', bytes(range(256)) * 2, bytes(700)]
INDEX_JSON, MANIFEST_JSON = b'{"schemaVersion":2,"manifests":[]}\n', b'[]\n'


def key(name):
    return bundle.Key(os.path.join(HERE, 'keys', name), private=True)


def small(blobs=None, roots=b''):
    """A writer of bundles of a few kilobytes."""
    return bundle.Writer(dict(FIELDS), INDEX_JSON, MANIFEST_JSON, BLOBS if blobs is None else blobs, room=600, roots=roots)


def patched(data, offset, new):
    return data[:offset] + new + data[offset + len(new):]


class Maker:
    def __init__(self, directory):
        self.directory = directory
        self.release = key('release-1.key')
        self.other = key('stranger.key')
        self.second = key('release-2.key')

    def path(self, kind, name):
        return os.path.join(self.directory, kind, name + '.gapship')

    # ---- accepted

    def good(self):
        for kind in ('good', 'bad'):
            os.makedirs(os.path.join(self.directory, kind), exist_ok=True)
        ordinary = bundle.Writer(dict(FIELDS), INDEX_JSON, MANIFEST_JSON, BLOBS)
        ordinary.save(self.path('good', 'ordinary'), [self.release])
        small([]).save(self.path('good', 'no-blobs'), [self.release])
        small().save(self.path('good', 'small-envelope'), [self.release])
        small().save(self.path('good', 'two-signatures-of-two'), [self.release, self.second])
        small().save(self.path('good', 'with-a-stranger'), [self.other, self.release])
        small().save(self.path('good', 'unsigned'), [])
        writer = small()
        statement = writer.statement(writer.index())
        entries = [writer.signature(statement, self.other, scheme=3), writer.signature(statement, self.release)]
        writer.save(self.path('good', 'with-an-unknown-scheme'), envelope=writer.envelope(statement, entries))
        spaced = json.dumps(json.loads(statement), indent=1, sort_keys=True).encode()
        writer = small()
        writer.envelope_size += 2048
        self.lay_out_again(writer)
        spaced = json.loads(writer.statement(writer.index()))
        writer.save(self.path('good', 'other-white-space'), [self.release],
                    statement=json.dumps(spaced, indent=1, sort_keys=True).encode())

    @staticmethod
    def lay_out_again(writer):
        """Places for an envelope of another size."""
        place = writer.index_offset = 1024 + writer.envelope_size
        place += bundle.round_up(writer.index_size) + 512
        for i, content in enumerate(writer.contents):
            writer.places[i] = writer.entries[i]['offset'] = place
            place += bundle.round_up(len(content)) + 512
        writer.total = place + 512

    def ecdsa(self):
        small().save(self.path('good', 'ecdsa'), [key('ecdsa.key')])

    # ---- refused

    def bad(self, name, **parts):
        writer = parts.pop('writer', None) or small()
        writer.save(self.path('bad', name), parts.pop('keys', [self.release]), **parts)

    def raw(self, name, change):
        """A good bundle with its bytes changed by a function."""
        writer = small()
        path = self.path('bad', name)
        writer.save(path, [self.release])
        with open(path, 'rb') as file:
            data = file.read()
        with open(path, 'wb') as file:
            file.write(change(writer, data))

    def framing(self):
        self.raw('FORMAT-empty', lambda w, d: b'')
        self.raw('FORMAT-not-a-bundle', lambda w, d: bundle.tar_header('oci-layout', 30) + bundle.LAYOUT.ljust(9728, b'\0'))
        self.raw('FORMAT-cut-in-envelope', lambda w, d: d[:1024])
        header = {
            'unfinished': (0, b'GSPARTL1'), 'version-2': (8, b'\2'), 'size-no-multiple': (12, struct.pack('<I', 1000)),
            'size-zero': (12, bytes(4)), 'size-too-large': (12, struct.pack('<I', (2 << 20) + 512)),
            'size-beyond-file': (12, struct.pack('<I', 1 << 20)), 'statement-empty': (16, bytes(4)),
            'statement-beyond-envelope': (16, struct.pack('<I', 5000)), 'statement-too-long': (16, struct.pack('<I', (1 << 20) + 1)),
            'seventeen-signatures': (20, b'\x11'), 'reserved-first-byte': (28, b'\1'), 'reserved-last-byte': (63, b'\1'),
        }
        for name, (offset, new) in header.items():
            self.raw('FORMAT-envelope-' + name, lambda w, d, o=offset, n=new: patched(d, 512 + o, n))
        writer = small()
        statement = writer.statement(writer.index())
        entry = writer.signature(statement, self.release)
        entries = {
            'reserved': [patched(entry, 2, b'\1')], 'length-zero': [patched(entry[:40], 4, bytes(4))],
            'length-too-long': [patched(entry, 4, struct.pack('<I', 1025))],
            'beyond-envelope': [entry, patched(entry, 4, struct.pack('<I', 1000))], 'twice': [entry, entry],
        }
        for name, parts in entries.items():
            self.bad('FORMAT-signature-' + name, envelope=writer.envelope(statement, parts, count=len(parts)))
        self.bad('FORMAT-signature-count-too-high', envelope=writer.envelope(statement, [entry], count=2))
        self.bad('FORMAT-bytes-behind-signatures', envelope=patched(writer.envelope(statement, [entry]), writer.envelope_size - 1, b'x'))

    def threshold(self):
        writer = small()
        statement = writer.statement(writer.index())
        self.bad('SIGNATURE-none', keys=[])
        self.bad('SIGNATURE-stranger', keys=[self.other])
        self.bad('SIGNATURE-one-of-two')
        self.bad('SIGNATURE-one-and-a-stranger-of-two', keys=[self.release, self.other])
        strange = writer.signature(statement, self.release, scheme=3)
        self.bad('SIGNATURE-unknown-scheme', envelope=writer.envelope(statement, [strange]))
        strange = writer.signature(statement, self.release, scheme=2)
        self.bad('SIGNATURE-scheme-of-other-keys', envelope=writer.envelope(statement, [writer.signature(statement, self.second), strange]))
        entry = writer.signature(statement, self.release)
        self.bad('SIGNATURE-changed', envelope=writer.envelope(statement, [patched(entry, 50, bytes([entry[50] ^ 1]))]))
        self.bad('SIGNATURE-good-and-changed', envelope=writer.envelope(
            statement, [writer.signature(statement, self.second), patched(entry, 50, bytes([entry[50] ^ 1]))]))
        stolen = writer.signature(statement, self.other)[40:]
        self.bad('SIGNATURE-of-stranger-under-trusted-id', envelope=writer.envelope(statement, [entry[:40] + stolen]))
        self.bad('SIGNATURE-of-statement-alone', envelope=writer.envelope(statement, [entry[:40] + self.release.sign(statement)]))
        other_type = self.release.sign(bundle.pae(statement, b'application/vnd.gapship.root+json'))
        self.bad('SIGNATURE-of-other-payload-type', envelope=writer.envelope(statement, [entry[:40] + other_type]))
        newer = statement.replace(b'"sequence":42', b'"sequence":43')
        self.bad('SIGNATURE-statement-changed', envelope=writer.envelope(newer, [entry]))

    def statements(self):
        writer = small()
        original = writer.statement(writer.index())

        def changed(name, function):
            document = json.loads(original)
            function(document, document['predicate'])
            self.bad('FORMAT-statement-' + name, statement=json.dumps(document, separators=(',', ':')).encode())

        def replaced(name, old, new):
            assert original.count(old) >= 1, name
            self.bad('FORMAT-statement-' + name, statement=original.replace(old, new, 1))

        self.bad('FORMAT-statement-not-json', statement=b'product: demo\n')
        self.bad('FORMAT-statement-list', statement=b'[' + original + b']')
        self.bad('FORMAT-statement-cut', statement=original[:-1])
        self.bad('FORMAT-statement-trailing-bytes', statement=original + b'{}')
        self.bad('FORMAT-statement-not-utf-8', statement=original.replace(b'"demo"', b'"dem\xff"'))
        replaced('field-twice', b'"epoch":1,', b'"epoch":1,"epoch":1,')
        replaced('float', b'"epoch":1,', b'"epoch":1.0,')
        replaced('exponent', b'"epoch":1,', b'"epoch":1e0,')
        replaced('number-as-text', b'"epoch":1,', b'"epoch":"1",')
        replaced('number-too-large', b'"epoch":1,', b'"epoch":9007199254740992,')
        replaced('number-beyond-64-bits', b'"epoch":1,', b'"epoch":18446744073709551617,')
        replaced('number-negative', b'"epoch":1,', b'"epoch":-1,')
        replaced('leading-zero', b'"epoch":1,', b'"epoch":01,')
        changed('field-unknown', lambda d, p: p.update(base='x'))
        changed('field-missing', lambda d, p: p.pop('issuedAt'))
        changed('null', lambda d, p: p.update(requires=None))
        changed('requires-unknown', lambda d, p: p.update(requires={'kubernetes': '>=1.27'}))
        changed('other-type', lambda d, p: d.update(_type='https://in-toto.io/Statement/v0.1'))
        changed('other-predicate', lambda d, p: d.update(predicateType='https://slsa.dev/provenance/v1'))
        changed('one-subject', lambda d, p: d['subject'].pop())
        changed('subjects-swapped', lambda d, p: d['subject'].reverse())
        changed('subject-differs', lambda d, p: d['subject'][0]['digest'].update(sha256='0' * 64))
        changed('digest-upper-case', lambda d, p: p['layout'].update(sha256=p['layout']['sha256'].upper()))
        changed('product-path', lambda d, p: p.update(product='../demo'))
        changed('version-space', lambda d, p: p.update(version='1.2 3'))
        changed('floor-above-sequence', lambda d, p: p.update(securityFloor=43))
        changed('time-with-offset', lambda d, p: p.update(issuedAt='2025-11-21T13:55:00+00:00'))
        changed('time-impossible', lambda d, p: p.update(issuedAt='2025-02-30T13:55:00Z'))
        changed('constraint', lambda d, p: p.update(requires={'upgradesFrom': '^1.1'}))
        changed('envelope-size-differs', lambda d, p: p.update(envelopeSize=p['envelopeSize'] + 512))
        changed('index-too-large', lambda d, p: p['index'].update(size=(256 << 20) + 1))
        changed('index-beyond-file', lambda d, p: p['index'].update(size=1 << 20))
        self.raw('FORMAT-cut', lambda w, d: d[:-512])
        self.raw('FORMAT-extended', lambda w, d: d + bytes(512))

    def indexes(self):
        def entry(name, number, **changes):
            writer = small()
            writer.entries[number].update(changes)
            self.bad('FORMAT-index-' + name, writer=writer, index=writer.index())

        for name, changes in {
            'magic': {'magic': b'GSINDEX2'}, 'version': {'version': 2}, 'chunk-size': {'log2': 20}, 'reserved': {'zero': 1},
            'count-two': {'count': 2}, 'count-too-high': {'count': 1000}, 'count-too-low': {'count': 6},
        }.items():
            writer = small()
            self.bad('FORMAT-index-' + name, writer=writer, index=writer.index(**changes))
        good = small()
        entry('kind-unknown', 4, kind=5)
        entry('kind-misplaced', 3, kind=3)
        entry('flags', 4, flags=1)
        entry('chunk-count', 4, chunk_count=1)
        entry('first-chunk', 4, first_chunk=1)
        entry('raw-length', 4, raw=7)
        entry('gap', 4, offset=good.places[4] + 512)
        entry('overlap', 4, offset=good.places[3])
        entry('offset-overflow', 4, offset=2**64 - 512)
        entry('length-overflow', 6, stored=2**64 - 1, raw=2**64 - 1)
        entry('longer-than-data', 4, stored=1000, raw=1000)
        entry('oci-layout-differs', 0, digest=bytes(32))
        entry('index-json-differs', 1, digest=bytes(32))
        twice = small([b'a', b'b'])
        twice.digests[4] = twice.entries[4]['digest'] = twice.digests[3]
        self.bad('FORMAT-index-blob-twice', writer=twice)
        for name, change in {'trailing-bytes': lambda i: i + bytes(32), 'cut': lambda i: i[:-72], 'empty': lambda i: b''}.items():
            writer = small()
            self.bad('FORMAT-index-' + name, writer=writer, index=change(writer.index()))

    def places(self):
        self.raw('FORMAT-header-of-envelope', lambda w, d: patched(d, 100, b'0000755'))
        self.raw('FORMAT-header-of-index', lambda w, d: patched(d, w.index_offset - 512, b'gapship/INDEX'))
        self.raw('FORMAT-header-name-path', lambda w, d: patched(d, w.places[4] - 512, b'../../../../etc/passwd\0'))
        self.raw('FORMAT-header-size', lambda w, d: patched(d, w.places[4] - 512 + 124, b'00000000007'))
        self.raw('FORMAT-header-symlink', lambda w, d: patched(d, w.places[4] - 512 + 156, b'2'))
        self.raw('FORMAT-padding', lambda w, d: patched(d, w.places[4] + 6, b'x'))
        self.raw('FORMAT-padding-of-index', lambda w, d: patched(d, w.index_offset + w.index_size, b'x'))
        self.raw('FORMAT-end', lambda w, d: patched(d, len(d) - 1, b'x'))
        self.raw('DIGEST-index', lambda w, d: patched(d, w.index_offset + 24 + 40, b'\0\0\0\0'))
        self.raw('DIGEST-blob', lambda w, d: patched(d, w.places[4], b'H'))
        self.raw('DIGEST-index-json', lambda w, d: patched(d, w.places[1], b'['))

    # ---- chains of roots

    @staticmethod
    def signed(version, root, release, threshold=1, **more):
        """What a root says, as a value."""
        keys = list({k.id: k for k in [*root, *release]}.values())
        entries = [{'id': k.id, 'type': k.kind, 'pem': bundle.openssl('pkey', '-in', k.path, '-pubout')[1].decode()} for k in keys]
        roles = {'root': {'keys': [k.id for k in root], 'threshold': threshold},
                 'release': {'keys': [k.id for k in release], 'threshold': 1}}
        return {'type': 'gapship-root', 'version': version, 'epoch': 1, 'keys': entries, 'roles': roles, **more}

    def link(self, version, signers, root=None, **more):
        """By which stranger.key signs bundles in place of the others; root keys are release-1 and release-2."""
        said = self.signed(version, root or [self.release, self.second], [self.other], **more)
        return bundle.document(bundle.canonical(said), signers)

    def chains(self):
        keys = [self.release, self.second, key('ecdsa.key')]
        first = bundle.canonical(self.signed(1, keys, keys))
        two, three = self.link(2, [self.release]), self.link(3, [self.second], epoch=2)
        body = bundle.canonical(self.signed(2, [self.release], [self.other]))

        def signed_body(text, **parts):
            return bundle.document(text, [self.release], **parts)

        def bad(name, chain, signers=(self.other,), **parts):
            self.bad(name, writer=small(roots=chain), keys=list(signers), **parts)

        small(roots=two + three).save(self.path('good', 'with-roots'), [self.other])
        small(roots=bundle.document(first, []) + two).save(self.path('good', 'with-the-root-that-is-trusted'), [self.other])
        bad('SIGNATURE-roots-revoke-the-signer', two, [self.release])
        bad('SIGNATURE-roots-unsigned', self.link(2, []))
        bad('SIGNATURE-roots-by-a-stranger', self.link(2, [self.other]))
        bad('SIGNATURE-roots-by-the-old-only', self.link(2, [self.release], root=[self.other]))
        bad('SIGNATURE-roots-by-the-new-only', self.link(2, [self.other], root=[self.other]))
        bad('SIGNATURE-roots-by-one-less-of-the-new', self.link(2, [self.release], threshold=2))
        bad('SIGNATURE-roots-changed', two.replace(b'"epoch":1', b'"epoch":2'))
        bad('SIGNATURE-roots-last-link-unsigned', two + self.link(3, []))
        bad('SIGNATURE-roots-signed-as-a-permit', signed_body(body, payload_type=b'application/vnd.gapship.permit+json'))
        bad('FORMAT-roots-of-another-document', signed_body(body, kind=bundle.DOCUMENT_PERMIT))
        bad('FORMAT-roots-document-version-2', signed_body(body, version=2))
        bad('FORMAT-roots-document-type-3', signed_body(body, kind=3))
        bad('FORMAT-roots-not-canonical', signed_body(body.replace(b'"epoch":1', b'"epoch": 1')))
        bad('FORMAT-roots-field-unknown', self.link(2, [self.release], base='x'))
        bad('FORMAT-roots-threshold-zero', self.link(2, [self.release], threshold=0))
        bad('FORMAT-roots-threshold-above-keys', self.link(2, [self.release], threshold=3))
        bad('FORMAT-roots-pem-with-a-comment', signed_body(body.replace(b'-----BEGIN', b'mine\\n-----BEGIN')))
        bad('FORMAT-roots-version-zero', self.link(0, [self.release]))
        bad('FORMAT-roots-version-too-large', self.link(1 << 53, [self.release]))
        bad('FORMAT-roots-gap', three)
        bad('FORMAT-roots-gap-inside', two + self.link(4, [self.release]))
        bad('FORMAT-roots-replayed', two + three + two)
        bad('FORMAT-roots-other-first', self.link(1, [self.release]) + two)
        bad('FORMAT-roots-cut', two[:-1])
        bad('FORMAT-roots-trailing-byte', two + b'\n')
        self.roots_in_the_head(two)

    def roots_in_the_head(self, two):
        """Where envelope, chain and statement do not agree; the chain that is there is good."""
        writer = small(roots=two)
        statement = writer.statement(writer.index())
        entry = writer.signature(statement, self.other)
        for name, length in {'beyond-envelope': 8192, 'too-long': (512 << 10) + 1}.items():
            self.bad('FORMAT-roots-' + name, writer=writer, envelope=writer.envelope(statement, [entry], roots=length))

        def bad(name, writer, said):
            changed = json.loads(writer.statement(writer.index()))
            changed['predicate'].pop('roots', None)
            changed['predicate'].update(said)
            self.bad(name, writer=writer, keys=[self.other if writer.roots else self.release],
                     statement=json.dumps(changed, separators=(',', ':')).encode())

        digest = hashlib.sha256(two).hexdigest()
        bad('FORMAT-roots-not-in-the-statement', small(roots=two), {})
        bad('FORMAT-roots-size-differs', small(roots=two), {'roots': {'sha256': digest, 'size': len(two) - 1}})
        bad('FORMAT-roots-only-in-the-statement', small(), {'roots': {'sha256': digest, 'size': len(two)}})
        bad('FORMAT-roots-of-size-zero', small(), {'roots': {'sha256': digest, 'size': 0}})
        again = self.link(2, [self.release, self.second])
        bad('DIGEST-roots', small(roots=again), {'roots': {'sha256': digest, 'size': len(again)}})

    def root(self, name, threshold):
        keys = [self.release, self.second, key('ecdsa.key')]
        signed = self.signed(1, keys, keys, threshold)
        signed['roles']['release']['threshold'] = threshold
        with open(os.path.join(self.directory, name), 'w', encoding='ascii') as file:
            json.dump({'signed': signed}, file, indent=2)
            file.write('\n')

    # ---- volumes

    def split(self, kind, name, slice_size=4608, blobs=None):
        """The small bundle in volumes; their paths."""
        with tempfile.TemporaryDirectory() as directory:
            whole = os.path.join(directory, 'whole')
            writer = small(blobs)
            writer.save(whole, [self.release])
            digest = hashlib.sha256(writer.statement(writer.index())).digest()
            return volumes.split(whole, slice_size, digest, self.path(kind, name))

    def volumes(self):
        self.split('good', 'volumes')
        self.split('good', 'volumes-one', 1 << 20)
        changes = {
            'magic': (0, b'GSVOLUM2'), 'version-2': (8, b'\2'), 'number-zero': (12, b'\0'), 'number-beyond-count': (12, b'\x63'),
            'count-too-high': (16, b'\x63'), 'count-zero': (16, b'\0'), 'reserved': (20, b'\1'), 'slice-zero': (24, bytes(8)),
            'slice-no-multiple': (24, b'\1'), 'slice-too-large': (28, b'\1'), 'slice-overflow': (24, b'\xff' * 8),
            'total-differs': (32, b'\x80'), 'total-zero': (32, bytes(8)), 'total-overflow': (32, b'\xff' * 8), 'digest-differs': (71, b'\0'),
            'first-zero-byte': (72, b'\1'), 'last-zero-byte': (511, b'\x80'),
        }
        for name, (offset, new) in changes.items():
            self.change(self.split('bad', f'FORMAT-volume-{name}')[1], offset, new)
        for path in self.split('bad', 'FORMAT-volume-digest-of-another-bundle'):
            self.change(path, 40, bytes(32))
        self.split('bad', 'FORMAT-volume-envelope-on-two', 1024)
        other = self.split('bad', 'other', blobs=[b'another bundle'])
        os.replace(other.pop(), self.split('bad', 'FORMAT-volume-stray')[1])
        for path in other:
            os.unlink(path)
        cut = self.split('bad', 'FORMAT-volume-cut')
        os.truncate(cut[1], os.path.getsize(cut[1]) - 1)
        longer = self.split('bad', 'FORMAT-volume-extended')
        os.truncate(longer[-1], os.path.getsize(longer[-1]) + 512)
        damaged = self.split('bad', 'DIGEST-volume-content')
        volume, offset = divmod(small().places[5], 4608)
        self.change(damaged[volume], 512 + offset, b'\xff')

    @staticmethod
    def change(path, offset, new):
        with open(path, 'r+b') as file:
            file.seek(offset)
            file.write(new)

    def all(self):
        self.good()
        self.framing()
        self.threshold()
        self.statements()
        self.indexes()
        self.places()
        self.volumes()
        self.chains()
        self.root('root.json', 1)
        self.root('root-of-two.json', 2)


def make_keys():
    os.makedirs(os.path.join(HERE, 'keys'), exist_ok=True)
    kinds = {'release-1.key': ['ed25519'], 'release-2.key': ['ed25519'], 'stranger.key': ['ed25519'],
             'ecdsa.key': ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256']}
    for name, options in kinds.items():
        path = os.path.join(HERE, 'keys', name)
        if not os.path.exists(path):
            subprocess.run(['openssl', 'genpkey', '-algorithm', *options, '-out', path], check=True, capture_output=True)


def contents(directory):
    found = {}
    for folder in ('good', 'bad', '.'):
        for name in os.listdir(os.path.join(directory, folder)):
            if re.search(r'\.(gapship(\.\d{3})?|json)$', name) and name != 'ecdsa.gapship':
                with open(os.path.join(directory, folder, name), 'rb') as file:
                    found[folder + '/' + name] = hashlib.sha256(file.read()).hexdigest()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--check', action='store_true')
    if parser.parse_args().check:
        with tempfile.TemporaryDirectory() as directory:
            Maker(directory).all()
            wanted, there = contents(directory), contents(HERE)
        for name in sorted(set(wanted) | set(there)):
            if wanted.get(name) != there.get(name):
                print(f'{name} is not what make.py makes', file=sys.stderr)
        sys.exit(wanted != there)
    make_keys()
    for folder in ('good', 'bad'):
        shutil.rmtree(os.path.join(HERE, folder), ignore_errors=True)
    maker = Maker(HERE)
    maker.all()
    maker.ecdsa()


if __name__ == '__main__':
    main()
