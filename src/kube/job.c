/* A migration as a Job. One Pod, one try: gapship retries by the release's own rule and looks at the outcome in between. No
 * ttlSecondsAfterFinished: a Job that vanishes by itself cannot be found by a rerun. */
#include "internal.h"

static gs_node *labels_of(gs_arena *arena, const gs_text_map *given)
{
    gs_node *labels = gs_node_set_text(arena, gs_node_new_map(arena), "app.kubernetes.io/managed-by", "gapship");
    for (size_t i = 0; given && i < given->count; i++) {
        labels = gs_node_set_text(arena, labels, given->items[i].key, given->items[i].value);
    }
    return labels;
}

static gs_node *texts_of(gs_arena *arena, const char *const *items, size_t count)
{
    gs_node *list = gs_node_new_list(arena);
    for (size_t i = 0; i < count; i++) {
        list = gs_node_append(arena, list, gs_node_new_text(arena, items[i]));
    }
    return list;
}

static gs_node *env_of(gs_arena *arena, const gs_text_map *env)
{
    gs_node *list = gs_node_new_list(arena);
    for (size_t i = 0; i < env->count; i++) {
        gs_node *entry = gs_node_set_text(arena, gs_node_new_map(arena), "name", env->items[i].key);
        list = gs_node_append(arena, list, gs_node_set_text(arena, entry, "value", env->items[i].value));
    }
    return list;
}

static gs_node *env_from_of(gs_arena *arena, const gs_text_list *secrets)
{
    gs_node *list = gs_node_new_list(arena);
    for (size_t i = 0; i < secrets->count; i++) {
        gs_node *name = gs_node_set_text(arena, gs_node_new_map(arena), "name", secrets->items[i]);
        list = gs_node_append(arena, list, gs_node_set(arena, gs_node_new_map(arena), "secretRef", name));
    }
    return list;
}

static gs_node *container_of(gs_arena *arena, const gs_job_spec *spec)
{
    gs_node *container = gs_node_set_text(arena, gs_node_new_map(arena), "name", "migrate");
    container = gs_node_set_text(arena, container, "image", spec->image);
    container = gs_node_set(arena, container, "command", texts_of(arena, spec->command, spec->command_count));
    if (spec->env && spec->env->count) {
        container = gs_node_set(arena, container, "env", env_of(arena, spec->env));
    }
    if (spec->env_from && spec->env_from->count) {
        container = gs_node_set(arena, container, "envFrom", env_from_of(arena, spec->env_from));
    }
    return container;
}

static gs_node *template_of(gs_arena *arena, const gs_job_spec *spec)
{
    gs_node *containers = gs_node_append(arena, gs_node_new_list(arena), container_of(arena, spec));
    gs_node *pod = gs_node_set_text(arena, gs_node_new_map(arena), "restartPolicy", "Never");
    pod = gs_node_set_text(arena, pod, "serviceAccountName", spec->service_account);
    pod = gs_node_set(arena, pod, "containers", containers);
    gs_node *metadata = gs_node_set(arena, gs_node_new_map(arena), "labels", labels_of(arena, spec->labels));
    return gs_node_set(arena, gs_node_set(arena, gs_node_new_map(arena), "metadata", metadata), "spec", pod);
}

gs_node *gs_kube_job(gs_arena *arena, const gs_job_spec *spec)
{
    gs_node *metadata = gs_node_set_text(arena, gs_node_new_map(arena), "name", spec->name);
    metadata = gs_node_set_text(arena, metadata, "namespace", spec->namespace);
    metadata = gs_node_set(arena, metadata, "labels", labels_of(arena, spec->labels));
    gs_node *body = gs_node_set_integer(arena, gs_node_new_map(arena), "backoffLimit", 0);
    body = gs_node_set_integer(arena, body, "activeDeadlineSeconds", spec->deadline_seconds);
    body = gs_node_set_integer(arena, body, "parallelism", 1);
    body = gs_node_set_integer(arena, body, "completions", 1);
    body = gs_node_set(arena, body, "template", template_of(arena, spec));
    gs_node *job = gs_node_set_text(arena, gs_node_new_map(arena), "apiVersion", "batch/v1");
    job = gs_node_set_text(arena, job, "kind", "Job");
    job = gs_node_set(arena, job, "metadata", metadata);
    return gs_node_set(arena, job, "spec", body);
}
