/* The address of a remote, taken apart. */
#ifndef GAPSHIP_GIT_URL_H
#define GAPSHIP_GIT_URL_H

#include "gapship/buf.h"
#include "gapship/error.h"

/* Where a remote is. */
typedef struct gs_git_url {
    const char *text;
    enum { GS_GIT_LOCAL, GS_GIT_HTTP, GS_GIT_HTTPS, GS_GIT_SSH } scheme;
    const char *user; /* NULL when the address has none */
    const char *host; /* for LOCAL the whole text: what errors name */
    int port;         /* -1: the scheme's own */
} gs_git_url;
/* GS_ESPEC for what is no address, has a password in it, or could be read as a command by the other side. Copies into arena. */
int gs_git_url_parse(const char *text, gs_arena *arena, gs_git_url *out, gs_error *err) GS_MUST_USE;

#endif
