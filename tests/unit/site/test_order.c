/* The order of bundles and the clock at a whole site: real bundles, the real store and ledger, a clock that is what a test says. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/ceremony.h"
#include "gapship/install.h"
#include "sample.h"
#include "support.h"

#define DAY   INT64_C(86400)
#define YEAR  (365 * DAY)
#define TODAY INT64_C(2208988800) /* 2040-01-01: later than any gapship that runs this was built */

static int64_t clock_says;

static int64_t read_clock(void)
{
    return clock_says;
}

/* A site that trusts the first key of the sample for bundles, and the second for roots. */
typedef struct world {
    gs_tempdir dir;
    sample bundle;
    gs_arena *arena;
    const char *site_file;
    gs_buf told;        /* names of the events, each between spaces */
    const char *permit; /* given to the imports, or NULL */
} world;

static void hear(void *state, const gs_event *event)
{
    world *w = state;
    gs_buf_printf(&w->told, " %s ", event->name);
}

static bool was_told(const world *w, const char *name)
{
    char word[64];
    (void)snprintf(word, sizeof word, " %s ", name);
    return w->told.len > 0 && strstr(gs_buf_text((gs_buf *)&w->told), word);
}

static gs_run run_of(world *w)
{
    return (gs_run){.emit = hear, .state = w, .clock = read_clock, .jobs = 1};
}

/* How site.yaml judges age: a line, or "". */
static void set_policy(world *w, const char *line)
{
    gs_error err = {0};
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MIB(1));
    gs_buf_printf(&text,
                  "apiVersion: gapship/v1\nkind: Site\nname: plant-7\nstore: store\ntrust: {root: trust/root.json}\n"
                  "registry: {embedded: {listen: \"127.0.0.1:5000\"}}\n%s\n",
                  line);
    assert_ok(&err, gs_fs_write_file(w->dir.fd, "site/site.yaml", text.data, text.len, 0644, &err));
}

static void write_root(world *w, int64_t expires)
{
    gs_error err = {0};
    GS_AUTO_TRUST gs_trust *trust = NULL;
    GS_AUTO_BUF gs_buf text;
    const gs_public_key *const release[] = {w->bundle.public[0]};
    const gs_public_key *const root[] = {w->bundle.public[1]};
    const gs_trust_draft draft = {.version = 1,
                                  .epoch = 3,
                                  .expires = expires,
                                  .roles = {[GS_ROLE_ROOT] = {.keys = root, .count = 1, .threshold = 1},
                                            [GS_ROLE_RELEASE] = {.keys = release, .count = 1, .threshold = 1}}};
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    assert_ok(&err, gs_trust_make(&draft, &trust, &err));
    assert_ok(&err, gs_trust_write(trust, &text, &err));
    assert_ok(&err, gs_fs_write_file(w->dir.fd, "root.json", text.data, text.len, 0644, &err));
}

static void make_world(world *w, int64_t root_expires)
{
    gs_error err = {0};
    gs_digest fingerprint;
    w->dir = (gs_tempdir)GS_TEMPDIR_INIT;
    assert_ok(&err, gs_tempdir_make(&w->dir, &err));
    w->arena = gs_arena_new();
    gs_buf_init(&w->told, GS_MIB(1));
    sample_init(&w->bundle, &w->dir, sample_sizes);
    clock_says = TODAY;
    write_root(w, root_expires);
    const gs_run run = run_of(w);
    assert_ok(&err, gs_site_create(&run, gs_arena_printf(w->arena, "%s/site", w->dir.path),
                                   gs_arena_printf(w->arena, "%s/root.json", w->dir.path), &fingerprint, &err));
    w->site_file = gs_arena_printf(w->arena, "%s/site/site.yaml", w->dir.path);
    set_policy(w, "");
}

static int enter(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    make_world(w, 0);
    *state = w;
    return 0;
}

static int enter_with_a_root_that_expires(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    make_world(w, TODAY + YEAR);
    *state = w;
    return 0;
}

static int leave(void **state)
{
    world *w = *state;
    sample_done(&w->bundle);
    gs_buf_done(&w->told);
    gs_arena_free(w->arena);
    gs_tempdir_done(&w->dir);
    free(w);
    return 0;
}

/* What a test says of the bundle that comes; the rest is as sample_init made it. */
typedef struct said {
    uint64_t epoch, sequence, floor;
    int64_t issued_at; /* 0: TODAY */
    int64_t fresh_until;
    const char *product; /* NULL: demo */
    const char *lock;    /* what is in it; NULL: nothing */
} said;

