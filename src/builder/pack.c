/* Packs trees and files into work/, reproducibly, and names them by their digest. Knows nothing of the release. */
#include "pack.h"

#include <fcntl.h>

#include "gapship/codec.h"
#include "gapship/limits.h"

#define GS_FILE_ZSTD_LEVEL 9

int gs_tree_add(gs_tree *tree, gs_arena *arena, const char *name, const gs_tar_input *content, gs_error *err)
{
    gs_tar_input *items = gs_arena_more(arena, tree->items, tree->count, &tree->room, sizeof *items);
    if (!items) {
        return gs_fail_nomem(err);
    }
    tree->items = items;
    tree->total += content->len;
    if (tree->count >= GS_MAX_ARCHIVE_ENTRIES || tree->total > GS_MAX_ARCHIVE_BYTES) {
        gs_fail(err, GS_ELIMIT, "more than %u files or %zu MiB", GS_MAX_ARCHIVE_ENTRIES, GS_MAX_ARCHIVE_BYTES >> 20);
        return gs_error_hint(err, "charts, overlays and values are small; put large files under `files:`");
    }
    tree->items[tree->count] = *content;
    tree->items[tree->count].name = name;
    tree->count++;
    return 0;
}

int gs_tree_add_file(gs_tree *tree, gs_arena *arena, int dirfd, const char *path, const char *name, bool executable, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_ARCHIVE_FILE_BYTES);
    int code = gs_fs_read_file(dirfd, path, &text, err);
    if (code < 0) {
        return code;
    }
    gs_tar_input input = {.executable = executable, .len = text.len, .fd = -1};
    input.data = gs_arena_copy(arena, text.data, text.len);
    if (!input.data) {
        return gs_fail_nomem(err);
    }
    return gs_tree_add(tree, arena, name, &input, err);
}

int gs_tree_add_directory(gs_tree *tree, gs_arena *arena, const char *directory, const char *prefix, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    gs_fs_entry *entries = NULL;
    size_t count = 0;
    int code = gs_fs_open_dir(AT_FDCWD, directory, &fd, err);
    if (code == 0) {
        code = gs_fs_walk(fd, GS_MAX_ARCHIVE_ENTRIES, arena, &entries, &count, err);
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        const char *name = prefix[0] == '\0' ? entries[i].path : gs_arena_printf(arena, "%s/%s", prefix, entries[i].path);
        code = name ? gs_tree_add_file(tree, arena, fd, entries[i].path, name, entries[i].executable, err) : gs_fail_nomem(err);
    }
    return code < 0 ? gs_error_at(err, "%s", directory) : 0;
}

int gs_pack_measure(const char *path, gs_digest *digest, uint64_t *size, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    uint64_t length = 0;
    int code = gs_fs_open_read(AT_FDCWD, path, false, &fd, &length, err);
    if (code == 0) {
        code = gs_digest_of_file(fd, 0, length, digest, err);
    }
    if (code == 0) {
        *size = length;
    }
    return code;
}

/* Everything packed is small (GS_MAX_ARCHIVE_BYTES), so it passes through memory on its way to one durable write. */
int gs_pack_tree(const gs_tree *tree, const char *path, gs_error *err)
{
    GS_AUTO_BUF gs_buf packed;
    gs_buf_init(&packed, 2 * GS_MAX_ARCHIVE_BYTES);
    GS_AUTO_SINK gs_sink *sink = NULL;
    int code = gs_sink_buffer(&packed, &sink, err);
    if (code == 0) {
        code = gs_tar_gzip_write(tree->items, tree->count, sink, err);
    }
    if (code == 0) {
        code = gs_sink_close(&sink, err);
    }
    if (code == 0) {
        code = gs_fs_write_file(AT_FDCWD, path, packed.data, packed.len, 0644, err);
    }
    return code;
}

int gs_pack_file(const char *from, const char *path, gs_error *err)
{
    GS_AUTO_BUF gs_buf raw;
    GS_AUTO_BUF gs_buf packed;
    gs_buf_init(&raw, GS_MAX_ARCHIVE_BYTES);
    gs_buf_init(&packed, 2 * GS_MAX_ARCHIVE_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, from, &raw, err);
    if (code == 0) {
        code = gs_zstd_compress(raw.data, raw.len, GS_FILE_ZSTD_LEVEL, &packed, err);
    }
    if (code == 0) {
        code = gs_fs_write_file(AT_FDCWD, path, packed.data, packed.len, 0644, err);
    }
    return code;
}

int gs_unpack_tree(const char *path, const char *directory, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    GS_AUTO_FD int into = -1;
    uint64_t size = 0;
    gs_source *source = NULL;
    int code = gs_fs_make_dirs(AT_FDCWD, directory, 0700, err);
    if (code == 0) {
        code = gs_fs_open_dir(AT_FDCWD, directory, &into, err);
    }
    if (code == 0) {
        code = gs_fs_open_read(AT_FDCWD, path, false, &fd, &size, err);
    }
    if (code == 0) {
        code = gs_source_segment(fd, 0, size, &source, err);
    }
    if (code == 0) {
        code = gs_tar_extract(source, &(gs_tar_limits){0}, into, err);
    }
    return code;
}
