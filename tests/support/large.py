"""Bundles of many gigabytes that take no room: one layer, zeros but for marks where an offset that lost its upper bits would show, written
as a file with holes by the independent writer."""
import hashlib
import json

import bundle

GIB = 1 << 30
FIELDS = {'product': 'large', 'version': '1.0.0', 'epoch': 1, 'sequence': 1, 'securityFloor': 0, 'issuedAt': '2025-11-21T13:55:00Z'}
# Astride of the powers of two, and a chunk later: in a chunk that lies elsewhere once an offset was cut to 31, 32 or 33 bits.
MARKS = sorted(at + more for at in (0, 2 * GIB, 4 * GIB, 8 * GIB) for more in (-8, bundle.CHUNK + 5) if at + more > 0) + [16 * GIB]
LAST = b'\xff'


def mark(at):
    return b'%016x' % at


class Marked(bundle.Zeros):
    """`size` bytes: zeros, marks, and a last byte of its own. The marks before the end are the same in every size."""

    def __init__(self, size, digest=None):
        super().__init__(size, digest=digest)

    def pieces(self):
        for at in range(0, self.size, bundle.CHUNK):
            length = min(bundle.CHUNK, self.size - at)
            touching = [m for m in (0, *MARKS) if m < at + length and m + 16 > at]
            if length == bundle.CHUNK and not touching and at + length < self.size:
                yield at, bundle.ZEROS
                continue
            piece = bytearray(length)
            for m in touching:
                for i, byte in enumerate(mark(m)):
                    if at <= m + i < at + length:
                        piece[m + i - at] = byte
            if at + length == self.size:
                piece[-1:] = LAST
            yield at, bytes(piece)


def digests(sizes):
    """size -> digest of Marked(size), in one pass: they differ in their last chunk alone."""
    found, whole = {}, hashlib.sha256()
    ends = {(size - 1) // bundle.CHUNK * bundle.CHUNK: size for size in sizes}
    if len(ends) < len(sizes):  # two of them end in one chunk
        return {**digests(sizes[:1]), **digests(sizes[1:])}
    for at, piece in Marked(max(sizes) + bundle.CHUNK).pieces():
        if at in ends:
            last = whole.copy()
            last.update(list(Marked(ends[at]).pieces())[-1][1])
            found[ends[at]] = last.digest()
        whole.update(piece)
        if len(found) == len(sizes):
            break
    return found


def descriptor(media_type, data):
    return {'mediaType': media_type, 'digest': 'sha256:' + hashlib.sha256(data).hexdigest(), 'size': len(data)}


def save(path, layer, key):
    """The bundle of an image large:1 with this one layer. Returns (offset of the layer, its name)."""
    digest = 'sha256:' + layer.digest.hex()
    config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {},
                         'rootfs': {'type': 'layers', 'diff_ids': [digest]}}).encode()
    of = 'application/vnd.oci.image.'
    manifest = json.dumps({
        'schemaVersion': 2, 'mediaType': of + 'manifest.v1+json', 'config': descriptor(of + 'config.v1+json', config),
        'layers': [{'mediaType': of + 'layer.v1.tar', 'digest': digest, 'size': len(layer)}]}).encode()
    index = {**descriptor(of + 'manifest.v1+json', manifest), 'annotations': {'org.opencontainers.image.ref.name': 'large:1'}}
    name = 'blobs/sha256/' + layer.digest.hex()
    table = [{'Config': 'blobs/sha256/' + hashlib.sha256(config).hexdigest(), 'RepoTags': ['large:1'], 'Layers': [name]}]
    writer = bundle.Writer(FIELDS, json.dumps({'schemaVersion': 2, 'manifests': [index]}).encode(), json.dumps(table).encode(),
                           [config, manifest, layer])
    writer.save(path, [key])
    return writer.places[-1], name
