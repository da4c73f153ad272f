"""A plant for the tests of targets: the real cluster as the site, a product `web` with a real image, staging before production.

What the database of an environment went through is told by a server on the host that the migrations' Pods call.
"""
import json
import os
import pathlib
import secrets
import subprocess
import time

import harness
import servers

ENVIRONMENTS = ('staging', 'production')
TOOLS = pathlib.Path(os.environ.get('CLUSTER_TOOLS', '.'))
KUBECTL = TOOLS / 'kubectl'


class Database(servers.Answers):
    """GET /A/B/… writes down A/B/… and answers it. Paths that begin with one of `broken` are answered 500, so often as it says."""

    def __init__(self):
        super().__init__(self.answer, os.environ['CLUSTER_NODE_ADDRESS'])
        self.calls, self.times, self.broken = [], [], {}

    def answer(self, call):
        self.calls.append(call)
        self.times.append(time.monotonic())
        bad = next((key for key in self.broken if call.startswith(key)), None)
        if bad:
            self.broken[bad] -= 1
            if not self.broken[bad]:
                del self.broken[bad]
        return (500 if bad else 200), f'did {call}\n'.encode()

    def take(self):
        """The calls since the last time."""
        calls, self.calls, self.times = self.calls, [], []
        return calls


def kubectl(*words, status=0, stdin=''):
    return harness.run([KUBECTL, *words], stdin=stdin, timeout=120).expect(status).out


