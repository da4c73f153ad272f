"""Bundles split into volumes: built, carried in pieces, found again, damaged, mixed up, interrupted."""
import hashlib
import itertools
import os
import re
import shutil
import struct
import subprocess

import bundle
import harness
from harness import check, equal, need
from product import Product
from shop import Shop

SIZE = '1MiB'
KEY = 'release.key'


def noise(size, seed):
    return hashlib.shake_128(b'%d' % seed).digest(size)


class Split:
    """A product of a few megabytes and a key whose signatures are always the same; `build` splits it."""

    def __init__(self, w, seed=0):
        self.w, registry = w, w.registry()
        image = f'{registry.host}/team/app:1'
        w.image(registry, 'team/app:1', content={'noise': noise(2500000, seed)})
        self.product = Product(w, [image], [image])
        w.gapship('key', 'new', '--type', 'ed25519', 'release')
        self.first = self.product.path / 'shop-1.0.0.gapship.001'

    def build(self, *words, **options):
        return self.product('build', '--key', self.w.path / KEY, '--volume-size', SIZE, *words, **options)

    def paths(self):
        """The volumes that have their names, in order."""
        return sorted(self.product.path.glob('shop-1.0.0.gapship.[0-9][0-9][0-9]'))

    def names(self):
        return sorted(path.name for path in self.product.path.iterdir() if '.gapship' in path.name)

    def bytes(self):
        return [path.read_bytes() for path in self.paths()]

    def verify(self, path, *words, **options):
        return self.w.gapship('verify', path, '--root', self.w.path / 'release.pub', *words, **options)


def spread(paths, *folders):
    """Moves volumes to folders, one after the other and around again."""
    moved = []
    for path, folder in zip(paths, itertools.cycle(folders)):
        folder.mkdir(exist_ok=True, parents=True)
        moved.append(path.rename(folder / path.name))
    return moved


def patch(path, offset, new):
    with open(path, 'r+b') as file:
        file.seek(offset)
        file.write(new)


# ---- building


def test_volumes_are_the_bundle_in_slices(w):
    s = Split(w)
    done = s.build().expect(0, says='shop-1.0.0.gapship.001 to .00')
    volumes = s.bytes()
    check(len(volumes) >= 3, f'{len(volumes)} volumes')
    equal(s.names(), [f'shop-1.0.0.gapship.{i + 1:03}' for i in range(len(volumes))], 'files')
    equal({len(v) for v in volumes[:-1]}, {1 << 20}, 'sizes of all but the last')
    digest = re.search('sha256:([0-9a-f]{64})', done.out)[1]
    for number, volume in enumerate(volumes, 1):
        equal(volume[:72], struct.pack('<8sIIIIQQ', b'GSVOLUM1', 1, number, len(volumes), 0, (1 << 20) - 512,
                                       sum(map(len, volumes)) - 512 * len(volumes)) + bytes.fromhex(digest), f'header {number}')
    s.product('build', '--key', w.path / KEY, '-o', 'whole.gapship')
    text = (harness.TESTS.parent / 'bundle-spec/FORMAT.md').read_text()
    join = text.split('## 14. ')[1].split('```')[1].splitlines()[1].split('#')[0]
    subprocess.run(['bash', '-euc', join.replace('F.', 'shop-1.0.0.gapship.').replace('> F', '> joined')], cwd=s.product.path, check=True)
    equal((s.product.path / 'joined').read_bytes(), (s.product.path / 'whole.gapship').read_bytes(), 'joined and built as one file')
    s.build('--force')
    equal(s.bytes(), volumes, 'volumes built again')
    result = s.product('--output', 'json', 'build', '--key', w.path / KEY, '--volume-size', '2GB', '-o', 'one.gapship').result()
    equal((result['volumes'], os.path.basename(result['path'])), (1, 'one.gapship.001'), 'a bundle that fits one volume')
    s.verify(s.product.path / 'one.gapship.001')


def test_sizes_that_make_no_sense(w):
    s = Split(w)
    for size in ('0', '100kB', 'much', '-1', '1048575'):
        s.product('build', '--unsigned', '--volume-size', size, status=2, says='--volume-size takes a size of at least 1MiB')
    equal(s.names(), [], 'files')


