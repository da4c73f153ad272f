/* Fills and extends gs_error. Allocates nothing, so that every failure can be told, and formats aside before it writes, so that a
 * text may be built from the error's own old texts. Knows no module: codes are data from GS_ERROR_TABLE. */
#include "gapship/error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

/* Twice the longest field: what does not fit here would be cut from every field anyway. */
#define SCRATCH_BYTES (2 * GS_ERROR_MESSAGE_MAX)

typedef struct row {
    const char *name;
    const char *sentence;
    int exit_status;
} row;

static const row rows[] = {
#define GS_X(name, exit_status, sentence) [GS_CODE_##name] = {#name, sentence, exit_status},
    GS_ERROR_TABLE(GS_X)
#undef GS_X
};

static const row *find_row(int code)
{
    return code < 0 && code > -(int)GS_CODE_COUNT ? &rows[-code] : &rows[GS_CODE_INTERNAL];
}

/* Writes "TEXT" or "TEXT: REST" to out, where the text comes from format and rest may be out itself. */
static void GS_PRINTF(4, 0) set_text(char *out, size_t size, const char *rest, const char *format, va_list args)
{
    char text[SCRATCH_BYTES];
    char whole[SCRATCH_BYTES];
    int len = vsnprintf(text, sizeof text, format, args);
    bool cut = len < 0 || (size_t)len >= sizeof text;
    if (len < 0) {
        text[0] = '\0';
    }
    bool joined = rest && rest[0] != '\0';
    len = snprintf(whole, sizeof whole, "%s%s%s", text, joined ? ": " : "", joined ? rest : "");
    cut = cut || len < 0 || (size_t)len >= sizeof whole;
    gs_utf8_shorten(whole, cut, out, size);
}

static void GS_PRINTF(4, 0) set_error(gs_error *err, int code, const char *rest, const char *format, va_list args)
{
    set_text(err->message, sizeof err->message, rest, format, args);
    err->where[0] = '\0';
    err->hint[0] = '\0';
    err->code = code;
}

int gs_fail(gs_error *err, int code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        set_error(err, code, NULL, format, args);
        va_end(args);
    }
    return code;
}

int gs_fail_errno(gs_error *err, int errnum, const char *format, ...)
{
    int code = errnum == ENOMEM ? GS_ENOMEM : errnum == ENOSPC || errnum == EDQUOT ? GS_ENOSPACE : GS_EIO;
    if (err) {
        char buffer[128];
        const char *reason = strerror_r(errnum, buffer, sizeof buffer);
        va_list args;
        va_start(args, format);
        set_error(err, code, reason, format, args);
        va_end(args);
    }
    return code;
}

int gs_fail_nomem(gs_error *err)
{
    return gs_fail(err, GS_ENOMEM, "%s", gs_code_sentence(GS_ENOMEM));
}

static int code_of(const gs_error *err)
{
    return err && err->code < 0 ? err->code : GS_EINTERNAL;
}

int gs_error_context(gs_error *err, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        set_text(err->message, sizeof err->message, err->message, format, args);
        va_end(args);
    }
    return code_of(err);
}

int gs_error_at(gs_error *err, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        set_text(err->where, sizeof err->where, err->where, format, args);
        va_end(args);
    }
    return code_of(err);
}

int gs_error_hint(gs_error *err, const char *format, ...)
{
    if (err && err->hint[0] == '\0') {
        va_list args;
        va_start(args, format);
        set_text(err->hint, sizeof err->hint, NULL, format, args);
        va_end(args);
    }
    return code_of(err);
}

int gs_error_recode(gs_error *err, int code)
{
    if (err) {
        err->code = code;
    }
    return code;
}

const char *gs_code_name(int code)
{
    return find_row(code)->name;
}

const char *gs_code_sentence(int code)
{
    return find_row(code)->sentence;
}

int gs_code_exit(int code)
{
    return find_row(code)->exit_status;
}
