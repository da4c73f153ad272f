/* Redirects, headers, handles: the client as its users see it. */
#include <stdio.h>
#include <string.h>

#include "gapship/http.h"
#include "gapship/limits.h"
#include "script_server.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One:  a b \t\r\nx-one: second\r\nX-Empty:\r\n\r\nok"

typedef struct client {
    script_server *server;
    gs_http *http;
    gs_http_response response;
    gs_error err;
    char url[128];
} client;

static void start(client *self, const char *const *answers)
{
    *self = (client){.server = script_server_start(answers, NULL)};
    assert_ok(&self->err, gs_http_new(NULL, NULL, &self->http, &self->err));
    (void)snprintf(self->url, sizeof self->url, "%s/path?q=1", script_server_url(self->server));
}

static void stop(client *self)
{
    gs_http_response_done(&self->response);
    gs_http_free(self->http);
    script_server_stop(self->server);
}

static int get(client *self)
{
    const gs_http_request request = {GS_HTTP_REQUEST, .url = self->url, .redirects = true};
    gs_http_response_done(&self->response);
    return gs_http_send(self->http, &request, &self->response, &self->err);
}

static void an_answer_is_taken_apart(void **state)
{
    (void)state;
    client self;
    char value[64];
    start(&self, (const char *const[]){"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n" OK, NULL});
    assert_ok(&self.err, get(&self));
    assert_int_equal(self.response.status, 200);
    assert_string_equal(self.response.body.data, "ok");
    assert_int_equal(self.response.received, 2);
    assert_string_equal(self.response.url, self.url);
    assert_true(gs_http_header_get(&self.response, "x-ONE", 0, value, sizeof value));
    assert_string_equal(value, "a b");
    assert_true(gs_http_header_get(&self.response, "X-One", 1, value, sizeof value));
    assert_string_equal(value, "second");
    assert_false(gs_http_header_get(&self.response, "X-One", 2, value, sizeof value));
    assert_true(gs_http_header_get(&self.response, "X-Empty", 0, value, sizeof value));
    assert_string_equal(value, "");
    assert_false(gs_http_header_get(&self.response, "X-Early", 0, value, sizeof value));
    assert_true(gs_http_header_get(&self.response, "X-One", 1, value, 4));
    assert_string_equal(value, "sec");
    const char *request = script_server_request(self.server, 0);
    assert_contains(request, "GET /path?q=1 HTTP/1.1\r\n");
    assert_null(strcasestr(request, "Accept-Encoding"));
    stop(&self);
}

static void connections_are_kept(void **state)
{
    (void)state;
    client self;
    start(&self, (const char *const[]){OK, NULL});
    for (unsigned i = 0; i < 5; i++) {
        assert_ok(&self.err, get(&self));
    }
    assert_int_equal(script_server_connections(self.server), 1);
    stop(&self);
}

/* A line that goes on where nothing began must not be taken for a part of the answer before. */
static void a_folded_line_before_any_header_is_refused(void **state)
{
    (void)state;
    client self;
    start(&self, (const char *const[]){OK, "HTTP/1.1 200 OK\r\n folded: line\r\nContent-Length: 2\r\n\r\nok", OK, NULL});
    assert_ok(&self.err, get(&self));
    assert_int_equal(get(&self), GS_ENETWORK);
    assert_ok(&self.err, get(&self));
    stop(&self);
}

static void methods_and_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *method, *body, *says, *silent;
    } cases[] = {
        {"POST", NULL, "Content-Length: 0\r\n", "Transfer-Encoding"},
        {"PUT", "", "Content-Length: 0\r\n", "Expect"},
        {"PUT", "hello", "Content-Length: 5\r\n", "Expect"},
        {"PATCH", "hello", "\r\n\r\nhello", "Content-Type"},
        {"DELETE", NULL, "DELETE /path?q=1 HTTP/1.1\r\n", "Content-Length"},
    };
    client self;
    start(&self, (const char *const[]){OK, NULL});
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const gs_http_request request = {GS_HTTP_REQUEST, .method = cases[i].method, .url = self.url, .body = cases[i].body,
                                         .body_len = cases[i].body ? strlen(cases[i].body) : 0};
        gs_http_response_done(&self.response);
        assert_ok(&self.err, gs_http_send(self.http, &request, &self.response, &self.err));
        const char *seen = script_server_request(self.server, i);
        assert_contains(seen, cases[i].method);
        assert_contains(seen, cases[i].says);
        assert_null(strstr(seen, cases[i].silent));
    }
    stop(&self);
}

