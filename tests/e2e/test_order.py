"""Order, permits, age and the five verdicts, at the command line: what comes again, too late, or should not come at all."""
import base64
import json
import pathlib
import shutil
import subprocess
import sys
import time

import harness
from harness import check, equal
from product import Product
from shop import ENVIRONMENTS, Shop

VERDICTS = ('integrity', 'authenticity', 'order', 'freshness', 'completeness')
DAY = 86400


class Line:
    """A product without images, whose bundles two people sign; a site that wants one of them, and a third for roots."""

    def __init__(self, w, threshold=1, expires=None, policy=None):
        self.w = w
        self.keys = {name: w.key(name) for name in ('alice', 'bob', 'root')}
        more = ['--expires', expires] if expires else []
        w.gapship('root', 'init', '--key', self.public('root'), '--release-key', self.public('alice'), '--release-key', self.public('bob'),
                  '--release-threshold', str(threshold), '-o', 'root.json', *more)
        self.root = w.path / 'root.json'
        self.product = Product(w)
        self.config = {'registry': {'embedded': {'listen': '127.0.0.1:5000'}}, 'environments': {'prod': {}}}
        self.site = w.site(self.root, {**self.config, 'policy': policy or {}})

    def policy(self, **policy):
        self.w.write('site/site.yaml', {'apiVersion': 'gapship/v1', 'kind': 'Site', 'name': 'test', 'store': 'store',
                                        'trust': {'root': 'trust/root.json'}, **self.config, 'policy': policy})

    def public(self, name):
        return self.keys[name][0]

    def private(self, name):
        return self.keys[name][1]

    def bundle(self, sequence, by=('alice',), issued=None, name=None, **metadata):
        version = f'1.{sequence}.0'
        self.product.save(metadata={'name': 'shop', 'version': version, 'sequence': sequence, **metadata})
        path = self.w.path / f'{name or version}.gapship'
        keys = [word for key in by for word in ('--key', self.private(key))]
        self.product('build', '-o', path, *(keys or ['--unsigned']), '--force',
                     env={'SOURCE_DATE_EPOCH': str(int(issued if issued is not None else time.time()))})
        return path

    def permit(self, bundle, *words, by=('alice',), below='0.9', site='test', name='a.permit'):
        path = self.w.path / name
        path.unlink(missing_ok=True)
        keys = [word for key in by for word in ('--key', self.private(key))]
        where = ('--site', site) if site else ('--any-site',)
        self.w.gapship('permit', bundle, *where, '--below', below, '--reason', 'a test', '-o', path, *keys, *words)
        return path

    def __call__(self, *words, **options):
        return self.w.gapship(*words, cwd='site', **options)

    def rows(self, kind=None):
        rows = self('--output', 'json', 'history', '--audit').result()['rows']
        return [row for row in rows if kind in (None, row['kind'])]

    def verdicts(self, *words, status=0, verb='verify', cwd='site'):
        """The five of the result, and that the text says the same."""
        done = self.w.gapship('--output', 'json', verb, *words, status=status, cwd=cwd)
        result = next(event['result'] for event in done.events() if 'result' in event)
        last = done.events()[-1]
        equal('error' in last, status != 0, f'an error ends what fails, and nothing else: {last}')
        if status:
            equal(last['error']['exit'], status, 'exit status')
        text = self.w.gapship(verb, *words, status=status, cwd=cwd).out
        for name in VERDICTS:
            line = next(line for line in text.splitlines() if line.startswith(name))
            check(line.split()[1] == result[name]['verdict'], f'{line}: not {result[name]}')
            check(result[name]['reason'] in line and result[name]['reason'], f'{line}: not {result[name]}')
        return {name: (result[name]['verdict'], result[name]['reason']) for name in VERDICTS}


def states(verdicts):
    return ' '.join(verdicts[name][0] for name in VERDICTS)


# ---- order

