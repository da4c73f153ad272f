/* The helm target: `helm upgrade --install` with the whole list of values every time. Helm's own idea of the last good revision is
 * not used, and a rollback is an upgrade to the older chart without hooks: its migrations were decided on by the planner. */
#include <stdio.h>
#include <string.h>

#include "gapship/text.h"
#include "helm_command.h"
#include "hooks.h"

static int check_ready(const gs_target_job *job, gs_error *err)
{
    int code = gs_tools_need_helm(job->tools, err);
    if (code == 0 && (!job->place || !job->place->kubeconfig)) {
        code = gs_fail(err, GS_ECHECK, "site.yaml gives no kubeconfig for this environment");
        gs_error_hint(err, "add under environments:  %s: {kubeconfig: FILE}", job->environment->name);
    }
    return code;
}

/* ---- rendering ---- */

typedef struct relocation {
    const gs_target_job *job;
    gs_arena *arena;
} relocation;

static const char *relocated(void *state, const char *as)
{
    const relocation *self = state;
    const gs_locked_image *image = gs_lock_image(self->job->lock, as);
    return image ? gs_relocated(self->job->site, image, self->arena) : NULL;
}

static int image_values(const gs_target_job *job, gs_arena *arena, gs_text_map *out, gs_error *err)
{
    relocation state = {.job = job, .arena = arena};
    const gs_referencing references = {.reference = relocated, .state = &state};
    const gs_unit_render request = {.work = job->work, .environment = job->environment, .unit = job->unit};
    return gs_image_values(job->run, job->tools, &request, &references, arena, out, err);
}

/* The chart with the values that helm will get, for comparing and waiting. */
static int render(const gs_target_job *job, bool upgrade, gs_doc **out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_text_map set = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    int code = arena ? image_values(job, arena, &set, err) : gs_fail_nomem(err);
    const gs_unit_render request = {
        .work = job->work, .environment = job->environment, .unit = job->unit, .set = &set, .upgrade = upgrade};
    if (code == 0) {
        code = gs_render_unit(job->run, job->tools, &request, &doc, err);
    }
    if (code == 0) {
        code = gs_kube_set_namespace(doc->arena, doc->root, gs_unit_namespace(job), err);
    }
    if (code == 0) {
        code = gs_check_relocated(job, doc->root, err);
    }
    if (code == 0) {
        *out = GS_STEAL(doc);
    }
    return code;
}

/* ---- diff ---- */

static int diff(const gs_target_job *job, gs_arena *arena, gs_changes *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *want = NULL;
    gs_changes changes = {0};
    const char *status = NULL;
    int code = check_ready(job, err);
    if (code == 0) {
        code = gs_helm_status(job, arena, &status, err);
    }
    if (code == 0) {
        code = render(job, status[0] != '\0', &want, err);
    }
    if (code == 0) {
        code = gs_helm_compare(job, status, want->root, arena, &changes, err);
    }
    if (code < 0) {
        return gs_error_at(err, "%s/%s", job->environment->name, job->unit->name);
    }
    *out = changes;
    return 0;
}

/* ---- apply ---------------------------------------------------------------------------------------------------------------------
 */

/* Hooks that helm leaves to gapship. */
static bool extracts(const gs_target_job *job)
{
    return job->unit->hooks == GS_HOOKS_EXTRACT;
}

static int run_extracted(const gs_target_job *job, bool upgrading, gs_hook_kind kind, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_API gs_api *api = NULL;
    if (job->rollback || !extracts(job)) {
        return 0;
    }
    int code = render(job, upgrading, &doc, err);
    if (code == 0) {
        code = gs_api_open(job, &api, err);
    }
    if (code == 0) {
        code = gs_api_need_namespace(api, gs_unit_namespace(job), err);
    }
    return code < 0 ? code : gs_hooks_run(job, api, doc, kind, err);
}

static void add_set(gs_helm_line *line, const gs_text_map *set)
{
    for (size_t i = 0; i < set->count; i++) {
        gs_helm_add(line, "--set-string");
        gs_helm_add(line, gs_helm_assignment(&set->items[i], line->arena));
    }
}

/* The phase that failed is told by words that both Helm 3 and 4 use. */
static bool blames_pre_hook(const char *errors)
{
    return strstr(errors, "pre-upgrade hooks failed") || strstr(errors, "failed pre-install");
}

static bool blames_hook(const char *errors)
{
    return blames_pre_hook(errors) || strstr(errors, "post-upgrade hooks failed") || strstr(errors, "failed post-install");
}

static int upgrade(const gs_target_job *job, gs_arena *arena, gs_error *err)
{
    gs_helm_line line;
    GS_AUTO_PROC gs_proc_result result = {0};
    gs_text_map images = {0};
    const gs_source_spec *source = &job->unit->source;
    int code = image_values(job, arena, &images, err);
    if (code < 0) {
        return code;
    }
    gs_helm_begin(&line, job, arena, "upgrade", NULL);
    gs_helm_add(&line, "--install");
    gs_helm_add(&line, "--create-namespace");
    gs_helm_add(&line, "--reset-values");
    gs_helm_add(&line, gs_arena_printf(arena, "--timeout=%llds", (long long)(job->unit->wait.timeout / 1000)));
    if (job->rollback || extracts(job)) {
        gs_helm_add(&line, "--no-hooks");
    }
    for (size_t i = 0; i < source->values.count; i++) {
        gs_helm_add(&line, "--values");
        gs_helm_add(&line, gs_arena_printf(arena, "%s/sources/%s", job->work, source->values.items[i]));
    }
    add_set(&line, &source->set);
    add_set(&line, &images);
    gs_helm_add(&line, gs_helm_release(job));
    gs_helm_add(&line, gs_arena_printf(arena, "%s/charts/%s.tgz", job->work, source->chart));
    code = gs_helm_run(&line, 2 * job->unit->wait.timeout + GS_HELM_SLACK_MS, &result, err);
    const char *errors = gs_buf_text(&result.errors);
    if (code == GS_EAPPLY && blames_hook(errors)) {
        gs_helm_explain(job, err);
    }
    return code == GS_EAPPLY && blames_pre_hook(errors) ? gs_error_recode(err, GS_EMIGRATION) : code;
}

static int apply(const gs_target_job *job, char *note, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *status = NULL;
    int code = arena ? check_ready(job, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_helm_status(job, arena, &status, err);
    }
    if (code == 0) {
        code = gs_helm_recover(job, status, err);
    }
    if (code == 0) {
        code = run_extracted(job, status[0] != '\0', GS_HOOK_PRE, err);
    }
    if (code == 0) {
        code = upgrade(job, arena, err);
    }
    if (code < 0) {
        return code;
    }
    (void)snprintf(note, GS_TARGET_NOTE, "helm release %s", gs_helm_release(job));
    return 0;
}

static int wait(const gs_target_job *job, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    int code = render(job, true, &doc, err);
    if (code == 0) {
        code = gs_live_wait(job, doc->root, err);
    }
    return code < 0 ? code : run_extracted(job, true, GS_HOOK_POST, err);
}

static int observe(const gs_target_job *job, gs_arena *arena, gs_text_list *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    int code = render(job, true, &doc, err);
    return code < 0 ? code : gs_live_images(job, doc->root, arena, out, err);
}

const gs_target_ops gs_target_helm = {.name = "helm", .diff = diff, .apply = apply, .wait = wait, .observe = observe};
