/* Finds helm and kubectl and what version they are. Must not know what they are run for. */
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

/* The first kustomize without the load holes and with the fields that today's overlays use; kubectl 1.22 has it. */
#define OLDEST_KUSTOMIZE "4.2.0"
#define OLDEST_HELM      "3.0.0"
#define LONGEST_VERSION  64

/* The program to run: what the variable names, made absolute so that it can be run from any directory, or name from PATH. */
static int choose_program(const char *variable, const char *name, char **out, gs_error *err)
{
    const char *chosen = getenv(variable);
    if (!chosen || *chosen == '\0') {
        *out = strdup(name);
    } else if (strchr(chosen, '/') == NULL || (*out = gs_fs_real_path(chosen)) == NULL) {
        *out = strdup(chosen);
    }
    return *out ? 0 : gs_fail_nomem(err);
}

const char *const *gs_tools_paths(gs_arena *arena)
{
    const char *text = getenv("GAPSHIP_TOOL_PATHS");
    const char **paths = gs_arena_array(arena, text ? strlen(text) + 2 : 1, sizeof *paths);
    for (size_t i = 0; paths && text && *text;) {
        size_t len = strcspn(text, ":");
        if (len > 0) {
            char *path = gs_arena_copy(arena, text, len);
            if (!path) {
                return NULL;
            }
            paths[i++] = path;
        }
        text += len + (text[len] == ':');
    }
    return paths;
}

/* Runs a version command; an empty output means that the tool is not there or does not work. */
static int ask(const gs_run *run, const char *const *argv, gs_proc_result *result, gs_error *err)
{
    int code = gs_render_run_tool(run, &(gs_tool_call){.argv = argv, .cwd = -1}, result, err);
    if (code == GS_EINTERRUPTED || code == GS_ENOMEM) {
        return code;
    }
    if (code < 0 && code != GS_ENOTFOUND) {
        gs_emit(run, GS_WARNING, "toolUnusable", NULL, 0, "%s cannot be used: %s", argv[0], err->message);
    }
    if (code < 0) {
        gs_buf_clear(&result->output);
    }
    return 0;
}

/* A copy of "v1.2.3\n" without what is around the version; NULL in *out when it is none. */
static int keep_version(const char *text, char **out, gs_error *err)
{
    text += strspn(text, " \t\r\nv");
    size_t len = strcspn(text, " \t\r\n");
    *out = NULL;
    if (len == 0 || len > LONGEST_VERSION || *text < '0' || *text > '9') {
        return 0;
    }
    *out = strndup(text, len);
    return *out ? 0 : gs_fail_nomem(err);
}

static int find_helm(const gs_run *run, gs_tools *tools, unsigned *unconfined, gs_error *err)
{
    GS_AUTO_FREE char *program = NULL;
    GS_AUTO_PROC gs_proc_result result = {0};
    int code = choose_program("GAPSHIP_HELM", "helm", &program, err);
    if (code < 0) {
        return code;
    }
    const char *const argv[] = {program, "version", "--template", "{{.Version}}", NULL};
    code = ask(run, argv, &result, err);
    *unconfined |= result.unconfined;
    if (code == 0) {
        code = keep_version(gs_buf_text(&result.output), &tools->helm_version, err);
    }
    if (code < 0 || !tools->helm_version) {
        return code;
    }
    if (gs_version_compare(tools->helm_version, OLDEST_HELM) < 0) {
        gs_emit(run, GS_WARNING, "toolTooOld", NULL, 0, "helm %s is too old, 3 is the oldest that can be used",
                tools->helm_version);
        free(GS_STEAL(tools->helm_version));
        return 0;
    }
    tools->helm = GS_STEAL(program);
    return 0;
}

static int read_kubectl_versions(const gs_proc_result *result, gs_tools *tools, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    int code = gs_doc_parse(GS_JSON, "kubectl version", result->output.data, result->output.len, &doc, NULL);
    if (code < 0) {
        return code == GS_ENOMEM ? gs_fail_nomem(err) : 0;
    }
    const char *client = gs_node_text(gs_node_get(doc->root, "clientVersion"), "gitVersion");
    const char *kustomize = gs_node_text(doc->root, "kustomizeVersion");
    code = keep_version(client ? client : "", &tools->kubectl_version, err);
    return code < 0 ? code : keep_version(kustomize ? kustomize : "", &tools->kustomize_version, err);
}

static int find_kubectl(const gs_run *run, gs_tools *tools, unsigned *unconfined, gs_error *err)
{
    GS_AUTO_FREE char *program = NULL;
    GS_AUTO_PROC gs_proc_result result = {0};
    int code = choose_program("GAPSHIP_KUBECTL", "kubectl", &program, err);
    if (code < 0) {
        return code;
    }
    const char *const argv[] = {program, "version", "--client", "-o", "json", NULL};
    code = ask(run, argv, &result, err);
    *unconfined |= result.unconfined;
    if (code == 0 && result.output.len > 0) {
        code = read_kubectl_versions(&result, tools, err);
    }
    if (code < 0 || !tools->kubectl_version) {
        return code;
    }
    /* Before 1.22 kubectl did not even tell. */
    if (!tools->kustomize_version || gs_version_compare(tools->kustomize_version, OLDEST_KUSTOMIZE) < 0) {
        gs_emit(run, GS_WARNING, "toolTooOld", NULL, 0,
                "kubectl %s is too old: it has no kustomize of " OLDEST_KUSTOMIZE " or newer", tools->kubectl_version);
        free(GS_STEAL(tools->kubectl_version));
        free(GS_STEAL(tools->kustomize_version));
        return 0;
    }
    tools->kubectl = GS_STEAL(program);
    return 0;
}

int gs_tools_find(const gs_run *run, gs_tools *out, gs_error *err)
{
    gs_tools tools = {0};
    gs_error local = {0};
    if (!err) {
        err = &local;
    }
    unsigned unconfined = 0;
    int code = find_helm(run, &tools, &unconfined, err);
    if (code == 0) {
        code = find_kubectl(run, &tools, &unconfined, err);
    }
    if (code < 0) {
        gs_tools_done(&tools);
        return code;
    }
    gs_confine_report(run, "helm and kubectl", unconfined);
    *err = (gs_error){0};
    *out = tools;
    return 0;
}

void gs_tools_done(gs_tools *tools)
{
    if (!tools) {
        return;
    }
    free(tools->helm);
    free(tools->helm_version);
    free(tools->kubectl);
    free(tools->kubectl_version);
    free(tools->kustomize_version);
    *tools = (gs_tools){0};
}

int gs_tools_need_helm(const gs_tools *tools, gs_error *err)
{
    if (tools->helm) {
        return 0;
    }
    gs_fail(err, GS_ECHECK, "helm 3 or 4 is needed for charts, and there is none that works");
    return gs_error_hint(
        err, "take helm from https://github.com/helm/helm/releases and put it into PATH, or set GAPSHIP_HELM to its path");
}

int gs_tools_need_kubectl(const gs_tools *tools, gs_error *err)
{
    if (tools->kubectl) {
        return 0;
    }
    gs_fail(err, GS_ECHECK, "kubectl 1.22 or newer is needed, and there is none that works");
    return gs_error_hint(err,
                         "take kubectl from https://dl.k8s.io/release/ and put it into PATH, or set GAPSHIP_KUBECTL to its path");
}
