"""Mirai: three applications in one GitOps repository, each with an image, a commit and a way back of its own; Argo CD runs the
migration."""
import re
import threading
import time

import harness
from gitops import Example
from harness import check, equal

APPS = {'backend': 'k8s/backend', 'frontend': 'k8s/frontend', 'marketing': 'k8s/frontend-marketing'}
TAGS = {'backend': 'e5c2216', 'frontend': '4b7d1f0', 'marketing': '9a03c5d'}
IMAGE = 'sogos-llc/mirai-app/mirai-'


def example(w):
    return Example(w, 'mirai', tree='k8s', prefix='platform', places={name: ('main', path) for name, path in APPS.items()},
                   inputs={'production': {f'{name.upper()}_URL': name for name in APPS}})


def retag(mirai, app, new, **options):
    mirai.retag(f'{IMAGE}{app}', TAGS[app], new, APPS[app].removeprefix('k8s/'), **options)


def next_release(mirai, tag='f00ba47'):
    """1.19.0: a new build of the backend alone."""
    retag(mirai, 'backend', tag)
    mirai.release('1.19.0', 2)
    return mirai.build()


def subjects(mirai):
    return mirai.git.subjects('mirai')[:-1]


def trees(mirai):
    return {name: mirai.git.git('mirai', 'rev-parse', f'main:{path}') for name, path in APPS.items()}


def test_M1_a_change_of_the_backend_touches_the_backend(w):
    mirai = example(w)
    mirai('install', mirai.build(), '--yes')
    equal(sorted(subjects(mirai)), [f'chore: update {name} image to {TAGS[name]}' for name in APPS], 'commits of the first release')
    before = trees(mirai)
    pushed = mirai.json('install', next_release(mirai), '--yes')
    equal(subjects(mirai)[0], 'chore: update backend image to f00ba47', 'newest commit')
    equal(len(subjects(mirai)), 4, 'commits')
    equal(mirai.git.changed('mirai'), ['k8s/backend/kustomization.yaml'], 'paths')
    after = trees(mirai)
    equal({name for name in APPS if after[name] != before[name]}, {'backend'}, 'applications that changed')
    states = {step['step']: step['state'] for step in pushed['environments'][0]['steps']}
    equal({name: states[f'apply/{name}'] for name in APPS}, {'backend': 'done', 'frontend': 'unchanged', 'marketing': 'unchanged'}, 'steps')


def test_M2_tags_are_what_the_release_says_and_no_more(w):
    mirai = example(w)
    for app, tag in (('backend', '1234567'), ('frontend', '0123456'), ('marketing', '1234e56')):
        retag(mirai, app, tag, quote='"')
    mirai('install', mirai.build(), '--yes')
    for app, tag in (('backend', '1234567'), ('frontend', '0123456'), ('marketing', '1234e56')):
        text = mirai.git.show('mirai', f'{APPS[app]}/kustomization.yaml')
        check(f'newTag: "{tag}"  # Updated by GitHub Actions' in text.splitlines(True)[-1], f'the tag of {app} is not quoted:\n{text}')
        image = f'{mirai.repository(f"mirai/{app}")}:{tag}'
        equal(set(re.findall(r'image: (\S+)', mirai.render('main', APPS[app]))), {image}, f'what runs as {app}')
        equal(mirai.registry.tags(f'platform/mirai/{app}'), [tag], f'tags of {app}')
        equal(mirai.registry.digest(f'platform/mirai/{app}:{tag}'), mirai.source.digest(f'{IMAGE}{app}:{tag}'), f'digest of {app}')


def test_M2_an_entry_that_gapship_adds_is_quoted(w):
    mirai = example(w)
    mirai.patch('k8s/backend/kustomization.yaml', r'^images:\n(  .*\n)*', '')
    old = 'e5c2216'
    mirai.patch('k8s/backend/deployment.yaml', rf'({IMAGE}backend)$', rf'\1:{old}')
    mirai.patch('k8s/backend/migration-job.yaml', rf'({IMAGE}backend)$', rf'\1:{old}')
    for i, tag in enumerate(('1234567', '0123456', '1234e56')):
        mirai.w.image(mirai.source, f'{IMAGE}backend:{tag}', content={'version': tag.encode()})
        for path in ('release.yaml', 'k8s/backend/deployment.yaml', 'k8s/backend/migration-job.yaml'):
            mirai.patch(path, rf'{IMAGE}backend:{old}', f'{IMAGE}backend:{tag}')
        old = tag
        mirai.release(f'1.{19 + i}.0', 2 + i)
        mirai('install', mirai.build(), '--yes')
        equal(mirai.git.show('mirai', 'k8s/backend/kustomization.yaml').splitlines()[-1].strip(), f'newTag: "{tag}"', 'last line')
        images = set(re.findall(r'image: (\S+)', mirai.render('main', APPS['backend'])))
        equal(images, {f'{mirai.repository("mirai/backend")}:{tag}'}, 'what runs')


