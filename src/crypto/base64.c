/* Base64 (RFC 4648 section 4), strict: no white space, full padding, unused bits zero, so that a value has one form only. */
#include "base64.h"

#include <string.h>

#include "gapship/crypto.h"
#include "gapship/num.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int gs_base64_encode(const void *data, size_t len, gs_buf *out, gs_error *err)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= left > 2 ? bytes[i + 2] : 0;
        char digits[4] = {alphabet[group >> 18], alphabet[(group >> 12) & 63], left > 1 ? alphabet[(group >> 6) & 63] : '=',
                          left > 2 ? alphabet[group & 63] : '='};
        gs_buf_add(out, digits, sizeof digits);
    }
    return gs_buf_check(out, err);
}

/* -1 when c is no digit. */
static int digit_value(char c)
{
    const char *found = c != '\0' ? strchr(alphabet, c) : NULL;
    return found ? (int)(found - alphabet) : -1;
}

/* Decodes one group of four; returns how many bytes it holds, 0 when it is malformed. */
static size_t decode_group(const char *group, bool last, unsigned char out[3])
{
    size_t digits = 4;
    if (last && group[3] == '=') {
        digits = group[2] == '=' ? 2 : 3;
    }
    uint32_t value = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i < digits ? digit_value(group[i]) : 0;
        if (digit < 0) {
            return 0;
        }
        value = value << 6 | (uint32_t)digit;
    }
    uint32_t unused = digits == 2 ? 0xffff : digits == 3 ? 0xff : 0;
    if (value & unused) {
        return 0;
    }
    out[0] = (unsigned char)(value >> 16);
    out[1] = (unsigned char)(value >> 8);
    out[2] = (unsigned char)value;
    return digits - 1;
}

bool gs_base64_decode_exactly(const char *text, size_t text_len, unsigned char *out, size_t len)
{
    size_t done = 0;
    if (text_len != GS_BASE64_LENGTH(len)) {
        return false;
    }
    for (size_t i = 0; i < text_len; i += 4) {
        unsigned char bytes[3];
        size_t count = decode_group(text + i, i + 4 == text_len, bytes);
        if (count == 0 || count > len - done) {
            return false;
        }
        memcpy(out + done, bytes, count);
        done += count;
    }
    return done == len;
}

int gs_base64_decode(const char *text, gs_buf *out, gs_error *err)
{
    size_t len = strlen(text);
    size_t start = out->len;
    bool valid = len % 4 == 0;
    for (size_t i = 0; valid && i < len; i += 4) {
        unsigned char bytes[3];
        size_t count = decode_group(text + i, i + 4 == len, bytes);
        valid = count > 0;
        gs_buf_add(out, bytes, count);
    }
    int code = valid ? gs_buf_check(out, err) : gs_fail(err, GS_EFORMAT, "not base64 (RFC 4648, with padding, without spaces)");
    if (code != 0) {
        out->len = start;
    }
    return code;
}
