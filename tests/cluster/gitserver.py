#!/usr/bin/env python3
"""Bare git repositories over smart HTTP on loopback, clone and push, by git's own http-backend.

usage: gitserver.py FOLDER PORT [USER:PASSWORD]
"""
import base64
import http.server
import os
import subprocess
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def body(self):
        if self.headers.get('Transfer-Encoding', '').lower() != 'chunked':
            return self.rfile.read(int(self.headers.get('Content-Length') or 0))
        data = b''
        while True:
            size = int(self.rfile.readline().split(b';')[0], 16)
            data += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return data

    def serve(self):
        data = self.body() if self.command == 'POST' else b''
        wanted = self.server.credentials
        if wanted and self.headers.get('Authorization') != 'Basic ' + base64.b64encode(wanted.encode()).decode():
            self.answer(401, [('WWW-Authenticate', 'Basic realm="git"')], b'')
            return
        path, _, query = self.path.partition('?')
        # a REMOTE_USER makes git http-backend accept pushes
        env = dict(os.environ, GIT_PROJECT_ROOT=self.server.root, GIT_HTTP_EXPORT_ALL='1', PATH_INFO=path, QUERY_STRING=query,
                   REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get('Content-Type', ''), CONTENT_LENGTH=str(len(data)),
                   HTTP_CONTENT_ENCODING=self.headers.get('Content-Encoding', ''), GIT_PROTOCOL=self.headers.get('Git-Protocol', ''),
                   REMOTE_USER='git', REMOTE_ADDR='127.0.0.1')
        output = subprocess.run(['git', 'http-backend'], input=data, env=env, stdout=subprocess.PIPE).stdout
        head, _, rest = output.partition(b'\r\n\r\n')
        fields = [tuple(line.split(': ', 1)) for line in head.decode('latin1').split('\r\n') if ': ' in line]
        status = next((int(value.split()[0]) for name, value in fields if name.lower() == 'status'), 200)
        self.answer(status, [f for f in fields if f[0].lower() not in ('status', 'content-length')], rest)

    def answer(self, status, fields, body):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = serve

    def log_message(self, *_):
        pass


def server(root, port=0, credentials=None):
    """A server that listens already; call serve_forever. credentials: "USER:PASSWORD", or None for everybody."""
    made = http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler)
    made.root, made.credentials = os.path.abspath(root), credentials
    return made


if __name__ == '__main__':
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    server(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]).serve_forever()
