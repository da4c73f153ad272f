"""The examples are what their documents say: rendered by the real kubectl, and their images are real."""
import re

import harness
from harness import check, equal

KUBECTL = harness.CACHE / 'tools' / 'kubectl'


def render(path):
    harness.need(str(KUBECTL))
    return harness.run([KUBECTL, 'kustomize', path]).expect().out


def values(text, key):
    """Every value of a key, in order."""
    return re.findall(rf'^[\s-]*{key}: (.*)$', text, re.MULTILINE)


def test_dex_environments_are_those_of_its_table(w):
    table = {  # namespace, replicas, log level, tag, cpu, memory
        'dev': ('dex-dev', '2', 'DEBUG', 'sha-1a2b3c4d', '100m', '128Mi'),
        'stage': ('dex-stage', '2', 'INFO', 'sha-9f8e7d6c', '100m', '128Mi'),
        'prod': ('dex-prod', '3', 'WARN', 'sha-9f8e7d6c', '200m', '256Mi'),
        'preview': ('dex-pr-{{pr_number}}', '2', 'DEBUG', 'sha-{{pr_commit}}', '100m', '128Mi'),
    }
    for environment, (namespace, replicas, level, tag, cpu, memory) in table.items():
        text = render(harness.EXAMPLES / 'dex/infra/argocd/overlays' / environment)
        for key, wanted in (('namespace', [namespace] * 2), ('replicas', [replicas]), ('value', [level]), ('cpu', [cpu] * 2),
                            ('memory', [memory] * 2), ('image', [f'ghcr.io/data-literate/dex:{tag}']), ('path', ['/health'] * 2)):
            equal(values(text, key), wanted, f'{key} of {environment}')


def test_mirai_applications_are_hardened_and_probed(w):
    for folder, name, probe, images in (('backend', 'mirai-backend', '/health', 2), ('frontend', 'mirai-frontend', '/api/health', 1),
                                        ('frontend-marketing', 'mirai-marketing', '/', 1)):
        text = render(harness.EXAMPLES / 'mirai/k8s' / folder)
        equal(values(text, 'path'), [probe] * 3, f'probes of {folder}')
        equal(values(text, 'replicas') + values(text, 'maxSurge'), ['3', '1'], f'replicas and surge of {folder}')
        equal(values(text, 'maxUnavailable'), ['0', '1'], f'rollout and disruption budget of {folder}')
        equal(len(values(text, 'image')), images, f'images of {folder}')
        for key, wanted in (('runAsNonRoot', 'true'), ('readOnlyRootFilesystem', 'true'), ('allowPrivilegeEscalation', 'false'),
                            ('type', 'RuntimeDefault')):
            equal(values(text, key).count(wanted), images, f'{key} of {folder}')
    backend = harness.EXAMPLES / 'mirai/k8s/backend'
    check('newTag: e5c2216  # Updated by GitHub Actions\n' in (backend / 'kustomization.yaml').read_text(), 'the comment on newTag')
    equal((values(render(backend), 'argocd.argoproj.io/hook'), values(render(backend), 'kind').count('NetworkPolicy')),
          (['PreSync'], 3), 'hook and network policies')


def test_images_are_pushed_with_different_digests(w):
    registry = w.registry()
    for example, names in (('dex', ['data-literate/dex:sha-1a2b3c4d', 'data-literate/dex:sha-9f8e7d6c']),
                           ('mirai', ['sogos-llc/mirai-app/mirai-backend:e5c2216', 'sogos-llc/mirai-app/mirai-frontend:4b7d1f0',
                                      'sogos-llc/mirai-app/mirai-marketing:9a03c5d'])):
        made = harness.run([harness.EXAMPLES / example / 'make-images', registry.host]).expect().out.split()
        equal(len(set(made)), len(names), 'images made')
        for name, line in zip(names, made):
            equal(f'{registry.host}/{name}@{registry.digest(name)}', line, name)
            check(f'ghcr.io/{name}"' in (harness.EXAMPLES / example / 'release.yaml').read_text(), f'{name} is not in release.yaml')


def test_a_copy_names_the_registry_that_has_its_images(w):
    registry = w.registry()
    folder = w.example('dex', registry)
    equal(values(render(folder / 'infra/argocd/overlays/prod'), 'image'), [f'{registry.host}/data-literate/dex:sha-9f8e7d6c'], 'image')
    check(registry.digest('data-literate/dex:sha-9f8e7d6c'), 'the image is not there')


harness.main()
