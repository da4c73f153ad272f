/* The bundle: bundle-spec/FORMAT.md as code. A signed OCI image layout in a tar, format version 1, verbatim profile.
 *
 * Reading is in three types. gs_bundle: a file was opened and its framing read; nothing else is known. gs_verified: enough trusted
 * keys signed the head, the statement and the index are parsed, every byte of the file is accounted for; made by gs_bundle_verify
 * alone. Loaders and planners accept nothing else. Content is checked against the index before it is used, by chunk.
 */
#ifndef GAPSHIP_BUNDLE_H
#define GAPSHIP_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/crypto.h"
#include "gapship/oci.h"
#include "gapship/run.h"
#include "gapship/trust.h"

/* ---- the statement ---- */

/* What is signed (in-toto Statement v1, JSON). Strings live as long as their owner. */
typedef struct gs_statement {
    const char *product;
    const char *version;
    uint64_t epoch, sequence, security_floor;
    int64_t issued_at;
    int64_t fresh_until;    /* a site should have been told of a newer one by then; 0: nothing said */
    uint64_t total_length;  /* of the file */
    uint64_t envelope_size; /* of the first member's data */
    gs_digest index;
    uint64_t index_size;
    gs_digest layout;          /* index.json */
    gs_digest roots;           /* the chain of roots that it carries */
    uint64_t roots_size;       /* 0: it carries none */
    const char *upgrades_from; /* constraint, or NULL */
} gs_statement;

/* ---- members ---- */

typedef enum gs_member_kind {
    GS_MEMBER_LAYOUT = 1,
    GS_MEMBER_INDEX_JSON = 2,
    GS_MEMBER_MANIFEST_JSON = 3,
    GS_MEMBER_BLOB = 4
} gs_member_kind;

typedef struct gs_member {
    gs_member_kind kind;
    gs_digest digest;
    uint64_t size;
    uint64_t offset; /* of the data in the file */
} gs_member;

#define GS_MEMBER_NAME 78 /* "blobs/sha256/", 64 digits and NUL */
/* The member's name in the tar. */
void gs_member_name(const gs_member *member, char out[GS_MEMBER_NAME]);

/* ---- reading ---- */

typedef struct gs_bundle gs_bundle;
typedef struct gs_verified gs_verified;

/* Opens once; the path is not used again. Where it is a volume of a split bundle, all others are looked for beside it. GS_EFORMAT: not
 * a bundle, unsupported version (which), impossible lengths, a volume of something else. GS_ENOTFOUND: no file, or volumes are
 * missing (which). */
int gs_bundle_open(const char *path, gs_bundle **out, gs_error *err) GS_MUST_USE;
/* The same, with volumes in further directories too. */
int gs_bundle_open_volumes(const char *path, const char *const *directories, size_t count, gs_bundle **out,
                           gs_error *err) GS_MUST_USE;
/* For a whole file in a directory (the store); a volume is refused. */
int gs_bundle_open_at(int dirfd, const char *name, gs_bundle **out, gs_error *err) GS_MUST_USE;
void gs_bundle_free(gs_bundle *bundle);
void gs_bundle_free_p(gs_bundle **bundle);
#define GS_AUTO_BUNDLE __attribute__((cleanup(gs_bundle_free_p)))
uint64_t gs_bundle_length(const gs_bundle *bundle);
size_t gs_bundle_signature_count(const gs_bundle *bundle);
/* How many files it is in: 1 also for a split bundle of one volume. */
size_t gs_bundle_volume_count(const gs_bundle *bundle);

/* Walks the chain of roots that the bundle carries, if any, from *trust on, as gs_trust_walk does: before gs_bundle_verify, so that the
 * bundle is judged by the newest root. Nothing else of the bundle is believed for it. */
int gs_bundle_walk(const gs_bundle *bundle, gs_trust **trust, int (*reached)(void *state, const gs_trust *next, gs_error *err),
                   void *state, gs_error *err) GS_MUST_USE;

/* On which terms a bundle counts as authentic. */
typedef struct gs_terms {
    const gs_trust
        *trust;          /* NULL: a look without trust (inspect): the result says authentic false, no loader or planner takes it */
    bool allow_unsigned; /* a bundle without any signature passes too, with authentic false */
    const gs_digest
        *vouched; /* this very bundle counts as authentic whoever signed it: the site's ledger or a permit says so. NULL: none */
} gs_terms;

/* Checks the thresholds of the release role and, where there is one, of the site role (each key counts once), then parses statement and
 * index and accounts for every byte. Takes bundle over on success (*bundle becomes NULL). GS_ESIGNATURE: how many of how many, by
 * which key ids. GS_EFORMAT, GS_EDIGEST: the head was changed, cut or extended. */
int gs_bundle_verify(gs_bundle **bundle, const gs_terms *terms, gs_verified **out, gs_error *err) GS_MUST_USE;
void gs_verified_free(gs_verified *verified);
void gs_verified_free_p(gs_verified **verified);
#define GS_AUTO_VERIFIED __attribute__((cleanup(gs_verified_free_p)))

bool gs_verified_authentic(const gs_verified *verified);
/* The bundle's digest: SHA-256 of the statement's bytes. It names the bundle everywhere and does not change when a signature is
 * added. */
