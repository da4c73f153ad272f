/* Where an image comes from: a registry, an OCI layout (directory or tar), a docker archive. Private to src/builder.
 *
 * Manifests are asked for one by one. Blobs are asked for one by one where the origin has random access (each), or all in one pass
 * over a tar (sweep); exactly one of the two is set.
 */
#ifndef GAPSHIP_BUILDER_ORIGIN_H
#define GAPSHIP_BUILDER_ORIGIN_H

#include "builder.h"
#include "gapship/registry.h"

typedef struct gs_origin_ops {
    /* reference: a digest, or NULL for what release.yaml names. The exact bytes and their descriptor. */
    int (*manifest)(gs_origin *origin, const char *reference, gs_arena *arena, gs_buf *bytes, gs_descriptor *out, gs_error *err);
    /* The bytes of an image's config into sink, which is not closed. */
    int (*config)(gs_origin *origin, const gs_descriptor *config, gs_sink *sink, gs_error *err);
    /* The bytes of one blob into sink, which is not closed. May be called from several threads. */
    int (*each)(gs_origin *origin, const gs_descriptor *blob, gs_sink *sink, gs_moved moved, void *state, gs_error *err);
    /* One pass: take is called for each blob the origin holds; it gives a sink to fill and close, or NULL to pass over. */
    int (*sweep)(gs_origin *origin, int (*take)(void *state, const gs_digest *digest, gs_sink **sink, gs_error *err), void *state,
                 gs_error *err);
    void (*free)(gs_origin *origin);
} gs_origin_ops;

struct gs_origin {
    const gs_origin_ops *ops;
    const gs_run *run;
    const char *name; /* the image as written, for messages */
    bool synthesized; /* the manifest is gapship's own: a docker archive has none */
};

/* Made without any request or read of content. spec is borrowed. */
int gs_origin_open(gs_builder *builder, const gs_image_spec *spec, gs_origin **out, gs_error *err) GS_MUST_USE;
void gs_origin_free(gs_origin *origin);

/* The kinds. */
int gs_origin_registry(gs_builder *builder, const gs_image_source *source, gs_origin **out, gs_error *err) GS_MUST_USE;
int gs_origin_directory(const gs_run *run, const char *path, const char *name, gs_origin **out, gs_error *err) GS_MUST_USE;
int gs_origin_oci_archive(const gs_run *run, const char *path, const char *name, gs_origin **out, gs_error *err) GS_MUST_USE;
int gs_origin_docker_archive(const gs_run *run, const char *path, const char *name, gs_origin **out, gs_error *err) GS_MUST_USE;

/* The entry of an index.json that `name` selects (ref.name or io.containerd.image.name; NULL: the only one). */
int gs_layout_select(const char *where, const char *index_json, size_t len, const char *name, gs_arena *arena, gs_descriptor *out,
                     gs_error *err) GS_MUST_USE;

/* Proves that a manifest found in a layout has the digest it was chosen by, and gives its bytes and descriptor. */
int gs_origin_check_manifest(const char *data, size_t len, const gs_descriptor *chosen, gs_arena *arena, gs_buf *bytes,
                             gs_descriptor *out, gs_error *err) GS_MUST_USE;

#endif
