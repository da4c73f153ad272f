/* What a bundle carries, as things with names: the release, the lock, and the artifacts in its OCI layout. Part of the bundle module.
 *
 * index.json lists one descriptor per image, chart, overlay and artifact. Annotations: org.opencontainers.image.ref.name (AS:TAG for
 * images, "chart/NAME:VERSION", "overlay/NAME", "file/NAME", "sources", "release"), io.containerd.image.name (the full source reference of
 * an image), io.gapship.kind.
 */
#ifndef GAPSHIP_CONTENTS_H
#define GAPSHIP_CONTENTS_H

#include "gapship/bundle.h"
#include "gapship/release.h"

#define GS_KIND_ANNOTATION       "io.gapship.kind"
#define GS_REF_NAME_ANNOTATION   "org.opencontainers.image.ref.name"
#define GS_IMAGE_NAME_ANNOTATION "io.containerd.image.name"
/* Media types of what gapship packs itself; the release artifact has two layers: the release and the lock, both JSON. */
#define GS_MEDIA_RELEASE_ARTIFACT "application/vnd.gapship.release.v1"
#define GS_MEDIA_RELEASE          "application/vnd.gapship.release.v1+json"
#define GS_MEDIA_LOCK             "application/vnd.gapship.lock.v1+json"
#define GS_MEDIA_OVERLAY_ARTIFACT "application/vnd.gapship.overlay.v1"
#define GS_MEDIA_SOURCES_ARTIFACT "application/vnd.gapship.sources.v1"
#define GS_MEDIA_FILE_ARTIFACT    "application/vnd.gapship.file.v1"
#define GS_MEDIA_TREE             "application/vnd.oci.image.layer.v1.tar+gzip"
#define GS_MEDIA_FILE_ZSTD        "application/vnd.gapship.file.v1+zstd"

typedef struct gs_content {
    const char *kind;         /* "image", "chart", "overlay", "sources", "file", "release" */
    const char *name;         /* the ref.name annotation */
    gs_descriptor descriptor; /* of its manifest or index */
} gs_content;

typedef struct gs_contents {
    gs_arena *arena;
    gs_release *release;
    gs_lock *lock;
    gs_content *items; /* in the order of index.json */
    size_t count;
} gs_contents;

/* Reads index.json, release and lock of a verified bundle (each checked against the signed index first). */
int gs_contents_load(const gs_verified *verified, gs_contents **out, gs_error *err) GS_MUST_USE;
void gs_contents_free(gs_contents *contents);
void gs_contents_free_p(gs_contents **contents);
#define GS_AUTO_CONTENTS __attribute__((cleanup(gs_contents_free_p)))
const gs_content *gs_contents_find(const gs_contents *contents, const char *kind, const char *name); /* NULL: none */

/* Every blob that an image needs, manifests included, children before parents: what a load pushes, in order. Sparse children (platforms
 * left out at build) are not listed. */
typedef struct gs_needed {
    gs_descriptor descriptor;
    bool manifest; /* push by PUT manifest, not as a blob */
} gs_needed;
int gs_contents_needed(const gs_verified *verified, const gs_content *content, gs_arena *arena, gs_needed **out, size_t *count,
                       gs_error *err) GS_MUST_USE;

/* How much was found to be there. */
typedef struct gs_completeness {
    size_t contents; /* images, charts, overlays, files, the release */
    size_t blobs;    /* that they need, manifests included; a shared one counts for each */
} gs_completeness;
/* Whether the bundle carries all that its lock pinned and its manifests need, of every platform that was chosen. GS_EFORMAT names the
 * first thing that is missing. out may be NULL. */
int gs_contents_complete(const gs_verified *verified, const gs_contents *contents, gs_completeness *out, gs_error *err) GS_MUST_USE;

/* Writes what rendering needs below dirfd (a private directory): charts/NAME.tgz, overlays/NAME/…, sources/…, files/NAME. */
int gs_contents_extract(const gs_verified *verified, const gs_contents *contents, int dirfd, gs_error *err) GS_MUST_USE;

/* What `inspect` says, as a tree (docs/json.md): product, version, signatures, images with sizes, charts, overlays, environments with their
 * units and migrations. From the head and a few small blobs: nothing large is read. */
int gs_contents_describe(const gs_verified *verified, const gs_contents *contents, gs_arena *arena, gs_node **out,
                         gs_error *err) GS_MUST_USE;

/* Writes the whole OCI layout below dirfd (oci-layout, index.json, manifest.json, blobs/sha256/…), every byte checked. */
int gs_extract_layout(const gs_run *run, const gs_verified *verified, int dirfd, gs_error *err) GS_MUST_USE;
/* One artifact by its name (a chart's or file's content, an overlay's tar, an image's manifest) or one blob by "sha256:…", to a new file. */
int gs_extract_one(const gs_verified *verified, const gs_contents *contents, const char *name, int dirfd, const char *path,
                   gs_error *err) GS_MUST_USE;
/* What others check a bundle with (docs/audit.md): statement.json, statement.pae, sig-KEYID.sig or .minisig, signers.txt, digests.sha256 and a
 * script of stock commands, check.sh. */
int gs_extract_signatures(const gs_verified *verified, int dirfd, gs_error *err) GS_MUST_USE;

#endif