const gs_digest *gs_verified_digest(const gs_verified *verified);
const gs_statement *gs_verified_statement(const gs_verified *verified);
/* The signed bytes, for `extract --signatures`: statement and its pre-authentication encoding. */
int gs_verified_statement_bytes(const gs_verified *verified, gs_buf *statement, gs_buf *encoding, gs_error *err) GS_MUST_USE;
const gs_signature_report *gs_verified_signatures(const gs_verified *verified, size_t *count);
/* The bytes of one signature, borrowed. */
const void *gs_verified_signature(const gs_verified *verified, size_t i, size_t *len);
const gs_member *gs_verified_members(const gs_verified *verified, size_t *count);
const gs_member *gs_verified_blob(const gs_verified *verified, const gs_digest *digest); /* NULL: not carried */
/* The file itself, for uploads and for serving; valid while verified lives. -1 when the bundle is split into volumes, which kept ones
 * never are. */
int gs_verified_fd(const gs_verified *verified);
size_t gs_verified_volume_count(const gs_verified *verified);
uint64_t gs_verified_length(const gs_verified *verified);

/* Reads a small member whole (at most max) and checks it. */
int gs_verified_read(const gs_verified *verified, const gs_member *member, size_t max, gs_buf *out, gs_error *err) GS_MUST_USE;
/* A stream of a member whose every chunk is checked before a byte of it is handed out. */
int gs_verified_source(const gs_verified *verified, const gs_member *member, gs_source **out, gs_error *err) GS_MUST_USE;
/* Reads and checks every byte of the file, in parallel (run->jobs). GS_EDIGEST names the member and the chunk's offset. */
int gs_verified_check(const gs_run *run, const gs_verified *verified, gs_error *err) GS_MUST_USE;
/* Copies the whole file to fd (from 0) while checking every byte: the medium is read once. fd's content is worthless on failure. */
int gs_verified_copy(const gs_run *run, const gs_verified *verified, int fd, gs_error *err) GS_MUST_USE;

/* ---- writing ---- */

/* A bundle in the making: `NAME.partial` beside the final name, filled in place. Blobs may arrive in any order, on any thread. */
typedef struct gs_writer gs_writer;

/* What is known once the manifests are: index.json and manifest.json whole, and digest and size of every blob (unique; the order
 * given is the order in the file). */
typedef struct gs_writer_plan {
    const void *index_json;
    size_t index_json_len;
    const void *manifest_json;
    size_t manifest_json_len;
    const gs_descriptor *blobs;
    size_t blob_count;
    const void *roots; /* a chain for sites that know an earlier root (trust.h), at most GS_MAX_ROOTS_BYTES; NULL: none */
    size_t roots_len;
    uint64_t volume_size;   /* the bundle becomes volumes PATH.001, … of at most so many bytes; 0: it is one file */
    gs_statement statement; /* total_length, envelope_size, index*, layout, roots* are filled in by the writer */
} gs_writer_plan;

/* GS_EEXISTS: what would be written at PATH exists already (which file); volumes that an interrupted build has given their names, all
 * but the first, are its own. */
int gs_writer_check_free(const char *path, bool split, gs_error *err) GS_MUST_USE;
/* Lays out the file, checks the free space, makes or reopens PATH.partial (PATH.001.partial and so on). With a partial of the same length, blobs that are
 * already at their place (re-hashed now) are done; another one is begun anew. Both are told by an event. run must outlive the
 * writer; of plan nothing is kept. GS_ESPEC: the plan cannot become a bundle; GS_ELIMIT: it is too large for one; GS_ENOSPACE;
 * GS_ELOCKED: another process is on the same partial. */
int gs_writer_begin(const gs_run *run, const char *path, const gs_writer_plan *plan, gs_writer **out, gs_error *err) GS_MUST_USE;
uint64_t gs_writer_length(const gs_writer *writer);
size_t gs_writer_volume_count(const gs_writer *writer); /* 0: it is one file */
bool gs_writer_has(const gs_writer *writer, const gs_digest *blob);
/* A sink for one blob: written at its place and hashed as it arrives, at most its size. Closing it proves digest and size
 * (GS_EDIGEST), and only then the blob counts as there. */
int gs_writer_blob(gs_writer *writer, const gs_digest *blob, gs_sink **out, gs_error *err) GS_MUST_USE;
/* Takes a blob out of a file (copy_file_range, then hashed in place). */
int gs_writer_copy(gs_writer *writer, const gs_digest *blob, int fd, uint64_t offset, gs_error *err) GS_MUST_USE;
/* The same out of another bundle, which has to carry it. */
int gs_writer_reuse(gs_writer *writer, const gs_digest *blob, const gs_verified *from, gs_error *err) GS_MUST_USE;
/* Writes index and envelope, signs with each key, fsyncs, renames to PATH. replace: an existing PATH may go. digest (may be NULL)
 * gets the bundle's digest. GS_EEXISTS: PATH exists, or a key is given twice; GS_EINTERNAL: a blob is missing. After these the
 * writer can go on; after an error of the disk the partial is gone. */
int gs_writer_seal(gs_writer *writer, const gs_private_key *const *keys, size_t key_count, bool replace, gs_digest *digest,
                   gs_error *err) GS_MUST_USE;
/* Ends it; without a seal the .partial stays for the next build. NULL is fine. */
void gs_writer_free(gs_writer *writer);
void gs_writer_free_p(gs_writer **writer);
#define GS_AUTO_WRITER __attribute__((cleanup(gs_writer_free_p)))

/* The payload type that a statement is signed with. */
#define GS_STATEMENT_TYPE "application/vnd.in-toto+json"
/* Adds a signature to a finished bundle, in its reserved space, after proving that it verifies. The file is changed in place so
 * that after a power loss it is as before, or has the signature, or is refused by readers until the same call repairs it (FORMAT.md
 * "Writing"). GS_EEXISTS: this key signed already. GS_ELIMIT: no room. GS_ELOCKED. */
int gs_bundle_add_signature(const char *path, const gs_public_key *key, const void *signature, size_t len,
                            gs_error *err) GS_MUST_USE;

#endif
