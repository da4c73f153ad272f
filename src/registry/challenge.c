/* The parser of WWW-Authenticate. Knows the grammar, not what a scheme means. */
#include "challenge.h"

#include <string.h>
#include <strings.h>

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token_length(const char *p)
{
    size_t len = 0;
    while (is_token_char(p[len])) {
        len++;
    }
    return len;
}

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t");
}

/* The credentials form of RFC 7235 ("Negotiate YII…=="): not a parameter, ends at a comma or the end. NULL when it is none. */
static const char *skip_token68(const char *p)
{
    size_t len = 0;
    while (is_token_char(p[len]) || p[len] == '/') {
        len++;
    }
    size_t padded = len + strspn(p + len, "=");
    const char *end = skip_space(p + padded);
    return len > 0 && (*end == ',' || *end == '\0') ? end : NULL;
}

/* Reads a token or a quoted string with its escapes. *value is NULL after a syntax error. */
static int read_value(const char **position, gs_arena *arena, const char **value, gs_error *err)
{
    const char *p = *position;
    *value = NULL;
    if (*p != '"') {
        size_t len = token_length(p);
        /* Some servers leave quotes away around URLs. */
        len += strcspn(p + len, ", \t\"");
        *position = p + len;
        *value = gs_arena_copy(arena, p, len);
        return *value ? 0 : gs_fail_nomem(err);
    }
    char *text = gs_arena_alloc(arena, strlen(p) + 1);
    if (!text) {
        return gs_fail_nomem(err);
    }
    size_t len = 0;
    for (p++; *p != '\0' && *p != '"'; p++) {
        if (*p == '\\' && p[1] != '\0') {
            p++;
        }
        text[len++] = *p;
    }
    if (*p == '"') {
        *value = text;
        p++;
    }
    *position = p;
    return 0;
}

static void set_parameter(gs_challenge *challenge, const char *name, size_t len, const char *value)
{
    const struct {
        const char *name;
        const char **member;
    } known[] = {
        {"realm", &challenge->realm},
        {"service", &challenge->service},
        {"scope", &challenge->scope},
        {"error", &challenge->error},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i].name) == len && strncasecmp(known[i].name, name, len) == 0 && !*known[i].member) {
            *known[i].member = value;
        }
    }
}

/* Reads the parameters behind a scheme; *position ends before the next scheme, at the end, or where nothing can be read (*broken).
 */
static int read_parameters(const char **position, gs_arena *arena, gs_challenge *challenge, bool *broken, gs_error *err)
{
    const char *p = skip_space(*position);
    const char *behind = skip_token68(p);
    if (behind) {
        *position = behind;
        return 0;
    }
    for (;;) {
        p += strspn(p, " \t,");
        size_t name_len = token_length(p);
        const char *equals = skip_space(p + name_len);
        if (name_len == 0 || *equals != '=') {
            break;
        }
        const char *value;
        const char *after = skip_space(equals + 1);
        int code = read_value(&after, arena, &value, err);
        if (code) {
            return code;
        }
        if (!value) {
            *broken = true;
            break;
        }
        set_parameter(challenge, p, name_len, value);
        p = skip_space(after);
        if (*p != ',' && *p != '\0') {
            *broken = true;
            break;
        }
    }
    *position = p;
    return 0;
}

int gs_challenges_parse(const char *value, gs_arena *arena, gs_challenge out[GS_MAX_CHALLENGES], size_t *count, gs_error *err)
{
    const char *p = value;
    bool broken = false;
    while (!broken && *count < GS_MAX_CHALLENGES) {
        p += strspn(p, " \t,");
        size_t len = token_length(p);
        if (len == 0) {
            break;
        }
        gs_challenge challenge = {.scheme = gs_arena_copy(arena, p, len)};
        if (!challenge.scheme) {
            return gs_fail_nomem(err);
        }
        p += len;
        broken = *p != ' ' && *p != '\t' && *p != ',' && *p != '\0';
        int code = broken ? 0 : read_parameters(&p, arena, &challenge, &broken, err);
        if (code) {
            return code;
        }
        if (!broken || challenge.realm) {
            out[(*count)++] = challenge;
        }
    }
    return 0;
}
