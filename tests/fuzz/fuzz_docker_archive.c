/* A docker archive: a line with the name that is asked for, its manifest.json, and after a line "====" the image's config, beside layers
 * that are there. An image that is accepted is the same every time; each of its layers is the one that the config means, and comes out of
 * the archive with the digest and size that the manifest made for it says. */
#include <string.h>

#include "builder/origin_archive.h"
#include "fuzz.h"
#include "gapship/contents.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "scratch.h"

#define SEPARATOR "\n====\n"

enum { FOLDER, FIRST, LINK, LOOP, SECOND, COMPRESSED, CONFIG, MANIFEST, FILES };

static struct {
    gs_tar_entry entry;
    const void *data;
} files[FILES] = {
    [FOLDER] = {{.name = "a", .kind = GS_TAR_DIRECTORY}, NULL},
    [FIRST] = {{.name = "a/layer.tar", .kind = GS_TAR_FILE, .size = 5}, "first"},
    [LINK] = {{.name = "b/layer.tar", .kind = GS_TAR_LINK, .target = "a/layer.tar"}, NULL},
    [LOOP] = {{.name = "c/layer.tar", .kind = GS_TAR_LINK, .target = "c/layer.tar"}, NULL},
    [SECOND] = {{.name = "second.tar", .kind = GS_TAR_FILE, .size = 6}, "second"},
    [COMPRESSED] = {{.name = "third.tar.gz", .kind = GS_TAR_FILE, .size = 4}, "\x1f\x8b\x08"},
    [CONFIG] = {{.name = "config.json", .kind = GS_TAR_FILE}, NULL},
    [MANIFEST] = {{.name = "manifest.json", .kind = GS_TAR_FILE}, NULL},
};

/* Instead of the process that reads archives: the files above. */
int __wrap_gs_tar_read_apart(const gs_run *run, int fd, const gs_tar_limits *limits, gs_tar_visitor visit, void *state,
                             gs_error *err);

int __wrap_gs_tar_read_apart(const gs_run *run, int fd, const gs_tar_limits *limits, gs_tar_visitor visit, void *state,
                             gs_error *err)
{
    int code = 0;
    (void)run;
    (void)fd;
    (void)limits;
    for (size_t i = 0; code == 0 && i < FILES; i++) {
        gs_source *content = NULL;
        code = gs_source_memory(files[i].data, files[i].entry.size, &content, err);
        code = code == 0 ? visit(state, &files[i].entry, content, err) : code;
        gs_source_cancel(&content);
    }
    return code;
}

/* ---- what a bundle would get ---- */

/* The config and the layers of the manifest, in this order, and the bytes that the archive hands out for each. */
typedef struct handed {
    const gs_descriptor **wanted;
    gs_buf *bytes;
    size_t count;
} handed;

static int take(void *state, const gs_digest *digest, gs_sink **sink, gs_error *err)
{
    handed *h = state;
    for (size_t i = 0; i < h->count; i++) {
        if (gs_digest_equal(&h->wanted[i]->digest, digest) && h->bytes[i].len == 0) {
            return gs_sink_buffer(&h->bytes[i], sink, err);
        }
    }
    return 0;
}

static const gs_buf *bytes_of(const handed *h, const gs_descriptor *descriptor)
{
    for (size_t i = 0; i < h->count; i++) {
        if (h->bytes[i].len > 0 && gs_digest_equal(&h->wanted[i]->digest, &descriptor->digest)) {
            return &h->bytes[i];
        }
    }
    return NULL;
}

static void check_bytes(const gs_descriptor *descriptor, const gs_buf *bytes)
{
    gs_error err = {0};
    gs_digest digest;
    check(bytes && bytes->len == descriptor->size && gs_digest_of(bytes->data, bytes->len, &digest, &err) == 0);
    check(gs_digest_equal(&digest, &descriptor->digest));
}

/* A layer that was compressed is carried as it is; every other one is the content that has this digest. */
static void check_layer(const gs_buf *layer, const gs_node *diff_id)
{
    gs_error err = {0};
    gs_source *inner = NULL;
    gs_digest digest;
    char text[GS_DIGEST_TEXT];
    GS_AUTO_BUF gs_buf raw;
    GS_AUTO_SOURCE gs_source *source = NULL;
    GS_AUTO_SINK gs_sink *sink = NULL;
    gs_buf_init(&raw, GS_KIB(1));
    if (layer->len == files[COMPRESSED].entry.size && memcmp(layer->data, files[COMPRESSED].data, layer->len) == 0) {
        return;
    }
    check(gs_source_memory(layer->data, layer->len, &inner, &err) == 0 && gs_source_decompress(inner, raw.max, &source, &err) == 0);
    check(gs_sink_buffer(&raw, &sink, &err) == 0 && gs_stream_copy(source, sink, NULL, &err) == 0);
    check(gs_digest_of(raw.data, raw.len, &digest, &err) == 0);
    gs_digest_text(&digest, text);
    check(strcmp(diff_id->text, text) == 0);
}

