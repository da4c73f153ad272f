/* Kubernetes objects as data: where images stand, which objects are hooks, in which order things are applied, whether a live object is
 * healthy. Pure: trees in, facts out. Both sides use it: the builder proves what the site will do.
 *
 * Health follows kstatus (sigs.k8s.io/cli-utils), but a Job counts only when Complete, and a Failed Pod is failed.
 */
#ifndef GAPSHIP_KUBE_H
#define GAPSHIP_KUBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/bind.h"

/* An object's identity. Borrowed from its tree; namespace "" when absent. */
typedef struct gs_object_id {
    const char *api_version, *kind, *namespace, *name;
} gs_object_id;
/* GS_ESPEC when apiVersion, kind or metadata.name is missing. Objects of kind List are opened by gs_kube_flatten. */
int gs_object_identify(const gs_node *object, gs_object_id *out, gs_error *err) GS_MUST_USE;
bool gs_object_id_equal(const gs_object_id *a, const gs_object_id *b); /* group, kind, namespace, name: versions may differ */
/* "Deployment dex-stage/dex". GS_OBJECT_TEXT bytes hold every valid one. */
#define GS_OBJECT_TEXT 640
void gs_object_id_text(const gs_object_id *id, char *out, size_t size);
/* A list of objects with every List opened; borrowed nodes in a new list. */
int gs_kube_flatten(gs_arena *arena, const gs_node *list, gs_node **out, gs_error *err) GS_MUST_USE;
/* Puts namespace into namespaced objects that have none (kinds known to be cluster-wide are left alone). */
int gs_kube_set_namespace(gs_arena *arena, gs_node *list, const char *namespace, gs_error *err) GS_MUST_USE;
bool gs_kube_namespaced(const gs_object_id *id);

/* One image reference in an object. */
typedef enum gs_image_certainty {
    GS_IMAGE_RUNS, /* in a PodSpec (containers, initContainers, ephemeralContainers, volumes[].image) at any depth, or under a key
                          `image`, or repository/tag/digest siblings */
    GS_IMAGE_MENTIONED /* another scalar that reads like a reference with a host, a tag or a digest */
} gs_image_certainty;
typedef struct gs_image_use {
    gs_image_certainty certainty;
    const gs_node *object;
    const char *path;  /* "spec.template.spec.containers[0].image" */
    const char *image; /* as written */
} gs_image_use;
/* All uses in a list of objects, in order. Strings in arena. */
int gs_kube_images(const gs_node *objects, gs_arena *arena, gs_image_use **out, size_t *count, gs_error *err) GS_MUST_USE;
/* Replaces every image that runs: replace gives the new reference, or NULL to leave it. */
int gs_kube_replace_images(gs_arena *arena, gs_node *objects, const char *(*replace)(void *state, const char *image), void *state,
                           gs_error *err) GS_MUST_USE;

/* Hooks: argocd.argoproj.io/hook and helm.sh/hook annotations. */
typedef enum gs_hook_kind { GS_HOOK_NONE, GS_HOOK_PRE, GS_HOOK_SYNC, GS_HOOK_POST, GS_HOOK_OTHER } gs_hook_kind;
typedef struct gs_hook {
    gs_hook_kind kind; /* PreSync, pre-install, pre-upgrade are PRE; SyncFail, test, pre-delete … OTHER */
    int64_t wave;      /* sync-wave or hook-weight */
} gs_hook;
int gs_kube_hook(const gs_node *object, gs_hook *out, gs_error *err) GS_MUST_USE;
/* Sorts a list into the order of application: Namespaces and CRDs first, then Argo CD's kind order, then namespace and name. */
void gs_kube_sort(gs_node *objects);

/* How a live object stands. */
typedef enum gs_health { GS_HEALTHY, GS_PROGRESSING, GS_FAILED } gs_health;
/* reason: one line for a person, cut to size. */
gs_health gs_kube_health(const gs_node *live, char *reason, size_t size);
/* Why a Pod will not get ready (image pull, configuration, crash loop), or GS_PROGRESSING. */
gs_health gs_kube_pod_health(const gs_node *pod, char *reason, size_t size);

/* A migration as a Job: backoffLimit 0, restartPolicy Never, activeDeadlineSeconds, one container called "migrate", image by digest. */
typedef struct gs_job_spec {
    const char *name, *namespace;
    const char *image;
    const char *const *command;
    size_t command_count;
    const gs_text_map *env;       /* may be NULL */
    const gs_text_list *env_from; /* Secrets; may be NULL */
    const char *service_account;  /* or NULL */
    int64_t deadline_seconds;
    const gs_text_map *labels; /* may be NULL */
} gs_job_spec;
gs_node *gs_kube_job(gs_arena *arena, const gs_job_spec *spec);

#endif
