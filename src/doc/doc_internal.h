/* What the files of src/doc share and nobody else sees: the checked input, places in it, and the builder that both parsers feed. */
#ifndef GAPSHIP_DOC_INTERNAL_H
#define GAPSHIP_DOC_INTERNAL_H

#include "gapship/doc.h"
#include "gapship/limits.h"

/* Depth of trees that are made, not parsed: a parsed document may be put inside a made one. */
#define GS_DOC_MADE_DEPTH (2 * GS_MAX_DOC_DEPTH)

/* input.c ----------------------------------------------------------------------------------------- */

/* A place that moves forward through the input; column counts characters. */
typedef struct gs_doc_cursor {
    const char *data;
    size_t offset;
    int line, column;
} gs_doc_cursor;

/* Bytes of the byte order mark at the start of data: 0 or 3. */
size_t gs_doc_bom(const char *data, size_t len);
gs_doc_cursor gs_doc_cursor_at_start(const char *data, size_t len);
void gs_doc_cursor_forward(gs_doc_cursor *cursor, size_t offset);
/* Size, UTF-8, no NUL and no control characters that YAML and JSON do not have. */
int gs_doc_check_input(const char *name, const char *data, size_t len, gs_error *err);

/* Where an error is; line 0 stands for the whole file. */
typedef struct gs_doc_place {
    const char *name;
    int line, column;
} gs_doc_place;

int gs_doc_fail(gs_doc_place place, gs_error *err, int code, const char *format, ...) GS_PRINTF(4, 5);

/* scalar.c ---------------------------------------------------------------------------------------- */

/* Types a plain scalar as Kubernetes' YAML parser does: sets kind and integer from text. */
void gs_scalar_resolve(gs_node *node);
/* The node's text as a JSON number, appended. False when JSON has no such number (.inf, .nan). */
bool gs_scalar_add_number(const gs_node *node, gs_buf *out);

/* node.c ------------------------------------------------------------------------------------------ */

/* Adds without looking for the key. False when out of memory. */
bool gs_node_push_pair(gs_arena *arena, gs_node *map, const gs_pair *pair);
bool gs_node_push_item(gs_arena *arena, gs_node *list, gs_node *item);
/* The pairs sorted by key in byte order, equal keys in the order written. malloc'ed; NULL when out of memory. */
const gs_pair **gs_node_sorted_pairs(const gs_node *map);

/* builder.c --------------------------------------------------------------------------------------- */

/* An open list or map. */
typedef struct gs_doc_frame {
    gs_node *node;
    gs_pair pair;      /* key is set while its value is awaited */
    bool merge_next;   /* the key was a merge key: `<<` */
    gs_node *merge;    /* the map or list of maps that `<<` had; key places for messages: */
    size_t merge_from; /* how many pairs stood before it */
    int merge_line, merge_column;
} gs_doc_frame;

/* Turns parser events into a tree; holds every cap and refuses duplicate keys. */
typedef struct gs_doc_builder {
    gs_arena *arena;
    const char *name;
    size_t nodes;
    size_t depth;
    gs_node *root;
    gs_doc_frame stack[GS_MAX_DOC_DEPTH];
} gs_doc_builder;

/* A counted node at a place, not yet in the tree. NULL with err set. */
gs_node *gs_doc_builder_node(gs_doc_builder *builder, gs_node_kind kind, int line, int column, gs_error *err);
/* Gives the innermost map its next key, or the tree its next value. */
bool gs_doc_builder_wants_key(const gs_doc_builder *builder);
void gs_doc_builder_key(gs_doc_builder *builder, const char *key, int line, int column);
int gs_doc_builder_merge_key(gs_doc_builder *builder, int line, int column, gs_error *err);
int gs_doc_builder_value(gs_doc_builder *builder, gs_node *node, gs_error *err);
/* A list or map: what follows goes into it, until it is closed. */
int gs_doc_builder_open(gs_doc_builder *builder, gs_node *node, gs_error *err);
int gs_doc_builder_close(gs_doc_builder *builder, gs_error *err);
/* A counted deep copy, as an alias needs it; it may not reach below GS_MAX_DOC_DEPTH. */
gs_node *gs_doc_builder_copy(gs_doc_builder *builder, const gs_node *node, gs_error *err);

/* yaml.c, json.c ---------------------------------------------------------------------------------- */

/* What a YAML input may have. */
typedef struct gs_yaml_rules {
    bool manifest; /* aliases, core tags, merge keys, keys that are numbers */
    bool many;     /* documents; the root is the list of those that are not empty */
} gs_yaml_rules;

int gs_yaml_parse(gs_doc *doc, gs_yaml_rules rules, const char *data, size_t len, gs_error *err);
int gs_json_parse(gs_doc *doc, const char *data, size_t len, gs_error *err);

#endif
