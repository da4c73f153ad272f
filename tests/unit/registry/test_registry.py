"""The registry client against Debian's docker-registry: plain, TLS with basic authentication, token authentication."""
import base64
import hashlib
import json
import os
import pathlib

import harness
import token_server
from harness import check, equal
from registry_client import Client

OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
ABSENT = 'sha256:' + '0' * 64


def blob_file(w, size, name='blob'):
    """A file of random bytes, and their digest."""
    data = os.urandom(size)
    (w.path / name).write_bytes(data)
    return data, 'sha256:' + hashlib.sha256(data).hexdigest()


def put_small_image(client, w, repository, tag, **more):
    """A manifest with one config; returns its digest and bytes."""
    (w.path / 'config').write_bytes(b'{}')
    config = 'sha256:' + hashlib.sha256(b'{}').hexdigest()
    client('put-blob', repository, config, 'config', 0, 2)
    manifest = {'schemaVersion': 2, 'mediaType': OCI_MANIFEST,
                'config': {'mediaType': 'application/vnd.oci.empty.v1+json', 'digest': config, 'size': 2}, 'layers': [], **more}
    data = w.write('manifest', manifest).read_bytes()
    client('put-manifest', repository, tag, OCI_MANIFEST, 'manifest')
    return 'sha256:' + hashlib.sha256(data).hexdigest(), data


def leftovers(registry):
    """Uploads that still hold data."""
    return [path for path in pathlib.Path(registry.folder).rglob('_uploads/*/data')]


def basic_config(user_and_password):
    return base64.b64encode(user_and_password.encode()).decode()


def test_what_is_pulled_is_what_was_pushed(w):
    registry = w.registry()
    client = Client(w, registry.url)
    digest = w.image(registry, 'org/app:1', command=['httpd'])
    equal(client.fact('digest', 'get-manifest', 'org/app', '1', 'pulled'), digest, 'digest by tag')
    equal(client.fact('digest', 'get-manifest', 'org/app', digest, 'pulled'), digest, 'digest by digest')
    equal('sha256:' + hashlib.sha256((w.path / 'pulled').read_bytes()).hexdigest(), digest, 'bytes')
    client('copy', 'org/app', '1', 'team/copy', 'v2')
    equal(registry.digest('team/copy:v2'), digest, 'digest of the copy')
    harness.run(['skopeo', '--insecure-policy', 'copy', '--quiet', '--src-tls-verify=false', f'docker://{registry.host}/team/copy:v2',
                 f'dir:{w.path}/out']).expect()


def test_an_index_keeps_its_digest(w):
    registry = w.registry()
    client = Client(w, registry.url)
    children = [put_small_image(client, w, 'org/multi', f'child{i}', annotations={'number': str(i)}) for i in range(2)]
    index = {'schemaVersion': 2, 'mediaType': OCI_INDEX,
             'manifests': [{'mediaType': OCI_MANIFEST, 'digest': digest, 'size': len(data),
                            'platform': {'os': 'linux', 'architecture': architecture}}
                           for (digest, data), architecture in zip(children, ('amd64', 'arm64'))]}
    data = w.write('index', index).read_bytes()
    client('put-manifest', 'org/multi', '1', OCI_INDEX, 'index')
    digest = 'sha256:' + hashlib.sha256(data).hexdigest()
    equal(registry.digest('org/multi:1'), digest, 'digest of the index')
    done = client('get-manifest', 'org/multi', '1', 'pulled')
    equal(done.facts['type'], [OCI_INDEX], 'type')
    equal((w.path / 'pulled').read_bytes(), data, 'bytes')


def test_a_blob_is_sent_from_the_middle_of_a_file(w):
    registry = w.registry()
    client = Client(w, registry.url)
    data, digest = blob_file(w, 3_000_000)
    (w.path / 'bundle').write_bytes(b'head' + data + b'tail')
    equal(client.fact('found', 'has-blob', 'a/b', digest), '0', 'before')
    equal(client.fact('moved', 'put-blob', 'a/b', digest, 'bundle', 4, len(data)), str(len(data)), 'progress')
    equal(client.fact('found', 'has-blob', 'a/b', digest), '1', 'after')
    equal(client.fact('moved', 'get-blob', 'a/b', digest, len(data), 'out'), str(len(data)), 'progress')
    equal((w.path / 'out').read_bytes(), data, 'content')
    equal(leftovers(registry), [], 'uploads left behind')


def test_an_empty_blob(w):
    registry = w.registry()
    client = Client(w, registry.url)
    (w.path / 'empty').write_bytes(b'')
    digest = 'sha256:' + hashlib.sha256(b'').hexdigest()
    client('put-blob', 'a/b', digest, 'empty', 0, 0)
    client('get-blob', 'a/b', digest, 0, 'out')
    equal((w.path / 'out').read_bytes(), b'', 'content')


