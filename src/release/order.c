/* Units in an order in which each stands behind those it needs; beyond that, the order written. Must not know what a unit is. */
#include "release_internal.h"

#include <stdio.h>
#include <string.h>

#include "gapship/text.h"

static size_t find_unit(const gs_environment_spec *environment, const char *name)
{
    size_t i = 0;
    while (i < environment->units.count && strcmp(environment->units.items[i].name, name) != 0) {
        i++;
    }
    return i;
}

static bool is_ready(const gs_environment_spec *environment, const gs_unit_spec *unit, const bool *placed)
{
    for (size_t i = 0; i < unit->needs.count; i++) {
        if (!placed[find_unit(environment, unit->needs.items[i])]) {
            return false;
        }
    }
    return true;
}

/* The first need that is not placed yet: in a circle there always is one. */
static size_t next_in_circle(const gs_environment_spec *environment, size_t at, const bool *placed)
{
    const gs_text_list *needs = &environment->units.items[at].needs;
    for (size_t i = 0; i < needs->count; i++) {
        size_t need = find_unit(environment, needs->items[i]);
        if (!placed[need]) {
            return need;
        }
    }
    return at;
}

static int fail_circle(const gs_release *release, const gs_environment_spec *environment, const bool *placed, gs_error *err)
{
    size_t at = 0;
    while (placed[at]) {
        at++;
    }
    for (size_t i = 0; i < environment->units.count; i++) {
        at = next_in_circle(environment, at, placed); /* from whatever leads to the circle into it */
    }
    GS_AUTO_BUF gs_buf circle;
    gs_buf_init(&circle, GS_ERROR_MESSAGE_MAX);
    size_t start = at;
    do {
        gs_buf_printf(&circle, "%s needs ", environment->units.items[at].name);
        at = next_in_circle(environment, at, placed);
    } while (at != start);
    gs_buf_add_text(&circle, environment->units.items[start].name);
    return gs_release_fail(release, environment->units.items[start].place, "needs", err, "the units of \"%s\" need each other: %s",
                           environment->name, gs_buf_text(&circle));
}

static int check_needs(const gs_release *release, const gs_environment_spec *environment, const gs_unit_spec *unit, gs_error *err)
{
    for (size_t i = 0; i < unit->needs.count; i++) {
        const char *need = unit->needs.items[i];
        if (find_unit(environment, need) < environment->units.count) {
            continue;
        }
        char path[32];
        (void)snprintf(path, sizeof path, "needs/%zu", i);
        return gs_release_fail(release, unit->place, path, err, "\"%s\" needs \"%s\", which is no unit of \"%s\"", unit->name, need,
                               environment->name);
    }
    return 0;
}

int gs_release_order_units(gs_release *release, gs_environment_spec *environment, gs_error *err)
{
    size_t count = environment->units.count;
    gs_unit_spec *ordered = gs_arena_array(release->arena, count, sizeof *ordered);
    bool *placed = gs_arena_array(release->arena, count, sizeof *placed);
    if (!ordered || !placed) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < count; i++) {
        int code = check_needs(release, environment, &environment->units.items[i], err);
        if (code < 0) {
            return code;
        }
    }
    for (size_t done = 0; done < count; done++) {
        size_t next = 0;
        while (next < count && (placed[next] || !is_ready(environment, &environment->units.items[next], placed))) {
            next++;
        }
        if (next == count) {
            return fail_circle(release, environment, placed, err);
        }
        ordered[done] = environment->units.items[next];
        placed[next] = true;
    }
    environment->units.items = ordered;
    return 0;
}
