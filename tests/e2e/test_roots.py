"""Trust roots that change: rotation carried by a bundle, revocation by a root-only bundle, a kill at every step, an old root put back."""
import base64
import hashlib
import json
import os
import re
import shutil

import harness
from harness import check, equal
from shop import Shop

DENIED, STATE = 3, 14
NO_LEAKS = {'ASAN_OPTIONS': 'detect_leaks=0'}  # a leak sanitizer cannot run in a traced process


class Roots:
    """Root keys a, b, c and d, of which root 1 asks for two of the first three; release keys old, mid and new."""

    def __init__(self, w):
        self.w = w
        self.public, self.private = {}, {}
        for name in ('a', 'b', 'c', 'd', 'old', 'mid', 'new'):
            self.public[name], self.private[name] = w.key(name)
        self.files = {1: w.path / 'root-1.json'}
        w.gapship('root', 'init', '--key', self.public['a'], '--key', self.public['b'], '--key', self.public['c'], '--threshold', '2',
                  '--release-key', self.public['old'], '-o', self.files[1])

    def id(self, name):
        return self.w.gapship('--output', 'json', 'key', 'show', self.public[name]).result()['keyId']

    def next(self, version, *words, drop=(), signers=()):
        """Root `version` from the one before it, signed."""
        self.files[version] = self.w.path / f'root-{version}.json'
        dropped = [word for name in drop for word in ('--drop', self.id(name)[:16])]
        self.w.gapship('root', 'next', self.files[version - 1], *dropped, *words, '-o', self.files[version])
        for name in signers:
            self.w.gapship('root', 'sign', self.files[version], '--key', self.private[name])
        return self.files[version]

    def two(self):
        """Revokes the release key `old` for `mid`."""
        return self.next(2, '--release-key', self.public['mid'], drop=['old'], signers=['a', 'b'])

    def three(self):
        """Revokes `mid` for `new`, and the root key a for d."""
        return self.next(3, '--release-key', self.public['new'], '--key', self.public['d'], drop=['mid', 'a'], signers=['a', 'b', 'd'])

    def bundle(self, *versions, name='roots.gapship'):
        file = self.w.path / name
        self.w.gapship('root', 'bundle', *[self.files[version] for version in versions], '-o', file)
        return file

    def fingerprint(self, version):
        return 'sha256:' + fingerprint(self.files[version])


def fingerprint(file):
    """As `jq -jcS .signed FILE | sha256sum` says it."""
    signed = json.loads(file.read_text())['signed']
    return hashlib.sha256(json.dumps(signed, sort_keys=True, separators=(',', ':')).encode()).hexdigest()


class Site(Shop):
    """A shop whose site trusts root 1."""

    def __init__(self, w):
        self.roots = Roots(w)
        super().__init__(w, root=self.roots.files[1])
        self.root = self.site / 'trust' / 'root.json'
        self.signs('old')

    def signs(self, name):
        self.private = self.roots.private[name]

    def version(self):
        return json.loads(self.root.read_text())['signed']['version']

    def reached(self):
        """The versions and fingerprints of the rows that say that a root is kept."""
        return [(row['version'], row['fingerprint']) for row in self.rows() if row['kind'] == 'root' and row['state'] == 'done']


# ---- rotation


