"""The registry client against a registry that fails on purpose. What real registries do is in test_registry.py."""
import email.utils
import json
import time

import harness
import servers
from fault_registry import MANIFEST, FaultRegistry, altered, answer, cut, digest_of, early, reset, stall
from harness import check, equal
from registry_client import Client

BLOB = bytes(range(256)) * 16384  # 4 MiB
SMALL = b'a small blob'
IMAGE = {'schemaVersion': 2, 'mediaType': MANIFEST,
         'config': {'mediaType': 'application/vnd.oci.empty.v1+json', 'digest': digest_of(b'{}'), 'size': 2}, 'layers': []}


def setup(w, data=SMALL, **options):
    """A registry, a client of it, and a blob as the file `blob`."""
    registry = w.stack.enter_context(FaultRegistry(**options))
    (w.path / 'blob').write_bytes(data)
    return registry, Client(w, registry.url), digest_of(data)


def pull(client, w, digest, data, **expected):
    (w.path / 'out').unlink(missing_ok=True)
    done = client('get-blob', 'org/app', digest, len(data), 'out', **expected)
    if not expected.get('fails'):
        equal((w.path / 'out').read_bytes(), data, 'content')
        equal(done.facts['moved'], [str(len(data))], 'progress')
    else:
        check(not (w.path / 'out').exists(), 'a refused blob became a file')
    return done


def push(client, digest, data, **expected):
    done = client('put-blob', 'org/app', digest, 'blob', 0, len(data), **expected)
    if not expected.get('fails'):
        equal(done.facts['moved'], [str(len(data))], 'progress')
    return done


def bearer(registry):
    """From now on the registry wants a token of its own token server."""
    registry.tokens = {'good'}
    return registry


# ---- what passes is tried again

def test_bursts_pass(w):
    for status in (408, 429, 500, 502, 503, 504):
        registry, client, digest = setup(w)
        registry.add_blob(SMALL)
        registry.fault('GET', '/blobs/', answer(status, body=b'busy'), times=2)
        done = pull(client, w, digest, SMALL)
        equal(registry.count('GET', '/blobs/'), 3, f'requests with {status}')
        check(f'the server answered {status}' in done.out, 'the event does not say why')


def test_a_registry_that_stays_down(w):
    registry, client, digest = setup(w)
    registry.fault('GET', '/blobs/', answer(503, body=b'<html>down</html>'), times=99)
    pull(client, w, digest, SMALL, fails='REGISTRY', says=['503', "registry's log"], silent='html')
    equal(registry.count('GET', '/blobs/'), 6, 'requests')


def test_retry_after(w):
    for value, least in (('2', 2), (None, 1.5)):
        registry, client, digest = setup(w)
        value = value or email.utils.formatdate(time.time() + 3, usegmt=True)
        registry.add_blob(SMALL)
        registry.fault('GET', '/blobs/', answer(429, {'Retry-After': value}))
        began = time.monotonic()
        pull(client, w, digest, SMALL)
        check(least <= time.monotonic() - began < least + 5, f'Retry-After {value}: waited {time.monotonic() - began:.1f} s')


def test_what_does_not_pass_is_not_tried_again(w):
    for status, code in ((400, 'REGISTRY'), (403, 'AUTH'), (404, 'NOTFOUND'), (405, 'REGISTRY'), (412, 'REGISTRY'), (415, 'REGISTRY'),
                         (507, 'REGISTRY')):
        registry, client, digest = setup(w)
        registry.fault('GET', '/blobs/', answer(status), times=99)
        done = pull(client, w, digest, SMALL, fails=code, says=str(status))
        equal(registry.count('GET', '/blobs/'), 1, f'requests with {status}')
        check(done.hint or status == 400, f'no hint for {status}')


