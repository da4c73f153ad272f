/* Understands manifests and indexes. Their bytes are never changed here, only read; what a digest promises is checked by others. */
#include <string.h>

#include "gapship/doc.h"
#include "gapship/limits.h"
#include "gapship/oci.h"
#include "gapship/text.h"

#define SCHEMA_1     "application/vnd.docker.distribution.manifest.v1"
#define OCI_ARTIFACT "application/vnd.oci.artifact.manifest.v1+json"

static int read_text(const gs_node *map, const char *key, gs_arena *arena, const char **out, gs_error *err)
{
    const gs_node *node = gs_node_get(map, key);
    if (!node || node->kind == GS_NODE_NULL) {
        *out = NULL;
        return 0;
    }
    if (node->kind != GS_NODE_TEXT) {
        return gs_fail(err, GS_EFORMAT, "\"%s\" is not a string", key);
    }
    *out = gs_arena_text(arena, node->text);
    return *out ? 0 : gs_fail_nomem(err);
}

static int read_annotations(const gs_node *map, gs_arena *arena, gs_text_map *out, gs_error *err)
{
    const gs_node *node = gs_node_get(map, "annotations");
    *out = (gs_text_map){0};
    if (!node || node->kind == GS_NODE_NULL) {
        return 0;
    }
    if (node->kind != GS_NODE_MAP) {
        return gs_fail(err, GS_EFORMAT, "\"annotations\" is not an object");
    }
    out->items = gs_arena_array(arena, node->count, sizeof *out->items);
    if (!out->items) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < node->count; i++) {
        const gs_pair *pair = &node->pairs[i];
        if (pair->value->kind != GS_NODE_TEXT) {
            return gs_fail(err, GS_EFORMAT, "the annotation \"%s\" is not a string", pair->key);
        }
        out->items[i] = (gs_text_pair){gs_arena_text(arena, pair->key), gs_arena_text(arena, pair->value->text)};
        if (!out->items[i].key || !out->items[i].value) {
            return gs_fail_nomem(err);
        }
    }
    out->count = node->count;
    return 0;
}

static int read_digest(const gs_node *map, gs_digest *out, gs_error *err)
{
    const gs_node *node = gs_node_get(map, "digest");
    if (!node || node->kind != GS_NODE_TEXT) {
        return gs_fail(err, GS_EFORMAT, "\"digest\" is missing");
    }
    if (gs_text_starts(node->text, "sha512:")) {
        return gs_fail(err, GS_EFORMAT, "content named by a sha512 digest is not supported");
    }
    return gs_digest_parse(node->text, out, err);
}

static int read_platform(const gs_node *map, gs_arena *arena, gs_platform *out, gs_error *err)
{
    const gs_node *node = gs_node_get(map, "platform");
    *out = (gs_platform){0};
    if (!node || node->kind == GS_NODE_NULL) {
        return 0;
    }
    if (node->kind != GS_NODE_MAP) {
        return gs_fail(err, GS_EFORMAT, "\"platform\" is not an object");
    }
    int code = read_text(node, "os", arena, &out->os, err);
    code = code ? code : read_text(node, "architecture", arena, &out->architecture, err);
    code = code ? code : read_text(node, "variant", arena, &out->variant, err);
    if (code == 0 && (!out->os || !out->architecture)) {
        return gs_fail(err, GS_EFORMAT, "\"platform\" has no os or no architecture");
    }
    out->variant = out->variant ? out->variant : "";
    return code;
}

/* Content that is carried inside the descriptor must be what the descriptor promises. */
static int check_data(const gs_node *map, const gs_descriptor *descriptor, gs_error *err)
{
    const char *text = gs_node_text(map, "data");
    if (!text) {
        return 0;
    }
    GS_AUTO_BUF gs_buf data;
    gs_buf_init(&data, GS_MAX_MANIFEST_BYTES);
    gs_digest digest;
    int code = gs_base64_decode(text, &data, err);
    code = code ? code : gs_digest_of(data.data, data.len, &digest, err);
    if (code == GS_ENOMEM) {
        return code;
    }
    if (code || data.len != descriptor->size || !gs_digest_equal(&digest, &descriptor->digest)) {
        return gs_fail(err, GS_EFORMAT, "the embedded \"data\" is not the content that size and digest promise");
    }
    return 0;
}