static void add(void *state, uint64_t bytes)
{
    *(uint64_t *)state += bytes;
}

static void a_part_of_a_file_is_sent(void **state)
{
    gs_tempdir *dir = *state;
    support_write(dir->fd, "file", "head-body-tail");
    GS_AUTO_FD int fd = -1;
    uint64_t size, moved = 0;
    client self;
    start(&self, (const char *const[]){OK, NULL});
    assert_ok(&self.err, gs_fs_open_read(dir->fd, "file", false, &fd, &size, &self.err));
    gs_http_request request = {
        .method = "PUT", .url = self.url, .body_fd = fd, .body_offset = 5, .body_len = 4, .moved = add, .state = &moved};
    assert_ok(&self.err, gs_http_send(self.http, &request, &self.response, &self.err));
    assert_contains(script_server_request(self.server, 0), "\r\n\r\nbody");
    assert_int_equal(moved, 6); /* four up, two down */
    gs_http_response_done(&self.response);
    request.body_len = 50;
    assert_fails(&self.err, GS_EIO, "ends early", gs_http_send(self.http, &request, &self.response, &self.err));
    stop(&self);
}

#define MOVED(to) "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " to "\r\n\r\n"

static void redirects_are_followed_only_when_asked(void **state)
{
    (void)state;
    client self;
    start(&self, (const char *const[]){MOVED("/there"), OK, MOVED("/there"), NULL});
    assert_ok(&self.err, get(&self));
    assert_int_equal(self.response.status, 200);
    assert_contains(self.response.url, "/there");
    const gs_http_request plain = {GS_HTTP_REQUEST, .url = self.url};
    const gs_http_request put = {GS_HTTP_REQUEST, .method = "PUT", .url = self.url, .redirects = true};
    gs_http_response_done(&self.response);
    assert_ok(&self.err, gs_http_send(self.http, &plain, &self.response, &self.err));
    assert_int_equal(self.response.status, 302);
    gs_http_response_done(&self.response);
    assert_ok(&self.err, gs_http_send(self.http, &put, &self.response, &self.err));
    assert_int_equal(self.response.status, 302);
    stop(&self);
}

static void redirects_have_an_end(void **state)
{
    (void)state;
    client self;
    start(&self, (const char *const[]){MOVED("/again"), NULL});
    assert_fails(&self.err, GS_ENETWORK, "more than 5 redirects", get(&self));
    assert_int_equal(script_server_count(self.server), 6);
    stop(&self);
}

static void a_redirect_elsewhere_takes_no_header_along(void **state)
{
    (void)state;
    client home, away;
    start(&away, (const char *const[]){OK, NULL});
    char answer[256];
    (void)snprintf(answer, sizeof answer, MOVED("%s/x"), script_server_url(away.server));
    start(&home, (const char *const[]){answer, NULL});
    const gs_http_header headers[] = {
        {"Authorization", "Basic c2VjcmV0"}, {"X-Secret", "1"}, {"Accept", "a/b"}, {"Range", "bytes=5-"}};
    const gs_http_request request = {GS_HTTP_REQUEST, .url = home.url, .headers = headers, .header_count = 4, .redirects = true};
    assert_ok(&home.err, gs_http_send(home.http, &request, &home.response, &home.err));
    assert_contains(script_server_request(home.server, 0), "Authorization: Basic c2VjcmV0\r\n");
    const char *seen = script_server_request(away.server, 0);
    assert_null(strstr(seen, "Authorization"));
    assert_null(strstr(seen, "X-Secret"));
    assert_contains(seen, "Accept: a/b\r\n");
    assert_contains(seen, "Range: bytes=5-\r\n");
    stop(&home);
    stop(&away);
}