def test_what_the_registry_says_is_shown_safely(w):
    registry, client, digest = setup(w)
    said = {'errors': [{'code': 'QUOTA', 'message': 'no \x1b[31mroom\nleft', 'details': 'x'}]}
    registry.fault('GET', '/blobs/', answer(400, body=json.dumps(said).encode()))
    pull(client, w, digest, SMALL, fails='REGISTRY', says='400 (QUOTA: no ?[31mroom?left)')
    registry.fault('GET', '/blobs/', answer(400, body=b'plain words\nmore'))
    pull(client, w, digest, SMALL, fails='REGISTRY', says='400 (plain words)')
    registry.fault('GET', '/blobs/', answer(400, body=b'{"errors": [17]}'))
    pull(client, w, digest, SMALL, fails='REGISTRY', says='400')


def test_warnings_are_passed_on_once(w):
    registry, client, digest = setup(w)
    registry.add_blob(SMALL)
    registry.fault('HEAD', '', altered(Warning='299 - "moves on Monday"'), times=99)
    registry.add_manifest('org/app', '1', IMAGE)
    w.write('manifest', IMAGE)
    done = client('put-manifest', 'org/app', '2', MANIFEST, 'manifest')
    equal(done.out.count('moves on Monday'), 1, 'warnings')
    equal(registry.count('HEAD'), 2, 'answers with a warning')


# ---- downloads

def test_a_cut_download_goes_on_where_it_stopped(w):
    registry, client, digest = setup(w, BLOB)
    registry.add_blob(BLOB)
    registry.fault('GET', '/blobs/', cut(1_000_000))
    registry.fault('GET', '/blobs/', cut(500_000))
    pull(client, w, digest, BLOB)
    ranges = [entry['headers'].get('Range') for entry in registry.seen('GET', '/blobs/')]
    equal(ranges, [None, 'bytes=1000000-', 'bytes=1500000-'], 'ranges')


def test_a_download_cut_at_each_place(w):
    data = BLOB[:5000]
    for at in (0, 1, 4999):
        registry, client, digest = setup(w, data)
        registry.add_blob(data)
        registry.fault('GET', '/blobs/', cut(at))
        pull(client, w, digest, data)


def test_a_registry_that_ignores_ranges(w):
    registry, client, digest = setup(w, BLOB)
    registry.add_blob(BLOB)
    registry.fault('GET', '/blobs/', cut(1_000_000))
    registry.fault('GET', '/blobs/', answer(200, body=BLOB))
    pull(client, w, digest, BLOB)


def test_a_registry_that_sends_another_range(w):
    registry, client, digest = setup(w, BLOB)
    registry.add_blob(BLOB)
    registry.fault('GET', '/blobs/', cut(1_000_000))
    registry.fault('GET', '/blobs/', answer(206, {'Content-Range': f'bytes 5-{len(BLOB) - 1}/{len(BLOB)}'}, BLOB[5:]))
    pull(client, w, digest, BLOB, fails='REGISTRY', says=['another range', '1000000'])


def test_a_download_that_never_gets_on(w):
    registry, client, digest = setup(w, BLOB)
    registry.add_blob(BLOB)
    registry.fault('GET', '/blobs/', cut(10), times=99)
    pull(client, w, digest, BLOB, fails='NETWORK', says='before the whole answer')
    equal(registry.count('GET', '/blobs/'), 6, 'requests')


def test_a_bad_line_is_used_while_it_brings_something(w):
    registry, client, digest = setup(w, BLOB)
    registry.add_blob(BLOB)
    registry.fault('GET', '/blobs/', cut(400_000), times=99)
    pull(client, w, digest, BLOB)
    equal(registry.count('GET', '/blobs/'), 11, 'requests')


def test_a_download_that_stalls(w):
    registry, _, digest = setup(w)
    registry.add_blob(SMALL)
    registry.fault('GET', '/blobs/', stall(30))
    client = Client(w, registry.url, idle=1000)
    began = time.monotonic()
    pull(client, w, digest, SMALL)
    check(time.monotonic() - began < 10, 'the stall was waited for')
    registry.fault('GET', '/blobs/', stall(5), times=99)
    pull(client, w, digest, b'other', fails='TIMEOUT', says='nothing was sent or received for 1 s')


