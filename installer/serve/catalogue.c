/* The table of what is served. Everything a request can reach is in it; nothing else is. */
#include "catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"

typedef struct making {
    gs_catalogue *catalogue;
    const char *prefix;
} making;

/* ---- blobs ---- */

static int add_blob(making *make, const gs_verified *bundle, const gs_needed *needed, gs_error *err)
{
    gs_catalogue *catalogue = make->catalogue;
    const gs_member *member = gs_verified_blob(bundle, &needed->descriptor.digest);
    if (!member) {
        return gs_fail(err, GS_EFORMAT, "the bundle does not carry a blob that an image needs");
    }
    gs_served_blob *blobs = gs_arena_more(catalogue->arena, catalogue->blobs, catalogue->blob_count, &catalogue->blob_room,
                                          sizeof *blobs);
    if (!blobs) {
        return gs_fail_nomem(err);
    }
    catalogue->blobs = blobs;
    gs_served_blob blob = {.digest = member->digest, .fd = gs_verified_fd(bundle), .offset = member->offset, .size = member->size};
    if (needed->manifest) {
        GS_AUTO_BUF gs_buf bytes;
        gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
        gs_manifest manifest;
        int code = gs_verified_read(bundle, member, GS_MAX_MANIFEST_BYTES, &bytes, err);
        if (code == 0) {
            code = gs_manifest_parse(bytes.data, bytes.len, needed->descriptor.media_type, catalogue->arena, &manifest, err);
        }
        if (code < 0) {
            return code;
        }
        blob.media_type = manifest.media_type;
        blob.descriptor = needed->descriptor;
        blob.descriptor.artifact_type = manifest.artifact_type ? manifest.artifact_type : manifest.config.media_type;
        blob.descriptor.annotations = manifest.annotations;
        blob.has_subject = manifest.subject != NULL;
        if (manifest.subject) {
            blob.subject = manifest.subject->digest;
        }
    }
    catalogue->blobs[catalogue->blob_count++] = blob;
    return 0;
}

/* ---- repositories ---- */

static gs_repository *add_repository(gs_repositories *list, const char *name, gs_arena *arena)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].name, name) == 0) {
            return &list->items[i];
        }
    }
    gs_repository *items = gs_arena_more(arena, list->items, list->count, &list->room, sizeof *items);
    if (!items) {
        return NULL;
    }
    list->items = items;
    list->items[list->count] = (gs_repository){.name = name};
    return &list->items[list->count++];
}

/* The name and the tag live in the arena. */
static int add_tag(gs_repositories *list, const char *name, const char *tag, const gs_digest *digest, gs_arena *arena)
{
    gs_repository *repository = add_repository(list, name, arena);
    if (!repository || tag[0] == '\0') {
        return repository ? 0 : GS_ENOMEM;
    }
    for (size_t i = 0; i < repository->tag_count; i++) {
        if (strcmp(repository->tags[i].name, tag) == 0) {
            repository->tags[i].digest = *digest;
            return 0;
        }
    }
    gs_served_tag *larger = gs_arena_array(arena, repository->tag_count + 1, sizeof *larger);
    if (!larger) {
        return GS_ENOMEM;
    }
    if (repository->tag_count > 0) {
        memcpy(larger, repository->tags, repository->tag_count * sizeof *larger);
    }
    larger[repository->tag_count++] = (gs_served_tag){.name = tag, .digest = *digest};
    repository->tags = larger;
    return 0;
}

/* The index's name of an image is AS:TAG; it becomes PREFIX/AS and TAG. */
static int add_own_name(making *make, const gs_content *content, gs_error *err)
{
    gs_arena *arena = make->catalogue->arena;
    const char *colon = strrchr(content->name, ':');
    if (!colon || !gs_tag_valid(colon + 1)) {
        return gs_fail(err, GS_EFORMAT, "the image \"%s\" has no tag", content->name);
    }
    const char *as = gs_arena_copy(arena, content->name, (size_t)(colon - content->name));
    const char *name = as && make->prefix[0] != '\0' ? gs_arena_printf(arena, "%s/%s", make->prefix, as) : as;
    const char *tag = gs_arena_text(arena, colon + 1);
    if (!name || !tag || add_tag(&make->catalogue->own, name, tag, &content->descriptor.digest, arena) < 0) {
        return gs_fail_nomem(err);
    }
    return 0;
}

/* "host/path" and the tag of the reference that an image came by. One that came from a file has none. */
static int add_source_name(making *make, const gs_content *content, gs_error *err)
{
    gs_arena *arena = make->catalogue->arena;
    const char *whole = gs_annotation(&content->descriptor.annotations, GS_IMAGE_NAME_ANNOTATION);
    gs_reference reference;
    gs_error ignored = {0};
    if (!whole || gs_reference_parse(whole, &reference, &ignored) < 0) {
        return 0;
    }
    const char *name = gs_arena_printf(arena, "%s/%s", reference.host, reference.path);
    const char *tag = gs_arena_text(arena, reference.tag);
    if (!name || !tag || add_tag(&make->catalogue->sources, name, tag, &content->descriptor.digest, arena) < 0) {
        return gs_fail_nomem(err);
    }
    return 0;
}

