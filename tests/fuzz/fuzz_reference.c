/* Image references and sources: no crash, and what is accepted means the same when it is written out and read again. */
#include <stdlib.h>
#include <string.h>

#include "gapship/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    gs_arena *arena = gs_arena_new();
    gs_error err = {0};
    gs_reference first, second;
    char written[GS_REFERENCE_TEXT];
    if (text && gs_reference_parse(text, &first, &err) == 0) {
        gs_reference_text(&first, written);
        if (gs_reference_parse(written, &second, &err) != 0 || strcmp(first.host, second.host) != 0 ||
            strcmp(first.path, second.path) != 0 || strcmp(first.tag, second.tag) != 0 ||
            strcmp(first.digest, second.digest) != 0 || !gs_repository_valid(first.path)) {
            abort();
        }
    }
    gs_image_source source;
    gs_platform platform;
    if (text && arena) {
        (void)!gs_image_source_parse(text, arena, &source, &err);
        (void)!gs_platform_parse(text, arena, &platform, &err);
    }
    gs_arena_free(arena);
    free(text);
    return 0;
}