def test_blobs_are_copied_out_of_an_earlier_split_bundle(w):
    s = Split(w)
    s.build()
    result = s.product('--output', 'json', 'build', '--unsigned', '-o', 'next.gapship').result()
    equal(result['fetched'], 0, 'bytes fetched')
    check(result['copied'] > 2500000, f'{result["copied"]} bytes copied')
    s.w.gapship('verify', s.product.path / 'next.gapship', '--root', 'release.pub', status=3, says='not signed')
    equal(s.product('--output', 'json', 'build', '--unsigned', '--reuse', s.first, '-o', 'elsewhere/x.gapship', status=2).status, 2, 'no folder')


def test_signing_changes_the_first_volume_alone(w):
    s = Split(w)
    s.build()
    others = s.bytes()[1:]
    public, private = w.key('second')
    w.gapship('sign', s.paths()[1], '--key', private, status=3, says=['this is volume 2 of', '.001'])
    w.gapship('sign', s.first, '--key', private)
    equal(s.bytes()[1:], others, 'the other volumes')
    w.gapship('verify', s.paths()[-1], '--root', public)
    s.verify(s.first)
    with bundle.Reader(s.first) as theirs:
        theirs.check()
        equal(len(theirs.signatures), 2, 'signatures that the independent reader finds')


# ---- finding


def test_install_from_two_drives_in_any_order(w):
    shop = Shop(w)
    w.write('product/deploy/noise.txt', noise(1500000, 1).hex())
    whole = shop.build('1.0.0', 1)
    whole.unlink()
    w.gapship('build', '-o', whole, '--key', shop.private, '--volume-size', SIZE, cwd='product')
    paths = sorted(w.path.glob('shop-1.0.0.gapship.*'))
    check(len(paths) >= 3, f'{len(paths)} volumes')
    first, second = w.path / 'media/one', w.path / 'media/two'
    moved = spread(paths, second, first)
    for folder in (first, second):
        folder.chmod(0o555)
    for path in moved:
        path.chmod(0o444)
    shop('plan', moved[-1], '--volumes', first, '--volumes', second, status=20)
    shop('import', moved[2], '--volumes', first, '--volumes', second)
    kept, = (shop.site / 'store/bundles').iterdir()
    equal(kept.read_bytes(), b''.join(path.read_bytes()[512:] for path in moved), 'the kept bundle, which is whole')
    rows = shop.rows()
    shop('install', moved[1], '--volumes', second, '--yes')
    equal(shop.versions(), ['1.0.0', '1.0.0'], 'versions')
    equal([row['kind'] for row in shop.rows()[:len(rows)]], [row['kind'] for row in rows], 'rows of the import')
    shop('load', moved[0], '--volumes', first)
    w.gapship('inspect', moved[0], '--volumes', first)
    w.gapship('extract', moved[0], '--volumes', first, '-o', 'layout')
    check((w.path / 'layout/index.json').exists(), 'no layout')
    for folder in (first, second):
        folder.chmod(0o755)


def test_media_that_are_mounted_read_only(w):
    s = Split(w)
    s.build()
    spread(s.paths(), w.path / 'one', w.path / 'two')
    script = 'for d in one two; do mount --bind $d $d; mount -o remount,bind,ro $d; done; ! touch one/x 2>&-; exec "$@"'
    command = ['unshare', '-rm', 'sh', '-euc', script, 'sh', *w.command('verify', 'two/shop-1.0.0.gapship.002', '--volumes', 'one', '--root', 'release.pub')]
    if harness.run(['unshare', '-rm', 'mount', '--bind', '/tmp', '/tmp']).status:
        raise harness.Skip('mounts are not allowed here')
    harness.run(command, cwd=w.path, env=w.environment()).expect(0, says='authenticity  ok')


def test_what_is_missing_is_named(w):
    s = Split(w)
    s.build()
    count = len(s.paths())
    away = w.path / 'away'
    third, = spread(s.paths()[2:3], away)
    for path in s.paths():
        says = [f'volume 3 of {count} is missing (shop-1.0.0.gapship.003)', '--volumes DIR']
        s.verify(path, status=3, says=['completeness  fail', *says])
        w.gapship('extract', path, '-o', 'layout', status=2, says=says)
    s.verify(s.first, '--volumes', away)
    s.verify(third, '--volumes', s.product.path)
    w.gapship('extract', s.first, '--volumes', w.path / 'nowhere', '-o', 'layout', status=2, says='nowhere: cannot open the directory')
    spread(s.paths()[:1], away)
    s.verify(s.paths()[0], status=3, says=f'volumes 1, 3 of {count} are missing (shop-1.0.0.gapship.001, …)')
    s.verify(away / 'shop-1.0.0.gapship.001', '--volumes', s.product.path)
    whole_name = shutil.copy(third, w.path / 'third.gapship')
    s.verify(whole_name, status=3, says=[f'this is volume 3 of {count}', 'its name has no number'])


