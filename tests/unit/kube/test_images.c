/* images.c: every use in an object, as lines "R path image" (runs) and "M path image" (mentioned). */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "gapship/kube.h"

#define HEAD(kind) "apiVersion: v1\nkind: " kind "\nmetadata: {name: x}\n"
#define DIGEST     "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static const struct {
    const char *what, *text, *uses;
} cases[] = {
    {"all places of a PodSpec",
     HEAD("Pod") "spec:\n  initContainers: [{name: i, image: a/init:1}]\n  containers: [{name: c, image: a/app}, {name: d, image: "
                 "b}]\n"
                 "  ephemeralContainers: [{name: e, image: a/debug:1}]\n"
                 "  volumes: [{name: v, image: {reference: a/data:1, pullPolicy: Always}}, {name: w, emptyDir: {}}]\n",
     "R spec.initContainers[0].image a/init:1\nR spec.containers[0].image a/app\nR spec.containers[1].image b\n"
     "R spec.ephemeralContainers[0].image a/debug:1\nR spec.volumes[0].image.reference a/data:1\n"},
    {"a CronJob's and a Rollout's, at their depth",
     "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x}\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{image: "
     "a/b:1}]}}}}}\n"
     "---\napiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: x}\nspec: {template: {spec: {containers: [{image: "
     "a/c:1}]}}}\n",
     "R spec.jobTemplate.spec.template.spec.containers[0].image a/b:1\nR spec.template.spec.containers[0].image a/c:1\n"},
    {"a container's image that cannot be read is told",
     HEAD("Pod") "spec: {containers: [{image: Ghcr.io/Org/App}, {image: 12}, {image: ''}],"
                 " initContainers: [{image: A B}], ephemeralContainers: [{image: B}], volumes: [{image: {reference: C}}]}\n",
     "R spec.containers[0].image Ghcr.io/Org/App\nR spec.containers[1].image 12\nR spec.initContainers[0].image A B\n"
     "R spec.ephemeralContainers[0].image B\nR spec.volumes[0].image.reference C\n"},
    {"a custom resource's image", HEAD("Prometheus") "spec:\n  image: quay.io/prometheus/prometheus:v2.50.0\n  version: v2.50.0\n",
     "R spec.image quay.io/prometheus/prometheus:v2.50.0\n"},
    {"an image that is none", HEAD("Link") "spec: {image: \"https://example.com/logo.png\", logo: {image: true}}\n", ""},
    {"parts: repository and tag", HEAD("Foo") "spec: {app: {repository: ghcr.io/o/app, tag: v1}}\n",
     "R spec.app ghcr.io/o/app:v1\n"},
    {"parts: a tag of digits", HEAD("Foo") "spec: {repository: ghcr.io/o/app, tag: 1234567}\n", "R spec ghcr.io/o/app:1234567\n"},
    {"parts: registry, repository, tag, digest",
     HEAD("Foo") "spec: {image: {registry: docker.io, repository: bitnami/redis, tag: '7', digest: " DIGEST
                 ", pullPolicy: Always}}\n",
     "R spec.image docker.io/bitnami/redis:7@" DIGEST "\n"},
    {"parts: an empty digest", HEAD("Foo") "spec: {image: {registry: '', repository: bitnami/redis, tag: '7', digest: ''}}\n",
     "R spec.image bitnami/redis:7\n"},
    {"parts: a registry twice", HEAD("Foo") "spec: {registry: quay.io, repository: quay.io/o/a, tag: v1}\n",
     "R spec quay.io/o/a:v1\n"},
    {"parts: the GPU operator's",
     HEAD("ClusterPolicy") "spec:\n  driver: {repository: nvcr.io/nvidia, image: driver, version: \"535.104.12\"}\n"
                           "  toolkit: {repository: nvcr.io/nvidia, image: toolkit, version: " DIGEST "}\n",
     "R spec.driver nvcr.io/nvidia/driver:535.104.12\nR spec.toolkit nvcr.io/nvidia/toolkit@" DIGEST "\n"},
    {"parts: image and tag", HEAD("Foo") "spec: {image: o/app, tag: v1}\n", "R spec o/app:v1\n"},
    {"parts: registry and image", HEAD("Foo") "spec: {registry: quay.io, image: o/app}\n", "R spec quay.io/o/app\n"},
    {"parts: an image that is whole", HEAD("Foo") "spec: {image: \"o/app:v1\", tag: v2, repository: x}\n",
     "R spec.image o/app:v1\n"},
    {"a chart's coordinates are none",
     HEAD("HelmChart") "spec: {repository: \"https://charts.example.com\", chart: x, version: 1.2.3}\n"
                       "source: {repository: org/app, version: 1.2.3}\n",
     ""},
    {"mentioned in arguments, environment and annotations",
     "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x, annotations: {sidecar.example.com/image: "
     "\"quay.io/o/proxy:v1\"}}\n"
     "spec:\n  template:\n    spec:\n      containers:\n      - name: a\n        image: quay.io/o/operator:v1\n"
     "        args: [\"--reloader=quay.io/o/reloader:v0.70.0\", --listen=0.0.0.0:8080]\n"
     "        command: [sh, -c, \"run docker.io/o/tool:1 --for redis:6379\"]\n"
     "        env: [{name: SIDECAR_IMAGE, value: \"busybox:36\"}, {name: REDIS, value: \"redis:6379\"}, {name: SELF, value: "
     "\"quay.io/o/operator:v2\"}]\n",
     "R spec.template.spec.containers[0].image quay.io/o/operator:v1\n"
     "M metadata.annotations[\"sidecar.example.com/image\"] quay.io/o/proxy:v1\n"
     "M spec.template.spec.containers[0].args[0] quay.io/o/reloader:v0.70.0\n"
     "M spec.template.spec.containers[0].command[2] docker.io/o/tool:1\n"
     "M spec.template.spec.containers[0].env[0].value busybox:36\n"
     "M spec.template.spec.containers[0].env[2].value quay.io/o/operator:v2\n"},
    {"the text of a ConfigMap, once",
     HEAD("ConfigMap") "data:\n  config.yaml: |\n    # ghcr.io/o/comment:1\n    runner:\n      image: ghcr.io/o/runner:v1\n      "
                       "again: ghcr.io/o/runner:v1\n"
                       "    sidecar: {repository: ghcr.io/o/sidecar, tag: v2}\n    helper: {registry: quay.io, repository: "
                       "o/helper, tag: v3}\n"
                       "    pod:\n      containers:\n      - image: alpine\n    picture:\n      image: logo.png\n"
                       "  c.json: '{\"image\": \"busybox:1.36\"}'\n  broken: |\n    a: [\n    image: ghcr.io/o/broken:1\n",
     "M data[\"config.yaml\"].runner.image ghcr.io/o/runner:v1\nM data[\"config.yaml\"].sidecar ghcr.io/o/sidecar:v2\n"
     "M data[\"config.yaml\"].helper quay.io/o/helper:v3\nM data[\"config.yaml\"].pod.containers[0].image alpine\n"
     "M data[\"config.yaml\"] ghcr.io/o/comment:1\nM data[\"c.json\"].image busybox:1.36\nM data.broken ghcr.io/o/broken:1\n"},
    {"nothing",
     HEAD("Service") "spec: {ports: [{port: 80, targetPort: http}], type: ClusterIP, selector: {app.kubernetes.io/name: a}}\n", ""},
};

