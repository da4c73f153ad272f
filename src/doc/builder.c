/* The tree while it is being parsed: both parsers hand their events to this builder, so that depth, size, duplicate keys and merge
 * keys are treated in one place. Must not know about YAML or JSON syntax. */
#include "doc_internal.h"

#include <stdlib.h>
#include <string.h>

static int too_many_nodes(const gs_doc_builder *builder, int line, int column, gs_error *err)
{
    return gs_doc_fail((gs_doc_place){builder->name, line, column}, err, GS_ELIMIT, "the document has more than %u values",
                       GS_MAX_DOC_NODES);
}

static int too_deep(const gs_doc_builder *builder, int line, int column, gs_error *err)
{
    return gs_doc_fail((gs_doc_place){builder->name, line, column}, err, GS_ELIMIT, "lists and maps are nested more than %d deep",
                       GS_MAX_DOC_DEPTH);
}

gs_node *gs_doc_builder_node(gs_doc_builder *builder, gs_node_kind kind, int line, int column, gs_error *err)
{
    if (++builder->nodes > GS_MAX_DOC_NODES) {
        (void)too_many_nodes(builder, line, column, err);
        return NULL;
    }
    gs_node *node = gs_arena_alloc(builder->arena, sizeof *node);
    if (!node) {
        (void)gs_fail_nomem(err);
        return NULL;
    }
    node->kind = kind;
    node->line = line;
    node->column = column;
    return node;
}

static gs_doc_frame *innermost(gs_doc_builder *builder)
{
    return builder->depth > 0 ? &builder->stack[builder->depth - 1] : NULL;
}

bool gs_doc_builder_wants_key(const gs_doc_builder *builder)
{
    if (builder->depth == 0) {
        return false;
    }
    const gs_doc_frame *frame = &builder->stack[builder->depth - 1];
    return frame->node->kind == GS_NODE_MAP && !frame->pair.key && !frame->merge_next;
}

void gs_doc_builder_key(gs_doc_builder *builder, const char *key, int line, int column)
{
    innermost(builder)->pair = (gs_pair){.key = key, .line = line, .column = column};
}

int gs_doc_builder_merge_key(gs_doc_builder *builder, int line, int column, gs_error *err)
{
    gs_doc_frame *frame = innermost(builder);
    if (frame->merge) {
        return gs_doc_fail((gs_doc_place){builder->name, line, column}, err, GS_ESPEC,
                           "the merge key << stands here a second time; the first is at line %d", frame->merge_line);
    }
    frame->merge_next = true;
    frame->merge_from = frame->node->count;
    frame->merge_line = line;
    frame->merge_column = column;
    return 0;
}

int gs_doc_builder_value(gs_doc_builder *builder, gs_node *node, gs_error *err)
{
    gs_doc_frame *frame = innermost(builder);
    bool pushed = true;
    if (!frame) {
        builder->root = node;
    } else if (frame->node->kind == GS_NODE_LIST) {
        pushed = gs_node_push_item(builder->arena, frame->node, node);
    } else if (frame->merge_next) {
        frame->merge_next = false;
        frame->merge = node;
    } else {
        frame->pair.value = node;
        pushed = gs_node_push_pair(builder->arena, frame->node, &frame->pair);
        frame->pair.key = NULL;
    }
    return pushed ? 0 : gs_fail_nomem(err);
}

int gs_doc_builder_open(gs_doc_builder *builder, gs_node *node, gs_error *err)
{
    if (builder->depth == GS_MAX_DOC_DEPTH) {
        return too_deep(builder, node->line, node->column, err);
    }
    int code = gs_doc_builder_value(builder, node, err);
    if (code == 0) {
        builder->stack[builder->depth++] = (gs_doc_frame){.node = node};
    }
    return code;
}

/* Puts the pairs of the merged maps behind the map's own. */
static int append_merged(gs_doc_builder *builder, gs_doc_frame *frame, gs_error *err)
{
    const gs_node *merge = frame->merge;
    size_t count = merge->kind == GS_NODE_LIST ? merge->count : 1;
    for (size_t i = 0; i < count; i++) {
        const gs_node *source = merge->kind == GS_NODE_LIST ? merge->items[i] : merge;
        if (source->kind != GS_NODE_MAP) {
            return gs_doc_fail((gs_doc_place){builder->name, frame->merge_line, frame->merge_column}, err, GS_ESPEC,
                               "the merge key << has neither a map nor a list of maps");
        }
        for (size_t k = 0; k < source->count; k++) {
            if (!gs_node_push_pair(builder->arena, frame->node, &source->pairs[k])) {
                return gs_fail_nomem(err);
            }
        }
    }
    return 0;
}

