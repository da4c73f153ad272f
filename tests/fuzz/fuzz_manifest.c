/* Manifests and indexes: no crash, and what was understood can be written, and is understood the same. */
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_arena *arena = gs_arena_new();
    gs_error err = {0};
    gs_manifest first, second;
    gs_buf written;
    gs_buf_init(&written, GS_MIB(64));
    if (arena && gs_manifest_parse(data, size, NULL, arena, &first, &err) == 0 && gs_manifest_write(&first, &written, &err) == 0 &&
        written.len <= GS_MAX_MANIFEST_BYTES) {
        if (gs_manifest_parse(written.data, written.len, first.media_type, arena, &second, &err) != 0 ||
            first.is_index != second.is_index || first.item_count != second.item_count || !first.subject != !second.subject) {
            abort();
        }
        for (size_t i = 0; i < first.item_count; i++) {
            if (first.items[i].size != second.items[i].size || !gs_digest_equal(&first.items[i].digest, &second.items[i].digest)) {
                abort();
            }
        }
    }
    gs_buf_done(&written);
    gs_arena_free(arena);
    return 0;
}