def test_what_verify_says_is_what_import_does(w):
    line = Line(w)
    bundles = {sequence: line.bundle(sequence) for sequence in (1, 2, 3, 4)}
    twin = line.bundle(2, name='twin', issued=1700000000)
    accepted = []
    for top in (2, 4):
        line('import', bundles[top])
        accepted.append(top)
        for sequence, path in bundles.items():
            newer, known = sequence > top, sequence in accepted
            order = line.verdicts(path, status=0 if newer or known else 3)['order']
            equal(order[0], 'ok' if newer or sequence == top else 'warn' if known else 'fail', f'{sequence} after {top}: {order}')
            if not newer:
                older = f'is older than 1.{top}.0'
                says = ['was kept already', *([older, f'gapship rollback --to 1.{sequence}.0'] if sequence < top else [])] if known else older
                line('import', path, status=0 if known else 3, says=says)
        equal(line.verdicts(twin, status=3)['order'][0], 'fail', 'a second bundle of sequence 2')
        line('import', twin, status=3, says='two different bundles claim to be shop epoch 0, sequence 2')
    equal([row['version'] for row in line.rows('accepted')], ['1.2.0', '1.4.0'], 'accepted')
    line.bundle(5, securityFloor=4)
    line('import', w.path / '1.5.0.gapship')
    for verb in ('import', 'verify'):
        line(verb, bundles[2], status=3, says='is below the security floor 4 that version 1.5.0 set')
    sixth, says = line.bundle(6, epoch=2), 'is of epoch 2, and the trust root of epoch 1'
    line('import', sixth, status=3, says=says)
    w.gapship('verify', sixth, '--root', line.root, status=3, says=says)
    far = line.bundle(1000006)
    equal(line.verdicts(far)['order'][0], 'warn', 'a jump')
    done = line('--output', 'json', 'import', far)
    equal([e['event'] for e in done.events() if e.get('event') == 'sequenceJump'], ['sequenceJump'], 'warned')


# ---- permits

def test_a_permit_lets_in_what_it_is_for_and_nothing_else(w):
    line = Line(w, threshold=2)
    both = ('alice', 'bob')
    old, other, new = (line.bundle(sequence, by=both) for sequence in (1, 2, 5))
    line('import', new)
    line('import', old, status=3, says=['is older than 1.5.0', 'gapship permit'])
    for what, permit, status, says in (
            ('another site', line.permit(old, by=both, site='plant-8', name='1.permit'), 3, 'it is for the site plant-8, and this is test'),
            ('another bundle', line.permit(other, by=both, name='2.permit'), 3, 'it is for the bundle sha256:'),
            ('below the highest', line.permit(old, by=both, below='0.4', name='3.permit'), 3, 'this site has gone on since'),
            ('one of two', line.permit(old, name='4.permit'), 3, 'signed by 1 of the 2 release keys'),
            ('nobody', line.permit(old, by=(), name='5.permit'), 3, 'signed by 0 of the 2 release keys'),
            ('no permit', line.root, 3, 'this is not a signed document'),
            ('no file', 'nowhere.permit', 2, 'nowhere.permit')):
        done = line('import', old, '--permit', permit, status=status, says=says)
        check('kept' not in done.out, f'{what}: {done}')
    equal(len(line.rows('accepted')), 1, 'rows')

    one = w.path / '4.permit'
    w.gapship('permit', 'sign', one, '--key', line.private('alice'), status=2, says='signed already')
    w.gapship('permit', 'sign', one, '--key', line.private('bob'))
    line('import', old, '--permit', one, says='kept shop 1.1.0')
    row = line.rows('accepted')[-1]
    equal((row['version'], row['step']), ('1.1.0', 'permit/release'), 'row')
    check('by a permit of the release role' in row['detail'] and row['detail'].endswith(': a test'), row['detail'])
    line('import', old, says='was kept already')
    line('import', other, status=3, says='is older than 1.5.0')
    line('import', other, '--permit', one, status=3, says='it is for the bundle')


