/* What the tables cannot see: names that must differ, names that must exist, members that exclude each other. This file has the
 * release as a whole; check_environment.c has one environment. Must not know YAML. */
#include "release_internal.h"

#include <stdio.h>
#include <string.h>

#include "gapship/num.h"
#include "gapship/text.h"

/* Things with a name and a place, whatever they are: their members' offsets. */
typedef struct named_list {
    const char *what, *key;
    const void *items;
    size_t count, size, name, place;
} named_list;

#define NAMED(what_, key_, list, type, member)                                                                                     \
    (named_list)                                                                                                                   \
    {                                                                                                                              \
        .what = (what_), .key = (key_), .items = (list).items, .count = (list).count, .size = sizeof(type),                        \
        .name = offsetof(type, member), .place = offsetof(type, place)                                                             \
    }

static const char *name_at(const named_list *list, size_t i)
{
    return *(const char *const *)(const void *)((const char *)list->items + i * list->size + list->name);
}

static gs_place place_at(const named_list *list, size_t i)
{
    return *(const gs_place *)(const void *)((const char *)list->items + i * list->size + list->place);
}

static int check_unique(const gs_release *release, named_list list, gs_error *err)
{
    for (size_t i = 1; i < list.count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(name_at(&list, i), name_at(&list, k)) == 0) {
                return gs_release_fail(release, place_at(&list, i), list.key, err,
                                       "%s \"%s\" is here a second time; the first is at line %d", list.what, name_at(&list, i),
                                       place_at(&list, k).line);
            }
        }
    }
    return 0;
}

static int check_unique_names(const gs_release *release, gs_error *err)
{
    const named_list lists[] = {
        NAMED("the site repository", "as", release->images, gs_image_spec, as),
        NAMED("the chart", "name", release->charts, gs_chart_spec, name),
        NAMED("the overlay", "name", release->overlays, gs_overlay_spec, name),
        NAMED("the file", "name", release->files, gs_file_spec, name),
        NAMED("the input", "name", release->inputs, gs_input_spec, name),
        NAMED("the environment", "name", release->environments, gs_environment_spec, name),
    };
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof lists / sizeof lists[0]; i++) {
        code = check_unique(release, lists[i], err);
    }
    for (size_t i = 0; code == 0 && i < release->environments.count; i++) {
        const gs_environment_spec *environment = &release->environments.items[i];
        code = check_unique(release, NAMED("the unit", "name", environment->units, gs_unit_spec, name), err);
        if (code == 0) {
            code = check_unique(release, NAMED("the migration", "name", environment->migrations, gs_migration_spec, name), err);
        }
    }
    return code;
}

/* Contents ---------------------------------------------------------------------------------------- */

static int check_platforms(const gs_release *release, const gs_image_spec *image, gs_error *err)
{
    for (size_t i = 0; i < image->platforms.count; i++) {
        gs_platform platform;
        gs_error why = {0};
        if (gs_platform_parse(image->platforms.items[i], release->arena, &platform, &why) == 0) {
            continue;
        }
        char path[32];
        (void)snprintf(path, sizeof path, "platforms/%zu", i);
        return why.code == GS_ENOMEM ? gs_fail_nomem(err) : gs_release_fail(release, image->place, path, err, "%s", why.message);
    }
    return 0;
}

/* The same image under two names would make what a rendered reference means a matter of luck. */
static int check_sources_differ(const gs_release *release, gs_error *err)
{
    const char **normalised = gs_arena_array(release->arena, release->images.count, sizeof *normalised);
    if (!normalised) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < release->images.count; i++) {
        const gs_image_spec *image = &release->images.items[i];
        gs_image_source source;
        int code = gs_image_source_parse(image->from, release->arena, &source, err);
        if (code < 0) {
            return code;
        }
        char text[GS_REFERENCE_TEXT];
        if (source.transport == GS_DOCKER) {
            gs_reference_text(&source.reference, text);
        }
        normalised[i] = gs_arena_text(release->arena, source.transport == GS_DOCKER ? text : image->from);
        if (!normalised[i]) {
            return gs_fail_nomem(err);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(normalised[i], normalised[k]) == 0) {
                return gs_release_fail(release, image->place, "from", err,
                                       "the image %s is here a second time; the first is at line %d", normalised[i],
                                       release->images.items[k].place.line);
            }
        }
    }
    return 0;
}

static int check_images(const gs_release *release, gs_error *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < release->images.count; i++) {
        code = check_platforms(release, &release->images.items[i], err);
    }
    return code < 0 ? code : check_sources_differ(release, err);
}

static int check_charts(const gs_release *release, gs_error *err)
{
    for (size_t i = 0; i < release->charts.count; i++) {
        const gs_chart_spec *chart = &release->charts.items[i];
        if (strstr(chart->from, "://")) {
            (void)gs_release_fail(release, chart->place, "from", err, "charts from %s are not supported yet", chart->from);
            return gs_error_hint(err, "fetch it with `helm pull` and name the .tgz here");
        }
        if (!gs_rule_path(chart->from)) {
            return gs_release_fail(release, chart->place, "from", err,
                                   "\"%s\" is not a directory or .tgz below the directory of release.yaml", chart->from);
        }
    }
    return 0;
}

