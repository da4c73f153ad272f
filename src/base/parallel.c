/* The same work on many items by a few threads. The only place of the base that starts threads. */
#include <pthread.h>
#include <signal.h>

#include "gapship/limits.h"
#include "gapship/run.h"

#define STACK_BYTES GS_KIB(256)

typedef struct pool {
    pthread_mutex_t lock;
    size_t next;
    size_t count;
    int (*work)(void *state, size_t i, gs_error *err);
    void *state;
    size_t failed_item; /* count: none */
    gs_error failure;
} pool;

static bool take(pool *p, size_t *item)
{
    (void)pthread_mutex_lock(&p->lock);
    bool more = p->next < p->count && p->failed_item == p->count;
    if (more) {
        *item = p->next++;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return more;
}

static void fail(pool *p, size_t item, int code, const gs_error *err)
{
    (void)pthread_mutex_lock(&p->lock);
    if (item < p->failed_item) {
        p->failed_item = item;
        p->failure = *err;
        p->failure.code = code;
    }
    (void)pthread_mutex_unlock(&p->lock);
}

static void *run_worker(void *argument)
{
    pool *p = argument;
    size_t item;
    while (take(p, &item)) {
        gs_error err = {0};
        int code = p->work(p->state, item, &err);
        if (code != 0) {
            fail(p, item, code, &err);
        }
    }
    return NULL;
}

/* Starts up to `wanted` threads. Fewer is no error: the calling thread works too. */
static unsigned start_threads(pool *p, pthread_t *threads, unsigned wanted)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) {
        return 0;
    }
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    /* Signals go to the threads that were there before, which know what to do about them; a new thread inherits the mask. */
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    unsigned started = 0;
    while (started < wanted && pthread_create(&threads[started], &attributes, run_worker, p) == 0) {
        started++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return started;
}

int gs_parallel(unsigned jobs, size_t count, int (*work)(void *state, size_t i, gs_error *err), void *state, gs_error *err)
{
    pthread_t threads[GS_MAX_JOBS];
    pool p = {.lock = PTHREAD_MUTEX_INITIALIZER, .count = count, .work = work, .state = state, .failed_item = count};
    jobs = jobs == 0 ? GS_DEFAULT_JOBS : jobs;
    jobs = jobs > GS_MAX_JOBS ? GS_MAX_JOBS : jobs;
    jobs = jobs > count ? (unsigned)count : jobs;
    unsigned started = jobs > 1 ? start_threads(&p, threads, jobs - 1) : 0;
    (void)run_worker(&p);
    for (unsigned i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    (void)pthread_mutex_destroy(&p.lock);
    if (p.failed_item < count && err) {
        *err = p.failure;
    }
    return p.failed_item < count ? p.failure.code : 0;
}
