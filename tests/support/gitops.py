"""One of bundle-spec/examples on a site of its own: its images, its tree in a GitOps repository, a registry, and what answers for the
application. The answer looks into the repository as Argo CD would, and into the registry as a kubelet would: healthy is what names an
image that can be pulled.
"""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import harness
import servers
from harness import check


class Example:
    """places: what answers -> (branch, kustomization in the repository). inputs: environment -> {input: what answers}.
    tree: folder of the example that the repository holds, with the branches of places. prefix: of the site's registry."""

    def __init__(self, w, name, *, tree, places, inputs, prefix=None):  # pylint: disable=too-many-arguments
        self.w, self.name, self.tree, self.places = w, name, tree, places
        self.source, self.registry, self.git = w.registry(), w.registry(), w.git()
        self.folder = w.example(name, self.source)
        shutil.copytree(self.folder / tree, w.path / 'seed' / tree)
        self.url = self.git.create(name, w.path / 'seed', sorted({branch for branch, _ in places.values()}, key=lambda b: b != 'main'))
        self.answers = w.stack.enter_context(servers.Answers(self.answer))
        self.prefix = f'{prefix}/' if prefix else ''
        self.broken, self.delay = set(), 0
        self.public, self.private = w.key()
        for environment, values in inputs.items():
            w.write(f'site/inputs/{environment}.yaml', {key: f'{self.answers.url}/{place}' for key, place in values.items()})
        self.settings = {'registry': {'url': self.registry.url, **({'prefix': prefix} if prefix else {})},
                         'git': {'site': {'url': self.url, 'author': 'gapship <gapship@plant-7>'}},
                         'environments': {environment: {'inputs': f'inputs/{environment}.yaml'} for environment in inputs}}
        self.site = w.site(self.public, self.settings)
        self.patch('release.yaml', r'(http: \{)', r'\1retries: 1, every: 100ms, timeout: 5s, ')

    # ---- the build side

    def patch(self, path, pattern, to):
        """Replaces a pattern, which must be there, in a file of the example."""
        path = self.folder / path
        text, count = re.subn(pattern, to, path.read_text(), flags=re.MULTILINE)
        check(count, f'{path} has no {pattern}')
        path.write_text(text)

    def retag(self, image, old, new, *kustomizations, quote=''):
        """A new image under a new tag, in release.yaml and in these kustomizations of the tree."""
        self.w.image(self.source, f'{image}:{new}', content={'version': f'{image} {new}'.encode()})
        self.patch('release.yaml', rf'{image}:{old}\b', f'{image}:{new}')
        for path in kustomizations:
            self.patch(f'{self.tree}/{path}/kustomization.yaml', rf'newTag: {old}\b', f'newTag: {quote}{new}{quote}')

    def release(self, version, sequence):
        self.patch('release.yaml', r'version: "[^"]*", sequence: \d+', f'version: "{version}", sequence: {sequence}')

    def build(self, **options):
        """A signed bundle of the folder as it is; its path."""
        release = (self.folder / 'release.yaml').read_text()
        bundle = self.w.path / f'{self.name}-{re.search(r"""version: "([^"]+)""", release)[1]}.gapship'
        self.w.gapship('lock', '--update', cwd=self.name)
        self.w.gapship('build', '-o', bundle, '--key', self.private, cwd=self.name, **options)
        return bundle

    # ---- the site

    def __call__(self, *words, **options):
        return self.w.gapship(*words, cwd='site', **options)

    def json(self, *words, **options):
        return self('--output', 'json', *words, **options).result()

    def repository(self, name):
        """Of an image in the site's registry."""
        return f'{self.registry.host}/{self.prefix}{name}'

    def answer(self, path):
        """After `delay` seconds."""
        time.sleep(self.delay)
        well = self.healthy(path.split('/')[0])
        return (200 if well else 503), json.dumps({'status': 'ok' if well else 'unavailable'}).encode()

    def healthy(self, place):
        if place in self.broken:
            return False
        branch, path = self.places[place]
        text = self.git.show(self.name, f'{path}/kustomization.yaml', branch)
        names = re.findall(rf'newName: {self.registry.host}/(\S+)\n *newTag: "?([^"\s]+)', text)
        return len(names) == 1 and self.registry.digest(':'.join(names[0])) is not None

    def checkout(self, branch='main'):
        """The repository's files."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix='tree-', dir=self.w.path))
        bare = self.git.folder / f'{self.name}.git'
        archive = subprocess.run(['git', '-C', bare, 'archive', branch], check=True, stdout=subprocess.PIPE).stdout
        subprocess.run(['tar', '-x', '-C', folder], check=True, input=archive)
        return folder

    def commit(self, path, text, branch='main'):
        """Somebody else's commit of one file."""
        git = ['git', '-C', self.git.folder / f'{self.name}.git', '-c', 'user.name=other', '-c', 'user.email=other@gapship.test']
        index = {'GIT_INDEX_FILE': str(self.w.path / 'other.index')}
        harness.run([*git, 'read-tree', branch], env=index).expect()
        blob = harness.run([*git, 'hash-object', '-w', '--stdin'], stdin=text).expect().out.strip()
        harness.run([*git, 'update-index', '--add', '--cacheinfo', f'100644,{blob},{path}'], env=index).expect()
        tree = harness.run([*git, 'write-tree'], env=index).expect().out.strip()
        made = harness.run([*git, 'commit-tree', '-p', branch, '-m', f'docs: {path}', tree]).expect().out.strip()
        harness.run([*git, 'update-ref', f'refs/heads/{branch}', made]).expect()

    def render(self, branch, path):
        """What Argo CD would make of it."""
        kubectl = harness.CACHE / 'tools' / 'kubectl'
        harness.need(str(kubectl))
        return harness.run([kubectl, 'kustomize', self.checkout(branch) / path]).expect().out

    def messages(self, branch='main'):
        """Of the commits after the first, newest first, whole."""
        return self.git.git(self.name, 'log', '--format=%B%x00', branch).strip('\0\n').split('\0')[:-1]

    def diff(self, revision):
        """Lines that a commit removed and added, without their places."""
        text = self.git.git(self.name, 'show', '--format=', '--unified=0', revision)
        return [line for line in text.splitlines() if line[0] in '-+' and line[:3] not in ('---', '+++')]
