/* Puts manifests and proves that they arrived. Bytes are sent as they came. */
#include <string.h>

#include "gapship/limits.h"
#include "internal.h"

int gs_manifest_put(gs_registry *registry, const char *repository, const char *reference, const gs_descriptor *manifest,
                    const void *data, bool *indexed, gs_error *err)
{
    GS_AUTO_CALL gs_call call;
    GS_AUTO_RESPONSE gs_http_response response = {0};
    int code = gs_call_init(&call, registry, repository, GS_ACCESS_PUSH, "manifests", reference, err);
    const gs_http_header type = {"Content-Type", manifest->media_type};
    call.http.method = "PUT";
    call.http.headers = &type;
    call.http.header_count = 1;
    call.http.body = data;
    call.http.body_len = manifest->size;
    code = code ? code : gs_call_send(registry, &call, &response, err);
    if (code) {
        return code;
    }
    if (response.status < 200 || response.status > 299) {
        code = gs_call_refused(registry, &call, &response, err, "the manifest %s cannot be pushed", reference);
        return gs_answer_has_code(&response, "DIGEST_INVALID") ? gs_error_recode(err, GS_EDIGEST) : code;
    }
    gs_digest told;
    if (gs_answer_digest(&response, &told) && !gs_digest_equal(&told, &manifest->digest)) {
        char other[GS_DIGEST_TEXT];
        gs_digest_text(&told, other);
        gs_fail(err, GS_EDIGEST, "the registry stored the manifest %s with another digest, %s", reference, other);
        return gs_registry_at(registry, repository, err);
    }
    char subject[GS_DIGEST_TEXT];
    *indexed = gs_http_header_get(&response, "OCI-Subject", 0, subject, sizeof subject);
    return 0;
}

/* Some registries answer 201 to anything. */
static int prove(gs_registry *registry, const char *repository, const gs_descriptor *manifest, gs_error *err)
{
    char name[GS_DIGEST_TEXT];
    gs_digest_text(&manifest->digest, name);
    bool found;
    gs_digest digest;
    int code = gs_registry_head_manifest(registry, repository, name, &found, &digest, err);
    if (code) {
        return code;
    }
    if (!found || !gs_digest_equal(&digest, &manifest->digest)) {
        gs_fail(err, GS_EREGISTRY, "the registry took the manifest %s but does not have it", name);
        gs_registry_at(registry, repository, err);
        return gs_error_hint(err, "look at the registry's log and at what stands before it");
    }
    return 0;
}

/* The descriptor that stands for a manifest in a list of referrers. */
static void describe_referrer(const gs_manifest *manifest, gs_descriptor *descriptor)
{
    descriptor->artifact_type = manifest->artifact_type ? manifest->artifact_type : manifest->config.media_type;
    descriptor->annotations = manifest->annotations;
}

static int make_findable(gs_registry *registry, const char *repository, const gs_manifest *manifest, gs_descriptor descriptor,
                         gs_error *err)
{
    const gs_digest *subject = &manifest->subject->digest;
    bool supported;
    int code = gs_referrers_supported(registry, repository, subject, &supported, err);
    if (code || supported) {
        return code;
    }
    describe_referrer(manifest, &descriptor);
    return gs_referrers_tag_add(registry, repository, subject, &descriptor, err);
}

int gs_registry_put_manifest(gs_registry *registry, const char *repository, const char *reference, const char *media_type,
                             const void *data, size_t len, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_manifest manifest;
    gs_descriptor descriptor = {.media_type = media_type, .size = len};
    int code = arena ? gs_registry_check_reference(reference, err) : gs_fail_nomem(err);
    code = code ? code : gs_manifest_parse(data, len, media_type, arena, &manifest, err);
    code = code ? code : gs_digest_of(data, len, &descriptor.digest, err);
    if (code) {
        return code;
    }
    int status;
    bool told;
    gs_digest digest;
    code = gs_manifest_head(registry, repository, reference, &status, &told, &digest, err);
    bool present = code == 0 && told && gs_digest_equal(&digest, &descriptor.digest);
    bool indexed = false;
    if (code == 0 && !present) {
        code = gs_manifest_put(registry, repository, reference, &descriptor, data, &indexed, err);
        code = code ? code : prove(registry, repository, &descriptor, err);
    }
    if (code == 0 && manifest.subject && !indexed) {
        code = make_findable(registry, repository, &manifest, descriptor, err);
    }
    return code;
}
