/* The order of steps, as golden text: it is what the operator reads and what the site does. */
#include <stdlib.h>
#include <string.h>

#include "planning.h"

#define ONE_UNIT "  units: [{name: app, source: {manifests: k8s}, target: {kind: kubectl, namespace: shop}}]\n"

static const char two_environments[] =
    "metadata: {name: shop, version: \"1.2.0\", sequence: 2}\n"
    "requires: {upgradesFrom: \">=1.1.0\"}\n"
    "images: [{from: \"example.com/shop:1\", as: shop}]\n"
    "environments:\n"
    "- name: staging\n"
    "  units:\n"
    "  - {name: web, needs: [data], source: {manifests: web}, target: {kind: kubectl, namespace: shop}}\n"
    "  - {name: data, source: {manifests: data}, target: {kind: kubectl, namespace: shop}}\n"
    "  migrations:\n"
    "  - {name: legal, wave: -3, image: shop, command: [up]}\n"
    "  - {name: identity, wave: -5, image: shop, command: [up]}\n"
    "  - {name: auth, wave: -5, image: shop, command: [up]}\n"
    "  - {name: backfill, phase: post, image: shop, command: [fill]}\n"
    "  - {name: contract, phase: post, wave: -1, image: shop, command: [drop]}\n"
    "  verify:\n"
    "  - {http: {url: \"http://127.0.0.1:1/health\"}}\n"
    "  - {http: {url: \"http://127.0.0.1:1/ready\"}}\n"
    "- name: production\n"
    "  gates: {verifiedIn: [staging]}\n" ONE_UNIT;

#define STAGING_STEPS                                                                                                              \
    "staging/load\n"                                                                                                               \
    "staging/migrate/identity\n"                                                                                                   \
    "staging/migrate/auth\n"                                                                                                       \
    "staging/migrate/legal\n"                                                                                                      \
    "staging/apply/data\n"                                                                                                         \
    "staging/wait/data\n"                                                                                                          \
    "staging/apply/web\n"                                                                                                          \
    "staging/wait/web\n"                                                                                                           \
    "staging/migrate/contract\n"                                                                                                   \
    "staging/migrate/backfill\n"                                                                                                   \
    "staging/verify/1\n"                                                                                                           \
    "staging/verify/2\n"                                                                                                           \
    "staging/record\n"
#define PRODUCTION_STEPS                                                                                                           \
    "production/apply/app\n"                                                                                                       \
    "production/wait/app\n"                                                                                                        \
    "production/record\n"

typedef struct fixture {
    planned bundle;
    gs_site *site;
    gs_plan_past past[2];
    gs_plan_request request;
} fixture;

static int enter(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    planned_init(&f->bundle, two_environments, 'a');
    f->site = test_site();
    f->past[0].environment = "staging";
    f->past[1].environment = "production";
    f->request = (gs_plan_request){.contents = &f->bundle.contents, .bundle = &f->bundle.digest, .site = f->site, .past = f->past};
    *state = f;
    return 0;
}

static int leave(void **state)
{
    fixture *f = *state;
    planned_done(&f->bundle);
    gs_site_free(f->site);
    free(f);
    return 0;
}

static void assert_plan(const gs_plan_request *request, const char *expected)
{
    gs_error err = {0};
    int code = 0;
    char *text = plan_text(request, &code, &err);
    assert_ok(&err, code);
    assert_string_equal(text, expected);
    free(text);
}

static void assert_refused(const gs_plan_request *request, int expected, const char *part)
{
    gs_error err = {0};
    int code = 0;
    char *text = plan_text(request, &code, &err);
    assert_null(text);
    assert_fails(&err, expected, part, code);
}

static void test_environments_come_in_order_with_fixed_phases(void **state)
{
    fixture *f = *state;
    assert_plan(&f->request, STAGING_STEPS "production/gate\n" PRODUCTION_STEPS);
}

