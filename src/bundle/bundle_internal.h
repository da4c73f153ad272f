/* An opened and a verified bundle as the module's files share them. */
#ifndef GAPSHIP_BUNDLE_INTERNAL_H
#define GAPSHIP_BUNDLE_INTERNAL_H

#include "envelope.h"
#include "gapship/bundle.h"
#include "index.h"
#include "volume.h"

struct gs_bundle {
    gs_medium medium;
    char *name;       /* for messages */
    gs_digest volume; /* which bundle the headers of its volumes say that they carry; nothing when it is one file */
    gs_envelope envelope;
    unsigned char *head; /* the envelope's data, envelope.size bytes */
};

struct gs_verified {
    gs_bundle *file;
    bool authentic;
    gs_digest digest;
    gs_arena *arena; /* of the statement's strings */
    gs_statement statement;
    gs_signature_report reports[GS_MAX_SIGNATURES];
    gs_index index;
};

bool gs_bundle_is_split(const gs_bundle *bundle);
/* Reads and checks the framing of an open file; medium is taken over on success only. */
int gs_bundle_read_head(gs_medium *medium, const char *name, gs_bundle **out, gs_error *err) GS_MUST_USE;
/* Adds the bundle's name, as its user gave it, to an error that has no place yet. Which volume it is about is in the message. */
void gs_bundle_name_error(const gs_bundle *bundle, gs_error *err);
/* "of the file", or which volumes these bytes are on, as an error says it. */
#define GS_PLACE_TEXT 320
void gs_bundle_place(const gs_bundle *bundle, uint64_t offset, uint64_t len, char out[GS_PLACE_TEXT]);

/* That the chain of roots beside the statement is the one it names (roots.c). GS_EFORMAT, GS_EDIGEST. */
int gs_bundle_check_roots(const gs_bundle *bundle, const gs_statement *statement, gs_error *err) GS_MUST_USE;

/* The bytes that stand before the data of a member: the padding of what ends at `end`, and the member's header. */
#define GS_GAP_BYTES (2 * GS_BLOCK)
size_t gs_gap_before(const gs_member *member, uint64_t end, unsigned char out[GS_GAP_BYTES]);
/* The same behind the last member: its padding and the end of the file. */
#define GS_TAIL_BYTES (GS_BLOCK + GS_END_BYTES)
size_t gs_gap_at_end(uint64_t end, unsigned char out[GS_TAIL_BYTES]);

/* One unit of checking: a chunk of a long member, or a whole short one. */
typedef struct gs_unit {
    uint64_t offset; /* in the file */
    size_t length;
    gs_digest digest;
} gs_unit;
uint64_t gs_unit_count(const gs_member *member);
void gs_unit_get(const gs_index *index, const gs_member *member, uint64_t number, gs_unit *out);
/* GS_EDIGEST naming member and place. */
int gs_unit_fail(const gs_verified *verified, const gs_member *member, const gs_unit *unit, gs_error *err);

#endif
