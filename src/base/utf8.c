/* Decides what is well-formed UTF-8 and what a terminal may be shown. Knows nothing of errors or buffers: they build on it. */
#include "utf8.h"

#include <stdint.h>
#include <string.h>

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

size_t gs_utf8_length(const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    if (len == 0) {
        return 0;
    }
    if (p[0] < 0x80) {
        return 1;
    }
    size_t want = p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
    if (want == 0 || want > len) {
        return 0;
    }
    for (size_t i = 1; i < want; i++) {
        if (!is_continuation(p[i])) {
            return 0;
        }
    }
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] > 0x9f;
    bool too_large = p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || too_large ? 0 : want;
}

/* Besides the control characters proper: line separators, and the direction marks and overrides that make a terminal show another
 * text than the one that is there. */
static bool is_deceptive(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text;
    if (length == 1) {
        return p[0] < 0x20 || p[0] == 0x7f;
    }
    if (length == 2) {
        uint32_t code = ((uint32_t)(p[0] & 0x1f) << 6) | (p[1] & 0x3fu);
        return code < 0xa0 || code == 0x061c;
    }
    if (length == 3) {
        uint32_t code = ((uint32_t)(p[0] & 0x0f) << 12) | ((uint32_t)(p[1] & 0x3f) << 6) | (p[2] & 0x3fu);
        return code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    }
    return false;
}

size_t gs_utf8_printable(const char *text, char *out, size_t size)
{
    size_t len = strlen(text);
    size_t in = 0;
    size_t used = 0;
    while (in < len && size > 0) {
        size_t length = gs_utf8_length(text + in, len - in);
        bool shown = length > 0 && !is_deceptive(text + in, length);
        size_t need = shown ? length : 1;
        if (used + need > size - 1) {
            break;
        }
        if (shown) {
            memcpy(out + used, text + in, length);
        } else {
            out[used] = '?';
        }
        used += need;
        in += length > 0 ? length : 1;
    }
    if (size > 0) {
        out[used] = '\0';
    }
    return in;
}

void gs_utf8_shorten(const char *text, bool cut, char *out, size_t size)
{
    static const char ellipsis[] = "…";
    size_t taken = gs_utf8_printable(text, out, size);
    if ((text[taken] == '\0' && !cut) || size < sizeof ellipsis) {
        return;
    }
    size_t end = strlen(out);
    if (end > size - sizeof ellipsis) {
        end = size - sizeof ellipsis;
        while (end > 0 && is_continuation((unsigned char)out[end])) {
            end--;
        }
    }
    memcpy(out + end, ellipsis, sizeof ellipsis);
}