def test_corrupted_content(w):
    registry, client, digest = setup(w)
    wrong = SMALL[:-1] + b'X'
    registry.fault('GET', '/blobs/', answer(200, body=wrong))
    done = pull(client, w, digest, SMALL, fails='DIGEST', says=[digest_of(wrong), digest])
    equal(done.where, f'{registry.host}/org/app', 'where')


def test_content_that_is_longer_than_promised(w):
    registry, client, digest = setup(w)
    registry.fault('GET', '/blobs/', answer(200, body=SMALL + b'more'))
    pull(client, w, digest, SMALL, fails='DIGEST', says=['16 bytes', 'promises 12'])
    chunked = b'%x\r\n' % 16 + SMALL + b'more\r\n0\r\n\r\n'
    registry.fault('GET', '/blobs/', altered_body(chunked))
    pull(client, w, digest, SMALL, fails='DIGEST', says='more than the 12 bytes')


def altered_body(chunked):
    """An answer without a length."""
    def act(handler):
        handler.send_response(200)
        handler.send_header('Transfer-Encoding', 'chunked')
        handler.end_headers()
        handler.wfile.write(chunked)
    return act


def test_content_that_is_shorter_than_promised(w):
    registry, client, digest = setup(w)
    chunked = b'%x\r\n' % len(SMALL[:4]) + SMALL[:4] + b'\r\n0\r\n\r\n'
    registry.fault('GET', '/blobs/', altered_body(chunked))
    pull(client, w, digest, SMALL, fails='DIGEST', says=['sent 4 bytes', 'promises 12'])


def test_a_length_that_lies(w):
    registry, client, digest = setup(w)
    registry.add_blob(SMALL)
    registry.fault('GET', '/blobs/', altered(Content_Length='9999'))
    pull(client, w, digest, SMALL, fails='DIGEST', says=['9999 bytes', 'promises 12'])


# ---- redirects and other hosts

def test_a_redirect_to_a_storage_gets_no_credentials(w):
    registry, client, digest = setup(w, BLOB)
    storage = w.stack.enter_context(FaultRegistry())
    bearer(registry)
    to = {'Location': f'{storage.url}/v2/org/app/blobs/{digest}?signature=x'}
    registry.fault('GET', '/blobs/', answer(307, to), skip=0, times=2)
    storage.add_blob(BLOB)
    storage.fault('GET', '/blobs/', cut(1000))
    pull(client, w, digest, BLOB)
    equal([entry['headers'].get('Authorization') for entry in storage.log], [None, None], 'credentials at the storage')
    equal(storage.log[1]['headers'].get('Range'), 'bytes=1000-', 'range at the storage')
    check(all(entry['headers'].get('Authorization') == 'Bearer good' for entry in registry.seen('GET', '/blobs/')), 'no credentials at home')


def test_redirects_that_never_end(w):
    registry, client, digest = setup(w)
    registry.fault('GET', '/blobs/', answer(302, {'Location': f'/v2/org/app/blobs/{digest}'}), times=99)
    pull(client, w, digest, SMALL, fails='NETWORK', says='more than 5 redirects')


def test_a_redirect_without_a_target(w):
    for headers in ({}, {'Location': ''}, {'Location': 'ftp://x/y'}, {'Location': 'http://u:p@127.0.0.1/'}, {'Location': 'x' * 20000}):
        registry, client, digest = setup(w)
        registry.fault('GET', '/blobs/', answer(302, headers), times=99)
        pull(client, w, digest, SMALL, fails='NETWORK')


def test_a_redirect_from_tls_to_plain_is_refused(w):
    ca, crt, key = servers.certificate(w.path)
    registry, _, digest = setup(w, certificate=(crt, key))
    storage = w.stack.enter_context(FaultRegistry())
    registry.fault('GET', '/blobs/', answer(307, {'Location': f'{storage.url}/x'}), times=99)
    pull(Client(w, registry.url, ca=ca), w, digest, SMALL, fails='NETWORK', says='from https to plain http')
    equal(storage.log, [], 'requests to the storage')


