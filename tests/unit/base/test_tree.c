/* Walking and removing trees: order, what is refused, and that no link or mount leads out. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gapship/limits.h"
#include "support.h"

static void walks_in_order(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    static const char *const names[] = {"z", "a/b", "a-b", "a.b", "a/b-c/d", "a/c", "B", "ü", ".hidden/x"};
    /* Byte order of the whole paths: '-' and '.' come before '/'. */
    static const char *const sorted[] = {".hidden/x", "B", "a-b", "a.b", "a/b", "a/b-c/d", "a/c", "z", "ü"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        support_write(dir->fd, names[i], names[i]);
    }
    support_write(dir->fd, ".git/config", "x");
    support_write(dir->fd, "a/.git/config", "x");
    assert_ok(&err, gs_fs_make_dirs(dir->fd, "empty/dir", 0700, &err));
    assert_int_equal(fchmodat(dir->fd, "z", 0755, 0), 0);
    gs_fs_entry *entries = NULL;
    size_t count = 0;
    assert_ok(&err, gs_fs_walk(dir->fd, COUNT_OF(names), arena, &entries, &count, &err));
    assert_int_equal(count, COUNT_OF(sorted));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(entries[i].path, sorted[i]);
        assert_int_equal(entries[i].size, strlen(sorted[i]));
        assert_int_equal(entries[i].executable, strcmp(sorted[i], "z") == 0);
    }
    gs_fs_entry *untouched = NULL;
    assert_fails(&err, GS_ELIMIT, "more than 8 files", gs_fs_walk(dir->fd, COUNT_OF(names) - 1, arena, &untouched, &count, &err));
    assert_null(untouched);
    assert_int_equal(count, COUNT_OF(sorted));
}

static void walks_an_empty_directory(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_fs_entry *entries = NULL;
    size_t count = 7;
    assert_ok(&err, gs_fs_walk(dir->fd, 0, arena, &entries, &count, &err));
    assert_int_equal(count, 0);
}

static void walk_refuses(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_fs_entry *entries = NULL;
    size_t count = 0;
    assert_int_equal(mkdirat(dir->fd, "sub", 0700), 0);
    assert_int_equal(symlinkat("/etc", dir->fd, "sub/link"), 0);
    assert_fails(&err, GS_ESPEC, "sub/link", gs_fs_walk(dir->fd, 10, arena, &entries, &count, &err));
    assert_int_equal(unlinkat(dir->fd, "sub/link", 0), 0);
    assert_int_equal(mkfifoat(dir->fd, "sub/fifo", 0600), 0);
    assert_fails(&err, GS_ESPEC, "special file", gs_fs_walk(dir->fd, 10, arena, &entries, &count, &err));
    assert_int_equal(unlinkat(dir->fd, "sub/fifo", 0), 0);
    support_write(dir->fd, "sub/back\\slash", "x");
    assert_fails(&err, GS_ESPEC, "sub/back\\slash", gs_fs_walk(dir->fd, 10, arena, &entries, &count, &err));
    assert_int_equal(unlinkat(dir->fd, "sub/back\\slash", 0), 0);
    support_write(dir->fd, "sub/new\nline", "x");
    assert_fails(&err, GS_ESPEC, "sub/new?line", gs_fs_walk(dir->fd, 10, arena, &entries, &count, &err));
    assert_fails(&err, GS_EIO, "cannot open", gs_fs_walk(dir->fd + 1000, 10, arena, &entries, &count, &err));
}

static void lists_one_directory(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_fs_entry *entries = NULL;
    size_t count = 7;
    char path[512];
    support_write(dir->fd, "d/b", "bb");
    support_write(dir->fd, "d/a", "a");
    support_write(dir->fd, "d/back\\slash", "");
    support_write(dir->fd, "d/sub/below", "x");
    assert_int_equal(fchmodat(dir->fd, "d/a", 0755, 0), 0);
    assert_int_equal(symlinkat("a", dir->fd, "d/link"), 0);
    assert_int_equal(mkfifoat(dir->fd, "d/fifo", 0600), 0);
    assert_int_equal(symlinkat("d", dir->fd, "l"), 0);
    (void)snprintf(path, sizeof path, "%s/l", dir->path);
    assert_ok(&err, gs_fs_list(AT_FDCWD, path, arena, &entries, &count, &err));
    assert_int_equal(count, 3);
    assert_string_equal(entries[0].path, "a");
    assert_true(entries[0].executable);
    assert_string_equal(entries[1].path, "b");
    assert_int_equal(entries[1].size, 2);
    assert_false(entries[1].executable);
    assert_string_equal(entries[2].path, "back\\slash");
    assert_fails(&err, GS_ENOTFOUND, "none", gs_fs_list(dir->fd, "none", arena, &entries, &count, &err));
    assert_fails(&err, GS_ENOTFOUND, "d/a", gs_fs_list(dir->fd, "d/a", arena, &entries, &count, &err));
    assert_int_equal(count, 3);
    assert_ok(&err, gs_fs_list(dir->fd, "d/sub/..", arena, &entries, &count, &err));
    assert_ok(&err, gs_fs_make_dirs(dir->fd, "empty", 0700, &err));
    assert_ok(&err, gs_fs_list(dir->fd, "empty", arena, &entries, &count, &err));
    assert_int_equal(count, 0);
}

