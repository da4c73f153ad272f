/* release.yaml -> release.lock: every tag becomes a digest, once. What is locked stays locked until it is updated; a tag that moved
 * since is an error, because the release would no longer be what was reviewed. */
#include <pthread.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "origin.h"
#include "provenance.h"

static bool is_updated(const gs_resolve_request *request, const char *name)
{
    if (!request->update) {
        return false;
    }
    for (size_t i = 0; i < request->name_count; i++) {
        if (strcmp(request->names[i], name) == 0) {
            return true;
        }
    }
    return request->name_count == 0;
}

static int open_origins(gs_builder *builder, gs_error *err)
{
    const gs_release *release = builder->release;
    if (builder->origins) {
        return 0;
    }
    builder->origins = gs_arena_array(builder->arena, release->images.count + 1, sizeof(gs_origin *));
    builder->registries = gs_arena_array(builder->arena, release->images.count + 1, sizeof *builder->registries);
    if (!builder->origins || !builder->registries) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < release->images.count; i++) {
        int code = gs_origin_open(builder, &release->images.items[i], &builder->origins[i], err);
        if (code < 0) {
            return code;
        }
        builder->origin_count++;
    }
    return 0;
}

/* A registry collects what has no tag, so an image that is known by its digest alone gets one made of it. */
static const char *reference_tag(const gs_reference *reference, gs_arena *arena)
{
    static const char algorithm[] = "sha256:";
    if (reference->tag[0] != '\0') {
        return gs_arena_text(arena, reference->tag);
    }
    return gs_arena_printf(arena, "sha256-%.12s", reference->digest + strlen(algorithm));
}

/* The tag under which a site finds the image. */
static const char *tag_of(const gs_image_spec *spec, gs_arena *arena)
{
    gs_image_source source;
    gs_reference reference;
    gs_error ignored = {0};
    if (gs_image_source_parse(spec->from, arena, &source, &ignored) < 0) {
        return "";
    }
    if (source.transport == GS_DOCKER) {
        return reference_tag(&source.reference, arena);
    }
    if (!source.name) {
        return "latest";
    }
    if (gs_tag_valid(source.name)) {
        return gs_arena_text(arena, source.name);
    }
    return gs_reference_parse(source.name, &reference, &ignored) == 0 ? reference_tag(&reference, arena) : "latest";
}

static int moved(const gs_builder *builder, const gs_image_spec *spec, const gs_locked_image *old, const char *now, gs_error *err)
{
    gs_builder_fail(builder, spec->place, err, "%s is %s now, but release.lock has %s", spec->from, now, old->digest);
    gs_error_recode(err, GS_ECHECK);
    return gs_error_hint(err, "when that is meant: gapship lock --update %s", spec->as);
}

typedef struct resolve_state {
    gs_builder *builder;
    const gs_resolve_request *request;
    gs_lock *lock;
    bool *changed;         /* one per image */
    pthread_mutex_t mutex; /* of the lock's arena */
} resolve_state;

static int keep_resolved(resolve_state *resolve, gs_locked_image *image, const gs_descriptor *found, gs_error *err)
{
    char digest[GS_DIGEST_TEXT];
    gs_digest_text(&found->digest, digest);
    image->size = (int64_t)found->size;
    pthread_mutex_lock(&resolve->mutex);
    image->digest = gs_arena_text(resolve->lock->arena, digest);
    image->media_type = gs_arena_text(resolve->lock->arena, found->media_type);
    pthread_mutex_unlock(&resolve->mutex);
    return image->digest && image->media_type ? 0 : gs_fail_nomem(err);
}

static int resolve_image(void *state, size_t i, gs_error *err)
{
    resolve_state *resolve = state;
    const gs_image_spec *spec = &resolve->builder->release->images.items[i];
    gs_locked_image *image = &resolve->lock->images.items[i];
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    gs_descriptor found;
    gs_origin *origin = resolve->builder->origins[i];
    if (!arena) {
        return gs_fail_nomem(err);
    }
    int code = origin->ops->manifest(origin, NULL, arena, &bytes, &found, err);
    if (code < 0) {
        return gs_error_at(err, "image %s", spec->as);
    }
    image->synthesized = origin->synthesized;
    return keep_resolved(resolve, image, &found, err);
}

static int compare_image(const resolve_state *resolve, size_t i, gs_error *err)
{
    const gs_builder *builder = resolve->builder;
    const gs_image_spec *spec = &builder->release->images.items[i];
    const gs_locked_image *image = &resolve->lock->images.items[i];
    const gs_locked_image *old = builder->lock ? gs_lock_image(builder->lock, spec->as) : NULL;
    if (old && strcmp(old->from, spec->from) != 0) {
        old = NULL;
    }
    resolve->changed[i] = !old || strcmp(old->digest, image->digest) != 0;
    if (old && resolve->changed[i] && !is_updated(resolve->request, spec->as)) {
        return moved(builder, spec, old, image->digest, err);
    }
    return 0;
}

