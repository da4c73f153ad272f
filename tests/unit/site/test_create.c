/* `site init`: what it writes works as it is, an interrupted one is finished, and nothing is ever made twice. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "gapship/install.h"
#include "support.h"

/* A public key file, which is a root of one key, in the test's directory. */
static const char *make_root(gs_tempdir *dir, gs_arena *arena)
{
    gs_error err = {0};
    gs_private_key *private = NULL;
    gs_public_key *public = NULL;
    GS_AUTO_BUF gs_buf pem;
    gs_buf_init(&pem, 4096);
    assert_ok(&err, gs_key_generate(GS_KEY_ED25519, &private, &err));
    assert_ok(&err, gs_private_key_public(private, &public, &err));
    assert_ok(&err, gs_public_key_pem(public, &pem, &err));
    support_write(dir->fd, "release.pub", gs_buf_text(&pem));
    gs_private_key_free(private);
    gs_public_key_free(public);
    return gs_arena_printf(arena, "%s/release.pub", dir->path);
}

static void test_a_new_site_opens_as_it_is(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *root = make_root(dir, arena);
    const char *path = gs_arena_printf(arena, "%s/etc/site", dir->path);
    gs_digest fingerprint = {{0}};
    assert_ok(&err, gs_site_create(NULL, path, root, &fingerprint, &err));
    struct stat info;
    assert_int_equal(fstatat(dir->fd, "etc/site/store", &info, 0), 0);
    assert_int_equal(info.st_mode & 0777, 0700);

    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    assert_ok(&err, gs_installation_open(NULL, gs_arena_printf(arena, "%s/site.yaml", path), true, &site, &err));
    assert_string_equal(site->site->registry.embedded.listen, "127.0.0.1:5000");
    assert_non_null(gs_site_git_find(site->site, "site"));
    assert_int_equal(strlen(site->id), 16);

    gs_node *history = NULL;
    char text[GS_DIGEST_TEXT];
    gs_digest_text(&fingerprint, text);
    assert_ok(&err, gs_history(site, true, arena, &history, &err));
    gs_node *rows = gs_node_get(history, "rows");
    assert_int_equal(rows->count, 1);
    assert_string_equal(gs_node_text(rows->items[0], "kind"), "created");
    assert_contains(gs_node_text(rows->items[0], "detail"), text);

    gs_node *status = NULL;
    assert_ok(&err, gs_status(site, arena, &status, &err));
    assert_int_equal(gs_node_get(status, "environments")->count, 0);
    assert_int_equal(gs_node_get(status, "bundles")->count, 0);
}

static void test_nothing_is_made_twice(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *root = make_root(dir, arena);
    gs_digest fingerprint;
    assert_ok(&err, gs_site_create(NULL, dir->path, root, &fingerprint, &err));
    assert_fails(&err, GS_EEXISTS, "there is a site already", gs_site_create(NULL, dir->path, root, &fingerprint, &err));
    assert_ok(&err, gs_fs_remove(dir->fd, "store/ledger.sqlite", &err));
    gs_installation *site = NULL;
    assert_fails(&err, GS_ESTATE, "restore it from a backup",
                 gs_installation_open(NULL, gs_arena_printf(arena, "%s/site.yaml", dir->path), false, &site, &err));
    /* Not even where site.yaml is gone too: the store is one already. */
    assert_ok(&err, gs_fs_remove(dir->fd, "site.yaml", &err));
    assert_ok(&err, gs_site_create(NULL, dir->path, root, &fingerprint, &err));
    assert_fails(&err, GS_ESTATE, "restore it from a backup",
                 gs_installation_open(NULL, gs_arena_printf(arena, "%s/site.yaml", dir->path), false, &site, &err));
    assert_null(site);
}

