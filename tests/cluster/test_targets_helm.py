"""gapship's helm target on a real cluster, with Helm 3 and Helm 4: real releases, hooks, kills, rollbacks."""
import json
import os
import subprocess
import time

import harness
from harness import check, equal
from plant import ENVIRONMENTS, TOOLS, Plant, kubectl

HELMS = ('helm3', 'helm4')

WORKLOAD = '''\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {note: "{{ .Values.note | sha256sum | trunc 12 }}"}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {note: {{ .Values.note | quote }}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: web
        image: "{{ .Values.web.image.repository }}:{{ .Values.web.image.tag }}@{{ .Values.web.image.digest }}"
        command: [httpd, -f, -p, "8000", -h, /srv]
        readinessProbe: {httpGet: {path: /health, port: 8000}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 8000}]}
'''

HOOK = '''\
apiVersion: batch/v1
kind: Job
metadata:
  name: %(name)s
  annotations: {helm.sh/hook: "%(when)s"}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: {{ .Values.hookImage }}
        command: [sh, -c, "wget -q -O - {{ .Values.database }}/%(name)s/$(cat /srv/version) && sleep {{ .Values.%(name)sSleep }}"]
'''


class HelmPlant(Plant):
    """A chart whose Deployment takes its image in parts and whose hooks take it whole."""

    def __init__(self, w, helm):
        super().__init__(w)
        self.helm = str(TOOLS / helm)
        self.set = {'note': 'a,b={c}\\d "e"', 'beforeSleep': '0', 'afterSleep': '0'}

    def __call__(self, *words, env=None, **options):
        return super().__call__(*words, env={'GAPSHIP_HELM': self.helm, **(env or {})}, **options)

    def unit(self, environment, **more):
        return {'name': 'web', 'target': {'kind': 'helm', 'release': 'shop', 'namespace': self.namespace(environment)},
                'source': {'chart': 'web', 'set': self.set, 'values': ['common.yaml'],
                           'imageValues': {'web.image': 'shop/web', 'hookImage': 'shop/web'}},
                'wait': {'timeout': '60s'}, **more}

    def build(self, version, sequence, **more):
        w = self.w
        digest = self.image(version)
        whole = f'{self.source.host}/shop/web:{version}@{digest}'
        w.write('product/chart/Chart.yaml', {'apiVersion': 'v2', 'name': 'web', 'version': f'{version}'})
        w.write('product/chart/values.yaml', {
            'note': '', 'hookImage': whole, 'database': 'unset', 'beforeSleep': 0, 'afterSleep': 0,
            'web': {'image': {'repository': f'{self.source.host}/shop/web', 'tag': version, 'digest': digest}}})
        w.write('product/common.yaml', {'database': self.database.url})
        w.write('product/chart/templates/web.yaml', WORKLOAD)
        w.write('product/chart/templates/before.yaml', HOOK % {'name': 'before', 'when': 'pre-install,pre-upgrade'})
        w.write('product/chart/templates/after.yaml', HOOK % {'name': 'after', 'when': 'post-install,post-upgrade'})
        w.write('product/chart/crds/crd.yaml', {
            'apiVersion': 'apiextensions.k8s.io/v1', 'kind': 'CustomResourceDefinition', 'metadata': {'name': f'things.{self.name}.example.com'},
            'spec': {'group': f'{self.name}.example.com', 'scope': 'Namespaced', 'names': {'kind': 'Thing', 'plural': 'things'}, 'versions': [
                {'name': 'v1', 'served': True, 'storage': True, 'schema': {'openAPIV3Schema': {'type': 'object'}}}]}})
        w.stack.callback(subprocess.run, [TOOLS / 'kubectl', 'delete', 'crd', f'things.{self.name}.example.com', '--wait=false', '--ignore-not-found'],
                         stdout=subprocess.DEVNULL)
        return super().build(version, sequence, overlays=[], charts=[{'name': 'web', 'from': 'chart'}], **more)

    def helm_json(self, verb, environment):
        out = harness.run([self.helm, verb, 'shop', '-n', self.namespace(environment), '-o', 'json']).expect().out
        return json.loads(out)

    def status(self, environment):
        return self.helm_json('status', environment)['info']['status']

    def revision(self, environment):
        return self.helm_json('status', environment)['version']


def install_upgrade_and_roll_back(w, helm):
    plant = HelmPlant(w, helm)
    one = plant.build('1.0.0', 1)
    plant('install', one, '--yes')
    equal(plant.database.take(), ['before/1.0.0', 'after/1.0.0'] * 2, 'hooks')
    for name in ENVIRONMENTS:
        equal((plant.running(name), plant.status(name), plant.revision(name)), ([plant.digest('1.0.0')], 'deployed', 1), name)
        live = plant.get(name, 'deployment/web')
        equal(live['spec']['template']['metadata']['annotations']['note'], plant.set['note'], 'a value with everything that helm splits at')
    hook = plant.get('staging', 'job/before')['spec']['template']['spec']['containers'][0]['image']
    equal(hook, f'{plant.registry.host}/{plant.name}/shop/web:1.0.0@{plant.digest("1.0.0")}', "the hook's image")
    steps = plant.steps(plant.json('install', one, '--yes'))
    equal((steps['staging/apply/web'], plant.revision('staging')), ('unchanged', 1), 'the same command again')

    plant('install', plant.build('1.1.0', 2), '--yes')
    equal([plant.revision(name) for name in ENVIRONMENTS], [2, 2], 'revisions')
    equal([plant.running(name) for name in ENVIRONMENTS], [[plant.digest('1.1.0')]] * 2, 'digests that run')
    plant.database.take()
    plant('rollback', '--yes')
    equal(plant.database.take(), [], 'hooks of a rollback')
    equal([plant.revision(name) for name in ENVIRONMENTS], [3, 3], 'revisions')
    equal([plant.running(name) for name in ENVIRONMENTS], [[plant.digest('1.0.0')]] * 2, 'digests that run')
    kubectl('delete', '-n', plant.namespace('staging'), 'service/web')
    plant('rollback', '--to', '1.0.0', '--yes')
    check(plant.get('staging', 'service/web'), 'what was deleted is back')


