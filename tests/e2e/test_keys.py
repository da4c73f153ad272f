"""Keys: those of openssl and minisign both ways, passphrases from files and from a terminal, keys in tokens. openssl and minisign are the
witnesses: what gapship signs they verify, what they sign gapship verifies."""
import contextlib
import os
import pty
import select
import signal
import socket
import subprocess
import termios
import time

import harness
from harness import check, equal, need
from product import Product

CONFIG_MAP = {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'app'}, 'data': {'a': 'b'}}
# The drivers of tokens leak what they allocate once a process; our own leaks are found where there are no drivers.
NO_LEAKS = {'ASAN_OPTIONS': 'detect_leaks=0'}


def sh(w, command, status=0, env=None):
    """The commands as they stand in bundle-spec/FORMAT.md."""
    return harness.run(['sh', '-ec', command], cwd=w.path, env=env).expect(status)


def bundle(w, *words, **options):
    """A small bundle without images; built with these options, or unsigned. Returns its path below the workspace."""
    product = Product(w)
    product.write('k8s/app.yaml', CONFIG_MAP)
    product('build', *(words or ['--unsigned']), **options)
    product.bundle.replace(w.path / 'b.gapship')
    return 'b.gapship'


def signed_by(w, public, name='b.gapship'):
    w.gapship('verify', name, '--root', public, says='signed by 1 trusted key')


def parts(w, name='b.gapship', folder='signed'):
    """statement.pae and the one signature, as FORMAT.md section 10 cuts them out."""
    sh(w, f'''
tar -xOf {name} gapship/envelope > envelope
len=$(od -An -tu4 -j16 -N4 envelope | tr -d ' ')
head -c $((64 + len)) envelope | tail -c +65 > statement.json
type=application/vnd.in-toto+json
{{ printf 'DSSEv1 %d %s %d ' "${{#type}}" "$type" "$len"; cat statement.json; }} > statement.pae
siglen=$(od -An -tu4 -j$((64 + len + 4)) -N4 envelope | tr -d ' ')
od -An -tu2 -j$((64 + len)) -N2 envelope | tr -d ' ' > scheme
head -c $((64 + len + 40 + siglen)) envelope | tail -c "$siglen" > statement.sig''')


# ---- the witnesses

DIGEST = 'openssl dgst {} -verify key.pub -signature statement.sig statement.pae'
PSS = '-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest'
WITNESSES = {
    'ecdsa-p256': ('-algorithm EC -pkeyopt ec_paramgen_curve:P-256', '-sha256'),
    'ecdsa-p384': ('-algorithm EC -pkeyopt ec_paramgen_curve:P-384', '-sha384'),
    'rsa-pss': ('-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:3072', PSS),
    'rsa': ('-algorithm RSA -pkeyopt rsa_keygen_bits:3072', PSS),
    'ed25519': ('-algorithm ed25519', None),
}


def openssl(verb, options):
    if options is None:
        return ('openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in statement.pae -sigfile statement.sig' if verb == 'verify' else
                'openssl pkeyutl -sign -inkey key.key -rawin -in statement.pae -out statement.sig')
    return (f'openssl dgst {options} -verify key.pub -signature statement.sig statement.pae' if verb == 'verify' else
            f'openssl dgst {options} -sign key.key -out statement.sig statement.pae')


def test_openssl_verifies_what_gapship_signs(w):
    bundle(w)
    for kind, (_, options) in WITNESSES.items():
        if kind == 'rsa':
            continue  # gapship makes the restricted kind only
        sh(w, f'rm -f key.* ; cp b.gapship {kind}.gapship')
        w.gapship('key', 'new', 'key', '--type', kind, says=kind)
        w.gapship('sign', f'{kind}.gapship', '--key', 'key.key', says='signed by key')
        signed_by(w, 'key.pub', f'{kind}.gapship')
        parts(w, f'{kind}.gapship')
        sh(w, openssl('verify', options))
        sh(w, 'printf x >> statement.pae; ' + openssl('verify', options), status=1)