def test_a_permit_signed_with_openssl(w):
    line = Line(w)
    old, new = line.bundle(1), line.bundle(5)
    line('import', new)
    permit = line.permit(old, by=())
    w.gapship('permit', 'sign', permit, '--emit-tbs', 'permit.pae', says='permit sign')
    check(b'application/vnd.gapship.permit+json' in (w.path / 'permit.pae').read_bytes()[:60], 'the encoding')
    subprocess.run(['openssl', 'dgst', '-sha256', '-sign', line.private('alice'), '-out', w.path / 'permit.sig', w.path / 'permit.pae'], check=True)
    w.gapship('permit', 'sign', permit, '--signature', 'permit.sig', '--key', line.public('bob'), status=3,
              says=['does not fit what is signed', 'permit.sig', '--emit-tbs'])
    (w.path / 'permit.sig').write_bytes(base64.encodebytes((w.path / 'permit.sig').read_bytes()))  # as a service answers
    w.gapship('permit', 'sign', permit, '--signature', 'permit.sig', '--key', line.public('alice'))
    line('import', old, '--permit', permit, says='kept')


def test_roles_floors_and_time_of_permits(w):
    line = Line(w)
    old, newest = line.bundle(1), line.bundle(5, securityFloor=3)
    line('import', newest)
    line('import', old, '--permit', line.permit(old), status=3, says='it is signed by the release role, and this needs the root role')
    permit = line.permit(old, by=('root',), name='root.permit')
    line('import', old, '--permit', permit)
    equal(line.rows('accepted')[-1]['step'], 'permit/root', 'step')
    four = line.bundle(4)
    expired = line.permit(four, '--expires', '0h', site=None, name='expired.permit')
    time.sleep(1.1)
    line.policy(onStale='refuse')
    line('import', four, '--permit', expired, status=4, says=['the permit expired at', 'onStale: warn'])
    line.policy()
    line('import', four, '--permit', expired, says='the permit expired at')
    line('import', line.bundle(6, securityFloor=5))
    line('import', old, status=3, says='is below the security floor 5')


def test_mistakes_in_making_a_permit(w):
    line = Line(w)
    old = line.bundle(3)
    base = ('permit', old, '--reason', 'x', '-o', 'x.permit')
    for words, says in (((*base, '--below', '0.9'), 'permit needs --site NAME, or --any-site'),
                        ((*base, '--below', '0.9', '--site', 'a', '--any-site'), 'permit needs --site NAME, or --any-site'),
                        ((*base, '--any-site'), 'permit needs --below EPOCH.SEQUENCE'),
                        (('permit', old, '--any-site', '--below', '0.9', '-o', 'x.permit'), 'permit needs --reason TEXT'),
                        (('permit', old, '--any-site', '--below', '0.9', '--reason', 'x'), 'permit needs -o FILE'),
                        ((*base, '--any-site', '--below', '9'), "--below takes EPOCH.SEQUENCE, and not '9'"),
                        ((*base, '--any-site', '--below', '0.9x'), "not '0.9x'"),
                        ((*base, '--any-site', '--below', '0.3'), 'the bundle is not below'),
                        ((*base, '--any-site', '--below', '0.9', '--expires', 'soon'), "not 'soon'"),
                        ((*base, '--site', 'Plant 7', '--below', '0.9'), 'the site is not a name'),
                        (('permit', 'sign', 'x.permit'), 'permit sign needs --key KEY')):
        w.gapship(*words, status=2, says=says)
    check(not (w.path / 'x.permit').exists(), 'nothing was written')
    line.permit(old, name='x.permit')
    w.gapship(*base, '--any-site', '--below', '0.9', status=2, says='x.permit exists already')
    w.gapship('permit', old, '--any-site', '--below', '0.9', '--reason', 'x', '-o', 'y.permit', '--root', line.public('root'), status=3,
              says='not trusted')


# ---- going back

class Plant(Shop):
    """A shop whose site has a root of its own: alice signs releases, later bob; root signs roots."""

    def __init__(self, w):
        super().__init__(w)
        self.keys = {name: w.key(name) for name in ('alice', 'bob', 'root')}
        self.private = self.keys['alice'][1]
        w.gapship('root', 'init', '--key', self.keys['root'][0], '--release-key', self.keys['alice'][0], '-o', 'root.json')
        config = {'registry': {'url': self.registry.url, 'prefix': 'platform'}, 'git': {'site': {'url': self.url}},
                  'environments': {name: {} for name in ENVIRONMENTS}}
        self.site = w.site(w.path / 'root.json', config, folder='plant')

    def revoke_alice(self):
        w = self.w
        alice = w.gapship('--output', 'json', 'key', 'show', self.keys['alice'][0]).result()['keyId']
        w.gapship('root', 'next', 'root.json', '--drop', alice, '--release-key', self.keys['bob'][0], '-o', 'root-2.json')
        w.gapship('root', 'sign', 'root-2.json', '--key', self.keys['root'][1])
        w.gapship('root', 'bundle', 'root-2.json', '-o', 'roots.gapship')
        self('import', w.path / 'roots.gapship')

    def permit(self, bundle, below, by, name):
        path = self.w.path / name
        self.w.gapship('permit', bundle, '--site', 'test', '--below', below, '--reason', 'orders are lost', '-o', path, '--key', self.keys[by][1])
        return path


