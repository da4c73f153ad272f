/* Making what sites will trust: root documents and chains of them, permits, and the signatures on both (bundle-spec/FORMAT.md sections 8,
 * 13 and 15). On neither side: this is done where the keys are, often on a machine without a network. Whether a site believes what is
 * made here is decided there.
 *
 * A file that people sign one after the other is locked while it is changed (GS_ELOCKED).
 */
#ifndef GAPSHIP_CEREMONY_H
#define GAPSHIP_CEREMONY_H

#include "gapship/permit.h"
#include "gapship/run.h"
#include "gapship/signature.h"

/* ---- roots ---- */

typedef struct gs_role_change {
    const char *const *keys; /* public key files, which are added */
    size_t count;
    unsigned threshold; /* 0: as it was, or 1 */
} gs_role_change;

typedef struct gs_root_change {
    gs_role_change roles[GS_ROLES];
    const char *const *drop; /* how the ids of keys begin that leave every role; gs_trust_find_key */
    size_t drop_count;
    bool new_epoch;
    const char *expires; /* "2030-01-01T00:00:00Z", "never"; NULL: as it was */
} gs_root_change;

/* Writes root 1 to a new file. Without release keys the root keys release. GS_EUSAGE, GS_ESPEC, GS_EEXISTS. */
int gs_root_init(const gs_root_change *change, const char *output, gs_trust **out, gs_error *err) GS_MUST_USE;
/* Writes the root that follows `before` to a new file, without signatures. The same, and GS_ENOTFOUND: there is no such key to drop. */
int gs_root_next(const gs_trust *before, const gs_root_change *change, const char *output, gs_trust **out,
                 gs_error *err) GS_MUST_USE;
/* Adds a signature to a root document; *key_id gets the signer, *out the root as it is then. GS_EEXISTS: it signed already. */
int gs_root_sign(const char *path, const gs_signer *signer, gs_digest *key_id, gs_trust **out, gs_error *err) GS_MUST_USE;
/* Writes what is signed of a root to a new file. */
int gs_root_emit(const char *path, const char *output, gs_tbs *out, gs_error *err) GS_MUST_USE;
/* Writes a chain of roots (gs_trust_chain) to a new file, for sites to import. */
int gs_root_bundle(const char *const *paths, size_t count, const char *output, gs_error *err) GS_MUST_USE;

/* ---- permits ---- */

typedef struct gs_permit_options {
    const char *bundle; /* path of the one that the permit is for */
    const char *root;   /* what the bundle's own signatures are checked against; NULL: they are not */
    const char *site;   /* NULL: any */
    const char *below;  /* "EPOCH.SEQUENCE" */
    const char *reason;
    const char *lasts; /* "30d"; NULL: that */
    const char *const *keys;
    size_t key_count;
    const gs_passphrase *passphrase;
    const char *output; /* a new file */
} gs_permit_options;
/* Writes a permit for a bundle, with a signature for each key; without keys they are added later. Texts of *out in arena. */
int gs_permit_make(const gs_run *run, const gs_permit_options *options, gs_arena *arena, gs_permit *out, gs_error *err) GS_MUST_USE;
/* Adds a signature to a permit; *key_id gets the signer. GS_EEXISTS: it signed already. */
int gs_permit_sign(const char *path, const gs_signer *signer, gs_digest *key_id, gs_error *err) GS_MUST_USE;
/* Writes what is signed of a permit to a new file. */
int gs_permit_emit(const char *path, const char *output, gs_tbs *out, gs_error *err) GS_MUST_USE;

#endif
