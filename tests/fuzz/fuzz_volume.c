/* The header of a volume and the length of its file (the first eight bytes): what is accepted is written again as the same bytes, its
 * slice lies within the bundle, and the slices of all volumes together are the bundle. */
#include <string.h>

#include "bundle/volume.h"
#include "fuzz.h"
#include "gapship/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_volume volume;
    unsigned char again[GS_BLOCK];
    if (size != 8 + GS_BLOCK) {
        return 0;
    }
    const uint64_t length = gs_load_u64(data);
    int code = gs_volume_parse(data + 8, length, &volume, &err);
    check(code == 0 || (code == GS_EFORMAT && err.message[0] != '\0'));
    if (code != 0) {
        return 0;
    }
    gs_volume_write(&volume, again);
    check(memcmp(again, data + 8, sizeof again) == 0);
    check(volume.number >= 1 && volume.number <= volume.count && volume.count <= GS_MAX_VOLUMES);
    const uint64_t start = (volume.number - 1) * volume.slice;
    check(length > GS_BLOCK && start + (length - GS_BLOCK) <= volume.total);
    check(volume.number < volume.count ? length - GS_BLOCK == volume.slice : start + (length - GS_BLOCK) == volume.total);
    gs_medium medium;
    check(gs_medium_split(volume.count, GS_BLOCK, volume.slice, volume.total, &medium, &err) == 0);
    check(gs_medium_part_length(&medium, volume.number - 1) == length - GS_BLOCK);
    gs_medium_done(&medium);
    return 0;
}
