"""The site's whole way: import, plan, install in order, resume, upgrade, roll back; and everything that must stop it."""
import hashlib
import json
import os
import signal
import subprocess

import harness
from harness import check, equal
from shop import Shop


def test_install_upgrade_and_roll_back(w):
    shop = Shop(w)
    one = shop.build('1.0.0', 1)
    plan = shop.json('plan', one, status=20)
    equal([e['name'] for e in plan['environments']], ['staging', 'production'], 'order')
    images = plan['environments'][0]['images']
    largest = max(len(path.read_bytes()) for path in (w.layout / 'blobs/sha256').iterdir())
    check(images['push'] == 2 and largest < images['bytes'] < 1.5 * largest, f'{images}: the shared layer ({largest}) is counted once')
    equal(shop.registry.repositories(), [], 'repositories after a plan')
    equal([row['kind'] for row in shop.rows()], ['created'], 'rows after a plan')

    shop('install', one, '--yes')
    equal(shop.versions(), ['1.0.0', '1.0.0'], 'versions')
    for name in ('backend', 'worker'):
        equal(shop.registry.digest(f'platform/shop/{name}:1.0.0'), shop.source.digest(f'shop/{name}:1.0.0'), f'digest of {name}')
    equal(shop.git.subjects('deploy'), ['chore: update production to 1.0.0', 'chore: update staging to 1.0.0'], 'commits')
    shop('plan', one, status=0)

    two = shop.build('1.1.0', 2)
    shop('install', two, '--to', 'staging', '--yes')
    equal(shop.versions(), ['1.1.0', '1.0.0'], 'versions')
    shop('install', 'shop@1.1.0', '--yes')
    equal(shop.versions(), ['1.1.0', '1.1.0'], 'versions')

    shop('install', one, '--yes', status=3, says=['is older than 1.1.0', 'gapship rollback --to 1.0.0'])
    equal(shop.versions(), ['1.1.0', '1.1.0'], 'versions after the refusal')
    shop('rollback', '--yes')
    equal(shop.versions(), ['1.0.0', '1.0.0'], 'versions after the rollback')
    equal(shop.git.subjects('deploy')[:2], ['chore: roll production back to 1.0.0', 'chore: roll staging back to 1.0.0'], 'commits')
    shop('install', two, '--yes')
    equal(shop.versions(), ['1.1.0', '1.1.0'], 'versions forward again')
    shop('rollback', '--environment', 'production', '--to', '1.0.0', '--yes')
    equal(shop.versions(), ['1.1.0', '1.0.0'], 'versions, production alone back')
    states = {e['name']: (e['version'], e['state'], e['units'][0]['drift']) for e in shop.json('status')['environments']}
    equal(states, {'staging': ('1.1.0', 'running', 0), 'production': ('1.0.0', 'running', 0)}, 'status')


def test_a_kept_bundle_is_looked_into_by_name_and_digest(w):
    shop = Shop(w)
    one = shop.build('1.0.0', 1)
    digest = shop.json('inspect', one)['digest'].removeprefix('sha256:')
    shop('import', one)
    one.unlink()
    for name in ('shop@1.0.0', digest[:8], f'sha256:{digest}'):
        equal(shop.json('inspect', name)['digest'], f'sha256:{digest}', name)
    equal(shop.json('verify', 'shop@1.0.0')['integrity']['verdict'], 'ok', 'integrity')
    shop('extract', 'shop@1.0.0', '-o', w.path / 'layout')
    check((w.path / 'layout/oci-layout').exists(), 'the layout')
    shop('verify', 'shop@2.0.0', status=2, says="no kept bundle is called so")


def test_the_same_command_again_does_nothing(w):
    shop = Shop(w)
    one = shop.build('1.0.0', 1)
    shop('install', one, '--yes')
    rows, commits = shop.rows(), shop.git.subjects('deploy')
    result = shop.json('install', one, '--yes')
    states = {step['state'] for environment in result['environments'] for step in environment['steps'] if '/' in step['step']}
    equal(shop.rows(), rows, 'rows of the ledger')
    equal(shop.git.subjects('deploy'), commits, 'commits')
    check('unchanged' in states, f'states {states}')


