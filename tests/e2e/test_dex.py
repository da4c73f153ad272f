"""DEX: overlays for dev, stage and prod in one repository of two branches, one commit an environment, and the way back."""
import re

import harness
from gitops import Example
from harness import check, equal

OVERLAYS = 'infra/argocd/overlays'
PLACES = {'dev': ('dev', f'{OVERLAYS}/dev'), 'stage': ('main', f'{OVERLAYS}/stage'), 'prod': ('main', f'{OVERLAYS}/prod')}
IMAGE = 'data-literate/dex'
DEV, MAIN = 'sha-1a2b3c4d', 'sha-9f8e7d6c'


def example(w):
    return Example(w, 'dex', tree='infra', places=PLACES, inputs={name: {'DEX_URL': name} for name in PLACES})


def next_release(dex):
    """2.5.0: a new build of main, for stage and prod."""
    dex.retag(IMAGE, MAIN, 'sha-0badcafe', 'argocd/overlays/stage', 'argocd/overlays/prod')
    dex.release('2.5.0', 2)
    return dex.build()


def values(text, key):
    return re.findall(rf'^[\s-]*{key}: (.*)$', text, re.MULTILINE)


def subjects(dex, branch):
    return dex.git.subjects('dex', branch)[:-1]


def test_D1_each_environment_is_its_row_of_the_table(w):
    dex = example(w)
    preview = dex.git.git('dex', 'rev-parse', f'main:{OVERLAYS}/preview')
    bundle = dex.build()
    plan = dex.json('plan', bundle, status=20)
    equal([environment['name'] for environment in plan['environments']], ['dev', 'stage', 'prod'], 'environments')
    dex('install', bundle, '--yes')
    table = {  # namespace, replicas, log level, image, cpu, memory
        'dev': ('dex-dev', '2', 'DEBUG', f'data-literate/dex-dev:{DEV}', '100m', '128Mi'),
        'stage': ('dex-stage', '2', 'INFO', f'{IMAGE}:{MAIN}', '100m', '128Mi'),
        'prod': ('dex-prod', '3', 'WARN', f'{IMAGE}:{MAIN}', '200m', '256Mi'),
    }
    for name, (namespace, replicas, level, image, cpu, memory) in table.items():
        text = dex.render(*PLACES[name])
        for key, wanted in (('namespace', [namespace] * 2), ('replicas', [replicas]), ('value', [level]), ('cpu', [cpu] * 2),
                            ('memory', [memory] * 2), ('image', [dex.repository(image)]), ('path', ['/health'] * 2),
                            ('port', ['8000', '8000', '8000'])):
            equal(values(text, key), wanted, f'{key} of {name}')
    for branch in ('dev', 'main'):
        equal(dex.git.git('dex', 'rev-parse', f'{branch}:{OVERLAYS}/preview'), preview, f'the preview overlay in {branch}')


def test_D2_overlays_are_rendered_without_a_network(w):
    dex = example(w)
    log = w.path / 'calls'
    wrapper = w.write('kubectl', f'''#!/bin/sh
case "$*" in *kustomize*)
  {{ echo "home: $(ls -A "$HOME" | wc -l)"; echo "devices: $(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' \\n')"; }} >>{log};;
esac
exec {harness.CACHE}/tools/kubectl "$@"
''', 0o755)
    if harness.run(['unshare', '-rn', 'true']).status:
        raise harness.Skip('the kernel lets nobody take the network away')
    dex.build(env={'GAPSHIP_KUBECTL': str(wrapper), 'GAPSHIP_TOOL_PATHS': f'{w.path}:{harness.CACHE}:/proc'})
    equal(set(log.read_text().splitlines()), {'home: 0', 'devices: lo'}, 'what kubectl could see')
    dex.release('2.5.0', 2)
    dex.patch('infra/argocd/overlays/prod/kustomization.yaml', r'- \.\./\.\./base',
              '- https://github.com/data-literate/DEX//infra/argocd/base?ref=main')
    w.gapship('build', '--unsigned', cwd='dex', status=4, says=['overlays/prod/kustomization.yaml', 'https://github.com/data-literate/DEX'])