static void test_to_ends_the_line(void **state)
{
    fixture *f = *state;
    f->request.to = "staging";
    assert_plan(&f->request, STAGING_STEPS);
    f->request.to = "production";
    assert_plan(&f->request, STAGING_STEPS "production/gate\n" PRODUCTION_STEPS);
    f->request.to = "stageing";
    assert_refused(&f->request, GS_EUSAGE, "did you mean 'staging'");
}

/* What runs already is planned again: its steps prove themselves. */
static void test_a_rerun_has_the_same_plan(void **state)
{
    fixture *f = *state;
    past_runs(&f->past[0], &f->bundle);
    f->past[0].verified = true;
    assert_plan(&f->request, STAGING_STEPS "production/gate\n" PRODUCTION_STEPS);
}

static void test_a_gate_needs_its_environment_first(void **state)
{
    fixture *f = *state;
    f->request.only = "production";
    assert_refused(&f->request, GS_EGATE, "must first be verified in 'staging'");
    f->past[0].verified = true;
    assert_plan(&f->request, "production/gate\nproduction/load\n" PRODUCTION_STEPS);
}

static void test_an_environment_that_the_site_lacks(void **state)
{
    fixture *f = *state;
    f->site->environments.count = 3; /* without production */
    assert_refused(&f->request, GS_ECHECK, "does not configure the environment 'production'");
    f->request.to = "staging";
    assert_plan(&f->request, STAGING_STEPS);
}

static void test_upgrades_from(void **state)
{
    fixture *f = *state;
    planned old;
    planned_init(&old, "metadata: {name: shop, version: \"1.0.9\", sequence: 1}\nenvironments:\n- name: staging\n" ONE_UNIT, 'b');
    past_runs(&f->past[1], &old);
    assert_refused(&f->request, GS_ECHECK, "upgrades from versions >=1.1.0, and 1.0.9 runs here");
    f->past[1].version = "1.1.0";
    assert_plan(&f->request, STAGING_STEPS "production/gate\n" PRODUCTION_STEPS);
    planned_done(&old);
}

/* Each environment has its own way up: what one runs decides for it alone, and nothing is planned when one cannot. */
static void test_the_edges_of_upgrade_paths(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *from, *runs; /* runs NULL: nothing */
        int code;
    } cases[] = {
        {">=1.1.0", NULL, 0},
        {">=1.1.0", "1.1.0", 0},
        {">=1.1.0", "v1.1.0", 0},
        {">=1.1.0", "1.0.99", GS_ECHECK},
        {">=1.1.0", "1.1.0-rc.1", GS_ECHECK}, /* before the release it leads to */
        {">=1.1.0 <1.2.0", "1.1.9", 0},
        {">=1.1.0,<1.2.0", "1.2.0-rc.1", 0},
        {">=1.1.0 <1.2.0", "1.2.0", GS_ECHECK},
        {"<1.1.0", "1.1.0", GS_ECHECK},
        {"<=1.1.0", "1.1.0", 0},
        {"=1.1.0", "1.1.0", 0},
        {"=1.1.0", "1.1.1", GS_ECHECK},
        {">1.1.0", "1.1.0", GS_ECHECK},
        {">=1.9", "1.10", 0}, /* numbers, not text */
        {">=1.10", "1.9", GS_ECHECK},
        {"1.1.0", "1.1.0", GS_ESPEC},
    };
    planned old;
    planned_init(&old, "metadata: {name: shop, version: \"1.0.0\", sequence: 1}\nenvironments:\n- name: staging\n" ONE_UNIT, 'b');
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        f->bundle.contents.release->requires.upgrades_from = cases[i].from;
        f->request.to = NULL;
        f->past[1] = (gs_plan_past){.environment = "production"};
        if (cases[i].runs) {
            past_runs(&f->past[1], &old);
            f->past[1].version = cases[i].runs;
        }
        if (cases[i].code == 0) {
            assert_plan(&f->request, STAGING_STEPS "production/gate\n" PRODUCTION_STEPS);
        } else {
            assert_refused(&f->request, cases[i].code, cases[i].code == GS_ESPEC ? "not a version constraint" : "production");
            f->request.to = "staging"; /* where nothing runs yet */
            assert_plan(&f->request, STAGING_STEPS);
        }
    }
    /* What runs already needs no way up, and a rollback goes down. */
    f->request.to = NULL;
    f->bundle.contents.release->requires.upgrades_from = ">=9";
    past_runs(&f->past[1], &f->bundle);
    assert_plan(&f->request, STAGING_STEPS "production/gate\n" PRODUCTION_STEPS);
    planned newer;
    planned_init(&newer, "metadata: {name: shop, version: \"1.3.0\", sequence: 3}\nenvironments:\n- name: production\n" ONE_UNIT,
                 'c');
    past_runs(&f->past[1], &newer);
    f->request.rollback = true;
    f->past[0].verified = true;
    assert_plan(&f->request, "production/gate\nproduction/load\n" PRODUCTION_STEPS);
    planned_done(&newer);
    planned_done(&old);
}