/* Makes the bundle, signed by the release key. */
static void build(world *w, said s)
{
    gs_error err = {0};
    gs_statement *statement = &w->bundle.plan.statement;
    statement->product = s.product ? s.product : "demo";
    statement->version = gs_arena_printf(w->arena, "%d.%d", (int)s.epoch, (int)s.sequence);
    statement->epoch = s.epoch;
    statement->sequence = s.sequence;
    statement->security_floor = s.floor;
    statement->issued_at = s.issued_at != 0 ? s.issued_at : TODAY;
    statement->fresh_until = s.fresh_until;
    sample_release(&w->bundle, s.lock ? s.lock : "", "");
    assert_ok(&err, gs_fs_remove(w->dir.fd, "demo.gapship", &err));
    sample_write(&w->bundle, 1);
}

static int import_it(world *w, bool *first, gs_error *err)
{
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    gs_node *result = NULL;
    const gs_run run = run_of(w);
    gs_buf_clear(&w->told);
    int code = gs_installation_open(&run, w->site_file, true, &site, err);
    if (code == 0 && w->permit) {
        code = gs_installation_permit(site, w->permit, err);
    }
    if (code == 0) {
        code = gs_import(site, w->bundle.path, w->arena, &result, err);
    }
    if (code == 0 && first) {
        *first = gs_node_bool(result, "new");
    }
    return code;
}

static void assert_taken(world *w, said s)
{
    gs_error err = {0};
    bool first = false;
    build(w, s);
    assert_ok(&err, import_it(w, &first, &err));
    assert_true(first);
}

static void assert_known(world *w, said s)
{
    gs_error err = {0};
    bool first = true;
    build(w, s);
    assert_ok(&err, import_it(w, &first, &err));
    assert_false(first);
}

static void assert_refused(world *w, said s, int code, const char *text)
{
    gs_error err = {0};
    build(w, s);
    assert_fails(&err, code, text, import_it(w, NULL, &err));
}

static size_t count_rows(world *w, gs_entry_kind kind)
{
    gs_error err = {0};
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    const gs_run run = run_of(w);
    const gs_ledger_filter filter = {.kind = kind};
    gs_entry *rows = NULL;
    size_t count = 0;
    assert_ok(&err, gs_installation_open(&run, w->site_file, true, &site, &err));
    assert_ok(&err, gs_ledger_check(site->ledger, NULL, &err));
    assert_ok(&err, gs_ledger_read(site->ledger, &filter, w->arena, &rows, &count, &err));
    return count;
}

/* ---- order ---- */

/* Sequences 1 to 8 exist; the site takes every second one. After each upgrade all older ones come again. */
static void test_every_older_bundle_after_every_upgrade(void **state)
{
    world *w = *state;
    size_t refused = 0;
    for (uint64_t top = 2; top <= 8; top += 2) {
        assert_taken(w, (said){.sequence = top});
        for (uint64_t old = 1; old < top; old++) {
            if (old % 2 == 0) {
                assert_known(w, (said){.sequence = old});
            } else {
                assert_refused(w, (said){.sequence = old}, GS_EDOWNGRADE, "is older than 0.");
                refused++;
            }
        }
        assert_known(w, (said){.sequence = top});
        assert_refused(w, (said){.sequence = top, .issued_at = TODAY - 1}, GS_EDOWNGRADE, "two different bundles claim to be demo");
        assert_refused(w, (said){.sequence = top - 1, .issued_at = TODAY - 1}, GS_EDOWNGRADE, "is older than");
        refused += 2;
    }
    assert_int_equal(count_rows(w, GS_ENTRY_ACCEPTED), 4);
    assert_int_equal(count_rows(w, GS_ENTRY_REFUSED), refused);
}

static void test_epochs(void **state)
{
    world *w = *state;
    assert_taken(w, (said){.epoch = 1, .sequence = 900});
    assert_taken(w, (said){.epoch = 2, .sequence = 1});
    assert_refused(w, (said){.epoch = 1, .sequence = 901}, GS_EDOWNGRADE, "is older than 2.1");
    assert_refused(w, (said){.epoch = 4, .sequence = 1}, GS_EDOWNGRADE, "is of epoch 4, and the trust root of epoch 3");
    assert_taken(w, (said){.epoch = 3, .sequence = 1});
}

