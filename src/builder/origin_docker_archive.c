/* An image in a docker archive (`docker save`). It has no manifest and its layers are mostly uncompressed, so there is no digest a
 * registry ever served: gapship makes the manifest, with each layer gzipped once, deterministically, and says so in the lock.
 *
 * Newer archives are OCI layouts too; then index.json decides and this file has nothing to do. */
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "origin_archive.h"

typedef struct docker_layer {
    const char *name; /* in the archive, links resolved */
    gs_digest diff_id;
    bool compressed; /* carried as it is */
    bool known;      /* descriptor is set */
    gs_descriptor descriptor;
} docker_layer;

typedef struct docker_origin {
    gs_origin base;
    gs_archive archive;
    const char *name; /* RepoTags entry, or NULL */
    const gs_archive_file *config;
    docker_layer *layers;
    size_t layer_count;
    gs_buf manifest; /* made once */
} docker_origin;

/* ---- manifest.json and the config ---- */

static bool has_tag(const gs_node *row, const char *name)
{
    const gs_node *tags = gs_node_list(row, "RepoTags");
    gs_reference wanted, offered;
    gs_error ignored = {0};
    if (!tags || gs_reference_parse(name, &wanted, &ignored) < 0) {
        return false;
    }
    for (size_t i = 0; i < tags->count; i++) {
        const char *tag = tags->items[i]->text;
        if (tag && gs_reference_parse(tag, &offered, &ignored) == 0 && strcmp(wanted.host, offered.host) == 0 &&
            strcmp(wanted.path, offered.path) == 0 && strcmp(wanted.tag, offered.tag) == 0) {
            return true;
        }
    }
    return false;
}

static int select_row(const docker_origin *self, const gs_node *rows, const gs_node **out, gs_error *err)
{
    size_t matches = 0;
    for (size_t i = 0; rows->kind == GS_NODE_LIST && i < rows->count; i++) {
        if (!self->name || has_tag(rows->items[i], self->name)) {
            *out = rows->items[i];
            matches++;
        }
    }
    if (matches == 1) {
        return 0;
    }
    if (!self->name) {
        gs_fail(err, GS_ESPEC, "the archive holds %zu images; say which one", matches);
    } else {
        gs_fail(err, GS_ENOTFOUND, "the archive holds no image called %s", self->name);
    }
    return gs_error_hint(err, "docker-archive:FILE:REFERENCE, as `docker load` would name it");
}

static int read_row(docker_origin *self, const gs_node *row, gs_error *err)
{
    const char *config = gs_node_text(row, "Config");
    const gs_node *layers = gs_node_list(row, "Layers");
    self->config = config ? gs_archive_find(&self->archive, config) : NULL;
    if (!self->config || !layers) {
        return gs_fail(err, GS_ESPEC, "manifest.json names a config that is not in the archive, or no layers");
    }
    GS_AUTO_DOC gs_doc *doc = NULL;
    int code = gs_doc_parse(GS_JSON, config, self->config->data, self->config->len, &doc, err);
    const gs_node *diff_ids = code == 0 ? gs_node_at(doc->root, "rootfs/diff_ids") : NULL;
    if (code == 0 && (!diff_ids || diff_ids->kind != GS_NODE_LIST || diff_ids->count != layers->count)) {
        code = gs_fail(err, GS_ESPEC, "the config has another number of layers than manifest.json");
    }
    if (code == 0) {
        self->layers = gs_arena_array(self->archive.arena, layers->count + 1, sizeof *self->layers);
        code = self->layers ? 0 : gs_fail_nomem(err);
    }
    for (size_t i = 0; code == 0 && i < layers->count; i++) {
        const char *name = layers->items[i]->text;
        const char *diff_id = diff_ids->items[i]->text;
        if (!name || !diff_id) {
            return gs_fail(err, GS_ESPEC, "manifest.json or the config lists a layer without a name");
        }
        const gs_archive_file *file = gs_archive_layer(&self->archive, name);
        if (!file) {
            return gs_fail(err, GS_ENOTFOUND, "layer %s is not in the archive", name);
        }
        self->layers[i].name = file->name;
        self->layers[i].compressed = file->compressed;
        code = gs_digest_parse(diff_id, &self->layers[i].diff_id, err);
        code = code == GS_EFORMAT ? gs_error_recode(err, GS_ESPEC) : code; /* no bundle, but a file that release.yaml names */
        self->layer_count = i + 1;
    }
    return code;
}

