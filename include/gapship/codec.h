/* zstd frames (RFC 8878). The only module that knows libzstd.
 *
 * Decoding is capped twice: by a window (GS_ZSTD_WINDOW_LOG) and by the raw length that a signed index or the caller names; a frame
 * that holds more, less, a dictionary id, a skippable frame or anything behind it is refused.
 */
#ifndef GAPSHIP_CODEC_H
#define GAPSHIP_CODEC_H

#include <stdint.h>

#include "gapship/stream.h"

#define GS_ZSTD_WINDOW_LOG 27

/* Appends one frame, compressed at a fixed level with its content size and checksum; the same input gives the same bytes with one libzstd.
 * out stays as it was on failure. */
int gs_zstd_compress(const void *data, size_t len, int level, gs_buf *out, gs_error *err) GS_MUST_USE;
/* Appends exactly raw_len bytes, or GS_EFORMAT; GS_ELIMIT when out is too small for them. out stays as it was on failure. */
int gs_zstd_decompress(const void *data, size_t len, uint64_t raw_len, gs_buf *out, gs_error *err) GS_MUST_USE;
/* A source that decodes one frame of exactly raw_len bytes, after which inner must end. Takes inner over. */
int gs_source_zstd(gs_source *inner, uint64_t raw_len, gs_source **out, gs_error *err) GS_MUST_USE;
const char *gs_codec_version(void);

#endif
