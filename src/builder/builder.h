/* What the stages of a build share. Private to src/builder.
 *
 * One gs_builder lives for one command. Each stage is one function with one input and one output; none asks an earlier one a
 * question.
 */
#ifndef GAPSHIP_BUILDER_BUILDER_H
#define GAPSHIP_BUILDER_BUILDER_H

#include "gapship/build.h"
#include "gapship/bundle.h"
#include "gapship/fs.h"
#include "gapship/release.h"
#include "gapship/render.h"

typedef struct gs_origin gs_origin;
typedef struct gs_registry gs_registry;

/* A registry that images come from. All of its images share it: one look for TLS, one token for a repository. */
typedef struct gs_known_registry {
    const char *host;
    gs_registry *registry;
} gs_known_registry;

typedef struct gs_builder {
    const gs_run *run;
    gs_arena *arena;
    gs_tools tools;
    char *directory; /* of release.yaml */
    char *file;      /* release.yaml's path, for messages */
    gs_release *release;
    gs_lock *lock;       /* what release.lock held, or NULL */
    gs_tempdir work;     /* charts/, overlays/, sources/, files/, as the site lays them out; and packed/ */
    gs_origin **origins; /* one per image of the release, in its order */
    size_t origin_count;
    gs_known_registry *registries;
    size_t registry_count;
} gs_builder;

/* Reads release.yaml and, where there is one, release.lock. */
int gs_builder_open(const gs_run *run, const char *release_file, gs_builder *out, gs_error *err) GS_MUST_USE;
void gs_builder_done(gs_builder *builder);
#define GS_AUTO_BUILDER __attribute__((cleanup(gs_builder_done)))
/* PATH below the release's directory; in the arena. NULL when out of memory. */
const char *gs_builder_path(gs_builder *builder, const char *path);
const char *gs_builder_work(gs_builder *builder, const char *format, ...) GS_PRINTF(2, 3);
/* GS_ESPEC at a place of release.yaml. */
int gs_builder_fail(const gs_builder *builder, gs_place place, gs_error *err, const char *format, ...) GS_PRINTF(4, 5);

/* ---- gather: charts, overlays, sources and files, packed (gather.c, provenance.c) ---- */

/* Something gapship packed: its bytes stand in work/packed/NAME. */
typedef struct gs_packed {
    const char *kind; /* "chart", "overlay", "sources", "file" */
    const char *name; /* "" for sources */
    const char *from;
    const char *commit;
    const char *path; /* of the packed bytes */
    const char *media_type;
    const char *artifact_type; /* NULL for a chart */
    const char *version;       /* of a chart */
    const char *config;        /* JSON of a chart's config, or NULL for the empty one */
    gs_digest digest;
    uint64_t size;
} gs_packed;

typedef struct gs_gathered {
    gs_packed *items;
    size_t count;
} gs_gathered;

/* Packs everything and lays WORK out as the site will. Temporary: what is gathered lives as long as the builder. */
int gs_gather(gs_builder *builder, gs_gathered *out, gs_error *err) GS_MUST_USE;
const gs_packed *gs_gathered_find(const gs_gathered *gathered, const char *kind, const char *name);

/* ---- resolve: every reference becomes a digest (resolve.c) ---- */

typedef struct gs_resolve_request {
    const gs_gathered *gathered;
    bool update;
    const char *const *names;
    size_t name_count;
} gs_resolve_request;
/* A new lock from release.yaml, the old lock and the sources; changed counts the entries that differ from the old one. */
int gs_resolve(gs_builder *builder, const gs_resolve_request *request, gs_lock **out, size_t *changed, gs_error *err) GS_MUST_USE;
/* Writes release.lock when it differs from what is there (lock.c). */
int gs_lock_save(gs_builder *builder, const gs_lock *lock, gs_error *err) GS_MUST_USE;

/* ---- check: every environment rendered, every image accounted for (check.c) ---- */

typedef struct gs_found_image {
    const gs_environment_spec *environment;
    const gs_unit_spec *unit;
    const char *object; /* "Deployment dex-stage/dex" */
    const char *path;
    const char *image;
    bool runs;
    const gs_locked_image *locked; /* NULL: not listed */
    bool ignored;
} gs_found_image;

/* Renders every unit of every environment (or of one), for installation and for upgrade, and lists what it finds. */
int gs_find_images(gs_builder *builder, const gs_lock *lock, const char *environment, gs_found_image **out, size_t *count,
                   gs_error *err) GS_MUST_USE;
/* GS_ECHECK for the first thing that would be missing or wrong on site. */
int gs_check(gs_builder *builder, const gs_lock *lock, gs_error *err) GS_MUST_USE;
/* images: entries of kustomizations that match nothing (lint.c). */
int gs_lint_overlays(gs_builder *builder, gs_error *err) GS_MUST_USE;

/* ---- lay out: every blob with its digest and size (layout.c) ---- */

/* One blob of the bundle and where its bytes come from: memory, a packed file, or an image's origin. */
typedef struct gs_piece {
    gs_descriptor descriptor;
    const void *data;  /* memory */
    const char *path;  /* a packed file */
    gs_origin *origin; /* an image's layer or config */
} gs_piece;

typedef struct gs_build_layout {
    gs_piece *pieces; /* unique, in file order */
    size_t count;
    gs_descriptor *blobs; /* the same descriptors, for gs_writer_plan */
    gs_buf index_json, manifest_json;
} gs_build_layout;

int gs_lay_out(gs_builder *builder, const gs_lock *lock, const gs_gathered *gathered, gs_build_layout *out,
               gs_error *err) GS_MUST_USE;
void gs_build_layout_done(gs_build_layout *layout);

/* ---- fetch: every blob to its place (fetch.c, reuse.c) ---- */

typedef struct gs_fetched {
    uint64_t fetched, copied; /* bytes */
} gs_fetched;
int gs_fetch(gs_builder *builder, const gs_build_layout *layout, const gs_build_options *options, const char *output,
             gs_writer *writer, gs_fetched *out, gs_error *err) GS_MUST_USE;

/* Bundles whose blobs may be copied. They are read, not trusted: every copied blob is hashed. */
typedef struct gs_reuse gs_reuse;
int gs_reuse_open(gs_builder *builder, const gs_build_options *options, const char *output, gs_reuse **out,
                  gs_error *err) GS_MUST_USE;
/* NULL when no bundle has it. */
const gs_verified *gs_reuse_find(const gs_reuse *reuse, const gs_digest *digest);
void gs_reuse_free(gs_reuse *reuse);

#endif