static void test_a_floor_only_grows(void **state)
{
    world *w = *state;
    assert_taken(w, (said){.sequence = 10});
    assert_taken(w, (said){.sequence = 20, .floor = 15});
    assert_refused(w, (said){.sequence = 10}, GS_EDOWNGRADE, "is below the security floor 15 that version 0.20 set");
    assert_taken(w, (said){.sequence = 30, .floor = 2}); /* a lower one takes nothing back */
    assert_refused(w, (said){.sequence = 10}, GS_EDOWNGRADE, "is below the security floor 15");
    assert_refused(w, (said){.sequence = 14}, GS_EDOWNGRADE, "is below the security floor 15");
    assert_known(w, (said){.sequence = 20, .floor = 15});
}

static void test_products_do_not_meet(void **state)
{
    world *w = *state;
    assert_taken(w, (said){.sequence = 20, .floor = 20});
    assert_taken(w, (said){.sequence = 1, .product = "other"});
}

/* What could never be installed takes no place that its correction would want. */
static void test_an_incomplete_bundle_takes_no_place(void **state)
{
    world *w = *state;
    const said less = {.sequence = 1,
                       .lock = ",\"charts\":[{\"name\":\"shop\",\"from\":\"c\",\"size\":1,\"digest\":"
                               "\"sha256:1111111111111111111111111111111111111111111111111111111111111111\"}]"};
    assert_refused(w, less, GS_EFORMAT, "the chart shop of the lock is not in the bundle");
    assert_int_equal(count_rows(w, GS_ENTRY_REFUSED), 1);
    assert_taken(w, (said){.sequence = 1});
}

static void test_a_jump_is_told(void **state)
{
    world *w = *state;
    assert_taken(w, (said){.sequence = 1});
    assert_taken(w, (said){.sequence = 1000001});
    assert_false(was_told(w, "sequenceJump"));
    assert_taken(w, (said){.sequence = 2000002});
    assert_true(was_told(w, "sequenceJump"));
    assert_refused(w, (said){.sequence = 1000002}, GS_EDOWNGRADE, "is older than"); /* so it mattered */
    assert_taken(w, (said){.epoch = 1, .sequence = 9007199254740991});
    assert_false(was_told(w, "sequenceJump"));
}

/* ---- permits ---- */

/* For the bundle that was built last. */
static void permit(world *w, const char *below, const char *site, size_t key)
{
    gs_error err = {0};
    GS_AUTO_BUF gs_buf pem;
    gs_permit made;
    gs_buf_init(&pem, GS_MAX_KEY_FILE_BYTES);
    assert_ok(&err, gs_private_key_pem(w->bundle.private[key], &pem, &err));
    assert_ok(&err, gs_fs_write_file(w->dir.fd, "signer.key", pem.data, pem.len, 0600, &err));
    assert_ok(&err, gs_fs_remove(w->dir.fd, "a.permit", &err));
    const char *const keys[] = {gs_arena_printf(w->arena, "%s/signer.key", w->dir.path)};
    w->permit = gs_arena_printf(w->arena, "%s/a.permit", w->dir.path);
    const gs_permit_options options = {.bundle = w->bundle.path,
                                       .site = site,
                                       .below = below,
                                       .reason = "a test",
                                       .lasts = "10d",
                                       .keys = keys,
                                       .key_count = 1,
                                       .output = w->permit};
    const gs_run run = run_of(w);
    assert_ok(&err, gs_permit_make(&run, &options, w->arena, &made, &err));
}

static void test_a_permit_lets_one_bundle_in(void **state)
{
    world *w = *state;
    const said old = {.sequence = 5};
    assert_taken(w, (said){.sequence = 10});
    assert_refused(w, old, GS_EDOWNGRADE, "is older than 0.10");
    permit(w, "0.10", "plant-7", 0);
    assert_refused(w, (said){.sequence = 6}, GS_EDOWNGRADE, "the permit does not help: it is for the bundle sha256:");
    assert_refused(w, (said){.sequence = 10, .issued_at = TODAY + 1}, GS_EDOWNGRADE, "two different bundles");
    assert_taken(w, old);
    assert_int_equal(count_rows(w, GS_ENTRY_ACCEPTED), 2);
    w->permit = NULL;
    assert_known(w, old);
    assert_refused(w, (said){.sequence = 6}, GS_EDOWNGRADE, "is older than 0.10"); /* the highest is what it was */
    assert_refused(w, (said){.sequence = 4}, GS_EDOWNGRADE, "is older than 0.10");
    assert_taken(w, (said){.sequence = 11});
}

