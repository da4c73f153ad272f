/* Private to src/builder. */
#ifndef GAPSHIP_BUILDER_PROVENANCE_H
#define GAPSHIP_BUILDER_PROVENANCE_H

#include "builder.h"

/* Fills lock->source from the working tree that `source:` names. GS_ECHECK when it is dirty and that is not allowed. */
int gs_provenance(gs_builder *builder, gs_lock *lock, gs_error *err) GS_MUST_USE;
/* The bundle's time of issue: SOURCE_DATE_EPOCH, else the commit's, else 0, so that the same input gives the same bytes. */
int gs_issue_time(const gs_lock *lock, int64_t *out, gs_error *err) GS_MUST_USE;

#endif
