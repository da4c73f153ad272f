/* Files that are changed in place: one writer at a time, and only regular files. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "gapship/fs.h"
#include "support.h"

static void test_lock(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    char path[600];
    uint64_t size = 99;
    int first = -1;
    int second = -1;
    (void)snprintf(path, sizeof path, "%s/f", dir->path);
    assert_fails(&err, GS_ENOTFOUND, "/f", gs_fs_open_locked(path, false, &first, &size, &err));
    assert_int_equal(first, -1);
    assert_ok(&err, gs_fs_open_locked(path, true, &first, &size, &err));
    assert_int_equal(size, 0);
    assert_ok(&err, gs_fs_pwrite(first, "abc", 3, 0, &err));
    assert_fails(&err, GS_ELOCKED, "fuser", gs_fs_open_locked(path, false, &second, &size, &err));
    /* A duplicate keeps the lock. */
    GS_AUTO_FD int duplicate = fcntl(first, F_DUPFD_CLOEXEC, 0);
    gs_fs_close_p(&first);
    assert_fails(&err, GS_ELOCKED, NULL, gs_fs_open_locked(path, false, &second, &size, &err));
    gs_fs_close_p(&duplicate);
    assert_ok(&err, gs_fs_open_locked(path, false, &second, &size, &err));
    assert_int_equal(size, 3);
    gs_fs_close_p(&second);
}

static void test_only_regular_files(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    char path[600];
    uint64_t size = 0;
    int fd = -1;
    (void)snprintf(path, sizeof path, "%s/x", dir->path);
    assert_int_equal(mkfifoat(dir->fd, "x", 0600), 0);
    assert_fails(&err, GS_ESPEC, "not a regular file", gs_fs_open_locked(path, false, &fd, &size, &err));
    assert_int_not_equal(gs_fs_open_locked(dir->path, false, &fd, &size, &err), 0);
    assert_int_equal(fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_lock),
        test_in_tempdir(test_only_regular_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
