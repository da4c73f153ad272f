/* One exchange: its bounds, its clocks, and what its failures are called. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "gapship/http.h"
#include "gapship/limits.h"
#include "script_server.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"

/* Sends one request to a server with one answer. */
static int exchange(const char *answer, gs_http_request request, const gs_run *run, gs_http_response *response, gs_error *err)
{
    script_server *server = script_server_start((const char *const[]){answer, NULL}, NULL);
    gs_http *http = NULL;
    request.url = script_server_url(server);
    request.body_fd = -1;
    int code = gs_http_new(run, NULL, &http, err);
    code = code ? code : gs_http_send(http, &request, response, err);
    gs_http_free(http);
    script_server_stop(server);
    return code;
}

static void bodies_have_a_bound(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_http_response response = {0};
    assert_ok(&err, exchange(OK, (gs_http_request){.max_body = 10}, NULL, &response, &err));
    gs_http_response_done(&response);
    assert_fails(&err, GS_ELIMIT, "longer than the 9 bytes", exchange(OK, (gs_http_request){.max_body = 9}, NULL, &response, &err));
    gs_http_response_done(&response);
}

static void the_body_of_a_refusal_is_cut(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_http_response response = {0};
    GS_AUTO_BUF gs_buf answer;
    gs_buf_init(&answer, GS_MIB(4));
    gs_buf_add_text(&answer, "HTTP/1.1 404 Not Found\r\nContent-Length: 2000000\r\n\r\n");
    for (unsigned i = 0; i < 200000; i++) {
        gs_buf_add_text(&answer, "0123456789");
    }
    assert_ok(&err, exchange(gs_buf_text(&answer), (gs_http_request){0}, NULL, &response, &err));
    assert_int_equal(response.status, 404);
    assert_int_equal(response.body.len, GS_MAX_HTTP_ERROR_BYTES);
    gs_http_response_done(&response);
}

static void headers_have_a_bound(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_http_response response = {0};
    GS_AUTO_BUF gs_buf answer;
    gs_buf_init(&answer, GS_MIB(1));
    gs_buf_add_text(&answer, "HTTP/1.1 200 OK\r\n");
    for (unsigned i = 0; i < 7000; i++) {
        gs_buf_add_text(&answer, "X-Y: 1234\r\n");
    }
    gs_buf_add_text(&answer, "\r\n");
    assert_fails(&err, GS_ELIMIT, "bytes of headers", exchange(gs_buf_text(&answer), (gs_http_request){0}, NULL, &response, &err));
    gs_http_response_done(&response);
}

static int refuse(void *state, const void *data, size_t len, gs_error *err)
{
    (void)state;
    (void)data;
    (void)len;
    return gs_fail(err, GS_ENOSPACE, "no room in the sink");
}

static int close_nothing(void *state, bool cancelled, gs_error *err)
{
    (void)state;
    (void)cancelled;
    (void)err;
    return 0;
}

static void the_error_of_a_sink_is_kept(void **state)
{
    (void)state;
    static const gs_sink_ops ops = {.write = refuse, .close = close_nothing};
    gs_error err = {0};
    gs_http_response response = {0};
    GS_AUTO_SINK gs_sink *sink = NULL;
    assert_ok(&err, gs_sink_new(&ops, NULL, &sink, &err));
    assert_int_equal(exchange(OK, (gs_http_request){.sink = sink}, NULL, &response, &err), GS_ENOSPACE);
    assert_string_equal(err.message, "no room in the sink");
    assert_string_equal(err.where, "");
    gs_http_response_done(&response);
}

static int see_beginning(void *state, const gs_http_response *response, gs_error *err)
{
    (void)err;
    char *seen = state;
    (void)snprintf(seen, 8, "%d", response->status);
    return response->status == 206 ? gs_fail(err, GS_EREGISTRY, "not this") : 0;
}

static void a_body_is_announced_before_it_comes(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *seen, *body;
        int code;
    } cases[] = {
        {OK, "200", "0123456789", 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200", "", 0},
        {"HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nnot", "", "", 0},
        {"HTTP/1.1 206 Part\r\nContent-Length: 3\r\n\r\nnot", "206", "", GS_EREGISTRY},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        gs_http_response response = {0};
        GS_AUTO_SINK gs_sink *sink = NULL;
        GS_AUTO_BUF gs_buf body;
        char seen[8] = "";
        gs_buf_init(&body, 100);
        assert_ok(&err, gs_sink_buffer(&body, &sink, &err));
        assert_int_equal(exchange(cases[i].answer, (gs_http_request){.sink = sink, .began = see_beginning, .state = seen}, NULL,
                                  &response, &err),
                         cases[i].code);
        assert_string_equal(seen, cases[i].seen);
        assert_string_equal(gs_buf_text(&body), cases[i].body);
        gs_http_response_done(&response);
    }
}

static void clocks_run(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_http_response response = {0};
    int64_t began = gs_ticks();
    assert_fails(&err, GS_ETIMEOUT, "nothing was sent or received for 0.3 s",
                 exchange(STALL, (gs_http_request){.idle_ms = 300}, NULL, &response, &err));
    gs_http_response_done(&response);
    assert_fails(&err, GS_ETIMEOUT, "no complete answer within 0.3 s",
                 exchange(STALL, (gs_http_request){.deadline_ms = 300}, NULL, &response, &err));
    gs_http_response_done(&response);
    assert_true(gs_ticks() - began < 5000);
}

static void a_signal_ends_an_exchange(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_http_response response = {0};
    volatile sig_atomic_t stop = 2;
    const gs_run run = {.stop = &stop};
    assert_int_equal(exchange(STALL, (gs_http_request){0}, &run, &response, &err), GS_EINTERRUPTED);
    gs_http_response_done(&response);
}

static void failures_have_a_name_and_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *says;
    } cases[] = {
        {HANG_UP, "without an answer"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123", "before the whole answer had come"},
        {"Connection: close, this is not HTTP\r\n\r\n", "not HTTP"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        gs_http_response response = {0};
        assert_int_equal(exchange(cases[i].answer, (gs_http_request){0}, NULL, &response, &err), GS_ENETWORK);
        assert_contains(err.message, cases[i].says);
        assert_contains(err.where, "http://127.0.0.1:");
        gs_http_response_done(&response);
    }
}

static void a_closed_port_is_explained(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_http *http = NULL;
    GS_AUTO_RESPONSE gs_http_response response = {0};
    assert_ok(&err, gs_http_new(NULL, NULL, &http, &err));
    const gs_http_request request = {GS_HTTP_REQUEST, .url = "http://127.0.0.1:1/x"};
    assert_int_equal(gs_http_send(http, &request, &response, &err), GS_ENETWORK);
    assert_string_equal(err.message, "no connection: Connection refused");
    assert_string_equal(err.where, "http://127.0.0.1:1");
    assert_contains(err.hint, "host and port");
    gs_http_free(http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_have_a_bound),
        cmocka_unit_test(the_body_of_a_refusal_is_cut),
        cmocka_unit_test(headers_have_a_bound),
        cmocka_unit_test(the_error_of_a_sink_is_kept),
        cmocka_unit_test(a_body_is_announced_before_it_comes),
        cmocka_unit_test(clocks_run),
        cmocka_unit_test(a_signal_ends_an_exchange),
        cmocka_unit_test(failures_have_a_name_and_a_place),
        cmocka_unit_test(a_closed_port_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
