/* The root document (FORMAT.md section 8) as the module's files share it. */
#ifndef GAPSHIP_TRUST_ROOT_H
#define GAPSHIP_TRUST_ROOT_H

#include "gapship/buf.h"
#include "gapship/trust.h"

#define GS_ROOT_TYPE "gapship-root"

typedef struct gs_root_signature {
    const char *key_id;
    const char *signature; /* base64 */
    int64_t scheme;        /* GS_SCHEME_KEY or GS_SCHEME_MINISIGN: its key may be of an earlier root, and not known here */
} gs_root_signature;

struct gs_trust {
    gs_arena *arena; /* everything but the keys */
    uint64_t version, epoch;
    int64_t expires;
    gs_public_key **keys; /* each owned */
    size_t key_count;
    gs_trust_role roles[GS_ROLES];
    gs_root_signature *signatures;
    size_t signature_count; /* at most GS_MAX_SIGNATURES, each by another key */
};

int gs_trust_new(gs_trust **out, gs_error *err) GS_MUST_USE;
/* Parses the body of a link whose signatures were checked, and takes over its signatures. GS_ESPEC. */
int gs_trust_parse_body(const gs_document *link, gs_trust **out, gs_error *err) GS_MUST_USE;
/* Keeps a signature beside those that are there (root_write.c). */
int gs_trust_keep_signature(gs_trust *trust, unsigned scheme, const gs_digest *key_id, const void *signature, size_t len,
                            gs_error *err) GS_MUST_USE;
/* A whole document: `count` entries as they stand in a file (document.c). */
int gs_document_frame(gs_document_type type, const gs_buf *body, size_t count, const gs_buf *entries, gs_buf *out,
                      gs_error *err) GS_MUST_USE;

#endif
