/* Unpacking into a directory of our own: the names were judged by the reader, and what is made is made by src/base, never by
 * libarchive's write-to-disk API. */
#include "gapship/fs.h"
#include "internal.h"

static int write_entry(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    const int *dirfd = state;
    if (entry->kind == GS_TAR_DIRECTORY) {
        return gs_fs_make_below(*dirfd, entry->name, err);
    }
    GS_AUTO_FD int fd = -1;
    GS_AUTO_SINK gs_sink *sink = NULL;
    int code = gs_fs_create_below(*dirfd, entry->name, entry->executable ? 0755 : 0644, &fd, err);
    if (code == 0) {
        code = gs_sink_range(fd, 0, entry->size, &sink, err);
    }
    if (code == 0) {
        code = gs_stream_copy(content, sink, NULL, err);
    }
    if (code == 0) {
        code = gs_sink_close(&sink, err);
    }
    return code == 0 ? gs_fs_close(&fd, err) : code;
}

int gs_tar_extract(gs_source *in, const gs_tar_limits *limits, int dirfd, gs_error *err)
{
    gs_tar_limits own = limits ? *limits : (gs_tar_limits){0};
    own.links = false;
    return gs_tar_read(in, &own, write_entry, &dirfd, err);
}
