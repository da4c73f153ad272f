/* What a registry's refusal means: the code by its status, what it said by its error list, and what a person can do. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gapship/doc.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

#define SAID_BYTES 300u

int gs_registry_at(const gs_registry *registry, const char *repository, gs_error *err)
{
    return gs_error_at(err, "%s%s%s", registry->host, repository ? "/" : "", repository ? repository : "");
}

bool gs_answer_digest(const gs_http_response *response, gs_digest *out)
{
    char text[256];
    return gs_http_header_get(response, "Docker-Content-Digest", 0, text, sizeof text) && gs_digest_parse(text, out, NULL) == 0;
}

/* The n-th entry of {"errors": [{"code", "message", "detail"}]}, or NULL. */
static const gs_node *error_entry(const gs_doc *doc, size_t n)
{
    const gs_node *errors = doc ? gs_node_get(doc->root, "errors") : NULL;
    return errors && errors->kind == GS_NODE_LIST && n < errors->count ? errors->items[n] : NULL;
}

static gs_doc *parse_body(const gs_http_response *response)
{
    gs_doc *doc = NULL;
    bool parsed = response->body.len > 0 &&
                  gs_doc_parse(GS_JSON, "answer", response->body.data, response->body.len, &doc, NULL) == 0;
    return parsed ? doc : NULL;
}

bool gs_answer_has_code(const gs_http_response *response, const char *code)
{
    GS_AUTO_DOC gs_doc *doc = parse_body(response);
    const gs_node *entry;
    for (size_t i = 0; (entry = error_entry(doc, i)) != NULL; i++) {
        if (gs_text_equal(gs_node_text(entry, "code"), code)) {
            return true;
        }
    }
    return false;
}

/* "CODE: message" of the first error; else the first line of a text that is no web page. */
static void what_it_said(const gs_http_response *response, char out[SAID_BYTES])
{
    GS_AUTO_DOC gs_doc *doc = parse_body(response);
    const gs_node *entry = error_entry(doc, 0);
    const char *code = entry ? gs_node_text(entry, "code") : NULL;
    const char *message = entry ? gs_node_text(entry, "message") : NULL;
    char raw[SAID_BYTES];
    if (code || message) {
        (void)snprintf(raw, sizeof raw, "%s%s%s", code ? code : "", code && message ? ": " : "", message ? message : "");
    } else {
        const char *body = response->body.data ? response->body.data : "";
        body += strspn(body, " \t\r\n");
        int len = *body == '<' ? 0 : (int)strcspn(body, "\r\n");
        (void)snprintf(raw, sizeof raw, "%.*s", len, body);
    }
    gs_text_printable(raw, out, SAID_BYTES);
}

static int code_for(const gs_http_response *response)
{
    if (response->status == 401 || response->status == 403) {
        return GS_EAUTH;
    }
    return response->status == 404 ? GS_ENOTFOUND : GS_EREGISTRY;
}

static void hint_auth(const gs_registry *registry, const gs_call *call, int status, gs_error *err)
{
    char user[128];
    gs_auth_user(registry->auth, call->repository, user, sizeof user);
    const char *act = strstr(call->scope, "push") ? "push to" : "pull from";
    if (user[0] == '\0') {
        gs_error_hint(err, "no credentials were found for %s: log in with docker login or skopeo login, or name a credentials file",
                      registry->host);
    } else if (status == 401) {
        gs_error_hint(err, "log in to %s again: the credentials of %s are not accepted", registry->host, user);
    } else {
        gs_error_hint(err, "may %s %s this repository? Does its project exist, with room in its quota?", user, act);
    }
}

static void hint_status(const gs_registry *registry, const gs_call *call, const gs_http_response *response, gs_error *err)
{
    bool pushes = strstr(call->scope, "push") != NULL;
    switch (response->status) {
    case 400:
        if (response->body.data && strstr(response->body.data, "HTTP request to an HTTPS server")) {
            gs_error_hint(err, "the registry speaks TLS: write https:// in its address");
        }
        break;
    case 401:
    case 403:
        hint_auth(registry, call, response->status, err);
        break;
    case 404:
        gs_error_hint(err, pushes ? "some registries want the project or repository to be created first"
                                  : "are repository and tag right?");
        break;
    case 405:
        gs_error_hint(err, "is the registry read-only, or a mirror?");
        break;
    case 412:
        gs_error_hint(err, "does the registry keep its tags immutable?");
        break;
    case 413:
        gs_error_hint(err, "raise the body limit of the proxy before the registry (nginx: client_max_body_size)");
        break;
    case 415:
        gs_error_hint(err, "the registry does not take this media type; zot takes Docker's with http.compat: [\"docker2s2\"]");
        break;
    case 429:
        gs_error_hint(err, "the registry limits the rate of requests: try later, or with fewer jobs");
        break;
    case 507:
        gs_error_hint(err, "the registry has no room left");
        break;
    default:
        if (response->status >= 500) {
            gs_error_hint(err, "look at the registry's log");
        }
    }
}

int gs_call_refused(const gs_registry *registry, const gs_call *call, const gs_http_response *response, gs_error *err,
                    const char *format, ...)
{
    char action[300];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(action, sizeof action, format, args);
    va_end(args);
    char said[SAID_BYTES];
    what_it_said(response, said);
    int code = gs_fail(err, code_for(response), "%s: the registry answers %d%s%s%s", action, response->status, said[0] ? " (" : "",
                       said, said[0] ? ")" : "");
    gs_registry_at(registry, call->repository, err);
    hint_status(registry, call, response, err);
    return code;
}
