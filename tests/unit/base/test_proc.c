/* Child processes run to their end: output, time, stragglers, and how a failure is told. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "processes.h"
#include "support.h"

static void keeps_what_it_says(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_PROC gs_proc_result result;
    const gs_proc proc = {.input = "to stdin", .input_len = 8};
    assert_ok(&err, run_script("cat; echo to stderr >&2; exit 3", &proc, &result, &err));
    assert_int_equal(result.status, 3);
    assert_string_equal(gs_buf_text(&result.output), "to stdin");
    assert_string_equal(gs_buf_text(&result.errors), "to stderr\n");
    assert_false(result.isolated);
}

static void tells_the_signal(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_PROC gs_proc_result result;
    assert_ok(&err, run_script("kill -KILL $$", NULL, &result, &err));
    assert_int_equal(result.status, 128 + SIGKILL);
}

/* More than any pipe holds, in both directions at once. */
static void passes_much_data(void **state)
{
    (void)state;
    gs_error err = {0};
    const size_t len = 3000000;
    char *input = malloc(len);
    assert_non_null(input);
    for (size_t i = 0; i < len; i++) {
        input[i] = (char)(i * 13 + i / 257);
    }
    GS_AUTO_PROC gs_proc_result result;
    const gs_proc proc = {.input = input, .input_len = len};
    assert_ok(&err, run_script("tee /dev/stderr", &proc, &result, &err));
    assert_int_equal(result.output.len, len);
    assert_memory_equal(result.output.data, input, len);
    assert_int_equal(result.errors.len, GS_MAX_CHILD_ERROR_BYTES);
    assert_memory_equal(result.errors.data, input + len - GS_MAX_CHILD_ERROR_BYTES, GS_MAX_CHILD_ERROR_BYTES);
    free(input);
}

static void does_not_mind_unread_input(void **state)
{
    (void)state;
    gs_error err = {0};
    const size_t len = 3000000;
    char *input = calloc(1, len);
    GS_AUTO_PROC gs_proc_result result;
    const gs_proc proc = {.input = input, .input_len = len};
    assert_ok(&err, run_script("exec <&-; echo done", &proc, &result, &err));
    assert_int_equal(result.status, 0);
    assert_string_equal(gs_buf_text(&result.output), "done\n");
    free(input);
}

static void gives_no_input_by_itself(void **state)
{
    (void)state;
    char *output = output_of("readlink /proc/self/fd/0; cat", NULL);
    assert_string_equal(output, "/dev/null\n");
    free(output);
}

static void bounds_output(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_proc_result result;
    gs_proc proc = {.max_output = 5};
    assert_ok(&err, run_script("printf 12345", &proc, &result, &err));
    assert_string_equal(gs_buf_text(&result.output), "12345");
    gs_proc_result_done(&result);
    assert_fails(&err, GS_ELIMIT, "5 bytes", run_script("printf 123456", &proc, &result, &err));
    gs_proc_result_done(&result);
    proc.max_output = 100000;
    int64_t start = gs_ticks();
    assert_fails(&err, GS_ELIMIT, "100000 bytes", run_script("yes", &proc, &result, &err));
    assert_true(gs_ticks() - start < 20000);
    gs_proc_result_done(&result);
}

static void kills_the_whole_group_in_time(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_PROC gs_proc_result result;
    const gs_proc proc = {.deadline = 500};
    int64_t start = gs_ticks();
    assert_fails(&err, GS_ETIMEOUT, "sh did not end within 500 ms",
                 run_script("sleep 60 & echo $!; sleep 60", &proc, &result, &err));
    assert_in_range(gs_ticks() - start, 500, 20000);
    assert_int_equal(result.status, 128 + SIGTERM);
    int grandchild = 0;
    assert_int_equal(sscanf(gs_buf_text(&result.output), "%d", &grandchild), 1);
    assert_true(grandchild > 1 && dies(grandchild));
}

