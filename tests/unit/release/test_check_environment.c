/* Units, targets, migrations and verifications: what belongs together. */
#include "release_support.h"

/* The unit stands in line 8; its first column is 9. */
#define UNITS(unit)           HEAD CONTENTS "environments: [{name: a, units: [\n        " unit "]}]\n"
#define MIGRATIONS(migration) HEAD CONTENTS "environments: [{name: a, units: [" UNIT "], migrations: [\n        " migration "]}]\n"
#define CHECKS(check)         HEAD CONTENTS "environments: [{name: a, units: [" UNIT "], verify: [{http: \n        " check "}]}]\n"
#define HELM                  "target: {kind: helm, namespace: web}"
#define GITOPS                "source: {overlay: k8s}, target: {kind: gitops"

static const bad_input units[] = {
    {HEAD "environments: [{name: a, units: []}]\n", "release.yaml:4:33", "the environment \"a\" has no unit to install"},
    {HEAD "environments: [{name: a}]\n", "release.yaml:4:16", "the environment \"a\" has no unit to install"},
    {UNITS("{name: u, source: {}, " HELM "}"), "release.yaml:8:27",
     "the source of the unit \"u\" names none of chart, overlay and manifests; one is due"},
    {UNITS("{name: u, source: {chart: app, overlay: k8s}, " HELM "}"), "release.yaml:8:27",
     "the source of the unit \"u\" names several of chart, overlay and manifests; one is due"},
    {UNITS("{name: u, source: {chart: other}, " HELM "}"), "release.yaml:8:35", "there is no chart \"other\" in the release"},
    {UNITS("{name: u, source: {overlay: other}, " HELM "}"), "release.yaml:8:37", "there is no overlay \"other\" in the release"},
    {UNITS("{name: u, source: {overlay: k8s, values: [v]}, " HELM "}"), "release.yaml:8:50",
     "\"values\" is only for a source with a chart"},
    {UNITS("{name: u, source: {manifests: m, set: {a: b}}, " HELM "}"), "release.yaml:8:47",
     "\"set\" is only for a source with a chart"},
    {UNITS("{name: u, source: {overlay: k8s, imageValues: {a: b}}, " HELM "}"), "release.yaml:8:55",
     "\"imageValues\" is only for a source with a chart"},
    {UNITS("{name: u, source: {chart: app, path: x}, " HELM "}"), "release.yaml:8:46",
     "\"path\" is only for a source with an overlay"},
    {UNITS("{name: u, source: {chart: app, imageValues: {image: team/backnd}}, " HELM "}"), "release.yaml:8:53",
     "no image of the release is \"team/backnd\" at the site", "did you mean \"team/backend\"?"},
    {UNITS("{name: u, source: {chart: app, imageValues: {image: else}}, " HELM "}"), "release.yaml:8:53",
     "no image of the release is \"else\" at the site", "list it under images: with `as: else`"},
    {UNITS("{name: u, source: {overlay: k8s}, " HELM "}"), "release.yaml:8:58",
     "the target of the unit \"u\" is helm, but its source is no chart"},
    {UNITS("{name: u, source: {chart: app}, target: {kind: helm}}"), "release.yaml:8:49",
     "\"namespace\" is missing in the helm target of the unit \"u\""},
    {UNITS("{name: u_1, source: {chart: app}, " HELM "}"), "release.yaml:8:51",
     "\"u_1\" is no name for a helm release: up to 53 lower-case letters, digits, '-' and '.'"},
    {UNITS("{name: u, source: {chart: app}, target: {kind: kubectl, release: r}}"), "release.yaml:8:74",
     "\"release\" is only for a helm target"},
    {UNITS("{name: u, source: {chart: app}, target: {kind: helm, namespace: web, branch: main}}"), "release.yaml:8:86",
     "\"branch\" is only for a gitops target"},
    {UNITS("{name: u, source: {chart: app}, target: {kind: kubectl, shared: true}}"), "release.yaml:8:73",
     "\"shared\" is only for a gitops target"},
    {UNITS("{name: u, " GITOPS ", namespace: web}}"), "release.yaml:8:77", "\"namespace\" is only for a helm or kubectl target"},
    {UNITS("{name: u, source: {chart: app}, target: {kind: gitops}}"), "release.yaml:8:56",
     "the target of the unit \"u\" is gitops, but its source is no overlay"},
    {UNITS("{name: u, " GITOPS ", message: \"${tag.team/x}\"}}"), "release.yaml:8:75", "there is no variable \"${tag.team/x}\"",
     "write $${ where ${ itself is meant"},
};

