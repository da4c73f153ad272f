/* Trees into structs, strictly, by table. Every message here is read by somebody who wrote a YAML file: it names the key, what
 * stands there, what is due, and what to write. Must not know any particular table. */
#include "bind_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "doc_internal.h"
#include "gapship/text.h"

typedef struct reader {
    const gs_doc *doc;
    gs_arena *arena;
    gs_error *err;
} reader;

/* A value and how a message calls it. */
typedef struct subject {
    const char *key;
    bool item; /* one of the list under key */
    const gs_node *node;
} subject;

static int read_map(const reader *r, const gs_bind_table *table, const gs_node *map, bool absent, void *out);

/* Messages ---------------------------------------------------------------------------------------- */

static gs_doc_place place_of(const reader *r, const gs_node *node)
{
    return (gs_doc_place){r->doc->name, node->line, node->column};
}

#define DESCRIPTION_MAX 128

static void describe(const gs_node *node, char out[DESCRIPTION_MAX])
{
    switch (node->kind) {
    case GS_NODE_NULL:
        (void)snprintf(out, DESCRIPTION_MAX, "%s", *node->text ? "null" : "empty");
        break;
    case GS_NODE_BOOL:
        (void)snprintf(out, DESCRIPTION_MAX, "the boolean %s", node->text);
        break;
    case GS_NODE_INT:
    case GS_NODE_FLOAT:
        (void)snprintf(out, DESCRIPTION_MAX, "the number %.80s", node->text);
        break;
    case GS_NODE_TEXT:
        (void)snprintf(out, DESCRIPTION_MAX, "\"%.80s\"%s", node->text, node->text_len > 80 ? "…" : "");
        break;
    case GS_NODE_LIST:
        (void)snprintf(out, DESCRIPTION_MAX, "a list");
        break;
    case GS_NODE_MAP:
        (void)snprintf(out, DESCRIPTION_MAX, "a map");
        break;
    }
}

/* `"tag" is the number 1234567 here, not text` */
static int mistyped(const reader *r, subject s, const char *due)
{
    char is[DESCRIPTION_MAX];
    describe(s.node, is);
    return gs_doc_fail(place_of(r, s.node), r->err, GS_ESPEC, "%s\"%s\" is %s here, not %s", s.item ? "an item of " : "", s.key, is,
                       due);
}

static int unknown_key(const reader *r, const gs_bind_table *table, const gs_pair *pair)
{
    const gs_node key = {.line = pair->line, .column = pair->column};
    for (size_t i = 0; table->later && table->later[i]; i++) {
        if (strcmp(table->later[i], pair->key) == 0) {
            return gs_doc_fail(place_of(r, &key), r->err, GS_ESPEC, "\"%s\" in %s is not supported yet", pair->key, table->name);
        }
    }
    const char **keys = gs_arena_array(r->arena, table->field_count + 1, sizeof *keys);
    size_t count = 0;
    if (!keys) {
        return gs_fail_nomem(r->err);
    }
    for (size_t i = 0; i < table->field_count; i++) {
        if (table->fields[i].key && table->fields[i].kind != GS_BIND_KEY) {
            keys[count++] = table->fields[i].key;
        }
    }
    (void)gs_doc_fail(place_of(r, &key), r->err, GS_ESPEC, "unknown key \"%s\" in %s", pair->key, table->name);
    const char *nearest = gs_text_nearest(pair->key, keys, count);
    if (nearest) {
        return gs_error_hint(r->err, "did you mean \"%s\"?", nearest);
    }
    gs_buf known;
    gs_buf_init(&known, GS_ERROR_HINT_MAX);
    for (size_t i = 0; i < count; i++) {
        gs_buf_printf(&known, "%s%s", i > 0 ? ", " : "", keys[i]);
    }
    (void)gs_error_hint(r->err, "its keys are %s", gs_buf_text(&known));
    gs_buf_done(&known);
    return GS_ESPEC;
}

/* Scalars ----------------------------------------------------------------------------------------- */

