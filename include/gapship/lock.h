/* What the builder pinned (release.lock), as structs: every tag, chart and ref of a release as it was when it was locked. Pure
 * data; no I/O. Part of the release module. Strings live in the gs_lock.
 */
#ifndef GAPSHIP_LOCK_H
#define GAPSHIP_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/bind.h"
#include "gapship/oci.h"

typedef struct gs_locked_image {
    const char *from; /* as in release.yaml */
    const char *as;
    const char *tag;    /* to push; never empty: a source known by its digest alone gets "sha256-" and 12 hex digits */
    const char *digest; /* "sha256:…" of the manifest or index, as the source serves it */
    const char *media_type;
    int64_t size;           /* of that manifest */
    gs_text_list platforms; /* kept; empty: all */
    bool synthesized;       /* from a docker archive: the digest is gapship's, no registry ever served it */
} gs_locked_image;

/* A chart, an overlay, the sources, a file: content gapship packs itself, named by the digest of its packed bytes. */
typedef struct gs_locked_content {
    const char *name;
    const char *from;
    const char *commit; /* of a git source, or NULL */
    const char *digest;
    int64_t size;
} gs_locked_content;

typedef struct gs_lock {
    gs_doc *doc;     /* owned; NULL for a lock made in memory */
    gs_arena *arena; /* owned */
    struct {
        const char *commit;
        const char *ref;
        const char *time;
    } source; /* NULL where unknown */
    struct {
        gs_locked_image *items;
        size_t count;
    } images; /* in the order of release.yaml */
    struct {
        gs_locked_content *items;
        size_t count;
    } charts;
    struct {
        gs_locked_content *items;
        size_t count;
    } overlays;
    gs_locked_content sources; /* one tar+gzip with every values file, manifest directory and the notes, at their paths relative to
                                  release.yaml; digest NULL when there are none */
    struct {
        gs_locked_content *items;
        size_t count;
    } files;
} gs_lock;

int gs_lock_new(gs_lock **out, gs_error *err) GS_MUST_USE;
int gs_lock_parse(const char *name, const char *data, size_t len, gs_lock **out, gs_error *err) GS_MUST_USE;
/* Pretty JSON, ends with a newline; the same lock gives the same bytes. */
int gs_lock_write(const gs_lock *lock, gs_buf *out, gs_error *err) GS_MUST_USE;
void gs_lock_free(gs_lock *lock);
void gs_lock_free_p(gs_lock **lock);
#define GS_AUTO_LOCK __attribute__((cleanup(gs_lock_free_p)))
const gs_locked_image *gs_lock_image(const gs_lock *lock, const char *as);
/* The image that a rendered reference means: same host and path after normalising, and its digest (or, without one, its tag). NULL:
 * not listed. */
const gs_locked_image *gs_lock_match(const gs_lock *lock, const gs_reference *reference);
const gs_locked_content *gs_lock_find(const gs_locked_content *items, size_t count, const char *name);

#endif
