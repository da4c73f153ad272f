"""kill -9 at any moment of an install: the same command again reaches the state of an uninterrupted run, and does nothing twice.

GAPSHIP_TEST_SEED chooses the moments; without it they are others on every run. GAPSHIP_TEST_KILLS says how many.
"""
import hashlib
import json
import os
import random
import shutil

import harness
from harness import check, equal
from servers import MANIFESTS
from shop import Shop

KILLS = int(os.environ.get('GAPSHIP_TEST_KILLS', '30'))
SEED = int(os.environ.get('GAPSHIP_TEST_SEED') or random.SystemRandom().randrange(10**6))


class Snapshot:
    """Everything the site consists of: its store, its registry's and its repository's files."""

    def __init__(self, shop):
        self.folders = [shop.site / 'store', shop.registry.folder / 'data', shop.git.folder]
        self.saved = shop.w.path / 'snapshot'
        for i, folder in enumerate(self.folders):
            folder.mkdir(exist_ok=True)  # a registry makes its own with the first image
            shutil.copytree(folder, self.saved / str(i), symlinks=True)

    def restore(self):
        for i, folder in enumerate(self.folders):
            shutil.rmtree(folder)
            shutil.copytree(self.saved / str(i), folder, symlinks=True)


def blobs(registry, repository, tag):
    """Digests of the blobs that an image needs, each fetched and hashed."""
    manifest = json.loads(registry.get(f'/v2/{repository}/manifests/{tag}', MANIFESTS)[0])
    found = sorted({manifest['config']['digest'], *(layer['digest'] for layer in manifest['layers'])})
    for digest in found:
        body, _ = registry.get(f'/v2/{repository}/blobs/{digest}')
        equal('sha256:' + hashlib.sha256(body).hexdigest(), digest, f'blob of {repository}:{tag}')
    return found


def check_kept(shop):
    """What the store has under the name of a bundle is whole at every moment."""
    for path in (shop.site / 'store/bundles').glob('*.gapship'):
        shop('verify', path, '--root', shop.site / 'trust/root.json', says=f'sha256:{path.stem}')


def outcome(shop):
    """What an operator would compare: what runs, what was committed, what the registry has, what is kept."""
    rows = shop.rows()  # checks the chain
    ends = {row['environment']: (row['state'], row['version']) for row in rows if row['kind'] == 'environment'}
    done = {(row['version'], row['environment'], row['step']) for row in rows if row['kind'] == 'step' and row['state'] == 'done'}
    images = [(name, tag) for name in shop.registry.repositories() for tag in shop.registry.tags(name)]
    return {
        'versions': shop.versions(), 'commits': shop.git.subjects('deploy'), 'tree': shop.git.git('deploy', 'rev-parse', 'main^{tree}'),
        'tags': {name: shop.registry.tags(name) for name in shop.registry.repositories()},
        'blobs': {image: blobs(shop.registry, *image) for image in images}, 'done': sorted(done),
        'digests': [shop.registry.digest(f'platform/shop/{name}:1.1.0') for name in ('backend', 'worker')],
        'environments': ends, 'accepted': [row['version'] for row in rows if row['kind'] == 'accepted'],
        'kept': sorted(path.name for path in (shop.site / 'store/bundles').iterdir()),
    }


def killed(shop, words, after):
    return shop.w.gapship_killed(*words, after=after, cwd=shop.site.relative_to(shop.w.path))


def kill_at_every_moment(shop, snapshot, words, kills=KILLS):
    print(f'     GAPSHIP_TEST_SEED={SEED}', flush=True)
    done = shop(*words)
    wanted = outcome(shop)
    hit = 0
    for i, moment in enumerate(harness.moments(done.seconds, kills, SEED)):
        snapshot.restore()
        hit += killed(shop, words, moment)
        check_kept(shop)
        if i % 3 == 0:  # and once more while it recovers
            killed(shop, words, moment / 2)
        shop(*words)
        equal(outcome(shop), wanted, f'after kill {i}, {moment:.2f} s into {" ".join(map(str, words))}')
        check(not list((shop.site / 'store').rglob('*.tmp')), 'unfinished copies are left in the store')
    check(hit > kills // 2, f'only {hit} of {kills} kills came before the end')


def test_an_upgrade_survives_kills(w):
    shop = Shop(w)
    shop('install', shop.build('1.0.0', 1), '--yes')
    two = shop.build('1.1.0', 2)
    kill_at_every_moment(shop, Snapshot(shop), ('install', two, '--yes'))


def test_a_first_install_survives_kills(w):
    shop = Shop(w)
    one = shop.build('1.1.0', 1)
    kill_at_every_moment(shop, Snapshot(shop), ('install', one, '--yes'), KILLS // 3)


def test_a_rollback_survives_kills(w):
    shop = Shop(w)
    for version, sequence in (('1.0.0', 1), ('1.1.0', 2)):
        shop('install', shop.build(version, sequence), '--yes')
    kill_at_every_moment(shop, Snapshot(shop), ('rollback', '--to', '1.0.0', '--yes'), KILLS // 3)


harness.main()
