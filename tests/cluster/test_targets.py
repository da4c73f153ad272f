"""gapship's kubectl target and migrations on a real cluster: real Pods by digest, real Jobs, real conflicts."""
import re

from harness import check, equal
from plant import ENVIRONMENTS, Plant, kubectl

SETTINGS = {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'settings'}, 'data': {'colour': 'blue'}}
OLD = {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'old'}, 'data': {'of': '1.0.0'}}
CLAIM = {'apiVersion': 'v1', 'kind': 'PersistentVolumeClaim', 'metadata': {'name': 'data'},
         'spec': {'accessModes': ['ReadWriteOnce'], 'storageClassName': '', 'resources': {'requests': {'storage': '1Mi'}}}}


def test_install_upgrade_prune_and_roll_back(w):
    plant = Plant(w)
    plant.overlay('1.0.0', [SETTINGS, OLD, CLAIM])
    one = plant.build('1.0.0', 1)
    plan = plant.json('plan', one, status=20)
    changes = {change['what'] for change in plan['environments'][0]['units'][0]['changes']}
    check(any('Deployment' in change for change in changes), f'changes {changes}')
    plant('install', one, '--yes')
    for name in ENVIRONMENTS:
        equal(plant.running(name), [plant.digest('1.0.0')], f'digests that run in {name}')
        image = plant.get(name, 'deployment/web')['spec']['template']['spec']['containers'][0]['image']
        equal(image, f'{plant.registry.host}/{plant.name}/shop/web:1.0.0@{plant.digest("1.0.0")}', 'image')
    steps = plant.steps(plant.json('install', one, '--yes'))
    equal((steps['staging/apply/web'], steps['production/apply/web']), ('unchanged', 'unchanged'), 'states of a second run')

    plant.overlay('1.1.0', [SETTINGS])
    two = plant.build('1.1.0', 2)
    plant('install', two, '--yes')
    for name in ENVIRONMENTS:
        equal(plant.running(name), [plant.digest('1.1.0')], f'digests that run in {name}')
        check(plant.get(name, 'configmap/old') is None, f'{name} still has the removed ConfigMap')
        check(plant.get(name, 'pvc/data'), f'{name} lost its data')

    plant('rollback', '--yes')
    for name in ENVIRONMENTS:
        equal(plant.running(name), [plant.digest('1.0.0')], f'digests that run in {name} after the rollback')
        check(plant.get(name, 'configmap/old'), 'the rollback brings back what was pruned')
    equal([e['units'][0]['drift'] for e in plant.json('status')['environments']], [0, 0], 'drift')


def test_drift_is_seen_and_mended(w):
    plant = Plant(w)
    plant.overlay('1.0.0', [SETTINGS])
    one = plant.build('1.0.0', 1)
    plant('install', one, '--yes')
    kubectl('delete', '-n', plant.namespace('staging'), 'configmap/settings')
    plan = plant.json('plan', one, status=20)
    equal([change['what'] for change in plan['environments'][0]['units'][0]['changes']],
          [f'ConfigMap {plant.namespace("staging")}/settings'], 'changes')
    plant('install', one, '--yes')
    check(plant.get('staging', 'configmap/settings'), 'the ConfigMap is back')


def test_another_manager_is_not_overruled(w):
    plant = Plant(w)
    plant.overlay('1.0.0')
    plant('install', plant.build('1.0.0', 1), '--yes')
    kubectl('set', 'env', '-n', plant.namespace('staging'), 'deployment/web', 'A=b')
    kubectl('patch', '-n', plant.namespace('staging'), 'deployment/web', '--field-manager=somebody', '-p',
            '{"spec":{"template":{"spec":{"containers":[{"name":"web","imagePullPolicy":"Never"}]}}}}')
    before = plant.generation('staging')
    plant.overlay('1.1.0', imagePullPolicy='Always')
    plant('install', plant.build('1.1.0', 2), '--yes', status=8,
          says=['conflict with "somebody"', 'imagePullPolicy', f'Deployment {plant.namespace("staging")}/web'])
    equal(plant.generation('staging'), before, 'generation of the Deployment')
    equal(plant.running('production'), [plant.digest('1.0.0')], 'digests that run in production')


def test_migrations_run_in_waves_before_the_rollout(w):
    plant = Plant(w)
    for name in ENVIRONMENTS:
        kubectl('create', 'namespace', plant.namespace(name))
        kubectl('create', 'secret', 'generic', 'db', '-n', plant.namespace(name), f'--from-literal=DATABASE_URL=db-of-{name}')
    plant.overlay('1.0.0')
    command = ['sh', '-c', f'echo "$DATABASE_URL for $WHO"; wget -q -O - {plant.database.url}/$DATABASE_URL/$WHO/$(cat /srv/version)']
    one = plant.build('1.0.0', 1, migrations=[
        plant.migration('late', wave=5), plant.migration('after', phase='post'),
        plant.migration('first', wave=-5, command=command, envFrom=['db'], env={'WHO': '${environment}'})])
    plant('install', one, '--yes')
    equal(plant.database.take(), [call for name in ENVIRONMENTS for call in
                                  (f'db-of-{name}/{name}/1.0.0', f'{name}/late/1.0.0', f'{name}/after/1.0.0')], 'calls')
    log = next(text for name, text in plant.logs().items() if 'staging-migrate-first' in name)
    equal(log, 'db-of-staging for staging\ndid db-of-staging/staging/1.0.0\n', 'log')
    job = plant.list('staging', 'jobs')[0]
    check('@' + plant.digest('1.0.0') in job['spec']['template']['spec']['containers'][0]['image'], 'the Job runs by digest')
    plant('install', one, '--yes')
    equal(plant.database.take(), [], 'calls of the same command again')


