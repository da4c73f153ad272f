/* A tree as JSON text (RFC 8259). Must not know what the tree means.
 *
 * Numbers keep the text they were read with where JSON can say it; text is always quoted, whatever it looks like. */
#include "doc_internal.h"

#include <string.h>

typedef struct writer {
    gs_buf *out;
    bool pretty, sorted;
} writer;

static int write_node(const writer *w, const gs_node *node, int depth, gs_error *err);

static void new_line(const writer *w, int depth)
{
    if (!w->pretty) {
        return;
    }
    gs_buf_add(w->out, "\n", 1);
    for (int i = 0; i < depth; i++) {
        gs_buf_add(w->out, "  ", 2);
    }
}

static int write_list(const writer *w, const gs_node *list, int depth, gs_error *err)
{
    gs_buf_add(w->out, "[", 1);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) {
            gs_buf_add(w->out, ",", 1);
        }
        new_line(w, depth + 1);
        int code = write_node(w, list->items[i], depth + 1, err);
        if (code < 0) {
            return code;
        }
    }
    if (list->count > 0) {
        new_line(w, depth);
    }
    gs_buf_add(w->out, "]", 1);
    return 0;
}

static int write_map(const writer *w, const gs_node *map, int depth, gs_error *err)
{
    GS_AUTO_FREE const gs_pair **sorted = w->sorted ? gs_node_sorted_pairs(map) : NULL;
    if (w->sorted && !sorted) {
        return gs_fail_nomem(err);
    }
    gs_buf_add(w->out, "{", 1);
    for (size_t i = 0; i < map->count; i++) {
        const gs_pair *pair = sorted ? sorted[i] : &map->pairs[i];
        if (i > 0) {
            gs_buf_add(w->out, ",", 1);
        }
        new_line(w, depth + 1);
        gs_buf_add_json_text(w->out, pair->key, strlen(pair->key));
        gs_buf_add_text(w->out, w->pretty ? ": " : ":");
        int code = write_node(w, pair->value, depth + 1, err);
        if (code < 0) {
            return code;
        }
    }
    if (map->count > 0) {
        new_line(w, depth);
    }
    gs_buf_add(w->out, "}", 1);
    return 0;
}

static int write_node(const writer *w, const gs_node *node, int depth, gs_error *err)
{
    if (depth > GS_DOC_MADE_DEPTH) {
        return gs_fail(err, GS_ELIMIT, "lists and maps are nested more than %d deep", GS_DOC_MADE_DEPTH);
    }
    switch (node->kind) {
    case GS_NODE_NULL:
        gs_buf_add_text(w->out, "null");
        return 0;
    case GS_NODE_BOOL:
        gs_buf_add_text(w->out, node->integer ? "true" : "false");
        return 0;
    case GS_NODE_INT:
    case GS_NODE_FLOAT:
        if (!gs_scalar_add_number(node, w->out)) {
            return gs_fail(err, GS_ESPEC, "JSON has no number %.64s", node->text);
        }
        return 0;
    case GS_NODE_TEXT:
        gs_buf_add_json_text(w->out, node->text, node->text_len);
        return 0;
    case GS_NODE_LIST:
        return write_list(w, node, depth, err);
    case GS_NODE_MAP:
        return write_map(w, node, depth, err);
    }
    return gs_fail(err, GS_EINTERNAL, "a node has the unknown kind %d", (int)node->kind);
}

int gs_node_write_json(const gs_node *node, int flags, gs_buf *out, gs_error *err)
{
    writer w = {.out = out, .pretty = (flags & GS_JSON_PRETTY) != 0, .sorted = (flags & GS_JSON_SORTED) != 0};
    int code = write_node(&w, node, 0, err);
    if (code < 0) {
        return code;
    }
    if (w.pretty) {
        gs_buf_add(out, "\n", 1);
    }
    return gs_buf_check(out, err);
}
