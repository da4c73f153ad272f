/* Image references, sources and platforms: what is accepted keeps to its grammar, and means the same when it is written and read again. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "gapship/oci.h"

static void check_reference(const char *text)
{
    gs_error err = {0};
    gs_reference first;
    gs_reference second;
    gs_digest digest;
    char written[GS_REFERENCE_TEXT];
    if (gs_reference_parse(text, &first, &err) != 0) {
        check(err.code == GS_ESPEC);
        return;
    }
    gs_reference_text(&first, written);
    check(gs_reference_parse(written, &second, &err) == 0);
    check(strcmp(first.host, second.host) == 0 && strcmp(first.path, second.path) == 0);
    check(strcmp(first.tag, second.tag) == 0 && strcmp(first.digest, second.digest) == 0);
    check(first.host[0] != '\0' && gs_repository_valid(first.path) && (first.tag[0] == '\0' || gs_tag_valid(first.tag)));
    check(strncmp(first.digest, "sha256:", 7) != 0 || gs_digest_parse(first.digest, &digest, NULL) == 0);
    check(first.tag[0] != '\0' || first.digest[0] != '\0');
}

static void check_source(const char *text, gs_arena *arena)
{
    gs_error err = {0};
    gs_image_source source;
    if (gs_image_source_parse(text, arena, &source, &err) == 0) {
        check(source.transport == GS_DOCKER ? gs_repository_valid(source.reference.path) : source.path[0] != '\0');
    }
}

static void check_platform(const char *text, gs_arena *arena)
{
    gs_error err = {0};
    gs_platform first;
    gs_platform second;
    if (gs_platform_parse(text, arena, &first, &err) == 0) {
        const char *written = gs_arena_printf(arena, "%s/%s%s%s", first.os, first.architecture, first.variant[0] ? "/" : "",
                                              first.variant);
        check(first.os[0] != '\0' && first.architecture[0] != '\0');
        check(written && gs_platform_parse(written, arena, &second, &err) == 0);
        check(gs_platform_match(&first, &second) && gs_platform_match(&second, &first));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    gs_arena *arena = gs_arena_new();
    if (text && arena) {
        check_reference(text);
        check_source(text, arena);
        check_platform(text, arena);
    }
    gs_arena_free(arena);
    free(text);
    return 0;
}
