"""End-to-end tests in plain Python: a test is a function test_…(w), where w is a Workspace; a file of them ends with harness.main().

    import harness

    def test_a_bundle_is_built(w):
        registry = w.registry()
        digest = w.image(registry, 'org/app:1', command=['httpd'])
        w.write('release.yaml', '…')
        w.gapship('build', '--unsigned')
        w.gapship('verify', 'x.gapship', status=3, says='not signed')

    harness.main()

Each test has its own folder and servers, which end with it. A failure shows the command, what was expected and all that it said.
GAPSHIP names the program; GAPSHIP_TEST_KEEP=1 keeps the folders. Arguments choose tests by a part of their names.
"""
import contextlib
import inspect
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import servers

TESTS = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES = TESTS.parent / 'bundle-spec' / 'examples'
sys.path.insert(0, str(TESTS / 'cluster'))
import mkimage  # noqa: E402

CACHE = pathlib.Path(os.environ.get('GAPSHIP_TEST_CACHE') or pathlib.Path.home() / '.cache' / 'gapship-test')
SKIPPED = 77


class Skip(Exception):
    """A part is missing, and this is not CI."""


def need(*programs):
    """The test needs these programs, by name or path."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        message = f'missing: {", ".join(missing)}'
        raise AssertionError(message) if os.environ.get('CI') else Skip(message)


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def equal(seen, wanted, what):
    check(seen == wanted, f'{what}:\n  wanted {wanted!r}\n  seen   {seen!r}')


class Result:
    """What a finished program left behind."""

    def __init__(self, command, status, out, err, seconds):
        self.command, self.status, self.out, self.err, self.seconds = command, status, out, err, seconds

    def __str__(self):
        return f'$ {" ".join(map(str, self.command))}\n--- status {self.status}\n--- stdout\n{self.out}--- stderr\n{self.err}'

    def events(self):
        """Of --output json: one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def result(self):
        """Of --output json: the last object's result."""
        return self.events()[-1]['result']

    def expect(self, status=0, says=(), silent=()):
        """says: texts, one or several, that stdout or stderr must have; silent: texts that neither may have."""
        said = self.out + self.err
        problems = [] if self.status == status else [f'status {self.status}, wanted {status}']
        problems += [f'does not say: {text}' for text in ([says] if isinstance(says, str) else says) if text not in said]
        problems += [f'must not say: {text}' for text in ([silent] if isinstance(silent, str) else silent) if text in said]
        check(not problems, '\n'.join(problems) + f'\n{self}')
        return self


