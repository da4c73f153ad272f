"""What can be wrong with a site's store, and what of it a power cut leaves."""
import os
import re
import shutil
import signal
import sqlite3
import subprocess

import harness
from harness import check, equal
from shop import Shop


def test_a_second_run_names_the_one_that_holds_the_lock(w):
    shop = Shop(w)
    one = shop.build('1.0.0', 1)
    first = subprocess.Popen(w.command('install', one, '--yes'), cwd=shop.site, env={**os.environ, **w.environment()},
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        said = first.stderr.readline()
        first.send_signal(signal.SIGSTOP)
        check('begun' in said, f'the first run says: {said}')
        for words in (('install', one, '--yes'), ('rollback', '--yes'), ('import', one)):
            shop(*words, status=12, says=f'process {first.pid}, since ')
        shop('history', '--audit')  # looking needs no lock
    finally:
        first.send_signal(signal.SIGCONT)
        first.stderr.read()
        equal(first.wait(60), 0, 'status of the first run')
    shop('install', one, '--yes')
    equal(shop.versions(), ['1.0.0', '1.0.0'], 'versions')


def test_a_store_that_is_missing_is_never_made_anew(w):
    shop = Shop(w)
    one = shop.build('1.0.0', 1)
    shop('install', one, '--yes')
    store = shop.site / 'store'
    store.rename(w.path / 'elsewhere')
    for words in (('status',), ('install', one, '--yes'), ('import', one), ('history', '--audit')):
        shop(*words, status=14, says=str(store))
    check(not store.exists(), 'it was made again')
    (w.path / 'elsewhere').rename(store)
    shop('install', one, '--yes')


def test_parts_of_the_store_that_are_missing_are_errors(w):
    shop = Shop(w)
    one = shop.build('1.0.0', 1)
    shop('install', one, '--yes')
    for name in ('bundles', 'VERSION', 'ledger.sqlite'):
        moved = w.path / name
        shutil.move(shop.site / 'store' / name, moved)
        shop('install', one, '--yes', status=14, says=str(shop.site / 'store'))
        check(not (shop.site / 'store' / name).exists(), f'{name} was made again')
        shutil.move(moved, shop.site / 'store' / name)
    shop('install', one, '--yes')


def test_a_store_of_another_version_is_left_alone(w):
    shop = Shop(w)
    one = shop.build('1.0.0', 1)
    version = shop.site / 'store/VERSION'
    version.chmod(0o600)
    version.write_text('gapship store 2\n')
    rows = (shop.site / 'store/ledger.sqlite').read_bytes()
    shop('import', one, status=14, says=["'gapship store 2'", "'gapship store 1'", 'a newer one'])
    equal((shop.site / 'store/ledger.sqlite').read_bytes(), rows, 'the ledger')


def forge(shop, statement):
    """Somebody with the sqlite3 shell, who knows how to drop a trigger."""
    with sqlite3.connect(shop.site / 'store/ledger.sqlite') as ledger:
        for trigger in ('entries_are_kept', 'entries_are_final'):
            ledger.execute(f'DROP TRIGGER {trigger}')
        check(ledger.execute(statement).rowcount, f'{statement} changed nothing')
    ledger.close()


def test_a_changed_row_of_the_ledger_is_seen(w):
    shop = Shop(w)
    shop('install', shop.build('1.0.0', 1), '--yes')
    ledger = shop.site / 'store/ledger.sqlite'
    whole = ledger.read_bytes()
    for statement in ("UPDATE entries SET version = '9.9.9' WHERE kind = 'accepted'", "DELETE FROM entries WHERE kind = 'accepted'",
                      'DELETE FROM entries WHERE row = (SELECT max(row) FROM entries)',
                      'UPDATE entries SET duration = duration + 1 WHERE row = 2'):
        forge(shop, statement)
        shop('history', '--audit', status=14, says='ledger')
        ledger.write_bytes(whole)
    with sqlite3.connect(ledger) as connection:
        try:
            connection.execute("UPDATE entries SET version = '9.9.9'")
            raise AssertionError('a row can be changed by mistake')
        except sqlite3.IntegrityError as error:
            check('only added to' in str(error), f'{error}')
    connection.close()
    shop('history', '--audit')


# ---- the order in which things reach the disk

SYNCS = ('fsync', 'fdatasync')
NAMES = ('rename', 'renameat', 'renameat2', 'linkat')
WRITES = ('write', 'pwrite64', 'pwritev', 'copy_file_range', 'ftruncate', 'fallocate')


class Trace:
    """What a run of gapship told the kernel, in order: (call, paths)."""

    def __init__(self, w, *words, cwd):
        log = w.path / 'trace'
        command = ['strace', '-f', '-y', '-s', '0', '-o', log, '-e', f'trace={",".join(SYNCS + NAMES + WRITES)}', *w.command(*words)]
        # the search for leaks traces the process, which is traced already
        done = harness.run(command, cwd=cwd, env=w.environment({'ASAN_OPTIONS': 'detect_leaks=0'}))
        done.expect()
        self.events = []
        for line in log.read_text().splitlines():
            call = re.match(r'\d+ +(\w+)\((.*)\) += 0', line) or re.match(r'\d+ +(\w+)\((.*)\) += [1-9]', line)
            if call:
                self.events.append((call[1], self.paths(call[1], call[2])))

    @staticmethod
    def paths(call, arguments):
        if call in NAMES:
            at = re.findall(r'(?:AT_FDCWD|\d+)<([^>]*)>, "([^"]*)"', arguments)
            return [os.path.join(*pair) for pair in at] or re.findall(r'"([^"]*)"', arguments)
        descriptors = re.findall(r'\d+<([^>]*)>', arguments)
        return descriptors[1:] if call == 'copy_file_range' else descriptors[:1]

    def find(self, calls, path, after=-1):
        return [i for i, (call, paths) in enumerate(self.events) if i > after and call in calls and paths[-1:] == [str(path)]]

    def check_published(self, path):
        """Written, synced, then named, and its directory synced. Returns when that was done."""
        named = self.find(NAMES, path)
        equal(len(named), 1, f'times that {path} got its name')
        temporary = self.events[named[0]][1][0]
        written = self.find(WRITES, temporary)
        synced = self.find(SYNCS, temporary)
        check(written and synced and written[-1] < synced[-1] < named[0], f'{path}: written {written}, synced {synced}, named {named}')
        directory = self.find(('fsync',), os.path.dirname(path), after=named[0])
        check(directory, f'{path}: its directory is not synced after it got its name')
        return directory[0]


def test_what_has_a_name_is_on_the_disk(w):
    harness.need('strace')
    shop = Shop(w)
    one = shop.build('1.0.0', 1)
    built = w.path / 'again.gapship'
    Trace(w, 'build', '-o', built, '--key', shop.private, cwd=w.path / 'product').check_published(built)
    w.gapship('verify', built, '--root', shop.public)

    trace = Trace(w, 'import', one, cwd=shop.site)
    kept, = (shop.site / 'store/bundles').iterdir()
    durable = trace.check_published(kept)
    ledger = trace.find(SYNCS, shop.site / 'store/ledger.sqlite')
    check(ledger and ledger[0] > durable, f'the ledger says that it is kept (at {ledger}) before it is ({durable})')


harness.main()
