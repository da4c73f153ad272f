"""The build side: init, images, lock, build; the same bytes every time, and nothing half done."""
import filecmp
import json
import os
import shutil
import signal
import subprocess
import time

import harness
import mkimage
from fault_registry import FaultRegistry, stall
from harness import check, equal
from product import Product, deployment, unit

IDENTITY = ['-c', 'user.name=test', '-c', 'user.email=test@gapship.test']


def git(folder, *words, **env):
    return harness.run(['git', *IDENTITY, *words], cwd=folder, env=env).expect().out.strip()


def committed(product, message='Change it'):
    """Commits all of the product's folder; returns the commit."""
    if not (product.path / '.git').exists():
        git(product.path, 'init', '-q', '-b', 'main')
    git(product.path, 'add', '-A')
    git(product.path, 'commit', '-qm', message, GIT_COMMITTER_DATE='2026-02-03T04:05:06Z')
    return git(product.path, 'rev-parse', 'HEAD')


def served(w, registry, name='org/app', tag='1', **options):
    """An image in a fault registry, which has no upload of its own. Returns the blobs' digests, largest last."""
    digest = mkimage.make(w.layout, name.replace('/', '-'), **options)
    blobs = w.layout / 'blobs/sha256'
    manifest = json.loads((blobs / digest[7:]).read_text())
    registry.add_manifest(name, tag, (blobs / digest[7:]).read_bytes())
    descriptors = sorted([manifest['config'], *manifest['layers']], key=lambda descriptor: descriptor['size'])
    return [registry.add_blob((blobs / descriptor['digest'][7:]).read_bytes()) for descriptor in descriptors]


def one_image(w, registry, **more):
    w.image(registry, 'org/app:1')
    image = f'{registry.host}/org/app:1'
    return Product(w, [image], [image], **more)


# ---- release.lock

def test_the_lock_is_written_and_checked(w):
    registry = w.registry()
    product = one_image(w, registry)
    product('lock', '--check', status=4, says=['there is no release.lock', 'gapship lock'])
    product('lock', says='release.lock: 2 changed')
    equal(product.locked()['org/app']['digest'], registry.digest('org/app:1'), 'digest')
    product('lock', says='release.lock is up to date')
    product('lock', '--check', says='release.lock is up to date')
    product.write('k8s/more.yaml', deployment(f'{registry.host}/org/app:1', name='more'))
    before = (product.path / 'release.lock').read_bytes()
    product('lock', '--check', status=4, says='release.lock is not up to date: 1 entry would change')
    equal((product.path / 'release.lock').read_bytes(), before, 'the lock after --check')
    (product.path / 'k8s/more.yaml').unlink()
    product.run()
    product.save(images=[])
    product('lock', '--check', status=4, says='release.lock is not up to date: 2 entries would change')
    product('lock', says='release.lock: 2 changed')
    equal(product.lock().get('images'), None, 'images of the lock')


def test_a_tag_that_moved_is_refused_until_it_is_updated(w):
    registry = w.registry()
    product = one_image(w, registry)
    w.image(registry, 'org/other:1')
    product.save(images=[{'from': f'{registry.host}/org/{name}:1'} for name in ('app', 'other')])
    product('lock')
    old = registry.digest('org/app:1')
    for name in ('app', 'other'):
        w.image(registry, f'org/{name}:1', content={'changed': b''})
    new = registry.digest('org/app:1')
    for command in (['lock'], ['lock', '--check'], ['build', '--unsigned']):
        product(*command, status=4, says=[f'org/app:1 is {new} now, but release.lock has {old}', 'gapship lock --update org/app'])
    product('lock', '--update', 'org/app', status=4, says='gapship lock --update org/other')
    product('lock', '--update', 'org/app', 'org/other', says='release.lock: 2 changed')
    equal(product.locked()['org/app']['digest'], new, 'digest')
    product.build()


def test_a_pinned_digest_stays_when_its_tag_moves(w):
    registry = w.registry()
    old = w.image(registry, 'org/app:1')
    image = f'{registry.host}/org/app:1@{old}'
    product = Product(w, [image], [image])
    product('lock')
    w.image(registry, 'org/app:1', content={'changed': b''})
    product.build()
    equal(product.locked()['org/app']['digest'], old, 'digest')


def test_a_name_that_is_not_in_the_release_cannot_be_updated(w):
    product = one_image(w, w.registry())
    product('lock', '--update', 'org/ap', status=2, says=['org/ap', 'org/app'])
    product('lock', 'org/app', status=2, says='--update')


