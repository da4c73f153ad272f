"""A registry that fails on purpose: what no real one can be asked for.

It keeps blobs, manifests and uploads in memory and answers as a good registry does, except where a fault is set:

    registry.fault('GET', '/blobs/', answer(503), times=2)

A fault is taken by the first requests that match (method, a part of the path with its query); after `times` of them it is gone. Every
request is kept in `log`, so that a test can say what must never have been sent where.
"""
import hashlib
import http.server
import json
import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse

import servers

MANIFEST = 'application/vnd.oci.image.manifest.v1+json'


def digest_of(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


# ---- faults: functions of the handler

def answer(status, headers=None, body=b''):
    """A whole answer of the test's making, after the request's body was read. A header may be given several times, as a list."""
    def act(handler):
        handler.read_body()
        handler.reply(status, headers or {}, body)
    return act


def reset(after=None):
    """The connection is reset, after so many bytes of the request's body (None: all of it)."""
    def act(handler):
        if after is None:
            handler.read_body()
        else:
            handler.rfile.read(after)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        handler.close_connection = True
        handler.connection.close()
    return act


def stall(seconds, after=None):
    """Nothing is sent for so long; with `after`, once so many bytes of the request's body were taken."""
    def act(handler):
        handler.rfile.read(after) if after is not None else handler.read_body()
        handler.outer.woken.wait(seconds)
        handler.close_connection = True
    return act


def cut(at):
    """The right answer, with the right length, of which only so many bytes are sent."""
    def act(handler):
        handler.cut_at = at
        handler.serve()
        handler.close_connection = True
    return act


def altered(**changes):
    """The right answer with other headers (None: without) or another body. Underscores of names stand for dashes."""
    def act(handler):
        handler.changes = {key.replace('_', '-'): value for key, value in changes.items()}
        handler.serve()
        handler.changes = {}
    return act


def early(status, body=b''):
    """An answer before the request's body was read, and the connection is closed, as proxies do."""
    def act(handler):
        handler.reply(status, {'Connection': 'close'}, body)
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_WR)
        time.sleep(0.2)
    return act


