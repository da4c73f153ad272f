"""gapship's reader and writer against the independent ones of tests/support/bundle.py: each reads what the other wrote, both write the
same bytes, and the stock tools that FORMAT.md names agree. usage: test_independent.py BUNDLE_TOOL"""
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import bundle
import volumes

TOOL = sys.argv.pop(1)
CHUNK = bundle.CHUNK
FIELDS = {
    'product': 'demo-x.y_z', 'version': '1.2.3+build~1', 'epoch': 1, 'sequence': 42, 'securityFloor': 40,
    'issuedAt': '2025-11-21T13:55:00Z', 'upgradesFrom': '>=1.1.0 <2, =1.5',
}
KEYS = {
    'ed25519': ['-algorithm', 'ed25519'],
    'ecdsa-p256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    'ecdsa-p384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
    'rsa-pss': ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:3072'],
    'rsa': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'],
}


def noise(size, seed=0):
    return hashlib.shake_128(b'%d' % seed).digest(size)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.directory = cls.temporary.name
        for name, options in KEYS.items():
            key = cls.path(name)
            subprocess.run(['openssl', 'genpkey', *options, '-out', key], check=True, capture_output=True)
            subprocess.run(['openssl', 'pkey', '-in', key, '-pubout', '-out', key + '.pub'], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.directory, name)

    def put(self, name, data):
        with open(self.path(name), 'wb') as file:
            file.write(data)
        return self.path(name)

    def get(self, name):
        with open(self.path(name), 'rb') as file:
            return file.read()

    def plan(self, sizes, fields=None, **more):
        """The same content for both writers."""
        index, manifest = noise(1000), noise(17)
        blobs = [noise(size, 1 + i) for i, size in enumerate(sizes)]
        names = [self.put(f'blob{i}', blob) for i, blob in enumerate(blobs)]
        plan = {'statement': fields or FIELDS, 'index': self.put('i', index), 'manifest': self.put('m', manifest), 'blobs': names, **more}
        self.put('plan.json', json.dumps(plan).encode())
        return bundle.Writer(fields or FIELDS, index, manifest, blobs)

    def tool(self, *arguments, expected=0):
        done = subprocess.run([TOOL, *arguments], capture_output=True, check=False, text=True)
        self.assertEqual(done.returncode, expected, done.stderr)
        return done.stdout if expected == 0 else done.stderr

    def write_with_tool(self, output, *keys):
        self.tool('write', self.path('plan.json'), self.path(output), *[self.path(k) for k in keys])

    def assert_agree(self, name, key):
        """Both read the file and see the same."""
        ours = json.loads(self.tool('read', self.path(name), self.path(key + '.pub')))
        with bundle.Reader(self.path(name), bundle.Trust([bundle.Key(self.path(key + '.pub'))])) as theirs:
            theirs.check()
        self.assertTrue(ours['authentic'] and theirs.authentic)
        self.assertEqual(ours['digest'], theirs.digest)
        self.assertEqual(ours['statement'], theirs.predicate)
        self.assertEqual([s['keyId'] for s in ours['signatures']], [s[1] for s in theirs.signatures])
        members = [{'name': m.name, 'size': m.size, 'offset': m.offset} for m in theirs.members]
        self.assertEqual(ours['members'], members)


