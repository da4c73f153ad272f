/* Every ${…} of a release is tried when the release is read, so that a misspelt variable is found at the engineer's desk and not at
 * the site. Must not know where templates may stand. */
#include "release_internal.h"

#include <stdio.h>
#include <string.h>

/* All variables that will exist; their values do not matter yet. */
static int make_variables(const gs_release *release, bool schema, gs_arena *arena, gs_text_map *out, gs_error *err)
{
    static const char *const plain[] = {"version", "name", "environment", "schema.from", "schema.to"};
    size_t plain_count = schema ? 5 : 3;
    gs_text_pair *pairs = gs_arena_array(arena, plain_count + 2 * release->images.count + release->inputs.count, sizeof *pairs);
    size_t count = 0;
    bool complete = pairs != NULL;
    for (size_t i = 0; complete && i < plain_count; i++)
        pairs[count++].key = plain[i];
    for (size_t i = 0; complete && i < release->images.count; i++) {
        const char *as = release->images.items[i].as;
        pairs[count].key = gs_arena_printf(arena, "tag.%s", as);
        pairs[count + 1].key = gs_arena_printf(arena, "digest.%s", as);
        complete = pairs[count].key && pairs[count + 1].key;
        count += 2;
    }
    for (size_t i = 0; complete && i < release->inputs.count; i++) {
        pairs[count].key = gs_arena_printf(arena, "input.%s", release->inputs.items[i].name);
        complete = pairs[count++].key != NULL;
    }
    if (!complete)
        return gs_fail_nomem(err);
    for (size_t i = 0; i < count; i++)
        pairs[i].value = "";
    *out = (gs_text_map){.items = pairs, .count = count};
    return 0;
}

static int expand_in_vain(const gs_release *release, bool schema, const char *text, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf ignored;
    gs_text_map variables;
    gs_buf_init(&ignored, strlen(text) + 1);
    if (!arena)
        return gs_fail_nomem(err);
    int rc = make_variables(release, schema, arena, &variables, err);
    return rc < 0 ? rc : gs_expand(text, &variables, &ignored, err);
}

/* Tells why text cannot be expanded: 0, or the error without its place. */
static int try_text(const gs_release *release, bool schema, const char *text, gs_error *why)
{
    return strstr(text, "${") ? expand_in_vain(release, schema, text, why) : 0;
}

static int fail_at(const gs_release *release, gs_place place, const gs_error *why, gs_error *err)
{
    if (why->code != GS_ESPEC)
        return gs_fail(err, why->code, "%s", why->message);
    (void)gs_bind_fail(release->doc, place, err, "%s", why->message);
    return gs_error_hint(err, "%s", why->hint);
}

int gs_release_check_template(const gs_release *release, gs_template_place where, const char *text, gs_error *err)
{
    gs_error why = {0};
    if (try_text(release, where.schema, text, &why) == 0)
        return 0;
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
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < list->count; i++) {
        char index[24];
        (void)snprintf(index, sizeof index, "%zu", i);
        rc = check_child(release, where, index, list->items[i], err);
    }
    return rc;
}

int gs_release_check_template_map(const gs_release *release, gs_template_place where, const gs_text_map *map, gs_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < map->count; i++)
        rc = check_child(release, where, map->items[i].key, map->items[i].value, err);
    return rc;
}

int gs_release_check_template_node(const gs_release *release, const gs_node *node, gs_error *err)
{
    gs_error why = {0};
    if (node->kind == GS_NODE_TEXT && try_text(release, false, node->text, &why) < 0)
        return fail_at(release, (gs_place){node->line, node->column}, &why, err);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < node->count; i++)
        rc = gs_release_check_template_node(release, node->kind == GS_NODE_LIST ? node->items[i] : node->pairs[i].value, err);
    return rc;
}
