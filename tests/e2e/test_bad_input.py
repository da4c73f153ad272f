"""What is wrong at the build is said with its place and what to do; a bundle that is not right changes nothing on site."""
import json
import pathlib
import shutil

import harness
import mkimage
import servers
from fault_registry import FaultRegistry, altered, answer, cut
from harness import check, equal
from product import Product, deployment, unit
from shop import Shop

VECTORS = harness.TESTS.parent / 'bundle-spec' / 'vectors'
RELEASE = '''\
apiVersion: gapship/v1
kind: Release
metadata: {name: shop, version: "1.0.0", sequence: 1}
images:
- {from: "registry.invalid/org/app:1"}
environments:
- name: prod
  units:
  - {name: app, source: {manifests: k8s}, target: {kind: kubectl, namespace: app}}
'''


def bundles(product):
    return [path.name for path in product.path.glob('*.gapship')]


# ---- release.yaml

def test_mistakes_in_release_yaml_have_a_place(w):
    product = Product(w)
    for old, new, place, *says in (
        ('sequence: 1}', 'sequence: 1, sequense: 2}', '3:55', 'sequense', 'sequence'),
        ('kind: Release', 'kind: Relaese', '2:7', 'Release'),
        ('apiVersion: gapship/v1\n', '', '1:1', 'apiVersion'),
        ('kind: Release\n', 'kind: Release\nkind: Release\n', '3:1', 'kind'),
        ('version: "1.0.0"', 'version: 1.0', '3:33', 'write version: "1.0"'),
        ('version: "1.0.0"', 'version: "1.0.0/2"', '3:33', 'version'),
        ('sequence: 1', 'sequence: one', '3:52', 'number'),
        ('sequence: 1', 'sequence: 0', '3:52', 'sequence'),
        ('images:\n', 'images: &all\n', '4:9', 'anchor'),
        ('source: {manifests: k8s}', 'source: *all', '9:25', 'alias'),
        ('name: prod', 'name: [prod]', '7:9', 'name'),
        ('{manifests: k8s}', '{manifests: k8s, overlay: x}', '9:25', 'overlay'),
        ('{manifests: k8s}', '{manifests: ../k8s}', '9:', '../k8s'),
        ('kind: kubectl', 'kind: kubectll', '9:', 'kubectll', 'kubectl'),
        ('"registry.invalid/org/app:1"', '"Registry.invalid/Org/app:1"', '5:10', 'Org'),
        ('"registry.invalid/org/app:1"', '"docker-daemon:app:1"', '5:10', 'docker-daemon'),
        ('environments:\n', 'environments: []\nother:\n', '7:1', 'other'),
        ('metadata: {', 'metadata: {{', '3:', ''),
        ('kind: Release\n', 'kind: Release\n---\nkind: Release\n', '3:1', 'document'),
        ('kind: Release', 'kind: Rel\tease\x00', '2:', ''),
        ('kind: Release', 'kind: "' + '\udcff' + '"', '2:', 'UTF-8'),
    ):
        check(old in RELEASE, old)
        text = RELEASE.replace(old, new, 1)
        (product.path / 'release.yaml').write_bytes(text.encode('utf-8', 'surrogateescape'))
        try:
            product('build', '--unsigned', status=2, says=[f'release.yaml:{place}', *says])
        except AssertionError as failure:
            raise AssertionError(f'{old!r} -> {new!r}\n{failure}') from failure


def test_what_is_too_large_or_deep_is_refused(w):
    product = Product(w)
    product.write('release.yaml', RELEASE + '#' * (1 << 20))
    product('build', '--unsigned', status=2, says=['release.yaml', '1'])
    product.write('release.yaml', RELEASE + 'ignoreImages: ' + '[' * 100 + ']' * 100 + '\n')
    product('build', '--unsigned', status=2, says=['release.yaml:10:', '64'])
    (product.path / 'release.yaml').write_bytes(b'\x7fELF\x02\x01\x01\0' + bytes(range(256)) * 16)
    product('build', '--unsigned', status=2, says='release.yaml:1:')
    product.write('release.yaml', '')
    product('build', '--unsigned', status=2, says='release.yaml')
    (product.path / 'release.yaml').unlink()
    (product.path / 'release.yaml').mkdir()
    done = harness.run(w.command('build', '--unsigned'), cwd=product.path, env=w.environment())
    check(done.status in (1, 2) and 'release.yaml' in done.err, f'{done}')


