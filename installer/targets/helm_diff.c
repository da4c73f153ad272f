/* A release held against what helm has and what the cluster has. Changes nothing. */
#include <string.h>

#include "gapship/text.h"
#include "helm_command.h"

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
    int code = gs_object_identify(object, &id, err);
    if (code < 0) {
        return code;
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
    int code = gs_object_identify(object, &id, err);
    if (code < 0 || find_object(want, &id)) {
        return code;
    }
    gs_object_id_text(&id, what, sizeof what);
    return gs_changes_add(arena, out, GS_CHANGE_REMOVE, gs_arena_text(arena, what), err);
}

static int compare(const gs_node *want, const gs_node *have, gs_arena *arena, gs_changes *out, gs_error *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < want->count; i++) {
        code = gs_is_hook(want->items[i]) ? 0 : compare_object(want->items[i], have, arena, out, err);
    }
    for (size_t i = 0; code == 0 && i < have->count; i++) {
        code = compare_gone(have->items[i], want, arena, out, err);
    }
    return code;
}

/* Helm knows what it applied, not what became of it. */
static int add_missing(const gs_target_job *job, const gs_node *want, gs_arena *arena, gs_changes *out, gs_error *err)
{
    gs_object_id *ids = NULL;
    size_t count = 0;
    int code = gs_live_missing(job, want, arena, &ids, &count, err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        char what[GS_OBJECT_TEXT];
        gs_object_id_text(&ids[i], what, sizeof what);
        code = gs_changes_add(arena, out, GS_CHANGE_ADD, gs_arena_text(arena, what), err);
    }
    return code;
}

/* Hooks are in no manifest. Their names may have the revision in them, so what counts is what they run. */
static int compare_hooks(const gs_target_job *job, const gs_node *want, gs_arena *arena, gs_changes *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *have = NULL;
    gs_image_use *wanted = NULL, *had = NULL;
    size_t wanted_count = 0, had_count = 0;
    int code = gs_helm_objects(job, "hooks", &have, err);
    if (code == 0) {
        code = gs_kube_images(want, arena, &wanted, &wanted_count, err);
    }
    if (code == 0) {
        code = gs_kube_images(have->root, arena, &had, &had_count, err);
    }
    for (size_t i = 0; code == 0 && i < wanted_count; i++) {
        bool found = wanted[i].certainty != GS_IMAGE_RUNS || !gs_is_hook(wanted[i].object);
        for (size_t k = 0; !found && k < had_count; k++) {
            found = strcmp(had[k].image, wanted[i].image) == 0;
        }
        if (!found) {
            return gs_changes_add(arena, out, GS_CHANGE_MODIFY, "hooks", err);
        }
    }
    return code;
}

int gs_helm_compare(const gs_target_job *job, const char *status, const gs_node *want, gs_arena *arena, gs_changes *out,
                    gs_error *err)
{
    GS_AUTO_DOC gs_doc *have = NULL;
    bool absent = status[0] == '\0';
    int code = absent ? gs_doc_parse(GS_JSON, "nothing", "[]", 2, &have, err) : gs_helm_objects(job, "manifest", &have, err);
    if (code == 0) {
        code = compare(want, have->root, arena, out, err);
    }
    if (code == 0 && !absent && out->count == 0) {
        code = compare_hooks(job, want, arena, out, err);
    }
    if (code == 0 && out->count == 0) {
        code = add_missing(job, want, arena, out, err);
    }
    if (code == 0 && out->count == 0 && strcmp(status, "deployed") != 0) {
        const char *what = gs_arena_printf(arena, "release %s, which is %s", gs_helm_release(job), absent ? "absent" : status);
        code = gs_changes_add(arena, out, GS_CHANGE_MODIFY, what, err);
    }
    return code;
}
