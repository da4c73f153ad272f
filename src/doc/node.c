/* The neutral tree: looking things up, comparing, building. Must not know where trees come from or how they are written.
 *
 * Lists and maps grow without a capacity member: room is always a power of two that holds `count`, so only a count that is zero or
 * a power of two may need more. Removing keeps that true. */
#include "doc_internal.h"

#include <stdlib.h>
#include <string.h>

#include "gapship/num.h"
#include "gapship/text.h"

gs_node *gs_node_get(const gs_node *map, const char *key)
{
    if (!map || map->kind != GS_NODE_MAP) {
        return NULL;
    }
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->pairs[i].key, key) == 0) {
            return map->pairs[i].value;
        }
    }
    return NULL;
}

/* The child that the first len bytes of path name. */
static gs_node *child_named(const gs_node *node, const char *path, size_t len)
{
    if (node->kind == GS_NODE_LIST) {
        char number[8];
        uint64_t index;
        if (len >= sizeof number || node->count == 0) {
            return NULL;
        }
        memcpy(number, path, len);
        number[len] = '\0';
        return gs_parse_u64(number, node->count - 1, &index) ? node->items[index] : NULL;
    }
    if (node->kind != GS_NODE_MAP) {
        return NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        const char *key = node->pairs[i].key;
        if (strncmp(key, path, len) == 0 && key[len] == '\0') {
            return node->pairs[i].value;
        }
    }
    return NULL;
}

gs_node *gs_node_at(const gs_node *node, const char *path)
{
    gs_node *found = NULL;
    while (node) {
        size_t len = strcspn(path, "/");
        found = child_named(node, path, len);
        if (path[len] == '\0') {
            return found;
        }
        path += len + 1;
        node = found;
    }
    return NULL;
}

gs_node *gs_node_list(const gs_node *map, const char *key)
{
    gs_node *node = gs_node_get(map, key);
    return node && node->kind == GS_NODE_LIST ? node : NULL;
}

const char *gs_node_text(const gs_node *map, const char *key)
{
    const gs_node *node = gs_node_get(map, key);
    return node && node->kind != GS_NODE_LIST && node->kind != GS_NODE_MAP && node->kind != GS_NODE_NULL ? node->text : NULL;
}

int64_t gs_node_integer(const gs_node *map, const char *key, int64_t otherwise)
{
    const gs_node *node = gs_node_get(map, key);
    return node && node->kind == GS_NODE_INT ? node->integer : otherwise;
}

bool gs_node_bool(const gs_node *map, const char *key)
{
    const gs_node *node = gs_node_get(map, key);
    return node && node->kind == GS_NODE_BOOL && node->integer != 0;
}

static bool maps_equal(const gs_node *a, const gs_node *b)
{
    for (size_t i = 0; i < a->count; i++) {
        /* Most maps that are compared have the same order. */
        const gs_node *other = strcmp(a->pairs[i].key, b->pairs[i].key) == 0 ? b->pairs[i].value : gs_node_get(b, a->pairs[i].key);
        if (!other || !gs_node_equal(a->pairs[i].value, other)) {
            return false;
        }
    }
    return true;
}

bool gs_node_equal(const gs_node *a, const gs_node *b)
{
    if (a == b) {
        return true;
    }
    if (!a || !b || a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case GS_NODE_NULL:
        return true;
    case GS_NODE_BOOL:
    case GS_NODE_INT:
        return a->integer == b->integer;
    case GS_NODE_FLOAT:
    case GS_NODE_TEXT:
        return a->text_len == b->text_len && memcmp(a->text, b->text, a->text_len) == 0;
    case GS_NODE_LIST:
        for (size_t i = 0; a->count == b->count && i < a->count; i++) {
            if (!gs_node_equal(a->items[i], b->items[i])) {
                return false;
            }
        }
        return a->count == b->count;
    case GS_NODE_MAP:
        return a->count == b->count && maps_equal(a, b);
    }
    return false;
}

static gs_node *new_node(gs_arena *arena, gs_node_kind kind)
{
    gs_node *node = gs_arena_alloc(arena, sizeof *node);
    if (node) {
        node->kind = kind;
    }
    return node;
}

static gs_node *new_scalar(gs_arena *arena, gs_node_kind kind, const char *text)
{
    gs_node *node = new_node(arena, kind);
    if (!node || !text) {
        return NULL;
    }
    node->text = gs_arena_text(arena, text);
    node->text_len = strlen(text);
    return node->text ? node : NULL;
}

gs_node *gs_node_new_map(gs_arena *arena)
{
    return new_node(arena, GS_NODE_MAP);
}

gs_node *gs_node_new_list(gs_arena *arena)
{
    return new_node(arena, GS_NODE_LIST);
}

gs_node *gs_node_new_text(gs_arena *arena, const char *text)
{
    gs_node *node = new_scalar(arena, GS_NODE_TEXT, text);
    if (node) {
        node->quoted = true;
    }
    return node;
}

