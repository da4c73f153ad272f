/* Reads and writes the envelope. Knows neither JSON nor keys nor files, and allocates nothing: what it is given was not checked by
 * anybody yet. */
#include "envelope.h"

#include <inttypes.h>
#include <string.h>

#include "gapship/num.h"

#define ROOTS_OFFSET    24u
#define RESERVED_OFFSET 28u

int gs_envelope_fail_partial(gs_error *err)
{
    (void)gs_fail(err, GS_EFORMAT, "this is the unfinished file of a build");
    (void)gs_error_hint(err, "run the same \"gapship build\" again: it goes on from here");
    return GS_EFORMAT;
}

static int check_magic(const unsigned char *header, gs_error *err)
{
    if (memcmp(header, GS_PARTIAL_MAGIC, GS_MAGIC_BYTES) == 0) {
        return gs_envelope_fail_partial(err);
    }
    if (memcmp(header, GS_ENVELOPE_MAGIC, GS_MAGIC_BYTES) != 0) {
        return gs_fail(err, GS_EFORMAT, "this is not a bundle: its envelope does not begin with %s", GS_ENVELOPE_MAGIC);
    }
    uint32_t version = gs_load_u32(header + 8);
    if (version != GS_FORMAT_VERSION) {
        (void)gs_fail(err, GS_EFORMAT, "the bundle has format version %" PRIu32 ", this gapship reads version %u", version,
                      GS_FORMAT_VERSION);
        (void)gs_error_hint(err, "use a gapship as new as the one that made it");
        return GS_EFORMAT;
    }
    if (!gs_all_zero(header + RESERVED_OFFSET, GS_ENVELOPE_HEADER - RESERVED_OFFSET)) {
        (void)gs_fail(err, GS_EFORMAT, "the envelope uses fields that this gapship does not know");
        (void)gs_error_hint(err, "use a gapship as new as the one that made it");
        return GS_EFORMAT;
    }
    return 0;
}

int gs_envelope_parse_header(const unsigned char header[GS_ENVELOPE_HEADER], uint64_t file_length, gs_envelope *out, gs_error *err)
{
    int code = check_magic(header, err);
    if (code != 0) {
        return code;
    }
    uint32_t size = gs_load_u32(header + 12);
    uint32_t statement_length = gs_load_u32(header + 16);
    uint32_t count = gs_load_u32(header + GS_ENVELOPE_COUNT_OFFSET);
    uint32_t roots_length = gs_load_u32(header + ROOTS_OFFSET);
    if (size < GS_BLOCK || size > GS_MAX_ENVELOPE_BYTES || size % GS_BLOCK != 0) {
        return gs_fail(err, GS_EFORMAT, "the envelope's size %" PRIu32 " is not a multiple of %u up to %zu", size, GS_BLOCK,
                       GS_MAX_ENVELOPE_BYTES);
    }
    if (file_length < GS_ENVELOPE_OFFSET || size > file_length - GS_ENVELOPE_OFFSET) {
        return gs_fail(err, GS_EFORMAT, "the file ends inside its envelope: it was cut short");
    }
    if (statement_length == 0 || statement_length > GS_MAX_STATEMENT_BYTES || statement_length > size - GS_ENVELOPE_HEADER) {
        return gs_fail(err, GS_EFORMAT, "the statement's length %" PRIu32 " does not fit the envelope", statement_length);
    }
    if (roots_length > GS_MAX_ROOTS_BYTES || roots_length > size - GS_ENVELOPE_HEADER - statement_length) {
        return gs_fail(err, GS_EFORMAT, "the length %" PRIu32 " of the chain of roots does not fit the envelope", roots_length);
    }
    if (count > GS_MAX_SIGNATURES) {
        return gs_fail(err, GS_EFORMAT, "the envelope has %" PRIu32 " signatures, %u are the most", count, GS_MAX_SIGNATURES);
    }
    *out = (gs_envelope){.size = size,
                         .statement_length = statement_length,
                         .roots_offset = GS_ENVELOPE_HEADER + statement_length,
                         .roots_length = roots_length,
                         .count = count};
    return 0;
}

int gs_envelope_parse_entries(const unsigned char *data, gs_envelope *out, gs_error *err)
{
    return gs_signature_entries_parse(data, out->size, out->roots_offset + out->roots_length, out->count, out->signatures,
                                      &out->end, err);
}

int gs_envelope_check_rest(const unsigned char *data, const gs_envelope *envelope, gs_error *err)
{
    if (!gs_all_zero(data + envelope->end, envelope->size - envelope->end)) {
        (void)gs_fail(err, GS_EFORMAT, "the envelope has bytes behind its last signature");
        (void)gs_error_hint(err, "if the power failed while a signature was added, add the same signature again");
        return GS_EFORMAT;
    }
    return 0;
}

void gs_envelope_write_head(gs_buf *out, size_t envelope_size, const gs_envelope_parts *parts, size_t signature_count)
{
    gs_buf_add(out, GS_ENVELOPE_MAGIC, GS_MAGIC_BYTES);
    gs_buf_add_u32(out, GS_FORMAT_VERSION);
    gs_buf_add_u32(out, (uint32_t)envelope_size);
    gs_buf_add_u32(out, (uint32_t)parts->statement_len);
    gs_buf_add_u32(out, (uint32_t)signature_count);
    gs_buf_add_u32(out, (uint32_t)parts->roots_len);
    gs_buf_add_zeros(out, GS_ENVELOPE_HEADER - RESERVED_OFFSET);
    gs_buf_add(out, parts->statement, parts->statement_len);
    gs_buf_add(out, parts->roots, parts->roots_len);
}
