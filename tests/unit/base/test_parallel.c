/* Parallel work: every item once, real threads, the lowest failure, no start after it. */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/run.h"
#include "support.h"

#define ITEMS 1000u

typedef struct tally {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned done[ITEMS];
    unsigned running;
    unsigned most;
    unsigned started;
    unsigned wait_for; /* items block until so many run at once */
    size_t fail_from;
    size_t fail_to;
} tally;

#define TALLY                                                                                                                      \
    {                                                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .fail_from = ITEMS                                 \
    }

static int count_item(void *state, size_t i, gs_error *err)
{
    tally *t = state;
    (void)pthread_mutex_lock(&t->lock);
    t->done[i]++;
    t->started++;
    t->running++;
    t->most = t->running > t->most ? t->running : t->most;
    (void)pthread_cond_broadcast(&t->changed);
    while (t->most < t->wait_for) {
        (void)pthread_cond_wait(&t->changed, &t->lock);
    }
    t->running--;
    (void)pthread_mutex_unlock(&t->lock);
    return i >= t->fail_from && i < t->fail_to ? gs_fail(err, GS_ENETWORK, "item %zu", i) : 0;
}

static void does_every_item_once(void **state)
{
    (void)state;
    static const unsigned jobs[] = {0, 1, 2, 7, GS_MAX_JOBS, 1000000};
    for (size_t j = 0; j < COUNT_OF(jobs); j++) {
        gs_error err = {0};
        tally t = TALLY;
        assert_ok(&err, gs_parallel(jobs[j], ITEMS, count_item, &t, &err));
        for (size_t i = 0; i < ITEMS; i++) {
            assert_int_equal(t.done[i], 1);
        }
        assert_true(t.most <= (jobs[j] ? jobs[j] : GS_DEFAULT_JOBS) && t.most <= GS_MAX_JOBS);
    }
    gs_error err = {0};
    assert_ok(&err, gs_parallel(4, 0, count_item, NULL, &err));
}

/* Would wait for ever if items did not run at the same time. */
static void runs_at_the_same_time(void **state)
{
    (void)state;
    gs_error err = {0};
    tally t = TALLY;
    t.wait_for = 4;
    assert_ok(&err, gs_parallel(4, 4, count_item, &t, &err));
    assert_int_equal(t.most, 4);
}

static void returns_the_lowest_failure(void **state)
{
    (void)state;
    gs_error err = {0};
    tally t = TALLY;
    /* All four are started before any can fail; each fails. */
    t.wait_for = 4;
    t.fail_from = 0;
    t.fail_to = ITEMS;
    assert_fails(&err, GS_ENETWORK, "item 0", gs_parallel(4, ITEMS, count_item, &t, &err));
    assert_int_equal(t.started, 4);
    assert_int_equal(gs_parallel(1, ITEMS, count_item, &t, NULL), GS_ENETWORK);
}

static void stops_at_a_failure(void **state)
{
    (void)state;
    gs_error err = {0};
    tally t = TALLY;
    t.fail_from = 5;
    t.fail_to = 6;
    assert_fails(&err, GS_ENETWORK, "item 5", gs_parallel(1, ITEMS, count_item, &t, &err));
    assert_int_equal(t.started, 6);
}

typedef struct masks {
    pthread_t caller;
    bool blocked;
    bool caller_blocked;
} masks;

static int look_at_mask(void *state, size_t i, gs_error *err)
{
    (void)i;
    (void)err;
    masks *m = state;
    sigset_t now;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &now);
    bool blocked = sigismember(&now, SIGINT) == 1;
    if (pthread_equal(pthread_self(), m->caller)) {
        m->caller_blocked = m->caller_blocked || blocked;
    } else {
        m->blocked = m->blocked || blocked;
    }
    gs_error ignored = {0};
    return gs_sleep(NULL, 20, &ignored);
}

static void leaves_signals_to_the_caller(void **state)
{
    (void)state;
    gs_error err = {0};
    masks m = {.caller = pthread_self()};
    assert_ok(&err, gs_parallel(2, 8, look_at_mask, &m, &err));
    assert_true(m.blocked);
    assert_false(m.caller_blocked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_every_item_once),         cmocka_unit_test(runs_at_the_same_time),
        cmocka_unit_test(returns_the_lowest_failure),   cmocka_unit_test(stops_at_a_failure),
        cmocka_unit_test(leaves_signals_to_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
