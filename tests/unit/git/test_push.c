/* Pushing to a bare repository: through a local path where that is enough, through git's own receive-pack (over HTTP) where the
 * server's answer matters. */
#include <string.h>

#include "fixture.h"

static gs_git *http_cache(git_fixture *fx)
{
    serve_http(fx, NULL, NULL);
    return open_cache(fx, "cache", text(fx, "http://127.0.0.1:%d/origin.git", fx->port), NULL);
}

static void push_to_an_empty_remote_and_forward(git_fixture *fx, gs_git *git)
{
    gs_error err = {0};
    char first[GS_COMMIT_TEXT];
    char second[GS_COMMIT_TEXT];
    make_commit(git, NULL, "a", "1", first);
    assert_ok(&err, gs_git_push(git, NULL, first, "main", &err));
    assert_string_equal(origin_head(fx, "main"), first);
    make_commit(git, first, "a", "2", second);
    assert_ok(&err, gs_git_push(git, NULL, second, "main", &err));
    assert_string_equal(origin_head(fx, "main"), second);
    assert_ok(&err, gs_git_push(git, NULL, second, "main", &err)); /* again: nothing to do */
    assert_ok(&err, gs_git_push(git, NULL, first, "sites/plant-7", &err));
    assert_string_equal(origin_head(fx, "sites/plant-7"), first);
    (void)run(fx, "git", "-C", fx->origin, "fsck", "--strict", NULL);
}

static void test_local_path(void **state)
{
    git_fixture *fx = *state;
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    push_to_an_empty_remote_and_forward(fx, git);
}

static void test_http(void **state)
{
    git_fixture *fx = *state;
    GS_AUTO_GIT gs_git *git = http_cache(fx);
    push_to_an_empty_remote_and_forward(fx, git);
}

/* Somebody pushes between our fetch and our push: refused, then done again on what is there. */
static void lose_a_race_and_recover(git_fixture *fx, gs_git *git)
{
    gs_error err = {0};
    char base[GS_COMMIT_TEXT];
    char ours[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "images.yaml", "tag: 1\n");
    assert_ok(&err, gs_git_fetch(git, NULL, "main", base, &err));
    make_commit(git, base, "ours", "x", ours);
    const char *theirs = push_file(fx, "main", "theirs", "y");
    assert_fails(&err, GS_ECONFLICT, "fetch the branch", gs_git_push(git, NULL, ours, "main", &err));
    assert_string_equal(origin_head(fx, "main"), theirs);

    assert_ok(&err, gs_git_fetch(git, NULL, "main", base, &err));
    assert_string_equal(base, theirs);
    make_commit(git, base, "ours", "x", ours);
    assert_ok(&err, gs_git_push(git, NULL, ours, "main", &err));
    assert_string_equal(run(fx, "git", "-C", fx->origin, "ls-tree", "--name-only", "main", NULL), "images.yaml\nours\ntheirs");
}

static void test_race_at_a_local_path(void **state)
{
    git_fixture *fx = *state;
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    lose_a_race_and_recover(fx, git);
}

static void test_race_over_http(void **state)
{
    git_fixture *fx = *state;
    GS_AUTO_GIT gs_git *git = http_cache(fx);
    lose_a_race_and_recover(fx, git);
}

static void test_unrelated_or_older_commits_are_conflicts(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char unrelated[GS_COMMIT_TEXT];
    char second[GS_COMMIT_TEXT];
    const char *first = push_file(fx, "main", "a", "1");
    (void)push_file(fx, "main", "a", "2");
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    make_commit(git, NULL, "b", "1", unrelated);
    assert_fails(&err, GS_ECONFLICT, NULL, gs_git_push(git, NULL, unrelated, "main", &err)); /* what is there is not even known */
    assert_ok(&err, gs_git_fetch(git, NULL, "main", second, &err));
    assert_fails(&err, GS_ECONFLICT, NULL, gs_git_push(git, NULL, unrelated, "main", &err));
    assert_fails(&err, GS_ECONFLICT, NULL, gs_git_push(git, NULL, first, "main", &err));
    assert_string_equal(origin_head(fx, "main"), second);
}

