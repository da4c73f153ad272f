/* One exchange over one libcurl handle: options, callbacks, time limits. Knows nothing of redirects and retries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "internal.h"

#define CONNECT_MS 10000
#define IDLE_MS    60000
/* libcurl copies each body through a buffer of its own: large ones keep the number of system calls down. */
#define TRANSFER_BYTES ((long)GS_KIB(512))

/* What the callbacks of one exchange share. failed is the code of an error that a callback has put into err. */
typedef struct exchange {
    gs_http *http;
    const gs_http_request *request;
    gs_http_response *response;
    gs_error *err;
    int failed;
    uint64_t sent;
    size_t header_bytes;
    int64_t started, moved_at;
    bool began;
    bool cut; /* an error body was longer than is worth reading */
} exchange;

static bool succeeded(const gs_http_response *response)
{
    return response->status >= 200 && response->status <= 299;
}

static void note_move(exchange *x, size_t bytes)
{
    x->moved_at = gs_ticks();
    if (x->request->moved && bytes > 0) {
        x->request->moved(x->request->state, bytes);
    }
}

/* "HTTP/1.1 200 OK": a new answer begins (after 100 Continue there is another). */
static void take_status(exchange *x, const char *line, size_t len)
{
    const char *space = memchr(line, ' ', len);
    int status = 0;
    for (const char *p = space ? space + 1 : line + len; p < line + len && *p >= '0' && *p <= '9' && status < 1000; p++) {
        status = status * 10 + (*p - '0');
    }
    gs_buf_clear(&x->response->headers);
    x->response->status = status;
}

static size_t on_header(char *data, size_t size, size_t count, void *state)
{
    exchange *x = state;
    size_t len = size * count;
    x->moved_at = gs_ticks();
    x->header_bytes += len;
    if (x->header_bytes > GS_MAX_HTTP_HEADER_BYTES) {
        x->failed = gs_fail(x->err, GS_ELIMIT, "the answer has more than %zu bytes of headers", GS_MAX_HTTP_HEADER_BYTES);
        return 0;
    }
    size_t kept = len;
    while (kept > 0 && (data[kept - 1] == '\r' || data[kept - 1] == '\n')) {
        kept--;
    }
    if (kept >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        take_status(x, data, kept);
    } else if (kept > 0 && !memchr(data, '\0', kept)) {
        gs_buf_add(&x->response->headers, data, kept);
        gs_buf_add(&x->response->headers, "\n", 1);
    }
    x->failed = gs_buf_check(&x->response->headers, x->err);
    return x->failed ? 0 : len;
}

static bool begin_body(exchange *x)
{
    if (!x->began && x->request->began) {
        x->failed = x->request->began(x->request->state, x->response, x->err);
    }
    x->began = true;
    return x->failed == 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *state)
{
    exchange *x = state;
    size_t len = size * count;
    gs_http_response *response = x->response;
    if (!succeeded(response)) {
        size_t room = response->body.max - response->body.len;
        gs_buf_add(&response->body, data, len < room ? len : room);
        x->cut = len > room;
        x->failed = gs_buf_check(&response->body, x->err);
        return x->failed || x->cut ? 0 : len;
    }
    uint64_t max = x->request->max_body ? x->request->max_body : GS_MAX_HTTP_ERROR_BYTES;
    if (len > max - response->received) {
        x->failed = gs_fail(x->err, GS_ELIMIT, "the answer is longer than the %llu bytes that are accepted here",
                            (unsigned long long)max);
        return 0;
    }
    if (x->request->sink) {
        if (begin_body(x)) {
            x->failed = gs_sink_write(x->request->sink, data, len, x->err);
        }
    } else {
        gs_buf_add(&response->body, data, len);
        x->failed = gs_buf_check(&response->body, x->err);
    }
    if (x->failed) {
        return 0;
    }
    response->received += len;
    note_move(x, len);
    return len;
}