class Plant:
    def __init__(self, w):
        if not os.environ.get('CLUSTER_NODE'):
            raise harness.Skip('this cluster has no node')
        self.w, self.source = w, w.registry()
        self.name = f't{secrets.token_hex(3)}'  # namespaces and repositories of this test alone
        self.registry = servers.Registry(w.path, port=int(os.environ['CLUSTER_REGISTRY'].rpartition(':')[2]))  # the cluster's
        self.database = w.stack.enter_context(Database())
        self.proxy = self.start_proxy()
        self.public, self.private = w.key()
        self.folder = w.site(self.public, {})
        self.site()
        for name in ENVIRONMENTS:
            w.stack.callback(subprocess.run, [KUBECTL, 'delete', 'namespace', self.namespace(name), '--wait=false', '--ignore-not-found'],
                             stdout=subprocess.DEVNULL)

    def start_proxy(self):
        """The API on loopback without credentials: how the host's health checks reach a Service."""
        process = subprocess.Popen([KUBECTL, 'proxy', '--port=0'], stdout=subprocess.PIPE, text=True)
        self.w.stack.callback(process.wait)
        self.w.stack.callback(process.terminate)
        return 'http://' + process.stdout.readline().split()[-1]

    def site(self, **more):
        """Writes site.yaml; more: further keys."""
        places = {name: {'kubeconfig': os.environ['KUBECONFIG']} for name in ENVIRONMENTS}
        self.w.write('site/site.yaml', {
            'apiVersion': 'gapship/v1', 'kind': 'Site', 'name': 'plant', 'store': 'store', 'trust': {'root': 'trust/root.json'},
            'registry': {'url': self.registry.url, 'prefix': self.name}, 'environments': places, **more})

    def namespace(self, environment):
        return f'{self.name}-{environment}'

    # ---- the product

    def deployment(self, **more):
        container = {'name': 'web', 'image': 'example.com/shop/web', 'command': ['httpd', '-f', '-p', '8000', '-h', '/srv'],
                     'readinessProbe': {'httpGet': {'path': '/health', 'port': 8000}, 'periodSeconds': 1}, **more}
        return {'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': 'web'},
                'spec': {'selector': {'matchLabels': {'app': 'web'}}, 'progressDeadlineSeconds': 60, 'template': {
                    'metadata': {'labels': {'app': 'web'}},
                    'spec': {'terminationGracePeriodSeconds': 0, 'containers': [container]}}}}

    def image(self, version):
        health = json.dumps({'status': 'ok', 'version': version}).encode()
        return self.w.image(self.source, f'shop/web:{version}', content={'srv/health': health, 'srv/version': version.encode()})

    def overlay(self, version, objects=(), **container):
        """A base with the Deployment, its Service and further objects, and an overlay for each environment."""
        w, base = self.w, 'product/deploy/base'
        service = {'apiVersion': 'v1', 'kind': 'Service', 'metadata': {'name': 'web'},
                   'spec': {'selector': {'app': 'web'}, 'ports': [{'port': 8000}]}}
        everything = [self.deployment(**container), service, *objects]
        for i, item in enumerate(everything):
            w.write(f'{base}/{i}.yaml', item)
        w.write(f'{base}/kustomization.yaml', {'resources': [f'{i}.yaml' for i in range(len(everything))]})
        for name in ENVIRONMENTS:
            w.write(f'product/deploy/overlays/{name}/kustomization.yaml', {
                'namespace': self.namespace(name), 'resources': ['../../base'],
                'images': [{'name': 'example.com/shop/web', 'newName': f'{self.source.host}/shop/web', 'newTag': version}]})

    def migration(self, name, **more):
        """Calls ENVIRONMENT/NAME/SCHEMA/VERSION of the database; the version is that of the image it runs in."""
        command = ['sh', '-c', f'wget -q -O - {self.database.url}/${{environment}}/{name}/$(cat /srv/version)']
        return {'name': name, 'image': 'shop/web', 'command': command, 'deadline': '60s', **more}

    def unit(self, environment, **more):
        return {'name': 'web', 'source': {'overlay': 'deploy', 'path': f'overlays/{environment}'},
                'target': {'kind': 'kubectl', 'namespace': self.namespace(environment)}, 'wait': {'timeout': '60s'}, **more}

    def health(self, environment, version='${version}'):
        url = f'{self.proxy}/api/v1/namespaces/{self.namespace(environment)}/services/web:8000/proxy/health'
        return {'http': {'url': url, 'retries': 5, 'every': '500ms', 'timeout': '5s',
                         'expect': {'json': {'status': 'ok', 'version': version}}}}

    def build(self, version, sequence, *, unit=None, migrations=(), verify=None, environments=ENVIRONMENTS, **more):
        """A signed bundle. unit: makes the unit of an environment; verify: its checks; migrations: of each; more: keys of release.yaml."""
        self.image(version)
        self.w.write('product/release.yaml', {
            'apiVersion': 'gapship/v1', 'kind': 'Release', 'metadata': {'name': 'shop', 'version': version, 'sequence': sequence},
            'images': [{'from': f'{self.source.host}/shop/web:{version}', 'as': 'shop/web'}],
            'overlays': [{'name': 'deploy', 'from': 'deploy'}],
            'environments': [{'name': name, 'units': [(unit or self.unit)(name)], 'migrations': list(migrations),
                              'verify': [(verify or self.health)(name)]} for name in environments], **more})
        bundle = self.w.path / f'shop-{version}.gapship'
        self.w.gapship('build', '-o', bundle, '--key', self.private, '--force', cwd='product')
        return bundle

    # ---- the site

    def __call__(self, *words, **options):
        """gapship in the site's folder."""
        return self.w.gapship(*words, cwd='site', **options)

    def json(self, *words, **options):
        return self('--output', 'json', *words, **options).result()

    def steps(self, result):
        """{ENVIRONMENT/STEP: state} of an install's result."""
        return {f'{e["name"]}/{s["step"]}': s['state'] for e in result['environments'] for s in e['steps']}

    def get(self, environment, *words):
        """An object as the cluster has it; None where it is absent."""
        out = kubectl('get', '-n', self.namespace(environment), '--ignore-not-found', '-o', 'json', *words)
        return json.loads(out) if out else None

    def list(self, environment, *words):
        return (self.get(environment, *words) or {'items': []})['items']

    def names(self, environment, kind):
        return sorted(item['metadata']['name'] for item in self.list(environment, kind))

    def running(self, environment):
        """Digests that run in the environment's Pods, as the node says."""
        pods = self.list(environment, 'pods', '-l', 'app=web')
        return sorted({status['imageID'].rpartition('@')[2] for pod in pods if 'deletionTimestamp' not in pod['metadata']
                       for status in pod['status'].get('containerStatuses', [])})

    def generation(self, environment):
        found = self.get(environment, 'deployment/web')
        return found and found['metadata']['generation']

    def digest(self, version):
        return self.source.digest(f'shop/web:{version}')

    def logs(self):
        return {path.name: path.read_text() for path in (self.folder / 'store/logs').glob('*.log')}
