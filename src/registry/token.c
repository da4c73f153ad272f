/* Buys a bearer token from the server that a registry's challenge names. Knows nothing of registries, and decides where credentials
 * may go. */
#include "token.h"

#include <stdlib.h>
#include <string.h>

#include "credentials.h"
#include "gapship/crypto.h"
#include "gapship/doc.h"
#include "gapship/limits.h"
#include "gapship/text.h"

#define SHORTEST_LIFE 60 /* seconds; the token specification says so */
#define DEADLINE_MS   60000

int gs_basic_header(const gs_credentials *credentials, gs_buf *out, gs_error *err)
{
    gs_buf plain;
    gs_buf_init(&plain, GS_MAX_TOKEN_BYTES);
    gs_buf_printf(&plain, "%s:%s", credentials->user, credentials->password);
    int code = gs_buf_check(&plain, err);
    gs_buf_clear(out);
    gs_buf_add_text(out, "Basic ");
    code = code ? code : gs_base64_encode(plain.data, plain.len, out, err);
    if (plain.data) {
        gs_wipe(plain.data, plain.cap);
    }
    gs_buf_done(&plain);
    return code;
}

/* A registry must not be able to send our credentials in the clear, nor to make us speak to services of this machine. */
static int check_realm(const gs_token_request *request, const char *realm, gs_error *err)
{
    char origin[GS_URL_ORIGIN];
    int code = gs_url_origin(realm, origin, err);
    if (code) {
        return gs_error_recode(err, GS_EAUTH);
    }
    if (gs_text_starts(request->registry_url, "https:") && !gs_text_starts(realm, "https:")) {
        return gs_fail(err, GS_EAUTH, "refused to send credentials over plain http to the token server %s that the registry names",
                       origin);
    }
    if (gs_url_is_local(realm) && !gs_url_is_local(request->registry_url)) {
        return gs_fail(err, GS_EAUTH, "refused the token server %s that the registry names: it is this machine", origin);
    }
    return 0;
}

static void add_query(gs_buf *url, const char *name, const char *value)
{
    const char *text = gs_buf_text(url);
    const char *query = strchr(text, '?');
    const char *separator = !query ? "?" : query[1] == '\0' ? "" : "&";
    gs_buf_printf(url, "%s%s=", separator, name);
    gs_url_escape(value, url);
}

static int add_scopes(gs_buf *url, const char *scopes, gs_error *err)
{
    for (const char *p = scopes; *p;) {
        size_t len = strcspn(p, " ");
        GS_AUTO_FREE char *one = strndup(p, len);
        if (!one) {
            return gs_fail_nomem(err);
        }
        if (len > 0) {
            add_query(url, "scope", one);
        }
        p += len + (p[len] == ' ');
    }
    return 0;
}

static int send_get(const gs_token_request *request, const char *realm, gs_http_response *response, gs_error *err)
{
    GS_AUTO_BUF gs_buf url;
    gs_buf_init(&url, GS_MAX_HTTP_HEADER_BYTES);
    gs_buf_add(&url, realm, strcspn(realm, "#"));
    if (request->service) {
        add_query(&url, "service", request->service);
    }
    int code = add_scopes(&url, request->scope, err);
    gs_buf basic;
    gs_buf_init(&basic, 2 * GS_MAX_TOKEN_BYTES);
    bool known = request->credentials->user && request->credentials->password;
    if (code == 0 && known) {
        add_query(&url, "account", request->credentials->user);
        code = gs_basic_header(request->credentials, &basic, err);
    }
    code = code ? code : gs_buf_check(&url, err);
    if (code == 0) {
        const gs_http_header header = {"Authorization", gs_buf_text(&basic)};
        const gs_http_request get = {GS_HTTP_REQUEST,
                                     .url = gs_buf_text(&url),
                                     .headers = &header,
                                     .header_count = known ? 1 : 0,
                                     .max_body = GS_MAX_TOKEN_BYTES,
                                     .deadline_ms = DEADLINE_MS};
        code = gs_http_send_retrying(request->http, &get, NULL, response, err);
    }
    if (basic.data) {
        gs_wipe(basic.data, basic.cap);
    }
    gs_buf_done(&basic);
    return code;
}

static void add_field(gs_buf *form, const char *name, const char *value)
{
    gs_buf_printf(form, "%s%s=", form->len > 0 ? "&" : "", name);
    gs_url_escape(value, form);
}

