/* The order of bundles: a table of what was accepted and what comes. */
#include <string.h>

#include "../../../installer/site/site.h"
#include "support.h"

static gs_digest digest_of(int byte)
{
    gs_digest digest;
    memset(digest.bytes, byte, sizeof digest.bytes);
    return digest;
}

/* Accepted: 1.0 (0,1), 1.1 (0,2), 2.0 (1,1), 2.1 (1,5, floor 3). Digests are of the byte in the last column. */
static gs_entry accepted[4];

static int fill(void **state)
{
    (void)state;
    accepted[0] = (gs_entry){.version = "1.0", .epoch = 0, .sequence = 1, .bundle = digest_of(1)};
    accepted[1] = (gs_entry){.version = "1.1", .epoch = 0, .sequence = 2, .bundle = digest_of(2)};
    accepted[2] = (gs_entry){.version = "2.0", .epoch = 1, .sequence = 1, .bundle = digest_of(3)};
    accepted[3] = (gs_entry){.version = "2.1", .epoch = 1, .sequence = 5, .security_floor = 3, .bundle = digest_of(4)};
    return 0;
}

static void test_judge(void **state)
{
    (void)state;
    static const struct {
        size_t rows; /* how many of the accepted */
        uint64_t epoch, sequence;
        int digest;
        const char *refusal; /* NULL: taken */
        bool known;
    } cases[] = {
        {0, 0, 1, 9, NULL, false}, /* the first */
        {0, 0, 0, 9, NULL, false}, /* and a sequence of 0 */
        {1, 0, 2, 9, NULL, false}, /* newer */
        {2, 1, 1, 9, NULL, false}, /* a newer epoch, a lower sequence */
        {1, 0, 1, 1, NULL, true},  /* the same again */
        {2, 0, 1, 1, NULL, true},  /* an older one that was accepted */
        {2, 0, 1, 9, "two different bundles claim to be shop epoch 0, sequence 1", false},
        {2, 0, 2, 9, "two different bundles claim to be shop epoch 0, sequence 2", false},
        {4, 0, 2, 9, "two different bundles", false}, /* below the highest too: the worse news first */
        {2, 0, 0, 9, "is older than 1.1 (epoch 0, sequence 2)", false},
        {3, 0, 900, 9, "is older than 2.0 (epoch 1, sequence 1)", false}, /* an old epoch, whatever its sequence */
        {4, 1, 4, 9, "is older than 2.1", false},
        {4, 1, 2, 9, "below the security floor 3 that version 2.1 set", false},
        {4, 0, 900, 9, "below the security floor 3", false},
        {4, 1, 1, 3, "below the security floor 3", false}, /* accepted once, and closed since */
        {4, 1, 5, 4, NULL, true},
        {4, 1, 6, 9, NULL, false},
        {4, 2, 0, 9, NULL, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        bool known = !cases[i].known;
        const gs_digest digest = digest_of(cases[i].digest);
        const gs_statement statement = {.product = "shop", .version = "x", .epoch = cases[i].epoch, .sequence = cases[i].sequence};
        int code = gs_accept_judge(accepted, cases[i].rows, &statement, &digest, &known, &err);
        if (cases[i].refusal) {
            assert_fails(&err, GS_EDOWNGRADE, cases[i].refusal, code);
            assert_int_equal(known, !cases[i].known);
        } else {
            assert_ok(&err, code);
            assert_int_equal(known, cases[i].known);
        }
    }
}

static void test_order(void **state)
{
    (void)state;
    assert_true(gs_order_compare(0, 5, 1, 0) < 0);
    assert_true(gs_order_compare(1, 0, 0, 5) > 0);
    assert_true(gs_order_compare(1, 4, 1, 5) < 0);
    assert_int_equal(gs_order_compare(1, 5, 1, 5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_judge, fill), cmocka_unit_test(test_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
