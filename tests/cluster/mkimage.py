#!/usr/bin/env python3
"""Writes one tiny image into an OCI layout folder; the same input gives the same digest, which is printed.

Push it with: skopeo --insecure-policy copy --dest-tls-verify=false oci:LAYOUT:TAG docker://127.0.0.1:PORT/NAME:TAG
"""
import argparse
import gzip
import hashlib
import io
import json
import pathlib
import platform
import shlex
import subprocess
import tarfile

REF_NAME = 'org.opencontainers.image.ref.name'
MACHINE = {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(platform.machine(), platform.machine())


def dump(value):
    return json.dumps(value, sort_keys=True).encode()


def blob(layout, data, media_type):
    """Writes a blob; returns its descriptor."""
    digest = hashlib.sha256(data).hexdigest()
    folder = pathlib.Path(layout, 'blobs', 'sha256')
    folder.mkdir(parents=True, exist_ok=True)
    (folder / digest).write_bytes(data)
    return {'mediaType': media_type, 'digest': 'sha256:' + digest, 'size': len(data)}


def layer(content, busybox):
    """A tar of content (path -> bytes) and, where busybox is a static busybox, of it and its applets."""
    raw, made = io.BytesIO(), set()
    with tarfile.open(fileobj=raw, mode='w') as tar:

        def add(path, data=None, link=None):
            parts = path.strip('/').split('/')
            for folder in ('/'.join(parts[:i]) for i in range(1, len(parts))):
                if folder not in made:
                    made.add(folder)
                    directory(folder, 0o755)
            entry = tarfile.TarInfo('/'.join(parts))
            entry.mode = 0o755
            if link:
                entry.type, entry.linkname = tarfile.SYMTYPE, link
                tar.addfile(entry)
            else:
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))

        def directory(path, mode):
            entry = tarfile.TarInfo(path)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)

        if busybox:
            add('bin/busybox', pathlib.Path(busybox).read_bytes())
            applets = subprocess.run([busybox, '--list'], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
            for applet in sorted(set(applets) - {'busybox'}):
                add('bin/' + applet, link='busybox')
            directory('tmp', 0o1777)
        for path, data in content.items():
            add(path, data)
    return raw.getvalue()


def make(layout, tag, *, busybox='/bin/busybox', content=None, command=(), env=(), labels=None, user='', arch=MACHINE):
    """One image; returns the digest of its manifest."""
    raw = layer(content or {}, busybox)
    config = {'Env': ['PATH=/bin', *env], 'Cmd': list(command), 'Labels': labels or {}, 'User': user}
    image = {'architecture': arch, 'os': 'linux', 'config': config,
             'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(raw).hexdigest()]}}
    manifest = blob(layout, dump({
        'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
        'config': blob(layout, dump(image), 'application/vnd.oci.image.config.v1+json'),
        'layers': [blob(layout, gzip.compress(raw, mtime=0), 'application/vnd.oci.image.layer.v1.tar+gzip')],
    }), 'application/vnd.oci.image.manifest.v1+json')
    add_to_index(layout, dict(manifest, platform={'architecture': arch, 'os': 'linux'}), tag)
    return manifest['digest']


def make_index(layout, tag, tags):
    """An index of images that are in the layout under tags; returns its digest."""
    index = json.loads(pathlib.Path(layout, 'index.json').read_text())
    named = {m['annotations'][REF_NAME]: {k: v for k, v in m.items() if k != 'annotations'} for m in index['manifests']}
    descriptor = blob(layout, dump({
        'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.index.v1+json', 'manifests': [named[t] for t in tags],
    }), 'application/vnd.oci.image.index.v1+json')
    add_to_index(layout, descriptor, tag)
    return descriptor['digest']


def add_to_index(layout, descriptor, tag):
    pathlib.Path(layout, 'oci-layout').write_bytes(dump({'imageLayoutVersion': '1.0.0'}))
    path = pathlib.Path(layout, 'index.json')
    index = json.loads(path.read_text()) if path.exists() else {'schemaVersion': 2, 'manifests': []}
    others = [m for m in index['manifests'] if m['annotations'][REF_NAME] != tag]
    index['manifests'] = others + [dict(descriptor, annotations={REF_NAME: tag})]
    path.write_bytes(dump(index))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('layout')
    arguments.add_argument('tag')
    arguments.add_argument('--busybox', help='a static busybox, put in with its applets')
    arguments.add_argument('--text', action='append', default=[], metavar='PATH=TEXT')
    arguments.add_argument('--command', default='', help='words as a shell reads them')
    arguments.add_argument('--label', action='append', default=[], metavar='NAME=VALUE')
    arguments.add_argument('--user', default='')
    options = arguments.parse_args()
    content = {path: text.encode() for path, _, text in (item.partition('=') for item in options.text)}
    labels = dict(item.split('=', 1) for item in options.label)
    print(make(options.layout, options.tag, busybox=options.busybox, content=content, command=shlex.split(options.command), labels=labels,
               user=options.user))


if __name__ == '__main__':
    main()