def test_gapship_verifies_what_openssl_signs(w):
    bundle(w)
    for kind, (make, options) in WITNESSES.items():
        sh(w, f'rm -f key.* *.pae *.sig; cp b.gapship {kind}.gapship; openssl genpkey {make} -out key.key; chmod 600 key.key; '
              'openssl pkey -in key.key -pubout -out key.pub')
        w.gapship('sign', f'{kind}.gapship', '--emit-tbs', 'statement.pae')
        sh(w, openssl('sign', options))
        w.gapship('attach-signature', f'{kind}.gapship', '--signature', 'statement.sig', '--key', 'key.pub')
        signed_by(w, 'key.pub', f'{kind}.gapship')
        w.gapship('sign', f'{kind}.gapship', '--key', 'key.key', status=2, says='has signed already')


def test_minisign_both_ways(w):
    need('minisign')
    bundle(w)
    sh(w, 'minisign -G -W -f -p m.pub -s m.key; minisign -G -W -f -p other.pub -s other.key')
    number = (w.path / 'm.pub').read_text().splitlines()[0].split()[-1]
    w.gapship('key', 'show', 'm.pub', says=['minisign  ', f'minisign key {number}'])
    shown = w.gapship('--output', 'json', 'key', 'show', 'm.pub').result()
    equal((shown['type'], shown['keyNumber']), ('minisign', number), 'key show')
    w.gapship('sign', 'b.gapship', '--key', 'm.key', status=2, says=['a minisign secret key', 'minisign -S -H'])
    w.gapship('sign', 'b.gapship', '--emit-tbs', 'statement.pae')
    for name, make, says in (('legacy', 'minisign -S -l -s m.key', 'legacy'), ('other', 'minisign -S -H -s other.key', 'by key'),
                             ('changed', 'echo other > statement.pae; minisign -S -H -s m.key', 'does not fit')):
        sh(w, f'cp statement.pae before; {make} -m statement.pae -x {name}.minisig; mv before statement.pae')
        w.gapship('attach-signature', 'b.gapship', '--signature', f'{name}.minisig', '--key', 'm.pub', status=3, says=says)
    w.gapship('verify', 'b.gapship', '--root', 'm.pub', status=3, says='not signed')
    sh(w, 'minisign -S -H -s m.key -m statement.pae -x good.minisig -t "shop 1.0.0, checked by hand"')
    w.gapship('attach-signature', 'b.gapship', '--signature', 'good.minisig', '--key', 'm.pub', says='signed by key')
    signed_by(w, 'm.pub')
    w.gapship('verify', 'b.gapship', '--root', 'other.pub', status=3)

    parts(w)
    equal((w.path / 'scheme').read_text().strip(), '2', 'the scheme')
    check(sh(w, 'cmp statement.sig good.minisig').status == 0, 'the .minisig file is kept byte for byte')
    sh(w, 'minisign -V -H -p m.pub -x statement.sig -m statement.pae')
    sh(w, 'sed "s/by hand/by Hand/" statement.sig > x && minisign -V -H -p m.pub -x x -m statement.pae', status=1)

    # One bit in each line but the first, which nobody signs; and in the first what would be another file.
    data = (w.path / 'b.gapship').read_bytes()
    start = data.index((w.path / 'good.minisig').read_bytes())
    lines = (w.path / 'good.minisig').read_bytes().splitlines(keepends=True)
    for line, at in ((1, 60), (2, 25), (3, 40), (0, 2)):
        changed = bytearray(data)
        changed[start + sum(map(len, lines[:line])) + at] ^= 1
        (w.path / 'x.gapship').write_bytes(changed)
        w.gapship('verify', 'x.gapship', '--root', 'm.pub', status=3, says='does not count')


