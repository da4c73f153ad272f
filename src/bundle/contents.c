/* The things a bundle carries, by name: reads index.json, the release and the lock of a verified bundle, walks images for a load,
 * and lays out what rendering needs. Every byte comes through the verified bundle's readers. */
#include "gapship/contents.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/archive.h"
#include "gapship/codec.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"

static const gs_member *member_of_kind(const gs_verified *verified, gs_member_kind kind)
{
    size_t count = 0;
    const gs_member *members = gs_verified_members(verified, &count);
    for (size_t i = 0; i < count; i++) {
        if (members[i].kind == kind) {
            return &members[i];
        }
    }
    return NULL;
}

/* A small blob by its descriptor, checked. */
static int read_blob(const gs_verified *verified, const gs_descriptor *descriptor, size_t max, gs_buf *out, gs_error *err)
{
    const gs_member *member = gs_verified_blob(verified, &descriptor->digest);
    char digest[GS_DIGEST_TEXT];
    gs_digest_text(&descriptor->digest, digest);
    if (!member) {
        return gs_fail(err, GS_EFORMAT, "the bundle does not carry %s, which it names", digest);
    }
    if (member->size != descriptor->size) {
        return gs_fail(err, GS_EFORMAT, "%s has another size than the bundle says", digest);
    }
    return gs_verified_read(verified, member, max, out, err);
}

static int read_manifest(const gs_verified *verified, const gs_descriptor *descriptor, gs_arena *arena, gs_manifest *out,
                         gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    int code = read_blob(verified, descriptor, GS_MAX_MANIFEST_BYTES, &bytes, err);
    return code < 0 ? code : gs_manifest_parse(bytes.data, bytes.len, descriptor->media_type, arena, out, err);
}

/* ---- the release and the lock ---- */

static int read_index(const gs_verified *verified, gs_contents *contents, gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    gs_manifest index;
    gs_buf_init(&bytes, GS_MAX_LAYOUT_INDEX_BYTES);
    const gs_member *member = member_of_kind(verified, GS_MEMBER_INDEX_JSON);
    if (!member) {
        return gs_fail(err, GS_EFORMAT, "the bundle has no index.json");
    }
    int code = gs_verified_read(verified, member, GS_MAX_LAYOUT_INDEX_BYTES, &bytes, err);
    if (code == 0) {
        code = gs_manifest_parse(bytes.data, bytes.len, GS_MEDIA_INDEX, contents->arena, &index, err);
    }
    if (code < 0) {
        return gs_error_at(err, "index.json");
    }
    contents->items = gs_arena_array(contents->arena, index.item_count + 1, sizeof *contents->items);
    if (!contents->items) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < index.item_count; i++) {
        gs_content *content = &contents->items[i];
        *content = (gs_content){.descriptor = index.items[i]};
        content->kind = gs_annotation(&content->descriptor.annotations, GS_KIND_ANNOTATION);
        content->name = gs_annotation(&content->descriptor.annotations, GS_REF_NAME_ANNOTATION);
        if (!content->kind || !content->name) {
            return gs_fail(err, GS_EFORMAT, "entry %zu of index.json has no kind or no name", i);
        }
    }
    contents->count = index.item_count;
    return 0;
}

static const gs_descriptor *layer_of_type(const gs_manifest *manifest, const char *media_type)
{
    for (size_t i = 0; i < manifest->item_count; i++) {
        if (gs_text_equal(manifest->items[i].media_type, media_type)) {
            return &manifest->items[i];
        }
    }
    return NULL;
}

static int read_release(const gs_verified *verified, gs_contents *contents, gs_error *err)
{
    const gs_content *content = gs_contents_find(contents, "release", "release");
    gs_manifest manifest;
    if (!content) {
        return gs_fail(err, GS_EFORMAT, "the bundle carries no release");
    }
    int code = read_manifest(verified, &content->descriptor, contents->arena, &manifest, err);
    if (code < 0) {
        return code;
    }
    const gs_descriptor *release = layer_of_type(&manifest, GS_MEDIA_RELEASE);
    const gs_descriptor *lock = layer_of_type(&manifest, GS_MEDIA_LOCK);
    if (!release || !lock) {
        return gs_fail(err, GS_EFORMAT, "the bundle's release has no %s", release ? "lock" : "description");
    }
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_DOC_BYTES);
    code = read_blob(verified, release, GS_MAX_DOC_BYTES, &text, err);
    if (code == 0) {
        code = gs_release_parse("release", text.data, text.len, &contents->release, err);
    }
    gs_buf_clear(&text);
    if (code == 0) {
        code = read_blob(verified, lock, GS_MAX_DOC_BYTES, &text, err);
    }
    if (code == 0) {
        code = gs_lock_parse("lock", text.data, text.len, &contents->lock, err);
    }
    return code;
}

