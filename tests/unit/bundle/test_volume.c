/* The header of a volume: what it says is what was written, and no bit of it has a second value that would do. */
#include "volume.h"

#include <string.h>

#include "support.h"

static gs_volume sample(uint32_t number, uint32_t count, uint64_t slice, uint64_t total)
{
    gs_volume volume = {.number = number, .count = count, .slice = slice, .total = total};
    memset(volume.bundle.bytes, 0xa5, sizeof volume.bundle.bytes);
    return volume;
}

static const struct {
    uint32_t number, count;
    uint64_t slice, total, length;
} good[] = {
    {1, 1, 512, 512, 1024},
    {1, 1, 40960, 40960, 41472},
    {1, 3, 20480, 51200, 20992},
    {2, 3, 20480, 51200, 20992},
    {3, 3, 20480, 51200, 10752},
    {2, 2, 20480, 40960, 20992},
    {999, 999, 512, 999 * 512, 1024},
    {2, 2, UINT64_C(1) << 52, (UINT64_C(1) << 53) - 512, (UINT64_C(1) << 52)},
    {3, 3, (UINT64_C(4) << 30) - 512, (UINT64_C(9) << 30), (UINT64_C(1) << 30) + 1024 + 512},
};

static void test_what_is_written_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        gs_error err = {0};
        unsigned char header[GS_BLOCK];
        const gs_volume written = sample(good[i].number, good[i].count, good[i].slice, good[i].total);
        gs_volume read;
        gs_volume_write(&written, header);
        assert_true(gs_volume_begins(header));
        assert_ok(&err, gs_volume_parse(header, good[i].length, &read, &err));
        assert_true(gs_volume_same_set(&written, &read));
        assert_int_equal(read.number, good[i].number);
        assert_fails(&err, GS_EFORMAT, "it was cut short", gs_volume_parse(header, good[i].length - 1, &read, &err));
        assert_fails(&err, GS_EFORMAT, "it was extended", gs_volume_parse(header, good[i].length + 1, &read, &err));
    }
}

/* A flipped bit is refused, or it is another volume of the set, or of another set: the others contradict it. */
static void test_every_bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        unsigned char header[GS_BLOCK];
        const gs_volume written = sample(good[i].number, good[i].count, good[i].slice, good[i].total);
        gs_volume_write(&written, header);
        for (size_t bit = 0; bit < 8 * sizeof header; bit++) {
            gs_volume read;
            header[bit / 8] ^= (unsigned char)(1u << (bit % 8));
            bool of_digest = bit / 8 >= 40 && bit / 8 < 72;
            int code = gs_volume_parse(header, good[i].length, &read, NULL);
            if (code == 0) {
                assert_true(!gs_volume_same_set(&written, &read) || read.number != written.number);
                assert_true(of_digest || written.count > 1);
            } else {
                assert_int_equal(code, GS_EFORMAT);
                assert_false(of_digest);
            }
            header[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        }
    }
}

static void test_impossible_headers(void **state)
{
    (void)state;
    static const struct {
        uint32_t number, count;
        uint64_t slice, total;
    } bad[] = {
        {0, 3, 20480, 51200},
        {4, 3, 20480, 51200},
        {1, 2, 20480, 51200},
        {1, 4, 20480, 51200},
        {1, 0, 20480, 51200},
        {1, 1, 0, 51200},
        {1, 0, 512, 0},
        {1, 1, 1024, 512},
        {1, 1, 513, 513},
        {1, 3, 20481, 51200},
        {1, 3, 20480, 51201},
        {1, 1000, 512, 1000 * 512},
        {1, 2, UINT64_C(1) << 63, UINT64_MAX},
        {1, 2, UINT64_C(1) << 52, UINT64_C(1) << 53},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        gs_error err = {0};
        unsigned char header[GS_BLOCK];
        gs_volume read;
        const gs_volume written = sample(bad[i].number, bad[i].count, bad[i].slice, bad[i].total);
        gs_volume_write(&written, header);
        assert_fails(&err, GS_EFORMAT, "contradicts itself", gs_volume_parse(header, 20992, &read, &err));
    }
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        size_t base;
    } cases[] = {
        {"a.001", 1}, {"shop.gapship.999", 12}, {"/m/d/a.000", 6}, {"a.b.123", 3}, {"", 0},
        {".001", 0},  {"dir/.001", 0},          {"a.1", 0},        {"a.0001", 0},  {"a001", 0},
        {"a.00x", 0}, {"a.001.partial", 0},     {"a.001/b", 0},    {"a.-01", 0},   {"a.001 ", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(gs_volume_base(cases[i].path), cases[i].base);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_impossible_headers),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