static void assert_uses(const char *text, const char *expected)
{
    gs_error err = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_image_use *uses;
    size_t count, used = 0;
    char got[4096] = "";
    assert_ok(&err, gs_doc_parse_manifests("case", text, strlen(text), &doc, &err));
    assert_ok(&err, gs_kube_images(doc->root, arena, &uses, &count, &err));
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(got + used, sizeof got - used, "%c %s %s\n", uses[i].certainty == GS_IMAGE_RUNS ? 'R' : 'M',
                                 uses[i].path, uses[i].image);
    }
    assert_string_equal(got, expected);
}

static void finds_every_use(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("  %s\n", cases[i].what);
        assert_uses(cases[i].text, cases[i].uses);
    }
}

static void uses_name_their_object_in_order(void **state)
{
    static const char text[] = HEAD("Pod") "spec: {containers: [{image: a, args: [quay.io/b/c:1]}]}\n---\n" HEAD(
        "Pod") "spec: {containers: [{image: d}]}\n";
    (void)state;
    gs_error err = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_image_use *uses;
    size_t count;
    assert_ok(&err, gs_doc_parse_manifests("case", text, strlen(text), &doc, &err));
    assert_ok(&err, gs_kube_images(doc->root, arena, &uses, &count, &err));
    assert_int_equal(count, 3);
    assert_ptr_equal(uses[0].object, doc->root->items[0]);
    assert_ptr_equal(uses[1].object, doc->root->items[0]);
    assert_ptr_equal(uses[2].object, doc->root->items[1]);
    assert_string_equal(uses[2].image, "d");
}

static void a_path_without_end_is_refused(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_image_use *uses;
    size_t count;
    char key[3000];
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    gs_node *inner = gs_node_set_text(arena, gs_node_new_map(arena), "image", "a");
    gs_node *object = gs_node_set(arena, gs_node_new_map(arena), key, gs_node_set(arena, gs_node_new_map(arena), key, inner));
    gs_node *list = gs_node_append(arena, gs_node_new_list(arena), object);
    assert_fails(&err, GS_ELIMIT, NULL, gs_kube_images(list, arena, &uses, &count, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_use),
        cmocka_unit_test(uses_name_their_object_in_order),
        cmocka_unit_test(a_path_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
