/* The lock and what was gathered -> every blob of the bundle with its digest and size, index.json and manifest.json. Fetches
 * manifests and configs alone; after this stage the length of the file is known to the byte. */
#include <stdlib.h>
#include <string.h>

#include "gapship/contents.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "origin.h"

typedef struct layout_state {
    gs_builder *builder;
    gs_arena *arena;
    const gs_lock *lock;
    gs_build_layout *out;
    size_t room;
    gs_node *index_items;    /* of index.json */
    gs_node *manifest_items; /* of manifest.json */
} layout_state;

static const gs_piece *find_piece(const gs_build_layout *layout, const gs_digest *digest)
{
    for (size_t i = 0; i < layout->count; i++) {
        if (gs_digest_equal(&layout->pieces[i].descriptor.digest, digest)) {
            return &layout->pieces[i];
        }
    }
    return NULL;
}

static int add_piece(layout_state *state, const gs_piece *piece, gs_error *err)
{
    gs_build_layout *layout = state->out;
    const gs_piece *there = find_piece(layout, &piece->descriptor.digest);
    if (there) {
        if (there->descriptor.size == piece->descriptor.size) {
            return 0;
        }
        return gs_fail(err, GS_EDIGEST, "two images give one digest different sizes");
    }
    if (layout->count == state->room) {
        size_t room = state->room == 0 ? 64 : 2 * state->room;
        gs_piece *larger = realloc(layout->pieces, room * sizeof *larger);
        if (!larger) {
            return gs_fail_nomem(err);
        }
        layout->pieces = larger;
        state->room = room;
    }
    layout->pieces[layout->count++] = *piece;
    return 0;
}

static int add_memory(layout_state *state, const char *media_type, const void *data, size_t len, gs_descriptor *out, gs_error *err)
{
    gs_piece piece = {.descriptor = {.media_type = media_type, .size = len}, .data = gs_arena_copy(state->arena, data, len)};
    if (!piece.data) {
        return gs_fail_nomem(err);
    }
    int rc = gs_digest_of(data, len, &piece.descriptor.digest, err);
    if (rc == 0) {
        rc = add_piece(state, &piece, err);
    }
    if (rc == 0) {
        *out = piece.descriptor;
    }
    return rc;
}

static int annotate(layout_state *state, gs_descriptor *descriptor, const char *kind, const char *ref_name, const char *image_name,
                    gs_error *err)
{
    gs_text_pair *pairs = gs_arena_array(state->arena, 3, sizeof *pairs);
    if (!pairs) {
        return gs_fail_nomem(err);
    }
    size_t count = 0;
    pairs[count++] = (gs_text_pair){GS_KIND_ANNOTATION, kind};
    pairs[count++] = (gs_text_pair){GS_REF_NAME_ANNOTATION, ref_name};
    if (image_name) {
        pairs[count++] = (gs_text_pair){GS_IMAGE_NAME_ANNOTATION, image_name};
    }
    descriptor->annotations = (gs_text_map){.items = pairs, .count = count};
    gs_node *node = gs_descriptor_node(descriptor, state->arena);
    return gs_node_append(state->arena, state->index_items, node) ? 0 : gs_fail_nomem(err);
}

/* ---- images ---- */

/* A row of manifest.json (docker's archive format): one platform of the image, its layers by path. */
static int add_docker_row(layout_state *state, const gs_manifest *manifest, const char *tag, gs_error *err)
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
    layout_state *state;
    gs_origin *origin;
    const gs_locked_image *image;
    const char *docker_tag; /* NULL once a row was made */
    bool *found;            /* one per platform of image */
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
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < index->item_count; i++) {
        const gs_descriptor *child = &index->items[i];
        gs_descriptor found;
        if (child->platform.os && !take_platform(walk, &child->platform)) {
            continue;
        }
        rc = walk_manifest(walk, child, depth + 1, &found, err);
        if (rc == 0 && found.size != child->size) {
            char digest[GS_DIGEST_TEXT];
            gs_digest_text(&child->digest, digest);
            rc = gs_fail(err, GS_EDIGEST, "the index says that %s has %llu bytes; it has %llu", digest,
                         (unsigned long long)child->size, (unsigned long long)found.size);
        }
    }
    return rc;
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
    int rc = gs_sink_buffer(bytes, &sink, err);
    if (rc == 0) {
        rc = walk->origin->ops->config(walk->origin, config, sink, err);
    }
    if (rc == 0) {
        rc = gs_sink_close(&sink, err);
    }
    if (rc == 0) {
        rc = gs_digest_of(bytes->data, bytes->len, &digest, err);
    }
    if (rc == 0 && !gs_digest_equal(&digest, &config->digest)) {
        rc = gs_fail(err, GS_EDIGEST, "the image's config does not have the digest that its manifest says");
    }
    return rc;
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
    int rc = read_config(walk, &manifest->config, &bytes, err);
    if (rc == 0) {
        rc = gs_doc_parse(GS_JSON, "config", bytes.data, bytes.len, &doc, err);
    }
    if (rc < 0) {
        return rc;
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
    int rc = add_piece(walk->state, &piece, err);
    for (size_t i = 0; rc == 0 && i < manifest->item_count; i++) {
        piece.descriptor = manifest->items[i];
        rc = add_piece(walk->state, &piece, err);
    }
    /* docker loads images alone: another config type is an artifact, the platform unknown/unknown an attestation */
    bool is_image = is_image_config(&manifest->config) && !gs_text_equal(platform->os, "unknown");
    if (rc == 0 && is_image && walk->docker_tag) {
        rc = add_docker_row(walk->state, manifest, walk->docker_tag, err);
        walk->docker_tag = NULL;
    }
    return rc;
}

