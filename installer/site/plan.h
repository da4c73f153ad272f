/* What plan.c and undo.c share: a plan in the making. */
#ifndef GAPSHIP_SITE_PLAN_H
#define GAPSHIP_SITE_PLAN_H

#include "gapship/install.h"

typedef struct gs_planning {
    const gs_plan_request *request;
    gs_plan *plan;
    gs_buf steps; /* gs_step after gs_step */
} gs_planning;

/* Adds a step "ENVIRONMENT/NAME". */
int gs_plan_add(gs_planning *planning, const gs_step *step, const char *name, gs_error *err) GS_MUST_USE;

/* Indexes into an environment's migrations of that phase, in the order they run: by wave, then as written; in arena. */
int gs_plan_phase(const gs_environment_spec *environment, int phase, gs_arena *arena, size_t **out, size_t *count,
                  gs_error *err) GS_MUST_USE;

/* The rule of rollback for one environment: adds the DOWN steps, or refuses. */
int gs_plan_undo(gs_planning *planning, size_t environment, gs_error *err) GS_MUST_USE;
/* Why a migration of the older release is not run in a rollback; in arena, NULL when out of memory. */
const char *gs_plan_undo_reason(const gs_planning *planning, const gs_migration_spec *migration);

#endif