def test_rotation_travels_in_a_bundle_of_the_new_keys(w):
    s = Site(w)
    s('install', '--yes', s.build('1.0.0', 1))
    two, three = s.roots.two(), s.roots.three()
    s.signs('new')
    bundle = s.build('1.1.0', 2, words=['--root', two, '--root', three])
    for verb in ('verify', 'inspect'):
        w.gapship(verb, bundle, '--root', s.roots.files[1], says='root 1 -> 3')
    w.gapship('extract', bundle, '--root', s.roots.files[1], '-o', 'layout', says='root 1 -> 3')
    w.gapship('verify', bundle, '--root', three, silent='root 3 ->')
    w.gapship('permit', bundle, '--root', s.roots.files[1], '--any-site', '--below', '0.9', '--reason', 'x', '-o', 'x.permit')
    s('plan', bundle, status=20, says='1.1.0')
    equal(s.version(), 1, 'version that a plan leaves')
    equal(s.reached(), [], 'rows of roots after a plan')
    s('install', '--yes', bundle, says=['root 1 -> 2', 'root 2 -> 3'])
    equal(s.versions(), ['1.1.0', '1.1.0'], 'what runs')
    equal(s.version(), 3, 'version that is kept')
    equal(s.reached(), [('2', s.roots.fingerprint(2)), ('3', s.roots.fingerprint(3))], 'rows of roots')
    equal('sha256:' + fingerprint(s.root), s.roots.fingerprint(3), 'fingerprint of what is kept')
    s('install', '--yes', bundle, silent='->')
    s('history', says=['root 1 -> 2', f'signed by {s.roots.id("a")[:16]}, {s.roots.id("b")[:16]}'])


def test_roots_are_kept_though_their_bundle_is_refused(w):
    s = Site(w)
    s.signs('old')  # which root 2 revokes
    bundle = s.build('1.0.0', 1, words=['--root', s.roots.two()])
    s('import', bundle, status=DENIED, says=['root 1 -> 2', 'signed by 0 of the 1 trusted release keys'])
    equal(s.version(), 2, 'version that is kept')
    equal([row['kind'] for row in s.rows()], ['created', 'root', 'root', 'refused'], 'rows')


def test_a_chain_in_a_bundle_cannot_be_changed(w):
    s = Site(w)
    s.roots.two()
    s.signs('mid')
    bundle = s.build('1.0.0', 1, words=['--root', s.roots.files[2]])
    data = bytearray(bundle.read_bytes())
    statement, roots = (int.from_bytes(data[512 + at:516 + at], 'little') for at in (16, 24))
    start = 512 + 64 + statement
    equal(data[start:start + 8], b'GSSIGNED', 'the start of the chain')
    broken = w.path / 'broken.gapship'
    for at in (start, start + 30, start + roots - 1):
        broken.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        w.gapship('verify', broken, '--root', s.roots.files[1], status=DENIED)
        # Who has reached root 2 passes the link over, but not what the statement says of it.
        w.gapship('verify', broken, '--root', s.roots.files[2], status=DENIED)
        s('import', broken, status=DENIED)
    equal(s.version(), 1, 'version that is kept')


# ---- revocation


def test_a_root_only_bundle_revokes(w):
    s = Site(w)
    s('install', '--yes', s.build('1.0.0', 1))
    later = s.build('1.1.0', 2)
    s.roots.two()
    file = s.roots.bundle(2)
    s('install', '--yes', file, status=2, says=['a chain of trust roots', 'gapship import'])
    equal(s.json('import', file)['roots'], [{'rootFrom': 1, 'rootTo': 2, 'fingerprint': s.roots.fingerprint(2)}], 'what import says')
    s('import', later, status=DENIED, says='signed by 0 of the 1 trusted release keys')
    s('plan', later, status=DENIED)
    # What runs is still there to be looked at.
    s('status', says=['1.0.0', 'trust root 2, epoch 1'])
    equal(s.json('status')['root'], {'version': 2, 'epoch': 1, 'fingerprint': s.roots.fingerprint(2)}, 'its root')
    s('history', says='root 1 -> 2')
    s.signs('mid')
    newest = s.build('1.2.0', 3)
    s('plan', newest, status=20, says='1.0.0')
    s('install', '--yes', newest)
    equal(s.versions(), ['1.2.0', '1.2.0'], 'what runs')
    s('rollback', '--yes', status=DENIED, says=['signed by 0 of the 1 trusted release keys', 'revoked'])
    equal(s.versions(), ['1.2.0', '1.2.0'], 'what runs after a rollback was refused')
    s('import', file, says='was root 2 already')


