/* Brings what the registry lacks: each blob once, mounted wherever else it is needed; then manifests, children first; tags last, so
 * that whoever pulls by a tag finds either the old image or the whole new one. Every call can be repeated. */
#include <inttypes.h>

#include "gapship/limits.h"
#include "loading.h"

static void on_moved(void *state, uint64_t bytes)
{
    gs_loading *loading = state;
    uint64_t moved = atomic_fetch_add(&loading->moved, bytes) + bytes;
    /* A retried upload moves its bytes again. */
    gs_report_progress(&loading->site->run, "pushing", moved < loading->bytes ? moved : loading->bytes, loading->bytes);
}

/* Whose fault a refused blob is: the kept file's, when it no longer has the digest it was kept with. */
static int blame(const gs_loading *loading, const gs_member *member, int code, gs_error *err)
{
    gs_digest found;
    gs_error ignored = {0};
    if ((code != GS_EDIGEST && code != GS_EREGISTRY) ||
        gs_digest_of_file(gs_verified_fd(loading->subject->verified), member->offset, member->size, &found, &ignored) != 0 ||
        gs_digest_equal(&found, &member->digest)) {
        return code;
    }
    char hex[GS_DIGEST_HEX];
    gs_digest_hex(gs_verified_digest(loading->subject->verified), hex);
    (void)gs_fail(err, GS_EDIGEST, "the kept bundle is damaged: %" PRIu64 " bytes at %" PRIu64 " have changed since it was kept",
                  member->size, member->offset);
    (void)gs_error_at(err, "%s/bundles/%s.gapship", loading->site->site->store, hex);
    (void)gs_error_hint(err, "check the disk, remove this file and import the bundle again");
    return GS_EDIGEST;
}

static int upload(gs_loading *loading, const gs_load_blob *blob, const char *repository, gs_error *err)
{
    const gs_member *member = gs_verified_blob(loading->subject->verified, &blob->digest);
    if (!member) {
        return gs_fail(err, GS_EFORMAT, "the bundle does not carry a blob of the image");
    }
    const gs_span bytes = {.fd = gs_verified_fd(loading->subject->verified), .offset = member->offset, .len = member->size};
    int code = gs_registry_put_blob(loading->registry, repository, &blob->digest, &bytes, on_moved, loading, err);
    return code == 0 ? 0 : blame(loading, member, code, err);
}

/* Into a further repository of the same registry: without moving bytes where the registry can. */
static int bring(gs_loading *loading, const gs_load_blob *blob, const char *source, const char *repository, gs_error *err)
{
    bool there = false;
    int code = gs_registry_mount_blob(loading->registry, repository, source, &blob->digest, &there, err);
    if (code == 0 && !there) {
        code = gs_registry_has_blob(loading->registry, repository, &blob->digest, &there, err);
    }
    return code == 0 && !there ? upload(loading, blob, repository, err) : code;
}

static int push_blob(void *state, size_t i, gs_error *err)
{
    gs_loading *loading = state;
    const gs_load_blob *blob = &loading->blobs[i];
    const char *source = blob->source;
    size_t next = 0;
    int code = gs_check_stop(&loading->site->run, 2, err);
    if (code == 0 && !source) {
        source = blob->repositories[next++];
        code = upload(loading, blob, source, err);
    }
    while (code == 0 && next < blob->repository_count) {
        code = bring(loading, blob, source, blob->repositories[next++], err);
    }
    if (code != 0) {
        (void)gs_error_context(err, "image %s", blob->image);
    }
    return code;
}

static int push_manifest(gs_loading *loading, const gs_load_image *image, const gs_needed *needed, const char *reference,
                         gs_error *err)
{
    const gs_member *member = gs_verified_blob(loading->subject->verified, &needed->descriptor.digest);
    if (!member) {
        return gs_fail(err, GS_EFORMAT, "the bundle does not carry a manifest of the image");
    }
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    int code = gs_verified_read(loading->subject->verified, member, GS_MAX_MANIFEST_BYTES, &bytes, err);
    if (code != 0) {
        return code;
    }
    return gs_registry_put_manifest(loading->registry, image->reference.path, reference, needed->descriptor.media_type, bytes.data,
                                    bytes.len, err);
}

/* The manifests of an index, by digest. */
static int push_children(void *state, size_t i, gs_error *err)
{
    gs_loading *loading = state;
    const gs_load_image *image = &loading->images[i];
    int code = image->present ? 0 : gs_check_stop(&loading->site->run, 2, err);
    for (size_t k = 0; code == 0 && !image->present && k + 1 < image->needed_count; k++) {
        if (image->needed[k].manifest) {
            char digest[GS_DIGEST_TEXT];
            gs_digest_text(&image->needed[k].descriptor.digest, digest);
            code = push_manifest(loading, image, &image->needed[k], digest, err);
        }
    }
    if (code != 0) {
        (void)gs_error_context(err, "image %s", image->locked->as);
    }
    return code;
}

static int push_tag(void *state, size_t i, gs_error *err)
{
    gs_loading *loading = state;
    const gs_load_image *image = &loading->images[i];
    if (image->present) {
        return 0;
    }
    int code = push_manifest(loading, image, &image->needed[image->needed_count - 1], image->reference.tag, err);
    if (code != 0) {
        (void)gs_error_context(err, "image %s", image->locked->as);
        return code;
    }
    const gs_fact facts[] = {GS_TEXT_FACT("image", image->locked->as), GS_TEXT_FACT("tag", image->reference.tag),
                             GS_TEXT_FACT("digest", image->locked->digest)};
    gs_emit(&loading->site->run, GS_INFO, "imagePushed", facts, sizeof facts / sizeof facts[0], "pushed %s/%s:%s",
            gs_registry_host(loading->registry), image->reference.path, image->reference.tag);
    return 0;
}

int gs_loading_push(gs_loading *loading, gs_error *err)
{
    unsigned jobs = loading->site->run.jobs;
    if (loading->missing == 0) {
        return 0;
    }
    int code = gs_parallel(jobs, loading->blob_count, push_blob, loading, err);
    if (code == 0) {
        code = gs_parallel(jobs, loading->image_count, push_children, loading, err);
    }
    return code == 0 ? gs_parallel(jobs, loading->image_count, push_tag, loading, err) : code;
}