static size_t on_upload(char *out, size_t size, size_t count, void *state)
{
    exchange *x = state;
    const gs_http_request *request = x->request;
    uint64_t left = request->body_len - x->sent;
    size_t len = size * count < left ? size * count : (size_t)left;
    if (len == 0) {
        return 0;
    }
    if (request->body) {
        memcpy(out, (const char *)request->body + x->sent, len);
    } else {
        x->failed = gs_fs_pread(request->body_fd, out, len, request->body_offset + x->sent, x->err);
    }
    if (x->failed) {
        return CURL_READFUNC_ABORT;
    }
    x->sent += len;
    note_move(x, len);
    return len;
}

/* libcurl would send a body again by itself when a kept connection dies under it. Whether that is wise only the caller knows. */
static int on_seek(void *state, curl_off_t offset, int origin)
{
    const exchange *x = state;
    return origin == SEEK_SET && offset >= 0 && (uint64_t)offset == x->sent ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static int on_progress(void *state, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    exchange *x = state;
    const gs_http_request *request = x->request;
    x->failed = x->failed ? x->failed : gs_check_stop(x->http->run, 2, x->err);
    if (x->failed) {
        return 1;
    }
    int64_t now = gs_ticks();
    int64_t idle = request->idle_ms ? request->idle_ms : IDLE_MS;
    if (request->deadline_ms && now - x->started > request->deadline_ms) {
        x->failed = gs_fail(x->err, GS_ETIMEOUT, "no complete answer within %.3g s", (double)request->deadline_ms / 1000);
    } else if (now - x->moved_at > idle) {
        x->failed = gs_fail(x->err, GS_ETIMEOUT, "nothing was sent or received for %.3g s", (double)idle / 1000);
    }
    return x->failed ? 1 : 0;
}

static bool goes_anywhere(const char *name)
{
    return strcasecmp(name, "Accept") == 0 || strcasecmp(name, "Range") == 0;
}

static int add_line(struct curl_slist **list, const char *line, gs_error *err)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer) {
        return gs_fail_nomem(err);
    }
    *list = longer;
    return 0;
}

static int build_headers(const gs_http_request *request, bool foreign, struct curl_slist **out, gs_error *err)
{
    struct curl_slist *list = NULL;
    /* Without this libcurl waits a second for "100 Continue" from the many servers that never send it. */
    int code = add_line(&list, "Expect:", err);
    GS_AUTO_BUF gs_buf line;
    gs_buf_init(&line, GS_MAX_TOKEN_BYTES + GS_KIB(1));
    for (size_t i = 0; code == 0 && i < request->header_count; i++) {
        const gs_http_header *header = &request->headers[i];
        if (foreign && !goes_anywhere(header->name)) {
            continue;
        }
        if (strpbrk(header->value, "\r\n")) {
            code = gs_fail(err, GS_ENETWORK, "the header %s would hold a line break", header->name);
            break;
        }
        gs_buf_clear(&line);
        gs_buf_printf(&line, "%s: %s", header->name, header->value);
        code = gs_buf_check(&line, err);
        code = code ? code : add_line(&list, gs_buf_text(&line), err);
    }
    if (code) {
        curl_slist_free_all(list);
        return code;
    }
    *out = list;
    return 0;
}

static void set_method(CURL *easy, const gs_http_request *request)
{
    const char *method = request->method ? request->method : "GET";
    bool uploads = request->body || request->body_fd >= 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
                   strcmp(method, "PATCH") == 0;
    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (uploads) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_len);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_host(CURL *easy, const gs_http_host *host)
{
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (host->ca_file) {
        /* Only this CA: the system's directory of CAs would count as well otherwise. */
        curl_easy_setopt(easy, CURLOPT_CAINFO, host->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (host->client_certificate) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, host->client_certificate);
        curl_easy_setopt(easy, CURLOPT_SSLKEY, host->client_key ? host->client_key : host->client_certificate);
    }
    if (host->unix_socket) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, host->unix_socket);
    }
}

static void set_callbacks(CURL *easy, exchange *x)
{
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(easy, CURLOPT_READDATA, x);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, x);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, x);
}