def test_back_to_a_bundle_that_a_permit_brought(w):
    shop = Plant(w)
    one, two, three = (shop.build(f'1.{n}.0', n) for n in (1, 2, 3))
    shop('install', one, '--yes')
    shop('install', three, '--yes')
    shop('import', two, status=3, says='is older than 1.3.0')
    shop('rollback', '--to', '1.2.0', '--yes', status=2, says='this site never accepted shop 1.2.0')
    # a file in the store that the ledger does not know is no target either
    shutil.copy(two, shop.site / 'store/bundles' / (w.gapship('--output', 'json', 'inspect', two).result()['digest'][7:] + '.gapship'))
    shop('rollback', '--to', '1.2.0', '--yes', status=2, says='this site never accepted shop 1.2.0')
    shop('install', 'shop@1.2.0', '--yes', status=2, says='no kept bundle is called so')

    shop('import', two, '--permit', shop.permit(two, '0.3', 'alice', 'two.permit'))
    shop('install', two, '--yes', status=3, says=['is older than 1.3.0', 'gapship rollback --to 1.2.0'])
    equal(shop.versions(), ['1.3.0', '1.3.0'], 'versions')
    shop('rollback', '--to', '1.2.0', '--yes')
    equal(shop.versions(), ['1.2.0', '1.2.0'], 'versions')
    # what was refused before is refused still, and a file of an older one is no wish to go back
    shop('import', one, says='was kept already')
    shop('install', one, '--yes', status=3, says=['is older than 1.3.0', 'gapship rollback --to 1.1.0', 'gapship install shop@1.1.0'])
    shop('install', two, '--yes')  # the same again is
    equal(shop.versions(), ['1.2.0', '1.2.0'], 'versions')
    shop('install', three, '--yes')
    equal(shop.versions(), ['1.3.0', '1.3.0'], 'versions')


def test_back_to_a_bundle_whose_signer_was_revoked(w):
    shop = Plant(w)
    one, two = shop.build('1.1.0', 1), shop.build('1.2.0', 2)
    shop('install', one, '--yes')
    shop('install', two, '--yes')
    shop.revoke_alice()
    says = ['this site accepted it once, and its signers were revoked since', '--accept-revoked-signer --permit FILE', 'gapship sign']
    shop('rollback', '--yes', status=3, says=says)
    shop('install', 'shop@1.2.0', '--yes', status=3, says=says)
    shop('rollback', '--accept-revoked-signer', '--yes', status=2, says='--accept-revoked-signer needs --permit FILE')
    by_alice, by_bob = (shop.permit(one, '0.2', name, f'{name}.permit') for name in ('alice', 'bob'))
    other = shop.permit(one, '0.5', 'bob', 'other.permit')
    shop('rollback', '--permit', by_bob, '--yes', status=3, says=says)
    shop('rollback', '--accept-revoked-signer', '--permit', by_alice, '--yes', status=3, says='signed by 0 of the 1 release keys')
    equal(shop.versions(), ['1.2.0', '1.2.0'], 'versions')
    shop('rollback', '--accept-revoked-signer', '--permit', by_bob, '--yes')
    equal(shop.versions(), ['1.1.0', '1.1.0'], 'versions')
    row = [row for row in shop.rows() if row['kind'] == 'accepted'][-1]
    equal((row['verb'], row['step'], row['version']), ('rollback', 'permit/release', '1.1.0'), 'row')
    check('its signers were revoked; by a permit of the release role' in row['detail'], row['detail'])

    shop.private = shop.keys['bob'][1]
    shop('install', shop.build('1.3.0', 3), '--yes')
    shop('rollback', '--to', '1.1.0', '--accept-revoked-signer', '--permit', by_bob, '--yes', status=3, says='this site has gone on since')
    # signed again by today's keys, it comes back by the usual way
    shop('import', two, status=3, says='not trusted')
    w.gapship('sign', two, '--key', shop.keys['bob'][1])
    shop('import', two, says='shop 1.2.0')
    shop('rollback', '--to', '1.2.0', '--yes')
    equal(shop.versions(), ['1.2.0', '1.2.0'], 'versions')
    kept = sorted(bundle['version'] for bundle in shop.json('status')['bundles'])
    equal(kept, ['1.1.0', '1.2.0', '1.3.0'], 'kept, each once')
    highest = [(row['product'], row['version'], row['epoch'], row['sequence']) for row in shop.json('status')['accepted']]
    equal(highest, [('shop', '1.3.0', 0, 3)], 'the highest that was accepted, whatever runs')
    shop('status', says='shop: accepted up to 0.3 (1.3.0)')  # what a permit counts below
    check(other.exists(), 'not used')


