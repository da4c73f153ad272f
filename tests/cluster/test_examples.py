"""The examples' own images run under the examples' own manifests: pods become ready, the migration needs its Secret."""
import os
import subprocess

import harness
from harness import equal

KUBECTL = f'{os.environ["CLUSTER_TOOLS"]}/kubectl'


def kubectl(*words, timeout=120):
    return harness.run([KUBECTL, *words], timeout=timeout).expect().out


def namespace(w, name):
    kubectl('create', 'namespace', name)
    delete = [KUBECTL, 'delete', 'namespace', name, '--wait=false']
    w.stack.callback(subprocess.run, delete, stdout=subprocess.DEVNULL)


def images(example):
    harness.run([harness.EXAMPLES / example / 'make-images', os.environ['CLUSTER_REGISTRY']]).expect()


def test_dex_becomes_ready(w):
    if not os.environ['CLUSTER_NODE']:
        raise harness.Skip('this cluster has no node')
    images('dex')
    namespace(w, 'dex-stage')
    kubectl('apply', '-k', harness.EXAMPLES / 'dex/infra/argocd/overlays/stage')
    kubectl('rollout', 'status', '-n', 'dex-stage', 'deployment/dex', '--timeout=90s')
    answer = kubectl('exec', '-n', 'dex-stage', 'deployment/dex', '--', 'cat', '/srv/health')
    equal(answer, '{"status": "ok", "version": "sha-9f8e7d6c"}', 'health')


def test_mirai_migrates_and_becomes_ready(w):
    if not os.environ['CLUSTER_NODE']:
        raise harness.Skip('this cluster has no node')
    images('mirai')
    namespace(w, 'mirai')
    kubectl('create', 'secret', 'generic', 'mirai-backend', '-n', 'mirai', '--from-literal=DATABASE_URL=postgres://mirai')
    for folder in ('backend', 'frontend', 'frontend-marketing'):
        kubectl('apply', '-k', harness.EXAMPLES / 'mirai/k8s' / folder)
    kubectl('wait', '-n', 'mirai', '--for=condition=Complete', 'job/mirai-migrate', '--timeout=90s')
    equal(kubectl('logs', '-n', 'mirai', 'job/mirai-migrate'), 'migrating postgres://mirai\nmigrations are complete\n', 'log')
    for name in ('mirai-backend', 'mirai-frontend', 'mirai-marketing'):
        kubectl('rollout', 'status', '-n', 'mirai', f'deployment/{name}', '--timeout=90s')


harness.main()
