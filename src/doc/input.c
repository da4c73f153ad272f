/* The input before any parser sees it: size, encoding, and places in it for messages.
 * Must not know about YAML or JSON beyond the characters that both allow. */
#include "doc_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gapship/text.h"

size_t gs_doc_bom(const char *data, size_t len)
{
    return len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

gs_doc_cursor gs_doc_cursor_at_start(const char *data, size_t len)
{
    return (gs_doc_cursor){.data = data, .offset = gs_doc_bom(data, len), .line = 1, .column = 1};
}

/* A continuation byte does not start a character. */
static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0u) == 0x80u;
}

void gs_doc_cursor_forward(gs_doc_cursor *cursor, size_t offset)
{
    while (cursor->offset < offset) {
        char c = cursor->data[cursor->offset++];
        /* CR LF is one line break: the CR waits for its LF. A lone CR is a break too. */
        if (c == '\n' || (c == '\r' && (cursor->offset == offset || cursor->data[cursor->offset] != '\n'))) {
            cursor->line++;
            cursor->column = 1;
        } else if (!is_continuation(c)) {
            cursor->column++;
        }
    }
}

int gs_doc_fail(gs_doc_place place, gs_error *err, int code, const char *format, ...)
{
    char message[GS_ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    (void)gs_fail(err, code, "%s", message);
    if (place.line > 0) {
        (void)gs_error_at(err, "%s:%d:%d", place.name, place.line, place.column);
    } else {
        (void)gs_error_at(err, "%s", place.name);
    }
    return code;
}

static size_t character_length(char lead)
{
    unsigned char c = (unsigned char)lead;
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* The first byte that does not belong to a UTF-8 character. */
static size_t find_invalid_utf8(const char *data, size_t len)
{
    size_t i = 0;
    while (i < len) {
        size_t n = character_length(data[i]);
        if (n > len - i || !gs_text_is_utf8(data + i, n)) {
            return i;
        }
        i += n;
    }
    return len;
}

static int fail_at_byte(const char *name, gs_doc_cursor place, size_t offset, gs_error *err, const char *what)
{
    gs_doc_cursor_forward(&place, offset);
    return gs_doc_fail((gs_doc_place){name, place.line, place.column}, err, GS_ESPEC, "%s 0x%02x", what,
                       (unsigned)(unsigned char)place.data[offset]);
}

int gs_doc_check_input(const char *name, const char *data, size_t len, gs_error *err)
{
    const gs_doc_cursor start = gs_doc_cursor_at_start(data, len);
    if (len > GS_MAX_DOC_BYTES) {
        return gs_doc_fail((gs_doc_place){name, 0, 0}, err, GS_ELIMIT, "the file has %zu bytes; gapship reads up to %zu", len,
                           GS_MAX_DOC_BYTES);
    }
    if (len >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0)) {
        gs_doc_fail((gs_doc_place){name, 1, 1}, err, GS_ESPEC, "the text is UTF-16, not UTF-8");
        return gs_error_hint(err, "save the file as UTF-8");
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == 0) {
            return fail_at_byte(name, start, i, err, "this is not a text file: it has the byte");
        }
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
            return fail_at_byte(name, start, i, err, "the text has the control character");
        }
    }
    if (!gs_text_is_utf8(data, len)) {
        (void)fail_at_byte(name, start, find_invalid_utf8(data, len), err, "the text is not valid UTF-8 at the byte");
        return gs_error_hint(err, "save the file as UTF-8");
    }
    return 0;
}
