/* Runs the real helm and kubectl to get objects out of charts and overlays, and reads directories of manifests. Must not know what
 * a release is, nor what the objects are for. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/kube.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

#define TOOL_DEADLINE 120000

/* What Go programs say when they run out of memory is a list of addresses. */
static int explain_end(const char *program, const gs_proc_result *result, gs_error *err)
{
    const char *slash = strrchr(program, '/');
    if (!result->errors.data || !strstr(result->errors.data, "goroutine 1")) {
        return GS_ECHECK;
    }
    (void)gs_fail(err, GS_ECHECK, "%s broke down while it rendered", slash ? slash + 1 : program);
    return gs_error_hint(err, "a template or patch that asks for more than %zu MiB of memory does that", GS_MAX_TOOL_MEMORY >> 20);
}

int gs_render_run_tool(const gs_run *run, const gs_tool_call *call, gs_proc_result *result, gs_error *err)
{
    GS_AUTO_TEMPDIR gs_tempdir home = GS_TEMPDIR_INIT;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    int code = gs_tempdir_make(&home, err);
    if (code < 0) {
        return code;
    }
    const char *temporary = arena ? gs_arena_printf(arena, "TMPDIR=%s", home.path) : NULL;
    const char *const environment[] = {temporary, NULL};
    const char *const writable[] = {home.path, NULL};
    const gs_confinement confined = {.memory = GS_MAX_TOOL_MEMORY,
                                     .cpu_seconds = GS_MAX_RENDER_CPU_SECONDS,
                                     .file_size = GS_MAX_TOOL_FILE_BYTES,
                                     .open_files = GS_MAX_TOOL_FILES,
                                     .no_files = true,
                                     .readable = call->readable,
                                     .writable = writable,
                                     .usable = temporary ? gs_tools_paths(arena) : NULL};
    if (!confined.usable) {
        return gs_fail_nomem(err);
    }
    const gs_proc proc = {.argv = call->argv,
                          .environment = environment,
                          .home = home.path,
                          .cwd = call->cwd >= 0 ? call->cwd : home.fd,
                          .deadline = TOOL_DEADLINE,
                          .isolated = true,
                          .confined = &confined};
    code = gs_proc_check(run, &proc, GS_ECHECK, result, err);
    return code == GS_ECHECK ? explain_end(call->argv[0], result, err) : code;
}

int gs_render_real_path(const char *what, const char *path, gs_arena *arena, const char **out, gs_error *err)
{
    GS_AUTO_FREE char *real = gs_fs_real_path(path);
    if (!real) {
        gs_fail(err, GS_ECHECK, "%s %s does not exist", what, path);
        return GS_ECHECK;
    }
    *out = gs_arena_text(arena, real);
    return *out ? 0 : gs_fail_nomem(err);
}

int gs_render_values_path(const char *path, gs_arena *arena, const char **out, gs_error *err)
{
    int code = gs_render_real_path("the values file", path, arena, out, err);
    return code == GS_ECHECK ? gs_error_hint(err, "list only files that are there when the release is built") : code;
}

/* What helm would take for syntax in --set-string: a comma ends the value, a brace in front begins a list. */
static const char *escape_value(gs_arena *arena, const char *text)
{
    char *out = gs_arena_alloc(arena, 2 * strlen(text) + 1);
    if (!out) {
        return NULL;
    }
    char *end = out;
    for (const char *p = text; *p; p++) {
        if (*p == ',' || *p == '\\' || (*p == '{' && p == text)) {
            *end++ = '\\';
        }
        *end++ = *p;
    }
    return out;
}

/* An argument vector that remembers when memory ran out, and the files that it names. */
typedef struct arguments {
    gs_arena *arena;
    const char **items;
    size_t count;
    const char **files;
    bool failed;
} arguments;

static void add(arguments *args, const char *argument)
{
    if (!argument) {
        args->failed = true;
    } else if (args->items) {
        args->items[args->count++] = argument;
    }
}

static void add_option(arguments *args, const char *option, const char *value)
{
    if (value) {
        add(args, option);
        add(args, value);
    }
}