def test_a_lock_that_somebody_wrote_is_checked(w):
    product = one_image(w, w.registry())
    product('lock')
    text = (product.path / 'release.lock').read_text()
    product.write('release.lock', text.replace('"digest": "sha256:', '"digest": "sha255:', 1))
    product('build', '--unsigned', status=2, says=['release.lock:', 'a digest'])
    product.write('release.lock', '<<<<<<< HEAD\n' + text)
    product('build', '--unsigned', status=2, says='release.lock:1:1')


def git_overlay(w, ref):
    """A product whose overlay is the tree of a git ref. (product, the git server)"""
    w.write('tree/deploy/base/app.yaml', deployment('org/app:1'))
    w.write('tree/deploy/base/kustomization.yaml', 'resources: [app.yaml]\n')
    w.write('tree/deploy/prod/kustomization.yaml', 'resources: [../base]\n')
    w.write('tree/README.md', 'not carried\n')
    server = w.git()
    url = server.create('deploy', w.path / 'tree')
    mkimage.make(w.path / 'product/layout', '1')
    product = Product(w, [{'from': 'oci:layout:1', 'as': 'org/app'}],
                      overlays=[{'name': 'deploy', 'from': 'deploy', 'git': {'url': url, 'ref': ref}}],
                      environments=[{'name': 'prod', 'units': [unit({'overlay': 'deploy', 'path': 'prod'})]}])
    return product, server


def pushed(server, w):
    """Another commit on main; returns it."""
    git(w.path, 'clone', '-q', server.url('deploy'), 'clone')
    w.write('clone/deploy/prod/kustomization.yaml', 'resources: [../base]\nnamespace: other\n')
    git(w.path / 'clone', 'commit', '-qam', 'Move it')
    git(w.path / 'clone', 'push', '-q')
    return server.git('deploy', 'rev-parse', 'main')


def test_an_overlay_of_a_git_branch_is_pinned(w):
    product, server = git_overlay(w, 'main')
    first = server.git('deploy', 'rev-parse', 'main')
    product.build()
    equal(product.lock()['overlays'][0]['commit'], first, 'commit')
    product('extract', product.bundle, 'overlay/deploy', '-o', w.path / 'deploy.tgz')
    names = harness.run(['tar', 'tzf', w.path / 'deploy.tgz']).expect().out.split()
    equal(names, ['base/app.yaml', 'base/kustomization.yaml', 'prod/kustomization.yaml'], 'files of the overlay')
    second = pushed(server, w)
    product('build', '--unsigned', '--force', status=4, says=[f'overlay deploy is at commit {second} now, but release.lock has {first}',
                                                               'gapship lock --update deploy'])
    product('lock', '--update', 'deploy')
    equal(product.lock()['overlays'][0]['commit'], second, 'commit')


def test_an_overlay_of_a_git_tag_or_commit(w):
    product, server = git_overlay(w, 'v1')
    product('build', '--unsigned', status=2, says=['v1', server.url('deploy')])
    server.git('deploy', 'tag', 'v1')
    first = server.git('deploy', 'rev-parse', 'main')
    product.build()
    pushed(server, w)
    product.build('--force')
    equal(product.lock()['overlays'][0]['commit'], first, 'commit')


def test_a_packed_chart_stays_as_it_is(w):
    product = Product(w, charts=[{'name': 'chart', 'from': 'chart-1.0.0.tgz'}])
    w.write('chart/Chart.yaml', 'apiVersion: v2\nname: chart\nversion: 1.0.0\n')
    w.write('chart/templates/app.yaml', '{}\n')
    harness.run(['tar', 'czf', product.path / 'chart-1.0.0.tgz', '-C', w.path, 'chart']).expect()
    product.build()
    product('extract', product.bundle, 'chart/chart:1.0.0', '-o', w.path / 'out.tgz')
    check(filecmp.cmp(w.path / 'out.tgz', product.path / 'chart-1.0.0.tgz', shallow=False), 'another file')


# ---- images

def test_images_are_listed_and_added(w):
    product = Product(w, runs=['quay.io/org/app:1', 'redis'])
    rows = product('--output', 'json', 'images').result()['images']
    equal([(row['environment'], row['image'], row['runs'], row['listed']) for row in rows],
          [('prod', 'quay.io/org/app:1', True, False), ('prod', 'redis', True, False)], 'rows')
    product('images', says=['ENVIRONMENT', 'quay.io/org/app:1', 'Deployment'])


