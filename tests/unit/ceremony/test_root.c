/* Roots made, followed and signed, as files that people hand round. */
#include <fcntl.h>
#include <stdio.h>

#include "gapship/ceremony.h"
#include "gapship/limits.h"
#include "support.h"

#define KEYS 3

typedef struct room {
    gs_tempdir dir;
    gs_private_key *keys[KEYS];
    char private[KEYS][256], public[KEYS][256], id[KEYS][GS_DIGEST_HEX];
    char path[4][256]; /* root-1.json … */
} room;

static void write_pem(const char *path, const gs_buf *pem)
{
    gs_error err = {0};
    assert_ok(&err, gs_fs_write_file(AT_FDCWD, path, pem->data, pem->len, 0600, &err));
}

static int enter(void **state)
{
    static room r;
    gs_error err = {0};
    r = (room){.dir = GS_TEMPDIR_INIT};
    assert_ok(&err, gs_tempdir_make(&r.dir, &err));
    for (size_t i = 0; i < KEYS; i++) {
        GS_AUTO_PUBLIC_KEY gs_public_key *public = NULL;
        GS_AUTO_BUF gs_buf pem;
        gs_buf_init(&pem, GS_MAX_KEY_FILE_BYTES);
        (void)snprintf(r.private[i], sizeof r.private[i], "%s/%zu.key", r.dir.path, i);
        (void)snprintf(r.public[i], sizeof r.public[i], "%s/%zu.pub", r.dir.path, i);
        (void)snprintf(r.path[i + 1], sizeof r.path[i], "%s/root-%zu.json", r.dir.path, i + 1);
        assert_ok(&err, gs_key_generate(GS_KEY_ED25519, &r.keys[i], &err));
        assert_ok(&err, gs_private_key_public(r.keys[i], &public, &err));
        gs_digest_hex(gs_public_key_id(public), r.id[i]);
        assert_ok(&err, gs_private_key_pem(r.keys[i], &pem, &err));
        write_pem(r.private[i], &pem);
        gs_buf_clear(&pem);
        assert_ok(&err, gs_public_key_pem(public, &pem, &err));
        write_pem(r.public[i], &pem);
    }
    *state = &r;
    return 0;
}

static int leave(void **state)
{
    room *r = *state;
    for (size_t i = 0; i < KEYS; i++) {
        gs_private_key_free(r->keys[i]);
    }
    gs_tempdir_done(&r->dir);
    return 0;
}

/* Root 1: its root keys are 0 and 1, both needed; they release as well. */
static gs_trust *init(room *r)
{
    gs_error err = {0};
    gs_trust *root = NULL;
    const char *const keys[] = {r->public[0], r -> public[1]};
    const gs_root_change change = {.roles[GS_ROLE_ROOT] = {.keys = keys, .count = 2, .threshold = 2}};
    assert_ok(&err, gs_root_init(&change, r->path[1], &root, &err));
    return root;
}

static int sign(room *r, size_t version, size_t key, gs_trust **out, gs_error *err)
{
    gs_digest id;
    return gs_root_sign(r->path[version], &(gs_signer){.key = r->private[key]}, &id, out, err);
}

static void test_a_root_that_follows(void **state)
{
    room *r = *state;
    gs_error err = {0};
    GS_AUTO_TRUST gs_trust *one = init(r);
    GS_AUTO_TRUST gs_trust *two = NULL;
    GS_AUTO_TRUST gs_trust *by_one = NULL;
    GS_AUTO_TRUST gs_trust *by_all = NULL;
    const char *const drop[] = {r->id[0]};
    const char *const add[] = {r->public[2]};
    const gs_root_change change = {
        .roles = {{.keys = add, .count = 1}}, .drop = drop, .drop_count = 1, .new_epoch = true, .expires = "2040-01-01T00:00:00Z"};
    assert_int_equal(gs_trust_role_of(one, GS_ROLE_RELEASE)->count, 2);
    assert_int_equal(gs_trust_role_of(one, GS_ROLE_RELEASE)->threshold, 1);
    assert_ok(&err, gs_root_next(one, &change, r->path[2], &two, &err));
    assert_int_equal(gs_trust_version(two), 2);
    assert_int_equal(gs_trust_epoch(two), 2);
    assert_int_equal(gs_trust_expires(two), INT64_C(2208988800));
    assert_int_equal(gs_trust_role_of(two, GS_ROLE_ROOT)->threshold, 2);
    assert_int_equal(gs_trust_role_of(two, GS_ROLE_RELEASE)->count, 1);

    assert_ok(&err, sign(r, 2, 0, &by_one, &err));
    assert_fails(&err, GS_ESIGNATURE, NULL, gs_trust_follows(one, by_one, &err));
    gs_trust *same = NULL;
    assert_fails(&err, GS_EEXISTS, "has signed already", sign(r, 2, 0, &same, &err));
    for (size_t key = 1; key < KEYS; key++) {
        gs_trust_free_p(&by_all);
        assert_ok(&err, sign(r, 2, key, &by_all, &err));
    }
    assert_ok(&err, gs_trust_follows(one, by_all, &err));
}

