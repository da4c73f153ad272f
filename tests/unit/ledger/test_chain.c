/* The chain: its encoding as documented, and every kind of tampering named by the first row that does not fit. */
#include "fixture.h"

/* Computed by another program from the encoding that chain.c documents: old ledgers must stay checkable. */
static void test_the_encoding_is_the_documented_one(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    gs_entry entry = {.kind = GS_ENTRY_ACCEPTED,
                      .state = GS_STATE_DONE,
                      .time = T0 + 1,
                      .run = "0123456789abcdef",
                      .verb = "import",
                      .product = "shop",
                      .version = "1.2.3",
                      .bundle = digest_of_byte(0xab),
                      .has_bundle = true,
                      .epoch = 1,
                      .sequence = 42,
                      .security_floor = 40,
                      .environment = "staging",
                      .step = "keep",
                      .detail = "\"quoted\", \xc3\xa4",
                      .duration = 1500};
    assert_ok(&err, gs_ledger_append(f->ledger, &entry, &err));
    assert_string_equal(entry.hash, "fbbf3d3259ab395730c42bee4a99389226462d9d893b89adbd2284c454160a3c");
    gs_entry first = {0};
    bool found = false;
    const gs_ledger_filter created = {.kind = GS_ENTRY_CREATED};
    assert_ok(&err, gs_ledger_newest(f->ledger, &created, f->arena, &first, &found, &err));
    assert_string_equal(first.hash, "7a8cfe8d00484e0b912d2d6a29763c3dc555e742a697b52a6b6a78d16e92fd89");
}

static void fill(fixture *f)
{
    for (int i = 2; i <= 9; i++) {
        append(f, (gs_entry){
                      .kind = GS_ENTRY_STEP, .state = GS_STATE_DONE, .environment = "staging", .step = "apply/app", .sequence = i});
    }
}

static void test_an_untouched_ledger_passes(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    int64_t rows = 0;
    fill(f);
    assert_ok(&err, gs_ledger_check(f->ledger, &rows, &err));
    assert_int_equal(rows, 9);
}

/* Tampering that leaves the end of the ledger as it was is found by the walk; what moves the end already by opening. */
static void test_tampering_is_found_and_named(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *text;
        bool at_open;
    } cases[] = {
        {"UPDATE entries SET sequence = 99 WHERE row = 4", "row 4 of the ledger does not fit the chain", false},
        {"UPDATE entries SET detail = '' WHERE row = 4", "row 4 of the ledger does not fit the chain", false},
        {"UPDATE entries SET environment = 'stagin', step = 'gapply/app' WHERE row = 5", "row 5 of the ledger does not fit", false},
        {"UPDATE entries SET kind = 'accepted' WHERE row = 6", "row 6 of the ledger does not fit", false},
        {"UPDATE entries SET kind = 'nonsense' WHERE row = 6", "row 6 of the ledger holds what gapship never writes", false},
        {"UPDATE entries SET bundle = 'sha256:zz' WHERE row = 6", "row 6 of the ledger holds what gapship never writes", false},
        {"UPDATE entries SET hash = (SELECT hash FROM entries WHERE row = 2) WHERE row = 7", "row 7 of the ledger does not fit",
         false},
        {"DELETE FROM entries WHERE row = 1", "row 1 of the ledger is missing", false},
        {"DELETE FROM entries WHERE row = 3", "row 3 of the ledger is missing", false},
        {"DELETE FROM entries WHERE row = 3; UPDATE entries SET row = row - 1 WHERE row > 3; UPDATE head SET row = 8",
         "row 3 of the ledger does not fit", false},
        {"UPDATE entries SET row = row + 100 WHERE row > 4; UPDATE entries SET row = row - 99 WHERE row > 4;"
         "INSERT INTO entries SELECT 5, time, kind, state, run, verb, product, version, bundle, epoch, sequence, security_floor,"
         "environment, step, detail, duration, hash FROM entries WHERE row = 4; UPDATE head SET row = 10",
         "row 5 of the ledger does not fit", false},
        {"DELETE FROM entries WHERE row = 9", "rows were removed", true},
        {"DELETE FROM entries WHERE row > 1", "rows were removed", true},
        {"INSERT INTO entries SELECT 10, time, kind, state, run, verb, product, version, bundle, epoch, sequence, security_floor,"
         "environment, step, detail, duration, hash FROM entries WHERE row = 9",
         "rows were added", true},
        {"UPDATE entries SET hash = lower(hex(zeroblob(32))) WHERE row = 9", "newest row, 9, is not the one", true},
        {"UPDATE head SET hash = lower(hex(zeroblob(32)))", "newest row, 9, is not the one", true},
        {"UPDATE head SET hash = 'none'", "head is not a hash", true},
        {"DELETE FROM head", "head is missing", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        void *made = NULL;
        assert_int_equal(fixture_enter(&made), 0);
        fixture *f = made;
        gs_error err = {0};
        fill(f);
        tamper(f, cases[i].sql);
        int code = gs_ledger_open(f->path, &f->ledger, &err);
        if (cases[i].at_open) {
            assert_fails(&err, GS_ESTATE, cases[i].text, code);
        } else {
            assert_ok(&err, code);
            assert_fails(&err, GS_ESTATE, cases[i].text, gs_ledger_check(f->ledger, NULL, &err));
        }
        assert_int_equal(fixture_leave(&made), 0);
    }
}

/* An append must not bury a cut under a new row. */
static void test_nothing_is_appended_to_a_cut_ledger(void **state)
{
    fixture *f = *state;
    gs_error err = {0};
    fill(f);
    GS_AUTO_LEDGER gs_ledger *open = f->ledger;
    f->ledger = NULL;
    tamper(f, "DELETE FROM entries WHERE row = 9");
    gs_entry entry = {.kind = GS_ENTRY_STEP};
    assert_fails(&err, GS_ESTATE, "rows were removed", gs_ledger_append(open, &entry, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ledger(test_the_encoding_is_the_documented_one),
        test_with_ledger(test_an_untouched_ledger_passes),
        cmocka_unit_test(test_tampering_is_found_and_named),
        test_with_ledger(test_nothing_is_appended_to_a_cut_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
