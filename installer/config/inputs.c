/* The input values of one environment: a flat map, whose values may be secrets. Must not print a value, in a message or anywhere.
 */
#include "gapship/site.h"

#include <fcntl.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"

static const char *kind_name(gs_node_kind kind)
{
    return kind == GS_NODE_NULL ? "empty" : kind == GS_NODE_LIST ? "a list" : "a map";
}

static int copy_inputs(const gs_doc *doc, gs_arena *arena, gs_text_map *out, gs_error *err)
{
    const gs_node *root = doc->root;
    if (root->kind != GS_NODE_MAP) {
        return gs_bind_fail(doc, (gs_place){root->line, root->column}, err, "the inputs are not a map of names and values");
    }
    gs_text_pair *pairs = gs_arena_array(arena, root->count, sizeof *pairs);
    if (!pairs) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < root->count; i++) {
        const gs_node *value = root->pairs[i].value;
        if (value->kind == GS_NODE_NULL || value->kind == GS_NODE_LIST || value->kind == GS_NODE_MAP) {
            return gs_bind_fail(doc, (gs_place){value->line, value->column}, err,
                                "the input \"%s\" is %s here, not a text, number or boolean", root->pairs[i].key,
                                kind_name(value->kind));
        }
        pairs[i].key = gs_arena_text(arena, root->pairs[i].key);
        pairs[i].value = gs_arena_copy(arena, value->text, value->text_len);
        if (!pairs[i].key || !pairs[i].value) {
            return gs_fail_nomem(err);
        }
    }
    *out = (gs_text_map){.items = pairs, .count = root->count};
    return 0;
}

int gs_site_inputs_load(const char *path, gs_arena *arena, gs_text_map *out, gs_error *err)
{
    GS_AUTO_BUF gs_buf data;
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_buf_init(&data, GS_MAX_SPEC_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, path, &data, err);
    if (code == 0) {
        code = gs_doc_parse(GS_CONFIGURATION, path, gs_buf_text(&data), data.len, &doc, err);
    }
    return code < 0 ? code : copy_inputs(doc, arena, out, err);
}