def test_an_upload_elsewhere_gets_no_credentials(w):
    registry, client, digest = setup(w)
    other = w.stack.enter_context(FaultRegistry())
    bearer(registry)
    other.uploads['u'] = bytearray()
    registry.fault('POST', '/uploads/', answer(202, {'Location': f'{other.url}/v2/org/app/blobs/uploads/u?at=0'}), skip=0)
    push(client, digest, SMALL)
    equal([(entry['method'], entry['headers'].get('Authorization')) for entry in other.log], [('PUT', None)], 'requests elsewhere')
    equal(other.blobs, {digest: SMALL}, 'content')


def test_an_upload_over_plain_http_is_refused(w):
    ca, crt, key = servers.certificate(w.path)
    registry, _, digest = setup(w, certificate=(crt, key))
    registry.fault('POST', '/uploads/', answer(202, {'Location': 'http://localhost:9/v2/org/app/blobs/uploads/u'}), times=9)
    push(Client(w, registry.url, ca=ca), digest, SMALL, fails='REGISTRY', says='over plain http')


def test_a_registry_that_forgot_scheme_or_port(w):
    ca, crt, key = servers.certificate(w.path)
    for base in ('http://127.0.0.1:80', 'https://127.0.0.1', 'http://127.0.0.1'):
        registry, _, digest = setup(w, certificate=(crt, key))
        registry.uploads['u'] = bytearray()
        registry.fault('POST', '/uploads/', answer(202, {'Location': f'{base}/v2/org/app/blobs/uploads/u?at=0'}))
        push(Client(w, registry.url, ca=ca), digest, SMALL)
        equal(registry.blobs, {digest: SMALL}, f'content with {base}')


def test_an_upload_without_a_place(w):
    for headers in ({}, {'Location': 'ftp://x/'}, {'Location': 'http://u:secret@h/'}):
        registry, client, digest = setup(w)
        registry.fault('POST', '/uploads/', answer(202, headers), times=9)
        push(client, digest, SMALL, fails='NETWORK' if headers else 'REGISTRY', silent='secret')


# ---- uploads

def test_an_upload_is_one_put(w):
    registry, client, digest = setup(w, BLOB)
    push(client, digest, BLOB)
    equal([entry['method'] for entry in registry.log], ['GET', 'POST', 'PUT'], 'requests')
    headers = registry.log[2]['headers']
    equal(headers.get('Content-Length'), str(len(BLOB)), 'length')
    equal(headers.get('Content-Type'), 'application/octet-stream', 'type')
    check('Expect' not in headers and 'Transfer-Encoding' not in headers, f'headers: {headers}')
    equal(len({entry['connection'] for entry in registry.log}), 1, 'connections')


def test_an_upload_that_is_reset_begins_anew(w):
    for after in (0, 100_000, None):
        registry, client, digest = setup(w, BLOB)
        registry.fault('PUT', '/uploads/', reset(after))
        push(client, digest, BLOB)
        equal(registry.blobs, {digest: BLOB}, 'content')
        equal(registry.uploads, {}, f'uploads left behind after {after}')


def test_an_upload_over_tls_that_is_reset(w):
    ca, crt, key = servers.certificate(w.path)
    registry, _, digest = setup(w, BLOB, certificate=(crt, key))
    registry.fault('PUT', '/uploads/', reset(100_000))
    push(Client(w, registry.url, ca=ca), digest, BLOB)
    equal(registry.blobs, {digest: BLOB}, 'content')


def test_an_answer_that_is_lost_costs_no_second_upload(w):
    registry, client, digest = setup(w, BLOB)

    def store_and_hang_up(handler):
        handler.read_body()
        registry.add_blob(BLOB)
        reset(0)(handler)
    registry.fault('PUT', '/uploads/', store_and_hang_up)
    push(client, digest, BLOB)
    equal(registry.count('PUT', '/uploads/'), 1, 'uploads')


