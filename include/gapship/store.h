/* The site's store: a directory of whole, immutable bundles under their digests, the ledger, the trust root and gapship's git caches.
 *
 *   VERSION              "gapship store 1"
 *   lock                 held for a whole run that changes something
 *   bundles/HEX.gapship  0440; HEX is the bundle's digest. Copies under way are .HEX….tmp beside it
 *   ledger.sqlite        see ledger.h
 *   git/NAME.git         caches of the site's GitOps repositories
 *   logs/                output of migrations
 */
#ifndef GAPSHIP_STORE_H
#define GAPSHIP_STORE_H

#include "gapship/bundle.h"
#include "gapship/fs.h"

typedef struct gs_store gs_store;

/* Makes an empty store (0700). GS_EEXISTS when the directory holds one or anything else. VERSION comes last: what an interrupted creation
 * left (a ledger too) is no store yet and may be finished. */
int gs_store_create(const char *path, gs_error *err) GS_MUST_USE;
/* GS_ESTATE: no such directory, no store in it, another version, writable by others. Never makes anything. */
int gs_store_open(const char *path, gs_store **out, gs_error *err) GS_MUST_USE;
void gs_store_free(gs_store *store);
void gs_store_free_p(gs_store **store);
#define GS_AUTO_STORE __attribute__((cleanup(gs_store_free_p)))
/* The run's lock (GS_ELOCKED names the holder); also removes the unfinished copies of killed runs. */
int gs_store_lock(gs_store *store, gs_filelock *lock, gs_error *err) GS_MUST_USE;
int gs_store_dirfd(const gs_store *store);
/* PATH/NAME in arena. */
const char *gs_store_path(const gs_store *store, gs_arena *arena, const char *name);

/* Copies a verified bundle in, checking every byte on the way (the medium is read once), and publishes it by rename. Free space and
 * inodes are checked first. Kept already, perhaps with other signatures: nothing happens, unless renew says that the copy is to be
 * replaced: by a whole new one, which takes its place at once. */
int gs_store_keep(const gs_run *run, gs_store *store, const gs_verified *verified, bool renew, gs_error *err) GS_MUST_USE;
/* Opens and verifies a kept bundle's head on these terms. GS_ENOTFOUND. */
int gs_store_bundle(gs_store *store, const gs_digest *digest, const gs_terms *terms, gs_verified **out, gs_error *err) GS_MUST_USE;
bool gs_store_has(const gs_store *store, const gs_digest *digest);
/* Where its file is, or would be; in arena. */
const char *gs_store_bundle_path(const gs_store *store, gs_arena *arena, const gs_digest *digest);
/* Digests of all kept bundles, sorted; in arena. */
int gs_store_list(const gs_store *store, gs_arena *arena, gs_digest **out, size_t *count, gs_error *err) GS_MUST_USE;
int gs_store_remove(gs_store *store, const gs_digest *digest, gs_error *err) GS_MUST_USE;

#endif
