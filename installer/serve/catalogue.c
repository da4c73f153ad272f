/* The table of what is served. Everything a request can reach is in it; nothing else is. */
#include "catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"

typedef struct making {
    gs_catalogue *catalogue;
    const char *prefix;
    size_t repository_room, blob_room;
} making;

static void *grown(gs_arena *arena, const void *items, size_t count, size_t *room, size_t size)
{
    *room = *room == 0 ? 64 : 2 * *room;
    void *larger = gs_arena_array(arena, *room, size);
    if (larger && count > 0) {
        memcpy(larger, items, count * size);
    }
    return larger;
}

/* ---- blobs ---- */

static int add_blob(making *make, const gs_verified *bundle, const gs_needed *needed, gs_error *err)
{
    gs_catalogue *catalogue = make->catalogue;
    const gs_member *member = gs_verified_blob(bundle, &needed->descriptor.digest);
    if (!member) {
        return gs_fail(err, GS_EFORMAT, "the bundle does not carry a blob that an image needs");
    }
    if (catalogue->blob_count == make->blob_room) {
        catalogue->blobs = grown(catalogue->arena, catalogue->blobs, catalogue->blob_count, &make->blob_room,
                                 sizeof *catalogue->blobs);
        if (!catalogue->blobs) {
            return gs_fail_nomem(err);
        }
    }
    gs_served_blob blob = {.digest = member->digest, .bundle = bundle, .offset = member->offset, .size = member->size};
    if (needed->manifest) {
        GS_AUTO_BUF gs_buf bytes;
        gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
        gs_manifest manifest;
        int rc = gs_verified_read(bundle, member, GS_MAX_MANIFEST_BYTES, &bytes, err);
        if (rc == 0) {
            rc = gs_manifest_parse(bytes.data, bytes.len, needed->descriptor.media_type, catalogue->arena, &manifest, err);
        }
        if (rc < 0) {
            return rc;
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

static int add_repository(making *make, const char *name, const char *source, gs_repository **out, gs_error *err)
{
    gs_catalogue *catalogue = make->catalogue;
    for (size_t i = 0; i < catalogue->repository_count; i++) {
        if (strcmp(catalogue->repositories[i].name, name) == 0) {
            *out = &catalogue->repositories[i];
            (*out)->source = source ? source : (*out)->source;
            return 0;
        }
    }
    if (catalogue->repository_count == make->repository_room) {
        catalogue->repositories = grown(catalogue->arena, catalogue->repositories, catalogue->repository_count,
                                        &make->repository_room, sizeof *catalogue->repositories);
        if (!catalogue->repositories) {
            return gs_fail_nomem(err);
        }
    }
    *out = &catalogue->repositories[catalogue->repository_count++];
    **out = (gs_repository){.name = name, .source = source};
    return 0;
}

static int add_tag(making *make, gs_repository *repository, const char *name, const gs_digest *digest, gs_error *err)
{
    for (size_t i = 0; i < repository->tag_count; i++) {
        if (strcmp(repository->tags[i].name, name) == 0) {
            repository->tags[i].digest = *digest;
            return 0;
        }
    }
    gs_served_tag *larger = gs_arena_array(make->catalogue->arena, repository->tag_count + 1, sizeof *larger);
    if (!larger) {
        return gs_fail_nomem(err);
    }
    if (repository->tag_count > 0) {
        memcpy(larger, repository->tags, repository->tag_count * sizeof *larger);
    }
    larger[repository->tag_count] = (gs_served_tag){.name = name, .digest = *digest};
    repository->tags = larger;
    repository->tag_count++;
    return 0;
}

/* "host/path" of the reference an image came by, or NULL. */
static const char *source_of(const gs_content *content, gs_arena *arena)
{
    const char *whole = gs_annotation(&content->descriptor.annotations, GS_IMAGE_NAME_ANNOTATION);
    gs_reference reference;
    gs_error ignored = {0};
    if (!whole || gs_reference_parse(whole, &reference, &ignored) < 0) {
        return NULL;
    }
    return gs_arena_printf(arena, "%s/%s", reference.host, reference.path);
}

/* The index's name of an image is AS:TAG; it becomes PREFIX/AS and TAG. */
static int add_image(making *make, const gs_verified *bundle, const gs_content *content, gs_error *err)
{
    gs_arena *arena = make->catalogue->arena;
    const char *colon = strrchr(content->name, ':');
    if (!colon || !gs_tag_valid(colon + 1)) {
        return gs_fail(err, GS_EFORMAT, "the image \"%s\" has no tag", content->name);
    }
    const char *as = gs_arena_copy(arena, content->name, (size_t)(colon - content->name));
    const char *name = as && make->prefix[0] != '\0' ? gs_arena_printf(arena, "%s/%s", make->prefix, as) : as;
    const char *tag = gs_arena_text(arena, colon + 1);
    gs_repository *repository = NULL;
    gs_needed *needed = NULL;
    size_t count = 0;
    if (!name || !tag) {
        return gs_fail_nomem(err);
    }
    int rc = gs_contents_needed(bundle, content, arena, &needed, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = add_blob(make, bundle, &needed[i], err);
    }
    if (rc == 0) {
        rc = add_repository(make, name, source_of(content, arena), &repository, err);
    }
    return rc < 0 ? rc : add_tag(make, repository, tag, &content->descriptor.digest, err);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const gs_repository *)a)->name, ((const gs_repository *)b)->name);
}

