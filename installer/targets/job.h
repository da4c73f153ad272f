/* Jobs that are watched to their end. Private to installer/targets. */
#ifndef GAPSHIP_TARGETS_JOB_H
#define GAPSHIP_TARGETS_JOB_H

#include "kubeapi.h"

#define GS_ATTEMPT_ANNOTATION "gapship.io/attempt"

/* attempt: as its annotation says, 1 without one. */
int gs_job_observe(gs_api *api, const gs_object_id *id, gs_job_state *out, int64_t *attempt, gs_error *err) GS_MUST_USE;
/* Until it is complete or failed. */
int gs_job_await(gs_api *api, const gs_run *run, const gs_object_id *id, int64_t timeout_ms, gs_job_state *out,
                 gs_error *err) GS_MUST_USE;
/* Deletes and waits until it is gone. */
int gs_job_remove(gs_api *api, const gs_run *run, const gs_object_id *id, gs_error *err) GS_MUST_USE;
/* The logs of its Pods. */
int gs_job_log(gs_api *api, const gs_object_id *id, gs_buf *out, gs_error *err) GS_MUST_USE;

#endif
