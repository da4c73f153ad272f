"""Security advisories of other software, each tried on gapship: a test is named after its advisory. docs/SECURITY.md has the table, also
of those that are tried in another suite."""
import base64
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import stat
import struct
import subprocess
import sys
import tarfile

import bundle
import harness
import mkimage
from fault_registry import FaultRegistry, answer
from forge import NAME, Forge, compact, digest_of
from harness import check, equal
from product import Product, unit
from shop import Shop

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ENVELOPE = 512


def everything(*folders):
    """Every path below, with kind, mode and size: what must not change."""
    found = {}
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob('*')):
            info = path.lstat()
            found[str(path)] = (stat.filemode(info.st_mode), info.st_size if path.is_file() else 0)
    return found


class Site:
    """A site that trusts a key and keeps bundles; no registry is asked."""

    def __init__(self, w, folder='site'):
        self.w, self.folder = w, w.path / folder
        if not (w.path / 'release.key').exists():
            w.key()
        self.public, self.private = w.path / 'release.pub', w.path / 'release.key'
        w.gapship('site', 'init', folder, '--root', self.public)

    def __call__(self, *words, **options):
        return self.w.gapship('-C', self.folder, *words, **options)

    def kept(self):
        return sorted(path.name for path in (self.folder / 'store' / 'bundles').iterdir())


def product_of_one(w, **more):
    """A signed bundle without images."""
    product = Product(w, **more)
    if not (w.path / 'release.key').exists():
        w.key()
    product('build', '--key', w.path / 'release.key')
    return product


def tars(w):
    """The archives of tests/unit/archive, good and bad, by name."""
    folder = w.path / 'tars'
    folder.mkdir()
    harness.run([sys.executable, ROOT / 'tests/unit/archive/make_tars.py', folder]).expect()
    return {path.name: path for path in folder.iterdir()}


# ---- what is signed

def test_rauc_0a8010e6_a_signature_whose_scope_is_cut_at_2_gib(w):
    """A length in an int made the signature cover a few bytes of what was larger than 2 GiB."""
    product, path = product_of_one(w), w.path / 'large.gapship'
    public, private = w.path / 'release.pub', w.path / 'release.key'
    writer = Forge(product.bundle).writer(bundle.Zeros((1 << 31) + 4096, b'the end', digest=hashlib.sha256(b'any').digest()))
    writer.save(path, [bundle.Key(private, private=True)])
    check(path.stat().st_size > 1 << 31, 'the file is too small')
    w.gapship('verify', path, '--root', public)
    for place in (writer.places[-1] + (1 << 31) + 4096 + 6, writer.places[-1] + 1, writer.places[-1] + (1 << 31) - 1, ENVELOPE + 64 + 300):
        with open(path, 'r+b') as file:
            file.seek(place)
            was = file.read(1)
            file.seek(place)
            file.write(bytes([was[0] ^ 1]))
            file.flush()
            w.gapship('verify', path, '--root', public, status=3)
            file.seek(place)
            file.write(was)
    w.gapship('verify', path, '--root', public)


# ---- whose key

def test_cosign_ghsa_fx35_mq7g_6g98_a_key_that_the_bundle_brings(w):
    """A key inside the bundle took precedence over the one that the user gave."""
    site, stranger = Site(w), w.key('stranger')
    writer = Forge(product_of_one(w).bundle).writer(stranger[0].read_bytes())  # his public key is in it
    index = writer.index()
    statement = writer.statement(index)
    made = writer.signature(statement, bundle.Key(stranger[1], private=True))
    under_trusted_id = made[:8] + bytes.fromhex(bundle.Key(site.public).id) + made[40:]
    for entries in ([made], [under_trusted_id], [made, under_trusted_id]):
        path = w.path / 'bad.gapship'
        writer.save(path, index=index, statement=statement, envelope=writer.envelope(statement, entries))
        site('import', path, status=3)
        w.gapship('verify', path, '--root', site.public, status=3)
    # and a chain of roots of the stranger's own making, with his key as the only one
    w.gapship('root', 'init', '--key', stranger[0], '--threshold', '1', '--out', 'strange.json')
    w.gapship('root', 'next', 'strange.json', '-o', 'strange-2.json')
    w.gapship('root', 'sign', 'strange-2.json', '--key', stranger[1])
    product = Product(w, folder='strange')
    product('build', '--key', stranger[1], '--root', w.path / 'strange-2.json')
    w.gapship('verify', product.bundle, '--root', w.path / 'strange.json')
    site('import', product.bundle, status=3)
    equal(site.kept(), [], 'kept bundles')