class BothWays(Case):
    SIZES = ([], [0], [1], [511, 512, 513], [CHUNK - 1], [CHUNK], [CHUNK + 1], [2 * CHUNK, 0, 3, 2 * CHUNK + 1, CHUNK - 512])

    def test_same_bytes(self):
        for sizes in self.SIZES:
            with self.subTest(sizes=sizes):
                self.plan(sizes).save(self.path('theirs'), [bundle.Key(self.path('ed25519'), private=True)])
                self.write_with_tool('ours', 'ed25519')
                self.assertEqual(self.get('ours'), self.get('theirs'))
                self.assert_agree('ours', 'ed25519')

    def test_same_bytes_for_every_statement(self):
        limits = {'epoch': 2**53 - 1, 'sequence': 2**53 - 1, 'securityFloor': 2**53 - 1}
        for change in ({'epoch': 0, 'sequence': 0, 'securityFloor': 0}, limits, {'issuedAt': '1970-01-01T00:00:00Z'},
                       {'issuedAt': '9999-12-31T23:59:59Z'}, {'product': 'a', 'version': '0'}, {'freshUntil': '2026-02-19T13:55:00Z'},
                       {'freshUntil': '2025-11-21T13:55:00Z'}, {'freshUntil': '9999-12-31T23:59:59Z'},
                       {'product': 'a' * 63, 'version': 'v' * 128, 'upgradesFrom': '>=' + '1' * 120}):
            fields = {**FIELDS, **change}
            with self.subTest(change=change):
                self.plan([5], fields).save(self.path('theirs'), [bundle.Key(self.path('ed25519'), private=True)])
                self.write_with_tool('ours', 'ed25519')
                self.assertEqual(self.get('ours'), self.get('theirs'))
                self.assert_agree('ours', 'ed25519')
        fields = {name: value for name, value in FIELDS.items() if name != 'upgradesFrom'}
        self.plan([5], fields).save(self.path('theirs'), [bundle.Key(self.path('ed25519'), private=True)])
        self.write_with_tool('ours', 'ed25519')
        self.assertEqual(self.get('ours'), self.get('theirs'))

    def test_same_bytes_with_a_chain_of_roots(self):
        key = bundle.Key(self.path('ed25519'), private=True)
        pem = bundle.Key(self.path('ed25519.pub')).pem()
        role = {'keys': [key.id], 'threshold': 1}
        chain = b''.join(bundle.document(bundle.canonical({
            'type': 'gapship-root', 'version': version, 'epoch': version, 'keys': [{'id': key.id, 'type': 'ed25519', 'pem': pem}],
            'roles': {'root': role, 'release': role}}), [key]) for version in (2, 3, 4))
        writer = self.plan([100, CHUNK + 1], roots=self.put('chain', chain))
        writer.roots = chain
        writer.lay_out()
        writer.save(self.path('theirs'), [key])
        self.write_with_tool('ours', 'ed25519')
        self.assertEqual(self.get('ours'), self.get('theirs'))
        self.assert_agree('ours', 'ed25519')

    def test_each_type_of_key(self):
        for key in KEYS:
            with self.subTest(key=key):
                self.plan([100, 200]).save(self.path('theirs'), [bundle.Key(self.path(key), private=True)])
                self.assert_agree('theirs', key)
                self.write_with_tool('ours', key)
                self.assert_agree('ours', key)

    def test_several_signatures(self):
        self.plan([100])
        self.write_with_tool('ours', *KEYS)
        for key in KEYS:
            self.assert_agree('ours', key)

    def test_an_unknown_scheme_does_not_count_and_does_not_harm(self):
        writer = self.plan([100])
        key, other = bundle.Key(self.path('ed25519'), private=True), bundle.Key(self.path('rsa'), private=True)
        statement = writer.statement(writer.index())
        strange = writer.signature(statement, other, scheme=7)
        writer.save(self.path('theirs'), envelope=writer.envelope(statement, [strange, writer.signature(statement, key)]))
        self.assert_agree('theirs', 'ed25519')
        self.assertIn('SIGNATURE', self.tool('read', self.path('theirs'), self.path('rsa.pub'), expected=3))

    def test_a_signature_added_by_openssl(self):
        writer = self.plan([100])
        self.write_with_tool('ours', 'ed25519')
        statement = writer.statement(writer.index())
        key = bundle.Key(self.path('ecdsa-p256'), private=True)
        signature = self.put('statement.sig', key.sign(bundle.pae(statement)))
        self.tool('sign', self.path('ours'), self.path('ecdsa-p256.pub'), signature)
        self.assert_agree('ours', 'ecdsa-p256')
        self.assert_agree('ours', 'ed25519')
        self.assertIn('EXISTS', self.tool('sign', self.path('ours'), self.path('ecdsa-p256.pub'), signature, expected=2))