static void test_an_install_never_goes_back(void **state)
{
    fixture *f = *state;
    planned newer;
    planned_init(&newer, "metadata: {name: shop, version: \"1.3.0\", sequence: 3}\nenvironments:\n- name: staging\n" ONE_UNIT, 'b');
    past_runs(&f->past[1], &newer);
    assert_refused(&f->request, GS_EDOWNGRADE, "gapship rollback --to 1.2.0");
    f->request.to = "staging"; /* production is not asked for */
    assert_plan(&f->request, STAGING_STEPS);
    planned_done(&newer);
}

/* A rollback leaves alone what runs nothing newer. */
static void test_a_rollback_touches_only_what_is_newer(void **state)
{
    fixture *f = *state;
    planned newer;
    planned_init(&newer,
                 "metadata: {name: shop, version: \"1.3.0\", sequence: 3}\nenvironments:\n- name: staging\n" ONE_UNIT
                 "- name: production\n" ONE_UNIT,
                 'b');
    f->request.rollback = true;
    assert_plan(&f->request, "");
    past_runs(&f->past[1], &newer);
    f->past[0].verified = true;
    assert_plan(&f->request, "production/gate\nproduction/load\n" PRODUCTION_STEPS);
    past_runs(&f->past[0], &newer);
    f->request.only = "production";
    assert_plan(&f->request, "production/gate\nproduction/load\n" PRODUCTION_STEPS);
    planned_done(&newer);
}

/* All that a rollback runs of the older release is its units: its migrations are listed as skipped, and say why. */
static void test_a_rollback_runs_no_older_migration(void **state)
{
    fixture *f = *state;
    planned newer;
    planned_init(&newer, "metadata: {name: shop, version: \"1.3.0\", sequence: 3}\nenvironments:\n- name: staging\n" ONE_UNIT, 'b');
    past_runs(&f->past[0], &newer);
    f->request.rollback = true;
    assert_plan(&f->request, "staging/load\n"
                             "staging/migrate/identity (skipped)\n"
                             "staging/migrate/auth (skipped)\n"
                             "staging/migrate/legal (skipped)\n"
                             "staging/apply/data\n"
                             "staging/wait/data\n"
                             "staging/apply/web\n"
                             "staging/wait/web\n"
                             "staging/migrate/contract (skipped)\n"
                             "staging/migrate/backfill (skipped)\n"
                             "staging/verify/1\n"
                             "staging/verify/2\n"
                             "staging/record\n");
    planned_done(&newer);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, enter, leave)
    const struct CMUnitTest tests[] = {
        T(test_environments_come_in_order_with_fixed_phases),
        T(test_to_ends_the_line),
        T(test_a_rerun_has_the_same_plan),
        T(test_a_gate_needs_its_environment_first),
        T(test_an_environment_that_the_site_lacks),
        T(test_upgrades_from),
        T(test_the_edges_of_upgrade_paths),
        T(test_an_install_never_goes_back),
        T(test_a_rollback_touches_only_what_is_newer),
        T(test_a_rollback_runs_no_older_migration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
