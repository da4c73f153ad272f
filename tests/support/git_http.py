#!/usr/bin/env python3
"""Serves a directory of bare repositories over git's smart HTTP on 127.0.0.1, through `git http-backend`.

The port goes into PORT_FILE once the server listens. /moved/X is redirected to X on another host name, /forbidden/X answers 403.
"""
import argparse
import base64
import http.server
import os
import ssl
import subprocess

arguments = argparse.ArgumentParser()
arguments.add_argument('root')
arguments.add_argument('port_file')
arguments.add_argument('--login', help='USER:PASSWORD that basic authentication asks for')
arguments.add_argument('--certificate', help='PEM file with certificate and key: serve https')
options = arguments.parse_args()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def body(self):
        if self.headers.get('Transfer-Encoding', '').lower() != 'chunked':
            return self.rfile.read(int(self.headers.get('Content-Length') or 0))
        parts = []
        while True:
            size = int(self.rfile.readline().split(b';')[0], 16)
            parts.append(self.rfile.read(size))
            self.rfile.readline()
            if size == 0:
                return b''.join(parts)

    def answer(self, status, fields, content=b''):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def handle_git(self):
        content = self.body()
        path, _, query = self.path.partition('?')
        if path.startswith('/moved/'):
            where = 'http://localhost:%d/%s' % (self.server.server_port, self.path[len('/moved/'):])
            return self.answer(302, [('Location', where)])
        if path.startswith('/forbidden/'):
            return self.answer(403, [])
        if options.login:
            wanted = 'Basic ' + base64.b64encode(options.login.encode()).decode()
            if self.headers.get('Authorization') != wanted:
                return self.answer(401, [('WWW-Authenticate', 'Basic realm="test"')])
        environment = dict(os.environ, GIT_PROJECT_ROOT=options.root, GIT_HTTP_EXPORT_ALL='1', PATH_INFO=path, QUERY_STRING=query,
                           REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get('Content-Type', ''),
                           CONTENT_LENGTH=str(len(content)), REMOTE_USER='test', REMOTE_ADDR='127.0.0.1',
                           HTTP_CONTENT_ENCODING=self.headers.get('Content-Encoding', ''))
        result = subprocess.run(['git', 'http-backend'], input=content, env=environment, stdout=subprocess.PIPE, check=True).stdout
        head, _, rest = result.partition(b'\r\n\r\n')
        fields = [tuple(line.split(': ', 1)) for line in head.decode('latin1').split('\r\n') if ': ' in line]
        status = next((int(value.split()[0]) for name, value in fields if name.lower() == 'status'), 200)
        self.answer(status, [field for field in fields if field[0].lower() not in ('status', 'content-length')], rest)

    do_GET = do_POST = handle_git

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
if options.certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(options.port_file + '.new', 'w') as file:
    file.write(str(server.server_port))
os.rename(options.port_file + '.new', options.port_file)
server.serve_forever()
