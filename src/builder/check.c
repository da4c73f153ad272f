/* Renders every environment as the site will and accounts for every image, before a single layer is fetched. Knows no registry. */
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "gapship/kube.h"
#include "gapship/limits.h"
#include "gapship/text.h"

/* Stands for the site's registry when relocation is proved; RFC 2606 keeps it from being anybody's. */
#define GS_PROOF_REGISTRY "registry.invalid"

typedef struct found_list {
    gs_found_image *items;
    size_t count, room;
} found_list;

static int add_found(gs_builder *builder, found_list *list, const gs_found_image *found, gs_error *err)
{
    for (size_t i = 0; i < list->count; i++) { /* an upgrade mostly finds what the installation found */
        const gs_found_image *other = &list->items[i];
        if (other->unit == found->unit && other->environment == found->environment && strcmp(other->image, found->image) == 0 &&
            strcmp(other->object, found->object) == 0 && strcmp(other->path, found->path) == 0) {
            return 0;
        }
    }
    gs_found_image *items = gs_arena_more(builder->arena, list->items, list->count, &list->room, sizeof *items);
    if (!items) {
        return gs_fail_nomem(err);
    }
    list->items = items;
    list->items[list->count++] = *found;
    return 0;
}

static bool is_ignored(const gs_release *release, const char *image)
{
    for (size_t i = 0; i < release->ignore_images.count; i++) {
        if (gs_glob_match(release->ignore_images.items[i], image)) {
            return true;
        }
    }
    return false;
}

static int add_objects(gs_builder *builder, const gs_lock *lock, const gs_found_image *template, const gs_node *objects,
                       found_list *list, gs_error *err)
{
    gs_image_use *uses = NULL;
    size_t count = 0;
    int code = gs_kube_images(objects, builder->arena, &uses, &count, err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        gs_found_image found = *template;
        gs_object_id id;
        char object[GS_ERROR_WHERE_MAX];
        code = gs_object_identify(uses[i].object, &id, err);
        if (code < 0) {
            break;
        }
        gs_object_id_text(&id, object, sizeof object);
        found.object = gs_arena_text(builder->arena, object);
        found.path = uses[i].path;
        found.image = gs_arena_text(builder->arena, uses[i].image);
        found.runs = uses[i].certainty == GS_IMAGE_RUNS;
        if (!found.object || !found.image) {
            return gs_fail_nomem(err);
        }
        found.ignored = is_ignored(builder->release, found.image);
        gs_reference reference;
        gs_error bad = {0};
        if (gs_reference_parse(found.image, &reference, &bad) == 0) {
            found.locked = gs_lock_match(lock, &reference);
        } else if (found.runs && !found.ignored) {
            gs_fail(err, GS_ECHECK, "\"%s\" is no image reference: %s", found.image, bad.message);
            return gs_error_at(err, "%s/%s/%s %s", found.environment->name, found.unit->name, object, found.path);
        }
        code = add_found(builder, list, &found, err);
    }
    return code;
}

static int find_in_unit(gs_builder *builder, const gs_lock *lock, const gs_environment_spec *environment, const gs_unit_spec *unit,
                        found_list *list, gs_error *err)
{
    const gs_found_image template = {.environment = environment, .unit = unit};
    int passes = unit->source.chart ? 2 : 1; /* only a chart can tell an upgrade from an installation */
    int code = 0;
    for (int pass = 0; code == 0 && pass < passes; pass++) {
        GS_AUTO_DOC gs_doc *doc = NULL;
        const gs_unit_render request = {.work = builder->work.path, .environment = environment, .unit = unit, .upgrade = pass == 1};
        code = gs_render_unit(builder->run, &builder->tools, &request, &doc, err);
        if (code == 0) {
            code = add_objects(builder, lock, &template, doc->root, list, err);
        }
    }
    return code;
}

int gs_find_images(gs_builder *builder, const gs_lock *lock, const char *environment, gs_found_image **out, size_t *count,
                   gs_error *err)
{
    const gs_release *release = builder->release;
    found_list list = {0};
    int code = 0;
    for (size_t e = 0; code == 0 && e < release->environments.count; e++) {
        const gs_environment_spec *spec = &release->environments.items[e];
        if (environment && strcmp(environment, spec->name) != 0) {
            continue;
        }
        for (size_t u = 0; code == 0 && u < spec->units.count; u++) {
            code = find_in_unit(builder, lock, spec, &spec->units.items[u], &list, err);
        }
    }
    if (code == 0) {
        *out = list.items;
        *count = list.count;
    }
    return code;
}

static int check_listed(const gs_found_image *found, gs_error *err)
{
    if (found->locked || found->ignored) {
        return 0;
    }
    gs_fail(err, GS_ECHECK, "%s %s, but release.yaml does not list it", found->image,
            found->runs ? "would run" : "is mentioned and looks like an image");
    gs_error_at(err, "%s/%s/%s %s", found->environment->name, found->unit->name, found->object, found->path);
    if (found->runs) {
        return gs_error_hint(err, "add under images:  - {from: \"%s\"}", found->image);
    }
    return gs_error_hint(err, "add under images:  - {from: \"%s\"}  or under ignoreImages:  - \"%s\"", found->image, found->image);
}

/* ---- relocation ---- */

typedef struct proof {
    const gs_lock *lock;
    gs_arena *arena;
} proof;

