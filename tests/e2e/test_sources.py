"""Where images come from: every registry and archive that people have, and that nothing on the way changes a digest."""
import base64
import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile

import harness
import mkimage
from fault_registry import MANIFEST, FaultRegistry, altered, cut, digest_of
from harness import check, equal
from product import Product
from token_server import TokenServer

OCI = 'application/vnd.oci.image.manifest.v1+json'


def complete(product, digest):
    """All that a manifest names is in the bundle; the digests of the manifests below an index, in its order."""
    blobs = product.blobs()
    manifest = json.loads(blobs[digest])
    children = [child['digest'] for child in manifest.get('manifests', ())]
    for descriptor in [manifest['config'], *manifest['layers']] if 'layers' in manifest else []:
        check(descriptor['digest'] in blobs, f'{descriptor["digest"]} is missing')
        equal(len(blobs[descriptor['digest']]), descriptor['size'], 'size')
    for child in children:
        complete(product, child)
    return children


def skopeo(w, *words):
    harness.need('skopeo')
    return harness.run(['skopeo', '--insecure-policy', 'copy', '--quiet', *words]).expect()


# ---- registries

def test_a_plain_registry_on_this_machine(w):
    registry = w.registry()
    digest = w.image(registry, 'org/app:1')
    product = Product(w, [f'{registry.host}/org/app:1', {'from': f'docker://{registry.host}/org/app@{digest}', 'as': 'pinned'}],
                      [f'{registry.host}/org/app:1'])
    result = product('--output', 'json', 'build', '--unsigned', says='as it is this machine, plain HTTP is used').result()
    equal((result['images'], result['digest'][:7]), (2, 'sha256:'), 'result')
    locked = product.locked()
    equal([(locked[name]['digest'], locked[name].get('tag', '')) for name in ('org/app', 'pinned')], [(digest, '1'), (digest, 'sha256-' + digest[7:19])], 'lock')
    complete(product, digest)


def test_a_registry_with_tls_of_its_own_authority(w):
    registry = w.registry(tls=True)
    digest = w.image(registry, 'org/app:1')
    image = f'{registry.host}/org/app:1'
    product = Product(w, [image], [image])
    product('build', '--unsigned', status=6, says=['certificate', registry.host])
    check(not product.bundle.exists(), 'a bundle was made')
    trusted = w.home / '.config/containers/certs.d' / registry.host
    trusted.mkdir(parents=True)
    shutil.copy(registry.ca, trusted / 'ca.crt')
    product.build()
    equal(product.locked()['org/app']['digest'], digest, 'digest')
    complete(product, digest)


def login(w, registry, credentials='robot:secret'):
    """What `docker login` leaves behind."""
    trusted = w.home / '.config/containers/certs.d' / registry.host
    trusted.mkdir(parents=True, exist_ok=True)
    shutil.copy(registry.ca, trusted / 'ca.crt')
    text = base64.b64encode(credentials.encode()).decode()
    w.write('home/.docker/config.json', {'auths': {registry.host: {'auth': text}}}, mode=0o600)


def test_a_registry_that_asks_for_a_password(w):
    registry = w.registry(credentials='robot:secret')
    digest = w.image(registry, 'org/app:1')
    image = f'{registry.host}/org/app:1'
    product = Product(w, [image], [image])
    login(w, registry, 'robot:wrong')
    product('build', '--unsigned', status=6, says=registry.host, silent='wrong')
    login(w, registry)
    product.build()
    complete(product, digest)


def test_a_registry_that_asks_for_a_token(w):
    server = TokenServer(w.path, users={'robot': 'secret'}, public=())
    with server:
        settings = server.settings()
        registry = w.registry(token=settings)
        open_registry = w.registry()
        digest = w.image(open_registry, 'org/app:1')
        shutil.copytree(open_registry.folder / 'data', registry.folder / 'data')  # pushed from the side
        image = f'{registry.host}/org/app:1'
        product = Product(w, [image], [image])
        product('build', '--unsigned', status=6, says=registry.host)
        text = base64.b64encode(b'robot:secret').decode()
        w.write('home/.docker/config.json', {'auths': {registry.host: {'auth': text}}}, mode=0o600)
        product.build()
        complete(product, digest)
        scopes = {scope for request in server.requests for scope in request['query'].get('scope', ())}
        equal(scopes, {'repository:org/app:pull'}, 'what was asked for')


