/* What load.c and push.c share: images, blobs, and where each is still lacking. */
#ifndef GAPSHIP_SITE_LOADING_H
#define GAPSHIP_SITE_LOADING_H

#include <stdatomic.h>

#include "gapship/registry.h"
#include "site.h"

typedef struct gs_load_image {
    const gs_locked_image *locked;
    const gs_content *content;
    gs_reference reference; /* at the site: repository and tag */
    gs_digest digest;
    bool present;      /* the tag is there with this digest */
    gs_needed *needed; /* children first, the image itself last */
    size_t needed_count;
} gs_load_image;

typedef struct gs_load_blob {
    gs_digest digest;
    uint64_t size;
    const char *image;         /* one that needs it, for messages */
    const char *source;        /* a repository of the registry that holds it, or NULL */
    const char **repositories; /* that lack it, or may */
    size_t repository_count;
} gs_load_blob;

struct gs_loading {
    const gs_installation *site;
    const gs_subject *subject;
    gs_arena *arena;
    gs_registry *registry; /* NULL: the embedded one */
    gs_load_image *images;
    size_t image_count, missing;
    gs_load_blob *blobs; /* that a missing image needs; largest first */
    size_t blob_count;
    uint64_t bytes; /* of blobs without a source */
    _Atomic uint64_t moved;
};

#endif