static void make_deep(int dirfd, int depth)
{
    GS_AUTO_FD int at = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < depth; i++) {
        assert_int_equal(mkdirat(at, "d", 0700), 0);
        int below = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(below >= 0);
        gs_fs_close_p(&at);
        at = below;
    }
}

static void bounds_the_depth(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_fs_entry *entries = NULL;
    size_t count = 0;
    make_deep(dir->fd, GS_MAX_TREE_DEPTH);
    assert_ok(&err, gs_fs_walk(dir->fd, 10, arena, &entries, &count, &err));
    assert_ok(&err, gs_fs_remove_tree(dir->fd, "d", &err));
    make_deep(dir->fd, GS_MAX_TREE_DEPTH + 2);
    assert_fails(&err, GS_ELIMIT, "nested deeper", gs_fs_walk(dir->fd, 10, arena, &entries, &count, &err));
    assert_fails(&err, GS_ELIMIT, "nested deeper", gs_fs_remove_tree(dir->fd, "d", &err));
    assert_int_equal(renameat(dir->fd, "d/d/d", dir->fd, "e"), 0);
}

static void removes_all_below_and_nothing_else(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    support_write(dir->fd, "outside/kept", "kept");
    support_write(dir->fd, "tree/a/b/c", "x");
    support_write(dir->fd, "tree/read-only", "x");
    assert_int_equal(fchmodat(dir->fd, "tree/read-only", 0400, 0), 0);
    assert_int_equal(symlinkat("../outside", dir->fd, "tree/link"), 0);
    assert_int_equal(symlinkat("../../outside/kept", dir->fd, "tree/a/link"), 0);
    assert_int_equal(mkfifoat(dir->fd, "tree/fifo", 0600), 0);
    assert_int_equal(symlinkat("outside", dir->fd, "link"), 0);
    assert_ok(&err, gs_fs_remove_tree(dir->fd, "tree", &err));
    assert_false(gs_fs_exists(dir->fd, "tree"));
    assert_ok(&err, gs_fs_remove_tree(dir->fd, "tree", &err));
    assert_ok(&err, gs_fs_remove_tree(dir->fd, "link", &err));
    assert_false(gs_fs_exists(dir->fd, "link"));
    support_assert_file(dir->fd, "outside/kept", "kept");
    assert_ok(&err, gs_fs_remove_tree(dir->fd, "outside/kept", &err));
    assert_true(gs_fs_exists(dir->fd, "outside"));
}

static void removes_many(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    assert_int_equal(mkdirat(dir->fd, "many", 0700), 0);
    for (int i = 0; i < 3000; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "many/%d", i);
        GS_AUTO_FD int fd = openat(dir->fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
    }
    assert_ok(&err, gs_fs_remove_tree(dir->fd, "many", &err));
    assert_false(gs_fs_exists(dir->fd, "many"));
}

/* A bind mount within one file system has the same device number as what is around it. */
static void stays_on_its_mount(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    char source[512];
    char target[512];
    support_write(dir->fd, "outside/kept", "kept");
    support_write(dir->fd, "tree/a", "x");
    assert_int_equal(mkdirat(dir->fd, "tree/mount", 0700), 0);
    (void)snprintf(source, sizeof source, "%s/outside", dir->path);
    (void)snprintf(target, sizeof target, "%s/tree/mount", dir->path);
    if (mount(source, target, NULL, MS_BIND, NULL) != 0) {
        print_message("this user cannot mount\n");
        skip();
    }
    int code = gs_fs_remove_tree(dir->fd, "tree", &err);
    assert_int_equal(umount(target), 0);
    assert_fails(&err, GS_EIO, "tree/mount", code);
    support_assert_file(dir->fd, "outside/kept", "kept");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(walks_in_order),   test_in_tempdir(walks_an_empty_directory),
        test_in_tempdir(walk_refuses),     test_in_tempdir(lists_one_directory),
        test_in_tempdir(bounds_the_depth), test_in_tempdir(removes_all_below_and_nothing_else),
        test_in_tempdir(removes_many),     test_in_tempdir(stays_on_its_mount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
