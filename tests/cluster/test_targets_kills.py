"""kill -9 of an install against the real cluster: the same command again reaches what an uninterrupted run would have reached."""
import os

import harness
from harness import check, equal
from plant import ENVIRONMENTS, Plant, kubectl

KILLS = int(os.environ.get('GAPSHIP_TEST_KILLS', '5'))
KINDS = ('deployments', 'services', 'configmaps', 'jobs')


def outcome(plant):
    """What an operator would compare, without what only tells two runs apart."""
    def state(item):
        spec = item.get('spec', {}).get('template', {}).get('spec') or item.get('spec') or item.get('data')
        if item['kind'] in ('Service', 'Job'):  # addresses and selectors are of one run
            spec = item['spec'].get('ports') or [c['image'] for c in item['spec']['template']['spec']['containers']]
        return item['kind'], item['metadata']['name'], spec

    rows = plant.json('history', '--audit')['rows']
    return {
        'objects': {name: [state(item) for kind in KINDS for item in plant.list(name, kind) if item['metadata']['name'] != 'kube-root-ca.crt']
                    for name in ENVIRONMENTS},
        'running': [plant.running(name) for name in ENVIRONMENTS],
        'claims': [plant.names(name, 'pvc') for name in ENVIRONMENTS],
        'tags': plant.registry.tags(f'{plant.name}/shop/web'), 'digest': plant.registry.digest(f'{plant.name}/shop/web:1.1.0'),
        'environments': {row['environment']: (row['state'], row['version']) for row in rows if row['kind'] == 'environment'},
        'schemas': {(row['environment'], row['step']): (row['state'], row['detail']) for row in rows if row['kind'] == 'schema'},
    }


def settings(version):
    return {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': f'settings-{version}'}, 'data': {'version': version}}


def test_an_upgrade_survives_kills(w):
    plant = Plant(w)
    main = plant.migration('main', schema='main', reversible=True, down={'command': ['true']})
    hooked = [plant.migration('late', phase='post')]
    claim = {'apiVersion': 'v1', 'kind': 'PersistentVolumeClaim', 'metadata': {'name': 'data'},
             'spec': {'accessModes': ['ReadWriteOnce'], 'storageClassName': '', 'resources': {'requests': {'storage': '1Mi'}}}}
    plant.overlay('1.0.0', [settings('1.0.0'), claim])
    one = plant.build('1.0.0', 1, migrations=[main], schemas={'main': {'from': '0001', 'to': '0002'}})
    plant.overlay('1.1.0', [settings('1.1.0')])
    two = plant.build('1.1.0', 2, migrations=[main, *hooked], schemas={'main': {'from': '0002', 'to': '0003'}})
    store = plant.folder / 'store'

    def start():
        """An empty plant with 1.0.0."""
        for name in ENVIRONMENTS:
            kubectl('delete', 'namespace', plant.namespace(name), '--ignore-not-found')
        harness.run(['rm', '-rf', store]).expect()
        site = (plant.folder / 'site.yaml').read_text()
        harness.run(['rm', '-rf', plant.folder]).expect()
        w.site(plant.public, {})
        w.write('site/site.yaml', site)
        plant('install', one, '--yes')
        plant.database.take()

    start()
    seconds = plant('install', two, '--yes').seconds
    wanted, calls = outcome(plant), plant.database.take()
    equal(wanted['running'], [[plant.digest('1.1.0')]] * 2, 'digests that run')
    hit = 0
    for i, moment in enumerate(harness.moments(seconds, KILLS)):
        start()
        hit += w.gapship_killed('install', two, '--yes', after=moment, cwd='site')
        plant('install', two, '--yes')
        equal(outcome(plant), wanted, f'after kill {i}, {moment:.2f} s into the install')
        equal(plant.database.take(), calls, 'no migration runs twice or is left out')
    check(hit > KILLS // 2, f'only {hit} of {KILLS} kills came before the end')


if __name__ == '__main__':
    harness.main()
