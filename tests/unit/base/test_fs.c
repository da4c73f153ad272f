/* Opening, making, reading, writing and removing by path. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static void opens_regular_files(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_FD int fd = -1;
    uint64_t size = 0;
    support_write(dir->fd, "sub/file", "12345");
    assert_ok(&err, gs_fs_open_read(dir->fd, "sub/file", false, &fd, &size, &err));
    assert_int_equal(size, 5);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void refuses_other_kinds(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    int fd = -7;
    uint64_t size = 7;
    support_write(dir->fd, "file", "x");
    assert_int_equal(mkfifoat(dir->fd, "fifo", 0600), 0);
    assert_int_equal(symlinkat("file", dir->fd, "link"), 0);
    assert_fails(&err, GS_ENOTFOUND, "absent", gs_fs_open_read(dir->fd, "absent", false, &fd, &size, &err));
    assert_fails(&err, GS_ENOTFOUND, "not a directory", gs_fs_open_read(dir->fd, "file/below", false, &fd, &size, &err));
    assert_fails(&err, GS_ESPEC, "a directory", gs_fs_open_read(dir->fd, ".", false, &fd, &size, &err));
    assert_fails(&err, GS_ESPEC, "special file", gs_fs_open_read(dir->fd, "fifo", true, &fd, &size, &err));
    assert_fails(&err, GS_ESPEC, "symbolic link", gs_fs_open_read(dir->fd, "link", false, &fd, &size, &err));
    assert_fails(&err, GS_ESPEC, "/dev/null", gs_fs_open_read(AT_FDCWD, "/dev/null", true, &fd, &size, &err));
    assert_fails(&err, GS_ENOTFOUND, "not a directory", gs_fs_open_dir(dir->fd, "file", &fd, &err));
    assert_fails(&err, GS_ENOTFOUND, NULL, gs_fs_open_dir(dir->fd, "absent", &fd, &err));
    assert_int_equal(fd, -7);
    assert_int_equal(size, 7);
}

static void follows_links_that_a_user_gave(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_FD int fd = -1;
    uint64_t size = 0;
    char path[512];
    support_write(dir->fd, "file", "x");
    assert_int_equal(symlinkat("file", dir->fd, "link"), 0);
    (void)snprintf(path, sizeof path, "%s/link", dir->path);
    assert_ok(&err, gs_fs_open_read(AT_FDCWD, path, false, &fd, &size, &err));
    assert_int_equal(size, 1);
}

static void makes_directories(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    struct stat info;
    assert_ok(&err, gs_fs_make_dirs(dir->fd, "a/b//c/", 0750, &err));
    assert_ok(&err, gs_fs_make_dirs(dir->fd, "a/b/c", 0700, &err));
    assert_int_equal(fstatat(dir->fd, "a/b/c", &info, 0), 0);
    assert_int_equal(info.st_mode & 07777, 0750);
    char absolute[512];
    (void)snprintf(absolute, sizeof absolute, "%s/x/y", dir->path);
    assert_ok(&err, gs_fs_make_dirs(AT_FDCWD, absolute, 0755, &err));
    assert_true(gs_fs_exists(dir->fd, "x/y"));
    support_write(dir->fd, "file", "x");
    assert_fails(&err, GS_ENOTFOUND, "file/z", gs_fs_make_dirs(dir->fd, "file/z", 0755, &err));
}

static void reads_whole_files(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_buf buf;
    support_write(dir->fd, "empty", "");
    support_write(dir->fd, "eight", "12345678");
    gs_buf_init(&buf, 8);
    assert_ok(&err, gs_fs_read_file(dir->fd, "empty", &buf, &err));
    assert_string_equal(gs_buf_text(&buf), "");
    assert_ok(&err, gs_fs_read_file(dir->fd, "eight", &buf, &err));
    assert_string_equal(gs_buf_text(&buf), "12345678");
    gs_buf_clear(&buf);
    gs_buf_add_text(&buf, "x");
    assert_fails(&err, GS_ELIMIT, "eight", gs_fs_read_file(dir->fd, "eight", &buf, &err));
    assert_string_equal(gs_buf_text(&buf), "x");
    assert_fails(&err, GS_ENOTFOUND, "absent", gs_fs_read_file(dir->fd, "absent", &buf, &err));
    gs_buf_add_text(&buf, "more than eight");
    assert_fails(&err, GS_ELIMIT, "8 bytes", gs_fs_read_file(dir->fd, "eight", &buf, &err));
    gs_buf_done(&buf);
}

static void reads_files_of_unknown_size(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_buf buf;
    gs_buf_init(&buf, 1 << 20);
    assert_ok(&err, gs_fs_read_file(AT_FDCWD, "/proc/self/status", &buf, &err));
    assert_contains(gs_buf_text(&buf), "Name:\ttest_base_fs");
    gs_buf_done(&buf);
}

static void reads_large_files(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_buf content;
    gs_buf back;
    gs_buf_init(&content, 4 << 20);
    gs_buf_init(&back, 4 << 20);
    for (unsigned i = 0; content.len < 1000003; i++) {
        gs_buf_printf(&content, "%u ", i);
    }
    assert_ok(&err, gs_fs_write_file(dir->fd, "large", content.data, content.len, 0600, &err));
    assert_ok(&err, gs_fs_read_file(dir->fd, "large", &back, &err));
    assert_int_equal(back.len, content.len);
    assert_memory_equal(back.data, content.data, content.len);
    gs_buf_done(&content);
    gs_buf_done(&back);
}

static void writes_and_replaces(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    struct stat info;
    mode_t umask_before = umask(077);
    assert_ok(&err, gs_fs_make_dirs(dir->fd, "d", 0755, &err));
    assert_ok(&err, gs_fs_write_file(dir->fd, "d/f", "old", 3, 0644, &err));
    assert_ok(&err, gs_fs_write_file(dir->fd, "d/f", "newer", 5, 0640, &err));
    (void)umask(umask_before);
    support_assert_file(dir->fd, "d/f", "newer");
    assert_int_equal(fstatat(dir->fd, "d/f", &info, 0), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_fails(&err, GS_ENOTFOUND, "none/f", gs_fs_write_file(dir->fd, "none/f", "x", 1, 0644, &err));
    assert_fails(&err, GS_EIO, "d", gs_fs_write_file(dir->fd, "d", "x", 1, 0644, &err));
    assert_true(gs_fs_exists(dir->fd, "d/f"));
    assert_false(gs_fs_exists(dir->fd, "d/g"));
}

static void writes_what_is_not_there(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    char path[512];
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, 100);
    gs_buf_add_text(&text, "new");
    (void)snprintf(path, sizeof path, "%s/asked-for", dir->path);
    assert_ok(&err, gs_fs_write_new(path, &text, &err));
    gs_buf_add_text(&text, "er");
    assert_fails(&err, GS_EEXISTS, "asked-for exists already", gs_fs_write_new(path, &text, &err));
    support_assert_file(dir->fd, "asked-for", "new");
}

static void removes_files(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    support_write(dir->fd, "d/f", "x");
    assert_ok(&err, gs_fs_remove(dir->fd, "d/f", &err));
    assert_ok(&err, gs_fs_remove(dir->fd, "d/f", &err));
    assert_fails(&err, GS_EIO, "d", gs_fs_remove(dir->fd, "d", &err));
}

static void finds_the_real_path(void **state)
{
    gs_tempdir *dir = *state;
    char path[512];
    char wanted[512];
    char *real_dir = gs_fs_real_path(dir->path);
    support_write(dir->fd, "d/f", "x");
    assert_int_equal(symlinkat("d", dir->fd, "l"), 0);
    (void)snprintf(path, sizeof path, "%s/./l/../l/f", dir->path);
    (void)snprintf(wanted, sizeof wanted, "%s/d/f", real_dir);
    char *real = gs_fs_real_path(path);
    assert_string_equal(real, wanted);
    free(real);
    free(real_dir);
    assert_null(gs_fs_real_path("/nonexistent/path"));
}

static void reports_space(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    uint64_t bytes = 0;
    uint64_t inodes = 0;
    assert_ok(&err, gs_fs_space(dir->fd, &bytes, &inodes, &err));
    assert_true(bytes > 0 && inodes > 0);
    assert_ok(&err, gs_fs_space(AT_FDCWD, &bytes, &inodes, &err));
    assert_fails(&err, GS_EIO, NULL, gs_fs_space(-1, &bytes, &inodes, &err));
}

static void hints_at_permissions(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_FD int fd = -1;
    uint64_t size;
    support_write(dir->fd, "private/f", "x");
    assert_int_equal(fchmodat(dir->fd, "private", 0, 0), 0);
    if (geteuid() == 0) {
        /* Root is refused nothing by modes. */
        assert_int_equal(seteuid(65534), 0);
    }
    int code = gs_fs_open_read(dir->fd, "private/f", false, &fd, &size, &err);
    if (getuid() == 0) {
        assert_int_equal(seteuid(0), 0);
    }
    assert_fails(&err, GS_EIO, "permissions", code);
    assert_int_equal(fchmodat(dir->fd, "private", 0700, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(opens_regular_files),
        test_in_tempdir(refuses_other_kinds),
        test_in_tempdir(follows_links_that_a_user_gave),
        test_in_tempdir(makes_directories),
        test_in_tempdir(reads_whole_files),
        cmocka_unit_test(reads_files_of_unknown_size),
        test_in_tempdir(reads_large_files),
        test_in_tempdir(writes_and_replaces),
        test_in_tempdir(writes_what_is_not_there),
        test_in_tempdir(removes_files),
        test_in_tempdir(finds_the_real_path),
        test_in_tempdir(reports_space),
        test_in_tempdir(hints_at_permissions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
