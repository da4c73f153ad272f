/* Single zstd frames in memory, and as a stream. What a frame claims is checked before libzstd decodes it. Knows no bundle. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "gapship/codec.h"
#include "gapship/num.h"

#define HEADER_BYTES_MAX 18 /* RFC 8878: magic, descriptor, window, dictionary id, content size */
#define HEADER_BYTES_MIN 6

static int zstd_fail(size_t result, int code, const char *what, gs_error *err)
{
    if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) {
        return gs_fail_nomem(err);
    }
    return gs_fail(err, code, "%s: %s", what, ZSTD_getErrorName(result));
}

/* The window descriptor behind the frame header descriptor; a single-segment frame has none, its window is its content. */
static bool window_fits(const unsigned char *frame, uint64_t raw_len)
{
    const unsigned int limit = GS_ZSTD_WINDOW_LOG;
    if (frame[4] & 0x20) {
        return raw_len <= (uint64_t)1 << limit;
    }
    unsigned int log = 10u + (frame[5] >> 3);
    return log < limit || (log == limit && (frame[5] & 7) == 0);
}

/* The frame that begins here promises exactly raw_len bytes and needs nothing that it does not have. */
static int check_header(const unsigned char *frame, size_t len, uint64_t raw_len, gs_error *err)
{
    if (len < HEADER_BYTES_MIN || gs_load_u32(frame) != ZSTD_MAGICNUMBER) {
        return gs_fail(err, GS_EFORMAT, "this is not a zstd frame");
    }
    unsigned long long content = ZSTD_getFrameContentSize(frame, len);
    if (content == ZSTD_CONTENTSIZE_ERROR) {
        return gs_fail(err, GS_EFORMAT, "the header of the zstd frame is damaged");
    }
    if (content == ZSTD_CONTENTSIZE_UNKNOWN || content != raw_len) {
        return gs_fail(err, GS_EFORMAT, "the zstd frame does not promise the %llu bytes it should hold",
                       (unsigned long long)raw_len);
    }
    if (ZSTD_getDictID_fromFrame(frame, len) != 0) {
        return gs_fail(err, GS_EFORMAT, "the zstd frame needs a dictionary");
    }
    if (!window_fits(frame, raw_len)) {
        return gs_fail(err, GS_EFORMAT, "the zstd frame needs a window of more than %u MiB", 1u << (GS_ZSTD_WINDOW_LOG - 20));
    }
    return 0;
}

/* Room behind what out holds. A buffer that is too small stays as it was. */
static int reserve(gs_buf *out, size_t len, void **into, gs_error *err)
{
    int code = gs_buf_check(out, err);
    if (code != 0) {
        return code;
    }
    *into = gs_buf_reserve(out, len);
    if (!*into) {
        code = gs_buf_check(out, err);
        out->failed = 0;
    }
    return code;
}

int gs_zstd_compress(const void *data, size_t len, int level, gs_buf *out, gs_error *err)
{
    void *into = NULL;
    size_t room = ZSTD_compressBound(len);
    size_t left = out->max - out->len;
    room = room < left ? room : left;
    int code = reserve(out, room, &into, err);
    if (code != 0) {
        return code;
    }
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (!context) {
        return gs_fail_nomem(err);
    }
    size_t result = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    if (!ZSTD_isError(result)) {
        result = ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    }
    if (!ZSTD_isError(result)) {
        result = ZSTD_compress2(context, into, room, data, len);
    }
    (void)ZSTD_freeCCtx(context);
    if (ZSTD_isError(result)) {
        bool full = ZSTD_getErrorCode(result) == ZSTD_error_dstSize_tooSmall;
        return zstd_fail(result, full ? GS_ELIMIT : GS_EINTERNAL, "the data cannot be compressed", err);
    }
    out->len += result;
    (void)gs_buf_text(out); /* for its NUL */
    return 0;
}

typedef struct decoder {
    gs_source *inner;
    ZSTD_DCtx *context;
    uint64_t left; /* raw bytes still to come */
    bool begun;
    bool ended;
    unsigned char *buffer;
    size_t size;      /* of buffer */
    ZSTD_inBuffer in; /* of what is in buffer */
} decoder;

/* More of the frame, when all that was there is used. *got == 0: the inner source is at its end. */
static int refill(decoder *self, size_t *got, gs_error *err)
{
    self->in = (ZSTD_inBuffer){self->buffer, 0, 0};
    int code = gs_source_read(self->inner, self->buffer, self->size, got, err);
    self->in.size = code == 0 ? *got : 0;
    return code;
}

static int begin(decoder *self, gs_error *err)
{
    size_t got = 1;
    self->begun = true;
    while (self->in.size < HEADER_BYTES_MAX && got > 0) {
        int code = gs_source_read(self->inner, self->buffer + self->in.size, self->size - self->in.size, &got, err);
        if (code != 0) {
            return code;
        }
        self->in.size += got;
    }
    int code = check_header(self->buffer, self->in.size, self->left, err);
    if (code != 0) {
        return code;
    }
    /* Its first byte alone: of a whole frame and enough room libzstd takes its other decoder, which judges some damaged frames
     * differently; a frame is good or is not, however it is read. */
    ZSTD_outBuffer none = {NULL, 0, 0};
    ZSTD_inBuffer first = {self->buffer, 1, 0};
    size_t result = ZSTD_decompressStream(self->context, &none, &first);
    self->in.pos = first.pos;
    return ZSTD_isError(result) ? zstd_fail(result, GS_EFORMAT, "the zstd frame cannot be decoded", err) : 0;
}