/* Cut off after each of its parts. */
static void test_an_interrupted_creation_is_finished(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *root = make_root(dir, arena);
    static const char *const last[][2] = {{"trust/root.json", "{"},
                                          {"store/ledger.sqlite", "half"},
                                          {"store/bundles/.keep.tmp", ""},
                                          {"store/.VERSION.a.tmp", "gap"}};
    for (size_t i = 0; i < COUNT_OF(last); i++) {
        const char *name = gs_arena_printf(arena, "site%zu", i);
        const char *path = gs_arena_printf(arena, "%s/%s", dir->path, name);
        gs_digest fingerprint;
        if (strncmp(last[i][0], "store", 5) == 0) {
            assert_ok(&err, gs_fs_make_dirs(AT_FDCWD, gs_arena_printf(arena, "%s/store", path), 0700, &err));
        }
        support_write(dir->fd, gs_arena_printf(arena, "%s/%s", name, last[i][0]), last[i][1]);
        assert_ok(&err, gs_site_create(NULL, path, root, &fingerprint, &err));
        GS_AUTO_INSTALLATION gs_installation *site = NULL;
        assert_ok(&err, gs_installation_open(NULL, gs_arena_printf(arena, "%s/site.yaml", path), true, &site, &err));
    }
}

static void test_two_changing_runs_at_once(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *root = make_root(dir, arena);
    const char *file = gs_arena_printf(arena, "%s/site.yaml", dir->path);
    gs_digest fingerprint;
    assert_ok(&err, gs_site_create(NULL, dir->path, root, &fingerprint, &err));
    GS_AUTO_INSTALLATION gs_installation *first = NULL;
    GS_AUTO_INSTALLATION gs_installation *reader = NULL;
    gs_installation *second = NULL;
    assert_ok(&err, gs_installation_open(NULL, file, true, &first, &err));
    assert_fails(&err, GS_ELOCKED, "process", gs_installation_open(NULL, file, true, &second, &err));
    assert_ok(&err, gs_installation_open(NULL, file, false, &reader, &err));
    gs_installation_free_p(&first);
    assert_ok(&err, gs_installation_open(NULL, file, true, &first, &err));
}

static void test_which_bundle_is_meant(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *root = make_root(dir, arena);
    gs_digest fingerprint;
    assert_ok(&err, gs_site_create(NULL, dir->path, root, &fingerprint, &err));
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    assert_ok(&err, gs_installation_open(NULL, gs_arena_printf(arena, "%s/site.yaml", dir->path), true, &site, &err));
    static const unsigned char second_byte[] = {0x01, 0x02};
    for (size_t i = 0; i < 2; i++) {
        gs_entry row = {.kind = GS_ENTRY_ACCEPTED, .product = "shop", .version = i == 0 ? "1.0" : "1.1", .has_bundle = true};
        memset(row.bundle.bytes, 0xab, sizeof row.bundle.bytes);
        row.bundle.bytes[4] = second_byte[i];
        assert_ok(&err, gs_ledger_append(site->ledger, &row, &err));
    }
    static const struct {
        const char *bundle;
        int code;
        const char *text;
    } cases[] = {
        {"shop@1.0", GS_ENOTFOUND, "sha256:abababab01"}, /* accepted, and its file is gone */
        {"shop@1.1", GS_ENOTFOUND, "sha256:abababab02"},
        {"abababab02", GS_ENOTFOUND, "sha256:abababab02"},
        {"sha256:abababab01", GS_ENOTFOUND, "sha256:abababab01"},
        {"abababab", GS_EUSAGE, "means both shop 1.0 and shop 1.1"},
        {"shop@1.2", GS_ENOTFOUND, "no kept bundle is called so"},
        {"sho@p@1.0", GS_ENOTFOUND, "no kept bundle is called so"},
        {"abababa", GS_ENOTFOUND, "at least 8 digits"},
        {"./absent.gapship", GS_ENOTFOUND, "absent.gapship"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_verified *verified = NULL;
        assert_fails(&err, cases[i].code, cases[i].text, gs_installation_bundle(site, cases[i].bundle, true, &verified, &err));
        assert_null(verified);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_a_new_site_opens_as_it_is),
        test_in_tempdir(test_nothing_is_made_twice),
        test_in_tempdir(test_an_interrupted_creation_is_finished),
        test_in_tempdir(test_two_changing_runs_at_once),
        test_in_tempdir(test_which_bundle_is_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