def test_chains_that_do_not_fit_are_refused(w):
    s = Site(w)
    s.roots.two()
    s.roots.three()
    s('import', s.roots.bundle(3, name='gap.gapship'), status=DENIED, says=['goes on with root 3, but root 1 is trusted', 'root 2 as well'])
    w.gapship('root', 'bundle', s.roots.files[3], s.roots.files[2], '-o', 'x', status=2, says='root 2 cannot follow root 3')
    w.gapship('root', 'bundle', s.roots.files[1], '-o', 'x', status=2, says='a chain begins with a later one')
    w.gapship('root', 'next', s.roots.files[1], '--new-epoch', '-o', 'weak.json')
    w.gapship('root', 'bundle', 'weak.json', '-o', 'x', status=DENIED, says='signed by 0 of the 2 root keys of root 2')
    # By the new threshold only: a and b of root 1 are dropped, and have not signed.
    keys = [word for name in ('d', 'new', 'mid') for word in ('--key', s.roots.public[name])]
    w.gapship('root', 'next', s.roots.files[1], *[word for name in 'abc' for word in ('--drop', s.roots.id(name))], *keys, '-o', 'own.json')
    for name in ('d', 'new'):
        w.gapship('root', 'sign', 'own.json', '--key', s.roots.private[name])
    w.gapship('root', 'bundle', 'own.json', '-o', 'own.gapship')
    s('import', w.path / 'own.gapship', status=DENIED, says='signed by 0 of the 2 root keys of root 1')
    equal(s.version(), 1, 'version that is kept')


def test_a_signer_cannot_jump_epochs(w):
    s = Site(w)
    jumping = s.build('1.0.0', 1, metadata={'name': 'shop', 'version': '1.0.0', 'sequence': 1, 'epoch': 2})
    s('import', jumping, status=DENIED, says='epoch')
    s.roots.next(2, '--new-epoch', signers=['a', 'b'])
    s('import', s.roots.bundle(2), jumping)


# ---- kills


def killed_and_again(s, file, run):
    """A fresh copy of the site; the import that `run` kills somewhere, then the same command to its end. True when it was killed."""
    folder, copy = s.site, s.w.path / 'copy'
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    was_killed = run(['import', file])
    check(s.version() in (1, 2, 3), 'the root file is whole')
    s('status')  # reads, and is not in the way of what has to be finished
    s('import', file)
    equal(s.version(), 3, 'version that is kept')
    reached = s.reached()
    equal(reached, [('2', s.roots.fingerprint(2)), ('3', s.roots.fingerprint(3))], 'rows of roots')
    return was_killed


def test_a_kill_at_every_step_is_finished_by_the_same_command(w):
    harness.need('strace')
    s = Site(w)
    s.roots.two()
    s.roots.three()
    file = s.roots.bundle(2, 3)
    shutil.copytree(s.site, w.path / 'copy')
    points = 0
    for call in ('fsync,fdatasync', 'rename,renameat,renameat2', 'unlink,unlinkat'):
        for when in range(1, 200):
            def traced(words, inject=f'{call}:signal=KILL:when={when}'):
                command = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', f'trace={call}', '-e', f'inject={inject}', *w.command(*words)]
                return harness.run(command, cwd=s.site, env={**w.environment(), **NO_LEAKS}).status != 0
            if not killed_and_again(s, file, traced):
                break
            points += 1
    check(points >= 15, f'only {points} points were found')


def test_a_kill_at_any_moment_is_finished_by_the_same_command(w):
    s = Site(w)
    s.roots.two()
    s.roots.three()
    file = s.roots.bundle(2, 3)
    shutil.copytree(s.site, w.path / 'copy')
    duration = s('import', file).seconds
    cwd = s.site.relative_to(w.path)
    kills = [killed_and_again(s, file, lambda words, after=after: w.gapship_killed(*words, after=after, cwd=cwd))
             for after in harness.moments(duration, 10)]
    check(any(kills), 'no run was killed')


# ---- a root file that somebody exchanged


