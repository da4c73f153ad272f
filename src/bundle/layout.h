/* Where everything will stand, known before the first blob arrives. */
#ifndef GAPSHIP_BUNDLE_LAYOUT_H
#define GAPSHIP_BUNDLE_LAYOUT_H

#include "index.h"

typedef struct gs_layout {
    gs_member *members; /* digests of the first three are found later */
    size_t count;
    size_t *first_chunk; /* of each member in chunks; one more at the end */
    gs_digest *chunks;
    const gs_member **by_digest; /* the blobs, sorted */
    size_t envelope_size;
    uint64_t index_offset; /* of its data */
    size_t index_size;
    uint64_t total_length;
} gs_layout;

/* GS_ESPEC: the plan cannot become a bundle (said why); GS_ELIMIT: it is too large. */
int gs_layout_make(const gs_writer_plan *plan, gs_layout *out, gs_error *err) GS_MUST_USE;
void gs_layout_done(gs_layout *layout);
/* The member of a blob, or NULL. */
const gs_member *gs_layout_find(const gs_layout *layout, const gs_digest *blob);

#endif
