/* What the two halves of laying out share. Private to src/builder. */
#ifndef GAPSHIP_BUILDER_LAYOUT_H
#define GAPSHIP_BUILDER_LAYOUT_H

#include "gapship/contents.h"
#include "origin.h"

typedef struct gs_lay_state {
    gs_builder *builder;
    gs_arena *arena;
    const gs_lock *lock;
    gs_build_layout *out;
    size_t room;
    gs_node *index_items;    /* of index.json */
    gs_node *manifest_items; /* of manifest.json */
} gs_lay_state;

/* Adds a blob unless it is there; one that is known whole takes the place of one that is not. GS_EDIGEST when it is there with another
 * size. */
int gs_lay_piece(gs_lay_state *state, const gs_piece *piece, gs_error *err) GS_MUST_USE;
/* Adds a blob that is known whole; data is copied. */
int gs_lay_memory(gs_lay_state *state, const char *media_type, const void *data, size_t len, gs_descriptor *out,
                  gs_error *err) GS_MUST_USE;

/* Adds all that one image is made of, of the platforms chosen, and its row of manifest.json under tag (layout_image.c). out gets the
 * top manifest. GS_ECHECK: a platform that was chosen is not there. */
int gs_lay_image(gs_lay_state *state, gs_origin *origin, const gs_locked_image *image, const char *tag, gs_descriptor *out,
                 gs_error *err) GS_MUST_USE;

#endif
