/* Documents: YAML and JSON become one neutral tree that remembers where everything stood.
 *
 * Two YAML dialects: a configuration (release.yaml, site.yaml: no aliases, no tags, one document) and manifests (what kubectl and
 * helm print or read: several documents, aliases expanded within GS_MAX_DOC_ALIASES and GS_MAX_DOC_NODES). Both refuse duplicate
 * keys, depth over GS_MAX_DOC_DEPTH, NULs and invalid UTF-8. Errors are GS_ESPEC (GS_ELIMIT for a bound) with `where` =
 * NAME:LINE:COLUMN; columns count characters. A byte order mark is skipped. YAML 1.2 (https://yaml.org/spec/1.2.2/), plain scalars
 * typed as Kubernetes' own parser does (YAML 1.1: yes, on, 0777, 1e3); JSON: RFC 8259.
 */
#ifndef GAPSHIP_DOC_H
#define GAPSHIP_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/buf.h"
#include "gapship/error.h"

/* INT is what int64_t holds; every other number is a FLOAT, which keeps its text and has no value. */
typedef enum gs_node_kind {
    GS_NODE_NULL,
    GS_NODE_BOOL,
    GS_NODE_INT,
    GS_NODE_FLOAT,
    GS_NODE_TEXT,
    GS_NODE_LIST,
    GS_NODE_MAP
} gs_node_kind;

typedef struct gs_node gs_node;

typedef struct gs_pair {
    const char *key;
    int line, column; /* of the key */
    gs_node *value;
} gs_pair;

/* A value. Scalars keep their text as written (escapes resolved) whatever their kind; positions are 1-based, 0 for made nodes.
 * offset/length is the scalar's span of bytes in the input (with its quotes, or a block's |, without the line break that ends it),
 * for edits in place. What an alias stands for is a copy with the places of the original. */
struct gs_node {
    gs_node_kind kind;
    bool quoted;
    int line, column;
    size_t offset, length;
    const char *text;
    size_t text_len;
    int64_t integer; /* GS_NODE_INT; BOOL: 0 or 1 */
    gs_node **items; /* LIST */
    gs_pair *pairs;  /* MAP, in the order written */
    size_t count;
};

/* One parsed input. The tree lives in its arena and dies with it. */
typedef struct gs_doc {
    gs_arena *arena;
    char *name; /* of the file, for messages */
    gs_node *root;
} gs_doc;

typedef enum gs_dialect { GS_CONFIGURATION, GS_MANIFEST, GS_JSON } gs_dialect;

/* Parses one document. name appears in errors. data need not be NUL-terminated. A file without a value is an error as a
 * configuration and as JSON, and null as a manifest. */
int gs_doc_parse(gs_dialect dialect, const char *name, const char *data, size_t len, gs_doc **out, gs_error *err) GS_MUST_USE;
/* Parses a stream of manifests: root is a LIST with one item per document that is not empty. */
int gs_doc_parse_manifests(const char *name, const char *data, size_t len, gs_doc **out, gs_error *err) GS_MUST_USE;
void gs_doc_free(gs_doc *doc);
void gs_doc_free_p(gs_doc **doc);
#define GS_AUTO_DOC __attribute__((cleanup(gs_doc_free_p)))

/* Look-ups: NULL when absent or when the node is not a map. gs_node_at walks keys separated by '/', list items by number. */
gs_node *gs_node_get(const gs_node *map, const char *key);
gs_node *gs_node_at(const gs_node *node, const char *path);
/* The list under key; NULL when there is none, or something else. */
gs_node *gs_node_list(const gs_node *map, const char *key);
/* The text of a scalar under key, or NULL. */
const char *gs_node_text(const gs_node *map, const char *key);
int64_t gs_node_integer(const gs_node *map, const char *key, int64_t otherwise);
bool gs_node_bool(const gs_node *map, const char *key); /* false when absent or not a boolean */
bool gs_node_equal(const gs_node *a, const gs_node *b); /* maps in any order */

/* Building; everything from the arena, NULL when out of memory. A NULL child makes the call fail with NULL, so that a chain of
 * calls needs one check. gs_node_set replaces an existing key. Both return the parent. */
gs_node *gs_node_new_map(gs_arena *arena);
gs_node *gs_node_new_list(gs_arena *arena);
gs_node *gs_node_new_text(gs_arena *arena, const char *text);
gs_node *gs_node_new_integer(gs_arena *arena, int64_t value);
gs_node *gs_node_new_bool(gs_arena *arena, bool value);
gs_node *gs_node_new_null(gs_arena *arena);
gs_node *gs_node_copy(gs_arena *arena, const gs_node *node);
gs_node *gs_node_set(gs_arena *arena, gs_node *map, const char *key, gs_node *value);
gs_node *gs_node_set_text(gs_arena *arena, gs_node *map, const char *key, const char *text); /* NULL text: key left out */
gs_node *gs_node_set_integer(gs_arena *arena, gs_node *map, const char *key, int64_t value);
gs_node *gs_node_append(gs_arena *arena, gs_node *list, gs_node *value);
bool gs_node_remove(gs_node *map, const char *key);

/* JSON text. COMPACT: one line, no spaces. PRETTY: two spaces, final newline. SORTED may be or'ed: keys in byte order. */
enum { GS_JSON_COMPACT = 0, GS_JSON_PRETTY = 1, GS_JSON_SORTED = 2 };
int gs_node_write_json(const gs_node *node, int flags, gs_buf *out, gs_error *err) GS_MUST_USE;

#endif