static int check_schemas(const gs_release *release, gs_error *err)
{
    for (size_t i = 0; i < release->schemas.count; i++) {
        const gs_schema_spec *s = &release->schemas.items[i];
        if (gs_version_compare(s->from, s->to) > 0) {
            return gs_release_fail(release, s->place, "to", err, "the schema \"%s\" goes from %s back to %s", s->name, s->from,
                                   s->to);
        }
        if (gs_version_compare(s->to, s->app_min) < 0 || gs_version_compare(s->to, s->app_max) > 0) {
            return gs_release_fail(release, s->place, "to", err,
                                   "the schema \"%s\" goes to %s, which the application (%s to %s) does not run on", s->name, s->to,
                                   s->app_min, s->app_max);
        }
    }
    return 0;
}

static bool is_of_type(const char *text, int type)
{
    int64_t integer;
    if (type == GS_INPUT_INTEGER) {
        return gs_parse_i64(text, &integer);
    }
    return type == GS_INPUT_STRING || strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

static int check_inputs(const gs_release *release, gs_error *err)
{
    for (size_t i = 0; i < release->inputs.count; i++) {
        const gs_input_spec *input = &release->inputs.items[i];
        if (!input->otherwise) {
            continue;
        }
        if (input->required) {
            return gs_release_fail(release, input->place, "default", err, "the input \"%s\" is required and has a default",
                                   input->name);
        }
        if (input->sensitive) {
            return gs_release_fail(release, input->place, "default", err,
                                   "the input \"%s\" is sensitive; its default would travel in the bundle", input->name);
        }
        if (!is_of_type(input->otherwise, input->type)) {
            return gs_release_fail(release, input->place, "default", err, "the default of the input \"%s\" is not %s", input->name,
                                   input->type == GS_INPUT_INTEGER ? "an integer" : "true or false");
        }
    }
    return 0;
}

static int check_tools(const gs_release *release, gs_error *err)
{
    static const char *const known[] = {"kubectl", "helm"};
    const gs_text_map *tools = &release->requires.tools;
    for (size_t i = 0; i < tools->count; i++) {
        if (strcmp(tools->items[i].key, known[0]) != 0 && strcmp(tools->items[i].key, known[1]) != 0) {
            return gs_release_fail(release, release->requires.place, "tools", err,
                                   "\"%s\" is no tool that gapship uses; they are kubectl and helm", tools->items[i].key);
        }
    }
    return 0;
}

/* Environments ------------------------------------------------------------------------------------ */

static int check_gates(const gs_release *release, size_t index, gs_error *err)
{
    const gs_environment_spec *environment = &release->environments.items[index];
    const gs_text_list *names = &environment->gates.verified_in;
    for (size_t i = 0; i < names->count; i++) {
        size_t before = 0;
        while (before < index && strcmp(release->environments.items[before].name, names->items[i]) != 0) {
            before++;
        }
        if (before < index) {
            continue;
        }
        char path[32];
        (void)snprintf(path, sizeof path, "verifiedIn/%zu", i);
        return gs_release_fail(release, environment->gates.place, path, err, "\"%s\" is no environment that stands before \"%s\"",
                               names->items[i], environment->name);
    }
    return 0;
}

static int check_invariants(const gs_release *release, gs_error *err)
{
    for (size_t i = 0; i < release->invariants.count; i++) {
        const gs_invariant_spec *invariant = &release->invariants.items[i];
        const gs_text_list *names = &invariant->same_digest;
        if (names->count < 2) {
            return gs_release_fail(release, invariant->place, "sameDigest", err, "sameDigest compares at least two environments");
        }
        for (size_t k = 0; k < names->count; k++) {
            char path[32];
            (void)snprintf(path, sizeof path, "sameDigest/%zu", k);
            if (!gs_release_environment(release, names->items[k])) {
                return gs_release_fail(release, invariant->place, path, err, "there is no environment \"%s\"", names->items[k]);
            }
        }
    }
    return 0;
}

int gs_release_check(gs_release *release, gs_error *err)
{
    static int (*const checks[])(const gs_release *, gs_error *) = {
        check_unique_names, check_images, check_charts, check_schemas, check_inputs, check_tools, check_invariants,
    };
    int code = 0;
    if (release->environments.count == 0) {
        return gs_release_fail(release, (gs_place){1, 1}, "environments", err, "there is no environment to install");
    }
    for (size_t i = 0; code == 0 && i < sizeof checks / sizeof checks[0]; i++) {
        code = checks[i](release, err);
    }
    for (size_t i = 0; code == 0 && i < release->environments.count; i++) {
        code = check_gates(release, i, err);
        if (code == 0) {
            code = gs_release_check_environment(release, &release->environments.items[i], err);
        }
    }
    return code;
}
