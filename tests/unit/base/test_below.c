/* Making files and directories below a private one: exact modes, no links followed, nothing overwritten. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static mode_t mode_of(int dirfd, const char *path)
{
    struct stat info;
    assert_int_equal(fstatat(dirfd, path, &info, AT_SYMLINK_NOFOLLOW), 0);
    return info.st_mode & 07777;
}

static void make_file(int dirfd, const char *path, mode_t mode)
{
    gs_error err = {0};
    GS_AUTO_FD int fd = -1;
    assert_ok(&err, gs_fs_create_below(dirfd, path, mode, &fd, &err));
    assert_ok(&err, gs_fs_pwrite(fd, "x", 1, 0, &err));
}

static void test_modes_do_not_depend_on_the_umask(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    mode_t before = umask(0077);
    make_file(dir->fd, "plain", 0644);
    make_file(dir->fd, "a/b/run", 0755);
    assert_ok(&err, gs_fs_make_below(dir->fd, "c/d", &err));
    assert_ok(&err, gs_fs_make_below(dir->fd, "c/d", &err));
    (void)umask(before);
    assert_int_equal(mode_of(dir->fd, "plain"), 0644);
    assert_int_equal(mode_of(dir->fd, "a"), 0755);
    assert_int_equal(mode_of(dir->fd, "a/b"), 0755);
    assert_int_equal(mode_of(dir->fd, "a/b/run"), 0755);
    assert_int_equal(mode_of(dir->fd, "c/d"), 0755);
    support_assert_file(dir->fd, "a/b/run", "x");
}

static void test_nothing_is_overwritten_or_followed(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    int fd = -1;
    support_write(dir->fd, "outside/victim", "precious");
    support_write(dir->fd, "in/file", "old");
    assert_int_equal(symlinkat("../outside", dir->fd, "in/link"), 0);
    assert_int_equal(symlinkat("../outside/victim", dir->fd, "in/filelink"), 0);
    int into = openat(dir->fd, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(into >= 0);
    assert_fails(&err, GS_EEXISTS, "file", gs_fs_create_below(into, "file", 0644, &fd, &err));
    assert_fails(&err, GS_EEXISTS, "filelink", gs_fs_create_below(into, "filelink", 0644, &fd, &err));
    assert_int_not_equal(gs_fs_create_below(into, "link/victim", 0644, &fd, &err), 0);
    assert_int_not_equal(gs_fs_create_below(into, "link/new", 0644, &fd, &err), 0);
    assert_int_not_equal(gs_fs_make_below(into, "link/dir", &err), 0);
    assert_int_not_equal(gs_fs_create_below(into, "file/below", 0644, &fd, &err), 0);
    assert_int_equal(fd, -1);
    gs_fs_close_p(&into);
    support_assert_file(dir->fd, "outside/victim", "precious");
    support_assert_file(dir->fd, "in/file", "old");
    assert_false(gs_fs_exists(dir->fd, "outside/new"));
    assert_false(gs_fs_exists(dir->fd, "outside/dir"));
}

static void test_paths_stay_below(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    int fd = -1;
    static const char *const bad[] = {"", ".", "..", "../x", "a/../../x", "/etc/x", "a//b", "a/", "a\nb"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_fails(&err, GS_ESPEC, "leads out", gs_fs_create_below(dir->fd, bad[i], 0644, &fd, &err));
        assert_fails(&err, GS_ESPEC, "leads out", gs_fs_make_below(dir->fd, bad[i], &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_in_tempdir(test_modes_do_not_depend_on_the_umask),
                                       test_in_tempdir(test_nothing_is_overwritten_or_followed),
                                       test_in_tempdir(test_paths_stay_below)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
