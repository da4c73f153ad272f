/* Who we are for one registry. One lock guards all of it, also while a token is bought: the other threads want the same one. */
#include "auth.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "challenge.h"
#include "credentials.h"
#include "gapship/crypto.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "token.h"

#define HEADER_BYTES  GS_KIB(16)
#define PING_DEADLINE 60000
#define EARLY_MS      10000 /* a token is renewed so long before its end */

typedef enum scheme { UNKNOWN, OPEN, BASIC, BEARER } scheme;

typedef struct token {
    struct token *next;
    char *scope;
    char *text;
    int64_t until; /* gs_ticks */
} token;

/* What was found for one repository: with the path prefixes of containers' auth.json each can have its own. */
typedef struct login {
    struct login *next;
    char *repository;
    gs_credentials credentials;
} login;

struct gs_auth {
    gs_auth_options options;
    pthread_mutex_t lock;
    scheme scheme;
    char *realm;
    char *service;
    token *tokens;
    login *logins;
};

int gs_auth_new(const gs_auth_options *options, gs_auth **out, gs_error *err)
{
    gs_auth *auth = calloc(1, sizeof *auth);
    if (!auth || pthread_mutex_init(&auth->lock, NULL) != 0) {
        free(auth);
        return gs_fail_nomem(err);
    }
    auth->options = *options;
    *out = auth;
    return 0;
}

static void free_token(token *one)
{
    gs_wipe(one->text, strlen(one->text));
    free(one->text);
    free(one->scope);
    free(one);
}

void gs_auth_free(gs_auth *auth)
{
    if (!auth) {
        return;
    }
    while (auth->tokens) {
        token *one = auth->tokens;
        auth->tokens = one->next;
        free_token(one);
    }
    while (auth->logins) {
        login *one = auth->logins;
        auth->logins = one->next;
        gs_credentials_done(&one->credentials);
        free(one->repository);
        free(one);
    }
    free(auth->realm);
    free(auth->service);
    pthread_mutex_destroy(&auth->lock);
    free(auth);
}

static int find_credentials(const gs_auth_options *options, const char *repository, gs_credentials *out, gs_error *err)
{
    if (options->anonymous) {
        return 0;
    }
    return options->credentials_file
               ? gs_credentials_read(options->run, options->credentials_file, options->host, repository, out, err)
               : gs_credentials_find(options->run, options->host, repository, out, err);
}

static int get_login(gs_auth *auth, const char *repository, const gs_credentials **out, gs_error *err)
{
    repository = repository ? repository : "";
    for (login *one = auth->logins; one; one = one->next) {
        if (strcmp(one->repository, repository) == 0) {
            *out = &one->credentials;
            return 0;
        }
    }
    login *fresh = calloc(1, sizeof *fresh);
    if (!fresh || !(fresh->repository = strdup(repository))) {
        free(fresh);
        return gs_fail_nomem(err);
    }
    int code = find_credentials(&auth->options, repository, &fresh->credentials, err);
    if (code) {
        free(fresh->repository);
        free(fresh);
        return code;
    }
    fresh->next = auth->logins;
    auth->logins = fresh;
    *out = &fresh->credentials;
    return 0;
}

static int copy_over(char **to, const char *from, gs_error *err)
{
    char *copy = from ? strdup(from) : NULL;
    if (from && !copy) {
        return gs_fail_nomem(err);
    }
    free(*to);
    *to = copy;
    return 0;
}

static int collect_challenges(const gs_http_response *response, gs_arena *arena, gs_challenge out[GS_MAX_CHALLENGES], size_t *count,
                              gs_error *err)
{
    GS_AUTO_FREE char *value = malloc(HEADER_BYTES);
    int code = value ? 0 : gs_fail_nomem(err);
    for (size_t i = 0; code == 0 && gs_http_header_get(response, "WWW-Authenticate", i, value, HEADER_BYTES); i++) {
        code = gs_challenges_parse(value, arena, out, count, err);
    }
    return code;
}

