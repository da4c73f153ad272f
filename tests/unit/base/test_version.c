/* The order of versions and the constraints on them. */
#include <stdio.h>

#include "gapship/text.h"
#include "support.h"

static void assert_order(const char *a, const char *b, int wanted)
{
    int got = gs_version_compare(a, b);
    int back = gs_version_compare(b, a);
    if ((got > 0) - (got < 0) != wanted || (back > 0) - (back < 0) != -wanted) {
        fail_msg("%s against %s: %d and back %d", a, b, got, back);
    }
}

/* Each list ascends; every pair of it is compared. */
static void orders(void **state)
{
    (void)state;
    static const char *const lists[][12] = {
        /* Semantic Versioning 2.0.0, section 11. */
        {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0",
         "2.0.0", "2.1.0", "2.1.1"},
        {"v0.9.9", "0.10.0", "v1.2.3-4", "1.2.3-rc", "v1.2.3", "1.2.10", "1.10.0", "99999999999999999999.0.0",
         "100000000000000000000.0.0"},
        {"1.2rc1", "1.2rc2", "1.2rc10", "1.2", "1.2.1", "1.3"},
        {"15.8-alpine", "15.8", "16-alpine3.19", "16-alpine3.20", "16", "16.1"},
        {"2024-01-15", "2024-02-01", "2024-11-01", "2025-01-01"},
        {"1.29.0-eks.9", "1.29.0-eks.10", "1.29.0", "1.29.1"},
    };
    for (size_t l = 0; l < COUNT_OF(lists); l++) {
        for (size_t i = 0; i < COUNT_OF(lists[l]) && lists[l][i]; i++) {
            for (size_t j = i; j < COUNT_OF(lists[l]) && lists[l][j]; j++) {
                assert_order(lists[l][i], lists[l][j], i == j ? 0 : -1);
            }
        }
    }
}

static void equates(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"1.0.0+build.1", "1.0.0+build.2"}, {"v1.0.0", "1.0.0"},     {"1", "1.0.0"}, {"1.2", "1.2.0"},
        {"1.29.3+k3s1", "v1.29.3"},         {"1.2-rc1", "1.2.rc_1"}, {"", ""},       {"007", "7"},
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        assert_order(pairs[i][0], pairs[i][1], 0);
    }
    assert_order("", "1", -1);
    assert_order("vanilla", "1", -1);
    assert_order("x", "y", -1);
}

/* Semver and everything else in one order: no three versions contradict one another. */
static void is_one_order(void **state)
{
    (void)state;
    static const char *const cores[] = {"1", "1.0", "1.0.0", "v1.0.1"};
    static const char *const rests[] = {"",    "-rc1", "-rc2", "-rc10", "-rc.1", "-rc.10",      "-1",   "-2",  "-10",
                                        "rc2", "rc10", "_1",   "-0",    "+b",    "-alpine3.19", "-1+b", ".-a", "-0.0.1"};
    char all[COUNT_OF(cores) * COUNT_OF(rests)][32];
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        (void)snprintf(all[i], sizeof(all[i]), "%s%s", cores[i / COUNT_OF(rests)], rests[i % COUNT_OF(rests)]);
    }
    for (size_t a = 0; a < COUNT_OF(all); a++) {
        for (size_t b = 0; b < COUNT_OF(all); b++) {
            int ab = gs_version_compare(all[a], all[b]);
            for (size_t c = 0; c < COUNT_OF(all); c++) {
                int bc = gs_version_compare(all[b], all[c]);
                int ac = gs_version_compare(all[a], all[c]);
                if (ab <= 0 && bc <= 0 && (ac > 0 || (ac == 0 && (ab < 0 || bc < 0)))) {
                    fail_msg("%s, %s, %s: %d, %d, but %d", all[a], all[b], all[c], ab, bc, ac);
                }
            }
        }
    }
}

static void checks_constraints(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        const char *constraint;
        bool holds;
        bool valid;
    } cases[] = {
        {"1.4.1", ">=1.2.0", true, true},   {"1.2.0", ">=1.2.0", true, true},
        {"1.1.9", ">=1.2.0", false, true},  {"1.2.0", ">1.2.0", false, true},
        {"1.9.9", "<2", true, true},        {"2.0.0", "<2", false, true},
        {"2.0.0-rc.1", "<2", true, true},   {"2.0.0", "<=2", true, true},
        {"1.4.1", "=1.4.1", true, true},    {"1.4.1+x", "=v1.4.1", true, true},
        {"1.4.2", "=1.4.1", false, true},   {"1.5", ">=1.2 <2", true, true},
        {"1.5", ">=1.2,<2", true, true},    {"1.5", " >= 1.2 , < 2 ", true, true},
        {"2.5", ">=1.2, <2", false, true},  {"1.5", ">=1.2<2", true, true},
        {"1.5", "", false, false},          {"1.5", " , ", false, false},
        {"1.5", "1.5", false, false},       {"1.5", ">=", false, false},
        {"1.5", ">= ,1", false, false},     {"1.5", "=>1", false, false},
        {"1.5", "~1.5", false, false},      {"1.5", "^1.5", false, false},
        {"1.5", ">=x", false, false},       {"1.5", ">=1.2 ||<3", false, false},
        {"1.5", ">=1.2; <3", false, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool valid = !cases[i].valid;
        bool holds = gs_version_satisfies(cases[i].version, cases[i].constraint, &valid);
        if (holds != cases[i].holds || valid != cases[i].valid) {
            fail_msg("%s %s: holds %d, valid %d", cases[i].version, cases[i].constraint, holds, valid);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(orders), cmocka_unit_test(equates), cmocka_unit_test(is_one_order),
                                       cmocka_unit_test(checks_constraints)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