static int add_image(making *make, const gs_verified *bundle, const gs_content *content, gs_error *err)
{
    gs_needed *needed = NULL;
    size_t count = 0;
    int code = gs_contents_needed(bundle, content, make->catalogue->arena, &needed, &count, err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = add_blob(make, bundle, &needed[i], err);
    }
    if (code == 0) {
        code = add_own_name(make, content, err);
    }
    return code < 0 ? code : add_source_name(make, content, err);
}

/* ---- order ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const gs_repository *)a)->name, ((const gs_repository *)b)->name);
}

static int by_tag(const void *a, const void *b)
{
    return strcmp(((const gs_served_tag *)a)->name, ((const gs_served_tag *)b)->name);
}

/* A manifest before the same bytes as a blob: whoever finds it can be told its type. */
static int by_digest(const void *a, const void *b)
{
    const gs_served_blob *x = a;
    const gs_served_blob *y = b;
    int order = gs_digest_compare(&x->digest, &y->digest);
    return order != 0 ? order : (y->media_type != NULL) - (x->media_type != NULL);
}

static int by_digest_alone(const void *digest, const void *blob)
{
    return gs_digest_compare(digest, &((const gs_served_blob *)blob)->digest);
}

static void sort_repositories(gs_repositories *list)
{
    if (list->count > 0) {
        qsort(list->items, list->count, sizeof *list->items, by_name);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].tag_count > 0) {
            qsort(list->items[i].tags, list->items[i].tag_count, sizeof(gs_served_tag), by_tag);
        }
    }
}

/* Images share layers, and bundles images: each is kept once. */
static void sort_blobs(gs_catalogue *catalogue)
{
    size_t kept = 0;
    if (catalogue->blob_count > 0) {
        qsort(catalogue->blobs, catalogue->blob_count, sizeof *catalogue->blobs, by_digest);
    }
    for (size_t i = 0; i < catalogue->blob_count; i++) {
        if (kept == 0 || !gs_digest_equal(&catalogue->blobs[i].digest, &catalogue->blobs[kept - 1].digest)) {
            catalogue->blobs[kept++] = catalogue->blobs[i];
        }
    }
    catalogue->blob_count = kept;
}

int gs_catalogue_make(const char *prefix, const gs_verified *const *bundles, size_t count, gs_catalogue *out, gs_error *err)
{
    gs_catalogue catalogue = {.arena = gs_arena_new()};
    making make = {.catalogue = &catalogue, .prefix = prefix ? prefix : ""};
    int code = catalogue.arena ? 0 : gs_fail_nomem(err);
    for (size_t b = 0; code == 0 && b < count; b++) {
        GS_AUTO_CONTENTS gs_contents *contents = NULL;
        code = gs_contents_load(bundles[b], &contents, err);
        for (size_t i = 0; code == 0 && i < contents->count; i++) {
            if (strcmp(contents->items[i].kind, "image") == 0) {
                code = add_image(&make, bundles[b], &contents->items[i], err);
            }
        }
    }
    if (code < 0) {
        gs_catalogue_done(&catalogue);
        return code;
    }
    sort_repositories(&catalogue.own);
    sort_repositories(&catalogue.sources);
    sort_blobs(&catalogue);
    *out = catalogue;
    return 0;
}

void gs_catalogue_done(gs_catalogue *catalogue)
{
    gs_arena_free(catalogue->arena);
    *catalogue = (gs_catalogue){0};
}

/* ---- look-ups ---- */

static const gs_repository *find(const gs_repositories *list, const char *name)
{
    const gs_repository wanted = {.name = name};
    return list->count == 0 ? NULL : bsearch(&wanted, list->items, list->count, sizeof wanted, by_name);
}

static const gs_repository *find_source(const gs_catalogue *catalogue, const char *host, const char *path)
{
    char name[sizeof(gs_reference)];
    int len = snprintf(name, sizeof name, "%s/%s", host, path);
    return len < 0 || (size_t)len >= sizeof name ? NULL : find(&catalogue->sources, name);
}

const gs_repository *gs_catalogue_repository(const gs_catalogue *catalogue, const char *name, const char *ns)
{
    gs_reference reference;
    gs_error ignored = {0};
    if (ns && ns[0] != '\0') {
        return find_source(catalogue, ns, name);
    }
    const gs_repository *found = find(&catalogue->own, name);
    if (!found && gs_reference_parse(name, &reference, &ignored) == 0) {
        found = find_source(catalogue, reference.host, reference.path);
    }
    return found;
}

const gs_served_tag *gs_catalogue_tag(const gs_repository *repository, const char *tag)
{
    const gs_served_tag wanted = {.name = tag};
    return repository->tag_count == 0 ? NULL : bsearch(&wanted, repository->tags, repository->tag_count, sizeof wanted, by_tag);
}

const gs_served_blob *gs_catalogue_blob(const gs_catalogue *catalogue, const gs_digest *digest)
{
    return catalogue->blob_count == 0
               ? NULL
               : bsearch(digest, catalogue->blobs, catalogue->blob_count, sizeof *catalogue->blobs, by_digest_alone);
}