static int read_archive(docker_origin *self, gs_error *err)
{
    int code = gs_archive_scan(&self->archive, err);
    if (code < 0) {
        return code;
    }
    const gs_archive_file *file = gs_archive_find(&self->archive, "manifest.json");
    if (!file) {
        return gs_fail(err, GS_ESPEC, "the archive has no manifest.json: it is no docker archive");
    }
    GS_AUTO_DOC gs_doc *doc = NULL;
    const gs_node *row = NULL;
    code = gs_doc_parse(GS_JSON, "manifest.json", file->data, file->len, &doc, err);
    if (code == 0) {
        code = select_row(self, doc->root, &row, err);
    }
    return code < 0 ? code : read_row(self, row, err);
}

/* ---- layers ---- */

/* Passes bytes on and hashes them; owns nothing. */
typedef struct hashing {
    gs_source *content;
    gs_hash *hash;
} hashing;

static int hashing_read(void *state, void *out, size_t len, size_t *got, gs_error *err)
{
    hashing *self = state;
    int code = gs_source_read(self->content, out, len, got, err);
    return code < 0 ? code : gs_hash_add(self->hash, out, *got, err);
}

static int hashing_close(void *state, bool cancelled, gs_error *err)
{
    (void)state;
    (void)cancelled;
    (void)err;
    return 0;
}

static const gs_source_ops hashing_ops = {.read = hashing_read, .close = hashing_close};

static int refuse_layer(const docker_layer *layer, gs_error *err)
{
    return gs_fail(err, GS_EDIGEST, "layer %s is not what the image's config says", layer->name);
}

/* Copies a layer into sink as it will be carried, and proves that it is what the config says. crane and others put compressed
 * layers into docker archives: those are carried as they are, and whoever unpacks them checks them. */
static int carry_layer(const docker_layer *layer, gs_source *content, gs_sink *sink, gs_error *err)
{
    if (layer->compressed) {
        return gs_stream_copy(content, sink, NULL, err);
    }
    GS_AUTO_HASH gs_hash *hash = NULL;
    GS_AUTO_SOURCE gs_source *source = NULL;
    gs_digest raw;
    int code = gs_hash_new(&hash, err);
    hashing state = {.content = content, .hash = hash};
    if (code == 0) {
        code = gs_source_new(&hashing_ops, &state, &source, err);
    }
    if (code == 0) {
        code = gs_gzip_write(source, sink, err);
    }
    if (code == 0) {
        code = gs_hash_finish(hash, &raw, err);
    }
    if (code == 0 && !gs_digest_equal(&raw, &layer->diff_id)) {
        code = refuse_layer(layer, err);
    }
    return code;
}

static docker_layer *find_layer(docker_origin *self, const char *name)
{
    for (size_t i = 0; i < self->layer_count; i++) {
        if (strcmp(self->layers[i].name, name) == 0) {
            return &self->layers[i];
        }
    }
    return NULL;
}

static int measure_layer(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    docker_origin *self = state;
    docker_layer *layer = entry->kind == GS_TAR_FILE ? find_layer(self, entry->name) : NULL;
    if (!layer || layer->known) {
        return 0;
    }
    uint64_t size = 0;
    gs_digest digest;
    GS_AUTO_SINK gs_sink *sink = NULL;
    GS_AUTO_SINK gs_sink *hash = NULL;
    int code = gs_sink_hash(NULL, &digest, &hash, err);
    if (code == 0) {
        code = gs_sink_count(GS_STEAL(hash), &size, &sink, err);
    }
    if (code == 0) {
        code = carry_layer(layer, content, sink, err);
    }
    if (code == 0) {
        code = gs_sink_close(&sink, err);
    }
    if (code < 0) {
        return code;
    }
    for (size_t i = 0; i < self->layer_count; i++) { /* one file may be several layers, all of the same content */
        if (strcmp(self->layers[i].name, layer->name) == 0) {
            if (!gs_digest_equal(&self->layers[i].diff_id, &layer->diff_id)) {
                return refuse_layer(layer, err);
            }
            self->layers[i].known = true;
            self->layers[i].descriptor = (gs_descriptor){.media_type = GS_MEDIA_LAYER_GZIP, .digest = digest, .size = size};
        }
    }
    return 0;
}

/* ---- the manifest ---- */