def test_an_upload_that_fails_for_good_is_ended(w):
    for act, code in ((answer(403), 'AUTH'), (answer(500), 'REGISTRY'), (reset(5), 'NETWORK'), (answer(400), 'REGISTRY')):
        registry, client, digest = setup(w)
        registry.fault('PUT', '/uploads/', act, times=99)
        push(client, digest, SMALL, fails=code)
        equal(registry.uploads, {}, 'uploads left behind')


def test_a_session_whose_place_is_old_is_ended_by_its_new_one(w):
    registry, client, digest = setup(w)

    def take_and_fail(handler):
        name = handler.path.split('/')[-1].split('?')[0]
        registry.uploads[name] += handler.read_body()
        handler.reply(400)
    registry.fault('PUT', '/uploads/', take_and_fail)
    push(client, digest, SMALL, fails='REGISTRY')
    equal([entry['method'] for entry in registry.log], ['GET', 'POST', 'PUT', 'DELETE', 'GET', 'DELETE'], 'requests')
    equal(registry.uploads, {}, 'uploads left behind')


def test_a_session_that_the_registry_lost(w):
    registry, client, digest = setup(w)
    registry.fault('PUT', '/uploads/', answer(404, body=b'{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}'), times=2)
    push(client, digest, SMALL)
    registry.blobs.clear()
    registry.fault('PUT', '/uploads/', answer(404, body=b'{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}'), times=99)
    push(client, digest, SMALL, fails='NOTFOUND', says='BLOB_UPLOAD_UNKNOWN')


def test_an_upload_that_stalls(w):
    registry, _, digest = setup(w, BLOB)
    registry.fault('PUT', '/uploads/', stall(30, after=1000))
    began = time.monotonic()
    push(Client(w, registry.url, idle=1000), digest, BLOB)
    check(time.monotonic() - began < 15, 'the stall was waited for')


def test_chunks_where_a_whole_blob_is_too_large(w):
    data = BLOB + BLOB[:1000]
    registry, client, digest = setup(w, data)
    registry.fault('PUT', '/uploads/', early(413))
    push(client, digest, data)
    equal(registry.blobs, {digest: data}, 'content')
    equal([entry['headers']['Content-Range'] for entry in registry.seen('PATCH')],
          [f'0-{len(BLOB) - 1}', f'{len(BLOB)}-{len(data) - 1}'], 'chunks')
    equal(registry.uploads, {}, 'uploads left behind')


def test_smaller_chunks(w):
    registry, client, digest = setup(w, BLOB)
    registry.fault('PUT', '/uploads/', early(413))
    push(client, digest, BLOB)
    equal({entry['headers']['Content-Length'] for entry in registry.seen('PATCH')}, {str(512 << 10)}, 'sizes of chunks')


def test_a_limit_below_every_chunk(w):
    registry, client, digest = setup(w, BLOB)
    registry.fault('PUT', '/uploads/', early(413), times=99)
    registry.fault('PATCH', '/uploads/', early(413), times=99)
    push(client, digest, BLOB, fails='REGISTRY', says=['413', 'client_max_body_size'])
    equal(registry.uploads, {}, 'uploads left behind')


def test_the_least_chunk_of_a_registry(w):
    registry, client, digest = setup(w, BLOB)
    registry.fault('PUT', '/uploads/', early(413))
    registry.fault('POST', '/uploads/', altered(OCI_Chunk_Min_Length=str(1 << 20)), times=9)
    push(client, digest, BLOB)
    equal({entry['headers']['Content-Length'] for entry in registry.seen('PATCH')}, {str(1 << 20)}, 'sizes of chunks')


def test_a_blob_stored_under_another_digest(w):
    registry, client, digest = setup(w)
    registry.fault('PUT', '/uploads/', altered(Docker_Content_Digest=digest_of(b'x')))
    push(client, digest, SMALL, fails='DIGEST', says=['stored the blob', digest_of(b'x')])


def test_mounts_that_are_refused_are_no_error(w):
    for status in (202, 400, 404, 405):
        registry, client, digest = setup(w)
        if status != 202:
            registry.fault('POST', 'mount=', answer(status))
        client('mount', 'org/app', 'org/base', digest, says='mounted 0')
        equal(registry.uploads, {}, 'uploads left behind')


