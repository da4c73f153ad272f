/* render.c with the real helm 3, helm 4 and kubectl. */
#include "render_support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gapship/kube.h"

static const gs_run run = {0};
static const char *const helms[] = {"helm3", "helm4"};

static void path_in(const gs_tempdir *dir, const char *name, char out[512])
{
    (void)snprintf(out, 512, "%s/%s", dir->path, name);
}

static const char *annotation(const gs_node *object, const char *key)
{
    return gs_node_text(gs_node_at(object, "metadata/annotations"), key);
}

static void renders_a_chart_with_hooks_definitions_and_values(void **state)
{
    gs_tempdir *dir = *state;
    char chart[512], values[512];
    path_in(dir, "app", chart);
    path_in(dir, "values-prod.yaml", values);
    render_support_chart(dir->fd, "app");
    support_write(dir->fd, "values-prod.yaml", "replicas: 3\nimage: {tag: \"2.0\"}\n");
    for (size_t i = 0; i < COUNT_OF(helms); i++) {
        gs_error err = {0};
        gs_tools tools = {0};
        GS_AUTO_DOC gs_doc *doc = NULL;
        gs_text_pair pairs[] = {{"note", "a,b={c}\\d"}, {"image.tag", "1234567"}};
        const gs_text_map set = {pairs, 2};
        const char *files[] = {values};
        const char *apis[] = {"monitoring.coreos.com/v1"};
        const gs_text_list api_versions = {apis, 1};
        const gs_render_request request = {.environment = "prod",
                                           .unit = "app",
                                           .chart = chart,
                                           .release = "web",
                                           .namespace = "shop",
                                           .values = files,
                                           .value_count = 1,
                                           .set = &set,
                                           .upgrade = true,
                                           .kube_version = "1.29.4",
                                           .api_versions = &api_versions};
        render_support_tools(helms[i], &tools);
        assert_ok(&err, gs_render(&run, &tools, &request, &doc, &err));
        assert_int_equal(doc->root->count, 5);
        const gs_node *app = render_support_object(doc, "Deployment", "web");
        assert_string_equal(gs_node_text(gs_node_get(app, "metadata"), "namespace"), "shop");
        assert_int_equal(gs_node_integer(gs_node_get(app, "spec"), "replicas", 0), 3);
        assert_string_equal(gs_node_text(gs_node_at(app, "spec/template/spec/containers/0"), "image"), "ghcr.io/org/app:1234567");
        assert_string_equal(annotation(app, "note"), "a,b={c}\\d");
        assert_string_equal(annotation(app, "upgrade"), "true");
        assert_string_equal(annotation(app, "kube"), "v1.29.4");
        (void)render_support_object(doc, "CustomResourceDefinition", "things.example.com");
        (void)render_support_object(doc, "ServiceMonitor", "app");
        gs_hook hook;
        assert_ok(&err, gs_kube_hook(render_support_object(doc, "Job", "migrate"), &hook, &err));
        assert_int_equal(hook.kind, GS_HOOK_PRE);
        assert_int_equal(hook.wave, -5);
        assert_ok(&err, gs_kube_hook(render_support_object(doc, "Pod", "smoke"), &hook, &err));
        assert_int_equal(hook.kind, GS_HOOK_OTHER);
        gs_tools_done(&tools);
    }
}

static void an_installation_differs_from_an_upgrade(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_tools tools = {0};
    char chart[512];
    path_in(dir, "app", chart);
    render_support_chart(dir->fd, "app");
    render_support_tools("helm3", &tools);
    GS_AUTO_DOC gs_doc *doc = NULL;
    const gs_render_request request = {.environment = "prod", .unit = "app", .chart = chart, .release = "web"};
    assert_ok(&err, gs_render(&run, &tools, &request, &doc, &err));
    assert_string_equal(annotation(render_support_object(doc, "Deployment", "web"), "upgrade"), "false");
    gs_tools_done(&tools);
}

