/* The raw headers of a tar entry. libarchive reads them; this looks for what libarchive and another reader (Go's, GNU tar's) would
 * read differently, because then a person who checks an archive sees another one than gapship. */
#include <string.h>

#include "internal.h"

enum { TYPE_AT = 156, SIZE_AT = 124, SIZE_LEN = 12, MAGIC_AT = 257, GNU_SPARSE_AT = 386, GNU_SPARSE_END = 495 };

/* A size: octal digits after blanks and before blanks or NUL, or base 256. */
static bool read_size(const unsigned char *block, uint64_t *out)
{
    const unsigned char *field = block + SIZE_AT;
    uint64_t value = 0;
    size_t i = 0;
    if (field[0] == 0x80) {
        for (i = 1; i < SIZE_LEN; i++) {
            if (value >> 55 != 0) {
                return false;
            }
            value = value << 8 | field[i];
        }
        *out = value;
        return true;
    }
    while (i < SIZE_LEN && field[i] == ' ') {
        i++;
    }
    for (; i < SIZE_LEN && field[i] >= '0' && field[i] <= '7'; i++) {
        value = value << 3 | (uint64_t)(field[i] - '0');
    }
    for (; i < SIZE_LEN && (field[i] == ' ' || field[i] == '\0'); i++) {
    }
    *out = value;
    return i == SIZE_LEN;
}

/* A pax record's text ends at its newline for one reader and at a NUL for another. */
static int check_pax_text(const gs_feed *feed, uint64_t offset, uint64_t size, gs_error *err)
{
    while (size > 0) {
        const unsigned char *block = gs_feed_block(feed, offset);
        size_t len = size < GS_TAR_BLOCK ? (size_t)size : GS_TAR_BLOCK;
        if (!block) {
            return gs_fail(err, GS_EFORMAT, "its extended headers are too long");
        }
        if (memchr(block, '\0', len)) {
            return gs_fail(err, GS_EFORMAT, "its extended header has a NUL in it");
        }
        offset += GS_TAR_BLOCK;
        size -= len;
    }
    return 0;
}

/* GNU tar has a map of holes and a real size in its headers and looks at them in sparse files alone; libarchive does in all. */
static bool has_gnu_map(const unsigned char *block)
{
    bool found = false;
    for (size_t i = GNU_SPARSE_AT; i < GNU_SPARSE_END; i++) {
        found |= block[i] != 0;
    }
    return found && memcmp(block + MAGIC_AT, "ustar  ", 8) == 0;
}

static int check_own_header(const unsigned char *block, struct archive_entry *entry, gs_error *err)
{
    uint64_t size;
    unsigned char type = block[TYPE_AT];
    bool file = (type == '0' || type == '\0') && archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry);
    uint64_t meant = archive_entry_size_is_set(entry) ? (uint64_t)archive_entry_size(entry) : 0;
    if (!strchr("0125", type)) { /* finds '\0' too */
        return gs_fail(err, GS_EFORMAT, "it is neither a file nor a directory nor a link (tar type \"%c\")", type);
    }
    if (!read_size(block, &size)) {
        return gs_fail(err, GS_EFORMAT, "its size is not a number");
    }
    if (!file && (size != 0 || meant != 0)) {
        return gs_fail(err, GS_EFORMAT, "it is not a file, and it has a size");
    }
    if (file && size != 0 && size != meant) {
        return gs_fail(err, GS_EFORMAT, "its two headers give it two sizes");
    }
    if (has_gnu_map(block) || archive_entry_sparse_count(entry) > 0) {
        return gs_fail(err, GS_EFORMAT, "it is a sparse file");
    }
    return 0;
}

int gs_headers_check(const gs_feed *feed, uint64_t from, uint64_t to, struct archive_entry *entry, gs_error *err)
{
    bool pax = false;
    bool gnu = false;
    while (from < to) {
        const unsigned char *block = gs_feed_block(feed, from);
        uint64_t size;
        if (!block) {
            return gs_fail(err, GS_EFORMAT, "its extended headers are too long");
        }
        from += GS_TAR_BLOCK;
        if (from == to) {
            return check_own_header(block, entry, err);
        }
        unsigned char type = block[TYPE_AT];
        bool again = (type == 'x' && pax) || ((type == 'L' || type == 'K') && pax) || (type == 'x' && gnu);
        if (!strchr("xgLK", type) || type == '\0' || again || !read_size(block, &size)) {
            return gs_fail(err, GS_EFORMAT, "its extended headers can be read in two ways");
        }
        pax |= type == 'x';
        gnu |= type == 'L' || type == 'K';
        int code = type == 'x' || type == 'g' ? check_pax_text(feed, from, size, err) : 0;
        if (code != 0) {
            return code;
        }
        /* A size that leads past the content ends the loop below. */
        from += size <= to ? (size + GS_TAR_BLOCK - 1) / GS_TAR_BLOCK * GS_TAR_BLOCK : to;
    }
    return gs_fail(err, GS_EFORMAT, "its extended headers can be read in two ways");
}