static void lets_it_clean_up(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_PROC gs_proc_result result;
    const gs_proc proc = {.deadline = 500};
    assert_fails(&err, GS_ETIMEOUT, NULL,
                 run_script("trap 'echo unlocked >&2; exit 9' TERM; sleep 60 & wait", &proc, &result, &err));
    assert_string_equal(gs_buf_text(&result.errors), "unlocked\n");
    assert_int_equal(result.status, 9);
}

static void kills_who_does_not_listen(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_PROC gs_proc_result result;
    const gs_proc proc = {.deadline = 300};
    int64_t start = gs_ticks();
    assert_fails(&err, GS_ETIMEOUT, NULL, run_script("trap '' TERM; while :; do sleep 1; done", &proc, &result, &err));
    assert_in_range(gs_ticks() - start, 2000, 30000);
    assert_int_equal(result.status, 128 + SIGKILL);
}

/* Neither waits for what stays in the group nor leaves it running. */
static void ends_stragglers(void **state)
{
    (void)state;
    int64_t start = gs_ticks();
    char *output = output_of("sleep 60 & echo $!", NULL);
    assert_true(gs_ticks() - start < 20000);
    int straggler = 0;
    assert_int_equal(sscanf(output, "%d", &straggler), 1);
    assert_true(straggler > 1 && dies(straggler));
    free(output);
}

/* What left the group may keep the pipes open; nobody waits for it. */
static void does_not_wait_for_deserters(void **state)
{
    (void)state;
    int64_t start = gs_ticks();
    char *output = output_of("setsid sh -c 'echo $$; exec sleep 60' & sleep 0.5", NULL);
    assert_true(gs_ticks() - start < 20000);
    int deserter = 0;
    assert_int_equal(sscanf(output, "%d", &deserter), 1);
    assert_true(deserter > 1);
    assert_int_equal(kill(deserter, SIGKILL), 0);
    free(output);
}

static void waits_for_who_closes_its_output(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_PROC gs_proc_result result;
    assert_ok(&err, run_script("exec >&- 2>&-; sleep 0.3; exit 4", NULL, &result, &err));
    assert_int_equal(result.status, 4);
}

static volatile sig_atomic_t stop;

static void on_alarm(int number)
{
    (void)number;
    stop = 2;
}

