/* The build side's use cases: init, lock, images, build, sign. src/cli parses and prints; everything else is here.
 *
 * Data flows one way: release.yaml -> resolve -> release.lock -> gather -> render and check -> lay out -> fetch -> seal.
 */
#ifndef GAPSHIP_BUILD_H
#define GAPSHIP_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "gapship/crypto.h"
#include "gapship/doc.h"
#include "gapship/run.h"

typedef struct gs_build_options {
    const char *release_file; /* release.yaml; paths in it are relative to its directory */
    const char *output;       /* NULL: NAME-VERSION.gapship beside release_file */
    const char *const *keys;  /* private keys: files, or URIs (gs_private_key_load) */
    size_t key_count;
    const gs_passphrase *passphrase; /* of keys that need one; NULL: none */
    bool allow_unsigned;             /* no key is meant */
    bool force;                      /* replace an existing output */
    const char *const *reuse;        /* bundles or directories of bundles whose blobs are copied instead of fetched */
    size_t reuse_count;
} gs_build_options;

/* What a build says at its end. */
typedef struct gs_build_result {
    char *path;
    gs_digest digest;
    uint64_t size;
    uint64_t fetched, copied; /* bytes */
    size_t images, blobs;
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
int gs_sign_bundle(const gs_run *run, const char *bundle, const char *key, const gs_passphrase *passphrase, gs_digest *key_id,
                   gs_error *err) GS_MUST_USE;

#endif
