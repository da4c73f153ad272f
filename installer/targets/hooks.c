/* Hooks of a unit that gapship runs itself, because kubectl has none: Jobs with Argo CD's or Helm's annotations, before or after
 * the rest, by wave. A Job carries the bundle's digest, so a rerun knows whether it is this release's. */
#include "hooks.h"

#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "job.h"

#define GS_HOOK_SLACK_MS   60000
#define GS_HOOK_DEFAULT_MS 600000

typedef struct ranked {
    gs_node *object;
    int64_t wave;
    size_t place;
} ranked;

static int by_wave(const void *a, const void *b)
{
    const ranked *first = a, *second = b;
    if (first->wave != second->wave) {
        return first->wave < second->wave ? -1 : 1;
    }
    return first->place < second->place ? -1 : first->place > second->place;
}

static int collect(const gs_node *objects, gs_hook_kind kind, gs_arena *arena, ranked **out, size_t *count, gs_error *err)
{
    ranked *items = gs_arena_array(arena, objects->count + 1, sizeof *items);
    size_t n = 0;
    int code = items ? 0 : gs_fail_nomem(err);
    for (size_t i = 0; code == 0 && i < objects->count; i++) {
        gs_hook hook;
        code = gs_kube_hook(objects->items[i], &hook, err);
        if (code == 0 && hook.kind == kind) {
            items[n++] = (ranked){.object = objects->items[i], .wave = hook.wave, .place = i};
        }
    }
    if (code == 0 && n > 0) {
        qsort(items, n, sizeof *items, by_wave);
    }
    *out = items;
    *count = n;
    return code;
}

static int stamp(const gs_target_job *job, gs_node *object, gs_arena *arena, gs_error *err)
{
    gs_node *metadata = gs_node_get(object, "metadata");
    gs_node *annotations = gs_node_get(metadata, "annotations");
    return gs_node_set_text(arena, annotations, GS_BUNDLE_ANNOTATION, job->bundle_digest) ? 0 : gs_fail_nomem(err);
}

static bool is_ours(const gs_node *live, const char *bundle)
{
    return gs_text_equal(gs_node_text(gs_node_at(live, "metadata/annotations"), GS_BUNDLE_ANNOTATION), bundle);
}

static int fail_with_log(const gs_object_id *id, const gs_job_seen *seen, gs_buf *log, gs_hook_kind kind, gs_error *err)
{
    char words[GS_ERROR_MESSAGE_MAX / 2];
    gs_job_last_words(log, seen, words, sizeof words);
    gs_fail(err, kind == GS_HOOK_PRE ? GS_EMIGRATION : GS_EAPPLY, "the hook failed: %s", words);
    return gs_error_at(err, "Job %s/%s", id->namespace, id->name);
}

static int run_job(const gs_target_job *job, gs_api *api, gs_node *object, const gs_object_id *id, gs_hook_kind kind, gs_error *err)
{
    GS_AUTO_DOC gs_doc *live = NULL;
    GS_AUTO_BUF gs_buf log;
    gs_job_seen seen;
    gs_buf_init(&log, GS_MAX_JOB_LOG_BYTES);
    int code = gs_job_see(api, id, &seen, err);
    if (code == 0) {
        code = gs_api_get(api, id, &live, err);
    }
    if (code == 0 && live && (seen.state == GS_JOB_FAILED || !is_ours(live->root, job->bundle_digest))) {
        code = gs_job_remove(api, job->run, id, err);
        seen.state = GS_JOB_ABSENT;
    }
    if (code == 0 && seen.state == GS_JOB_ABSENT) {
        code = gs_api_apply(api, object, false, NULL, err);
    }
    int64_t deadline = gs_node_integer(gs_node_get(object, "spec"), "activeDeadlineSeconds", GS_HOOK_DEFAULT_MS / 1000) * 1000;
    if (code == 0 && seen.state != GS_JOB_COMPLETE) {
        code = gs_job_await(api, job->run, id, deadline + GS_HOOK_SLACK_MS, &seen, &log, err);
    }
    return code == 0 && seen.state == GS_JOB_FAILED ? fail_with_log(id, &seen, &log, kind, err) : code;
}

static int run_hook(const gs_target_job *job, gs_api *api, gs_node *object, gs_hook_kind kind, gs_arena *arena, gs_error *err)
{
    gs_object_id id;
    int code = gs_object_identify(object, &id, err);
    if (code == 0) {
        code = stamp(job, object, arena, err);
    }
    if (code < 0) {
        return code;
    }
    /* a Secret or ConfigMap that the Jobs need is only applied */
    return strcmp(id.kind, "Job") == 0 ? run_job(job, api, object, &id, kind, err) : gs_api_apply(api, object, false, NULL, err);
}

bool gs_is_hook(const gs_node *object)
{
    gs_hook hook;
    return gs_kube_hook(object, &hook, NULL) == 0 && hook.kind != GS_HOOK_NONE;
}

bool gs_hooks_any(const gs_node *objects, gs_hook_kind kind)
{
    for (size_t i = 0; i < objects->count; i++) {
        gs_hook hook;
        if (gs_kube_hook(objects->items[i], &hook, NULL) == 0 && hook.kind == kind) {
            return true;
        }
    }
    return false;
}

int gs_hooks_run(const gs_target_job *job, gs_api *api, gs_doc *unit, gs_hook_kind kind, gs_error *err)
{
    ranked *hooks = NULL;
    size_t count = 0;
    int code = collect(unit->root, kind, unit->arena, &hooks, &count, err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = gs_check_stop(job->run, 1, err);
        if (code == 0) {
            code = run_hook(job, api, hooks[i].object, kind, unit->arena, err);
        }
    }
    return code;
}
