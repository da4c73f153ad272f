/* Tar headers. That they are those of other tools is proven by test_independent.py; here are the limits of their fields. */
#include "tar.h"

#include <stdio.h>
#include <string.h>

#include "support.h"

static void assert_size_field(uint64_t size, const char *expected, size_t len)
{
    unsigned char header[GS_BLOCK];
    gs_tar_header("x", size, header);
    assert_memory_equal(header + 124, expected, len);
}

static void test_size_field(void **state)
{
    (void)state;
    assert_size_field(0, "00000000000", 12);
    assert_size_field(511, "00000000777", 12);
    assert_size_field((UINT64_C(1) << 33) - 1, "77777777777", 12);
    assert_size_field(UINT64_C(1) << 33, "\x80\0\0\0\0\0\0\x02\0\0\0\0", 12);
    assert_size_field((UINT64_C(1) << 33) + 0x1234, "\x80\0\0\0\0\0\0\x02\0\0\x12\x34", 12);
}

static void test_checksum_counts_every_byte(void **state)
{
    (void)state;
    unsigned char header[GS_BLOCK];
    static const char longest[] = "blobs/sha256/ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    gs_tar_header(longest, (UINT64_C(1) << 53) - 1, header);
    unsigned sum = 8 * ' ';
    for (size_t i = 0; i < GS_BLOCK; i++) {
        sum += i < 148 || i >= 156 ? header[i] : 0;
    }
    char expected[9];
    (void)snprintf(expected, sizeof expected, "%06o%c ", sum, 0);
    assert_memory_equal(header + 148, expected, 8);
    assert_memory_equal(header, longest, sizeof longest);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        gs_member_kind kind;
        const char *name;
    } cases[] = {
        {GS_MEMBER_LAYOUT, "oci-layout"},
        {GS_MEMBER_INDEX_JSON, "index.json"},
        {GS_MEMBER_MANIFEST_JSON, "manifest.json"},
        {GS_MEMBER_BLOB, "blobs/sha256/0000000000000000000000000000000000000000000000000000000000000000"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char name[GS_MEMBER_NAME];
        const gs_member member = {.kind = cases[i].kind};
        gs_member_name(&member, name);
        assert_string_equal(name, cases[i].name);
    }
}

static void test_places(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        size_t padding;
        uint64_t next; /* after data at 1024 */
    } cases[] = {{0, 0, 1536},   {1, 511, 2048},   {511, 1, 2048},
                 {512, 0, 2048}, {513, 511, 2560}, {UINT64_C(1) << 40, 0, (UINT64_C(1) << 40) + 1536}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t next = 0;
        assert_int_equal(gs_tar_padding(cases[i].size), cases[i].padding);
        assert_true(gs_tar_next(1024, cases[i].size, &next));
        assert_int_equal(next, cases[i].next);
    }
    uint64_t untouched = 7;
    assert_false(gs_tar_next(1024, UINT64_MAX, &untouched));
    assert_false(gs_tar_next(1024, UINT64_MAX - 1024, &untouched));
    assert_false(gs_tar_next(UINT64_C(1) << 53, 0, &untouched));
    assert_int_equal(untouched, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_field),
        cmocka_unit_test(test_checksum_counts_every_byte),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
