/* What is live, held against what was wanted: health, images, and Pods that will never start. Changes nothing. */
#include <stdio.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "kubeapi.h"

#define GS_LIVE_POLL_MS   1000
#define GS_POD_TROUBLE_MS 10000 /* an image pull may fail once and then work */

/* Where the waiting stands. */
typedef struct waiting {
    const gs_target_job *job;
    gs_api *api;
    const gs_node *objects;
    int64_t troubled; /* ticks since when a Pod is in trouble; 0: none is */
    char reason[GS_ERROR_MESSAGE_MAX];
} waiting;

static bool names_image(const gs_image_use *uses, size_t count, const char *image)
{
    for (size_t i = 0; i < count; i++) {
        if (uses[i].certainty == GS_IMAGE_RUNS && strcmp(uses[i].image, image) == 0) {
            return true;
        }
    }
    return false;
}

static int images_of(const gs_node *object, gs_arena *arena, gs_image_use **uses, size_t *count, gs_error *err)
{
    gs_node *list = gs_node_append(arena, gs_node_new_list(arena), (gs_node *)object);
    return list ? gs_kube_images(list, arena, uses, count, err) : gs_fail_nomem(err);
}

/* Every image that is wanted is what the live object names; until then somebody else (Argo CD, Flux) has not acted yet. */
static int runs_wanted(const gs_node *wanted, const gs_node *live, bool *out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_image_use *want = NULL, *have = NULL;
    size_t want_count = 0, have_count = 0;
    int code = arena ? images_of(wanted, arena, &want, &want_count, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = images_of(live, arena, &have, &have_count, err);
    }
    *out = code == 0;
    for (size_t i = 0; code == 0 && i < want_count; i++) {
        if (want[i].certainty == GS_IMAGE_RUNS && !names_image(have, have_count, want[i].image)) {
            *out = false;
        }
    }
    return code;
}

/* "app=web,tier=front" of spec.selector.matchLabels, or "" when there is none. */
static void selector_of(const gs_node *object, gs_buf *out)
{
    const gs_node *labels = gs_node_at(object, "spec/selector/matchLabels");
    for (size_t i = 0; labels && labels->kind == GS_NODE_MAP && i < labels->count; i++) {
        gs_buf_printf(out, "%s%s=%s", i > 0 ? "," : "", labels->pairs[i].key,
                      labels->pairs[i].value->text ? labels->pairs[i].value->text : "");
    }
}

/* What tells the Pods of one version of a workload from those of another. */
static const char *version_of(const gs_node *pod)
{
    const gs_node *labels = gs_node_at(pod, "metadata/labels");
    const char *deployed = gs_node_text(labels, "pod-template-hash");
    const char *version = deployed ? deployed : gs_node_text(labels, "controller-revision-hash");
    return version ? version : "";
}

/* The version of the youngest Pod. Older ones may be broken: that is why they are being replaced. */
static const char *newest_version(const gs_node *pods)
{
    const char *version = "", *newest = "";
    for (size_t i = 0; pods && i < pods->count; i++) {
        const char *created = gs_node_text(gs_node_get(pods->items[i], "metadata"), "creationTimestamp");
        if (created && strcmp(created, newest) > 0) {
            newest = created;
            version = version_of(pods->items[i]);
        }
    }
    return version;
}

/* A Pod that ended or is being deleted has a successor, which is looked at instead. */
static bool counts(const gs_node *pod, const char *version)
{
    return strcmp(version_of(pod), version) == 0 && !gs_node_text(gs_node_get(pod, "metadata"), "deletionTimestamp") &&
           !gs_text_equal(gs_node_text(gs_node_get(pod, "status"), "phase"), "Failed");
}

/* Adds to the reason what a Pod of the newest version says, which the workload itself never does. */
static int find_trouble(waiting *self, const gs_object_id *id, const gs_node *wanted, bool *trouble, gs_error *err)
{
    GS_AUTO_BUF gs_buf selector;
    GS_AUTO_DOC gs_doc *pods = NULL;
    gs_buf_init(&selector, GS_KIB(4));
    selector_of(wanted, &selector);
    if (selector.len == 0) {
        return 0;
    }
    int code = gs_buf_check(&selector, err);
    if (code == 0) {
        code = gs_api_pods(self->api, id->namespace, gs_buf_text(&selector), &pods, err);
    }
    const gs_node *items = code == 0 ? gs_node_list(pods->root, "items") : NULL;
    const char *version = newest_version(items);
    size_t used = strlen(self->reason);
    for (size_t i = 0; items && i < items->count && !*trouble; i++) {
        char why[GS_ERROR_MESSAGE_MAX / 2];
        const char *name = gs_node_text(gs_node_get(items->items[i], "metadata"), "name");
        gs_health health = gs_kube_pod_health(items->items[i], why, sizeof why);
        if (health != GS_HEALTHY && counts(items->items[i], version)) {
            (void)snprintf(self->reason + used, sizeof self->reason - used, "; Pod %s: %s", name ? name : "", why);
            *trouble = health == GS_FAILED;
        }
    }
    return code;
}

