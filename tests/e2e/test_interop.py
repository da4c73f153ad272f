"""A bundle in the hands of other programs: skopeo, podman, docker, tar and openssl, none of which knows gapship."""
import hashlib
import http.client
import json
import os
import re
import socket
import subprocess
import time

import harness
import mkimage
from harness import check, equal
from product import Product


def bundle_of_two(w, *words):
    """(product, registry, digest of org/app:1, digest of the index org/both:2)"""
    registry = w.registry()
    app = w.image(registry, 'org/app:1', labels={'name': 'app'}, command=['echo', 'hello'])
    for arch in ('amd64', 'arm64'):
        mkimage.make(w.layout, arch, arch=arch)
    both = mkimage.make_index(w.layout, 'both', ['amd64', 'arm64'])
    registry.push(w.layout, 'both', 'org/both:2')
    images = [f'{registry.host}/org/app:1', f'{registry.host}/org/both:2']
    product = Product(w, images, images, files=[{'name': 'guide', 'from': 'guide.md'}])
    product.write('guide.md', 'how to\n')
    product('build', *(words or ['--unsigned']))
    return product, registry, app, both


def config_of(product, manifest):
    return json.loads(product.blobs()[manifest])['config']['digest']


def skopeo(*words):
    harness.need('skopeo')
    return harness.run(['skopeo', '--insecure-policy', *words]).expect()


# ---- skopeo

def test_skopeo_inspects_it(w):
    product, _, app, both = bundle_of_two(w)
    seen = json.loads(skopeo('inspect', f'oci-archive:{product.bundle}:org/app:1').out)
    equal((seen['Digest'], seen['Labels']['name']), (app, 'app'), 'inspect')
    raw = skopeo('inspect', '--raw', f'oci-archive:{product.bundle}:org/both:2').out
    equal('sha256:' + hashlib.sha256(raw.encode()).hexdigest(), both, 'digest of the raw index')


def test_skopeo_copies_out_of_it(w):
    product, _, app, both = bundle_of_two(w)
    target = w.registry()
    for name, digest in (('org/app:1', app), ('org/both:2', both)):
        skopeo('copy', '--quiet', '--all', '--dest-tls-verify=false', f'oci-archive:{product.bundle}:{name}', f'docker://{target.host}/x/{name}')
        equal(target.digest(f'x/{name}'), digest, f'digest of {name}')


def test_skopeo_reads_it_as_an_archive_of_docker(w):
    product, _, app, _ = bundle_of_two(w)
    seen = json.loads(skopeo('inspect', '--config', f'docker-archive:{product.bundle}:org/app:1').out)
    equal(seen['config']['Cmd'], ['echo', 'hello'], 'command')


def test_what_was_left_out_is_not_missed(w):
    registry = w.registry()
    for arch in ('amd64', 'arm64'):
        mkimage.make(w.layout, arch, arch=arch)
    mkimage.make_index(w.layout, 'both', ['amd64', 'arm64'])
    registry.push(w.layout, 'both', 'org/both:1')
    image = f'{registry.host}/org/both:1'
    product = Product(w, [{'from': image, 'platforms': ['linux/arm64']}], [image])
    product.build()
    arm64 = json.loads(skopeo('--override-arch', 'arm64', 'inspect', f'oci-archive:{product.bundle}:org/both:1').out)
    equal(arm64['Architecture'], 'arm64', 'architecture')


def test_the_extracted_layout_is_a_layout(w):
    product, _, app, both = bundle_of_two(w)
    product('extract', product.bundle, '-o', w.path / 'layout', says='no signature was checked')
    for name, digest in (('org/app:1', app), ('org/both:2', both)):
        raw = skopeo('inspect', '--raw', f'oci:{w.path}/layout:{name}').out
        equal('sha256:' + hashlib.sha256(raw.encode()).hexdigest(), digest, name)


def test_a_bundle_is_a_source_of_images(w):
    product, _, app, both = bundle_of_two(w)
    second = Product(w, [{'from': f'oci-archive:first.gapship:{name}:{tag}', 'as': name} for name, tag in (('org/app', 1), ('org/both', 2))],
                     ['org/app:1', 'org/both:2'], folder='second')
    os.link(product.bundle, second.path / 'first.gapship')
    second.build()
    locked = second.locked()
    equal((locked['org/app']['digest'], locked['org/both']['digest']), (app, both), 'digests')


