/* Writes the manifests and indexes that gapship makes itself: keys in the order of the OCI image specification, so that the same
 * content always has the same digest. */
#include <string.h>

#include "gapship/doc.h"
#include "gapship/limits.h"
#include "gapship/oci.h"

static gs_node *annotations_node(const gs_text_map *annotations, gs_arena *arena)
{
    gs_node *map = gs_node_new_map(arena);
    for (size_t i = 0; map && i < annotations->count; i++) {
        map = gs_node_set_text(arena, map, annotations->items[i].key, annotations->items[i].value);
    }
    return map;
}

static gs_node *platform_node(const gs_platform *platform, gs_arena *arena)
{
    gs_node *map = gs_node_new_map(arena);
    map = gs_node_set_text(arena, map, "architecture", platform->architecture);
    map = gs_node_set_text(arena, map, "os", platform->os);
    bool varied = platform->variant && platform->variant[0] != '\0';
    return gs_node_set_text(arena, map, "variant", varied ? platform->variant : NULL);
}

gs_node *gs_descriptor_node(const gs_descriptor *descriptor, gs_arena *arena)
{
    char digest[GS_DIGEST_TEXT];
    gs_digest_text(&descriptor->digest, digest);
    gs_node *map = gs_node_new_map(arena);
    map = gs_node_set_text(arena, map, "mediaType", descriptor->media_type);
    map = gs_node_set_text(arena, map, "digest", digest);
    map = gs_node_set_integer(arena, map, "size", (int64_t)descriptor->size);
    if (descriptor->annotations.count > 0) {
        map = gs_node_set(arena, map, "annotations", annotations_node(&descriptor->annotations, arena));
    }
    if (descriptor->platform.os) {
        map = gs_node_set(arena, map, "platform", platform_node(&descriptor->platform, arena));
    }
    return gs_node_set_text(arena, map, "artifactType", descriptor->artifact_type);
}

static gs_node *items_node(const gs_manifest *manifest, gs_arena *arena)
{
    gs_node *list = gs_node_new_list(arena);
    for (size_t i = 0; list && i < manifest->item_count; i++) {
        list = gs_node_append(arena, list, gs_descriptor_node(&manifest->items[i], arena));
    }
    return list;
}

static gs_node *manifest_node(const gs_manifest *manifest, gs_arena *arena)
{
    gs_node *map = gs_node_new_map(arena);
    map = gs_node_set_integer(arena, map, "schemaVersion", 2);
    map = gs_node_set_text(arena, map, "mediaType", manifest->media_type);
    map = gs_node_set_text(arena, map, "artifactType", manifest->artifact_type);
    if (!manifest->is_index) {
        map = gs_node_set(arena, map, "config", gs_descriptor_node(&manifest->config, arena));
    }
    map = gs_node_set(arena, map, manifest->is_index ? "manifests" : "layers", items_node(manifest, arena));
    if (manifest->subject) {
        map = gs_node_set(arena, map, "subject", gs_descriptor_node(manifest->subject, arena));
    }
    if (manifest->annotations.count > 0) {
        map = gs_node_set(arena, map, "annotations", annotations_node(&manifest->annotations, arena));
    }
    return map;
}

int gs_manifest_write(const gs_manifest *manifest, gs_buf *out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_node *node = arena ? manifest_node(manifest, arena) : NULL;
    return node ? gs_node_write_json(node, GS_JSON_COMPACT, out, err) : gs_fail_nomem(err);
}
