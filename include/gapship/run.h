/* The context of one run: where events go, whether to stop, what time it is. Passed as `const gs_run *` to everything that takes
 * long or speaks; there are no globals.
 *
 * Library code never prints: it emits events. src/cli turns them into a progress bar, lines of text, or JSON lines.
 */
#ifndef GAPSHIP_RUN_H
#define GAPSHIP_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/error.h"

typedef enum gs_level { GS_DEBUG, GS_INFO, GS_NOTICE, GS_WARNING } gs_level;

/* One fact of an event. kind says which member holds. Keys are camelCase; sizes are bytes, durations seconds. */
typedef struct gs_fact {
    const char *key;
    enum { GS_FACT_TEXT, GS_FACT_NUMBER, GS_FACT_BOOL } kind;
    const char *text;
    int64_t number;
} gs_fact;
#define GS_TEXT_FACT(k, v)   ((gs_fact){.key = (k), .kind = GS_FACT_TEXT, .text = (v)})
#define GS_NUMBER_FACT(k, v) ((gs_fact){.key = (k), .kind = GS_FACT_NUMBER, .number = (int64_t)(v)})
#define GS_BOOL_FACT(k, v)   ((gs_fact){.key = (k), .kind = GS_FACT_BOOL, .number = (v)})

/* name is a stable word for machines ("blobPushed"); text is the whole line for a person. Borrowed during the call. */
typedef struct gs_event {
    gs_level level;
    const char *name;
    const char *text;
    const gs_fact *facts;
    size_t fact_count;
} gs_event;

/* Where a long piece of work stands. total 0: unknown. */
typedef struct gs_progress {
    const char *what; /* "fetching", "pushing", "verifying" */
    uint64_t done;
    uint64_t total; /* bytes */
} gs_progress;

typedef struct gs_run {
    /* Both may be called from several threads at once and must lock. Either may be NULL. */
    void (*emit)(void *state, const gs_event *event);
    void (*progress)(void *state, const gs_progress *progress);
    void *state;
    const volatile sig_atomic_t *stop; /* NULL: never. 1: stop after the step; 2: at once */
    int64_t (*clock)(void);            /* seconds since 1970; NULL: the real one */
    unsigned jobs;                     /* parallel transfers; 0: GS_DEFAULT_JOBS */
} gs_run;

void gs_emit(const gs_run *run, gs_level level, const char *name, const gs_fact *facts, size_t fact_count, const char *format, ...)
    GS_PRINTF(6, 7);
void gs_report_progress(const gs_run *run, const char *what, uint64_t done, uint64_t total);
/* GS_EINTERRUPTED when stop is at least `urgency`, else 0. Steps check 1 between, transfers check 2 inside. */
int gs_check_stop(const gs_run *run, int urgency, gs_error *err) GS_MUST_USE;
int64_t gs_now(const gs_run *run);
/* Milliseconds of CLOCK_MONOTONIC. */
int64_t gs_ticks(void);
/* Sleeps, waking every 100 ms to look at stop (urgency 2). */
int gs_sleep(const gs_run *run, int64_t milliseconds, gs_error *err) GS_MUST_USE;

/* Runs work(state, i, err) for i in [0, count) on up to `jobs` threads (0: GS_DEFAULT_JOBS), the calling one among them, in order of
 * i. The others have stacks of 256 KiB and take no signals. After the first failure no new item starts;
 * the error of the lowest failed i is returned. */
int gs_parallel(unsigned jobs, size_t count, int (*work)(void *state, size_t i, gs_error *err), void *state,
                gs_error *err) GS_MUST_USE;

#endif