def test_a_registry_that_sends_something_else_or_breaks_off(w):
    layer = bytes(range(256)) * 5000
    config = json.dumps({'architecture': mkimage.MACHINE, 'os': 'linux',
                         'rootfs': {'type': 'layers', 'diff_ids': [digest_of(layer)]}}).encode()
    with FaultRegistry() as registry:
        registry.add_blob(layer)
        registry.add_blob(config)
        registry.add_manifest('org/app', '1', {
            'schemaVersion': 2, 'mediaType': MANIFEST,
            'config': {'mediaType': 'application/vnd.oci.image.config.v1+json', 'digest': digest_of(config), 'size': len(config)},
            'layers': [{'mediaType': 'application/vnd.oci.image.layer.v1.tar', 'digest': digest_of(layer), 'size': len(layer)}]})
        host = registry.url.split('//')[1]
        product = Product(w, [f'{host}/org/app:1'], [f'{host}/org/app:1'])
        flipped = layer[:700000] + bytes([layer[700000] ^ 1]) + layer[700001:]
        registry.fault('GET', digest_of(layer), altered(body=flipped))
        product('build', '--unsigned', status=3, says=[f'{host}/org/app:1', 'promised', digest_of(layer), digest_of(flipped)])
        check(not product.bundle.exists(), 'a bundle was made')
        registry.fault('GET', digest_of(layer), cut(600000))
        product('build', '--unsigned', says='trying again')
        equal(product.blobs()[digest_of(layer)], layer, 'layer')


# ---- indexes

def both(w, registry, attested=None):
    """An index of amd64 and arm64, and of an attestation where `attested` gives its place. (digest, digests of its children)"""
    tags = []
    for arch in ('amd64', 'arm64'):
        mkimage.make(w.layout, arch, arch=arch, labels={'arch': arch})
        tags.append(arch)
    digest = mkimage.make_index(w.layout, 'both', tags)
    if attested is not None:
        digest = attest(w.layout, digest, attested)
    registry.push(w.layout, 'both', 'org/both:1')
    equal(registry.digest('org/both:1'), digest, 'digest in the registry')
    index = json.loads(w.layout.joinpath('blobs/sha256', digest[7:]).read_bytes())
    return digest, [child['digest'] for child in index['manifests']]


def attest(layout, digest, place):
    """Adds what BuildKit adds: a manifest of in-toto statements, for the platform unknown/unknown."""
    index = json.loads(layout.joinpath('blobs/sha256', digest[7:]).read_bytes())
    statement = mkimage.dump({'_type': 'https://in-toto.io/Statement/v0.1', 'subject': [], 'predicateType': 'https://spdx.dev/Document'})
    manifest = mkimage.dump({
        'schemaVersion': 2, 'mediaType': OCI,
        'config': mkimage.blob(layout, mkimage.dump({'architecture': 'unknown', 'os': 'unknown', 'rootfs': {'type': 'layers', 'diff_ids': [
            'sha256:' + hashlib.sha256(statement).hexdigest()]}}), 'application/vnd.oci.image.config.v1+json'),
        'layers': [mkimage.blob(layout, statement, 'application/vnd.in-toto+json')]})
    child = dict(mkimage.blob(layout, manifest, OCI), platform={'architecture': 'unknown', 'os': 'unknown'},
                 annotations={'vnd.docker.reference.type': 'attestation-manifest',
                              'vnd.docker.reference.digest': index['manifests'][0]['digest']})
    index['manifests'].insert(place, child)
    descriptor = mkimage.blob(layout, mkimage.dump(index), 'application/vnd.oci.image.index.v1+json')
    mkimage.add_to_index(layout, descriptor, 'both')
    return descriptor['digest']


def test_an_index_is_kept_whole(w):
    registry = w.registry()
    digest, children = both(w, registry)
    product = Product(w, [f'{registry.host}/org/both:1'], [f'{registry.host}/org/both:1'])
    product.build()
    equal(product.locked()['org/both']['digest'], digest, 'digest')
    equal(complete(product, digest), children, 'children')


