/* Numbers from outside and sums about them: strict parsers, checked arithmetic, hex and little-endian loads. Times, durations and
 * sizes are in time.c. */
#include "gapship/num.h"

#include <string.h>

bool gs_parse_u64(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (*text == '\0') {
        return false;
    }
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || !gs_mul_u64(value, 10, &value) || !gs_add_u64(value, (uint64_t)(*p - '0'), &value)) {
            return false;
        }
    }
    if (value > max) {
        return false;
    }
    *out = value;
    return true;
}

bool gs_parse_i64(const char *text, int64_t *out)
{
    bool negative = *text == '-';
    uint64_t magnitude;
    if (!gs_parse_u64(text + negative, (uint64_t)INT64_MAX + negative, &magnitude)) {
        return false;
    }
    /* Negated while unsigned: INT64_MIN has no positive counterpart. */
    *out = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

void gs_hex_encode(const unsigned char *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

static unsigned digit_value(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

bool gs_hex_decode(const char *text, unsigned char *out, size_t len)
{
    size_t digits;
    if (!gs_mul_size(len, 2, &digits) || strspn(text, "0123456789abcdef") != digits || text[digits] != '\0') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = (unsigned char)((digit_value(text[2 * i]) << 4) | digit_value(text[2 * i + 1]));
    }
    return true;
}

/* The builtins store the wrapped value too, so the result goes to *out only when it is right. */
bool gs_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t sum;
    bool fits = !__builtin_add_overflow(a, b, &sum);
    if (fits) {
        *out = sum;
    }
    return fits;
}

bool gs_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t product;
    bool fits = !__builtin_mul_overflow(a, b, &product);
    if (fits) {
        *out = product;
    }
    return fits;
}

bool gs_add_size(size_t a, size_t b, size_t *out)
{
    size_t sum;
    bool fits = !__builtin_add_overflow(a, b, &sum);
    if (fits) {
        *out = sum;
    }
    return fits;
}

bool gs_mul_size(size_t a, size_t b, size_t *out)
{
    size_t product;
    bool fits = !__builtin_mul_overflow(a, b, &product);
    if (fits) {
        *out = product;
    }
    return fits;
}

bool gs_round_up_u64(uint64_t value, uint64_t multiple, uint64_t *out)
{
    uint64_t raised;
    if (multiple == 0 || (multiple & (multiple - 1)) != 0 || !gs_add_u64(value, multiple - 1, &raised)) {
        return false;
    }
    *out = raised & ~(multiple - 1);
    return true;
}

static uint64_t load_little_endian(const unsigned char *p, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value |= (uint64_t)p[i] << (8 * i);
    }
    return value;
}

bool gs_all_zero(const void *data, size_t len)
{
    const unsigned char *bytes = data;
    return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

uint16_t gs_load_u16(const unsigned char *p)
{
    return (uint16_t)load_little_endian(p, sizeof(uint16_t));
}

uint32_t gs_load_u32(const unsigned char *p)
{
    return (uint32_t)load_little_endian(p, sizeof(uint32_t));
}

uint64_t gs_load_u64(const unsigned char *p)
{
    return load_little_endian(p, sizeof(uint64_t));
}
