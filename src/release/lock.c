/* release.lock: what every tag, chart and ref of a release was when it was locked. Must not know how it is resolved. */
#include "release_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"

#define COUNT_OF(list) (sizeof(list) / sizeof(list)[0])
#define DIGEST         .valid = gs_rule_digest, .expects = "a digest: sha256: and 64 lower-case hexadecimal digits"

static const gs_bind_field image_fields[] = {
    GS_FIELD(gs_locked_image, from, "from", TEXT, .required = true),
    GS_FIELD(gs_locked_image, as, "as", TEXT, .required = true, .valid = gs_repository_valid, .expects = "a repository"),
    GS_FIELD(gs_locked_image, tag, "tag", TEXT, .otherwise = ""),
    GS_FIELD(gs_locked_image, digest, "digest", TEXT, .required = true, DIGEST),
    GS_FIELD(gs_locked_image, media_type, "mediaType", TEXT, .required = true),
    GS_FIELD(gs_locked_image, size, "size", INTEGER, .required = true, .valid = gs_rule_positive, .expects = "a size above 0"),
    GS_FIELD(gs_locked_image, platforms, "platforms", TEXT_LIST),
    GS_FIELD(gs_locked_image, synthesized, "synthesized", BOOL),
};
static const gs_bind_table image_table = {"a locked image", sizeof(gs_locked_image), image_fields, COUNT_OF(image_fields), NULL};

static const gs_bind_field content_fields[] = {
    GS_FIELD(gs_locked_content, name, "name", TEXT, .required = true, .valid = gs_name_valid, .expects = "a name"),
    GS_FIELD(gs_locked_content, from, "from", TEXT),
    GS_FIELD(gs_locked_content, commit, "commit", TEXT),
    GS_FIELD(gs_locked_content, digest, "digest", TEXT, .required = true, DIGEST),
    GS_FIELD(gs_locked_content, size, "size", INTEGER, .required = true, .valid = gs_rule_not_negative, .expects = "a size"),
};
static const gs_bind_table content_table = {"locked content", sizeof(gs_locked_content), content_fields, COUNT_OF(content_fields),
                                            NULL};

static const gs_bind_field sources_fields[] = {
    GS_FIELD(gs_locked_content, digest, "digest", TEXT, DIGEST),
    GS_FIELD(gs_locked_content, size, "size", INTEGER, .valid = gs_rule_not_negative, .expects = "a size"),
};
static const gs_bind_table sources_table = {"the locked sources", sizeof(gs_locked_content), sources_fields,
                                            COUNT_OF(sources_fields), NULL};

#define SOURCE(member) (offsetof(gs_lock, source.member) - offsetof(gs_lock, source))
static const gs_bind_field source_fields[] = {
    {.key = "commit", .kind = GS_BIND_TEXT, .offset = SOURCE(commit)},
    {.key = "ref", .kind = GS_BIND_TEXT, .offset = SOURCE(ref)},
    {.key = "time", .kind = GS_BIND_TEXT, .offset = SOURCE(time)},
};
static const gs_bind_table source_table = {"the release's source", sizeof(((gs_lock *)NULL)->source), source_fields,
                                           COUNT_OF(source_fields), NULL};

static const gs_bind_field lock_fields[] = {
    GS_FIELD(gs_lock_file, api_version, "apiVersion", TEXT, .required = true, .valid = gs_rule_api_version,
             .expects = "gapship/v1"),
    GS_FIELD(gs_lock_file, kind, "kind", TEXT, .required = true, .valid = gs_rule_kind_lock, .expects = "Lock"),
    GS_FIELD(gs_lock_file, lock.source, "source", STRUCT, .table = &source_table),
    GS_FIELD(gs_lock_file, lock.images, "images", STRUCT_LIST, .table = &image_table),
    GS_FIELD(gs_lock_file, lock.charts, "charts", STRUCT_LIST, .table = &content_table),
    GS_FIELD(gs_lock_file, lock.overlays, "overlays", STRUCT_LIST, .table = &content_table),
    GS_FIELD(gs_lock_file, lock.sources, "sources", STRUCT, .table = &sources_table),
    GS_FIELD(gs_lock_file, lock.files, "files", STRUCT_LIST, .table = &content_table),
};
const gs_bind_table gs_lock_table = {"a release lock", sizeof(gs_lock_file), lock_fields, COUNT_OF(lock_fields), NULL};

