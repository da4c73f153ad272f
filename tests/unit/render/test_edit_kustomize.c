/* What gs_kustomization_edit writes, read by the real kubectl kustomize. */
#include "render_support.h"

#include <stdio.h>
#include <string.h>

#include "gapship/limits.h"

#define DIGEST "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static const gs_run run = {0};

static const char *const layouts[] = {
    "resources:\n  - pod.yaml\nimages:\n  - name: ghcr.io/org/app\n    newName: ghcr.io/org/app\n    newTag: e5c2216  # Updated by "
    "CI\n",
    "resources:\r\n- pod.yaml\r\nimages:\r\n- name: ghcr.io/org/app\r\n  newTag: \"1\"\r\n",
    "resources: [pod.yaml]\nimages: [{name: ghcr.io/org/app, newTag: v1}]\n",
    "resources: [pod.yaml]\nimages:\n- {name: other}\n",
    "resources: [pod.yaml]\nimages:\n- name: ghcr.io/org/app\n  digest: " DIGEST "\n",
    "resources:\n    - pod.yaml",
    "images: []\nresources:\n- pod.yaml\n",
};

static const struct {
    const char *tag, *digest, *image;
} wanted[] = {
    {"1a2b3c4", NULL, "reg.internal:5000/p/app:1a2b3c4"},
    {"1234567", NULL, "reg.internal:5000/p/app:1234567"},
    {"0123456", NULL, "reg.internal:5000/p/app:0123456"},
    {"1234e56", NULL, "reg.internal:5000/p/app:1234e56"},
    {"1_000", NULL, "reg.internal:5000/p/app:1_000"},
    {"0x1f", NULL, "reg.internal:5000/p/app:0x1f"},
    {"2026-11-21", NULL, "reg.internal:5000/p/app:2026-11-21"},
    {"1.20", NULL, "reg.internal:5000/p/app:1.20"},
    {"true", NULL, "reg.internal:5000/p/app:true"},
    {"y", NULL, "reg.internal:5000/p/app:y"},
    {"null", NULL, "reg.internal:5000/p/app:null"},
    {"sha-e5c2216", DIGEST, "reg.internal:5000/p/app:sha-e5c2216@" DIGEST},
    {NULL, DIGEST, "reg.internal:5000/p/app@" DIGEST},
};

static void assert_image(const gs_tools *tools, const gs_tempdir *dir, const char *layout, size_t k)
{
    gs_error err = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_BUF gs_buf text;
    const gs_render_request request = {.environment = "prod", .unit = "app", .overlay = dir->path};
    const gs_image_edit edit = {"ghcr.io/org/app", "reg.internal:5000/p/app", wanted[k].tag, wanted[k].digest};
    gs_buf_init(&text, GS_MAX_DOC_BYTES);
    assert_ok(&err, gs_kustomization_edit("kustomization.yaml", layout, strlen(layout), &edit, 1, &text, &err));
    support_write(dir->fd, "kustomization.yaml", gs_buf_text(&text));
    assert_ok(&err, gs_render(&run, tools, &request, &doc, &err));
    const gs_node *pod = render_support_object(doc, "Pod", "p");
    assert_string_equal(gs_node_text(gs_node_at(pod, "spec/containers/0"), "image"), wanted[k].image);
}

/* Every layout with a tag that has to be quoted, and every tag in one layout in lines and one in braces. */
static void kustomize_reads_what_was_meant(void **state)
{
    gs_tempdir *dir = *state;
    gs_tools tools = {0};
    render_support_tools("helm3", &tools);
    support_write(dir->fd, "pod.yaml",
                  "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: ghcr.io/org/app}]}\n");
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        assert_image(&tools, dir, layouts[i], 1);
    }
    for (size_t k = 0; k < COUNT_OF(wanted); k++) {
        assert_image(&tools, dir, layouts[0], k);
        assert_image(&tools, dir, layouts[2], k);
    }
    gs_tools_done(&tools);
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_in_tempdir(kustomize_reads_what_was_meant)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