# ---- podman and docker

def test_podman_loads_it(w):
    product, _, app, _ = bundle_of_two(w)
    w.podman('load', '-q', '-i', product.bundle)
    seen = json.loads(w.podman('image', 'inspect', 'localhost/org/app:1').out)[0]
    equal('sha256:' + seen['Id'], config_of(product, app), 'config')
    w.podman('image', 'inspect', 'localhost/org/both:2')


def test_podman_pulls_from_it(w):
    product, _, app, _ = bundle_of_two(w)
    pulled = w.podman('pull', '-q', f'oci-archive:{product.bundle}:org/app:1').out.strip()
    equal('sha256:' + pulled, config_of(product, app), 'config')


class Docker(http.client.HTTPConnection):
    """Debian's dockerd with its state in a folder, asked as `docker` asks it. It gets no network, so it runs where it may do little."""

    def __init__(self, w):
        super().__init__('docker', timeout=60)
        harness.need('dockerd')
        self.path = f'{w.path}/docker.sock'
        folder = w.path / 'docker'
        with open(w.path / 'dockerd.log', 'w') as log:
            self.process = subprocess.Popen(
                harness.with_a_root(['dockerd', '--bridge=none', '--iptables=false', '--ip6tables=false', '--storage-driver=vfs',
                                     '-H', f'unix://{self.path}', '--data-root', folder / 'data', '--exec-root', folder / 'exec',
                                     '--pidfile', folder / 'pid'], w.path / 'docker-root'),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        w.stack.callback(self.stop)
        until = time.monotonic() + 40
        while True:
            try:
                self.ask('GET', '/_ping')
                return
            except OSError:
                self.close()
                if self.process.poll() is not None or time.monotonic() > until:
                    last = (w.path / 'dockerd.log').read_text().splitlines()[-1:]
                    raise harness.Skip(f'dockerd does not start here: {last}') from None
                time.sleep(0.2)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        self.request(method, path, body, {'Content-Type': 'application/x-tar'} if body else {})
        answer = self.getresponse()
        text = answer.read().decode()
        equal((answer.status, 'errorDetail' in text), (200, False), f'{method} {path}: {text}')
        return text

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def test_docker_loads_it(w):
    product, _, app, _ = bundle_of_two(w)
    docker = Docker(w)
    docker.ask('POST', '/images/load?quiet=1', product.bundle.read_bytes())
    equal(json.loads(docker.ask('GET', '/images/org/app:1/json'))['Id'], config_of(product, app), 'config')
    docker.ask('GET', '/images/org/both:2/json')


# ---- tar and openssl

def test_tar_lists_it(w):
    product, *_ = bundle_of_two(w)
    names = harness.run(['tar', 'tf', product.bundle]).expect().out.splitlines()
    equal(names[:5], ['gapship/envelope', 'gapship/index', 'oci-layout', 'index.json', 'manifest.json'], 'the first members')
    check(all(re.fullmatch('blobs/sha256/[0-9a-f]{64}', name) for name in names[5:]), f'{names[5:]}')
    equal(len(set(names)), len(names), 'names once each')
    listing = harness.run(['tar', 'tvf', product.bundle]).expect().out
    check(all(line.startswith('-rw-r--r-- 0/0') for line in listing.splitlines()), listing)


def test_keys_of_openssl_sign(w):
    made = {
        'p256': ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
        'ed': ['genpkey', '-algorithm', 'ed25519'],
        'rsa': ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'],
    }
    for name, words in made.items():
        private, public = w.path / f'{name}.pem', w.path / f'{name}.pub'
        harness.run(['openssl', *words, '-out', private]).expect()
        private.chmod(0o600)
        harness.run(['openssl', 'pkey', '-in', private, '-pubout', '-out', public]).expect()
        product = Product(w, folder=name)
        product('build', '--key', private)
        product('verify', product.bundle, '--root', public, says='signed by 1 trusted key')


harness.main()
