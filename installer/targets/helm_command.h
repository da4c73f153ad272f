/* Helm as a child process, and what it knows of a unit's release. Private to installer/targets. */
#ifndef GAPSHIP_TARGETS_HELM_COMMAND_H
#define GAPSHIP_TARGETS_HELM_COMMAND_H

#include "gapship/proc.h"
#include "targets.h"

#define GS_HELM_SLACK_MS      60000 /* beyond helm's own --timeout */
#define GS_MAX_HELM_ARGUMENTS 512u

/* A command line in the making; a failure is remembered until it is run. */
typedef struct gs_helm_line {
    const gs_target_job *job;
    gs_arena *arena;
    const char *argv[GS_MAX_HELM_ARGUMENTS];
    size_t count;
    int failed; /* GS_ENOMEM or GS_ELIMIT */
} gs_helm_line;

const char *gs_helm_release(const gs_target_job *job);
/* "helm VERB [NOUN]" with kubeconfig, context and namespace. noun may be NULL. */
void gs_helm_begin(gs_helm_line *line, const gs_target_job *job, gs_arena *arena, const char *verb, const char *noun);
void gs_helm_add(gs_helm_line *line, const char *word);
/* "PATH=VALUE" for --set-string, which splits at ',' and reads '{' and '\': each is escaped in the value. In arena. */
const char *gs_helm_assignment(const gs_text_pair *pair, gs_arena *arena);
/* Runs it; another status than 0 is GS_EAPPLY with helm's last lines. deadline: milliseconds, 0: a minute. */
int gs_helm_run(gs_helm_line *line, int64_t deadline, gs_proc_result *result, gs_error *err) GS_MUST_USE;

/* "deployed", "failed", "pending-upgrade" …; "" when there is no release. In arena. */
int gs_helm_status(const gs_target_job *job, gs_arena *arena, const char **status, gs_error *err) GS_MUST_USE;
/* Objects of the newest revision: what is "manifest" or "hooks". */
int gs_helm_objects(const gs_target_job *job, const char *what, gs_doc **out, gs_error *err) GS_MUST_USE;

/* What an upgrade to these objects would change (helm_diff.c). status: the release's. */
int gs_helm_compare(const gs_target_job *job, const char *status, const gs_node *want, gs_arena *arena, gs_changes *out,
                    gs_error *err) GS_MUST_USE;

/* ---- what went wrong (helm_recover.c) ---- */

/* A killed helm leaves its release pending, and every later upgrade is refused. Waits for the hook Jobs that are still running, then
 * goes back to the revision that is deployed; where none ever was, the pending revision's record is dropped. */
int gs_helm_recover(const gs_target_job *job, const char *status, gs_error *err) GS_MUST_USE;
/* Adds what a failed hook Job wrote to helm's own error. */
void gs_helm_explain(const gs_target_job *job, gs_error *err);

#endif
