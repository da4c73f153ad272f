/* Every ${…} of a release is tried when the release is read, so that a misspelt variable is found at the engineer's desk and not at
 * the site. Must not know where templates may stand. */
#include "release_internal.h"

#include <stdio.h>
#include <string.h>

/* Stands around the name of an input that may be absent, as its value: no text of a release has this character. */
#define MARK '\1'

static const char *const everywhere[] = {"name", "version", "environment", "bundle", NULL};
static const char *const of_schema[] = {"schema", "schema.from", "schema.to", NULL};
static const char *const of_message[] = {"unit", NULL};

typedef struct variables {
    gs_arena *arena;
    gs_text_pair *pairs;
    size_t count;
    bool complete; /* false: out of memory */
} variables;

static void add(variables *v, const char *prefix, const char *name, const char *value)
{
    char *key = gs_arena_printf(v->arena, "%s%s", prefix, name);
    v->complete = v->complete && key && value;
    if (v->complete) {
        v->pairs[v->count++] = (gs_text_pair){.key = key, .value = value};
    }
}

static void add_all(variables *v, const char *const *names)
{
    for (; *names; names++) {
        add(v, "", *names, "");
    }
}

/* All variables that will exist. What they will be does not matter yet, but for inputs that may be absent. */
static int make_variables(const gs_release *release, gs_template_kind kind, gs_arena *arena, gs_text_map *out, gs_error *err)
{
    size_t most = 8 + 2 * release->images.count + release->inputs.count;
    variables v = {.arena = arena, .pairs = gs_arena_array(arena, most, sizeof *v.pairs)};
    v.complete = v.pairs != NULL;
    add_all(&v, everywhere);
    if (kind == GS_TEMPLATE_SCHEMA) {
        add_all(&v, of_schema);
    }
    if (kind == GS_TEMPLATE_MESSAGE) {
        add_all(&v, of_message);
    }
    for (size_t i = 0; i < release->images.count; i++) {
        add(&v, "tag.", release->images.items[i].as, "");
        add(&v, "digest.", release->images.items[i].as, "");
    }
    for (size_t i = 0; i < release->inputs.count; i++) {
        const gs_input_spec *input = &release->inputs.items[i];
        bool certain = input->required || input->otherwise;
        add(&v, "input.", input->name, certain ? "" : gs_arena_printf(arena, "%c%s%c", MARK, input->name, MARK));
    }
    *out = (gs_text_map){.items = v.pairs, .count = v.count};
    return v.complete ? 0 : gs_fail_nomem(err);
}

static int check_certain(gs_buf *expanded, gs_error *why)
{
    const char *name = strchr(gs_buf_text(expanded), MARK);
    if (!name) {
        return 0;
    }
    size_t len = strcspn(name + 1, (const char[]){MARK, '\0'});
    (void)gs_fail(why, GS_ESPEC, "the input \"%.*s\" may be absent: it is neither required nor has a default", (int)len, name + 1);
    return GS_ESPEC;
}

/* Tells why text cannot be expanded: 0, or the error without its place. A variable is longer than what it is replaced with here. */
static int try_text(const gs_release *release, gs_template_kind kind, const char *text, gs_error *why)
{
    if (!strstr(text, "${")) {
        return 0;
    }
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf expanded;
    gs_text_map all;
    gs_buf_init(&expanded, strlen(text) + 1);
    int code = arena ? make_variables(release, kind, arena, &all, why) : gs_fail_nomem(why);
    if (code == 0) {
        code = gs_expand(text, &all, &expanded, why);
    }
    return code < 0 ? code : check_certain(&expanded, why);
}

static int fail_at(const gs_release *release, gs_place place, const gs_error *why, gs_error *err)
{
    if (why->code != GS_ESPEC) {
        return gs_fail(err, why->code, "%s", why->message);
    }
    (void)gs_bind_fail(release->doc, place, err, "%s", why->message);
    return *why->hint ? gs_error_hint(err, "%s", why->hint) : GS_ESPEC;
}

int gs_release_check_template(const gs_release *release, gs_template_place where, const char *text, gs_error *err)
{
    gs_error why = {0};
    if (try_text(release, where.kind, text, &why) == 0) {
        return 0;
    }
    return fail_at(release, gs_bind_place_of(release->doc, where.place, where.path), &why, err);
}

static int check_child(const gs_release *release, gs_template_place where, const char *child, const char *text, gs_error *err)
{
    GS_AUTO_BUF gs_buf path;
    gs_buf_init(&path, GS_ERROR_MESSAGE_MAX);
    gs_buf_printf(&path, "%s/%s", where.path, child);
    where.path = gs_buf_text(&path);
    return gs_release_check_template(release, where, text, err);
}

int gs_release_check_template_list(const gs_release *release, gs_template_place where, const gs_text_list *list, gs_error *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < list->count; i++) {
        char index[24];
        (void)snprintf(index, sizeof index, "%zu", i);
        code = check_child(release, where, index, list->items[i], err);
    }
    return code;
}

int gs_release_check_template_map(const gs_release *release, gs_template_place where, const gs_text_map *map, gs_error *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < map->count; i++) {
        code = check_child(release, where, map->items[i].key, map->items[i].value, err);
    }
    return code;
}

int gs_release_check_template_node(const gs_release *release, const gs_node *node, gs_error *err)
{
    gs_error why = {0};
    if (node->kind == GS_NODE_TEXT && try_text(release, GS_TEMPLATE_PLAIN, node->text, &why) < 0) {
        return fail_at(release, (gs_place){node->line, node->column}, &why, err);
    }
    int code = 0;
    for (size_t i = 0; code == 0 && i < node->count; i++) {
        code = gs_release_check_template_node(release, node->kind == GS_NODE_LIST ? node->items[i] : node->pairs[i].value, err);
    }
    return code;
}
