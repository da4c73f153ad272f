/* The helm target: `helm upgrade --install` with the whole list of values every time. Helm's own idea of the last good revision is
 * not used, and a rollback is an upgrade to the older chart without hooks: its migrations were decided on by the planner. */
#include <stdio.h>
#include <string.h>

#include "gapship/text.h"
#include "helm_command.h"

static int check_ready(const gs_target_job *job, gs_error *err)
{
    int rc = gs_tools_need_helm(job->tools, err);
    if (rc == 0 && (!job->place || !job->place->kubeconfig)) {
        rc = gs_fail(err, GS_ECHECK, "site.yaml gives no kubeconfig for this environment");
        gs_error_hint(err, "add under environments:  %s: {kubeconfig: FILE}", job->environment->name);
    }
    return rc;
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
    int rc = arena ? image_values(job, arena, &set, err) : gs_fail_nomem(err);
    const gs_unit_render request = {
        .work = job->work, .environment = job->environment, .unit = job->unit, .set = &set, .upgrade = upgrade};
    if (rc == 0) {
        rc = gs_render_unit(job->run, job->tools, &request, &doc, err);
    }
    if (rc == 0) {
        rc = gs_kube_set_namespace(doc->arena, doc->root, gs_unit_namespace(job), err);
    }
    if (rc == 0) {
        *out = GS_STEAL(doc);
    }
    return rc;
}

/* ---- diff ---- */

static const gs_node *find_object(const gs_node *list, const gs_object_id *id)
{
    for (size_t i = 0; i < list->count; i++) {
        gs_object_id other;
        gs_error ignored = {0};
        if (gs_object_identify(list->items[i], &other, &ignored) == 0 && gs_object_id_equal(&other, id)) {
            return list->items[i];
        }
    }
    return NULL;
}

/* A CustomResourceDefinition of a chart's crds/ is in no manifest: helm installs it once and never looks at it again. */
static bool is_beside_manifest(const gs_object_id *id)
{
    return strcmp(id->kind, "CustomResourceDefinition") == 0;
}

static int compare_object(const gs_node *object, const gs_node *have, gs_arena *arena, gs_changes *out, gs_error *err)
{
    gs_object_id id;
    char what[GS_OBJECT_TEXT];
    int rc = gs_object_identify(object, &id, err);
    if (rc < 0) {
        return rc;
    }
    const gs_node *other = find_object(have, &id);
    if (other ? gs_node_equal(object, other) : is_beside_manifest(&id)) {
        return 0;
    }
    gs_object_id_text(&id, what, sizeof what);
    return gs_changes_add(arena, out, other ? GS_CHANGE_MODIFY : GS_CHANGE_ADD, gs_arena_text(arena, what), err);
}

static int compare_gone(const gs_node *object, const gs_node *want, gs_arena *arena, gs_changes *out, gs_error *err)
{
    gs_object_id id;
    char what[GS_OBJECT_TEXT];
    int rc = gs_object_identify(object, &id, err);
    if (rc < 0 || find_object(want, &id)) {
        return rc;
    }
    gs_object_id_text(&id, what, sizeof what);
    return gs_changes_add(arena, out, GS_CHANGE_REMOVE, gs_arena_text(arena, what), err);
}

static bool is_hook(const gs_node *object)
{
    gs_hook hook;
    return gs_kube_hook(object, &hook, NULL) == 0 && hook.kind != GS_HOOK_NONE;
}

static int compare(const gs_node *want, const gs_node *have, gs_arena *arena, gs_changes *out, gs_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < want->count; i++) {
        rc = is_hook(want->items[i]) ? 0 : compare_object(want->items[i], have, arena, out, err);
    }
    for (size_t i = 0; rc == 0 && i < have->count; i++) {
        rc = compare_gone(have->items[i], want, arena, out, err);
    }
    return rc;
}