static const char *proof_reference(void *state, const char *as)
{
    const proof *prove = state;
    const gs_locked_image *image = gs_lock_image(prove->lock, as);
    if (!image) {
        return NULL;
    }
    return gs_arena_printf(prove->arena, "%s/%s:%s@%s", GS_PROOF_REGISTRY, image->as, image->tag, image->digest);
}

/* helm installs the chart itself, so only its values can change a reference: proved here by rendering with them. */
static int check_relocation(gs_builder *builder, const gs_lock *lock, const gs_environment_spec *environment,
                            const gs_unit_spec *unit, gs_error *err)
{
    if (unit->target.kind != GS_TARGET_HELM) {
        return 0;
    }
    proof prove = {.lock = lock, .arena = builder->arena};
    const gs_referencing references = {.reference = proof_reference, .state = &prove};
    gs_text_map set = {0};
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_unit_render request = {.work = builder->work.path, .environment = environment, .unit = unit};
    int code = gs_image_values(builder->run, &builder->tools, &request, &references, builder->arena, &set, err);
    request.set = &set;
    if (code == 0) {
        code = gs_render_unit(builder->run, &builder->tools, &request, &doc, err);
    }
    found_list list = {0};
    const gs_found_image template = {.environment = environment, .unit = unit};
    if (code == 0) {
        code = add_objects(builder, lock, &template, doc->root, &list, err);
    }
    for (size_t i = 0; code == 0 && i < list.count; i++) {
        const gs_found_image *found = &list.items[i];
        if (!found->runs || found->ignored || gs_text_starts(found->image, GS_PROOF_REGISTRY "/")) {
            continue;
        }
        gs_fail(err, GS_ECHECK, "no value of imageValues moves %s to the site's registry", found->image);
        gs_error_at(err, "%s/%s/%s %s", environment->name, unit->name, found->object, found->path);
        code = gs_error_hint(err, "add to the unit's source:  imageValues: {PATH.OF.THE.IMAGE: %s}",
                             found->locked ? found->locked->as : "REPOSITORY");
    }
    return code;
}

/* ---- invariants ---- */

/* Images are the same application when host and path agree. */
static bool same_repository(const gs_found_image *a, const gs_found_image *b)
{
    gs_reference first, second;
    gs_error ignored = {0};
    return gs_reference_parse(a->image, &first, &ignored) == 0 && gs_reference_parse(b->image, &second, &ignored) == 0 &&
           strcmp(first.host, second.host) == 0 && strcmp(first.path, second.path) == 0;
}

static bool is_named_in(const gs_text_list *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static int check_same_digest(gs_builder *builder, const gs_invariant_spec *invariant, const gs_found_image *found, size_t count,
                             gs_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!found[i].runs || !found[i].locked || !is_named_in(&invariant->same_digest, found[i].environment->name)) {
            continue;
        }
        for (size_t j = i + 1; j < count; j++) {
            if (!found[j].runs || !found[j].locked || found[j].environment == found[i].environment ||
                !is_named_in(&invariant->same_digest, found[j].environment->name) || !same_repository(&found[i], &found[j])) {
                continue;
            }
            if (strcmp(found[i].locked->digest, found[j].locked->digest) == 0) {
                continue;
            }
            gs_builder_fail(builder, invariant->place, err,
                            "%s runs %s and %s runs %s, but the invariant wants the same digest in both",
                            found[i].environment->name, found[i].image, found[j].environment->name, found[j].image);
            return gs_error_recode(err, GS_ECHECK);
        }
    }
    return 0;
}

static void warn_unused(gs_builder *builder, const gs_found_image *found, size_t count)
{
    const gs_release *release = builder->release;
    for (size_t i = 0; i < release->images.count; i++) {
        const char *as = release->images.items[i].as;
        bool used = release->environments.count == 0;
        for (size_t f = 0; !used && f < count; f++) {
            used = found[f].locked && strcmp(found[f].locked->as, as) == 0;
        }
        for (size_t e = 0; !used && e < release->environments.count; e++) {
            for (size_t m = 0; !used && m < release->environments.items[e].migrations.count; m++) {
                used = gs_text_equal(release->environments.items[e].migrations.items[m].image, as);
            }
        }
        if (!used) {
            gs_emit(builder->run, GS_WARNING, "imageUnused", NULL, 0, "%s:%d: no environment runs image %s", builder->file,
                    release->images.items[i].place.line, as);
        }
    }
}

int gs_check(gs_builder *builder, const gs_lock *lock, gs_error *err)
{
    const gs_release *release = builder->release;
    gs_found_image *found = NULL;
    size_t count = 0;
    int code = gs_lint_overlays(builder, err);
    if (code == 0) {
        code = gs_find_images(builder, lock, NULL, &found, &count, err);
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = check_listed(&found[i], err);
    }
    for (size_t e = 0; code == 0 && e < release->environments.count; e++) {
        const gs_environment_spec *environment = &release->environments.items[e];
        for (size_t u = 0; code == 0 && u < environment->units.count; u++) {
            code = check_relocation(builder, lock, environment, &environment->units.items[u], err);
        }
    }
    for (size_t i = 0; code == 0 && i < release->invariants.count; i++) {
        code = check_same_digest(builder, &release->invariants.items[i], found, count, err);
    }
    if (code == 0) {
        warn_unused(builder, found, count);
    }
    return code;
}
