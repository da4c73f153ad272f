/* `extends`: an environment takes over what another one has and says only what differs. Done on the tree, before binding, so that
 * every message about an inherited key still has the line where it was written. Must not know what the keys mean, but for these
 * rules:
 *
 * - a map is merged key by key, a list of units or migrations by name, everything else is replaced;
 * - a source that names a chart, overlay or manifests, and a target that names its kind, replace the inherited one whole;
 * - gates are never inherited: they say how one environment is entered. */
#include "release_internal.h"

#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"

typedef enum progress { UNTOUCHED, IN_WORK, DONE } progress;

typedef struct heir {
    gs_doc *doc;
    gs_node *environments;
    progress *progress;
    gs_error *err;
} heir;

static gs_node *merged_map(gs_arena *arena, const gs_node *base, const gs_node *own);

static const gs_node *find_named(const gs_node *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (gs_text_equal(gs_node_text(list->items[i], "name"), name)) {
            return list->items[i];
        }
    }
    return NULL;
}

/* The base's things in their order, each with what the heir changes, then the heir's new ones. */
static gs_node *merged_named(gs_arena *arena, const gs_node *base, const gs_node *own)
{
    gs_node *list = gs_node_new_list(arena);
    if (!list) {
        return NULL;
    }
    list->line = own->line;
    list->column = own->column;
    for (size_t i = 0; i < base->count; i++) {
        const char *name = gs_node_text(base->items[i], "name");
        const gs_node *changes = name ? find_named(own, name) : NULL;
        list = gs_node_append(arena, list,
                              changes ? merged_map(arena, base->items[i], changes) : gs_node_copy(arena, base->items[i]));
    }
    for (size_t i = 0; i < own->count; i++) {
        const char *name = gs_node_text(own->items[i], "name");
        /* A second one of the same name stays, to be refused by name. */
        if (!name || !find_named(base, name) || find_named(own, name) != own->items[i]) {
            list = gs_node_append(arena, list, gs_node_copy(arena, own->items[i]));
        }
    }
    return list;
}

static bool replaces(const char *key, const gs_node *own)
{
    if (strcmp(key, "target") == 0) {
        return gs_node_get(own, "kind") != NULL;
    }
    for (size_t i = 0; strcmp(key, "source") == 0 && i < GS_SOURCE_KINDS; i++) {
        if (gs_node_get(own, gs_source_kinds[i])) {
            return true;
        }
    }
    return false;
}

static gs_node *merged_value(gs_arena *arena, const char *key, const gs_node *base, const gs_node *own)
{
    bool named = strcmp(key, "units") == 0 || strcmp(key, "migrations") == 0;
    if (named && base->kind == GS_NODE_LIST && own->kind == GS_NODE_LIST) {
        return merged_named(arena, base, own);
    }
    if (base->kind == GS_NODE_MAP && own->kind == GS_NODE_MAP && !replaces(key, own)) {
        return merged_map(arena, base, own);
    }
    return gs_node_copy(arena, own);
}

/* Sets key, and where it was written. */
static gs_node *put(gs_arena *arena, gs_node *map, const gs_pair *written, gs_node *value)
{
    map = gs_node_set(arena, map, written->key, value);
    if (map) {
        map->pairs[map->count - 1].line = written->line;
        map->pairs[map->count - 1].column = written->column;
    }
    return map;
}

static gs_node *merged_map(gs_arena *arena, const gs_node *base, const gs_node *own)
{
    gs_node *map = gs_node_new_map(arena);
    if (!map) {
        return NULL;
    }
    map->line = own->line;
    map->column = own->column;
    for (size_t i = 0; i < own->count; i++) {
        const gs_pair *pair = &own->pairs[i];
        const gs_node *inherited = gs_node_get(base, pair->key);
        map = put(arena, map, pair,
                  inherited ? merged_value(arena, pair->key, inherited, pair->value) : gs_node_copy(arena, pair->value));
    }
    for (size_t i = 0; i < base->count && map; i++) {
        if (!gs_node_get(map, base->pairs[i].key)) {
            map = put(arena, map, &base->pairs[i], gs_node_copy(arena, base->pairs[i].value));
        }
    }
    return map;
}

/* What of an environment can be inherited. Shares nodes with it; they are copied when merged. */
static gs_node *inheritance(gs_arena *arena, const gs_node *environment)
{
    static const char *const own[] = {"name", "extends", "gates"};
    gs_node *map = gs_node_new_map(arena);
    for (size_t i = 0; i < environment->count && map; i++) {
        const gs_pair *pair = &environment->pairs[i];
        bool kept_back = false;
        for (size_t k = 0; k < sizeof own / sizeof own[0]; k++) {
            kept_back = kept_back || strcmp(pair->key, own[k]) == 0;
        }
        if (!kept_back) {
            map = put(arena, map, pair, pair->value);
        }
    }
    return map;
}

static int find_base(const heir *h, const gs_node *extends, size_t *out)
{
    const gs_node *environments = h->environments;
    for (size_t i = 0; i < environments->count; i++) {
        if (gs_text_equal(gs_node_text(environments->items[i], "name"), extends->text)) {
            *out = i;
            return 0;
        }
    }
    return gs_bind_fail(h->doc, (gs_place){extends->line, extends->column}, h->err, "there is no environment \"%s\" to extend",
                        extends->text);
}

/* Recursion is as deep as the chain of environments, at most GS_MAX_ENVIRONMENTS. */
static int resolve(const heir *h, size_t index)
{
    gs_node *environment = h->environments->items[index];
    const gs_node *extends = gs_node_get(environment, "extends");
    size_t base;
    if (h->progress[index] == DONE || !extends || extends->kind != GS_NODE_TEXT) {
        return 0;
    }
    if (h->progress[index] == IN_WORK) {
        return gs_bind_fail(h->doc, (gs_place){extends->line, extends->column}, h->err,
                            "the environments extend each other in a circle");
    }
    h->progress[index] = IN_WORK;
    int code = find_base(h, extends, &base);
    if (code == 0) {
        code = resolve(h, base);
    }
    if (code < 0) {
        return code;
    }
    gs_node *inherited = inheritance(h->doc->arena, h->environments->items[base]);
    gs_node *whole = inherited ? merged_map(h->doc->arena, inherited, environment) : NULL;
    if (!whole) {
        return gs_fail_nomem(h->err);
    }
    h->environments->items[index] = whole;
    h->progress[index] = DONE;
    return 0;
}

int gs_release_inherit(gs_doc *doc, gs_error *err)
{
    heir h = {.doc = doc, .environments = gs_node_get(doc->root, "environments"), .err = err};
    if (!h.environments || h.environments->kind != GS_NODE_LIST) {
        return 0;
    }
    if (h.environments->count > GS_MAX_ENVIRONMENTS) {
        (void)gs_bind_fail(doc, (gs_place){h.environments->line, h.environments->column}, err,
                           "there are %zu environments; gapship takes up to %u", h.environments->count, GS_MAX_ENVIRONMENTS);
        return gs_error_recode(err, GS_ELIMIT);
    }
    h.progress = gs_arena_array(doc->arena, h.environments->count, sizeof *h.progress);
    if (!h.progress) {
        return gs_fail_nomem(err);
    }
    int code = 0;
    for (size_t i = 0; code == 0 && i < h.environments->count; i++) {
        code = resolve(&h, i);
    }
    return code;
}
