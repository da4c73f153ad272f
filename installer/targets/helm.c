/* The helm target: `helm upgrade --install` with the whole list of values every time, and recovery of a release that a killed helm
 * left pending. Helm's own idea of the last good revision is not used. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/proc.h"
#include "gapship/text.h"
#include "targets.h"

#define GS_HELM_SLACK_MS      60000
#define GS_MAX_HELM_ARGUMENTS 512u

/* A command line in the making. */
typedef struct helm_line {
    const char *argv[GS_MAX_HELM_ARGUMENTS];
    size_t count;
    gs_arena *arena;
    int failed; /* GS_ENOMEM or GS_ELIMIT */
} helm_line;

static void add(helm_line *line, const char *word)
{
    if (!word) {
        line->failed = GS_ENOMEM;
    } else if (line->count + 1 >= GS_MAX_HELM_ARGUMENTS) {
        line->failed = GS_ELIMIT;
    } else {
        line->argv[line->count++] = word;
    }
}

static const char *release_name(const gs_target_job *job)
{
    return job->unit->target.release ? job->unit->target.release : job->unit->name;
}

static void begin(const gs_target_job *job, helm_line *line, const char *verb)
{
    add(line, job->tools->helm);
    add(line, verb);
    add(line, gs_arena_printf(line->arena, "--kubeconfig=%s", job->place->kubeconfig));
    if (job->place->context) {
        add(line, gs_arena_printf(line->arena, "--kube-context=%s", job->place->context));
    }
    if (job->unit->target.namespace) {
        add(line, gs_arena_printf(line->arena, "--namespace=%s", job->unit->target.namespace));
    }
}

static int run_line(const gs_target_job *job, helm_line *line, int64_t deadline, gs_proc_result *result, gs_error *err)
{
    if (line->failed == GS_ELIMIT) {
        return gs_fail(err, GS_ELIMIT, "more than %u arguments for helm", GS_MAX_HELM_ARGUMENTS);
    }
    if (line->failed < 0) {
        return gs_fail_nomem(err);
    }
    line->argv[line->count] = NULL;
    const gs_proc proc = {.argv = line->argv, .cwd = -1, .deadline = deadline};
    return gs_proc_run(job->run, &proc, result, err);
}

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
    if (rc == 0 && job->unit->target.namespace) {
        rc = gs_kube_set_namespace(doc->arena, doc->root, job->unit->target.namespace, err);
    }
    if (rc == 0) {
        *out = GS_STEAL(doc);
    }
    return rc;
}

/* ---- the release as helm knows it ---- */

/* "deployed", "failed", "pending-upgrade" …; "" when there is no release. In arena. */
static int read_status(const gs_target_job *job, gs_arena *arena, const char **status, gs_error *err)
{
    helm_line line = {.arena = arena};
    GS_AUTO_PROC gs_proc_result result = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    begin(job, &line, "status");
    add(&line, "--output=json");
    add(&line, release_name(job));
    int rc = run_line(job, &line, 0, &result, err);
    if (rc < 0) {
        return rc;
    }
    if (result.status != 0) {
        const char *why = gs_buf_text(&result.errors);
        if (strstr(why, "not found")) {
            *status = "";
            return 0;
        }
        char text[GS_ERROR_MESSAGE_MAX / 2];
        gs_text_printable(why, text, sizeof text);
        return gs_fail(err, GS_EAPPLY, "helm status: %s", text);
    }
    rc = gs_doc_parse(GS_JSON, "helm status", result.output.data, result.output.len, &doc, err);
    const char *found = rc == 0 ? gs_node_text(gs_node_get(doc->root, "info"), "status") : NULL;
    *status = gs_arena_text(arena, found ? found : "");
    return rc < 0 ? rc : *status ? 0 : gs_fail_nomem(err);
}

/* A killed helm leaves its release pending, and every later upgrade is refused. A first installation that never finished is
 * removed; an upgrade goes back to the revision before, without hooks: what comes next is an upgrade with them. */
