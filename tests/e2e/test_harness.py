"""The harness itself: its servers are real, its checks fail when they should."""
import pathlib
import sys
import time
import urllib.error

import harness
import mkimage
from harness import check, equal


def refused(act, part):
    """act must fail with a message that has this part."""
    try:
        act()
    except AssertionError as failure:
        check(part in str(failure), f'failed with another message: {failure}')
        return
    raise AssertionError(f'it should have failed with: {part}')


def test_registry_serves_what_was_pushed(w):
    registry = w.registry()
    digest = w.image(registry, 'org/app:1', content={'app/version': b'1'}, command=['cat', 'app/version'])
    equal(registry.digest('org/app:1'), digest, 'digest')
    equal(registry.digest('org/app:2'), None, 'a tag that is not there')
    equal((registry.repositories(), registry.tags('org/app')), (['org/app'], ['1']), 'catalogue')


def test_images_are_reproducible_and_an_index_stays_whole(w):
    for arch in ('amd64', 'arm64'):
        mkimage.make(w.layout, arch, arch=arch)
    equal(mkimage.make(w.path / 'again', 'amd64', arch='amd64'), mkimage.make(w.layout, 'amd64', arch='amd64'), 'digest')
    digest = mkimage.make_index(w.layout, 'both', ['amd64', 'arm64'])
    registry = w.registry()
    registry.push(w.layout, 'both', 'org/both:1')
    equal(registry.digest('org/both:1'), digest, 'digest of the index')


def test_registry_asks_for_a_password_over_tls(w):
    registry = w.registry(credentials='robot:secret')
    digest = w.image(registry, 'app:1')
    equal(registry.digest('app:1'), digest, 'digest')
    registry.credentials = 'robot:wrong'
    try:
        registry.get('/v2/app/tags/list')
    except urllib.error.HTTPError as error:
        equal(error.code, 401, 'status for a wrong password')
    else:
        raise AssertionError('a wrong password was accepted')


def test_git_clone_and_push(w):
    tree = w.write('tree/a/file', 'one\n').parent.parent
    git = w.git(credentials='robot:secret')
    url = git.create('site', tree, branches=('main', 'dev')).replace('http://', 'http://robot:secret@')
    harness.run(['git', 'clone', '-q', '-b', 'dev', url, 'clone'], cwd=w.path).expect()
    w.write('clone/a/file', 'two\n')
    commit = ['git', '-c', 'user.name=test', '-c', 'user.email=test@gapship.test', 'commit', '-qam', 'Change the file']
    harness.run(commit, cwd=w.path / 'clone').expect()
    harness.run(['git', 'push', '-q'], cwd=w.path / 'clone').expect()
    equal(git.subjects('site', 'dev'), ['Change the file', 'Initial commit'], 'subjects')
    equal(git.show('site', 'a/file', 'dev'), 'two', 'content')
    equal((git.changed('site', 'dev'), git.subjects('site')), (['a/file'], ['Initial commit']), 'the other branch')
    wrong = harness.run(['git', 'ls-remote', git.url('site')], env={'GIT_TERMINAL_PROMPT': '0'})
    check(wrong.status != 0, 'it was let in without a password')


def test_a_wrong_status_or_text_fails(w):
    said = harness.run(['sh', '-c', 'echo out; echo problem >&2; exit 3'], cwd=w.path)
    said.expect(3, says=['out', 'problem'], silent='secret')
    refused(said.expect, 'status 3, wanted 0')
    refused(lambda: said.expect(3, says='solution'), 'does not say: solution')
    refused(lambda: said.expect(3, silent='problem'), 'must not say: problem')


def test_kill_leaves_no_child(w):
    script = f'sleep 30 & echo $! >{w.path}/child; wait'
    check(harness.run_and_kill(['sh', '-c', script], 0.5), 'it should have been running')
    child = pathlib.Path('/proc', (w.path / 'child').read_text().strip(), 'stat')
    until = time.monotonic() + 5
    while child.exists() and ') Z ' not in child.read_text() and time.monotonic() < until:
        time.sleep(0.05)
    check(not child.exists() or ') Z ' in child.read_text(), 'its child is alive')
    check(not harness.run_and_kill(['true'], 5), 'it had ended by itself')
    equal(harness.moments(10, 4), harness.moments(10, 4), 'moments')
    check(all(2.5 * i <= m < 2.5 * (i + 1) for i, m in enumerate(harness.moments(10, 4))), 'one moment in each part')


def test_a_failing_test_file_ends_with_1(w):
    w.write('test_bad.py', 'import harness\ndef test_bad(w):\n    harness.equal(1, 2, "number")\nharness.main()\n')
    support = {'PYTHONPATH': str(harness.TESTS / 'support'), 'PYTHONDONTWRITEBYTECODE': '1'}
    harness.run([sys.executable, w.path / 'test_bad.py'], env=support).expect(1, says=['FAILED test_bad', 'wanted 2', 'seen   1'])
    w.write('test_absent.py', 'import harness\ndef test_absent(w):\n    harness.need("no-such-program")\nharness.main()\n')
    absent = [sys.executable, w.path / 'test_absent.py']
    harness.run(absent, env={**support, 'CI': ''}).expect(harness.SKIPPED, says='missing: no-such-program')
    harness.run(absent, env={**support, 'CI': '1'}).expect(1, says='missing: no-such-program')


harness.main()