def test_a_failing_environment_stops_the_line(w):
    shop = Shop(w)
    shop('install', shop.build('1.0.0', 1), '--yes')
    shop.application.broken.add('staging')
    two = shop.build('1.1.0', 2)
    shop('install', two, '--yes', status=9, says=['staging/verify/1', '503'])
    equal(shop.versions(), ['1.1.0', '1.0.0'], 'versions')
    environment = shop.json('status')['environments'][0]
    equal((environment['state'], environment['failed']['step'], environment['lastGood']['version']), ('failed', 'verify/1', '1.0.0'), 'status')
    shop.application.broken.clear()
    shop('install', two, '--yes')
    equal(shop.versions(), ['1.1.0', '1.1.0'], 'versions')


def test_a_failed_environment_rolls_back_to_what_ran(w):
    shop = Shop(w)
    shop('install', shop.build('1.0.0', 1), '--yes')
    shop.application.broken.add('staging')
    shop('install', shop.build('1.1.0', 2), '--yes', status=9)
    shop.application.broken.clear()
    shop('rollback', '--yes')
    equal(shop.versions(), ['1.0.0', '1.0.0'], 'versions')
    equal(shop.git.subjects('deploy')[0], 'chore: roll staging back to 1.0.0', 'production needed no commit')


def test_a_rollback_that_was_cut_off_goes_on_and_not_further(w):
    shop = Shop(w)
    for version, sequence in (('0.9.0', 1), ('1.0.0', 2), ('1.1.0', 3)):
        shop('install', shop.build(version, sequence), '--yes')
    shop.application.broken.add('production')
    shop('rollback', '--yes', status=9, says='production/verify/1')
    equal(shop.versions(), ['1.0.0', '1.0.0'], 'versions')
    equal(shop.json('status')['environments'][1]['state'], 'failed', 'state of production')
    shop.application.broken.clear()
    shop('rollback', '--yes')
    equal(shop.versions(), ['1.0.0', '1.0.0'], 'versions')
    shop('rollback', '--yes')
    equal(shop.versions(), ['0.9.0', '0.9.0'], 'versions after one more')


