/* Reads and writes the index. What it reads was signed, and is checked all the same: an index that was made wrongly must not become
 * a read or a write at a wrong place. */
#include "index.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/num.h"
#include "tar.h"

uint64_t gs_chunk_count(uint64_t size)
{
    return size <= GS_CHUNK_BYTES ? 0 : (size - 1) / GS_CHUNK_BYTES + 1;
}

uint64_t gs_index_size(uint64_t members, uint64_t chunks)
{
    return GS_INDEX_HEADER + members * GS_INDEX_ENTRY + chunks * GS_DIGEST_BYTES;
}

static const unsigned char *entry_at(const unsigned char *data, size_t i)
{
    return data + GS_INDEX_HEADER + i * GS_INDEX_ENTRY;
}

static int parse_header(const unsigned char *data, size_t size, size_t *count, gs_error *err)
{
    if (size < GS_INDEX_HEADER || memcmp(data, GS_INDEX_MAGIC, GS_MAGIC_BYTES) != 0) {
        return gs_fail(err, GS_EFORMAT, "the index does not begin with %s", GS_INDEX_MAGIC);
    }
    uint32_t version = gs_load_u32(data + 8);
    if (version != GS_INDEX_VERSION || gs_load_u32(data + 16) != GS_CHUNK_LOG2 || gs_load_u32(data + 20) != 0) {
        (void)gs_fail(err, GS_EFORMAT, "the index has version %" PRIu32 " or a form that this gapship does not know", version);
        (void)gs_error_hint(err, "use a gapship as new as the one that made it");
        return GS_EFORMAT;
    }
    uint32_t members = gs_load_u32(data + 12);
    if (members < GS_FIRST_BLOB || members > GS_MAX_MEMBERS || gs_index_size(members, 0) > size) {
        return gs_fail(err, GS_EFORMAT, "the index cannot have %" PRIu32 " members", members);
    }
    *count = members;
    return 0;
}

/* The first three members are of their own kinds, all others are blobs. */
static gs_member_kind expected_kind(size_t i)
{
    return i < GS_FIRST_BLOB ? (gs_member_kind)(GS_MEMBER_LAYOUT + i) : GS_MEMBER_BLOB;
}

static int parse_entry(const unsigned char *entry, size_t i, uint64_t first_chunk, gs_member *out, gs_error *err)
{
    uint64_t stored = gs_load_u64(entry + 24);
    gs_member_kind kind = expected_kind(i);
    if (gs_load_u16(entry) != (uint16_t)kind || gs_load_u16(entry + 2) != 0) {
        (void)gs_fail(err, GS_EFORMAT, "entry %zu of the index has a kind or flags that this gapship does not know there", i);
        (void)gs_error_hint(err, "use a gapship as new as the one that made the bundle");
        return GS_EFORMAT;
    }
    if (gs_load_u64(entry + 32) != stored || gs_load_u32(entry + 4) != gs_chunk_count(stored) ||
        gs_load_u64(entry + 8) != first_chunk) {
        return gs_fail(err, GS_EFORMAT, "entry %zu of the index contradicts itself", i);
    }
    if ((kind == GS_MEMBER_INDEX_JSON || kind == GS_MEMBER_MANIFEST_JSON) && stored > GS_MAX_LAYOUT_INDEX_BYTES) {
        return gs_fail(err, GS_EFORMAT, "entry %zu of the index is larger than the %zu bytes allowed", i,
                       GS_MAX_LAYOUT_INDEX_BYTES);
    }
    *out = (gs_member){.kind = kind, .size = stored, .offset = gs_load_u64(entry + 16)};
    memcpy(out->digest.bytes, entry + 40, GS_DIGEST_BYTES);
    return 0;
}

/* Ascending, without a gap, up to the last byte of the file. */
static int check_places(const gs_index *index, const gs_index_frame *frame, gs_error *err)
{
    uint64_t next;
    bool fits = gs_tar_next(frame->offset, index->size, &next);
    for (size_t i = 0; fits && i < index->count; i++) {
        const gs_member *member = &index->members[i];
        if (member->offset != next) {
            return gs_fail(err, GS_EFORMAT, "entry %zu of the index does not follow the one before", i);
        }
        fits = gs_tar_next(member->offset, member->size, &next);
    }
    if (!fits || next - GS_BLOCK + GS_END_BYTES != frame->total_length) {
        return gs_fail(err, GS_EFORMAT, "the members of the index do not add up to the length of the file");
    }
    return 0;
}

static int check_fixed_members(const gs_index *index, const gs_index_frame *frame, gs_error *err)
{
    gs_digest layout;
    const size_t layout_len = sizeof GS_OCI_LAYOUT - 1;
    int code = gs_digest_of(GS_OCI_LAYOUT, layout_len, &layout, err);
    if (code != 0) {
        return code;
    }
    if (index->members[0].size != layout_len || !gs_digest_equal(&index->members[0].digest, &layout)) {
        return gs_fail(err, GS_EFORMAT, "the index names an oci-layout that this gapship does not know");
    }
    if (!gs_digest_equal(&index->members[1].digest, &frame->layout)) {
        return gs_fail(err, GS_EFORMAT, "statement and index name different index.json");
    }
    return 0;
}