static void test_permits_that_do_not_count(void **state)
{
    world *w = *state;
    const said old = {.sequence = 5};
    assert_taken(w, (said){.sequence = 10});
    build(w, old);
    permit(w, "0.10", "plant-8", 0);
    assert_refused(w, old, GS_EDOWNGRADE, "it is for the site plant-8, and this is plant-7");
    permit(w, "0.9", NULL, 0);
    assert_refused(w, old, GS_EDOWNGRADE, "it counts up to epoch 0, sequence 9, and this site has gone on since");
    build(w, (said){.sequence = 5, .product = "other"});
    permit(w, "0.10", NULL, 0);
    assert_refused(w, old, GS_EDOWNGRADE, "it is for the product other");
    /* a permit that is good for now, kept for later */
    build(w, old);
    permit(w, "0.10", NULL, 0);
    assert_taken(w, (said){.sequence = 11});
    assert_refused(w, old, GS_EDOWNGRADE, "this site has gone on since");
    assert_int_equal(count_rows(w, GS_ENTRY_ACCEPTED), 2);
}

static void test_below_the_floor_the_root_alone_permits(void **state)
{
    world *w = *state;
    const said old = {.sequence = 5};
    assert_taken(w, (said){.sequence = 10, .floor = 8});
    build(w, old);
    permit(w, "0.10", NULL, 0);
    assert_refused(w, old, GS_EDOWNGRADE, "it is signed by the release role, and this needs the root role");
    permit(w, "0.10", NULL, 1);
    assert_taken(w, old);
    w->permit = NULL;
    assert_known(w, old);
    assert_refused(w, (said){.sequence = 6}, GS_EDOWNGRADE, "is below the security floor 8");
    assert_taken(w, (said){.sequence = 12, .floor = 9});
    assert_refused(w, old, GS_EDOWNGRADE, "is below the security floor 9"); /* it was not for ever */
}

/* One that was accepted before the floor rose above it. */
static void test_the_root_permits_what_the_floor_has_closed(void **state)
{
    world *w = *state;
    const said old = {.sequence = 5};
    assert_taken(w, old);
    assert_taken(w, (said){.sequence = 10, .floor = 8});
    assert_refused(w, old, GS_EDOWNGRADE, "is below the security floor 8");
    permit(w, "0.10", NULL, 1);
    assert_taken(w, old);
    assert_int_equal(count_rows(w, GS_ENTRY_ACCEPTED), 3);
    w->permit = NULL;
    assert_known(w, old);
}

static void test_an_expired_permit(void **state)
{
    world *w = *state;
    const said old = {.sequence = 5};
    assert_taken(w, (said){.sequence = 10});
    build(w, old);
    permit(w, "0.10", NULL, 0);
    clock_says = TODAY + 11 * DAY;
    set_policy(w, "policy: {onStale: refuse}");
    assert_refused(w, old, GS_ECHECK, "the permit expired at 2040-01-11T00:00:00Z");
    set_policy(w, "policy: {onStale: warn}");
    assert_taken(w, old);
    assert_true(was_told(w, "permitExpired"));
}

/* ---- a copy that other keys signed ---- */

