/* Whom a site trusts, and whether enough of them have signed: root documents, their chains, thresholds, and small signed documents
 * (bundle-spec/FORMAT.md sections 6, 8 and 13). Bundles are the business of bundle.h, which uses this.
 *
 * Nothing here parses JSON of which a threshold was not checked before, but for gs_trust_load and gs_trust_parse: what they read is
 * what a person trusts by other means (a site's pinned root, or a root in the making).
 */
#ifndef GAPSHIP_TRUST_H
#define GAPSHIP_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/crypto.h"
#include "gapship/limits.h"

/* ---- the root document ---- */

/* Who may do what. ROOT signs later roots, RELEASE signs bundles and downgrade permits; where there is a SITE role, a bundle needs its
 * threshold too: a second approval, by signatures added to the bundle. */
typedef enum gs_role { GS_ROLE_ROOT, GS_ROLE_RELEASE, GS_ROLE_SITE } gs_role;
#define GS_ROLES 3
/* "root", "release", "site" */
const char *gs_role_name(gs_role role);

typedef struct gs_trust_role {
    const gs_public_key *const *keys;
    size_t count; /* 0: there is no such role; only SITE may be absent */
    unsigned threshold;
} gs_trust_role;

typedef struct gs_trust gs_trust;
/* Reads a root document, or one public key (PEM or minisign): that is a root of version 1, epoch 1, with this one key and threshold 1.
 * GS_ESPEC: threshold 0 or more than its keys, the same key twice, unknown fields. */
int gs_trust_load(const char *path, gs_trust **out, gs_error *err) GS_MUST_USE;
int gs_trust_parse(const char *name, const void *data, size_t len, gs_trust **out, gs_error *err) GS_MUST_USE;
void gs_trust_free(gs_trust *trust);
void gs_trust_free_p(gs_trust **trust);
#define GS_AUTO_TRUST __attribute__((cleanup(gs_trust_free_p)))
/* A root in the making; the keys are copied, and roles may share them. GS_ESPEC as above. */
typedef struct gs_trust_draft {
    uint64_t version, epoch; /* from 1 */
    int64_t expires;         /* seconds since 1970; 0: never */
    gs_trust_role roles[GS_ROLES];
} gs_trust_draft;
int gs_trust_make(const gs_trust_draft *draft, gs_trust **out, gs_error *err) GS_MUST_USE;
/* The root document that says the same, pretty JSON, with the signatures it has. */
int gs_trust_write(const gs_trust *trust, gs_buf *out, gs_error *err) GS_MUST_USE;
/* What is signed and what people compare the digest of: the value of "signed" by RFC 8785 (`jq -jcS .signed`). */
int gs_trust_body(const gs_trust *trust, gs_buf *out, gs_error *err) GS_MUST_USE;
/* What a key of the root role signs: the pre-authentication encoding of the body; at most GS_ROOT_ENCODING_BYTES. */
#define GS_ROOT_ENCODING_BYTES (3u * GS_MAX_ROOT_BYTES)
int gs_trust_encoding(const gs_trust *trust, gs_buf *out, gs_error *err) GS_MUST_USE;
/* SHA-256 of the body. */
int gs_trust_fingerprint(const gs_trust *trust, gs_digest *out, gs_error *err) GS_MUST_USE;
uint64_t gs_trust_version(const gs_trust *trust);
uint64_t gs_trust_epoch(const gs_trust *trust);
const gs_trust_role *gs_trust_role_of(const gs_trust *trust, gs_role role);
/* The one key, in whatever roles, whose id begins so; the root's. GS_ENOTFOUND; GS_EUSAGE: several do, or fewer than GS_KEY_PREFIX digits. */
#define GS_KEY_PREFIX 8u
int gs_trust_find_key(const gs_trust *trust, const char *prefix, const gs_public_key **out, gs_error *err) GS_MUST_USE;

/* ---- signatures ---- */

/* The pre-authentication encoding of DSSE v1: what is signed of a body of this type. */
int gs_pae(const char *type, const void *body, size_t len, gs_buf *out, gs_error *err) GS_MUST_USE;

/* One entry of a list of signatures as it stands in a file (FORMAT.md section 3). */
typedef struct gs_signature_entry {
    uint16_t scheme; /* GS_SCHEME_… of crypto.h, or one that this version does not know */
    gs_digest key_id;
    size_t offset; /* of the signature in the data */
    size_t length;
} gs_signature_entry;
#define GS_SIGNATURE_HEADER 40u
/* `count` entries (at most GS_MAX_SIGNATURES) from `at` in data of `size` bytes, at <= size; *end is behind the last. Allocates nothing.
 * GS_EFORMAT: one does not fit, or two are by one key. */
int gs_signature_entries_parse(const unsigned char *data, size_t size, size_t at, size_t count, gs_signature_entry *out,
                               size_t *end, gs_error *err) GS_MUST_USE;
void gs_signature_entry_write(gs_buf *out, unsigned scheme, const gs_digest *key_id, const void *signature, size_t len);

