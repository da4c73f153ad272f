/* Decoding gzip and zstd by libarchive's filters, exactly one of them: what a decoded stream holds is not looked at again.
 * libarchive 3.6 does not compare gzip's checksum; what is decoded here is content whose digest was or will be checked. Knows no
 * tar. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define MAGIC_BYTES 4

/* The bytes that were looked at, and then the rest. */
typedef struct peeked {
    unsigned char head[MAGIC_BYTES];
    size_t len;
    size_t given;
    gs_source *inner;
} peeked;

static int peeked_read(void *state, void *out, size_t len, size_t *got, gs_error *err)
{
    peeked *self = state;
    if (self->given == self->len) {
        return gs_source_read(self->inner, out, len, got, err);
    }
    size_t count = self->len - self->given < len ? self->len - self->given : len;
    memcpy(out, self->head + self->given, count);
    self->given += count;
    *got = count;
    return 0;
}

static int close_inner(gs_source **inner, bool cancelled, gs_error *err)
{
    if (cancelled) {
        gs_source_cancel(inner);
        return 0;
    }
    return gs_source_close(inner, err);
}

static int peeked_close(void *state, bool cancelled, gs_error *err)
{
    peeked *self = state;
    int code = close_inner(&self->inner, cancelled, err);
    free(self);
    return code;
}

static const gs_source_ops peeked_ops = {peeked_read, peeked_close};

/* Takes *inner over, also when it fails. */
static int peek(gs_source **inner, unsigned char magic[MAGIC_BYTES], gs_source **out, gs_error *err)
{
    peeked *self = calloc(1, sizeof(*self));
    if (!self) {
        gs_source_cancel(inner);
        return gs_fail_nomem(err);
    }
    self->inner = GS_STEAL(*inner);
    size_t got = 1;
    while (self->len < MAGIC_BYTES && got > 0) {
        int code = gs_source_read(self->inner, self->head + self->len, MAGIC_BYTES - self->len, &got, err);
        if (code != 0) {
            (void)peeked_close(self, true, NULL);
            return code;
        }
        self->len += got;
    }
    memcpy(magic, self->head, MAGIC_BYTES);
    return gs_source_new(&peeked_ops, self, out, err);
}

typedef struct decoder {
    gs_feed feed;
    gs_source *inner;
    bool begun;
    bool ended;
    const unsigned char *data; /* decoded and not yet given */
    size_t len;
} decoder;

/* After the last frame or member there must be nothing: libarchive passes over what follows a gzip member. */
static int decoder_end(decoder *self, gs_error *err)
{
    self->ended = true;
    if (!self->feed.ended || gs_feed_position(&self->feed) != self->feed.fed) {
        return gs_fail(err, GS_EFORMAT, "there are bytes after the end of the compressed data");
    }
    return 0;
}

/* The next piece from libarchive; `ended` when there is none. */
static int decoder_next(decoder *self, gs_error *err)
{
    const void *data = NULL;
    la_int64_t offset;
    int status = ARCHIVE_OK;
    if (!self->begun) {
        struct archive_entry *entry;
        self->begun = true;
        status = archive_read_next_header(self->feed.archive, &entry);
    }
    if (status == ARCHIVE_OK) {
        status = archive_read_data_block(self->feed.archive, &data, &self->len, &offset);
        self->data = data;
    }
    if (status == ARCHIVE_EOF) {
        self->len = 0;
        return decoder_end(self, err);
    }
    return status == ARCHIVE_OK ? 0 : gs_feed_fail(&self->feed, GS_EFORMAT, "the compressed data cannot be decoded", err);
}

static int decoder_read(void *state, void *out, size_t len, size_t *got, gs_error *err)
{
    decoder *self = state;
    while (self->len == 0 && !self->ended) {
        int code = decoder_next(self, err);
        if (code != 0) {
            return code;
        }
    }
    size_t count = self->len < len ? self->len : len;
    if (count > 0) {
        memcpy(out, self->data, count);
        self->data += count;
        self->len -= count;
    }
    *got = count;
    return 0;
}

static int decoder_close(void *state, bool cancelled, gs_error *err)
{
    decoder *self = state;
    gs_feed_done(&self->feed);
    int code = close_inner(&self->inner, cancelled, err);
    free(self);
    return code;
}

static const gs_source_ops decoder_ops = {decoder_read, decoder_close};

/* Takes *inner over, also when it fails. */
static int decode(gs_source **inner, int filter, gs_source **out, gs_error *err)
{
    decoder *self = calloc(1, sizeof(*self));
    if (!self) {
        gs_source_cancel(inner);
        return gs_fail_nomem(err);
    }
    self->inner = GS_STEAL(*inner);
    int code = gs_feed_init(&self->feed, self->inner, err);
    if (code == 0) {
        struct archive *archive = self->feed.archive;
        bool ready = archive_read_support_format_raw(archive) == ARCHIVE_OK &&
                     archive_read_support_format_empty(archive) == ARCHIVE_OK &&
                     archive_read_append_filter(archive, filter) == ARCHIVE_OK;
        code = ready ? gs_feed_open(&self->feed, err) : gs_feed_fail(&self->feed, GS_EINTERNAL, "libarchive lacks a decoder", err);
    }
    if (code != 0) {
        (void)decoder_close(self, true, NULL);
        return code;
    }
    return gs_source_new(&decoder_ops, self, out, err);
}

int gs_source_decompress(gs_source *inner, uint64_t max, gs_source **out, gs_error *err)
{
    static const unsigned char gzip[] = {0x1f, 0x8b};
    static const unsigned char zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    unsigned char magic[MAGIC_BYTES];
    gs_source *source = NULL;
    gs_source *decoded = NULL;
    int code = peek(&inner, magic, &source, err);
    if (code == 0 && memcmp(magic, gzip, sizeof(gzip)) == 0) {
        code = decode(&source, ARCHIVE_FILTER_GZIP, &decoded, err);
    } else if (code == 0 && memcmp(magic, zstd, sizeof(zstd)) == 0) {
        code = decode(&source, ARCHIVE_FILTER_ZSTD, &decoded, err);
    } else if (code == 0) {
        decoded = source;
    }
    return code == 0 ? gs_source_limited(decoded, max, out, err) : code;
}
