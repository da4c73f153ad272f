"""kill -9 at any moment of an install: the same command again reaches the state of an uninterrupted run, and does nothing twice."""
import os
import shutil

import harness
from harness import check, equal
from shop import Shop

KILLS = int(os.environ.get('GAPSHIP_TEST_KILLS', '30'))


class Snapshot:
    """Everything the site consists of: its store, its registry's and its repository's files."""

    def __init__(self, shop):
        self.folders = [shop.site / 'store', shop.registry.folder / 'data', shop.git.folder]
        self.saved = shop.w.path / 'snapshot'
        for i, folder in enumerate(self.folders):
            shutil.copytree(folder, self.saved / str(i), symlinks=True)

    def restore(self):
        for i, folder in enumerate(self.folders):
            shutil.rmtree(folder)
            shutil.copytree(self.saved / str(i), folder, symlinks=True)


def outcome(shop):
    """What an operator would compare: what runs, what was committed, what the registry has, what is kept."""
    rows = shop.rows()  # checks the chain
    ends = {row['environment']: (row['state'], row['version']) for row in rows if row['kind'] == 'environment'}
    return {
        'versions': shop.versions(), 'commits': shop.git.subjects('deploy'), 'tree': shop.git.git('deploy', 'rev-parse', 'main^{tree}'),
        'tags': {name: shop.registry.tags(name) for name in shop.registry.repositories()},
        'digests': [shop.registry.digest(f'platform/shop/{name}:1.1.0') for name in ('backend', 'worker')],
        'environments': ends, 'accepted': [row['version'] for row in rows if row['kind'] == 'accepted'],
        'kept': sorted(path.name for path in (shop.site / 'store/bundles').iterdir()),
    }


def killed(shop, words, after):
    return shop.w.gapship_killed(*words, after=after, cwd=shop.site.relative_to(shop.w.path))


def kill_at_every_moment(shop, snapshot, words):
    done = shop(*words)
    wanted = outcome(shop)
    hit = 0
    for i, moment in enumerate(harness.moments(done.seconds, KILLS)):
        snapshot.restore()
        hit += killed(shop, words, moment)
        if i % 3 == 0:  # and once more while it recovers
            killed(shop, words, moment / 2)
        shop(*words)
        equal(outcome(shop), wanted, f'after kill {i}, {moment:.2f} s into {" ".join(map(str, words))}')
        check(not list((shop.site / 'store').rglob('*.tmp')), 'unfinished copies are left in the store')
    check(hit > KILLS // 2, f'only {hit} of {KILLS} kills came before the end')


def test_an_upgrade_survives_kills(w):
    shop = Shop(w)
    shop('install', shop.build('1.0.0', 1), '--yes')
    two = shop.build('1.1.0', 2)
    kill_at_every_moment(shop, Snapshot(shop), ('install', two, '--yes'))


harness.main()