def test_install_upgrade_and_roll_back_with_helm3(w):
    install_upgrade_and_roll_back(w, 'helm3')


def test_install_upgrade_and_roll_back_with_helm4(w):
    install_upgrade_and_roll_back(w, 'helm4')


def failing_hooks(w, helm):
    plant = HelmPlant(w, helm)
    plant('install', plant.build('1.0.0', 1), '--yes')
    before = [plant.generation(name) for name in ENVIRONMENTS]
    plant.database.take()
    plant.database.broken = {'before': 1}
    two = plant.build('1.1.0', 2)
    plant('install', two, '--yes', status=7, says=[f'Job {plant.namespace("staging")}/before failed', '500'])
    equal((plant.database.take(), [plant.generation(name) for name in ENVIRONMENTS]), (['before/1.1.0'], before), 'hooks, generations')
    plant.database.broken = {'after': 1}
    plant('install', two, '--yes', status=8, says=f'Job {plant.namespace("staging")}/after failed')
    equal(plant.generation('production'), before[1], 'generation in production')
    plant('install', two, '--yes')
    equal([plant.running(name) for name in ENVIRONMENTS], [[plant.digest('1.1.0')]] * 2, 'digests that run')


def test_failing_hooks_with_helm3(w):
    failing_hooks(w, 'helm3')


def test_failing_hooks_with_helm4(w):
    failing_hooks(w, 'helm4')


def test_extracted_hooks_are_run_by_gapship(w):
    plant = HelmPlant(w, 'helm4')
    for version, sequence in (('1.0.0', 1), ('1.1.0', 2)):
        bundle = plant.build(version, sequence, environments=['staging'], unit=lambda name: plant.unit(name, hooks='extract'))
        plant('install', bundle, '--yes')
        equal(plant.database.take(), [f'before/{version}', f'after/{version}'], 'hooks')
        equal(plant.running('staging'), [plant.digest(version)], 'digests that run')
        plant('install', bundle, '--yes')
        equal(plant.database.take(), [], 'hooks of the same command again')
    check('gapship.io/bundle' in plant.get('staging', 'job/after')['metadata']['annotations'], 'the Job is of gapship')


def kill_helm(plant, bundle, call):
    """Kills gapship and its helm once the hook has begun to work."""
    plant.database.take()
    process = subprocess.Popen(plant.w.command('install', bundle, '--yes'), cwd=plant.folder, start_new_session=True, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env={**os.environ, **plant.w.environment({'GAPSHIP_HELM': plant.helm})})
    try:
        until = time.monotonic() + 90
        while call not in plant.database.calls and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        check(call in plant.database.calls, f'the hook ran: {plant.database.calls}')
        children = subprocess.run(['pgrep', '-P', str(process.pid)], stdout=subprocess.PIPE, text=True).stdout.split()
        for pid in children:  # each is in a group of its own
            os.kill(int(pid), 9)
    finally:
        process.kill()
        process.wait()
    plant.database.take()


def killed_helm(w, helm):
    plant = HelmPlant(w, helm)
    plant.set['afterSleep'] = '4'
    one = plant.build('1.0.0', 1)
    kill_helm(plant, one, 'after/1.0.0')
    equal(plant.status('staging'), 'pending-install', 'status after the kill')
    uid = plant.get('staging', 'deployment/web')['metadata']['uid']
    plant('install', one, '--yes', says='is pending-install: an earlier run was killed')
    equal([plant.status(name) for name in ENVIRONMENTS], ['deployed'] * 2, 'status')
    equal(plant.get('staging', 'deployment/web')['metadata']['uid'], uid, 'the Deployment was not made anew')
    plant.set['beforeSleep'] = '4'
    two = plant.build('1.1.0', 2)
    kill_helm(plant, two, 'before/1.1.0')
    equal((plant.status('staging'), plant.running('staging')), ('pending-upgrade', [plant.digest('1.0.0')]), 'after the kill')
    done = plant('install', two, '--yes', says=['is pending-upgrade: an earlier run was killed', 'waiting for Job'])
    equal([plant.status(name) for name in ENVIRONMENTS], ['deployed'] * 2, f'status\n{done}')
    equal([plant.running(name) for name in ENVIRONMENTS], [[plant.digest('1.1.0')]] * 2, 'digests that run')


def test_a_killed_helm3_is_recovered(w):
    killed_helm(w, 'helm3')


def test_a_killed_helm4_is_recovered(w):
    killed_helm(w, 'helm4')


if __name__ == '__main__':
    harness.main()
