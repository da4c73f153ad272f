/* An image in a tar: what both kinds of archive share, and the OCI one.
 *
 * A tar is read front to back. The first pass keeps its small files in memory (every JSON is small); the last one, the sweep, hands
 * blobs out as they come. */
#include "origin_archive.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"

#define GS_MAX_IMAGE_ENTRIES 100000u
#define GS_MAX_SMALL_TOTAL   GS_MIB(64)

int gs_archive_each(const gs_archive *archive, gs_tar_visitor visit, void *state, gs_error *err)
{
    static const gs_tar_limits limits = {
        .entries = GS_MAX_IMAGE_ENTRIES, .file_size = UINT64_MAX / 4, .total = UINT64_MAX / 2, .links = true};
    GS_AUTO_FD int fd = -1;
    uint64_t size = 0;
    int code = gs_fs_open_read(AT_FDCWD, archive->path, false, &fd, &size, err);
    if (code == 0) {
        code = gs_tar_read_apart(archive->run, fd, &limits, visit, state, err);
    }
    if (code == GS_EFORMAT) { /* no bundle, but a file that release.yaml names */
        code = gs_error_recode(err, GS_ESPEC);
    }
    return code < 0 ? gs_error_at(err, "%s", archive->path) : 0;
}

static gs_archive_file *add_file(gs_archive *archive, const gs_tar_entry *entry, gs_error *err)
{
    gs_archive_file *files = gs_arena_more(archive->arena, archive->files, archive->count, &archive->room, sizeof *files);
    if (!files) {
        gs_fail_nomem(err);
        return NULL;
    }
    archive->files = files;
    gs_archive_file *file = &archive->files[archive->count];
    *file = (gs_archive_file){.name = gs_arena_text(archive->arena, entry->name)};
    if (!file->name) {
        gs_fail_nomem(err);
        return NULL;
    }
    archive->count++;
    return file;
}

static int keep_small(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    gs_archive *archive = state;
    if (entry->kind == GS_TAR_DIRECTORY) {
        return 0;
    }
    gs_archive_file *file = add_file(archive, entry, err);
    if (!file) {
        return err->code;
    }
    if (entry->kind == GS_TAR_LINK) {
        file->target = gs_arena_text(archive->arena, entry->target);
        return file->target ? 0 : gs_fail_nomem(err);
    }
    if (entry->size > GS_MAX_MANIFEST_BYTES) {
        unsigned char magic[2];
        int code = gs_source_read_all(content, magic, sizeof magic, err);
        file->compressed = code == 0 && magic[0] == 0x1f && magic[1] == 0x8b;
        return code;
    }
    archive->total += entry->size;
    if (archive->total > GS_MAX_SMALL_TOTAL) {
        return gs_fail(err, GS_ELIMIT, "the archive has more small files than an image can need");
    }
    char *data = gs_arena_alloc(archive->arena, (size_t)entry->size + 1);
    if (!data) {
        return gs_fail_nomem(err);
    }
    file->data = data;
    file->len = (size_t)entry->size;
    int code = gs_source_read_all(content, data, file->len, err);
    file->compressed = code == 0 && file->len >= 2 && (unsigned char)data[0] == 0x1f && (unsigned char)data[1] == 0x8b;
    return code;
}

int gs_archive_scan(gs_archive *archive, gs_error *err)
{
    if (archive->scanned) {
        return 0;
    }
    int code = gs_archive_each(archive, keep_small, archive, err);
    archive->scanned = code == 0;
    return code;
}

const gs_archive_file *gs_archive_find(const gs_archive *archive, const char *name)
{
    for (size_t i = 0; i < archive->count; i++) {
        if (strcmp(archive->files[i].name, name) == 0 && archive->files[i].data) {
            return &archive->files[i];
        }
    }
    return NULL;
}

const gs_archive_file *gs_archive_layer(const gs_archive *archive, const char *name)
{
    const gs_archive_file *link = NULL;
    for (int hops = 0; hops < 2; hops++) { /* `docker save` links a repeated layer to its first copy, never further */
        for (size_t i = 0; i < archive->count; i++) {
            if (strcmp(archive->files[i].name, name) != 0) {
                continue;
            }
            if (!archive->files[i].target) {
                return &archive->files[i];
            }
            link = &archive->files[i];
        }
        if (!link) {
            return NULL;
        }
        name = link->target;
    }
    return NULL;
}

/* ---- OCI ---- */

