/* Jobs watched to their end. Knows no migration and no hook: how often to try and what a failure means is theirs. */
#include "job.h"

#include <stdio.h>
#include <string.h>

#include "gapship/num.h"
#include "gapship/text.h"

#define GS_JOB_POLL_MS    500
#define GS_JOB_LOG_MS     2000
#define GS_JOB_GONE_MS    60000
#define GS_JOB_TAIL_LINES 8

int gs_job_see(gs_api *api, const gs_object_id *id, gs_job_seen *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *live = NULL;
    uint64_t attempt = 1;
    int code = gs_api_get(api, id, &live, err);
    if (code < 0) {
        return code;
    }
    *out = (gs_job_seen){.state = GS_JOB_ABSENT, .attempt = 1};
    if (!live) {
        return 0;
    }
    char reason[sizeof out->reason];
    gs_health health = gs_kube_health(live->root, reason, sizeof reason);
    out->state = health == GS_HEALTHY ? GS_JOB_COMPLETE : health == GS_FAILED ? GS_JOB_FAILED : GS_JOB_ACTIVE;
    if (health == GS_FAILED) {
        memcpy(out->reason, reason, sizeof reason);
    }
    const gs_node *metadata = gs_node_get(live->root, "metadata");
    const char *uid = gs_node_text(metadata, "uid");
    const char *text = gs_node_text(gs_node_get(metadata, "annotations"), GS_ATTEMPT_ANNOTATION);
    (void)snprintf(out->uid, sizeof out->uid, "%s", uid ? uid : "");
    if (text && gs_parse_u64(text, INT32_MAX, &attempt)) {
        out->attempt = (int64_t)attempt;
    }
    return 0;
}

int gs_job_remove(gs_api *api, const gs_run *run, const gs_object_id *id, gs_error *err)
{
    int64_t began = gs_ticks();
    int code = gs_api_delete(api, id, true, err);
    while (code == 0) {
        GS_AUTO_DOC gs_doc *live = NULL;
        code = gs_api_get(api, id, &live, err);
        if (code < 0 || !live) {
            return code;
        }
        if (gs_ticks() - began > GS_JOB_GONE_MS) {
            return gs_fail(err, GS_ETIMEOUT, "Job %s/%s does not go away", id->namespace, id->name);
        }
        code = gs_sleep(run, GS_JOB_POLL_MS, err);
    }
    return code;
}

/* ---- Pods and their logs -------------------------------------------------------------------------------------------------------
 */

/* By the Job's own uid: Pods of an earlier Job of the same name may still be going. */
static int read_pods(gs_api *api, const gs_object_id *id, const gs_job_seen *seen, gs_doc **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf selector;
    gs_buf_init(&selector, GS_KIB(1));
    gs_buf_printf(&selector, "controller-uid=%s", seen->uid);
    int code = gs_buf_check(&selector, err);
    return code < 0 ? code : gs_api_pods(api, id->namespace, gs_buf_text(&selector), out, err);
}

static int read_log(gs_api *api, const char *namespace, const char *pod, gs_buf *out, gs_error *err)
{
    GS_AUTO_BUF gs_buf path;
    GS_AUTO_BUF gs_buf body;
    int status = 0;
    gs_buf_init(&path, GS_KIB(8));
    gs_buf_init(&body, GS_MAX_JOB_LOG_BYTES);
    gs_buf_add_text(&path, "/api/v1/namespaces/");
    gs_url_escape(namespace, &path);
    gs_buf_add_text(&path, "/pods/");
    gs_url_escape(pod, &path);
    gs_buf_printf(&path, "/log?limitBytes=%zu", GS_MAX_JOB_LOG_BYTES / 2);
    int code = gs_buf_check(&path, err);
    if (code == 0) {
        code = gs_api_send(api, &(gs_api_call){.path = gs_buf_text(&path)}, &status, &body, err);
    }
    if (code < 0 || status != 200) {
        return code < 0 ? code : gs_api_fail(status, &body, err);
    }
    if (out->len + body.len <= GS_MAX_JOB_LOG_BYTES) { /* the first Pods of a Job that tried too often are enough */
        gs_buf_add(out, body.data, body.len);
    }
    return gs_buf_check(out, err);
}

static bool has_started(const gs_node *pod)
{
    const char *phase = gs_node_text(gs_node_get(pod, "status"), "phase");
    return phase && strcmp(phase, "Pending") != 0;
}

