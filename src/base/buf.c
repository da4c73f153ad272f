/* The growable byte buffer: the one place that decides how memory for bytes of unknown length grows, and where it stops. */
#include "gapship/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

#define FIRST_CAPACITY 256u

void gs_buf_init(gs_buf *buf, size_t max)
{
    /* One byte below SIZE_MAX, so that room for the NUL can always be counted. */
    *buf = (gs_buf){.max = max < SIZE_MAX ? max : SIZE_MAX - 1};
}

void gs_buf_done(gs_buf *buf)
{
    if (buf) {
        free(buf->data);
        *buf = (gs_buf){.max = buf->max};
    }
}

void gs_buf_clear(gs_buf *buf)
{
    buf->len = 0;
    buf->failed = 0;
    if (buf->data) {
        buf->data[0] = '\0';
    }
}

void *gs_buf_reserve(gs_buf *buf, size_t len)
{
    if (buf->failed) {
        return NULL;
    }
    if (len > buf->max - buf->len) {
        buf->failed = GS_ELIMIT;
        return NULL;
    }
    size_t need = buf->len + len + 1;
    if (need > buf->cap) {
        size_t cap = buf->cap > SIZE_MAX / 2 ? SIZE_MAX : buf->cap * 2;
        cap = cap < FIRST_CAPACITY ? FIRST_CAPACITY : cap;
        cap = cap > buf->max ? buf->max + 1 : cap;
        cap = cap < need ? need : cap;
        char *data = realloc(buf->data, cap);
        if (!data) {
            buf->failed = GS_ENOMEM;
            return NULL;
        }
        buf->data = data;
        buf->cap = cap;
        buf->data[buf->len] = '\0';
    }
    return buf->data + buf->len;
}

void gs_buf_add(gs_buf *buf, const void *data, size_t len)
{
    char *room = gs_buf_reserve(buf, len);
    if (!room) {
        return;
    }
    if (len > 0) {
        memcpy(room, data, len);
    }
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void gs_buf_add_text(gs_buf *buf, const char *text)
{
    gs_buf_add(buf, text, strlen(text));
}

void gs_buf_printf(gs_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        buf->failed = buf->failed ? buf->failed : GS_ENOMEM;
        return;
    }
    char *room = gs_buf_reserve(buf, (size_t)len);
    if (room) {
        va_start(args, format);
        (void)vsnprintf(room, (size_t)len + 1, format, args);
        va_end(args);
        buf->len += (size_t)len;
    }
}

void gs_buf_add_zeros(gs_buf *buf, size_t count)
{
    char *room = gs_buf_reserve(buf, count);
    if (room) {
        memset(room, 0, count + 1);
        buf->len += count;
    }
}

static void add_little_endian(gs_buf *buf, uint64_t value, size_t size)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
    gs_buf_add(buf, bytes, size);
}

void gs_buf_add_u16(gs_buf *buf, uint16_t value)
{
    add_little_endian(buf, value, sizeof value);
}

void gs_buf_add_u32(gs_buf *buf, uint32_t value)
{
    add_little_endian(buf, value, sizeof value);
}

void gs_buf_add_u64(gs_buf *buf, uint64_t value)
{
    add_little_endian(buf, value, sizeof value);
}

static void add_json_escape(gs_buf *buf, unsigned char byte)
{
    static const char short_forms[] = {
        ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    if (byte < sizeof short_forms && short_forms[byte]) {
        gs_buf_add(buf, (char[]){'\\', short_forms[byte]}, 2);
    } else {
        gs_buf_printf(buf, "\\u%04x", byte);
    }
}

void gs_buf_add_json_text(gs_buf *buf, const char *text, size_t len)
{
    gs_buf_add(buf, "\"", 1);
    size_t i = 0;
    while (i < len && !buf->failed) {
        unsigned char byte = (unsigned char)text[i];
        size_t length = gs_utf8_length(text + i, len - i);
        if (length == 0) {
            gs_buf_add_text(buf, "\xef\xbf\xbd");
            length = 1;
        } else if (byte < 0x20 || byte == '"' || byte == '\\') {
            add_json_escape(buf, byte);
        } else {
            gs_buf_add(buf, text + i, length);
        }
        i += length;
    }
    gs_buf_add(buf, "\"", 1);
}

int gs_buf_check(const gs_buf *buf, gs_error *err)
{
    if (buf->failed == GS_ELIMIT) {
        return gs_fail(err, GS_ELIMIT, "more than the %zu bytes that gapship accepts here", buf->max);
    }
    return buf->failed ? gs_fail(err, buf->failed, "%s", gs_code_sentence(buf->failed)) : 0;
}

const char *gs_buf_text(gs_buf *buf)
{
    if (!buf->data) {
        return "";
    }
    buf->data[buf->len] = '\0';
    return buf->data;
}

char *gs_buf_steal(gs_buf *buf)
{
    if (buf->failed) {
        return NULL;
    }
    char *data = buf->data;
    if (data) {
        data[buf->len] = '\0';
    } else {
        data = calloc(1, 1);
    }
    *buf = (gs_buf){.max = buf->max};
    return data;
}
