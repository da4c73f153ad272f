/* Publishing: the name appears with the whole content or not at all, and nothing else stays behind. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static size_t count_names(int dirfd)
{
    int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fdopendir(copy);
    assert_non_null(dir);
    size_t count = 0;
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    (void)closedir(dir);
    return count;
}

static void begin(gs_newfile *file, int dirfd, const char *name, const char *content)
{
    gs_error err = {0};
    *file = (gs_newfile)GS_NEWFILE_INIT;
    assert_ok(&err, gs_newfile_begin(file, dirfd, name, 0600, &err));
    assert_ok(&err, gs_fs_pwrite(file->fd, content, strlen(content), 0, &err));
}

static void appears_at_commit(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_newfile file;
    begin(&file, dir->fd, "bundle", "content");
    assert_false(gs_fs_exists(dir->fd, "bundle"));
    assert_memory_equal(file.temporary, ".bundle.", 8);
    assert_true(fcntl(file.fd, F_GETFD) & FD_CLOEXEC);
    assert_ok(&err, gs_newfile_commit(&file, false, &err));
    assert_int_equal(file.fd, -1);
    assert_null(file.temporary);
    support_assert_file(dir->fd, "bundle", "content");
    assert_int_equal(count_names(dir->fd), 1);
}

static void vanishes_without_commit(void **state)
{
    gs_tempdir *dir = *state;
    gs_newfile file;
    begin(&file, dir->fd, "bundle", "content");
    assert_int_equal(count_names(dir->fd), 1);
    gs_newfile_done(&file);
    assert_int_equal(count_names(dir->fd), 0);
    gs_newfile_done(&file);
}

static void replaces_only_when_told(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_newfile file;
    support_write(dir->fd, "d/f", "old");
    begin(&file, dir->fd, "d/f", "new");
    assert_fails(&err, GS_EEXISTS, "d/f", gs_newfile_commit(&file, false, &err));
    support_assert_file(dir->fd, "d/f", "old");
    begin(&file, dir->fd, "d/f", "new");
    assert_ok(&err, gs_newfile_commit(&file, true, &err));
    support_assert_file(dir->fd, "d/f", "new");
    GS_AUTO_FD int below = -1;
    assert_ok(&err, gs_fs_open_dir(dir->fd, "d", &below, &err));
    assert_int_equal(count_names(below), 1);
}

static void two_writers_do_not_meet(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_newfile first;
    gs_newfile second;
    begin(&first, dir->fd, "f", "first");
    begin(&second, dir->fd, "f", "second");
    assert_string_not_equal(first.temporary, second.temporary);
    assert_ok(&err, gs_newfile_commit(&first, false, &err));
    assert_fails(&err, GS_EEXISTS, NULL, gs_newfile_commit(&second, false, &err));
    support_assert_file(dir->fd, "f", "first");
    assert_int_equal(count_names(dir->fd), 1);
}

static void takes_the_longest_name(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_newfile file;
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    begin(&file, dir->fd, name, "x");
    assert_ok(&err, gs_newfile_commit(&file, false, &err));
    support_assert_file(dir->fd, name, "x");
}

static void discards_what_cannot_be_published(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_newfile file;
    assert_int_equal(mkdirat(dir->fd, "d", 0700), 0);
    begin(&file, dir->fd, "d", "x");
    assert_fails(&err, GS_EIO, "its name", gs_newfile_commit(&file, true, &err));
    begin(&file, dir->fd, "f", "x");
    (void)close(file.fd);
    assert_fails(&err, GS_EIO, "durable", gs_newfile_commit(&file, true, &err));
    assert_int_equal(count_names(dir->fd), 1);
    gs_newfile none = GS_NEWFILE_INIT;
    assert_fails(&err, GS_ENOTFOUND, "gone/f", gs_newfile_begin(&none, dir->fd, "gone/f", 0600, &err));
    assert_null(none.name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(appears_at_commit),       test_in_tempdir(vanishes_without_commit),
        test_in_tempdir(replaces_only_when_told), test_in_tempdir(two_writers_do_not_meet),
        test_in_tempdir(takes_the_longest_name),  test_in_tempdir(discards_what_cannot_be_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