def test_an_ed25519_key_of_minisign_is_the_same_key_in_pem(w):
    need('minisign')
    bundle(w)
    sh(w, 'minisign -G -W -f -p m.pub -s m.key; '
          "{ printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'; tail -n 1 m.pub | base64 -d | tail -c 32; } > der; "
          'openssl pkey -pubin -inform DER -in der -out pem.pub')
    ids = {w.gapship('--output', 'json', 'key', 'show', name).result()['keyId'] for name in ('m.pub', 'pem.pub')}
    equal(len(ids), 1, 'key ids')
    w.gapship('sign', 'b.gapship', '--emit-tbs', 'statement.pae')
    sh(w, 'minisign -S -H -s m.key -m statement.pae -x good.minisig')
    w.gapship('attach-signature', 'b.gapship', '--signature', 'good.minisig', '--key', 'm.pub')
    w.gapship('verify', 'b.gapship', '--root', 'pem.pub', status=3, says='scheme')  # the trusted key's type says how


# ---- passphrases

def secret(w, name, text, mode=0o600):
    return w.write(name, text, mode=mode)


def test_a_passphrase_in_a_file(w):
    secret(w, 'pass', 'correct horse\nsecond line\n')
    w.gapship('key', 'new', 'release', '--passphrase-file', 'pass', silent='correct horse')
    check('ENCRYPTED PRIVATE KEY' in (w.path / 'release.key').read_text(), 'the key is encrypted')
    equal((w.path / 'release.key').stat().st_mode & 0o777, 0o600, 'mode')
    sh(w, "openssl pkey -in release.key -passin 'pass:correct horse' -pubout | cmp - release.pub")
    bundle(w, '--key', '../release.key', '--passphrase-file', '../pass')
    signed_by(w, 'release.pub')
    bundle(w)
    w.gapship('sign', 'b.gapship', '--key', 'release.key', '--passphrase-file', 'pass')
    signed_by(w, 'release.pub')

    bundle(w)
    for name, text, says in (('wrong', 'correct horses\n', 'the passphrase does not fit this key'), ('empty', '', 'the passphrase is empty'),
                             ('blank', '\nx', 'the passphrase is empty'), ('long', 'a' * 1025, 'at most 1024 bytes'),
                             ('zero', 'a\0b\n', 'zero byte')):
        secret(w, name, text)
        w.gapship('sign', 'b.gapship', '--key', 'release.key', '--passphrase-file', name, status=2, says=[says, 'release.key'])
        if name != 'wrong':
            w.gapship('key', 'new', 'no', '--passphrase-file', name, status=2, says=says)
    secret(w, 'open', 'correct horse', mode=0o644)
    w.gapship('sign', 'b.gapship', '--key', 'release.key', '--passphrase-file', 'open', status=2, says=['others can read', 'open'])
    w.gapship('sign', 'b.gapship', '--key', 'release.key', '--passphrase-file', 'absent', status=2, says='absent')
    for words in (('sign', 'b.gapship', '--key', 'release.key'), ('key', 'new', 'no', '--passphrase')):
        w.gapship(*words, status=2, says=['there is no terminal to ask on', '--passphrase-file'])
        w.gapship('--output', 'json', *words, status=2, says='there is no terminal to ask on')
    check(not list(w.path.glob('no.*')), 'no key was written')
    w.gapship('verify', 'b.gapship', '--root', 'release.pub', status=3, says='not signed')


def test_build_asks_before_anything_else(w):
    """A passphrase that does not fit must not cost an hour."""
    secret(w, 'pass', 'a')
    secret(w, 'wrong', 'b')
    w.gapship('key', 'new', 'release', '--passphrase-file', 'pass')
    w.gapship('build', '-f', 'absent/release.yaml', '--key', 'release.key', '--passphrase-file', 'wrong', status=2, says='does not fit',
              silent='absent/release.yaml')


