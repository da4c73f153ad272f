/* The lock and what was gathered -> every blob of the bundle with its digest and size, index.json and manifest.json. Fetches
 * manifests and configs alone; after this stage the length of the file is known to the byte. */
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "layout.h"

static gs_piece *find_piece(const gs_build_layout *layout, const gs_digest *digest)
{
    for (size_t i = 0; i < layout->count; i++) {
        if (gs_digest_equal(&layout->pieces[i].descriptor.digest, digest)) {
            return &layout->pieces[i];
        }
    }
    return NULL;
}

int gs_lay_piece(gs_lay_state *state, const gs_piece *piece, gs_error *err)
{
    gs_build_layout *layout = state->out;
    gs_piece *there = find_piece(layout, &piece->descriptor.digest);
    if (there && there->descriptor.size != piece->descriptor.size) {
        return gs_fail(err, GS_EDIGEST, "two images give one digest different sizes");
    }
    if (there) { /* a manifest may have been a layer of another first: what is known whole is not fetched again */
        if (piece->data && !there->data) {
            *there = *piece;
        }
        return 0;
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

int gs_lay_memory(gs_lay_state *state, const char *media_type, const void *data, size_t len, gs_descriptor *out, gs_error *err)
{
    gs_piece piece = {.descriptor = {.media_type = media_type, .size = len}, .data = gs_arena_copy(state->arena, data, len)};
    if (!piece.data) {
        return gs_fail_nomem(err);
    }
    int code = gs_digest_of(data, len, &piece.descriptor.digest, err);
    if (code == 0) {
        code = gs_lay_piece(state, &piece, err);
    }
    if (code == 0) {
        *out = piece.descriptor;
    }
    return code;
}

static int annotate(gs_lay_state *state, gs_descriptor *descriptor, const char *kind, const char *ref_name, const char *image_name,
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

static int add_image(gs_lay_state *state, gs_origin *origin, const gs_locked_image *image, gs_error *err)
{
    const char *ref_name = gs_arena_printf(state->arena, "%s:%s", image->as, image->tag);
    if (!ref_name) {
        return gs_fail_nomem(err);
    }
    gs_descriptor top;
    int code = gs_lay_image(state, origin, image, ref_name, &top, err);
    if (code < 0) {
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

static int add_artifact(gs_lay_state *state, gs_manifest *manifest, const char *kind, const char *name, gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    gs_descriptor stored;
    int code = gs_manifest_write(manifest, &bytes, err);
    if (code == 0) {
        code = gs_lay_memory(state, GS_MEDIA_MANIFEST, bytes.data, bytes.len, &stored, err);
    }
    stored.artifact_type = manifest->artifact_type;
    return code < 0 ? code : annotate(state, &stored, kind, name, NULL, err);
}

static int add_packed(gs_lay_state *state, const gs_packed *packed, gs_error *err)
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
    int code = gs_lay_memory(state, config_type, config, strlen(config), &manifest.config, err);
    if (code == 0) {
        code = gs_lay_piece(state, &layer, err);
    }
    return code < 0 ? code : add_artifact(state, &manifest, packed->kind, name, err);
}

static int add_release(gs_lay_state *state, gs_error *err)
{
    GS_AUTO_BUF gs_buf release;
    GS_AUTO_BUF gs_buf lock;
    gs_buf_init(&release, GS_MAX_DOC_BYTES);
    gs_buf_init(&lock, GS_MAX_DOC_BYTES);
    gs_descriptor layers[2];
    gs_manifest manifest = {
        .media_type = GS_MEDIA_MANIFEST, .artifact_type = GS_MEDIA_RELEASE_ARTIFACT, .items = layers, .item_count = 2};
    int code = gs_release_write(state->builder->release, &release, err);
    if (code == 0) {
        code = gs_lock_write(state->lock, &lock, err);
    }
    if (code == 0) {
        code = gs_lay_memory(state, GS_MEDIA_EMPTY, "{}", 2, &manifest.config, err);
    }
    if (code == 0) {
        code = gs_lay_memory(state, GS_MEDIA_RELEASE, release.data, release.len, &layers[0], err);
    }
    if (code == 0) {
        code = gs_lay_memory(state, GS_MEDIA_LOCK, lock.data, lock.len, &layers[1], err);
    }
    return code < 0 ? code : add_artifact(state, &manifest, "release", "release", err);
}

/* ---- the documents ---- */

static int write_documents(gs_lay_state *state, gs_error *err)
{
    gs_arena *arena = state->arena;
    gs_node *index = gs_node_new_map(arena);
    if (!gs_node_set_integer(arena, index, "schemaVersion", 2) || !gs_node_set_text(arena, index, "mediaType", GS_MEDIA_INDEX) ||
        !gs_node_set(arena, index, "manifests", state->index_items)) {
        return gs_fail_nomem(err);
    }
    int code = gs_node_write_json(index, GS_JSON_COMPACT, &state->out->index_json, err);
    if (code == 0) {
        code = gs_node_write_json(state->manifest_items, GS_JSON_COMPACT, &state->out->manifest_json, err);
    }
    return code;
}

static int list_blobs(gs_lay_state *state, gs_error *err)
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
    gs_lay_state state = {.builder = builder, .arena = builder->arena, .lock = lock, .out = out};
    *out = (gs_build_layout){0};
    gs_buf_init(&out->index_json, GS_MAX_LAYOUT_INDEX_BYTES);
    gs_buf_init(&out->manifest_json, GS_MAX_LAYOUT_INDEX_BYTES);
    state.index_items = gs_node_new_list(builder->arena);
    state.manifest_items = gs_node_new_list(builder->arena);
    int code = state.index_items && state.manifest_items ? 0 : gs_fail_nomem(err);
    if (code == 0) { /* the release first: a site reads it without seeking through images */
        code = add_release(&state, err);
    }
    for (size_t i = 0; code == 0 && i < gathered->count; i++) {
        code = add_packed(&state, &gathered->items[i], err);
    }
    for (size_t i = 0; code == 0 && i < lock->images.count; i++) {
        code = add_image(&state, builder->origins[i], &lock->images.items[i], err);
    }
    if (code == 0) {
        code = write_documents(&state, err);
    }
    if (code == 0) {
        code = list_blobs(&state, err);
    }
    if (code < 0) {
        gs_build_layout_done(out);
    }
    return code;
}

void gs_build_layout_done(gs_build_layout *layout)
{
    free(layout->pieces);
    gs_buf_done(&layout->index_json);
    gs_buf_done(&layout->manifest_json);
    *layout = (gs_build_layout){0};
}
