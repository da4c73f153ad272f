/* The kubectl target: server-side apply with an inventory of gapship's own for pruning; hooks run as phases. A rollback runs no
 * hook: its migrations were decided on by the planner. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "hooks.h"
#include "inventory.h"

#define GS_CRD_WAIT_MS 60000
#define GS_CRD_POLL_MS 200

/* A unit's objects, the cluster, and what the unit owned before. */
typedef struct opened {
    gs_doc *doc;
    gs_api *api;
    gs_arena *arena;
    gs_inventory before, wanted;
} opened;

static void opened_done(opened *self)
{
    gs_api_close(self->api);
    gs_doc_free(self->doc);
    gs_arena_free(self->arena);
}
#define AUTO_OPENED __attribute__((cleanup(opened_done)))

static int open_unit(const gs_target_job *job, opened *out, gs_error *err)
{
    out->arena = gs_arena_new();
    int code = out->arena ? gs_unit_objects(job, &out->doc, err) : gs_fail_nomem(err);
    if (code == 0) {
        gs_kube_sort(out->doc->root);
        code = gs_api_open(job, &out->api, err);
    }
    if (code == 0) {
        code = gs_inventory_read(job, out->api, out->arena, &out->before, err);
    }
    return code < 0 ? code : gs_inventory_of(out->doc->root, out->arena, &out->wanted, err);
}

/* ---- diff ---- */

/* What the API writes itself says nothing about whether an object would change. */
static void strip(gs_node *object)
{
    static const char *const fields[] = {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"};
    gs_node *metadata = gs_node_get(object, "metadata");
    for (size_t i = 0; metadata && i < sizeof fields / sizeof fields[0]; i++) {
        (void)gs_node_remove(metadata, fields[i]);
    }
    (void)gs_node_remove(object, "status");
}

static int diff_object(gs_api *api, const gs_node *object, gs_arena *arena, gs_changes *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *live = NULL;
    GS_AUTO_DOC gs_doc *would = NULL;
    gs_object_id id;
    char what[GS_ERROR_WHERE_MAX];
    int code = gs_object_identify(object, &id, err);
    if (code == 0) {
        code = gs_api_get(api, &id, &live, err);
    }
    if (code < 0) {
        return code;
    }
    gs_object_id_text(&id, what, sizeof what);
    if (!live) {
        return gs_changes_add(arena, out, GS_CHANGE_ADD, gs_arena_text(arena, what), err);
    }
    code = gs_api_apply(api, object, true, &would, err);
    if (code < 0) {
        return code;
    }
    strip(live->root);
    strip(would->root);
    return gs_node_equal(live->root, would->root) ? 0
                                                  : gs_changes_add(arena, out, GS_CHANGE_MODIFY, gs_arena_text(arena, what), err);
}

/* Objects that are as wanted do not say that the hooks around them have run. */
static bool hooks_pending(const gs_target_job *job, const opened *unit)
{
    const gs_node *objects = unit->doc->root;
    return !job->rollback && !gs_text_equal(unit->before.bundle, job->bundle_digest) &&
           (gs_hooks_any(objects, GS_HOOK_PRE) || gs_hooks_any(objects, GS_HOOK_SYNC));
}

static int diff(const gs_target_job *job, gs_arena *arena, gs_changes *out, gs_error *err)
{
    AUTO_OPENED opened unit = {0};
    gs_changes changes = {0};
    gs_inventory surplus;
    int code = open_unit(job, &unit, err);
    for (size_t i = 0; code == 0 && i < unit.doc->root->count; i++) {
        if (!gs_is_hook(unit.doc->root->items[i])) {
            code = diff_object(unit.api, unit.doc->root->items[i], arena, &changes, err);
        }
    }
    if (code == 0) {
        code = gs_inventory_surplus(&unit.before, &unit.wanted, arena, &changes, &surplus, err);
    }
    if (code == 0 && hooks_pending(job, &unit)) {
        code = gs_changes_add(arena, &changes, GS_CHANGE_MODIFY, "hooks", err);
    }
    if (code < 0) {
        return gs_error_at(err, "%s/%s", job->environment->name, job->unit->name);
    }
    *out = changes;
    return 0;
}

/* ---- apply ---- */

/* Objects of a new kind can be applied once the API serves it. */
static int wait_established(const gs_target_job *job, gs_api *api, const gs_object_id *id, gs_error *err)
{
    int64_t began = gs_ticks();
    for (;;) {
        GS_AUTO_DOC gs_doc *live = NULL;
        char reason[256];
        int code = gs_api_get(api, id, &live, err);
        if (code < 0 || (live && gs_kube_health(live->root, reason, sizeof reason) == GS_HEALTHY)) {
            return code;
        }
        if (gs_ticks() - began > GS_CRD_WAIT_MS) {
            return gs_fail(err, GS_ETIMEOUT, "the cluster does not take up %s", id->name);
        }
        code = gs_sleep(job->run, GS_CRD_POLL_MS, err);
        if (code < 0) {
            return code;
        }
    }
}

static int apply_objects(const gs_target_job *job, const opened *unit, gs_error *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < unit->doc->root->count; i++) {
        const gs_node *object = unit->doc->root->items[i];
        gs_object_id id;
        if (gs_is_hook(object)) {
            continue;
        }
        code = gs_check_stop(job->run, 2, err);
        if (code == 0) {
            code = gs_api_apply(unit->api, object, false, NULL, err);
        }
        if (code == 0) {
            code = gs_object_identify(object, &id, err);
        }
        if (code == 0 && strcmp(id.kind, "CustomResourceDefinition") == 0) {
            code = wait_established(job, unit->api, &id, err);
        }
    }
    return code;
}