def test_cosign_cve_2026_22703_a_signature_that_is_not_bound_to_what_it_stands_beside(w):
    """Proof about one artifact was accepted beside another."""
    site = Site(w)
    key = bundle.Key(site.private, private=True)
    forge = Forge(product_of_one(w).bundle)
    writers = [forge.writer(sequence=sequence) for sequence in (1, 2)]
    statements = [writer.statement(writer.index()) for writer in writers]
    first, second = (writer.signature(statement, key) for writer, statement in zip(writers, statements))
    for entries, status in (([second], 3), ([first], 0)):
        path = w.path / f'{status}.gapship'
        writers[0].save(path, envelope=writers[0].envelope(statements[0], entries))
        w.gapship('verify', path, '--root', site.public, status=status)
    # nothing of the envelope is outside of what is checked: every byte of it counts
    good = path.read_bytes()
    size = struct.unpack_from('<I', good, ENVELOPE + 12)[0]
    used = [i for i in range(ENVELOPE, ENVELOPE + size) if good[i]]
    for at in [*used[::7], ENVELOPE + 24, ENVELOPE + 63, ENVELOPE + size - 1]:
        bad = bytearray(good)
        bad[at] ^= 0x80
        path.write_bytes(bad)
        done = harness.run(w.command('verify', path, '--root', site.public), env=w.environment())
        equal(done.status, 3, f'status with byte {at} changed')


def test_cosign_cve_2026_39395_another_type_and_junk_for_a_payload(w):
    """`Verified OK` for a payload that could not be parsed, or of another type than was asked for."""
    site = Site(w)
    key = bundle.Key(site.private, private=True)
    writer = Forge(product_of_one(w).bundle).writer()
    good = writer.statement(writer.index())

    def signed(statement, body_type=None):
        path = w.path / 'bad.gapship'
        encoding = bundle.pae(statement) if not body_type else b'DSSEv1 %d %s %d ' % (len(body_type), body_type, len(statement)) + statement
        made = key.sign(encoding)
        entry = struct.pack('<HHI', 1, 0, len(made)) + bytes.fromhex(key.id) + made
        writer.save(path, statement=statement, envelope=writer.envelope(statement, [entry]))
        return path

    w.gapship('verify', signed(good), '--root', site.public)
    junk = [b'\0', b'null', b'[]', b'{}', b'junk', good[:-1], good + b' {}', good + b'\0', good.replace(b'Statement/v1', b'Statement/v0.1'),
            good.replace(b'gapship.io/bundle/v1', b'slsa.dev/provenance/v1'), good.replace(b'"predicate":', b'"predicates":'),
            good.replace(b'"product":"shop"', b'"product":null'), good.replace(b'"sequence":1', b'"sequence":"1"'),
            good.replace(b'"epoch":0', b'"epoch":0,"epoch":0'), good.decode().encode('utf-16')]
    for statement in junk:
        check(statement != good, 'nothing was changed')
        w.gapship('verify', signed(statement), '--root', site.public, status=3, silent='bug')
        site('import', w.path / 'bad.gapship', status=3)
    for body_type in (b'application/vnd.gapship.root+json', b'application/vnd.gapship.permit+json', b'application/json', b'text/plain'):
        w.gapship('verify', signed(good, body_type), '--root', site.public, status=3)
    equal(site.kept(), [], 'kept bundles')


def test_go_tuf_cve_2022_29173_replay(w):
    """Rollback was noticed in one role only. Here one comparison decides, over every pair of epoch and sequence."""
    product, numbers = product_of_one(w), [(0, 1), (0, 2), (0, 9), (1, 1), (1, 2), (1, 9)]
    forge, files = Forge(product.bundle), {}
    for epoch, sequence in numbers:
        for version in ('1.0.0', '1.0.1'):
            forge.fields['version'] = version
            entry, release, _ = forge.documents()
            release['metadata'].update(version=version, sequence=sequence, epoch=epoch)
            forge.put_release(release)
            files[epoch, sequence, version] = forge.save(w.path / f'{epoch}-{sequence}-{version}.gapship', w.path / 'release.key', epoch=epoch,
                                                         sequence=sequence, version=version)
    for before in numbers:
        site = Site(w, f'site-{before[0]}-{before[1]}')
        site('import', files[*before, '1.0.0'])
        copy = w.path / 'copy'
        for after in numbers:
            for version in ('1.0.0', '1.0.1'):
                shutil.rmtree(copy, ignore_errors=True)
                shutil.copytree(site.folder, copy)
                same = after == before
                says = 'two different bundles' if same and version != '1.0.0' else 'older' if after < before else ''
                done = harness.run(w.command('-C', copy, 'import', files[*after, version]), env=w.environment())
                done.expect(0 if after > before or (same and version == '1.0.0') else 3, says=says)
        shutil.rmtree(site.folder)


# ---- links and names

LINKS = ('hardlink', 'symlink', 'link_out', 'link_absolute', 'link_to_root', 'hardlink_out', 'hardlink_with_content')
NAMES = ('absolute', 'up', 'up_inside', 'dot_inside', 'empty_component', 'backslash', 'control', 'newline', 'not_utf8', 'long_component',
         'long_name', 'no_name', 'pax_nul', 'twice', 'twice_by_dot', 'below_a_file', 'file_then_directory')


READ_TO_THE_END = 'no Chart.yaml'  # what is said of a good archive that is no chart


def chart_of(w, product, path):
    shutil.copy(path, product.path / 'app.tgz')
    before = everything(w.path)
    product('build', '--unsigned', status=2, says='app.tgz', silent=['bug', READ_TO_THE_END])
    equal(everything(w.path), before, 'files after a refused chart')


def test_zarf_cve_2026_29064_symlink_in_archive(w):
    """An archive's link led out of the directory of extraction, before anything was checked."""
    made = tars(w)
    product = Product(w, charts=[{'name': 'app', 'from': 'app.tgz'}])
    for name in (*LINKS, 'character_device', 'block_device', 'fifo', 'gnu_sparse', 'contiguous', 'unknown_type'):
        chart_of(w, product, made[name])