static int read_text(const reader *r, const gs_bind_field *field, subject s, const char **out)
{
    const gs_node *node = s.node;
    if (node->kind != GS_NODE_TEXT) {
        (void)mistyped(r, s, "text");
        if (node->kind == GS_NODE_NULL) {
            return gs_error_hint(r->err, "write a value, \"\" for an empty text, or leave the key out");
        }
        if (node->kind == GS_NODE_LIST || node->kind == GS_NODE_MAP) {
            return GS_ESPEC;
        }
        if (s.item) {
            return gs_error_hint(r->err, "write \"%s\"", node->text);
        }
        return gs_error_hint(r->err, "write %s: \"%s\"", s.key, node->text);
    }
    if (field->valid && !field->valid(node->text)) {
        return mistyped(r, s, field->expects ? field->expects : "a valid value");
    }
    *out = gs_arena_copy(r->arena, node->text, node->text_len);
    return *out ? 0 : gs_fail_nomem(r->err);
}

static int read_scalar(const reader *r, subject s, const char **out)
{
    if (s.node->kind == GS_NODE_NULL || s.node->kind == GS_NODE_LIST || s.node->kind == GS_NODE_MAP) {
        return mistyped(r, s, "a text, number or boolean");
    }
    *out = gs_arena_copy(r->arena, s.node->text, s.node->text_len);
    return *out ? 0 : gs_fail_nomem(r->err);
}

static void store_value(const gs_bind_field *field, int64_t value, void *out)
{
    if (field->kind == GS_BIND_BOOL) {
        *GS_BIND_MEMBER(bool, out, field) = value != 0;
    } else if (field->kind == GS_BIND_CHOICE) {
        *GS_BIND_MEMBER(int, out, field) = (int)value;
    } else {
        *GS_BIND_MEMBER(int64_t, out, field) = value;
    }
}

static int wrong_choice(const reader *r, const gs_bind_field *field, subject s)
{
    size_t count = 0;
    gs_buf list;
    gs_buf_init(&list, GS_ERROR_HINT_MAX);
    for (; field->choices[count]; count++) {
        gs_buf_printf(&list, "%s%s", count > 0 ? ", " : "", field->choices[count]);
    }
    char due[GS_ERROR_HINT_MAX];
    (void)snprintf(due, sizeof due, "one of %s", gs_buf_text(&list));
    gs_buf_done(&list);
    (void)mistyped(r, s, due);
    const char *nearest = s.node->kind == GS_NODE_TEXT ? gs_text_nearest(s.node->text, field->choices, count) : NULL;
    return nearest ? gs_error_hint(r->err, "did you mean \"%s\"?", nearest) : GS_ESPEC;
}

static int wrong_value(const reader *r, const gs_bind_field *field, subject s)
{
    if (field->kind == GS_BIND_CHOICE) {
        return wrong_choice(r, field, s);
    }
    if (field->kind == GS_BIND_DURATION) {
        (void)mistyped(r, s, "a duration");
        return gs_error_hint(r->err, "write a whole number and ms, s, m or h, like 90s");
    }
    (void)mistyped(r, s, field->kind == GS_BIND_BOOL ? "true or false" : "a whole number");
    return s.node->quoted ? gs_error_hint(r->err, "write it without quotes") : GS_ESPEC;
}

static int read_value(const reader *r, const gs_bind_field *field, subject s, void *out)
{
    int64_t value;
    if (!gs_bind_value(field, s.node, &value)) {
        return wrong_value(r, field, s);
    }
    if (field->kind == GS_BIND_INTEGER && field->valid) {
        char digits[24];
        (void)snprintf(digits, sizeof digits, "%lld", (long long)value);
        if (!field->valid(digits)) {
            return mistyped(r, s, field->expects ? field->expects : "a valid value");
        }
    }
    store_value(field, value, out);
    return 0;
}

/* Lists and maps ---------------------------------------------------------------------------------- */

static int read_text_list(const reader *r, const gs_bind_field *field, subject s, gs_text_list *out)
{
    if (s.node->kind != GS_NODE_LIST) {
        return mistyped(r, s, "a list");
    }
    out->items = gs_arena_array(r->arena, s.node->count, sizeof *out->items);
    if (!out->items) {
        return gs_fail_nomem(r->err);
    }
    out->count = s.node->count;
    for (size_t i = 0; i < out->count; i++) {
        int code = read_text(r, field, (subject){.key = field->key, .item = true, .node = s.node->items[i]}, &out->items[i]);
        if (code < 0) {
            return code;
        }
    }
    return 0;
}

