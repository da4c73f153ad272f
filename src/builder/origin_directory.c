/* An image in an OCI layout on disk. Names of files come from digests alone. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "origin.h"

typedef struct directory_origin {
    gs_origin base;
    const char *path;
    const char *name; /* in index.json, or NULL */
    int dirfd;
} directory_origin;

static int open_blob(directory_origin *self, const gs_digest *digest, int *fd, uint64_t *size, gs_error *err)
{
    char hex[GS_DIGEST_HEX], name[sizeof "blobs/sha256/" + GS_DIGEST_HEX] = "blobs/sha256/";
    gs_digest_hex(digest, hex);
    memcpy(name + strlen(name), hex, sizeof hex);
    int code = gs_fs_open_read(self->dirfd, name, false, fd, size, err);
    return code < 0 ? gs_error_at(err, "%s", self->path) : 0;
}

static int select_manifest(directory_origin *self, const char *reference, gs_arena *arena, gs_descriptor *out, gs_error *err)
{
    if (reference) {
        *out = (gs_descriptor){0};
        return gs_digest_parse(reference, &out->digest, err);
    }
    GS_AUTO_BUF gs_buf index;
    gs_buf_init(&index, GS_MAX_LAYOUT_INDEX_BYTES);
    int code = gs_fs_read_file(self->dirfd, "index.json", &index, err);
    if (code < 0) {
        return gs_error_at(err, "%s", self->path);
    }
    return gs_layout_select(self->path, index.data, index.len, self->name, arena, out, err);
}

static int manifest(gs_origin *origin, const char *reference, gs_arena *arena, gs_buf *bytes, gs_descriptor *out, gs_error *err)
{
    directory_origin *self = (directory_origin *)origin;
    gs_descriptor chosen;
    GS_AUTO_FD int fd = -1;
    GS_AUTO_BUF gs_buf text;
    uint64_t size = 0;
    gs_buf_init(&text, GS_MAX_MANIFEST_BYTES);
    int code = select_manifest(self, reference, arena, &chosen, err);
    if (code == 0) {
        code = open_blob(self, &chosen.digest, &fd, &size, err);
    }
    if (code < 0) {
        return code;
    }
    void *room = gs_buf_reserve(&text, (size_t)size);
    if (!room) {
        return gs_buf_check(&text, err);
    }
    code = gs_fs_pread(fd, room, (size_t)size, 0, err);
    return code < 0 ? code : gs_origin_check_manifest(room, (size_t)size, &chosen, arena, bytes, out, err);
}

static int each(gs_origin *origin, const gs_descriptor *blob, gs_sink *sink, gs_moved moved, void *state, gs_error *err)
{
    directory_origin *self = (directory_origin *)origin;
    GS_AUTO_FD int fd = -1;
    uint64_t size = 0;
    int code = open_blob(self, &blob->digest, &fd, &size, err);
    if (code < 0) {
        return code;
    }
    GS_AUTO_SOURCE gs_source *source = NULL;
    code = gs_source_segment(fd, 0, size, &source, err);
    if (code == 0) {
        code = gs_stream_copy(source, sink, NULL, err);
    }
    if (code == 0) {
        code = gs_source_close(&source, err);
    }
    if (code == 0 && moved) {
        moved(state, size);
    }
    return code;
}

static int config(gs_origin *origin, const gs_descriptor *config, gs_sink *sink, gs_error *err)
{
    return each(origin, config, sink, NULL, NULL, err);
}

static void free_origin(gs_origin *origin)
{
    directory_origin *self = (directory_origin *)origin;
    gs_fs_close_p(&self->dirfd);
    free(self);
}

static const gs_origin_ops directory_ops = {.manifest = manifest, .config = config, .each = each, .free = free_origin};

int gs_origin_directory(const gs_run *run, const char *path, const char *name, gs_origin **out, gs_error *err)
{
    directory_origin *self = calloc(1, sizeof *self);
    if (!self) {
        return gs_fail_nomem(err);
    }
    *self = (directory_origin){.base = {.ops = &directory_ops, .run = run}, .path = path, .name = name, .dirfd = -1};
    int code = gs_fs_open_dir(AT_FDCWD, path, &self->dirfd, err);
    if (code < 0) {
        free(self);
        return code;
    }
    *out = &self->base;
    return 0;
}