int gs_job_log(gs_api *api, const gs_object_id *id, const gs_job_seen *seen, gs_buf *log, gs_error *err)
{
    GS_AUTO_DOC gs_doc *pods = NULL;
    GS_AUTO_BUF gs_buf fresh;
    gs_buf_init(&fresh, GS_MAX_JOB_LOG_BYTES);
    int code = read_pods(api, id, seen, &pods, err);
    const gs_node *items = code == 0 ? gs_node_list(pods->root, "items") : NULL;
    for (size_t i = 0; code == 0 && items && i < items->count; i++) {
        const char *pod = gs_node_text(gs_node_get(items->items[i], "metadata"), "name");
        if (pod && has_started(items->items[i])) {
            code = read_log(api, id->namespace, pod, &fresh, err);
        }
    }
    if (code == 0 && fresh.len > 0) {
        gs_buf_clear(log);
        gs_buf_add(log, fresh.data, fresh.len);
        code = gs_buf_check(log, err);
    }
    return code;
}

/* What keeps the Job's Pod from starting; stays known when the Pod is gone. */
static void read_trouble(gs_api *api, const gs_object_id *id, const gs_job_seen *seen, char *trouble, size_t size)
{
    GS_AUTO_DOC gs_doc *pods = NULL;
    gs_error ignored = {0};
    if (read_pods(api, id, seen, &pods, &ignored) < 0) {
        return;
    }
    const gs_node *items = gs_node_list(pods->root, "items");
    for (size_t i = 0; items && i < items->count; i++) {
        char why[GS_ERROR_MESSAGE_MAX / 2];
        if (!has_started(items->items[i]) && gs_kube_pod_health(items->items[i], why, sizeof why) == GS_FAILED) {
            (void)snprintf(trouble, size, "%s", why);
        }
    }
}

/* A log that cannot be read now is no failure of the Job. */
static void follow(gs_api *api, const gs_run *run, const gs_object_id *id, const gs_job_seen *seen, gs_buf *log)
{
    gs_error why = {0};
    int code = gs_job_log(api, id, seen, log, &why);
    if (code < 0 && seen->state != GS_JOB_ACTIVE) {
        gs_emit(run, GS_WARNING, "logMissing", NULL, 0, "the log of Job %s/%s could not be read: %s", id->namespace, id->name,
                why.message);
    }
}

int gs_job_await(gs_api *api, const gs_run *run, const gs_object_id *id, int64_t timeout_ms, gs_job_seen *out, gs_buf *log,
                 gs_error *err)
{
    int64_t began = gs_ticks(), looked = 0;
    char trouble[sizeof out->reason] = "";
    for (;;) {
        int code = gs_job_see(api, id, out, err);
        if (code < 0) {
            return code;
        }
        if (out->state == GS_JOB_ABSENT) {
            gs_fail(err, GS_EUNCERTAIN, "Job %s/%s vanished while it ran", id->namespace, id->name);
            return gs_error_hint(err, "look whether it did its work before you run the same command again");
        }
        if (out->state != GS_JOB_ACTIVE) {
            follow(api, run, id, out, log);
            if (trouble[0] != '\0') {
                memcpy(out->reason, trouble, sizeof trouble);
            }
            return 0;
        }
        if (gs_ticks() - looked >= GS_JOB_LOG_MS) {
            looked = gs_ticks();
            read_trouble(api, id, out, trouble, sizeof trouble);
            follow(api, run, id, out, log);
        }
        if (gs_ticks() - began > timeout_ms) {
            return gs_fail(err, GS_ETIMEOUT, "Job %s/%s is not finished after %lld s%s%s", id->namespace, id->name,
                           (long long)(timeout_ms / 1000), trouble[0] != '\0' ? ": " : "", trouble);
        }
        code = gs_sleep(run, GS_JOB_POLL_MS, err);
        if (code < 0) {
            return code;
        }
    }
}

void gs_job_last_words(gs_buf *log, const gs_job_seen *seen, char *out, size_t size)
{
    const char *text = gs_buf_text(log);
    size_t end = log->len;
    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' ')) {
        end--;
    }
    if (end == 0) {
        (void)snprintf(out, size, "%s", seen->reason[0] != '\0' ? seen->reason : "it wrote nothing");
        return;
    }
    size_t start = end;
    for (int lines = 1; start > 0 && end - start < size / 2; start--) {
        lines += text[start - 1] == '\n';
        if (lines > GS_JOB_TAIL_LINES) {
            break;
        }
    }
    size_t used = 0;
    for (size_t i = start; i < end && used + 3 < size; i++) {
        if (text[i] != '\n') {
            out[used++] = text[i];
        } else if (used > 0) {
            out[used++] = ';';
            out[used++] = ' ';
        }
    }
    out[used] = '\0';
}
