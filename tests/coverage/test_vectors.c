/* The vectors of bundle-spec: every good one is accepted, every bad one refused with the class in its name, and volumes are found where
 * they are or told to be missing. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gapship/bundle.h"
#include "support.h"

#define VECTORS "bundle-spec/vectors/"

/* How vectors/README.md says that they are to be read. */
static int judge(const char *path, gs_error *err)
{
    const char *root = strstr(path, "of-two.gapship") ? VECTORS "root-of-two.json" : VECTORS "root.json";
    const gs_run run = {.jobs = 2};
    GS_AUTO_TRUST gs_trust *trust = NULL;
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    assert_ok(err, gs_trust_load(root, &trust, err));
    int code = gs_bundle_open(path, &bundle, err);
    code = code == 0 ? gs_bundle_walk(bundle, &trust, NULL, NULL, err) : code;
    const gs_terms terms = {.trust = trust, .allow_unsigned = strstr(path, "good/unsigned") != NULL};
    code = code == 0 ? gs_bundle_verify(&bundle, &terms, &verified, err) : code;
    return code == 0 ? gs_verified_check(&run, verified, err) : code;
}

static int expected(const char *name)
{
    static const struct {
        const char *prefix;
        int code;
    } classes[] = {{"FORMAT-", GS_EFORMAT}, {"SIGNATURE-", GS_ESIGNATURE}, {"DIGEST-", GS_EDIGEST}};
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        if (strncmp(name, classes[i].prefix, strlen(classes[i].prefix)) == 0) {
            return classes[i].code;
        }
    }
    return 0;
}

static size_t judge_all(const char *folder)
{
    size_t judged = 0;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        const char *suffix = strstr(entry->d_name, ".gapship");
        if (suffix && (suffix[8] == '\0' || strcmp(suffix, ".gapship.001") == 0)) {
            char path[512];
            gs_error err = {0};
            (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            int code = judge(path, &err);
            if (code != expected(entry->d_name)) {
                fail_msg("%s: %d %s (%s)", path, code, err.message, err.where);
            }
            judged++;
        }
    }
    closedir(directory);
    return judged;
}

static void good_ones_are_accepted(void **state)
{
    (void)state;
    assert_true(judge_all(VECTORS "good") > 8);
}

static void bad_ones_are_refused(void **state)
{
    (void)state;
    assert_true(judge_all(VECTORS "bad") > 100);
}

/* ---- volumes ---- */

static void copy_volume(int dirfd, unsigned number)
{
    char from[200];
    char name[64];
    GS_AUTO_BUF gs_buf bytes;
    gs_error err = {0};
    gs_buf_init(&bytes, GS_MIB(1));
    (void)snprintf(from, sizeof from, VECTORS "good/volumes.gapship.%03u", number);
    (void)snprintf(name, sizeof name, "b.gapship.%03u", number);
    assert_ok(&err, gs_fs_read_file(AT_FDCWD, from, &bytes, &err));
    assert_ok(&err, gs_fs_write_file(dirfd, name, bytes.data, bytes.len, 0600, &err));
}

static void volumes_are_found_in_other_directories(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    char first[600];
    char second[600];
    char path[700];
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_FD int first_fd = -1;
    GS_AUTO_FD int second_fd = -1;
    (void)snprintf(first, sizeof first, "%s/first", dir->path);
    (void)snprintf(second, sizeof second, "%s/second", dir->path);
    (void)snprintf(path, sizeof path, "%s/b.gapship.001", first);
    assert_ok(&err, gs_fs_make_dirs(dir->fd, "first", 0700, &err));
    assert_ok(&err, gs_fs_make_dirs(dir->fd, "second", 0700, &err));
    assert_ok(&err, gs_fs_open_dir(dir->fd, "first", &first_fd, &err));
    assert_ok(&err, gs_fs_open_dir(dir->fd, "second", &second_fd, &err));
    copy_volume(first_fd, 1);
    copy_volume(second_fd, 3);
    const char *const directories[] = {first, second};
    assert_fails(&err, GS_ENOTFOUND, "2", gs_bundle_open_volumes(path, directories, 2, &bundle, &err));
    copy_volume(second_fd, 2);
    assert_ok(&err, gs_bundle_open_volumes(path, directories + 1, 1, &bundle, &err));
    assert_int_equal(gs_bundle_volume_count(bundle), 3);
}

static void other_files_among_volumes_are_refused(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    char path[600];
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    (void)snprintf(path, sizeof path, "%s/b.gapship.001", dir->path);
    copy_volume(dir->fd, 1);
    copy_volume(dir->fd, 3);
    support_write(dir->fd, "b.gapship.002", "no volume");
    assert_int_not_equal(gs_bundle_open(path, &bundle, &err), 0);
    assert_fails(&err, GS_EFORMAT, NULL, gs_bundle_open_at(dir->fd, "b.gapship.001", &bundle, &err));
    assert_int_equal(renameat(dir->fd, "b.gapship.001", dir->fd, "misnamed"), 0);
    (void)snprintf(path, sizeof path, "%s/misnamed", dir->path);
    assert_int_not_equal(gs_bundle_open(path, &bundle, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_are_accepted),
        cmocka_unit_test(bad_ones_are_refused),
        test_in_tempdir(volumes_are_found_in_other_directories),
        test_in_tempdir(other_files_among_volumes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
