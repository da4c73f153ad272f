"""The command line itself: help, mistakes, JSON, colours, questions, where it works."""
import json
import os
import pty
import re
import select
import subprocess
import time

import harness
from harness import check, equal
from product import Product
from shop import Shop

VERBS = ['init', 'images', 'lock', 'build', 'sign', 'attach-signature', 'key new', 'key show', 'root init', 'root show', 'root next',
         'root sign', 'root bundle', 'verify', 'inspect', 'extract', 'permit', 'permit sign', 'site init', 'import', 'plan', 'install',
         'load', 'status', 'history', 'rollback', 'serve']


def on_terminal(w, *words, answer=None, env=None, cwd='.'):
    """Runs gapship with a terminal on all three streams. (status, all that was shown)"""
    master, slave = pty.openpty()
    process = subprocess.Popen(w.command(*words), cwd=w.path / cwd, env={**os.environ, **w.environment(env)}, stdin=slave, stdout=slave,
                               stderr=slave, start_new_session=True)
    os.close(slave)
    shown, until = b'', time.monotonic() + 60
    while time.monotonic() < until:
        if not select.select([master], [], [], 0.1)[0]:
            continue
        try:
            part = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
        if answer and b'[y/N]' in shown:
            os.write(master, answer.encode() + b'\n')
            answer = None
    process.wait(10)
    os.close(master)
    return process.returncode, shown.decode()


# ---- help

def test_gapship_alone_says_how_to_begin(w):
    said = w.gapship().out
    equal(re.findall(r'^  (\w[\w -]*?)  +\S', said, re.M)[:len(VERBS)], VERBS, 'verbs')
    for begin in ('gapship init', 'gapship build --key release.key', 'gapship install NAME-VERSION.gapship'):
        check(begin in said, f'{begin} is missing:\n{said}')


def test_help_of_every_verb_begins_with_an_example(w):
    for verb in VERBS:
        said = w.gapship(*verb.split(), '--help').out
        check(said.startswith(f'gapship {verb}'), f'no example first:\n{said}')
        check(len(said.splitlines()) >= 3, f'no more than an example:\n{said}')
        equal(w.gapship('help', *verb.split()).out, said, f'gapship help {verb}')
        for line in said.splitlines():
            check(len(line) < 132, f'a long line: {line}')


def test_version_names_the_libraries(w):
    said = w.gapship('--version').out
    for library in ('gapship ', 'OpenSSL', 'libcurl', 'libarchive', 'libzstd', 'libgit2'):
        check(library in said, f'{library} is missing:\n{said}')
    result = w.gapship('--output', 'json', '--version').result()
    equal(len(result['libraries']), len(said.splitlines()) - 1, 'libraries')


# ---- mistakes

def test_unknown_verbs_and_options_are_named_with_the_nearest(w):
    for words, says in (
        (['instal'], ['there is no verb "instal"', 'did you mean install?']),
        (['frobnicate'], ['there is no verb "frobnicate"', '`gapship` alone lists the verbs']),
        (['key'], ['key is half a verb', 'key new, key show']),
        (['build', '--kye', 'x'], ['build has no option --kye', 'did you mean --key?']),
        (['verify', 'a.gapship', '--rot', 'x'], ['verify has no option --rot', 'did you mean --root?']),
        (['build', '-x'], ['build has no option -x', 'gapship build --help']),
        (['build', '--key'], '--key needs a value'),
        (['build', '--force=yes'], '--force takes no value'),
        (['build', 'shop'], ['build takes no argument', 'gapship build --key release.key']),
        (['verify'], ['verify needs BUNDLE', 'gapship verify shop-1.2.0.gapship']),
        (['verify', 'a', 'b'], 'verify takes BUNDLE and nothing more'),
        (['build', '--jobs', '0'], '--jobs takes a number from 1 to 64, not "0"'),
        (['build', '--jobs', 'many'], '--jobs takes a number from 1 to 64, not "many"'),
        (['--output', 'xml', 'status'], '--output takes text or json'),
        (['-C', 'nowhere', 'status'], ['cannot go to nowhere', 'No such file or directory']),
    ):
        said = w.gapship(*words, status=2, says=says)
        equal((said.out, len(said.err.splitlines()) <= 2), ('', True), f'{words}: what it says\n{said}')


def test_a_file_that_is_not_there_is_named(w):
    for words in (['verify', 'absent.gapship'], ['inspect', 'absent.gapship'], ['key', 'show', 'absent.gapship'],
                  ['build', '-f', 'absent.gapship', '--unsigned'], ['sign', 'absent.gapship', '--key', 'k.key']):
        w.gapship(*words, status=2, says='absent.gapship')
    w.gapship('build', '--unsigned', status=2, says=['release.yaml', 'gapship init'])
    w.gapship('status', status=2, says=['site.yaml', 'gapship site init'])


def test_a_result_that_cannot_be_written_is_an_error(w):
    done = harness.run(['sh', '-c', f'{w.command("--help")[0]} --help >/dev/full'], env=w.environment())
    equal((done.status, 'standard output' in done.err), (1, True), f'{done}')


# ---- JSON

