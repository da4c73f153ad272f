/* Compressed members: a frame decoded in memory and as a stream must be judged alike, and never give more than was promised. The
 * first two bytes of the input are the promised length. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int decode(const uint8_t *data, size_t size, size_t raw_len, gs_buf *out, gs_error *err)
{
    gs_source *inner = NULL;
    gs_source *source = NULL;
    unsigned char piece[97];
    int code = gs_source_memory(data, size, &inner, err);
    if (code == 0) {
        code = gs_source_zstd(inner, raw_len, &source, err);
    }
    for (size_t got = 1; code == 0 && got > 0;) {
        code = gs_source_read(source, piece, sizeof(piece), &got, err);
        if (code == 0) {
            gs_buf_add(out, piece, got);
        }
    }
    gs_source_cancel(&source);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    if (size < 2) {
        return 0;
    }
    size_t raw_len = (size_t)data[0] | (size_t)data[1] << 8;
    gs_buf whole;
    gs_buf pieces;
    gs_buf_init(&whole, 1 << 17);
    gs_buf_init(&pieces, 1 << 17);
    int one = gs_zstd_decompress(data + 2, size - 2, raw_len, &whole, &err);
    int two = decode(data + 2, size - 2, raw_len, &pieces, &err);
    if ((one == 0) != (two == 0) || pieces.len > raw_len || (one == 0 && (whole.len != raw_len || pieces.len != raw_len))) {
        abort();
    }
    if (one == 0 && raw_len > 0 && memcmp(whole.data, pieces.data, raw_len) != 0) {
        abort();
    }
    gs_buf_done(&whole);
    gs_buf_done(&pieces);
    return 0;
}