def test_missing_images_are_written_where_they_belong(w):
    product = Product(w, runs=['quay.io/org/app:1', 'quay.io/org/worker:2'])
    release = ('# kept\napiVersion: gapship/v1\nkind: Release\nmetadata: {name: shop, version: "1", sequence: 1} # kept, too\n'
               'images:\n- {from: "quay.io/org/app:1"}\nenvironments:\n- name: prod\n  units:\n'
               '  - {name: app, source: {manifests: k8s}, target: {kind: kubectl, namespace: app}}\n')
    product.write('release.yaml', release)
    product('images', '--write', says='added')
    line = '- {from: "quay.io/org/app:1"}\n'
    wanted = release.replace(line, line + '- {from: "quay.io/org/worker:2"}\n')
    equal((product.path / 'release.yaml').read_text(), wanted, 'release.yaml')
    product('images', '--write', silent='added')
    equal((product.path / 'release.yaml').read_text(), wanted, 'release.yaml after a second time')


def test_images_of_one_environment(w):
    product = Product(w, runs=['one'])
    product.write('other/app.yaml', deployment('two'))
    product.save(environments=[{'name': 'prod', 'units': [unit({'manifests': 'k8s'})]},
                               {'name': 'dev', 'units': [unit({'manifests': 'other'})]}])
    product('images', '--environment', 'dev', says='two', silent='one')
    product('images', '--environment', 'de', status=2, says='release.yaml has no environment called de')


def test_ignored_images_may_be_patterns(w):
    product = Product(w, runs=['example.com/debug/shell:1'], ignoreImages=['example.com/debug/*'])
    product.build()


# ---- init

def test_init_makes_a_release_of_a_chart(w):
    w.write('p/charts/My App/Chart.yaml', 'apiVersion: v2\nname: my-app\nversion: 1.0.0\n')
    w.write('p/charts/My App/templates/app.yaml', json.dumps(deployment('quay.io/org/app:1')))
    w.write('p/charts/My App/charts/dep/Chart.yaml', 'apiVersion: v2\nname: dep\nversion: 1.0.0\n')
    w.write('p/Dockerfile', 'FROM scratch\n')
    w.gapship('init', 'p', says='wrote p/release.yaml')
    text = (w.path / 'p/release.yaml').read_text()
    check('Dockerfile' in text and 'dep' not in text.replace('deploy', ''), text)
    w.gapship('images', cwd='p', says='quay.io/org/app:1')
    w.gapship('images', '--write', cwd='p')
    w.gapship('images', cwd='p', says='yes', silent=' no ')


def test_init_makes_environments_of_overlays(w):
    w.write('p/k8s/base/app.yaml', deployment('quay.io/org/app:1'))
    w.write('p/k8s/base/kustomization.yaml', 'resources: [app.yaml]\n')
    for name in ('prod', 'dev'):
        w.write(f'p/k8s/overlays/{name}/kustomization.yaml', 'resources: [../../base]\n')
    w.gapship('init', cwd='p')
    rows = w.gapship('--output', 'json', 'images', cwd='p').result()['images']
    equal([row['environment'] for row in rows], ['dev', 'prod'], 'environments')


def test_init_makes_units_of_manifests(w):
    w.write('p/k8s/app.yaml', deployment('quay.io/org/app:1'))
    w.write('p/k8s/data/db.yaml', deployment('postgres:17', name='db'))
    w.write('p/argocd/application.yaml', {'apiVersion': 'argoproj.io/v1alpha1', 'kind': 'Application', 'metadata': {'name': 'app'}})
    w.write('p/config/settings.yaml', 'colour: red\n')
    w.write('p/compose.yaml', 'services: {}\n')
    w.gapship('init', cwd='p')
    rows = w.gapship('--output', 'json', 'images', cwd='p').result()['images']
    equal([(row['unit'], row['image']) for row in rows], [('k8s', 'quay.io/org/app:1'), ('k8s', 'postgres:17')], 'images')


def test_init_makes_a_release_of_nothing(w):
    (w.path / 'empty').mkdir()
    w.gapship('init', 'empty', says='wrote k8s/app.yaml, too')
    w.gapship('images', cwd='empty')
    w.gapship('build', '--unsigned', cwd='empty')
    w.gapship('init', 'empty', status=2, says=['empty/release.yaml exists already', 'gapship build'])
    w.gapship('init', 'nowhere', status=2, says='nowhere')


# ---- the same bytes

