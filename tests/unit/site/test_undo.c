/* Whether the database bears a rollback: every combination of what the older release runs on and what can be taken back. */
#include <stdlib.h>
#include <string.h>

#include "planning.h"

#define UNIT "  units: [{name: app, source: {manifests: k8s}, target: {kind: kubectl, namespace: shop}}]\n"
#define OLD                                                                                                                        \
    "metadata: {name: shop, version: \"1.0.0\", sequence: 1}\n"                                                                    \
    "images: [{from: \"example.com/shop:1\", as: shop}]\n"
#define NEWER                                                                                                                      \
    "metadata: {name: shop, version: \"3.0.0\", sequence: 3}\n"                                                                    \
    "images: [{from: \"example.com/shop:3\", as: shop}]\n"
#define STAGING "environments:\n- name: staging\n" UNIT
#define REVERSIBLE                                                                                                                 \
    "  migrations: [{name: main, schema: main, image: shop, command: [up], reversible: true, down: {command: [down, "              \
    "\"${schema.from}\"]}}]\n"
#define IRREVERSIBLE "  migrations: [{name: main, schema: main, image: shop, command: [up]}]\n"

#define TAIL "staging/apply/app\nstaging/wait/app\nstaging/record\n"
#define SKIP "staging/load\nstaging/migrate/main (skipped)\n" TAIL
#define DOWN "staging/load\nstaging/down/main -> 0003\nstaging/migrate/main (skipped)\n" TAIL

typedef struct undo_case {
    const char *why;
    const char *old_schema; /* "schemas: …" line of the older release */
    const char *old_migration;
    const char *newer_schema;
    const char *newer_migration;
    const char *recorded; /* revision in the ledger, or NULL */
    char old_image, newer_image;
    const char *plan; /* or NULL: refused */
    const char *refusal;
} undo_case;

