/* The envelope's bounds, at and beyond each; whole files with such envelopes are in bundle-spec/vectors. */
#include "envelope.h"

#include <string.h>

#include "support.h"

#define SIZE 2048u

static void put_u32(unsigned char *at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++) {
        at[i] = (unsigned char)(value >> (8 * i));
    }
}

/* Two signatures of 64 and 3 bytes by different keys behind a statement of 10 and a chain of 5. */
static void make(unsigned char data[SIZE])
{
    static const gs_digest ids[] = {{{1}}, {{2}}};
    GS_AUTO_BUF gs_buf out;
    gs_buf_init(&out, SIZE);
    char signature[64];
    memset(signature, 's', sizeof signature);
    const gs_envelope_parts parts = {.statement = "0123456789", .statement_len = 10, .roots = "roots", .roots_len = 5};
    gs_envelope_write_head(&out, SIZE, &parts, 2);
    gs_signature_entry_write(&out, GS_SCHEME_KEY, &ids[0], signature, 64);
    gs_signature_entry_write(&out, GS_SCHEME_KEY, &ids[1], signature, 3);
    gs_buf_add_zeros(&out, SIZE - out.len);
    assert_int_equal(out.len, SIZE);
    memcpy(data, out.data, SIZE);
}

static int parse(const unsigned char *data, uint64_t file_length, gs_envelope *out, gs_error *err)
{
    int code = gs_envelope_parse_header(data, file_length, out, err);
    code = code == 0 ? gs_envelope_parse_entries(data, out, err) : code;
    return code == 0 ? gs_envelope_check_rest(data, out, err) : code;
}

static void test_reads_what_it_writes(void **state)
{
    (void)state;
    unsigned char data[SIZE];
    gs_envelope e;
    gs_error err = {0};
    make(data);
    assert_ok(&err, parse(data, 512 + SIZE, &e, &err));
    assert_int_equal(e.size, SIZE);
    assert_int_equal(e.statement_length, 10);
    assert_int_equal(e.roots_offset, 64 + 10);
    assert_int_equal(e.roots_length, 5);
    assert_int_equal(e.count, 2);
    assert_int_equal(e.signatures[0].scheme, 1);
    assert_int_equal(e.signatures[0].offset, 64 + 15 + 40);
    assert_int_equal(e.signatures[0].length, 64);
    assert_int_equal(e.signatures[0].key_id.bytes[0], 1);
    assert_int_equal(e.signatures[1].offset, 64 + 15 + 40 + 64 + 40);
    assert_int_equal(e.signatures[1].length, 3);
    assert_int_equal(e.end, 64 + 15 + 40 + 64 + 40 + 3);
}

static const struct {
    size_t offset; /* a u32 is written here */
    uint32_t value;
    const char *text; /* NULL: accepted */
} header_cases[] = {
    {0, 0x53504148, "does not begin with"},
    {8, 0, "format version 0"},
    {8, 2, "format version 2"},
    {12, 0, "size 0"},
    {12, SIZE - 512, NULL}, /* smaller, but all fits */
    {12, SIZE + 512, "ends inside"},
    {12, SIZE - 1, "not a multiple"},
    {12, 0xfffffe00, "not a multiple of 512 up to"},
    {16, 0, "length 0"},
    {16, SIZE - 63, "does not fit"},
    {16, 0xffffffff, "does not fit"},
    {20, 17, "17 signatures"},
    {20, 0xffffffff, "signatures"},
    {20, 3, "length 0 of a signature"},
    {20, 1, "behind its last signature"},
    {24, 0, "a signature"},
    {24, SIZE - 73, "chain of roots does not fit"},
    {24, 0xffffffff, "chain of roots does not fit"},
    {28, 1, "does not know"},
    {60, 0x01000000, "does not know"},
    {79, 2, NULL}, /* an unknown scheme is reported later */
    {79, 0x00010001, "does not know"},
    {83, 0, "length 0 of a signature"},
    {83, 1025, "length 1025"},
    {83, 0xffffffff, "length 4294967295"},
    {SIZE - 4, 1, "behind its last signature"},
};

static void test_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(header_cases); i++) {
        unsigned char data[SIZE];
        gs_envelope e;
        gs_error err = {0};
        make(data);
        put_u32(data + header_cases[i].offset, header_cases[i].value);
        if (header_cases[i].text) {
            assert_fails(&err, GS_EFORMAT, header_cases[i].text, parse(data, 512 + SIZE, &e, &err));
        } else {
            assert_ok(&err, parse(data, 512 + SIZE, &e, &err));
        }
    }
}

static void test_nothing_is_read_beyond_the_file(void **state)
{
    (void)state;
    unsigned char data[SIZE];
    gs_envelope e;
    gs_error err = {0};
    make(data);
    for (uint64_t length = 0; length < 512 + SIZE; length++) {
        assert_fails(&err, GS_EFORMAT, "cut short", gs_envelope_parse_header(data, length, &e, &err));
    }
    assert_ok(&err, gs_envelope_parse_header(data, UINT64_MAX, &e, &err));
}

static void test_a_key_signs_once(void **state)
{
    (void)state;
    unsigned char data[SIZE];
    gs_envelope e;
    gs_error err = {0};
    const size_t second = 64 + 15 + 40 + 64;
    make(data);
    data[second + 8] = 1;
    assert_fails(&err, GS_EFORMAT, "two signatures by one key", parse(data, 512 + SIZE, &e, &err));
    data[second] = 2;
    assert_ok(&err, parse(data, 512 + SIZE, &e, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_it_writes),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_nothing_is_read_beyond_the_file),
        cmocka_unit_test(test_a_key_signs_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