static int chart_arguments(const gs_tools *tools, const gs_render_request *request, arguments *args, gs_error *err)
{
    static const size_t fixed = 16;
    size_t sets = request->set ? request->set->count : 0;
    size_t apis = request->api_versions ? request->api_versions->count : 0;
    const char *chart = NULL;
    args->items = gs_arena_array(args->arena, fixed + 2 * (request->value_count + sets + apis), sizeof *args->items);
    args->files = gs_arena_array(args->arena, request->value_count + 2, sizeof *args->files);
    args->failed = !args->items;
    if (!args->files) {
        return gs_fail_nomem(err);
    }
    int code = gs_render_real_path("the chart", request->chart, args->arena, &chart, err);
    if (code < 0) {
        return code;
    }
    args->files[request->value_count] = chart;
    add(args, tools->helm);
    add(args, "template");
    add(args, request->release);
    add(args, chart);
    add(args, "--include-crds");
    add_option(args, "--namespace", request->namespace);
    add_option(args, "--kube-version", request->kube_version);
    if (request->upgrade) {
        add(args, "--is-upgrade");
    }
    for (size_t i = 0; i < apis; i++) {
        add_option(args, "--api-versions", request->api_versions->items[i]);
    }
    for (size_t i = 0; i < request->value_count; i++) {
        const char *file = NULL;
        code = gs_render_values_path(request->values[i], args->arena, &file, err);
        if (code < 0) {
            return code;
        }
        args->files[i] = file;
        add_option(args, "--values", file);
    }
    for (size_t i = 0; i < sets; i++) {
        const char *value = escape_value(args->arena, request->set->items[i].value);
        add(args, "--set-string");
        add(args, value ? gs_arena_printf(args->arena, "%s=%s", request->set->items[i].key, value) : NULL);
    }
    return args->failed ? gs_fail_nomem(err) : 0;
}

/* The tools' own words are shown; what to do about the usual ones is not among them. */
static int explain_helm(const gs_proc_result *result, gs_error *err)
{
    const char *said = result->errors.data ? result->errors.data : "";
    if (strstr(said, "missing in charts/")) {
        return gs_error_hint(err, "run `helm dependency build` and keep the charts/ directory: nothing is fetched while rendering");
    }
    if (strstr(said, "is incompatible with Kubernetes")) {
        return gs_error_hint(err, "the chart's kubeVersion does not admit the version it is rendered for");
    }
    return err ? err->code : GS_ECHECK;
}

