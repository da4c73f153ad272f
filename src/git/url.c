/* The address of a remote: which of the four kinds it is, and whether it is safe to hand on. Knows no network. */
#include <string.h>

#include "gapship/num.h"
#include "gapship/text.h"
#include "url.h"

#define DIGITS_AND_LETTERS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define HOST_CHARACTERS    DIGITS_AND_LETTERS ".-_"
/* The path of an ssh remote goes into a command line on the other side, and libgit2 does not escape it. */
#define SSH_PATH_CHARACTERS DIGITS_AND_LETTERS "._~/-"

/* What of an address may stand in an error: not what may be a password, wherever the mistake is. */
static const char *without_password(const char *text)
{
    const char *scheme = strstr(text, "://");
    const char *rest = scheme ? scheme + strlen("://") : text;
    const char *at = strrchr(rest, '@');
    const char *colon = strchr(rest, ':');
    return at && colon && colon < at ? at + 1 : text;
}

static int refuse(const char *text, const char *why, gs_error *err)
{
    (void)gs_fail(err, GS_ESPEC, "this is not the address of a git repository that gapship can use: %s", why);
    (void)gs_error_hint(err, "write a path, file:///path, https://host/path, ssh://user@host/path or user@host:path");
    return gs_error_at(err, "%s", without_password(text));
}

/* "user@", if there is one. *rest moves behind it. */
static int take_user(const char **rest, size_t len, gs_arena *arena, gs_git_url *url, gs_error *err)
{
    const char *at = memrchr(*rest, '@', len);
    if (!at) {
        return 0;
    }
    size_t user_len = (size_t)(at - *rest);
    if (memchr(*rest, ':', user_len)) {
        (void)gs_fail(err, GS_ESPEC, "the address of a git repository has a password in it");
        (void)gs_error_hint(err, "name a file that holds the password instead: addresses end up in logs");
        return gs_error_at(err, "%s", without_password(url->text));
    }
    if (user_len == 0 || **rest == '-' || strspn(*rest, HOST_CHARACTERS) != user_len) {
        return refuse(url->text, "the user name is empty or has a character that is not allowed in one", err);
    }
    url->user = gs_arena_copy(arena, *rest, user_len);
    *rest = at + 1;
    return url->user ? 0 : gs_fail_nomem(err);
}

/* "host", "host:port" or "[address]:port", len bytes. */
static int take_host(const char *text, size_t len, gs_arena *arena, gs_git_url *url, gs_error *err)
{
    size_t host_len;
    const char *after;
    if (len > 0 && text[0] == '[') {
        host_len = strspn(text + 1, "0123456789abcdefABCDEF:.");
        if (host_len + 2 > len || text[1 + host_len] != ']') {
            return refuse(url->text, "the bracket around the host is not closed", err);
        }
        text++;
        after = text + host_len + 1;
        len -= host_len + 2;
    } else {
        host_len = strspn(text, HOST_CHARACTERS);
        host_len = host_len < len ? host_len : len;
        after = text + host_len;
        len -= host_len;
    }
    if (host_len == 0 || text[0] == '-') {
        return refuse(url->text, "it has no host", err);
    }
    url->port = -1;
    if (len > 0) {
        char digits[6] = {0};
        uint64_t port;
        if (*after != ':' || len - 1 >= sizeof(digits)) {
            return refuse(url->text, "the host has a character that is not allowed in one", err);
        }
        memcpy(digits, after + 1, len - 1);
        if (!gs_parse_u64(digits, 65535, &port) || port == 0) {
            return refuse(url->text, "the port is not a number from 1 to 65535", err);
        }
        url->port = (int)port;
    }
    url->host = gs_arena_copy(arena, text, host_len);
    return url->host ? 0 : gs_fail_nomem(err);
}

static int check_ssh_path(const gs_git_url *url, const char *path, gs_error *err)
{
    if (path[0] == '\0' || path[0] == '-' || path[strspn(path, SSH_PATH_CHARACTERS)] != '\0') {
        return refuse(url->text, "the path of an ssh repository has letters, digits and . _ ~ / - only, and no - in front", err);
    }
    return 0;
}

static int check_web_path(const gs_git_url *url, const char *path, gs_error *err)
{
    for (const char *c = path; *c; c++) {
        if (*c <= ' ' || *c == 0x7f || *c == '?' || *c == '#') {
            return refuse(url->text, "a path has no spaces, control characters, queries or fragments", err);
        }
    }
    return 0;
}

static int parse_scheme(const char *rest, gs_arena *arena, gs_git_url *url, gs_error *err)
{
    size_t authority = strcspn(rest, "/");
    const char *path = rest + authority;
    const char *host = rest;
    int code = take_user(&host, authority, arena, url, err);
    if (code == 0) {
        code = take_host(host, (size_t)(path - host), arena, url, err);
    }
    if (code == 0) {
        code = url->scheme == GS_GIT_SSH ? check_ssh_path(url, path, err) : check_web_path(url, path, err);
    }
    return code;
}

static int parse_scp(const char *text, const char *colon, gs_arena *arena, gs_git_url *url, gs_error *err)
{
    const char *host = text;
    int code = take_user(&host, (size_t)(colon - text), arena, url, err);
    if (code == 0 && !url->user) {
        return refuse(text, "before the colon there is no user@host (a path with a colon is written ./path)", err);
    }
    if (code == 0) {
        code = take_host(host, (size_t)(colon - host), arena, url, err);
    }
    return code == 0 ? check_ssh_path(url, colon + 1, err) : code;
}

int gs_git_url_parse(const char *text, gs_arena *arena, gs_git_url *out, gs_error *err)
{
    static const struct {
        const char *prefix;
        int scheme;
    } schemes[] = {{"http://", GS_GIT_HTTP}, {"https://", GS_GIT_HTTPS}, {"ssh://", GS_GIT_SSH}};
    gs_git_url url = {.port = -1};
    url.text = gs_arena_text(arena, text);
    if (!url.text) {
        return gs_fail_nomem(err);
    }
    int code = 0;
    const char *colon = strchr(text, ':');
    const char *slash = strchr(text, '/');
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (gs_text_starts(text, schemes[i].prefix)) {
            url.scheme = (__typeof__(url.scheme))schemes[i].scheme;
            code = parse_scheme(text + strlen(schemes[i].prefix), arena, &url, err);
        }
    }
    if (url.scheme == GS_GIT_LOCAL) {
        bool path = !colon || (slash && slash < colon) || gs_text_starts(text, "file:///");
        if (text[0] == '\0') {
            code = refuse(text, "it is empty", err);
        } else if (!path && strstr(text, "://")) {
            code = refuse(text, "its scheme is none of file, http, https and ssh", err);
        } else if (!path) {
            url.scheme = GS_GIT_SSH;
            code = parse_scp(text, colon, arena, &url, err);
        } else {
            url.host = url.text;
        }
    }
    if (code == 0) {
        *out = url;
    }
    return code;
}