/* The branch moves inside the server, after it listed its refs: only its own compare-and-swap can see that. */
static void test_race_inside_the_server(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char base[GS_COMMIT_TEXT];
    char ours[GS_COMMIT_TEXT];
    const char *first = push_file(fx, "main", "a", "1");
    (void)push_file(fx, "main", "a", "2");
    GS_AUTO_GIT gs_git *git = http_cache(fx);
    assert_ok(&err, gs_git_fetch(git, NULL, "main", base, &err));
    make_commit(git, base, "ours", "x", ours);
    set_hook(fx, "pre-receive", text(fx, "env -u GIT_QUARANTINE_PATH git update-ref refs/heads/main %s", first));
    assert_fails(&err, GS_ECONFLICT, NULL, gs_git_push(git, NULL, ours, "main", &err));
    assert_string_equal(origin_head(fx, "main"), first);
}

static void test_a_hooks_refusal_has_its_words(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char made[GS_COMMIT_TEXT];
    set_hook(fx, "pre-receive", "echo 'main is frozen until Monday' >&2; printf 'checking\\rdone\\r' >&2; exit 1");
    GS_AUTO_GIT gs_git *git = http_cache(fx);
    make_commit(git, NULL, "a", "1", made);
    assert_fails(&err, GS_EAPPLY, "pre-receive hook declined: main is frozen until Monday",
                 gs_git_push(git, NULL, made, "main", &err));
    assert_string_equal(origin_head(fx, "main"), "");
}

static void test_what_the_remote_cannot_take_in(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char made[GS_COMMIT_TEXT];
    (void)run(fx, "git", "-C", fx->origin, "config", "receive.maxInputSize", "10", NULL);
    GS_AUTO_GIT gs_git *git = http_cache(fx);
    make_commit(git, NULL, "a", "1", made);
    assert_fails(&err, GS_EAPPLY, "could not take in", gs_git_push(git, NULL, made, "main", &err));
}

static void test_a_remote_without_permission_to_push(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char made[GS_COMMIT_TEXT];
    (void)run(fx, "git", "-C", fx->origin, "config", "http.receivepack", "false", NULL);
    GS_AUTO_GIT gs_git *git = http_cache(fx);
    make_commit(git, NULL, "a", "1", made);
    assert_fails(&err, GS_EAUTH, "127.0.0.1", gs_git_push(git, NULL, made, "main", &err));
}

static void test_wrong_names_and_stop(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char made[GS_COMMIT_TEXT];
    volatile sig_atomic_t stop = 2;
    const gs_run asked_to_stop = {.stop = &stop};
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    make_commit(git, NULL, "a", "1", made);
    static const char *const bad[] = {"", "-x", "a..b", "a b", "refs/heads/../x", "a.lock", "HEAD:x"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_fails(&err, GS_ESPEC, "not the name of a git branch", gs_git_push(git, NULL, made, bad[i], &err));
    }
    assert_fails(&err, GS_ENOTFOUND, "no commit 4444",
                 gs_git_push(git, NULL, "4444444444444444444444444444444444444444", "main", &err));
    assert_fails(&err, GS_EINTERRUPTED, NULL, gs_git_push(git, &asked_to_stop, made, "main", &err));
    assert_string_equal(origin_head(fx, "main"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_with_fixture(test_local_path),
                                       test_with_fixture(test_http),
                                       test_with_fixture(test_race_at_a_local_path),
                                       test_with_fixture(test_race_over_http),
                                       test_with_fixture(test_unrelated_or_older_commits_are_conflicts),
                                       test_with_fixture(test_race_inside_the_server),
                                       test_with_fixture(test_a_hooks_refusal_has_its_words),
                                       test_with_fixture(test_what_the_remote_cannot_take_in),
                                       test_with_fixture(test_a_remote_without_permission_to_push),
                                       test_with_fixture(test_wrong_names_and_stop)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
