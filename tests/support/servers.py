"""Servers for the tests: Debian's docker-registry, git over HTTP, and answers that a test makes up. Each is a context; leaving it ends
the server."""
import base64
import contextlib
import hashlib
import http.server
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'cluster'))
import gitserver  # noqa: E402

MANIFESTS = ['application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json',
             'application/vnd.docker.distribution.manifest.list.v2+json', 'application/vnd.docker.distribution.manifest.v2+json']


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def say(*command, **options):
    """Runs a program that must succeed; returns its stdout."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode:
        raise AssertionError(f'{" ".join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}')
    return done.stdout


def certificate(folder):
    """An authority and a certificate of it for 127.0.0.1 and localhost: (ca, certificate, key), as files."""
    folder = pathlib.Path(folder)
    ca, ca_key, crt, key = (folder / name for name in ('ca.crt', 'ca.key', 'server.crt', 'server.key'))
    extensions = folder / 'extensions'
    extensions.write_text('subjectAltName=IP:127.0.0.1,DNS:localhost\n')
    curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    say('openssl', 'req', '-x509', *curve, '-keyout', ca_key, '-out', ca, '-subj', '/CN=test authority', '-days', '30')
    request = say('openssl', 'req', *curve, '-keyout', key, '-subj', '/CN=127.0.0.1')
    say('openssl', 'x509', '-req', '-CA', ca, '-CAkey', ca_key, '-CAcreateserial', '-out', crt, '-days', '30', '-extfile', extensions,
        input=request)
    return ca, crt, key


class Registry:
    """docker-registry on a free port, or another program that takes its configuration.

    credentials "USER:PASSWORD": basic authentication, which docker-registry speaks over TLS alone, so tls is then on, too.
    token {realm, service, issuer, certificate}: token authentication by a server that the test runs.
    """

    def __init__(self, folder, *, tls=False, credentials=None, token=None, port=None, program='docker-registry'):
        self.folder, self.credentials, self.token, self.program = pathlib.Path(folder), credentials, token, program
        self.host = f'127.0.0.1:{port or free_port()}'
        self.tls = tls or credentials is not None
        self.url = ('https://' if self.tls else 'http://') + self.host
        self.ca = self.process = None
        self.context = None

    def configuration(self):
        http = {'addr': self.host}
        if self.tls:
            if not self.ca:
                self.ca, self.crt, self.key = certificate(self.folder)
            self.context = ssl.create_default_context(cafile=self.ca)
            http['tls'] = {'certificate': str(self.crt), 'key': str(self.key)}
        found = {'version': '0.1', 'log': {'level': 'warn'}, 'http': http,
                 'storage': {'filesystem': {'rootdirectory': str(self.folder / 'data')}, 'delete': {'enabled': True}}}
        if self.credentials:
            user, _, password = self.credentials.partition(':')
            (self.folder / 'users').write_text(say('htpasswd', '-Bbn', user, password))
            found['auth'] = {'htpasswd': {'realm': 'test', 'path': str(self.folder / 'users')}}
        if self.token:
            found['auth'] = {'token': {'realm': self.token['realm'], 'service': self.token['service'], 'issuer': self.token['issuer'],
                                       'rootcertbundle': str(self.token['certificate'])}}
        return found

    def __enter__(self):
        configuration = self.folder / 'registry.yaml'
        configuration.write_text(json.dumps(self.configuration()))
        with open(self.folder / 'log', 'a') as log:
            self.process = subprocess.Popen([self.program, 'serve', str(configuration)], stdout=log, stderr=log)
        until = time.monotonic() + 20
        while True:
            try:
                self.get('/v2/')
                return self
            except urllib.error.HTTPError:  # 401 is an answer
                return self
            except (urllib.error.URLError, ConnectionError) as error:
                if self.process.poll() is not None or time.monotonic() > until:
                    self.__exit__()
                    raise AssertionError(f'{self.program} does not answer: {error}\n{(self.folder / "log").read_text()}') from error
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def get(self, path, accept=(), method='GET'):
        """(body, headers) of a request; an error status is raised as urllib.error.HTTPError."""
        request = urllib.request.Request(self.url + path, method=method)
        if accept:
            request.add_header('Accept', ', '.join(accept))
        if self.credentials:
            request.add_header('Authorization', 'Basic ' + base64.b64encode(self.credentials.encode()).decode())
        with urllib.request.urlopen(request, timeout=20, context=self.context) as answer:
            return answer.read(), answer.headers

    def push(self, layout, tag, name):
        """skopeo copies an image or a whole index from an OCI layout."""
        credentials = ['--dest-creds', self.credentials] if self.credentials else []
        say('skopeo', '--insecure-policy', 'copy', '--all', '--quiet', '--dest-tls-verify=false', *credentials, f'oci:{layout}:{tag}',
            f'docker://{self.host}/{name}')

    def digest(self, name):
        """Digest of what REPOSITORY:TAG is, computed from the bytes served; None where there is none."""
        repository, _, tag = name.rpartition(':')
        try:
            body, _ = self.get(f'/v2/{repository}/manifests/{tag}', MANIFESTS)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise
        return 'sha256:' + hashlib.sha256(body).hexdigest()

    def repositories(self):
        return json.loads(self.get('/v2/_catalog?n=1000')[0])['repositories']

    def tags(self, repository):
        return sorted(json.loads(self.get(f'/v2/{repository}/tags/list')[0])['tags'] or [])


class InThread(contextlib.AbstractContextManager):
    """Runs self.server, which listens already."""

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Answers(InThread):
    """A GET gets what answer(PATH) returns: (status, bytes)."""

    def __init__(self, answer, address='127.0.0.1'):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, body = answer(self.path.strip('/'))
                self.send_response(status)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.url = f'http://{address}:{self.server.server_address[1]}'


class Git(InThread):
    """Bare repositories over HTTP, and a look into them from the side."""

    def __init__(self, folder, *, credentials=None):
        self.folder = pathlib.Path(folder)
        self.server = gitserver.server(folder, 0, credentials)
        self.address = f'http://127.0.0.1:{self.server.server_address[1]}'

    def url(self, name):
        return f'{self.address}/{name}.git'

    def git(self, name, *words):
        return say('git', '-C', self.folder / f'{name}.git', *words).strip('\n')

    def create(self, name, tree=None, branches=('main',)):
        """An empty repository, or one whose branches each hold one commit of the folder `tree`. Returns its URL."""
        say('git', 'init', '--quiet', '--bare', '--initial-branch', branches[0], self.folder / f'{name}.git')
        if tree:
            identity = ['-c', 'user.name=test', '-c', 'user.email=test@gapship.test']
            work = ['git', f'--git-dir={self.folder / name}.git', f'--work-tree={tree}', *identity]
            say(*work, 'add', '--all', '--force', '.', cwd=tree)
            say(*work, 'commit', '--quiet', '-m', 'Initial commit', cwd=tree)
            for branch in branches[1:]:
                self.git(name, 'branch', branch)
        return self.url(name)

    def subjects(self, name, branch='main'):
        """Of the commits of a branch, newest first."""
        return self.git(name, 'log', '--format=%s', branch).splitlines()

    def show(self, name, path, revision='main'):
        return self.git(name, 'show', f'{revision}:{path}')

    def changed(self, name, revision='main'):
        """Paths that a commit changed."""
        return self.git(name, 'diff-tree', '--no-commit-id', '--name-only', '-r', revision).splitlines()