static void a_chart_that_does_not_render_is_explained(void **state)
{
    gs_tempdir *dir = *state;
    char chart[512], values[512];
    path_in(dir, "app", chart);
    path_in(dir, "values-gone.yaml", values);
    for (size_t i = 0; i < COUNT_OF(helms); i++) {
        gs_error err = {0};
        gs_tools tools = {0};
        gs_doc *doc = NULL;
        const char *files[] = {values};
        gs_render_request request = {.environment = "prod", .unit = "app", .chart = chart, .release = "web"};
        render_support_chart(dir->fd, "app");
        render_support_tools(helms[i], &tools);

        support_write(dir->fd, "app/templates/bad.yaml", "{{ required \"DB_URL is needed\" .Values.dbUrl }}\n");
        assert_fails(&err, GS_ECHECK, "DB_URL is needed", gs_render(&run, &tools, &request, &doc, &err));
        assert_fails(&err, GS_ECHECK, "prod/app", gs_render(&run, &tools, &request, &doc, &err));
        assert_fails(&err, GS_ECHECK, "helm", gs_render(&run, &tools, &request, &doc, &err));
        support_write(dir->fd, "app/templates/bad.yaml", "a: [\n");
        assert_fails(&err, GS_ECHECK, NULL, gs_render(&run, &tools, &request, &doc, &err));
        support_write(dir->fd, "app/templates/bad.yaml", "just: a map\n");
        assert_fails(&err, GS_ECHECK, "apiVersion is missing", gs_render(&run, &tools, &request, &doc, &err));
        assert_fails(&err, GS_ECHECK, "prod/app: app/templates/bad.yaml", gs_render(&run, &tools, &request, &doc, &err));
        support_write(dir->fd, "app/templates/bad.yaml", "");

        support_write(dir->fd, "app/Chart.yaml",
                      "apiVersion: v2\nname: app\nversion: 1.2.3\n"
                      "dependencies: [{name: redis, version: 1.0.0, repository: \"https://charts.example.com\"}]\n");
        assert_fails(&err, GS_ECHECK, "helm dependency build", gs_render(&run, &tools, &request, &doc, &err));
        render_support_chart(dir->fd, "app");

        request.values = files;
        request.value_count = 1;
        assert_fails(&err, GS_ECHECK, "values-gone.yaml does not exist", gs_render(&run, &tools, &request, &doc, &err));
        request.value_count = 0;
        request.chart = "/nowhere/app.tgz";
        assert_fails(&err, GS_ECHECK, "/nowhere/app.tgz does not exist", gs_render(&run, &tools, &request, &doc, &err));
        assert_null(doc);
        gs_tools_done(&tools);
    }
}

static void renders_an_overlay_as_kubectl_does(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_tools tools = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    char overlay[512];
    path_in(dir, "overlays/prod", overlay);
    support_write(dir->fd, "base/kustomization.yaml", "resources: [deployment.yaml]\nimages:\n- name: ghcr.io/data-literate/dex\n");
    support_write(dir->fd, "base/deployment.yaml",
                  "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: dex}\nspec:\n  replicas: 2\n  template:\n    spec:\n"
                  "      containers: [{name: dex, image: ghcr.io/data-literate/dex}]\n");
    support_write(
        dir->fd, "overlays/prod/kustomization.yaml",
        "resources: [../../base]\nnamespace: dex-prod\nreplicas: [{name: dex, count: 3}]\nimages:\n"
        "- name: ghcr.io/data-literate/dex\n  newTag: sha-1a2b3c4d\npatches:\n- target: {kind: Deployment}\n  patch: |-\n"
        "    - op: add\n      path: /spec/template/spec/containers/0/env\n      value: [{name: LOG_LEVEL, value: WARN}]\n");
    render_support_tools("helm3", &tools);
    const gs_render_request request = {.environment = "prod", .unit = "dex", .overlay = overlay, .overlay_root = dir->path};
    assert_ok(&err, gs_render(&run, &tools, &request, &doc, &err));
    const gs_node *dex = render_support_object(doc, "Deployment", "dex");
    assert_string_equal(gs_node_text(gs_node_get(dex, "metadata"), "namespace"), "dex-prod");
    assert_int_equal(gs_node_integer(gs_node_get(dex, "spec"), "replicas", 0), 3);
    const gs_node *container = gs_node_at(dex, "spec/template/spec/containers/0");
    assert_string_equal(gs_node_text(container, "image"), "ghcr.io/data-literate/dex:sha-1a2b3c4d");
    assert_string_equal(gs_node_text(gs_node_at(container, "env/0"), "value"), "WARN");

    gs_doc *none = NULL;
    support_write(dir->fd, "overlays/prod/kustomization.yaml", "resources: [../../gone]\n");
    assert_fails(&err, GS_ECHECK, "gone", gs_render(&run, &tools, &request, &none, &err));
    assert_fails(&err, GS_ECHECK, "prod/dex", gs_render(&run, &tools, &request, &none, &err));
    support_write(dir->fd, "overlays/prod/kustomization.yaml", "images:\n- name: a\n  newTag: 1234567\n");
    assert_fails(&err, GS_ECHECK, "prod/dex", gs_render(&run, &tools, &request, &none, &err));
    support_write(dir->fd, "overlays/prod/kustomization.yaml", "resources: [/etc/hostname]\n");
    assert_fails(&err, GS_ECHECK, "prod/dex", gs_render(&run, &tools, &request, &none, &err));
    assert_null(none);
    gs_tools_done(&tools);
}

