/* Permits (bundle-spec/FORMAT.md section 15): one bundle may come in although it is older than what a site accepted, or may be gone back
 * to although its signers were revoked. What one says and whether it counts by a root; what a site makes of it is install.h's.
 */
#ifndef GAPSHIP_PERMIT_H
#define GAPSHIP_PERMIT_H

#include "gapship/trust.h"

/* How a bundle stands to another in its product's order: <0 older, 0 the same place, >0 newer. */
int gs_order_compare(int64_t epoch, int64_t sequence, int64_t other_epoch, int64_t other_sequence);

typedef struct gs_permit {
    const char *product;
    const char *site; /* NULL: any */
    gs_digest bundle;
    uint64_t epoch, sequence;             /* the bundle's own */
    uint64_t below_epoch, below_sequence; /* it counts while the site has accepted nothing above this */
    int64_t issued_at;
    int64_t expires; /* 0: never */
    const char *reason;
    /* Set by gs_permit_load: */
    gs_role role;        /* whose threshold signed it: ROOT, or RELEASE */
    const char *signers; /* "1f2e3d4c5b6a7988, …" */
} gs_permit;

/* NULL, or what is wrong with what people choose. */
const char *gs_permit_problem(const gs_permit *permit);
/* What is signed: JSON by RFC 8785. GS_ESPEC. */
int gs_permit_body(const gs_permit *permit, gs_buf *out, gs_error *err) GS_MUST_USE;
/* Reads exactly what gs_permit_body writes. Strings live in arena. GS_EFORMAT. */
int gs_permit_parse(const void *body, size_t len, gs_arena *arena, gs_permit *out, gs_error *err) GS_MUST_USE;

#define GS_PERMIT_FILE_BYTES (GS_MAX_DOCUMENT_BYTES + GS_MAX_SIGNATURES * (GS_SIGNATURE_HEADER + GS_MAX_SIGNATURE_BYTES) + 64)
/* Reads a permit's file as the document that it is, believing nothing of it; text is initialised here, and what the document points into.
 * GS_EFORMAT. */
int gs_permit_read(const char *path, gs_buf *text, gs_document *out, gs_error *err) GS_MUST_USE;
/* Reads a file. Only when the threshold of the root or the release role signed it, its body is parsed. GS_ESIGNATURE, GS_EFORMAT. */
int gs_permit_load(const char *path, const gs_trust *trust, gs_arena *arena, gs_permit *out, gs_error *err) GS_MUST_USE;

#endif
