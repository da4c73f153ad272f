/* Asks for manifests: the bytes, or only whether one is there. Every body is hashed before anybody sees it. */
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

/* Registries show a manifest only to those who can name its type. */
#define ACCEPTED GS_MEDIA_INDEX ", " GS_MEDIA_MANIFEST ", " GS_MEDIA_DOCKER_LIST ", " GS_MEDIA_DOCKER_MANIFEST ", */*;q=0.1"

static const gs_http_header accept_header = {"Accept", ACCEPTED};

bool gs_is_digest_reference(const char *reference)
{
    return strchr(reference, ':') != NULL;
}

int gs_registry_check_reference(const char *reference, gs_error *err)
{
    gs_digest digest;
    if (gs_is_digest_reference(reference)) {
        return gs_digest_parse(reference, &digest, err);
    }
    if (!gs_tag_valid(reference)) {
        return gs_fail(err, GS_ESPEC, "\"%.150s\" is not a tag", reference);
    }
    return 0;
}

static int init_call(gs_call *call, const gs_registry *registry, const char *repository, const char *reference, gs_error *err)
{
    *call = (gs_call){0};
    int code = gs_registry_check_reference(reference, err);
    code = code ? code : gs_call_init(call, registry, repository, GS_ACCESS_PULL, "manifests", reference, err);
    call->http.headers = &accept_header;
    call->http.header_count = 1;
    call->http.redirects = true;
    return code;
}

/* The media type of Content-Type without its parameters, or NULL where it says nothing ("application/json"). */
static const char *content_type(const gs_http_response *response, char *buffer, size_t size)
{
    if (!gs_http_header_get(response, "Content-Type", 0, buffer, size)) {
        return NULL;
    }
    buffer[strcspn(buffer, "; \t")] = '\0';
    bool generic = buffer[0] == '\0' || strcmp(buffer, "application/json") == 0 ||
                   strcmp(buffer, "application/octet-stream") == 0 || gs_text_starts(buffer, "text/");
    return generic ? NULL : buffer;
}

static int check_digest(const gs_http_response *response, const char *reference, const gs_digest *actual, gs_error *err)
{
    char actual_text[GS_DIGEST_TEXT];
    gs_digest_text(actual, actual_text);
    gs_digest promised;
    if (gs_is_digest_reference(reference) && strcmp(reference, actual_text) != 0) {
        return gs_fail(err, GS_EDIGEST, "the registry sent a manifest with the digest %s for %s", actual_text, reference);
    }
    if (gs_answer_digest(response, &promised) && !gs_digest_equal(&promised, actual)) {
        char promised_text[GS_DIGEST_TEXT];
        gs_digest_text(&promised, promised_text);
        return gs_fail(err, GS_EDIGEST, "the registry says that the manifest of %s has the digest %s, but its bytes have %s",
                       reference, promised_text, actual_text);
    }
    return 0;
}

static int take_manifest(const gs_http_response *response, const char *reference, gs_arena *arena, gs_descriptor *out,
                         gs_error *err)
{
    gs_descriptor found = {.size = response->body.len};
    int code = gs_digest_of(response->body.data, response->body.len, &found.digest, err);
    code = code ? code : check_digest(response, reference, &found.digest, err);
    if (code) {
        return code;
    }
    char type[256];
    gs_manifest manifest;
    code = gs_manifest_parse(response->body.data, response->body.len, content_type(response, type, sizeof type), arena, &manifest,
                             err);
    if (code) {
        return code;
    }
    found.media_type = manifest.media_type;
    found.artifact_type = manifest.artifact_type;
    *out = found;
    return 0;
}

int gs_registry_get_manifest(gs_registry *registry, const char *repository, const char *reference, gs_arena *arena, gs_buf *bytes,
                             gs_descriptor *out, gs_error *err)
{
    GS_AUTO_CALL gs_call call;
    int code = init_call(&call, registry, repository, reference, err);
    if (code) {
        return code;
    }
    call.http.max_body = bytes->max;
    GS_AUTO_RESPONSE gs_http_response response = {0};
    code = gs_call_send(registry, &call, &response, err);
    if (code) {
        return code;
    }
    if (response.status != 200) {
        return gs_call_refused(registry, &call, &response, err, "the manifest %s cannot be pulled", reference);
    }
    code = take_manifest(&response, reference, arena, out, err);
    if (code) {
        gs_registry_at(registry, repository, err);
        return code;
    }
    gs_buf_clear(bytes);
    gs_buf_add(bytes, response.body.data, response.body.len);
    return gs_buf_check(bytes, err);
}

int gs_manifest_head(gs_registry *registry, const char *repository, const char *reference, int *status, bool *has_digest,
                     gs_digest *digest, gs_error *err)
{
    GS_AUTO_CALL gs_call call;
    int code = init_call(&call, registry, repository, reference, err);
    if (code) {
        return code;
    }
    call.http.method = "HEAD";
    GS_AUTO_RESPONSE gs_http_response response = {0};
    code = gs_call_send(registry, &call, &response, err);
    if (code) {
        return code;
    }
    *status = response.status;
    *has_digest = response.status == 200 && gs_answer_digest(&response, digest);
    return 0;
}

int gs_registry_head_manifest(gs_registry *registry, const char *repository, const char *reference, bool *found, gs_digest *digest,
                              gs_error *err)
{
    int status;
    bool has_digest;
    gs_digest told;
    int code = gs_manifest_head(registry, repository, reference, &status, &has_digest, &told, err);
    if (code) {
        return code;
    }
    if (has_digest) {
        *found = true;
        *digest = told;
        return 0;
    }
    /* A HEAD without digest, or refused, proves nothing: some registries know only GET, and only GET says why. */
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    if (!arena) {
        return gs_fail_nomem(err);
    }
    gs_descriptor descriptor;
    code = gs_registry_get_manifest(registry, repository, reference, arena, &bytes, &descriptor, err);
    if (code == 0) {
        *found = true;
        *digest = descriptor.digest;
    } else if (code == GS_ENOTFOUND) {
        *found = false;
        return 0;
    }
    return code;
}