static void units_fit_together(void **state)
{
    (void)state;
    assert_bad_releases(units);
}

static const bad_input migrations[] = {
    {MIGRATIONS("{name: m, schema: other, image: team/backend, command: [x]}"), "release.yaml:8:27",
     "there is no schema \"other\" in the release"},
    {MIGRATIONS("{name: m, image: team/other, command: [x]}"), "release.yaml:8:26",
     "no image of the release is \"team/other\" at the site", "list it under images: with `as: team/other`"},
    {MIGRATIONS("{name: m, image: team/backend, command: []}"), "release.yaml:8:49", "the command of the migration \"m\" is empty"},
    {MIGRATIONS("{name: m, image: team/backend, command: [x], env: {A-B: c}}"), "release.yaml:8:59",
     "\"A-B\" is no name of an environment variable"},
    {MIGRATIONS("{name: m, image: team/backend, command: [x], retry: {initial: 2m}}"), "release.yaml:8:61",
     "the first wait of the retry is longer than its longest (max)"},
    {MIGRATIONS("{name: m, image: team/backend, command: [x], deadline: 0s}"), "release.yaml:8:64",
     "the deadline of the migration \"m\" leaves it no time"},
    {MIGRATIONS("{name: m, image: team/backend, command: [x], reversible: true}"), "release.yaml:8:66",
     "the migration \"m\" is reversible, but \"down\" with its command is missing"},
    {MIGRATIONS("{name: m, image: team/backend, command: [x], down: {command: [z]}}"), "release.yaml:8:60",
     "the migration \"m\" has a \"down\" but not `reversible: true`"},
    {MIGRATIONS("{name: m, image: team/backend, command: [x, \"${schema.from}\"]}"), "release.yaml:8:53",
     "there is no variable \"${schema.from}\"", "write $${ where ${ itself is meant"},
    {MIGRATIONS("{name: m, image: team/backend, command: [x], env: {A: \"${input.B}\"}}"), "release.yaml:8:63",
     "there is no variable \"${input.B}\"", "write $${ where ${ itself is meant"},
    {HEAD IMAGES "environments: [{name: a, units: [{name: u, source: {manifests: m}, target: {kind: kubectl}}], migrations: [\n"
                 "{name: m, image: team/backend, command: [x]}]}]\n",
     "release.yaml:6:1", "\"namespace\" is missing in the migration \"m\": the first unit of \"a\" has none to take over"},
};

static void migrations_fit_together(void **state)
{
    (void)state;
    assert_bad_releases(migrations);
}

static const bad_input checks[] = {
    {CHECKS("{url: \"http://x\", expect: {status: 999}}"), "release.yaml:8:44", "999 is no HTTP status"},
    {CHECKS("{url: \"http://x\", expect: {json: [1]}}"), "release.yaml:8:42", "\"json\" is not a map of expected values"},
    {CHECKS("{url: \"http://x\", headers: {\"A B\": c}}"), "release.yaml:8:36", "\"A B\" is no HTTP header"},
    {CHECKS("{url: \"http://x\", headers: {A: \"c\\r\\nX: y\"}}"), "release.yaml:8:36", "\"A\" is no HTTP header"},
    {CHECKS("{url: \"http://${host}\"}"), "release.yaml:8:15", "there is no variable \"${host}\"",
     "write $${ where ${ itself is meant"},
    {CHECKS("{url: \"http://x\", headers: {A: \"${b}\"}}"), "release.yaml:8:40", "there is no variable \"${b}\"",
     "write $${ where ${ itself is meant"},
    {CHECKS("{url: \"http://x\", expect: {json: {a: [b, \"${version\"]}}}"), "release.yaml:8:50",
     "the variable \"${version\" lacks its }", "write $${ where ${ itself is meant"},
};

static void verifications_fit_together(void **state)
{
    (void)state;
    assert_bad_releases(checks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_fit_together),
        cmocka_unit_test(migrations_fit_together),
        cmocka_unit_test(verifications_fit_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