static const undo_case cases[] = {
    {.why = "the older release declares that it runs on the newer revision",
     .old_schema = "schemas: {main: {from: \"0002\", to: \"0003\", appMin: \"0002\", appMax: \"0004\"}}\n",
     .old_migration = IRREVERSIBLE,
     .newer_schema = "schemas: {main: {from: \"0003\", to: \"0004\"}}\n",
     .newer_migration = IRREVERSIBLE,
     .plan = SKIP},
    {.why = "the revision did not change",
     .old_schema = "schemas: {main: {from: \"0002\", to: \"0003\"}}\n",
     .old_migration = IRREVERSIBLE,
     .newer_schema = "schemas: {main: {from: \"0002\", to: \"0003\"}}\n",
     .newer_migration = IRREVERSIBLE,
     .plan = SKIP},
    {.why = "out of range, and every migration can be taken back",
     .old_schema = "schemas: {main: {from: \"0002\", to: \"0003\"}}\n",
     .old_migration = IRREVERSIBLE,
     .newer_schema = "schemas: {main: {from: \"0003\", to: \"0004\"}}\n",
     .newer_migration = REVERSIBLE,
     .plan = DOWN},
    {.why = "out of range and not reversible",
     .old_schema = "schemas: {main: {from: \"0002\", to: \"0003\"}}\n",
     .old_migration = IRREVERSIBLE,
     .newer_schema = "schemas: {main: {from: \"0003\", to: \"0004\"}}\n",
     .newer_migration = IRREVERSIBLE,
     .refusal = "migration 'main' of shop 3.0.0 cannot be undone: schema 'main' is at 0004, and shop 1.0.0 runs on 0002 to 0003"},
    {.why = "what the ledger says beats what the newer release declares: a rollback left the database further on",
     .old_schema = "schemas: {main: {from: \"0002\", to: \"0003\", appMin: \"0002\", appMax: \"0004\"}}\n",
     .old_migration = IRREVERSIBLE,
     .newer_schema = "schemas: {main: {from: \"0003\", to: \"0004\"}}\n",
     .newer_migration = IRREVERSIBLE,
     .recorded = "0005",
     .refusal = "schema 'main' is at 0005"},
    {.why = "and it may be further back: down ran already",
     .old_schema = "schemas: {main: {from: \"0002\", to: \"0003\"}}\n",
     .old_migration = IRREVERSIBLE,
     .newer_schema = "schemas: {main: {from: \"0003\", to: \"0004\"}}\n",
     .newer_migration = REVERSIBLE,
     .recorded = "0003",
     .plan = SKIP},
    {.why = "left behind by a release that is newer than the one that runs, whose own way back does not know it",
     .old_schema = "schemas: {main: {from: \"0002\", to: \"0003\"}}\n",
     .old_migration = IRREVERSIBLE,
     .newer_schema = "schemas: {main: {from: \"0003\", to: \"0004\"}}\n",
     .newer_migration = REVERSIBLE,
     .recorded = "0005",
     .refusal = "shop 3.0.0, which runs there now, cannot take back what it does not know"},
    {.why = "the older release does not know the schema",
     .old_schema = "",
     .old_migration = "",
     .newer_schema = "schemas: {main: {from: \"0001\", to: \"0004\"}}\n",
     .newer_migration = IRREVERSIBLE,
     .plan = "staging/load\n" TAIL},
    {.why = "a schema that a chart's own hook moves: nothing here can take it back",
     .old_schema = "schemas: {main: {from: \"0002\", to: \"0003\"}}\n",
     .old_migration = "",
     .newer_schema = "schemas: {main: {from: \"0003\", to: \"0004\"}}\n",
     .newer_migration = "",
     .refusal = "no migration of shop 3.0.0 takes it back"},
    {.why = "without a schema, the same command in the same image",
     .old_schema = "",
     .old_migration = "  migrations: [{name: main, image: shop, command: [up]}]\n",
     .newer_schema = "",
     .newer_migration = "  migrations: [{name: main, image: shop, command: [up]}]\n",
     .old_image = 'c',
     .newer_image = 'c',
     .plan = SKIP},
    {.why = "without a schema, the same command in another image",
     .old_schema = "",
     .old_migration = "  migrations: [{name: main, image: shop, command: [up]}]\n",
     .newer_schema = "",
     .newer_migration = "  migrations: [{name: main, image: shop, command: [up]}]\n",
     .refusal = "migration 'main' of shop 3.0.0 cannot be undone: it is not reversible, and it names no schema"},
    {.why = "without a schema, another command in the same image",
     .old_schema = "",
     .old_migration = "  migrations: [{name: main, image: shop, command: [up]}]\n",
     .newer_schema = "",
     .newer_migration = "  migrations: [{name: main, image: shop, command: [up, --all]}]\n",
     .old_image = 'c',
     .newer_image = 'c',
     .refusal = "it is not reversible"},
    {.why = "without a schema, reversible",
     .old_schema = "",
     .old_migration = "",
     .newer_schema = "",
     .newer_migration = "  migrations: [{name: main, image: shop, command: [up], reversible: true, down: {command: [down]}}]\n",
     .plan = "staging/load\nstaging/down/main\n" TAIL},
};

typedef struct pair {
    planned old, newer;
    gs_site *site;
    gs_plan_past past[1];
    gs_plan_request request;
} pair;

static void pair_init(pair *p, const char *old, char old_image, const char *newer, char newer_image)
{
    *p = (pair){.site = test_site()};
    planned_init(&p->old, old, old_image);
    planned_init(&p->newer, newer, newer_image);
    p->past[0].environment = "staging";
    past_runs(&p->past[0], &p->newer);
    p->request = (gs_plan_request){
        .contents = &p->old.contents, .bundle = &p->old.digest, .site = p->site, .past = p->past, .rollback = true};
}

static void pair_done(pair *p)
{
    planned_done(&p->old);
    planned_done(&p->newer);
    gs_site_free(p->site);
}

static void check_case(const undo_case *c)
{
    gs_error err = {0};
    gs_arena *arena = gs_arena_new();
    const char *old = gs_arena_printf(arena, OLD "%s" STAGING "%s", c->old_schema, c->old_migration);
    const char *newer = gs_arena_printf(arena, NEWER "%s" STAGING "%s", c->newer_schema, c->newer_migration);
    pair p;
    pair_init(&p, old, c->old_image ? c->old_image : 'a', newer, c->newer_image ? c->newer_image : 'b');
    gs_text_pair revision = {"main", c->recorded};
    if (c->recorded) {
        p.past[0].revisions = (gs_text_map){.items = &revision, .count = 1};
    }
    int code = 0;
    char *text = plan_text(&p.request, &code, &err);
    if (c->plan && (!text || strcmp(text, c->plan) != 0)) {
        fail_msg("%s: got\n%s%s", c->why, text ? text : "", err.message);
    }
    if (c->refusal) {
        if (text) {
            fail_msg("%s: not refused:\n%s", c->why, text);
        }
        assert_fails(&err, GS_EROLLBACK_REFUSED, c->refusal, code);
    }
    free(text);
    pair_done(&p);
    gs_arena_free(arena);
}

