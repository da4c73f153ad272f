/* A bearer token from a token server (https://distribution.github.io/distribution/spec/auth/token/). */
#ifndef GS_REGISTRY_TOKEN_H
#define GS_REGISTRY_TOKEN_H

#include "gapship/http.h"
#include "gapship/registry.h"

typedef struct gs_token_request {
    gs_http *http;
    const char *realm;   /* of the challenge */
    const char *service; /* or NULL */
    const char *scope;   /* several separated by spaces, or "" */
    const char *registry_url;
    const gs_credentials *credentials; /* may be empty */
} gs_token_request;

/* *token is malloc'ed (wipe it), *seconds its life. GS_EAUTH: the token server refuses, or may not be asked. */
int gs_token_fetch(const gs_token_request *request, char **token, int64_t *seconds, gs_error *err);
/* "Basic …" for user and password. */
int gs_basic_header(const gs_credentials *credentials, gs_buf *out, gs_error *err);

#endif