/* The template that made what stands at this line: helm writes "# Source: app/templates/x.yaml" before each document. */
static void add_source(const char *text, int line, gs_error *err)
{
    static const char mark[] = "# Source: ";
    const char *source = NULL;
    for (int i = 1; text && i <= line; i++) {
        if (gs_text_starts(text, mark)) {
            source = text + strlen(mark);
        }
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    if (source) {
        (void)gs_error_at(err, "%.*s", (int)strcspn(source, "\r\n"), source);
    }
}

/* The objects of one document at a time, to be able to tell whose fault it is. */
static int take_output(gs_proc_result *result, gs_doc **out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    const char *text = gs_buf_text(&result->output);
    int code = gs_doc_parse_manifests("rendered", text, result->output.len, &doc, err);
    gs_node *objects = code == 0 ? gs_node_new_list(doc->arena) : NULL;
    for (size_t i = 0; code == 0 && i < doc->root->count; i++) {
        const gs_node one = {.kind = GS_NODE_LIST, .items = &doc->root->items[i], .count = 1};
        gs_node *opened = NULL;
        code = gs_kube_flatten(doc->arena, &one, &opened, err);
        if (code < 0) {
            add_source(text, doc->root->items[i]->line, err);
        }
        for (size_t k = 0; code == 0 && k < opened->count; k++) {
            objects = gs_node_append(doc->arena, objects, opened->items[k]);
        }
    }
    if (code < 0) {
        return code;
    }
    if (!objects) {
        return gs_fail_nomem(err);
    }
    doc->root = objects;
    *out = GS_STEAL(doc);
    return 0;
}

static int render_chart(const gs_run *run, const gs_tools *tools, const gs_render_request *request, gs_doc **out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_PROC gs_proc_result result = {0};
    arguments args = {.arena = arena};
    if (!arena) {
        return gs_fail_nomem(err);
    }
    int code = gs_tools_need_helm(tools, err);
    if (code == 0) {
        code = chart_arguments(tools, request, &args, err);
    }
    if (code < 0) {
        return code;
    }
    const gs_tool_call call = {.argv = args.items, .readable = args.files, .cwd = -1};
    code = gs_render_run_tool(run, &call, &result, err);
    return code < 0 ? explain_helm(&result, err) : take_output(&result, out, err);
}

static int render_overlay(const gs_run *run, const gs_tools *tools, const gs_render_request *request, gs_doc **out, gs_error *err)
{
    GS_AUTO_FD int directory = -1;
    GS_AUTO_PROC gs_proc_result result = {0};
    const char *const argv[] = {tools->kubectl, "kustomize", ".", NULL};
    const char *const readable[] = {request->overlay_root ? request->overlay_root : request->overlay, NULL};
    int code = gs_tools_need_kubectl(tools, err);
    if (code == 0) {
        code = gs_fs_open_dir(AT_FDCWD, request->overlay, &directory, err);
    }
    if (code == 0) {
        code = gs_render_run_tool(run, &(gs_tool_call){.argv = argv, .readable = readable, .cwd = directory}, &result, err);
    }
    return code < 0 ? code : take_output(&result, out, err);
}

static bool is_json(const char *path)
{
    return gs_text_ends(path, ".json");
}

static bool is_manifest(const char *path)
{
    return gs_text_ends(path, ".yaml") || gs_text_ends(path, ".yml") || is_json(path);
}

/* Adds the objects of one file to into->root. */
static int read_manifest(int directory, const char *path, gs_doc *into, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_BUF gs_buf text;
    gs_node *objects = NULL;
    gs_buf_init(&text, GS_MAX_DOC_BYTES);
    int code = gs_fs_read_file(directory, path, &text, err);
    if (code == 0) {
        code = gs_doc_parse_manifests(path, gs_buf_text(&text), text.len, &doc, err);
    }
    if (code < 0) {
        return code;
    }
    code = gs_kube_flatten(doc->arena, doc->root, &objects, err);
    if (code < 0) {
        (void)gs_error_at(err, "%s", path);
        return gs_error_hint(err, "a directory of manifests has objects and nothing else; an overlay is listed under `overlays`");
    }
    for (size_t i = 0; i < objects->count; i++) {
        if (!gs_node_append(into->arena, into->root, gs_node_copy(into->arena, objects->items[i]))) {
            return gs_fail_nomem(err);
        }
    }
    return 0;
}

static int read_manifests(const gs_render_request *request, gs_doc **out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_FD int directory = -1;
    gs_fs_entry *entries = NULL;
    size_t count = 0, files = 0;
    int code = gs_doc_parse_manifests("manifests", "", 0, &doc, err);
    if (code == 0) {
        code = gs_fs_open_dir(AT_FDCWD, request->manifests, &directory, err);
    }
    if (code == 0) {
        code = gs_fs_walk(directory, GS_MAX_ARCHIVE_ENTRIES, doc->arena, &entries, &count, err);
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (is_manifest(entries[i].path)) {
            files++;
            code = read_manifest(directory, entries[i].path, doc, err);
        }
    }
    if (code < 0) {
        return code;
    }
    if (files == 0) {
        return gs_fail(err, GS_ECHECK, "the directory %s has no .yaml, .yml or .json file", request->manifests);
    }
    *out = GS_STEAL(doc);
    return 0;
}

int gs_render(const gs_run *run, const gs_tools *tools, const gs_render_request *request, gs_doc **out, gs_error *err)
{
    int code;
    if (request->chart) {
        code = render_chart(run, tools, request, out, err);
    } else if (request->overlay) {
        code = render_overlay(run, tools, request, out, err);
    } else {
        code = read_manifests(request, out, err);
    }
    if (code == 0) {
        return 0;
    }
    /* What is wrong here was carried here: at the site it is a check that fails, not a file that somebody has just written. */
    if (code == GS_ESPEC || code == GS_ENOTFOUND) {
        code = gs_error_recode(err, GS_ECHECK);
    }
    (void)gs_error_at(err, "%s/%s", request->environment, request->unit);
    return code;
}