static int make_manifest(docker_origin *self, gs_error *err)
{
    int code = read_archive(self, err);
    if (code == 0) {
        code = gs_archive_each(&self->archive, measure_layer, self, err);
    }
    gs_descriptor *layers = code == 0 ? gs_arena_array(self->archive.arena, self->layer_count + 1, sizeof *layers) : NULL;
    if (code == 0 && !layers) {
        code = gs_fail_nomem(err);
    }
    for (size_t i = 0; code == 0 && i < self->layer_count; i++) {
        layers[i] = self->layers[i].descriptor;
    }
    if (code < 0) {
        return code;
    }
    gs_manifest manifest = {.media_type = GS_MEDIA_MANIFEST, .items = layers, .item_count = self->layer_count};
    manifest.config = (gs_descriptor){.media_type = GS_MEDIA_CONFIG, .size = self->config->len};
    code = gs_digest_of(self->config->data, self->config->len, &manifest.config.digest, err);
    return code < 0 ? code : gs_manifest_write(&manifest, &self->manifest, err);
}

static int docker_manifest(gs_origin *origin, const char *reference, gs_arena *arena, gs_buf *bytes, gs_descriptor *out,
                           gs_error *err)
{
    docker_origin *self = (docker_origin *)origin;
    gs_descriptor chosen = {.media_type = GS_MEDIA_MANIFEST};
    int code = self->manifest.len > 0 ? 0 : make_manifest(self, err);
    if (code < 0) {
        return gs_error_at(err, "%s", self->archive.path);
    }
    code = reference ? gs_digest_parse(reference, &chosen.digest, err)
                     : gs_digest_of(self->manifest.data, self->manifest.len, &chosen.digest, err);
    return code < 0 ? code : gs_origin_check_manifest(self->manifest.data, self->manifest.len, &chosen, arena, bytes, out, err);
}

static int docker_config(gs_origin *origin, const gs_descriptor *config, gs_sink *sink, gs_error *err)
{
    const docker_origin *self = (docker_origin *)origin;
    (void)config; /* there is one */
    return gs_sink_write(sink, self->config->data, self->config->len, err);
}

typedef struct docker_sweep {
    docker_origin *origin;
    int (*take)(void *state, const gs_digest *digest, gs_sink **sink, gs_error *err);
    void *state;
} docker_sweep;

static int hand_out(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    docker_sweep *sweep = state;
    docker_layer *layer = entry->kind == GS_TAR_FILE ? find_layer(sweep->origin, entry->name) : NULL;
    GS_AUTO_SINK gs_sink *sink = NULL;
    if (!layer) {
        return 0;
    }
    int code = sweep->take(sweep->state, &layer->descriptor.digest, &sink, err);
    if (code < 0 || !sink) {
        return code;
    }
    code = carry_layer(layer, content, sink, err);
    return code < 0 ? code : gs_sink_close(&sink, err);
}

static int docker_sweep_blobs(gs_origin *origin, int (*take)(void *state, const gs_digest *digest, gs_sink **sink, gs_error *err),
                              void *state, gs_error *err)
{
    docker_origin *self = (docker_origin *)origin;
    gs_digest config;
    GS_AUTO_SINK gs_sink *sink = NULL;
    int code = gs_digest_of(self->config->data, self->config->len, &config, err);
    if (code == 0) {
        code = take(state, &config, &sink, err);
    }
    if (code == 0 && sink) {
        code = gs_sink_write(sink, self->config->data, self->config->len, err);
        if (code == 0) {
            code = gs_sink_close(&sink, err);
        }
    }
    docker_sweep sweep = {.origin = self, .take = take, .state = state};
    return code < 0 ? code : gs_archive_each(&self->archive, hand_out, &sweep, err);
}

static void docker_free(gs_origin *origin)
{
    docker_origin *self = (docker_origin *)origin;
    gs_buf_done(&self->manifest);
    gs_arena_free(self->archive.arena);
    free(self);
}

static const gs_origin_ops docker_ops = {
    .manifest = docker_manifest, .config = docker_config, .sweep = docker_sweep_blobs, .free = docker_free};

int gs_origin_docker_archive(const gs_run *run, const char *path, const char *name, gs_origin **out, gs_error *err)
{
    docker_origin *self = calloc(1, sizeof *self);
    gs_arena *arena = gs_arena_new();
    if (!self || !arena) {
        free(self);
        gs_arena_free(arena);
        return gs_fail_nomem(err);
    }
    *self = (docker_origin){.base = {.ops = &docker_ops, .run = run, .synthesized = true},
                            .archive = {.run = run, .path = path, .arena = arena},
                            .name = name};
    gs_buf_init(&self->manifest, GS_MAX_MANIFEST_BYTES);
    *out = &self->base;
    return 0;
}
