/* A release as a whole: every key read, and written as JSON that reads back the same. */
#include "release_support.h"

#include "gapship/limits.h"

static const char whole[] =
    "apiVersion: gapship/v1\n"
    "kind: Release\n"
    "metadata: {name: infrahub, version: \"1.2.3\", sequence: 42, epoch: 1, securityFloor: 40, freshFor: 90d, notes: "
    "CHANGELOG.md}\n"
    "source: {repo: ., commit: auto, ref: auto, allowDirty: true}\n"
    "requires: {upgradesFrom: \">=1.1.0\", kubernetes: \">=1.27\", tools: {kubectl: \">=1.22\", helm: \">=3.14\"}}\n"
    "images:\n"
    "- {from: \"ghcr.io/org/backend:e5c2216\", as: infrahub/backend, platforms: [linux/amd64, linux/arm64]}\n"
    "charts:\n"
    "- {name: infrahub, from: src/helm}\n"
    "overlays:\n"
    "- {name: dex, from: infra/argocd, git: {url: \"https://git.example/dex.git\", ref: v1.2.3}}\n"
    "files:\n"
    "- {name: runbook, from: docs/RUNBOOK.md}\n"
    "ignoreImages: [\"example.com/only-mentioned-in-a-comment:1\"]\n"
    "schemas:\n"
    "  main: {tool: alembic, from: \"0003_servers\", to: \"0004_audit\", appMin: \"0003_servers\", appMax: \"0004_audit\", "
    "toleratesFuture: true}\n"
    "inputs:\n"
    "- {name: LDAP_HOST, type: string, required: true, description: \"host: the directory\"}\n"
    "- {name: DB_URL, sensitive: true}\n"
    "- {name: PORT, type: integer, default: 636}\n"
    "- {name: TLS, type: boolean, default: true}\n"
    "invariants: [{sameDigest: [staging, production]}]\n"
    "environments:\n"
    "- name: staging\n"
    "  units:\n"
    "  - name: app\n"
    "    needs: [base]\n"
    "    source: {chart: infrahub, values: [values-staging.yaml], set: {a.b: \"1\"}, imageValues: {backend.image: "
    "infrahub/backend}}\n"
    "    target: {kind: helm, release: infrahub, namespace: infrahub-system}\n"
    "    hooks: extract\n"
    "    wait: {timeout: 120s, stable: 10s}\n"
    "  - name: base\n"
    "    source: {overlay: dex, path: overlays/stage}\n"
    "    target: {kind: gitops, repository: deploy, branch: dev, path: infra, message: \"m ${tag.infrahub/backend}\", "
    "rollbackMessage: \"r\",\n"
    "             preserve: [values.yaml], shared: true}\n"
    "  migrations:\n"
    "  - {name: main, schema: main, phase: post, wave: -5, image: infrahub/backend, command: [alembic, upgrade, head], envFrom: "
    "[infrahub-db],\n"
    "     env: {A: \"${input.LDAP_HOST}\"}, namespace: db, serviceAccount: migrator,\n"
    "     retry: {attempts: 6, initial: 3s, factor: 3, max: 30s}, deadline: 301s, reversible: true,\n"
    "     down: {command: [alembic, downgrade, \"${schema.from}\"]}}\n"
    "  verify:\n"
    "  - http: {url: \"http://app/health\", headers: {Accept: application/json}, expect: {status: 201, json: {status: ok, n: 1.50, "
    "v: \"${version}\"}},\n"
    "           retries: 11, every: 4s, timeout: 9s}\n"
    "- name: production\n"
    "  extends: staging\n"
    "  gates: {verifiedIn: [staging]}\n"
    "rollback: {keep: 5}\n";

static void every_key_is_read(void **state)
{
    (void)state;
    gs_release *r = good_release(whole);
    assert_string_equal(r->name, "infrahub");
    assert_string_equal(r->version, "1.2.3");
    assert_int_equal(r->sequence, 42);
    assert_int_equal(r->epoch, 1);
    assert_int_equal(r->security_floor, 40);
    assert_string_equal(r->fresh_for, "90d");
    assert_string_equal(r->notes, "CHANGELOG.md");
    assert_string_equal(r->requires.upgrades_from, ">=1.1.0");
    assert_string_equal(r->requires.tools.items[1].value, ">=3.14");
    assert_string_equal(r->images.items[0].platforms.items[1], "linux/arm64");
    assert_string_equal(r->overlays.items[0].git->ref, "v1.2.3");
    assert_string_equal(r->files.items[0].from, "docs/RUNBOOK.md");
    assert_string_equal(r->ignore_images.items[0], "example.com/only-mentioned-in-a-comment:1");
    assert_true(gs_release_schema(r, "main")->tolerates_future);
    assert_null(gs_release_schema(r, "other"));
    assert_string_equal(r->inputs.items[2].otherwise, "636");
    assert_int_equal(r->inputs.items[3].type, GS_INPUT_BOOLEAN);
    assert_int_equal(r->keep, 5);
    const gs_environment_spec *staging = gs_release_environment(r, "staging");
    assert_string_equal(staging->units.items[0].name, "base");
    assert_int_equal(staging->units.items[1].hooks, GS_HOOKS_EXTRACT);
    assert_int_equal(staging->migrations.items[0].phase, GS_PHASE_POST);
    assert_int_equal(staging->migrations.items[0].wave, -5);
    assert_int_equal(staging->migrations.items[0].retry.factor, 3);
    assert_string_equal(staging->migrations.items[0].down.items[2], "${schema.from}");
    const gs_http_check *http = staging->verify.items[0].http;
    assert_int_equal(http->status, 201);
    assert_string_equal(gs_node_text(http->json, "n"), "1.50");
    assert_int_equal(http->every, 4000);
    assert_int_equal(r->environments.items[1].gates.verified_in.count, 1);
    gs_release_free(r);
}

