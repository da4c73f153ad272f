/* The values that make a chart use other image references. What shape a chart wants is seen in its own defaults, or in the unit's
 * values files where those have the path. Must not know where references come from. */
#include <fcntl.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/oci.h"
#include "internal.h"

typedef struct pairs {
    gs_arena *arena;
    gs_text_pair *items;
    size_t count;
} pairs;

/* What one entry may set: registry, repository, tag, digest. */
#define MOST_PAIRS 4

static int set_pair(pairs *out, const char *path, const char *key, const char *value, gs_error *err)
{
    gs_text_pair pair = {.key = key ? gs_arena_printf(out->arena, "%s.%s", path, key) : gs_arena_text(out->arena, path),
                         .value = gs_arena_text(out->arena, value)};
    if (!pair.key || !pair.value) {
        return gs_fail_nomem(err);
    }
    out->items[out->count++] = pair;
    return 0;
}

/* "a.b[0].c" as gs_node_at walks it: "a/b/0/c". */
static char *node_path(gs_arena *arena, const char *path)
{
    char *out = gs_arena_text(arena, path);
    char *end = out;
    for (const char *p = path; out && *p; p++) {
        if (*p != ']') {
            *end++ = *p == '.' || *p == '[' ? '/' : *p;
        }
    }
    if (out) {
        *end = '\0';
    }
    return out;
}

/* The first of these keys that the map has; otherwise the first of all. */
static const char *key_of(const gs_node *map, const char *const *keys)
{
    for (const char *const *key = keys; *key; key++) {
        if (gs_node_get(map, *key)) {
            return *key;
        }
    }
    return keys[0];
}

static int set_parts(pairs *out, const char *path, const gs_node *shape, const char *reference, gs_error *err)
{
    static const char *const names[] = {"repository", "image", "name", NULL};
    static const char *const tags[] = {"tag", "version", NULL};
    gs_reference to;
    bool has_registry = gs_node_get(shape, "registry") != NULL;
    bool has_digest = gs_node_get(shape, "digest") != NULL;
    int code = gs_reference_parse(reference, &to, err);
    if (code < 0) {
        return code;
    }
    if (*to.tag == '\0' && !has_digest) {
        gs_fail(err, GS_ECHECK, "the chart's values at %s have no key `digest`, and %s has no tag", path, reference);
        return gs_error_hint(err, "list the image with a tag in `images`");
    }
    const char *name = has_registry ? to.path : gs_arena_printf(out->arena, "%s/%s", to.host, to.path);
    if (!name) {
        return gs_fail_nomem(err);
    }
    if (has_registry) {
        code = set_pair(out, path, "registry", to.host, err);
    }
    if (code == 0) {
        code = set_pair(out, path, key_of(shape, names), name, err);
    }
    if (code == 0) {
        code = set_pair(out, path, key_of(shape, tags), to.tag, err);
    }
    if (code == 0 && has_digest) {
        code = set_pair(out, path, "digest", to.digest, err);
    }
    return code;
}

/* The values of the unit: the chart's defaults, then its files. */
typedef struct value_layers {
    gs_doc **docs;
    size_t count;
} value_layers;

static void free_layers(value_layers *layers)
{
    for (size_t i = 0; i < layers->count; i++) {
        gs_doc_free(layers->docs[i]);
    }
    layers->count = 0;
}

static int read_defaults(const gs_run *run, const gs_tools *tools, const char *chart, gs_arena *arena, gs_doc **out, gs_error *err)
{
    GS_AUTO_PROC gs_proc_result result = {0};
    const char *real = NULL;
    int code = gs_render_real_path("the chart", chart, arena, &real, err);
    if (code < 0) {
        return code;
    }
    const char *const argv[] = {tools->helm, "show", "values", real, NULL};
    const char *const readable[] = {real, NULL};
    code = gs_render_run_tool(run, &(gs_tool_call){.argv = argv, .readable = readable, .cwd = -1}, &result, err);
    if (code < 0) {
        return code;
    }
    return gs_doc_parse(GS_MANIFEST, "values.yaml", gs_buf_text(&result.output), result.output.len, out, err);
}

static int read_values_file(const char *path, gs_arena *arena, gs_doc **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_DOC_BYTES);
    int code = gs_render_values_path(path, arena, &path, err);
    if (code == 0) {
        code = gs_fs_read_file(AT_FDCWD, path, &text, err);
    }
    return code < 0 ? code : gs_doc_parse(GS_MANIFEST, path, gs_buf_text(&text), text.len, out, err);
}

static int read_layers(const gs_run *run, const gs_tools *tools, const gs_render_request *request, gs_arena *arena,
                       value_layers *out, gs_error *err)
{
    out->docs = gs_arena_array(arena, request->value_count + 1, sizeof *out->docs);
    if (!out->docs) {
        return gs_fail_nomem(err);
    }
    int code = read_defaults(run, tools, request->chart, arena, &out->docs[0], err);
    out->count = code == 0;
    for (size_t i = 0; code == 0 && i < request->value_count; i++) {
        code = read_values_file(request->values[i], arena, &out->docs[out->count], err);
        out->count += code == 0;
    }
    return code;
}

/* What stands at path in the last layer that has something there; NULL: none has. */
static const gs_node *shape_at(const value_layers *layers, const char *path)
{
    for (size_t i = layers->count; i > 0; i--) {
        const gs_node *node = gs_node_at(layers->docs[i - 1]->root, path);
        if (node && node->kind != GS_NODE_NULL) {
            return node;
        }
    }
    return NULL;
}

static int set_all(const gs_text_map *wanted, const value_layers *layers, const gs_referencing *references, pairs *out,
                   gs_error *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < wanted->count; i++) {
        const char *path = wanted->items[i].key;
        const char *text = references->reference(references->state, wanted->items[i].value);
        char *at = node_path(out->arena, path);
        if (!at) {
            return gs_fail_nomem(err);
        }
        if (!text) {
            return gs_fail(err, GS_ESPEC, "imageValues: %s names the image \"%s\", which `images` does not list", path,
                           wanted->items[i].value);
        }
        const gs_node *shape = shape_at(layers, at);
        if (shape && shape->kind == GS_NODE_MAP) {
            code = set_parts(out, path, shape, text, err);
        } else {
            code = set_pair(out, path, NULL, text, err);
        }
    }
    return code;
}

int gs_image_values(const gs_run *run, const gs_tools *tools, const gs_unit_render *unit, const gs_referencing *references,
                    gs_arena *arena, gs_text_map *out, gs_error *err)
{
    const gs_text_map *wanted = &unit->unit->source.image_values;
    __attribute__((cleanup(free_layers))) value_layers values = {0};
    gs_render_request request;
    if (wanted->count == 0 || !unit->unit->source.chart) {
        *out = (gs_text_map){0};
        return 0;
    }
    pairs made = {.arena = arena, .items = gs_arena_array(arena, wanted->count * MOST_PAIRS, sizeof *made.items)};
    int code = made.items ? gs_tools_need_helm(tools, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_render_chart_request(unit, arena, &request, err);
    }
    if (code == 0) {
        code = read_layers(run, tools, &request, arena, &values, err);
    }
    if (code == 0) {
        code = set_all(wanted, &values, references, &made, err);
    }
    if (code < 0) {
        return gs_error_at(err, "%s/%s", unit->environment->name, unit->unit->name);
    }
    *out = (gs_text_map){.items = made.items, .count = made.count};
    return 0;
}
