/* Temporary directories: private, under TMPDIR, gone with all below. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

static int count_entries(const char *path)
{
    DIR *dir = opendir(path);
    assert_non_null(dir);
    int count = -2; /* . and .. */
    while (readdir(dir)) {
        count++;
    }
    assert_int_equal(closedir(dir), 0);
    return count;
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
    assert_true(gs_text_starts(made.path, "/tmp/gapship-work-"));
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

/* A killed run leaves its directory: the next one removes it, but not that of a run that lives, nor anything else. */
static void removes_what_the_dead_left(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_tempdir living = GS_TEMPDIR_INIT;
    gs_tempdir next = GS_TEMPDIR_INIT;
    const char *before = getenv("TMPDIR");
    char *kept = before ? strdup(before) : NULL;
    assert_int_equal(setenv("TMPDIR", dir->path, 1), 0);
    assert_ok(&err, gs_tempdir_make(&living, &err));
    assert_int_equal(mkdirat(dir->fd, "gapship-work-of-somebody", 0700), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        gs_tempdir dead = GS_TEMPDIR_INIT;
        bool made = gs_tempdir_make(&dead, &err) == 0 && mkdirat(dead.fd, "secrets", 0700) == 0;
        if (made) {
            (void)kill(getpid(), SIGKILL);
        }
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(count_entries(dir->path), 3);
    assert_ok(&err, gs_tempdir_make(&next, &err));
    assert_int_equal(count_entries(dir->path), 3); /* the dead one's is gone, the next one's there */
    assert_true(gs_fs_exists(AT_FDCWD, living.path));
    assert_true(gs_fs_exists(dir->fd, "gapship-work-of-somebody"));
    gs_tempdir_done(&next);
    gs_tempdir_done(&living);
    assert_int_equal(kept ? setenv("TMPDIR", kept, 1) : unsetenv("TMPDIR"), 0);
    free(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_private_and_goes), test_in_tempdir(obeys_tmpdir),
                                       test_in_tempdir(removes_what_the_dead_left)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
