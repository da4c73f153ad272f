/* Making commits; the real git judges them. */
#include <string.h>

#include "fixture.h"

static void test_first_commit_is_what_git_reads(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char made[GS_COMMIT_TEXT];
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    const gs_git_change changes[] = {{.path = "overlays/prod/kustomization.yaml", .data = "a: 1\n", .len = 5},
                                     {.path = "run.sh", .data = "#!/bin/sh\n", .len = 10, .executable = true},
                                     {.path = "empty", .data = "", .len = 0}};
    const gs_git_commit commit = {.changes = changes,
                                  .change_count = COUNT_OF(changes),
                                  .message = "chore: update prod image to sha-12345678 [skip ci]\n\n# not a comment",
                                  .author = "gapship <gapship@plant-7>",
                                  .time = 1700000000};
    assert_ok(&err, gs_git_commit_make(git, &commit, made, &err));
    const char *cache = in(fx, "cache");
    (void)run(fx, "git", "-C", cache, "fsck", "--strict", made, NULL);
    assert_string_equal(
        run(fx, "git", "-C", cache, "log", "-1", "--format=%an|%ae|%at|%cn|%ct|%P|%s", made, NULL),
        "gapship|gapship@plant-7|1700000000|gapship|1700000000||chore: update prod image to sha-12345678 [skip ci]");
    assert_contains(run(fx, "git", "-C", cache, "log", "-1", "--format=%B", made, NULL), "# not a comment");
    assert_contains(run(fx, "git", "-C", cache, "ls-tree", "-r", made, NULL), "100755 blob");
    assert_string_equal(run(fx, "git", "-C", cache, "ls-tree", "-r", "--name-only", made, NULL),
                        "empty\noverlays/prod/kustomization.yaml\nrun.sh");
    assert_string_equal(run(fx, "git", "-C", cache, "show", text(fx, "%s:overlays/prod/kustomization.yaml", made), NULL), "a: 1");
}

static void test_the_same_commit_twice_has_the_same_id(void **state)
{
    git_fixture *fx = *state;
    char one[GS_COMMIT_TEXT];
    char two[GS_COMMIT_TEXT];
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    make_commit(git, NULL, "a", "1", one);
    make_commit(git, NULL, "a", "1", two);
    assert_string_equal(one, two);
}

static void test_changes_touch_only_their_paths(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char first[GS_COMMIT_TEXT];
    char second[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "keep/a", "1");
    (void)push_file(fx, "main", "gone/only", "1");
    (void)push_file(fx, "main", "edit", "old");
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    assert_ok(&err, gs_git_fetch(git, NULL, "main", first, &err));
    const gs_git_change changes[] = {
        {.path = "edit", .data = "new", .len = 3}, {.path = "gone/only"}, {.path = "keep/b", .data = "2", .len = 1}};
    const gs_git_commit commit = {
        .parent = first, .changes = changes, .change_count = COUNT_OF(changes), .message = "m", .author = "A <a@b>", .time = 1};
    assert_ok(&err, gs_git_commit_make(git, &commit, second, &err));
    assert_string_equal(run(fx, "git", "-C", in(fx, "cache"), "diff", "--name-status", first, second, NULL),
                        "M\tedit\nD\tgone/only\nA\tkeep/b");
    assert_string_equal(run(fx, "git", "-C", in(fx, "cache"), "rev-parse", text(fx, "%s^", second), NULL), first);
}

static void test_no_change_is_no_commit(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char first[GS_COMMIT_TEXT];
    char again[GS_COMMIT_TEXT];
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    make_commit(git, NULL, "a", "1", first);
    make_commit(git, first, "a", "1", again);
    assert_string_equal(first, again);
    const gs_git_commit nothing = {.parent = first, .message = "m", .author = "A <a@b>", .time = 1};
    assert_ok(&err, gs_git_commit_make(git, &nothing, again, &err));
    assert_string_equal(first, again);
}

static void test_refusals(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char first[GS_COMMIT_TEXT];
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    make_commit(git, NULL, "dir/a", "1", first);
    const struct {
        const char *parent;
        gs_git_change change;
        const char *author;
        int code;
        const char *text;
    } cases[] = {
        {first, {.path = "../a", .data = "x", .len = 1}, "A <a@b>", GS_ESPEC, "not the path"},
        {first, {.path = "/a", .data = "x", .len = 1}, "A <a@b>", GS_ESPEC, "not the path"},
        {first, {.path = ".git/hooks/x", .data = "x", .len = 1}, "A <a@b>", GS_ESPEC, "do not fit"},
        {first, {.path = "b/.GIT/config", .data = "x", .len = 1}, "A <a@b>", GS_ESPEC, "do not fit"},
        {first, {.path = "dir", .data = "x", .len = 1}, "A <a@b>", GS_ESPEC, "do not fit"},
        {first, {.path = "dir/a/b", .data = "x", .len = 1}, "A <a@b>", GS_ESPEC, "do not fit"},
        {first, {.path = "missing"}, "A <a@b>", GS_ESPEC, "do not fit"},
        {first, {.path = "b", .data = "x", .len = 1}, "nobody", GS_ESPEC, "Name <mail@host>"},
        {first, {.path = "b", .data = "x", .len = 1}, " <a@b>", GS_ESPEC, "not the author"},
        {first, {.path = "b", .data = "x", .len = 1}, "A <>", GS_ESPEC, "Name <mail@host>"},
        {"3333333333333333333333333333333333333333",
         {.path = "b", .data = "x", .len = 1},
         "A <a@b>",
         GS_ENOTFOUND,
         "no commit 3333"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char made[GS_COMMIT_TEXT] = "untouched";
        const gs_git_commit commit = {.parent = cases[i].parent,
                                      .changes = &cases[i].change,
                                      .change_count = 1,
                                      .message = "m",
                                      .author = cases[i].author,
                                      .time = 1};
        assert_fails(&err, cases[i].code, cases[i].text, gs_git_commit_make(git, &commit, made, &err));
        assert_string_equal(made, "untouched");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_with_fixture(test_first_commit_is_what_git_reads),
                                       test_with_fixture(test_the_same_commit_twice_has_the_same_id),
                                       test_with_fixture(test_changes_touch_only_their_paths),
                                       test_with_fixture(test_no_change_is_no_commit), test_with_fixture(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