static int read_text_map(const reader *r, const gs_bind_field *field, subject s, gs_text_map *out)
{
    if (s.node->kind != GS_NODE_MAP) {
        return mistyped(r, s, "a map");
    }
    out->items = gs_arena_array(r->arena, s.node->count, sizeof *out->items);
    if (!out->items) {
        return gs_fail_nomem(r->err);
    }
    out->count = s.node->count;
    for (size_t i = 0; i < out->count; i++) {
        const gs_pair *pair = &s.node->pairs[i];
        out->items[i].key = gs_arena_text(r->arena, pair->key);
        if (!out->items[i].key) {
            return gs_fail_nomem(r->err);
        }
        int code = read_text(r, field, (subject){.key = pair->key, .node = pair->value}, &out->items[i].value);
        if (code < 0) {
            return code;
        }
    }
    return 0;
}

/* A map's key, into the table's KEY member. */
static int read_key(const reader *r, const gs_bind_table *table, const gs_pair *pair, void *out)
{
    for (size_t i = 0; i < table->field_count; i++) {
        const gs_bind_field *field = &table->fields[i];
        if (field->kind != GS_BIND_KEY) {
            continue;
        }
        const gs_node key = {.line = pair->line, .column = pair->column};
        if (field->valid && !field->valid(pair->key)) {
            return gs_doc_fail(place_of(r, &key), r->err, GS_ESPEC, "the key \"%s\" of %s is not %s", pair->key, table->name,
                               field->expects ? field->expects : "valid");
        }
        const char *text = gs_arena_text(r->arena, pair->key);
        if (!text) {
            return gs_fail_nomem(r->err);
        }
        *GS_BIND_MEMBER(const char *, out, field) = text;
    }
    return 0;
}

static int read_struct(const reader *r, const gs_bind_field *field, subject s, void *out)
{
    if (s.node->kind != GS_NODE_MAP) {
        char due[DESCRIPTION_MAX];
        (void)snprintf(due, sizeof due, "a map (%s)", field->table->name);
        return mistyped(r, s, due);
    }
    return read_map(r, field->table, s.node, false, out);
}

static int read_struct_ptr(const reader *r, const gs_bind_field *field, subject s, void **out)
{
    *out = gs_arena_alloc(r->arena, field->table->size);
    return *out ? read_struct(r, field, s, *out) : gs_fail_nomem(r->err);
}

static int read_structs(const reader *r, const gs_bind_field *field, subject s, gs_bind_array *out)
{
    bool map = field->kind == GS_BIND_STRUCT_MAP;
    if (s.node->kind != (map ? GS_NODE_MAP : GS_NODE_LIST)) {
        return mistyped(r, s, map ? "a map" : "a list");
    }
    char *items = gs_arena_array(r->arena, s.node->count, field->table->size);
    if (!items) {
        return gs_fail_nomem(r->err);
    }
    for (size_t i = 0; i < s.node->count; i++) {
        const gs_pair *pair = map ? &s.node->pairs[i] : NULL;
        void *item = items + i * field->table->size;
        subject value = {.key = map ? pair->key : field->key, .item = !map, .node = map ? pair->value : s.node->items[i]};
        int code = read_struct(r, field, value, item);
        if (code == 0 && map) {
            code = read_key(r, field->table, pair, item);
        }
        if (code < 0) {
            return code;
        }
    }
    out->items = items;
    out->count = s.node->count;
    return 0;
}

/* Maps as structs --------------------------------------------------------------------------------- */

static int read_field(const reader *r, const gs_bind_field *field, const gs_node *node, void *out)
{
    subject s = {.key = field->key, .node = node};
    switch (field->kind) {
    case GS_BIND_TEXT:
        return read_text(r, field, s, GS_BIND_MEMBER(const char *, out, field));
    case GS_BIND_SCALAR:
        return read_scalar(r, s, GS_BIND_MEMBER(const char *, out, field));
    case GS_BIND_INTEGER:
    case GS_BIND_BOOL:
    case GS_BIND_DURATION:
    case GS_BIND_CHOICE:
        return read_value(r, field, s, out);
    case GS_BIND_TEXT_LIST:
        return read_text_list(r, field, s, GS_BIND_MEMBER(gs_text_list, out, field));
    case GS_BIND_TEXT_MAP:
        return read_text_map(r, field, s, GS_BIND_MEMBER(gs_text_map, out, field));
    case GS_BIND_STRUCT:
        return read_struct(r, field, s, GS_BIND_MEMBER(char, out, field));
    case GS_BIND_STRUCT_PTR:
        return read_struct_ptr(r, field, s, GS_BIND_MEMBER(void *, out, field));
    case GS_BIND_STRUCT_LIST:
    case GS_BIND_STRUCT_MAP:
        return read_structs(r, field, s, GS_BIND_MEMBER(gs_bind_array, out, field));
    case GS_BIND_NODE:
        *GS_BIND_MEMBER(const gs_node *, out, field) = node;
        return 0;
    case GS_BIND_KEY:
    case GS_BIND_PLACE:
        break;
    }
    return 0;
}

