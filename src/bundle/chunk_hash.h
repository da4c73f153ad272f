/* The digests a member needs: of the whole, and of each chunk when it is longer than one. */
#ifndef GAPSHIP_BUNDLE_CHUNK_HASH_H
#define GAPSHIP_BUNDLE_CHUNK_HASH_H

#include "gapship/crypto.h"

typedef struct gs_chunk_hash {
    gs_hash *whole;
    gs_hash *chunk;    /* NULL: not longer than one chunk */
    gs_digest *chunks; /* borrowed: where the chunks' digests go */
    uint64_t passed;
} gs_chunk_hash;

/* chunks has room for the chunk count of a member of this size. */
int gs_chunk_hash_init(gs_chunk_hash *hash, uint64_t size, gs_digest *chunks, gs_error *err) GS_MUST_USE;
/* No more than size in all. */
int gs_chunk_hash_add(gs_chunk_hash *hash, const void *data, size_t len, gs_error *err) GS_MUST_USE;
int gs_chunk_hash_finish(gs_chunk_hash *hash, gs_digest *whole, gs_error *err) GS_MUST_USE;
void gs_chunk_hash_done(gs_chunk_hash *hash);

#endif
