/* Bundles in the store: there whole or not there, found by digest, never taken for another. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gapship/store.h"
#include "sample.h"
#include "support.h"

typedef struct fixture {
    gs_tempdir dir;
    sample bundle;
    gs_store *store;
    gs_arena *arena;
} fixture;

static int enter(void **state)
{
    gs_error err = {0};
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->dir = (gs_tempdir)GS_TEMPDIR_INIT;
    assert_ok(&err, gs_tempdir_make(&f->dir, &err));
    sample_init(&f->bundle, &f->dir, sample_sizes);
    sample_write(&f->bundle, 1);
    f->arena = gs_arena_new();
    const char *path = gs_arena_printf(f->arena, "%s/store", f->dir.path);
    assert_ok(&err, gs_store_create(path, &err));
    assert_ok(&err, gs_store_open(path, &f->store, &err));
    *state = f;
    return 0;
}

static int leave(void **state)
{
    fixture *f = *state;
    gs_store_free(f->store);
    gs_arena_free(f->arena);
    sample_done(&f->bundle);
    gs_tempdir_done(&f->dir);
    free(f);
    return 0;
}

/* Path of the kept bundle, relative to the temporary directory. */
static const char *kept_path(fixture *f, const gs_digest *digest)
{
    char hex[GS_DIGEST_HEX];
    gs_digest_hex(digest, hex);
    return gs_arena_printf(f->arena, "store/bundles/%s.gapship", hex);
}

static gs_digest keep(fixture *f)
{
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    assert_ok(&err, sample_verify(&f->bundle, &verified, &err));
    assert_ok(&err, gs_store_keep(NULL, f->store, verified, false, &err));
    return *gs_verified_digest(verified);
}

static size_t count_files(fixture *f)
{
    gs_error err = {0};
    gs_fs_entry *entries = NULL;
    size_t count = 0;
    GS_AUTO_FD int bundles = -1;
    assert_ok(&err, gs_fs_open_dir(f->dir.fd, "store/bundles", &bundles, &err));
    assert_ok(&err, gs_fs_walk(bundles, 100, f->arena, &entries, &count, &err));
    return count;
}

static void read_at(int dirfd, const char *path, gs_buf *out)
{
    gs_error err = {0};
    gs_buf_init(out, GS_MIB(16));
    assert_ok(&err, gs_fs_read_file(dirfd, path, out, &err));
}