def test_names_do_not_decide(w):
    s = Split(w)
    s.build()
    one, two, *_ = s.paths()
    one.rename(w.path / 'x')
    two.rename(one)
    (w.path / 'x').rename(two)
    for path in s.paths():
        s.verify(path)
    for path in s.paths():
        path.rename(w.path / ('anything' + path.suffix))
    s.verify(w.path / 'anything.003')


def test_the_same_volume_twice_and_one_of_something_else(w):
    s = Split(w)
    s.build()
    copies, other = w.path / 'copies', w.path / 'other'
    for folder in (copies, other):
        folder.mkdir()
    for path in s.paths():
        shutil.copy(path, copies / path.name)
    s.verify(s.first, '--volumes', copies, '--volumes', copies)
    s.product.write('k8s/more.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n')
    spread(s.paths(), other)
    s.build()
    for path in other.iterdir():
        if path.suffix != '.002':
            path.unlink()
    stray = other / 'shop-1.0.0.gapship.002'
    s.verify(s.first, '--volumes', other, status=3, says=[str(stray), 'of another bundle, while', s.first.name])
    shutil.copy(stray, s.product.path / stray.name)
    s.verify(s.first, status=3, says=[f'{stray.name}: this is volume 2 of', 'of another bundle', 'is volume 1 of'])
    s.verify(stray, '--volumes', s.product.path, status=3, says='of another bundle')


# ---- damage


def test_damage_names_the_volume(w):
    s = Split(w)
    s.build()
    count, whole = len(s.paths()), s.bytes()
    for number in (2, 3):
        path = s.paths()[number - 1]
        patch(path, 4096, bytes(8))
        # One chunk has 4 MiB, these volumes 1: what is known is where the chunk that was changed stands.
        s.verify(s.first, status=3, says=['is damaged', f'on volumes 1 to {count} of {count},', 'copy the volume again'])
        path.write_bytes(whole[number - 1])
    s.product('build', '--key', w.path / KEY, '--volume-size', '2500000', '-o', 'large.gapship')
    path = s.product.path / 'large.gapship.002'
    size = path.stat().st_size
    patch(path, size - 100, b'x')
    s.verify(s.product.path / 'large.gapship.001', status=3, says=['the byte at offset', 'of the bundle, on volume 2 of 2 (large.gapship.002),'])


def test_cut_extended_and_changed_headers(w):
    s = Split(w)
    s.build()
    two = s.paths()[1]
    data = two.read_bytes()
    for new, says in ((data[:-1], 'it was cut short'), (data + b'\0', 'it was extended'), (data[:100], 'too short'), (b'', 'too short'),
                      (b'X' + data[1:], 'does not begin with GSVOLUM1'), (data[:8] + b'\2' + data[9:], 'version 2, this gapship reads version 1'),
                      (data[:72] + b'\1' + data[73:], 'contradicts itself')):
        two.write_bytes(new)
        s.verify(s.first, status=3, says=[str(two), says])
    two.write_bytes(data)
    for path in s.paths():
        patch(path, 40, bytes(32))
    s.verify(s.first, status=3, says='the headers of the volumes name another bundle')


def test_a_refusal_and_a_missing_volume_at_a_site(w):
    s = Split(w)
    s.build()
    folder = w.site(w.path / 'release.pub', {'registry': {'embedded': {'listen': '127.0.0.1:1'}}, 'environments': {}})
    third, = spread(s.paths()[2:3], w.path / 'away')
    w.gapship('import', s.first, cwd=folder.name, status=2, says='is missing')
    patch(third, 60, b'\0\0')
    w.gapship('import', s.first, '--volumes', third.parent, cwd=folder.name, status=3, says='of another bundle')
    rows = w.gapship('--output', 'json', 'history', '--audit', cwd=folder.name).result()['rows']
    equal([row['kind'] for row in rows], ['created', 'refused'], 'rows: a volume that is not there yet is no refusal')


# ---- interruptions


def finished(s, wanted):
    """The same command again ends with what an uninterrupted build makes, and leaves nothing else."""
    s.build()
    equal(s.bytes(), wanted, 'volumes')
    equal(s.names(), [path.name for path in s.paths()], 'files')