static int fill_absent(const reader *r, const gs_bind_field *field, void *out)
{
    static const gs_node nothing = {.kind = GS_NODE_MAP};
    int64_t value;
    switch (field->kind) {
    case GS_BIND_TEXT:
    case GS_BIND_SCALAR:
        *GS_BIND_MEMBER(const char *, out, field) = field->otherwise;
        return 0;
    case GS_BIND_INTEGER:
    case GS_BIND_BOOL:
    case GS_BIND_DURATION:
    case GS_BIND_CHOICE:
        if (!gs_bind_default(field, &value)) {
            return gs_fail(r->err, GS_EINTERNAL, "the default of \"%s\" is malformed", field->key);
        }
        store_value(field, value, out);
        return 0;
    case GS_BIND_STRUCT:
        return read_map(r, field->table, &nothing, true, GS_BIND_MEMBER(char, out, field));
    default:
        return 0;
    }
}

static int check_keys(const reader *r, const gs_bind_table *table, const gs_node *map)
{
    for (size_t i = 0; i < map->count; i++) {
        bool known = false;
        for (size_t k = 0; k < table->field_count && !known; k++) {
            known = table->fields[k].kind != GS_BIND_KEY && gs_text_equal(table->fields[k].key, map->pairs[i].key);
        }
        if (!known) {
            return unknown_key(r, table, &map->pairs[i]);
        }
    }
    return 0;
}

/* absent: there is no map; the struct gets its defaults, and nothing is required. */
static int read_map(const reader *r, const gs_bind_table *table, const gs_node *map, bool absent, void *out)
{
    memset(out, 0, table->size);
    int code = check_keys(r, table, map);
    for (size_t i = 0; code == 0 && i < table->field_count; i++) {
        const gs_bind_field *field = &table->fields[i];
        const gs_node *node = field->key && field->kind != GS_BIND_KEY ? gs_node_get(map, field->key) : NULL;
        if (field->kind == GS_BIND_PLACE) {
            *GS_BIND_MEMBER(gs_place, out, field) = (gs_place){map->line, map->column};
        } else if (node) {
            code = read_field(r, field, node, out);
        } else if (field->required && !absent) {
            code = gs_doc_fail(place_of(r, map), r->err, GS_ESPEC, "\"%s\" is missing in %s", field->key, table->name);
        } else {
            code = fill_absent(r, field, out);
        }
    }
    return code;
}

int gs_bind_read(const gs_bind_table *table, const gs_doc *doc, const gs_node *node, gs_arena *arena, void *out, gs_error *err)
{
    gs_error ignored = {0};
    const reader r = {.doc = doc, .arena = arena, .err = err ? err : &ignored};
    if (node->kind != GS_NODE_MAP) {
        char is[DESCRIPTION_MAX];
        describe(node, is);
        return gs_doc_fail(place_of(&r, node), r.err, GS_ESPEC, "%s is due here, as a map; this is %s", table->name, is);
    }
    return read_map(&r, table, node, false, out);
}

/* Places for later errors ------------------------------------------------------------------------- */

int gs_bind_fail(const gs_doc *doc, gs_place place, gs_error *err, const char *format, ...)
{
    char message[GS_ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return gs_doc_fail((gs_doc_place){doc->name, place.line, place.column}, err, GS_ESPEC, "%s", message);
}

static const gs_node *map_at(const gs_node *node, gs_place place)
{
    const gs_node *found = NULL;
    if (node->kind == GS_NODE_MAP && node->line == place.line && node->column == place.column) {
        return node;
    }
    for (size_t i = 0; i < node->count && !found; i++) {
        found = map_at(node->kind == GS_NODE_LIST ? node->items[i] : node->pairs[i].value, place);
    }
    return found;
}

gs_place gs_bind_place_of(const gs_doc *doc, gs_place place, const char *path)
{
    const gs_node *map = map_at(doc->root, place);
    const gs_node *node = map ? gs_node_at(map, path) : NULL;
    return node ? (gs_place){node->line, node->column} : place;
}
