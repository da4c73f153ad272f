/* Who we are for one registry: what it challenged us to, our credentials, the tokens they bought. Thread-safe. */
#ifndef GS_REGISTRY_AUTH_H
#define GS_REGISTRY_AUTH_H

#include "gapship/http.h"
#include "gapship/registry.h"

typedef struct gs_auth gs_auth;

/* Where credentials come from and whom tokens are asked from. Borrowed. */
typedef struct gs_auth_options {
    const gs_run *run;
    gs_http *http;
    const char *base;             /* the registry's URL */
    const char *host;             /* key of credentials */
    const char *credentials_file; /* or NULL */
    bool anonymous;
    unsigned tries; /* of the first question; 0: the default */
} gs_auth_options;

int gs_auth_new(const gs_auth_options *options, gs_auth **out, gs_error *err);
void gs_auth_free(gs_auth *auth);

/* The value of Authorization for a request, or nothing. Asks the registry once what it wants, and the token server when there is no
 * fresh token for the scope ("repository:NAME:pull", several separated by spaces, or ""). */
int gs_auth_header(gs_auth *auth, const char *repository, const char *scope, gs_buf *out, gs_error *err);
/* Scopes for one request; with the terminating NUL. */
#define GS_AUTH_SCOPE 700
/* Learns from a 401. used: the header that was refused ("" for none). scope grows when the registry asks for more. *again: another
 * try can have a better header. */
int gs_auth_challenged(gs_auth *auth, const gs_http_response *response, const char *repository, const char *used,
                       char scope[GS_AUTH_SCOPE], bool *again, gs_error *err);
/* The user that credentials were found for; "" for none. Copied, for messages. */
void gs_auth_user(gs_auth *auth, const char *repository, char *out, size_t size);

#endif