/* Bearer is preferred: who offers it takes Basic only for old clients. *chosen is NULL when none is known to us. */
static int learn(gs_auth *auth, const gs_http_response *response, gs_arena *arena, const gs_challenge **chosen, gs_error *err)
{
    gs_challenge *challenges = gs_arena_array(arena, GS_MAX_CHALLENGES, sizeof *challenges);
    if (!challenges) {
        return gs_fail_nomem(err);
    }
    size_t count = 0;
    int code = collect_challenges(response, arena, challenges, &count, err);
    const gs_challenge *basic = NULL;
    const gs_challenge *bearer = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(challenges[i].scheme, "Basic") == 0) {
            basic = basic ? basic : &challenges[i];
        } else if (strcasecmp(challenges[i].scheme, "Bearer") == 0 && challenges[i].realm) {
            bearer = bearer ? bearer : &challenges[i];
        }
    }
    if (code == 0 && bearer) {
        code = copy_over(&auth->realm, bearer->realm, err);
        code = code ? code : copy_over(&auth->service, bearer->service, err);
    }
    if (code == 0) {
        *chosen = bearer ? bearer : basic;
        auth->scheme = bearer ? BEARER : basic ? BASIC : auth->scheme;
    }
    return code;
}

/* GET /v2/ once: some registries send no challenge with the 401 of a real request. */
static int ask_scheme(gs_auth *auth, gs_error *err)
{
    if (auth->scheme != UNKNOWN) {
        return 0;
    }
    GS_AUTO_BUF gs_buf url;
    gs_buf_init(&url, GS_MAX_HTTP_HEADER_BYTES);
    gs_buf_printf(&url, "%s/v2/", auth->options.base);
    int code = gs_buf_check(&url, err);
    if (code) {
        return code;
    }
    GS_AUTO_RESPONSE gs_http_response response = {0};
    const gs_http_request request = {GS_HTTP_REQUEST, .url = gs_buf_text(&url), .deadline_ms = PING_DEADLINE};
    const gs_http_retry retry = {.tries = auth->options.tries};
    code = gs_http_send_retrying(auth->options.http, &request, &retry, &response, err);
    if (code) {
        return code;
    }
    auth->scheme = OPEN;
    if (response.status == 401) {
        GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
        const gs_challenge *chosen;
        code = arena ? learn(auth, &response, arena, &chosen, err) : gs_fail_nomem(err);
    }
    return code;
}

static token **find_token(gs_auth *auth, const char *scope)
{
    size_t len = strlen(scope);
    token **place = &auth->tokens;
    for (; *place; place = &(*place)->next) {
        const char *have = (*place)->scope;
        /* What may be pushed may be pulled. */
        bool wider = strncmp(have, scope, len) == 0 && (have[len] == '\0' || strcmp(have + len, ",push") == 0);
        if (wider) {
            return place;
        }
    }
    return place;
}

static void drop_token(token **place)
{
    token *one = *place;
    *place = one->next;
    free_token(one);
}

static int keep_token(gs_auth *auth, const char *scope, char *text, int64_t seconds, gs_error *err)
{
    token *fresh = calloc(1, sizeof *fresh);
    if (!fresh || !(fresh->scope = strdup(scope))) {
        free(fresh);
        gs_wipe(text, strlen(text));
        free(text);
        return gs_fail_nomem(err);
    }
    const int64_t longest = 24 * 60 * 60;
    fresh->text = text;
    fresh->until = gs_ticks() + (seconds < longest ? seconds : longest) * 1000 - EARLY_MS;
    fresh->next = auth->tokens;
    auth->tokens = fresh;
    return 0;
}

