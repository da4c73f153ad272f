/* Base64: the vectors of RFC 4648 section 10, and every way to be nearly right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gapship/crypto.h"

static const struct {
    const char *plain;
    const char *text;
} vectors[] = {
    {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
};

static void test_vectors_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        GS_AUTO_BUF gs_buf encoded;
        GS_AUTO_BUF gs_buf decoded;
        gs_buf_init(&encoded, 100);
        gs_buf_init(&decoded, 100);
        assert_int_equal(gs_base64_encode(vectors[i].plain, strlen(vectors[i].plain), &encoded, NULL), 0);
        assert_string_equal(gs_buf_text(&encoded), vectors[i].text);
        assert_int_equal(gs_base64_decode(vectors[i].text, &decoded, NULL), 0);
        assert_int_equal(decoded.len, strlen(vectors[i].plain));
        assert_string_equal(gs_buf_text(&decoded), vectors[i].plain);
    }
}

static void test_every_byte_survives(void **state)
{
    (void)state;
    unsigned char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)i;
    }
    for (size_t len = 0; len <= sizeof bytes; len++) {
        GS_AUTO_BUF gs_buf encoded;
        GS_AUTO_BUF gs_buf decoded;
        gs_buf_init(&encoded, 1000);
        gs_buf_init(&decoded, 1000);
        assert_int_equal(gs_base64_encode(bytes, len, &encoded, NULL), 0);
        assert_int_equal(gs_base64_decode(gs_buf_text(&encoded), &decoded, NULL), 0);
        assert_int_equal(decoded.len, len);
        assert_true(len == 0 || memcmp(decoded.data, bytes, len) == 0);
    }
}

static void test_refuses_what_has_another_form(void **state)
{
    (void)state;
    static const char *const bad[] = {"Z",    "Zg",   "Zg=",      "Zh==",      "Zm9=", "=Zg=",    "====", "Zg==Zg==",   "Zm9v\n",
                                      "Zm 9", "Zm9-", "Zm9v Zm9", "Zm9vYmFy=", "Z===", "Zg=\xc3", "Zm9_", "Zg==\nZg==", "Zm=v"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        GS_AUTO_BUF gs_buf out;
        gs_buf_init(&out, 100);
        gs_buf_add_text(&out, "kept");
        gs_error err = {0};
        assert_int_equal(gs_base64_decode(bad[i], &out, &err), GS_EFORMAT);
        assert_non_null(strstr(err.message, "not base64"));
        assert_int_equal(out.len, 4);
    }
}

static void test_keeps_to_the_buffers_maximum(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf out;
    gs_buf_init(&out, 3);
    assert_int_equal(gs_base64_encode("f", 1, &out, NULL), GS_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_both_ways),
        cmocka_unit_test(test_every_byte_survives),
        cmocka_unit_test(test_refuses_what_has_another_form),
        cmocka_unit_test(test_keeps_to_the_buffers_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