def test_content_that_is_not_what_its_digest_says(w):
    registry = w.registry()
    client = Client(w, registry.url)
    data, digest = blob_file(w, 1000)
    client('put-blob', 'a/b', ABSENT, 'blob', 0, len(data), fails='DIGEST', says='DIGEST_INVALID')
    client('put-blob', 'a/b', digest, 'blob', 0, len(data))
    client('get-blob', 'a/b', digest, len(data) - 1, 'out', fails='DIGEST', says=['1000 bytes', 'promises 999'])
    check(not (w.path / 'out').exists(), 'a refused blob became a file')
    client('put-blob', 'a/b', digest, 'blob', 0, 2000, fails='IO', says='ends early')


def test_mounting(w):
    registry = w.registry()
    client = Client(w, registry.url)
    data, digest = blob_file(w, 1000)
    client('put-blob', 'from/here', digest, 'blob', 0, len(data))
    equal(client.fact('mounted', 'mount', 'to/there', 'from/here', digest), '1', 'a blob that is there')
    equal(client.fact('found', 'has-blob', 'to/there', digest), '1', 'afterwards')
    equal(client.fact('mounted', 'mount', 'to/there', 'from/here', ABSENT), '0', 'a blob that is nowhere')
    equal(leftovers(registry), [], 'uploads left behind')


def test_tags(w):
    registry = w.registry()
    client = Client(w, registry.url)
    equal(client('tags', 'no/such').facts, {}, 'tags of an unknown repository')
    for tag in ('v2', 'v10', 'a'):
        put_small_image(client, w, 'org/app', tag)
    equal(client('tags', 'org/app').facts['tag'], ['a', 'v10', 'v2'], 'tags')


def test_heads(w):
    registry = w.registry()
    client = Client(w, registry.url)
    digest, _ = put_small_image(client, w, 'org/app', '1')
    equal(client('head', 'org/app', '1').facts, {'found': ['1'], 'digest': [digest]}, 'a tag')
    equal(client('head', 'org/app', '2').facts, {'found': ['0']}, 'an absent tag')
    equal(client('head', 'org/none', ABSENT).facts, {'found': ['0']}, 'an absent repository')


def test_a_tag_moves_only_when_told(w):
    registry = w.registry()
    client = Client(w, registry.url)
    first, _ = put_small_image(client, w, 'org/app', '1')
    second, _ = put_small_image(client, w, 'org/app', '1', annotations={'a': 'b'})
    check(first != second, 'the same digest twice')
    equal(registry.digest('org/app:1'), second, 'the tag')
    put_small_image(client, w, 'org/app', '1', annotations={'a': 'b'})
    log = (pathlib.Path(registry.folder) / 'log').read_text()
    equal(log.count('"PUT /v2/org/app/manifests'), 2, 'manifests sent')


def test_referrers_are_found_through_the_fallback_tag(w):
    registry = w.registry()
    client = Client(w, registry.url)
    digest, data = put_small_image(client, w, 'org/app', '1')
    subject = {'mediaType': OCI_MANIFEST, 'digest': digest, 'size': len(data)}
    signature, _ = put_small_image(client, w, 'org/app', 'signature', subject=subject, artifactType='application/vnd.test.signature')
    sbom, _ = put_small_image(client, w, 'org/app', 'sbom', subject=subject, annotations={'kind': 'sbom'})
    put_small_image(client, w, 'org/app', 'again', subject=subject, annotations={'kind': 'sbom'})
    facts = client('referrers', 'org/app', digest).facts
    equal(sorted(facts['digest']), sorted([signature, sbom]), 'referrers')
    equal(sorted(facts['artifactType']), ['application/vnd.oci.empty.v1+json', 'application/vnd.test.signature'], 'artifact types')
    index = json.loads(registry.get(f'/v2/org/app/manifests/{digest.replace(":", "-")}', [OCI_INDEX])[0])
    equal(index['mediaType'], OCI_INDEX, 'type of the fallback')
    equal([entry['digest'] for entry in index['manifests']], sorted([signature, sbom]), 'order of the fallback')
    equal(client('referrers', 'org/app', ABSENT).facts, {}, 'referrers of nothing')


def test_what_is_not_there_is_named(w):
    registry = w.registry()
    client = Client(w, registry.url)
    done = client('get-manifest', 'org/none', '1', 'out', fails='NOTFOUND', says=['404', 'MANIFEST_UNKNOWN'])
    equal(done.where, f'{registry.host}/org/none', 'where')
    check(done.hint, 'no hint')
    client('get-blob', 'org/none', ABSENT, 3, 'out', fails='NOTFOUND', says=['404', 'BLOB_UNKNOWN'])


