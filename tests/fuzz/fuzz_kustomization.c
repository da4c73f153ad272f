/* Kustomizations from outside: no crash, no leak, what was edited once needs no second edit, and no entry's path leaves its tree.
 */
#include <string.h>

#include "fuzz.h"
#include "gapship/limits.h"
#include "render/internal.h"

static void edit_twice(const char *text, size_t size)
{
    static const gs_image_edit edits[] = {
        {"a", "registry.internal:5000/p/a", "1234567", NULL}, {"ghcr.io/org/app", NULL, NULL, "sha256:00"}, {"b", "b", "v1", NULL}};
    gs_error err = {0};
    GS_AUTO_BUF gs_buf once;
    GS_AUTO_BUF gs_buf twice;
    gs_buf_init(&once, 2 * GS_MAX_DOC_BYTES);
    gs_buf_init(&twice, 2 * GS_MAX_DOC_BYTES);
    if (gs_kustomization_edit("fuzz", text, size, edits, sizeof edits / sizeof edits[0], &once, &err) < 0) {
        return;
    }
    check(gs_kustomization_edit("fuzz", once.data, once.len, edits, sizeof edits / sizeof edits[0], &twice, &err) == 0);
    check(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
}

static void join(const char *text, size_t size)
{
    bool failed = false;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    char *entry = arena ? gs_arena_copy(arena, text, size < 256 ? size : 256) : NULL;
    if (!entry) {
        return;
    }
    (void)gs_kustomization_remote(entry);
    const char *path = gs_kustomization_join(arena, "overlays/prod", entry, &failed);
    check(!path || (*path != '/' && strcmp(path, "..") != 0 && strncmp(path, "../", 3) != 0 && !strstr(path, "/../")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    edit_twice((const char *)data, size);
    join((const char *)data, size);
    return 0;
}