class Terminal:
    """gapship on a terminal of its own. said: all that came out."""

    def __init__(self, w, *words, env=None):
        pid, self.fd = pty.fork()
        if pid == 0:
            os.chdir(w.path)
            os.environ.update(w.environment(env))
            os.execv(os.environ['GAPSHIP'], [os.environ['GAPSHIP'], *words])
        self.pid, self.said, self.status = pid, '', None

    def expect(self, text, within=60):
        """Reads up to where this has been said."""
        until = time.monotonic() + within
        while text not in self.said:
            ready, _, _ = select.select([self.fd], [], [], max(0, until - time.monotonic()))
            check(ready, f'"{text}" was not said within {within} s, but: {self.said!r}')
            with contextlib.suppress(OSError):  # EIO: the other side is closed
                data = os.read(self.fd, 4096)
                self.said += data.decode()
                continue
            check(text in self.said, f'"{text}" was not said, but: {self.said!r}')
        self.said = self.said[self.said.index(text) + len(text):]

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def asked(self, text):
        """The question was asked and the echo is off."""
        self.expect(text)
        until = time.monotonic() + 60
        while self.echoes():
            check(time.monotonic() < until, 'the echo is still on')
            time.sleep(0.01)

    def answer(self, text):
        os.write(self.fd, text.encode() + b'\n')

    def end(self):
        """The exit status, and the rest of what it said."""
        with contextlib.suppress(OSError):
            while data := os.read(self.fd, 4096):
                self.said += data.decode()
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status), self.said


def test_a_passphrase_on_the_terminal(w):
    terminal = Terminal(w, 'key', 'new', 'release', '--passphrase')
    terminal.asked('new passphrase for release.key: ')
    with open(f'/proc/{terminal.pid}/cmdline', encoding='utf-8') as file:
        equal(file.read().split('\0')[1:-1], ['key', 'new', 'release', '--passphrase'], 'argv')
    terminal.answer('correct horse')
    terminal.asked('once more, for release.key: ')
    terminal.answer('correct horse')
    status, said = terminal.end()
    equal(status, 0, f'status, after saying {said}')
    check('correct' not in said, f'the passphrase was echoed: {said!r}')
    sh(w, "openssl pkey -in release.key -passin 'pass:correct horse' -pubout | cmp - release.pub")

    bundle(w)
    terminal = Terminal(w, 'sign', 'b.gapship', '--key', 'release.key')
    terminal.asked('passphrase for release.key: ')
    terminal.answer('correct horse')
    terminal.expect('signed by key')
    equal(terminal.end()[0], 0, 'status')
    signed_by(w, 'release.pub')


def test_each_key_has_its_passphrase(w):
    for name in ('one', 'two'):
        secret(w, 'pass', f'passphrase {name}')
        w.gapship('key', 'new', name, '--passphrase-file', 'pass')
    Product(w).write('k8s/app.yaml', CONFIG_MAP)
    terminal = Terminal(w, '-C', 'product', 'build', '--key', '../one.key', '--key', '../two.key')
    for name in ('one', 'two'):
        terminal.asked(f'passphrase for ../{name}.key: ')
        terminal.answer(f'passphrase {name}')
    status, said = terminal.end()
    equal(status, 0, f'status, after saying {said}')
    for name in ('one', 'two'):
        signed_by(w, f'{name}.pub', 'product/shop-1.0.0.gapship')


def test_what_is_typed_may_be_wrong(w):
    secret(w, 'pass', 'right')
    w.gapship('key', 'new', 'release', '--passphrase-file', 'pass')
    bundle(w)
    for typed, says in (('wrong', 'does not fit'), ('', 'is empty'), ('x' * 1500, 'at most 1024')):
        terminal = Terminal(w, 'sign', 'b.gapship', '--key', 'release.key')
        terminal.asked('passphrase for release.key: ')
        terminal.answer(typed)
        terminal.expect(says)
        equal(terminal.end()[0], 2, f'status of {typed[:10]!r}')
    terminal = Terminal(w, 'key', 'new', 'other', '--passphrase')
    for question, typed in (('new passphrase', 'one'), ('once more', 'two')):
        terminal.asked(question)
        terminal.answer(typed)
    terminal.expect('the two passphrases differ')
    equal(terminal.end()[0], 2, 'status')
    check(not list(w.path.glob('other.*')), 'no key was written')