static void test_a_kept_copy_is_signed_again(void **state)
{
    world *w = *state;
    gs_error err = {0};
    const gs_run run = run_of(w);
    assert_taken(w, (said){.sequence = 10});

    /* From now on the site believes the second key alone. */
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    const gs_public_key *const keys[] = {w->bundle.public[1]};
    const gs_trust_role role = {.keys = keys, .count = 1, .threshold = 1};
    assert_ok(&err, gs_installation_open(&run, w->site_file, true, &site, &err));
    gs_trust_free(site->trust);
    site->trust = NULL;
    assert_ok(&err, gs_trust_make(&(gs_trust_draft){.version = 1, .epoch = 3, .roles = {role, role}}, &site->trust, &err));
    GS_AUTO_VERIFIED gs_verified *kept = NULL;
    assert_fails(&err, GS_ESIGNATURE, "this site accepted it once, and its signers were revoked since",
                 gs_installation_bundle(site, "demo@0.10", false, &kept, &err));
    assert_fails(&err, GS_ESIGNATURE, "--accept-revoked-signer --permit FILE",
                 gs_installation_bundle(site, "demo@0.10", false, &kept, &err));

    /* The same bundle with the second key's signature too replaces it, once. */
    assert_ok(&err, gs_fs_remove(w->dir.fd, "demo.gapship", &err));
    sample_write(&w->bundle, 2);
    gs_node *result = NULL;
    assert_ok(&err, gs_import(site, w->bundle.path, w->arena, &result, &err));
    assert_ok(&err, gs_installation_bundle(site, "demo@0.10", false, &kept, &err));
    assert_true(gs_verified_authentic(kept));
    gs_entry *rows = NULL;
    size_t count = 0;
    const gs_ledger_filter accepted = {.kind = GS_ENTRY_ACCEPTED};
    assert_ok(&err, gs_import(site, w->bundle.path, w->arena, &result, &err));
    assert_ok(&err, gs_ledger_read(site->ledger, &accepted, w->arena, &rows, &count, &err));
    assert_int_equal(count, 2); /* who signed it is another now */
    gs_node *status = NULL;
    assert_ok(&err, gs_status(site, w->arena, &status, &err));
    assert_int_equal(gs_node_get(status, "bundles")->count, 1);
}

/* ---- time ---- */

static void test_a_clock_that_is_ten_years_behind(void **state)
{
    world *w = *state;
    assert_taken(w, (said){.sequence = 1});
    assert_false(was_told(w, "clockBehind"));
    clock_says = TODAY - 10 * YEAR;
    set_policy(w, "policy: {maxAge: 30d, onStale: refuse}");
    assert_taken(w, (said){.sequence = 2}); /* judged by what the ledger has seen, and not by the clock */
    assert_true(was_told(w, "clockBehind"));
    assert_false(was_told(w, "notFresh"));
    assert_refused(w, (said){.sequence = 3, .issued_at = TODAY - 31 * DAY}, GS_ECHECK, "policy.maxAge is 30 days");
    clock_says = 0;
    assert_taken(w, (said){.sequence = 4});
    assert_true(was_told(w, "clockBehind"));
    /* A bundle that is younger than the site's time brings it forward, and warns when that is much. */
    assert_taken(w, (said){.sequence = 5, .issued_at = TODAY + 2 * DAY});
    assert_true(was_told(w, "notFresh"));
    assert_taken(w, (said){.sequence = 6, .issued_at = TODAY + 3 * DAY});
    assert_false(was_told(w, "notFresh"));
}

static void test_a_clock_that_is_ten_years_ahead(void **state)
{
    world *w = *state;
    const said good = {.sequence = 2, .fresh_until = TODAY + 90 * DAY};
    assert_taken(w, (said){.sequence = 1});
    clock_says = TODAY + 10 * YEAR;
    assert_taken(w, good); /* warned of, and taken */
    assert_true(was_told(w, "notFresh"));
    set_policy(w, "policy: {maxAge: 30d, onStale: refuse}");
    assert_known(w, good); /* what was accepted stays accepted */
    const said next = {.sequence = 3};
    assert_refused(w, next, GS_ECHECK, "it was issued 3650 days ago");
    assert_refused(w, next, GS_ECHECK, "onStale: warn"); /* says the way out */
    /* The clock is put right again, but what happened meanwhile has its time: */
    clock_says = TODAY;
    assert_refused(w, next, GS_ECHECK, "it was issued 3650 days ago");
    assert_true(was_told(w, "clockBehind"));
    /* and the operator's file takes the good bundle in. */
    set_policy(w, "policy: {maxAge: 30d}");
    assert_taken(w, next);
    assert_true(was_told(w, "notFresh"));
}

static void test_a_stale_bundle(void **state)
{
    world *w = *state;
    assert_taken(w, (said){.sequence = 1, .fresh_until = TODAY + 90 * DAY});
    assert_false(was_told(w, "notFresh"));
    clock_says = TODAY + 91 * DAY;
    assert_taken(w, (said){.sequence = 2, .fresh_until = TODAY + 90 * DAY});
    assert_true(was_told(w, "notFresh"));
    set_policy(w, "policy: {onStale: refuse}");
    assert_refused(w, (said){.sequence = 3, .fresh_until = TODAY + 90 * DAY}, GS_ECHECK,
                   "its maker said that it is fresh until 2040-03-31T00:00:00Z");
    assert_taken(w, (said){.sequence = 3, .issued_at = TODAY + 90 * DAY});
    assert_int_equal(count_rows(w, GS_ENTRY_REFUSED), 1);
}