def test_D3_the_image_is_relocated_in_the_outermost_overlay(w):
    dex = example(w)
    dex('install', dex.build(), '--yes')
    for name, (branch, path) in PLACES.items():
        image = dex.repository('data-literate/dex-dev' if name == 'dev' else IMAGE)
        tag = DEV if name == 'dev' else MAIN
        equal(values(dex.render(branch, path), 'image'), [f'{image}:{tag}'], f'image of {name}')
        equal(dex.diff(branch if name != 'stage' else 'main~1'), [f'+    newName: {image}'], f'lines of the commit for {name}')
        equal(dex.registry.digest(f'{image.partition("/")[2]}:{tag}'), dex.source.digest(f'{IMAGE}:{tag}'), f'digest for {name}')


def test_D3_a_base_that_renames_what_an_overlay_retags_is_no_release(w):
    dex = example(w)
    dex.patch('infra/argocd/base/kustomization.yaml', r'newName: .*$', 'newName: docker.io/myorg/dex\n    newTag: v1.0.0')
    said = w.gapship('build', '--unsigned', cwd='dex', status=4, says=[f'names {dex.source.host}/{IMAGE}', 'docker.io/myorg/dex:v1.0.0'])
    check('kustomization.yaml:' in said.err, f'no line is named\n{said}')


def test_D4_stage_and_prod_must_run_one_digest(w):
    dex = example(w)
    dex.w.image(dex.source, f'{IMAGE}:sha-0badcafe', content={'version': b'another'})
    dex.patch('infra/argocd/overlays/prod/kustomization.yaml', MAIN, 'sha-0badcafe')
    dex.patch('release.yaml', r'^(- \{from: ")([^"]*):sha-9f8e7d6c", as: data-literate/dex(.*)$',
              rf'\g<0>\n\1\2:sha-0badcafe", as: data-literate/dex-other\3')
    w.gapship('build', '--unsigned', cwd='dex', status=4, says=['stage runs', 'prod runs', 'the invariant wants the same digest in both'])
    equal(list(w.path.glob('dex/*.gapship')), [], 'bundles')


def test_D5_each_environment_is_one_commit_on_its_branch(w):
    dex = example(w)
    one = dex.build()
    dex('install', one, '--yes')
    equal(subjects(dex, 'dev'), [f'chore: update dev image to {DEV} [skip ci]'], 'branch dev')
    equal(subjects(dex, 'main'), [f'chore: update {name} image to {MAIN} [skip ci]' for name in ('prod', 'stage')], 'branch main')
    for revision, name in (('dev', 'dev'), ('main~1', 'stage'), ('main', 'prod')):
        equal(dex.git.changed('dex', revision), [f'{OVERLAYS}/{name}/kustomization.yaml'], f'paths of the commit for {name}')
    digest = 'sha256:' + next((dex.site / 'store/bundles').iterdir()).stem
    for branch in ('dev', 'main'):
        equal(dex.messages(branch)[0].split('\n')[1:], ['', f'Bundle: dex@2.4.0 {digest}', ''], f'body in {branch}')

    two = next_release(dex)
    dex.broken.add('stage')
    dex('install', two, '--yes', status=9, says='stage/verify/1')
    equal(subjects(dex, 'main')[0], 'chore: update stage image to sha-0badcafe [skip ci]', 'prod waits for stage')
    dex.broken.clear()
    dex('install', two, '--yes')
    equal(subjects(dex, 'main')[:2], [f'chore: update {name} image to sha-0badcafe [skip ci]' for name in ('prod', 'stage')], 'branch main')
    equal(subjects(dex, 'dev'), [f'chore: update dev image to {DEV} [skip ci]'], 'dev has nothing new')
    equal(dex.diff('main'), [f'-    newTag: {MAIN}', '+    newTag: sha-0badcafe'], 'lines')


