/* Fetching from a local path: which ref a name means, what is said when there is none, and commit ids. */
#include "fixture.h"

#include <string.h>

static void test_branch_tag_and_whole_name(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    const char *first = push_file(fx, "main", "a.txt", "one");
    (void)run(fx, "git", "-C", in(fx, "work"), "tag", "-a", "-m", "release", "v1", NULL);
    (void)run(fx, "git", "-C", in(fx, "work"), "push", "-q", "origin", "v1", NULL);
    const char *second = push_file(fx, "main", "a.txt", "two");
    const struct {
        const char *ref;
        const char *commit;
    } cases[] = {{"main", second}, {"refs/heads/main", second}, {"HEAD", second},
                 {"v1", first},    {"refs/tags/v1", first},     {first, first},
                 {second, second}};
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char commit[GS_COMMIT_TEXT] = "";
        assert_ok(&err, gs_git_fetch(git, NULL, cases[i].ref, commit, &err));
        assert_string_equal(commit, cases[i].commit);
    }
}

static void test_a_new_commit_comes_with_the_next_fetch(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    const char *url = text(fx, "file://%s", fx->origin);
    for (int i = 0; i < 3; i++) {
        const char *made = push_file(fx, "main", "a.txt", text(fx, "content %d", i));
        GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", url, NULL); /* opened again each time, as another run would */
        assert_ok(&err, gs_git_fetch(git, NULL, "main", commit, &err));
        assert_string_equal(commit, made);
    }
}

static void test_follows_a_branch_that_was_rewritten(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a.txt", "one");
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    assert_ok(&err, gs_git_fetch(git, NULL, "main", commit, &err));
    (void)run(fx, "git", "-C", in(fx, "work"), "commit", "-q", "--amend", "-m", "rewritten", NULL);
    (void)run(fx, "git", "-C", in(fx, "work"), "push", "-q", "-f", "origin", "main", NULL);
    assert_ok(&err, gs_git_fetch(git, NULL, "main", commit, &err));
    assert_string_equal(commit, origin_head(fx, "main"));
}

static void test_a_branch_may_become_a_directory_of_branches(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a.txt", "one");
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    (void)push_file(fx, "site", "a.txt", "two");
    assert_ok(&err, gs_git_fetch(git, NULL, "site", commit, &err));
    (void)run(fx, "git", "-C", fx->origin, "branch", "-D", "site", NULL);
    (void)run(fx, "rm", "-rf", in(fx, "work"), NULL);
    const char *below = push_file(fx, "site/plant-7", "a.txt", "three");
    assert_ok(&err, gs_git_fetch(git, NULL, "site/plant-7", commit, &err));
    assert_string_equal(commit, below);
}

static void test_missing_refs_say_what_is_there(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT] = "untouched";
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    assert_fails(&err, GS_ENOTFOUND, "the repository is empty", gs_git_fetch(git, NULL, "main", commit, &err));
    (void)push_file(fx, "production", "a.txt", "one");
    assert_fails(&err, GS_ENOTFOUND, "did you mean \"production\"?", gs_git_fetch(git, NULL, "prodution", commit, &err));
    assert_fails(&err, GS_ENOTFOUND, "has no \"refs/tags/v9\"", gs_git_fetch(git, NULL, "refs/tags/v9", commit, &err));
    assert_fails(&err, GS_ENOTFOUND, "leads to commit 1111",
                 gs_git_fetch(git, NULL, "1111111111111111111111111111111111111111", commit, &err));
    assert_fails(&err, GS_ESPEC, "1 to 1024", gs_git_fetch(git, NULL, "", commit, &err));
    assert_string_equal(commit, "untouched");
}

static void test_a_name_of_both_a_branch_and_a_tag_is_refused(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    const char *made = push_file(fx, "v1", "a.txt", "one");
    (void)run(fx, "git", "-C", fx->origin, "tag", "v1", "refs/heads/v1", NULL);
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    assert_fails(&err, GS_ESPEC, "write refs/heads/v1 or refs/tags/v1", gs_git_fetch(git, NULL, "v1", commit, &err));
    assert_ok(&err, gs_git_fetch(git, NULL, "refs/heads/v1", commit, &err));
    assert_string_equal(commit, made);
}

static void test_a_tag_of_a_file_is_no_commit(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a.txt", "one");
    (void)run(fx, "git", "-C", fx->origin, "tag", "blob", "main:a.txt", NULL);
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    assert_fails(&err, GS_ESPEC, "no commit", gs_git_fetch(git, NULL, "blob", commit, &err));
}

static void test_an_older_commit_that_no_ref_names(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    const char *first = push_file(fx, "main", "a.txt", "one");
    (void)push_file(fx, "main", "a.txt", "two");
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    assert_ok(&err, gs_git_fetch(git, NULL, first, commit, &err));
    assert_string_equal(commit, first);
    /* From the cache alone: the remote is gone. */
    (void)run(fx, "mv", fx->origin, in(fx, "elsewhere.git"), NULL);
    assert_ok(&err, gs_git_fetch(git, NULL, first, commit, &err));
    assert_fails(&err, GS_ENOTFOUND, "there is no repository at", gs_git_fetch(git, NULL, "main", commit, &err));
}

static void test_stops_when_told_to(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    volatile sig_atomic_t stop = 2;
    gs_run asked_to_stop = {.stop = &stop};
    (void)push_file(fx, "main", "a.txt", "one");
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    assert_fails(&err, GS_EINTERRUPTED, NULL, gs_git_fetch(git, &asked_to_stop, "main", commit, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_with_fixture(test_branch_tag_and_whole_name),
                                       test_with_fixture(test_a_new_commit_comes_with_the_next_fetch),
                                       test_with_fixture(test_follows_a_branch_that_was_rewritten),
                                       test_with_fixture(test_a_branch_may_become_a_directory_of_branches),
                                       test_with_fixture(test_missing_refs_say_what_is_there),
                                       test_with_fixture(test_a_name_of_both_a_branch_and_a_tag_is_refused),
                                       test_with_fixture(test_a_tag_of_a_file_is_no_commit),
                                       test_with_fixture(test_an_older_commit_that_no_ref_names),
                                       test_with_fixture(test_stops_when_told_to)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
