/* Strict numbers, checked sums, hex and little-endian loads. */
#include <string.h>

#include "gapship/num.h"
#include "support.h"

static void parses_u64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        bool valid;
        uint64_t value;
    } cases[] = {
        {"0", 0, true, 0},
        {"42", 100, true, 42},
        {"007", 7, true, 7},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"99999999999999999999999", UINT64_MAX, false, 0},
        {"101", 100, false, 0},
        {"", 100, false, 0},
        {" 1", 100, false, 0},
        {"1 ", 100, false, 0},
        {"+1", 100, false, 0},
        {"-1", 100, false, 0},
        {"0x10", 100, false, 0},
        {"1e2", 100, false, 0},
        {"1\n", 100, false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t value = 12345;
        assert_int_equal(gs_parse_u64(cases[i].text, cases[i].max, &value), cases[i].valid);
        assert_int_equal(value, cases[i].valid ? cases[i].value : 12345);
    }
}

static void parses_i64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"-17", true, -17},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"-", false, 0},
        {"--1", false, 0},
        {"+1", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t value = 12345;
        assert_int_equal(gs_parse_i64(cases[i].text, &value), cases[i].valid);
        assert_true(value == (cases[i].valid ? cases[i].value : 12345));
    }
}

static void codes_hex(void **state)
{
    (void)state;
    unsigned char bytes[4] = {0x00, 0x9a, 0xff, 0x10};
    char text[9];
    gs_hex_encode(bytes, sizeof bytes, text);
    assert_string_equal(text, "009aff10");
    unsigned char back[4] = {1, 2, 3, 4};
    static const char *const bad[] = {"", "009aff1", "009aff100", "009AFF10", "009aff1g", "009aff 0", "0x9aff10"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(gs_hex_decode(bad[i], back, sizeof back));
        assert_memory_equal(back, "\1\2\3\4", 4);
    }
    assert_true(gs_hex_decode(text, back, sizeof back));
    assert_memory_equal(back, bytes, sizeof bytes);
    assert_true(gs_hex_decode("", back, 0));
    assert_false(gs_hex_decode("", back, SIZE_MAX));
}

static void checks_sums(void **state)
{
    (void)state;
    uint64_t u = 5;
    size_t s = 5;
    assert_false(gs_add_u64(UINT64_MAX, 1, &u));
    assert_false(gs_mul_u64(UINT64_MAX / 2 + 1, 2, &u));
    assert_int_equal(u, 5);
    assert_true(gs_add_u64(UINT64_MAX - 1, 1, &u));
    assert_true(u == UINT64_MAX);
    assert_true(gs_mul_u64(1 << 20, 1 << 20, &u));
    assert_int_equal(u, UINT64_C(1) << 40);
    assert_false(gs_add_size(SIZE_MAX, 1, &s));
    assert_false(gs_mul_size(SIZE_MAX, 2, &s));
    assert_int_equal(s, 5);
    assert_true(gs_add_size(2, 3, &s) && s == 5);
    assert_true(gs_mul_size(2, 3, &s) && s == 6);
}

static void rounds_up(void **state)
{
    (void)state;
    uint64_t out = 7;
    assert_false(gs_round_up_u64(1, 0, &out));
    assert_false(gs_round_up_u64(1, 3, &out));
    assert_false(gs_round_up_u64(UINT64_MAX, 512, &out));
    assert_int_equal(out, 7);
    assert_true(gs_round_up_u64(0, 512, &out) && out == 0);
    assert_true(gs_round_up_u64(1, 512, &out) && out == 512);
    assert_true(gs_round_up_u64(512, 512, &out) && out == 512);
    assert_true(gs_round_up_u64(UINT64_MAX, 1, &out) && out == UINT64_MAX);
}

static void loads_little_endian(void **state)
{
    (void)state;
    /* From an odd address. */
    const unsigned char bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 0xf8};
    assert_int_equal(gs_load_u16(bytes + 1), 0x0201);
    assert_int_equal(gs_load_u32(bytes + 1), 0x04030201);
    assert_true(gs_load_u64(bytes + 1) == UINT64_C(0xf807060504030201));
}

static void finds_what_is_not_zero(void **state)
{
    (void)state;
    unsigned char bytes[100] = {0};
    assert_true(gs_all_zero(bytes, 0) && gs_all_zero(bytes, 1) && gs_all_zero(bytes, sizeof(bytes)));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = 0x80;
        assert_false(gs_all_zero(bytes, sizeof(bytes)));
        assert_true(gs_all_zero(bytes, i));
        bytes[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_u64),
        cmocka_unit_test(parses_i64),
        cmocka_unit_test(codes_hex),
        cmocka_unit_test(checks_sums),
        cmocka_unit_test(rounds_up),
        cmocka_unit_test(loads_little_endian),
        cmocka_unit_test(finds_what_is_not_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
