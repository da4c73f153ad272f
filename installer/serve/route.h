/* What a request asks for, told from its path. Pure. Private to installer/serve. */
#ifndef GAPSHIP_SERVE_ROUTE_H
#define GAPSHIP_SERVE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum gs_route_kind {
    GS_ROUTE_NONE,
    GS_ROUTE_BASE,      /* /v2/ */
    GS_ROUTE_CATALOG,   /* /v2/_catalog */
    GS_ROUTE_TAGS,      /* /v2/NAME/tags/list */
    GS_ROUTE_MANIFEST,  /* /v2/NAME/manifests/REFERENCE */
    GS_ROUTE_BLOB,      /* /v2/NAME/blobs/DIGEST */
    GS_ROUTE_REFERRERS, /* /v2/NAME/referrers/DIGEST */
    GS_ROUTE_UPLOAD     /* /v2/NAME/blobs/uploads/… */
} gs_route_kind;

typedef struct gs_route {
    gs_route_kind kind;
    char name[256];
    char reference[256];
} gs_route;

/* path is decoded already. Names with more than 255 bytes or outside the grammar are GS_ROUTE_NONE. name and reference are "" where
 * the kind has none. */
void gs_route_parse(const char *path, gs_route *out);

/* One range of a Range header (RFC 9110 section 14): true and first..last (inclusive) when it is one satisfiable range of bytes;
 * false with *unsatisfiable when a 416 is due; false else: the whole is served, as for a header that is not understood or has
 * several ranges. */
bool gs_range_parse(const char *header, uint64_t size, uint64_t *first, uint64_t *last, bool *unsatisfiable);

#endif