typedef struct oci_origin {
    gs_origin base;
    gs_archive archive;
    const char *name;
} oci_origin;

static int select_manifest(oci_origin *self, const char *reference, gs_arena *arena, gs_descriptor *out, gs_error *err)
{
    if (reference) {
        *out = (gs_descriptor){0};
        return gs_digest_parse(reference, &out->digest, err);
    }
    const gs_archive_file *index = gs_archive_find(&self->archive, "index.json");
    if (!index) {
        gs_fail(err, GS_ESPEC, "the archive has no index.json: it is no OCI archive");
        gs_error_hint(err, "`docker save` and `podman save` write docker-archive: by default");
        return gs_error_at(err, "%s", self->archive.path);
    }
    return gs_layout_select(self->archive.path, index->data, index->len, self->name, arena, out, err);
}

static const gs_archive_file *find_blob(const oci_origin *self, const gs_digest *digest, gs_error *err)
{
    char hex[GS_DIGEST_HEX], name[sizeof "blobs/sha256/" + GS_DIGEST_HEX] = "blobs/sha256/";
    gs_digest_hex(digest, hex);
    memcpy(name + strlen(name), hex, sizeof hex);
    const gs_archive_file *file = gs_archive_find(&self->archive, name);
    if (!file) {
        gs_fail(err, GS_ENOTFOUND, "the archive has no %s", name);
        gs_error_at(err, "%s", self->archive.path);
    }
    return file;
}

static int oci_config(gs_origin *origin, const gs_descriptor *config, gs_sink *sink, gs_error *err)
{
    const gs_archive_file *file = find_blob((oci_origin *)origin, &config->digest, err);
    return file ? gs_sink_write(sink, file->data, file->len, err) : err->code;
}

static int oci_manifest(gs_origin *origin, const char *reference, gs_arena *arena, gs_buf *bytes, gs_descriptor *out, gs_error *err)
{
    oci_origin *self = (oci_origin *)origin;
    gs_descriptor chosen;
    int code = gs_archive_scan(&self->archive, err);
    if (code == 0) {
        code = select_manifest(self, reference, arena, &chosen, err);
    }
    if (code < 0) {
        return code;
    }
    const gs_archive_file *file = find_blob(self, &chosen.digest, err);
    if (!file) {
        return err->code;
    }
    return gs_origin_check_manifest(file->data, file->len, &chosen, arena, bytes, out, err);
}

typedef struct oci_sweep {
    int (*take)(void *state, const gs_digest *digest, gs_sink **sink, gs_error *err);
    void *state;
} oci_sweep;

static int hand_out(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    const oci_sweep *sweep = state;
    gs_digest digest;
    if (entry->kind != GS_TAR_FILE || !gs_text_starts(entry->name, "blobs/sha256/") ||
        !gs_hex_decode(entry->name + strlen("blobs/sha256/"), digest.bytes, sizeof digest.bytes)) {
        return 0;
    }
    GS_AUTO_SINK gs_sink *sink = NULL;
    int code = sweep->take(sweep->state, &digest, &sink, err);
    if (code < 0 || !sink) {
        return code;
    }
    code = gs_stream_copy(content, sink, NULL, err);
    return code < 0 ? code : gs_sink_close(&sink, err);
}

static int oci_sweep_blobs(gs_origin *origin, int (*take)(void *state, const gs_digest *digest, gs_sink **sink, gs_error *err),
                           void *state, gs_error *err)
{
    oci_origin *self = (oci_origin *)origin;
    oci_sweep sweep = {.take = take, .state = state};
    return gs_archive_each(&self->archive, hand_out, &sweep, err);
}

static void oci_free(gs_origin *origin)
{
    gs_arena_free(((oci_origin *)origin)->archive.arena);
    free(origin);
}

static const gs_origin_ops oci_ops = {.manifest = oci_manifest, .config = oci_config, .sweep = oci_sweep_blobs, .free = oci_free};

int gs_origin_oci_archive(const gs_run *run, const char *path, const char *name, gs_origin **out, gs_error *err)
{
    oci_origin *self = calloc(1, sizeof *self);
    gs_arena *arena = gs_arena_new();
    if (!self || !arena) {
        free(self);
        gs_arena_free(arena);
        return gs_fail_nomem(err);
    }
    *self = (oci_origin){
        .base = {.ops = &oci_ops, .run = run}, .archive = {.run = run, .path = path, .arena = arena}, .name = name};
    *out = &self->base;
    return 0;
}