static int bearer_header(gs_auth *auth, const gs_credentials *credentials, const char *scope, gs_buf *out, gs_error *err)
{
    if (credentials->registry_token) {
        gs_buf_printf(out, "Bearer %s", credentials->registry_token);
        return gs_buf_check(out, err);
    }
    token **place = find_token(auth, scope);
    if (*place && (*place)->until <= gs_ticks()) {
        drop_token(place);
        place = find_token(auth, scope);
    }
    if (!*place) {
        const gs_token_request request = {.http = auth->options.http,
                                          .realm = auth->realm,
                                          .service = auth->service,
                                          .scope = scope,
                                          .registry_url = auth->options.base,
                                          .credentials = credentials};
        char *text;
        int64_t seconds;
        int code = gs_token_fetch(&request, &text, &seconds, err);
        code = code ? code : keep_token(auth, scope, text, seconds, err);
        if (code) {
            return code;
        }
        place = &auth->tokens;
    }
    gs_buf_printf(out, "Bearer %s", (*place)->text);
    return gs_buf_check(out, err);
}

static int build_header(gs_auth *auth, const char *repository, const char *scope, gs_buf *out, gs_error *err)
{
    gs_buf_clear(out);
    int code = ask_scheme(auth, err);
    if (code || auth->scheme == OPEN) {
        return code;
    }
    const gs_credentials *credentials;
    code = get_login(auth, repository, &credentials, err);
    if (code) {
        return code;
    }
    if (auth->scheme == BEARER) {
        return bearer_header(auth, credentials, scope, out, err);
    }
    return credentials->user && credentials->password ? gs_basic_header(credentials, out, err) : 0;
}

int gs_auth_header(gs_auth *auth, const char *repository, const char *scope, gs_buf *out, gs_error *err)
{
    pthread_mutex_lock(&auth->lock);
    int code = build_header(auth, repository, scope, out, err);
    pthread_mutex_unlock(&auth->lock);
    return code;
}

/* Adds the scopes that the registry asks for, unless they are there or there is no room. */
static void add_scope(char scope[GS_AUTH_SCOPE], const char *wanted)
{
    size_t len = strlen(scope);
    bool known = !wanted || wanted[0] == '\0' || strstr(scope, wanted) != NULL;
    if (!known && len + strlen(wanted) + 2 <= GS_AUTH_SCOPE) {
        (void)snprintf(scope + len, GS_AUTH_SCOPE - len, "%s%s", len > 0 ? " " : "", wanted);
    }
}

static int answer_challenge(gs_auth *auth, const gs_http_response *response, const char *repository, const char *used,
                            char scope[GS_AUTH_SCOPE], bool *again, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const gs_challenge *challenge = NULL;
    int code = arena ? learn(auth, response, arena, &challenge, err) : gs_fail_nomem(err);
    if (code) {
        return code;
    }
    if (auth->scheme == BASIC) {
        const gs_credentials *credentials;
        code = get_login(auth, repository, &credentials, err);
        *again = code == 0 && credentials->user && credentials->password && used[0] == '\0';
        return code;
    }
    if (auth->scheme != BEARER) {
        *again = false;
        return 0;
    }
    token **place = find_token(auth, scope);
    if (*place && gs_text_starts(used, "Bearer ") && strcmp((*place)->text, used + strlen("Bearer ")) == 0) {
        drop_token(place);
    }
    add_scope(scope, challenge ? challenge->scope : NULL);
    *again = true;
    return 0;
}

int gs_auth_challenged(gs_auth *auth, const gs_http_response *response, const char *repository, const char *used,
                       char scope[GS_AUTH_SCOPE], bool *again, gs_error *err)
{
    pthread_mutex_lock(&auth->lock);
    int code = answer_challenge(auth, response, repository, used, scope, again, err);
    pthread_mutex_unlock(&auth->lock);
    return code;
}

void gs_auth_user(gs_auth *auth, const char *repository, char *out, size_t size)
{
    pthread_mutex_lock(&auth->lock);
    const gs_credentials *credentials = NULL;
    out[0] = '\0';
    if (auth->scheme != OPEN && get_login(auth, repository, &credentials, NULL) == 0 && !gs_credentials_empty(credentials)) {
        gs_text_printable(credentials->user ? credentials->user : "the token's owner", out, size);
    }
    pthread_mutex_unlock(&auth->lock);
}