static void set_rules(CURL *easy, const gs_http_request *request)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, TRANSFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, TRANSFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "gapship");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(request->connect_ms ? request->connect_ms : CONNECT_MS));
}

static int finish(exchange *x, CURL *easy, CURLcode status, const char *detail, bool *transient)
{
    if (x->failed) {
        /* A stalled connection may do better next time; a full disk or a signal will not. */
        *transient = x->failed == GS_ETIMEOUT;
        return x->failed;
    }
    if (status != CURLE_OK && !x->cut) {
        return gs_http_explain(x->http, easy, status, detail, transient, x->err);
    }
    if (x->request->sink && succeeded(x->response) && !begin_body(x)) {
        return x->failed;
    }
    (void)gs_buf_text(&x->response->headers);
    (void)gs_buf_text(&x->response->body);
    return 0;
}

static int start_response(gs_http_response *response, const gs_http_request *request, const char *url, gs_error *err)
{
    char *copy = strdup(url);
    if (!copy) {
        return gs_fail_nomem(err);
    }
    free(response->url);
    response->url = copy;
    response->status = 0;
    response->received = 0;
    gs_buf_clear(&response->headers);
    gs_buf_clear(&response->body);
    bool keeps = !request->sink && request->max_body > GS_MAX_HTTP_ERROR_BYTES;
    response->body.max = keeps ? (size_t)request->max_body : GS_MAX_HTTP_ERROR_BYTES;
    return 0;
}

/* For people who look for a fault. Without the query, which may hold a secret. */
static void report(const gs_run *run, const gs_http_request *request, const char *url, int status)
{
    if (!run || !run->emit) {
        return;
    }
    char shown[256];
    (void)snprintf(shown, sizeof shown, "%.*s", (int)strcspn(url, "?#"), url);
    const char *method = request->method ? request->method : "GET";
    const gs_fact facts[] = {GS_TEXT_FACT("method", method), GS_TEXT_FACT("url", shown), GS_NUMBER_FACT("status", status)};
    gs_emit(run, GS_DEBUG, "httpExchange", facts, 3, "%s %s: %d", method, shown, status);
}

/* curl_easy_perform with connections that outlive the CURL. */
static CURLcode perform(CURLM *connections, CURL *easy)
{
    int running = 1;
    int left;
    CURLcode status = CURLE_FAILED_INIT;
    CURLMcode code = curl_multi_add_handle(connections, easy);
    while (code == CURLM_OK && running > 0) {
        code = curl_multi_perform(connections, &running);
        if (code == CURLM_OK && running > 0) {
            code = curl_multi_poll(connections, NULL, 0, 1000, NULL);
        }
    }
    for (const CURLMsg *message; (message = curl_multi_info_read(connections, &left));) {
        status = message->msg == CURLMSG_DONE ? message->data.result : status;
    }
    (void)curl_multi_remove_handle(connections, easy);
    return code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : status;
}

int gs_http_exchange(gs_http *http, gs_http_handle *handle, const gs_http_request *request, gs_http_target target,
                     gs_http_response *response, bool *transient, gs_error *err)
{
    struct curl_slist *headers = NULL;
    int code = start_response(response, request, target.url, err);
    code = code ? code : build_headers(request, target.foreign, &headers, err);
    CURL *easy = code ? NULL : curl_easy_init();
    if (!easy) {
        curl_slist_free_all(headers);
        return code ? code : gs_fail_nomem(err);
    }
    int64_t now = gs_ticks();
    exchange x = {.http = http, .request = request, .response = response, .err = err, .started = now, .moved_at = now};
    char detail[CURL_ERROR_SIZE] = "";
    set_rules(easy, request);
    set_host(easy, &http->host);
    set_callbacks(easy, &x);
    set_method(easy, request);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    CURLcode status = curl_easy_setopt(easy, CURLOPT_URL, target.url);
    if (status == CURLE_OK) {
        status = perform(handle->connections, easy);
    }
    code = finish(&x, easy, status, detail, transient);
    report(http->run, request, target.url, code ? 0 : response->status);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    return code;
}