/* wanted: the digest, and for a child of an index the platform that it is for. */
static int walk_manifest(image_walk *walk, const gs_descriptor *wanted, int depth, gs_descriptor *out, gs_error *err)
{
    if (depth > GS_MAX_INDEX_DEPTH) {
        return gs_fail(err, GS_ELIMIT, "indexes are nested deeper than %d", GS_MAX_INDEX_DEPTH);
    }
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    gs_descriptor found, stored;
    gs_manifest manifest;
    char digest[GS_DIGEST_TEXT];
    gs_digest_text(&wanted->digest, digest);
    int rc = walk->origin->ops->manifest(walk->origin, digest, walk->state->arena, &bytes, &found, err);
    if (rc == 0) {
        rc = gs_manifest_parse(bytes.data, bytes.len, found.media_type, walk->state->arena, &manifest, err);
    }
    if (rc == 0) { /* a parent stands before its children in the file */
        rc = add_memory(walk->state, found.media_type, bytes.data, bytes.len, &stored, err);
    }
    if (rc == 0 && !manifest.is_index && !wanted->platform.os) {
        rc = check_own_platform(walk, &manifest, err);
    }
    if (rc == 0) {
        rc = manifest.is_index ? walk_index(walk, &manifest, depth, err) : walk_layers(walk, &manifest, &wanted->platform, err);
    }
    if (rc == 0) {
        *out = found;
    }
    return rc;
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

static int add_image(layout_state *state, gs_origin *origin, const gs_locked_image *image, gs_error *err)
{
    const char *ref_name = gs_arena_printf(state->arena, "%s:%s", image->as, image->tag);
    if (!ref_name) {
        return gs_fail_nomem(err);
    }
    image_walk walk = {.state = state, .origin = origin, .image = image, .docker_tag = ref_name};
    walk.found = gs_arena_array(state->arena, image->platforms.count + 1, sizeof *walk.found);
    if (!walk.found) {
        return gs_fail_nomem(err);
    }
    gs_descriptor top = {0};
    int rc = gs_digest_parse(image->digest, &top.digest, err);
    if (rc == 0) {
        rc = walk_manifest(&walk, &top, 0, &top, err);
    }
    if (rc == 0) {
        rc = check_platforms(&walk, err);
    }
    if (rc < 0) {
        return gs_error_at(err, "image %s", image->as);
    }
    gs_reference reference;
    gs_image_source source;
    gs_error ignored = {0};
    const char *image_name = ref_name;
    char text[GS_REFERENCE_TEXT];
    if (gs_image_source_parse(image->from, state->arena, &source, &ignored) == 0 && source.transport == GS_DOCKER) {
        reference = source.reference;
        gs_reference_text(&reference, text);
        image_name = gs_arena_text(state->arena, text);
    }
    top.media_type = image->media_type;
    return annotate(state, &top, "image", ref_name, image_name, err);
}

/* ---- artifacts: what gapship packed ---- */

static int add_artifact(layout_state *state, gs_manifest *manifest, const char *kind, const char *name, gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    gs_descriptor stored;
    int rc = gs_manifest_write(manifest, &bytes, err);
    if (rc == 0) {
        rc = add_memory(state, GS_MEDIA_MANIFEST, bytes.data, bytes.len, &stored, err);
    }
    stored.artifact_type = manifest->artifact_type;
    return rc < 0 ? rc : annotate(state, &stored, kind, name, NULL, err);
}

static int add_packed(layout_state *state, const gs_packed *packed, gs_error *err)
{
    gs_piece layer = {.descriptor = {.media_type = packed->media_type, .digest = packed->digest, .size = packed->size},
                      .path = packed->path};
    gs_manifest manifest = {
        .media_type = GS_MEDIA_MANIFEST, .artifact_type = packed->artifact_type, .items = &layer.descriptor, .item_count = 1};
    const char *config = packed->config ? packed->config : "{}";
    const char *config_type = packed->config ? GS_MEDIA_HELM_CONFIG : GS_MEDIA_EMPTY;
    const char *name = packed->kind;
    if (packed->version) {
        name = gs_arena_printf(state->arena, "%s/%s:%s", packed->kind, packed->name, packed->version);
    } else if (packed->name[0] != '\0') {
        name = gs_arena_printf(state->arena, "%s/%s", packed->kind, packed->name);
    }
    if (!name) {
        return gs_fail_nomem(err);
    }
    int rc = add_memory(state, config_type, config, strlen(config), &manifest.config, err);
    if (rc == 0) {
        rc = add_piece(state, &layer, err);
    }
    return rc < 0 ? rc : add_artifact(state, &manifest, packed->kind, name, err);
}

static int add_release(layout_state *state, gs_error *err)
{
    GS_AUTO_BUF gs_buf release;
    GS_AUTO_BUF gs_buf lock;
    gs_buf_init(&release, GS_MAX_DOC_BYTES);
    gs_buf_init(&lock, GS_MAX_DOC_BYTES);
    gs_descriptor layers[2];
    gs_manifest manifest = {
        .media_type = GS_MEDIA_MANIFEST, .artifact_type = GS_MEDIA_RELEASE_ARTIFACT, .items = layers, .item_count = 2};
    int rc = gs_release_write(state->builder->release, &release, err);
    if (rc == 0) {
        rc = gs_lock_write(state->lock, &lock, err);
    }
    if (rc == 0) {
        rc = add_memory(state, GS_MEDIA_EMPTY, "{}", 2, &manifest.config, err);
    }
    if (rc == 0) {
        rc = add_memory(state, GS_MEDIA_RELEASE, release.data, release.len, &layers[0], err);
    }
    if (rc == 0) {
        rc = add_memory(state, GS_MEDIA_LOCK, lock.data, lock.len, &layers[1], err);
    }
    return rc < 0 ? rc : add_artifact(state, &manifest, "release", "release", err);
}

/* ---- the documents ---- */

static int write_documents(layout_state *state, gs_error *err)
{
    gs_arena *arena = state->arena;
    gs_node *index = gs_node_new_map(arena);
    if (!gs_node_set_integer(arena, index, "schemaVersion", 2) || !gs_node_set_text(arena, index, "mediaType", GS_MEDIA_INDEX) ||
        !gs_node_set(arena, index, "manifests", state->index_items)) {
        return gs_fail_nomem(err);
    }
    int rc = gs_node_write_json(index, GS_JSON_COMPACT, &state->out->index_json, err);
    if (rc == 0) {
        rc = gs_node_write_json(state->manifest_items, GS_JSON_COMPACT, &state->out->manifest_json, err);
    }
    return rc;
}

static int list_blobs(layout_state *state, gs_error *err)
{
    gs_build_layout *layout = state->out;
    layout->blobs = gs_arena_array(state->arena, layout->count + 1, sizeof *layout->blobs);
    if (!layout->blobs) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < layout->count; i++) {
        layout->blobs[i] = layout->pieces[i].descriptor;
    }
    return 0;
}