static void test_an_expired_root(void **state)
{
    world *w = *state;
    assert_taken(w, (said){.sequence = 1});
    assert_false(was_told(w, "notFresh"));
    clock_says = TODAY + YEAR + 1;
    assert_taken(w, (said){.sequence = 2, .issued_at = clock_says});
    assert_true(was_told(w, "notFresh"));
    set_policy(w, "policy: {onStale: refuse}");
    assert_refused(w, (said){.sequence = 3, .issued_at = clock_says}, GS_ECHECK,
                   "the trust root was to be replaced by 2040-12-31T00:00:00Z");
}

/* ---- what is said before ---- */

static gs_examination examine(world *w)
{
    gs_error err = {0};
    gs_examination out = {0};
    const gs_run run = run_of(w);
    const gs_examine_options options = {.bundle = w->bundle.path, .site = w->site_file, .whole = true, .need_trust = true};
    assert_ok(&err, gs_examine(&run, &options, w->arena, &out, &err));
    return out;
}

static void test_the_verdict_is_what_an_import_would_say(void **state)
{
    world *w = *state;
    static const struct {
        said bundle;
        gs_verdict_state order;
        const char *reason;
    } rows[] = {
        {{.sequence = 11},
         GS_VERDICT_OK,
         "newer than 0.10, the newest that this site accepted (epoch 0, sequence 11, security floor 0)"},
        {{.sequence = 10, .floor = 6}, GS_VERDICT_OK, "the newest that this site accepted"},
        {{.sequence = 7}, GS_VERDICT_WARN, "accepted before, and older than 0.10: `gapship rollback --to 0.7` alone"},
        {{.sequence = 9}, GS_VERDICT_FAIL, "is older than 0.10"},
        {{.sequence = 5}, GS_VERDICT_FAIL, "is below the security floor 6"},
        {{.sequence = 10}, GS_VERDICT_FAIL, "two different bundles"},
        {{.sequence = 1000011}, GS_VERDICT_WARN, "suspicious step"},
        {{.epoch = 4, .sequence = 1}, GS_VERDICT_FAIL, "is of epoch 4"},
    };
    assert_taken(w, (said){.sequence = 7});
    assert_taken(w, (said){.sequence = 10, .floor = 6});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        gs_error err = {0};
        build(w, rows[i].bundle);
        GS_AUTO_EXAMINATION gs_examination seen = examine(w);
        assert_int_equal(seen.integrity.state, GS_VERDICT_OK);
        assert_int_equal(seen.authenticity.state, GS_VERDICT_OK);
        assert_contains(seen.authenticity.reason, "signed by 1 trusted key: ");
        assert_contains(seen.authenticity.reason, "1 of the 1 release keys is required (root version 1)");
        assert_contains(seen.order.reason, rows[i].reason);
        assert_int_equal(seen.order.state, rows[i].order);
        assert_int_equal(seen.freshness.state, GS_VERDICT_OK);
        assert_int_equal(seen.completeness.state, GS_VERDICT_OK);
        assert_int_equal(gs_examination_error(&seen, &err), rows[i].order == GS_VERDICT_FAIL ? GS_EDOWNGRADE : 0);
    }
    assert_int_equal(count_rows(w, GS_ENTRY_REFUSED), 0); /* looking leaves no row */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, enter, leave)
    const struct CMUnitTest tests[] = {
        T(test_every_older_bundle_after_every_upgrade),
        T(test_epochs),
        T(test_a_floor_only_grows),
        T(test_products_do_not_meet),
        T(test_an_incomplete_bundle_takes_no_place),
        T(test_a_jump_is_told),
        T(test_a_permit_lets_one_bundle_in),
        T(test_permits_that_do_not_count),
        T(test_below_the_floor_the_root_alone_permits),
        T(test_the_root_permits_what_the_floor_has_closed),
        T(test_an_expired_permit),
        T(test_a_kept_copy_is_signed_again),
        T(test_a_clock_that_is_ten_years_behind),
        T(test_a_clock_that_is_ten_years_ahead),
        T(test_a_stale_bundle),
        cmocka_unit_test_setup_teardown(test_an_expired_root, enter_with_a_root_that_expires, leave),
        T(test_the_verdict_is_what_an_import_would_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