def test_D8_a_rollback_is_a_commit_that_restores_the_environment_alone(w):
    dex = example(w)
    dex('install', dex.build(), '--yes')
    dex.commit(f'{OVERLAYS}/prod/NOTES.md', 'what people put there stays\n')
    tree = {name: dex.git.git('dex', 'rev-parse', f'{branch}:{path}') for name, (branch, path) in PLACES.items()}
    dex.patch('infra/argocd/overlays/prod/kustomization.yaml', r'count: 3', 'count: 5')
    dex.patch('infra/argocd/overlays/prod/kustomization.yaml', r'^  - \.\./\.\./base$', '  - ../../base\n  - budget.yaml')
    (dex.folder / 'infra/argocd/overlays/prod/budget.yaml').write_text(
        'apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: dex}\nspec: {maxUnavailable: 1}\n')
    dex('install', next_release(dex), '--yes')
    stage = dex.git.git('dex', 'rev-parse', f'main:{OVERLAYS}/stage')
    check(stage != tree['stage'], 'the upgrade changed nothing')
    equal(values(dex.render(*PLACES['prod']), 'replicas'), ['5'], 'replicas')
    head = dex.git.git('dex', 'rev-parse', 'main')

    dex('rollback', '--environment', 'prod', '--yes')
    equal(subjects(dex, 'main')[0], f'chore: rollback prod image to {MAIN} [skip ci]', 'subject')
    equal(dex.git.git('dex', 'rev-parse', 'main~1'), head, 'history goes on')
    equal(dex.git.git('dex', 'rev-parse', f'main:{OVERLAYS}/prod'), tree['prod'], 'the tree of prod')
    equal(dex.git.git('dex', 'rev-parse', f'main:{OVERLAYS}/stage'), stage, 'the tree of stage')
    check(all(path.startswith(f'{OVERLAYS}/prod/') for path in dex.git.changed('dex')), f'paths {dex.git.changed("dex")}')

    dex('rollback', '--yes')
    equal(subjects(dex, 'main')[0], f'chore: rollback stage image to {MAIN} [skip ci]', 'subject')
    equal({name: dex.git.git('dex', 'rev-parse', f'{branch}:{path}') for name, (branch, path) in PLACES.items()}, tree, 'all trees')
    equal(subjects(dex, 'dev'), [f'chore: update dev image to {DEV} [skip ci]'], 'branch dev')


def test_D9_what_is_rendered_can_be_reviewed(w):
    dex = example(w)
    bundle = dex.build()
    plan = dex.json('plan', bundle, status=20)
    for environment in plan['environments']:
        branch, path = PLACES[environment['name']]
        said = str(environment)
        check(f'{path}/kustomization.yaml in {branch}' in said, f'the plan of {environment["name"]} does not show it: {said}')
    dex('install', bundle, '--yes')
    for name, place in PLACES.items():
        golden = harness.TESTS / 'e2e' / 'golden' / f'dex-{name}.yaml'
        equal(dex.render(*place).replace(dex.registry.host, 'REGISTRY'), golden.read_text(), f'rendering of {name}')
    dex('plan', bundle, status=0)


def test_D9_the_same_overlay_can_be_applied_without_git(w):
    """`kubectl apply -k` of the document; what it does to a cluster is tested with one."""
    dex = example(w)
    dex.patch('release.yaml', r'^- name: stage\n(.*\n)*?    target:\n(      .*\n)*    hooks: native$',
              '- name: stage\n  units:\n  - name: dex\n    source: {overlay: argocd, path: overlays/stage}\n'
              '    target: {kind: kubectl, namespace: dex-stage}\n    hooks: extract')
    bundle = dex.build()
    dex('plan', bundle, '--to', 'dev', status=20)
    dex('plan', bundle, status=4, says=['stage', 'kubeconfig'])


harness.main()