def test_the_same_inputs_give_the_same_bytes(w):
    registry = w.registry()
    digest = w.image(registry, 'org/app:1')
    w.image(registry, 'org/other:1', content={'a': b'1'})
    w.gapship('key', 'new', '--type', 'ed25519', 'fixed')

    def build(folder, umask, zone, jobs):
        images = [f'{registry.host}/org/{name}:1' for name in ('app', 'other')]
        product = Product(w, images, images, folder=folder, files=[{'name': 'guide', 'from': 'guide.md'}],
                          overlays=[{'name': 'deploy', 'from': 'deploy'}], charts=[{'name': 'chart', 'from': 'chart'}])
        product.write('guide.md', 'how to\n' * 1000)
        product.write('chart/Chart.yaml', 'apiVersion: v2\nname: chart\nversion: 1.0.0\n')
        product.write('chart/templates/app.yaml', deployment(images[0]))
        for name in 'zab':
            product.write(f'deploy/{name}.yaml', deployment(images[0], name=name))
        for i, path in enumerate(sorted(product.path.rglob('*'))):
            os.utime(path, (1000 + i * umask, 1000 + i * umask))
        command = ['sh', '-c', f'umask {umask:04o}; exec "$@"', 'sh', *w.command('build', '--key', w.path / 'fixed.key', '--jobs', jobs)]
        harness.run(command, cwd=product.path, env=w.environment({'TZ': zone, 'LC_ALL': 'C.UTF-8' if umask else 'C'})).expect()
        return product

    one, two = build('one', 0o022, 'UTC', 1), build('deeper/two', 0o077, 'Pacific/Kiritimati', 8)
    check(filecmp.cmp(one.bundle, two.bundle, shallow=False), 'the bundles differ')
    equal((one.path / 'release.lock').read_bytes(), (two.path / 'release.lock').read_bytes(), 'locks')
    check(digest in one.blobs(), 'the image is missing')


def test_the_time_of_issue_can_be_given(w):
    product = Product(w)
    product.build(env={'SOURCE_DATE_EPOCH': '1600000000'})
    product('inspect', product.bundle, says='issued 2020-09-13T12:26:40Z')
    product('build', '--unsigned', '--force', env={'SOURCE_DATE_EPOCH': 'yesterday'}, status=2, says='SOURCE_DATE_EPOCH is "yesterday"')


# ---- where it was built from

def test_the_commit_is_recorded_and_a_dirty_tree_is_refused(w):
    product = Product(w, source={'repo': '.'})
    product('build', '--unsigned', status=2, says=['not inside the working tree of a git repository', 'leave `source:` out'])
    commit = committed(product)
    without = ['env', '-u', 'SOURCE_DATE_EPOCH', *w.command('--output', 'json', 'build', '--unsigned')]
    harness.run(without, cwd=product.path, env=w.environment()).expect()
    inspected = product('--output', 'json', 'inspect', product.bundle).result()
    equal((inspected['commit'], inspected['ref'], inspected['issuedAt']), (commit, 'refs/heads/main', '2026-02-03T04:05:06Z'), 'inspect')
    product.run('changed')
    product('build', '--unsigned', '--force', status=4, says=['has changes that are not committed', 'source.allowDirty: true'])
    product.run()
    product.save(source={'repo': '.', 'allowDirty': True})
    product.build('--force')


def test_a_committed_lock_stays_as_it_was_committed(w):
    product = Product(w, source={'repo': '.'})
    committed(product)
    product('lock')
    committed(product, 'Lock it')
    product.build()
    equal(git(product.path, 'status', '--porcelain', '--untracked-files=no'), '', 'changes after a build')
    first = product.bundle.read_bytes()
    product.build('--force')
    equal(product.bundle.read_bytes() == first, True, 'a second build gives the same bytes')
    product('lock', '--check')


# ---- interrupted

def test_a_killed_build_leaves_no_bundle_and_is_taken_up(w):
    registry = w.registry()
    images = []
    for name in 'abc':
        w.image(registry, f'org/{name}:1', busybox=None, content={'data': os.urandom(6 << 20)})
        images.append(f'{registry.host}/org/{name}:1')
    product, reference = Product(w, images, images), Product(w, images, images, folder='reference')
    began = time.monotonic()
    reference.build()
    duration = time.monotonic() - began
    killed = 0
    for moment in harness.moments(duration, 8):
        killed += w.gapship_killed('build', '--unsigned', after=moment, cwd='product')
        if product.bundle.exists():  # killed after its end
            check(filecmp.cmp(product.bundle, reference.bundle, shallow=False), f'a bundle that is not whole, killed at {moment:.2f} s')
            product.bundle.unlink()
    check(killed > 3, f'{killed} of 8 were killed')
    product.build()
    check(filecmp.cmp(product.bundle, reference.bundle, shallow=False), 'the bundle differs from one of an uninterrupted build')
    equal(list(product.path.glob('*.partial')), [], 'unfinished files')


