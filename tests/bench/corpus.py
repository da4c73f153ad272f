"""What the benchmark carries: images whose layers are tars of this machine's own files, gzipped, as OCI layouts.

The same files give the same digests. Where a machine has too few files the rest of a layer is noise from a fixed seed.
"""
import gzip
import hashlib
import json
import os
import pathlib
import random
import tarfile

import mkimage

# Layers in MB (10^6 bytes of gzip): a base that all images share, then what is each image's own. 742 MB in all.
BASE = 46
OWN = {'java': [190], 'node': [112, 14], 'python': [96, 9], 'database': [88], 'proxy': [24, 3], 'cache': [19], 'worker': [61, 22],
       'frontend': [41, 12, 5]}
ROOTS = ('/usr/lib', '/usr/bin', '/usr/share', '/opt')
LEVEL = 1  # of gzip: the corpus is made once, and its sizes are what matters


def machine_files():
    """Every readable file of the machine's software, in a fixed order, each content once."""
    seen = set()
    for root in ROOTS:
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                path = pathlib.Path(folder, name)
                try:
                    state = path.lstat()
                except OSError:
                    continue
                if path.is_symlink() or not path.is_file() or not 0 < state.st_size <= 64 << 20 or (state.st_dev, state.st_ino) in seen:
                    continue
                seen.add((state.st_dev, state.st_ino))
                yield path


class Hashing:
    """A file that is hashed as it is written."""

    def __init__(self, path):
        self.file, self.hash, self.size = open(path, 'wb'), hashlib.sha256(), 0

    def write(self, data):
        self.file.write(data)
        self.hash.update(data)
        self.size += len(data)
        return len(data)

    def flush(self):
        self.file.flush()


class Layers:
    """Makes layers one after the other, each with files that no other one has."""

    def __init__(self, layout):
        self.blobs = pathlib.Path(layout, 'blobs', 'sha256')
        self.blobs.mkdir(parents=True)
        self.files, self.noise, self.count = machine_files(), random.Random(1), 0

    def make(self, size):
        """(descriptor, digest of the raw tar) of a layer with about so many bytes of gzip."""
        raw, part = hashlib.sha256(), self.blobs / 'part'
        out = Hashing(part)
        with gzip.GzipFile(fileobj=out, mode='wb', compresslevel=LEVEL, mtime=0, filename='') as packed:

            class Raw:
                @staticmethod
                def write(data):
                    raw.update(data)
                    return packed.write(data)

            with tarfile.open(fileobj=Raw, mode='w|', bufsize=1 << 20) as tar:
                while out.size < size:
                    self.add(tar, size - out.size)
        out.file.close()
        digest = out.hash.hexdigest()
        part.rename(self.blobs / digest)
        return {'mediaType': 'application/vnd.oci.image.layer.v1.tar+gzip', 'digest': 'sha256:' + digest, 'size': out.size}, raw.hexdigest()

    def add(self, tar, room):
        path = next(self.files, None)
        self.count += 1
        entry = tarfile.TarInfo(str(path).lstrip('/') if path else f'noise/{self.count}')
        if path and path.stat().st_size <= 4 * room:
            entry.size = path.stat().st_size
            with open(path, 'rb') as file:
                tar.addfile(entry, file)
        else:
            data = self.noise.randbytes(min(room, 8 << 20))
            entry.size = len(data)
            tar.addfile(entry, mkimage.io.BytesIO(data))


def image(layout, tag, layers):
    """An image of layers that are in the layout; returns the digest of its manifest."""
    config = {'architecture': mkimage.MACHINE, 'os': 'linux', 'config': {'Labels': {'image': tag}},
              'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + raw for _, raw in layers]}}
    manifest = mkimage.blob(layout, mkimage.dump({
        'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
        'config': mkimage.blob(layout, mkimage.dump(config), 'application/vnd.oci.image.config.v1+json'),
        'layers': [descriptor for descriptor, _ in layers],
    }), 'application/vnd.oci.image.manifest.v1+json')
    mkimage.add_to_index(layout, dict(manifest, platform={'architecture': mkimage.MACHINE, 'os': 'linux'}), tag)
    return manifest['digest']


def make(layout, scale):
    """The eight images, their layers scaled; a table of tags and digests."""
    layers = Layers(layout)
    base = layers.make(int(BASE * scale * 1e6))
    made = {}
    for tag, sizes in OWN.items():
        made[tag] = image(layout, tag, [base] + [layers.make(int(size * scale * 1e6)) for size in sizes])
    pathlib.Path(layout, 'made.json').write_text(json.dumps(made))
    return made


def single(layout, tag, size):
    """An image of one layer of noise, which no encoder makes smaller."""
    layers, noise = Layers(layout), random.Random(2)
    part, out = layers.blobs / 'part', None
    out = Hashing(part)
    while out.size < size:
        out.write(noise.randbytes(min(8 << 20, size - out.size)))
    out.file.close()
    digest = out.hash.hexdigest()
    part.rename(layers.blobs / digest)
    descriptor = {'mediaType': 'application/vnd.oci.image.layer.v1.tar', 'digest': 'sha256:' + digest, 'size': out.size}
    return image(layout, tag, [(descriptor, digest)])
