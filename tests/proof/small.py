"""A small signed bundle with one of each kind of content (image, chart, overlay, migration), and the site it is meant for: a store, a
registry, a GitOps repository, and everything that gapship could write to."""
import hashlib

import measured
import shop

CHART = {
    'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.1.0\n',
    'values.yaml': 'image: HOST/shop/app:VERSION\n',
    'templates/web.yaml': '''\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "{{ .Values.image }}"}
''',
}
OVERLAY = {
    'base/deployment.yaml': shop.DEPLOYMENT.replace('      - {name: worker, image: shop/worker}\n', '').replace('shop/backend', 'shop/app'),
    'base/kustomization.yaml': 'resources: [deployment.yaml]\n',
    'overlays/prod/kustomization.yaml': '''\
resources: [../../base]
images:
- {name: shop/app, newName: HOST/shop/app, newTag: "VERSION"}
''',
}


def release(host, version, sequence):
    return {
        'apiVersion': 'gapship/v1', 'kind': 'Release', 'metadata': {'name': 'shop', 'version': version, 'sequence': sequence},
        'images': [{'from': f'{host}/shop/app:{version}', 'as': 'shop/app'}],
        'charts': [{'name': 'web', 'from': 'chart'}],
        'overlays': [{'name': 'deploy', 'from': 'deploy'}],
        'environments': [{
            'name': 'prod',
            'units': [{'name': 'web', 'source': {'chart': 'web', 'imageValues': {'image': 'shop/app'}},
                       'target': {'kind': 'helm', 'release': 'web', 'namespace': 'shop'}},
                      {'name': 'shop', 'source': {'overlay': 'deploy', 'path': 'overlays/prod'}, 'target': {'kind': 'gitops'}}],
            'migrations': [{'name': 'main', 'image': 'shop/app', 'command': ['/migrate']}],
        }],
    }


class Small:
    """Builds bundles, and has a site that trusts them."""

    def __init__(self, w):
        self.w, self.source, self.registry, self.git = w, w.registry(), w.registry(), w.git()
        self.key_pairs = [w.key('one'), w.key('two')]
        url = self.git.create('deploy', branches=('main',))
        self.root = w.path / 'root.json'
        self.tmp = w.path / 'tmp'
        self.tmp.mkdir()
        w.write('kubeconfig', {'apiVersion': 'v1', 'kind': 'Config'}, mode=0o600)
        self.site_options = {'registry': {'url': self.registry.url, 'prefix': 'platform'}, 'git': {'site': {'url': url}},
                             'environments': {'prod': {'kubeconfig': '../kubeconfig'}}}

    def trust(self, root):
        """A root document, and the site that has it."""
        self.w.write('root.json', root)
        self.site = self.w.site(self.root, self.site_options)

    def build(self, version, sequence, *words):
        """A bundle with two signatures. Returns its path."""
        w, host = self.w, self.source.host
        content = {'migrate': b'#!/bin/true\n', 'version': version.encode()}
        w.image(self.source, f'shop/app:{version}', busybox=None, content=content, command=['/bin/app'])
        for folder, files in (('chart', CHART), ('deploy', OVERLAY)):
            for name, text in files.items():
                w.write(f'product/{folder}/{name}', text.replace('HOST', host).replace('VERSION', version))
        w.write('product/release.yaml', release(host, version, sequence))
        bundle = w.path / f'{version}.gapship'
        keys = [word for _, private in self.key_pairs for word in ('--key', private)]
        w.gapship('build', '-o', bundle, *keys, *words, cwd='product')
        return bundle

    def command(self, *words):
        """gapship in the site's folder, as an operator runs it; its result, whatever its status."""
        return measured.run(self.w.command('--output', 'json', *words), cwd=self.site, env=self.w.environment({'TMPDIR': str(self.tmp)}))

    def rows(self):
        return [row['kind'] for row in self.command('history', '--audit').expect().result()['rows']]

    def tree(self):
        """Name -> digest of everything that gapship could write to, but for the ledger, which has rows, and the lock, in which a run
        writes who it is."""
        found = {}
        for folder in (self.site, self.registry.folder / 'data', self.git.folder, self.tmp, self.w.home):
            for path in sorted(folder.rglob('*')):
                if not path.name.startswith('ledger.sqlite') and path != self.site / 'store/lock':
                    found[str(path)] = path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest()
        return found

