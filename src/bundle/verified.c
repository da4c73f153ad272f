/* What may be asked of a verified bundle, and its content, each byte checked before it is handed out. Checking all of it at once is
 * in check.c. */
#include "bundle_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"
#include "tar.h"

void gs_verified_free(gs_verified *verified)
{
    if (verified) {
        gs_bundle_free(verified->file);
        gs_arena_free(verified->arena);
        gs_index_done(&verified->index);
        free(verified);
    }
}

void gs_verified_free_p(gs_verified **verified)
{
    gs_verified_free(*verified);
    *verified = NULL;
}

bool gs_verified_authentic(const gs_verified *verified)
{
    return verified->authentic;
}

const gs_digest *gs_verified_digest(const gs_verified *verified)
{
    return &verified->digest;
}

const gs_statement *gs_verified_statement(const gs_verified *verified)
{
    return &verified->statement;
}

int gs_verified_statement_bytes(const gs_verified *verified, gs_buf *statement, gs_buf *encoding, gs_error *err)
{
    const unsigned char *bytes = verified->file->head + GS_ENVELOPE_HEADER;
    const size_t len = verified->file->envelope.statement_length;
    gs_buf_add(statement, bytes, len);
    int code = gs_buf_check(statement, err);
    return code == 0 ? gs_pae(GS_STATEMENT_TYPE, bytes, len, encoding, err) : code;
}

const gs_signature_report *gs_verified_signatures(const gs_verified *verified, size_t *count)
{
    *count = verified->file->envelope.count;
    return verified->reports;
}

const void *gs_verified_signature(const gs_verified *verified, size_t i, size_t *len)
{
    *len = verified->file->envelope.signatures[i].length;
    return verified->file->head + verified->file->envelope.signatures[i].offset;
}

const gs_member *gs_verified_members(const gs_verified *verified, size_t *count)
{
    *count = verified->index.count;
    return verified->index.members;
}

const gs_member *gs_verified_blob(const gs_verified *verified, const gs_digest *digest)
{
    return gs_member_find(verified->index.by_digest, verified->index.count - GS_FIRST_BLOB, digest);
}

int gs_verified_fd(const gs_verified *verified)
{
    return gs_bundle_is_split(verified->file) ? -1 : verified->file->medium.parts[0].fd;
}

size_t gs_verified_volume_count(const gs_verified *verified)
{
    return gs_bundle_volume_count(verified->file);
}

uint64_t gs_verified_length(const gs_verified *verified)
{
    return verified->file->medium.length;
}

size_t gs_gap_before(const gs_member *member, uint64_t end, unsigned char out[GS_GAP_BYTES])
{
    char name[GS_MEMBER_NAME];
    size_t padding = gs_tar_padding(end);
    memset(out, 0, padding);
    gs_member_name(member, name);
    gs_tar_header(name, member->size, out + padding);
    return padding + GS_BLOCK;
}

size_t gs_gap_at_end(uint64_t end, unsigned char out[GS_TAIL_BYTES])
{
    memset(out, 0, GS_TAIL_BYTES);
    return gs_tar_padding(end) + GS_END_BYTES;
}

uint64_t gs_unit_count(const gs_member *member)
{
    uint64_t chunks = gs_chunk_count(member->size);
    return chunks > 0 ? chunks : 1;
}

void gs_unit_get(const gs_index *index, const gs_member *member, uint64_t number, gs_unit *out)
{
    uint64_t start = number * GS_CHUNK_BYTES;
    uint64_t left = member->size - start;
    out->offset = member->offset + start;
    out->length = left < GS_CHUNK_BYTES ? (size_t)left : GS_CHUNK_BYTES;
    if (gs_chunk_count(member->size) == 0) {
        out->digest = member->digest;
    } else {
        gs_index_chunk(index, (size_t)(member - index->members), number, &out->digest);
    }
}

