"""What somebody else made too large, too deep or too many on purpose: refused with the bound that it breaks, at once and in little memory."""
import gzip
import io
import json
import os
import pathlib
import subprocess
import tarfile
import time

import harness
import mkimage
from harness import check
from product import Product, deployment, unit

MIB = 1 << 20


def measured(product, *, status, says, seconds, memory=256):
    """`gapship build`, refused in so many seconds and MiB. Build it without sanitizers to hold it to the memory."""
    began = time.monotonic()
    process = subprocess.Popen(product.w.command('build', '--unsigned'), cwd=product.path, env={**os.environ, **product.w.environment()},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = process.stdout.read()
    process.stdout.close()
    _, ended, usage = os.wait4(process.pid, 0)
    process.returncode = ended >> 8
    took = time.monotonic() - began
    result = harness.Result(['build'], process.returncode, said, '', took)
    result.expect(status, says)
    check(took < seconds, f'it took {took:.1f} s\n{result}')
    sanitized = b'__asan_init' in pathlib.Path(product.w.command()[0]).read_bytes()
    check(sanitized or usage.ru_maxrss < memory << 10, f'it took {usage.ru_maxrss >> 10} MiB\n{result}')
    check(not product.bundle.exists(), 'a bundle was made')
    return result


def tgz(product, name, files):
    """A chart archive; files: (name, bytes) in order."""
    with tarfile.open(product.path / name, 'w:gz', compresslevel=9, format=tarfile.USTAR_FORMAT) as tar:
        for path, data in files:
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


CHART = ('app/Chart.yaml', b'apiVersion: v2\nname: app\nversion: 1.0.0\n')


def packed(w, files):
    product = Product(w, charts=[{'name': 'app', 'from': 'app.tgz'}],
                      environments=[{'name': 'prod', 'units': [unit({'chart': 'app'}, {'kind': 'helm', 'namespace': 'app'})]}])
    tgz(product, 'app.tgz', files)
    return product


# ---- YAML

def test_a_megabyte_of_brackets_is_refused_at_once(w):
    deep = '[' * MIB
    product = Product(w)
    product.write('release.yaml', 'metadata: ' + deep[:MIB - 20])
    measured(product, status=2, says=['release.yaml:1:', 'nested more than 64 deep'], seconds=1)
    product = Product(w, folder='manifests')
    product.write('k8s/app.yaml', deep)
    measured(product, status=2, says=['nested more than 64 deep'], seconds=2)
    product = packed(w, [('app/Chart.yaml', deep.encode())])
    measured(product, status=2, says=['nested more than 64 deep'], seconds=2)


def test_a_document_that_grows_by_aliases(w):
    product = Product(w)
    lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'] + [f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 10)}]' for i in range(1, 9)]
    product.write('k8s/app.yaml', '\n'.join(lines))
    measured(product, status=2, says='more than 1000000 values', seconds=10)


# ---- charts

def test_charts_over_a_bound(w):
    zeros = bytes(5 * MIB)
    for files, says in (([CHART] + [(f'app/f{i}', b'') for i in range(10000)], 'more than 10000 entries'),
                        ([CHART, ('app/large', zeros + b'0')], 'at most 5242880'),
                        ([CHART] + [(f'app/f{i}', zeros) for i in range(21)], 'more than 104857600'),
                        ([CHART, CHART], 'name twice'),
                        ([('../app/Chart.yaml', CHART[1])], 'leads out')):
        measured(packed(w, files), status=2, says=['app.tgz', says], seconds=10)
    product = packed(w, [CHART])
    (product.path / 'app.tgz').write_bytes(gzip.compress(gzip.compress(bytes(300 * MIB), 9), 9))
    measured(product, status=2, says='app.tgz', seconds=10)


def rendered(w, template):
    product = packed(w, [CHART, ('app/templates/app.yaml', template.encode())])
    harness.need(w.environment().get('GAPSHIP_HELM', 'helm'))
    return product


