"""`gapship serve`: kept bundles as a registry, asked by skopeo, podman, gapship's own client and plain HTTP."""
import base64
import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import os
import random
import signal
import socket
import ssl
import struct
import subprocess
import time

import harness
import mkimage
import servers
from harness import check, equal
from product import deployment, unit

MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
INDEX = 'application/vnd.oci.image.index.v1+json'
UNKNOWN = 'sha256:' + '0' * 64
LARGE = 16 << 20


def sha256(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


class Site:
    """A source registry, bundles made from it, and a site that serves what it keeps."""

    def __init__(self, w, **embedded):
        self.w, self.source = w, w.registry()
        self.public, self.private = w.key()
        self.listen = f'127.0.0.1:{servers.free_port()}'
        self.folder = w.site(self.public, {'registry': {'embedded': {'listen': self.listen, **embedded}, 'prefix': 'platform'},
                                           'environments': {'prod': {}}})
        self.context = None

    def bundle(self, version, sequence, images):
        folder = f'product-{version}'
        self.w.write(f'{folder}/k8s/app.yaml', deployment(images[0]['from']))
        self.w.write(f'{folder}/release.yaml', {
            'apiVersion': 'gapship/v1', 'kind': 'Release', 'metadata': {'name': 'shop', 'version': version, 'sequence': sequence},
            'images': images, 'environments': [{'name': 'prod', 'units': [unit({'manifests': 'k8s'})]}]})
        path = self.w.path / f'shop-{version}.gapship'
        self.w.gapship('build', '-o', path, '--key', self.private, cwd=folder)
        return path

    def image(self, name, **options):
        return self.w.image(self.source, name, busybox=None, **{'content': {'name': name.encode()}, **options})

    def from_source(self, name, **more):
        return {'from': f'{self.source.host}/{name}', **more}

    def first(self):
        """Version 1.0.0: an image, a large one, an index of two platforms, and an artifact about the image."""
        large = random.Random(1).randbytes(LARGE)
        self.backend = self.image('shop/backend:1.0.0')
        self.image('shop/large:1', content={'data': large})
        for arch in ('amd64', 'arm64'):
            mkimage.make(self.w.layout, arch, busybox=None, content={'arch': arch.encode()}, arch=arch)
        self.index = mkimage.make_index(self.w.layout, 'multi', ['amd64', 'arm64'])
        self.source.push(self.w.layout, 'multi', 'shop/multi:1')
        manifest = self.w.layout / 'blobs/sha256' / self.backend[7:]
        subject = {'mediaType': MANIFEST, 'digest': self.backend, 'size': manifest.stat().st_size}
        empty = mkimage.blob(self.w.layout, b'{}', 'application/vnd.oci.empty.v1+json')
        sbom = mkimage.blob(self.w.layout, mkimage.dump({
            'schemaVersion': 2, 'mediaType': MANIFEST, 'artifactType': 'application/x.sbom', 'config': empty,
            'layers': [mkimage.blob(self.w.layout, b'parts', 'text/plain')], 'subject': subject}), MANIFEST)
        mkimage.add_to_index(self.w.layout, sbom, 'sbom')
        self.sbom = sbom['digest']
        return self.bundle('1.0.0', 1, [
            self.from_source('shop/backend:1.0.0', **{'as': 'shop/backend'}), self.from_source('shop/large:1', **{'as': 'shop/large'}),
            self.from_source('shop/multi:1', **{'as': 'shop/multi'}), {'from': f'oci:{self.w.layout}:sbom', 'as': 'shop/sbom'}])

    def second(self):
        """Version 1.1.0: the next image, under its own tag."""
        self.image('shop/backend:1.1.0')
        return self.bundle('1.1.0', 2, [self.from_source('shop/backend:1.1.0', **{'as': 'shop/backend'})])

    def __call__(self, *words, **options):
        return self.w.gapship(*words, cwd='site', **options)

    def start(self):
        process = subprocess.Popen(self.w.command('serve'), cwd=self.folder, env={**os.environ, **self.w.environment()},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

        def end():
            process.terminate()
            process.wait()

        self.w.stack.callback(end)
        line = process.stderr.readline()
        check(self.listen in line, f'gapship serve says: {line}')
        return process

    # ---- plain HTTP

    def connect(self):
        if self.context:
            return http.client.HTTPSConnection(self.listen, context=self.context, timeout=30)
        return http.client.HTTPConnection(self.listen, timeout=30)

    def ask(self, path, method='GET', body=None, **headers):
        """(status, headers, body); a header If_None_Match is written If-None-Match."""
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, body, {name.replace('_', '-'): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def error(self, path, method='GET', **headers):
        status, _, body = self.ask(path, method, **headers)
        return status, json.loads(body)['errors'][0]['code']

    def json(self, path):
        status, _, body = self.ask(path)
        equal(status, 200, path)
        return json.loads(body)

    def layer(self, name='shop/large', tag='1'):
        return self.json(f'/v2/platform/{name}/manifests/{tag}')['layers'][0]

    def exchange(self, request, wait=None):
        """Sends raw bytes; all that comes back until the server closes or is silent for a second."""
        host, _, port = self.listen.rpartition(':')
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(request)
            connection.settimeout(wait or 1)
            seen = b''
            with contextlib.suppress(socket.timeout):
                while piece := connection.recv(65536):
                    seen += piece
                return seen, True
            return seen, False


def ready(w, *bundles, **embedded):
    site = Site(w, **embedded)
    site('import', site.first())
    for make in bundles:
        site('import', make(site))
    site.start()
    return site


def test_peers_pull_every_image_with_its_digest(w):
    harness.need('skopeo')
    site = ready(w, Site.second)
    for name, reference in (('shop/backend:1.0.0', None), ('shop/backend:1.1.0', None), ('shop/large:1', None),
                            ('shop/multi:1', None), ('shop/backend:1.0.0', f'shop/backend@{site.backend}')):
        target = w.path / 'pulled'
        harness.run(['skopeo', 'copy', '--all', '--quiet', '--src-tls-verify=false', f'docker://{site.listen}/platform/{reference or name}',
                     f'dir:{target}']).expect()
        equal(sha256((target / 'manifest.json').read_bytes()), site.source.digest(name), name)
        harness.run(['rm', '-r', target]).expect()
    equal(site.source.digest('shop/multi:1'), site.index, 'the index')
    seen = json.loads(harness.run(['skopeo', 'inspect', '--tls-verify=false', f'docker://{site.listen}/platform/shop/backend:1.0.0']).expect().out)
    equal((seen['Digest'], seen['RepoTags']), (site.backend, ['1.0.0', '1.1.0']), 'inspect')


def test_podman_pulls_by_name_and_through_a_mirror(w):
    site = ready(w)
    w.write('registries.conf', f'''\
[[registry]]
prefix = "registry.example/shop"
location = "registry.example/shop"
[[registry.mirror]]
location = "{site.listen}/platform/shop"
insecure = true
''')
    for name in (f'{site.listen}/platform/shop/backend:1.0.0', 'registry.example/shop/backend:1.0.0'):
        w.podman('pull', '--quiet', '--tls-verify=false', name, env={'CONTAINERS_REGISTRIES_CONF': str(w.path / 'registries.conf')})
        seen = w.podman('image', 'inspect', '--format', '{{.Digest}}', name).out.strip()
        equal(seen, site.backend, name)


def test_gets_and_heads_of_everything(w):
    site = ready(w)
    manifest = site.ask(f'/v2/platform/shop/backend/manifests/{site.backend}')[2]
    layer = json.loads(manifest)['layers'][0]
    v2 = '/v2/platform/shop/backend'
    host = f'?ns={site.source.host}'
    wanted = {
        '/v2/': (200, 'application/json', None), '/v2': (200, 'application/json', None),
        f'{v2}/manifests/1.0.0': (200, MANIFEST, site.backend), f'{v2}/manifests/{site.backend}': (200, MANIFEST, site.backend),
        f'/v2/platform/shop/multi/manifests/1': (200, INDEX, site.index),
        f'/v2/shop/backend/manifests/1.0.0{host}': (200, MANIFEST, site.backend),
        f'{v2}/blobs/{layer["digest"]}': (200, 'application/octet-stream', layer['digest']),
        f'{v2}/blobs/{site.backend}': (200, 'application/octet-stream', site.backend),
        f'{v2}/tags/list': (200, 'application/json', None), '/v2/_catalog': (200, 'application/json', None),
        f'{v2}/referrers/{site.backend}': (200, INDEX, None), f'{v2}/referrers/{UNKNOWN}': (200, INDEX, None),
        f'{v2}/manifests/2': (404, 'application/json', None), f'{v2}/manifests/{UNKNOWN}': (404, 'application/json', None),
        f'{v2}/blobs/{UNKNOWN}': (404, 'application/json', None), '/v2/none/tags/list': (404, 'application/json', None),
        f'{v2}/manifests/sha256:12': (400, 'application/json', None), f'{v2}/blobs/md5:12': (400, 'application/json', None),
        '/v2/%2e%2e/%2e%2e/etc/passwd/manifests/1': (404, 'application/json', None), '/v2/App/manifests/1': (404, 'application/json', None),
        f'{v2}%00x/manifests/1.0.0': (404, 'application/json', None), f'/v2/{"n" * 8000}/manifests/1': (404, 'application/json', None),
        '/': (404, 'application/json', None), '/v1/_ping': (404, 'application/json', None),
    }
    with contextlib.closing(site.connect()) as connection:
        for path, (status, media_type, digest) in wanted.items():
            lengths = []
            for method in ('HEAD', 'GET', 'HEAD'):
                connection.request(method, path)
                used = connection.sock
                answer = connection.getresponse()
                body = answer.read()
                equal((answer.status, answer.headers['Content-Type'], answer.headers['Docker-Content-Digest'],
                       answer.headers['Docker-Distribution-Api-Version']), (status, media_type, digest, 'registry/2.0'), f'{method} {path}')
                check(answer.headers['Content-Encoding'] is None, f'{path} is encoded')
                lengths.append(int(answer.headers['Content-Length']))
                equal(len(body), lengths[0] if method == 'GET' else 0, f'bytes of {method} {path}')
                check(digest is None or method == 'HEAD' or sha256(body) == digest, f'bytes of {path}')
                check(connection.sock is used, f'the connection was not kept after {method} {path}')
            equal(len(set(lengths)), 1, f'lengths of {path}: {lengths}')


def test_ranges_and_validators(w):
    site = ready(w)
    layer = site.layer()
    path, size = f'/v2/platform/shop/large/blobs/{layer["digest"]}', layer['size']
    whole = site.ask(path)[2]
    equal(sha256(whole), layer['digest'], 'digest')
    for text, first, last in (('500-1499', 500, 1499), ('500-', 500, size - 1), ('-500', size - 500, size - 1), ('0-0', 0, 0),
                              (f'{size - 48}-{size + 5000}', size - 48, size - 1), (f'{size // 2}-', size // 2, size - 1)):
        status, headers, body = site.ask(path, Range=f'bytes={text}')
        equal((status, headers['Content-Range'], headers['Content-Length']), (206, f'bytes {first}-{last}/{size}', str(last - first + 1)), text)
        check(body == whole[first:last + 1], f'bytes {text}')
    for text in ('500-0', f'{size}-', f'{size + 1}-{size + 9}', '-0'):
        status, headers, body = site.ask(path, Range=f'bytes={text}')
        equal((status, headers['Content-Range'], json.loads(body)['errors'][0]['code']), (416, f'bytes */{size}', 'RANGE_INVALID'), text)
    for text in ('bytes=0-1,3-4', 'bytes=x', 'lines=0-1'):
        status, headers, body = site.ask(path, Range=text)
        equal((status, len(body)), (200, size), text)
    for path, digest in ((path, layer['digest']), ('/v2/platform/shop/backend/manifests/1.0.0', site.backend)):
        etag = site.ask(path, 'HEAD')[1]['ETag']
        equal(etag, f'"{digest}"', 'ETag')
        for known, wanted in ((etag, 304), (f'"x", W/{etag}', 304), ('*', 304), ('"x"', 200)):
            status, headers, body = site.ask(path, If_None_Match=known)
            equal((status, headers['ETag'], body == b''), (wanted, etag, wanted == 304), f'{path} with {known}')


def test_lists_come_in_pages_and_referrers_are_found(w):
    site = ready(w, Site.second)
    equal(site.json('/v2/platform/shop/backend/tags/list'), {'name': 'platform/shop/backend', 'tags': ['1.0.0', '1.1.0']}, 'tags')
    everything = [f'platform/shop/{name}' for name in ('backend', 'large', 'multi', 'sbom')]
    equal(site.json('/v2/_catalog'), {'repositories': everything}, 'catalog')
    for path, key, wanted in (('/v2/_catalog?n=1', 'repositories', everything), ('/v2/_catalog?n=3', 'repositories', everything),
                              ('/v2/platform/shop/backend/tags/list?n=1', 'tags', ['1.0.0', '1.1.0']),
                              (f'/v2/shop/backend/tags/list?n=1&ns={site.source.host}', 'tags', ['1.0.0', '1.1.0'])):
        found = []
        while path:
            status, headers, body = site.ask(path)
            equal(status, 200, path)
            found += json.loads(body)[key]
            link = headers['Link']
            check(link is None or link.endswith('>; rel="next"'), f'Link: {link}')
            path = link and link[1:link.index('>')]
        equal(found, wanted, 'pages')
    equal(site.json('/v2/_catalog?n=0'), {'repositories': []}, 'n=0')
    equal(site.error('/v2/_catalog?n=-1'), (400, 'PAGINATION_NUMBER_INVALID'), 'n=-1')
    for query, wanted in (('', [site.sbom]), ('?artifactType=application/x.sbom', [site.sbom]), ('?artifactType=application/x.other', [])):
        status, headers, body = site.ask(f'/v2/platform/shop/backend/referrers/{site.backend}{query}')
        equal([item['digest'] for item in json.loads(body)['manifests']], wanted, f'referrers {query}')
        equal(headers['OCI-Filters-Applied'], 'artifactType' if query else None, 'filter')


def test_writes_are_refused_before_their_body(w):
    site = ready(w)
    upload, manifest = '/v2/platform/shop/backend/blobs/uploads/', '/v2/platform/shop/backend/manifests/1.0.0'
    for method, path in (('POST', upload), ('PATCH', upload + '1'), ('PUT', upload + '1?digest=' + UNKNOWN), ('PUT', manifest),
                         ('DELETE', manifest), ('OPTIONS', '/v2/')):
        status, headers, body = site.ask(path, method)
        equal((status, headers['Allow'], json.loads(body)['errors'][0]['code']), (405, 'GET, HEAD', 'UNSUPPORTED'), method)
    equal(site.error(upload + '1'), (404, 'BLOB_UPLOAD_UNKNOWN'), 'an upload is asked for')
    smuggled = b'GET /v2/_catalog HTTP/1.1\r\nHost: x\r\n\r\n'
    for method in (b'PUT', b'POST', b'PATCH', b'DELETE', b'GET'):
        for framing in (b'Content-Length: %d' % (1 << 40), b'Transfer-Encoding: chunked', b'Content-Length: %d' % len(smuggled),
                        b'Content-Length: 1000000\r\nExpect: 100-continue'):
            request = b'%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n' % (method, (upload + '1').encode(), framing)
            seen, closed = site.exchange(request + (b'' if b'Expect' in framing else smuggled))
            check(seen.startswith(b'HTTP/1.1 404' if method == b'GET' else b'HTTP/1.1 405'), f'{method} {framing}: {seen[:200]}')
            check(seen.count(b'HTTP/1.1') == 1 and b'repositories' not in seen, f'{method} {framing}: a body was taken for a request: {seen}')
            check(closed, f'{method} {framing}: the connection was kept')


def test_tls_and_users(w):
    ca, certificate, key = servers.certificate(w.path)
    w.write('site/users', '# who may pull\nnode:s3cret\nadmin:a:b\n', 0o600)
    site = ready(w, tls={'certificate': str(certificate), 'key': str(key)}, users='users')
    site.context = ssl.create_default_context(cafile=ca)
    paths = ('/v2/', '/v2/_catalog', '/v2/platform/shop/backend/manifests/1.0.0', '/v2/none/tags/list', '/nothing')

    def basic(pair):
        return {'Authorization': 'Basic ' + base64.b64encode(pair.encode()).decode()}

    for headers in ({}, basic('node:wrong'), basic('node'), basic('other:s3cret'), {'Authorization': 'Bearer s3cret'},
                    {'Authorization': 'Basic !'}, basic('node:' + 'x' * 20000), {'Authorization': 'Bearer ' + 'x' * 60000}):
        for path in paths:
            status, answer, body = site.ask(path, **headers)
            equal((status, answer['WWW-Authenticate'], json.loads(body)['errors'][0]['code']),
                  (401, 'Basic realm="gapship"', 'UNAUTHORIZED'), f'{path} {str(headers)[:60]}')
        equal(site.ask('/v2/', 'PUT', **headers)[0], 401, 'a write')
    for pair in ('node:s3cret', 'admin:a:b'):
        equal([site.ask(path, **basic(pair))[0] for path in paths], [200, 200, 200, 404, 404], pair)
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        site.context = ssl.create_default_context()
        site.ask('/v2/')
        check(False, 'a client without the authority was content')

    image = f'docker://{site.listen}/platform/shop/multi:1'
    authority = w.path / 'certs' / 'ca.crt'
    authority.parent.mkdir()
    authority.write_bytes(ca.read_bytes())
    skopeo = ['skopeo', 'copy', '--all', '--quiet', '--src-cert-dir', authority.parent]
    harness.run([*skopeo, '--src-creds', 'node:s3cret', image, f'dir:{w.path}/pulled']).expect()
    equal(sha256((w.path / 'pulled/manifest.json').read_bytes()), site.index, 'digest')
    check(harness.run([*skopeo, '--src-creds', 'node:wrong', image, f'dir:{w.path}/other']).status != 0, 'a wrong password')
    for version, wanted in (('-tls1_1', False), ('-tls1_2', True), ('-tls1_3', True)):
        done = harness.run(['openssl', 's_client', '-connect', site.listen, version, '-cipher', 'DEFAULT:@SECLEVEL=0'], stdin='Q\n')
        equal(done.status == 0 and 'Cipher is (NONE)' not in done.out, wanted, f'{version}\n{done}')


def test_what_keeps_it_from_starting_is_said(w):
    _, certificate, key = servers.certificate(w.path)
    users = w.write('site/users', 'node:s3cret\n', 0o644)
    tls = {'certificate': str(certificate), 'key': str(key)}
    site = Site(w)
    for embedded, status, says in (
            ({'users': 'users'}, 2, ['others can read this secret', str(users), 'chmod 600']),
            ({'users': 'none'}, 2, 'none'),
            ({'tls': {**tls, 'certificate': 'missing.crt'}}, 2, 'missing.crt'),
            ({'tls': {**tls, 'certificate': str(key)}}, 2, 'the registry\'s certificate and key cannot be used'),
            ({'tls': {**tls, 'key': 'missing.key'}}, 2, 'missing.key')):
        text = json.loads((site.folder / 'site.yaml').read_text())
        text['registry']['embedded'] = {'listen': site.listen, **embedded}
        w.write('site/site.yaml', text)
        site('serve', status=status, says=says, timeout=30)
    text['registry']['embedded'] = {'listen': site.listen}
    w.write('site/site.yaml', text)
    with socket.create_server(('127.0.0.1', int(site.listen.rpartition(':')[2]))):
        site('serve', status=6, says=[site.listen, 'Address already in use', 'another program may have this port'], timeout=30)
    site('serve', '--listen', 'localhost', status=2, says='is no address to listen on', timeout=30)
    site('serve', '--listen', '203.0.113.7:5000', status=6, says='Cannot assign requested address', timeout=30)


def test_signals_end_it_at_once(w):
    site = Site(w)
    site('import', site.first())
    for number in (signal.SIGINT, signal.SIGTERM):
        process = site.start()
        equal(site.ask('/v2/')[0], 200, 'served')
        idle = [site.connect() for _ in range(3)]
        for connection in idle:
            connection.connect()
        began = time.monotonic()
        process.send_signal(number)
        equal(process.wait(10), 0, f'status after {number}')
        check(time.monotonic() - began < 3, f'{number} took {time.monotonic() - began:.1f} s')


def slow_client(site, path):
    """A connection that has begun to receive, with a small window."""
    host, _, port = site.listen.rpartition(':')
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    connection.settimeout(30)
    connection.connect((host, int(port)))
    connection.sendall(f'GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'.encode())
    return connection, connection.recv(4096)


def test_an_import_is_served_without_cutting_a_pull(w):
    site = ready(w)
    layer = site.layer()
    second = site.second()
    connection, seen = slow_client(site, f'/v2/platform/shop/large/blobs/{layer["digest"]}')
    equal(site.error('/v2/platform/shop/backend/manifests/1.1.0'), (404, 'MANIFEST_UNKNOWN'), 'before')
    site('import', second)
    until = time.monotonic() + 20
    while site.ask('/v2/platform/shop/backend/manifests/1.1.0')[0] != 200:
        check(time.monotonic() < until, 'the import is not served')
        time.sleep(0.1)
    equal(site.ask('/v2/platform/shop/backend/manifests/1.0.0')[0], 200, 'the bundle before')
    with connection:
        pieces = [seen]
        while piece := connection.recv(1 << 20):
            pieces.append(piece)
    head, _, body = b''.join(pieces).partition(b'\r\n\r\n')
    equal((head.split(b'\r\n')[0], sha256(body)), (b'HTTP/1.1 200 OK', layer['digest']), 'the pull that went on')


def test_a_damaged_store_does_not_end_what_is_served(w):
    site = Site(w)
    site('import', site.first())
    process = site.start()
    kept, = (site.folder / 'store/bundles').glob('*.gapship')
    kept.chmod(0o600)
    with open(kept, 'r+b') as file:  # the next look cannot open it again
        file.seek(600)
        file.write(b'damage')
    site('import', site.second())
    line = process.stderr.readline()
    check('still serving the 1 bundles from before' in line, f'gapship serve says: {line}')
    equal(site.ask('/v2/platform/shop/backend/manifests/1.0.0')[0], 200, 'what was served')
    time.sleep(1.5)
    check(process.poll() is None, 'it goes on')


def test_many_pull_at_once_and_some_die(w):
    site = Site(w)
    site('import', site.first())
    process = site.start()
    layer = site.layer()
    path = f'/v2/platform/shop/large/blobs/{layer["digest"]}'
    files = f'/proc/{process.pid}/fd'
    before = len(os.listdir(files))

    def pull(number):
        if number % 5 == 0:  # a node that loses power
            connection, _ = slow_client(site, path)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            connection.close()
            return layer['digest']
        if number % 5 == 1:  # one that resumes
            half = layer['size'] // 2
            return sha256(site.ask(path, Range=f'bytes=0-{half - 1}')[2] + site.ask(path, Range=f'bytes={half}-')[2])
        return sha256(site.ask(path)[2])

    idle = [site.connect() for _ in range(300)]
    for connection in idle:
        connection.connect()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        equal(set(pool.map(pull, range(50))), {layer['digest']}, 'digests')
    for connection in idle:
        connection.close()
    until = time.monotonic() + 10
    while len(os.listdir(files)) > before:
        check(time.monotonic() < until, f'{len(os.listdir(files))} open files, {before} before')
        time.sleep(0.1)
    equal(process.poll(), None, 'the server')


harness.main()