static int recover(const gs_target_job *job, const char *status, gs_arena *arena, gs_error *err)
{
    helm_line line = {.arena = arena};
    GS_AUTO_PROC gs_proc_result result = {0};
    if (!gs_text_starts(status, "pending-")) {
        return 0;
    }
    bool first = strcmp(status, "pending-install") == 0;
    gs_emit(job->run, GS_WARNING, "helmPending", NULL, 0, "release %s is %s: an earlier run was killed; %s", release_name(job),
            status, first ? "removing what it left" : "going back to the revision before");
    begin(job, &line, first ? "uninstall" : "rollback");
    add(&line, "--no-hooks");
    add(&line, release_name(job));
    int rc = run_line(job, &line, job->unit->wait.timeout + GS_HELM_SLACK_MS, &result, err);
    if (rc == 0 && result.status != 0) {
        char text[GS_ERROR_MESSAGE_MAX / 2];
        gs_text_printable(gs_buf_text(&result.errors), text, sizeof text);
        rc = gs_fail(err, GS_EUNCERTAIN, "release %s is %s and could not be recovered: %s", release_name(job), status, text);
        gs_error_hint(err, "see helm history %s; when its Jobs have ended, run the same command again", release_name(job));
    }
    return rc;
}

static int read_manifest(const gs_target_job *job, gs_arena *arena, gs_doc **out, gs_error *err)
{
    helm_line line = {.arena = arena};
    GS_AUTO_PROC gs_proc_result result = {0};
    begin(job, &line, "get");
    add(&line, "manifest");
    add(&line, release_name(job));
    int rc = run_line(job, &line, 0, &result, err);
    if (rc == 0 && result.status != 0) {
        char text[GS_ERROR_MESSAGE_MAX / 2];
        gs_text_printable(gs_buf_text(&result.errors), text, sizeof text);
        rc = gs_fail(err, GS_EAPPLY, "helm get manifest: %s", text);
    }
    return rc < 0 ? rc : gs_doc_parse_manifests("helm get manifest", result.output.data, result.output.len, out, err);
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

/* Objects of `from` that `against` lacks (kind), or has otherwise (GS_CHANGE_MODIFY, when both is set). */
static int compare(const gs_node *from, const gs_node *against, gs_change_kind kind, bool both, gs_arena *arena, gs_changes *out,
                   gs_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < from->count; i++) {
        gs_object_id id;
        gs_hook hook;
        char what[GS_ERROR_WHERE_MAX];
        rc = gs_object_identify(from->items[i], &id, err);
        if (rc == 0) {
            rc = gs_kube_hook(from->items[i], &hook, err);
        }
        if (rc < 0 || hook.kind != GS_HOOK_NONE) {
            continue;
        }
        const gs_node *other = find_object(against, &id);
        gs_object_id_text(&id, what, sizeof what);
        if (!other) {
            rc = gs_changes_add(arena, out, kind, gs_arena_text(arena, what), err);
        } else if (both && !gs_node_equal(from->items[i], other)) {
            rc = gs_changes_add(arena, out, GS_CHANGE_MODIFY, gs_arena_text(arena, what), err);
        }
    }
    return rc;
}

