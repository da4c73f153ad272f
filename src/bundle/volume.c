/* The header of a volume: arithmetic on bytes that nobody has vouched for yet. Opens nothing; finding volumes is in volume_set.c. */
#include "volume.h"

#include <inttypes.h>
#include <string.h>

#include "gapship/num.h"

#define VERSION_OFFSET 8u
#define NUMBER_OFFSET  12u
#define COUNT_OFFSET   16u
#define ZERO_OFFSET    20u
#define SLICE_OFFSET   24u
#define TOTAL_OFFSET   32u
#define BUNDLE_OFFSET  40u
#define REST_OFFSET    72u

bool gs_volume_begins(const unsigned char header[GS_MAGIC_BYTES])
{
    return memcmp(header, GS_VOLUME_MAGIC, GS_MAGIC_BYTES) == 0;
}

uint64_t gs_volume_count(uint64_t total, uint64_t slice)
{
    return total / slice + (total % slice != 0 ? 1 : 0);
}

/* A single volume has no other to contradict its slice, so that is bounded by the total: no field has a second value that would do.
 */
static bool is_possible(const gs_volume *volume)
{
    return volume->total > 0 && volume->total <= GS_LARGEST_NUMBER && volume->total % GS_BLOCK == 0 && volume->slice > 0 &&
           volume->slice <= volume->total && volume->slice % GS_BLOCK == 0 && volume->count <= GS_MAX_VOLUMES &&
           volume->count == gs_volume_count(volume->total, volume->slice) && volume->number >= 1 && volume->number <= volume->count;
}

static int check_length(const gs_volume *volume, uint64_t file_length, gs_error *err)
{
    const uint64_t before = (volume->number - 1) * volume->slice;
    const uint64_t left = volume->total - before;
    const uint64_t expected = GS_BLOCK + (left < volume->slice ? left : volume->slice);
    if (file_length == expected) {
        return 0;
    }
    (void)gs_fail(err, GS_EFORMAT, "volume %" PRIu32 " of %" PRIu32 " has %" PRIu64 " bytes instead of %" PRIu64 ": it was %s",
                  volume->number, volume->count, file_length, expected, file_length < expected ? "cut short" : "extended");
    (void)gs_error_hint(err, "copy this volume again from where it was made");
    return GS_EFORMAT;
}

int gs_volume_parse(const unsigned char header[GS_BLOCK], uint64_t file_length, gs_volume *out, gs_error *err)
{
    if (!gs_volume_begins(header)) {
        return gs_fail(err, GS_EFORMAT, "this is not a volume of a split bundle: it does not begin with %s", GS_VOLUME_MAGIC);
    }
    uint32_t version = gs_load_u32(header + VERSION_OFFSET);
    if (version != GS_VOLUME_VERSION) {
        (void)gs_fail(err, GS_EFORMAT, "the volume has version %" PRIu32 ", this gapship reads version %u", version,
                      GS_VOLUME_VERSION);
        (void)gs_error_hint(err, "use a gapship as new as the one that made it");
        return GS_EFORMAT;
    }
    gs_volume volume = {.number = gs_load_u32(header + NUMBER_OFFSET),
                        .count = gs_load_u32(header + COUNT_OFFSET),
                        .slice = gs_load_u64(header + SLICE_OFFSET),
                        .total = gs_load_u64(header + TOTAL_OFFSET)};
    memcpy(volume.bundle.bytes, header + BUNDLE_OFFSET, GS_DIGEST_BYTES);
    if (!is_possible(&volume) || !gs_all_zero(header + ZERO_OFFSET, SLICE_OFFSET - ZERO_OFFSET) ||
        !gs_all_zero(header + REST_OFFSET, GS_BLOCK - REST_OFFSET)) {
        return gs_fail(err, GS_EFORMAT, "the volume's header contradicts itself: it was changed");
    }
    int code = check_length(&volume, file_length, err);
    if (code == 0) {
        *out = volume;
    }
    return code;
}

static void store(unsigned char *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        out[i] = (unsigned char)(value >> (8 * i));
    }
}

void gs_volume_write(const gs_volume *volume, unsigned char out[GS_BLOCK])
{
    memset(out, 0, GS_BLOCK);
    memcpy(out, GS_VOLUME_MAGIC, GS_MAGIC_BYTES);
    store(out + VERSION_OFFSET, GS_VOLUME_VERSION, sizeof(uint32_t));
    store(out + NUMBER_OFFSET, volume->number, sizeof volume->number);
    store(out + COUNT_OFFSET, volume->count, sizeof volume->count);
    store(out + SLICE_OFFSET, volume->slice, sizeof volume->slice);
    store(out + TOTAL_OFFSET, volume->total, sizeof volume->total);
    memcpy(out + BUNDLE_OFFSET, volume->bundle.bytes, GS_DIGEST_BYTES);
}

bool gs_volume_same_set(const gs_volume *a, const gs_volume *b)
{
    return a->count == b->count && a->slice == b->slice && a->total == b->total && gs_digest_equal(&a->bundle, &b->bundle);
}

size_t gs_volume_base(const char *path)
{
    size_t len = strlen(path);
    if (len < GS_VOLUME_SUFFIX) {
        return 0;
    }
    const char *suffix = path + len - (GS_VOLUME_SUFFIX - 1);
    return suffix[0] == '.' && suffix[-1] != '/' && strspn(suffix + 1, "0123456789") == GS_VOLUME_SUFFIX - 2
               ? (size_t)(suffix - path)
               : 0;
}
