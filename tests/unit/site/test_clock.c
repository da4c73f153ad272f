/* Time as far as a site can know it: which one a run takes, and what is said of a bundle's age, with clocks that are years off. */
#include <string.h>

#include "../../../installer/site/accept.h"
#include "support.h"

#define DAY   INT64_C(86400)
#define YEAR  (365 * DAY)
#define ISSUE INT64_C(1763733300) /* 2025-11-21T13:55:00Z */

static void test_the_time_is_never_before_what_was_seen(void **state)
{
    (void)state;
    static const struct {
        int64_t machine, recorded, built, now;
        bool behind;
    } cases[] = {
        {ISSUE, 0, 0, ISSUE, false},
        {ISSUE, ISSUE - 1, ISSUE - DAY, ISSUE, false},
        {ISSUE, ISSUE, ISSUE, ISSUE, false},
        {ISSUE - 1, ISSUE, 0, ISSUE, true},
        {ISSUE - 10 * YEAR, ISSUE, ISSUE - YEAR, ISSUE, true},
        {ISSUE - 10 * YEAR, 0, ISSUE - YEAR, ISSUE - YEAR, true},
        {0, ISSUE, ISSUE + DAY, ISSUE + DAY, true},
        {-5, 0, 0, 0, true},
        {ISSUE + 10 * YEAR, ISSUE, ISSUE, ISSUE + 10 * YEAR, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_clock clock = gs_clock_judge(cases[i].machine, cases[i].recorded, cases[i].built);
        assert_true(clock.now == cases[i].now);
        assert_int_equal(clock.behind, cases[i].behind);
    }
}

static const struct {
    int64_t now; /* from ISSUE on */
    int64_t fresh_for, max_age, root_expires;
    gs_verdict_state warned, refused; /* under onStale: warn, and refuse */
    const char *reason;
} ages[] = {
    {0, 0, 0, 0, GS_VERDICT_OK, GS_VERDICT_OK, "issued 2025-11-21T13:55:00Z"},
    {10 * YEAR, 0, 0, 0, GS_VERDICT_OK, GS_VERDICT_OK, "issued 2025-11-21T13:55:00Z"}, /* nobody said how long it is good */
    /* freshUntil */
    {90 * DAY, 90 * DAY, 0, 0, GS_VERDICT_OK, GS_VERDICT_OK, "fresh until 2026-02-19T13:55:00Z"},
    {90 * DAY + 1, 90 * DAY, 0, 0, GS_VERDICT_WARN, GS_VERDICT_FAIL, "its maker said that it is fresh until 2026-02-19T13:55:00Z"},
    {10 * YEAR, 90 * DAY, 0, 0, GS_VERDICT_WARN, GS_VERDICT_FAIL, "its maker said"},
    {-10 * YEAR, 90 * DAY, 0, 0, GS_VERDICT_WARN, GS_VERDICT_WARN, "that is 3650 days in the future"},
    /* policy.maxAge */
    {30 * DAY, 0, 30 * DAY, 0, GS_VERDICT_OK, GS_VERDICT_OK, "issued"},
    {30 * DAY + 1, 0, 30 * DAY, 0, GS_VERDICT_WARN, GS_VERDICT_FAIL, "it was issued 30 days ago, and policy.maxAge is 30 days"},
    {2 * DAY, 0, DAY, 0, GS_VERDICT_WARN, GS_VERDICT_FAIL, "policy.maxAge is 1 day"},
    {10 * YEAR, 0, 30 * DAY, 0, GS_VERDICT_WARN, GS_VERDICT_FAIL, "it was issued 3650 days ago"},
    {-10 * YEAR, 0, 30 * DAY, 0, GS_VERDICT_WARN, GS_VERDICT_WARN, "in the future"},
    {60 * DAY, 90 * DAY, 30 * DAY, 0, GS_VERDICT_WARN, GS_VERDICT_FAIL, "policy.maxAge"}, /* the shorter one holds */
    /* the root's own time */
    {10 * DAY, 0, 0, 10 * DAY, GS_VERDICT_OK, GS_VERDICT_OK, "issued"},
    {10 * DAY + 1, 0, 0, 10 * DAY, GS_VERDICT_WARN, GS_VERDICT_FAIL, "the trust root was to be replaced by 2025-12-01T13:55:00Z"},
    {10 * YEAR, 0, 0, 10 * DAY, GS_VERDICT_WARN, GS_VERDICT_FAIL, "the trust root was to be replaced"},
    {-10 * YEAR, 0, 0, 10 * DAY, GS_VERDICT_WARN, GS_VERDICT_WARN, "in the future"},
    /* the builder's clock */
    {-DAY, 0, 0, 0, GS_VERDICT_OK, GS_VERDICT_OK, "issued"},
    {-DAY - 1, 0, 0, 0, GS_VERDICT_WARN, GS_VERDICT_WARN, "1 day in the future"},
    {-10 * YEAR, 0, 0, 0, GS_VERDICT_WARN, GS_VERDICT_WARN, "3650 days in the future"},
};

static void test_what_is_said_of_an_age(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(ages); i++) {
        GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
        gs_error err = {0};
        gs_verdict verdict;
        const bool refuse = i % 2 == 1;
        const int64_t fresh = ages[i / 2].fresh_for;
        const int64_t expires = ages[i / 2].root_expires;
        const gs_statement statement = {.issued_at = ISSUE, .fresh_until = fresh > 0 ? ISSUE + fresh : 0};
        const gs_age age = {.now = ISSUE + ages[i / 2].now,
                            .statement = &statement,
                            .max_age = ages[i / 2].max_age,
                            .root_expires = expires > 0 ? ISSUE + expires : 0,
                            .refuse = refuse};
        assert_ok(&err, gs_age_judge(&age, arena, &verdict, &err));
        if (verdict.state != (refuse ? ages[i / 2].refused : ages[i / 2].warned)) {
            fail_msg("case %zu: %s: %s", i / 2, gs_verdict_name(verdict.state), verdict.reason);
        }
        assert_contains(verdict.reason, ages[i / 2].reason);
        assert_int_equal(verdict.code, verdict.state == GS_VERDICT_FAIL ? GS_ECHECK : 0);
        if (verdict.state == GS_VERDICT_FAIL) {
            assert_contains(verdict.hint, "onStale: warn"); /* the way out */
        }
    }
}

static void test_a_run_goes_on_from_its_beginning(void **state)
{
    (void)state;
    gs_installation site = {.now = ISSUE, .ticks = gs_ticks() - 5500};
    assert_in_range(gs_site_now(&site), ISSUE + 5, ISSUE + 7);
    gs_clock_saw(&site, ISSUE - DAY);
    assert_in_range(gs_site_now(&site), ISSUE + 5, ISSUE + 7);
    gs_clock_saw(&site, ISSUE + DAY);
    assert_in_range(gs_site_now(&site), ISSUE + DAY, ISSUE + DAY + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_time_is_never_before_what_was_seen),
                                       cmocka_unit_test(test_what_is_said_of_an_age),
                                       cmocka_unit_test(test_a_run_goes_on_from_its_beginning)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
