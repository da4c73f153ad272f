/* The table of all members and chunks (FORMAT.md section 5). */
#ifndef GAPSHIP_BUNDLE_INDEX_H
#define GAPSHIP_BUNDLE_INDEX_H

#include "format.h"
#include "gapship/bundle.h"

typedef struct gs_index {
    unsigned char *data; /* the member's data, owned; the chunk digests are read from it */
    size_t size;
    gs_member *members;
    size_t count;
    const gs_member **by_digest; /* the blobs, sorted */
} gs_index;

/* Where the index stands, and what the rest of the signed head says about it. */
typedef struct gs_index_frame {
    uint64_t offset; /* of its data */
    uint64_t total_length;
    gs_digest layout; /* of index.json */
} gs_index_frame;

/* How many chunk digests a member of this size has. */
uint64_t gs_chunk_count(uint64_t size);
/* Size of an index with so many members and chunk digests. */
uint64_t gs_index_size(uint64_t members, uint64_t chunks);

/* Takes data over, on failure too. Checks everything section 5 demands. GS_EFORMAT. */
int gs_index_parse(unsigned char *data, size_t size, const gs_index_frame *frame, gs_index *out, gs_error *err) GS_MUST_USE;
void gs_index_done(gs_index *index);
/* Digest of chunk `chunk` of members[member], which must have chunks. */
void gs_index_chunk(const gs_index *index, size_t member, uint64_t chunk, gs_digest *out);

/* Serialises: chunks has the digests of all members in order. */
void gs_index_write(const gs_member *members, size_t count, const gs_digest *chunks, gs_buf *out);

/* NULL, or the first member of `sorted` with this digest. */
const gs_member *gs_member_find(const gs_member *const *sorted, size_t count, const gs_digest *digest);
/* Sorts pointers to blobs by digest; false when two have the same. */
bool gs_member_sort(const gs_member **blobs, size_t count);

#endif
