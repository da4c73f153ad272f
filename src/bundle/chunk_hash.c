/* Hashes a member as it passes: whole, and chunk by chunk. */
#include "chunk_hash.h"

#include "index.h"

int gs_chunk_hash_init(gs_chunk_hash *hash, uint64_t size, gs_digest *chunks, gs_error *err)
{
    gs_chunk_hash made = {.chunks = chunks};
    int code = gs_hash_new(&made.whole, err);
    if (code == 0 && gs_chunk_count(size) > 0) {
        code = gs_hash_new(&made.chunk, err);
    }
    if (code != 0) {
        gs_chunk_hash_done(&made);
        return code;
    }
    *hash = made;
    return 0;
}

/* The part of data that lies in the chunk under way; its digest when it ends there. */
static int add_to_chunk(gs_chunk_hash *hash, const unsigned char *data, size_t len, size_t *taken, gs_error *err)
{
    size_t room = GS_CHUNK_BYTES - (size_t)(hash->passed % GS_CHUNK_BYTES);
    size_t piece = len < room ? len : room;
    int code = gs_hash_add(hash->chunk, data, piece, err);
    if (code == 0 && piece == room) {
        code = gs_hash_finish(hash->chunk, &hash->chunks[hash->passed / GS_CHUNK_BYTES], err);
    }
    *taken = piece;
    return code;
}

int gs_chunk_hash_add(gs_chunk_hash *hash, const void *data, size_t len, gs_error *err)
{
    const unsigned char *bytes = data;
    int code = gs_hash_add(hash->whole, data, len, err);
    while (code == 0 && len > 0) {
        size_t taken = len;
        code = hash->chunk ? add_to_chunk(hash, bytes, len, &taken, err) : 0;
        hash->passed += taken;
        bytes += taken;
        len -= taken;
    }
    return code;
}

int gs_chunk_hash_finish(gs_chunk_hash *hash, gs_digest *whole, gs_error *err)
{
    int code = 0;
    if (hash->chunk && hash->passed % GS_CHUNK_BYTES != 0) {
        code = gs_hash_finish(hash->chunk, &hash->chunks[hash->passed / GS_CHUNK_BYTES], err);
    }
    return code == 0 ? gs_hash_finish(hash->whole, whole, err) : code;
}

void gs_chunk_hash_done(gs_chunk_hash *hash)
{
    gs_hash_free_p(&hash->whole);
    gs_hash_free_p(&hash->chunk);
}