def test_zarf_cve_2026_29064_symlink_in_a_signed_bundle(w):
    """The same from a vendor whose key is right: the site unpacks overlays, so it is refused there as well."""
    made, shop = tars(w), Shop(w)
    good = shop.build('1.0.0', 1)
    shop('install', good, '--yes')
    temporary = w.path / 'tmp'
    temporary.mkdir()
    for number, name in enumerate((*LINKS, *NAMES)):
        forge = Forge(good)
        overlay = forge.of_kind('overlay')[0]  # whole but for what is added to it, so that nothing else is wrong
        content = gzip.decompress(forge.blobs[forge.manifest(overlay)['layers'][0]['digest']])
        check(content.endswith(bytes(1024)), 'the overlay has another end')
        forge.put_layer(overlay, 0, gzip.compress(content[:-1024] + made[name].read_bytes()))
        bad = forge.number(2 + number).save(w.path / 'bad.gapship', shop.private)
        before = everything(shop.registry.folder / 'data', temporary, shop.site / 'trust')
        done = harness.run(w.command('-C', shop.site, 'install', bad, '--yes'), env=w.environment({'TMPDIR': str(temporary)}))
        check(done.status not in (0, 1), f'{name}\n{done}')
        equal(everything(shop.registry.folder / 'data', temporary, shop.site / 'trust'), before, f'files after {name}')
        equal(shop.versions(), ['1.0.0', '1.0.0'], f'versions after {name}')
    shop('install', Forge(good).number(100).save(w.path / 'good.gapship', shop.private), '--yes')  # so it was the archive alone


def test_rustsec_2026_0067_chmod_through_a_symlink(w):
    """A directory over a link of the same name changed the mode of what the link led to."""
    victim = w.path / 'victim'
    victim.mkdir(mode=0o700)
    for kind in (tarfile.DIRTYPE, tarfile.REGTYPE):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode='w:gz') as tar:
            link, over = tarfile.TarInfo('app'), tarfile.TarInfo('app')
            link.type, link.linkname = tarfile.SYMTYPE, str(victim)
            over.type, over.mode = kind, 0o777
            tar.addfile(link)
            tar.addfile(over)
        w.write('bad.tgz', '').write_bytes(buffer.getvalue())
        product = Product(w, folder=f'product-{kind.decode()}', charts=[{'name': 'app', 'from': 'app.tgz'}])
        chart_of(w, product, w.path / 'bad.tgz')
        equal(stat.S_IMODE(victim.stat().st_mode), 0o700, 'mode')
        equal(list(victim.iterdir()), [], 'content')


def test_oras_go_cve_2026_50163_ghsa_8xwf_links_that_wait_for_the_writer(w):
    """What was checked was not what was opened: a link had been put there before."""
    product, site = product_of_one(w), Site(w)
    victim = w.write('victim/file', 'as it was')
    built = product.bundle
    for name, target in (('dir', victim.parent), ('dangling', w.path / 'absent'), ('file', victim)):
        (w.path / name).symlink_to(target)
        w.gapship('extract', built, '-o', name, status=2)
        w.gapship('extract', built, '--signatures', name, status=2)
        check((w.path / name).is_symlink(), f'{name} was replaced')
    check(not (w.path / 'absent').exists(), 'what the link led to was made')
    w.gapship('extract', built, 'release', '-o', 'file', status=2, says='exists already')
    # in the store: in place of the bundle, and of the directory of bundles
    kept = hashlib.sha256(statement_of(built)).hexdigest() + '.gapship'
    bundles = site.folder / 'store' / 'bundles'
    (bundles / kept).symlink_to(victim)
    site('import', built, status=2, says=[kept, 'symbolic link'])
    shutil.rmtree(bundles)
    bundles.symlink_to(victim.parent)
    site('import', built, status=2, says='bundles')
    equal((sorted(path.name for path in victim.parent.iterdir()), victim.read_text()), (['file'], 'as it was'), 'where the links led to')


def statement_of(path):
    data = path.read_bytes()
    return data[576:576 + struct.unpack_from('<I', data, 528)[0]]


BAD_NAMES = ['..', '.', '', '../x', 'a/b', '/a', 'a/../b', 'a\0b', 'a' * 64, 'a' * 5000, 'A', '-a', 'a-', 'a b', 'a\nb', 'ä', '.a', '~', '*', '$(id)']
BAD_CONTENT_NAMES = ['..', '.', '', '/etc/passwd', '{0}/..', '{0}/../../x', '{0}/', 'a\0b', '{0}/' + 'a' * 300]


class Refusals:
    """A shop to which a vendor with the right key sends bundles that must change nothing."""

    def __init__(self, w):
        self.w, self.shop, self.sequence = w, Shop(w), 1
        self.good = self.shop.build('1.0.0', 1, files=[{'name': 'extra', 'from': 'release.yaml'}])
        self.watched = [w.path / 'product', self.shop.registry.folder / 'data', self.shop.site / 'trust', self.shop.git.folder]

    def run(self, forge, *words):
        """Each with a sequence of its own, so that it is never refused for that."""
        self.sequence += 1
        path = forge.number(self.sequence).save(self.w.path / 'bad.gapship', self.shop.private)
        return harness.run(self.w.command('-C', self.shop.site, words[0], path, *words[1:]), env=self.w.environment())

    def refused(self, forge, what, *words):
        before = everything(*self.watched)
        done = self.run(forge, *words)
        check(done.status in (2, 3, 4) and 'this is a bug' not in done.err, f'{what}\n{done}')
        equal(everything(*self.watched), before, f'files after {what}')


