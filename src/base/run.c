/* What a run needs at every place: telling, the wish to stop, the time. A NULL run is one that nobody listens to or stops. */
#include "gapship/run.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "utf8.h"

#define EVENT_BYTES       2048
#define WAKE_MILLISECONDS 100

void gs_emit(const gs_run *run, gs_level level, const char *name, const gs_fact *facts, size_t fact_count, const char *format, ...)
{
    if (!run || !run->emit) {
        return;
    }
    char raw[EVENT_BYTES];
    char text[EVENT_BYTES];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    if (len < 0) {
        raw[0] = '\0';
    }
    gs_utf8_shorten(raw, len < 0 || (size_t)len >= sizeof raw, text, sizeof text);
    const gs_event event = {.level = level, .name = name, .text = text, .facts = facts, .fact_count = fact_count};
    run->emit(run->state, &event);
}

void gs_report_progress(const gs_run *run, const char *what, uint64_t done, uint64_t total)
{
    if (run && run->progress) {
        const gs_progress progress = {.what = what, .done = done, .total = total};
        run->progress(run->state, &progress);
    }
}

int gs_check_stop(const gs_run *run, int urgency, gs_error *err)
{
    if (!run || !run->stop || *run->stop < urgency) {
        return 0;
    }
    (void)gs_fail(err, GS_EINTERRUPTED, "stopped by a signal");
    (void)gs_error_hint(err, "run the same command again: it goes on from here");
    return GS_EINTERRUPTED;
}

int64_t gs_now(const gs_run *run)
{
    return run && run->clock ? run->clock() : (int64_t)time(NULL);
}

int64_t gs_ticks(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int gs_sleep(const gs_run *run, int64_t milliseconds, gs_error *err)
{
    const int64_t end = gs_ticks() + (milliseconds > 0 ? milliseconds : 0);
    for (;;) {
        int code = gs_check_stop(run, 2, err);
        int64_t left = end - gs_ticks();
        if (code != 0 || left <= 0) {
            return code;
        }
        int64_t part = left < WAKE_MILLISECONDS ? left : WAKE_MILLISECONDS;
        /* A signal only wakes earlier; the loop looks at the clock. */
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)part * 1000000}, NULL);
    }
}
