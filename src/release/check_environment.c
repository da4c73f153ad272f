/* One environment: its units, migrations and verifications fit together and with the release's contents. Must not know YAML. */
#include "release_internal.h"

#include <stdio.h>
#include <string.h>

#include "gapship/text.h"

/* What an error here is about. */
typedef struct scope {
    const gs_release *release;
    const gs_environment_spec *environment;
    gs_error *err;
} scope;

static bool has_image(const gs_release *release, const char *as)
{
    for (size_t i = 0; i < release->images.count; i++) {
        if (strcmp(release->images.items[i].as, as) == 0) {
            return true;
        }
    }
    return false;
}

static const char *nearest_image(const gs_release *release, const char *as)
{
    const char **names = gs_arena_array(release->arena, release->images.count, sizeof *names);
    for (size_t i = 0; names && i < release->images.count; i++) {
        names[i] = release->images.items[i].as;
    }
    return names ? gs_text_nearest(as, names, release->images.count) : NULL;
}

static int fail_no_image(const scope *s, gs_place place, const char *path, const char *as)
{
    (void)gs_release_fail(s->release, place, path, s->err, "no image of the release is \"%s\" at the site", as);
    const char *nearest = nearest_image(s->release, as);
    if (nearest) {
        return gs_error_hint(s->err, "did you mean \"%s\"?", nearest);
    }
    return gs_error_hint(s->err, "list it under images: with `as: %s`", as);
}

/* Units ------------------------------------------------------------------------------------------- */