def test_of_an_index_the_platforms_chosen_are_carried(w):
    registry = w.registry()
    digest, (amd64, arm64) = both(w, registry)
    image = f'{registry.host}/org/both:1'
    product = Product(w, [{'from': image, 'platforms': ['linux/arm64']}], [image])
    product.build()
    equal((product.locked()['org/both']['digest'], product.locked()['org/both']['platforms']), (digest, ['linux/arm64']), 'lock')
    blobs = product.blobs()
    check(digest in blobs and arm64 in blobs and amd64 not in blobs, f'{sorted(blobs)}: the index and arm64, and not amd64')
    complete(product, arm64)


def test_an_image_that_is_not_there_for_the_platform(w):
    registry = w.registry()
    both(w, registry)
    image = f'{registry.host}/org/both:1'
    product = Product(w, [{'from': image, 'platforms': ['linux/s390x', 'linux/ppc64le']}], [image])
    product('build', '--unsigned', status=4, says=[f'{image} has nothing for linux/s390x, linux/ppc64le', 'image org/both'])
    check(not list(product.path.glob('*.gapship*')), 'something was written')


def test_one_of_two_platforms_wanted_is_not_there(w):
    registry = w.registry()
    both(w, registry)
    image = f'{registry.host}/org/both:1'
    product = Product(w, [{'from': image, 'platforms': ['linux/arm64', 'linux/s390x']}], [image])
    product('build', '--unsigned', status=4, says=f'{image} has nothing for linux/s390x', silent='nothing for linux/arm64')


def test_an_image_of_one_platform_is_checked_against_the_one_wanted(w):
    registry = w.registry()
    w.image(registry, 'org/app:1', arch='arm64')
    image = f'{registry.host}/org/app:1'
    product = Product(w, [{'from': image, 'platforms': ['linux/amd64']}], [image])
    product('build', '--unsigned', status=4, says=f'{image} is an image for linux/arm64 alone')
    product.save(images=[{'from': image, 'platforms': ['linux/arm64']}])
    product.build()


def test_attestations_travel_with_a_whole_index(w):
    for place in (0, 2):
        registry = w.registry()
        digest, children = both(w, registry, attested=place)
        product = Product(w, [f'{registry.host}/org/both:1'], [f'{registry.host}/org/both:1'], folder=f'product{place}')
        product.build()
        equal(complete(product, digest), children, 'children')
        rows = product.document('manifest.json')
        config = json.loads(product.blobs()['sha256:' + rows[0]['Config'].rpartition('/')[2]])
        equal((len(rows), config['architecture']), (1, 'amd64'), 'what old engines load')


# ---- layouts and archives

def test_a_layout_directory(w):
    digest = mkimage.make(w.path / 'product/layout', 'v1')
    product = Product(w, [{'from': 'oci:layout:v1', 'as': 'org/app'}], ['org/app:v1'])
    product.build()
    equal((product.locked()['org/app']['digest'], product.locked()['org/app']['tag']), (digest, 'v1'), 'lock')
    complete(product, digest)


def test_a_layout_of_two_images_needs_a_name(w):
    for tag in ('one', 'two'):
        mkimage.make(w.path / 'product/layout', tag, labels={'name': tag})
    product = Product(w, [{'from': 'oci:layout', 'as': 'org/app'}])
    product('build', '--unsigned', status=2, says=['the layout holds 2 images; say which one', 'oci:DIR:NAME'])
    product.save(images=[{'from': 'oci:layout:three', 'as': 'org/app'}])
    product('build', '--unsigned', status=2, says='the layout holds no image called three')
    product.save(images=[{'from': 'oci:nowhere', 'as': 'org/app'}])
    product('build', '--unsigned', status=2, says='nowhere')


def test_a_layout_that_was_damaged(w):
    layout = w.path / 'product/layout'
    digest = mkimage.make(layout, 'v1')
    layer = json.loads(layout.joinpath('blobs/sha256', digest[7:]).read_text())['layers'][0]['digest']
    product = Product(w, [{'from': 'oci:layout:v1', 'as': 'org/app'}], ['org/app:v1'])
    path = layout / 'blobs/sha256' / layer[7:]
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    product('build', '--unsigned', status=3, says=[layer, 'oci:layout:v1'])
    path.write_bytes(good[:-1])
    product('build', '--unsigned', status=3, says=layer)
    path.unlink()
    product('build', '--unsigned', status=2, says=layer[7:])
    check(not product.bundle.exists(), 'a bundle was made')
    path.write_bytes(good)
    product.build()
    complete(product, digest)


