/* Where an image comes from (the transport prefixes of skopeo and podman) and which platform of it is meant. */
#include <string.h>

#include "gapship/oci.h"
#include "gapship/text.h"

typedef struct transport_prefix {
    const char *text;
    gs_transport transport;
    bool file;
} transport_prefix;

static const transport_prefix prefixes[] = {
    {"docker://", GS_DOCKER, false},
    {"oci:", GS_OCI_DIRECTORY, true},
    {"oci-archive:", GS_OCI_ARCHIVE, true},
    {"docker-archive:", GS_DOCKER_ARCHIVE, true},
};

static const char *const unsupported[] = {"docker-daemon:", "containers-storage:", "oci://", "http://", "https://"};

static int read_file_source(const char *text, const transport_prefix *prefix, gs_arena *arena, gs_image_source *out, gs_error *err)
{
    const char *path = text + strlen(prefix->text);
    size_t len = strcspn(path, ":");
    if (len == 0) {
        return gs_fail(err, GS_ESPEC, "\"%s\" names no file after %s", text, prefix->text);
    }
    gs_image_source source = {.transport = prefix->transport, .path = gs_arena_copy(arena, path, len)};
    if (!source.path) {
        return gs_fail_nomem(err);
    }
    if (path[len] == ':') {
        source.name = gs_arena_text(arena, path + len + 1);
        if (!source.name) {
            return gs_fail_nomem(err);
        }
        if (source.name[0] == '\0') {
            return gs_fail(err, GS_ESPEC, "\"%s\" has nothing after its last ':'", text);
        }
    }
    *out = source;
    return 0;
}

int gs_image_source_parse(const char *text, gs_arena *arena, gs_image_source *out, gs_error *err)
{
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++) {
        if (gs_text_starts(text, unsupported[i])) {
            gs_fail(err, GS_ESPEC, "\"%s\" is not a source that gapship reads images from", text);
            return gs_error_hint(err, "use a registry reference, oci:DIR, oci-archive:FILE or docker-archive:FILE");
        }
    }
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (gs_text_starts(text, prefixes[i].text) && prefixes[i].file) {
            return read_file_source(text, &prefixes[i], arena, out, err);
        }
    }
    const char *reference = gs_text_starts(text, prefixes[0].text) ? text + strlen(prefixes[0].text) : text;
    gs_image_source source = {.transport = GS_DOCKER};
    int code = gs_reference_parse(reference, &source.reference, err);
    if (code == 0) {
        *out = source;
    }
    return code;
}

static bool platform_part_valid(const char *text)
{
    return text[0] != '\0' && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(text);
}

int gs_platform_parse(const char *text, gs_arena *arena, gs_platform *out, gs_error *err)
{
    char *parts[3] = {gs_arena_text(arena, text), NULL, NULL};
    if (!parts[0]) {
        return gs_fail_nomem(err);
    }
    size_t count = 1;
    for (char *slash = strchr(parts[0], '/'); slash && count < 3; slash = strchr(parts[count - 1], '/')) {
        *slash = '\0';
        parts[count++] = slash + 1;
    }
    bool valid = count >= 2;
    for (size_t i = 0; i < count; i++) {
        valid = valid && platform_part_valid(parts[i]);
    }
    if (!valid) {
        gs_fail(err, GS_ESPEC, "\"%s\" is not a platform", text);
        return gs_error_hint(err, "write OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, as linux/amd64 or linux/arm/v7");
    }
    *out = (gs_platform){.os = parts[0], .architecture = parts[1], .variant = count == 3 ? parts[2] : ""};
    return 0;
}

/* The variant that an architecture without one has (containerd's platforms.Normalize). */
static const char *plain_variant(const gs_platform *platform)
{
    const char *variant = platform->variant ? platform->variant : "";
    if (strcmp(platform->architecture, "arm64") == 0 && (strcmp(variant, "v8") == 0 || strcmp(variant, "8") == 0)) {
        return "";
    }
    if (strcmp(platform->architecture, "amd64") == 0 && strcmp(variant, "v1") == 0) {
        return "";
    }
    if (strcmp(platform->architecture, "arm") == 0 && variant[0] == '\0') {
        return "v7";
    }
    return variant;
}

bool gs_platform_match(const gs_platform *wanted, const gs_platform *offered)
{
    return wanted->os && offered->os && wanted->architecture && offered->architecture && strcmp(wanted->os, offered->os) == 0 &&
           strcmp(wanted->architecture, offered->architecture) == 0 && strcmp(plain_variant(wanted), plain_variant(offered)) == 0;
}