static bool has_chart(const gs_release *release, const char *name)
{
    for (size_t i = 0; i < release->charts.count; i++) {
        if (strcmp(release->charts.items[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_overlay(const gs_release *release, const char *name)
{
    for (size_t i = 0; i < release->overlays.count; i++) {
        if (strcmp(release->overlays.items[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A member that another kind of source or target has. */
typedef struct stray {
    const char *key;
    bool there, allowed;
} stray;

static int check_strays(const scope *s, gs_place place, const stray *strays, size_t count, const char *needed)
{
    for (size_t i = 0; i < count; i++) {
        if (strays[i].there && !strays[i].allowed) {
            return gs_release_fail(s->release, place, strays[i].key, s->err, "\"%s\" is only for %s", strays[i].key, needed);
        }
    }
    return 0;
}

static int check_source(const scope *s, const gs_unit_spec *unit)
{
    const gs_source_spec *source = &unit->source;
    int kinds = (source->chart != NULL) + (source->overlay != NULL) + (source->manifests != NULL);
    if (kinds != 1) {
        return gs_release_fail(s->release, source->place, NULL, s->err,
                               "the source of the unit \"%s\" names %s of chart, overlay and manifests; one is due", unit->name,
                               kinds == 0 ? "none" : "several");
    }
    if (source->chart && !has_chart(s->release, source->chart)) {
        return gs_release_fail(s->release, source->place, "chart", s->err, "there is no chart \"%s\" in the release",
                               source->chart);
    }
    if (source->overlay && !has_overlay(s->release, source->overlay)) {
        return gs_release_fail(s->release, source->place, "overlay", s->err, "there is no overlay \"%s\" in the release",
                               source->overlay);
    }
    const stray of_chart[] = {{"values", source->values.count > 0, source->chart != NULL},
                              {"set", source->set.count > 0, source->chart != NULL},
                              {"imageValues", source->image_values.count > 0, source->chart != NULL}};
    const stray of_overlay[] = {{"path", source->path != NULL, source->overlay != NULL}};
    int code = check_strays(s, source->place, of_chart, 3, "a source with a chart");
    if (code == 0) {
        code = check_strays(s, source->place, of_overlay, 1, "a source with an overlay");
    }
    for (size_t i = 0; code == 0 && i < source->image_values.count; i++) {
        if (!has_image(s->release, source->image_values.items[i].value)) {
            code = fail_no_image(s, source->place, "imageValues", source->image_values.items[i].value);
        }
    }
    return code;
}

/* Helm's own bound: names of what a chart makes are put behind it. */
static bool is_helm_release(const char *name)
{
    return strlen(name) <= 53 && gs_rule_dns_name(name);
}

static int check_helm(const scope *s, const gs_unit_spec *unit)
{
    const gs_target_spec *target = &unit->target;
    if (!unit->source.chart) {
        return gs_release_fail(s->release, target->place, "kind", s->err,
                               "the target of the unit \"%s\" is helm, but its source is no chart", unit->name);
    }
    if (!target->namespace) {
        return gs_release_fail(s->release, target->place, NULL, s->err,
                               "\"namespace\" is missing in the helm target of the unit \"%s\"", unit->name);
    }
    if (is_helm_release(target->release)) {
        return 0;
    }
    return gs_release_fail(s->release, target->place, "release", s->err,
                           "\"%s\" is no name for a helm release: up to 53 lower-case letters, digits, '-' and '.'",
                           target->release);
}

static int check_target(const scope *s, const gs_unit_spec *unit)
{
    const gs_target_spec *target = &unit->target;
    bool gitops = target->kind == GS_TARGET_GITOPS;
    const stray of_helm[] = {{"release", target->release != NULL, target->kind == GS_TARGET_HELM}};
    const stray of_cluster[] = {{"namespace", target->namespace != NULL, !gitops}};
    const stray of_gitops[] = {
        {"repository", target->repository != NULL, gitops},
        {"branch", target->branch != NULL, gitops},
        {"path", target->path != NULL, gitops},
        {"message", target->message != NULL, gitops},
        {"rollbackMessage", target->rollback_message != NULL, gitops},
        {"preserve", target->preserve.count > 0, gitops},
        {"shared", target->shared, gitops},
    };
    int code = check_strays(s, target->place, of_helm, 1, "a helm target");
    if (code == 0) {
        code = check_strays(s, target->place, of_cluster, 1, "a helm or kubectl target");
    }
    if (code == 0) {
        code = check_strays(s, target->place, of_gitops, sizeof of_gitops / sizeof of_gitops[0], "a gitops target");
    }
    if (code < 0) {
        return code;
    }
    if (target->kind == GS_TARGET_HELM) {
        return check_helm(s, unit);
    }
    if (!gitops) {
        return 0;
    }
    if (!unit->source.overlay) {
        return gs_release_fail(s->release, target->place, "kind", s->err,
                               "the target of the unit \"%s\" is gitops, but its source is no overlay", unit->name);
    }
    code = gs_release_check_template(s->release, (gs_template_place){target->place, "message", GS_TEMPLATE_MESSAGE},
                                     target->message, s->err);
    if (code < 0) {
        return code;
    }
    return gs_release_check_template(s->release, (gs_template_place){target->place, "rollbackMessage", GS_TEMPLATE_MESSAGE},
                                     target->rollback_message, s->err);
}

/* Migrations -------------------------------------------------------------------------------------- */

static int check_migration_down(const scope *s, const gs_migration_spec *m)
{
    if (m->reversible && m->down.count == 0) {
        return gs_release_fail(s->release, m->place, "reversible", s->err,
                               "the migration \"%s\" is reversible, but \"down\" with its command is missing", m->name);
    }
    if (!m->reversible && m->down.count > 0) {
        return gs_release_fail(s->release, m->place, "down", s->err,
                               "the migration \"%s\" has a \"down\" but not `reversible: true`", m->name);
    }
    return 0;
}

static int check_migration_names(const scope *s, const gs_migration_spec *m)
{
    if (m->schema && !gs_release_schema(s->release, m->schema)) {
        return gs_release_fail(s->release, m->place, "schema", s->err, "there is no schema \"%s\" in the release", m->schema);
    }
    if (!has_image(s->release, m->image)) {
        return fail_no_image(s, m->place, "image", m->image);
    }
    if (!m->namespace) {
        return gs_release_fail(s->release, m->place, NULL, s->err,
                               "\"namespace\" is missing in the migration \"%s\": the first unit of \"%s\" has none to take over",
                               m->name, s->environment->name);
    }
    for (size_t i = 0; i < m->env.count; i++) {
        if (!gs_rule_env_name(m->env.items[i].key)) {
            return gs_release_fail(s->release, m->place, "env", s->err, "\"%s\" is no name of an environment variable",
                                   m->env.items[i].key);
        }
    }
    return 0;
}

static int check_migration(const scope *s, const gs_migration_spec *m)
{
    gs_template_kind kind = m->schema ? GS_TEMPLATE_SCHEMA : GS_TEMPLATE_PLAIN;
    int code = check_migration_names(s, m);
    if (code == 0 && m->command.count == 0) {
        code = gs_release_fail(s->release, m->place, "command", s->err, "the command of the migration \"%s\" is empty", m->name);
    }
    if (code == 0 && m->retry.initial > m->retry.max) {
        code = gs_release_fail(s->release, m->place, "retry", s->err,
                               "the first wait of the retry is longer than its longest (max)");
    }
    if (code == 0 && m->deadline == 0) {
        code = gs_release_fail(s->release, m->place, "deadline", s->err, "the deadline of the migration \"%s\" leaves it no time",
                               m->name);
    }
    if (code == 0) {
        code = check_migration_down(s, m);
    }
    if (code == 0) {
        code = gs_release_check_template_list(s->release, (gs_template_place){m->place, "command", kind}, &m->command, s->err);
    }
    if (code == 0) {
        code = gs_release_check_template_list(s->release, (gs_template_place){m->place, "down/command", kind}, &m->down, s->err);
    }
    if (code == 0) {
        code = gs_release_check_template_map(s->release, (gs_template_place){m->place, "env", kind}, &m->env, s->err);
    }
    return code;
}

/* Verifications ----------------------------------------------------------------------------------- */

static int check_http(const scope *s, const gs_http_check *http)
{
    if (http->status < 100 || http->status > 599) {
        return gs_release_fail(s->release, http->place, "expect/status", s->err, "%lld is no HTTP status", (long long)http->status);
    }
    if (http->json && http->json->kind != GS_NODE_MAP) {
        return gs_release_fail(s->release, http->place, "expect/json", s->err, "\"json\" is not a map of expected values");
    }
    for (size_t i = 0; i < http->headers.count; i++) {
        if (strpbrk(http->headers.items[i].key, " :\r\n") || strpbrk(http->headers.items[i].value, "\r\n")) {
            return gs_release_fail(s->release, http->place, "headers", s->err, "\"%s\" is no HTTP header",
                                   http->headers.items[i].key);
        }
    }
    int code = gs_release_check_template(s->release, (gs_template_place){http->place, "url", GS_TEMPLATE_PLAIN}, http->url, s->err);
    if (code == 0) {
        code = gs_release_check_template_map(s->release, (gs_template_place){http->place, "headers", GS_TEMPLATE_PLAIN},
                                             &http->headers, s->err);
    }
    if (code == 0 && http->json) {
        code = gs_release_check_template_node(s->release, http->json, s->err);
    }
    return code;
}

int gs_release_check_environment(gs_release *release, gs_environment_spec *environment, gs_error *err)
{
    const scope s = {.release = release, .environment = environment, .err = err};
    int code = 0;
    if (environment->units.count == 0) {
        return gs_release_fail(release, environment->place, "units", err, "the environment \"%s\" has no unit to install",
                               environment->name);
    }
    for (size_t i = 0; code == 0 && i < environment->units.count; i++) {
        code = check_source(&s, &environment->units.items[i]);
        if (code == 0) {
            code = check_target(&s, &environment->units.items[i]);
        }
    }
    for (size_t i = 0; code == 0 && i < environment->migrations.count; i++) {
        code = check_migration(&s, &environment->migrations.items[i]);
    }
    for (size_t i = 0; code == 0 && i < environment->verify.count; i++) {
        code = check_http(&s, environment->verify.items[i].http);
    }
    return code < 0 ? code : gs_release_order_units(release, environment, err);
}
