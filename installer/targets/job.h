/* Jobs that are watched to their end. Private to installer/targets. */
#ifndef GAPSHIP_TARGETS_JOB_H
#define GAPSHIP_TARGETS_JOB_H

#include "gapship/limits.h"
#include "kubeapi.h"

#define GS_ATTEMPT_ANNOTATION "gapship.io/attempt"
#define GS_BUNDLE_ANNOTATION  "gapship.io/bundle"
#define GS_MAX_JOB_LOG_BYTES  GS_MIB(8)

typedef struct gs_job_seen {
    gs_job_state state;
    int64_t attempt;                       /* as its annotation says, 1 without one */
    char uid[64];                          /* "" when absent */
    char reason[GS_ERROR_MESSAGE_MAX / 2]; /* why it failed, or what keeps its Pod from starting; may be "" */
} gs_job_seen;

int gs_job_see(gs_api *api, const gs_object_id *id, gs_job_seen *out, gs_error *err) GS_MUST_USE;
/* Until it is complete or failed. log gets what its Pods wrote, read now and then, because a Job that exceeds its deadline loses its
 * Pods. GS_EUNCERTAIN when it vanishes, GS_ETIMEOUT. */
int gs_job_await(gs_api *api, const gs_run *run, const gs_object_id *id, int64_t timeout_ms, gs_job_seen *out, gs_buf *log,
                 gs_error *err) GS_MUST_USE;
/* The logs of its Pods; log stays as it is when there are none any more. */
int gs_job_log(gs_api *api, const gs_object_id *id, const gs_job_seen *seen, gs_buf *log, gs_error *err) GS_MUST_USE;
/* Deletes and waits until it and its Pods are gone: nothing of it runs any more. */
int gs_job_remove(gs_api *api, const gs_run *run, const gs_object_id *id, gs_error *err) GS_MUST_USE;
/* What a person reads first: the last lines of the log on one line, or the reason, or that there is nothing. */
void gs_job_last_words(gs_buf *log, const gs_job_seen *seen, char *out, size_t size);

/* The pause before an attempt, the second being the first that has one (migration.c). */
int64_t gs_retry_pause(const gs_retry_spec *retry, int64_t attempt);

#endif
