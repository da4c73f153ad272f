/* One image as blobs: its manifests from the top down, of the platforms chosen, its configs and layers. Asks the origin for manifests,
 * and for a config where a platform has to be proved; fetches no layer. */
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "layout.h"

/* A row of manifest.json (docker's archive format): one platform of the image, its layers by path. */
static int add_docker_row(gs_lay_state *state, const gs_manifest *manifest, const char *tag, gs_error *err)
{
    char hex[GS_DIGEST_HEX];
    gs_arena *arena = state->arena;
    gs_node *row = gs_node_new_map(arena);
    gs_node *tags = gs_node_append(arena, gs_node_new_list(arena), gs_node_new_text(arena, tag));
    gs_node *layers = gs_node_new_list(arena);
    gs_digest_hex(&manifest->config.digest, hex);
    const char *config = gs_arena_printf(arena, "blobs/sha256/%s", hex);
    for (size_t i = 0; i < manifest->item_count; i++) {
        gs_digest_hex(&manifest->items[i].digest, hex);
        const char *path = gs_arena_printf(arena, "blobs/sha256/%s", hex);
        layers = gs_node_append(arena, layers, path ? gs_node_new_text(arena, path) : NULL);
    }
    if (!config || !gs_node_set_text(arena, row, "Config", config) || !gs_node_set(arena, row, "RepoTags", tags) ||
        !gs_node_set(arena, row, "Layers", layers) || !gs_node_append(arena, state->manifest_items, row)) {
        return gs_fail_nomem(err);
    }
    return 0;
}

/* What is being walked: one image, top manifest first. */
typedef struct image_walk {
    gs_lay_state *state;
    gs_origin *origin;
    const gs_locked_image *image;
    const char *docker_tag; /* NULL once a row was made */
    bool *found;            /* one per platform of image */
    gs_walked walked;
} image_walk;

/* Whether this platform is carried; all are when none was chosen. */
static bool take_platform(image_walk *walk, const gs_platform *offered)
{
    const gs_text_list *platforms = &walk->image->platforms;
    bool taken = platforms->count == 0;
    for (size_t i = 0; i < platforms->count; i++) {
        gs_platform wanted;
        gs_error ignored = {0};
        if (gs_platform_parse(platforms->items[i], walk->state->arena, &wanted, &ignored) == 0 &&
            gs_platform_match(&wanted, offered)) {
            walk->found[i] = true;
            taken = true;
        }
    }
    return taken;
}

static int walk_manifest(image_walk *walk, const gs_descriptor *wanted, int depth, gs_descriptor *out, gs_error *err);

static int walk_index(image_walk *walk, const gs_manifest *index, int depth, gs_error *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < index->item_count; i++) {
        const gs_descriptor *child = &index->items[i];
        gs_descriptor found;
        if (child->platform.os && !take_platform(walk, &child->platform)) {
            continue;
        }
        code = walk_manifest(walk, child, depth + 1, &found, err);
        if (code == 0 && found.size != child->size) {
            char digest[GS_DIGEST_TEXT];
            gs_digest_text(&child->digest, digest);
            code = gs_fail(err, GS_EDIGEST, "the index says that %s has %llu bytes; it has %llu", digest,
                           (unsigned long long)child->size, (unsigned long long)found.size);
        }
    }
    return code;
}

static bool is_image_config(const gs_descriptor *config)
{
    return gs_text_equal(config->media_type, GS_MEDIA_CONFIG) ||
           gs_text_equal(config->media_type, "application/vnd.docker.container.image.v1+json");
}

static int read_config(const image_walk *walk, const gs_descriptor *config, gs_buf *bytes, gs_error *err)
{
    GS_AUTO_SINK gs_sink *sink = NULL;
    gs_digest digest;
    int code = gs_sink_buffer(bytes, &sink, err);
    if (code == 0) {
        code = walk->origin->ops->config(walk->origin, config, sink, err);
    }
    if (code == 0) {
        code = gs_sink_close(&sink, err);
    }
    if (code == 0) {
        code = gs_digest_of(bytes->data, bytes->len, &digest, err);
    }
    if (code == 0 && !gs_digest_equal(&digest, &config->digest)) {
        code = gs_fail(err, GS_EDIGEST, "the image's config does not have the digest that its manifest says");
    }
    return code;
}