static int look_at(waiting *self, const gs_node *wanted, gs_health *health, bool *trouble, gs_error *err)
{
    GS_AUTO_DOC gs_doc *live = NULL;
    gs_object_id id;
    char what[GS_ERROR_WHERE_MAX], why[GS_ERROR_MESSAGE_MAX / 2] = "";
    bool same = false;
    int code = gs_object_identify(wanted, &id, err);
    if (code == 0) {
        code = gs_api_get(self->api, &id, &live, err);
    }
    if (code < 0) {
        return code;
    }
    gs_object_id_text(&id, what, sizeof what);
    *health = GS_PROGRESSING;
    if (!live) {
        (void)snprintf(self->reason, sizeof self->reason, "%s is not there yet", what);
        return 0;
    }
    code = runs_wanted(wanted, live->root, &same, err);
    if (code < 0) {
        return code;
    }
    if (!same) {
        (void)snprintf(self->reason, sizeof self->reason, "%s still names other images", what);
        return 0;
    }
    *health = gs_kube_health(live->root, why, sizeof why);
    if (*health == GS_HEALTHY) {
        return 0;
    }
    (void)snprintf(self->reason, sizeof self->reason, "%.400s: %s", what, why);
    return find_trouble(self, &id, wanted, trouble, err);
}

/* One look at everything; the first object that is not healthy decides. */
static int look(waiting *self, bool *healthy, gs_error *err)
{
    gs_health health = GS_HEALTHY;
    bool trouble = false;
    for (size_t i = 0; i < self->objects->count && health == GS_HEALTHY; i++) {
        int code = gs_is_hook(self->objects->items[i]) ? 0 : look_at(self, self->objects->items[i], &health, &trouble, err);
        if (code < 0) {
            return code;
        }
    }
    int64_t now = gs_ticks();
    self->troubled = !trouble ? 0 : self->troubled > 0 ? self->troubled : now;
    if (health == GS_FAILED || (trouble && now - self->troubled >= GS_POD_TROUBLE_MS)) {
        return gs_fail(err, GS_EAPPLY, "%s", self->reason);
    }
    *healthy = health == GS_HEALTHY;
    return 0;
}

static int wait_healthy(waiting *self, gs_error *err)
{
    const gs_wait_spec *wait = &self->job->unit->wait;
    int64_t began = gs_ticks(), since = -1;
    for (;;) {
        bool healthy = false;
        int code = look(self, &healthy, err);
        int64_t now = gs_ticks();
        if (code < 0) {
            return code;
        }
        since = !healthy ? -1 : since >= 0 ? since : now;
        if (healthy && now - since >= wait->stable) {
            return 0;
        }
        if (now - began >= wait->timeout) {
            return gs_fail(err, GS_ETIMEOUT, "not healthy after %lld s: %s", (long long)(wait->timeout / 1000), self->reason);
        }
        code = gs_sleep(self->job->run, GS_LIVE_POLL_MS, err);
        if (code < 0) {
            return code;
        }
    }
}

int gs_live_wait(const gs_target_job *job, const gs_node *objects, gs_error *err)
{
    GS_AUTO_API gs_api *api = NULL;
    waiting self = {.job = job, .objects = objects};
    int code = gs_api_open(job, &api, err);
    self.api = api;
    return code < 0 ? code : wait_healthy(&self, err);
}

int gs_live_missing(const gs_target_job *job, const gs_node *objects, gs_arena *arena, gs_object_id **out, size_t *count,
                    gs_error *err)
{
    GS_AUTO_API gs_api *api = NULL;
    gs_object_id *missing = gs_arena_array(arena, objects->count + 1, sizeof *missing);
    size_t found = 0;
    int code = missing ? gs_api_open(job, &api, err) : gs_fail_nomem(err);
    for (size_t i = 0; code == 0 && i < objects->count; i++) {
        GS_AUTO_DOC gs_doc *live = NULL;
        if (gs_is_hook(objects->items[i])) {
            continue;
        }
        code = gs_object_identify(objects->items[i], &missing[found], err);
        if (code == 0) {
            code = gs_api_get(api, &missing[found], &live, err);
        }
        found += code == 0 && !live ? 1 : 0;
    }
    if (code == 0) {
        *out = missing;
        *count = found;
    }
    return code;
}

int gs_live_images(const gs_target_job *job, const gs_node *objects, gs_arena *arena, gs_text_list *out, gs_error *err)
{
    GS_AUTO_API gs_api *api = NULL;
    const char **images = NULL;
    size_t count = 0;
    int code = gs_api_open(job, &api, err);
    for (size_t i = 0; code == 0 && i < objects->count; i++) {
        GS_AUTO_DOC gs_doc *live = NULL;
        gs_object_id id;
        gs_image_use *uses = NULL;
        size_t use_count = 0;
        if (gs_is_hook(objects->items[i])) {
            continue;
        }
        code = gs_object_identify(objects->items[i], &id, err);
        if (code == 0) {
            code = gs_api_get(api, &id, &live, err);
        }
        if (code == 0 && live) {
            code = images_of(live->root, arena, &uses, &use_count, err);
        }
        const char **larger = code == 0 && use_count > 0 ? gs_arena_array(arena, count + use_count, sizeof *larger) : images;
        if (code == 0 && use_count > 0 && !larger) {
            return gs_fail_nomem(err);
        }
        if (count > 0 && larger != images) {
            memcpy(larger, images, count * sizeof *larger);
        }
        images = larger;
        for (size_t k = 0; code == 0 && k < use_count; k++) {
            if (uses[k].certainty == GS_IMAGE_RUNS) {
                images[count++] = gs_arena_text(arena, uses[k].image);
            }
        }
    }
    if (code == 0) {
        *out = (gs_text_list){.items = images, .count = count};
    }
    return code;
}
