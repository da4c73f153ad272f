/* OCI content as data: references, descriptors, manifests, indexes, platforms. Pure: no I/O, no network.
 *
 * References follow distribution/reference (https://github.com/distribution/reference), normalised as Docker and CRI do; manifests
 * the OCI image specification 1.1 and Docker schema 2. Manifests are parsed only to be understood: their bytes are carried
 * unchanged.
 */
#ifndef GAPSHIP_OCI_H
#define GAPSHIP_OCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/bind.h"
#include "gapship/crypto.h"

#define GS_MEDIA_INDEX           "application/vnd.oci.image.index.v1+json"
#define GS_MEDIA_MANIFEST        "application/vnd.oci.image.manifest.v1+json"
#define GS_MEDIA_CONFIG          "application/vnd.oci.image.config.v1+json"
#define GS_MEDIA_LAYER_GZIP      "application/vnd.oci.image.layer.v1.tar+gzip"
#define GS_MEDIA_EMPTY           "application/vnd.oci.empty.v1+json"
#define GS_MEDIA_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define GS_MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define GS_MEDIA_HELM_CONFIG     "application/vnd.cncf.helm.config.v1+json"
#define GS_MEDIA_HELM_CHART      "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

/* A normalised image reference. host is "docker.io" for Docker Hub's short names; tag is "latest" when neither tag nor digest was
 * written; "" where absent. */
typedef struct gs_reference {
    char host[264];
    char path[256];
    char tag[129];
    char digest[136]; /* "sha256:…" or "sha512:…" */
} gs_reference;

/* The vectors of tests/unit/oci/references.txt. GS_ESPEC with the reason. No transport prefix. */
int gs_reference_parse(const char *text, gs_reference *out, gs_error *err) GS_MUST_USE;
/* "host/path:tag@digest", every part that is there. Needs GS_REFERENCE_TEXT bytes. */
#define GS_REFERENCE_TEXT 800
void gs_reference_text(const gs_reference *reference, char out[GS_REFERENCE_TEXT]);
/* The host to speak to: registry-1.docker.io for docker.io, else host. */
const char *gs_reference_server(const gs_reference *reference);
bool gs_repository_valid(const char *path); /* the path grammar alone, at most 255 */
bool gs_tag_valid(const char *tag);

/* The prefix of a source: "docker://" (default), "oci:DIR[:NAME]", "oci-archive:FILE[:NAME]", "docker-archive:FILE[:REFERENCE]". */
typedef enum gs_transport { GS_DOCKER, GS_OCI_DIRECTORY, GS_OCI_ARCHIVE, GS_DOCKER_ARCHIVE } gs_transport;
typedef struct gs_image_source {
    gs_transport transport;
    gs_reference reference; /* DOCKER */
    const char *path;       /* the others; in arena */
    const char *name;       /* the part behind the path, or NULL */
} gs_image_source;
int gs_image_source_parse(const char *text, gs_arena *arena, gs_image_source *out, gs_error *err) GS_MUST_USE;

typedef struct gs_platform {
    const char *os;
    const char *architecture;
    const char *variant; /* "" when absent */
} gs_platform;
/* "linux/amd64", "linux/arm64/v8"; strings in arena. arm64 and arm64/v8 are one. */
int gs_platform_parse(const char *text, gs_arena *arena, gs_platform *out, gs_error *err) GS_MUST_USE;
bool gs_platform_match(const gs_platform *wanted, const gs_platform *offered);

typedef struct gs_descriptor {
    const char *media_type;
    gs_digest digest;
    uint64_t size;
    const char *artifact_type; /* or NULL */
    gs_platform platform;      /* os NULL when absent */
    gs_text_map annotations;
} gs_descriptor;

/* A manifest or an index; one of the two is set. Strings live in arena; nothing borrows from the bytes. */
typedef struct gs_manifest {
    bool is_index;
    const char *media_type;
    const char *artifact_type; /* or NULL */
    gs_descriptor config;      /* not for an index */
    gs_descriptor *items;      /* layers, or the index's manifests */
    size_t item_count;
    gs_descriptor *subject; /* or NULL */
    gs_text_map annotations;
} gs_manifest;

/* content_type: what the server said, without parameters, or NULL. Refused (GS_EFORMAT): schema 1, both manifests and layers, a
 * media type that differs from content_type, sizes below 0, bad digests (sha512 content is not supported: said so), more than
 * GS_MAX_DESCRIPTORS. Helm's manifests have no media type: told from the content type or the keys. */
int gs_manifest_parse(const void *data, size_t len, const char *content_type, gs_arena *arena, gs_manifest *out,
                      gs_error *err) GS_MUST_USE;
/* How much of one image has been walked; zero-initialised. A few indexes of a few kilobytes can name one manifest a billion times. */
typedef struct gs_walked {
    unsigned manifests;
    uint64_t bytes;
} gs_walked;
/* Adds a manifest or index of so many bytes at this depth; the image's own is at 0. GS_ELIMIT: GS_MAX_INDEX_DEPTH,
 * GS_MAX_IMAGE_MANIFESTS or GS_MAX_IMAGE_MANIFEST_BYTES is passed, where each counts as often as it is named. */
int gs_walked_add(gs_walked *walked, int depth, uint64_t bytes, gs_error *err) GS_MUST_USE;
/* Annotation by key, or NULL. */
const char *gs_annotation(const gs_text_map *annotations, const char *key);
/* The descriptor as JSON node, keys in the specification's order. NULL when out of memory. */
gs_node *gs_descriptor_node(const gs_descriptor *descriptor, gs_arena *arena);
/* Builds the bytes of an artifact manifest (config, layers) as gapship packs charts, overlays and files: keys in fixed order. */
int gs_manifest_write(const gs_manifest *manifest, gs_buf *out, gs_error *err) GS_MUST_USE;

#endif