/* OAuth 2: the identity token of a login is a refresh token. */
static int send_post(const gs_token_request *request, const char *realm, gs_http_response *response, gs_error *err)
{
    gs_buf form;
    gs_buf_init(&form, 4 * GS_MAX_TOKEN_BYTES);
    add_field(&form, "grant_type", "refresh_token");
    add_field(&form, "client_id", "gapship");
    if (request->service) {
        add_field(&form, "service", request->service);
    }
    if (request->scope[0]) {
        add_field(&form, "scope", request->scope);
    }
    add_field(&form, "refresh_token", request->credentials->identity_token);
    int code = gs_buf_check(&form, err);
    if (code == 0) {
        const gs_http_header header = {"Content-Type", "application/x-www-form-urlencoded"};
        const gs_http_request post = {
            GS_HTTP_REQUEST,           .method = "POST",  .url = realm,         .headers = &header,
            .header_count = 1,         .body = form.data, .body_len = form.len, .max_body = GS_MAX_TOKEN_BYTES,
            .deadline_ms = DEADLINE_MS};
        code = gs_http_send_retrying(request->http, &post, NULL, response, err);
    }
    if (form.data) {
        gs_wipe(form.data, form.cap);
    }
    gs_buf_done(&form);
    return code;
}

static int send_request(const gs_token_request *request, const char *realm, gs_http_response *response, gs_error *err)
{
    if (request->credentials->identity_token) {
        int code = send_post(request, realm, response, err);
        bool knows_post = response->status != 401 && response->status != 404 && response->status != 405;
        if (code || knows_post) {
            return code;
        }
        gs_http_response_done(response);
    }
    return send_get(request, realm, response, err);
}

static bool usable(const char *token)
{
    for (const char *p = token; *p; p++) {
        if (*p <= ' ' || *p > '~') {
            return false;
        }
    }
    return token[0] != '\0';
}

static int refused(const gs_token_request *request, const char *realm, const gs_http_response *response, gs_error *err)
{
    char said[200];
    gs_text_printable(response->body.data ? response->body.data : "", said, sizeof said);
    bool denied = response->status == 400 || response->status == 401 || response->status == 403;
    gs_fail(err, denied ? GS_EAUTH : GS_EREGISTRY, "the token server answers %d%s%s", response->status, said[0] ? ": " : "", said);
    gs_error_at(err, "%.*s", (int)strcspn(realm, "?#"), realm);
    if (denied && gs_credentials_empty(request->credentials)) {
        return gs_error_hint(err,
                             "no credentials were found: log in with docker login or skopeo login, or name a credentials file");
    }
    return denied ? gs_error_hint(err, "log in again: the user, the password or the token is not accepted")
                  : gs_error_hint(err, "look at the token server's log");
}

static int read_answer(const gs_http_response *response, char **token, int64_t *seconds, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_error detail = {0}; /* not shown: it could quote the token */
    int code = gs_doc_parse(GS_JSON, "answer", response->body.data, response->body.len, &doc, &detail);
    if (code == GS_ENOMEM) {
        return gs_fail_nomem(err);
    }
    const char *text = code ? NULL : gs_node_text(doc->root, "token");
    text = text || code ? text : gs_node_text(doc->root, "access_token");
    if (!text || !usable(text)) {
        return gs_fail(err, GS_EAUTH, "the token server's answer holds no usable \"token\" or \"access_token\"");
    }
    int64_t life = gs_node_integer(doc->root, "expires_in", SHORTEST_LIFE);
    *token = strdup(text);
    *seconds = life > SHORTEST_LIFE ? life : SHORTEST_LIFE;
    return *token ? 0 : gs_fail_nomem(err);
}

int gs_token_fetch(const gs_token_request *request, char **token, int64_t *seconds, gs_error *err)
{
    GS_AUTO_BUF gs_buf realm;
    gs_buf_init(&realm, GS_MAX_HTTP_HEADER_BYTES);
    int code = gs_url_resolve(request->registry_url, request->realm, &realm, err);
    if (code) {
        return code == GS_ENOMEM ? code : gs_error_recode(err, GS_EAUTH);
    }
    code = check_realm(request, gs_buf_text(&realm), err);
    if (code) {
        return code;
    }
    GS_AUTO_RESPONSE gs_http_response response = {0};
    code = send_request(request, gs_buf_text(&realm), &response, err);
    if (code) {
        gs_error_context(err, "no token for the registry");
        return code;
    }
    code = response.status == 200 ? read_answer(&response, token, seconds, err)
                                  : refused(request, gs_buf_text(&realm), &response, err);
    if (response.body.data) {
        gs_wipe(response.body.data, response.body.cap);
    }
    return code;
}
