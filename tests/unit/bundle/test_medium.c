/* One logical file over several: every place and length, across every border, and nothing beside it. */
#include "medium.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gapship/fs.h"
#include "support.h"

#define LENGTH 53u
#define LEAD   3u

/* Parts of memory files; `lead` bytes before each slice are '#'. The bytes of the logical file are 1, 2, 3 …, or zeros. */
static gs_medium make(uint64_t slice, uint64_t lead, bool filled)
{
    gs_medium medium = {0};
    size_t count = lead > 0 ? (size_t)((LENGTH + slice - 1) / slice) : 1;
    assert_int_equal(gs_medium_split(count, lead, slice, LENGTH, &medium, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        unsigned char bytes[LEAD + LENGTH];
        size_t own = (size_t)gs_medium_part_length(&medium, i);
        memset(bytes, '#', sizeof bytes);
        for (size_t k = 0; k < own; k++) {
            bytes[lead + k] = filled ? (unsigned char)(i * (size_t)slice + k + 1) : 0;
        }
        medium.parts[i].fd = memfd_create("part", MFD_CLOEXEC);
        medium.parts[i].path = strdup("part");
        medium.parts[i].path[3] = (char)('A' + i);
        assert_true(medium.parts[i].fd >= 0);
        assert_int_equal(gs_fs_pwrite(medium.parts[i].fd, bytes, (size_t)lead + own, 0, NULL), 0);
    }
    return medium;
}

static void assert_bytes(const gs_medium *medium, size_t from, size_t len, int first)
{
    unsigned char read[LENGTH];
    assert_int_equal(gs_medium_read(medium, read, len, from, NULL), 0);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(read[i], first + (int)i);
    }
}

static void assert_leads(const gs_medium *medium)
{
    for (size_t i = 0; i < medium->count; i++) {
        unsigned char lead[LEAD];
        assert_int_equal(gs_fs_pread(medium->parts[i].fd, lead, (size_t)medium->lead, 0, NULL), 0);
        for (size_t k = 0; k < medium->lead; k++) {
            assert_int_equal(lead[k], '#');
        }
        off_t size = lseek(medium->parts[i].fd, 0, SEEK_END);
        assert_int_equal(size, medium->lead + gs_medium_part_length(medium, i));
    }
}

static void test_reads_from_everywhere(void **state)
{
    (void)state;
    for (uint64_t slice = 1; slice <= LENGTH; slice++) {
        gs_medium medium = make(slice, LEAD, true);
        for (size_t at = 0; at <= LENGTH; at++) {
            for (size_t len = 0; len <= LENGTH - at; len++) {
                assert_bytes(&medium, at, len, (int)at + 1);
            }
        }
        gs_medium_done(&medium);
    }
}

static void test_writes_to_everywhere(void **state)
{
    (void)state;
    for (uint64_t slice = 1; slice <= LENGTH; slice += 4) {
        for (size_t at = 0; at <= LENGTH; at++) {
            gs_medium medium = make(slice, LEAD, false);
            unsigned char bytes[LENGTH];
            for (size_t i = 0; i < LENGTH; i++) {
                bytes[i] = (unsigned char)(i + 1);
            }
            size_t len = (LENGTH - at + 1) / 2;
            assert_int_equal(gs_medium_write(&medium, bytes + at, len, at, NULL), 0);
            gs_medium_write_behind(&medium, at, len);
            gs_medium_read_ahead(&medium, at, len);
            assert_bytes(&medium, at, len, (int)at + 1);
            unsigned char others[LENGTH];
            assert_int_equal(gs_medium_read(&medium, others, LENGTH, 0, NULL), 0);
            for (size_t i = 0; i < LENGTH; i++) {
                assert_int_equal(others[i], i >= at && i < at + len ? i + 1 : 0);
            }
            assert_leads(&medium);
            gs_medium_done(&medium);
        }
    }
}

