/* One request to a registry, with credentials and retries. Decides where Authorization may go: to the registry's own origin only.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

#define MAX_HEADERS    8u
#define MAX_ROUNDS     3u /* without a token, with one, with a wider one */
#define LOCATION_BYTES GS_KIB(16)

int gs_registry_check_repository(const char *repository, gs_error *err)
{
    return gs_repository_valid(repository) ? 0 : gs_fail(err, GS_ESPEC, "\"%.100s\" is not the name of a repository", repository);
}

int gs_call_init(gs_call *call, const gs_registry *registry, const char *repository, gs_access access, const char *kind,
                 const char *name, gs_error *err)
{
    *call = (gs_call){.repository = repository};
    gs_buf_init(&call->url, GS_MAX_HTTP_HEADER_BYTES);
    int code = gs_registry_check_repository(repository, err);
    if (code) {
        return code;
    }
    gs_buf_printf(&call->url, "%s/v2/%s/%s/%s", registry->base, repository, kind, name);
    call->http = (gs_http_request){GS_HTTP_REQUEST, .url = gs_buf_text(&call->url), .idle_ms = registry->idle_ms};
    (void)snprintf(call->scope, sizeof call->scope, "repository:%s:%s", repository,
                   access == GS_ACCESS_PUSH ? "pull,push" : "pull");
    return gs_buf_check(&call->url, err);
}

void gs_call_done(gs_call *call)
{
    gs_buf_done(&call->url);
}

/* A call on its way: the request as it is sent, which restart and new credentials change. */
typedef struct attempt {
    gs_registry *registry;
    gs_call *call;
    gs_http_request request;
    gs_http_header headers[MAX_HEADERS + 1];
    gs_buf authorization;
} attempt;

static int prepare(attempt *self, gs_error *err)
{
    const gs_http_request *wanted = &self->call->http;
    if (wanted->header_count > MAX_HEADERS) {
        return gs_fail(err, GS_EINTERNAL, "%zu headers", wanted->header_count);
    }
    self->request = *wanted;
    for (size_t i = 0; i < wanted->header_count; i++) {
        self->headers[i] = wanted->headers[i];
    }
    self->request.headers = self->headers;
    gs_buf_clear(&self->authorization);
    if (!gs_url_same_origin(wanted->url, self->registry->base)) {
        return 0;
    }
    int code = gs_auth_header(self->registry->auth, self->call->repository, self->call->scope, &self->authorization, err);
    if (code == 0 && self->authorization.len > 0) {
        self->headers[self->request.header_count++] = (gs_http_header){"Authorization", gs_buf_text(&self->authorization)};
    }
    return code;
}

static int restart(void *state, gs_error *err)
{
    attempt *self = state;
    int code = self->call->restart(self->call->restart_state, err);
    return code ? code : prepare(self, err);
}

/* Distribution 1.1 lets a registry speak to its users: Warning: 299 - "text". */
static void pass_on_warning(gs_registry *registry, const gs_http_response *response)
{
    char value[256];
    if (!gs_http_header_get(response, "Warning", 0, value, sizeof value) || !gs_text_starts(value, "299 ")) {
        return;
    }
    pthread_mutex_lock(&registry->lock);
    bool fresh = strcmp(registry->warned, value) != 0;
    memcpy(registry->warned, value, sizeof value);
    pthread_mutex_unlock(&registry->lock);
    if (fresh) {
        char text[256];
        gs_text_printable(value, text, sizeof text);
        const gs_fact facts[] = {GS_TEXT_FACT("registry", registry->host), GS_TEXT_FACT("warning", text)};
        gs_emit(registry->run, GS_WARNING, "registryWarning", facts, 2, "%s says: %s", registry->host, text);
    }
}

static int send_rounds(attempt *self, gs_http_response *response, gs_error *err)
{
    gs_call *call = self->call;
    const unsigned tries = call->tries ? call->tries : self->registry->tries;
    const gs_http_retry retry = {.tries = tries, .restart = call->restart ? restart : NULL, .state = self};
    for (unsigned round = 1;; round++) {
        int code = prepare(self, err);
        code = code ? code : gs_http_send_retrying(self->registry->http, &self->request, &retry, response, err);
        bool ours = code == 0 && gs_url_same_origin(response->url, self->registry->base);
        if (code || response->status != 401 || !ours || round == MAX_ROUNDS) {
            return code;
        }
        bool again = false;
        code = gs_auth_challenged(self->registry->auth, response, call->repository, gs_buf_text(&self->authorization), call->scope,
                                  &again, err);
        if (code || !again) {
            return code;
        }
        gs_http_response_done(response);
    }
}

int gs_call_send(gs_registry *registry, gs_call *call, gs_http_response *response, gs_error *err)
{
    attempt self = {.registry = registry, .call = call};
    gs_buf_init(&self.authorization, 2 * GS_MAX_TOKEN_BYTES);
    int code = send_rounds(&self, response, err);
    if (code == 0) {
        pass_on_warning(registry, response);
    }
    if (self.authorization.data) {
        gs_wipe(self.authorization.data, self.authorization.cap);
    }
    gs_buf_done(&self.authorization);
    return code;
}

/* The length of "://HOST" in "://HOST:PORT". */
static size_t name_length(const char *name)
{
    return (size_t)(strrchr(name, ':') - name);
}

/* Proxies in front make registries forget the scheme ("http://") or the port they are reached by. Our own are right then. */
static bool forgot_itself(const char *location, const char *origin, const char *own)
{
    const char *name = strstr(origin, "://");
    const char *own_name = strstr(own, "://");
    size_t name_len = name_length(name);
    if (name_len != name_length(own_name) || strncasecmp(name, own_name, name_len) != 0) {
        return false;
    }
    bool downgraded = gs_text_starts(own, "https:") && gs_text_starts(origin, "http:");
    const char *host = strstr(location, "://");
    size_t authority = host ? strcspn(host + 3, "/?#") : 0;
    bool portless = host && !memchr(host + 3, ':', authority);
    return downgraded || portless;
}

int gs_call_location(const gs_registry *registry, const gs_http_response *response, gs_buf *out, gs_error *err)
{
    char location[LOCATION_BYTES];
    if (!gs_http_header_get(response, "Location", 0, location, sizeof location) || strlen(location) + 1 == sizeof location) {
        return gs_fail(err, GS_EREGISTRY, "the registry accepts an upload but sends no usable Location");
    }
    int code = gs_url_resolve(response->url, location, out, err);
    char origin[GS_URL_ORIGIN];
    char own[GS_URL_ORIGIN];
    code = code ? code : gs_url_origin(gs_buf_text(out), origin, err);
    code = code ? code : gs_url_origin(registry->base, own, err);
    if (code) {
        return code;
    }
    if (strcasecmp(origin, own) != 0 && forgot_itself(gs_buf_text(out), origin, own)) {
        const char *path = strstr(gs_buf_text(out), "://") + 3;
        GS_AUTO_BUF gs_buf repaired;
        gs_buf_init(&repaired, out->max);
        gs_buf_printf(&repaired, "%s%s", own, path + strcspn(path, "/?#"));
        code = gs_buf_check(&repaired, err);
        gs_buf_clear(out);
        gs_buf_add(out, repaired.data, repaired.len);
        return code ? code : gs_buf_check(out, err);
    }
    if (gs_text_starts(own, "https:") && gs_text_starts(origin, "http:")) {
        return gs_fail(err, GS_EREGISTRY, "refused to upload over plain http to %s, where the registry points", origin);
    }
    return 0;
}
