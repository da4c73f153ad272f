/* The ledger's questions: each filter alone and together, the newest row. */
#include "fixture.h"

static void fill(fixture *f)
{
    append(f, (gs_entry){.kind = GS_ENTRY_ACCEPTED,
                         .product = "shop",
                         .epoch = 0,
                         .sequence = 9,
                         .security_floor = 4,
                         .bundle = digest_of_byte(9),
                         .has_bundle = true});
    append(f, (gs_entry){.kind = GS_ENTRY_ACCEPTED,
                         .product = "shop",
                         .epoch = 1,
                         .sequence = 2,
                         .version = "b",
                         .bundle = digest_of_byte(2),
                         .has_bundle = true});
    append(f, (gs_entry){.kind = GS_ENTRY_ACCEPTED, .product = "other", .epoch = 7, .sequence = 1, .security_floor = 1});
    append(f, (gs_entry){.kind = GS_ENTRY_REFUSED, .product = "shop", .epoch = 9, .sequence = 9, .security_floor = 9});
    gs_entry step = {.kind = GS_ENTRY_STEP,
                     .state = GS_STATE_BEGUN,
                     .run = "r1",
                     .product = "shop",
                     .environment = "staging",
                     .step = "apply/app",
                     .bundle = digest_of_byte(2),
                     .has_bundle = true};
    append(f, step);
    step.state = GS_STATE_DONE;
    append(f, step);
    step.state = GS_STATE_FAILED;
    step.run = "r2";
    step.environment = "prod";
    step.bundle = digest_of_byte(9);
    append(f, step);
}

static void test_filters(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    fill(f);
    const gs_digest two = digest_of_byte(2);
    const struct {
        gs_ledger_filter filter;
        size_t count;
        int64_t first; /* row */
    } cases[] = {
        {{0}, 8, 1},
        {{.newest = 3}, 3, 6},
        {{.newest = 100}, 8, 1},
        {{.kind = GS_ENTRY_CREATED}, 1, 1},
        {{.kind = GS_ENTRY_ACCEPTED}, 3, 2},
        {{.state = GS_STATE_DONE}, 1, 7},
        {{.product = "shop"}, 6, 2},
        {{.environment = "staging"}, 2, 6},
        {{.step = "apply/app"}, 3, 6},
        {{.run = "r1"}, 2, 6},
        {{.bundle = &two}, 3, 3},
        {{.bundle = &two, .kind = GS_ENTRY_STEP, .state = GS_STATE_DONE}, 1, 7},
        {{.environment = "stag'; DROP TABLE entries; --"}, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_entry *rows = NULL;
        size_t count = 99;
        assert_ok(&err, gs_ledger_read(f->ledger, &cases[i].filter, f->arena, &rows, &count, &err));
        assert_int_equal(count, cases[i].count);
        for (size_t k = 1; k < count; k++) {
            assert_true(rows[k].row > rows[k - 1].row);
        }
        if (count > 0) {
            assert_int_equal(rows[0].row, cases[i].first);
        }
    }
}

static void test_newest(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    fill(f);
    gs_entry row = {0};
    bool found = false;
    const gs_ledger_filter step = {.kind = GS_ENTRY_STEP, .environment = "staging", .step = "apply/app"};
    assert_ok(&err, gs_ledger_newest(f->ledger, &step, f->arena, &row, &found, &err));
    assert_true(found);
    assert_int_equal(row.state, GS_STATE_DONE);
    assert_string_equal(row.run, "r1");
    assert_true(row.has_bundle);
    assert_null(row.version);
    const gs_ledger_filter none = {.kind = GS_ENTRY_STEP, .environment = "nowhere"};
    assert_ok(&err, gs_ledger_newest(f->ledger, &none, f->arena, &row, &found, &err));
    assert_false(found);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(gs_entry_kind_name(GS_ENTRY_CREATED), "created");
    assert_string_equal(gs_entry_kind_name(GS_ENTRY_REMOVED), "removed");
    assert_string_equal(gs_entry_state_name(GS_STATE_NONE), "");
    assert_string_equal(gs_entry_state_name(GS_STATE_UNCERTAIN), "uncertain");
    assert_true(gs_ledger_version()[0] == '3');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ledger(test_filters),
        test_with_ledger(test_newest),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