/* A server that is there, on this very machine, and that nobody may speak to while rendering. */
static void rendering_has_no_network(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_tools tools = {0};
    gs_doc *doc = NULL;
    GS_AUTO_PROC gs_proc_result result = {0};
    static const char *const argv[] = {"true", NULL};
    const gs_proc probe = {.argv = argv, .cwd = -1, .isolated = true};
    assert_ok(&err, gs_proc_run(&run, &probe, &result, &err));
    if (!result.isolated) {
        print_message("SKIPPED: this kernel forbids network namespaces\n");
        skip();
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(server >= 0);
    assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server, 8), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&address, &len), 0);
    char text[128];
    (void)snprintf(text, sizeof text, "resources: [\"http://127.0.0.1:%u/x.yaml\"]\n", (unsigned)ntohs(address.sin_port));
    support_write(dir->fd, "kustomization.yaml", text);
    render_support_tools("helm3", &tools);
    const gs_render_request request = {.environment = "prod", .unit = "app", .overlay = dir->path};
    assert_fails(&err, GS_ECHECK, "prod/app", gs_render(&run, &tools, &request, &doc, &err));
    assert_int_equal(accept(server, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    (void)close(server);
    gs_tools_done(&tools);
}

static void reads_a_directory_of_manifests_in_order(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    const gs_tools tools = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    char manifests[512];
    path_in(dir, "k8s", manifests);
    support_write(dir->fd, "k8s/b.yaml",
                  "apiVersion: v1\nkind: Secret\nmetadata: {name: b}\n---\n# nothing\n---\n"
                  "apiVersion: v1\nkind: Secret\nmetadata: {name: b2}\n");
    support_write(dir->fd, "k8s/a.yml",
                  "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"
                  "- {apiVersion: v1, kind: ConfigMap, metadata: {name: a2}}\n");
    support_write(dir->fd, "k8s/c/d.json", "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"c\"}}");
    support_write(dir->fd, "k8s/README.md", "apiVersion: nonsense\n");
    const gs_render_request request = {.environment = "dev", .unit = "app", .manifests = manifests};
    assert_ok(&err, gs_render(&run, &tools, &request, &doc, &err));
    static const char *const names[] = {"a", "a2", "b", "b2", "c"};
    assert_int_equal(doc->root->count, COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_string_equal(gs_node_text(gs_node_get(doc->root->items[i], "metadata"), "name"), names[i]);
    }
}

static void refuses_manifests_that_are_none(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"a: [\n", "x.yaml:"},
        {"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\njust: a map\n", "x.yaml: line 5"},
        {"just: a map\n", "apiVersion is missing"},
        {"apiVersion: v1\nmetadata: {name: a}\n", "kind is missing"},
        {"apiVersion: v1\nkind: Secret\n", "metadata.name is missing"},
        {"just a text\n", "it is not a map"},
        {"resources: [deployment.yaml]\n", "`overlays`"},
        {"apiVersion: v1\nkind: Secret\nkind: Secret\nmetadata: {name: a}\n", "second time"},
    };
    gs_tempdir *dir = *state;
    gs_error err = {0};
    const gs_tools tools = {0};
    gs_doc *doc = NULL;
    char manifests[512];
    path_in(dir, "k8s", manifests);
    const gs_render_request request = {.environment = "dev", .unit = "app", .manifests = manifests};
    assert_fails(&err, GS_ECHECK, "dev/app", gs_render(&run, &tools, &request, &doc, &err));
    support_write(dir->fd, "k8s/README.md", "nothing to see\n");
    assert_fails(&err, GS_ECHECK, "no .yaml", gs_render(&run, &tools, &request, &doc, &err));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        support_write(dir->fd, "k8s/x.yaml", cases[i].text);
        assert_fails(&err, GS_ECHECK, cases[i].part, gs_render(&run, &tools, &request, &doc, &err));
    }
    assert_null(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(renders_a_chart_with_hooks_definitions_and_values),
        test_in_tempdir(an_installation_differs_from_an_upgrade),
        test_in_tempdir(a_chart_that_does_not_render_is_explained),
        test_in_tempdir(renders_an_overlay_as_kubectl_does),
        test_in_tempdir(rendering_has_no_network),
        test_in_tempdir(reads_a_directory_of_manifests_in_order),
        test_in_tempdir(refuses_manifests_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
