/* A confinement made ready, so that a child between fork and exec only has to make system calls. Private to src/base. */
#ifndef GAPSHIP_BASE_CONFINE_H
#define GAPSHIP_BASE_CONFINE_H

#include <linux/filter.h>

#include "gapship/confine.h"

#define GS_CONFINE_LIMITS  5u
#define GS_CONFINE_FILTERS 256u

typedef struct gs_confine_plan {
    struct {
        int resource;
        uint64_t value;
    } limits[GS_CONFINE_LIMITS];
    unsigned limit_count;
    int ruleset; /* -1: none wanted, or no Landlock */
    struct sock_filter filters[GS_CONFINE_FILTERS];
    unsigned short filter_count;
    bool strict;
    unsigned missing; /* what is known to be missing before the attempt */
} gs_confine_plan;

/* program: what will be run, or NULL when the process goes on as it is. Ends with gs_confine_plan_done in every case. */
int gs_confine_plan_make(const gs_confinement *wanted, const char *program, gs_confine_plan *plan, gs_error *err) GS_MUST_USE;
void gs_confine_plan_done(gs_confine_plan *plan);
/* Async-signal-safe. False: something was refused that every kernel grants (errno), and the process must not go on. */
bool gs_confine_enter(const gs_confine_plan *plan, unsigned *missing);

/* The filter on system calls (confine_calls.c); 0 instructions on an architecture that is not known. */
unsigned short gs_confine_filter(const gs_confinement *wanted, struct sock_filter filters[GS_CONFINE_FILTERS]);

#endif