def test_an_interrupted_question_gives_the_terminal_back(w):
    for name, interrupt in (('Ctrl-C', lambda terminal: os.write(terminal.fd, b'\x03')),
                            ('SIGTERM', lambda terminal: os.kill(terminal.pid, signal.SIGTERM)),
                            ('Ctrl-D', lambda terminal: os.write(terminal.fd, b'\x04'))):
        terminal = Terminal(w, 'key', 'new', 'release', '--passphrase')
        held = os.dup(terminal.fd)
        terminal.asked('new passphrase for release.key: ')
        os.write(terminal.fd, b'\x1a\x1c')  # Ctrl-Z and Ctrl-\ do nothing
        time.sleep(0.2)
        check(not terminal.echoes(), 'the echo came back too early')
        if name == 'Ctrl-D':
            os.write(terminal.fd, b'\x15')  # Ctrl-U: what was typed until now
        interrupt(terminal)
        terminal.expect('no passphrase was given')
        check(bool(termios.tcgetattr(held)[3] & termios.ECHO), f'{name}: the terminal has its echo again')
        equal(terminal.end()[0], 130, f'status after {name}')
        os.close(held)
        check(not list(w.path.glob('release.*')), 'no key was written')


def memory(pid):
    """All that a process can read of itself."""
    with open(f'/proc/{pid}/maps', encoding='utf-8') as maps, open(f'/proc/{pid}/mem', 'rb') as mem:
        for line in maps:
            bounds, rights = line.split()[:2]
            start, end = (int(bound, 16) for bound in bounds.split('-'))
            if 'w' in rights and end - start < 1 << 30:  # the sanitizer's shadow is larger
                with contextlib.suppress(OSError, ValueError, OverflowError):
                    mem.seek(start)
                    yield mem.read(end - start)


def test_no_passphrase_stays_in_memory(w):
    """Looked for while a build that has read its key waits for a registry that never answers."""
    marker, trace = 'battery-staple', 'correct-horse'  # the marker proves that what is there is found
    passphrase = 'x' * 100 + trace + 'x' * 100  # whoever frees memory writes over its ends
    env = {**w.environment(), 'ASAN_OPTIONS': 'max_free_fill_size=0'}
    secret(w, 'pass', passphrase + '\n')
    w.gapship('key', 'new', 'release', '--passphrase-file', 'pass')

    def from_file():
        command = w.command('build', '--key', '../release.key', '--passphrase-file', '../pass')
        quiet = {stream: subprocess.DEVNULL for stream in ('stdin', 'stdout', 'stderr')}
        return subprocess.Popen(command, cwd=w.path / 'product', env={**os.environ, **env}, **quiet).pid

    def typed():
        terminal = Terminal(w, '-C', 'product', 'build', '--key', '../release.key', env=env)
        terminal.asked('passphrase for')
        terminal.answer(passphrase)
        return terminal.pid

    for start in (from_file, typed):
        with socket.create_server(('127.0.0.1', 0)) as silent:
            silent.settimeout(60)
            Product(w, [f'127.0.0.1:{silent.getsockname()[1]}/{marker}:1']).write('k8s/app.yaml', CONFIG_MAP)
            pid = start()
            try:
                connection, _ = silent.accept()
                with connection:
                    seen = list(memory(pid))
                check(any(marker.encode() in part for part in seen), 'the marker is not found, so nothing is proved')
                check(not any(trace.encode() in part for part in seen), f'the passphrase is still in memory ({start.__name__})')
            finally:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