def test_a_blob_in_a_storage_is_there(w):
    registry, client, digest = setup(w)
    registry.fault('HEAD', '/blobs/', answer(307, {'Location': 'http://storage.invalid/x'}))
    client('has-blob', 'org/app', digest, says='found 1')
    registry.fault('HEAD', '/blobs/', answer(403))
    client('has-blob', 'org/app', digest, fails='AUTH')


# ---- manifests

def test_a_digest_header_that_lies(w):
    registry, client, _ = setup(w)
    registry.add_manifest('org/app', '1', IMAGE)
    registry.fault('GET', '/manifests/', altered(Docker_Content_Digest=digest_of(b'x')))
    client('get-manifest', 'org/app', '1', 'out', fails='DIGEST', says=digest_of(b'x'))
    w.write('manifest', IMAGE)
    registry.fault('PUT', '/manifests/', altered(Docker_Content_Digest=digest_of(b'x')))
    client('put-manifest', 'org/app', '2', MANIFEST, 'manifest', fails='DIGEST', says='with another digest')


def test_a_manifest_that_is_another(w):
    registry, client, _ = setup(w)
    digest = registry.add_manifest('org/app', '1', IMAGE)
    registry.fault('GET', '/manifests/', altered(body=json.dumps({**IMAGE, 'layers': [], 'x': 1}).encode(), Docker_Content_Digest=None,
                                                 Content_Length=str(len(json.dumps({**IMAGE, 'x': 1})))))
    client('get-manifest', 'org/app', digest, 'out', fails='DIGEST', says=digest)
    check(not (w.path / 'out').exists(), 'a refused manifest became a file')


def test_manifests_that_are_none(w):
    cases = [(b'<html>', 'application/json', 'FORMAT', None), (b'', MANIFEST, 'FORMAT', None),
             (json.dumps({**IMAGE, 'mediaType': None}).encode(), 'application/x', 'FORMAT', 'application/x'),
             (json.dumps(IMAGE).encode(), 'application/vnd.oci.image.index.v1+json', 'FORMAT', 'calls itself'),
             (b'{"schemaVersion": 1}', 'application/vnd.docker.distribution.manifest.v1+prettyjws', 'FORMAT', 'schema 1'),
             (b' ' * (5 << 20), MANIFEST, 'LIMIT', '4194304')]
    for body, kind, code, says in cases:
        registry, client, _ = setup(w)
        registry.add_manifest('org/app', '1', body, kind)
        client('get-manifest', 'org/app', '1', 'out', fails=code, says=says or ())


def test_a_type_with_parameters(w):
    registry, client, _ = setup(w)
    digest = registry.add_manifest('org/app', '1', IMAGE, f'{MANIFEST}; charset=utf-8')
    done = client('get-manifest', 'org/app', '1', 'out')
    equal(done.facts['type'] + done.facts['digest'], [MANIFEST, digest], 'type and digest')
    accepted = registry.seen('GET', '/manifests/')[0]['headers']['Accept']
    check(all(kind in accepted for kind in servers.MANIFESTS), f'Accept: {accepted}')


def test_registries_that_know_no_head(w):
    for status in (404, 405):
        registry, client, _ = setup(w)
        digest = registry.add_manifest('org/app', '1', IMAGE)
        registry.fault('HEAD', '/manifests/', answer(status), times=99)
        equal(client('head', 'org/app', '1').facts, {'found': ['1'], 'digest': [digest]}, 'by GET')
        equal(client('head', 'org/app', '2').facts, {'found': ['0']}, 'an absent tag')
    registry.faults.clear()
    registry.fault('HEAD', '/manifests/', altered(Docker_Content_Digest=None), times=99)
    equal(client('head', 'org/app', '1').facts['digest'], [digest], 'without the header')


