"""A small product for the tests of the build side: images, a directory of manifests that runs them, one environment."""
import hashlib
import json
import pathlib
import tarfile


def deployment(*images, name='app'):
    containers = [{'name': f'c{i}', 'image': image} for i, image in enumerate(images)]
    return {'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': name},
            'spec': {'selector': {'matchLabels': {'app': name}},
                     'template': {'metadata': {'labels': {'app': name}}, 'spec': {'containers': containers}}}}


def unit(source, target=None, name='app'):
    return {'name': name, 'source': source, 'target': target or {'kind': 'kubectl', 'namespace': 'app'}}


class Product:
    """images: entries of release.yaml, or the text of their `from`; runs: what the one environment runs; more: keys of release.yaml."""

    def __init__(self, w, images=(), runs=(), folder='product', **more):
        self.w, self.folder = w, folder
        self.images = [{'from': image} if isinstance(image, str) else image for image in images]
        self.release = {'apiVersion': 'gapship/v1', 'kind': 'Release', 'metadata': {'name': 'shop', 'version': '1.0.0', 'sequence': 1},
                        'images': self.images, 'environments': [{'name': 'prod', 'units': [unit({'manifests': 'k8s'})]}], **more}
        self.path = pathlib.Path(w.path, folder)
        self.bundle = self.path / 'shop-1.0.0.gapship'
        self.run(*runs)
        self.save()

    def save(self, **more):
        self.release.update(more)
        self.w.write(f'{self.folder}/release.yaml', self.release)

    def run(self, *images):
        self.w.write(f'{self.folder}/k8s/app.yaml', deployment(*images))

    def write(self, name, text):
        return self.w.write(f'{self.folder}/{name}', text)

    def __call__(self, *words, **options):
        """gapship in the product's folder."""
        return self.w.gapship(*words, cwd=self.folder, **options)

    def build(self, *words, **options):
        """An unsigned bundle; the result that gapship gives as JSON."""
        return self('--output', 'json', 'build', '--unsigned', *words, **options).result()

    def lock(self):
        return json.loads((self.path / 'release.lock').read_text())

    def locked(self):
        """as -> image of the lock."""
        return {image['as']: image for image in self.lock()['images']}

    def blobs(self):
        """digest -> bytes of what the bundle holds, read by tar, each proved to be what its name says."""
        found = {}
        with tarfile.open(self.bundle) as tar:
            for member in tar.getmembers():
                if member.name.startswith('blobs/sha256/'):
                    data = tar.extractfile(member).read()
                    digest = 'sha256:' + hashlib.sha256(data).hexdigest()
                    if digest != 'sha256:' + member.name.rpartition('/')[2]:
                        raise AssertionError(f'{member.name} holds {digest}')
                    found[digest] = data
        return found

    def document(self, name='index.json'):
        with tarfile.open(self.bundle) as tar:
            return json.loads(tar.extractfile(name).read())