def test_a_failing_migration_leaves_everything_as_it_was(w):
    plant = Plant(w)
    plant.overlay('1.0.0')
    plant('install', plant.build('1.0.0', 1), '--yes')
    before = [plant.generation(name) for name in ENVIRONMENTS]
    plant.database.broken = {'staging/second': 99}
    plant.overlay('1.1.0')
    retry = {'attempts': 3, 'initial': '1s', 'factor': 2, 'max': '60s'}
    two = plant.build('1.1.0', 2, migrations=[
        plant.migration('first', wave=1), plant.migration('second', wave=2, retry=retry), plant.migration('third', wave=3)])
    failed = plant('install', two, '--yes', status=7, says=['migration second failed', '500', 'the old version keeps running', 'attempt 2 of 3'])
    equal([re.sub('-[0-9a-f]{12}$', '', name) for name in plant.names('staging', 'jobs')], ['first', 'second'], 'Jobs')
    calls, times = plant.database.calls, plant.database.times
    equal(calls, ['staging/first/1.1.0'] + ['staging/second/1.1.0'] * 3, f'calls\n{failed}')
    check(times[2] - times[1] >= 1 and times[3] - times[2] >= 2, f'the second pause is longer: {times}')
    equal([plant.generation(name) for name in ENVIRONMENTS], before, 'generations')
    equal(plant.names('production', 'jobs'), [], 'Jobs in production')
    equal([plant.running(name) for name in ENVIRONMENTS], [[plant.digest('1.0.0')]] * 2, 'digests that run')
    check(any('staging-migrate-second' in name and '500' in text for name, text in plant.logs().items()), f'logs {plant.logs()}')

    plant.database.take()
    plant.database.broken = {'staging/second': 1}
    plant('install', two, '--yes', says='attempt 1 of 3')
    equal(plant.database.take(), ['staging/second/1.1.0'] * 2 + ['staging/third/1.1.0'] + [
        f'production/{name}/1.1.0' for name in ('first', 'second', 'third')], 'calls')
    equal([plant.running(name) for name in ENVIRONMENTS], [[plant.digest('1.1.0')]] * 2, 'digests that run')


def test_a_migration_ends_at_its_deadline_and_says_what_kept_it(w):
    plant = Plant(w)
    plant.overlay('1.0.0')
    slow = plant.migration('slow', deadline='6s', command=['sh', '-c', 'echo begun; sleep 600'])
    plant('install', plant.build('1.0.0', 1, migrations=[slow]), '--yes', status=7, says='begun')
    check('begun\n' in plant.logs().values(), f'logs {plant.logs()}')
    plant.overlay('1.1.0')
    poor = plant.migration('poor', deadline='8s', envFrom=['absent'])
    plant('install', plant.build('1.1.0', 2, migrations=[poor]), '--yes', status=7, says='secret "absent" not found')
    check(plant.generation('staging') is None, 'there is no Deployment')


def test_a_failing_verification_stops_before_production(w):
    plant = Plant(w)
    plant.overlay('1.0.0')
    plant('install', plant.build('1.0.0', 1), '--yes')
    plant.overlay('1.1.0')
    two = plant.build('1.1.0', 2, verify=lambda name: plant.health(name, version='9.9.9'))
    plant('install', two, '--yes', status=9, says=['"version" is 1.1.0, expected 9.9.9', 'staging/verify/1'])
    equal([plant.running(name) for name in ENVIRONMENTS], [[plant.digest('1.1.0')], [plant.digest('1.0.0')]], 'digests that run')


def test_what_cannot_start_is_told_by_its_pod(w):
    plant = Plant(w)
    elsewhere = w.registry()  # nodes ask the cluster's registry alone, where the image is not
    plant.site(registry={'url': elsewhere.url, 'prefix': plant.name})
    plant.overlay('1.0.0')
    plant('install', plant.build('1.0.0', 1), '--yes', status=8, says=['Pod web-', 'not found', 'staging/wait/web'])
    equal(plant.names('production', 'deployments'), [], 'Deployments in production')


def test_waiting_ends_when_it_was_to_end(w):
    plant = Plant(w)
    plant.overlay('1.0.0', readinessProbe={'httpGet': {'path': '/absent', 'port': 8000}})
    one = plant.build('1.0.0', 1, unit=lambda name: plant.unit(name, wait={'timeout': '6s'}))
    plant('install', one, '--yes', status=13, says=['not healthy after 6 s', '0 of 1 replicas are available'])