static void redirects_that_lead_nowhere(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *says;
    } cases[] = {
        {"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "without a usable Location"},
        {MOVED("ftp://h/"), "not a URL"},
        {MOVED("http://u:p@127.0.0.1/"), "user name"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        client self;
        start(&self, (const char *const[]){cases[i].answer, NULL});
        assert_fails(&self.err, GS_ENETWORK, cases[i].says, get(&self));
        stop(&self);
    }
}

static void a_unix_socket_is_a_host(void **state)
{
    gs_tempdir *dir = *state;
    char path[100];
    (void)snprintf(path, sizeof path, "%s/socket", dir->path);
    script_server *server = script_server_start((const char *const[]){OK, NULL}, path);
    const gs_http_host host = {.unix_socket = path};
    gs_http *http = NULL;
    gs_error err = {0};
    GS_AUTO_RESPONSE gs_http_response response = {0};
    assert_ok(&err, gs_http_new(NULL, &host, &http, &err));
    const gs_http_request request = {GS_HTTP_REQUEST, .url = "http://localhost/api"};
    assert_ok(&err, gs_http_send(http, &request, &response, &err));
    assert_contains(script_server_request(server, 0), "GET /api HTTP/1.1");
    gs_http_free(http);
    script_server_stop(server);
}

/* The socket lets a test have a host of any name. */
static void a_redirect_must_not_reach_into_this_machine(void **state)
{
    gs_tempdir *dir = *state;
    static const char *const targets[] = {"http://127.0.0.1:9/", "http://localhost/", "http://169.254.169.254/latest",
                                          "http://[::1]/"};
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        char path[100], answer[200];
        (void)snprintf(path, sizeof path, "%s/socket%zu", dir->path, i);
        (void)snprintf(answer, sizeof answer, MOVED("%s"), targets[i]);
        script_server *server = script_server_start((const char *const[]){answer, NULL}, path);
        const gs_http_host host = {.unix_socket = path};
        gs_http *http = NULL;
        gs_error err = {0};
        GS_AUTO_RESPONSE gs_http_response response = {0};
        assert_ok(&err, gs_http_new(NULL, &host, &http, &err));
        const gs_http_request request = {GS_HTTP_REQUEST, .url = "http://registry.example/x", .redirects = true};
        assert_fails(&err, GS_ENETWORK, "to this machine", gs_http_send(http, &request, &response, &err));
        assert_int_equal(script_server_count(server), 1);
        gs_http_free(http);
        script_server_stop(server);
    }
}

static void what_cannot_be_sent(void **state)
{
    (void)state;
    client self;
    start(&self, (const char *const[]){OK, NULL});
    gs_http_header header = {"X", "a\r\nInjected: 1"};
    gs_http_request request = {GS_HTTP_REQUEST, .url = self.url, .headers = &header, .header_count = 1};
    assert_fails(&self.err, GS_ENETWORK, "line break", gs_http_send(self.http, &request, &self.response, &self.err));
    request.url = "gopher://127.0.0.1/";
    gs_http_response_done(&self.response);
    assert_fails(&self.err, GS_ENETWORK, "not a URL", gs_http_send(self.http, &request, &self.response, &self.err));
    assert_int_equal(script_server_count(self.server), 0);
    stop(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_taken_apart),
        cmocka_unit_test(connections_are_kept),
        cmocka_unit_test(a_folded_line_before_any_header_is_refused),
        cmocka_unit_test(methods_and_bodies),
        test_in_tempdir(a_part_of_a_file_is_sent),
        cmocka_unit_test(redirects_are_followed_only_when_asked),
        cmocka_unit_test(redirects_have_an_end),
        cmocka_unit_test(a_redirect_elsewhere_takes_no_header_along),
        cmocka_unit_test(redirects_that_lead_nowhere),
        test_in_tempdir(a_unix_socket_is_a_host),
        test_in_tempdir(a_redirect_must_not_reach_into_this_machine),
        cmocka_unit_test(what_cannot_be_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