def run(command, *, cwd=None, env=None, stdin='', timeout=300):
    """Runs a program to its end; its texts are kept, whatever its status."""
    began = time.monotonic()
    done = subprocess.run([str(word) for word in command], cwd=cwd, env={**os.environ, **(env or {})}, input=stdin, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return Result(command, done.returncode, done.stdout, done.stderr, time.monotonic() - began)


def with_a_root(command, folder):
    """The command where / is a mount point, which container engines need to unpack layers; in a chroot it is none. folder: a new one."""
    with open('/proc/self/mountinfo') as mounts:
        if any(line.split()[4] == '/' for line in mounts):
            return command
    folder.mkdir(exist_ok=True)
    return [CACHE / 'bin' / 'kcp', 'root', folder, *command]


def run_and_kill(command, after, *, cwd=None, env=None):
    """kill -9 after so many seconds, of the program and its children, as a power loss would. True when it was still running."""
    process = subprocess.Popen([str(word) for word in command], cwd=cwd, env={**os.environ, **(env or {})}, start_new_session=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(after)
        return False
    except subprocess.TimeoutExpired:
        return True
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def moments(duration, count, seed=1):
    """count moments within duration, one in each of as many equal parts: random, but the same on every run."""
    pick = random.Random(seed)
    return [duration * (i + pick.random()) / count for i in range(count)]


def new_folder():
    """A new folder; mkdtemp's own names may end in _, which no reference of an image can have."""
    folder = tempfile.mkdtemp(prefix='gapship-')
    os.rename(folder, f'{folder}x')
    return f'{folder}x'


class Workspace:
    """One test's folder, its servers, and gapship run in it."""

    def __init__(self, path, stack):
        self.path, self.stack, self.layout = pathlib.Path(path), stack, pathlib.Path(path, 'images')
        self.home = self.path / 'home'
        self.home.mkdir()

    # ---- files

    def podman(self, *words, env=None):
        """Debian's podman with its state in this folder, run to success."""
        need('podman')
        command = ['podman', '--root', self.path / 'podman', '--runroot', self.path / 'podman-run', '--storage-driver', 'vfs', *words]
        return run(with_a_root(command, self.path / 'podman-root'), env=env).expect()

    def write(self, name, text, mode=0o644):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if isinstance(text, str) else json.dumps(text, indent=2))  # JSON is YAML
        path.chmod(mode)
        return path

    def example(self, name, registry):
        """A copy of one of bundle-spec/examples, its images in this registry instead of ghcr.io. Returns its folder."""
        run([EXAMPLES / name / 'make-images', registry.host]).expect()
        folder = pathlib.Path(shutil.copytree(EXAMPLES / name, self.path / name))
        for path in filter(pathlib.Path.is_file, folder.rglob('*')):
            path.write_text(path.read_text().replace('ghcr.io/', registry.host + '/'))
        return folder

    # ---- servers

    def registry(self, **options):
        need('docker-registry', 'skopeo', 'openssl', 'htpasswd')
        return self.stack.enter_context(servers.Registry(tempfile.mkdtemp(prefix='registry-', dir=self.path), **options))

    def git(self, **options):
        need('git')
        return self.stack.enter_context(servers.Git(tempfile.mkdtemp(prefix='git-', dir=self.path), **options))

    def image(self, registry, name, **options):
        """Makes a tiny real image (mkimage.make) and pushes it as REPOSITORY:TAG; returns its digest."""
        need('/bin/busybox')
        tag = name.replace('/', '-').replace(':', '-')
        digest = mkimage.make(self.layout, tag, **options)
        registry.push(self.layout, tag, name)
        return digest

    # ---- gapship

    def environment(self, env=None):
        found = {'HOME': str(self.home), 'SOURCE_DATE_EPOCH': '1700000000'}
        for variable, tool in (('GAPSHIP_KUBECTL', 'kubectl'), ('GAPSHIP_HELM', 'helm4')):
            if (CACHE / 'tools' / tool).exists():
                found[variable] = str(CACHE / 'tools' / tool)
        return {**found, **(env or {})}

    def command(self, *words):
        check(os.environ.get('GAPSHIP'), 'the variable GAPSHIP must name the program')
        return [os.environ['GAPSHIP'], *words]

    def gapship(self, *words, status=0, says=(), silent=(), cwd=None, env=None, timeout=300, stdin=''):
        """Runs gapship in the test's folder (or cwd, below it) and checks how it ended."""
        done = run(self.command(*words), cwd=self.path / (cwd or '.'), env=self.environment(env), timeout=timeout, stdin=stdin)
        return done.expect(status, says, silent)

    def gapship_killed(self, *words, after, cwd=None, env=None):
        return run_and_kill(self.command(*words), after, cwd=self.path / (cwd or '.'), env=self.environment(env))

    def key(self, name='release'):
        """A key pair, (public, private); the public key alone will do as a trust root."""
        self.gapship('key', 'new', name)
        return self.path / f'{name}.pub', self.path / f'{name}.key'

    def site(self, root, site, folder='site'):
        """A site made by `gapship site init`, whose site.yaml is then written with what the dictionary adds. Returns its folder."""
        self.gapship('site', 'init', folder, '--root', root)
        self.write(f'{folder}/site.yaml', {'apiVersion': 'gapship/v1', 'kind': 'Site', 'name': 'test', 'store': 'store',
                                           'trust': {'root': 'trust/root.json'}, **site})
        return self.path / folder


def run_test(function):
    """None, or the reason why it was skipped; a failure is raised."""
    keep = os.environ.get('GAPSHIP_TEST_KEEP')
    folder = new_folder()
    try:
        with contextlib.ExitStack() as stack:
            function(Workspace(folder, stack))
    except Skip as reason:
        return reason
    finally:
        if keep:
            print(f'     kept: {folder}')
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return None


def main():
    """Runs the calling file's tests; the process's status is 0, 1 or, when all were skipped, 77."""
    module = sys.modules['__main__']
    tests = [f for name, f in inspect.getmembers(module, inspect.isfunction) if name.startswith('test_')]
    tests = [f for f in tests if len(sys.argv) == 1 or any(part in f.__name__ for part in sys.argv[1:])]
    check(tests, 'there is no such test')
    failed = skipped = 0
    for function in sorted(tests, key=lambda f: f.__code__.co_firstlineno):
        began = time.monotonic()
        try:
            reason = run_test(function)
        except Exception:  # a test's own mistake counts as its failure
            failed += 1
            print(f'FAILED {function.__name__}\n{traceback.format_exc()}', flush=True)
            continue
        skipped += reason is not None
        print(f'{"skip" if reason else "ok  "} {function.__name__} ({reason or f"{time.monotonic() - began:.1f} s"})', flush=True)
    sys.exit(1 if failed else SKIPPED if skipped == len(tests) else 0)