def test_names_that_no_registry_could_have(w):
    client = Client(w, 'http://127.0.0.1:1')
    for repository in ('Upper/case', '../x', 'a//b', '', 'a/b?x'):
        client('tags', repository, fails='SPEC', says='not the name of a repository')
    client('head', 'a', '-x', fails='SPEC', says='is not a tag')
    client('head', 'a', 'sha256:12', fails='FORMAT')


def test_plain_and_tls_are_not_mixed_up(w):
    plain = w.registry()
    Client(w, plain.host)('ping', fails='NETWORK', says='plain http')
    secure = w.registry(tls=True)
    Client(w, f'http://{secure.host}')('ping', fails='REGISTRY', says='https://')
    Client(w, secure.host)('ping', fails='NETWORK', says=['certificate is refused', 'CA file'])
    Client(w, secure.host, ca=secure.ca)('ping')
    wrong = w.write('wrong.pem', (pathlib.Path(__file__).parent / 'other-ca.pem').read_text())
    Client(w, secure.host, ca=wrong)('ping', fails='NETWORK', says=['certificate is refused', str(wrong)])
    Client(w, secure.host, ca='absent.pem')('ping', fails='NETWORK', says='absent.pem')
    Client(w, f'https://localhost:{secure.host.split(":")[1]}', ca=secure.ca)('ping')
    Client(w, f'https://other.localhost:{secure.host.split(":")[1]}', ca=secure.ca)('ping', fails='NETWORK', says=['subject name', 'a host name'])


def test_the_ca_is_found_where_podman_looks(w):
    registry = w.registry(tls=True)
    w.write(f'home/.config/containers/certs.d/{registry.host}/ca.crt', registry.ca.read_text())
    Client(w, registry.url)('ping')


def test_an_address_that_is_none(w):
    for url in ('ftp://x', 'http://', 'https://u:secret@h/', 'h?x', 'http://[::1', 'a b'):
        Client(w, url)('ping', fails='SPEC', silent='secret')


def test_basic_authentication(w):
    registry = w.registry(credentials='rita:pa:ss word')
    anonymous = Client(w, registry.url, ca=registry.ca)
    anonymous('ping', fails='AUTH', says=['401', 'docker login', registry.host])
    w.write('auth', 'rita:pa:ss word\n', 0o600)
    client = Client(w, registry.url, ca=registry.ca, credentials='auth')
    client('ping')
    digest = w.image(registry, 'org/app:1', command=['httpd'])
    client('copy', 'org/app', '1', 'team/copy', '2')
    equal(registry.digest('team/copy:2'), digest, 'digest of the copy')
    w.write('wrong', 'rita:wrong', 0o600)
    Client(w, registry.url, ca=registry.ca, credentials='wrong')('ping', fails='AUTH', says=['rita', '401'], silent='wrong')
    (w.path / 'auth').chmod(0o644)
    client('ping', fails='SPEC', says=['auth', 'chmod 600'])
    (w.path / 'auth').unlink()
    client('ping', fails='NOTFOUND', says='auth')


def test_credentials_from_the_usual_places(w):
    registry = w.registry(credentials='rita:secret')
    entry = {'auths': {registry.host: {'auth': basic_config('rita:secret')}}}
    w.write('home/.docker/config.json', entry)
    Client(w, registry.url, ca=registry.ca)('ping')
    Client(w, registry.url, ca=registry.ca, anonymous=True)('ping', fails='AUTH')
    # The nearer place wins, also with a wrong password.
    w.write('run/containers/auth.json', {'auths': {registry.host: {'auth': basic_config('rita:wrong')}}})
    env = {'XDG_RUNTIME_DIR': str(w.path / 'run')}
    Client(w, registry.url, ca=registry.ca, env=env)('ping', fails='AUTH')
    # A path of its own for one repository.
    w.write('run/containers/auth.json', {'auths': {registry.host: {'auth': basic_config('rita:wrong')},
                                                   f'{registry.host}/org': {'auth': basic_config('rita:secret')}}})
    w.image(registry, 'org/app:1', command=['httpd'])
    client = Client(w, registry.url, ca=registry.ca, env=env)
    client('tags', 'org/app')
    client('tags', 'organ/app', fails='AUTH')