def test_an_old_root_put_back_is_noticed(w):
    s = Site(w)
    bundle = s.build('1.0.0', 1)
    old = s.root.read_bytes()
    s.roots.two()
    s('import', s.roots.bundle(2))
    good = s.root.read_bytes()
    s.root.write_bytes(old)
    for words in (['import', bundle], ['status'], ['plan', bundle], ['history'], ['import', s.roots.bundle(2, name='again')]):
        s(*words, status=STATE, says=['root 1, but this site has reached root 2', s.roots.fingerprint(2), 'put root 2'])
        (w.path / 'again').unlink(missing_ok=True)
    # Another root of the same version, one that nobody walked to, and one that was proven elsewhere.
    other = json.loads(good)
    other['signed']['roles']['release']['keys'] = other['signed']['roles']['root']['keys'][:1]
    s.root.write_text(json.dumps(other))
    s('status', status=STATE, says='another root 2 than the one that this site trusts')
    s.root.write_bytes(s.roots.three().read_bytes())
    s('status', status=STATE, says='no signatures have brought this site beyond root 2')
    s.root.write_bytes(good)
    s('import', bundle, status=DENIED, says='signed by 0 of the 1')
    s('import', s.roots.bundle(3, name='three.gapship'), says='root 2 -> 3')


# ---- the verbs


def test_init_next_and_show(w):
    r = Roots(w)
    shown = w.gapship('--output', 'json', 'root', 'show', r.files[1]).result()
    equal((shown['version'], shown['epoch'], shown['expired'], shown['fingerprint']), (1, 1, False, r.fingerprint(1)), 'root 1')
    equal({name: (role['threshold'], [key['keyId'] for key in role['keys']]) for name, role in shown['roles'].items()},
          {'root': (2, [r.id(name) for name in 'abc']), 'release': (1, [r.id('old')])}, 'roles')
    text = w.gapship('root', 'show', r.files[1]).out
    equal(re.sub(r'\s', '', text.split('fingerprint')[1])[:64], r.fingerprint(1)[7:], 'fingerprint in groups')
    w.gapship('root', 'init', '--key', r.public['a'], '-o', 'small.json', says='2 of 3 keys')
    w.gapship('root', 'init', '--key', r.public['a'], '-o', 'small.json', status=2, says='exists already')
    w.gapship('root', 'init', status=2, says='needs the keys')
    w.gapship('root', 'init', '--key', r.public['a'], '--key', r.public['a'], '-o', 'x', status=2, says='same key twice')
    w.gapship('root', 'init', '--key', r.public['a'], '--threshold', '2', '-o', 'x', status=2, says='must be from 1 to its 1 keys')
    w.gapship('root', 'init', '--key', r.public['a'], '--expires', 'tomorrow', '-o', 'x', status=2, says='no time')
    w.gapship('root', 'init', '--key', r.public['a'], '--expires', '2001-01-01T00:00:00Z', '-o', 'stale.json', says='expired at')
    said = w.gapship('--output', 'json', 'root', 'next', r.files[1], '--drop', r.id('a')[:8], '--key', r.public['d'], '--new-epoch',
                     '--site-key', r.public['new'], '--threshold', '3', '--expires', '2040-01-01T00:00:00Z', '-o', 'two.json').result()
    equal((said['version'], said['epoch'], said['expires']), (2, 2, '2040-01-01T00:00:00Z'), 'root 2')
    equal(said['roles']['root'], {'threshold': 3, 'keys': [{'keyId': r.id(n), 'type': 'ecdsa-p256'} for n in 'bcd']}, 'its root role')
    equal([(need['root'], need['signatures'], need['of']) for need in said['missing']],
          [(1, 2, [r.id(n) for n in 'abc']), (2, 3, [r.id(n) for n in 'bcd'])], 'what it needs')
    w.gapship('root', 'next', r.files[1], '--drop', r.id('a')[:7], '-o', 'x', status=2, says='at least 8 digits')
    w.gapship('root', 'next', r.files[1], '--drop', '00000000', '-o', 'x', status=2, says='no key of root 1')
    w.gapship('root', 'next', r.files[1], '--drop', r.id('old'), '-o', 'x', status=2, says=['release role has no keys', '--release-key'])
    w.gapship('root', 'next', r.files[1], status=2, says='needs -o')
    check(not (w.path / 'x').exists(), 'a root was written though it was refused')