int gs_lay_out(gs_builder *builder, const gs_lock *lock, const gs_gathered *gathered, gs_build_layout *out, gs_error *err)
{
    layout_state state = {.builder = builder, .arena = builder->arena, .lock = lock, .out = out};
    *out = (gs_build_layout){0};
    gs_buf_init(&out->index_json, GS_MAX_LAYOUT_INDEX_BYTES);
    gs_buf_init(&out->manifest_json, GS_MAX_LAYOUT_INDEX_BYTES);
    state.index_items = gs_node_new_list(builder->arena);
    state.manifest_items = gs_node_new_list(builder->arena);
    int rc = state.index_items && state.manifest_items ? 0 : gs_fail_nomem(err);
    if (rc == 0) { /* the release first: a site reads it without seeking through images */
        rc = add_release(&state, err);
    }
    for (size_t i = 0; rc == 0 && i < gathered->count; i++) {
        rc = add_packed(&state, &gathered->items[i], err);
    }
    for (size_t i = 0; rc == 0 && i < lock->images.count; i++) {
        rc = add_image(&state, builder->origins[i], &lock->images.items[i], err);
    }
    if (rc == 0) {
        rc = write_documents(&state, err);
    }
    if (rc == 0) {
        rc = list_blobs(&state, err);
    }
    if (rc < 0) {
        gs_build_layout_done(out);
    }
    return rc;
}

void gs_build_layout_done(gs_build_layout *layout)
{
    free(layout->pieces);
    gs_buf_done(&layout->index_json);
    gs_buf_done(&layout->manifest_json);
    *layout = (gs_build_layout){0};
}
