/* What is tried again, how often, and what is not. */
#include <signal.h>
#include <string.h>

#include "gapship/http.h"
#include "script_server.h"

#define STATUS(text) "HTTP/1.1 " text "\r\nContent-Length: 0\r\n\r\n"
#define OK           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define CUT          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nab"

typedef struct outcome {
    int code, status;
    size_t requests;
    gs_error err;
} outcome;

static outcome try(const char *const *answers, const gs_http_retry *retry, gs_sink *sink)
{
    outcome out = {0};
    script_server *server = script_server_start(answers, NULL);
    gs_http *http = NULL;
    GS_AUTO_RESPONSE gs_http_response response = {0};
    assert_ok(&out.err, gs_http_new(NULL, NULL, &http, &out.err));
    const gs_http_request request = {GS_HTTP_REQUEST, .url = script_server_url(server), .sink = sink};
    out.code = gs_http_send_retrying(http, &request, retry, &response, &out.err);
    out.status = response.status;
    out.requests = script_server_count(server);
    gs_http_free(http);
    script_server_stop(server);
    return out;
}

static const gs_http_retry quick = {.first_ms = 1};

static void what_passes_is_tried_again(void **state)
{
    (void)state;
    const char *const answers[] = {STATUS("408 x"), STATUS("429 x"), STATUS("500 x"), HANG_UP, STATUS("503 x"), OK, NULL};
    outcome out = try(answers, &quick, NULL);
    assert_ok(&out.err, out.code);
    assert_int_equal(out.status, 200);
    assert_true(out.requests >= 6);
}

static void what_does_not_pass_is_taken_as_it_is(void **state)
{
    (void)state;
    static const char *const cases[] = {STATUS("400 x"), STATUS("401 x"), STATUS("404 x"),
                                        STATUS("413 x"), STATUS("501 x"), STATUS("507 x")};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        outcome out = try((const char *const[]){cases[i], NULL}, &quick, NULL);
        assert_int_equal(out.code, 0);
        assert_int_equal(out.requests, 1);
    }
}

static void tries_have_an_end(void **state)
{
    (void)state;
    outcome out = try((const char *const[]){STATUS("502 x"), NULL}, &quick, NULL);
    assert_int_equal(out.code, 0);
    assert_int_equal(out.status, 502);
    assert_int_equal(out.requests, 6);
    out = try((const char *const[]){STATUS("502 x"), NULL}, &(gs_http_retry){.tries = 2, .first_ms = 1}, NULL);
    assert_int_equal(out.requests, 2);
    out = try((const char *const[]){CUT, NULL}, &quick, NULL);
    assert_int_equal(out.code, GS_ENETWORK);
    assert_int_equal(out.requests, 6);
    assert_contains(out.err.message, "before the whole answer");
}

static void the_server_may_say_when(void **state)
{
    (void)state;
    const char *const answers[] = {"HTTP/1.1 503 x\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n", OK, NULL};
    int64_t began = gs_ticks();
    outcome out = try(answers, &quick, NULL);
    assert_int_equal(out.status, 200);
    assert_true(gs_ticks() - began >= 1000);
    const char *const odd[] = {"HTTP/1.1 503 x\r\nContent-Length: 0\r\nRetry-After: soon\r\n\r\n",
                               "HTTP/1.1 503 x\r\nContent-Length: 0\r\nRetry-After: Sat, 01 Jan 2000 00:00:00 GMT\r\n\r\n", OK,
                               NULL};
    began = gs_ticks();
    out = try(odd, &quick, NULL);
    assert_int_equal(out.status, 200);
    assert_true(gs_ticks() - began < 900);
}

static int clear(void *state, gs_error *err)
{
    (void)err;
    gs_buf_clear(state);
    return 0;
}

static int give_up(void *state, gs_error *err)
{
    (void)state;
    return gs_fail(err, GS_EEXISTS, "enough");
}

static void a_sink_is_never_written_twice_by_mistake(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf body;
    gs_buf_init(&body, 100);
    GS_AUTO_SINK gs_sink *sink = NULL;
    gs_error err = {0};
    assert_ok(&err, gs_sink_buffer(&body, &sink, &err));
    const char *const answers[] = {CUT, OK, NULL};
    outcome out = try(answers, &quick, sink);
    assert_int_equal(out.code, GS_ENETWORK);
    assert_string_equal(gs_buf_text(&body), "ab");
    out = try(answers, &(gs_http_retry){.first_ms = 1, .restart = clear, .state = &body}, sink);
    assert_int_equal(out.code, 0);
    assert_string_equal(gs_buf_text(&body), "ok");
    out = try(answers, &(gs_http_retry){.first_ms = 1, .restart = give_up}, sink);
    assert_int_equal(out.code, GS_EEXISTS);
    assert_int_equal(out.requests, 1);
}

static void a_wait_can_be_ended(void **state)
{
    (void)state;
    volatile sig_atomic_t stop = 0;
    const gs_run run = {.stop = &stop};
    script_server *server = script_server_start((const char *const[]){STATUS("503 x"), NULL}, NULL);
    gs_http *http = NULL;
    gs_error err = {0};
    GS_AUTO_RESPONSE gs_http_response response = {0};
    assert_ok(&err, gs_http_new(&run, NULL, &http, &err));
    stop = 2;
    const gs_http_request request = {GS_HTTP_REQUEST, .url = script_server_url(server)};
    assert_int_equal(gs_http_send_retrying(http, &request, NULL, &response, &err), GS_EINTERRUPTED);
    gs_http_free(http);
    script_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_passes_is_tried_again),
        cmocka_unit_test(what_does_not_pass_is_taken_as_it_is),
        cmocka_unit_test(tries_have_an_end),
        cmocka_unit_test(the_server_may_say_when),
        cmocka_unit_test(a_sink_is_never_written_twice_by_mistake),
        cmocka_unit_test(a_wait_can_be_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