def test_signing_here_and_elsewhere(w):
    harness.need('openssl', 'minisign')
    r = Roots(w)
    harness.run(['minisign', '-G', '-W', '-f', '-p', w.path / 'm.pub', '-s', w.path / 'm.sec']).expect()
    two = r.next(2, '--key', w.path / 'm.pub', drop=['a'])
    record = [key for key in json.loads(two.read_text())['signed']['keys'] if key['type'] == 'minisign']
    equal([list(key) for key in record], [['id', 'type', 'minisign']], 'how the key stands in the root')
    w.gapship('root', 'sign', two, status=2, says='--key KEY, or --emit-tbs')
    w.gapship('root', 'sign', two, '--emit-tbs', 'two.tbs', says=fingerprint_of(two))
    harness.run(['openssl', 'dgst', '-sha256', '-sign', r.private['b'], '-out', w.path / 'b.sig', w.path / 'two.tbs']).expect()
    harness.run(['minisign', '-S', '-m', w.path / 'two.tbs', '-s', w.path / 'm.sec', '-x', w.path / 'm.sig']).expect()
    before = two.read_bytes()
    w.gapship('root', 'sign', two, '--signature', 'm.sig', '--key', r.public['b'], status=2, says='a signature of minisign, but the key is not')
    w.gapship('root', 'sign', two, '--signature', 'b.sig', '--key', r.public['c'], status=DENIED,
              says=['does not fit what is signed', 'b.sig', '--emit-tbs'])
    (w.path / 'b.sig').write_bytes(base64.encodebytes((w.path / 'b.sig').read_bytes()))  # as a service answers
    equal(two.read_bytes(), before, 'a root after a signature was refused')
    w.gapship('root', 'sign', two, '--signature', 'b.sig', '--key', r.public['b'])
    w.gapship('root', 'sign', two, '--signature', 'm.sig', '--key', 'm.pub')
    w.gapship('root', 'sign', two, '--signature', 'm.sig', '--key', 'm.pub', status=2, says='has signed already')
    w.gapship('root', 'sign', two, '--key', r.private['c'])
    schemes = [signature.get('scheme', 1) for signature in json.loads(two.read_text())['signatures']]
    equal(schemes, [1, 2, 1], 'schemes')
    s = w.site(r.files[1], {'registry': {'embedded': {'listen': '127.0.0.1:5000'}}})
    w.gapship('import', r.bundle(2), cwd=s.relative_to(w.path), says='root 1 -> 2')
    # And on from there, by the key of minisign and one more.
    three = r.next(3, '--new-epoch')
    w.gapship('root', 'sign', three, '--emit-tbs', 'three.tbs')
    harness.run(['minisign', '-S', '-m', w.path / 'three.tbs', '-s', w.path / 'm.sec', '-x', w.path / 'm3.sig']).expect()
    w.gapship('root', 'sign', three, '--signature', 'm3.sig', '--key', 'm.pub')
    w.gapship('root', 'sign', three, '--key', r.private['c'])
    w.gapship('import', r.bundle(3, name='three'), cwd=s.relative_to(w.path), says='root 2 -> 3')


def fingerprint_of(root):
    """The digest of what is signed of a root."""
    body = json.dumps(json.loads(root.read_text())['signed'], sort_keys=True, separators=(',', ':')).encode()
    kind = b'application/vnd.gapship.root+json'
    return 'sha256:' + hashlib.sha256(b'DSSEv1 %d %s %d %s' % (len(kind), kind, len(body), body)).hexdigest()


if __name__ == '__main__':
    os.umask(0o022)
    harness.main()