def test_M2_an_unquoted_number_is_no_tag(w):
    mirai = example(w)
    mirai.patch('k8s/backend/kustomization.yaml', 'newTag: e5c2216', 'newTag: 1234567')
    w.gapship('build', '--unsigned', cwd='mirai', status=4,
              says=['backend/kustomization.yaml:14:13', 'newTag: 1234567 is no text', 'newTag: "1234567"'])


def test_M3_a_commit_changes_the_image_and_keeps_the_comment(w):
    mirai = example(w)
    mirai('install', mirai.build(), '--yes')
    for revision in ('main~2', 'main~1', 'main'):
        path, = mirai.git.changed('mirai', revision)
        app = next(name for name in APPS if path == f'{APPS[name]}/kustomization.yaml')
        there = mirai.repository(f'mirai/{app}')
        equal(mirai.diff(revision), [f'-    newName: {mirai.source.host}/{IMAGE}{app}', f'+    newName: {there}'], app)
    mirai('install', next_release(mirai), '--yes')
    equal(mirai.diff('main'), [f'{sign}    newTag: {tag}  # Updated by GitHub Actions' for sign, tag in (('-', 'e5c2216'), ('+', 'f00ba47'))],
          'upgrade')


def test_M4_messages_are_the_teams_own(w):
    mirai = example(w)
    one = mirai.build()
    mirai('install', one, '--yes')
    two = next_release(mirai)
    mirai('install', two, '--yes')
    digests = {row['version']: row['bundle'] for row in mirai.json('history', '--audit')['rows'] if row['kind'] == 'accepted'}
    equal(mirai.messages()[0], f'chore: update backend image to f00ba47\n\n[skip ci]\n\nBundle: mirai@1.19.0 {digests["1.19.0"]}\n', 'update')
    trailers = mirai.git.git('mirai', 'log', '-1', '--format=%(trailers:key=Bundle,valueonly)', 'main').strip()
    equal(trailers, f'mirai@1.19.0 {digests["1.19.0"]}', 'trailer, as git reads it')
    mirai('rollback', '--yes')
    equal(mirai.messages()[0], f'chore: rollback backend to e5c2216\n\n[skip ci]\n\nBundle: mirai@1.18.0 {digests["1.18.0"]}\n', 'rollback')
    found = mirai.git.git('mirai', 'log', '--format=%s', '--grep=update.*image', 'main').splitlines()
    equal(found[0], 'chore: update backend image to f00ba47', 'the newest that git log --grep finds')
    equal(len(found), 4, f'all that it finds: {found}')


class Racer:
    """Somebody else, who pushes a commit of his own just before each of the next `times` pushes arrives."""

    def __init__(self, mirai, times):
        left = mirai.w.write('left', str(times))
        self.log = mirai.w.path / 'pushes'
        hook = mirai.git.folder / 'mirai.git/hooks/pre-receive'
        # the branch moves while the push is under way: git then refuses the push for its old value
        hook.write_text(f'''#!/bin/sh
unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
date +%s.%N >>{self.log}
left=$(cat {left})
[ "$left" -gt 0 ] || exit 0
echo $((left - 1)) >{left}
export GIT_INDEX_FILE={mirai.w.path}/racer.index GIT_AUTHOR_NAME=other GIT_AUTHOR_EMAIL=o@x GIT_COMMITTER_NAME=other GIT_COMMITTER_EMAIL=o@x
git read-tree main
blob=$(echo "written $left" | git hash-object -w --stdin)
git update-index --add --cacheinfo 100644,$blob,other-$left.txt
git update-ref refs/heads/main $(git commit-tree -p main -m "feat: something else $left" $(git write-tree))
''')
        hook.chmod(0o755)

    def check_pushes(self, count):
        """So many, with the pause of five seconds between them."""
        moments = [float(line) for line in self.log.read_text().split()]
        pauses = [later - earlier for earlier, later in zip(moments, moments[1:])]
        equal(len(moments), count, 'pushes')
        check(all(5 <= pause < 15 for pause in pauses), f'pauses {pauses}')