static int resolve_images(resolve_state *resolve, gs_error *err)
{
    gs_builder *builder = resolve->builder;
    gs_lock *lock = resolve->lock;
    size_t count = builder->release->images.count;
    lock->images.items = gs_arena_array(lock->arena, count + 1, sizeof *lock->images.items);
    resolve->changed = gs_arena_array(lock->arena, count + 1, sizeof *resolve->changed);
    if (!lock->images.items || !resolve->changed) {
        return gs_fail_nomem(err);
    }
    lock->images.count = count;
    for (size_t i = 0; i < count; i++) {
        const gs_image_spec *spec = &builder->release->images.items[i];
        gs_locked_image *image = &lock->images.items[i];
        *image = (gs_locked_image){.from = spec->from, .as = spec->as, .platforms = spec->platforms};
        image->tag = tag_of(spec, lock->arena);
        if (!image->tag) {
            return gs_fail_nomem(err);
        }
    }
    int code = open_origins(builder, err);
    if (code == 0) {
        pthread_mutex_init(&resolve->mutex, NULL);
        code = gs_parallel(builder->run->jobs, count, resolve_image, resolve, err);
        pthread_mutex_destroy(&resolve->mutex);
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = compare_image(resolve, i, err);
    }
    return code;
}

static int lock_content(resolve_state *resolve, const gs_packed *packed, const gs_locked_content *old, gs_locked_content *out,
                        size_t *changed, gs_error *err)
{
    gs_arena *arena = resolve->lock->arena;
    char digest[GS_DIGEST_TEXT];
    gs_digest_text(&packed->digest, digest);
    *out = (gs_locked_content){.name = packed->name, .from = packed->from, .commit = packed->commit, .size = (int64_t)packed->size};
    out->digest = gs_arena_text(arena, digest);
    if (!out->digest) {
        return gs_fail_nomem(err);
    }
    bool same = old && gs_text_equal(old->digest, digest) && gs_text_equal(old->commit, packed->commit);
    *changed += same ? 0 : 1;
    if (!same && old && old->commit && packed->commit && !is_updated(resolve->request, packed->name)) {
        gs_fail(err, GS_ECHECK, "%s %s is at commit %s now, but release.lock has %s", packed->kind, packed->name, packed->commit,
                old->commit);
        return gs_error_hint(err, "when that is meant: gapship lock --update %s", packed->name);
    }
    return 0;
}

static int resolve_contents(resolve_state *resolve, size_t *changed, gs_error *err)
{
    const gs_gathered *gathered = resolve->request->gathered;
    const gs_lock *old = resolve->builder->lock;
    gs_lock *lock = resolve->lock;
    gs_locked_content *room = gs_arena_array(lock->arena, 3 * gathered->count + 1, sizeof *room);
    if (!room) {
        return gs_fail_nomem(err);
    }
    lock->charts.items = room;
    lock->overlays.items = room + gathered->count;
    lock->files.items = room + 2 * gathered->count;
    int code = 0;
    for (size_t i = 0; code == 0 && i < gathered->count; i++) {
        const gs_packed *packed = &gathered->items[i];
        const gs_locked_content *before = NULL;
        gs_locked_content *into;
        if (strcmp(packed->kind, "chart") == 0) {
            before = old ? gs_lock_find(old->charts.items, old->charts.count, packed->name) : NULL;
            into = &lock->charts.items[lock->charts.count++];
        } else if (strcmp(packed->kind, "overlay") == 0) {
            before = old ? gs_lock_find(old->overlays.items, old->overlays.count, packed->name) : NULL;
            into = &lock->overlays.items[lock->overlays.count++];
        } else if (strcmp(packed->kind, "file") == 0) {
            before = old ? gs_lock_find(old->files.items, old->files.count, packed->name) : NULL;
            into = &lock->files.items[lock->files.count++];
        } else {
            before = old && old->sources.digest ? &old->sources : NULL;
            into = &lock->sources;
        }
        code = lock_content(resolve, packed, before, into, changed, err);
    }
    return code;
}

/* Entries of the old lock that the new one does not have. */
static size_t count_removed(const gs_lock *old, const gs_lock *lock)
{
    size_t removed = old->sources.digest && !lock->sources.digest ? 1 : 0;
    for (size_t i = 0; i < old->images.count; i++) {
        removed += gs_lock_image(lock, old->images.items[i].as) ? 0 : 1;
    }
    for (size_t i = 0; i < old->charts.count; i++) {
        removed += gs_lock_find(lock->charts.items, lock->charts.count, old->charts.items[i].name) ? 0 : 1;
    }
    for (size_t i = 0; i < old->overlays.count; i++) {
        removed += gs_lock_find(lock->overlays.items, lock->overlays.count, old->overlays.items[i].name) ? 0 : 1;
    }
    for (size_t i = 0; i < old->files.count; i++) {
        removed += gs_lock_find(lock->files.items, lock->files.count, old->files.items[i].name) ? 0 : 1;
    }
    return removed;
}

int gs_resolve(gs_builder *builder, const gs_resolve_request *request, gs_lock **out, size_t *changed, gs_error *err)
{
    GS_AUTO_LOCK gs_lock *lock = NULL;
    int code = gs_lock_new(&lock, err);
    if (code < 0) {
        return code;
    }
    resolve_state resolve = {.builder = builder, .request = request, .lock = lock};
    size_t count = 0;
    code = gs_provenance(builder, lock, err);
    if (code == 0) {
        code = resolve_images(&resolve, err);
    }
    for (size_t i = 0; code == 0 && i < lock->images.count; i++) {
        count += resolve.changed[i] ? 1 : 0;
    }
    if (code == 0) {
        code = resolve_contents(&resolve, &count, err);
    }
    if (code < 0) {
        return code;
    }
    *changed = count + (builder->lock ? count_removed(builder->lock, lock) : 0);
    *out = GS_STEAL(lock);
    return 0;
}