static int read_descriptor(const gs_node *node, gs_arena *arena, gs_descriptor *out, gs_error *err)
{
    if (!node || node->kind != GS_NODE_MAP) {
        return gs_fail(err, GS_EFORMAT, "not an object");
    }
    *out = (gs_descriptor){0};
    int code = read_text(node, "mediaType", arena, &out->media_type, err);
    code = code ? code : read_digest(node, &out->digest, err);
    if (code) {
        return code;
    }
    if (!out->media_type || out->media_type[0] == '\0') {
        return gs_fail(err, GS_EFORMAT, "\"mediaType\" is missing");
    }
    const gs_node *size = gs_node_get(node, "size");
    if (!size || size->kind != GS_NODE_INT || size->integer < 0) {
        return gs_fail(err, GS_EFORMAT, "\"size\" is not a number of bytes");
    }
    out->size = (uint64_t)size->integer;
    code = read_text(node, "artifactType", arena, &out->artifact_type, err);
    code = code ? code : read_platform(node, arena, &out->platform, err);
    code = code ? code : read_annotations(node, arena, &out->annotations, err);
    return code ? code : check_data(node, out, err);
}

static int read_items(const gs_node *root, const char *key, gs_arena *arena, gs_manifest *out, gs_error *err)
{
    const gs_node *list = gs_node_get(root, key);
    if (!list || list->kind == GS_NODE_NULL) {
        return 0;
    }
    if (list->kind != GS_NODE_LIST) {
        return gs_fail(err, GS_EFORMAT, "\"%s\" is not a list", key);
    }
    if (list->count > GS_MAX_DESCRIPTORS) {
        return gs_fail(err, GS_EFORMAT, "\"%s\" has %zu entries, more than the %u that are accepted", key, list->count,
                       GS_MAX_DESCRIPTORS);
    }
    out->items = gs_arena_array(arena, list->count, sizeof *out->items);
    if (!out->items) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < list->count; i++) {
        int code = read_descriptor(list->items[i], arena, &out->items[i], err);
        if (code) {
            gs_error_context(err, "%s[%zu]", key, i);
            return code;
        }
    }
    out->item_count = list->count;
    return 0;
}

static bool is_index_type(const char *type)
{
    return strcmp(type, GS_MEDIA_INDEX) == 0 || strcmp(type, GS_MEDIA_DOCKER_LIST) == 0;
}

static bool is_manifest_type(const char *type)
{
    return strcmp(type, GS_MEDIA_MANIFEST) == 0 || strcmp(type, GS_MEDIA_DOCKER_MANIFEST) == 0;
}

static int refuse_schema1(gs_error *err)
{
    gs_fail(err, GS_EFORMAT, "this is a Docker schema 1 manifest, a format that was given up in 2017");
    return gs_error_hint(err, "push the image again with a current tool");
}

static int decide_type(const gs_node *root, const char *content_type, gs_arena *arena, gs_manifest *out, gs_error *err)
{
    const char *own = NULL;
    int code = read_text(root, "mediaType", arena, &own, err);
    if (code) {
        return code;
    }
    if (own && content_type && strcmp(own, content_type) != 0) {
        return gs_fail(err, GS_EFORMAT, "it was served as %s but calls itself %s", content_type, own);
    }
    bool lists = gs_node_get(root, "manifests") != NULL;
    bool layers = gs_node_get(root, "layers") != NULL || gs_node_get(root, "config") != NULL;
    if (lists && layers) {
        return gs_fail(err, GS_EFORMAT, "it has both \"manifests\" and \"layers\" or \"config\": neither an index nor a manifest");
    }
    const char *type = own ? own : content_type ? content_type : lists ? GS_MEDIA_INDEX : GS_MEDIA_MANIFEST;
    if (gs_text_starts(type, SCHEMA_1) || gs_node_integer(root, "schemaVersion", 2) == 1) {
        return refuse_schema1(err);
    }
    if (strcmp(type, OCI_ARTIFACT) == 0) {
        return gs_fail(err, GS_EFORMAT, "this is an OCI artifact manifest, a type that was withdrawn before OCI 1.1");
    }
    if (!is_index_type(type) && !is_manifest_type(type)) {
        return gs_fail(err, GS_EFORMAT, "%s is not the type of a manifest or an index", type);
    }
    if (is_index_type(type) ? layers : lists) {
        return gs_fail(err, GS_EFORMAT, "it calls itself %s but is not built so", type);
    }
    out->is_index = is_index_type(type);
    out->media_type = gs_arena_text(arena, type);
    return out->media_type ? 0 : gs_fail_nomem(err);
}

