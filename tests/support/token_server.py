"""A token server as registries use them (https://distribution.github.io/distribution/spec/auth/token/): real JWTs, signed by openssl.

Anonymous clients get what `public` allows, known users all they ask for. Every request is kept in `requests`.
"""
import base64
import http.server
import json
import pathlib
import threading
import time
import urllib.parse

import servers


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


class TokenServer(servers.InThread):
    """life: seconds until a token ends, by its own claim; told: what expires_in says. identity: a refresh token that is taken, too.
    get_only: POST is answered by 404, as servers without OAuth 2 do."""

    def __init__(self, folder, *, users=None, public=('pull',), life=300, told=300, identity=None, get_only=False):
        self.folder = pathlib.Path(folder)
        self.users, self.public, self.life, self.told = users or {}, set(public), life, told
        self.identity, self.get_only = identity, get_only
        self.requests = []
        self.key, self.certificate = self.folder / 'token.key', self.folder / 'token.crt'
        servers.say('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', self.key, '-out', self.certificate, '-subj',
                    '/CN=token authority', '-days', '30')
        self.chain = [''.join(self.certificate.read_text().splitlines()[1:-1])]
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), self.handler())
        self.realm = f'http://127.0.0.1:{self.server.server_address[1]}/token'

    def settings(self, service='test registry', issuer='test issuer'):
        """For servers.Registry(token=…)."""
        self.service, self.issuer = service, issuer
        return {'realm': self.realm, 'service': service, 'issuer': issuer, 'certificate': self.certificate}

    def token(self, user, scopes):
        now = int(time.time())
        access = []
        for scope in scopes:
            kind, name, actions = scope.rsplit(':', 1)[0].split(':', 1) + [scope.rsplit(':', 1)[1]]
            granted = [action for action in actions.split(',') if user or action in self.public]
            access.append({'type': kind, 'name': name, 'actions': granted})
        claims = {'iss': self.issuer, 'sub': user or '', 'aud': self.service, 'iat': now, 'nbf': now - 300, 'exp': now + self.life,
                  'jti': str(time.monotonic_ns()), 'access': access}
        head = {'typ': 'JWT', 'alg': 'RS256', 'x5c': self.chain}
        text = '.'.join(encoded(json.dumps(part).encode()) for part in (head, claims))
        file = self.folder / f'claims-{threading.get_ident()}'
        file.write_text(text)
        signature = self.folder / f'signature-{threading.get_ident()}'
        servers.say('openssl', 'dgst', '-sha256', '-sign', self.key, '-out', signature, file)
        return f'{text}.{encoded(signature.read_bytes())}'

    def handler(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def log_message(self, *_):
                pass

            def send(self, status, body):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def grant(self, user, scopes):
                self.send(200, {'token': outer.token(user, scopes), 'expires_in': outer.told})

            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                authorization = self.headers.get('Authorization', '')
                outer.requests.append({'method': 'GET', 'query': query, 'authorization': authorization})
                user = None
                if authorization:
                    user, _, password = base64.b64decode(authorization.split()[1]).decode().partition(':')
                    if outer.users.get(user) != password:
                        return self.send(401, {'details': 'incorrect username or password'})
                return self.grant(user, query.get('scope', []))

            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers['Content-Length'])).decode())
                outer.requests.append({'method': 'POST', 'form': form, 'authorization': self.headers.get('Authorization', '')})
                if outer.get_only:
                    return self.send(404, {})
                if form.get('refresh_token') != [outer.identity] or form.get('grant_type') != ['refresh_token']:
                    return self.send(403, {'error': 'invalid_grant'})
                return self.grant('identity', form.get('scope', [''])[0].split())

        return Handler
