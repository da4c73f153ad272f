/* Replaces the images that run, wherever images.c finds them. An image in parts gets its new parts back into the keys that it has.
 * Must not know what the new references are. */
#include "internal.h"

#include <string.h>

#include "gapship/text.h"

typedef struct replacing {
    gs_arena *arena;
    const char *(*replace)(void *state, const char *image);
    void *state;
} replacing;

static int set_text(const replacing *r, gs_node *map, const char *key, const char *text, gs_error *err)
{
    return gs_node_set_text(r->arena, map, key, text) ? 0 : gs_fail_nomem(err);
}

/* repository, and image where the map has both: the last component goes there. */
static int set_name(const replacing *r, gs_node *map, const gs_image_parts *parts, const char *name, gs_error *err)
{
    const char *slash = strrchr(name, '/');
    if (!parts->repository) {
        return set_text(r, map, "image", name, err);
    }
    if (!parts->image) {
        return set_text(r, map, "repository", name, err);
    }
    if (!slash) {
        return gs_fail(err, GS_ESPEC, "\"%s\" has no part for the key `repository`", name);
    }
    const char *repository = gs_arena_copy(r->arena, name, (size_t)(slash - name));
    int code = repository ? set_text(r, map, "repository", repository, err) : gs_fail_nomem(err);
    return code < 0 ? code : set_text(r, map, "image", slash + 1, err);
}

static int refuse_version(const gs_reference *to, gs_error *err)
{
    gs_fail(err, GS_ESPEC, "an image written in parts has no key to take \"%s\"", *to->tag ? to->tag : to->digest);
    return gs_error_hint(err, *to->tag ? "give the object a `tag`" : "list the image with a tag in `images`");
}

/* Keys that the map does not have stay out: the schema of a custom resource refuses unknown ones. A `version` takes a digest, too,
 * as the GPU operator's does; behind a `tag` stands a colon. */
static int set_version(const replacing *r, gs_node *map, const gs_image_parts *parts, const gs_reference *to, gs_error *err)
{
    bool has_digest = gs_node_get(map, "digest") != NULL;
    const char *version = *to->tag || has_digest || gs_text_equal(parts->tag_key, "tag") ? to->tag : to->digest;
    if ((!parts->tag_key && !(has_digest && *to->digest)) || (*version == '\0' && !has_digest)) {
        return refuse_version(to, err);
    }
    int code = parts->tag_key ? set_text(r, map, parts->tag_key, version, err) : 0;
    return code < 0 || !has_digest ? code : set_text(r, map, "digest", to->digest, err);
}

static int replace_parts(const replacing *r, gs_node *map, const gs_image_parts *parts, const char *image, gs_error *err)
{
    gs_reference to;
    const char *with = r->replace(r->state, image);
    if (!with) {
        return 0;
    }
    int code = gs_reference_parse(with, &to, err);
    if (code < 0) {
        return code;
    }
    bool has_registry = gs_node_get(map, "registry") != NULL;
    const char *name = has_registry ? to.path : gs_arena_printf(r->arena, "%s/%s", to.host, to.path);
    code = name ? set_name(r, map, parts, name, err) : gs_fail_nomem(err);
    if (code == 0 && has_registry) {
        code = set_text(r, map, "registry", to.host, err);
    }
    return code < 0 ? code : set_version(r, map, parts, &to, err);
}

static int replace_scalar(const replacing *r, gs_node *map, const char *key, const char *image, gs_error *err)
{
    const char *with = r->replace(r->state, image);
    return with ? set_text(r, map, key, with, err) : 0;
}

static int replace_in(const replacing *r, gs_node *node, const gs_image_place *at, gs_error *err);

static int replace_in_map(const replacing *r, gs_node *map, const gs_image_place *at, gs_error *err)
{
    gs_image_parts parts;
    const char *joined;
    const char *key = at->volume ? "reference" : "image";
    const gs_node *image = gs_node_get(map, key);
    int code = gs_image_parts_read(map, r->arena, &parts, &joined, err);
    if (code == 0 && joined) {
        code = replace_parts(r, map, &parts, joined, err);
    } else if (code == 0 && gs_image_runs(at, key, image)) {
        code = replace_scalar(r, map, key, image->text, err);
    }
    for (size_t i = 0; code == 0 && i < map->count; i++) {
        gs_image_place below = gs_image_place_below(at, map->pairs[i].key);
        code = replace_in(r, map->pairs[i].value, &below, err);
    }
    return code;
}

static int replace_in(const replacing *r, gs_node *node, const gs_image_place *at, gs_error *err)
{
    const gs_image_place item = {.list_key = at->key};
    int code = 0;
    if (node->kind == GS_NODE_MAP) {
        return replace_in_map(r, node, at, err);
    }
    for (size_t i = 0; node->kind == GS_NODE_LIST && code == 0 && i < node->count; i++) {
        code = replace_in(r, node->items[i], &item, err);
    }
    return code;
}

int gs_kube_replace_images(gs_arena *arena, gs_node *objects, const char *(*replace)(void *state, const char *image), void *state,
                           gs_error *err)
{
    const replacing r = {.arena = arena, .replace = replace, .state = state};
    for (size_t i = 0; i < objects->count; i++) {
        int code = replace_in(&r, objects->items[i], &(gs_image_place){0}, err);
        if (code < 0) {
            gs_object_id id;
            char text[GS_OBJECT_TEXT];
            if (gs_object_identify(objects->items[i], &id, NULL) < 0) {
                return code;
            }
            gs_object_id_text(&id, text, sizeof text);
            return gs_error_at(err, "%s", text);
        }
    }
    return 0;
}
