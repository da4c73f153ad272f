/* The site's trust root file against what the ledger remembers: what a kill leaves is finished, everything else is refused. */
#include <fcntl.h>

#include "gapship/install.h"
#include "gapship/limits.h"
#include "support.h"

/* A site that trusts root 1, and two later roots; what is compared here are versions and fingerprints, so nobody signs. */
typedef struct plant {
    gs_tempdir *dir;
    gs_arena *arena;
    const char *file; /* site.yaml */
    gs_trust *roots[4];
} plant;

static gs_trust *make_root(uint64_t version, const gs_public_key *key)
{
    gs_error err = {0};
    gs_trust *root = NULL;
    const gs_public_key *const keys[] = {key};
    const gs_trust_role role = {.keys = keys, .count = 1, .threshold = 1};
    const gs_trust_draft draft = {.version = version, .epoch = 1, .roles = {role, role}};
    assert_ok(&err, gs_trust_make(&draft, &root, &err));
    return root;
}

static void put_file(const plant *p, const gs_trust *root, const char *name)
{
    gs_error err = {0};
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    assert_ok(&err, gs_trust_write(root, &text, &err));
    support_write(p->dir->fd, name, gs_buf_text(&text));
}

static void plant_init(plant *p, gs_tempdir *dir)
{
    gs_error err = {0};
    gs_private_key *private = NULL;
    gs_digest fingerprint;
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    *p = (plant){.dir = dir, .arena = gs_arena_new()};
    assert_ok(&err, gs_key_generate(GS_KEY_ED25519, &private, &err));
    assert_ok(&err, gs_private_key_public(private, &key, &err));
    for (uint64_t version = 1; version <= 3; version++) {
        p->roots[version] = make_root(version, key);
    }
    put_file(p, p->roots[1], "first.json");
    const char *site = gs_arena_printf(p->arena, "%s/site", dir->path);
    assert_ok(&err, gs_site_create(NULL, site, gs_arena_printf(p->arena, "%s/first.json", dir->path), &fingerprint, &err));
    p->file = gs_arena_printf(p->arena, "%s/site.yaml", site);
    gs_private_key_free(private);
}

static void plant_done(plant *p)
{
    for (size_t i = 1; i <= 3; i++) {
        gs_trust_free(p->roots[i]);
    }
    gs_arena_free(p->arena);
}

static void add_row(const plant *p, size_t version, gs_entry_state state)
{
    gs_error err = {0};
    GS_AUTO_LEDGER gs_ledger *ledger = NULL;
    gs_entry row = {.kind = GS_ENTRY_ROOT, .state = state, .has_bundle = true, .epoch = 1, .sequence = (int64_t)version};
    assert_ok(&err, gs_trust_fingerprint(p->roots[version], &row.bundle, &err));
    assert_ok(&err, gs_ledger_open(gs_arena_printf(p->arena, "%s/site/store/ledger.sqlite", p->dir->path), &ledger, &err));
    assert_ok(&err, gs_ledger_append(ledger, &row, &err));
}

static int open_site(const plant *p, bool change, uint64_t *version, gs_error *err)
{
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    int code = gs_installation_open(NULL, p->file, change, &site, err);
    *version = code == 0 ? gs_trust_version(site->trust) : 0;
    return code;
}

static size_t count_done(const plant *p)
{
    gs_error err = {0};
    GS_AUTO_LEDGER gs_ledger *ledger = NULL;
    gs_entry *rows = NULL;
    size_t count = 0;
    const gs_ledger_filter filter = {.kind = GS_ENTRY_ROOT, .state = GS_STATE_DONE};
    assert_ok(&err, gs_ledger_open(gs_arena_printf(p->arena, "%s/site/store/ledger.sqlite", p->dir->path), &ledger, &err));
    assert_ok(&err, gs_ledger_read(ledger, &filter, p->arena, &rows, &count, &err));
    return count;
}

/* BEGUN, the file, DONE: killed behind each. */
static void test_a_kill_behind_each_step(void **state)
{
    plant p;
    gs_error err = {0};
    uint64_t version = 0;
    plant_init(&p, *state);
    add_row(&p, 2, GS_STATE_BEGUN);
    assert_ok(&err, open_site(&p, true, &version, &err));
    assert_int_equal(version, 1);
    assert_int_equal(count_done(&p), 0);
    put_file(&p, p.roots[2], "site/trust/root.json");
    assert_ok(&err, open_site(&p, false, &version, &err));
    assert_int_equal(version, 2);
    assert_int_equal(count_done(&p), 0);
    assert_ok(&err, open_site(&p, true, &version, &err));
    assert_int_equal(count_done(&p), 1);
    assert_ok(&err, open_site(&p, true, &version, &err));
    assert_int_equal(count_done(&p), 1);
    /* The next step was begun, and did not come to the file. */
    add_row(&p, 3, GS_STATE_BEGUN);
    assert_ok(&err, open_site(&p, true, &version, &err));
    assert_int_equal(version, 2);
    plant_done(&p);
}

static void test_another_file_is_refused(void **state)
{
    plant p;
    gs_error err = {0};
    uint64_t version = 0;
    gs_private_key *private = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    plant_init(&p, *state);
    assert_ok(&err, gs_key_generate(GS_KEY_ED25519, &private, &err));
    assert_ok(&err, gs_private_key_public(private, &key, &err));
    GS_AUTO_TRUST gs_trust *other_one = make_root(1, key);
    GS_AUTO_TRUST gs_trust *other_two = make_root(2, key);
    put_file(&p, other_one, "site/trust/root.json");
    assert_fails(&err, GS_ESTATE, "another root 1 than the one that this site trusts", open_site(&p, false, &version, &err));
    put_file(&p, p.roots[2], "site/trust/root.json");
    assert_fails(&err, GS_ESTATE, "no signatures have brought this site beyond root 1", open_site(&p, true, &version, &err));
    add_row(&p, 2, GS_STATE_BEGUN);
    put_file(&p, other_two, "site/trust/root.json");
    assert_fails(&err, GS_ESTATE, "beyond root 1", open_site(&p, true, &version, &err));
    put_file(&p, p.roots[3], "site/trust/root.json");
    assert_fails(&err, GS_ESTATE, "beyond root 1", open_site(&p, true, &version, &err));
    add_row(&p, 2, GS_STATE_DONE);
    put_file(&p, p.roots[1], "site/trust/root.json");
    assert_fails(&err, GS_ESTATE, "is root 1, but this site has reached root 2", open_site(&p, true, &version, &err));
    put_file(&p, p.roots[1], "site/trust/root.json");
    assert_fails(&err, GS_ESTATE, "put root 2 of this fingerprint back", open_site(&p, false, &version, &err));
    put_file(&p, p.roots[2], "site/trust/root.json");
    assert_ok(&err, open_site(&p, true, &version, &err));
    gs_private_key_free(private);
    plant_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_a_kill_behind_each_step),
        test_in_tempdir(test_another_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