def test_zarf_cve_2026_40090_helm_cve_2026_35206_names_become_paths(w):
    """A name was checked when a package was made, and joined to a path when it was read. Every name that a signed bundle brings."""
    site = Refusals(w)
    changes = {
        'the product': lambda release, name: release['metadata'].update(name=name),
        'an overlay': lambda release, name: release['overlays'][0].update(name=name),
        'a file': lambda release, name: release['files'][0].update(name=name),
        'an environment': lambda release, name: release['environments'][0].update(name=name),
        'a unit': lambda release, name: release['environments'][0]['units'][0].update(name=name),
    }
    for what, change in changes.items():
        for number, name in enumerate(BAD_NAMES):
            forge = Forge(site.good)
            release = forge.documents()[1]
            change(release, name)
            forge.put_release(release)
            site.refused(forge, f'{what} {name!r}', 'inspect')
            if number < 3:
                site.refused(forge, f'{what} {name!r}', 'install', '--yes')
    for name in BAD_NAMES:
        forge = Forge(site.good)
        forge.changed['product'] = name
        site.refused(forge, f'the statement {name!r}', 'inspect')
    for kind in ('overlay', 'file', 'image'):
        for name in BAD_CONTENT_NAMES:
            forge = Forge(site.good)
            forge.of_kind(kind)[0]['annotations'][NAME] = name.format(kind)
            site.refused(forge, f'{kind} {name!r}', 'install', '--yes')
    site.run(Forge(site.good), 'install', '--yes').expect()  # so it was the names alone


# ---- images

HOSTILE_LABELS = {'org.opencontainers.image.title': '$(touch pwned)', 'io.gapship.kind': 'release', 'maintainer': '`id > /tmp/pwned`', 'x': '../../../etc/passwd',
                  'io.containerd.image.name': 'docker.io/library/evil:latest', 'containerd.io/restart.command': '/bin/sh -c id', 'esc': '\x1b]0;owned\x07', '-o': '--privileged', 'devices.nvidia.com': 'all', 'long': 'x' * 100000}


def hostile_layer():
    """What a runtime would have to refuse, and a carrier has nothing to do with."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w') as tar:
        for name, kind, link, mode in (('up', tarfile.SYMTYPE, '../../../../../etc', 0o777), ('up/cron.d/x', tarfile.REGTYPE, '', 0o644),
                                       ('hard', tarfile.LNKTYPE, '/etc/shadow', 0o777), ('/absolute', tarfile.REGTYPE, '', 0o644),
                                       ('../outside', tarfile.REGTYPE, '', 0o6755), ('dev', tarfile.BLKTYPE, '', 0o666)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.mode = kind, link, mode
            tar.addfile(entry)
    return buffer.getvalue()


def hostile_image(layout, tag):
    raw = hostile_layer()
    config = mkimage.blob(layout, mkimage.dump({
        'architecture': mkimage.MACHINE, 'os': 'linux', 'config': {'Labels': HOSTILE_LABELS, 'Cmd': ['--', '-x'], 'User': '0:0'},
        'rootfs': {'type': 'layers', 'diff_ids': [digest_of(raw)]}}), 'application/vnd.oci.image.config.v1+json')
    layer = mkimage.blob(layout, gzip.compress(raw, mtime=0), 'application/vnd.oci.image.layer.v1.tar+gzip')
    manifest = mkimage.blob(layout, mkimage.dump({
        'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json', 'config': config, 'layers': [layer],
        'annotations': HOSTILE_LABELS}), 'application/vnd.oci.image.manifest.v1+json')
    mkimage.add_to_index(layout, dict(manifest, platform={'architecture': mkimage.MACHINE, 'os': 'linux'}), tag)
    return manifest['digest']


def test_containerd_cve_2025_47290_cve_2026_53488_layers_and_labels_of_an_image(w):
    """Unpacking raced with links, and a label of an image reached a command of the host. Here layers stay closed and labels are data."""
    public, private = w.key()
    registry = w.registry()
    digest = hostile_image(w.path / 'product/layout', 'v1')
    product = Product(w, [{'from': 'oci:layout:v1', 'as': 'org/app'}], ['org/app:v1'])
    product('build', '--key', private, env={'TMPDIR': str(w.path / 'home')})
    w.site(public, {'registry': {'url': registry.url}, 'environments': {'prod': {}}})
    before = everything('/etc/cron.d', w.path / 'product')
    shown = w.gapship('-C', 'site', 'inspect', product.bundle)
    check('\x1b' not in shown.out + shown.err and '\0' not in shown.out, 'a label reached the terminal as it was')
    w.gapship('-C', 'site', 'load', product.bundle)
    equal(registry.digest('org/app:v1'), digest, 'what the registry has is what was built, byte for byte')
    equal(everything('/etc/cron.d', w.path / 'product'), before, 'files')
    check(not list(w.path.rglob('pwned')) and not os.path.exists('/tmp/pwned'), 'a label was run')


def test_containerd_cve_2026_50195_tags_that_an_import_brings(w):
    """An archive's own names moved tags of other images. Here tags come from the signed lock alone."""
    shop = Shop(w)
    good = shop.build('1.0.0', 1)
    w.image(shop.registry, 'platform/shop/backend:latest', labels={'name': 'of somebody else'})
    before = {name: shop.registry.tags(name) for name in shop.registry.repositories()}
    latest = shop.registry.digest('platform/shop/backend:latest')
    for number, (ref, image) in enumerate((('shop/backend:latest', None), ('shop/backend:1.0.0', 'docker.io/shop/backend:latest'),
                                           ('shop/worker:1.0.0', None), ('other/name:1', 'other/name:1'), (None, None))):
        forge = Forge(good)
        backend = next(e for e in forge.of_kind('image') if e['annotations'][NAME].startswith('shop/backend'))
        extra = json.loads(json.dumps(backend))
        for entry in ([backend] if number % 2 else [extra]):
            if ref:
                entry['annotations'][NAME] = ref
            entry['annotations']['io.containerd.image.name'] = image or 'shop/backend:latest'
        if not number % 2:
            forge.index['manifests'].append(extra)
        forge.manifest_json = forge.manifest_json.replace(b'shop/backend:1.0.0', b'shop/backend:latest')
        bad = forge.number(2 + number).save(w.path / 'bad.gapship', shop.private)
        harness.run(w.command('-C', shop.site, 'load', bad), env=w.environment())
        found = {name: shop.registry.tags(name) for name in shop.registry.repositories()}
        allowed = {'platform/shop/backend': ['1.0.0', 'latest'], 'platform/shop/worker': ['1.0.0']}
        check(all(set(tags) <= set(allowed.get(name, [])) for name, tags in found.items()), f'tags {found}')
        equal(shop.registry.digest('platform/shop/backend:latest'), latest, f'a tag that is not in the lock, by bundle {number}')
    check(before != {} and shop('load', Forge(good).number(50).save(w.path / 'good.gapship', shop.private)), 'the good one')
    equal(shop.registry.tags('platform/shop/backend'), ['1.0.0', 'latest'], 'tags of the good one')


