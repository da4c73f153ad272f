/* Opening the cache: made when absent, private, opened again, and refused when it is not ours to use. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

static void test_makes_a_private_cache(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    struct stat info;
    char made[GS_COMMIT_TEXT];
    int64_t time;
    GS_AUTO_GIT gs_git *git = open_cache(fx, "caches/site", fx->origin, NULL);
    assert_int_equal(fstatat(fx->dir.fd, "caches/site", &info, 0), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    make_commit(git, NULL, "a", "1", made);
    GS_AUTO_GIT gs_git *again = open_cache(fx, "caches/site", fx->origin, NULL);
    assert_ok(&err, gs_git_time(again, made, &time, &err));
    assert_int_equal(time, 1700000001);
}

/* A run that was killed while it made the cache leaves a directory without a repository in it, or half of one. */
static void test_a_half_made_cache_is_made_again(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a", "1");
    support_write(fx->dir.fd, "cache/HEAD", "ref: refs/heads/main\n");
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    assert_ok(&err, gs_git_fetch(git, NULL, "main", commit, &err));
}

/* libgit2 locks with files: a killed run leaves them, and half a pack. */
static void test_what_a_killed_run_left_is_removed(void **state)
{
    static const char *const left[] = {"cache/refs/gapship/refs%2Fheads%2Fmain.lock", "cache/refs/gapship/push.lock",
                                       "cache/HEAD.lock", "cache/objects/pack/pack_git2_0123ab"};
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a", "1");
    gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    assert_ok(&err, gs_git_fetch(git, NULL, "main", commit, &err));
    gs_git_free(git);
    for (size_t i = 0; i < COUNT_OF(left); i++) {
        support_write(fx->dir.fd, left[i], "");
    }
    git = open_cache(fx, "cache", fx->origin, NULL);
    for (size_t i = 0; i < COUNT_OF(left); i++) {
        assert_false(gs_fs_exists(fx->dir.fd, left[i]));
    }
    assert_ok(&err, gs_git_fetch(git, NULL, "main", commit, &err));
    make_commit(git, commit, "a", "2", commit);
    assert_ok(&err, gs_git_push(git, NULL, commit, "main", &err));
    gs_git_free(git);
}

/* A lock may be another run's that is at work: it stays, and a fetch does without recording. */
static void test_a_lock_in_use_stays(void **state)
{
    static const char lock[] = "cache/refs/gapship/refs%2Fheads%2Fmain.lock";
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    const char *made = push_file(fx, "main", "a", "1");
    GS_AUTO_GIT gs_git *first = open_cache(fx, "cache", fx->origin, NULL);
    assert_ok(&err, gs_git_fetch(first, NULL, "main", commit, &err));
    support_write(fx->dir.fd, lock, "");
    GS_AUTO_GIT gs_git *second = open_cache(fx, "cache", fx->origin, NULL);
    assert_true(gs_fs_exists(fx->dir.fd, lock));
    assert_ok(&err, gs_git_fetch(second, NULL, "main", commit, &err));
    assert_string_equal(commit, made);
}

static void test_a_damaged_cache_says_what_to_do(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    gs_git_free(git);
    git = NULL;
    support_write(fx->dir.fd, "cache/config", "[core\n");
    assert_fails(&err, GS_EIO, "remove the directory", gs_git_open(in(fx, "cache"), fx->origin, NULL, &git, &err));
    assert_null(git);
}

static void test_a_cache_of_another_owner(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    gs_git *git = NULL;
    if (geteuid() != 0) {
        skip(); /* only root can give a directory away */
    }
    gs_git_free(open_cache(fx, "cache", fx->origin, NULL));
    (void)run(fx, "chown", "-R", "nobody", "cache", NULL);
    assert_fails(&err, GS_ESPEC, "belongs to another user", gs_git_open(in(fx, "cache"), fx->origin, NULL, &git, &err));
    assert_null(git);
}

static void test_a_bad_address(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    gs_git *git = NULL;
    assert_fails(&err, GS_ESPEC, "git://host/x", gs_git_open(in(fx, "cache"), "git://host/x", NULL, &git, &err));
    assert_null(git);
    assert_false(gs_fs_exists(fx->dir.fd, "cache"));
    gs_git_free(NULL);
}

static void test_version(void **state)
{
    (void)state;
    assert_int_equal(strncmp(gs_git_version(), "libgit2 1.", 10), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_with_fixture(test_makes_a_private_cache),
                                       test_with_fixture(test_a_half_made_cache_is_made_again),
                                       test_with_fixture(test_what_a_killed_run_left_is_removed),
                                       test_with_fixture(test_a_lock_in_use_stays),
                                       test_with_fixture(test_a_damaged_cache_says_what_to_do),
                                       test_with_fixture(test_a_cache_of_another_owner),
                                       test_with_fixture(test_a_bad_address),
                                       cmocka_unit_test(test_version)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
