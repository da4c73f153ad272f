"""Migrations in a real cluster: before the rollout, in waves, once; a failing one leaves the application alone; back by `down` or not at all."""
import json
import os
import subprocess

import harness
from harness import check, equal

KUBECTL = f'{os.environ["CLUSTER_TOOLS"]}/kubectl'
REGISTRY = os.environ['CLUSTER_REGISTRY']

DEPLOYMENT = '''\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: shop, image: "%s"}]
'''


class Shop:
    """A product whose migrations are shell commands, one environment in a namespace of its own."""

    def __init__(self, w, namespace):
        if not os.environ['CLUSTER_NODE']:
            raise harness.Skip('this cluster has no node')
        self.w, self.namespace = w, namespace
        self.kubectl('create', 'namespace', namespace)
        w.stack.callback(subprocess.run, [KUBECTL, 'delete', 'namespace', namespace, '--wait=false'], stdout=subprocess.DEVNULL)
        self.source = w.registry()
        self.public, self.private = w.key()
        self.site = w.site(self.public, {'registry': {'url': f'http://{REGISTRY}', 'prefix': namespace},
                                         'environments': {'production': {'kubeconfig': os.environ['KUBECONFIG']}}})

    def kubectl(self, *words):
        return harness.run([KUBECTL, *words], timeout=120).expect().out

    def build(self, version, sequence, migrations, schemas):
        w, image = self.w, f'{self.source.host}/shop:{version}'
        w.image(self.source, f'shop:{version}', content={'version': version.encode()}, command=['sleep', '3600'])
        w.write('product/k8s/deployment.yaml', DEPLOYMENT % image)
        w.write('product/release.yaml', {
            'apiVersion': 'gapship/v1', 'kind': 'Release', 'metadata': {'name': 'shop', 'version': version, 'sequence': sequence},
            'images': [{'from': image, 'as': 'shop'}], 'schemas': schemas,
            'environments': [{
                'name': 'production', 'migrations': [{'image': 'shop', 'deadline': '60s', **migration} for migration in migrations],
                'units': [{'name': 'shop', 'source': {'manifests': 'k8s'}, 'wait': {'timeout': '90s'},
                           'target': {'kind': 'kubectl', 'namespace': self.namespace}}]}]})
        bundle = w.path / f'shop-{version}.gapship'
        w.gapship('build', '-o', bundle, '--key', self.private, cwd='product')
        return bundle

    def __call__(self, *words, **options):
        return self.w.gapship(*words, cwd='site', **options)

    def deployment(self):
        """(generation, image tag) of what runs."""
        live = json.loads(self.kubectl('get', '-n', self.namespace, 'deployment', 'shop', '-o', 'json'))
        image = live['spec']['template']['spec']['containers'][0]['image']
        return live['metadata']['generation'], image.partition('@')[0].rpartition(':')[2]

    def jobs(self):
        """Names in the order of their creation, without the bundle's digest."""
        live = json.loads(self.kubectl('get', '-n', self.namespace, 'jobs', '-o', 'json'))['items']
        return [job['metadata']['name'].rpartition('-')[0] for job in sorted(live, key=lambda job: job['metadata']['creationTimestamp'])]

    def steps(self):
        rows = self('--output', 'json', 'history', '--audit').result()['rows']
        return [(row['step'], row['state']) for row in rows if row['kind'] == 'step' and row['step'].split('/')[0] in ('migrate', 'down')]

    def log(self, name):
        """The newest kept log of a migration."""
        return max((self.site / 'store/logs').glob(f'*-{name}.log'), key=lambda path: path.stat().st_mtime).read_text()


def migration(name, command, **more):
    return {'name': name, 'command': ['sh', '-c', command], **more}


