/* Writes tar headers (POSIX ustar; FORMAT.md section 2). There is no code that reads one: readers compare with what is written
 * here. */
#include "tar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gapship/num.h"

#define LARGEST_OCTAL_SIZE UINT64_C(077777777777)

void gs_member_name(const gs_member *member, char out[GS_MEMBER_NAME])
{
    static const char *const fixed[] = {
        [GS_MEMBER_LAYOUT] = "oci-layout", [GS_MEMBER_INDEX_JSON] = "index.json", [GS_MEMBER_MANIFEST_JSON] = "manifest.json"};
    if (member->kind == GS_MEMBER_BLOB) {
        char hex[GS_DIGEST_HEX];
        gs_digest_hex(&member->digest, hex);
        (void)snprintf(out, GS_MEMBER_NAME, "blobs/sha256/%s", hex);
    } else {
        (void)snprintf(out, GS_MEMBER_NAME, "%s", fixed[member->kind]);
    }
}

static void put(unsigned char *header, size_t offset, const char *text)
{
    memcpy(header + offset, text, strlen(text));
}

static void put_size(unsigned char *field, uint64_t size)
{
    if (size <= LARGEST_OCTAL_SIZE) {
        char text[12];
        (void)snprintf(text, sizeof text, "%011" PRIo64, size);
        memcpy(field, text, sizeof text);
        return;
    }
    field[0] = 0x80;
    for (size_t i = 0; i < 8; i++) {
        field[11 - i] = (unsigned char)(size >> (8 * i));
    }
}

void gs_tar_header(const char *name, uint64_t size, unsigned char out[GS_BLOCK])
{
    memset(out, 0, GS_BLOCK);
    put(out, 0, name);
    put(out, 100, "0000644");
    put(out, 108, "0000000");
    put(out, 116, "0000000");
    put_size(out + 124, size);
    put(out, 136, "00000000000");
    put(out, 148, "        ");
    put(out, 156, "0");
    put(out, 257, "ustar");
    put(out, 263, "00");
    put(out, 329, "0000000");
    put(out, 337, "0000000");
    unsigned sum = 0;
    for (size_t i = 0; i < GS_BLOCK; i++) {
        sum += out[i];
    }
    char checksum[8];
    (void)snprintf(checksum, sizeof checksum, "%06o", sum);
    memcpy(out + 148, checksum, 7);
}

size_t gs_tar_padding(uint64_t size)
{
    return (size_t)(-size & (GS_BLOCK - 1));
}

bool gs_tar_next(uint64_t offset, uint64_t size, uint64_t *next)
{
    uint64_t end;
    return gs_add_u64(offset, size, &end) && gs_round_up_u64(end, GS_BLOCK, &end) && end <= GS_LARGEST_NUMBER - 4 * GS_BLOCK &&
           gs_add_u64(end, GS_BLOCK, next);
}
