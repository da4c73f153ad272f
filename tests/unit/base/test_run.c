/* Events, progress, the wish to stop, clocks and sleeping. */
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "gapship/run.h"
#include "support.h"

typedef struct heard {
    int events;
    gs_event last;
    char text[4096];
    gs_progress progress;
} heard;

static void hear_event(void *state, const gs_event *event)
{
    heard *h = state;
    h->events++;
    h->last = *event;
    (void)strncpy(h->text, event->text, sizeof h->text - 1);
}

static void hear_progress(void *state, const gs_progress *progress)
{
    ((heard *)state)->progress = *progress;
}

static int64_t fixed_clock(void)
{
    return 1234;
}

static void tells(void **state)
{
    (void)state;
    heard h = {0};
    const gs_run run = {.emit = hear_event, .progress = hear_progress, .state = &h};
    const gs_fact facts[] = {GS_TEXT_FACT("name", "x"), GS_NUMBER_FACT("size", 5), GS_BOOL_FACT("reused", true)};
    gs_emit(&run, GS_NOTICE, "blobPushed", facts, COUNT_OF(facts), "pushed %s", "x\x1b[0m");
    assert_int_equal(h.events, 1);
    assert_int_equal(h.last.level, GS_NOTICE);
    assert_string_equal(h.last.name, "blobPushed");
    assert_string_equal(h.text, "pushed x?[0m");
    assert_ptr_equal(h.last.facts, facts);
    assert_int_equal(h.last.fact_count, 3);
    gs_report_progress(&run, "pushing", 3, 10);
    assert_string_equal(h.progress.what, "pushing");
    assert_int_equal(h.progress.done, 3);
    assert_int_equal(h.progress.total, 10);
}

static void bounds_the_text(void **state)
{
    (void)state;
    heard h = {0};
    const gs_run run = {.emit = hear_event, .state = &h};
    char text[10000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    gs_emit(&run, GS_INFO, "long", NULL, 0, "%s", text);
    size_t len = strlen(h.text);
    assert_in_range(len, 1000, 2047);
    assert_string_equal(h.text + len - 3, "…");
}

static void needs_nobody(void **state)
{
    (void)state;
    gs_error err = {0};
    const gs_run silent = {0};
    gs_emit(NULL, GS_INFO, "x", NULL, 0, "x");
    gs_emit(&silent, GS_INFO, "x", NULL, 0, "x");
    gs_report_progress(NULL, "x", 0, 0);
    gs_report_progress(&silent, "x", 0, 0);
    assert_ok(&err, gs_check_stop(NULL, 1, &err));
    assert_ok(&err, gs_check_stop(&silent, 1, &err));
    assert_true(gs_now(NULL) > 1700000000);
    assert_true(gs_now(&silent) > 1700000000);
    const gs_run fixed = {.clock = fixed_clock};
    assert_int_equal(gs_now(&fixed), 1234);
}

static void stops_by_urgency(void **state)
{
    (void)state;
    gs_error err = {0};
    volatile sig_atomic_t stop = 0;
    const gs_run run = {.stop = &stop};
    assert_ok(&err, gs_check_stop(&run, 1, &err));
    stop = 1;
    assert_fails(&err, GS_EINTERRUPTED, "same command", gs_check_stop(&run, 1, &err));
    assert_ok(&err, gs_check_stop(&run, 2, &err));
    stop = 2;
    assert_fails(&err, GS_EINTERRUPTED, NULL, gs_check_stop(&run, 1, &err));
    assert_fails(&err, GS_EINTERRUPTED, NULL, gs_check_stop(&run, 2, &err));
}

static volatile sig_atomic_t stop_by_signal;

static void on_alarm(int number)
{
    (void)number;
    stop_by_signal++;
}

static void sleeps_as_long_as_told(void **state)
{
    (void)state;
    gs_error err = {0};
    int64_t start = gs_ticks();
    assert_ok(&err, gs_sleep(NULL, 250, &err));
    int64_t took = gs_ticks() - start;
    assert_in_range(took, 250, 5000);
    assert_ok(&err, gs_sleep(NULL, 0, &err));
    assert_ok(&err, gs_sleep(NULL, -5, &err));
}

static void sleep_wakes_for_a_stop(void **state)
{
    (void)state;
    gs_error err = {0};
    const gs_run run = {.stop = &stop_by_signal};
    const struct itimerval soon = {.it_value = {.tv_usec = 150000}, .it_interval = {.tv_usec = 150000}};
    const struct itimerval never = {0};
    assert_int_equal(sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL), 0);
    int64_t start = gs_ticks();
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    int code = gs_sleep(&run, 60000, &err);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    int64_t took = gs_ticks() - start;
    /* The first alarm only asks to stop after the step; the second means at once. */
    assert_fails(&err, GS_EINTERRUPTED, NULL, code);
    assert_in_range(took, 290, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells),
        cmocka_unit_test(bounds_the_text),
        cmocka_unit_test(needs_nobody),
        cmocka_unit_test(stops_by_urgency),
        cmocka_unit_test(sleeps_as_long_as_told),
        cmocka_unit_test(sleep_wakes_for_a_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