static void test_copies_between_borders(void **state)
{
    (void)state;
    for (uint64_t from_slice = 1; from_slice <= 17; from_slice += 3) {
        for (uint64_t to_slice = 1; to_slice <= 19; to_slice += 2) {
            for (size_t shift = 0; shift < 10; shift++) {
                gs_medium from = make(from_slice, LEAD, true);
                gs_medium to = to_slice == 19 ? make(UINT64_MAX, 0, false) : make(to_slice, LEAD, false);
                assert_int_equal(gs_medium_copy(&from, shift, &to, 10 - shift, 40, NULL), 0);
                assert_bytes(&to, 10 - shift, 40, (int)shift + 1);
                assert_leads(&to);
                gs_medium_done(&from);
                gs_medium_done(&to);
            }
        }
    }
}

static void test_a_whole_file(void **state)
{
    (void)state;
    gs_medium filled = make(UINT64_MAX, 0, true);
    gs_medium whole = {0};
    assert_int_equal(gs_medium_whole(filled.parts[0].fd, "whole", LENGTH, &whole, NULL), 0);
    filled.parts[0].fd = -1;
    assert_int_equal(whole.count, 1);
    assert_int_equal(gs_medium_part_length(&whole, 0), LENGTH);
    assert_bytes(&whole, 0, LENGTH, 1);
    size_t last;
    assert_int_equal(gs_medium_part_at(&whole, LENGTH - 1, 1000, &last), 0);
    assert_int_equal(last, 0);
    /* Its name is added by who knows it. */
    gs_error err = {0};
    unsigned char byte;
    assert_fails(&err, GS_EIO, "ends early", gs_medium_read(&whole, &byte, 1, LENGTH, &err));
    assert_null(strstr(err.message, "whole"));
    gs_medium_done(&whole);
    gs_medium_done(&filled);
}

static void test_where_bytes_stand(void **state)
{
    (void)state;
    gs_medium medium = make(10, LEAD, true);
    static const struct {
        uint64_t offset, len;
        size_t first, last;
    } cases[] = {{0, 1, 0, 0}, {0, 10, 0, 0}, {0, 11, 0, 1}, {9, 2, 0, 1},    {10, 10, 1, 1},
                 {5, 0, 0, 0}, {0, 53, 0, 5}, {52, 1, 5, 5}, {52, 100, 5, 5}, {1000, 1, 5, 5}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t last;
        assert_int_equal(gs_medium_part_at(&medium, cases[i].offset, cases[i].len, &last), cases[i].first);
        assert_int_equal(last, cases[i].last);
    }
    gs_medium_done(&medium);
}

static void test_errors_name_the_part(void **state)
{
    (void)state;
    unsigned char bytes[LENGTH] = {0};
    gs_error err = {0};
    gs_medium medium = make(10, LEAD, true);
    assert_fails(&err, GS_EIO, "parF: the file ends early", gs_medium_read(&medium, bytes, 5, LENGTH - 4, &err));
    gs_fs_close_p(&medium.parts[2].fd);
    assert_fails(&err, GS_EIO, "parC: cannot read", gs_medium_read(&medium, bytes, LENGTH, 0, &err));
    assert_fails(&err, GS_EIO, "parC: cannot write", gs_medium_write(&medium, bytes, 30, 0, &err));
    assert_fails(&err, GS_EIO, "parC: cannot write", gs_medium_write_lead(&medium, 2, bytes, &err));
    gs_medium other = make(7, LEAD, false);
    assert_fails(&err, GS_EIO, "cannot copy", gs_medium_copy(&medium, 15, &other, 0, 20, &err));
    gs_medium_done(&other);
    gs_medium_done(&medium);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_from_everywhere),  cmocka_unit_test(test_writes_to_everywhere),
        cmocka_unit_test(test_copies_between_borders), cmocka_unit_test(test_a_whole_file),
        cmocka_unit_test(test_where_bytes_stand),      cmocka_unit_test(test_errors_name_the_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