def malformed(right):
    """Forms that are no digest, made of the right one wherever they can be, so that who reads them loosely finds content."""
    return ['', 'sha256', 'sha256:', ':' + right, right, 'sha256' + right, 'sha256:' + right[1:], 'sha256:' + right + 'f', 'sha256:' + right.upper(),
            'SHA256:' + right, 'Sha256:' + right, 'sha256::' + right, 'sha256: ' + right, ' sha256:' + right, 'sha256:' + right + ' ',
            'sha256:' + right + '\n', 'sha256:' + right[:-1] + 'g', 'sha256:' + right[:-1] + '/', 'sha256:' + right[:-2] + '..',
            'sha256:../../../../../../etc/passwd', '../sha256:' + right, 'sha256:../sha256/' + right, 'sha256:./' + right, 'sha256/' + right,
            'sha256:' + right + '/.', 'sha256:' + right + '?x=y', 'sha256:' + right + '#x', 'sha256:' + right[:-3] + '%2f', 'sha256:' + right + '\0',
            'sha1:' + right[:40], 'md5:' + right[:32], 'sha512:' + right, 'sha384:' + right + right[:32], 'sha256+b64:' + right,
            'sha256:' + right + '@sha256:' + right, 'sha256:' + right + ',sha256:' + right, '@sha256:' + right, 'sha256:' + right[:-2] + 'ﬀ',
            'sha256:0x' + right, 'sha256:' + right * 1000]


def test_containers_image_cve_2024_3727_malformed_digests(w):
    """A digest was used in a path or a URL before its form was looked at: in every place where one is read."""
    registry = w.stack.enter_context(FaultRegistry())
    product, layout = Product(w), w.path / 'product/layout'
    good = hostile_image(layout, 'v1')
    manifest = json.loads((layout / 'blobs/sha256' / good[7:]).read_text())
    index = json.loads((layout / 'index.json').read_text())
    for blob in (layout / 'blobs/sha256').iterdir():
        registry.add_blob(blob.read_bytes())
    for reference in (good, 'v1'):
        registry.add_manifest('org/app', reference, (layout / 'blobs/sha256' / good[7:]).read_bytes())
    outside = everything(w.path / 'home')

    def built(source, statuses, what):
        product.save(images=[{'from': source, 'as': 'org/app'}])
        done = harness.run(w.command('build', '--unsigned', '--force'), cwd=product.path, env=w.environment())
        check(done.status in statuses and 'this is a bug' not in done.err, f'{what}\n{done}')
        (product.path / 'release.lock').unlink(missing_ok=True)

    layer = manifest['layers'][0]['digest'][7:]
    equal((len(malformed(layer)), len(set(malformed(layer)))), (40, 40), 'malformed digests')
    for of_layer, of_manifest in zip(malformed(layer), malformed(good[7:])):
        changed = json.loads(json.dumps(manifest))
        changed['layers'][0]['digest'] = of_layer
        descriptor = mkimage.blob(layout, mkimage.dump(changed), 'application/vnd.oci.image.manifest.v1+json')
        for entry in (dict(index['manifests'][0], digest=descriptor['digest'], size=descriptor['size']), dict(index['manifests'][0], digest=of_manifest)):
            (layout / 'index.json').write_bytes(mkimage.dump(dict(index, manifests=[entry])))
            built('oci:layout:v1', (2, 3), f'in a layout: {entry["digest"]!r}, {of_layer!r}')
        built(f'{registry.host}/org/app@{of_manifest}', (2, ), f'in a reference: {of_manifest!r}')
        registry.add_manifest('org/app', 'bad', changed)
        built(f'{registry.host}/org/app:bad', (2, 3, 6), f'from a registry: {of_layer!r}')
    (layout / 'index.json').write_bytes(mkimage.dump(index))
    check(not product.bundle.exists(), 'a bundle was made')
    for source in ('oci:layout:v1', f'{registry.host}/org/app@{good}', f'{registry.host}/org/app:v1'):
        built(source, (0, ), f'the right digest in {source}')
        product.bundle.unlink()  # or the next build takes its content from there
    asked = {entry['path'] for entry in registry.log if '/blobs/' in entry['path']}
    check(asked and not [path for path in asked if not re.search(r'/blobs/sha256:[0-9a-f]{64}$', path)], f'asked for {asked}')
    equal(everything(w.path / 'home'), outside, 'files outside')


