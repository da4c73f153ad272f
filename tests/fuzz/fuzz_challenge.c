/* WWW-Authenticate: no value that the header does not hold, and what is read is written and read again as the same challenges. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "gapship/buf.h"
#include "gapship/limits.h"
#include "registry/challenge.h"

static void check_value(const char *value, size_t size)
{
    check(!value || strlen(value) <= size);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void add_parameter(gs_buf *out, const char *name, const char *value)
{
    if (value) {
        gs_buf_printf(out, "%s%s=\"", gs_buf_text(out)[out->len - 1] == ' ' ? "" : ",", name);
        for (; *value; value++) {
            gs_buf_printf(out, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
        }
        gs_buf_add_text(out, "\"");
    }
}

static void check_rewritten(gs_arena *arena, const gs_challenge *found, size_t count)
{
    gs_challenge again[GS_MAX_CHALLENGES];
    size_t again_count = 0;
    gs_error err = {0};
    gs_buf text;
    gs_buf_init(&text, GS_MIB(8));
    for (size_t i = 0; i < count; i++) {
        gs_buf_printf(&text, "%s%s ", i > 0 ? ", " : "", found[i].scheme);
        add_parameter(&text, "realm", found[i].realm);
        add_parameter(&text, "service", found[i].service);
        add_parameter(&text, "scope", found[i].scope);
        add_parameter(&text, "error", found[i].error);
    }
    check(gs_challenges_parse(gs_buf_text(&text), arena, again, &again_count, &err) == 0 && again_count == count);
    for (size_t i = 0; i < count; i++) {
        check(same(found[i].scheme, again[i].scheme) && same(found[i].realm, again[i].realm));
        check(same(found[i].service, again[i].service) && same(found[i].scope, again[i].scope));
    }
    gs_buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    gs_arena *arena = gs_arena_new();
    gs_challenge found[GS_MAX_CHALLENGES];
    size_t count = 0;
    gs_error err = {0};
    if (text && arena && gs_challenges_parse(text, arena, found, &count, &err) == 0) {
        for (size_t i = 0; i < count; i++) {
            check_value(found[i].realm, size);
            check_value(found[i].service, size);
            check_value(found[i].scope, size);
            check(found[i].scheme && found[i].scheme[0] != '\0' && strlen(found[i].scheme) <= size);
        }
        check_rewritten(arena, found, count);
    }
    gs_arena_free(arena);
    free(text);
    return 0;
}