/* Helm knows what it applied, not what became of it. */
static int add_missing(const gs_target_job *job, const gs_node *want, gs_arena *arena, gs_changes *out, gs_error *err)
{
    gs_object_id *ids = NULL;
    size_t count = 0;
    int rc = gs_live_missing(job, want, arena, &ids, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        char what[GS_OBJECT_TEXT];
        gs_object_id_text(&ids[i], what, sizeof what);
        rc = gs_changes_add(arena, out, GS_CHANGE_ADD, gs_arena_text(arena, what), err);
    }
    return rc;
}

static int diff_release(const gs_target_job *job, const char *status, gs_arena *arena, gs_changes *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *want = NULL;
    GS_AUTO_DOC gs_doc *have = NULL;
    bool absent = status[0] == '\0';
    int rc = render(job, !absent, &want, err);
    if (rc == 0) {
        rc = absent ? gs_doc_parse(GS_JSON, "nothing", "[]", 2, &have, err) : gs_helm_objects(job, "manifest", &have, err);
    }
    if (rc == 0) {
        rc = compare(want->root, have->root, arena, out, err);
    }
    if (rc == 0 && out->count == 0) {
        rc = add_missing(job, want->root, arena, out, err);
    }
    if (rc == 0 && out->count == 0 && strcmp(status, "deployed") != 0) {
        const char *what = gs_arena_printf(arena, "release %s, which is %s", gs_helm_release(job), absent ? "absent" : status);
        rc = gs_changes_add(arena, out, GS_CHANGE_MODIFY, what, err);
    }
    return rc;
}

static int diff(const gs_target_job *job, gs_arena *arena, gs_changes *out, gs_error *err)
{
    gs_changes changes = {0};
    const char *status = NULL;
    int rc = check_ready(job, err);
    if (rc == 0) {
        rc = gs_helm_status(job, arena, &status, err);
    }
    if (rc == 0) {
        rc = diff_release(job, status, arena, &changes, err);
    }
    if (rc < 0) {
        return gs_error_at(err, "%s/%s", job->environment->name, job->unit->name);
    }
    *out = changes;
    return 0;
}

/* ---- apply ---------------------------------------------------------------------------------------------------------------------
 */

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
    int rc = image_values(job, arena, &images, err);
    if (rc < 0) {
        return rc;
    }
    gs_helm_begin(&line, job, arena, "upgrade", NULL);
    gs_helm_add(&line, "--install");
    gs_helm_add(&line, "--create-namespace");
    gs_helm_add(&line, "--reset-values");
    gs_helm_add(&line, gs_arena_printf(arena, "--timeout=%llds", (long long)(job->unit->wait.timeout / 1000)));
    if (job->rollback) {
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
    rc = gs_helm_run(&line, 2 * job->unit->wait.timeout + GS_HELM_SLACK_MS, &result, err);
    const char *errors = gs_buf_text(&result.errors);
    if (rc == GS_EAPPLY && blames_hook(errors)) {
        gs_helm_explain(job, err);
    }
    return rc == GS_EAPPLY && blames_pre_hook(errors) ? gs_error_recode(err, GS_EMIGRATION) : rc;
}

static int apply(const gs_target_job *job, char *note, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *status = NULL;
    int rc = arena ? check_ready(job, err) : gs_fail_nomem(err);
    if (rc == 0) {
        rc = gs_helm_status(job, arena, &status, err);
    }
    if (rc == 0) {
        rc = gs_helm_recover(job, status, err);
    }
    if (rc == 0) {
        rc = upgrade(job, arena, err);
    }
    if (rc < 0) {
        return gs_error_at(err, "%s/%s", job->environment->name, job->unit->name);
    }
    (void)snprintf(note, GS_TARGET_NOTE, "helm release %s", gs_helm_release(job));
    return 0;
}

static int wait(const gs_target_job *job, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    int rc = render(job, true, &doc, err);
    return rc < 0 ? gs_error_at(err, "%s/%s", job->environment->name, job->unit->name) : gs_live_wait(job, doc->root, err);
}

static int observe(const gs_target_job *job, gs_arena *arena, gs_text_list *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    int rc = render(job, true, &doc, err);
    return rc < 0 ? rc : gs_live_images(job, doc->root, arena, out, err);
}

const gs_target_ops gs_target_helm = {.name = "helm", .diff = diff, .apply = apply, .wait = wait, .observe = observe};