static void test_a_kept_bundle_is_the_file_read_only(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    gs_digest digest = keep(f);
    struct stat info;
    GS_AUTO_BUF gs_buf kept;
    GS_AUTO_BUF gs_buf original;
    read_at(f->dir.fd, kept_path(f, &digest), &kept);
    read_at(f->dir.fd, "demo.gapship", &original);
    assert_int_equal(kept.len, original.len);
    assert_memory_equal(kept.data, original.data, kept.len);
    assert_int_equal(fstatat(f->dir.fd, kept_path(f, &digest), &info, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(info.st_mode & 07777, 0440);
    assert_true(gs_store_has(f->store, &digest));
    assert_int_equal(count_files(f), 1);

    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    assert_ok(&err, gs_store_bundle(f->store, &digest, &(gs_terms){.trust = f->bundle.trust}, &verified, &err));
    assert_ok(&err, gs_verified_check(NULL, verified, &err));
}

/* The digest is of the statement: a bundle with one more signature is the same bundle, and the first file stays. */
static void test_keeping_again_changes_nothing(void **state)
{
    fixture *f = *state;
    gs_digest first = keep(f);
    GS_AUTO_BUF gs_buf before;
    GS_AUTO_BUF gs_buf after;
    read_at(f->dir.fd, kept_path(f, &first), &before);
    gs_error err = {0};
    assert_ok(&err, gs_fs_remove(f->dir.fd, "demo.gapship", &err));
    sample_write(&f->bundle, 2);
    gs_digest second = keep(f);
    assert_true(gs_digest_equal(&first, &second));
    read_at(f->dir.fd, kept_path(f, &first), &after);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    assert_int_equal(count_files(f), 1);
}

/* The head is good, a byte of the content is not: found while it is copied, and nothing is left. */
static void test_damage_is_found_while_copying(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    assert_ok(&err, sample_verify(&f->bundle, &verified, &err));
    const gs_member *member = gs_verified_blob(verified, &f->bundle.descriptors[3].digest);
    assert_non_null(member);
    sample_flip(&f->bundle, member->offset + 1000, 0x10);
    GS_AUTO_VERIFIED gs_verified *damaged = NULL;
    assert_ok(&err, sample_verify(&f->bundle, &damaged, &err));
    assert_fails(&err, GS_EDIGEST, NULL, gs_store_keep(NULL, f->store, damaged, false, &err));
    assert_false(gs_store_has(f->store, gs_verified_digest(damaged)));
    assert_int_equal(count_files(f), 0);
}

static void test_what_is_not_kept_is_not_found(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    gs_verified *verified = NULL;
    const gs_digest digest = {{1, 2, 3}};
    assert_fails(&err, GS_ENOTFOUND, "sha256:010203",
                 gs_store_bundle(f->store, &digest, &(gs_terms){.trust = f->bundle.trust}, &verified, &err));
    assert_null(verified);
    assert_false(gs_store_has(f->store, &digest));
    assert_ok(&err, gs_store_remove(f->store, &digest, &err));
}

/* A file under another bundle's name, a cut one, and one of a signer who is not trusted any more. */
static void test_a_kept_file_is_verified_every_time(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    gs_verified *verified = NULL;
    gs_digest digest = keep(f);
    const gs_digest other = {{7}};
    GS_AUTO_BUF gs_buf bytes;
    read_at(f->dir.fd, kept_path(f, &digest), &bytes);
    assert_ok(&err, gs_fs_write_file(f->dir.fd, kept_path(f, &other), bytes.data, bytes.len, 0440, &err));
    assert_fails(&err, GS_ESTATE, "another bundle",
                 gs_store_bundle(f->store, &other, &(gs_terms){.trust = f->bundle.trust}, &verified, &err));

    assert_ok(&err, gs_fs_write_file(f->dir.fd, kept_path(f, &digest), bytes.data, bytes.len - 512, 0440, &err));
    assert_fails(&err, GS_EFORMAT, "import the bundle again",
                 gs_store_bundle(f->store, &digest, &(gs_terms){.trust = f->bundle.trust}, &verified, &err));
    assert_ok(&err, gs_fs_write_file(f->dir.fd, kept_path(f, &digest), bytes.data, bytes.len, 0440, &err));

    sample_trust(&f->bundle, 2, 2);
    assert_fails(&err, GS_ESIGNATURE, NULL,
                 gs_store_bundle(f->store, &digest, &(gs_terms){.trust = f->bundle.trust}, &verified, &err));
    assert_null(verified);
}

static void test_the_list_is_sorted_and_holds_bundles_alone(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    gs_digest digest = keep(f);
    const gs_digest low = {{0}};
    gs_digest high;
    memset(high.bytes, 0xff, sizeof high.bytes);
    support_write(f->dir.fd, kept_path(f, &high), "");
    support_write(f->dir.fd, kept_path(f, &low), "");
    support_write(f->dir.fd, "store/bundles/README.gapship", "");
    support_write(f->dir.fd, "store/bundles/.x.tmp", "");
    gs_digest *digests = NULL;
    size_t count = 0;
    assert_ok(&err, gs_store_list(f->store, f->arena, &digests, &count, &err));
    assert_int_equal(count, 3);
    assert_true(gs_digest_equal(&digests[0], &low));
    assert_true(gs_digest_equal(&digests[1], &digest));
    assert_true(gs_digest_equal(&digests[2], &high));
    assert_ok(&err, gs_store_remove(f->store, &digest, &err));
    assert_false(gs_store_has(f->store, &digest));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, enter, leave)
    const struct CMUnitTest tests[] = {
        T(test_a_kept_bundle_is_the_file_read_only), T(test_keeping_again_changes_nothing),
        T(test_damage_is_found_while_copying),       T(test_what_is_not_kept_is_not_found),
        T(test_a_kept_file_is_verified_every_time),  T(test_the_list_is_sorted_and_holds_bundles_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
