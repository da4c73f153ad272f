/* Answers of a registry and of its token server, line "====" between them; the first byte says what the client wants to do. Whatever
 * they answer: content has the digest it was asked by, lists are in order, and a token goes to the registry alone. */
#include <fcntl.h>
#include <string.h>

#include "answers.h"
#include "fuzz.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "registry/internal.h"
#include "scratch.h"

static const char content[] = "{\"schemaVersion\":2}";

static void ask_tags(gs_registry *registry, gs_arena *arena, gs_error *err)
{
    gs_text_list tags = {0};
    if (gs_registry_tags(registry, "a/b", arena, &tags, err) == 0) {
        for (size_t i = 0; i < tags.count; i++) {
            check(gs_tag_valid(tags.items[i]) && (i == 0 || strcmp(tags.items[i - 1], tags.items[i]) < 0));
        }
    }
}

static void ask_manifest(gs_registry *registry, gs_arena *arena, const char *reference, gs_error *err)
{
    gs_buf bytes;
    gs_descriptor found;
    gs_digest digest;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    if (gs_registry_get_manifest(registry, "a/b", reference, arena, &bytes, &found, err) == 0) {
        char text[GS_DIGEST_TEXT];
        check(gs_digest_of(bytes.data, bytes.len, &digest, err) == 0 && gs_digest_equal(&digest, &found.digest));
        gs_digest_text(&digest, text);
        check(found.size == bytes.len && found.media_type && (!strchr(reference, ':') || strcmp(reference, text) == 0));
    }
    gs_buf_done(&bytes);
}

static void ask_referrers(gs_registry *registry, gs_arena *arena, const gs_digest *subject, gs_error *err)
{
    gs_descriptor *found = NULL;
    size_t count = 0;
    if (gs_registry_referrers(registry, "a/b", subject, arena, &found, &count, err) == 0) {
        check(count <= GS_MAX_DESCRIPTORS);
        for (size_t i = 0; i < count; i++) {
            check(found[i].media_type != NULL);
        }
    }
}

static void ask_blob(gs_registry *registry, const gs_digest *digest, gs_error *err)
{
    gs_buf bytes;
    gs_sink *sink = NULL;
    const gs_descriptor blob = {.media_type = "a/b", .digest = *digest, .size = sizeof content - 1};
    gs_buf_init(&bytes, GS_KIB(64));
    if (gs_sink_buffer(&bytes, &sink, err) == 0) {
        int code = gs_registry_get_blob(registry, "a/b", &blob, sink, NULL, NULL, err);
        check(bytes.len <= blob.size);
        check(code != 0 || (bytes.len == blob.size && memcmp(bytes.data, content, bytes.len) == 0));
        gs_sink_cancel(&sink);
    }
    gs_buf_done(&bytes);
}

static void put_blob(gs_registry *registry, const gs_digest *digest, gs_error *err)
{
    char path[SCRATCH_PATH];
    GS_AUTO_FD int fd = -1;
    uint64_t size;
    scratch_write("blob", content, sizeof content - 1, path);
    if (gs_fs_open_read(AT_FDCWD, path, false, &fd, &size, err) == 0) {
        const gs_span span = {.fd = fd, .offset = 0, .len = size};
        (void)!gs_registry_put_blob(registry, "a/b", digest, &span, NULL, NULL, err);
    }
}

static void ask(gs_registry *registry, gs_arena *arena, uint8_t what, gs_error *err)
{
    gs_digest digest;
    char reference[GS_DIGEST_TEXT];
    bool found = false;
    check(gs_digest_of(content, sizeof content - 1, &digest, err) == 0);
    gs_digest_text(&digest, reference);
    switch (what % 10) {
    case 0:
        ask_tags(registry, arena, err);
        break;
    case 1:
        ask_manifest(registry, arena, "v1", err);
        break;
    case 2:
        ask_manifest(registry, arena, reference, err);
        break;
    case 3:
        ask_referrers(registry, arena, &digest, err);
        break;
    case 4:
        ask_blob(registry, &digest, err);
        break;
    case 5:
        put_blob(registry, &digest, err);
        break;
    case 6:
        (void)!gs_registry_put_manifest(registry, "a/b", "v1", GS_MEDIA_MANIFEST, content, sizeof content - 1, err);
        break;
    case 7:
        (void)!gs_registry_mount_blob(registry, "a/b", "c/d", &digest, &found, err);
        break;
    case 8:
        (void)!gs_registry_head_manifest(registry, "a/b", "v1", &found, &digest, err);
        break;
    default:
        (void)!gs_registry_ping(registry, err);
    }
}

static void check_requests(void)
{
    const char *requests[ANSWERS_MOST];
    size_t count = answers_asked(requests);
    for (size_t i = 0; i < count; i++) {
        check(answers_host(requests[i]) || !strcasestr(requests[i], "\r\nAuthorization: Bearer"));
    }
}

/* A client of the registry whose every connection goes to the socket. */
static gs_registry *reach(gs_error *err)
{
    static char credentials[SCRATCH_PATH];
    if (credentials[0] == '\0') {
        scratch_write("credentials", "fuzz:Zq7xCanary", 15, credentials);
    }
    const gs_registry_options options = {.url = "http://" ANSWERS_HOST, .credentials_file = credentials, .tries = 2};
    const gs_http_host host = {.unix_socket = answers_socket()};
    gs_registry *registry = NULL;
    check(gs_registry_new(NULL, &options, &registry, err) == 0);
    gs_auth_free(registry->auth);
    gs_http_free(registry->http);
    registry->auth = NULL;
    registry->http = NULL;
    check(gs_http_new(NULL, &host, &registry->http, err) == 0);
    const gs_auth_options auth = {
        .http = registry->http, .base = registry->base, .host = registry->host, .credentials_file = credentials, .tries = 2};
    check(gs_auth_new(&auth, &registry->auth, err) == 0);
    return registry;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_arena *arena = gs_arena_new();
    if (size > 0 && arena) {
        gs_registry *registry = reach(&err);
        answers_set(data + 1, size - 1);
        ask(registry, arena, data[0], &err);
        check_requests();
        gs_registry_free(registry);
        answers_set(NULL, 0);
    }
    gs_arena_free(arena);
    return 0;
}
