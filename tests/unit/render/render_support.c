/* The helpers of render_support.h. */
#include "render_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *render_support_tool(const char *name)
{
    static char path[4096];
    const char *directory = getenv("GAPSHIP_TEST_TOOLS");
    const char *cache = getenv("GAPSHIP_TEST_CACHE");
    const char *home = getenv("HOME");
    const char *ci = getenv("CI");
    bool required = ci && strcmp(ci, "true") == 0;
    if (directory && *directory) {
        (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    } else if (cache && *cache) {
        (void)snprintf(path, sizeof path, "%s/tools/%s", cache, name);
    } else {
        (void)snprintf(path, sizeof path, "%s/.cache/gapship-test/tools/%s", home ? home : "", name);
    }
    if (access(path, X_OK) == 0) {
        return path;
    }
    print_message(
        "%s: %s is missing; `tests/cluster/cluster get` fetches it, or set GAPSHIP_TEST_TOOLS to a directory that has it\n",
        required ? "FAILED" : "SKIPPED", path);
    if (required) {
        fail();
    }
    skip();
    return NULL;
}

void render_support_tools(const char *helm, gs_tools *out)
{
    gs_error err = {0};
    const gs_run run = {0};
    assert_int_equal(setenv("GAPSHIP_HELM", render_support_tool(helm), 1), 0);
    assert_int_equal(setenv("GAPSHIP_KUBECTL", render_support_tool("kubectl"), 1), 0);
    assert_ok(&err, gs_tools_find(&run, out, &err));
    assert_non_null(out->helm);
    assert_non_null(out->kubectl);
}

void render_support_chart(int dirfd, const char *path)
{
    static const struct {
        const char *name, *text;
    } files[] = {
        {"Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.2.3\nappVersion: \"9\"\n"},
        {"values.yaml", "replicas: 1\n"
                        "image:\n  repository: ghcr.io/org/app\n  tag: \"1.0\"\n"
                        "full:\n  registry: docker.io\n  repository: bitnami/redis\n  tag: \"7\"\n  digest: \"\"\n"
                        "gpu: {repository: nvcr.io/x/gpu, version: \"5\"}\n"
                        "sidecar: busybox:1.36\n"
                        "note: none\n"},
        {"crds/thing.yaml",
         "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n"
         "spec: {group: example.com, scope: Cluster, names: {kind: Thing, plural: things}, versions: []}\n"},
        {"templates/app.yaml",
         "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\n"
         "  annotations: {note: {{ .Values.note | quote }}, upgrade: {{ .Release.IsUpgrade | quote }},"
         " kube: {{ .Capabilities.KubeVersion.Version | quote }}}\n"
         "spec:\n  replicas: {{ .Values.replicas }}\n  template:\n    spec:\n      containers:\n"
         "      - {name: app, image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"}\n"
         "      - {name: redis, image: \"{{ .Values.full.registry }}/{{ .Values.full.repository }}:{{ .Values.full.tag }}"
         "{{ with .Values.full.digest }}@{{ . }}{{ end }}\"}\n"
         "      - {name: gpu, image: \"{{ .Values.gpu.repository }}:{{ .Values.gpu.version }}\"}\n"
         "      - {name: sidecar, image: {{ .Values.sidecar | quote }}}\n"},
        {"templates/monitor.yaml",
         "{{- if .Capabilities.APIVersions.Has \"monitoring.coreos.com/v1\" }}\n"
         "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: app}\n{{- end }}\n"},
        {"templates/migrate.yaml",
         "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n  annotations: {helm.sh/hook: \"pre-install,pre-upgrade\","
         " helm.sh/hook-weight: \"-5\"}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n"
         "      - {name: migrate, image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"}\n"},
        {"templates/tests/test.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: smoke\n  annotations: {helm.sh/hook: test}\n"
                                      "spec:\n  containers: [{name: smoke, image: \"curlimages/curl:8.1\"}]\n"},
    };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        char file[512];
        (void)snprintf(file, sizeof file, "%s/%s", path, files[i].name);
        support_write(dirfd, file, files[i].text);
    }
}

void render_support_pack(const gs_tempdir *dir, const char *chart, const char *archive)
{
    gs_error err = {0};
    const gs_run run = {0};
    GS_AUTO_PROC gs_proc_result result = {0};
    char parent[512];
    (void)snprintf(parent, sizeof parent, "%s", archive);
    *strrchr(parent, '/') = '\0';
    assert_ok(&err, gs_fs_make_dirs(dir->fd, parent, 0700, &err));
    const char *const argv[] = {"tar", "-czf", archive, chart, NULL};
    const gs_proc proc = {.argv = argv, .cwd = dir->fd};
    assert_ok(&err, gs_proc_check(&run, &proc, GS_EIO, &result, &err));
}

const gs_node *render_support_object(const gs_doc *doc, const char *kind, const char *name)
{
    for (size_t i = 0; i < doc->root->count; i++) {
        const gs_node *object = doc->root->items[i];
        const char *found = gs_node_text(gs_node_get(object, "metadata"), "name");
        if (found && strcmp(gs_node_text(object, "kind"), kind) == 0 && strcmp(found, name) == 0) {
            return object;
        }
    }
    fail_msg("there is no %s %s", kind, name);
    return NULL;
}
