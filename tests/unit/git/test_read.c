/* Reading a commit: files, lists, time, history. The repository is made by the real git. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

/* Fetches main into a cache. */
static gs_git *cache_of_main(git_fixture *fx, char commit[GS_COMMIT_TEXT])
{
    gs_error err = {0};
    gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    assert_ok(&err, gs_git_fetch(git, NULL, "main", commit, &err));
    return git;
}

static void test_reads_files(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a.txt", "one\r\n");
    (void)push_file(fx, "main", "overlays/stage/empty", "");
    GS_AUTO_GIT gs_git *git = cache_of_main(fx, commit);
    GS_AUTO_BUF gs_buf out;
    gs_buf_init(&out, 5);
    assert_ok(&err, gs_git_read(git, commit, "a.txt", &out, &err));
    assert_string_equal(gs_buf_text(&out), "one\r\n");
    gs_buf_clear(&out);
    assert_ok(&err, gs_git_read(git, commit, "overlays/stage/empty", &out, &err));
    assert_int_equal(out.len, 0);
    assert_fails(&err, GS_ENOTFOUND, "b.txt", gs_git_read(git, commit, "b.txt", &out, &err));
    assert_fails(&err, GS_ENOTFOUND, "a.txt/b", gs_git_read(git, commit, "a.txt/b", &out, &err));
    assert_fails(&err, GS_ESPEC, "a file is needed", gs_git_read(git, commit, "overlays", &out, &err));
    assert_fails(&err, GS_ENOTFOUND, "no commit 2222",
                 gs_git_read(git, "2222222222222222222222222222222222222222", "a.txt", &out, &err));
    assert_fails(&err, GS_ESPEC, "full commit id", gs_git_read(git, "main", "a.txt", &out, &err));
    assert_fails(&err, GS_ESPEC, "full commit id",
                 gs_git_read(git, "zz22222222222222222222222222222222222222", "a.txt", &out, &err));
}

static void test_a_file_over_the_buffers_maximum(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a.txt", "123456");
    GS_AUTO_GIT gs_git *git = cache_of_main(fx, commit);
    GS_AUTO_BUF gs_buf out;
    gs_buf_init(&out, 5);
    assert_fails(&err, GS_ELIMIT, "6 bytes", gs_git_read(git, commit, "a.txt", &out, &err));
}

static void test_lists_in_byte_order(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    static const char *const paths[] = {"a-b", "a.b", "a/b", "a/b.d/c", "a/b/c", "a0", "run.sh"};
    (void)push_file(fx, "main", "run.sh", "#!/bin/sh\n");
    assert_int_equal(fchmodat(fx->dir.fd, "work/run.sh", 0755, 0), 0);
    for (size_t i = 0; i < COUNT_OF(paths) - 1; i++) {
        if (i != 2) { /* a/b cannot be a file and a directory */
            support_write(fx->dir.fd, text(fx, "work/%s", paths[i]), "x");
        }
    }
    (void)push_file(fx, "main", "last", "x");
    GS_AUTO_GIT gs_git *git = cache_of_main(fx, commit);
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    static const char *const expected[] = {"a-b", "a.b", "a/b.d/c", "a/b/c", "a0", "last", "run.sh"};
    gs_git_file *files = NULL;
    size_t count = 0;
    assert_ok(&err, gs_git_list(git, commit, "", arena, &files, &count, &err));
    assert_int_equal(count, COUNT_OF(expected));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(files[i].path, expected[i]);
        assert_true(i == 0 || strcmp(files[i - 1].path, files[i].path) < 0);
        assert_int_equal(files[i].executable, strcmp(files[i].path, "run.sh") == 0);
    }
    assert_ok(&err, gs_git_list(git, commit, "a", arena, &files, &count, &err));
    assert_int_equal(count, 2);
    assert_string_equal(files[0].path, "b.d/c");
    assert_string_equal(files[1].path, "b/c");
    assert_fails(&err, GS_ENOTFOUND, "nowhere", gs_git_list(git, commit, "nowhere", arena, &files, &count, &err));
    assert_fails(&err, GS_ESPEC, "a directory is needed", gs_git_list(git, commit, "a0", arena, &files, &count, &err));
}

