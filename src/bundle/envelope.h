/* The binary framing around the statement (FORMAT.md section 3): all that is read of a file before a signature was checked. */
#ifndef GAPSHIP_BUNDLE_ENVELOPE_H
#define GAPSHIP_BUNDLE_ENVELOPE_H

#include "format.h"
#include "gapship/trust.h"

/* Offsets and lengths in the member's data, all inside it. */
typedef struct gs_envelope {
    size_t size;
    size_t statement_length; /* the statement is at GS_ENVELOPE_HEADER */
    size_t roots_offset;     /* of the chain of roots */
    size_t roots_length;     /* 0: there is none */
    size_t end;              /* of the last entry */
    size_t count;
    gs_signature_entry signatures[GS_MAX_SIGNATURES];
} gs_envelope;

/* The header alone, of a file of file_length bytes: afterwards `size` may be read. GS_EFORMAT. */
int gs_envelope_parse_header(const unsigned char header[GS_ENVELOPE_HEADER], uint64_t file_length, gs_envelope *out,
                             gs_error *err) GS_MUST_USE;
/* The entries behind the header, in data of out->size bytes. GS_EFORMAT. */
int gs_envelope_parse_entries(const unsigned char *data, gs_envelope *out, gs_error *err) GS_MUST_USE;
/* That nothing but zeros follows the entries. GS_EFORMAT. */
int gs_envelope_check_rest(const unsigned char *data, const gs_envelope *envelope, gs_error *err) GS_MUST_USE;

/* Says of a file with the magic GS_PARTIAL_MAGIC what it is. GS_EFORMAT. */
int gs_envelope_fail_partial(gs_error *err) GS_MUST_USE;

/* What stands between header and entries. */
typedef struct gs_envelope_parts {
    const void *statement;
    size_t statement_len;
    const void *roots; /* a chain; NULL where roots_len is 0 */
    size_t roots_len;
} gs_envelope_parts;
/* Header, statement and chain, without entries. The caller adds those, and zeros. */
void gs_envelope_write_head(gs_buf *out, size_t envelope_size, const gs_envelope_parts *parts, size_t signature_count);
/* Where the count stands in the data, for gs_bundle_add_signature. */
#define GS_ENVELOPE_COUNT_OFFSET 20u

#endif
