/* Children that stay: they run until stopped, their last words are kept, nothing of them is left. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "processes.h"
#include "support.h"

static gs_child *start(const char *script)
{
    gs_error err = {0};
    gs_child *child = NULL;
    const char *const argv[] = {"sh", "-c", script, NULL};
    const gs_proc proc = {.argv = argv};
    assert_ok(&err, gs_child_start(&proc, &child, &err));
    return child;
}

/* Waits up to ten seconds until stderr ends so. */
static bool says(gs_child *child, const char *text)
{
    gs_error err = {0};
    for (int i = 0; i < 500; i++) {
        if (gs_text_ends(gs_child_errors(child), text)) {
            return true;
        }
        assert_ok(&err, gs_sleep(NULL, 20, &err));
    }
    print_error("said: %s\n", gs_child_errors(child));
    return false;
}

static pid_t pid_said_by(gs_child *child)
{
    int pid = 0;
    assert_true(says(child, "ready\n"));
    assert_int_equal(sscanf(gs_child_errors(child), "%d", &pid), 1);
    assert_true(pid > 1);
    return pid;
}

static void runs_until_stopped(void **state)
{
    (void)state;
    size_t before = count_descriptors();
    gs_child *child = start("echo on stdout; echo $$ ready >&2; exec sleep 60");
    pid_t pid = pid_said_by(child);
    assert_true(gs_child_running(child));
    int64_t begin = gs_ticks();
    gs_child_stop(child);
    assert_true(gs_ticks() - begin < 1500);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(count_descriptors(), before);
    gs_child_stop(NULL);
}

static void notices_the_end(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_child *child = start("echo address in use >&2; exit 1");
    for (int i = 0; i < 500 && gs_child_running(child); i++) {
        assert_ok(&err, gs_sleep(NULL, 20, &err));
    }
    assert_false(gs_child_running(child));
    assert_false(gs_child_running(child));
    assert_string_equal(gs_child_errors(child), "address in use\n");
    gs_child_stop(child);
}

static void stops_the_stubborn_and_their_children(void **state)
{
    (void)state;
    gs_child *child = start("trap '' TERM; sleep 60 & echo $! ready >&2; while :; do sleep 1; done");
    pid_t grandchild = pid_said_by(child);
    int64_t begin = gs_ticks();
    gs_child_stop(child);
    assert_in_range(gs_ticks() - begin, 1900, 20000);
    assert_true(dies(grandchild));
}

static void keeps_the_last_words_of_the_talkative(void **state)
{
    (void)state;
    /* Far more than a pipe would hold: nobody reads while it writes. */
    gs_child *child = start("seq 1 200000 >&2; echo end >&2; exec sleep 60");
    assert_true(says(child, "199999\n200000\nend\n"));
    assert_int_equal(strlen(gs_child_errors(child)), GS_MAX_CHILD_ERROR_BYTES);
    assert_true(gs_child_running(child));
    gs_child_stop(child);
}

static void tells_why_it_does_not_start(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_child *child = NULL;
    size_t before = count_descriptors();
    const char *const argv[] = {"no-such-program-anywhere", NULL};
    const gs_proc proc = {.argv = argv};
    assert_fails(&err, GS_ENOTFOUND, "no-such-program", gs_child_start(&proc, &child, &err));
    assert_null(child);
    assert_int_equal(count_descriptors(), before);
}

/* What it writes comes out of the socket, what is written there goes in, and its input is the file from where it stands. */
static void talks(void **state)
{
    const gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_child *child = NULL;
    char said[64] = "";
    int output = -1;
    size_t before = count_descriptors();
    support_write(dir->fd, "input", "skipped\nfrom the file\n");
    int input = openat(dir->fd, "input", O_RDONLY | O_CLOEXEC);
    assert_true(input >= 0 && lseek(input, 8, SEEK_SET) == 8);
    const char *const argv[] = {"sh", "-c", "read word <&1; read line; echo \"$word $line\"; exit 3", NULL};
    const gs_proc proc = {.argv = argv, .input_file = input};
    assert_ok(&err, gs_child_start_talking(&proc, &output, &child, &err));
    assert_int_equal(write(output, "word\n", 5), 5);
    for (size_t len = 0; !strchr(said, '\n');) {
        ssize_t got = read(output, said + len, sizeof said - 1 - len);
        assert_true(got > 0);
        len += (size_t)got;
    }
    assert_string_equal(said, "word from the file\n");
    assert_int_equal(read(output, said, 1), 0);
    assert_int_equal(gs_child_end(child), 3);
    assert_int_equal(gs_child_end(NULL), -1);
    (void)close(output);
    (void)close(input);
    assert_int_equal(count_descriptors(), before);
}

static void is_ended_at_once(void **state)
{
    (void)state;
    gs_child *child = start("trap '' TERM; echo ready >&2; sleep 60");
    assert_true(says(child, "ready\n"));
    int64_t begin = gs_ticks();
    assert_int_equal(gs_child_end(child), 128 + SIGKILL);
    assert_true(gs_ticks() - begin < 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_until_stopped),
        cmocka_unit_test(notices_the_end),
        cmocka_unit_test(stops_the_stubborn_and_their_children),
        cmocka_unit_test(keeps_the_last_words_of_the_talkative),
        cmocka_unit_test(tells_why_it_does_not_start),
        test_in_tempdir(talks),
        cmocka_unit_test(is_ended_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