def test_image_spec_ghsa_77vh_cve_2021_41190_documents_of_two_kinds(w):
    """One document was an index to the one who checked it and a manifest to the one who ran it."""
    registry = w.stack.enter_context(FaultRegistry())
    product, layout = Product(w), w.path / 'product/layout'
    mkimage.make(layout, 'v1')
    index = json.loads((layout / 'index.json').read_text())
    entry = {key: value for key, value in index['manifests'][0].items() if key != 'annotations'}
    manifest = json.loads((layout / 'blobs/sha256' / entry['digest'][7:]).read_text())
    as_manifest, as_index = 'application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.index.v1+json'
    docker = 'application/vnd.docker.distribution.manifest.v2+json'
    bare = {key: value for key, value in manifest.items() if key != 'mediaType'}
    documents = [
        (as_manifest, {**manifest, 'manifests': [entry]}), (as_index, {**manifest, 'mediaType': as_index, 'manifests': [entry]}),
        (as_manifest, {**bare, 'manifests': [entry]}), (as_index, {**bare, 'manifests': [entry]}), (as_index, manifest), (as_index, {**bare, 'mediaType': as_index}),
        (as_manifest, {'schemaVersion': 2, 'manifests': [entry]}), (as_manifest, {'schemaVersion': 2, 'mediaType': as_index, 'manifests': [entry]}),
        (docker, manifest), (as_manifest, {**bare, 'mediaType': docker}), (as_manifest, {**manifest, 'fsLayers': [], 'schemaVersion': 1}),
        (as_manifest, {**manifest, 'manifests': []}),
    ]
    for number, (kind, document) in enumerate(documents):
        descriptor = mkimage.blob(layout, compact(document), kind)
        (layout / 'index.json').write_bytes(mkimage.dump(dict(index, manifests=[dict(index['manifests'][0], **descriptor)])))
        product.save(images=[{'from': 'oci:layout:v1', 'as': 'org/app'}])
        done = harness.run(w.command('build', '--unsigned'), cwd=product.path, env=w.environment())
        check(done.status in (2, 3) and not product.bundle.exists(), f'{number} from a layout: {document}\n{done}')
        registry.add_manifest('org/app', 'v1', compact(document), kind)
        product.save(images=[{'from': f'{registry.host}/org/app:v1', 'as': 'org/app'}])
        done = harness.run(w.command('build', '--unsigned'), cwd=product.path, env=w.environment())
        check(done.status in (2, 3, 6) and not product.bundle.exists(), f'{number} from a registry: {document}\n{done}')
    (layout / 'index.json').write_bytes(mkimage.dump(index))
    product.save(images=[{'from': 'oci:layout:v1', 'as': 'org/app'}])
    product.run('org/app:v1')
    product.build()


# ---- charts

def charted(w, schema, folder):
    product = Product(w, folder=folder, charts=[{'name': 'app', 'from': 'app'}],
                      environments=[{'name': 'prod', 'units': [unit({'chart': 'app'}, {'kind': 'helm', 'namespace': 'app'})]}])
    product.write('app/Chart.yaml', 'apiVersion: v2\nname: app\nversion: 1.0.0\n')
    product.write('app/values.yaml', 'name: app\n')
    product.write('app/templates/app.yaml', '{}\n')
    product.write('app/values.schema.json', schema)
    return product