def test_M5_somebody_else_pushes_first_once(w):
    mirai = example(w)
    mirai('install', mirai.build(), '--yes')
    racer = Racer(mirai, 1)
    mirai('install', next_release(mirai), '--yes', says='somebody else pushed to main; trying again on the new head')
    equal(subjects(mirai)[:2], ['chore: update backend image to f00ba47', 'feat: something else 1'], 'both commits, ours on theirs')
    equal(mirai.git.changed('mirai'), ['k8s/backend/kustomization.yaml'], 'paths of ours')
    equal(mirai.git.show('mirai', 'other-1.txt'), 'written 1', 'their file')
    racer.check_pushes(2)


def test_M5_somebody_else_always_pushes_first(w):
    mirai = example(w)
    mirai('install', mirai.build(), '--yes')
    racer = Racer(mirai, 3)
    two = next_release(mirai)
    mirai('install', two, '--yes', status=8, says=['after 3 tries', 'run the same command again'])
    equal(subjects(mirai)[:4], [f'feat: something else {i}' for i in (1, 2, 3)] + subjects(mirai)[3:4], 'commits')
    check('newTag: e5c2216' in mirai.git.show('mirai', 'k8s/backend/kustomization.yaml'), 'a refused push changed the tag')
    racer.check_pushes(3)
    mirai('install', two, '--yes')
    equal(subjects(mirai)[:4], ['chore: update backend image to f00ba47'] + [f'feat: something else {i}' for i in (1, 2, 3)], 'commits')


def test_M10_each_phase_has_its_duration(w):
    mirai = example(w)
    one = mirai.build()
    mirai.delay = 1.2
    began = time.monotonic()
    result = mirai.json('install', one, '--yes')
    whole = time.monotonic() - began
    steps = result['environments'][0]['steps']
    check(all('duration' in step for step in steps), f'a step has no duration: {steps}')
    equal([step['duration'] for step in steps if step['step'].startswith('verify/')], [1, 1, 1], 'seconds of each slow answer')
    check(sum(step['duration'] for step in steps) <= whole, 'the parts are longer than the whole')
    done = {row['step']: row for row in mirai.json('history', '--audit')['rows'] if row['kind'] == 'step' and row['state'] == 'done'}
    for step in ('load', 'apply/backend', 'apply/frontend', 'apply/marketing', 'verify/1', 'verify/2', 'verify/3'):
        check('duration' in done[step], f'the row of {step} has no duration: {done[step]}')


def test_M12_a_rollback_is_a_commit_and_nothing_else(w):
    mirai = example(w)
    calls = w.path / 'calls'
    wrapper = w.write('kubectl', f'#!/bin/sh\necho "$*" >>{calls}\nexec {harness.CACHE}/tools/kubectl "$@"\n', 0o755)
    mirai('install', mirai.build(), '--yes')
    before = trees(mirai)
    mirai('install', next_release(mirai), '--yes')
    mirai('rollback', '--yes', env={'GAPSHIP_KUBECTL': str(wrapper), 'GAPSHIP_TOOL_PATHS': f'{w.path}:{harness.CACHE}'})
    equal(trees(mirai), before, 'trees')
    equal(subjects(mirai)[0], 'chore: rollback backend to e5c2216', 'commit')
    equal(mirai.diff('main'), [f'{sign}    newTag: {tag}  # Updated by GitHub Actions' for sign, tag in (('-', 'f00ba47'), ('+', 'e5c2216'))],
          'lines')
    equal({line.split()[0] for line in calls.read_text().splitlines()} - {'version', 'kustomize'}, set(), 'what kubectl was used for')
    steps = [row['step'] for row in mirai.json('history', '--audit')['rows'] if row['kind'] == 'step']
    equal([step for step in steps if step.startswith(('migrate', 'down'))], [], 'migrations that gapship ran')
    equal(mirai.json('status')['environments'][0]['version'], '1.18.0', 'version')


harness.main()
