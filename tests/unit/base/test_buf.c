/* The byte buffer: contents, bounds, and that the first failure is the one that is told. */
#include <stdlib.h>
#include <string.h>

#include "support.h"

static void appends(void **state)
{
    (void)state;
    gs_buf buf;
    gs_error err = {0};
    gs_buf_init(&buf, 1 << 20);
    assert_string_equal(gs_buf_text(&buf), "");
    gs_buf_add(&buf, "a\0b", 3);
    gs_buf_add_text(&buf, "text");
    gs_buf_printf(&buf, " %d-%s", 7, "x");
    gs_buf_add_zeros(&buf, 2);
    gs_buf_add(&buf, NULL, 0);
    assert_ok(&err, gs_buf_check(&buf, &err));
    assert_int_equal(buf.len, 13);
    assert_memory_equal(buf.data, "a\0btext 7-x\0\0", 14);
    gs_buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    assert_string_equal(buf.data, "");
    gs_buf_add_u16(&buf, 0x0102);
    gs_buf_add_u32(&buf, 0x03040506);
    gs_buf_add_u64(&buf, UINT64_C(0x0708090a0b0c0d0e));
    assert_int_equal(buf.len, 14);
    assert_memory_equal(buf.data, "\x02\x01\x06\x05\x04\x03\x0e\x0d\x0c\x0b\x0a\x09\x08\x07", 15);
    gs_buf_done(&buf);
    gs_buf_done(NULL);
}

static void grows(void **state)
{
    (void)state;
    gs_buf buf;
    gs_error err = {0};
    gs_buf_init(&buf, 1 << 20);
    for (unsigned i = 0; i < 1 << 20; i++) {
        char byte = (char)(i * 7);
        gs_buf_add(&buf, &byte, 1);
    }
    assert_ok(&err, gs_buf_check(&buf, &err));
    assert_int_equal(buf.len, 1 << 20);
    for (unsigned i = 0; i < 1 << 20; i++) {
        assert_int_equal(buf.data[i], (char)(i * 7));
    }
    gs_buf_done(&buf);
}

static void keeps_its_bound(void **state)
{
    (void)state;
    gs_buf buf;
    gs_error err = {0};
    gs_buf_init(&buf, 8);
    gs_buf_add_text(&buf, "12345678");
    assert_ok(&err, gs_buf_check(&buf, &err));
    gs_buf_add_text(&buf, "9");
    assert_int_equal(buf.failed, GS_ELIMIT);
    gs_buf_add_text(&buf, "");
    gs_buf_printf(&buf, "%d", 1);
    gs_buf_add_zeros(&buf, 1);
    assert_null(gs_buf_reserve(&buf, 1));
    assert_string_equal(gs_buf_text(&buf), "12345678");
    assert_fails(&err, GS_ELIMIT, "8 bytes", gs_buf_check(&buf, &err));
    assert_null(gs_buf_steal(&buf));
    assert_int_equal(buf.len, 8);
    gs_buf_clear(&buf);
    gs_buf_add_text(&buf, "again");
    assert_ok(&err, gs_buf_check(&buf, &err));
    gs_buf_done(&buf);
}

static void survives_absurd_sizes(void **state)
{
    (void)state;
    gs_buf buf;
    gs_error err = {0};
    gs_buf_init(&buf, SIZE_MAX);
    gs_buf_add_text(&buf, "x");
    assert_null(gs_buf_reserve(&buf, SIZE_MAX));
    assert_fails(&err, GS_ELIMIT, NULL, gs_buf_check(&buf, &err));
    gs_buf_done(&buf);
}

static void reserves_and_steals(void **state)
{
    (void)state;
    gs_buf buf;
    gs_buf_init(&buf, 100);
    char *room = gs_buf_reserve(&buf, 3);
    memcpy(room, "abc", 3);
    buf.len += 3;
    assert_string_equal(gs_buf_text(&buf), "abc");
    char *stolen = gs_buf_steal(&buf);
    assert_string_equal(stolen, "abc");
    free(stolen);
    assert_null(buf.data);
    stolen = gs_buf_steal(&buf);
    assert_string_equal(stolen, "");
    free(stolen);
    gs_buf_add_text(&buf, "usable");
    assert_string_equal(gs_buf_text(&buf), "usable");
    gs_buf_done(&buf);
}

static void writes_json_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        const char *json;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain / text", 12, "\"plain / text\""},
        {"\"\\\b\f\n\r\t", 7, "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
        {"a\0b\x1f\x7f", 5, "\"a\\u0000b\\u001f\x7f\""},
        {"ü€𝄞", 9, "\"ü€𝄞\""},
        {"\xff", 1, "\"\xef\xbf\xbd\""},
        {"a\xc3", 2, "\"a\xef\xbf\xbd\""},
        {"\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_buf buf;
        gs_buf_init(&buf, 100);
        gs_buf_add_json_text(&buf, cases[i].text, cases[i].len);
        assert_string_equal(gs_buf_text(&buf), cases[i].json);
        gs_buf_done(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends),
        cmocka_unit_test(grows),
        cmocka_unit_test(keeps_its_bound),
        cmocka_unit_test(survives_absurd_sizes),
        cmocka_unit_test(reserves_and_steals),
        cmocka_unit_test(writes_json_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