static void check_layers(const handed *h, const gs_manifest *manifest)
{
    gs_error err = {0};
    GS_AUTO_DOC gs_doc *config = NULL;
    const gs_buf *bytes = bytes_of(h, &manifest->config);
    check_bytes(&manifest->config, bytes);
    check(gs_doc_parse(GS_JSON, "config", bytes->data, bytes->len, &config, &err) == 0);
    const gs_node *diff_ids = gs_node_at(config->root, "rootfs/diff_ids");
    check(diff_ids && diff_ids->kind == GS_NODE_LIST && diff_ids->count == manifest->item_count);
    for (size_t i = 0; i < manifest->item_count; i++) {
        check(strcmp(manifest->items[i].media_type, GS_MEDIA_LAYER_GZIP) == 0);
        check_bytes(&manifest->items[i], bytes_of(h, &manifest->items[i]));
        check_layer(bytes_of(h, &manifest->items[i]), diff_ids->items[i]);
    }
}

static void check_handed(gs_origin *origin, const gs_manifest *manifest, gs_arena *arena)
{
    gs_error err = {0};
    handed h = {.count = manifest->item_count + 1};
    h.wanted = gs_arena_array(arena, h.count, sizeof *h.wanted);
    h.bytes = gs_arena_array(arena, h.count, sizeof *h.bytes);
    check(h.wanted && h.bytes);
    for (size_t i = 0; i < h.count; i++) {
        h.wanted[i] = i == 0 ? &manifest->config : &manifest->items[i - 1];
        gs_buf_init(&h.bytes[i], GS_MAX_CONFIG_BYTES);
    }
    check(origin->ops->sweep(origin, take, &h, &err) == 0);
    check_layers(&h, manifest);
    for (size_t i = 0; i < h.count; i++) {
        gs_buf_done(&h.bytes[i]);
    }
}

/* ---- one archive ---- */

static int read_archive(const char *name, const char *digest, gs_arena *arena, gs_buf *bytes, gs_origin **origin, gs_error *err)
{
    static const gs_run run = {0};
    static char path[SCRATCH_PATH];
    gs_descriptor found;
    gs_digest own;
    scratch_write("image.tar", "", 0, path);
    gs_buf_init(bytes, GS_MAX_MANIFEST_BYTES);
    int code = gs_origin_docker_archive(&run, path, name, origin, err);
    code = code == 0 ? (*origin)->ops->manifest(*origin, digest, arena, bytes, &found, err) : code;
    if (code == 0) {
        check((*origin)->synthesized && strcmp(found.media_type, GS_MEDIA_MANIFEST) == 0 && found.size == bytes->len);
        check(gs_digest_of(bytes->data, bytes->len, &own, err) == 0 && gs_digest_equal(&own, &found.digest));
    }
    return code;
}

static void check_image(gs_origin *origin, const char *name, const gs_buf *bytes, gs_arena *arena)
{
    gs_error err = {0};
    gs_manifest manifest;
    gs_digest digest;
    char text[GS_DIGEST_TEXT];
    gs_origin *other = NULL;
    GS_AUTO_BUF gs_buf again;
    check(gs_digest_of(bytes->data, bytes->len, &digest, &err) == 0);
    gs_digest_text(&digest, text);
    check(read_archive(name, text, arena, &again, &other, &err) == 0);
    check(again.len == bytes->len && memcmp(again.data, bytes->data, again.len) == 0);
    gs_origin_free(other);
    check(gs_manifest_parse(bytes->data, bytes->len, GS_MEDIA_MANIFEST, arena, &manifest, &err) == 0);
    check_handed(origin, &manifest, arena);
}

/* The text up to the separator, or all of it; *rest gets what is behind. */
static size_t cut(const uint8_t *data, size_t size, const char *separator, const uint8_t **rest, size_t *rest_size)
{
    const uint8_t *found = memmem(data, size, separator, strlen(separator));
    size_t len = found ? (size_t)(found - data) : size;
    *rest = found ? found + strlen(separator) : data + size;
    *rest_size = found ? size - len - strlen(separator) : 0;
    return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_origin *origin = NULL;
    const uint8_t *manifest;
    const uint8_t *config;
    size_t manifest_size;
    size_t config_size;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf bytes;
    size_t name_size = cut(data, size, "\n", &manifest, &manifest_size);
    const char *name = name_size > 0 && arena ? gs_arena_copy(arena, data, name_size) : NULL;
    files[MANIFEST].entry.size = cut(manifest, manifest_size, SEPARATOR, &config, &config_size);
    files[MANIFEST].data = manifest;
    files[CONFIG].entry.size = config_size;
    files[CONFIG].data = config;
    check(arena);
    if (read_archive(name, NULL, arena, &bytes, &origin, &err) == 0) {
        check_image(origin, name, &bytes, arena);
    } else {
        check(err.code == GS_ESPEC || err.code == GS_ENOTFOUND || err.code == GS_ELIMIT || err.code == GS_EDIGEST);
    }
    gs_origin_free(origin);
    return 0;
}
