/* Who may pull. Only digests of "user:password" are kept, so that comparing takes the same time whatever was sent. */
#include "users.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gapship/crypto.h"
#include "gapship/fs.h"
#include "gapship/limits.h"

#define GS_MAX_USERS 1000u

struct gs_users {
    gs_digest items[GS_MAX_USERS];
    size_t count;
};

static int add_line(gs_users *users, const char *line, size_t len, gs_error *err)
{
    if (len == 0 || line[0] == '#') {
        return 0;
    }
    if (line[0] == ':' || !memchr(line, ':', len)) {
        return gs_fail(err, GS_ESPEC, "this line is not \"user:password\"");
    }
    if (users->count == GS_MAX_USERS) {
        return gs_fail(err, GS_ELIMIT, "more than %u users", GS_MAX_USERS);
    }
    return gs_digest_of(line, len, &users->items[users->count++], err);
}

static int add_lines(gs_users *users, const gs_buf *text, const char *path, gs_error *err)
{
    unsigned number = 1;
    for (size_t at = 0; at < text->len; number++) {
        const char *line = text->data + at;
        const char *end = memchr(line, '\n', text->len - at);
        const size_t len = end ? (size_t)(end - line) : text->len - at;
        int code = add_line(users, line, len > 0 && line[len - 1] == '\r' ? len - 1 : len, err);
        if (code < 0) {
            return gs_error_at(err, "%s:%u", path, number);
        }
        at += len + 1;
    }
    if (users->count == 0) {
        (void)gs_fail(err, GS_ESPEC, "nobody is named here: nobody could pull");
        return gs_error_at(err, "%s", path);
    }
    return 0;
}

int gs_users_load(const char *path, gs_users **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_SPEC_BYTES);
    gs_users *users = calloc(1, sizeof *users);
    if (!users) {
        return gs_fail_nomem(err);
    }
    int code = gs_fs_read_secret(AT_FDCWD, path, &text, err);
    if (code == 0) {
        code = add_lines(users, &text, path, err);
    }
    if (text.data) {
        gs_wipe(text.data, text.len);
    }
    if (code < 0) {
        gs_users_free(users);
        return code;
    }
    *out = users;
    return 0;
}

void gs_users_free(gs_users *users)
{
    free(users);
}

bool gs_users_check(const gs_users *users, const char *authorization)
{
    static const char scheme[] = "Basic ";
    GS_AUTO_BUF gs_buf pair;
    gs_digest digest;
    gs_error ignored = {0};
    bool found = false;
    gs_buf_init(&pair, GS_KIB(4));
    if (!authorization || strncasecmp(authorization, scheme, strlen(scheme)) != 0 ||
        gs_base64_decode(authorization + strlen(scheme), &pair, &ignored) < 0 ||
        gs_digest_of(pair.data, pair.len, &digest, &ignored) < 0) {
        return false;
    }
    for (size_t i = 0; i < users->count; i++) {
        found |= gs_digest_equal(&users->items[i], &digest);
    }
    gs_wipe(pair.data, pair.len);
    return found;
}
