/* What the embedded registry serves: a table made once, from verified bundles. Private to installer/serve. */
#ifndef GAPSHIP_SERVE_CATALOGUE_H
#define GAPSHIP_SERVE_CATALOGUE_H

#include "gapship/contents.h"

/* A tag of a repository. */
typedef struct gs_served_tag {
    const char *name;
    gs_digest digest;
} gs_served_tag;

typedef struct gs_repository {
    const char *name;
    gs_served_tag *tags; /* sorted by name */
    size_t tag_count;
} gs_repository;

typedef struct gs_repositories {
    gs_repository *items; /* sorted by name */
    size_t count, room;
} gs_repositories;

/* A blob or manifest somewhere in a bundle. */
typedef struct gs_served_blob {
    gs_digest digest;
    int fd; /* of the bundle, which stays its owner */
    uint64_t offset, size;
    const char *media_type; /* NULL: no manifest */
    bool has_subject;
    gs_digest subject;
    gs_descriptor descriptor; /* of a manifest, for referrers */
} gs_served_blob;

typedef struct gs_catalogue {
    gs_arena *arena;
    gs_repositories own;     /* "platform/shop/backend": as this site calls its images */
    gs_repositories sources; /* "ghcr.io/org/backend": as they were called where they came from, for those who want a mirror */
    gs_served_blob *blobs;   /* sorted by digest, each once */
    size_t blob_count, blob_room;
} gs_catalogue;

/* The last bundle's tags win. The bundles must live as long. */
int gs_catalogue_make(const char *prefix, const gs_verified *const *bundles, size_t count, gs_catalogue *out,
                      gs_error *err) GS_MUST_USE;
void gs_catalogue_done(gs_catalogue *catalogue);
/* With ns (a mirror's ?ns=): what came from that host. Else by the site's own name; else by the source's, with the host as first
 * component or, as Docker Hub's names, without. NULL: none. */
const gs_repository *gs_catalogue_repository(const gs_catalogue *catalogue, const char *name, const char *ns);
const gs_served_tag *gs_catalogue_tag(const gs_repository *repository, const char *tag);
const gs_served_blob *gs_catalogue_blob(const gs_catalogue *catalogue, const gs_digest *digest);

#endif
