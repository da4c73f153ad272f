/* Defaults that a table cannot say, because they come from other members. Sets only what was left out and what the kind of unit
 * has, so that the checks that follow still see what was written in vain. */
#include "release_internal.h"

#include <string.h>

static const char default_message[] = "chore: update ${environment} to ${name} ${version}";
static const char default_rollback_message[] = "chore: roll ${environment} back to ${name} ${version}";

/* The path of what `from` names, as a repository of the site. */
static int fill_image(gs_release *release, gs_image_spec *image, gs_error *err)
{
    gs_image_source source;
    gs_reference reference;
    gs_error why = {0};
    if (gs_image_source_parse(image->from, release->arena, &source, &why) < 0) {
        return why.code == GS_ENOMEM ? gs_fail_nomem(err) : gs_release_fail(release, image->place, "from", err, "%s", why.message);
    }
    if (image->as) {
        return 0;
    }
    if (source.transport == GS_DOCKER) {
        reference = source.reference;
    } else if (source.transport != GS_DOCKER_ARCHIVE || !source.name || gs_reference_parse(source.name, &reference, NULL) < 0) {
        return gs_release_fail(release, image->place, NULL, err, "\"as\" is missing in an image: %s names no repository",
                               image->from);
    }
    image->as = gs_arena_text(release->arena, reference.path);
    return image->as ? 0 : gs_fail_nomem(err);
}

static void fill_schema(gs_schema_spec *schema)
{
    if (!schema->app_min) {
        schema->app_min = schema->from;
    }
    if (!schema->app_max) {
        schema->app_max = schema->to;
    }
}

static void fill_text(const char **text, const char *otherwise)
{
    if (!*text) {
        *text = otherwise;
    }
}

static void fill_unit(gs_unit_spec *unit)
{
    gs_target_spec *target = &unit->target;
    if (unit->source.overlay) {
        fill_text(&unit->source.path, ".");
    }
    if (target->kind == GS_TARGET_HELM) {
        fill_text(&target->release, unit->name);
    }
    if (target->kind != GS_TARGET_GITOPS) {
        return;
    }
    fill_text(&target->repository, "site");
    fill_text(&target->branch, "main");
    fill_text(&target->path, ".");
    fill_text(&target->message, default_message);
    fill_text(&target->rollback_message, default_rollback_message);
}

static void fill_environment(gs_environment_spec *environment)
{
    for (size_t i = 0; i < environment->units.count; i++) {
        fill_unit(&environment->units.items[i]);
    }
    for (size_t i = 0; i < environment->migrations.count && environment->units.count > 0; i++) {
        fill_text(&environment->migrations.items[i].namespace, environment->units.items[0].target.namespace);
    }
}

int gs_release_fill(gs_release *release, gs_error *err)
{
    int code = 0;
    if (release->source.place.line > 0) {
        fill_text(&release->source.repo, ".");
    }
    for (size_t i = 0; code == 0 && i < release->images.count; i++) {
        code = fill_image(release, &release->images.items[i], err);
    }
    for (size_t i = 0; i < release->schemas.count; i++) {
        fill_schema(&release->schemas.items[i]);
    }
    for (size_t i = 0; i < release->environments.count; i++) {
        fill_environment(&release->environments.items[i]);
    }
    return code;
}
