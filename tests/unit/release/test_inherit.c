/* `extends`: what an environment takes over, what it changes, what it never inherits. */
#include "release_support.h"

static const char inherited[] = HEAD CONTENTS
    "schemas: {main: {from: \"3\", to: \"4\"}}\n"
    "environments:\n"
    "- name: production\n" /* before what it extends */
    "  extends: staging\n"
    "  units:\n"
    "  - name: app\n"
    "    source: {values: [prod.yaml], set: {b: \"3\"}}\n"
    "  - {name: extra, source: {manifests: m}, target: {kind: kubectl}}\n"
    "  - {name: web, source: {manifests: web}, target: {kind: kubectl, namespace: web}}\n"
    "  migrations:\n"
    "  - {name: main, deadline: 10m, retry: {attempts: 9}}\n"
    "- name: staging\n"
    "  gates: {verifiedIn: [production]}\n"
    "  units:\n"
    "  - name: app\n"
    "    source: {chart: app, values: [a.yaml, b.yaml], set: {a: \"1\", b: \"2\"}}\n"
    "    target: {kind: helm, namespace: web}\n"
    "    wait: {timeout: 2m}\n"
    "  - {name: web, needs: [app], source: {overlay: k8s, path: x}, target: {kind: gitops, branch: b}}\n"
    "  migrations:\n"
    "  - {name: main, schema: main, image: team/backend, command: [up], retry: {attempts: 6, initial: 1s}}\n"
    "  verify: [{http: {url: \"http://s\"}}]\n"
    "- name: third\n"
    "  extends: production\n"
    "  verify: [{http: {url: \"http://t\"}}, {http: {url: \"http://u\"}}]\n";

static void an_heir_has_what_it_does_not_say(void **state)
{
    (void)state;
    gs_release *release = good_release(inherited);
    const gs_environment_spec *p = gs_release_environment(release, "production");
    assert_string_equal(p->extends, "staging");
    assert_int_equal(p->gates.verified_in.count, 0);
    assert_int_equal(p->units.count, 3);
    const gs_unit_spec *app = &p->units.items[0], *web = &p->units.items[1], *extra = &p->units.items[2];
    assert_string_equal(app->name, "app");
    assert_string_equal(app->source.chart, "app");
    assert_int_equal(app->source.values.count, 1); /* lists of other things are replaced */
    assert_string_equal(app->source.values.items[0], "prod.yaml");
    assert_int_equal(app->source.set.count, 2);
    assert_int_equal(app->target.kind, GS_TARGET_HELM);
    assert_int_equal(app->wait.timeout, 120000);
    assert_string_equal(web->name, "web");
    assert_int_equal(web->needs.count, 1);
    assert_null(web->source.overlay); /* a source that names its kind replaces the inherited one */
    assert_null(web->source.path);
    assert_string_equal(web->source.manifests, "web");
    assert_null(web->target.branch);
    assert_string_equal(extra->name, "extra");
    assert_int_equal(p->migrations.count, 1);
    assert_string_equal(p->migrations.items[0].command.items[0], "up");
    assert_int_equal(p->migrations.items[0].retry.attempts, 9);
    assert_int_equal(p->migrations.items[0].retry.initial, 1000);
    assert_int_equal(p->migrations.items[0].deadline, 600000);
    assert_string_equal(p->verify.items[0].http->url, "http://s");
    gs_release_free(release);
}

static void inheritance_goes_on(void **state)
{
    (void)state;
    gs_release *release = good_release(inherited);
    const gs_environment_spec *third = gs_release_environment(release, "third");
    assert_int_equal(third->units.count, 3);
    assert_string_equal(third->units.items[0].source.values.items[0], "prod.yaml");
    assert_int_equal(third->verify.count, 2);
    const gs_environment_spec *staging = gs_release_environment(release, "staging");
    assert_int_equal(staging->units.count, 2);
    assert_int_equal(staging->units.items[0].source.values.count, 2);
    assert_string_equal(gs_release_environment(release, "third")->migrations.items[0].name, "main");
    assert_null(gs_release_environment(release, "fourth"));
    gs_release_free(release);
}

#define EXTENDING(heirs) HEAD CONTENTS "environments:\n- {name: base, units: [" UNIT "]}\n" heirs

static const bad_input bad[] = {
    {EXTENDING("- {name: b, extends: bas}\n"), "release.yaml:9:22", "there is no environment \"bas\" to extend"},
    {EXTENDING("- {name: b, extends: c}\n- {name: c, extends: b}\n"), "release.yaml:9:22",
     "the environments extend each other in a circle"},
    {EXTENDING("- {name: b, extends: b}\n"), "release.yaml:9:22", "the environments extend each other in a circle"},
    {EXTENDING("- {name: b, extends: 7}\n"), "release.yaml:9:22", "\"extends\" is the number 7 here, not text",
     "write extends: \"7\""},
    {EXTENDING("- {name: b, extends: base, units: [{name: app, source: {vaules: [x]}}]}\n"), "release.yaml:9:57",
     "unknown key \"vaules\" in a unit's source", "did you mean \"values\"?"},
    {EXTENDING("- {name: b, extends: base, units: [{name: new, needs: [app]}]}\n"), "release.yaml:9:36",
     "\"source\" is missing in a unit"},
    {EXTENDING("- {name: b, extends: base, units: [{name: app}, {name: app}]}\n"), "release.yaml:9:49",
     "\"source\" is missing in a unit"},
    {EXTENDING("- {name: b, extends: base, units: [{name: app, target: {namespace: Web}}]}\n"), "release.yaml:9:68",
     "\"namespace\" is \"Web\" here, not a namespace: up to 63 lower-case letters, digits and, inside, '-'"},
    {EXTENDING("- {name: b, extends: base, gates: {verifiedIn: [c]}}\n"), "release.yaml:9:49",
     "\"c\" is no environment that stands before \"b\""},
};

static void mistakes_of_heirs_are_told_where_they_were_written(void **state)
{
    (void)state;
    assert_bad_releases(bad);
}

static void environments_are_counted(void **state)
{
    (void)state;
    gs_buf text;
    gs_buf_init(&text, 65536);
    gs_buf_add_text(&text, HEAD "environments:\n");
    for (int i = 0; i < 65; i++) {
        gs_buf_printf(&text, "- {name: e%d, extends: e%d}\n", i, i + 1);
    }
    const bad_input many = {gs_buf_text(&text), "release.yaml:5:1", "there are 65 environments; gapship takes up to 64",
                            .code = GS_ELIMIT};
    assert_bad_release(&many);
    gs_buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_heir_has_what_it_does_not_say),
        cmocka_unit_test(inheritance_goes_on),
        cmocka_unit_test(mistakes_of_heirs_are_told_where_they_were_written),
        cmocka_unit_test(environments_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