def test_a_registry_that_takes_all_and_keeps_nothing(w):
    registry, client, _ = setup(w)
    w.write('manifest', IMAGE)
    registry.fault('PUT', '/manifests/', answer(201))
    client('put-manifest', 'org/app', '1', MANIFEST, 'manifest', fails='REGISTRY', says='does not have it')


def test_a_registry_that_indexes_referrers(w):
    subject = {'mediaType': MANIFEST, 'digest': digest_of(b's'), 'size': 1}
    w.write('manifest', {**IMAGE, 'subject': subject})
    registry, client, _ = setup(w)
    registry.fault('PUT', '/manifests/', altered(OCI_Subject=subject['digest']))
    client('put-manifest', 'org/app', '1', MANIFEST, 'manifest')
    equal(registry.count('PUT'), 1, 'manifests sent')
    registry, client, _ = setup(w)
    index = {'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.index.v1+json', 'manifests': []}
    registry.fault('GET', '/referrers/', answer(200, {'Content-Type': index['mediaType']}, json.dumps(index).encode()))
    client('put-manifest', 'org/app', '1', MANIFEST, 'manifest')
    equal(registry.count('PUT'), 1, 'manifests sent')


def test_lists_in_pages(w):
    registry, client, _ = setup(w)
    registry.fault('GET', '/tags/list?n=1000', answer(200, {'Link': '</v2/org/app/tags/list?n=2&last=b>; rel="next"'}, b'{"tags":["b","a"]}'))
    registry.fault('GET', 'last=b', answer(200, {}, b'{"tags":["c","a",null,"sha256:x"]}'))
    equal(client('tags', 'org/app').facts['tag'], ['a', 'b', 'c'], 'tags')
    registry.fault('GET', '/tags/list', answer(200, {'Link': '<http://other.invalid/>; rel="next"'}, b'{"tags":["a"]}'))
    equal(client('tags', 'org/app').facts['tag'], ['a'], 'a page elsewhere')
    registry.fault('GET', '/tags/list', answer(200, {}, b'["a"]'))
    equal(client('tags', 'org/app').facts, {}, 'a list that is none')
    registry.fault('GET', '/tags/list', answer(200, {}, b'nonsense'))
    client('tags', 'org/app', fails='REGISTRY', says='not JSON')


# ---- headers and bodies without end

def test_endless_headers_and_bodies(w):
    registry, client, digest = setup(w)
    registry.fault('GET', '/blobs/', answer(200, {f'X-{i}': 'x' * 1000 for i in range(90)}, SMALL))
    pull(client, w, digest, SMALL, fails='LIMIT', says='65536 bytes of headers')
    registry.fault('GET', '/blobs/', answer(404, {}, b'x' * (3 << 20)))
    pull(client, w, digest, SMALL, fails='NOTFOUND', says='404')
    registry.fault('GET', '/tags/', answer(200, {}, b'x' * (17 << 20)))
    client('tags', 'org/app', fails='LIMIT', says='16777216')


def test_what_is_no_http(w):
    def act(handler):
        handler.wfile.write(b'SSH-2.0-OpenSSH_9.2\r\n')
        handler.close_connection = True
    registry, client, digest = setup(w)
    registry.fault('GET', '/blobs/', act, times=9)
    pull(client, w, digest, SMALL, fails='NETWORK', says='not HTTP')


# ---- tokens

def test_a_token_that_ends_during_the_run(w):
    registry, client, digest = setup(w)
    bearer(registry)
    registry.token_answers = [{'token': 'good', 'expires_in': 1}, {'access_token': 'fresh'}]

    def end_of_token(handler):
        registry.tokens = {'fresh'}
        handler.serve()
    registry.fault('PUT', '/uploads/', end_of_token)
    push(client, digest, SMALL)
    equal(registry.count('GET', '/token'), 2, 'tokens')
    equal(registry.blobs, {digest: SMALL}, 'content')


