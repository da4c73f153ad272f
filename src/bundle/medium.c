/* Reads and writes a logical file piece by piece, each piece on the part that carries it. Knows neither bundles nor the headers of
 * volumes, only how long they are. */
#include "medium.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"

/* The bytes from a place up to the border of its part. */
typedef struct piece {
    const gs_part *part;
    uint64_t offset; /* in the part's file */
    uint64_t length;
} piece;

static int allocate_parts(gs_medium *medium, gs_error *err)
{
    medium->parts = calloc(medium->count, sizeof *medium->parts);
    for (size_t i = 0; medium->parts && i < medium->count; i++) {
        medium->parts[i].fd = -1;
    }
    return medium->parts ? 0 : gs_fail_nomem(err);
}

int gs_medium_whole(int fd, const char *path, uint64_t length, gs_medium *out, gs_error *err)
{
    gs_medium medium = {.count = 1, .slice = UINT64_MAX, .length = length};
    int code = allocate_parts(&medium, err);
    if (code != 0) {
        return code;
    }
    medium.parts[0].path = strdup(path);
    if (!medium.parts[0].path) {
        gs_medium_done(&medium);
        return gs_fail_nomem(err);
    }
    medium.parts[0].fd = fd;
    *out = medium;
    return 0;
}

int gs_medium_split(size_t count, uint64_t lead, uint64_t slice, uint64_t length, gs_medium *out, gs_error *err)
{
    gs_medium medium = {.count = count, .lead = lead, .slice = slice, .length = length};
    int code = allocate_parts(&medium, err);
    if (code == 0) {
        *out = medium;
    }
    return code;
}

void gs_medium_done(gs_medium *medium)
{
    for (size_t i = 0; i < medium->count; i++) {
        gs_fs_close_p(&medium->parts[i].fd);
        free(medium->parts[i].path);
    }
    free(medium->parts);
    *medium = (gs_medium){0};
}

uint64_t gs_medium_part_length(const gs_medium *medium, size_t i)
{
    uint64_t start = i * medium->slice;
    uint64_t left = medium->length - start;
    return left < medium->slice ? left : medium->slice;
}

size_t gs_medium_part_at(const gs_medium *medium, uint64_t offset, uint64_t len, size_t *last)
{
    const uint64_t most = medium->count - 1;
    uint64_t first = offset / medium->slice;
    uint64_t end = (offset + (len > 0 ? len - 1 : 0)) / medium->slice;
    *last = (size_t)(end < most ? end : most);
    return (size_t)(first < most ? first : most);
}

/* What begins on the last part ends on it: reading beyond the end fails there, and says so. */
static piece piece_at(const gs_medium *medium, uint64_t offset, uint64_t len)
{
    size_t last;
    size_t i = gs_medium_part_at(medium, offset, 1, &last);
    uint64_t within = offset - i * medium->slice;
    uint64_t left = i + 1 < medium->count ? medium->slice - within : len;
    return (piece){.part = &medium->parts[i], .offset = medium->lead + within, .length = len < left ? len : left};
}

/* The callers name a whole file themselves, by the name that its user gave. */
static int name_part(const gs_medium *medium, const gs_part *part, int code, gs_error *err)
{
    if (code != 0 && medium->lead > 0) {
        (void)gs_error_context(err, "%s", part->path);
    }
    return code;
}

int gs_medium_read(const gs_medium *medium, void *out, size_t len, uint64_t offset, gs_error *err)
{
    unsigned char *into = out;
    int code = 0;
    for (size_t at = 0; code == 0 && at < len;) {
        piece p = piece_at(medium, offset + at, len - at);
        code = name_part(medium, p.part, gs_fs_pread(p.part->fd, into + at, (size_t)p.length, p.offset, err), err);
        at += (size_t)p.length;
    }
    return code;
}

int gs_medium_write(const gs_medium *medium, const void *data, size_t len, uint64_t offset, gs_error *err)
{
    const unsigned char *from = data;
    int code = 0;
    for (size_t at = 0; code == 0 && at < len;) {
        piece p = piece_at(medium, offset + at, len - at);
        code = name_part(medium, p.part, gs_fs_pwrite(p.part->fd, from + at, (size_t)p.length, p.offset, err), err);
        at += (size_t)p.length;
    }
    return code;
}

int gs_medium_copy(const gs_medium *from, uint64_t from_offset, const gs_medium *to, uint64_t to_offset, uint64_t len,
                   gs_error *err)
{
    int code = 0;
    for (uint64_t at = 0; code == 0 && at < len;) {
        piece source = piece_at(from, from_offset + at, len - at);
        piece target = piece_at(to, to_offset + at, source.length);
        code = gs_fs_copy_range(source.part->fd, source.offset, target.part->fd, target.offset, target.length, err);
        code = name_part(to, target.part, code, err);
        at += target.length;
    }
    return code;
}

int gs_medium_write_lead(const gs_medium *medium, size_t i, const void *data, gs_error *err)
{
    const gs_part *part = &medium->parts[i];
    return name_part(medium, part, gs_fs_pwrite(part->fd, data, (size_t)medium->lead, 0, err), err);
}

void gs_medium_read_ahead(const gs_medium *medium, uint64_t offset, uint64_t len)
{
    for (uint64_t at = 0; at < len;) {
        piece p = piece_at(medium, offset + at, len - at);
        (void)posix_fadvise(p.part->fd, (off_t)p.offset, (off_t)p.length, POSIX_FADV_WILLNEED);
        at += p.length;
    }
}

void gs_medium_write_behind(const gs_medium *medium, uint64_t offset, uint64_t len)
{
    for (uint64_t at = 0; at < len;) {
        piece p = piece_at(medium, offset + at, len - at);
        gs_fs_write_behind(p.part->fd, p.offset, p.length);
        at += p.length;
    }
}