class Volumes(Case):
    def saved(self, sizes, volume_size):
        """Both writers' volumes of the same content."""
        writer = self.plan(sizes, volumeSize=volume_size)
        self.write_with_tool('ours', 'ed25519')
        writer.save(self.path('theirs'), [bundle.Key(self.path('ed25519'), private=True)])
        digest = hashlib.sha256(writer.statement(writer.index())).digest()
        paths = volumes.split(self.path('theirs'), volume_size // 512 * 512 - 512, digest)
        return [os.path.basename(path) for path in paths]

    def drop(self):
        for name in os.listdir(self.directory):
            if re.fullmatch(r'(ours|theirs)\.\d{3}', name):
                os.unlink(self.path(name))

    def test_same_bytes(self):
        # Borders within the index, headers, padding, chunks; one volume alone; a last one of 512 bytes.
        total = self.plan([CHUNK + 3, 0, 3000, 70000]).total
        sizes = [20480, 20481, 32768, (1 << 20) + 777, CHUNK, total + 512, total, 1 << 40]
        for volume_size in sizes:
            with self.subTest(volume_size=volume_size):
                names = self.saved([CHUNK + 3, 0, 3000, 70000], volume_size)
                for name in names:
                    self.assertEqual(self.get(name.replace('theirs', 'ours')), self.get(name), name)
                    self.assertLessEqual(len(self.get(name)), volume_size)
                self.assertFalse(os.path.exists(self.path(f'ours.{len(names) + 1:03}')))
                for first in (names[0], names[-1], names[len(names) // 2]):
                    self.assert_agree(first, 'ed25519')
                self.assertEqual(b''.join(self.get(name)[512:] for name in names), self.get('theirs'))
                self.drop()

    def test_many(self):
        names = self.saved([999 * 20000 - 60000], 20480)
        self.assertGreater(len(names), 990)
        for name in names:
            self.assertEqual(self.get(name.replace('theirs', 'ours')), self.get(name), name)
        self.assert_agree(names[-1].replace('theirs', 'ours'), 'ed25519')
        self.drop()
        self.plan([1000 * 20000], volumeSize=20480)
        error = self.tool('write', self.path('plan.json'), self.path('ours'), self.path('ed25519'), expected=2)
        self.assertRegex(error, r'LIMIT: the bundle of 20\.0 MB would become 10\d\d volumes, and 999 are the most')
        self.plan([1000], volumeSize=16384)
        error = self.tool('write', self.path('plan.json'), self.path('ours'), self.path('ed25519'), expected=2)
        self.assertIn('volumes of 16384 bytes are too small', error)

    def test_a_signature_added(self):
        names = self.saved([100, 70000], 32768)
        writer = self.plan([100, 70000])
        statement = writer.statement(writer.index())
        signature = self.put('statement.sig', bundle.Key(self.path('ecdsa-p256'), private=True).sign(bundle.pae(statement)))
        others = [self.get(name) for name in names[1:]]
        error = self.tool('sign', self.path(names[1]), self.path('ecdsa-p256.pub'), signature, expected=3)
        self.assertIn('this is volume 2 of 3, and signatures are in volume 1', error)
        self.tool('sign', self.path(names[0]), self.path('ecdsa-p256.pub'), signature)
        self.assertEqual([self.get(name) for name in names[1:]], others)
        self.assert_agree(names[0], 'ecdsa-p256')
        self.assert_agree(names[2], 'ed25519')
        self.drop()

    def test_beyond_four_gigabytes(self):
        # Sparse volumes: the second lies across 4 GiB of the bundle, the third is itself longer than that.
        for slice_size in ((3 << 30) + 512, (4 << 30) + 1024):
            writer = bundle.Writer(FIELDS, noise(10), noise(10), [bundle.Zeros(slice_size * 5 // 2, b'the end', digest=noise(32)), b'after'])
            writer.save(self.path('theirs'), [bundle.Key(self.path('ed25519'), private=True)])
            paths = volumes.split(self.path('theirs'), slice_size, hashlib.sha256(writer.statement(writer.index())).digest())
            os.unlink(self.path('theirs'))
            self.assertEqual([os.path.getsize(path) for path in paths[:2]], [slice_size + 512] * 2)
            ours = json.loads(self.tool('read', paths[2], self.path('ed25519.pub'), '--head'))
            with bundle.Reader(paths[0], bundle.Trust([bundle.Key(self.path('ed25519.pub'))])) as theirs:
                self.assertEqual([m['offset'] for m in ours['members']], [m.offset for m in theirs.members])
                self.assertEqual(theirs.read(theirs.members[4]), b'after')
            place = writer.places[4] - 512
            with open(paths[2], 'r+b') as file:
                file.seek(512 + place - 2 * slice_size)
                file.write(b'B')
            error = self.tool('read', paths[0], self.path('ed25519.pub'), '--head', expected=3)
            self.assertIn(f'FORMAT: the byte at offset {place} of the bundle, on volume 3 of 3 (theirs.003), is not what', error)
            self.drop()


class Large(Case):
    """Sparse files: sizes around the limits of 31, 32 and 33 bits, and a header that needs base-256."""

    def large(self, name, *blobs):
        writer = bundle.Writer(FIELDS, noise(10), noise(10), list(blobs))
        writer.save(self.path(name), [bundle.Key(self.path('ed25519'), private=True)])
        return writer

    def test_content_beyond_two_and_four_gigabytes(self):
        # The digest of the whole is only asserted for long members, so it need not be that of so many zeros.
        writer = self.large('large', bundle.Zeros((1 << 31) - 1, digest=noise(32, 1)),
                            bundle.Zeros((1 << 31) + 1, b'the end', digest=noise(32, 2)))
        ours = json.loads(self.tool('read', self.path('large'), self.path('ed25519.pub')))
        self.assertEqual(ours['members'][4]['size'], (1 << 31) + 8)
        last_chunk = writer.places[4] + (1 << 31)
        with open(self.path('large'), 'r+b') as file:
            file.seek(last_chunk + 7)
            file.write(b'D')
        error = self.tool('read', self.path('large'), self.path('ed25519.pub'), expected=3)
        self.assertRegex(error, rf'DIGEST: blobs/sha256/[0-9a-f]{{64}} is damaged: the 8 bytes at offset {last_chunk} ')
        os.unlink(self.path('large'))

    def test_heads_at_the_limits(self):
        for size in (1 << 31, (1 << 32) - 1, 1 << 32, (1 << 32) + 1, (1 << 33) - 1, 1 << 33, (1 << 33) + 1, 100 << 30):
            with self.subTest(size=size):
                self.large('large', bundle.Zeros(size, digest=noise(32)), b'after')
                ours = json.loads(self.tool('read', self.path('large'), self.path('ed25519.pub'), '--head'))
                with bundle.Reader(self.path('large'), bundle.Trust([bundle.Key(self.path('ed25519.pub'))])) as theirs:
                    self.assertEqual([m['offset'] for m in ours['members']], [m.offset for m in theirs.members])
                    self.assertEqual(theirs.read(theirs.members[4]), b'after')
        os.unlink(self.path('large'))


class Vectors(Case):
    """bundle-spec/vectors: both readers give the verdict that the file's name says."""

    VECTORS = 'bundle-spec/vectors'

    def names(self, kind):
        """Of whole bundles, and of first volumes."""
        return sorted(name for name in os.listdir(f'{self.VECTORS}/{kind}') if re.search(r'\.gapship(\.001)?$', name))

    def root_of(self, name):
        return os.path.join(self.VECTORS, 'root-of-two.json' if name.endswith('of-two.gapship') else 'root.json')

    def trust_of(self, name):
        return bundle.Trust.from_root(self.root_of(name), self.directory)

    def test_good_ones(self):
        names = self.names('good')
        self.assertGreater(len(names), 8)
        for name in names:
            with self.subTest(name=name):
                path, unsigned = f'{self.VECTORS}/good/{name}', name == 'unsigned.gapship'
                with bundle.Reader(path, self.trust_of(name), allow_unsigned=unsigned) as theirs:
                    theirs.check()
                    self.assertEqual(theirs.authentic, not unsigned)
                out = self.tool('read', path, self.root_of(name), '--allow-unsigned')
                self.assertEqual(json.loads(out)['digest'], theirs.digest)
                self.assertEqual(json.loads(out)['authentic'], not unsigned)

    def test_bad_ones(self):
        names = self.names('bad')
        self.assertGreater(len(names), 100)
        for name in names:
            with self.subTest(name=name):
                path, expected = f'{self.VECTORS}/bad/{name}', name.split('-')[0]
                with self.assertRaises(bundle.Refused) as raised:
                    with bundle.Reader(path, self.trust_of(name)) as theirs:
                        theirs.check()
                self.assertEqual(raised.exception.code, expected)
                self.assertRegex(self.tool('read', path, self.root_of(name), expected=3), f'^{expected}: ')

    def test_they_are_what_their_maker_makes(self):
        done = subprocess.run([sys.executable, self.VECTORS + '/make.py', '--check'], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


class StockTools(Case):
    def shell(self, script):
        done = subprocess.run(['bash', '-eu', '-c', script], cwd=self.directory, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def commands(self):
        """The commands of FORMAT.md section 10, as they stand there: a list, and those with a label."""
        with open('bundle-spec/FORMAT.md', encoding='utf-8') as file:
            section = file.read().split('## 10. ')[1].split('\n## ')[0]
        blocks = re.findall(r'^```sh ?([^\n]*)\n(.*?)^```', section, re.M | re.S)
        return [text for label, text in blocks if not label], {label: text for label, text in blocks if label}

    def test_the_documented_commands(self):
        writer = self.plan([100, CHUNK + 3])
        (unpack, signature, content), by_key = self.commands()
        for key in ('ecdsa-p256', 'ecdsa-p384', 'ed25519', 'rsa-pss', 'rsa'):
            with self.subTest(key=key):
                self.write_with_tool('F', key)
                verify = by_key['rsa-pss' if key == 'rsa' else key]
                self.shell(f'cp {key}.pub key.pub\n{unpack}\n{signature}\n{verify}')
                self.assertEqual(self.get('statement.json'), writer.statement(writer.index()))
        predicate = json.loads(self.get('statement.json'))['predicate']
        out = self.shell(f'rm -rf layout; {content}')
        self.assertIn(predicate['index']['sha256'], out)
        self.assertIn(predicate['layout']['sha256'], out)
        self.assertNotIn('FAILED', out)
        self.assertEqual(sorted(os.listdir(self.path('layout'))), ['blobs', 'gapship', 'index.json', 'manifest.json', 'oci-layout'])

    def test_headers_are_those_of_gnu_tar(self):
        for name, size in (('gapship/envelope', 17408), ('index.json', 0), ('blobs/sha256/' + 'ab' * 32, 8589934591)):
            os.makedirs(os.path.dirname(self.path(name)) or '.', exist_ok=True)
            with open(self.path(name), 'wb') as file:
                file.truncate(size)
            made = self.shell(f'tar --format=ustar --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=0644 -cf - {name} | head -c 512 | base64 -w0')
            self.assertEqual(base64.b64decode(made), bundle.tar_header(name, size))


if __name__ == '__main__':
    unittest.main(verbosity=2)