# ---- keys in tokens

MODULE = '/usr/lib/softhsm/libsofthsm2.so'


def token(w):
    """A PKCS#11 token of SoftHSM with three keys. Returns the environment in which it is found."""
    need('softhsm2-util', 'pkcs11-tool')
    (w.path / 'tokens').mkdir()
    env = {'SOFTHSM2_CONF': str(w.write('softhsm2.conf', f'directories.tokendir = {w.path}/tokens\nlog.level = ERROR\n')),
           'PKCS11_MODULE_PATH': MODULE, **NO_LEAKS}
    tool = f'pkcs11-tool --module {MODULE} --token-label gapship --login --pin 47110815'
    sh(w, 'softhsm2-util --init-token --free --label gapship --pin 47110815 --so-pin 47110815', env=env)
    for i, (label, kind) in enumerate({'p256': 'EC:prime256v1', 'p384': 'EC:secp384r1', 'rsa': 'rsa:3072', 'p521': 'EC:secp521r1'}.items(), 1):
        sh(w, f'{tool} --keypairgen --key-type {kind} --label {label} --id 0{i}; openssl pkey -engine pkcs11 '
              f'-inform engine -pubin -in "pkcs11:token=gapship;object={label}" -pubout -out {label}.pub', env=env)
    secret(w, 'pin', '47110815\n')
    return env


def test_a_token(w):
    env = token(w)
    for label, options in (('p256', '-sha256'), ('p384', '-sha384'), ('rsa', PSS)):
        uri = f'pkcs11:token=gapship;object={label}'
        bundle(w, '--key', uri, '--passphrase-file', '../pin', env=env)
        signed_by(w, f'{label}.pub')
        parts(w)
        sh(w, f'cp {label}.pub key.pub; ' + openssl('verify', options))
    bundle(w)
    for uri in ('pkcs11:token=gapship;id=%01', 'engine:pkcs11:pkcs11:token=gapship;object=p384'):
        w.gapship('sign', 'b.gapship', '--key', uri, '--passphrase-file', 'pin', env=env, silent='47110815')
    signed_by(w, 'p256.pub')
    signed_by(w, 'p384.pub')

    bundle(w, '--key', 'pkcs11:token=gapship;object=rsa', '--key', 'pkcs11:token=gapship;object=p256', '--passphrase-file', '../pin', '--force',
           env=env)
    signed_by(w, 'rsa.pub')
    signed_by(w, 'p256.pub')
    # Tokens that want the PIN again for each signature.
    sh(w, f'pkcs11-tool --module {MODULE} --token-label gapship --login --pin 47110815 --keypairgen --key-type EC:prime256v1 --label always '
          '--id 09 --always-auth', env=env)
    w.gapship('sign', 'b.gapship', '--key', 'pkcs11:token=gapship;object=always', '--passphrase-file', 'pin', env=env, says='signed by key',
              silent='PIN')

    secret(w, 'wrong', '47110816\n')
    key = 'pkcs11:token=gapship;object=rsa'
    for words, says in ((('--key', key, '--passphrase-file', 'wrong'), 'PIN incorrect'),
                        (('--key', 'pkcs11:token=gapship;object=none', '--passphrase-file', 'pin'), 'object not found'),
                        (('--key', 'pkcs11:token=none;object=rsa', '--passphrase-file', 'pin'), 'the engine has no such private key'),
                        (('--key', 'pkcs11:token=gapship', '--passphrase-file', 'pin'), 'names no object'),
                        (('--key', 'pkcs11:slot-id=0', '--passphrase-file', 'pin'), 'names no object'),
                        (('--key', 'pkcs11:token=gapship;object=p521', '--passphrase-file', 'pin'), 'curve is not accepted'),
                        (('--key', key), 'there is no terminal to ask on')):
        w.gapship('sign', 'b.gapship', *words, status=2, env=env, says=[says, words[1]])
    w.gapship('sign', 'b.gapship', '--key', key + ';pin-value=47110815', status=2, env=env, says='a PIN does not belong',
              silent='pin-value=47110815')