def test_hooks_of_an_overlay_are_phases(w):
    plant = Plant(w)

    def hook(name, kind, wave):
        call = f'wget -q -O - {plant.database.url}/{name}'
        return {'apiVersion': 'batch/v1', 'kind': 'Job',
                'metadata': {'name': name, 'annotations': {'argocd.argoproj.io/hook': kind, 'argocd.argoproj.io/sync-wave': wave}},
                'spec': {'backoffLimit': 0, 'template': {'spec': {'restartPolicy': 'Never', 'containers': [
                    {'name': 'main', 'image': 'example.com/shop/web', 'command': ['sh', '-c', call]}]}}}}

    hooks = [hook('smoke', 'PostSync', '0'), hook('second', 'PreSync', '5'), hook('first', 'PreSync', '-5')]
    plant.overlay('1.0.0', hooks)
    one = plant.build('1.0.0', 1, environments=['staging'])
    plant('install', one, '--yes')
    equal(plant.database.take(), ['first', 'second', 'smoke'], 'hooks in order')
    plant('install', one, '--yes')
    equal(plant.database.take(), [], 'hooks of the same command again')
    plant.overlay('1.1.0', hooks)
    plant.database.broken = {'second': 1}
    before = plant.generation('staging')
    two = plant.build('1.1.0', 2, environments=['staging'])
    plant('install', two, '--yes', status=7, says=['the hook failed', '500', '/second'])
    equal((plant.database.take(), plant.generation('staging')), (['first', 'second'], before), 'hooks, generation')
    plant('install', two, '--yes')
    equal(plant.database.take(), ['second', 'smoke'], 'hooks when it goes on')
    plant('rollback', '--yes')
    equal(plant.database.take(), [], 'hooks of a rollback')


def schema(begin, end, lowest=None):
    return {'main': {'from': begin, 'to': end, 'appMin': lowest or begin, 'appMax': end}}


def test_a_rollback_the_database_bears_runs_no_migration(w):
    plant = Plant(w)
    plant.overlay('1.0.0')
    main = plant.migration('main', schema='main')
    tolerant = {'main': {'from': '0001', 'to': '0002', 'appMin': '0001', 'appMax': '0003'}}
    plant('install', plant.build('1.0.0', 1, migrations=[main], schemas=tolerant), '--yes')
    plant.overlay('1.1.0')
    two = plant.build('1.1.0', 2, migrations=[main], schemas=schema('0002', '0003'))
    plant('install', two, '--yes')
    plant.database.take()
    plant('rollback', '--yes')
    equal(plant.database.take(), [], 'calls')
    equal([plant.running(name) for name in ENVIRONMENTS], [[plant.digest('1.0.0')]] * 2, 'digests that run')
    plant('install', two, '--yes')
    equal(plant.database.take(), [], 'calls forward again: the database is where it was')


def test_a_rollback_the_database_cannot_bear_is_refused(w):
    plant = Plant(w)
    plant.overlay('1.0.0')
    main = plant.migration('main', schema='main')
    plant('install', plant.build('1.0.0', 1, migrations=[main], schemas=schema('0001', '0002')), '--yes')
    plant.overlay('1.1.0')
    plant('install', plant.build('1.1.0', 2, migrations=[main], schemas=schema('0002', '0003')), '--yes')
    before = [plant.generation(name) for name in ENVIRONMENTS]
    plant.database.take()
    plant('rollback', '--yes', status=11, says=['0003', 'main'])
    equal((plant.database.take(), [plant.generation(name) for name in ENVIRONMENTS]), ([], before), 'calls, generations')


def test_a_reversible_migration_goes_down_in_the_newer_image_first(w):
    plant = Plant(w)
    down = {'command': ['sh', '-c', f'wget -q -O - {plant.database.url}/${{environment}}/down-to-${{schema.from}}/$(cat /srv/version)']}
    main = plant.migration('main', schema='main', reversible=True, down=down)
    plant.overlay('1.0.0')
    plant('install', plant.build('1.0.0', 1, migrations=[main], schemas=schema('0001', '0002')), '--yes')
    plant.overlay('1.1.0')
    two = plant.build('1.1.0', 2, migrations=[main], schemas=schema('0002', '0003'))
    plant('install', two, '--yes')
    plant.database.take()
    for _ in range(2):  # there and back again: nothing is taken for done that was undone
        plant('rollback', '--yes')
        equal(plant.database.take(), [f'{name}/down-to-0002/1.1.0' for name in ENVIRONMENTS], 'calls down')
        equal([plant.running(name) for name in ENVIRONMENTS], [[plant.digest('1.0.0')]] * 2, 'digests that run')
        plant('install', two, '--yes')
        equal(plant.database.take(), [f'{name}/main/1.1.0' for name in ENVIRONMENTS], 'calls up')


if __name__ == '__main__':
    import harness
    harness.main()