gs_node *gs_node_new_integer(gs_arena *arena, int64_t value)
{
    char *text = gs_arena_printf(arena, "%lld", (long long)value);
    gs_node *node = new_node(arena, GS_NODE_INT);
    if (!node || !text) {
        return NULL;
    }
    node->text = text;
    node->text_len = strlen(text);
    node->integer = value;
    return node;
}

gs_node *gs_node_new_bool(gs_arena *arena, bool value)
{
    gs_node *node = new_scalar(arena, GS_NODE_BOOL, value ? "true" : "false");
    if (node) {
        node->integer = value;
    }
    return node;
}

gs_node *gs_node_new_null(gs_arena *arena)
{
    return new_scalar(arena, GS_NODE_NULL, "null");
}

/* Room for one more element of an array that has count of them. Returns the array to use, or NULL. */
static void *grown(gs_arena *arena, void *array, size_t count, size_t size)
{
    if (count != 0 && (count & (count - 1)) != 0) {
        return array;
    }
    void *larger = gs_arena_array(arena, count == 0 ? 1 : 2 * count, size);
    if (larger && count > 0) {
        memcpy(larger, array, count * size);
    }
    return larger;
}

bool gs_node_push_pair(gs_arena *arena, gs_node *map, const gs_pair *pair)
{
    gs_pair *pairs = grown(arena, map->pairs, map->count, sizeof *pairs);
    if (!pairs) {
        return false;
    }
    map->pairs = pairs;
    map->pairs[map->count++] = *pair;
    return true;
}

bool gs_node_push_item(gs_arena *arena, gs_node *list, gs_node *item)
{
    gs_node **items = grown(arena, (void *)list->items, list->count, sizeof *items);
    if (!items) {
        return false;
    }
    list->items = items;
    list->items[list->count++] = item;
    return true;
}

gs_node *gs_node_copy(gs_arena *arena, const gs_node *node)
{
    if (!node) {
        return NULL;
    }
    gs_node *copy = new_node(arena, node->kind);
    if (!copy) {
        return NULL;
    }
    *copy = *node;
    copy->items = NULL;
    copy->pairs = NULL;
    copy->count = 0;
    if (node->text && !(copy->text = gs_arena_copy(arena, node->text, node->text_len))) {
        return NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        bool pushed;
        if (node->kind == GS_NODE_LIST) {
            gs_node *item = gs_node_copy(arena, node->items[i]);
            pushed = item && gs_node_push_item(arena, copy, item);
        } else {
            gs_pair pair = node->pairs[i];
            pair.key = gs_arena_text(arena, pair.key);
            pair.value = gs_node_copy(arena, pair.value);
            pushed = pair.key && pair.value && gs_node_push_pair(arena, copy, &pair);
        }
        if (!pushed) {
            return NULL;
        }
    }
    return copy;
}

gs_node *gs_node_set(gs_arena *arena, gs_node *map, const char *key, gs_node *value)
{
    if (!map || !value) {
        return NULL;
    }
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->pairs[i].key, key) == 0) {
            map->pairs[i].value = value;
            return map;
        }
    }
    gs_pair pair = {.key = gs_arena_text(arena, key), .value = value};
    return pair.key && gs_node_push_pair(arena, map, &pair) ? map : NULL;
}

gs_node *gs_node_set_text(gs_arena *arena, gs_node *map, const char *key, const char *text)
{
    return text ? gs_node_set(arena, map, key, gs_node_new_text(arena, text)) : map;
}

gs_node *gs_node_set_integer(gs_arena *arena, gs_node *map, const char *key, int64_t value)
{
    return gs_node_set(arena, map, key, gs_node_new_integer(arena, value));
}

gs_node *gs_node_append(gs_arena *arena, gs_node *list, gs_node *value)
{
    return list && value && gs_node_push_item(arena, list, value) ? list : NULL;
}

bool gs_node_remove(gs_node *map, const char *key)
{
    for (size_t i = 0; map && map->kind == GS_NODE_MAP && i < map->count; i++) {
        if (strcmp(map->pairs[i].key, key) == 0) {
            memmove(map->pairs + i, map->pairs + i + 1, (map->count - i - 1) * sizeof *map->pairs);
            map->count--;
            return true;
        }
    }
    return false;
}

/* Equal keys keep their order, which is the order of their addresses. */
static int compare_pairs(const void *a, const void *b)
{
    const gs_pair *left = *(const gs_pair *const *)a;
    const gs_pair *right = *(const gs_pair *const *)b;
    int order = strcmp(left->key, right->key);
    return order != 0 ? order : left < right ? -1 : left > right;
}

const gs_pair **gs_node_sorted_pairs(const gs_node *map)
{
    const gs_pair **sorted = calloc(map->count + 1, sizeof *sorted);
    if (!sorted) {
        return NULL;
    }
    for (size_t i = 0; i < map->count; i++) {
        sorted[i] = &map->pairs[i];
    }
    qsort(sorted, map->count, sizeof *sorted, compare_pairs);
    return sorted;
}
