/* The build side's use cases: init, lock, images, build, sign, attach-signature. src/cli parses and prints; everything else is here.
 *
 * Data flows one way: release.yaml -> resolve -> release.lock -> gather -> render and check -> lay out -> fetch -> seal.
 */
#ifndef GAPSHIP_BUILD_H
#define GAPSHIP_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "gapship/doc.h"
#include "gapship/run.h"
#include "gapship/signature.h"

typedef struct gs_build_options {
    const char *release_file; /* release.yaml; paths in it are relative to its directory */
    const char *output;       /* NULL: NAME-VERSION.gapship beside release_file */
    const char *const *keys;  /* private keys: files, or URIs (gs_private_key_load) */
    size_t key_count;
    const gs_passphrase *passphrase; /* of keys that need one; NULL: none */
    bool allow_unsigned;             /* no key is meant */
    const char *emit_tbs;            /* write here what other keys are to sign elsewhere (gs_tbs_write); NULL: nowhere */
    bool force;                      /* replace an existing output */
    uint64_t volume_size;     /* at least GS_MIN_VOLUME_BYTES: volumes OUTPUT.001, … of at most so many bytes; 0: one file */
    const char *const *reuse; /* bundles or directories of bundles whose blobs are copied instead of fetched */
    size_t reuse_count;
    const char *const *roots; /* root documents, versions one after the other: the chain that the bundle carries */
    size_t root_count;
} gs_build_options;

/* What a build says at its end. */
typedef struct gs_build_result {
    char *path; /* of the bundle, or of its first volume */
    gs_digest digest;
    uint64_t size;
    uint64_t fetched, copied; /* bytes */
    size_t images, blobs;
    size_t volumes; /* 0: one file */
    gs_tbs tbs;     /* size 0: not asked for */
} gs_build_result;
/* GS_ECHECK: what would be missing or wrong on site, with environment, object and the line to add. GS_EEXISTS: the output is there. */
int gs_build(const gs_run *run, const gs_build_options *options, gs_build_result *out, gs_error *err) GS_MUST_USE;
void gs_build_result_done(gs_build_result *result);

typedef struct gs_lock_options {
    const char *release_file;
    bool check;               /* change nothing: GS_ECHECK when the lock is missing or would change */
    bool update;              /* resolve again what is locked already: all, or the names */
    const char *const *names; /* `as` of images, names of charts and overlays */
    size_t name_count;
} gs_lock_options;
/* Resolves what is not locked yet and writes release.lock beside release.yaml. changed counts the entries that did. A locked tag that
 * now names another digest is GS_ECHECK unless it is updated. */
int gs_lock_make(const gs_run *run, const gs_lock_options *options, size_t *changed, gs_error *err) GS_MUST_USE;

/* Every image each environment would run: a list of maps {environment, unit, object, path, image, listed}. Rows in arena. */
typedef struct gs_images_options {
    const char *release_file;
    const char *environment; /* NULL: all */
    bool write;              /* add the missing ones to release.yaml */
} gs_images_options;
int gs_images(const gs_run *run, const gs_images_options *options, gs_arena *arena, gs_node **rows, gs_error *err) GS_MUST_USE;

/* Looks at a directory (charts, kustomizations, manifests, Dockerfiles) and writes a commented release.yaml that parses; in an empty
 * one a first manifest, too. GS_EEXISTS when there is a release.yaml. */
int gs_init(const gs_run *run, const char *directory, gs_error *err) GS_MUST_USE;

/* Adds a signature by a private key (a file, or a URI) to a finished bundle, after proving that it verifies. key_id gets the signer. */
int gs_sign_bundle(const char *bundle, const char *key, const gs_passphrase *passphrase, gs_digest *key_id,
                   gs_error *err) GS_MUST_USE;

/* Writes what is signed of a finished bundle, its pre-authentication encoding (FORMAT.md section 6), to a file, for keys that are where
 * gapship is not. *digest gets the bundle's. GS_EEXISTS unless replace. */
int gs_bundle_emit(const char *bundle, const char *path, bool replace, gs_digest *digest, gs_tbs *out, gs_error *err) GS_MUST_USE;

typedef struct gs_attach_options {
    const char *bundle;
    const char *signature; /* a file: the signature alone, as openssl or pkcs11-tool writes it, or that in base64; or a .minisig */
    const char *key;       /* public key, or NULL: */
    const char *root;      /* a root document, and */
    const char *key_id;    /* how the id of one of its keys begins */
} gs_attach_options;
/* Adds a signature that was made elsewhere, after proving that it verifies. key_id gets the signer. GS_ESIGNATURE: it does not; as far
 * as that can be found out, what was signed instead, how, or by which other key. GS_EEXISTS: this key signed already; GS_ELIMIT: no
 * room; GS_ELOCKED. */
int gs_attach_signature(const gs_attach_options *options, gs_digest *key_id, gs_error *err) GS_MUST_USE;

#endif