static void stops_at_once_when_told(void **state)
{
    (void)state;
    gs_error err = {0};
    const gs_run run = {.stop = &stop};
    const char *const argv[] = {"sleep", "60", NULL};
    const gs_proc proc = {.argv = argv};
    GS_AUTO_PROC gs_proc_result result;
    const struct itimerval soon = {.it_value = {.tv_usec = 200000}};
    assert_int_equal(sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    int64_t start = gs_ticks();
    assert_fails(&err, GS_EINTERRUPTED, "same command", gs_proc_run(&run, &proc, &result, &err));
    assert_true(gs_ticks() - start < 20000);
    assert_int_equal(result.status, 128 + SIGTERM);
}

static void check_tells_why(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        const char *message;
    } cases[] = {
        {"echo no such chart >&2; exit 1", "sh failed with status 1: no such chart"},
        {"exit 7", "sh failed with status 7 and did not say why"},
        {"printf 'a\\nb\\n\\nc\\nd\\n\\n' >&2; exit 2", "sh failed with status 2: b; c; d"},
        {"printf 'bad \\033[31m bytes \\377' >&2; exit 2", "sh failed with status 2: bad ?[31m bytes ?"},
        {"echo gone >&2; kill -SEGV $$", "sh was killed by signal 11: gone"},
        {"printf '\\n\\n' >&2; exit 1", "sh failed with status 1 and did not say why"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        const char *const argv[] = {"/bin/sh", "-c", cases[i].script, NULL};
        const gs_proc proc = {.argv = argv};
        GS_AUTO_PROC gs_proc_result result;
        assert_int_equal(gs_proc_check(NULL, &proc, GS_EAPPLY, &result, &err), GS_EAPPLY);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void check_names_the_verb(void **state)
{
    (void)state;
    gs_error err = {0};
    const char *const argv[] = {"ls", "nonexistent-file", NULL};
    const gs_proc proc = {.argv = argv};
    GS_AUTO_PROC gs_proc_result result;
    assert_fails(&err, GS_ESPEC, "ls nonexistent-file failed with status 2", gs_proc_check(NULL, &proc, GS_ESPEC, &result, &err));
}

static void check_keeps_the_end_of_a_long_story(void **state)
{
    (void)state;
    gs_error err = {0};
    const char *const argv[] = {"sh", "-c", "seq 1 5000 | tr '\\n' ' ' >&2; exit 1", NULL};
    const gs_proc proc = {.argv = argv};
    GS_AUTO_PROC gs_proc_result result;
    assert_int_equal(gs_proc_check(NULL, &proc, GS_EAPPLY, &result, &err), GS_EAPPLY);
    assert_true(gs_text_ends(err.message, " 4999 5000"));
}

static void check_passes_success_and_errors(void **state)
{
    (void)state;
    gs_error err = {0};
    const char *const good[] = {"true", NULL};
    const char *const absent[] = {"no-such-program-anywhere", NULL};
    gs_proc proc = {.argv = good};
    gs_proc_result result;
    assert_ok(&err, gs_proc_check(NULL, &proc, GS_EAPPLY, &result, &err));
    gs_proc_result_done(&result);
    proc.argv = absent;
    assert_fails(&err, GS_ENOTFOUND, "install no-such-program", gs_proc_check(NULL, &proc, GS_EAPPLY, &result, &err));
    gs_proc_result_done(&result);
}

/* A success must not be made up where the kernel kept no status. */
static int run_with_ignored_children(void *argument)
{
    (void)argument;
    gs_error err = {0};
    GS_AUTO_PROC gs_proc_result result;
    (void)signal(SIGCHLD, SIG_IGN);
    return run_script("exit 3", NULL, &result, &err) == GS_EINTERNAL ? 0 : 1;
}

static void does_not_invent_a_status(void **state)
{
    (void)state;
    in_subprocess(run_with_ignored_children, NULL);
}

static int echo_item(void *state, size_t i, gs_error *err)
{
    (void)state;
    char script[64];
    char wanted[64];
    (void)snprintf(script, sizeof script, "echo %zu; echo %zu >&2", i, i + 1);
    (void)snprintf(wanted, sizeof wanted, "%zu\n", i);
    GS_AUTO_PROC gs_proc_result result;
    int code = run_script(script, NULL, &result, err);
    if (code == 0 && strcmp(gs_buf_text(&result.output), wanted) != 0) {
        code = gs_fail(err, GS_EINTERNAL, "%zu said %s", i, gs_buf_text(&result.output));
    }
    return code;
}

static void runs_many_at_once_and_leaks_nothing(void **state)
{
    (void)state;
    gs_error err = {0};
    size_t before = count_descriptors();
    assert_ok(&err, gs_parallel(8, 100, echo_item, NULL, &err));
    assert_int_equal(count_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_it_says),
        cmocka_unit_test(tells_the_signal),
        cmocka_unit_test(passes_much_data),
        cmocka_unit_test(does_not_mind_unread_input),
        cmocka_unit_test(gives_no_input_by_itself),
        cmocka_unit_test(bounds_output),
        cmocka_unit_test(kills_the_whole_group_in_time),
        cmocka_unit_test(lets_it_clean_up),
        cmocka_unit_test(kills_who_does_not_listen),
        cmocka_unit_test(ends_stragglers),
        cmocka_unit_test(does_not_wait_for_deserters),
        cmocka_unit_test(waits_for_who_closes_its_output),
        cmocka_unit_test(stops_at_once_when_told),
        cmocka_unit_test(check_tells_why),
        cmocka_unit_test(check_names_the_verb),
        cmocka_unit_test(check_keeps_the_end_of_a_long_story),
        cmocka_unit_test(check_passes_success_and_errors),
        cmocka_unit_test(does_not_invent_a_status),
        cmocka_unit_test(runs_many_at_once_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
