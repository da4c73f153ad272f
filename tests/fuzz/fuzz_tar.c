/* Archives from outside: charts, overlays, image archives and layers, with and without compression. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/archive.h"
#include "gapship/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_all(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    unsigned char buffer[4096];
    uint64_t total = 0;
    (void)state;
    /* What a caller relies on. */
    if (!gs_path_valid(entry->name) || (entry->kind == GS_TAR_LINK && !gs_path_valid(entry->target))) {
        abort();
    }
    for (size_t got = 1; got > 0; total += got) {
        int code = gs_source_read(content, buffer, sizeof(buffer), &got, err);
        if (code != 0) {
            return code;
        }
    }
    if (total != entry->size) {
        abort();
    }
    return 0;
}

/* Gives every block that could be a header the checksum it needs to be looked at: a mutation alone never finds it. */
static void repair_checksums(uint8_t *data, size_t size)
{
    for (size_t at = 0; at + 512 <= size; at += 512) {
        uint8_t *block = data + at;
        unsigned int sum = 0;
        if (memcmp(block + 257, "ustar", 5) != 0) {
            continue;
        }
        memset(block + 148, ' ', 8);
        for (size_t i = 0; i < 512; i++) {
            sum += block[i];
        }
        for (size_t i = 0; i < 6; i++) {
            block[153 - i] = (uint8_t)('0' + (sum >> 3 * i & 7));
        }
        block[154] = '\0';
    }
}

static void judge(const uint8_t *data, size_t size)
{
    static const gs_tar_limits limits = {.entries = 100, .file_size = 1 << 20, .total = 1 << 20, .links = true};
    gs_error err = {0};
    gs_source *source = NULL;
    if (gs_source_memory(data, size, &source, &err) == 0 && gs_tar_read(source, &limits, read_all, NULL, &err) != 0 &&
        err.code == 0) {
        abort(); /* a failure without an error */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    judge(data, size);
    uint8_t *repaired = malloc(size + 1);
    if (repaired) {
        memcpy(repaired, data, size);
        repair_checksums(repaired, size);
        judge(repaired, size);
        free(repaired);
    }
    return 0;
}