/* The signed statement and the release inside say the same, or the bundle was put together wrongly. */
static int check_statement(const gs_verified *verified, const gs_contents *contents, gs_error *err)
{
    const gs_statement *statement = gs_verified_statement(verified);
    const gs_release *release = contents->release;
    if (gs_text_equal(statement->product, release->name) && gs_text_equal(statement->version, release->version) &&
        statement->sequence == (uint64_t)release->sequence && statement->epoch == (uint64_t)release->epoch) {
        return 0;
    }
    return gs_fail(err, GS_EFORMAT,
                   "the statement is about %s %s (epoch %" PRIu64 ", sequence %" PRIu64
                   "), the release inside is %s %s (epoch %" PRId64 ", sequence %" PRId64 ")",
                   statement->product, statement->version, statement->epoch, statement->sequence, release->name, release->version,
                   release->epoch, release->sequence);
}

int gs_contents_load(const gs_verified *verified, gs_contents **out, gs_error *err)
{
    GS_AUTO_CONTENTS gs_contents *contents = calloc(1, sizeof *contents);
    if (!contents || !(contents->arena = gs_arena_new())) {
        return gs_fail_nomem(err);
    }
    int code = read_index(verified, contents, err);
    if (code == 0) {
        code = read_release(verified, contents, err);
    }
    if (code == 0) {
        code = check_statement(verified, contents, err);
    }
    if (code < 0) {
        return code == GS_ESPEC ? gs_error_recode(err, GS_EFORMAT) : code;
    }
    *out = GS_STEAL(contents);
    return 0;
}

void gs_contents_free(gs_contents *contents)
{
    if (!contents) {
        return;
    }
    gs_release_free(contents->release);
    gs_lock_free(contents->lock);
    gs_arena_free(contents->arena);
    free(contents);
}

void gs_contents_free_p(gs_contents **contents)
{
    gs_contents_free(*contents);
}

const gs_content *gs_contents_find(const gs_contents *contents, const char *kind, const char *name)
{
    for (size_t i = 0; i < contents->count; i++) {
        if (strcmp(contents->items[i].kind, kind) == 0 && strcmp(contents->items[i].name, name) == 0) {
            return &contents->items[i];
        }
    }
    return NULL;
}

/* ---- what a load pushes ---- */

typedef struct needed_list {
    const gs_verified *verified;
    gs_arena *arena;
    gs_needed *items;
    size_t count, room;
    gs_walked walked;
} needed_list;

static int add_needed(needed_list *list, const gs_descriptor *descriptor, bool manifest, gs_error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        if (gs_digest_equal(&list->items[i].descriptor.digest, &descriptor->digest)) {
            return 0;
        }
    }
    gs_needed *items = gs_arena_more(list->arena, list->items, list->count, &list->room, sizeof *items);
    if (!items) {
        return gs_fail_nomem(err);
    }
    list->items = items;
    list->items[list->count++] = (gs_needed){.descriptor = *descriptor, .manifest = manifest};
    return 0;
}

static int walk_needed(needed_list *list, const gs_descriptor *descriptor, int depth, gs_error *err)
{
    gs_manifest manifest;
    if (gs_walked_add(&list->walked, depth, descriptor->size, err) != 0) {
        return gs_error_recode(err, GS_EFORMAT);
    }
    int code = read_manifest(list->verified, descriptor, list->arena, &manifest, err);
    if (code == 0 && !manifest.is_index) {
        code = add_needed(list, &manifest.config, false, err);
    }
    for (size_t i = 0; code == 0 && i < manifest.item_count; i++) {
        const gs_descriptor *item = &manifest.items[i];
        if (!manifest.is_index) {
            code = add_needed(list, item, false, err);
        } else if (gs_verified_blob(list->verified, &item->digest)) { /* else the build left this platform out */
            code = walk_needed(list, item, depth + 1, err);
        }
    }
    if (code < 0) {
        return code;
    }
    gs_descriptor typed = *descriptor;
    typed.media_type = manifest.media_type;
    return add_needed(list, &typed, true, err);
}

int gs_contents_needed(const gs_verified *verified, const gs_content *content, gs_arena *arena, gs_needed **out, size_t *count,
                       gs_error *err)
{
    needed_list list = {.verified = verified, .arena = arena};
    int code = walk_needed(&list, &content->descriptor, 0, err);
    if (code < 0) {
        return gs_error_at(err, "%s %s", content->kind, content->name);
    }
    *out = list.items;
    *count = list.count;
    return 0;
}

/* ---- what rendering needs ---- */

/* The name behind "chart/", without its ":VERSION": names have passed gs_name_valid before they become files. */
static int file_name(const gs_content *content, char *out, size_t size, gs_error *err)
{
    const char *slash = strchr(content->name, '/');
    const char *name = slash ? slash + 1 : content->name;
    size_t len = strcspn(name, ":");
    if (len >= size) {
        return gs_fail(err, GS_EFORMAT, "\"%s\" is too long for a name", content->name);
    }
    memcpy(out, name, len);
    out[len] = '\0';
    return gs_name_valid(out) ? 0 : gs_fail(err, GS_EFORMAT, "\"%s\" is no valid name", content->name);
}

