"""Changes what is in a bundle and signs it again: what a vendor could send whose key is right and whose content is not."""
import hashlib
import json
import pathlib
import tarfile

import bundle

KIND, NAME = 'io.gapship.kind', 'org.opencontainers.image.ref.name'


def digest_of(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def compact(value):
    return json.dumps(value, separators=(',', ':')).encode()


class Forge:
    """The parts of a finished bundle: statement fields, index (of index.json), blobs by digest."""

    def __init__(self, path):
        data, self.blobs = pathlib.Path(path).read_bytes(), {}
        self.changed = {}  # fields of the statement
        length = int.from_bytes(data[528:532], 'little')
        self.fields = json.loads(data[576:576 + length])['predicate']
        with tarfile.open(path) as tar:
            for member in tar.getmembers():
                content = tar.extractfile(member).read()
                if member.name.startswith('blobs/sha256/'):
                    self.blobs['sha256:' + member.name.rpartition('/')[2]] = content
                elif member.name == 'index.json':
                    self.index = json.loads(content)
                elif member.name == 'manifest.json':
                    self.manifest_json = content

    def add(self, data):
        self.blobs[digest_of(data)] = data
        return digest_of(data)

    def of_kind(self, kind):
        """Descriptors in index.json."""
        return [entry for entry in self.index['manifests'] if entry.get('annotations', {}).get(KIND) == kind]

    def manifest(self, entry):
        return json.loads(self.blobs[entry['digest']])

    def put_manifest(self, entry, manifest):
        """manifest: a document, or the very bytes."""
        data = manifest if isinstance(manifest, bytes) else compact(manifest)
        entry.update(digest=self.add(data), size=len(data))

    def put_layer(self, entry, number, data):
        """Another content of an artifact."""
        manifest = self.manifest(entry)
        manifest['layers'][number].update(digest=self.add(data), size=len(data))
        self.put_manifest(entry, manifest)

    def documents(self):
        """(entry, release, lock) of the release artifact."""
        entry = self.of_kind('release')[0]
        layers = self.manifest(entry)['layers']
        return entry, *(json.loads(self.blobs[layer['digest']]) for layer in layers[:2])

    def put_release(self, release):
        entry = self.of_kind('release')[0]
        self.put_layer(entry, 0, release if isinstance(release, bytes) else compact(release))

    def number(self, sequence):
        """Another sequence, where it is signed and in the release, which must agree."""
        release = self.documents()[1]
        release['metadata']['sequence'] = self.changed['sequence'] = sequence
        self.put_release(release)
        return self

    def put_lock(self, lock):
        self.put_layer(self.of_kind('release')[0], 1, compact(lock))

    def writer(self, *more, **fields):
        """more: further blobs."""
        return bundle.Writer({**self.fields, **self.changed, **fields}, compact(self.index), self.manifest_json, [*self.blobs.values(), *more])

    def save(self, path, private, **fields):
        self.writer(**fields).save(path, [bundle.Key(private, private=True)])
        return pathlib.Path(path)