static int read_config(const gs_node *root, gs_arena *arena, gs_manifest *out, gs_error *err)
{
    int code = read_descriptor(gs_node_get(root, "config"), arena, &out->config, err);
    if (code) {
        gs_error_context(err, "config");
    }
    return code;
}

static int read_subject(const gs_node *root, gs_arena *arena, gs_manifest *out, gs_error *err)
{
    const gs_node *node = gs_node_get(root, "subject");
    if (!node || node->kind == GS_NODE_NULL) {
        return 0;
    }
    out->subject = gs_arena_alloc(arena, sizeof *out->subject);
    if (!out->subject) {
        return gs_fail_nomem(err);
    }
    int code = read_descriptor(node, arena, out->subject, err);
    if (code) {
        gs_error_context(err, "subject");
    }
    return code;
}

static int read_manifest(const gs_node *root, const char *content_type, gs_arena *arena, gs_manifest *out, gs_error *err)
{
    if (root->kind != GS_NODE_MAP) {
        return gs_fail(err, GS_EFORMAT, "not a JSON object");
    }
    int code = decide_type(root, content_type, arena, out, err);
    if (code) {
        return code;
    }
    if (gs_node_integer(root, "schemaVersion", 0) != 2) {
        return gs_fail(err, GS_EFORMAT, "\"schemaVersion\" is not 2");
    }
    code = read_text(root, "artifactType", arena, &out->artifact_type, err);
    code = code ? code : read_annotations(root, arena, &out->annotations, err);
    code = code ? code : read_subject(root, arena, out, err);
    if (code == 0 && !out->is_index) {
        code = read_config(root, arena, out, err);
    }
    return code ? code : read_items(root, out->is_index ? "manifests" : "layers", arena, out, err);
}

int gs_manifest_parse(const void *data, size_t len, const char *content_type, gs_arena *arena, gs_manifest *out, gs_error *err)
{
    if (len > GS_MAX_MANIFEST_BYTES) {
        return gs_fail(err, GS_EFORMAT, "the manifest has %zu bytes, more than the %zu that are accepted", len,
                       GS_MAX_MANIFEST_BYTES);
    }
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_manifest manifest = {0};
    int code = gs_doc_parse(GS_JSON, "manifest", data, len, &doc, err);
    if (code) {
        return code == GS_ENOMEM ? code : gs_error_recode(err, GS_EFORMAT);
    }
    code = read_manifest(doc->root, content_type, arena, &manifest, err);
    if (code) {
        gs_error_context(err, "the manifest is refused");
        return code;
    }
    *out = manifest;
    return 0;
}

int gs_walked_add(gs_walked *walked, int depth, uint64_t bytes, gs_error *err)
{
    if (depth > GS_MAX_INDEX_DEPTH) {
        return gs_fail(err, GS_ELIMIT, "indexes are nested deeper than %d", GS_MAX_INDEX_DEPTH);
    }
    if (walked->manifests == GS_MAX_IMAGE_MANIFESTS) {
        return gs_fail(err, GS_ELIMIT, "indexes name more than %u manifests", GS_MAX_IMAGE_MANIFESTS);
    }
    if (bytes > GS_MAX_IMAGE_MANIFEST_BYTES - walked->bytes) {
        return gs_fail(err, GS_ELIMIT, "the manifests of one image have more than %zu bytes", GS_MAX_IMAGE_MANIFEST_BYTES);
    }
    walked->manifests++;
    walked->bytes += bytes;
    return 0;
}

const char *gs_annotation(const gs_text_map *annotations, const char *key)
{
    for (size_t i = 0; i < annotations->count; i++) {
        if (strcmp(annotations->items[i].key, key) == 0) {
            return annotations->items[i].value;
        }
    }
    return NULL;
}