def two_ports():
    """A free port whose next is free, too: that is where a TPM's driver looks for the control channel."""
    while True:
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError, OverflowError):
            first.bind(('127.0.0.1', 0))
            second.bind(('127.0.0.1', first.getsockname()[1] + 1))
            return first.getsockname()[1]


def test_a_tpm(w):
    """Keys of a provider, by OpenSSL's stores: of a software TPM."""
    need('swtpm', 'tpm2_createprimary', 'tpm2_evictcontrol')
    server = two_ports()
    (w.path / 'tpm').mkdir()
    process = subprocess.Popen(['swtpm', 'socket', '--tpm2', '--tpmstate', f'dir={w.path}/tpm', '--flags', 'not-need-init,startup-clear',
                                '--server', f'type=tcp,port={server},bindaddr=127.0.0.1,disconnect',
                                '--ctrl', f'type=tcp,port={server + 1},bindaddr=127.0.0.1'], stdout=subprocess.DEVNULL)
    w.stack.callback(process.wait)
    w.stack.callback(process.terminate)
    tcti = f'swtpm:host=127.0.0.1,port={server}'
    env = {'TPM2TOOLS_TCTI': tcti, 'TPM2OPENSSL_TCTI': tcti, **NO_LEAKS}
    secret(w, 'pass', 'correct horse\n')
    sh(w, '''
for i in 1 2 3 4 5 6 7 8 9; do tpm2_getcap properties-fixed > /dev/null 2>&1 && break; sleep 0.5; done
flush() { tpm2_flushcontext -t; }
tpm2_createprimary -C o -c primary -Q; flush
tpm2_create -C primary -G ecc256:ecdsa -u public -r private -p 'correct horse' -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign' -Q; flush
tpm2_load -C primary -u public -r private -c key -Q; flush
tpm2_evictcontrol -C o -c key 0x81000001 -Q; flush
tpm2_readpublic -c 0x81000001 -f pem -o tpm.pub -Q; flush''', env=env)
    env['OPENSSL_CONF'] = str(w.write('openssl.cnf', 'openssl_conf = a\n[a]\nproviders = b\n[b]\ndefault = c\ntpm2 = c\n[c]\nactivate = 1\n'))
    bundle(w)
    w.gapship('sign', 'b.gapship', '--key', 'handle:0x81000001?pass', '--passphrase-file', 'pass', env=env)
    signed_by(w, 'tpm.pub')
    parts(w)
    sh(w, 'cp tpm.pub key.pub; ' + openssl('verify', '-sha256'))
    secret(w, 'wrong', 'correct horses\n')
    for uri, file, says in (('handle:0x81000001?pass', 'wrong', 'is its PIN right'),
                            ('handle:0x81000009', 'pass', 'the URI names no private key')):
        w.gapship('sign', 'b.gapship', '--key', uri, '--passphrase-file', file, env=env, status=2, says=[says, uri])


def test_names_that_are_neither_files_nor_uris(w):
    bundle(w)
    for name, says in (('absent.key', 'no such file'), ('./pkcs11:x', 'no such file'), ('vault:release', 'neither a file of this name nor'),
                       ('file:release.key', 'by its path alone'), ('engine:absent:1', 'cannot be started'), ('engine:pkcs11', 'engine:ENGINE:KEY'),
                       ('engine::1', 'engine:ENGINE:KEY'), ('1:2', 'no such file'), (':x', 'no such file')):
        w.gapship('sign', 'b.gapship', '--key', name, status=2, says=[says, name], env=NO_LEAKS)
    w.gapship('key', 'new', 'a:b')
    w.gapship('sign', 'b.gapship', '--key', 'a:b.key', says='signed by key')
    signed_by(w, 'a:b.pub')


harness.main()
