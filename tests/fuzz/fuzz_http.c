/* Answers of HTTP servers, line "====" between them, read by the client as it is: status lines, headers, lengths, redirects, waits.
 * Whatever they say: what is handed on is within its bounds and well-formed, and neither a secret header nor a request to this
 * machine goes where a server's redirect sends it. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "answers.h"
#include "fuzz.h"
#include "gapship/http.h"
#include "gapship/limits.h"

#define SECRET   "Bearer 7Fq2-secret"
#define MAX_BODY 5000u

static void check_headers(const gs_http_response *response)
{
    static const char *const names[] = {"Location", "Link", "Retry-After", "WWW-Authenticate", "Docker-Content-Digest"};
    const char *lines = response->headers.data ? response->headers.data : "";
    check(strlen(lines) == response->headers.len && response->headers.len <= GS_MAX_HTTP_HEADER_BYTES);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char value[64];
        for (size_t n = 0; gs_http_header_get(response, names[i], n, value, sizeof value); n++) {
            check(strlen(value) < sizeof value && !strpbrk(value, "\n"));
            check(n < response->headers.len);
        }
    }
}

static void check_response(const gs_http_response *response)
{
    char origin[GS_URL_ORIGIN];
    check(response->status >= 0 && response->status <= 9999);
    check(gs_url_origin(response->url, origin, NULL) == 0);
    check(response->received <= MAX_BODY && response->body.len <= GS_MAX_HTTP_ERROR_BYTES);
    bool good = response->status >= 200 && response->status <= 299;
    check(!good || response->received == response->body.len);
    check_headers(response);
}

static bool asks_this_machine(const char *request)
{
    char host[64] = "";
    struct in_addr address;
    const char *line = strcasestr(request, "\r\nHost: ");
    if (line) {
        (void)snprintf(host, sizeof host, "%.*s", (int)strcspn(line + 8, ":\r"), line + 8);
    }
    return strcasecmp(host, "localhost") == 0 || (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

static void check_requests(void)
{
    const char *requests[ANSWERS_MOST];
    size_t count = answers_asked(requests);
    bool foreign = false;
    for (size_t i = 0; i < count; i++) {
        foreign = foreign || !answers_host(requests[i]);
        check(!foreign || !strstr(requests[i], SECRET));
        check(!asks_this_machine(requests[i]));
    }
}

static void ask(bool retrying)
{
    static const gs_http_header headers[] = {{"Authorization", SECRET}, {"Accept", "a/b"}};
    const gs_http_host host = {.unix_socket = answers_socket()};
    const gs_http_request request = {GS_HTTP_REQUEST,      .url = "http://" ANSWERS_HOST "/v2/a?x=1",
                                     .headers = headers,   .header_count = 2,
                                     .max_body = MAX_BODY, .redirects = !retrying};
    gs_http *http = NULL;
    gs_error err = {0};
    gs_http_response response = {0};
    if (gs_http_new(NULL, &host, &http, &err) != 0) {
        return;
    }
    int code = retrying ? gs_http_send_retrying(http, &request, NULL, &response, &err)
                        : gs_http_send(http, &request, &response, &err);
    if (code == 0) {
        check_response(&response);
    } else {
        check(err.code == code && err.message[0] != '\0');
    }
    check_requests();
    gs_http_response_done(&response);
    gs_http_free(http);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    answers_set(data, size);
    (void)answers_socket();
    ask(false);
    answers_set(data, size);
    ask(true);
    answers_set(NULL, 0);
    return 0;
}
