/* Plans as text: releases and sites written as people write them, and the steps one a line. */
#ifndef GAPSHIP_TEST_PLANNING_H
#define GAPSHIP_TEST_PLANNING_H

#include "gapship/install.h"
#include "support.h"

/* A bundle that is nothing but its release, its lock and a digest. */
typedef struct planned {
    gs_contents contents;
    gs_digest digest;
} planned;

/* release: YAML behind "apiVersion: gapship/v1\nkind: Release\n". Every image of it gets a lock entry whose digest is image_digest
 * repeated; the bundle's digest is made of the sequence. */
void planned_init(planned *out, const char *release, char image_digest);
void planned_done(planned *bundle);

/* What ran: `bundle` (NULL: nothing), in environment i. */
void past_runs(gs_plan_past *past, const planned *bundle);

/* The steps as lines "id", "id (skipped)", "id -> REVISION"; NULL when the plan was refused, with err filled. Freed by the caller.
 */
char *plan_text(const gs_plan_request *request, int *code, gs_error *err);
/* A site that configures the environments a, b, staging and production. */
gs_site *test_site(void);

#endif
