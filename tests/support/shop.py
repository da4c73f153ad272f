"""A product for the tests of the site side: two images that share a layer, one overlay, staging before production, health by HTTP.

What answers for the application is a server that looks into the GitOps repository as Argo CD would: what is committed there is what
runs. So a verification passes only when the right version really arrived.
"""
import json
import os
import re
import subprocess

import servers

ENVIRONMENTS = ('staging', 'production')

DEPLOYMENT = '''\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - {name: backend, image: shop/backend}
      - {name: worker, image: shop/worker}
'''

KUSTOMIZATION = '''\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: shop-%(environment)s
resources: [../../base]
images:
- name: shop/backend
  newName: %(host)s/shop/backend
  newTag: "%(version)s"  # set by the release
- name: shop/worker
  newName: %(host)s/shop/worker
  newTag: "%(version)s"
'''


class Application(servers.Answers):
    """GET /ENVIRONMENT answers what the repository says runs there; `broken` environments answer 503."""

    def __init__(self, git):
        super().__init__(self.answer)
        self.git, self.broken = git, set()

    def answer(self, environment):
        version = self.version(environment)
        status = 503 if version is None or environment in self.broken else 200
        return status, json.dumps({'status': 'ok' if status == 200 else 'unavailable', 'version': version}).encode()

    def version(self, environment):
        try:
            text = self.git.show('deploy', f'overlays/{environment}/kustomization.yaml')
        except AssertionError:
            return None
        tags = set(re.findall(r'newTag: "?([^"\s]+)', text))
        return tags.pop() if len(tags) == 1 else None


class Shop:
    """The build side's files, a site that trusts its key, and the servers of both."""

    def __init__(self, w, registry=True, root=None):
        self.w, self.source = w, w.registry()
        self.git = w.git()
        self.url = self.git.create('deploy', branches=('main',))
        self.application = w.stack.enter_context(Application(self.git))
        self.public, self.private = w.key()
        self.registry = w.registry() if registry else None
        self.listen = f'127.0.0.1:{servers.free_port()}'
        where = {'url': self.registry.url, 'prefix': 'platform'} if registry else {'embedded': {'listen': self.listen}}
        self.site = w.site(root or self.public, {'registry': where, 'git': {'site': {'url': self.url}},
                                         'environments': {name: {} for name in ENVIRONMENTS}})

    def build(self, version, sequence, *, environments=None, words=(), **more):
        """A signed bundle; words: further options of build, more: further keys of release.yaml. Returns its path."""
        w, host = self.w, self.source.host
        for name in ('backend', 'worker'):
            w.image(self.source, f'shop/{name}:{version}', content={'version': version.encode()}, labels={'name': name})
        w.write('product/deploy/base/deployment.yaml', DEPLOYMENT)
        w.write('product/deploy/base/kustomization.yaml', 'resources: [deployment.yaml]\n')
        for name in {*ENVIRONMENTS, *(environments or ())}:
            w.write(f'product/deploy/overlays/{name}/kustomization.yaml',
                    KUSTOMIZATION % {'environment': name, 'host': host, 'version': version})
        release = {
            'apiVersion': 'gapship/v1', 'kind': 'Release',
            'metadata': {'name': 'shop', 'version': version, 'sequence': sequence}, **more,
            'images': [{'from': f'{host}/shop/{name}:{version}', 'as': f'shop/{name}'} for name in ('backend', 'worker')],
            'overlays': [{'name': 'deploy', 'from': 'deploy'}],
            'environments': [self.environment(name) for name in environments or ENVIRONMENTS],
        }
        w.write('product/release.yaml', release)
        bundle = w.path / f'shop-{version}.gapship'
        w.gapship('build', '-o', bundle, '--key', self.private, '--force', *words, cwd='product')
        return bundle

    def environment(self, name):
        found = {
            'name': name,
            'units': [{'name': 'shop', 'source': {'overlay': 'deploy', 'path': f'overlays/{name}'},
                       'target': {'kind': 'gitops', 'message': f'chore: update {name} to ${{version}}',
                                  'rollbackMessage': f'chore: roll {name} back to ${{version}}'}}],
            'verify': [{'http': {'url': f'{self.application.url}/{name}', 'retries': 1, 'every': '100ms', 'timeout': '5s',
                                 'expect': {'status': 200, 'json': {'status': 'ok', 'version': '${version}'}}}}],
        }
        return {**found, 'gates': {'verifiedIn': ['staging']}} if name == 'production' else found

    def __call__(self, *words, **options):
        """gapship in the site's folder."""
        return self.w.gapship(*words, cwd=self.site.relative_to(self.w.path), **options)

    def serving(self):
        """`gapship serve` until the test ends."""
        process = subprocess.Popen(self.w.command('serve'), cwd=self.site, env={**os.environ, **self.w.environment()},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.w.stack.callback(process.wait)
        self.w.stack.callback(process.terminate)
        line = process.stderr.readline()
        if self.listen not in line:
            raise AssertionError(f'gapship serve says: {line}')
        return process

    def json(self, *words, **options):
        """The result that it gives as JSON."""
        return self('--output', 'json', *words, **options).result()

    def versions(self):
        """What runs, in the order of the environments."""
        return [self.application.version(name) for name in ENVIRONMENTS]

    def rows(self):
        """Every row of the ledger; its chain is checked."""
        return self.json('history', '--audit')['rows']
