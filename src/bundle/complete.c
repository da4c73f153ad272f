/* Whether a bundle carries all that it names: what its lock pinned, and what each manifest needs. Reads manifests, never a layer; what
 * may be missing are platforms that the build was told to leave out. */
#include <string.h>

#include "gapship/contents.h"
#include "gapship/limits.h"

typedef struct completion {
    const gs_verified *verified;
    gs_arena *arena;
    const gs_text_list *platforms; /* of the image that is walked; NULL or empty: all of them */
    bool *found;                   /* one per platform */
    gs_walked walked;              /* of the content */
    const char *name;
    gs_completeness *counts;
} completion;

static int fail_missing(const completion *c, const gs_digest *digest, const char *what, gs_error *err)
{
    char text[GS_DIGEST_TEXT];
    gs_digest_text(digest, text);
    return gs_fail(err, GS_EFORMAT, "%s needs the %s %s, which the bundle does not carry", c->name, what, text);
}

static int need(const completion *c, const gs_descriptor *descriptor, const char *what, const gs_member **out, gs_error *err)
{
    const gs_member *member = gs_verified_blob(c->verified, &descriptor->digest);
    if (!member || member->size != descriptor->size) {
        return fail_missing(c, &descriptor->digest, what, err);
    }
    if (out) {
        *out = member;
    }
    c->counts->blobs++;
    return 0;
}

/* Whether this child is carried: all are when nothing was chosen, and what is for no platform belongs to all. */
static bool is_chosen(completion *c, const gs_platform *offered, gs_error *err, int *code)
{
    bool chosen = !offered->os || !c->platforms || c->platforms->count == 0;
    for (size_t i = 0; offered->os && c->platforms && *code == 0 && i < c->platforms->count; i++) {
        gs_platform wanted;
        *code = gs_platform_parse(c->platforms->items[i], c->arena, &wanted, err);
        if (*code == 0 && gs_platform_match(&wanted, offered)) {
            c->found[i] = true;
            chosen = true;
        }
    }
    return chosen;
}

static int walk(completion *c, const gs_descriptor *descriptor, int depth, gs_error *err);

static int walk_children(completion *c, const gs_manifest *index, int depth, gs_error *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < index->item_count; i++) {
        if (is_chosen(c, &index->items[i].platform, err, &code) && code == 0) {
            code = walk(c, &index->items[i], depth + 1, err);
        }
    }
    for (size_t i = 0; code == 0 && depth == 0 && c->platforms && i < c->platforms->count; i++) {
        if (!c->found[i]) {
            code = gs_fail(err, GS_EFORMAT, "%s was locked for the platform %s, and the bundle has nothing for it", c->name,
                           c->platforms->items[i]);
        }
    }
    return code;
}

static int walk(completion *c, const gs_descriptor *descriptor, int depth, gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    const gs_member *member = NULL;
    gs_manifest manifest;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    if (gs_walked_add(&c->walked, depth, descriptor->size, err) != 0) {
        (void)gs_error_recode(err, GS_EFORMAT);
        return gs_error_context(err, "%s", c->name);
    }
    int code = need(c, descriptor, "manifest", &member, err);
    if (code == 0) {
        code = gs_verified_read(c->verified, member, GS_MAX_MANIFEST_BYTES, &bytes, err);
    }
    if (code == 0) {
        code = gs_manifest_parse(bytes.data, bytes.len, descriptor->media_type, c->arena, &manifest, err);
    }
    if (code != 0 || manifest.is_index) {
        return code == 0 ? walk_children(c, &manifest, depth, err) : code;
    }
    code = need(c, &manifest.config, "config", NULL, err);
    for (size_t i = 0; code == 0 && i < manifest.item_count; i++) {
        code = need(c, &manifest.items[i], "layer", NULL, err);
    }
    return code;
}

static const gs_locked_image *locked_as(const gs_lock *lock, const gs_digest *digest)
{
    char text[GS_DIGEST_TEXT];
    gs_digest_text(digest, text);
    for (size_t i = 0; i < lock->images.count; i++) {
        if (strcmp(lock->images.items[i].digest, text) == 0) {
            return &lock->images.items[i];
        }
    }
    return NULL;
}

static int check_content(completion *c, const gs_contents *contents, const gs_content *content, gs_error *err)
{
    const gs_locked_image *image = strcmp(content->kind, "image") == 0 ? locked_as(contents->lock, &content->descriptor.digest)
                                                                       : NULL;
    c->name = content->name;
    c->walked = (gs_walked){0};
    c->platforms = image ? &image->platforms : NULL;
    c->found = image ? gs_arena_array(c->arena, image->platforms.count + 1, sizeof *c->found) : NULL;
    return image && !c->found ? gs_fail_nomem(err) : walk(c, &content->descriptor, 0, err);
}

/* ---- the lock ---- */

static int check_images(const gs_lock *lock, const gs_contents *contents, gs_error *err)
{
    for (size_t i = 0; i < lock->images.count; i++) {
        gs_digest digest;
        bool carried = false;
        int code = gs_digest_parse(lock->images.items[i].digest, &digest, err);
        for (size_t k = 0; code == 0 && k < contents->count && !carried; k++) {
            carried = strcmp(contents->items[k].kind, "image") == 0 &&
                      gs_digest_equal(&contents->items[k].descriptor.digest, &digest);
        }
        if (code == 0 && !carried) {
            code = gs_fail(err, GS_EFORMAT, "the image %s of the lock is not in the bundle", lock->images.items[i].as);
        }
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static int check_packed(const completion *c, const gs_locked_content *items, size_t count, const char *kind, gs_error *err)
{
    for (size_t i = 0; i < count; i++) {
        gs_digest digest;
        int code = items[i].digest ? gs_digest_parse(items[i].digest, &digest, err) : 0;
        if (code == 0 && items[i].digest && !gs_verified_blob(c->verified, &digest)) {
            const char *name = items[i].name;
            code = gs_fail(err, GS_EFORMAT, "the %s%s%s of the lock is not in the bundle", kind, name ? " " : "", name ? name : "");
        }
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

int gs_contents_complete(const gs_verified *verified, const gs_contents *contents, gs_completeness *out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_completeness counts = {0};
    completion c = {.verified = verified, .arena = arena, .counts = &counts};
    const gs_lock *lock = contents->lock;
    int code = arena ? check_images(lock, contents, err) : gs_fail_nomem(err);
    code = code == 0 ? check_packed(&c, lock->charts.items, lock->charts.count, "chart", err) : code;
    code = code == 0 ? check_packed(&c, lock->overlays.items, lock->overlays.count, "overlay", err) : code;
    code = code == 0 ? check_packed(&c, lock->files.items, lock->files.count, "file", err) : code;
    code = code == 0 ? check_packed(&c, &lock->sources, 1, "archive of sources", err) : code;
    for (size_t i = 0; code == 0 && i < contents->count; i++) {
        code = check_content(&c, contents, &contents->items[i], err);
        counts.contents++;
    }
    if (code == 0 && out) {
        *out = counts;
    }
    return code;
}