def test_an_unquoted_tag_in_a_kustomization_is_found(w):
    product = Product(w, overlays=[{'name': 'deploy', 'from': 'deploy'}],
                      environments=[{'name': 'prod', 'units': [unit({'overlay': 'deploy', 'path': 'prod'})]}])
    product.write('deploy/prod/app.yaml', deployment('org/app'))
    product.write('deploy/prod/kustomization.yaml', 'resources: [app.yaml]\nimages:\n- {name: org/app, newTag: 1234567}\n')
    product('build', '--unsigned', status=4, says=['prod/kustomization.yaml', 'newTag'])


# ---- registries

def image_in(w, registry):
    digest = mkimage.make(w.layout, 'app', busybox=None, content={'data': b'1' * 4096})
    blobs = w.layout / 'blobs/sha256'
    manifest = json.loads((blobs / digest[7:]).read_text())
    registry.add_manifest('org/app', '1', (blobs / digest[7:]).read_bytes())
    for descriptor in [manifest['config'], *manifest['layers']]:
        registry.add_blob((blobs / descriptor['digest'][7:]).read_bytes())
    return digest, manifest['layers'][0]['digest']


def failing(w, faults, status, says, silent=()):
    """A build from a registry with these faults fails so, and leaves no bundle."""
    with FaultRegistry() as registry:
        digest, layer = image_in(w, registry)
        image = f'{registry.host}/org/app:1'
        product = Product(w, [image], [image])
        for method, part, act, *times in faults:
            registry.fault(method, part.format(digest=digest, layer=layer), act, *times)
        product('build', '--unsigned', status=status, says=[registry.host, *says], silent=silent)
        equal(bundles(product), [], 'bundles')
        return registry


def test_a_registry_that_cannot_be_reached(w):
    product = Product(w, ['127.0.0.1:1/org/app:1'], ['127.0.0.1:1/org/app:1'])
    done = product('build', '--unsigned', status=6, says=['127.0.0.1:1', 'Connection refused', 'is the server running'])
    check(done.seconds < 40, f'{done.seconds} s')
    product = Product(w, ['nowhere.invalid/org/app:1'], ['nowhere.invalid/org/app:1'], folder='other')
    product('build', '--unsigned', status=6, says=['nowhere.invalid', 'cannot be resolved'])


def test_a_certificate_that_is_not_trusted(w):
    registry = w.registry(tls=True)
    w.image(registry, 'org/app:1')
    other = w.path / 'other'
    other.mkdir()
    ca, _, _ = servers.certificate(other)
    trusted = w.home / '.config/containers/certs.d' / registry.host
    trusted.mkdir(parents=True)
    shutil.copy(ca, trusted / 'ca.crt')
    image = f'{registry.host}/org/app:1'
    product = Product(w, [image], [image])
    product('build', '--unsigned', status=6, says=["the server's certificate is refused", str(trusted / 'ca.crt')], silent='plain HTTP')