def test_json_is_json_to_the_last_line(w):
    product = Product(w)
    private = w.key()[1]
    bundle = product.bundle
    words = [['lock'], ['images'], ['build', '--key', private], ['inspect', bundle], ['verify', bundle, '--root', w.path / 'release.pub'],
             ['extract', bundle, '-o', w.path / 'layout'], ['key', 'show', w.path / 'release.pub'], ['--help'], ['build', '--help'],
             ['--version']]
    for command in words:
        done = product('--output', 'json', *command)
        check(isinstance(done.result(), dict), f'{done}')
        for event in done.events()[:-1]:
            check('event' in event and 'text' in event, f'{event}')
        equal(done.err, '', f'messages of {command}')
    result = product('-v', '--output=json', 'build', '--unsigned', '--force').result()
    equal(sorted(result), ['blobs', 'copied', 'digest', 'fetched', 'images', 'path', 'size'], 'result of build')
    equal(result['size'], bundle.stat().st_size, 'size')


def keys_of(value):
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    return set(value).union(*map(keys_of, value.values())) if isinstance(value, dict) else set()


def test_every_key_of_a_result_is_documented(w):
    documented = set(re.findall(r'`"?(\w+)"?`', (harness.TESTS.parent / 'docs/json.md').read_text()))
    product = Product(w, runs=['quay.io/org/app:1'], ignoreImages=['quay.io/*'], files=[{'name': 'f', 'from': 'k8s/app.yaml'}])
    private = w.key()[1]
    found = set()
    for words in (['images'], ['lock'], ['build', '--unsigned'], ['sign', product.bundle, '--key', private], ['inspect', product.bundle],
                  ['verify', product.bundle, '--root', w.path / 'release.pub'], ['extract', product.bundle, '-o', 'layout'],
                  ['init', w.path / 'home'], ['key', 'new', 'k'], ['--version'], ['--help']):
        found |= keys_of(product('--output', 'json', *words).result())
    equal(found - documented, set(), 'keys that docs/json.md does not have')


def test_json_errors_have_code_exit_where_and_hint(w):
    product = Product(w)
    product.write('release.yaml', 'apiVersion: gapship/v1\nkind: Relaese\n')
    for command, status, code in ((['build', '--unsigned'], 2, 'SPEC'), (['build'], 2, 'USAGE'), (['frob'], 2, 'USAGE'),
                                  (['verify', 'absent'], 2, 'NOTFOUND'), (['verify', 'release.yaml'], 3, 'FORMAT'),
                                  (['verify', b'\xff\x01'], 2, 'NOTFOUND')):
        done = subprocess.run([*w.command('--output', 'json'), *command], cwd=product.path, env={**os.environ, **w.environment()},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        error = json.loads(done.stdout.decode('utf-8').splitlines()[-1])['error']
        equal(sorted(error), ['code', 'exit', 'hint', 'message', 'where'], 'members')
        equal((error['code'], error['exit'], done.returncode), (code, status, status), f'{command}')
        equal(done.stderr, b'', f'messages of {command}')


def test_where_of_a_json_error_is_a_place(w):
    product = Product(w)
    product.write('release.yaml', 'apiVersion: gapship/v1\nkind: Relaese\n')
    done = product('--output', 'json', 'lock', status=2)
    equal(done.events()[-1]['error']['where'], 'release.yaml:2:7', 'where')


# ---- quiet, verbose, colours, directories

def test_quiet_says_nothing_but_the_result(w):
    product = Product(w)
    said = product('-q', 'build', '--unsigned')
    equal(said.err, '', 'messages')
    check('shop-1.0.0.gapship' in said.out, said.out)


def test_colours_are_for_terminals_that_want_them(w):
    status, shown = on_terminal(w, 'frob')
    equal((status, '\033[31m' in shown), (2, True), f'on a terminal: {shown}')
    for words, env in ((['frob'], {'NO_COLOR': '1'}), (['--no-color', 'frob'], {}), (['frob', '--no-color'], {})):
        check('\033' not in on_terminal(w, *words, env=env)[1], f'{words} {env}: coloured')
    check('\033' not in w.gapship('frob', status=2).err, 'coloured without a terminal')


def test_another_directory(w):
    product = Product(w)
    w.gapship('-C', 'product', 'build', '--unsigned')
    check(product.bundle.exists(), 'no bundle')
    w.gapship('-C', 'product', 'inspect', 'shop-1.0.0.gapship', says='shop 1.0.0')
    w.gapship('build', '--unsigned', '--force', '-f', 'product/release.yaml', says='product/shop-1.0.0.gapship')


def test_what_a_file_is_called_cannot_move_the_cursor(w):
    said = w.gapship('inspect', 'a\033[2Jb', status=2)
    check('\033' not in said.err, repr(said.err))


# ---- questions

def site(w):
    """A site, and a bundle that it has not seen."""
    shop = Shop(w)
    return shop, shop.build('1.0.0', 1)


def test_without_a_terminal_yes_must_be_said(w):
    shop, bundle = site(w)
    shop('install', bundle, status=2, says=['no terminal to ask on', '--yes'])
    shop('install', bundle, status=2, stdin='y\n')
    shop('--output', 'json', 'install', bundle, status=2)
    equal((shop.versions(), shop.registry.repositories()), ([None, None], []), 'what changed')


def test_a_terminal_is_asked(w):
    shop, bundle = site(w)
    status, shown = on_terminal(w, 'install', bundle, answer='n', cwd='site')
    equal((status, 'nothing was changed' in shown), (130, True), shown)
    equal((shop.versions(), shop.registry.repositories()), ([None, None], []), 'what changed')
    status, shown = on_terminal(w, 'install', bundle, answer='y', cwd='site')
    equal((status, shop.versions()), (0, ['1.0.0', '1.0.0']), shown)


harness.main()
