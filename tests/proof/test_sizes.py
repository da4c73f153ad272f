"""Sizes at which a number loses its sign or its upper bits: members around 2, 4 and 8 GiB (from which on tar writes a size in binary), in
bundles with holes. Good ones are accepted, and read by tar and skopeo; a changed byte is refused and named by its place."""
import hashlib
import json
import os
import shutil

import bundle
import harness
import large
import measured
from harness import check, equal

GIB = large.GIB
SECONDS = 60  # of processor time for one pass over 8 GiB, on a slow machine; memory has the usual bound


class Bench:
    def __init__(self, w):
        harness.need('tar', 'skopeo', 'openssl')
        self.w = w
        self.public, private = w.key()
        self.key = bundle.Key(private, private=True)
        self.runs = 0

    def gapship(self, *words):
        self.runs += 1
        return measured.run(self.w.command('--output', 'json', *words, '--root', self.public), cwd=self.w.path,
                            env=self.w.environment()).within(seconds=SECONDS)

    def save(self, size, digest):
        path = self.w.path / f'{size}.gapship'
        offset, name = large.save(path, large.Marked(size, digest), self.key)
        allocated = path.stat().st_blocks * 512
        check(allocated < 256 * measured.MIB, f'{path} takes {allocated} bytes: this file system has no holes')
        return path, offset, name

    def accepts(self, path):
        """It holds no release, so it is not complete; but all of it is read and judged, and is what was signed."""
        done = self.gapship('verify', path, '--jobs', '2').expect(status=3, says='entry 0 of index.json has no kind or no name')
        result = next(event['result'] for event in done.events() if 'result' in event)
        equal([result[name]['verdict'] for name in ('integrity', 'authenticity', 'completeness')], ['ok', 'ok', 'fail'], f'{path}')

    def refuses(self, path, member, offset, size, at):
        """With the byte `at` of the member changed."""
        with open(path, 'r+b') as file:
            file.seek(offset + at)
            was = file.read(1)
            file.seek(offset + at)
            file.write(bytes([was[0] ^ 0x10]))
        chunk = at // bundle.CHUNK * bundle.CHUNK
        length = min(bundle.CHUNK, size - chunk)
        self.gapship('verify', path, '--jobs', '2').expect(status=3, says=[
            f'{member} is damaged: the {length} bytes at offset {offset + chunk} of the file', '"code":"DIGEST"'])
        with open(path, 'r+b') as file:
            file.seek(offset + at)
            file.write(was)


def read_by_others(path, name, size):
    listing = harness.run(['tar', '-tvf', path]).expect().out.splitlines()
    equal([line.split()[2] for line in listing if line.endswith(name)], [str(size)], 'size that tar reads')
    equal(listing[-1].endswith(name), True, 'the layer is the last member')
    seen = json.loads(harness.run(['skopeo', '--insecure-policy', 'inspect', f'docker-archive:{path}:large:1']).expect().out)
    equal(seen['Layers'], ['sha256:' + name.rpartition('/')[2]], 'layers that skopeo reads')


def extracts(bench, path, name, size):
    folder = bench.w.path / 'layout'
    bench.gapship('extract', path, '-o', folder).expect()
    equal((folder / name).stat().st_size, size, 'size of what was extracted')
    whole = hashlib.sha256()
    with open(folder / name, 'rb') as file:
        for piece in iter(lambda: file.read(bundle.CHUNK), b''):
            whole.update(piece)
    equal(whole.hexdigest(), name.rpartition('/')[2], 'digest of what was extracted')
    shutil.rmtree(folder)


def around(w, power, *, last, extract=()):
    """power - 1, power, power + 1. last: where the last byte is changed as well, not only the first; extract: which is read out."""
    bench = Bench(w)
    sizes = [power - 1, power, power + 1]
    digests = large.digests(sizes)
    for size in sizes:
        path, offset, name = bench.save(size, digests[size])
        equal(os.stat(path).st_size, bundle.round_up(offset + size) + 1024, 'length of the file')
        bench.accepts(path)
        read_by_others(path, name, size)
        bench.refuses(path, name, offset, size, 0)
        if size in last:
            bench.refuses(path, name, offset, size, size - 1)
        if size in extract:
            extracts(bench, path, name, size)
        path.unlink()
    print(f'     {len(sizes)} sizes, {bench.runs} runs')


def test_around_2_gib(w):
    around(w, 2 * GIB, last=[2 * GIB - 1, 2 * GIB + 1])


def test_around_4_gib(w):
    around(w, 4 * GIB, last=[4 * GIB + 1], extract=[4 * GIB + 1])


def test_around_8_gib(w):
    around(w, 8 * GIB, last=[8 * GIB + 1])


def test_a_changed_byte_in_each_half(w):
    """Of a layer of more than 4 GiB: where a count of 31 or 32 bits comes to its end."""
    bench = Bench(w)
    size = 4 * GIB + 3 * bundle.CHUNK
    path, offset, name = bench.save(size, large.digests([size])[size])
    places = [0, 2 * GIB, 4 * GIB - offset, size - 1]  # of the layer, but the third is byte 2^32 of the file
    for at in places:
        bench.refuses(path, name, offset, size, at)
    for length in (2 * GIB, 4 * GIB):  # cut there
        os.truncate(path, length)
        bench.gapship('verify', path).expect(status=3, says=[f'the file has {length} bytes', '"code":"FORMAT"'])
    print(f'     {len(places)} places, {bench.runs} runs')


harness.main()
