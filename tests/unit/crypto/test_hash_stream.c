/* Hashing streams: {exact, short, long, corrupt} content x {read to the end, closed early, cancelled}. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gapship/crypto.h"

static gs_source *open_proving(const char *content, const char *promised)
{
    gs_source *inner = NULL;
    gs_source *source = NULL;
    gs_digest digest;
    assert_int_equal(gs_digest_of(promised, strlen(promised), &digest, NULL), 0);
    assert_int_equal(gs_source_memory(content, strlen(content), &inner, NULL), 0);
    assert_int_equal(gs_source_hash(inner, &digest, strlen(promised), &source, NULL), 0);
    return source;
}

static int drain(gs_source *source, size_t step, gs_error *err)
{
    char buffer[64];
    size_t got = 0;
    int code;
    do {
        code = gs_source_read(source, buffer, step, &got, err);
    } while (code == 0 && got > 0);
    return code;
}

static void test_verdicts(void **state)
{
    (void)state;
    static const struct {
        const char *content;
        const char *promised;
        int code;
        const char *text;
    } cases[] = {
        {"hello", "hello", 0, ""},
        {"", "", 0, ""},
        {"hell", "hello", GS_EDIGEST, "ends early"},
        {"", "hello", GS_EDIGEST, "ends early"},
        {"hello!", "hello", GS_EDIGEST, "it is longer"},
        {"x", "", GS_EDIGEST, "it is longer"},
        {"hellO", "hello", GS_EDIGEST, "was promised as sha256:2cf24dba"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t step = 1; step <= 7; step++) {
            gs_source *source = open_proving(cases[i].content, cases[i].promised);
            gs_error err = {0};
            assert_int_equal(drain(source, step, &err), cases[i].code);
            assert_non_null(strstr(err.message, cases[i].text));
            assert_int_equal(gs_source_close(&source, &err), cases[i].code);
        }
    }
}

static void test_close_proves_what_was_read_in_full(void **state)
{
    (void)state;
    char buffer[8];
    gs_source *source = open_proving("hello", "hello");
    assert_int_equal(gs_source_read_all(source, buffer, 5, NULL), 0);
    assert_int_equal(gs_source_close(&source, NULL), 0);

    source = open_proving("hellO", "hello");
    assert_int_equal(gs_source_read_all(source, buffer, 5, NULL), 0);
    assert_int_equal(gs_source_close(&source, NULL), GS_EDIGEST);

    source = open_proving("hello!", "hello");
    assert_int_equal(gs_source_read_all(source, buffer, 5, NULL), 0);
    assert_int_equal(gs_source_close(&source, NULL), GS_EDIGEST);
}

static void test_early_close_is_an_error_and_cancel_is_not(void **state)
{
    (void)state;
    char buffer[8];
    gs_error err = {0};
    gs_source *source = open_proving("hello", "hello");
    assert_int_equal(gs_source_read_all(source, buffer, 3, NULL), 0);
    assert_int_equal(gs_source_close(&source, &err), GS_EDIGEST);
    assert_non_null(strstr(err.message, "closed before its end"));

    source = open_proving("hello", "hello");
    assert_int_equal(gs_source_read_all(source, buffer, 3, NULL), 0);
    gs_source_cancel(&source);
    assert_null(source);
}

static void test_sink_learns_the_digest(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf buf;
    gs_buf_init(&buf, 100);
    gs_sink *inner = NULL;
    gs_sink *sink = NULL;
    gs_digest digest = {0};
    gs_digest expected;
    assert_int_equal(gs_digest_of("hello", 5, &expected, NULL), 0);
    assert_int_equal(gs_sink_buffer(&buf, &inner, NULL), 0);
    assert_int_equal(gs_sink_hash(inner, &digest, &sink, NULL), 0);
    assert_int_equal(gs_sink_write(sink, "hel", 3, NULL), 0);
    assert_int_equal(gs_sink_write(sink, "lo", 2, NULL), 0);
    assert_int_equal(gs_sink_close(&sink, NULL), 0);
    assert_string_equal(gs_buf_text(&buf), "hello");
    assert_true(gs_digest_equal(&digest, &expected));
}

static void test_sink_without_inner_and_after_failure(void **state)
{
    (void)state;
    gs_digest digest = {0};
    gs_digest untouched = {0};
    gs_digest expected;
    gs_sink *sink = NULL;
    assert_int_equal(gs_digest_of("x", 1, &expected, NULL), 0);
    assert_int_equal(gs_sink_hash(NULL, &digest, &sink, NULL), 0);
    assert_int_equal(gs_sink_write(sink, "x", 1, NULL), 0);
    assert_int_equal(gs_sink_close(&sink, NULL), 0);
    assert_true(gs_digest_equal(&digest, &expected));

    GS_AUTO_BUF gs_buf tiny;
    gs_buf_init(&tiny, 2);
    gs_sink *inner = NULL;
    digest = untouched;
    assert_int_equal(gs_sink_buffer(&tiny, &inner, NULL), 0);
    assert_int_equal(gs_sink_hash(inner, &digest, &sink, NULL), 0);
    assert_int_equal(gs_sink_write(sink, "xyz", 3, NULL), GS_ELIMIT);
    assert_int_equal(gs_sink_close(&sink, NULL), GS_ELIMIT);
    assert_true(gs_digest_equal(&digest, &untouched));

    assert_int_equal(gs_sink_hash(NULL, &digest, &sink, NULL), 0);
    gs_sink_cancel(&sink);
    assert_true(gs_digest_equal(&digest, &untouched));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_close_proves_what_was_read_in_full),
        cmocka_unit_test(test_early_close_is_an_error_and_cancel_is_not),
        cmocka_unit_test(test_sink_learns_the_digest),
        cmocka_unit_test(test_sink_without_inner_and_after_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