static int prune(const opened *unit, size_t *removed, gs_error *err)
{
    gs_changes ignored = {0};
    gs_inventory surplus;
    int code = gs_inventory_surplus(&unit->before, &unit->wanted, unit->arena, &ignored, &surplus, err);
    for (size_t i = 0; code == 0 && i < surplus.count; i++) {
        code = gs_api_delete(unit->api, &surplus.items[i], false, err);
    }
    *removed = code == 0 ? surplus.count : 0;
    return code;
}

static int apply(const gs_target_job *job, char *note, gs_error *err)
{
    AUTO_OPENED opened unit = {0};
    size_t removed = 0;
    int code = open_unit(job, &unit, err);
    if (code == 0) {
        code = gs_api_need_namespace(unit.api, gs_unit_namespace(job), err);
    }
    if (code == 0) {
        code = gs_api_need_namespace(unit.api, gs_inventory_namespace(job), err);
    }
    if (code == 0 && !job->rollback) {
        code = gs_hooks_run(job, unit.api, unit.doc, GS_HOOK_PRE, err);
    }
    if (code == 0) {
        code = gs_inventory_write(job, unit.api, &unit.wanted, &unit.before, err);
    }
    if (code == 0) {
        code = apply_objects(job, &unit, err);
    }
    if (code == 0 && !job->rollback) {
        code = gs_hooks_run(job, unit.api, unit.doc, GS_HOOK_SYNC, err);
    }
    if (code == 0) {
        code = prune(&unit, &removed, err);
    }
    if (code == 0) {
        code = gs_inventory_write(job, unit.api, &unit.wanted, NULL, err);
    }
    if (code < 0) {
        return code;
    }
    (void)snprintf(note, GS_TARGET_NOTE, "%zu objects applied, %zu removed", unit.wanted.count, removed);
    return 0;
}

static int wait(const gs_target_job *job, gs_error *err)
{
    AUTO_OPENED opened unit = {0};
    int code = open_unit(job, &unit, err);
    if (code == 0) {
        code = gs_live_wait(job, unit.doc->root, err);
    }
    if (code == 0 && !job->rollback) {
        code = gs_hooks_run(job, unit.api, unit.doc, GS_HOOK_POST, err);
    }
    return code;
}

static int observe(const gs_target_job *job, gs_arena *arena, gs_text_list *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    int code = gs_unit_objects(job, &doc, err);
    return code < 0 ? code : gs_live_images(job, doc->root, arena, out, err);
}

const gs_target_ops gs_target_kubectl = {.name = "kubectl", .diff = diff, .apply = apply, .wait = wait, .observe = observe};