def test_helm_cve_2025_32386_an_archive_that_grows_800_times(w):
    """A small chart filled the memory of whoever looked at it."""
    made = tars(w)
    product = Product(w, charts=[{'name': 'app', 'from': 'app.tgz'}])
    check((200 << 20) / made['bomb_content'].stat().st_size > 800, 'this is no bomb')
    for name in ('bomb_content', 'bomb_total', 'bomb_padding', 'bomb_entries', 'bomb_pax'):
        chart_of(w, product, made[name])
    check((400 << 20) / made['bomb_padding'].stat().st_size > 800, 'this is no bomb')
    one = io.BytesIO()
    with tarfile.open(fileobj=one, mode='w') as tar:  # less than all files may have together, more than one may
        entry = tarfile.TarInfo('Chart.yaml')
        entry.size = 50 << 20
        tar.addfile(entry, io.BytesIO(bytes(50 << 20)))
    w.write('one.gz', '').write_bytes(gzip.compress(one.getvalue()))
    chart_of(w, product, w.path / 'one.gz')
    w.write('deep.gz', '').write_bytes(gzip.compress(made['bomb_content'].read_bytes()))  # a bomb in a bomb
    chart_of(w, product, w.path / 'deep.gz')


def test_helm_cve_2025_55199_a_schema_that_refers_to_a_device(w):
    """`$ref` to /dev/zero was read until memory ended."""
    for number, where in enumerate(('file:///dev/zero', 'file:///dev/random', '/dev/zero', 'file:///proc/self/environ')):
        product = charted(w, json.dumps({'properties': {'name': {'$ref': where}}}), f'product{number}')
        done = product('build', '--unsigned', status=4, says='prod/app', timeout=90)
        check(done.seconds < 60, f'{where} took {done.seconds} s')
        check(not product.bundle.exists(), 'a bundle was made')


def test_helm_cve_2025_32387_a_schema_without_end(w):
    """A schema that leads to itself, or is nested without end, overflowed the stack."""
    deep = '{"properties":{"name":' * 20000 + '{}' + '}}' * 20000
    schemas = {'itself': '{"$ref": "#"}', 'all': '{"allOf": [{"$ref": "#"}]}', 'pair': json.dumps({
        'definitions': {'a': {'$ref': '#/definitions/b'}, 'b': {'$ref': '#/definitions/a'}}, '$ref': '#/definitions/a'}), 'deep': deep}
    for name, schema in schemas.items():
        product = charted(w, schema, name)
        done = harness.run(w.command('build', '--unsigned'), cwd=product.path, env=w.environment(), timeout=90)
        check(done.status in (0, 4) and done.seconds < 60, f'{name}: {done.status} after {done.seconds} s\n{done.err[:500]}')
        check(done.status == 4 or name == 'deep', f'{name} renders\n{done}')


# ---- archives that two readers read differently

DIFFERENTIALS = ('directory_with_size', 'gnu_and_pax', 'gnu_map_in_a_plain_file', 'gnu_sparse', 'hardlink_with_content', 'pax_nul', 'pax_size_larger',
                 'pax_size_of_directory', 'pax_sparse', 'pax_twice', 'size_negative', 'volume')