def test_old_forged_and_foreign_bundles_are_refused_and_written_down(w):
    shop = Shop(w)
    old, new = shop.build('1.0.0', 1), shop.build('1.1.0', 2)
    shop('import', new)
    before = len(shop.rows())
    shop('import', old, status=3, says='is older than 1.1.0')
    twin = shop.build('1.2.0', 2)
    shop('import', twin, status=3, says='two different bundles claim to be shop epoch 0, sequence 2')
    damaged = bytearray(shop.build('1.3.0', 3).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    w.path.joinpath('damaged.gapship').write_bytes(damaged)
    shop('import', w.path / 'damaged.gapship', status=3)
    shop.private = w.key('other')[1]
    shop('import', shop.build('1.4.0', 4), status=3, says='signed')
    rows = shop.rows()[before:]
    equal([row['kind'] for row in rows], ['refused'] * 4, 'rows')
    equal([bundle['version'] for bundle in shop.json('status')['bundles']], ['1.1.0'], 'kept bundles')
    equal(len(list((shop.site / 'store/bundles').iterdir())), 1, 'files in the store')


def test_gates_and_sites_are_checked_before_anything_changes(w):
    shop = Shop(w)
    needs = shop.build('2.0.0', 5, requires={'upgradesFrom': '>=1.5.0'})
    shop('install', shop.build('1.0.0', 1), '--yes')
    shop('install', needs, '--yes', status=4, says='upgrades from versions >=1.5.0, and 1.0.0 runs here')
    qa = shop.build('2.1.0', 6, environments=('staging', 'qa'))
    shop('install', qa, '--yes', status=4, says="does not configure the environment 'qa'")
    equal(shop.versions(), ['1.0.0', '1.0.0'], 'versions')


def test_a_full_registry_is_asked_one_question_an_image(w):
    shop = Shop(w)
    one = shop.build('1.0.0', 1)
    first = shop.json('load', one)
    equal((first['images'], first['pushed']), (2, 2), 'first load')
    equal(shop.versions(), [None, None], 'a load changes no environment')
    again = shop.json('load', one)
    equal((again['pushed'], again['bytes']), (0, 0), 'second load')


def test_a_kept_bundle_that_rots_is_named_by_its_place(w):
    shop = Shop(w)
    one = shop.build('1.0.0', 1)
    shop('import', one)
    kept = next((shop.site / 'store/bundles').iterdir())
    data = bytearray(kept.read_bytes())
    largest = max((path for path in (w.layout / 'blobs/sha256').iterdir()), key=lambda path: path.stat().st_size)
    data[data.index(largest.read_bytes()) + 5000] ^= 1
    kept.chmod(0o600)
    kept.write_bytes(data)
    shop('load', one, status=3, says=['the kept bundle is damaged', kept.name, 'import the bundle again'])
    kept.unlink()
    shop('load', one)
    equal(shop.registry.digest('platform/shop/backend:1.0.0'), shop.source.digest('shop/backend:1.0.0'), 'digest')


def test_a_signal_stops_and_the_same_command_goes_on(w):
    shop = Shop(w)
    one = shop.build('1.0.0', 1)
    process = subprocess.Popen(w.command('install', one, '--yes'), cwd=shop.site, env={**os.environ, **w.environment()},
                               stderr=subprocess.PIPE, text=True)
    said = ''
    for line in process.stderr:
        said += line
        if 'staging/apply/shop begun' in line:
            process.send_signal(signal.SIGINT)
    equal(process.wait(), 130, said)
    check('staging/record done' not in said, said)
    equal([e['state'] for e in shop.json('status')['environments']], ['interrupted', 'empty'], 'states')
    shop('install', one, '--yes')
    equal(shop.versions(), ['1.0.0', '1.0.0'], 'versions')
    equal(shop.git.subjects('deploy'), ['chore: update production to 1.0.0', 'chore: update staging to 1.0.0'], 'commits')


def test_an_embedded_registry_needs_no_server(w):
    shop = Shop(w, registry=False)
    shop('install', shop.build('1.0.0', 1), '--yes', says='start `gapship serve`')
    equal(shop.versions(), ['1.0.0', '1.0.0'], 'versions')


def test_what_is_imported_is_served_before_it_is_applied(w):
    harness.need('skopeo')
    shop = Shop(w, registry=False)
    shop.serving()
    for version, sequence in (('1.0.0', 1), ('1.1.0', 2)):
        shop('install', shop.build(version, sequence), '--yes', silent='start `gapship serve`')
        raw = harness.run(['skopeo', 'inspect', '--raw', '--tls-verify=false', f'docker://{shop.listen}/shop/backend:{version}']).expect().out
        equal('sha256:' + hashlib.sha256(raw.encode()).hexdigest(), shop.source.digest(f'shop/backend:{version}'), version)
    harness.run(['skopeo', 'copy', '--quiet', '--src-tls-verify=false', f'docker://{shop.listen}/shop/worker:1.0.0',
                 f'dir:{w.path}/pulled']).expect()


def test_inputs_are_checked_before_anything_changes(w):
    shop = Shop(w)
    inputs = [{'name': 'LDAP_HOST', 'required': True, 'description': 'the directory server'}, {'name': 'PORT', 'type': 'integer', 'default': '636'}]
    one = shop.build('1.0.0', 1, inputs=inputs)
    shop('install', one, '--yes', status=4, says=['needs the input LDAP_HOST', 'the directory server'])
    site = json.loads((shop.site / 'site.yaml').read_text())
    site['environments'] = {name: {'inputs': f'{name}.yaml'} for name in site['environments']}
    w.write('site/site.yaml', site)
    w.write('site/staging.yaml', 'LDAP_HOST: ldap.internal\n')
    w.write('site/production.yaml', 'LDAP_HOST: ldap.internal\nPORT: "many"\n')
    shop('install', one, '--yes', status=4, says=['PORT is not an integer', 'production.yaml'], silent='many')
    equal((shop.versions(), shop.registry.repositories()), ([None, None], []), 'what changed')
    w.write('site/production.yaml', 'LDAP_HOST: ldap.internal\n')
    shop('install', one, '--yes')


def test_the_ledger_is_missed_and_never_made_anew(w):
    shop = Shop(w)
    shop('import', shop.build('1.1.0', 2))
    old = shop.build('1.0.0', 1)
    (shop.site / 'store/ledger.sqlite').unlink()
    shop('status', status=14, says='restore it from a backup')
    shop('import', old, status=14)


harness.main()