def clear(s):
    for name in s.names():
        (s.product.path / name).unlink()


def nothing_yet(s):
    """No first volume: nobody takes what is there for a bundle."""
    check(not s.first.exists(), f'{s.names()}')
    for name in s.names():
        s.verify(s.product.path / name, status=3, says='missing' if name[-1].isdigit() else 'unfinished')


def test_killed_at_any_moment(w):
    s = Split(w)
    seconds = s.build().seconds
    wanted = s.bytes()
    clear(s)
    for after in harness.moments(seconds, 8):
        w.gapship_killed('build', '--key', w.path / KEY, '--volume-size', SIZE, after=after, cwd='product')
        if s.first.exists():
            equal(s.bytes(), wanted, 'volumes of a build that was killed when it had ended')
            clear(s)
    if not s.first.exists():
        nothing_yet(s)
        finished(s, wanted)


def traced(s, inject, *words, status=None):
    need('strace')
    done = harness.run(['strace', '-f', '-qq', '-o', s.w.path / 'trace', '-e', f'inject={inject}',
                        *s.w.command('build', '--key', s.w.path / KEY, '--volume-size', SIZE, *words)],
                       cwd=s.product.path, env={**s.w.environment(), 'ASAN_OPTIONS': 'detect_leaks=0'})
    if status is not None:
        done.expect(status)
    return done


def test_killed_at_every_name_that_is_given(w):
    s = Split(w)
    s.build()
    wanted = s.bytes()
    hits = 0
    for number in range(1, 40):
        clear(s)
        traced(s, f'renameat2:signal=KILL:when={number}')
        if s.first.exists():
            break
        volumes = [name for name in s.names() if re.search(r'\.\d{3}(\.partial)?$', name)]
        if len(volumes) == len(wanted):
            hits += 1
            nothing_yet(s)
            finished(s, wanted)
    check(hits >= len(wanted), f'{hits} kills while volumes got their names')


def test_replacing_leaves_no_mixture(w):
    s = Split(w)
    s.product.write('k8s/more.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n')
    s.build()
    old = s.bytes()
    shutil.copy(s.paths()[-1], s.product.path / f'shop-1.0.0.gapship.{len(old) + 1:03}')
    (s.product.path / 'k8s/more.yaml').unlink()
    s.build(status=2, says='exists already')
    s.build('--force')
    wanted = s.bytes()
    equal(len(wanted), len(old), 'a volume of the old set is left')
    for number in range(1, 40):
        for path, data in zip(s.paths(), old):
            path.write_bytes(data)
        before = s.names()
        killed = traced(s, f'renameat:signal=KILL:when={number}', '--force')
        if killed.status == 0:
            break
        equal(before[0], s.first.name, 'the old set')
        if s.first.exists():
            s.verify(s.first)
        else:
            s.verify(s.paths()[0], status=3, says='missing' if s.bytes() in (old[1:], wanted[1:]) else 'of another bundle')
        s.build('--force')
        equal(s.bytes(), wanted, 'volumes')
        equal(s.names(), [path.name for path in s.paths()], 'files')
    check(number > len(wanted), f'{number - 1} kills')


def test_a_full_and_a_broken_disk(w):
    s = Split(w)
    s.build()
    wanted = s.bytes()
    for inject, says in (('fallocate:error=ENOSPC:when=2', 'No space left'), ('pwrite64:error=ENOSPC:when=20+', 'No space left'),
                         ('pwrite64:error=EIO:when=12', 'Input/output error')):
        clear(s)
        traced(s, inject, status=1).expect(1, says=says)
        check(not s.first.exists(), f'{s.names()}')
        if inject.startswith('fallocate'):
            equal(sum((s.product.path / name).stat().st_blocks for name in s.names()), 0, 'blocks of a full disk that are kept')
        finished(s, wanted)
    broken = 0
    for number in range(1, 30):
        clear(s)
        done = traced(s, f'fsync:error=EIO:when={number}')
        if done.status == 0:
            break
        broken += 1
        done.expect(1, says='Input/output error')
        check(not s.first.exists() or s.verify(s.first), 'the first volume is there')
        s.build('--force')
        equal(s.bytes(), wanted, 'volumes')
    check(broken >= 2 * len(wanted) - 1, f'{broken} failures of fsync')


harness.main()