static void test_links_and_submodules_are_refused(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    gs_git_file *files = NULL;
    size_t count = 77;
    const char *first = push_file(fx, "main", "a.txt", "one");
    const char *work = in(fx, "work");
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf out;
    gs_buf_init(&out, 100);
    assert_int_equal(symlinkat("/etc/passwd", fx->dir.fd, "work/link"), 0);
    (void)push_file(fx, "main", "b.txt", "two");
    GS_AUTO_GIT gs_git *git = cache_of_main(fx, commit);
    assert_fails(&err, GS_ESPEC, "symbolic link", gs_git_list(git, commit, "", arena, &files, &count, &err));
    assert_fails(&err, GS_ESPEC, "symbolic link", gs_git_read(git, commit, "link", &out, &err));
    (void)run(fx, "git", "-C", work, "rm", "-q", "link", NULL);
    (void)run(fx, "git", "-C", work, "update-index", "--add", "--cacheinfo", text(fx, "160000,%s,vendored", first), NULL);
    (void)run(fx, "git", "-C", work, "commit", "-q", "-m", "submodule", NULL);
    (void)run(fx, "git", "-C", work, "push", "-q", "origin", "main", NULL);
    assert_ok(&err, gs_git_fetch(git, NULL, "main", commit, &err));
    assert_fails(&err, GS_ESPEC, "submodule", gs_git_list(git, commit, "", arena, &files, &count, &err));
    assert_fails(&err, GS_ESPEC, "submodule", gs_git_read(git, commit, "vendored", &out, &err));
    assert_null(files);
    assert_int_equal(count, 77);
}

static void test_names_that_cannot_be_carried(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    gs_git_file *files = NULL;
    size_t count = 0;
    (void)push_file(fx, "main", "back\\slash", "x");
    GS_AUTO_GIT gs_git *git = cache_of_main(fx, commit);
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    assert_fails(&err, GS_ESPEC, "cannot be carried", gs_git_list(git, commit, "", arena, &files, &count, &err));
}

/* 3000 directories in each other, made with git's own plumbing: the bound on a path ends the walk before the stack does. */
static void test_deep_trees_end_the_walk(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    gs_git_file *files = NULL;
    size_t count = 0;
    support_write(
        fx->dir.fd, "deep.py",
        "print('blob\\nmark :1\\ndata 1\\nx\\ncommit refs/heads/main\\ncommitter A <a@b> 1700000000 +0000\\ndata 1\\nx')\n"
        "print('M 100644 :1 ' + 'd/' * 3000 + 'f')\n");
    support_write(fx->dir.fd, "import.sh", "python3 deep.py | git -C \"$1\" fast-import --quiet\n");
    (void)run(fx, "sh", "import.sh", fx->origin, NULL);
    GS_AUTO_GIT gs_git *git = cache_of_main(fx, commit);
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    assert_fails(&err, GS_ESPEC, "cannot be carried", gs_git_list(git, commit, "", arena, &files, &count, &err));
}

typedef struct seen {
    size_t count;
    size_t stop_after;
    char text[256];
} seen;

static int see(void *state, const char *commit, const char *message, gs_error *err)
{
    (void)err;
    seen *all = state;
    assert_int_equal(strlen(commit), GS_COMMIT_TEXT - 1);
    size_t used = strlen(all->text);
    (void)snprintf(all->text + used, sizeof(all->text) - used, "%.*s|", (int)strcspn(message, "\n"), message);
    return ++all->count == all->stop_after;
}

static int refuse(void *state, const char *commit, const char *message, gs_error *err)
{
    (void)state;
    (void)commit;
    (void)message;
    return gs_fail(err, GS_ESPEC, "enough");
}

static void test_history_and_time(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a", "1");
    (void)push_file(fx, "main", "b", "1");
    (void)push_file(fx, "main", "c", "1");
    GS_AUTO_GIT gs_git *git = cache_of_main(fx, commit);
    const struct {
        size_t max;
        size_t stop_after;
        const char *text;
    } cases[] = {{100, 0, "change c|change b|change a|"}, {2, 0, "change c|change b|"}, {0, 0, ""}, {100, 1, "change c|"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        seen all = {.stop_after = cases[i].stop_after};
        assert_ok(&err, gs_git_log(git, commit, cases[i].max, see, &all, &err));
        assert_string_equal(all.text, cases[i].text);
    }
    assert_fails(&err, GS_ESPEC, "enough", gs_git_log(git, commit, 3, refuse, NULL, &err));
    int64_t seconds = 0;
    assert_ok(&err, gs_git_time(git, commit, &seconds, &err));
    assert_int_equal(seconds, 1700000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_with_fixture(test_reads_files),
                                       test_with_fixture(test_a_file_over_the_buffers_maximum),
                                       test_with_fixture(test_lists_in_byte_order),
                                       test_with_fixture(test_links_and_submodules_are_refused),
                                       test_with_fixture(test_names_that_cannot_be_carried),
                                       test_with_fixture(test_deep_trees_end_the_walk),
                                       test_with_fixture(test_history_and_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