static int by_tag(const void *a, const void *b)
{
    return strcmp(((const gs_served_tag *)a)->name, ((const gs_served_tag *)b)->name);
}

static int by_digest(const void *a, const void *b)
{
    return gs_digest_compare(&((const gs_served_blob *)a)->digest, &((const gs_served_blob *)b)->digest);
}

static void sort(gs_catalogue *catalogue)
{
    if (catalogue->repository_count > 0) {
        qsort(catalogue->repositories, catalogue->repository_count, sizeof *catalogue->repositories, by_name);
    }
    for (size_t i = 0; i < catalogue->repository_count; i++) {
        qsort(catalogue->repositories[i].tags, catalogue->repositories[i].tag_count, sizeof(gs_served_tag), by_tag);
    }
    if (catalogue->blob_count > 0) {
        qsort(catalogue->blobs, catalogue->blob_count, sizeof *catalogue->blobs, by_digest);
    }
}

int gs_catalogue_make(const char *prefix, const gs_verified *const *bundles, size_t count, gs_catalogue *out, gs_error *err)
{
    gs_catalogue catalogue = {.arena = gs_arena_new()};
    making make = {.catalogue = &catalogue, .prefix = prefix ? prefix : ""};
    int rc = catalogue.arena ? 0 : gs_fail_nomem(err);
    for (size_t b = 0; rc == 0 && b < count; b++) {
        GS_AUTO_CONTENTS gs_contents *contents = NULL;
        rc = gs_contents_load(bundles[b], &contents, err);
        for (size_t i = 0; rc == 0 && i < contents->count; i++) {
            if (strcmp(contents->items[i].kind, "image") == 0) {
                rc = add_image(&make, bundles[b], &contents->items[i], err);
            }
        }
    }
    if (rc < 0) {
        gs_catalogue_done(&catalogue);
        return rc;
    }
    sort(&catalogue);
    *out = catalogue;
    return 0;
}

void gs_catalogue_done(gs_catalogue *catalogue)
{
    gs_arena_free(catalogue->arena);
    *catalogue = (gs_catalogue){0};
}

/* ---- look-ups ---- */

static const gs_repository *by_source(const gs_catalogue *catalogue, const char *host, const char *path)
{
    size_t len = strlen(host);
    for (size_t i = 0; i < catalogue->repository_count; i++) {
        const char *source = catalogue->repositories[i].source;
        if (source && strncmp(source, host, len) == 0 && source[len] == '/' && strcmp(source + len + 1, path) == 0) {
            return &catalogue->repositories[i];
        }
    }
    return NULL;
}

const gs_repository *gs_catalogue_repository(const gs_catalogue *catalogue, const char *name, const char *ns)
{
    static const char hub[] = "docker.io";
    if (ns && ns[0] != '\0') {
        return by_source(catalogue, ns, name);
    }
    gs_repository wanted = {.name = name};
    const gs_repository *found = catalogue->repository_count == 0 ? NULL
                                                                  : bsearch(&wanted, catalogue->repositories,
                                                                            catalogue->repository_count, sizeof wanted, by_name);
    for (size_t i = 0; !found && i < catalogue->repository_count; i++) {
        if (gs_text_equal(catalogue->repositories[i].source, name)) {
            found = &catalogue->repositories[i];
        }
    }
    return found ? found : by_source(catalogue, hub, name);
}

const gs_served_tag *gs_catalogue_tag(const gs_repository *repository, const char *tag)
{
    gs_served_tag wanted = {.name = tag};
    return bsearch(&wanted, repository->tags, repository->tag_count, sizeof wanted, by_tag);
}

const gs_served_blob *gs_catalogue_blob(const gs_catalogue *catalogue, const gs_digest *digest)
{
    gs_served_blob wanted = {.digest = *digest};
    return catalogue->blob_count == 0 ? NULL : bsearch(&wanted, catalogue->blobs, catalogue->blob_count, sizeof wanted, by_digest);
}