# ---- age

def test_how_old_a_bundle_may_be(w):
    line, now = Line(w), time.time()
    stale = line.bundle(1, issued=now - 40 * DAY, freshFor='30d')
    inspected = json.loads(w.gapship('--output', 'json', 'inspect', stale).out.splitlines()[-1])['result']
    check(inspected['freshUntil'] > inspected['issuedAt'], inspected['freshUntil'])
    verdict = line.verdicts(stale)['freshness']
    check(verdict[0] == 'warn' and 'its maker said that it is fresh until' in verdict[1], f'{verdict}')
    line.policy(onStale='refuse')
    equal(states(line.verdicts(stale, status=4)), 'ok ok ok fail ok', 'verdicts')
    line('import', stale, status=4, says=['shop 1.1.0 is stale', 'onStale: warn'])
    equal(line.rows()[-1]['kind'], 'refused', 'row')
    line.policy()
    done = line('--output', 'json', 'import', stale)
    equal([e['event'] for e in done.events() if 'event' in e and e['event'] == 'notFresh'], ['notFresh'], 'warned once')
    fresh = line.bundle(2, issued=now - 10 * DAY, freshFor='30d')
    equal(line.verdicts(fresh)['freshness'][0], 'ok', 'fresh')
    line.policy(maxAge='5d')
    check('policy.maxAge is 5 days' in line.verdicts(fresh)['freshness'][1], 'maxAge')
    line.policy(maxAge='11d', onStale='refuse')
    equal(line.verdicts(fresh)['freshness'][0], 'ok', 'fresh')
    verdict = line.verdicts(line.bundle(3, issued=now + 3 * DAY))['freshness']
    check(verdict[0] == 'warn' and 'days in the future' in verdict[1], f'{verdict}')


def test_an_expired_root(w):
    line = Line(w, expires='2026-01-01T00:00:00Z')
    bundle = line.bundle(1)
    verdict = line.verdicts(bundle)['freshness']
    check(verdict[0] == 'warn' and 'the trust root was to be replaced by 2026-01-01T00:00:00Z' in verdict[1], f'{verdict}')
    line.policy(onStale='refuse')
    line('import', bundle, status=4, says=['the trust root was to be replaced', 'a newer root', 'onStale: warn'])
    line.policy()
    line('import', bundle, says='the trust root was to be replaced')


# ---- all five

def without_a_blob(w, bundle, key):
    """The same bundle, signed as before, without the archive of its sources: made by the second writer."""
    w.gapship('extract', bundle, '-o', 'layout')
    statement = json.loads(w.gapship('--output', 'json', 'inspect', bundle).out.splitlines()[-1])['result']
    layout = w.path / 'layout'
    blobs = sorted((layout / 'blobs/sha256').iterdir())
    kept = [str(blob) for blob in blobs if blob.read_bytes()[:2] not in (b'\x1f\x8b', b'\x28\xb5')]
    equal(len(blobs) - len(kept), 1, 'blobs left out')
    plan = {'statement': {name: statement[name] for name in ('product', 'version', 'epoch', 'sequence', 'securityFloor', 'issuedAt')},
            'index': str(layout / 'index.json'), 'manifest': str(layout / 'manifest.json'), 'blobs': kept}
    w.write('plan.json', plan)
    out = w.path / 'less.gapship'
    script = pathlib.Path(harness.__file__).parent / 'bundle.py'
    subprocess.run([sys.executable, script, 'write', w.path / 'plan.json', '-o', out, '--key', key], check=True)
    return out


