/* The index, behind its frame: u64 offset, u64 length of the file, 32 bytes digest of index.json. What is accepted lies inside the
 * file without a gap, and is written again as the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "bundle/index.h"
#include "gapship/num.h"

#define FRAME_BYTES (8 + 8 + GS_DIGEST_BYTES)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_accepted(const gs_index *index, const gs_index_frame *frame, const uint8_t *data, size_t size)
{
    uint64_t end = frame->offset + index->size;
    size_t chunks = 0;
    for (size_t i = 0; i < index->count; i++) {
        const gs_member *m = &index->members[i];
        if (m->offset < end + GS_BLOCK || m->offset > frame->total_length || m->size > frame->total_length - m->offset) {
            abort();
        }
        end = m->offset + m->size;
        chunks += (size_t)gs_chunk_count(m->size);
        if (m->kind == GS_MEMBER_BLOB && gs_member_find(index->by_digest, index->count - GS_FIRST_BLOB, &m->digest) != m) {
            abort();
        }
    }
    gs_digest *digests = calloc(chunks + 1, sizeof *digests);
    size_t known = 0;
    for (size_t i = 0; i < index->count && digests; i++) {
        for (uint64_t c = 0; c < gs_chunk_count(index->members[i].size); c++) {
            gs_index_chunk(index, i, c, &digests[known++]);
        }
    }
    gs_buf out;
    gs_buf_init(&out, GS_MAX_INDEX_BYTES);
    if (digests) {
        gs_index_write(index->members, index->count, digests, &out);
    }
    if (!digests || out.len != size || memcmp(out.data, data, size) != 0) {
        abort();
    }
    gs_buf_done(&out);
    free(digests);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < FRAME_BYTES) {
        return 0;
    }
    gs_index index;
    gs_error err = {0};
    gs_index_frame frame = {.offset = gs_load_u64(data), .total_length = gs_load_u64(data + 8)};
    memcpy(frame.layout.bytes, data + 16, GS_DIGEST_BYTES);
    data += FRAME_BYTES;
    size -= FRAME_BYTES;
    unsigned char *copy = malloc(size ? size : 1);
    if (!copy) {
        abort();
    }
    memcpy(copy, data, size);
    if (gs_index_parse(copy, size, &frame, &index, &err) == 0) {
        check_accepted(&index, &frame, data, size);
        gs_index_done(&index);
    } else if (err.code != GS_EFORMAT) {
        abort();
    }
    return 0;
}