static void test_a_signature_from_elsewhere(void **state)
{
    room *r = *state;
    gs_error err = {0};
    GS_AUTO_TRUST gs_trust *signed_root = NULL;
    GS_AUTO_BUF gs_buf bytes;
    GS_AUTO_BUF gs_buf signature;
    char tbs[300], file[300];
    gs_tbs emitted;
    gs_digest digest;
    gs_digest id;
    gs_trust_free(init(r));
    gs_buf_init(&bytes, GS_ROOT_ENCODING_BYTES);
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    (void)snprintf(tbs, sizeof tbs, "%s/tbs", r->dir.path);
    (void)snprintf(file, sizeof file, "%s/signature", r->dir.path);
    assert_ok(&err, gs_root_emit(r->path[1], tbs, &emitted, &err));
    assert_fails(&err, GS_EEXISTS, "tbs exists already", gs_root_emit(r->path[1], tbs, &emitted, &err));
    assert_ok(&err, gs_fs_read_file(AT_FDCWD, tbs, &bytes, &err));
    assert_ok(&err, gs_digest_of(bytes.data, bytes.len, &digest, &err));
    assert_true(gs_digest_equal(&digest, &emitted.digest) && bytes.len == emitted.size);

    assert_ok(&err, gs_sign(r->keys[1], bytes.data, bytes.len, &signature, &err));
    write_pem(file, &signature);
    gs_signer signer = {.key = r->public[0], .file = file};
    assert_fails(&err, GS_ESIGNATURE, "/signature", gs_root_sign(r->path[1], &signer, &id, &signed_root, &err));
    signer.key = r->public[1];
    assert_ok(&err, gs_root_sign(r->path[1], &signer, &id, &signed_root, &err));
    char hex[GS_DIGEST_HEX];
    gs_digest_hex(&id, hex);
    assert_string_equal(hex, r->id[1]);
}

static void test_what_is_no_root(void **state)
{
    room *r = *state;
    gs_error err = {0};
    GS_AUTO_TRUST gs_trust *one = init(r);
    gs_trust *none = NULL;
    const char *const key[] = {r->public[0]};
    const char *const known[] = {r->id[0], r->id[1]};
    const char *const unknown[] = {"00000000"};
    const char *const brief[] = {"0000000"};
    const gs_role_change one_key = {.keys = key, .count = 1};
    const struct {
        gs_root_change change;
        int code;
        const char *text;
    } first[] = {{{.new_epoch = false}, GS_EUSAGE, "--key PUB"},
                 {{.roles[GS_ROLE_ROOT] = {.keys = key, .count = 1, .threshold = 2}}, GS_ESPEC, "threshold"},
                 {{.roles[GS_ROLE_ROOT] = one_key, .roles[GS_ROLE_SITE] = {.threshold = 1}}, GS_ESPEC, "--site-key PUB"},
                 {{.roles[GS_ROLE_ROOT] = one_key, .expires = "tomorrow"}, GS_EUSAGE, "2030-01-01T00:00:00Z"},
                 {{.roles[GS_ROLE_ROOT] = {.keys = unknown, .count = 1}}, GS_ENOTFOUND, "00000000"}},
      later[] = {{{.drop = known, .drop_count = 2}, GS_ESPEC, "the root role has no keys"},
                 {{.drop = known, .drop_count = 1}, GS_ESPEC, "threshold"},
                 {{.drop = unknown, .drop_count = 1}, GS_ENOTFOUND, "no key of root 1"},
                 {{.drop = brief, .drop_count = 1}, GS_EUSAGE, "at least 8 digits"},
                 {{.roles[GS_ROLE_ROOT] = one_key}, GS_ESPEC, "twice"}};
    for (size_t i = 0; i < COUNT_OF(first); i++) {
        assert_fails(&err, first[i].code, first[i].text, gs_root_init(&first[i].change, r->path[2], &none, &err));
        assert_false(gs_fs_exists(AT_FDCWD, r->path[2]));
    }
    for (size_t i = 0; i < COUNT_OF(later); i++) {
        assert_fails(&err, later[i].code, later[i].text, gs_root_next(one, &later[i].change, r->path[2], &none, &err));
        assert_false(gs_fs_exists(AT_FDCWD, r->path[2]));
    }
    assert_fails(&err, GS_EEXISTS, "must not get lost", gs_root_next(one, &(gs_root_change){0}, r->path[1], &none, &err));
    assert_null(none);
}

static void test_two_people_at_the_same_time(void **state)
{
    room *r = *state;
    gs_error err = {0};
    GS_AUTO_TRUST gs_trust *after = NULL;
    gs_trust *none = NULL;
    uint64_t size = 0;
    gs_trust_free(init(r));
    {
        GS_AUTO_FD int other = -1;
        assert_ok(&err, gs_fs_open_locked(r->path[1], false, &other, &size, &err));
        assert_fails(&err, GS_ELOCKED, "root-1.json", sign(r, 1, 0, &none, &err));
    }
    assert_ok(&err, sign(r, 1, 0, &after, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_root_that_follows, enter, leave),
        cmocka_unit_test_setup_teardown(test_a_signature_from_elsewhere, enter, leave),
        cmocka_unit_test_setup_teardown(test_what_is_no_root, enter, leave),
        cmocka_unit_test_setup_teardown(test_two_people_at_the_same_time, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