/* How one entry stood, for reports. */
typedef struct gs_signature_report {
    gs_digest key_id;
    bool known; /* to the role */
    bool good;
} gs_signature_report;

/* Something signed: the encoding, and the entries with the data they point into. */
typedef struct gs_signed {
    const gs_buf *encoding;
    const unsigned char *data;
    const gs_signature_entry *entries;
    size_t count;
} gs_signed;
/* Counts the keys of the role that signed (*good), and fills a report for each entry. An entry of an unknown key or scheme is reported
 * and does not count. GS_ESIGNATURE: a signature by a key of the role that does not verify, or is of another scheme than the key's;
 * nobody but an attacker or a broken medium makes one. role NULL: nobody is known. */
int gs_signatures_count(const gs_trust_role *role, const gs_signed *what, gs_signature_report *reports, unsigned *good,
                        gs_error *err) GS_MUST_USE;

/* ---- signed documents (FORMAT.md section 13) ---- */

/* A small file, or a link of a chain: binary framing around a body and signatures, so that nothing of the body is parsed before enough
 * keys signed it. The payload type of its encoding follows from its type. */
typedef enum gs_document_type { GS_DOCUMENT_ROOT = 1, GS_DOCUMENT_PERMIT = 2 } gs_document_type;
#define GS_DOCUMENT_MAGIC "GSSIGNED"
typedef struct gs_document {
    gs_document_type type;
    const unsigned char *data; /* borrowed; entries point into it */
    size_t size;               /* of the whole document: a next one begins there */
    size_t body_offset, body_len;
    size_t count;
    gs_signature_entry entries[GS_MAX_SIGNATURES];
} gs_document;
/* The first document in data. Allocates nothing. GS_EFORMAT. */
int gs_document_parse(const void *data, size_t len, gs_document *out, gs_error *err) GS_MUST_USE;
/* Counts the keys of a role that signed it, as gs_signatures_count does. */
int gs_document_count(const gs_document *document, const gs_trust_role *role, gs_signature_report *reports, unsigned *good,
                      gs_error *err) GS_MUST_USE;
/* What is signed of a body of this type. */
int gs_document_encoding(gs_document_type type, const void *body, size_t len, gs_buf *out, gs_error *err) GS_MUST_USE;
/* Appends a document without signatures. */
int gs_document_write(gs_document_type type, const void *body, size_t len, gs_buf *out, gs_error *err) GS_MUST_USE;
/* Adds a signature to a buffer that holds one document, after proving that it verifies. GS_EEXISTS: this key signed already. */
int gs_document_sign(gs_buf *document, const gs_public_key *key, const void *signature, size_t len, gs_error *err) GS_MUST_USE;

/* ---- chains of roots (FORMAT.md section 8) ---- */

/* Adds a signature to a root document, after proving that it verifies over gs_trust_body. GS_EEXISTS. */
int gs_trust_sign(gs_trust *trust, const gs_public_key *key, const void *signature, size_t len, gs_error *err) GS_MUST_USE;
/* Whether `next` may follow `trust`: version one higher, epoch not lower, signed by the thresholds of the root roles of both. What is
 * missing is said with key ids. */
int gs_trust_follows(const gs_trust *trust, const gs_trust *next, gs_error *err) GS_MUST_USE;
/* How the root role of `by`, which may be the root itself, sees the signatures of a root: a report for each (room for
 * GS_MAX_SIGNATURES), and how many keys of the role have signed. GS_ESIGNATURE as gs_signatures_count. */
int gs_trust_signers(const gs_trust *trust, const gs_trust *by, gs_signature_report *reports, size_t *count, unsigned *good,
                     gs_error *err) GS_MUST_USE;
/* Appends a root as a link of a chain: a signed document whose body is gs_trust_body. */
int gs_trust_link(const gs_trust *trust, gs_buf *out, gs_error *err) GS_MUST_USE;
/* Makes a chain of root documents, versions one after the other, the first from 2 on. Each must be signed by both thresholds; of the first
 * only its own can be checked. GS_ESPEC, GS_ESIGNATURE, GS_ELIMIT. */
int gs_trust_chain(const char *const *paths, size_t count, gs_buf *out, gs_error *err) GS_MUST_USE;
/* Walks a chain (at most GS_MAX_ROOTS_BYTES, versions one after the other) from *trust on. Links of versions that *trust has reached are
 * passed over. Each further link is checked against the root role of the one before, only then parsed, then checked against its own;
 * then `reached` (may be NULL) is called, which keeps it for good, and *trust is replaced. So what was reached stays reached when a
 * later link is bad. GS_ESIGNATURE: not by enough keys; GS_EFORMAT: a gap in the versions, or no chain. */
int gs_trust_walk(gs_trust **trust, const void *chain, size_t len, int (*reached)(void *state, const gs_trust *next, gs_error *err),
                  void *state, gs_error *err) GS_MUST_USE;
/* Seconds since 1970 after which the root should have been replaced; 0: never. Only reported, or refused where the site says so. */
int64_t gs_trust_expires(const gs_trust *trust);

#endif
