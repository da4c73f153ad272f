/* What the site's registry lacks of a bundle. An image whose tag has the right digest is whole: a registry takes no manifest whose
 * content it does not have. So a full registry is asked one question an image; only for the others are blobs asked for. */
#include <stdlib.h>
#include <string.h>

#include "gapship/text.h"
#include "loading.h"

static const gs_content *find_content(const gs_contents *contents, const gs_locked_image *image, const gs_digest *digest)
{
    size_t len = strlen(image->as);
    for (size_t i = 0; i < contents->count; i++) {
        const gs_content *content = &contents->items[i];
        if (gs_text_equal(content->kind, "image") && gs_digest_equal(&content->descriptor.digest, digest) &&
            strncmp(content->name, image->as, len) == 0 && (content->name[len] == ':' || content->name[len] == '@')) {
            return content;
        }
    }
    return NULL;
}

static int describe_image(gs_loading *loading, const gs_locked_image *locked, gs_load_image *out, gs_error *err)
{
    gs_load_image image = {.locked = locked};
    const char *reference = gs_relocated(loading->site->site, locked, loading->arena);
    if (!reference) {
        return gs_fail_nomem(err);
    }
    int code = gs_reference_parse(reference, &image.reference, err);
    if (code == 0) {
        code = gs_digest_parse(locked->digest, &image.digest, err);
    }
    if (code == 0) {
        image.content = find_content(loading->subject->contents, locked, &image.digest);
        code = image.content ? 0 : gs_fail(err, GS_EFORMAT, "the bundle does not carry the image that its lock names");
    }
    if (code != 0) {
        (void)gs_error_context(err, "image %s", locked->as);
        return code;
    }
    *out = image;
    return 0;
}

static int describe_images(gs_loading *loading, gs_error *err)
{
    const gs_lock *lock = loading->subject->contents->lock;
    loading->images = gs_arena_array(loading->arena, lock->images.count, sizeof *loading->images);
    if (!loading->images) {
        return gs_fail_nomem(err);
    }
    loading->image_count = lock->images.count;
    int code = 0;
    for (size_t i = 0; code == 0 && i < loading->image_count; i++) {
        code = describe_image(loading, &lock->images.items[i], &loading->images[i], err);
    }
    return code;
}

static int ask_image(void *state, size_t i, gs_error *err)
{
    gs_loading *loading = state;
    gs_load_image *image = &loading->images[i];
    bool found = false;
    gs_digest digest;
    int code = gs_registry_head_manifest(loading->registry, image->reference.path, image->reference.tag, &found, &digest, err);
    if (code != 0) {
        (void)gs_error_context(err, "image %s", image->locked->as);
        return code;
    }
    image->present = found && gs_digest_equal(&digest, &image->digest);
    return 0;
}

/* One blob of one image. */
typedef struct use {
    const gs_load_image *image;
    const gs_descriptor *blob;
} use;

/* By digest; images that are there come first. */
static int compare_uses(const void *a, const void *b)
{
    const use *x = a;
    const use *y = b;
    int order = gs_digest_compare(&x->blob->digest, &y->blob->digest);
    if (order == 0) {
        order = (int)y->image->present - (int)x->image->present;
    }
    return order != 0 ? order : x->image < y->image ? -1 : x->image > y->image ? 1 : 0;
}

static bool listed(const gs_load_blob *blob, const char *repository)
{
    bool found = false;
    for (size_t i = 0; i < blob->repository_count && !found; i++) {
        found = strcmp(blob->repositories[i], repository) == 0;
    }
    return found;
}

static bool held(const use *uses, size_t count, const char *repository)
{
    bool found = false;
    for (size_t i = 0; i < count && uses[i].image->present && !found; i++) {
        found = strcmp(uses[i].image->reference.path, repository) == 0;
    }
    return found;
}

/* Where a blob with these uses is, and where it is lacking. */
static int describe_blob(gs_loading *loading, const use *uses, size_t count, gs_load_blob *out, gs_error *err)
{
    gs_load_blob blob = {.digest = uses[0].blob->digest, .size = uses[0].blob->size};
    blob.source = uses[0].image->present ? uses[0].image->reference.path : NULL;
    blob.repositories = gs_arena_array(loading->arena, count, sizeof *blob.repositories);
    if (!blob.repositories) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < count; i++) {
        const char *repository = uses[i].image->reference.path;
        if (!uses[i].image->present && !held(uses, count, repository) && !listed(&blob, repository)) {
            blob.image = blob.image ? blob.image : uses[i].image->locked->as;
            blob.repositories[blob.repository_count++] = repository;
        }
    }
    *out = blob;
    return 0;
}

