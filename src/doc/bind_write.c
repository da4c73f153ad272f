/* Structs into trees, by the same tables that read them: what reading would fill in by itself is left out. Must not know any
 * particular table. */
#include "bind_internal.h"

#include "gapship/text.h"

static bool is_default_value(const gs_bind_field *field, int64_t value)
{
    int64_t otherwise;
    return !field->required && gs_bind_default(field, &otherwise) && value == otherwise;
}

/* In the largest unit that says it exactly. */
static gs_node *duration_node(gs_arena *arena, int64_t milliseconds)
{
    static const struct {
        int64_t milliseconds;
        const char *unit;
    } units[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;
    while (milliseconds % units[i].milliseconds != 0 || (milliseconds == 0 && i < 2)) {
        i++;
    }
    const char *text = gs_arena_printf(arena, "%lld%s", (long long)(milliseconds / units[i].milliseconds), units[i].unit);
    return text ? gs_node_new_text(arena, text) : NULL;
}

static gs_node *text_list_node(const gs_text_list *list, gs_arena *arena)
{
    gs_node *node = gs_node_new_list(arena);
    for (size_t i = 0; i < list->count; i++) {
        node = gs_node_append(arena, node, gs_node_new_text(arena, list->items[i]));
    }
    return node;
}

static gs_node *text_map_node(const gs_text_map *map, gs_arena *arena)
{
    gs_node *node = gs_node_new_map(arena);
    for (size_t i = 0; i < map->count; i++) {
        node = gs_node_set(arena, node, map->items[i].key, gs_node_new_text(arena, map->items[i].value));
    }
    return node;
}

static const char *key_of(const gs_bind_table *table, const void *in)
{
    for (size_t i = 0; i < table->field_count; i++) {
        if (table->fields[i].kind == GS_BIND_KEY) {
            return *GS_BIND_MEMBER(const char *const, in, &table->fields[i]);
        }
    }
    return NULL;
}

static gs_node *structs_node(const gs_bind_field *field, const gs_bind_array *array, gs_arena *arena)
{
    bool map = field->kind == GS_BIND_STRUCT_MAP;
    gs_node *node = map ? gs_node_new_map(arena) : gs_node_new_list(arena);
    for (size_t i = 0; i < array->count && node; i++) {
        const void *item = (const char *)array->items + i * field->table->size;
        gs_node *value = gs_bind_write(field->table, item, arena);
        node = map ? gs_node_set(arena, node, key_of(field->table, item), value) : gs_node_append(arena, node, value);
    }
    return node;
}

/* Scalars but text. */
static gs_node *value_node(const gs_bind_field *field, const void *in, gs_arena *arena)
{
    switch (field->kind) {
    case GS_BIND_INTEGER:
        return gs_node_new_integer(arena, *GS_BIND_MEMBER(const int64_t, in, field));
    case GS_BIND_BOOL:
        return gs_node_new_bool(arena, *GS_BIND_MEMBER(const bool, in, field));
    case GS_BIND_DURATION:
        return duration_node(arena, *GS_BIND_MEMBER(const int64_t, in, field));
    default:
        return gs_node_new_text(arena, field->choices[*GS_BIND_MEMBER(const int, in, field)]);
    }
}

static gs_node *member_node(const gs_bind_field *field, const void *in, gs_arena *arena)
{
    switch (field->kind) {
    case GS_BIND_TEXT:
    case GS_BIND_SCALAR:
        return gs_node_new_text(arena, *GS_BIND_MEMBER(const char *const, in, field));
    case GS_BIND_TEXT_LIST:
        return text_list_node(GS_BIND_MEMBER(const gs_text_list, in, field), arena);
    case GS_BIND_TEXT_MAP:
        return text_map_node(GS_BIND_MEMBER(const gs_text_map, in, field), arena);
    case GS_BIND_STRUCT:
        return gs_bind_write(field->table, GS_BIND_MEMBER(const char, in, field), arena);
    case GS_BIND_STRUCT_PTR:
        return gs_bind_write(field->table, *GS_BIND_MEMBER(const void *const, in, field), arena);
    case GS_BIND_STRUCT_LIST:
    case GS_BIND_STRUCT_MAP:
        return structs_node(field, GS_BIND_MEMBER(const gs_bind_array, in, field), arena);
    case GS_BIND_NODE:
        return gs_node_copy(arena, *GS_BIND_MEMBER(const gs_node *const, in, field));
    default:
        return value_node(field, in, arena);
    }
}

static int64_t value_of(const gs_bind_field *field, const void *in)
{
    if (field->kind == GS_BIND_BOOL) {
        return *GS_BIND_MEMBER(const bool, in, field);
    }
    if (field->kind == GS_BIND_CHOICE) {
        return *GS_BIND_MEMBER(const int, in, field);
    }
    return *GS_BIND_MEMBER(const int64_t, in, field);
}

/* Whether reading a map without this key gives the same member. */
static bool is_left_out(const gs_bind_field *field, const void *in)
{
    switch (field->kind) {
    case GS_BIND_TEXT:
    case GS_BIND_SCALAR: {
        const char *text = *GS_BIND_MEMBER(const char *const, in, field);
        return !text || (!field->required && gs_text_equal(text, field->otherwise));
    }
    case GS_BIND_INTEGER:
    case GS_BIND_BOOL:
    case GS_BIND_DURATION:
    case GS_BIND_CHOICE:
        return is_default_value(field, value_of(field, in));
    case GS_BIND_TEXT_LIST:
    case GS_BIND_TEXT_MAP:
    case GS_BIND_STRUCT_LIST:
    case GS_BIND_STRUCT_MAP: /* all have their count second */
        return !field->required && GS_BIND_MEMBER(const gs_bind_array, in, field)->count == 0;
    case GS_BIND_STRUCT_PTR:
    case GS_BIND_NODE:
        return *GS_BIND_MEMBER(const void *const, in, field) == NULL;
    case GS_BIND_STRUCT:
        return false;
    case GS_BIND_KEY:
    case GS_BIND_PLACE:
        break;
    }
    return true;
}

gs_node *gs_bind_write(const gs_bind_table *table, const void *in, gs_arena *arena)
{
    gs_node *map = gs_node_new_map(arena);
    for (size_t i = 0; i < table->field_count && map; i++) {
        const gs_bind_field *field = &table->fields[i];
        if (is_left_out(field, in)) {
            continue;
        }
        gs_node *value = member_node(field, in, arena);
        bool bare = field->kind == GS_BIND_STRUCT && !field->required && value && value->count == 0;
        if (!bare) {
            map = gs_node_set(arena, map, field->key, value);
        }
    }
    return map;
}
