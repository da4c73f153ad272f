/* A Helm release after a mishap: a helm that was killed, a hook that failed. Changes a release only to make the next upgrade possible. */
#include <stdio.h>
#include <string.h>

#include "gapship/text.h"
#include "helm_command.h"
#include "job.h"

/* Every hook Job of the newest revision, in turn. */
typedef int (*job_visitor)(const gs_target_job *job, gs_api *api, const gs_object_id *id, gs_error *err);

static int visit_hooks(const gs_target_job *job, gs_api *api, job_visitor visit, gs_error *err)
{
    GS_AUTO_DOC gs_doc *hooks = NULL;
    int code = gs_helm_objects(job, "hooks", &hooks, err);
    for (size_t i = 0; code == 0 && i < hooks->root->count; i++) {
        gs_object_id id;
        code = gs_object_identify(hooks->root->items[i], &id, err);
        if (code == 0 && strcmp(id.kind, "Job") == 0) {
            code = visit(job, api, &id, err);
        }
    }
    return code;
}

/* The next upgrade deletes the hook Jobs before it makes new ones: a migration must not be cut off by that, nor run twice at once. */
static int await_hook(const gs_target_job *job, gs_api *api, const gs_object_id *id, gs_error *err)
{
    GS_AUTO_BUF gs_buf log;
    gs_job_seen seen;
    gs_buf_init(&log, GS_MAX_JOB_LOG_BYTES);
    int code = gs_job_see(api, id, &seen, err);
    if (code < 0 || seen.state != GS_JOB_ACTIVE) {
        return code;
    }
    gs_emit(job->run, GS_NOTICE, "helmHook", NULL, 0, "waiting for Job %s/%s, which an earlier run started", id->namespace,
            id->name);
    return gs_job_await(api, job->run, id, job->unit->wait.timeout, &seen, &log, err);
}

/* Number of the revision with this status (a prefix), the newest; "" when there is none. In arena. */
static int find_revision(const gs_target_job *job, const char *status, gs_arena *arena, const char **out, gs_error *err)
{
    GS_AUTO_PROC gs_proc_result result = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_helm_line line;
    gs_helm_begin(&line, job, arena, "history", NULL);
    gs_helm_add(&line, "--output=json");
    gs_helm_add(&line, gs_helm_release(job));
    int code = gs_helm_run(&line, 0, &result, err);
    if (code == 0) {
        code = gs_doc_parse(GS_JSON, "helm history", result.output.data, result.output.len, &doc, err);
    }
    const char *found = "";
    for (size_t i = 0; code == 0 && doc->root->kind == GS_NODE_LIST && i < doc->root->count; i++) {
        const char *is = gs_node_text(doc->root->items[i], "status");
        const char *number = gs_node_text(doc->root->items[i], "revision");
        found = is && number && gs_text_starts(is, status) ? number : found;
    }
    const char *kept = code == 0 ? gs_arena_text(arena, found) : NULL;
    if (code == 0 && !kept) {
        code = gs_fail_nomem(err);
    }
    *out = kept ? kept : *out;
    return code;
}

static int go_back(const gs_target_job *job, const char *revision, gs_arena *arena, gs_error *err)
{
    GS_AUTO_PROC gs_proc_result result = {0};
    gs_helm_line line;
    gs_helm_begin(&line, job, arena, "rollback", NULL);
    gs_helm_add(&line, "--no-hooks");
    gs_helm_add(&line, gs_helm_release(job));
    gs_helm_add(&line, revision);
    return gs_helm_run(&line, job->unit->wait.timeout + GS_HELM_SLACK_MS, &result, err);
}

/* Nothing good to go back to. Without the record helm takes over what the killed one made, because it carries the release's name;
 * `helm uninstall` would take data along. */
static int drop_record(const gs_target_job *job, gs_api *api, gs_arena *arena, gs_error *err)
{
    const char *revision = NULL;
    int code = find_revision(job, "pending-", arena, &revision, err);
    if (code < 0 || revision[0] == '\0') {
        return code;
    }
    const char *name = gs_arena_printf(arena, "sh.helm.release.v1.%s.v%s", gs_helm_release(job), revision);
    const gs_object_id id = {.api_version = "v1", .kind = "Secret", .namespace = gs_unit_namespace(job), .name = name};
    return name ? gs_api_delete(api, &id, false, err) : gs_fail_nomem(err);
}

int gs_helm_recover(const gs_target_job *job, const char *status, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_API gs_api *api = NULL;
    const char *deployed = NULL;
    if (!gs_text_starts(status, "pending-")) {
        return 0;
    }
    gs_emit(job->run, GS_WARNING, "helmPending", NULL, 0, "release %s is %s: an earlier run was killed; recovering it",
            gs_helm_release(job), status);
    int code = arena ? gs_api_open(job, &api, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = visit_hooks(job, api, await_hook, err);
    }
    if (code == 0) {
        code = find_revision(job, "deployed", arena, &deployed, err);
    }
    if (code == 0) {
        code = deployed[0] != '\0' ? go_back(job, deployed, arena, err) : drop_record(job, api, arena, err);
    }
    if (code < 0) {
        gs_error_context(err, "release %s is %s and could not be recovered", gs_helm_release(job), status);
    }
    return code;
}

/* ---- hooks that failed ---------------------------------------------------------------------------------------------------------
 */

static int tell_failure(const gs_target_job *job, gs_api *api, const gs_object_id *id, gs_error *err)
{
    GS_AUTO_BUF gs_buf log;
    gs_job_seen seen;
    gs_error lost = {0};
    char words[GS_ERROR_MESSAGE_MAX / 2];
    (void)job;
    gs_buf_init(&log, GS_MAX_JOB_LOG_BYTES);
    int code = gs_job_see(api, id, &seen, err);
    if (code < 0 || seen.state != GS_JOB_FAILED) {
        return code;
    }
    if (gs_job_log(api, id, &seen, &log, &lost) < 0) {
        gs_buf_clear(&log);
    }
    gs_job_last_words(&log, &seen, words, sizeof words);
    return gs_fail(err, GS_EMIGRATION, "Job %s/%s failed: %s", id->namespace, id->name, words);
}

void gs_helm_explain(const gs_target_job *job, gs_error *err)
{
    GS_AUTO_API gs_api *api = NULL;
    gs_error why = {0};
    if (gs_api_open(job, &api, &why) == 0 && visit_hooks(job, api, tell_failure, &why) == GS_EMIGRATION) {
        gs_error_context(err, "%s", why.message);
    }
}