static int collect_uses(gs_loading *loading, use **out, size_t *count, gs_error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < loading->image_count; i++) {
        gs_load_image *image = &loading->images[i];
        int code = gs_contents_needed(loading->subject->verified, image->content, loading->arena, &image->needed,
                                      &image->needed_count, err);
        if (code != 0) {
            return code;
        }
        total += image->needed_count;
    }
    use *uses = gs_arena_array(loading->arena, total, sizeof *uses);
    if (!uses) {
        return gs_fail_nomem(err);
    }
    size_t found = 0;
    for (size_t i = 0; i < loading->image_count; i++) {
        for (size_t k = 0; k < loading->images[i].needed_count; k++) {
            if (!loading->images[i].needed[k].manifest) {
                uses[found++] = (use){.image = &loading->images[i], .blob = &loading->images[i].needed[k].descriptor};
            }
        }
    }
    qsort(uses, found, sizeof *uses, compare_uses);
    *out = uses;
    *count = found;
    return 0;
}

/* Largest first, so that no large blob is left for the end, when the other connections have nothing to do. */
static int compare_blobs(const void *a, const void *b)
{
    const gs_load_blob *x = a;
    const gs_load_blob *y = b;
    return x->size > y->size ? -1 : x->size < y->size ? 1 : gs_digest_compare(&x->digest, &y->digest);
}

static int describe_blobs(gs_loading *loading, gs_error *err)
{
    use *uses = NULL;
    size_t count = 0;
    int code = collect_uses(loading, &uses, &count, err);
    loading->blobs = code == 0 ? gs_arena_array(loading->arena, count, sizeof *loading->blobs) : NULL;
    if (code == 0 && !loading->blobs) {
        code = gs_fail_nomem(err);
    }
    for (size_t i = 0, end; code == 0 && i < count; i = end) {
        end = i + 1;
        while (end < count && gs_digest_equal(&uses[i].blob->digest, &uses[end].blob->digest)) {
            end++;
        }
        gs_load_blob *blob = &loading->blobs[loading->blob_count];
        code = describe_blob(loading, &uses[i], end - i, blob, err);
        loading->blob_count += code == 0 && blob->repository_count > 0 ? 1 : 0;
    }
    if (code == 0) {
        qsort(loading->blobs, loading->blob_count, sizeof *loading->blobs, compare_blobs);
    }
    return code;
}

/* A load that was interrupted has left blobs without a manifest: they are in the first repository, where uploads go. */
static int ask_blob(void *state, size_t i, gs_error *err)
{
    gs_loading *loading = state;
    gs_load_blob *blob = &loading->blobs[i];
    if (blob->source) {
        return 0;
    }
    bool found = false;
    int code = gs_registry_has_blob(loading->registry, blob->repositories[0], &blob->digest, &found, err);
    if (code != 0) {
        (void)gs_error_context(err, "image %s", blob->image);
        return code;
    }
    if (found) {
        blob->source = blob->repositories[0];
        blob->repositories++;
        blob->repository_count--;
    }
    return 0;
}

static int survey(gs_loading *loading, gs_error *err)
{
    const gs_site_registry *where = &loading->site->site->registry;
    const gs_run *run = &loading->site->run;
    const gs_registry_options options = {.url = where->url, .ca_file = where->ca, .credentials_file = where->credentials};
    int code = describe_images(loading, err);
    if (code != 0 || !where->url) {
        return code;
    }
    code = gs_registry_new(run, &options, &loading->registry, err);
    if (code == 0) {
        code = gs_parallel(run->jobs, loading->image_count, ask_image, loading, err);
    }
    for (size_t i = 0; code == 0 && i < loading->image_count; i++) {
        loading->missing += loading->images[i].present ? 0 : 1;
    }
    if (code != 0 || loading->missing == 0) {
        return code;
    }
    code = describe_blobs(loading, err);
    if (code == 0) {
        code = gs_parallel(run->jobs, loading->blob_count, ask_blob, loading, err);
    }
    for (size_t i = 0; code == 0 && i < loading->blob_count; i++) {
        loading->bytes += loading->blobs[i].source ? 0 : loading->blobs[i].size;
    }
    return code;
}

int gs_loading_survey(const gs_installation *site, const gs_subject *subject, gs_loading **out, gs_error *err)
{
    GS_AUTO_LOADING gs_loading *loading = calloc(1, sizeof *loading);
    if (!loading) {
        return gs_fail_nomem(err);
    }
    loading->site = site;
    loading->subject = subject;
    loading->arena = gs_arena_new();
    int code = loading->arena ? survey(loading, err) : gs_fail_nomem(err);
    if (code == 0) {
        *out = GS_STEAL(loading);
    }
    return code;
}

size_t gs_loading_images(const gs_loading *loading)
{
    return loading->missing;
}

uint64_t gs_loading_bytes(const gs_loading *loading)
{
    return loading->bytes;
}

void gs_loading_free(gs_loading *loading)
{
    if (loading) {
        gs_registry_free(loading->registry);
        gs_arena_free(loading->arena);
        free(loading);
    }
}

void gs_loading_free_p(gs_loading **loading)
{
    gs_loading_free(*loading);
    *loading = NULL;
}