static void test_the_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        check_case(&cases[i]);
    }
}

/* Taken back in the opposite order: what ran last is undone first. */
static void test_down_steps_are_in_reverse(void **state)
{
    (void)state;
    static const char newer[] = NEWER STAGING
        "  migrations:\n"
        "  - {name: late, phase: post, image: shop, command: [a], reversible: true, down: {command: [d]}}\n"
        "  - {name: second, wave: 2, image: shop, command: [b], reversible: true, down: {command: [d]}}\n"
        "  - {name: first, wave: 1, image: shop, command: [c], reversible: true, down: {command: [d]}}\n";
    gs_error err = {0};
    pair p;
    pair_init(&p, OLD STAGING, 'a', newer, 'b');
    int code = 0;
    char *text = plan_text(&p.request, &code, &err);
    assert_ok(&err, code);
    assert_string_equal(text, "staging/load\nstaging/down/late\nstaging/down/second\nstaging/down/first\n" TAIL);
    free(text);
    pair_done(&p);
}

/* A bundle that ran between must be reversible too, unless the newest one's own way back leads all the way. */
static void test_bundles_between_count(void **state)
{
    (void)state;
    static const char old[] = OLD "schemas: {main: {from: \"0002\", to: \"0003\"}}\n" STAGING;
    static const char newer[] = NEWER "schemas: {main: {from: \"0004\", to: \"0005\"}}\n" STAGING REVERSIBLE;
    static const char between_bad[] = "metadata: {name: shop, version: \"2.0.0\", sequence: 2}\n"
                                      "images: [{from: \"example.com/shop:2\", as: shop}]\n"
                                      "schemas: {main: {from: \"0003\", to: \"0004\"}}\n" STAGING IRREVERSIBLE;
    static const char between_good[] = "metadata: {name: shop, version: \"2.0.0\", sequence: 2}\n"
                                       "images: [{from: \"example.com/shop:2\", as: shop}]\n"
                                       "schemas: {main: {from: \"0003\", to: \"0004\"}}\n" STAGING REVERSIBLE;
    gs_error err = {0};
    pair p;
    planned bad, good;
    pair_init(&p, old, 'a', newer, 'b');
    planned_init(&bad, between_bad, 'c');
    planned_init(&good, between_good, 'c');
    const gs_contents *between[] = {&bad.contents};
    p.past[0].between = between;
    p.past[0].between_count = 1;
    gs_plan *plan = NULL;
    assert_fails(&err, GS_EROLLBACK_REFUSED, "migration 'main' of shop 2.0.0", gs_plan_make(&p.request, &plan, &err));
    between[0] = NULL;
    assert_fails(&err, GS_EROLLBACK_REFUSED, "not kept", gs_plan_make(&p.request, &plan, &err));
    between[0] = &good.contents;
    int code = 0;
    char *text = plan_text(&p.request, &code, &err);
    assert_ok(&err, code);
    assert_string_equal(text, "staging/load\nstaging/down/main -> 0003\n" TAIL);
    free(text);
    planned_done(&bad);
    planned_done(&good);
    pair_done(&p);
}

static void test_a_bundle_that_is_not_kept_cannot_be_undone(void **state)
{
    (void)state;
    gs_error err = {0};
    pair p;
    pair_init(&p, OLD STAGING, 'a', NEWER STAGING, 'b');
    p.past[0].contents = NULL;
    gs_plan *plan = NULL;
    assert_fails(&err, GS_EROLLBACK_REFUSED, "is not kept", gs_plan_make(&p.request, &plan, &err));
    pair_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_rule),
        cmocka_unit_test(test_down_steps_are_in_reverse),
        cmocka_unit_test(test_bundles_between_count),
        cmocka_unit_test(test_a_bundle_that_is_not_kept_cannot_be_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
