"""gapship's gitops target with a kubeconfig: a commit is not the end; what it says has to run. The test plays Argo CD."""
import subprocess
import threading
import time

import harness
from harness import check, equal
from plant import Plant, kubectl


class Argo:
    """Applies the overlays of a branch whenever its head moves, as Argo CD does."""

    def __init__(self, plant, git):
        self.plant, self.git, self.applied, self.ended = plant, git, None, threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def watch(self):
        while not self.ended.wait(0.5):
            heads = self.git.git('deploy', 'for-each-ref', '--format=%(objectname)', 'refs/heads/main')
            if heads and heads != self.applied:
                time.sleep(2)  # until it notices
                self.apply(heads)
                self.applied = heads

    def apply(self, head):
        folder = self.plant.w.path / f'argo-{head}'
        subprocess.run(['git', 'clone', '--quiet', self.git.url('deploy'), folder], check=True)
        for overlay in (folder / 'overlays').iterdir():
            kubectl('apply', '-k', overlay)


def test_a_commit_is_waited_for_until_it_runs(w):
    plant, git = Plant(w), w.git()
    plant.site(git={'site': {'url': git.create('deploy', branches=('main',))}})
    for name in ('staging', 'production'):
        kubectl('create', 'namespace', plant.namespace(name))

    def unit(name):
        return {'name': 'web', 'source': {'overlay': 'deploy', 'path': f'overlays/{name}'}, 'target': {'kind': 'gitops'},
                'wait': {'timeout': '60s'}}

    with Argo(plant, git):
        for version, sequence in (('1.0.0', 1), ('1.1.0', 2)):
            plant.overlay(version)
            began = time.monotonic()
            plant('install', plant.build(version, sequence, unit=unit), '--yes')
            check(time.monotonic() - began > 4, 'it waited for what applies the commits')
            for name in ('staging', 'production'):
                equal(plant.running(name), [plant.digest(version)], f'digests that run in {name}')
    plant.overlay('1.2.0')
    late = plant.build('1.2.0', 3, unit=lambda name: {**unit(name), 'wait': {'timeout': '5s'}})
    plant('install', late, '--yes', status=13, says=['not healthy after 5 s', 'still names other images'])


if __name__ == '__main__':
    harness.main()
