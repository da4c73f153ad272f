/* The client as its users see it: handles taken and given back, redirects, answers. Knows no protocol above HTTP. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

#define LOCATION_BYTES GS_KIB(16)

int gs_http_new(const gs_run *run, const gs_http_host *host, gs_http **out, gs_error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return gs_fail(err, GS_EINTERNAL, "libcurl does not start");
    }
    gs_http *http = calloc(1, sizeof *http);
    if (!http || pthread_mutex_init(&http->lock, NULL) != 0) {
        free(http);
        curl_global_cleanup();
        return gs_fail_nomem(err);
    }
    http->run = run;
    http->host = host ? *host : (gs_http_host){0};
    *out = http;
    return 0;
}

void gs_http_free(gs_http *http)
{
    if (!http) {
        return;
    }
    while (http->idle) {
        gs_http_handle *handle = http->idle;
        http->idle = handle->next;
        (void)curl_multi_cleanup(handle->connections);
        free(handle);
    }
    pthread_mutex_destroy(&http->lock);
    free(http);
    curl_global_cleanup();
}

static gs_http_handle *take_handle(gs_http *http)
{
    pthread_mutex_lock(&http->lock);
    gs_http_handle *handle = http->idle;
    if (handle) {
        http->idle = handle->next;
    }
    pthread_mutex_unlock(&http->lock);
    if (handle) {
        return handle;
    }
    handle = calloc(1, sizeof *handle);
    if (handle) {
        handle->connections = curl_multi_init();
        if (!handle->connections) {
            free(handle);
            handle = NULL;
        }
    }
    return handle;
}

static void give_handle(gs_http *http, gs_http_handle *handle)
{
    pthread_mutex_lock(&http->lock);
    handle->next = http->idle;
    http->idle = handle;
    pthread_mutex_unlock(&http->lock);
}

static bool wants_redirect(const gs_http_request *request, int status)
{
    bool reads = !request->method || strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    return request->redirects && reads && (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

/* Where a redirect leads, unless it may not be followed. */
static int next_url(const gs_http_response *response, gs_buf *url, gs_error *err)
{
    GS_AUTO_FREE char *location = malloc(LOCATION_BYTES);
    if (!location) {
        return gs_fail_nomem(err);
    }
    if (!gs_http_header_get(response, "Location", 0, location, LOCATION_BYTES) || strlen(location) + 1 == LOCATION_BYTES) {
        return gs_fail(err, GS_ENETWORK, "the server answers %d without a usable Location", response->status);
    }
    int code = gs_url_resolve(response->url, location, url, err);
    if (code) {
        return code;
    }
    char origin[GS_URL_ORIGIN];
    code = gs_url_origin(gs_buf_text(url), origin, err);
    if (code) {
        return code;
    }
    if (gs_text_starts(response->url, "https:") && !gs_text_starts(gs_buf_text(url), "https:")) {
        return gs_fail(err, GS_ENETWORK, "refused a redirect from https to plain http, to %s", origin);
    }
    if (gs_url_is_local(gs_buf_text(url)) && !gs_url_is_local(response->url)) {
        return gs_fail(err, GS_ENETWORK, "refused a redirect from another host to this machine, to %s", origin);
    }
    return 0;
}

static int follow(gs_http *http, gs_http_handle *handle, const gs_http_request *request, gs_http_response *response,
                  bool *transient, gs_error *err)
{
    GS_AUTO_BUF gs_buf url;
    gs_buf_init(&url, GS_MAX_HTTP_HEADER_BYTES);
    gs_buf_add_text(&url, request->url);
    int code = gs_buf_check(&url, err);
    bool foreign = false;
    for (unsigned hops = 0; code == 0; hops++) {
        code = gs_http_exchange(http, handle, request, (gs_http_target){gs_buf_text(&url), foreign}, response, transient, err);
        if (code || !wants_redirect(request, response->status)) {
            break;
        }
        if (hops == GS_MAX_REDIRECTS) {
            return gs_fail(err, GS_ENETWORK, "more than %u redirects", (unsigned)GS_MAX_REDIRECTS);
        }
        code = next_url(response, &url, err);
        /* Once foreign, always foreign: a host that was redirected to does not win the headers back by pointing home. */
        foreign = foreign || !gs_url_same_origin(request->url, gs_buf_text(&url));
    }
    return code;
}

int gs_http_send_once(gs_http *http, const gs_http_request *request, gs_http_response *response, bool *transient, gs_error *err)
{
    *response = (gs_http_response){0};
    *transient = false;
    gs_buf_init(&response->headers, GS_MAX_HTTP_HEADER_BYTES);
    gs_buf_init(&response->body, GS_MAX_HTTP_ERROR_BYTES);
    char origin[GS_URL_ORIGIN];
    char redirected[GS_URL_ORIGIN];
    int code = gs_url_origin(request->url, origin, err);
    if (code) {
        return code;
    }
    gs_http_handle *handle = take_handle(http);
    if (!handle) {
        return gs_fail_nomem(err);
    }
    code = follow(http, handle, request, response, transient, err);
    give_handle(http, handle);
    bool ours = code == GS_ENETWORK || code == GS_ETIMEOUT || code == GS_ELIMIT;
    if (ours && err && err->where[0] == '\0') {
        bool moved = response->url && gs_url_origin(response->url, redirected, NULL) == 0;
        gs_error_at(err, "%s", moved ? redirected : origin);
    }
    return code;
}

int gs_http_send(gs_http *http, const gs_http_request *request, gs_http_response *response, gs_error *err)
{
    bool transient;
    return gs_http_send_once(http, request, response, &transient, err);
}

void gs_http_response_done(gs_http_response *response)
{
    if (response) {
        gs_buf_done(&response->headers);
        gs_buf_done(&response->body);
        free(response->url);
        *response = (gs_http_response){0};
    }
}

bool gs_http_header_get(const gs_http_response *response, const char *name, size_t n, char *out, size_t size)
{
    size_t name_len = strlen(name);
    for (const char *line = response->headers.data; line && *line;) {
        size_t len = strcspn(line, "\n");
        if (len > name_len && line[name_len] == ':' && strncasecmp(line, name, name_len) == 0 && n-- == 0) {
            const char *value = line + name_len + 1;
            const char *end = line + len;
            value += strspn(value, " \t");
            while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
                end--;
            }
            size_t value_len = value < end ? (size_t)(end - value) : 0;
            value_len = value_len < size ? value_len : size - 1;
            memcpy(out, value, value_len);
            out[value_len] = '\0';
            return true;
        }
        line += len + (line[len] == '\n');
    }
    return false;
}

const char *gs_http_version(void)
{
    return curl_version();
}