class FaultRegistry(servers.InThread):
    """certificate (crt, key): serves TLS. token: every request under /v2/ needs `Bearer <one of tokens>`."""

    def __init__(self, certificate=None):
        self.blobs, self.manifests, self.uploads, self.log, self.faults, self.tokens = {}, {}, {}, [], [], None
        self.token_answers = []
        self.lock, self.woken = threading.Lock(), threading.Event()
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # clients that hang up are part of the tests
        self.server.outer = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.host = f'127.0.0.1:{self.server.server_address[1]}'
        self.url = ('https://' if certificate else 'http://') + self.host

    def __exit__(self, *_):
        self.woken.set()
        super().__exit__()

    def fault(self, method, part, act, times=1, skip=0):
        self.faults.append({'method': method, 'part': part, 'act': act, 'times': times, 'skip': skip})

    def fault_for(self, method, path):
        with self.lock:
            for fault in self.faults:
                if fault['method'] == method and fault['part'] in path:
                    if fault['skip']:
                        fault['skip'] -= 1
                        continue
                    fault['times'] -= 1
                    if fault['times'] == 0:
                        self.faults.remove(fault)
                    return fault['act']
        return None

    def add_blob(self, data):
        digest = digest_of(data)
        self.blobs[digest] = data
        return digest

    def add_manifest(self, repository, tag, value, kind=MANIFEST):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        for reference in (tag, digest_of(data)):
            self.manifests[repository, reference] = (kind, data)
        return digest_of(data)

    def count(self, method, part=''):
        return len(self.seen(method, part))

    def seen(self, method, part=''):
        return [entry for entry in self.log if entry['method'] == method and part in entry['path']]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    cut_at = None
    changes = {}

    def log_message(self, *_):
        pass

    @property
    def outer(self):
        return self.server.outer

    def read_body(self):
        return self.rfile.read(int(self.headers.get('Content-Length') or 0))

    def reply(self, status, headers=None, body=b''):
        headers = {'Content-Length': str(len(body)), **(headers or {})}
        body = self.changes.get('body', body)
        for name, value in self.changes.items():
            if name == 'status':
                status = value
            elif name != 'body':
                headers = {key: kept for key, kept in headers.items() if key.lower() != name.lower()}
                if value is not None:
                    headers[name] = value
        self.send_response(status)
        for name, value in headers.items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name, one)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body if self.cut_at is None else body[:self.cut_at])
        self.wfile.flush()

    def refuse(self, status, code, message=''):
        self.reply(status, {'Content-Type': 'application/json'},
                   json.dumps({'errors': [{'code': code, 'message': message or code.lower()}]}).encode())

    def do(self):
        self.outer.log.append({'method': self.command, 'path': self.path, 'headers': dict(self.headers),
                               'connection': self.client_address})
        act = self.outer.fault_for(self.command, self.path)
        try:
            act(self) if act else self.serve()
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError, ValueError, OSError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        if url.path == '/token':
            return self.serve_token()
        if self.outer.tokens is not None and self.headers.get('Authorization', '')[7:] not in self.outer.tokens:
            self.read_body()
            return self.reply(401, {'WWW-Authenticate': f'Bearer realm="{self.outer.url}/token",service="s"'})
        if url.path == '/v2/':
            return self.reply(200, {}, b'{}')
        match = re.fullmatch(r'/v2/(.+)/(manifests|blobs|blobs/uploads|referrers|tags)/([^/]*)', url.path)
        if not match:
            return self.refuse(404, 'NAME_UNKNOWN')
        repository, kind, name = match.groups()
        return getattr(self, 'serve_' + kind.replace('/', '_'))(repository, name, query)

    def serve_token(self):
        self.read_body()
        given = self.outer.token_answers.pop(0) if self.outer.token_answers else {'token': 'good'}
        if isinstance(given, tuple):
            return self.reply(*given)
        return self.reply(200, {'Content-Type': 'application/json'}, json.dumps(given).encode())

    def serve_manifests(self, repository, reference, _query):
        if self.command == 'PUT':
            data = self.read_body()
            for key in (reference, digest_of(data)):
                self.outer.manifests[repository, key] = (self.headers['Content-Type'], data)
            return self.reply(201, {'Docker-Content-Digest': digest_of(data)})
        kind, data = self.outer.manifests.get((repository, reference), (None, None))
        if data is None:
            return self.refuse(404, 'MANIFEST_UNKNOWN')
        return self.reply(200, {'Content-Type': kind, 'Docker-Content-Digest': digest_of(data)}, data)

    def serve_blobs(self, _repository, digest, _query):
        data = self.outer.blobs.get(digest)
        if data is None:
            return self.refuse(404, 'BLOB_UNKNOWN')
        wanted = re.fullmatch(r'bytes=(\d+)-', self.headers.get('Range', ''))
        if wanted:
            start = int(wanted[1])
            return self.reply(206, {'Content-Range': f'bytes {start}-{len(data) - 1}/{len(data)}'}, data[start:])
        return self.reply(200, {}, data)

    def serve_blobs_uploads(self, repository, name, query):
        if self.command == 'POST':
            self.read_body()
            name = f'u{len(self.outer.uploads) + 1}'
            self.outer.uploads[name] = bytearray()
            return self.reply(202, {'Location': f'/v2/{repository}/blobs/uploads/{name}?at=0'})
        if name not in self.outer.uploads:
            self.read_body()
            return self.refuse(404, 'BLOB_UPLOAD_UNKNOWN')
        upload = self.outer.uploads[name]
        if self.command in ('DELETE', 'GET'):
            if query['at'] != [str(len(upload))] and self.command == 'DELETE':
                return self.refuse(404, 'BLOB_UPLOAD_INVALID')
            if self.command == 'DELETE':
                del self.outer.uploads[name]
            return self.reply(204, {'Location': f'/v2/{repository}/blobs/uploads/{name}?at={len(upload)}'})
        upload += self.read_body()
        if self.command == 'PATCH':
            return self.reply(202, {'Location': f'/v2/{repository}/blobs/uploads/{name}?at={len(upload)}'})
        data = bytes(upload)
        if query['digest'] != [digest_of(data)]:
            return self.refuse(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
        del self.outer.uploads[name]
        self.outer.blobs[digest_of(data)] = data
        return self.reply(201, {'Docker-Content-Digest': digest_of(data)})

    def serve_referrers(self, _repository, _digest, _query):
        return self.refuse(404, 'NOT_FOUND')

    def serve_tags(self, repository, _name, _query):
        tags = [reference for name, reference in self.outer.manifests if name == repository and ':' not in reference]
        return self.reply(200, {}, json.dumps({'name': repository, 'tags': tags}).encode())