int gs_unit_fail(const gs_verified *verified, const gs_member *member, const gs_unit *unit, gs_error *err)
{
    char name[GS_MEMBER_NAME];
    gs_member_name(member, name);
    char place[GS_PLACE_TEXT];
    const gs_bundle *file = verified->file;
    gs_bundle_place(file, unit->offset, unit->length, place);
    (void)gs_fail(err, GS_EDIGEST, "%s is damaged: the %zu bytes at offset %" PRIu64 " %s are not those that were signed", name,
                  unit->length, unit->offset, place);
    (void)gs_error_hint(err, "copy the %s again from where it was made", gs_bundle_is_split(file) ? "volume" : "bundle");
    gs_bundle_name_error(file, err);
    return GS_EDIGEST;
}

/* Reads one unit into memory and checks it there. */
static int read_unit(const gs_verified *verified, const gs_member *member, uint64_t number, void *out, gs_error *err)
{
    gs_unit unit;
    gs_digest digest;
    gs_unit_get(&verified->index, member, number, &unit);
    int code = gs_medium_read(&verified->file->medium, out, unit.length, unit.offset, err);
    code = code == 0 ? gs_digest_of(out, unit.length, &digest, err) : code;
    if (code == 0 && !gs_digest_equal(&digest, &unit.digest)) {
        code = gs_unit_fail(verified, member, &unit, err);
    }
    return code;
}

int gs_verified_read(const gs_verified *verified, const gs_member *member, size_t max, gs_buf *out, gs_error *err)
{
    if (member->size > max) {
        char name[GS_MEMBER_NAME];
        gs_member_name(member, name);
        return gs_fail(err, GS_EFORMAT, "%s has %" PRIu64 " bytes, more than the %zu that gapship accepts there", name,
                       member->size, max);
    }
    size_t before = out->len;
    unsigned char *room = gs_buf_reserve(out, (size_t)member->size);
    int code = room ? 0 : gs_buf_check(out, err);
    for (uint64_t i = 0; code == 0 && i < gs_unit_count(member); i++) {
        code = read_unit(verified, member, i, room + i * GS_CHUNK_BYTES, err);
    }
    if (code == 0) {
        out->len = before + (size_t)member->size;
        (void)gs_buf_text(out);
    }
    return code;
}

/* A stream of a member: one unit in memory, checked, handed out in pieces. */
typedef struct unit_source {
    const gs_verified *verified;
    const gs_member *member;
    uint64_t next; /* unit to be read */
    unsigned char *unit;
    size_t length;
    size_t taken;
} unit_source;

static int unit_source_read(void *state, void *out, size_t len, size_t *got, gs_error *err)
{
    unit_source *source = state;
    if (source->taken == source->length && source->next < gs_unit_count(source->member)) {
        gs_unit unit;
        int code = read_unit(source->verified, source->member, source->next, source->unit, err);
        if (code != 0) {
            return code;
        }
        gs_unit_get(&source->verified->index, source->member, source->next, &unit);
        source->length = unit.length;
        source->taken = 0;
        source->next++;
    }
    size_t left = source->length - source->taken;
    size_t piece = len < left ? len : left;
    if (piece > 0) {
        memcpy(out, source->unit + source->taken, piece);
    }
    source->taken += piece;
    *got = piece;
    return 0;
}

static int unit_source_close(void *state, bool cancelled, gs_error *err)
{
    unit_source *source = state;
    bool ended = source->next == gs_unit_count(source->member) && source->taken == source->length;
    free(source->unit);
    free(source);
    return cancelled || ended ? 0 : gs_fail(err, GS_EINTERNAL, "a blob was closed before its end");
}

int gs_verified_source(const gs_verified *verified, const gs_member *member, gs_source **out, gs_error *err)
{
    static const gs_source_ops ops = {unit_source_read, unit_source_close};
    unit_source *source = calloc(1, sizeof *source);
    size_t room = member->size < GS_CHUNK_BYTES ? (size_t)member->size : GS_CHUNK_BYTES;
    unsigned char *unit = malloc(room ? room : 1);
    if (!source || !unit) {
        free(source);
        free(unit);
        return gs_fail_nomem(err);
    }
    *source = (unit_source){.verified = verified, .member = member, .unit = unit};
    return gs_source_new(&ops, source, out, err);
}