int gs_lock_new(gs_lock **out, gs_error *err)
{
    GS_AUTO_LOCK gs_lock *lock = calloc(1, sizeof *lock);
    if (!lock || !(lock->arena = gs_arena_new())) {
        return gs_fail_nomem(err);
    }
    *out = GS_STEAL(lock);
    return 0;
}

void gs_lock_free(gs_lock *lock)
{
    if (!lock) {
        return;
    }
    gs_doc_free(lock->doc);
    gs_arena_free(lock->arena);
    free(lock);
}

void gs_lock_free_p(gs_lock **lock)
{
    gs_lock_free(*lock);
}

static int fail_lock(const gs_lock *lock, const char *list, size_t index, gs_error *err, const char *message)
{
    char path[48];
    (void)snprintf(path, sizeof path, "%s/%zu", list, index);
    const gs_node *node = gs_node_at(lock->doc->root, path);
    return gs_bind_fail(lock->doc, (gs_place){node->line, node->column}, err, "%s", message);
}

static int check_images(const gs_lock *lock, gs_error *err)
{
    for (size_t i = 0; i < lock->images.count; i++) {
        const gs_locked_image *image = &lock->images.items[i];
        if (*image->tag && !gs_tag_valid(image->tag)) {
            return fail_lock(lock, "images", i, err, "the tag is malformed");
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(lock->images.items[k].as, image->as) == 0) {
                return fail_lock(lock, "images", i, err, "the same site repository is locked twice");
            }
        }
    }
    return 0;
}

int gs_lock_parse(const char *name, const char *data, size_t len, gs_lock **out, gs_error *err)
{
    GS_AUTO_LOCK gs_lock *lock = NULL;
    gs_lock_file file;
    int code = gs_lock_new(&lock, err);
    if (code == 0) {
        code = gs_doc_parse(GS_JSON, name, data, len, &lock->doc, err);
    }
    if (code == 0) {
        code = gs_bind_read(&gs_lock_table, lock->doc, lock->doc->root, lock->arena, &file, err);
    }
    if (code < 0) {
        return code;
    }
    file.lock.doc = lock->doc;
    file.lock.arena = lock->arena;
    *lock = file.lock;
    code = check_images(lock, err);
    if (code < 0) {
        return code;
    }
    *out = GS_STEAL(lock);
    return 0;
}

int gs_lock_write(const gs_lock *lock, gs_buf *out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const gs_lock_file file = {.api_version = "gapship/v1", .kind = "Lock", .lock = *lock};
    gs_node *node = arena ? gs_bind_write(&gs_lock_table, &file, arena) : NULL;
    return node ? gs_node_write_json(node, GS_JSON_PRETTY, out, err) : gs_fail_nomem(err);
}

const gs_locked_image *gs_lock_image(const gs_lock *lock, const char *as)
{
    for (size_t i = 0; i < lock->images.count; i++) {
        if (strcmp(lock->images.items[i].as, as) == 0) {
            return &lock->images.items[i];
        }
    }
    return NULL;
}

const gs_locked_content *gs_lock_find(const gs_locked_content *items, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (gs_text_equal(items[i].name, name)) {
            return &items[i];
        }
    }
    return NULL;
}

/* The reference that manifests name the image by: its source's, or for an archive without one its repository and tag at the site.
 */
static bool named_by(const gs_locked_image *image, gs_reference *out)
{
    char text[GS_REFERENCE_TEXT];
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_image_source source;
    if (!arena || gs_image_source_parse(image->from, arena, &source, NULL) < 0) {
        return false;
    }
    if (source.transport == GS_DOCKER) {
        *out = source.reference;
        return true;
    }
    if (source.transport == GS_DOCKER_ARCHIVE && source.name && gs_reference_parse(source.name, out, NULL) == 0) {
        return true;
    }
    (void)snprintf(text, sizeof text, "%s%s%s", image->as, *image->tag ? ":" : "", image->tag);
    return gs_reference_parse(text, out, NULL) == 0;
}

const gs_locked_image *gs_lock_match(const gs_lock *lock, const gs_reference *reference)
{
    for (size_t i = 0; i < lock->images.count; i++) {
        const gs_locked_image *image = &lock->images.items[i];
        gs_reference name;
        if (!named_by(image, &name) || strcmp(name.host, reference->host) != 0 || strcmp(name.path, reference->path) != 0) {
            continue;
        }
        bool same = *reference->digest ? strcmp(reference->digest, image->digest) == 0 : strcmp(reference->tag, name.tag) == 0;
        if (same) {
            return image;
        }
    }
    return NULL;
}