def test_an_archive_of_skopeo(w):
    digest = mkimage.make(w.layout, 'app')
    product = Product(w, [{'from': 'oci-archive:app.tar:org/app:1', 'as': 'org/app'}], ['org/app:1'])
    skopeo(w, f'oci:{w.layout}:app', f'oci-archive:{product.path}/app.tar:org/app:1')
    product.build()
    equal((product.locked()['org/app']['digest'], product.locked()['org/app']['tag']), (digest, '1'), 'lock')
    complete(product, digest)


def test_an_archive_of_podman(w):
    mkimage.make(w.layout, 'app')
    product = Product(w, [{'from': 'oci-archive:app.tar', 'as': 'org/app'}], ['org/app:latest'])
    pulled = w.podman('pull', '-q', f'oci:{w.layout}:app').out.strip()
    w.podman('save', '-q', '--format', 'oci-archive', '-o', product.path / 'app.tar', pulled)
    product.build()
    complete(product, product.locked()['org/app']['digest'])


def test_an_archive_with_something_missing(w):
    digest = mkimage.make(w.layout, 'app')
    layer = json.loads(w.layout.joinpath('blobs/sha256', digest[7:]).read_text())['layers'][0]['digest']
    product = Product(w, [{'from': 'oci-archive:app.tar', 'as': 'org/app'}], ['org/app:latest'])

    def archive(*names):
        with tarfile.open(product.path / 'app.tar', 'w') as tar:
            for path in sorted(w.layout.rglob('*')):
                if path.is_file() and path.name not in names:
                    tar.add(path, path.relative_to(w.layout))

    archive(layer[7:])
    product('build', '--unsigned', status=2, says=[layer, 'app.tar'], silent='bug')
    archive('index.json')
    product('build', '--unsigned', status=2, says='no index.json')
    archive(digest[7:])
    product('build', '--unsigned', status=2, says=f'the archive has no blobs/sha256/{digest[7:]}')
    product.write('app.tar', 'no archive at all')
    product('build', '--unsigned', status=2, says='app.tar')
    check(not product.bundle.exists(), 'a bundle was made')


def old_archive(w, product, reference='org/app:1'):
    """`docker save` as it was for years; returns the layers' digests before compression."""
    mkimage.make(w.layout, 'app', content={'a': b'1'})
    skopeo(w, f'oci:{w.layout}:app', f'docker-archive:{product.path}/app.tar:{reference}')
    with tarfile.open(product.path / 'app.tar') as tar:
        rows = json.load(tar.extractfile('manifest.json'))
        return json.load(tar.extractfile(rows[0]['Config']))['rootfs']['diff_ids']


def test_an_archive_of_docker(w):
    product = Product(w, ['docker-archive:app.tar:org/app:1'], ['org/app:1'])
    layers = old_archive(w, product)
    product.build()
    locked = product.locked()['org/app']
    equal((locked['synthesized'], locked['tag']), (True, '1'), 'lock')
    blobs = product.blobs()
    manifest = json.loads(blobs[locked['digest']])
    complete(product, locked['digest'])
    equal([layer['mediaType'] for layer in manifest['layers']], ['application/vnd.oci.image.layer.v1.tar+gzip'] * len(layers), 'types')
    unzipped = ['sha256:' + hashlib.sha256(gzip.decompress(blobs[layer['digest']])).hexdigest() for layer in manifest['layers']]
    equal(unzipped, layers, 'layers once unzipped')


def test_an_archive_of_docker_gives_the_same_digest_every_time(w):
    digests = set()
    for folder in ('one', 'two'):
        product = Product(w, ['docker-archive:app.tar:org/app:1'], ['org/app:1'], folder=folder)
        old_archive(w, product)
        os.utime(product.path / 'app.tar', (1, 1))
        product.build('--jobs', '1' if folder == 'one' else '8')
        digests.add((product.locked()['org/app']['digest'], product.bundle.read_bytes()))
    equal(len(digests), 1, 'different bundles')


