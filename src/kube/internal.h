/* What the files of src/kube share and nobody else sees. */
#ifndef GAPSHIP_KUBE_INTERNAL_H
#define GAPSHIP_KUBE_INTERNAL_H

#include "gapship/kube.h"
#include "gapship/oci.h"

/* object.c -----------------------------------------------------------------------------------------------------------------------
 */

/* The group of an apiVersion, up to its '/': {"apps", 4}; length 0 for the core group. */
size_t gs_kube_group_length(const char *api_version);
bool gs_kube_is(const gs_object_id *id, const char *group, const char *kind);

/* images.c -----------------------------------------------------------------------------------------------------------------------
 */

/* An image that a map names in parts: repository beside registry, image, tag, digest or version. Borrowed from the map. */
typedef struct gs_image_parts {
    const char *registry, *repository, *image; /* NULL where absent or empty */
    const char *tag_key;                       /* "tag" or "version", or NULL */
    const char *tag, *digest;                  /* NULL where absent or empty */
} gs_image_parts;
/* Whether map names an image so; then *image is the one reference that it means. */
int gs_image_parts_read(const gs_node *map, gs_arena *arena, gs_image_parts *parts, const char **image, gs_error *err) GS_MUST_USE;
/* Where a map or list stands: `key` holds it, or it is an item of the list that `list_key` holds. The other is NULL. */
typedef struct gs_image_place {
    const char *key, *list_key;
    bool volume; /* what stands at `image` of an item of `volumes` */
} gs_image_place;
/* Where the value of key in the map at `at` stands. */
gs_image_place gs_image_place_below(const gs_image_place *at, const char *key);
/* Whether the value of key in the map at `at` runs: `image` anywhere when it can be read as a reference, in a container even when
 * not (a typing error somebody must hear of), and `reference` in the image of a volume. */
bool gs_image_runs(const gs_image_place *at, const char *key, const gs_node *value);

/* health.c, pod.c ----------------------------------------------------------------------------------------------------------------
 */

/* Writes the reason and returns health. */
gs_health gs_health_say(gs_health health, char *reason, size_t size, const char *format, ...) GS_PRINTF(4, 5);
/* status.conditions[type], or NULL; and whether its status is True, False. */
const gs_node *gs_kube_condition(const gs_node *object, const char *type);
bool gs_condition_is(const gs_node *condition, const char *status);

/* scan.c -------------------------------------------------------------------------------------------------------------------------
 */

/* Calls found for every word of text that reads like an image reference. hint: the key says that an image is meant. known tells
 * whether a repository runs elsewhere in the same objects. */
typedef struct gs_image_scan {
    bool hint;
    bool (*known)(void *state, const gs_reference *reference);
    int (*found)(void *state, const char *image, gs_error *err);
    void *state;
} gs_image_scan;
int gs_image_scan_text(const gs_image_scan *scan, const char *text, gs_error *err) GS_MUST_USE;

#endif
