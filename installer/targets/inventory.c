/* What a unit owns in the cluster, in a ConfigMap: kubectl's own pruning refuses objects that were applied on the server. */
#include "inventory.h"

#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"

/* Removing one of these destroys data or what others live in. */
static bool is_protected(const char *kind)
{
    static const char *const kinds[] = {"PersistentVolumeClaim", "PersistentVolume", "Namespace", "CustomResourceDefinition"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            return true;
        }
    }
    return false;
}

const char *gs_inventory_namespace(const gs_target_job *job)
{
    return job->place && job->place->namespace ? job->place->namespace : gs_unit_namespace(job);
}

/* Products and environments may share a namespace. An underscore, which a name of gapship may have, is none of a ConfigMap's. */
static gs_object_id config_map(const gs_target_job *job, gs_arena *arena)
{
    char *name = gs_arena_printf(arena, "gapship.%s.%s.%s", job->release->name, job->environment->name, job->unit->name);
    for (char *c = name; c && *c != '\0'; c++) {
        *c = *c == '_' ? '-' : *c;
    }
    return (gs_object_id){.api_version = "v1", .kind = "ConfigMap", .namespace = gs_inventory_namespace(job), .name = name};
}

/* "apiVersion kind namespace name", one a line; the namespace of a cluster-wide object is "-". Without a name, the API would take the path
 * of the object for that of all of its kind. */
static int parse_line(const char *line, size_t len, gs_arena *arena, gs_object_id *out, gs_error *err)
{
    char *text = gs_arena_copy(arena, line, len);
    const char *parts[4];
    if (!text) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < 4; i++) {
        char *end = text + strcspn(text, " ");
        if (end == text || (*end == '\0') != (i == 3)) {
            return gs_fail(err, GS_ESTATE, "the unit's inventory in the cluster has a line that is no object");
        }
        *end = '\0';
        parts[i] = text;
        text = end + 1;
    }
    *out = (gs_object_id){parts[0], parts[1], strcmp(parts[2], "-") == 0 ? "" : parts[2], parts[3]};
    return 0;
}

int gs_inventory_parse(const char *text, gs_arena *arena, gs_inventory *out, gs_error *err)
{
    size_t lines = 1;
    for (const char *c = text; *c != '\0'; c++) {
        lines += *c == '\n' ? 1 : 0;
    }
    gs_inventory parsed = {.items = gs_arena_array(arena, lines, sizeof *parsed.items)};
    int code = parsed.items ? 0 : gs_fail_nomem(err);
    while (code == 0 && *text != '\0') {
        size_t len = strcspn(text, "\n");
        code = parse_line(text, len, arena, &parsed.items[parsed.count++], err);
        text += len + (text[len] == '\n' ? 1 : 0);
    }
    if (code == 0) {
        *out = parsed;
    }
    return code;
}

int gs_inventory_read(const gs_target_job *job, gs_api *api, gs_arena *arena, gs_inventory *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *live = NULL;
    gs_object_id id = config_map(job, arena);
    int code = id.name ? gs_api_get(api, &id, &live, err) : gs_fail_nomem(err);
    const gs_node *data = code == 0 && live ? gs_node_get(live->root, "data") : NULL;
    const char *text = gs_node_text(data, "objects");
    const char *bundle = gs_node_text(data, "bundle");
    *out = (gs_inventory){0};
    if (code < 0 || !text) {
        return code;
    }
    code = gs_inventory_parse(text, arena, out, err);
    if (code == 0 && bundle && !(out->bundle = gs_arena_text(arena, bundle))) {
        code = gs_fail_nomem(err);
    }
    return code;
}

int gs_inventory_of(const gs_node *objects, gs_arena *arena, gs_inventory *out, gs_error *err)
{
    *out = (gs_inventory){.items = gs_arena_array(arena, objects->count + 1, sizeof *out->items)};
    int code = out->items ? 0 : gs_fail_nomem(err);
    for (size_t i = 0; code == 0 && i < objects->count; i++) {
        gs_hook hook;
        code = gs_kube_hook(objects->items[i], &hook, err);
        if (code == 0 && hook.kind == GS_HOOK_NONE) {
            code = gs_object_identify(objects->items[i], &out->items[out->count++], err);
        }
    }
    return code;
}

bool gs_inventory_has(const gs_inventory *inventory, const gs_object_id *id)
{
    for (size_t i = 0; i < inventory->count; i++) {
        if (gs_object_id_equal(&inventory->items[i], id)) {
            return true;
        }
    }
    return false;
}

int gs_inventory_write(const gs_target_job *job, gs_api *api, const gs_inventory *first, const gs_inventory *second, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MIB(1)); /* what a ConfigMap holds at most */
    const gs_inventory *parts[] = {first, second};
    for (size_t p = 0; p < 2 && parts[p]; p++) {
        for (size_t i = 0; i < parts[p]->count; i++) {
            const gs_object_id *id = &parts[p]->items[i];
            if (p == 0 || !gs_inventory_has(first, id)) {
                gs_buf_printf(&text, "%s %s %s %s\n", id->api_version, id->kind, id->namespace[0] != '\0' ? id->namespace : "-",
                              id->name);
            }
        }
    }
    int code = arena ? gs_buf_check(&text, err) : gs_fail_nomem(err);
    if (code < 0) {
        return code;
    }
    gs_object_id id = config_map(job, arena);
    gs_node *labels = gs_node_set_text(arena, gs_node_new_map(arena), "app.kubernetes.io/managed-by", "gapship");
    gs_node *metadata = gs_node_set_text(arena, gs_node_new_map(arena), "name", id.name);
    metadata = gs_node_set_text(arena, metadata, "namespace", id.namespace);
    metadata = gs_node_set(arena, metadata, "labels", labels);
    gs_node *data = gs_node_set_text(arena, gs_node_new_map(arena), "objects", gs_buf_text(&text));
    data = gs_node_set_text(arena, data, "bundle", second ? NULL : job->bundle_digest);
    gs_node *map = gs_node_set_text(arena, gs_node_new_map(arena), "apiVersion", id.api_version);
    map = gs_node_set_text(arena, map, "kind", id.kind);
    map = gs_node_set(arena, map, "metadata", metadata);
    map = gs_node_set(arena, map, "data", data);
    return map ? gs_api_apply(api, map, false, NULL, err) : gs_fail_nomem(err);
}

int gs_inventory_surplus(const gs_inventory *before, const gs_inventory *wanted, gs_arena *arena, gs_changes *out,
                         gs_inventory *remove, gs_error *err)
{
    *remove = (gs_inventory){.items = gs_arena_array(arena, before->count + 1, sizeof *remove->items)};
    int code = remove->items ? 0 : gs_fail_nomem(err);
    for (size_t i = 0; code == 0 && i < before->count; i++) {
        const gs_object_id *id = &before->items[i];
        char what[GS_ERROR_WHERE_MAX];
        if (gs_inventory_has(wanted, id)) {
            continue;
        }
        gs_object_id_text(id, what, sizeof what);
        code = gs_changes_add(arena, out, GS_CHANGE_REMOVE, gs_arena_text(arena, what), err);
        if (code == 0 && is_protected(id->kind)) {
            out->items[out->count - 1].protected_ = true;
        } else if (code == 0) {
            remove->items[remove->count++] = *id;
        }
    }
    return code;
}