def change_member(path, chosen):
    """Turns one bit in the middle of the member of a tar that is chosen by its name."""
    with tarfile.open(path) as tar:
        member = next(member for member in tar.getmembers() if member.isfile() and chosen(member.name))
    data = bytearray(path.read_bytes())
    data[member.offset_data + member.size // 2] ^= 1
    path.write_bytes(data)


def test_an_archive_whose_content_was_changed(w):
    product = Product(w, ['docker-archive:app.tar:org/app:1'], ['org/app:1'])
    old_archive(w, product)
    change_member(product.path / 'app.tar', lambda name: name.endswith('.tar'))
    product('build', '--unsigned', status=3, says=["is not what the image's config says", 'app.tar'])
    digest = mkimage.make(w.layout, 'other')
    config = json.loads(w.layout.joinpath('blobs/sha256', digest[7:]).read_text())['config']['digest']
    for platforms in ([], [f'linux/{mkimage.MACHINE}']):
        skopeo(w, f'oci:{w.layout}:other', f'oci-archive:{product.path}/other{len(platforms)}.tar:org/app:1')
        change_member(product.path / f'other{len(platforms)}.tar', lambda name: name.endswith(config[7:]))
        product.save(images=[{'from': f'oci-archive:other{len(platforms)}.tar:org/app:1', 'as': 'org/app', 'platforms': platforms}])
        product('build', '--unsigned', status=3, says='config' if platforms else config)
    check(not product.bundle.exists(), 'a bundle was made')


def rewrite_documents(path, change):
    """Writes a docker archive anew, with what change(row of manifest.json, config) leaves of the two."""
    with tarfile.open(path) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar.getmembers() if member.isfile()}
    rows = json.loads(files['manifest.json'])
    config = json.loads(files[rows[0]['Config']])
    change(rows[0], config)
    files |= {rows[0]['Config']: json.dumps(config).encode(), 'manifest.json': json.dumps(rows).encode()}
    with tarfile.open(path, 'w') as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


def test_an_archive_of_docker_that_is_not_as_it_should_be(w):
    def one_file_for_two_layers(row, config):
        row['Layers'].append(row['Layers'][0])
        config['rootfs']['diff_ids'].append('sha256:' + '0' * 64)

    def tags_in_a_map(row, _):
        row['RepoTags'] = {'org/app:1': 'org/app:1'}

    def another_digest(_, config):
        config['rootfs']['diff_ids'][0] = 'sha512:' + '0' * 128

    product = Product(w, ['docker-archive:app.tar:org/app:1'], ['org/app:1'])
    for change, status, says in ((one_file_for_two_layers, 3, "is not what the image's config says"),
                                 (tags_in_a_map, 2, 'the archive holds no image called org/app:1'),
                                 (another_digest, 2, 'not a digest')):
        old_archive(w, product)
        rewrite_documents(product.path / 'app.tar', change)
        product('build', '--unsigned', status=status, says=[says, 'app.tar'])
        product.path.joinpath('app.tar').unlink()
    check(not product.bundle.exists(), 'a bundle was made')


def test_an_archive_of_docker_needs_the_right_name(w):
    product = Product(w, ['docker-archive:app.tar:org/other:1'])
    old_archive(w, product)
    product('build', '--unsigned', status=2, says=['the archive holds no image called org/other:1', 'app.tar'])
    product.save(images=[{'from': 'docker-archive:app.tar', 'as': 'org/app'}])
    product.build()
    product.save(images=[{'from': 'docker-archive:absent.tar', 'as': 'org/app'}])
    product('build', '--unsigned', '--force', status=2, says='absent.tar')


def test_layers_that_several_images_have_are_carried_once(w):
    registry = w.registry()
    digests = [w.image(registry, f'org/{name}:1', labels={'name': name}) for name in ('a', 'b')]
    product = Product(w, [f'{registry.host}/org/{name}:1' for name in ('a', 'b')], [f'{registry.host}/org/{name}:1' for name in ('a', 'b')])
    result = product.build()
    largest = max(len(data) for data in product.blobs().values())
    check(largest < result['fetched'] < 1.2 * largest, f'{result}: the layer of {largest} bytes is fetched once')
    for digest in digests:
        complete(product, digest)


harness.main()
