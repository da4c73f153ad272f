/* References as the release writes them -> references into the site's registry, from the lock alone: what is not in the lock does
 * not run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/text.h"
#include "targets.h"

const char *gs_site_repository(const gs_site *site, const gs_locked_image *image, gs_arena *arena)
{
    const char *prefix = site->registry.prefix;
    if (!prefix || prefix[0] == '\0') {
        return gs_arena_text(arena, image->as);
    }
    return gs_arena_printf(arena, "%s/%s", prefix, image->as);
}

const char *gs_site_name(const gs_site *site, const gs_locked_image *image, gs_arena *arena)
{
    const char *repository = gs_site_repository(site, image, arena);
    return repository ? gs_arena_printf(arena, "%s/%s", gs_site_registry_host(site), repository) : NULL;
}

const char *gs_relocated(const gs_site *site, const gs_locked_image *image, gs_arena *arena)
{
    const char *name = gs_site_name(site, image, arena);
    return name ? gs_arena_printf(arena, "%s:%s@%s", name, image->tag, image->digest) : NULL;
}

/* ---- objects ---- */

typedef struct replacing {
    const gs_target_job *job;
    gs_arena *arena;
    const char *missing; /* an image that is not in the lock */
    bool nomem;
} replacing;

static bool is_ignored(const gs_release *release, const char *image)
{
    for (size_t i = 0; i < release->ignore_images.count; i++) {
        if (gs_glob_match(release->ignore_images.items[i], image)) {
            return true;
        }
    }
    return false;
}

static const char *replace(void *state, const char *image)
{
    replacing *self = state;
    gs_reference reference;
    gs_error ignored = {0};
    const gs_locked_image *locked = gs_reference_parse(image, &reference, &ignored) == 0
                                        ? gs_lock_match(self->job->lock, &reference)
                                        : NULL;
    if (!locked) {
        if (!is_ignored(self->job->release, image) && !self->missing) {
            self->missing = gs_arena_text(self->arena, image);
        }
        return NULL;
    }
    const char *relocated = gs_relocated(self->job->site, locked, self->arena);
    self->nomem = self->nomem || !relocated;
    return relocated;
}

const char *gs_unit_namespace(const gs_target_job *job)
{
    const char *unit = job->unit->target.namespace;
    const char *site = job->place ? job->place->namespace : NULL;
    return unit ? unit : site ? site : "default";
}

int gs_unit_objects(const gs_target_job *job, gs_doc **out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    const gs_unit_render request = {.work = job->work, .environment = job->environment, .unit = job->unit, .upgrade = true};
    int code = gs_render_unit(job->run, job->tools, &request, &doc, err);
    if (code < 0) {
        return code;
    }
    replacing state = {.job = job, .arena = doc->arena};
    code = gs_kube_replace_images(doc->arena, doc->root, replace, &state, err);
    if (code == 0 && state.nomem) {
        code = gs_fail_nomem(err);
    }
    if (code == 0 && state.missing) {
        gs_fail(err, GS_ECHECK, "%s is not in the bundle", state.missing);
        code = gs_error_hint(err, "this site's kubectl or helm renders something the builder's did not; compare their versions");
    }
    if (code == 0) {
        code = gs_kube_set_namespace(doc->arena, doc->root, gs_unit_namespace(job), err);
    }
    if (code < 0) {
        return gs_error_at(err, "%s/%s", job->environment->name, job->unit->name);
    }
    *out = GS_STEAL(doc);
    return 0;
}

static bool is_relocated(const gs_target_job *job, const char *image, gs_arena *arena)
{
    gs_reference reference;
    if (is_ignored(job->release, image)) {
        return true;
    }
    if (gs_reference_parse(image, &reference, NULL) < 0) {
        return false;
    }
    const char *name = gs_arena_printf(arena, "%s/%s", reference.host, reference.path);
    for (size_t i = 0; i < job->lock->images.count; i++) {
        const gs_locked_image *locked = &job->lock->images.items[i];
        const char *digest = reference.digest, *tag = reference.tag;
        bool same = digest[0] != '\0' ? strcmp(digest, locked->digest) == 0 : gs_text_equal(tag, locked->tag);
        if (same && name && gs_text_equal(name, gs_site_name(job->site, locked, arena))) {
            return true;
        }
    }
    return false;
}

int gs_check_relocated(const gs_target_job *job, const gs_node *objects, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_image_use *uses = NULL;
    size_t count = 0;
    int code = arena ? gs_kube_images(objects, arena, &uses, &count, err) : gs_fail_nomem(err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (uses[i].certainty == GS_IMAGE_RUNS && !is_relocated(job, uses[i].image, arena)) {
            gs_fail(err, GS_ECHECK, "this would run %s, which is not in the site's registry", uses[i].image);
            return gs_error_hint(err, "give the values that name it in imageValues, or list it in ignoreImages");
        }
    }
    return code;
}

int gs_unit_variables(const gs_target_job *job, gs_arena *arena, gs_text_map *out, gs_error *err)
{
    size_t count = job->variables->count;
    gs_text_pair *pairs = gs_arena_array(arena, count + 1, sizeof *pairs);
    if (!pairs) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < count; i++) {
        pairs[i] = job->variables->items[i];
    }
    pairs[count] = (gs_text_pair){"unit", job->unit->name};
    *out = (gs_text_map){.items = pairs, .count = count + 1};
    return 0;
}

int gs_changes_add(gs_arena *arena, gs_changes *changes, gs_change_kind kind, const char *what, gs_error *err)
{
    /* lists of changes are short: growing by one each time keeps the struct two words */
    gs_change *larger = gs_arena_array(arena, changes->count + 1, sizeof *larger);
    if (!larger || !what) {
        return gs_fail_nomem(err);
    }
    if (changes->count > 0) {
        memcpy(larger, changes->items, changes->count * sizeof *larger);
    }
    larger[changes->count] = (gs_change){.kind = kind, .what = what};
    changes->items = larger;
    changes->count++;
    return 0;
}