def views(path):
    """Names and content of an archive, as three readers see it; None where one refuses it."""
    found = []
    for program in ('bsdtar', 'tar'):
        names, content = (subprocess.run([program, words, str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
                          for words in ('-tf', '-xOf'))
        found.append(None if names.returncode or content.returncode else (names.stdout.split(b'\n')[:-1], content.stdout))
    try:
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            names = [(member.name + '/' * member.isdir()).encode() for member in members]
            found.append((names, b''.join(tar.extractfile(member).read() for member in members if member.isfile())))
    except (tarfile.TarError, ValueError, OverflowError, OSError):
        found.append(None)
    return found


def test_tar_cve_2025_62518_cve_2026_33055_cve_2026_53655_two_readers_of_one_archive(w):
    """Bsdtar, GNU tar and Python's tarfile do not see the same files: so gapship refuses the archive."""
    harness.need('bsdtar', 'tar')
    made, product, differ = tars(w), Product(w, charts=[{'name': 'app', 'from': 'app.tgz'}]), []
    equal(len(DIFFERENTIALS), 12, 'archives')
    for name in DIFFERENTIALS:
        seen = views(made[name])
        differ += [name] if any(view != seen[0] for view in seen) else []
        chart_of(w, product, made[name])
    check(len(differ) >= 10, f'the readers of this machine differ only about {differ}')
    for name in ('pax_size_smaller', 'pax_and_gnu', 'second_archive', 'trailing_after_one_zero_block', 'size_huge'):
        chart_of(w, product, made[name])
    for name in ('good_git_archive', 'good_v7_directory'):
        shutil.copy(made[name], product.path / 'app.tgz')
        product('build', '--unsigned', status=2, says=READ_TO_THE_END)


# ---- what is no signature, and who is asked

def test_openssl_cve_2025_15467_an_envelope_of_cms_offered_as_a_signature(w):
    """The parameters of AEAD in a CMS message overflowed the stack before anything was authentic. CMS is never parsed."""
    site, product = Site(w), product_of_one(w)
    certificate = w.path / 'certificate.pem'
    harness.run(['openssl', 'req', '-x509', '-key', site.private, '-out', certificate, '-subj', '/CN=x', '-days', '2']).expect()
    plain = w.write('plain', 'text')
    forge = Forge(product.bundle)
    for name, words in (('enveloped', ['-encrypt', '-aes256', '-in', plain]), ('aead', ['-encrypt', '-aes-256-gcm', '-in', plain]),
                        ('signed', ['-sign', '-signer', certificate, '-inkey', site.private, '-in', plain])):
        blob = w.path / f'{name}.p7s'
        recipient = [] if name == 'signed' else [certificate]
        harness.run(['openssl', 'cms', *words, '-outform', 'DER', '-out', blob, *recipient]).expect()
        w.gapship('attach-signature', product.bundle, '--signature', blob, '--key', site.public, status=2, says='CMS')
        # in a bundle, as a scheme that is not known, and under the one that is
        data = blob.read_bytes()[:1024]
        writer = forge.writer()
        statement = writer.statement(writer.index())
        for scheme, says in ((3, 'signed by 0 of'), (1, 'does not count'), (2, 'scheme 2')):
            entry = struct.pack('<HHI', scheme, 0, len(data)) + bytes.fromhex(bundle.Key(site.public).id) + data
            path = w.path / 'bad.gapship'
            writer.save(path, envelope=writer.envelope(statement, [entry]))
            w.gapship('verify', path, '--root', site.public, status=3, says=says)


def test_libgit2_cve_2026_5917_quotes_in_the_path_of_a_repository(w):
    """A path with a quote ended the word of the command that ssh runs over there. (The host's key: unit.git_hostkey.)"""
    for url in ("ssh://git@127.0.0.1:22/it's.git", 'ssh://git@127.0.0.1/a b.git', 'ssh://git@127.0.0.1/$(touch pwned).git', 'ssh://git@127.0.0.1/a;id',
                'git@127.0.0.1:-oProxyCommand=id', 'ssh://-oProxyCommand=id/x', "git@127.0.0.1:'x'", 'ext::sh -c id', 'ssh://git@127.0.0.1/`id`'):
        product = Product(w, overlays=[{'name': 'deploy', 'from': 'deploy', 'git': {'url': url, 'ref': 'main'}}],
                          environments=[{'name': 'prod', 'units': [unit({'overlay': 'deploy', 'path': 'prod'})]}])
        product('build', '--unsigned', status=2, silent='this is a bug')
    check(not list(w.path.rglob('pwned')), 'a command was run')


def test_libcurl_headers_of_one_host_are_not_for_another(w):
    """Only Authorization and Cookie are dropped at a redirect, and custom headers go on. The log of the second host has none of them."""
    layer = os.urandom(100000)
    config = compact({'architecture': mkimage.MACHINE, 'os': 'linux', 'rootfs': {'type': 'layers', 'diff_ids': [digest_of(layer)]}})
    registry, storage = (w.stack.enter_context(FaultRegistry()) for _ in range(2))
    secret = 'robot:c4n4ry-password'
    coded = base64.b64encode(secret.encode()).decode()
    w.write('home/.docker/config.json', {'auths': {registry.host: {'auth': coded}}}, mode=0o600)
    for data in (layer, config):
        registry.add_blob(data)
        storage.add_blob(data)
    registry.add_manifest('org/app', '1', {
        'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
        'config': {'mediaType': 'application/vnd.oci.image.config.v1+json', 'digest': digest_of(config), 'size': len(config)},
        'layers': [{'mediaType': 'application/vnd.oci.image.layer.v1.tar', 'digest': digest_of(layer), 'size': len(layer)}]})
    registry.tokens = {'good'}
    for data in (layer, config):
        registry.fault('GET', digest_of(data), answer(307, {'Location': f'{storage.url}/v2/org/app/blobs/{digest_of(data)}?signature=x',
                                                            'Set-Cookie': 'session=c4n4ry-cookie'}), skip=0, times=9)
    product = Product(w, [f'{registry.host}/org/app:1'], [f'{registry.host}/org/app:1'])
    product.build()
    at_home = [entry['headers'].get('Authorization', '') for entry in registry.log]
    check(any(value.startswith('Bearer ') for value in at_home), f'the registry was asked without credentials: {at_home}')
    check(len(storage.log) >= 2, 'the storage was not asked')
    sent = {name.lower() for entry in storage.log for name in dict(entry['headers'])}
    equal(sent - {'host', 'user-agent', 'accept', 'accept-encoding', 'range', 'connection'}, set(), 'headers at the second host')
    check('c4n4ry' not in str([(entry['path'], dict(entry['headers'])) for entry in storage.log]) and coded not in str(storage.log), 'a secret went on')


# ---- the table

def test_every_advisory_is_in_the_table_and_every_test_named_there_exists(w):
    text = (ROOT / 'docs/SECURITY.md').read_text()
    sources = {path: path.read_text() for path in (ROOT / 'tests').rglob('test_*') if path.suffix in ('.py', '.c')}
    defined = {name for source in sources.values() for name in re.findall(r'^ *(?:def|static void) (test_\w+)\(', source, re.M)}
    named = set(re.findall(r'`(test_\w+)`', text))
    equal(named - defined, set(), 'tests that SECURITY.md names and nobody has')
    own = set(re.findall(r'^def (test_\w+)\(', sources[ROOT / 'tests/e2e/test_advisories.py'], re.M))
    equal(own - named, {'test_every_advisory_is_in_the_table_and_every_test_named_there_exists'}, 'tests that SECURITY.md does not name')
    missing = [path for path in re.findall(r'`((?:tests|src|bundle-spec)/[\w./-]+)`', text) if not (ROOT / path).exists()]
    equal(missing, [], 'files that SECURITY.md names and that are not there')


harness.main()