def test_refusals_are_told_apart(w):
    for act, status, *says in (
        (answer(401, {'WWW-Authenticate': 'Basic realm="r"'}), 6, '401'),
        (answer(403, {}, b'{"errors":[{"code":"DENIED","message":"only for members"}]}'), 6, 'only for members'),
        (answer(404, {}, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'), 2, 'org/app'),
        (answer(400, {}, b'<html>bad \x1b[2J gateway</html>'), 6, '400'),
    ):
        failing(w, [('GET', '/manifests/', act, -1)], status, says, silent='\x1b')


def test_answers_that_may_pass_are_asked_again(w):
    with FaultRegistry() as registry:
        image_in(w, registry)
        image = f'{registry.host}/org/app:1'
        product = Product(w, [image], [image])
        registry.fault('GET', '/manifests/', answer(429, {'Retry-After': '0'}), 2)
        registry.fault('GET', '/blobs/', answer(503), 1)
        registry.fault('GET', '/blobs/', cut(10), 1, skip=1)
        product('build', '--unsigned', says='trying again')
        product.blobs()


def test_a_registry_that_stays_broken(w):
    failing(w, [('GET', '/manifests/', answer(503, {'Retry-After': '0'}), -1)], 6, ['503'])


def test_content_that_is_not_what_was_promised(w):
    other = mkimage.dump({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json', 'layers': [],
                          'config': {'mediaType': 'application/vnd.oci.image.config.v1+json', 'digest': 'sha256:' + 64 * '0', 'size': 1}})
    failing(w, [('GET', '/manifests/sha256:', altered(body=other, Content_Length=str(len(other))), -1)], 3, ['digest'])
    failing(w, [('GET', '/blobs/{layer}', altered(body=b'x' * 90, Content_Length='90'), -1)], 3, ['90 bytes'])
    failing(w, [('GET', '/manifests/', altered(body=b'not json', Content_Length='8', Docker_Content_Digest=None), -1)], 6, ['manifest'])


# ---- what would be missing on site

def test_an_image_that_is_not_listed_comes_with_the_line_to_add(w):
    product = Product(w, runs=['quay.io/org/app:1'])
    product('build', '--unsigned', status=4, says=[
        'quay.io/org/app:1 would run, but release.yaml does not list it', 'prod/app/', 'Deployment', 'spec.template.spec.containers[0].image',
        'add under images:  - {from: "quay.io/org/app:1"}'])
    equal(bundles(product), [], 'bundles')


def test_an_image_that_is_only_mentioned_may_be_ignored(w):
    product = Product(w)
    product.write('k8s/config.yaml', {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'c'},
                                      'data': {'IMAGE': 'quay.io/org/tool:1.2'}})
    product('build', '--unsigned', status=4, says=['quay.io/org/tool:1.2 is mentioned and looks like an image',
                                                   'or under ignoreImages:  - "quay.io/org/tool:1.2"'])
    product.save(ignoreImages=['quay.io/org/tool:1.2'])
    product.build()


def chart_product(w, values='image: {repository: quay.io/org/app, tag: "1"}\n', image='{{ .Values.image.repository }}:{{ .Values.image.tag }}',
                  **source):
    harness.need('openssl')
    target = {'kind': 'helm', 'release': 'app', 'namespace': 'app'}
    mkimage.make(w.path / 'product/layout', '1')
    product = Product(w, charts=[{'name': 'app', 'from': 'chart'}],
                      environments=[{'name': 'prod', 'units': [unit({'chart': 'app', **source}, target)]}])
    product.write('chart/Chart.yaml', 'apiVersion: v2\nname: app\nversion: 1.0.0\n')
    product.write('chart/values.yaml', values)
    product.write('chart/templates/app.yaml', json.dumps(deployment('IMAGE')).replace('"IMAGE"', f'{{{{ printf "%s" (include "i" .) | quote }}}}'))
    product.write('chart/templates/_i.tpl', '{{ define "i" }}' + image + '{{ end }}')
    return product


def test_a_chart_that_does_not_render(w):
    product = chart_product(w, image='{{ required "say which image" .Values.nothing }}')
    product('build', '--unsigned', status=4, says=['prod/app', 'say which image'])
    product = chart_product(w, values='image: [\n')
    product('build', '--unsigned', status=4, says='prod/app')
    shutil.rmtree(product.path / 'chart')
    product('build', '--unsigned', status=2, says='chart')
    product.write('chart/values.yaml', '')
    product('build', '--unsigned', status=2, says=['release.yaml:', 'chart is no chart: it has no Chart.yaml'])


def test_an_archive_that_is_no_chart(w):
    product = Product(w, charts=[{'name': 'app', 'from': 'app.tgz'}])
    harness.run(['tar', 'czf', product.path / 'app.tgz', '-C', product.path, 'k8s']).expect()
    product('build', '--unsigned', status=2, says=['release.yaml:', 'app.tgz is no chart: it has no Chart.yaml'])
    product.write('app.tgz', 'no archive')
    product('build', '--unsigned', status=2, says='app.tgz')


def test_values_of_a_chart_that_move_no_image(w):
    product = chart_product(w)
    mkimage.make(w.layout, '1')
    registry = w.registry()
    registry.push(w.layout, '1', 'org/app:1')
    product.write('chart/values.yaml', f'image: {{repository: {registry.host}/org/app, tag: "1"}}\n')
    product.save(images=[f'{registry.host}/org/app:1'] and [{'from': f'{registry.host}/org/app:1'}])
    product('build', '--unsigned', status=4, says=[f'no value of imageValues moves {registry.host}/org/app:1', 'prod/app/Deployment',
                                                   'imageValues: {PATH.OF.THE.IMAGE: org/app}'])
    product.release['environments'][0]['units'][0]['source']['imageValues'] = {'imagee': 'org/app'}
    product.save()
    product('build', '--unsigned', status=4, says='no value of imageValues moves')
    product.release['environments'][0]['units'][0]['source']['imageValues'] = {'image': 'org/ap'}
    product.save()
    product('build', '--unsigned', status=2, says=['release.yaml:', 'org/ap'])
    product.release['environments'][0]['units'][0]['source']['imageValues'] = {'image': 'org/app'}
    product.save()
    product.build()


def overlay_product(w, kustomization, base='resources: [app.yaml]\n', images=()):
    product = Product(w, images, overlays=[{'name': 'deploy', 'from': 'deploy'}],
                      environments=[{'name': 'prod', 'units': [unit({'overlay': 'deploy', 'path': 'prod'})]}])
    product.write('deploy/base/app.yaml', deployment('ghcr.io/org/app:1'))
    product.write('deploy/base/kustomization.yaml', base)
    product.write('deploy/prod/kustomization.yaml', kustomization)
    return product


def test_an_overlay_with_a_remote_base(w):
    for line in ('https://github.com/org/repo//deploy?ref=v1', 'github.com/org/repo//deploy', '../../outside'):
        product = overlay_product(w, f'resources:\n- ../base\n- {line}\n')
        product('build', '--unsigned', status=4, says=['deploy', 'prod/kustomization.yaml:3', line])


def test_an_images_entry_that_matches_nothing(w):
    product = overlay_product(w, 'resources: [../base]\nimages:\n- name: ghcr.io/org/ap\n  newTag: "2"\n')
    product('build', '--unsigned', status=4, says=['images: names ghcr.io/org/ap, but nothing below this kustomization runs it',
                                                   'overlay deploy: prod/kustomization.yaml:3', 'what runs is ghcr.io/org/app:1'])


def test_a_base_that_renames_what_the_overlay_retags(w):
    product = overlay_product(w, 'resources: [../base]\nimages:\n- {name: ghcr.io/org/app, newTag: "2"}\n',
                              base='resources: [app.yaml]\nimages:\n- {name: ghcr.io/org/app, newName: quay.io/org/app}\n')
    product('build', '--unsigned', status=4, says=['prod/kustomization.yaml:3', 'quay.io/org/app:1', 'a base may have renamed it'])


def test_environments_that_must_run_the_same(w):
    registry = w.registry()
    for tag in '12':
        w.image(registry, f'org/app:{tag}', content={'tag': tag.encode()})
    images = [{'from': f'{registry.host}/org/app:{tag}', 'as': f'org/app{tag}'} for tag in '12']
    product = Product(w, images, [f'{registry.host}/org/app:1'], invariants=[{'sameDigest': ['stage', 'prod']}],
                      environments=[{'name': 'stage', 'units': [unit({'manifests': 'stage'})]},
                                    {'name': 'prod', 'units': [unit({'manifests': 'k8s'})]}])
    product.write('stage/app.yaml', deployment(f'{registry.host}/org/app:2'))
    product('build', '--unsigned', status=4, says=['release.yaml:', f'stage runs {registry.host}/org/app:2 and prod runs',
                                                   'the invariant wants the same digest'])
    product.run(f'{registry.host}/org/app:2')
    product.build()


# ---- bundles that are not right

def listing(*folders):
    """Every file with its size and time, and every directory: what a refusal must not change."""
    found = {}
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob('*')):
            info = path.lstat()
            found[str(path)] = (info.st_size, info.st_mtime_ns) if path.is_file() else None
    return found


