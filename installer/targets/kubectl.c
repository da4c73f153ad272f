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
    int rc = out->arena ? gs_unit_objects(job, &out->doc, err) : gs_fail_nomem(err);
    if (rc == 0) {
        gs_kube_sort(out->doc->root);
        rc = gs_api_open(job, &out->api, err);
    }
    if (rc == 0) {
        rc = gs_inventory_read(job, out->api, out->arena, &out->before, err);
    }
    return rc < 0 ? rc : gs_inventory_of(out->doc->root, out->arena, &out->wanted, err);
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
    int rc = gs_object_identify(object, &id, err);
    if (rc == 0) {
        rc = gs_api_get(api, &id, &live, err);
    }
    if (rc < 0) {
        return rc;
    }
    gs_object_id_text(&id, what, sizeof what);
    if (!live) {
        return gs_changes_add(arena, out, GS_CHANGE_ADD, gs_arena_text(arena, what), err);
    }
    rc = gs_api_apply(api, object, true, &would, err);
    if (rc < 0) {
        return rc;
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
    int rc = open_unit(job, &unit, err);
    for (size_t i = 0; rc == 0 && i < unit.doc->root->count; i++) {
        if (!gs_is_hook(unit.doc->root->items[i])) {
            rc = diff_object(unit.api, unit.doc->root->items[i], arena, &changes, err);
        }
    }
    if (rc == 0) {
        rc = gs_inventory_surplus(&unit.before, &unit.wanted, arena, &changes, &surplus, err);
    }
    if (rc == 0 && hooks_pending(job, &unit)) {
        rc = gs_changes_add(arena, &changes, GS_CHANGE_MODIFY, "hooks", err);
    }
    if (rc < 0) {
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
        int rc = gs_api_get(api, id, &live, err);
        if (rc < 0 || (live && gs_kube_health(live->root, reason, sizeof reason) == GS_HEALTHY)) {
            return rc;
        }
        if (gs_ticks() - began > GS_CRD_WAIT_MS) {
            return gs_fail(err, GS_ETIMEOUT, "the cluster does not take up %s", id->name);
        }
        rc = gs_sleep(job->run, GS_CRD_POLL_MS, err);
        if (rc < 0) {
            return rc;
        }
    }
}

static int apply_objects(const gs_target_job *job, const opened *unit, gs_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < unit->doc->root->count; i++) {
        const gs_node *object = unit->doc->root->items[i];
        gs_object_id id;
        if (gs_is_hook(object)) {
            continue;
        }
        rc = gs_check_stop(job->run, 2, err);
        if (rc == 0) {
            rc = gs_api_apply(unit->api, object, false, NULL, err);
        }
        if (rc == 0) {
            rc = gs_object_identify(object, &id, err);
        }
        if (rc == 0 && strcmp(id.kind, "CustomResourceDefinition") == 0) {
            rc = wait_established(job, unit->api, &id, err);
        }
    }
    return rc;
}

static int prune(const opened *unit, size_t *removed, gs_error *err)
{
    gs_changes ignored = {0};
    gs_inventory surplus;
    int rc = gs_inventory_surplus(&unit->before, &unit->wanted, unit->arena, &ignored, &surplus, err);
    for (size_t i = 0; rc == 0 && i < surplus.count; i++) {
        rc = gs_api_delete(unit->api, &surplus.items[i], false, err);
    }
    *removed = rc == 0 ? surplus.count : 0;
    return rc;
}

static int apply(const gs_target_job *job, char *note, gs_error *err)
{
    AUTO_OPENED opened unit = {0};
    size_t removed = 0;
    int rc = open_unit(job, &unit, err);
    if (rc == 0) {
        rc = gs_api_need_namespace(unit.api, gs_unit_namespace(job), err);
    }
    if (rc == 0) {
        rc = gs_api_need_namespace(unit.api, gs_inventory_namespace(job), err);
    }
    if (rc == 0 && !job->rollback) {
        rc = gs_hooks_run(job, unit.api, unit.doc, GS_HOOK_PRE, err);
    }
    if (rc == 0) {
        rc = gs_inventory_write(job, unit.api, &unit.wanted, &unit.before, err);
    }
    if (rc == 0) {
        rc = apply_objects(job, &unit, err);
    }
    if (rc == 0 && !job->rollback) {
        rc = gs_hooks_run(job, unit.api, unit.doc, GS_HOOK_SYNC, err);
    }
    if (rc == 0) {
        rc = prune(&unit, &removed, err);
    }
    if (rc == 0) {
        rc = gs_inventory_write(job, unit.api, &unit.wanted, NULL, err);
    }
    if (rc < 0) {
        return rc;
    }
    (void)snprintf(note, GS_TARGET_NOTE, "%zu objects applied, %zu removed", unit.wanted.count, removed);
    return 0;
}

static int wait(const gs_target_job *job, gs_error *err)
{
    AUTO_OPENED opened unit = {0};
    int rc = open_unit(job, &unit, err);
    if (rc == 0) {
        rc = gs_live_wait(job, unit.doc->root, err);
    }
    if (rc == 0 && !job->rollback) {
        rc = gs_hooks_run(job, unit.api, unit.doc, GS_HOOK_POST, err);
    }
    return rc;
}

static int observe(const gs_target_job *job, gs_arena *arena, gs_text_list *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    int rc = gs_unit_objects(job, &doc, err);
    return rc < 0 ? rc : gs_live_images(job, doc->root, arena, out, err);
}

const gs_target_ops gs_target_kubectl = {.name = "kubectl", .diff = diff, .apply = apply, .wait = wait, .observe = observe};
