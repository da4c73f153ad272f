/* The binder: one table per struct says which keys a map may have, and what they are. It reads trees into structs, writes structs
 * into trees, and is what the JSON Schemas in bundle-spec/schema are tested against.
 *
 * Reading is strict: unknown keys (with the nearest valid one), missing required keys, wrong types, and plain scalars that YAML
 * would take for a number where a string is due ("quote it") are GS_ESPEC at file:line:column.
 */
#ifndef GAPSHIP_BIND_H
#define GAPSHIP_BIND_H

#include <stdbool.h>
#include <stddef.h>

#include "gapship/doc.h"

/* A position to put into later errors. */
typedef struct gs_place {
    int line, column;
} gs_place;

typedef enum gs_bind_kind {
    GS_BIND_TEXT,        /* const char * */
    GS_BIND_SCALAR,      /* const char *: the text of any scalar but null, as written */
    GS_BIND_INTEGER,     /* int64_t */
    GS_BIND_BOOL,        /* bool */
    GS_BIND_DURATION,    /* int64_t, milliseconds */
    GS_BIND_CHOICE,      /* int, index into choices */
    GS_BIND_TEXT_LIST,   /* gs_text_list */
    GS_BIND_TEXT_MAP,    /* gs_text_map */
    GS_BIND_STRUCT,      /* the struct itself, in place */
    GS_BIND_STRUCT_PTR,  /* T *: NULL when absent */
    GS_BIND_STRUCT_LIST, /* struct { T *items; size_t count; } */
    GS_BIND_STRUCT_MAP,  /* the same; each T has a GS_BIND_KEY member that gets the map's key */
    GS_BIND_NODE,        /* const gs_node *, borrowed from the document */
    GS_BIND_KEY,         /* const char *; only inside a STRUCT_MAP's table */
    GS_BIND_PLACE        /* gs_place of the map; key is NULL */
} gs_bind_kind;

typedef struct gs_text_list {
    const char **items;
    size_t count;
} gs_text_list;

typedef struct gs_text_pair {
    const char *key;
    const char *value;
} gs_text_pair;

typedef struct gs_text_map {
    gs_text_pair *items; /* in the order written */
    size_t count;
} gs_text_map;

typedef struct gs_bind_field gs_bind_field;

typedef struct gs_bind_table {
    const char *name; /* what the map is, for messages: "an image" */
    size_t size;      /* sizeof(T) */
    const gs_bind_field *fields;
    size_t field_count;
    const char *const *later; /* NULL-terminated keys that are not supported yet: refused by name; or NULL */
} gs_bind_table;

/* Absent members are zero or their default. An absent STRUCT is filled with its members' defaults, and its PLACE is 0:0. */
struct gs_bind_field {
    const char *key;
    gs_bind_kind kind;
    size_t offset;
    bool required;
    const gs_bind_table *table;      /* STRUCT… */
    const char *const *choices;      /* CHOICE, NULL-terminated */
    bool (*valid)(const char *text); /* TEXT, TEXT_LIST items, TEXT_MAP values, KEY, INTEGER (its digits): NULL accepts all */
    const char *expects;             /* "a name of lower-case letters, digits, '-', '.' and '_'" when valid refuses */
    const char *otherwise;           /* TEXT, INTEGER, BOOL, DURATION, CHOICE: default, as written in YAML; NULL: zero */
};

/* One entry of a table's fields: GS_FIELD(gs_image_spec, from, "from", TEXT, .required = true). */
#define GS_FIELD(type, member, yaml_key, bind_kind, ...)                                                                           \
    {                                                                                                                              \
        .key = (yaml_key), .kind = GS_BIND_##bind_kind, .offset = offsetof(type, member), __VA_ARGS__                              \
    }

/* Reads `node` of doc into out (table->size bytes, zeroed first). Memory comes from arena; NODE members borrow from doc. On failure
 * out's content is undefined and holds nothing to free. */
int gs_bind_read(const gs_bind_table *table, const gs_doc *doc, const gs_node *node, gs_arena *arena, void *out,
                 gs_error *err) GS_MUST_USE;
/* The struct as a map; members equal to zero or to their default are left out unless required. NULL when out of memory. */
gs_node *gs_bind_write(const gs_bind_table *table, const void *in, gs_arena *arena);
/* An error about a bound thing: GS_ESPEC at doc:line:column. A place of 0 names the file alone. */
int gs_bind_fail(const gs_doc *doc, gs_place place, gs_error *err, const char *format, ...) GS_PRINTF(4, 5);
/* Where the value at `path` (as for gs_node_at: "extends", "needs/1") of the map at `place` stands; `place` itself when it is not
 * there. For messages: it searches the document. */
gs_place gs_bind_place_of(const gs_doc *doc, gs_place place, const char *path);

#endif
