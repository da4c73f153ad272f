/* Kubernetes objects from outside: no crash, no leak, and what is found to run is exactly what gets replaced. */
#include <string.h>

#include "fuzz.h"
#include "gapship/kube.h"

#define RELOCATED "registry.internal:5000/p/app:1@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static const char *replace(void *state, const char *image)
{
    size_t *asked = state;
    ++*asked;
    return *image ? RELOCATED : NULL;
}

static void judge(gs_node *object)
{
    char text[64];
    gs_error err = {0};
    gs_object_id id;
    gs_hook hook;
    if (gs_object_identify(object, &id, &err) == 0) {
        gs_object_id_text(&id, text, sizeof text);
        check(gs_object_id_equal(&id, &id));
    }
    (void)!gs_kube_hook(object, &hook, &err);
    (void)gs_kube_health(object, text, sizeof text);
    (void)gs_kube_pod_health(object, text, sizeof text);
}

/* Everything that runs is where it was sent, but for what names no image at all. In parts there may be no key for the digest. */
static void check_relocated(gs_doc *doc, gs_node *objects)
{
    gs_error err = {0};
    gs_image_use *uses = NULL;
    size_t count = 0;
    const size_t name = strlen("registry.internal:5000/p/app");
    if (gs_kube_images(objects, doc->arena, &uses, &count, &err) < 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        check(uses[i].certainty != GS_IMAGE_RUNS || uses[i].image[0] == '\0' || strncmp(uses[i].image, RELOCATED, name) == 0);
    }
}

static void relocate(gs_doc *doc, gs_node *objects)
{
    gs_error err = {0};
    gs_image_use *uses = NULL;
    size_t count = 0, runs = 0, asked = 0;
    if (gs_kube_images(objects, doc->arena, &uses, &count, &err) < 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        runs += uses[i].certainty == GS_IMAGE_RUNS;
    }
    if (gs_kube_replace_images(doc->arena, objects, replace, &asked, &err) == 0) {
        check(asked == runs);
        check_relocated(doc, objects);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_node *objects = NULL;
    if (gs_doc_parse_manifests("fuzz", (const char *)data, size, &doc, &err) < 0) {
        return 0;
    }
    for (size_t i = 0; i < doc->root->count; i++) {
        judge(doc->root->items[i]);
    }
    if (gs_kube_flatten(doc->arena, doc->root, &objects, &err) < 0) {
        objects = doc->root;
    }
    gs_kube_sort(objects);
    (void)!gs_kube_set_namespace(doc->arena, objects, "fuzz", &err);
    relocate(doc, objects);
    return 0;
}