def test_the_verdicts_of_whole_and_broken_bundles(w):
    line = Line(w)
    good = line.bundle(7)
    data = good.read_bytes()
    damaged, cut, foreign, changed = (w.path / f'{name}.gapship' for name in ('damaged', 'cut', 'foreign', 'changed'))
    late = bytearray(data)
    late[data.rindex(b'apiVersion')] ^= 1
    damaged.write_bytes(late)
    cut.write_bytes(data[:-512])
    early = bytearray(data)
    early[data.index(b'"sequence":7') + 11] ^= 1
    changed.write_bytes(early)
    w.key('mallory')
    shutil.copy(line.bundle(7, by=(), name='unsigned'), foreign)
    w.gapship('sign', foreign, '--key', 'mallory.key')
    less = without_a_blob(w, good, line.private('alice'))
    unsigned = w.path / 'unsigned.gapship'
    for what, path, status, wanted in (
            ('good', good, 0, 'ok ok ok ok ok'),
            ('a byte of the content', damaged, 3, 'fail ok ok ok '),
            ('cut short', cut, 3, 'fail ok unknown unknown unknown'),
            ('a byte of the statement', changed, 3, 'unknown fail unknown unknown unknown'),
            ('signed by somebody', foreign, 3, 'unknown fail unknown unknown unknown'),
            ('unsigned', unsigned, 3, 'unknown fail unknown unknown unknown'),
            ('a blob is missing', less, 3, 'ok ok ok ok fail'),
            ('no bundle', line.root, 3, 'fail unknown unknown unknown unknown')):
        found = line.verdicts(path, status=status)
        check(states(found).startswith(wanted), f'{what}: {states(found)}: {found}')
    missing = 'the archive of sources of the lock is not in the bundle'
    equal(line.verdicts(less, status=3)['completeness'][1], missing, 'what is missing')
    line('install', less, '--yes', status=3, says=missing)

    line.policy(allowUnsigned=True)
    found = line.verdicts(unsigned)
    equal(states(found), 'ok warn ok ok ok', f'{found}')
    check('policy.allowUnsigned' in found['authenticity'][1], f'{found}')


def test_the_verdicts_of_inspect_and_without_a_site(w):
    line = Line(w)
    good = line.bundle(7, freshFor='30d', securityFloor=2)
    found = line.verdicts(good, verb='inspect')
    equal(states(found), 'unknown ok ok ok ok', f'{found}')
    check('head only' in found['integrity'][1] and 'root version 1' in found['authenticity'][1], f'{found}')
    found = line.verdicts(good, '--root', line.root, cwd='.')
    equal(states(found), 'ok ok unknown unknown ok', f'{found}')
    check('epoch 0, sequence 7, security floor 2' in found['order'][1] and 'fresh until' in found['freshness'][1], f'{found}')
    equal(states(line.verdicts(good, verb='inspect', cwd='.')), 'unknown unknown unknown unknown ok', 'without a root')
    equal(states(line.verdicts(good, '--site', line.site / 'site.yaml', cwd='.')), 'ok ok ok ok ok', '--site')
    w.gapship('verify', good, '--site', 'nowhere.yaml', status=2, says='nowhere.yaml')
    w.gapship('verify', good, status=2, says='there is nothing to check the signatures against')
    # A reviewer who may not look into the store still gets the rest.
    (line.site / 'store').rename(w.path / 'elsewhere')
    found = line.verdicts(good, '--root', line.root)
    equal(states(found), 'ok ok unknown unknown ok', f'{found}')
    check("the site's records cannot be read" in found['order'][1], f'{found}')


harness.main()