static int parse_members(gs_index *index, gs_error *err)
{
    uint64_t chunks = 0;
    for (size_t i = 0; i < index->count; i++) {
        int code = parse_entry(entry_at(index->data, i), i, chunks, &index->members[i], err);
        if (code != 0) {
            return code;
        }
        /* Below 2^42 for a stored length of 64 bits, at most 10^6 times: no overflow. */
        chunks += gs_chunk_count(index->members[i].size);
    }
    if (gs_index_size(index->count, chunks) != index->size) {
        return gs_fail(err, GS_EFORMAT, "the index does not have as many chunk digests as its members need");
    }
    return 0;
}

static int compare_blobs(const void *a, const void *b)
{
    const gs_member *const *left = a;
    const gs_member *const *right = b;
    return gs_digest_compare(&(*left)->digest, &(*right)->digest);
}

bool gs_member_sort(const gs_member **blobs, size_t count)
{
    if (count > 0) {
        qsort(blobs, count, sizeof *blobs, compare_blobs);
    }
    for (size_t i = 1; i < count; i++) {
        if (gs_digest_equal(&blobs[i - 1]->digest, &blobs[i]->digest)) {
            return false;
        }
    }
    return true;
}

const gs_member *gs_member_find(const gs_member *const *sorted, size_t count, const gs_digest *digest)
{
    const gs_member key = {.digest = *digest};
    const gs_member *wanted = &key;
    const gs_member *const *found = count > 0 ? bsearch(&wanted, sorted, count, sizeof *sorted, compare_blobs) : NULL;
    return found ? *found : NULL;
}

static int sort_blobs(gs_index *index, gs_error *err)
{
    size_t blobs = index->count - GS_FIRST_BLOB;
    index->by_digest = calloc(blobs ? blobs : 1, sizeof(const gs_member *));
    if (!index->by_digest) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < blobs; i++) {
        index->by_digest[i] = &index->members[GS_FIRST_BLOB + i];
    }
    return gs_member_sort(index->by_digest, blobs) ? 0 : gs_fail(err, GS_EFORMAT, "the index names a blob twice");
}

int gs_index_parse(unsigned char *data, size_t size, const gs_index_frame *frame, gs_index *out, gs_error *err)
{
    gs_index parsed = {.data = data, .size = size};
    int code = parse_header(data, size, &parsed.count, err);
    if (code == 0) {
        parsed.members = calloc(parsed.count, sizeof *parsed.members);
        code = parsed.members ? parse_members(&parsed, err) : gs_fail_nomem(err);
    }
    code = code == 0 ? check_places(&parsed, frame, err) : code;
    code = code == 0 ? check_fixed_members(&parsed, frame, err) : code;
    code = code == 0 ? sort_blobs(&parsed, err) : code;
    if (code != 0) {
        gs_index_done(&parsed);
        return code;
    }
    *out = parsed;
    return 0;
}

void gs_index_done(gs_index *index)
{
    free(index->data);
    free(index->members);
    free(index->by_digest);
    *index = (gs_index){0};
}

void gs_index_chunk(const gs_index *index, size_t member, uint64_t chunk, gs_digest *out)
{
    uint64_t first = gs_load_u64(entry_at(index->data, member) + 8);
    memcpy(out->bytes, index->data + gs_index_size(index->count, first + chunk), sizeof out->bytes);
}

void gs_index_write(const gs_member *members, size_t count, const gs_digest *chunks, gs_buf *out)
{
    gs_buf_add(out, GS_INDEX_MAGIC, GS_MAGIC_BYTES);
    gs_buf_add_u32(out, GS_INDEX_VERSION);
    gs_buf_add_u32(out, (uint32_t)count);
    gs_buf_add_u32(out, GS_CHUNK_LOG2);
    gs_buf_add_u32(out, 0);
    uint64_t first_chunk = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t chunk_count = gs_chunk_count(members[i].size);
        gs_buf_add_u16(out, (uint16_t)members[i].kind);
        gs_buf_add_u16(out, 0);
        gs_buf_add_u32(out, (uint32_t)chunk_count);
        gs_buf_add_u64(out, first_chunk);
        gs_buf_add_u64(out, members[i].offset);
        gs_buf_add_u64(out, members[i].size);
        gs_buf_add_u64(out, members[i].size);
        gs_buf_add(out, members[i].digest.bytes, GS_DIGEST_BYTES);
        first_chunk += chunk_count;
    }
    for (uint64_t i = 0; i < first_chunk; i++) {
        gs_buf_add(out, chunks[i].bytes, GS_DIGEST_BYTES);
    }
}