static int diff_release(const gs_target_job *job, const char *status, gs_arena *arena, gs_changes *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *want = NULL;
    GS_AUTO_DOC gs_doc *have = NULL;
    int rc = render(job, status[0] != '\0', &want, err);
    if (rc == 0 && status[0] == '\0') {
        rc = gs_doc_parse(GS_JSON, "nothing", "[]", 2, &have, err);
    } else if (rc == 0) {
        rc = read_manifest(job, arena, &have, err);
        if (rc == 0 && job->unit->target.namespace) {
            rc = gs_kube_set_namespace(have->arena, have->root, job->unit->target.namespace, err);
        }
    }
    if (rc == 0) {
        rc = compare(want->root, have->root, GS_CHANGE_ADD, true, arena, out, err);
    }
    if (rc == 0) {
        rc = compare(have->root, want->root, GS_CHANGE_REMOVE, false, arena, out, err);
    }
    if (rc == 0 && out->count == 0 && strcmp(status, "deployed") != 0) {
        const char *what = gs_arena_printf(arena, "release %s, which is %s", release_name(job),
                                           status[0] != '\0' ? status : "absent");
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
        rc = read_status(job, arena, &status, err);
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

/* ---- apply ---- */

/* --set-string splits at ',' and '.' and reads '=' and '{': each is escaped where it is meant. Dots in a path are meant to split.
 */
static const char *escape_value(const char *value, gs_arena *arena)
{
    GS_AUTO_BUF gs_buf out;
    gs_buf_init(&out, GS_KIB(64));
    for (; *value != '\0'; value++) {
        if (*value == ',' || *value == '{' || *value == '}' || *value == '\\') {
            gs_buf_add_text(&out, "\\");
        }
        gs_buf_add(&out, value, 1);
    }
    return out.failed ? NULL : gs_arena_text(arena, gs_buf_text(&out));
}

static void add_set(helm_line *line, const gs_text_map *set)
{
    for (size_t i = 0; i < set->count; i++) {
        const char *value = escape_value(set->items[i].value, line->arena);
        add(line, "--set-string");
        add(line, value ? gs_arena_printf(line->arena, "%s=%s", set->items[i].key, value) : NULL);
    }
}

static int upgrade(const gs_target_job *job, gs_arena *arena, gs_error *err)
{
    helm_line line = {.arena = arena};
    GS_AUTO_PROC gs_proc_result result = {0};
    gs_text_map images = {0};
    const gs_source_spec *source = &job->unit->source;
    int rc = image_values(job, arena, &images, err);
    if (rc < 0) {
        return rc;
    }
    begin(job, &line, "upgrade");
    add(&line, "--install");
    add(&line, "--create-namespace");
    add(&line, "--reset-values");
    add(&line, gs_arena_printf(arena, "--timeout=%llds", (long long)(job->unit->wait.timeout / 1000)));
    if (job->rollback) {
        add(&line, "--no-hooks");
    }
    for (size_t i = 0; i < source->values.count; i++) {
        add(&line, "--values");
        add(&line, gs_arena_printf(arena, "%s/sources/%s", job->work, source->values.items[i]));
    }
    add_set(&line, &source->set);
    add_set(&line, &images);
    add(&line, release_name(job));
    add(&line, gs_arena_printf(arena, "%s/charts/%s.tgz", job->work, source->chart));
    rc = run_line(job, &line, 2 * job->unit->wait.timeout + GS_HELM_SLACK_MS, &result, err);
    if (rc == 0 && result.status != 0) {
        char text[GS_ERROR_MESSAGE_MAX / 2];
        const char *why = gs_buf_text(&result.errors);
        gs_text_printable(why, text, sizeof text);
        rc = gs_fail(err, strstr(why, "pre-upgrade") || strstr(why, "pre-install") ? GS_EMIGRATION : GS_EAPPLY, "helm upgrade: %s",
                     text);
    }
    return rc;
}

static int apply(const gs_target_job *job, char *note, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *status = NULL;
    int rc = arena ? check_ready(job, err) : gs_fail_nomem(err);
    if (rc == 0) {
        rc = read_status(job, arena, &status, err);
    }
    if (rc == 0) {
        rc = recover(job, status, arena, err);
    }
    if (rc == 0) {
        rc = upgrade(job, arena, err);
    }
    if (rc < 0) {
        return gs_error_at(err, "%s/%s", job->environment->name, job->unit->name);
    }
    (void)snprintf(note, GS_TARGET_NOTE, "helm release %s", release_name(job));
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