static int fail_duplicate(const gs_doc_builder *builder, const gs_pair *first, const gs_pair *second, gs_error *err)
{
    return gs_doc_fail((gs_doc_place){builder->name, second->line, second->column}, err, GS_ESPEC,
                       "the key \"%s\" stands here a second time; the first is at line %d, column %d", second->key, first->line,
                       first->column);
}

/* Own pairs come first among equals (their addresses are lower), so the second of two own ones is a duplicate, and any merged one
 * gives way. Where an own key stands before << the parsers of the field disagree about who wins; such a map is refused. */
static int check_keys(const gs_doc_builder *builder, const gs_doc_frame *frame, size_t own, const gs_pair **sorted, gs_error *err)
{
    const gs_node *map = frame->node;
    const gs_pair *first = NULL, *second = NULL; /* the duplicate nearest to the start of the file */
    for (size_t i = 1, head = 0; i < map->count; i++) {
        if (strcmp(sorted[i]->key, sorted[head]->key) != 0) {
            head = i;
            continue;
        }
        size_t index = (size_t)(sorted[i] - map->pairs);
        if (index < own) {
            if (!second || sorted[i] < second) {
                first = sorted[head];
                second = sorted[i];
            }
            continue;
        }
        if ((size_t)(sorted[head] - map->pairs) < frame->merge_from) {
            gs_doc_fail((gs_doc_place){builder->name, frame->merge_line, frame->merge_column}, err, GS_ESPEC,
                        "<< brings the key \"%s\" again after line %d, and YAML parsers disagree about which one counts",
                        sorted[head]->key, sorted[head]->line);
            return gs_error_hint(err, "put << before the map's own keys");
        }
        map->pairs[index].value = NULL;
    }
    return second ? fail_duplicate(builder, first, second, err) : 0;
}

int gs_doc_builder_close(gs_doc_builder *builder, gs_error *err)
{
    gs_doc_frame *frame = innermost(builder);
    gs_node *map = frame->node;
    size_t own = map->count;
    builder->depth--;
    if (map->kind != GS_NODE_MAP) {
        return 0;
    }
    if (frame->merge) {
        int code = append_merged(builder, frame, err);
        if (code < 0) {
            return code;
        }
    }
    if (map->count < 2) {
        return 0;
    }
    GS_AUTO_FREE const gs_pair **sorted = gs_node_sorted_pairs(map);
    if (!sorted) {
        return gs_fail_nomem(err);
    }
    int code = check_keys(builder, frame, own, sorted, err);
    if (code < 0) {
        return code;
    }
    size_t kept = own;
    for (size_t i = own; i < map->count; i++) {
        if (map->pairs[i].value) {
            map->pairs[kept++] = map->pairs[i];
        }
    }
    map->count = kept;
    return 0;
}

/* How many nodes and levels a tree has. */
static void measure(const gs_node *node, size_t level, size_t *nodes, size_t *levels)
{
    ++*nodes;
    if (node->kind == GS_NODE_LIST || node->kind == GS_NODE_MAP) {
        level++;
    }
    if (level > *levels) {
        *levels = level;
    }
    for (size_t i = 0; i < node->count; i++) {
        measure(node->kind == GS_NODE_LIST ? node->items[i] : node->pairs[i].value, level, nodes, levels);
    }
}

gs_node *gs_doc_builder_copy(gs_doc_builder *builder, const gs_node *node, gs_error *err)
{
    size_t levels = 0;
    size_t nodes = 0;
    measure(node, 0, &nodes, &levels);
    if (levels > GS_MAX_DOC_DEPTH - builder->depth) {
        (void)too_deep(builder, node->line, node->column, err);
        return NULL;
    }
    if (nodes > GS_MAX_DOC_NODES - builder->nodes) {
        (void)too_many_nodes(builder, node->line, node->column, err);
        return NULL;
    }
    builder->nodes += nodes;
    gs_node *copy = gs_node_copy(builder->arena, node);
    if (!copy) {
        (void)gs_fail_nomem(err);
    }
    return copy;
}