static int only_layer(const gs_verified *verified, const gs_content *content, gs_arena *arena, gs_descriptor *out, gs_error *err)
{
    gs_manifest manifest;
    int code = read_manifest(verified, &content->descriptor, arena, &manifest, err);
    if (code == 0 && (manifest.is_index || manifest.item_count != 1)) {
        code = gs_fail(err, GS_EFORMAT, "%s does not have exactly one layer", content->name);
    }
    if (code == 0) {
        *out = manifest.items[0];
    }
    return code;
}

static int extract_tree(const gs_verified *verified, const gs_descriptor *layer, int dirfd, const char *path, gs_error *err)
{
    GS_AUTO_FD int into = -1;
    gs_source *source = NULL;
    const gs_member *member = gs_verified_blob(verified, &layer->digest);
    if (!member) {
        return gs_fail(err, GS_EFORMAT, "the bundle does not carry a layer that it names");
    }
    int code = gs_fs_make_dirs(dirfd, path, 0700, err);
    if (code == 0) {
        code = gs_fs_open_dir(dirfd, path, &into, err);
    }
    if (code == 0) {
        code = gs_verified_source(verified, member, &source, err);
    }
    return code < 0 ? code : gs_tar_extract(source, &(gs_tar_limits){0}, into, err);
}

static int extract_bytes(const gs_verified *verified, const gs_descriptor *layer, int dirfd, const char *path, bool zstd,
                         gs_error *err)
{
    GS_AUTO_BUF gs_buf stored;
    GS_AUTO_BUF gs_buf raw;
    gs_buf_init(&stored, 2 * GS_MAX_ARCHIVE_BYTES);
    gs_buf_init(&raw, GS_MAX_ARCHIVE_BYTES);
    int code = read_blob(verified, layer, 2 * GS_MAX_ARCHIVE_BYTES, &stored, err);
    if (code == 0 && zstd) {
        GS_AUTO_SOURCE gs_source *source = NULL;
        GS_AUTO_SINK gs_sink *sink = NULL;
        gs_source *inner = NULL;
        code = gs_source_memory(stored.data, stored.len, &inner, err);
        if (code == 0) {
            code = gs_source_decompress(inner, GS_MAX_ARCHIVE_BYTES, &source, err);
        }
        if (code == 0) {
            code = gs_sink_buffer(&raw, &sink, err);
        }
        if (code == 0) {
            code = gs_stream_copy(source, sink, NULL, err);
        }
    }
    const gs_buf *bytes = zstd ? &raw : &stored;
    return code < 0 ? code : gs_fs_write_file(dirfd, path, bytes->data, bytes->len, 0600, err);
}

static int extract_content(const gs_verified *verified, const gs_content *content, gs_arena *arena, int dirfd, gs_error *err)
{
    char name[128];
    gs_descriptor layer;
    int code = file_name(content, name, sizeof name, err);
    if (code == 0) {
        code = only_layer(verified, content, arena, &layer, err);
    }
    if (code < 0) {
        return code;
    }
    bool chart = strcmp(content->kind, "chart") == 0;
    bool file = strcmp(content->kind, "file") == 0;
    bool overlay = strcmp(content->kind, "overlay") == 0;
    const char *path = chart     ? gs_arena_printf(arena, "charts/%s.tgz", name)
                       : file    ? gs_arena_printf(arena, "files/%s", name)
                       : overlay ? gs_arena_printf(arena, "overlays/%s", name)
                                 : "sources";
    if (!path) {
        return gs_fail_nomem(err);
    }
    return chart || file ? extract_bytes(verified, &layer, dirfd, path, file, err)
                         : extract_tree(verified, &layer, dirfd, path, err);
}

int gs_contents_extract(const gs_verified *verified, const gs_contents *contents, int dirfd, gs_error *err)
{
    static const char *const kinds[] = {"chart", "overlay", "sources", "file"};
    static const char *const directories[] = {"charts", "overlays", "files"};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    int code = arena ? 0 : gs_fail_nomem(err);
    for (size_t i = 0; code == 0 && i < sizeof directories / sizeof directories[0]; i++) {
        code = gs_fs_make_dirs(dirfd, directories[i], 0700, err);
    }
    for (size_t i = 0; code == 0 && i < contents->count; i++) {
        const gs_content *content = &contents->items[i];
        bool wanted = false;
        for (size_t k = 0; !wanted && k < sizeof kinds / sizeof kinds[0]; k++) {
            wanted = strcmp(content->kind, kinds[k]) == 0;
        }
        if (wanted) {
            code = extract_content(verified, content, arena, dirfd, err);
        }
        if (code < 0) {
            gs_error_at(err, "%s", content->name);
        }
    }
    return code;
}