def test_a_credential_helper(w):
    registry = w.registry(credentials='rita:secret')
    w.write('home/.docker/config.json', {'credHelpers': {registry.host: 'test'}})
    w.write('bin/docker-credential-test', f'''#!/bin/sh
test "$1" = get && read -r server
test "$server" = {registry.host} || {{ echo "credentials not found in native keychain"; exit 1; }}
echo '{{"ServerURL": "'$server'", "Username": "rita", "Secret": "secret"}}'
''', 0o755)
    env = {'PATH': f'{w.path}/bin:{os.environ["PATH"]}'}
    Client(w, registry.url, ca=registry.ca, env=env)('ping')
    w.write('bin/docker-credential-test', '#!/bin/sh\necho "the keychain is locked" >&2\nexit 3\n', 0o755)
    Client(w, registry.url, ca=registry.ca, env=env)('ping', fails='AUTH', says=['docker-credential-test', 'status 3', 'is locked'])
    Client(w, registry.url, ca=registry.ca)('ping', fails='NOTFOUND', says='docker-credential-test')


def token_setup(w, **options):
    server = w.stack.enter_context(token_server.TokenServer(w.path, **options))
    return server, w.registry(token=server.settings())


def test_tokens(w):
    server, registry = token_setup(w, users={'rita': 'secret'})
    w.write('auth', 'rita:secret', 0o600)
    client = Client(w, registry.url, credentials='auth')
    client('ping')
    equal(server.requests[0]['query'].get('service'), ['test registry'], 'service')
    equal(server.requests[0]['query'].get('account'), ['rita'], 'account')
    server.requests.clear()
    put_small_image(client, w, 'org/app', '1')
    scopes = {scope for request in server.requests for scope in request['query'].get('scope', [])}
    equal(scopes, {'repository:org/app:pull,push', 'repository:org/app:pull'}, 'scopes')
    server.requests.clear()
    client('copy', 'org/app', '1', 'org/copy', '1')
    check(len(server.requests) <= 4, f'{len(server.requests)} tokens for one copy')
    client('mount', 'org/third', 'org/app', 'sha256:' + hashlib.sha256(b'{}').hexdigest(), says='mounted 1')


def test_tokens_for_nobody(w):
    server, registry = token_setup(w, users={'rita': 'secret'})
    w.write('auth', 'rita:secret', 0o600)
    put_small_image(Client(w, registry.url, credentials='auth'), w, 'org/app', '1')
    server.requests.clear()
    anonymous = Client(w, registry.url)
    anonymous('get-manifest', 'org/app', '1', 'out')
    equal([request['authorization'] for request in server.requests], [''] * len(server.requests), 'credentials of nobody')
    anonymous('put-blob', 'org/app', ABSENT, 'config', 0, 2, fails='AUTH', says=['UNAUTHORIZED', 'no credentials were found'])


def test_a_token_server_that_refuses(w):
    server, registry = token_setup(w, users={'rita': 'secret'})
    w.write('auth', 'rita:wrong', 0o600)
    done = Client(w, registry.url, credentials='auth')('ping', fails='AUTH', says=['token server', '401', 'incorrect username'])
    equal(done.where, server.realm, 'where')
    check('wrong' not in done.out, 'the password was printed')


def test_an_identity_token(w):
    server, registry = token_setup(w, identity='refresh-me', public=())
    auth = {'auths': {registry.host: {'auth': basic_config('rita:'), 'identitytoken': 'refresh-me'}}}
    w.write('auth', auth, 0o600)
    client = Client(w, registry.url, credentials='auth')
    put_small_image(client, w, 'org/app', '1')
    check(all(request['method'] == 'POST' for request in server.requests), f'not all by POST: {server.requests}')
    equal({request['form']['grant_type'][0] for request in server.requests}, {'refresh_token'}, 'grant type')
    w.write('auth', {'auths': {registry.host: {'identitytoken': 'old'}}}, 0o600)
    client('tags', 'org/app', fails='AUTH', says=['token server', '403'])


def test_an_identity_token_where_post_is_unknown(w):
    server, registry = token_setup(w, users={'rita': 'secret'}, identity='x', get_only=True)
    w.write('auth', {'auths': {registry.host: {'auth': basic_config('rita:secret'), 'identitytoken': 'x'}}}, 0o600)
    put_small_image(Client(w, registry.url, credentials='auth'), w, 'org/app', '1')
    equal([request['method'] for request in server.requests[:2]], ['POST', 'GET'], 'methods')


def test_a_token_that_has_ended(w):
    # docker-registry accepts a token up to 60 s after its end: the first has a second left.
    server, registry = token_setup(w, users={'rita': 'secret'}, life=-58)
    w.write('auth', 'rita:secret', 0o600)
    client = Client(w, registry.url, credentials='auth')
    data, digest = blob_file(w, 1000)
    client('put-blob', 'org/app', digest, 'blob', 0, len(data))
    server.life = -62
    client('tags', 'org/app', fails='AUTH', says='401')
    server.life = 300
    client('tags', 'org/app')


harness.main()
