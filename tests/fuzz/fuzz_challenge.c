/* WWW-Authenticate: no crash, and no value that the header does not hold. */
#include <stdlib.h>
#include <string.h>

#include "registry/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *value, size_t size)
{
    if (value && strlen(value) > size) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    gs_arena *arena = gs_arena_new();
    gs_challenge found[GS_MAX_CHALLENGES];
    size_t count = 0;
    gs_error err = {0};
    if (text && arena && gs_challenges_parse(text, arena, found, &count, &err) == 0) {
        for (size_t i = 0; i < count; i++) {
            check(found[i].scheme, size);
            check(found[i].realm, size);
            check(found[i].scope, size);
            if (!found[i].scheme || found[i].scheme[0] == '\0') {
                abort();
            }
        }
    }
    gs_arena_free(arena);
    free(text);
    return 0;
}
