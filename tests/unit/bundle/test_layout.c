/* Where things will stand, in numbers worked out by hand from FORMAT.md. */
#include "layout.h"

#include <string.h>

#include "support.h"

static gs_writer_plan plan_of(const gs_descriptor *blobs, size_t count)
{
    return (gs_writer_plan){.index_json_len = 100,
                            .manifest_json_len = 600,
                            .blobs = blobs,
                            .blob_count = count,
                            .statement = {.product = "p", .version = "1"}};
}

static void test_places(void **state)
{
    (void)state;
    const gs_descriptor blobs[] = {
        {.digest = {{2}}, .size = 0}, {.digest = {{1}}, .size = UINT64_C(8589934593)}, {.digest = {{3}}, .size = 1}};
    const gs_writer_plan plan = plan_of(blobs, 3);
    gs_layout layout;
    gs_error err = {0};
    assert_ok(&err, gs_layout_make(&plan, &layout, &err));
    /* 8 GiB + 1: 2049 chunks. */
    assert_int_equal(layout.index_size, 24 + 6 * 72 + 2049 * 32);
    assert_int_equal(layout.envelope_size % 512, 0);
    assert_true(layout.envelope_size >= 64 + 600 + 16384 && layout.envelope_size < 64 + 900 + 16384 + 512);
    assert_int_equal(layout.index_offset, 512 + layout.envelope_size + 512);
    const uint64_t first = layout.index_offset + 66048 + 512; /* the index rounded up */
    assert_int_equal(layout.members[0].offset, first);
    assert_int_equal(layout.members[1].offset, first + 1024);
    assert_int_equal(layout.members[2].offset, first + 2048);
    assert_int_equal(layout.members[3].offset, first + 2048 + 1024 + 512);
    assert_int_equal(layout.members[4].offset, first + 2048 + 1024 + 512 + 512);
    assert_int_equal(layout.members[5].offset, layout.members[4].offset + UINT64_C(8589934592) + 512 + 512);
    assert_int_equal(layout.total_length, layout.members[5].offset + 512 + 1024);
    assert_int_equal(layout.first_chunk[4], 0);
    assert_int_equal(layout.first_chunk[5], 2049);
    assert_ptr_equal(gs_layout_find(&layout, &blobs[0].digest), &layout.members[3]);
    assert_ptr_equal(gs_layout_find(&layout, &blobs[2].digest), &layout.members[5]);
    assert_null(gs_layout_find(&layout, &(gs_digest){{9}}));
    gs_layout_done(&layout);
}

static void test_refuses(void **state)
{
    (void)state;
    static const struct {
        gs_statement statement;
        uint64_t sizes[2];
        size_t index_len;
        int code;
        const char *text;
    } cases[] = {
        {{.version = "1"}, {0, 0}, 0, GS_ESPEC, "product"},
        {{.product = "P", .version = "1"}, {0, 0}, 0, GS_ESPEC, "product"},
        {{.product = "p"}, {0, 0}, 0, GS_ESPEC, "version"},
        {{.product = "p", .version = "1/2"}, {0, 0}, 0, GS_ESPEC, "version"},
        {{.product = "p", .version = "1", .security_floor = 1}, {0, 0}, 0, GS_ESPEC, "floor"},
        {{.product = "p", .version = "1", .sequence = UINT64_C(1) << 53}, {0, 0}, 0, GS_ESPEC, "2^53"},
        {{.product = "p", .version = "1", .upgrades_from = "~>1"}, {0, 0}, 0, GS_ESPEC, "upgradesFrom"},
        {{.product = "p", .version = "1"}, {UINT64_MAX, 0}, 0, GS_ELIMIT, "index would have more"},
        {{.product = "p", .version = "1"}, {UINT64_C(1) << 45, UINT64_C(1) << 45}, 0, GS_ELIMIT, "index would have more"},
        {{.product = "p", .version = "1"}, {0, 0}, GS_MIB(16) + 1, GS_ELIMIT, "index.json"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const gs_descriptor blobs[] = {{.digest = {{1}}, .size = cases[i].sizes[0]}, {.digest = {{2}}, .size = cases[i].sizes[1]}};
        gs_writer_plan plan = plan_of(blobs, 2);
        gs_layout layout;
        gs_error err = {0};
        plan.statement = cases[i].statement;
        plan.index_json_len = cases[i].index_len;
        assert_fails(&err, cases[i].code, cases[i].text, gs_layout_make(&plan, &layout, &err));
    }
    const gs_descriptor twice[] = {{.digest = {{1}}}, {.digest = {{1}}}};
    const gs_writer_plan plan = plan_of(twice, 2);
    gs_layout layout;
    gs_error err = {0};
    assert_fails(&err, GS_EINTERNAL, "twice", gs_layout_make(&plan, &layout, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