/* One step of libzstd with input at hand. *done when the frame and its checksum are complete. */
static int step(decoder *self, ZSTD_outBuffer *out, bool *done, gs_error *err)
{
    if (self->in.pos == self->in.size) {
        size_t got = 0;
        int code = refill(self, &got, err);
        if (code != 0) {
            return code;
        }
        if (got == 0) {
            return gs_fail(err, GS_EFORMAT, "the zstd frame ends early");
        }
    }
    size_t result = ZSTD_decompressStream(self->context, out, &self->in);
    if (ZSTD_isError(result)) {
        return zstd_fail(result, GS_EFORMAT, "the zstd frame cannot be decoded", err);
    }
    *done = result == 0;
    return 0;
}

/* All raw bytes are out: the frame must end here, and the inner source with it. */
static int finish(decoder *self, bool done, gs_error *err)
{
    size_t got = 0;
    while (!done) {
        ZSTD_outBuffer none = {NULL, 0, 0};
        size_t before = self->in.size - self->in.pos;
        int code = step(self, &none, &done, err);
        if (code != 0) {
            return code;
        }
        if (!done && before > 0 && before == self->in.size - self->in.pos) {
            return gs_fail(err, GS_EFORMAT, "the zstd frame holds more than it promises");
        }
    }
    int code = self->in.pos == self->in.size ? refill(self, &got, err) : 0;
    if (code == 0 && self->in.pos != self->in.size) {
        return gs_fail(err, GS_EFORMAT, "there are bytes after the zstd frame");
    }
    self->ended = true;
    return code;
}

static int decoder_read(void *state, void *out, size_t len, size_t *got, gs_error *err)
{
    decoder *self = state;
    int code = self->begun ? 0 : begin(self, err);
    ZSTD_outBuffer piece = {out, self->left < len ? (size_t)self->left : len, 0};
    bool done = false;
    while (code == 0 && !done && piece.pos < piece.size) {
        code = step(self, &piece, &done, err);
    }
    if (code != 0) {
        return code;
    }
    self->left -= piece.pos;
    if (done && self->left > 0) {
        return gs_fail(err, GS_EFORMAT, "the zstd frame holds less than it promises");
    }
    if (self->left == 0 && !self->ended) {
        code = finish(self, done, err);
    }
    *got = piece.pos;
    return code;
}

static int decoder_close(void *state, bool cancelled, gs_error *err)
{
    decoder *self = state;
    int code = 0;
    if (cancelled) {
        gs_source_cancel(&self->inner);
    } else {
        code = gs_source_close(&self->inner, err);
    }
    (void)ZSTD_freeDCtx(self->context);
    free(self->buffer);
    free(self);
    return code;
}

static const gs_source_ops decoder_ops = {decoder_read, decoder_close};

int gs_source_zstd(gs_source *inner, uint64_t raw_len, gs_source **out, gs_error *err)
{
    decoder *self = calloc(1, sizeof(*self));
    if (!self) {
        gs_source_cancel(&inner);
        return gs_fail_nomem(err);
    }
    self->inner = inner;
    self->left = raw_len;
    self->size = ZSTD_DStreamInSize();
    self->buffer = malloc(self->size);
    self->context = ZSTD_createDCtx();
    self->in = (ZSTD_inBuffer){self->buffer, 0, 0};
    if (!self->buffer || !self->context ||
        ZSTD_isError(ZSTD_DCtx_setParameter(self->context, ZSTD_d_windowLogMax, GS_ZSTD_WINDOW_LOG))) {
        (void)decoder_close(self, true, NULL);
        return gs_fail_nomem(err);
    }
    return gs_source_new(&decoder_ops, self, out, err);
}

static int decode(const void *data, size_t len, uint64_t raw_len, unsigned char *into, gs_error *err)
{
    GS_AUTO_SOURCE gs_source *inner = NULL;
    GS_AUTO_SOURCE gs_source *source = NULL;
    int code = gs_source_memory(data, len, &inner, err);
    if (code == 0) {
        code = gs_source_zstd(GS_STEAL(inner), raw_len, &source, err);
    }
    unsigned char beyond;
    size_t done = 0;
    for (size_t got = 1; code == 0 && got > 0; done += code == 0 ? got : 0) {
        bool full = done == raw_len; /* the end is checked by who asks for more */
        code = gs_source_read(source, full ? &beyond : into + done, full ? 1 : (size_t)raw_len - done, &got, err);
    }
    return code == 0 ? gs_source_close(&source, err) : code;
}

int gs_zstd_decompress(const void *data, size_t len, uint64_t raw_len, gs_buf *out, gs_error *err)
{
    void *into = NULL;
    int code = check_header(data, len, raw_len, err);
    if (code == 0) {
        code = reserve(out, (size_t)raw_len, &into, err);
    }
    if (code == 0) {
        code = decode(data, len, raw_len, into, err);
    }
    if (code == 0) {
        out->len += (size_t)raw_len;
        (void)gs_buf_text(out); /* for its NUL */
    }
    return code;
}

const char *gs_codec_version(void)
{
    return "libzstd " ZSTD_VERSION_STRING;
}