/* An image without an index says its platform in its config alone. A wrong one would be noticed on site, as "exec format error". */
static int check_own_platform(image_walk *walk, const gs_manifest *manifest, gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_buf_init(&bytes, GS_MAX_CONFIG_BYTES);
    if (walk->image->platforms.count == 0 || !is_image_config(&manifest->config)) {
        return 0;
    }
    int code = read_config(walk, &manifest->config, &bytes, err);
    if (code == 0) {
        code = gs_doc_parse(GS_JSON, "config", bytes.data, bytes.len, &doc, err);
    }
    if (code < 0) {
        return code;
    }
    const char *variant = gs_node_text(doc->root, "variant");
    const gs_platform platform = {.os = gs_node_text(doc->root, "os"),
                                  .architecture = gs_node_text(doc->root, "architecture"),
                                  .variant = variant ? variant : ""};
    if (take_platform(walk, &platform)) {
        return 0;
    }
    gs_fail(err, GS_ECHECK, "%s is an image for %s/%s alone", walk->image->from, platform.os ? platform.os : "?",
            platform.architecture ? platform.architecture : "?");
    return gs_error_hint(err, "correct platforms:, or name an image that has them");
}

static int walk_layers(image_walk *walk, const gs_manifest *manifest, const gs_platform *platform, gs_error *err)
{
    gs_piece piece = {.descriptor = manifest->config, .origin = walk->origin};
    int code = gs_lay_piece(walk->state, &piece, err);
    for (size_t i = 0; code == 0 && i < manifest->item_count; i++) {
        piece.descriptor = manifest->items[i];
        code = gs_lay_piece(walk->state, &piece, err);
    }
    /* docker loads images alone: another config type is an artifact, the platform unknown/unknown an attestation */
    bool is_image = is_image_config(&manifest->config) && !gs_text_equal(platform->os, "unknown");
    if (code == 0 && is_image && walk->docker_tag) {
        code = add_docker_row(walk->state, manifest, walk->docker_tag, err);
        walk->docker_tag = NULL;
    }
    return code;
}

/* wanted: the digest, and for a child of an index its size and the platform that it is for. */
static int walk_manifest(image_walk *walk, const gs_descriptor *wanted, int depth, gs_descriptor *out, gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    gs_descriptor found, stored;
    gs_manifest manifest = {0};
    char digest[GS_DIGEST_TEXT];
    gs_digest_text(&wanted->digest, digest);
    int code = gs_walked_add(&walk->walked, depth, wanted->size, err);
    if (code == 0) {
        code = walk->origin->ops->manifest(walk->origin, digest, walk->state->arena, &bytes, &found, err);
    }
    if (code == 0) {
        code = gs_manifest_parse(bytes.data, bytes.len, found.media_type, walk->state->arena, &manifest, err);
    }
    if (code == 0) { /* a parent stands before its children in the file */
        code = gs_lay_memory(walk->state, found.media_type, bytes.data, bytes.len, &stored, err);
    }
    if (code == 0 && !manifest.is_index && !wanted->platform.os) {
        code = check_own_platform(walk, &manifest, err);
    }
    if (code == 0) {
        code = manifest.is_index ? walk_index(walk, &manifest, depth, err) : walk_layers(walk, &manifest, &wanted->platform, err);
    }
    if (code == 0) {
        *out = found;
    }
    return code;
}

static int check_platforms(const image_walk *walk, gs_error *err)
{
    const gs_text_list *platforms = &walk->image->platforms;
    GS_AUTO_BUF gs_buf missing;
    gs_buf_init(&missing, GS_KIB(4));
    for (size_t i = 0; i < platforms->count; i++) {
        if (!walk->found[i]) {
            gs_buf_printf(&missing, "%s%s", missing.len == 0 ? "" : ", ", platforms->items[i]);
        }
    }
    if (missing.len == 0) {
        return gs_buf_check(&missing, err);
    }
    gs_fail(err, GS_ECHECK, "%s has nothing for %s", walk->image->from, gs_buf_text(&missing));
    return gs_error_hint(err, "`skopeo inspect --raw` shows the platforms it has; set platforms: to those, or leave it out");
}

int gs_lay_image(gs_lay_state *state, gs_origin *origin, const gs_locked_image *image, const char *tag, gs_descriptor *out,
                 gs_error *err)
{
    image_walk walk = {.state = state, .origin = origin, .image = image, .docker_tag = tag};
    walk.found = gs_arena_array(state->arena, image->platforms.count + 1, sizeof *walk.found);
    if (!walk.found) {
        return gs_fail_nomem(err);
    }
    gs_descriptor wanted = {0}, top;
    int code = gs_digest_parse(image->digest, &wanted.digest, err);
    if (code == 0) {
        code = walk_manifest(&walk, &wanted, 0, &top, err);
    }
    if (code == 0) {
        code = check_platforms(&walk, err);
    }
    if (code == 0) {
        *out = top;
    }
    return code;
}
