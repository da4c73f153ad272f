/* What a working tree stands on, as the real git made it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

static void describe(git_fixture *fx, const char *name, gs_git_state *out)
{
    gs_error err = {0};
    assert_ok(&err, gs_git_describe(in(fx, name), fx->arena, out, &err));
}

static void test_a_branch(void **state)
{
    git_fixture *fx = *state;
    gs_git_state found;
    const char *made = push_file(fx, "main", "k8s/base/a.yaml", "1");
    describe(fx, "work", &found);
    assert_string_equal(found.commit, made);
    assert_string_equal(found.ref, "refs/heads/main");
    assert_int_equal(found.time, 1700000000);
    assert_false(found.dirty);
    describe(fx, "work/k8s/base", &found); /* anywhere inside */
    assert_string_equal(found.commit, made);
}

static void test_a_detached_head_is_on_its_highest_tag(void **state)
{
    git_fixture *fx = *state;
    gs_git_state found;
    const char *work = in(fx, "work");
    (void)push_file(fx, "main", "a", "1");
    (void)run(fx, "git", "-C", work, "tag", "v9.9.9", NULL); /* on another commit */
    const char *made = push_file(fx, "main", "a", "2");
    (void)run(fx, "git", "-C", work, "checkout", "-q", "--detach", NULL);
    describe(fx, "work", &found);
    assert_null(found.ref);
    (void)run(fx, "git", "-C", work, "tag", "v1.9.0", NULL);
    (void)run(fx, "git", "-C", work, "tag", "-a", "-m", "x", "v1.10.0", NULL);
    describe(fx, "work", &found);
    assert_string_equal(found.ref, "refs/tags/v1.10.0");
    assert_string_equal(found.commit, made);
}

static void test_dirty_means_tracked_files(void **state)
{
    git_fixture *fx = *state;
    gs_git_state found;
    const char *work = in(fx, "work");
    (void)push_file(fx, "main", "a", "1");
    support_write(fx->dir.fd, "work/untracked", "x");
    describe(fx, "work", &found);
    assert_false(found.dirty);
    (void)run(fx, "git", "-C", work, "add", "untracked", NULL);
    describe(fx, "work", &found);
    assert_true(found.dirty);
    (void)run(fx, "git", "-C", work, "rm", "-q", "--cached", "untracked", NULL);
    describe(fx, "work", &found);
    assert_false(found.dirty);
    assert_int_equal(fchmodat(fx->dir.fd, "work/a", 0755, 0), 0);
    describe(fx, "work", &found);
    assert_true(found.dirty);
    assert_int_equal(unlinkat(fx->dir.fd, "work/a", 0), 0);
    describe(fx, "work", &found);
    assert_true(found.dirty);
}

/* Describing is reading: not even the index is refreshed. */
static void test_nothing_is_written(void **state)
{
    git_fixture *fx = *state;
    gs_git_state found;
    (void)push_file(fx, "main", "a", "1");
    (void)run(fx, "touch", "-d", "2001-01-01", "work/a", NULL);
    const char *before = run(fx, "sh", "-c", "find work -type f | sort | xargs sha256sum", NULL);
    describe(fx, "work", &found);
    assert_false(found.dirty);
    assert_string_equal(run(fx, "sh", "-c", "find work -type f | sort | xargs sha256sum", NULL), before);
}

static void test_no_repository_or_no_commit(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    gs_git_state found = {.time = 77};
    assert_fails(&err, GS_ENOTFOUND, "not inside the working tree", gs_git_describe(fx->dir.path, fx->arena, &found, &err));
    assert_fails(&err, GS_ENOTFOUND, "absent", gs_git_describe(in(fx, "absent"), fx->arena, &found, &err));
    assert_fails(&err, GS_ENOTFOUND, "not inside the working tree", gs_git_describe(fx->origin, fx->arena, &found, &err));
    (void)run(fx, "git", "init", "-q", "fresh", NULL);
    assert_fails(&err, GS_ENOTFOUND, "no commit yet", gs_git_describe(in(fx, "fresh"), fx->arena, &found, &err));
    assert_int_equal(found.time, 77);
}

static void test_configuration_of_the_user_is_not_read(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    gs_git_state found;
    (void)push_file(fx, "main", "a", "1");
    support_write(fx->dir.fd, "home/.gitconfig", "this is no configuration\n");
    assert_int_equal(setenv("HOME", in(fx, "home"), 1), 0);
    assert_ok(&err, gs_git_describe(in(fx, "work"), fx->arena, &found, &err));
}

static void test_a_tree_of_another_owner(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    gs_git_state found;
    (void)push_file(fx, "main", "a", "1");
    if (geteuid() != 0) {
        skip(); /* only root can give a directory away */
    }
    (void)run(fx, "chown", "-R", "nobody", "work", NULL);
    assert_fails(&err, GS_ESPEC, "belongs to another user", gs_git_describe(in(fx, "work"), fx->arena, &found, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_with_fixture(test_a_branch),
                                       test_with_fixture(test_a_detached_head_is_on_its_highest_tag),
                                       test_with_fixture(test_dirty_means_tracked_files),
                                       test_with_fixture(test_nothing_is_written),
                                       test_with_fixture(test_no_repository_or_no_commit),
                                       test_with_fixture(test_configuration_of_the_user_is_not_read),
                                       test_with_fixture(test_a_tree_of_another_owner)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