def test_a_token_that_ends_during_a_download(w):
    registry, client, digest = setup(w, BLOB)
    bearer(registry)
    registry.add_blob(BLOB)
    registry.token_answers = [{'token': 'good'}, {'token': 'fresh'}]

    def cut_and_end(handler):
        cut(1_000_000)(handler)
        registry.tokens = {'fresh'}
    registry.fault('GET', '/blobs/', cut_and_end)
    pull(client, w, digest, BLOB)
    equal(registry.seen('GET', '/blobs/')[-1]['headers'].get('Range'), 'bytes=1000000-', 'range')


def test_a_registry_that_asks_for_more_scope(w):
    registry, client, digest = setup(w)
    bearer(registry)
    registry.add_blob(SMALL)
    more = f'Bearer realm="{registry.url}/token",service="s",scope="repository:base:pull",error="insufficient_scope"'
    registry.fault('GET', '/blobs/', answer(401, {'WWW-Authenticate': more}))
    pull(client, w, digest, SMALL)
    asked = [entry['path'].count('scope=') for entry in registry.seen('GET', '/token')]
    equal(asked, [1, 2], 'scopes asked for')
    check('scope=repository%3Aorg%2Fapp%3Apull&scope=repository%3Abase%3Apull' in registry.seen('GET', '/token')[1]['path'],
          'the wanted scope is not first')


def test_a_registry_that_is_never_content(w):
    registry, client, digest = setup(w)
    bearer(registry)
    registry.token_answers = [{'token': f'bad{i}'} for i in range(9)]
    pull(client, w, digest, SMALL, fails='AUTH', says='401')
    check(registry.count('GET', '/token') <= 3, f'{registry.count("GET", "/token")} tokens were asked for')


def test_several_challenges(w):
    registry, client, digest = setup(w)
    registry.add_blob(SMALL)
    registry.tokens = {'good'}
    several = ['Negotiate', f'Basic realm="a, \\"b\\"", Bearer service=s , realm="{registry.url}/token?kept=1"']
    registry.fault('GET', '/v2/', answer(401, {'WWW-Authenticate': several}))
    pull(client, w, digest, SMALL)
    check('/token?kept=1&service=s&scope=' in registry.seen('GET', '/token')[0]['path'], 'the query of the realm')


def test_a_401_without_a_challenge(w):
    registry, client, digest = setup(w)
    registry.fault('GET', '', answer(401), times=99)
    pull(client, w, digest, SMALL, fails='AUTH', says=['401', 'no credentials were found'])


def test_realms_that_are_not_safe(w):
    ca, crt, key = servers.certificate(w.path)
    for realm, says in (('http://127.0.0.1:9/token', 'over plain http'), ('http://u:secret@127.0.0.1/', 'user name'),
                        ('ftp://127.0.0.1/', 'not a URL')):
        registry, _, digest = setup(w, certificate=(crt, key))
        registry.fault('GET', '', answer(401, {'WWW-Authenticate': f'Bearer realm="{realm}",service="s"'}), times=99)
        pull(Client(w, registry.url, ca=ca), w, digest, SMALL, fails='AUTH', says=says, silent='secret')


def test_a_relative_realm(w):
    registry, client, digest = setup(w)
    bearer(registry)
    registry.add_blob(SMALL)
    registry.fault('GET', '/v2/', answer(401, {'WWW-Authenticate': 'Bearer realm="/token"'}))
    pull(client, w, digest, SMALL)


def test_token_servers_that_fail(w):
    cases = [((503, {}, b''), 'REGISTRY', '503'), ((200, {}, b'nonsense'), 'AUTH', 'no usable'), ((200, {}, b'{}'), 'AUTH', 'no usable'),
             ((200, {}, json.dumps({'token': 'a b'}).encode()), 'AUTH', 'no usable'), ((403, {}, b'go away'), 'AUTH', 'go away'),
             ((200, {}, b' ' * (2 << 20)), 'LIMIT', '1048576'), ((302, {'Location': '/elsewhere'}, b''), 'REGISTRY', '302')]
    for given, code, says in cases:
        registry, client, digest = setup(w)
        bearer(registry)
        registry.token_answers = [given] * 9
        pull(client, w, digest, SMALL, fails=code, says=says)


harness.main()
