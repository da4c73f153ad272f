/* unit.c: units of a release out of an extracted bundle. */
#include "render_support.h"

#include <stdio.h>
#include <string.h>

static const gs_run run = {0};

static const char *image_of(const gs_doc *doc, const char *name)
{
    return gs_node_text(gs_node_at(render_support_object(doc, "Deployment", name), "spec/template/spec/containers/0"), "image");
}

static void renders_a_unit_with_a_chart(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_tools tools = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    const char *values[] = {"deploy/values.yaml", "deploy/values-prod.yaml"};
    gs_text_pair own[] = {{"image.tag", "9"}, {"note", "own"}};
    gs_text_pair more[] = {{"image.repository", "reg.internal/app"}, {"note", "more"}};
    const gs_text_map set = {more, 2};
    gs_unit_spec unit = {
        .name = "web", .source = {.chart = "app", .values = {values, 2}, .set = {own, 2}}, .target = {.namespace = "shop"}};
    const gs_environment_spec environment = {.name = "prod"};
    gs_unit_render request = {.work = dir->path, .environment = &environment, .unit = &unit, .set = &set, .kube_version = "1.28.0"};
    render_support_chart(dir->fd, "app");
    render_support_pack(dir, "app", "charts/app.tgz");
    support_write(dir->fd, "sources/deploy/values.yaml", "replicas: 2\n");
    support_write(dir->fd, "sources/deploy/values-prod.yaml", "replicas: 4\n");
    render_support_tools("helm4", &tools);
    assert_ok(&err, gs_render_unit(&run, &tools, &request, &doc, &err));
    const gs_node *web = render_support_object(doc, "Deployment", "web");
    assert_string_equal(image_of(doc, "web"), "reg.internal/app:9");
    assert_int_equal(gs_node_integer(gs_node_get(web, "spec"), "replicas", 0), 4);
    assert_string_equal(gs_node_text(gs_node_at(web, "metadata/annotations"), "note"), "more");
    assert_string_equal(gs_node_text(gs_node_at(web, "metadata/annotations"), "kube"), "v1.28.0");

    GS_AUTO_DOC gs_doc *named = NULL;
    unit.target.release = "front";
    request.set = NULL;
    request.upgrade = true;
    assert_ok(&err, gs_render_unit(&run, &tools, &request, &named, &err));
    assert_string_equal(image_of(named, "front"), "ghcr.io/org/app:9");

    gs_doc *none = NULL;
    unit.source.chart = "gone";
    assert_fails(&err, GS_ECHECK, "prod/web", gs_render_unit(&run, &tools, &request, &none, &err));
    gs_tools_done(&tools);
}

static void renders_a_unit_with_an_overlay(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_tools tools = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_unit_spec unit = {.name = "dex", .source = {.overlay = "dex", .path = "overlays/prod"}};
    const gs_environment_spec environment = {.name = "prod"};
    const gs_unit_render request = {.work = dir->path, .environment = &environment, .unit = &unit};
    support_write(dir->fd, "overlays/dex/base/kustomization.yaml", "resources: [d.yaml]\n");
    support_write(dir->fd, "overlays/dex/base/d.yaml",
                  "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: dex}\n"
                  "spec: {template: {spec: {containers: [{name: dex, image: dex}]}}}\n");
    support_write(dir->fd, "overlays/dex/overlays/prod/kustomization.yaml",
                  "resources: [../../base]\nimages: [{name: dex, newTag: v1}]\n");
    render_support_tools("helm3", &tools);
    assert_ok(&err, gs_render_unit(&run, &tools, &request, &doc, &err));
    assert_string_equal(image_of(doc, "dex"), "dex:v1");

    gs_doc *none = NULL;
    support_write(dir->fd, "overlays/dex/overlays/prod/kustomization.yaml", "resources:\n- https://github.com/org/repo\n");
    assert_fails(&err, GS_ECHECK, "prod/dex: overlays/prod/kustomization.yaml:2:3",
                 gs_render_unit(&run, &tools, &request, &none, &err));
    unit.source.path = "../dex2";
    assert_fails(&err, GS_ECHECK, "leaves the overlay", gs_render_unit(&run, &tools, &request, &none, &err));
    unit.source.path = NULL;
    assert_fails(&err, GS_ECHECK, "no kustomization.yaml", gs_render_unit(&run, &tools, &request, &none, &err));
    gs_tools_done(&tools);
}

static void renders_a_unit_with_manifests(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    const gs_tools tools = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    const gs_unit_spec unit = {.name = "jobs", .source = {.manifests = "k8s/jobs"}};
    const gs_environment_spec environment = {.name = "dev"};
    const gs_unit_render request = {.work = dir->path, .environment = &environment, .unit = &unit};
    support_write(dir->fd, "sources/k8s/jobs/a.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}\n");
    assert_ok(&err, gs_render_unit(&run, &tools, &request, &doc, &err));
    assert_int_equal(doc->root->count, 1);
}

static void says_which_tool_is_missing(void **state)
{
    gs_error err = {0};
    const gs_tools tools = {0};
    gs_tempdir *dir = *state;
    gs_doc *none = NULL;
    const gs_unit_spec chart = {.name = "web", .source = {.chart = "app"}};
    const gs_unit_spec overlay = {.name = "web", .source = {.overlay = "app"}};
    const gs_environment_spec environment = {.name = "dev"};
    gs_unit_render request = {.work = dir->path, .environment = &environment, .unit = &chart};
    support_write(dir->fd, "overlays/app/kustomization.yaml", "");
    assert_fails(&err, GS_ECHECK, "helm 3 or 4 is needed", gs_render_unit(&run, &tools, &request, &none, &err));
    request.unit = &overlay;
    assert_fails(&err, GS_ECHECK, "kubectl 1.22 or newer is needed", gs_render_unit(&run, &tools, &request, &none, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(renders_a_unit_with_a_chart),
        test_in_tempdir(renders_a_unit_with_an_overlay),
        test_in_tempdir(renders_a_unit_with_manifests),
        test_in_tempdir(says_which_tool_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