def test_a_failing_migration_leaves_the_application_alone(w):
    shop = Shop(w, 'migrate-fail')
    main = {'main': {'from': '0001', 'to': '0002'}}
    shop('install', shop.build('1.0.0', 1, [migration('second', 'sleep 1', wave=-3), migration('first', 'sleep 1', wave=-5)], {}), '--yes')
    equal((shop.deployment(), shop.jobs()), ((1, '1.0.0'), ['first', 'second']), 'first installation')
    broken = shop.build('1.1.0', 2, [migration('main', 'echo cannot add column; exit 3', schema='main')], main)
    shop('install', broken, '--yes', status=7, says=['production/migrate/main', 'cannot add column'])
    equal(shop.deployment(), (1, '1.0.0'), 'the Deployment')
    equal(shop.log('migrate-main'), 'cannot add column\n', 'the log')
    equal(shop.steps()[-2:], [('migrate/main', 'begun'), ('migrate/main', 'failed')], 'the ledger')
    shop('install', shop.build('1.1.1', 3, [migration('main', 'echo added', schema='main')], main), '--yes')
    equal(shop.deployment(), (2, '1.1.1'), 'the Deployment')


def test_a_rollback_goes_as_far_as_the_database_bears(w):
    shop = Shop(w, 'migrate-back')
    down = {'reversible': True, 'down': {'command': ['sh', '-c', 'echo down to ${schema.from}']}}
    shop('install', shop.build('1.0.0', 1, [migration('main', 'echo up to 0001', schema='main')], {'main': {'from': '0000', 'to': '0001'}}),
         '--yes')
    two = shop.build('2.0.0', 2, [migration('main', 'echo up to 0002', schema='main', **down)],
                     {'main': {'from': '0001', 'to': '0002', 'appMin': '0001', 'appMax': '0003'}})
    shop('install', two, '--yes')
    shop('install', shop.build('3.0.0', 3, [migration('main', 'echo up to 0003', schema='main')], {'main': {'from': '0002', 'to': '0003'}}),
         '--yes')

    before = shop.steps()
    shop('rollback', '--to', '1.0.0', '--yes', status=11, says=["migration 'main' of shop 3.0.0 cannot be undone", "at 0003"])
    equal((shop.deployment()[1], shop.steps()), ('3.0.0', before), 'a refused rollback touches nothing')

    shop('rollback', '--yes')
    equal((shop.deployment()[1], shop.steps()[-1]), ('2.0.0', ('migrate/main', 'skipped')), '2.0.0 runs on 0003: nothing is migrated')
    shop('rollback', '--yes', status=11, says='at 0003')
    equal(shop.deployment()[1], '2.0.0', 'and 1.0.0 does not run on 0003, which 2.0.0 cannot take back')


def test_down_and_up_again(w):
    shop = Shop(w, 'migrate-down')
    down = {'reversible': True, 'down': {'command': ['sh', '-c', 'echo down to ${schema.from}']}}
    shop('install', shop.build('1.0.0', 1, [], {'main': {'from': '0000', 'to': '0001'}}), '--yes')
    two = shop.build('2.0.0', 2, [migration('main', 'echo up to ${schema.to}', schema='main', **down)], {'main': {'from': '0001', 'to': '0002'}})
    shop('install', two, '--yes')
    equal(shop.log('migrate-main'), 'up to 0002\n', 'the way up')
    shop('rollback', '--yes')
    equal((shop.log('down-main'), shop.deployment()[1]), ('down to 0001\n', '1.0.0'), 'the way down, by the newer image')
    for _ in range(2):
        shop('install', two, '--yes')
        equal((shop.steps()[-1], shop.deployment()[1]), (('migrate/main', 'done'), '2.0.0'), 'and up again')
        logs = len(list((shop.site / 'store/logs').glob('*-migrate-main.log')))
    equal(logs, 2, 'the migration ran once for each way up, and not for the second install')
    shop('rollback', '--yes')
    equal(len(list((shop.site / 'store/logs').glob('*-down-main.log'))), 2, 'it ran down once for each way down')
    check('main' not in shop.jobs(), f'{shop.jobs()}: the Job of a way up that was undone is gone')


harness.main()