static void written(const gs_release *release, gs_buf *out)
{
    gs_error err = {0};
    gs_buf_init(out, GS_MIB(8));
    assert_ok(&err, gs_release_write(release, out, &err));
}

static void assert_reads_back(const char *text, size_t len, const char *name)
{
    gs_error err = {0};
    gs_release *first = NULL, *second = NULL;
    gs_buf once, twice;
    assert_ok(&err, gs_release_parse(name, text, len, &first, &err));
    written(first, &once);
    assert_ok(&err, gs_release_parse("release.json", once.data, once.len, &second, &err));
    written(second, &twice);
    assert_string_equal(gs_buf_text(&once), gs_buf_text(&twice));
    assert_int_equal(first->environments.count, second->environments.count);
    gs_release_free(first);
    gs_release_free(second);
    gs_buf_done(&once);
    gs_buf_done(&twice);
}

static void what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    assert_reads_back(whole, strlen(whole), "release.yaml");
    static const char *const examples[] = {"bundle-spec/examples/dex/release.yaml", "bundle-spec/examples/mirai/release.yaml"};
    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        gs_buf text;
        support_read_fixture(examples[i], &text);
        assert_reads_back(text.data, text.len, examples[i]);
        gs_buf_done(&text);
    }
}

static void the_resolved_release_extends_nothing(void **state)
{
    (void)state;
    gs_release *release = good_release(whole);
    gs_buf json;
    written(release, &json);
    assert_null(strstr(gs_buf_text(&json), "\"extends\""));
    assert_contains(gs_buf_text(&json), "\"default\": \"636\"");
    assert_contains(gs_buf_text(&json), "\"n\": 1.50");
    assert_string_equal(release->environments.items[1].extends, "staging");
    gs_buf_done(&json);
    gs_release_free(release);
}

/* JSON may hold what YAML would read otherwise. */
static void text_that_yaml_would_fold_survives(void **state)
{
    (void)state;
    gs_release *release = good_release(HEAD CHARTS "inputs: [{name: A, description: \"x\\u2028  y\\u0085 z\"}]\n" ENVIRONMENT);
    gs_buf json;
    gs_error err = {0};
    gs_release *again = NULL;
    written(release, &json);
    assert_ok(&err, gs_release_parse("release.json", json.data, json.len, &again, &err));
    assert_string_equal(again->inputs.items[0].description, "x\xe2\x80\xa8  y\xc2\x85 z");
    gs_release_free(again);
    gs_release_free(release);
    gs_buf_done(&json);
}

static void a_flow_map_is_still_yaml(void **state)
{
    (void)state;
    gs_release *release = good_release(
        " {apiVersion: gapship/v1, kind: Release, metadata: {name: demo, version: v1, sequence: 1},\n"
        "charts: [{name: app, from: c}],\n"
        "environments: [{name: a, units: [" UNIT "]}]}\n");
    assert_string_equal(release->version, "v1");
    gs_release_free(release);
}

static void sizes_are_bounded_on_both_ways(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_release *release = NULL;
    gs_buf text, json;
    gs_buf_init(&text, GS_MIB(2));
    gs_buf_add_text(&text, HEAD CHARTS "environments:\n- name: base\n  units:\n  - name: app\n    source: {chart: app, values: [");
    for (int i = 0; i < 40000; i++) {
        gs_buf_printf(&text, "values-%d.yaml, ", i);
    }
    gs_buf_add_text(&text, "x]}\n    target: {kind: helm, namespace: web}\n- {name: heir, extends: base}\n");
    assert_ok(&err, gs_release_parse("release.yaml", text.data, text.len, &release, &err));
    gs_buf_init(&json, GS_MIB(8));
    assert_fails(&err, GS_ELIMIT, "once every `extends` is resolved", gs_release_write(release, &json, &err));
    gs_buf_done(&json);
    gs_release_free(release);
    release = NULL;
    while (text.len <= GS_MAX_SPEC_BYTES) {
        gs_buf_add_text(&text, "# a comment that makes the file longer than it may be\n");
    }
    assert_fails(&err, GS_ELIMIT, "gapship reads up to 1048576",
                 gs_release_parse("release.yaml", text.data, text.len, &release, &err));
    assert_null(release);
    gs_buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(the_resolved_release_extends_nothing),
        cmocka_unit_test(text_that_yaml_would_fold_survives),
        cmocka_unit_test(a_flow_map_is_still_yaml),
        cmocka_unit_test(sizes_are_bounded_on_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