def test_templates_that_take_all_memory_or_write_without_end(w):
    for template in ('{{ $x := repeat 4000000000 "memory" }}x: {{ len $x }}', '{{ range $i := until 2000000000 }}x{{ end }}'):
        measured(rendered(w, template), status=4, says=['prod/app', 'memory'], seconds=60, memory=2100)
    measured(rendered(w, '# {{ repeat 10000000 "0123456789" }}'), status=2, says='more than the 67108864 bytes', seconds=60, memory=2100)


# ---- image archives

def docker_archive(product, files):
    with tarfile.open(product.path / 'app.tar', 'w') as tar:
        for path, data in files:
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


def test_image_archives_over_a_bound(w):
    product = Product(w, ['docker-archive:app.tar:org/app:1'], ['org/app:1'])
    docker_archive(product, [(f'f{i}', bytes(4 * MIB)) for i in range(17)])
    measured(product, status=2, says=['app.tar', 'more small files than an image can need'], seconds=20)
    docker_archive(product, [(f'f{i}', b'') for i in range(100001)])
    measured(product, status=2, says=['app.tar', 'more than 100000 entries'], seconds=30)


def test_indexes_within_indexes(w):
    def nest(descriptor):
        index = {'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.index.v1+json', 'manifests': [descriptor]}
        return mkimage.blob(layout, mkimage.dump(index), index['mediaType'])

    product = Product(w, [{'from': 'oci:layout:1', 'as': 'org/app'}], ['org/app:1'])
    layout = product.path / 'layout'
    digest = mkimage.make(layout, 'one')
    size = (layout / 'blobs/sha256' / digest[7:]).stat().st_size
    descriptor = {'mediaType': 'application/vnd.oci.image.manifest.v1+json', 'digest': digest, 'size': size,
                  'platform': {'os': 'linux', 'architecture': mkimage.MACHINE}}
    for _ in range(5):
        descriptor = nest(descriptor)
    mkimage.add_to_index(layout, descriptor, '1')
    measured(product, status=2, says='nested deeper than 3', seconds=10)


def test_one_image_over_and_over(w):
    product = Product(w, [{'from': 'oci:layout:1', 'as': 'org/app'}], ['org/app:1'])
    layout = product.path / 'layout'
    digest = mkimage.make(layout, 'one')
    size = (layout / 'blobs/sha256' / digest[7:]).stat().st_size
    descriptor = {'mediaType': 'application/vnd.oci.image.manifest.v1+json', 'digest': digest, 'size': size}
    for _ in range(3):
        index = {'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.index.v1+json', 'manifests': [descriptor] * 1000}
        descriptor = mkimage.blob(layout, mkimage.dump(index), index['mediaType'])
    mkimage.add_to_index(layout, descriptor, '1')
    measured(product, status=2, says='more than 4096 manifests', seconds=10)


# ---- overlays

def test_kustomizations_that_name_each_other_too_deep(w):
    product = Product(w, overlays=[{'name': 'app', 'from': 'deploy'}],
                      environments=[{'name': 'prod', 'units': [unit({'overlay': 'app', 'path': 'd0'})]}])
    for i in range(70):
        product.write(f'deploy/d{i}/kustomization.yaml', json.dumps({'resources': [f'../d{i + 1}']}))
    product.write('deploy/d70/kustomization.yaml', json.dumps({'resources': ['app.yaml']}))
    product.write('deploy/d70/app.yaml', json.dumps(deployment('quay.io/org/app:1')))
    measured(product, status=2, says='more than 64 deep', seconds=30)


def test_overlays_over_a_bound(w):
    product = Product(w, overlays=[{'name': 'app', 'from': 'deploy'}],
                      environments=[{'name': 'prod', 'units': [unit({'overlay': 'app'})]}])
    for i in range(10001):
        product.write(f'deploy/f{i}', '')
    measured(product, status=2, says=['10000'], seconds=30)


harness.main()