def stalled(w, registry):
    """A product; its build, which has fetched two images and stalls at the layer of the third; the sizes of the last two layers."""
    served(w, registry, 'org/first', content={'a': b'1'}, busybox=None)
    *_, large = served(w, registry, 'org/a', busybox=None, content={'data': os.urandom(3 << 20)})
    *_, last = served(w, registry, 'org/b', busybox=None, content={'data': os.urandom(2 << 20)})
    images = [f'{registry.host}/org/{name}:1' for name in ('first', 'a', 'b')]
    registry.fault('GET', last, stall(120))
    product = Product(w, images, images)
    process = subprocess.Popen(w.command('build', '--unsigned', '--jobs', '1'), cwd=product.path, env={**os.environ, **w.environment()},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 30
    while registry.faults:
        check(time.monotonic() < until, 'the build did not come to the stall')
        time.sleep(0.02)
    return product, process, len(registry.blobs[large]), len(registry.blobs[last])


def test_the_next_build_fetches_what_is_missing_and_no_more(w):
    with FaultRegistry() as registry:
        product, process, large, last = stalled(w, registry)
        process.kill()
        process.communicate()
        check(not product.bundle.exists(), 'there is a bundle')
        again = product('--output', 'json', 'build', '--unsigned', says='going on with')
        fetched = again.result()['fetched']
        check(last <= fetched < last + 4096 < large, f'{fetched} bytes fetched again')
        equal(max(registry.count('GET', digest) for digest in registry.blobs), 2, 'only the stalled blob was asked for twice')
        product.blobs()


def test_ctrl_c_stops_and_says_how_to_go_on(w):
    with FaultRegistry() as registry:
        product, process, *_ = stalled(w, registry)
        process.send_signal(signal.SIGINT)
        equal(process.stderr.readline().endswith('plain HTTP is used\n'), True, 'the first line')
        equal(process.stderr.readline() + process.stderr.readline(), '\nstopping after this step; Ctrl-C again stops at once\n', 'answer')
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        equal(process.returncode, 130, f'status\n{said}')
        check('the same command' in said, said)
        equal([path.name for path in product.path.glob('*gapship*')], ['shop-1.0.0.gapship.partial'], 'files')
        product.build()


def test_an_unfinished_build_of_something_else_is_begun_anew(w):
    registry = w.registry()
    product = one_image(w, registry)
    product.bundle.with_name('shop-1.0.0.gapship.partial').write_bytes(b'something else')
    product('build', '--unsigned', says='begun anew')
    product.blobs()


def test_two_builds_of_one_bundle_do_not_meet(w):
    with FaultRegistry() as registry:
        product, process, *_ = stalled(w, registry)
        product('build', '--unsigned', status=12, says='shop-1.0.0.gapship.partial')
        process.kill()
        process.communicate()


def test_an_earlier_bundle_gives_what_it_has(w):
    registry = w.registry()
    product = one_image(w, registry)
    product.build()
    product.save(metadata={'name': 'shop', 'version': '1.1.0', 'sequence': 2})
    result = product.build()
    check(result['fetched'] == 0 and result['copied'] > 100000, f'{result}: all is in the bundle beside it')
    elsewhere = w.path / 'earlier'
    elsewhere.mkdir()
    for path in product.path.glob('*.gapship'):
        shutil.move(path, elsewhere)
    check(product.build()['fetched'] > 0, 'nothing was fetched')
    check(product.build('--force', '--reuse', elsewhere)['fetched'] == 0, 'something was fetched')
    product('build', '--unsigned', '--force', '--reuse', 'nowhere', status=2, says='--reuse: there is no nowhere')


def test_a_damaged_earlier_bundle_costs_a_fetch_alone(w):
    registry = w.registry()
    product = one_image(w, registry)
    product.build()
    good = product.bundle.read_bytes()
    earlier = w.path / 'earlier.gapship'
    damaged = bytearray(good)
    damaged[-len(good) // 3] ^= 1
    earlier.write_bytes(damaged)
    product.build('--force', '--reuse', earlier)
    equal(product.bundle.read_bytes() == good, True, 'the same bundle')


# ---- where the bundle goes

def test_an_existing_bundle_is_not_replaced(w):
    product = Product(w)
    product.build()
    before = product.bundle.read_bytes()
    product.save(files=[{'name': 'f', 'from': 'k8s/app.yaml'}])
    product('build', '--unsigned', status=2, says=['shop-1.0.0.gapship exists already', '--force'])
    equal(product.bundle.read_bytes() == before, True, 'the bundle is as before')
    product('build', '--unsigned', '--force')
    equal(product.bundle.read_bytes() == before, False, 'the bundle was replaced')


def test_the_bundle_goes_where_it_is_told(w):
    product = Product(w)
    result = product.build('-o', w.path / 'elsewhere.gapship')
    equal((result['path'], (w.path / 'elsewhere.gapship').exists()), (str(w.path / 'elsewhere.gapship'), True), 'path')
    product('build', '--unsigned', '-o', w.path / 'no/where.gapship', status=2, says='no/where.gapship')
    product('build', '--unsigned', '-o', w.path, status=2, says='exists already')


def in_small_disk(w, product, size, script):
    """Runs a script with DISK, a file system of so many bytes, in a mount namespace of its own."""
    harness.need('unshare')
    disk = w.path / 'disk'
    disk.mkdir(exist_ok=True)
    mount = f'mount -t tmpfs -o size={size} tmpfs {disk} && '
    probe = harness.run(['unshare', '-rm', 'sh', '-c', mount + 'true'])
    if probe.status != 0:
        raise harness.Skip('this machine lets nobody mount a tmpfs')
    return harness.run(['unshare', '-rm', 'sh', '-c', mount + script, 'sh', *w.command('build', '--unsigned')], cwd=product.path,
                       env=w.environment({'DISK': str(disk)}))


def test_a_full_disk_is_noticed_before_anything_is_fetched(w):
    registry = w.registry()
    w.image(registry, 'org/app:1', busybox=None, content={'data': os.urandom(4 << 20)})
    product = Product(w, [f'{registry.host}/org/app:1'])
    done = in_small_disk(w, product, '2m', '"$@" -o $DISK/x.gapship; status=$?; ls -ls $DISK; exit $status')
    done.expect(1, says=['the bundle needs another 4.2 MB, but the disk has', 'name another place with -o'])
    check('x.gapship\n' not in done.out, f'there is a bundle:\n{done.out}')


def test_a_full_disk_for_temporary_files_is_named(w):
    product = Product(w, files=[{'name': 'f', 'from': 'large'}])
    (product.path / 'large').write_bytes(os.urandom(3 << 20))
    in_small_disk(w, product, '1m', 'TMPDIR=$DISK exec "$@"').expect(1, says=['No space left on device'])
    check(not product.bundle.exists(), 'a bundle was made')


# ---- keys

def test_a_key_that_cannot_sign_stops_the_build_at_once(w):
    public, private = w.key()
    product = Product(w, ['127.0.0.1:1/never/asked:1'])
    product('build', status=2, says=['no key to sign with', 'gapship key new NAME', '--unsigned'])
    product('build', '--key', public, status=2, says='release.pub')
    product('build', '--key', w.path / 'absent.key', status=2, says='absent.key')
    readable = w.write('readable.key', private.read_text(), mode=0o644)
    product('build', '--key', readable, status=2, says=['readable.key', 'chmod 600'])
    cut = w.write('cut.key', private.read_text()[:100], mode=0o600)
    product('build', '--key', cut, status=2, says='cut.key')
    equal(list(product.path.glob('*.gapship*')), [], 'bundles')


def test_two_keys_sign_and_a_third_signs_later(w):
    product = Product(w)
    keys = [w.key(name)[1] for name in ('one', 'two', 'three')]
    product('build', '--key', keys[0], '--key', keys[1])
    for name in ('one', 'two'):
        product('verify', product.bundle, '--root', w.path / f'{name}.pub', says='signed by 1 trusted key')
    product('verify', product.bundle, '--root', w.path / 'three.pub', status=3)
    product('sign', product.bundle, '--key', keys[2])
    product('verify', product.bundle, '--root', w.path / 'three.pub')
    product('sign', product.bundle, '--key', keys[2], status=2, says='signed')
    product('build', '--force', '--key', keys[0], '--key', keys[0], status=2, says='given twice')


harness.main()