class Untouched:
    """A site that has one release, and proof that a refused bundle changes nothing but the ledger."""

    def __init__(self, w):
        self.w, self.shop = w, Shop(w)
        self.first = self.shop.build('1.0.0', 1)
        self.shop('install', self.first, '--yes')
        self.next = self.shop.build('1.1.0', 2)
        self.temporary = w.path / 'tmp'
        self.temporary.mkdir()

    def state(self):
        """Of all that it may touch but the ledger, and the lock, which names the process."""
        found = listing(self.shop.site, self.shop.registry.folder / 'data', self.shop.git.folder, self.temporary)
        return {path: what for path, what in found.items() if 'store/ledger.sqlite' not in path and not path.endswith('store/lock')}

    def refused(self, data, says=(), verbs=('verify', 'import', 'plan', 'install')):
        path = self.w.path / 'bad.gapship'
        if isinstance(data, (bytes, bytearray)):
            path.write_bytes(data)
        else:
            path = data
        before, rows = self.state(), len(self.shop.rows())
        for verb in verbs:
            words = {'verify': ['--root', self.shop.public], 'install': ['--yes']}.get(verb, [])
            self.shop(verb, path, *words, status=3, says=says, env={'TMPDIR': str(self.temporary)})
        after = self.state()
        changed = {file: (before.get(file), after.get(file)) for file in {*before, *after} if before.get(file) != after.get(file)}
        equal(changed, {}, 'files of the site, the registry, the repository and TMPDIR that changed')
        told = [verb for verb in verbs if verb in ('import', 'install')]
        equal([row['kind'] for row in self.shop.rows()[rows:]], ['refused'] * len(told), 'rows')
        equal(self.shop.versions(), ['1.0.0', '1.0.0'], 'versions')


