/* Temporary directories: private, under TMPDIR, gone with all below. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gapship/text.h"
#include "support.h"

static void is_private_and_goes(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_tempdir dir = GS_TEMPDIR_INIT;
    gs_tempdir other = GS_TEMPDIR_INIT;
    struct stat info;
    assert_ok(&err, gs_tempdir_make(&dir, &err));
    assert_ok(&err, gs_tempdir_make(&other, &err));
    assert_string_not_equal(dir.path, other.path);
    assert_int_equal(stat(dir.path, &info), 0);
    assert_int_equal(info.st_mode, S_IFDIR | 0700);
    support_write(dir.fd, "a/b", "x");
    char *path = strdup(dir.path);
    gs_tempdir_done(&dir);
    assert_int_equal(dir.fd, -1);
    assert_null(dir.path);
    assert_false(gs_fs_exists(AT_FDCWD, path));
    gs_tempdir_done(&dir);
    gs_tempdir_done(&other);
    free(path);
}

static void obeys_tmpdir(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    char *before = getenv("TMPDIR") ? strdup(getenv("TMPDIR")) : NULL;
    gs_tempdir made = GS_TEMPDIR_INIT;
    assert_int_equal(setenv("TMPDIR", dir->path, 1), 0);
    assert_ok(&err, gs_tempdir_make(&made, &err));
    assert_true(gs_text_starts(made.path, dir->path));
    gs_tempdir_done(&made);
    assert_int_equal(setenv("TMPDIR", "relative", 1), 0);
    assert_ok(&err, gs_tempdir_make(&made, &err));
    assert_true(gs_text_starts(made.path, "/tmp/gapship-"));
    gs_tempdir_done(&made);
    assert_int_equal(setenv("TMPDIR", "/nonexistent/directory", 1), 0);
    assert_fails(&err, GS_ENOTFOUND, "set TMPDIR", gs_tempdir_make(&made, &err));
    assert_null(made.path);
    if (before) {
        assert_int_equal(setenv("TMPDIR", before, 1), 0);
    } else {
        assert_int_equal(unsetenv("TMPDIR"), 0);
    }
    free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_private_and_goes), test_in_tempdir(obeys_tmpdir)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