def flipped(data, at):
    found = bytearray(data)
    found[at] ^= 1
    return found


def test_a_bundle_that_was_damaged_changes_nothing(w):
    site = Untouched(w)
    good = site.next.read_bytes()
    envelope = 512
    index = 1024 + int.from_bytes(good[envelope + 12:envelope + 16], 'little')
    for at in (20, envelope + 3, envelope + 64 + 10, envelope + 16384, index - 500, index + 40, len(good) - 700, len(good) - 1):
        site.refused(flipped(good, at))
    site.refused(flipped(good, len(good) // 2), verbs=('verify', 'import', 'install'))  # in a layer, which a plan does not read
    site.shop('install', site.next, '--yes')
    equal(site.shop.versions(), ['1.1.0', '1.1.0'], 'versions with the bundle as it was built')


def test_what_is_not_the_whole_bundle_changes_nothing(w):
    site = Untouched(w)
    good = site.next.read_bytes()
    for other in (good[:len(good) // 2], good[:-512], good[:100], b'', good + bytes(512), good + good, b'no bundle at all\n' * 1000):
        site.refused(other)


def test_the_vectors_of_bad_bundles_change_nothing(w):
    site = Untouched(w)
    chosen = sorted((VECTORS / 'bad').glob('*.gapship'))
    for path in chosen[::max(1, len(chosen) // 8)]:
        site.refused(path, verbs=('verify', 'install'))


def test_a_bundle_of_strangers_changes_nothing(w):
    site = Untouched(w)
    stranger = w.key('stranger')[1]
    site.shop.private = stranger
    site.refused(site.shop.build('1.2.0', 3), says='signed')
    product = Product(w)
    product.build()
    site.refused(product.bundle, says='not signed')
    site.refused(sorted(VECTORS.glob('good/*.gapship'))[0])


def test_an_older_or_second_bundle_changes_nothing(w):
    site = Untouched(w)
    newest, older, twin = site.shop.build('1.2.0', 5), site.shop.build('1.1.1', 4), site.shop.build('1.2.1', 5)
    site.shop('import', newest)
    site.refused(older, says='is older than 1.2.0', verbs=('import', 'install'))
    site.refused(twin, says='two different bundles claim to be', verbs=('import', 'install'))


def test_an_unsigned_bundle_only_where_the_site_says_so(w):
    shop = Shop(w)
    product = Product(w)
    product.build()
    shop('import', product.bundle, status=3, says='not signed')
    settings = json.loads((shop.site / 'site.yaml').read_text())
    w.write('site/site.yaml', {**settings, 'policy': {'allowUnsigned': True}})
    shop('import', product.bundle, says='kept shop 1.0.0, not signed')
    equal([bundle['version'] for bundle in shop.json('status')['bundles']], ['1.0.0'], 'kept')


harness.main()
