/* The order of bundles: one table of what was accepted, what comes and with which permit, and what becomes of it. */
#include "../../../installer/site/accept.h"

#include <stdio.h>
#include <string.h>

#include "support.h"

static gs_digest digest_of(int byte)
{
    gs_digest digest;
    memset(digest.bytes, byte, sizeof digest.bytes);
    return digest;
}

/* Digests are of the byte in the last column. */
static const struct {
    const char *version;
    int64_t epoch, sequence, floor;
    int digest;
    const char *step;
} rows[] = {
    {"1.0", 0, 1, 0, 1, NULL},
    {"1.1", 0, 2, 0, 2, NULL},
    {"2.0", 1, 1, 0, 3, NULL},
    {"2.1", 1, 5, 3, 4, NULL},
    /* What permits let in: below the highest, and 2.0, below the floor, once more. */
    {"1.9", 1, 4, 0, 5, GS_STEP_RELEASE_PERMIT},
    {"2.0", 1, 1, 0, 3, GS_STEP_ROOT_PERMIT},
    /* A floor that came after that permit. */
    {"2.2", 1, 9, 7, 6, NULL},
};
static gs_entry accepted[COUNT_OF(rows)];

static int fill(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        accepted[i] = (gs_entry){.version = rows[i].version,
                                 .epoch = rows[i].epoch,
                                 .sequence = rows[i].sequence,
                                 .security_floor = rows[i].floor,
                                 .bundle = digest_of(rows[i].digest),
                                 .step = rows[i].step,
                                 .row = (int64_t)i + 1};
    }
    return 0;
}

#define ROOT_EPOCH 3u
enum { NONE, RELEASE, ROOT };

/* A permit for shop at plant-7, the bundle of digest 9, unless said otherwise. */
typedef struct permit_case {
    int role;          /* NONE: no permit is given */
    uint64_t below[2]; /* epoch, sequence */
    const char *product, *site;
    int digest;
    uint64_t sequence_off_by;
} permit_case;

static const struct {
    size_t rows; /* how many of the accepted */
    uint64_t epoch, sequence;
    int digest;
    permit_case permit;
    const char *refusal; /* NULL: taken */
    gs_order_kind kind;
    bool known, jump;
} cases[] = {
    /* higher */
    {0, 0, 1, 9, {0}, NULL, GS_ORDER_NEWER, false, false}, /* the first */
    {0, 0, 0, 9, {0}, NULL, GS_ORDER_NEWER, false, false},
    {0, 0, 9000000, 9, {0}, NULL, GS_ORDER_NEWER, false, false}, /* nothing to have jumped from */
    {1, 0, 2, 9, {0}, NULL, GS_ORDER_NEWER, false, false},
    {2, 1, 0, 9, {0}, NULL, GS_ORDER_NEWER, false, false}, /* the epoch counts first */
    {4, 1, 6, 9, {0}, NULL, GS_ORDER_NEWER, false, false},
    {4, 1, 6, 9, {RELEASE, {1, 5}, NULL, NULL, 0, 0}, NULL, GS_ORDER_NEWER, false, false}, /* a permit changes nothing */
    /* fast forward */
    {1, 0, 1000001, 9, {0}, NULL, GS_ORDER_NEWER, false, false},
    {1, 0, 1000002, 9, {0}, NULL, GS_ORDER_NEWER, false, true},
    {1, 0, 9007199254740991, 9, {0}, NULL, GS_ORDER_NEWER, false, true},
    {2, 1, 9007199254740991, 9, {0}, NULL, GS_ORDER_NEWER, false, false}, /* a new epoch counts anew */
    /* the root's epoch */
    {4, 3, 0, 9, {0}, NULL, GS_ORDER_NEWER, false, false},
    {4, 4, 0, 9, {0}, "is of epoch 4, and the trust root of epoch 3", 0, false, false},
    {0, 4, 0, 9, {0}, "is of epoch 4", 0, false, false},
    {4, 4, 0, 9, {ROOT, {4, 1}, NULL, NULL, 0, 0}, "is of epoch 4", 0, false, false},
    /* equal, the same */
    {1, 0, 1, 1, {0}, NULL, GS_ORDER_SAME, true, false},
    {4, 1, 5, 4, {0}, NULL, GS_ORDER_SAME, true, false},
    /* equal, another: never, not even by the root */
    {2, 0, 2, 9, {0}, "two different bundles claim to be shop epoch 0, sequence 2", 0, false, false},
    {2, 0, 1, 9, {0}, "two different bundles claim to be shop epoch 0, sequence 1", 0, false, false},
    {4, 0, 2, 9, {0}, "two different bundles", 0, false, false}, /* below the floor too: the worse news first */
    {2, 0, 1, 9, {RELEASE, {0, 2}, NULL, NULL, 0, 0}, "two different bundles", 0, false, false},
    {2, 0, 1, 9, {ROOT, {0, 2}, NULL, NULL, 0, 0}, "two different bundles", 0, false, false},
    /* lower, accepted before */
    {2, 0, 1, 1, {0}, NULL, GS_ORDER_EARLIER, true, false},
    {3, 0, 2, 2, {0}, NULL, GS_ORDER_EARLIER, true, false},
    /* lower, never seen */
    {2, 0, 0, 9, {0}, "is older than 1.1 (epoch 0, sequence 2), which this site accepted", 0, false, false},
    {3, 0, 900, 9, {0}, "is older than 2.0 (epoch 1, sequence 1)", 0, false, false}, /* an old epoch, whatever its sequence */
    {4, 1, 4, 9, {0}, "is older than 2.1", 0, false, false},
    /* lower, with a permit */
    {4, 1, 4, 9, {RELEASE, {1, 5}, NULL, NULL, 0, 0}, NULL, GS_ORDER_PERMITTED, false, false},
    {4, 1, 4, 9, {ROOT, {1, 5}, NULL, NULL, 0, 0}, NULL, GS_ORDER_PERMITTED, false, false},
    {4, 1, 4, 9, {RELEASE, {1, 5}, NULL, "plant-7", 0, 0}, NULL, GS_ORDER_PERMITTED, false, false},
    {4, 1, 4, 9, {RELEASE, {2, 0}, NULL, NULL, 0, 0}, NULL, GS_ORDER_PERMITTED, false, false},
    {4, 1, 4, 9, {RELEASE, {1, 4}, NULL, NULL, 0, 0}, "this site has gone on since", 0, false, false},
    {4, 1, 4, 9, {RELEASE, {0, 900}, NULL, NULL, 0, 0}, "this site has gone on since", 0, false, false},
    {7, 1, 8, 9, {RELEASE, {1, 9}, NULL, NULL, 0, 0}, NULL, GS_ORDER_PERMITTED, false, false},
    {7, 1, 8, 9, {RELEASE, {1, 5}, NULL, NULL, 0, 0}, "it counts up to epoch 1, sequence 5", 0, false, false},
    {4, 1, 4, 9, {RELEASE, {1, 5}, "store", NULL, 0, 0}, "the permit does not help: it is for the product store", 0, false, false},
    {4, 1, 4, 9, {RELEASE, {1, 5}, NULL, "plant-8", 0, 0}, "it is for the site plant-8, and this is plant-7", 0, false, false},
    {4, 1, 4, 9, {RELEASE, {1, 5}, NULL, NULL, 8, 0}, "it is for the bundle sha256:0808", 0, false, false},
    {4, 1, 4, 9, {RELEASE, {1, 5}, NULL, NULL, 0, 1}, "it says epoch 1, sequence 5", 0, false, false},
    /* below the floor */
    {4, 1, 3, 9, {0}, "is older than 2.1", 0, false, false}, /* at it */
    {4, 1, 2, 9, {0}, "below the security floor 3 that version 2.1 set", 0, false, false},
    {4, 0, 900, 9, {0}, "below the security floor 3", 0, false, false},
    {4, 1, 1, 3, {0}, "below the security floor 3", 0, false, false}, /* accepted once, and closed since */
    {4,
     1,
     2,
     9,
     {RELEASE, {1, 5}, NULL, NULL, 0, 0},
     "it is signed by the release role, and this needs the root role",
     0,
     false,
     false},
    {4, 1, 1, 3, {RELEASE, {1, 5}, NULL, NULL, 3, 0}, "this needs the root role", 0, false, false},
    {4, 1, 2, 9, {ROOT, {1, 5}, NULL, NULL, 0, 0}, NULL, GS_ORDER_PERMITTED, false, false},
    {4, 1, 1, 3, {ROOT, {1, 5}, NULL, NULL, 3, 0}, NULL, GS_ORDER_PERMITTED, true, false},
    {4, 1, 2, 9, {ROOT, {1, 4}, NULL, NULL, 0, 0}, "this site has gone on since", 0, false, false},
    /* after permits: the highest and the floor are what they were */
    {5, 1, 4, 5, {0}, NULL, GS_ORDER_EARLIER, true, false},
    {5, 1, 3, 9, {0}, "is older than 2.1", 0, false, false},
    {5, 1, 6, 9, {0}, NULL, GS_ORDER_NEWER, false, false},
    {6, 1, 1, 3, {0}, NULL, GS_ORDER_EARLIER, true, false},           /* the root took it out from under the floor */
    {6, 1, 2, 9, {0}, "below the security floor 3", 0, false, false}, /* it alone */
    {6, 1, 5, 4, {0}, NULL, GS_ORDER_SAME, true, false},
    {7, 1, 1, 3, {0}, "below the security floor 7 that version 2.2 set", 0, false, false}, /* and not for ever */
    {7, 1, 5, 4, {0}, "below the security floor 7", 0, false, false},
    {7, 1, 4, 5, {0}, "below the security floor 7", 0, false, false},
};

static void test_judge(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const permit_case *p = &cases[i].permit;
        gs_error err = {0};
        gs_order order = {.kind = (gs_order_kind)99};
        const gs_digest digest = digest_of(cases[i].digest);
        const gs_statement statement = {.product = "shop", .version = "x", .epoch = cases[i].epoch, .sequence = cases[i].sequence};
        const gs_permit permit = {.product = p->product ? p->product : "shop",
                                  .site = p->site,
                                  .bundle = digest_of(p->digest ? p->digest : 9),
                                  .epoch = cases[i].epoch,
                                  .sequence = cases[i].sequence + p->sequence_off_by,
                                  .below_epoch = p->below[0],
                                  .below_sequence = p->below[1],
                                  .role = p->role == ROOT ? GS_ROLE_ROOT : GS_ROLE_RELEASE};
        const gs_candidate candidate = {.statement = &statement,
                                        .digest = &digest,
                                        .site = "plant-7",
                                        .root_epoch = ROOT_EPOCH,
                                        .permit = p->role == NONE ? NULL : &permit};
        int code = gs_accept_judge(accepted, cases[i].rows, &candidate, &order, &err);
        if (cases[i].refusal && code == 0) {
            fail_msg("case %zu was let in", i);
        }
        if (cases[i].refusal) {
            assert_true(err.hint[0] != '\0');
            assert_fails(&err, GS_EDOWNGRADE, cases[i].refusal, code);
            assert_int_equal(order.kind, 99);
        } else {
            assert_ok(&err, code);
            if (order.kind != cases[i].kind || order.known != cases[i].known || order.jump != cases[i].jump) {
                fail_msg("case %zu: kind %d, known %d, jump %d", i, (int)order.kind, order.known, order.jump);
            }
        }
    }
}

/* Whatever comes in, in any order, and by whatever permits: nothing that was refused for its age is let in later without a permit. */
static void test_nothing_lowers_the_highest(void **state)
{
    (void)state;
    for (size_t count = 1; count <= COUNT_OF(rows); count++) {
        gs_order order = {0};
        gs_error err = {0};
        const gs_digest digest = digest_of(9);
        const gs_statement statement = {.product = "shop", .version = "x", .epoch = 0, .sequence = 0};
        const gs_candidate candidate = {.statement = &statement, .digest = &digest, .site = "plant-7", .root_epoch = ROOT_EPOCH};
        assert_fails(&err, GS_EDOWNGRADE, NULL, gs_accept_judge(accepted, count, &candidate, &order, &err));
    }
}

static void test_a_site_without_a_root_knows_no_epoch(void **state)
{
    (void)state;
    gs_order order = {0};
    gs_error err = {0};
    const gs_digest digest = digest_of(9);
    const gs_statement statement = {.product = "shop", .version = "x", .epoch = 900, .sequence = 1};
    const gs_candidate candidate = {.statement = &statement, .digest = &digest, .site = "plant-7"};
    assert_ok(&err, gs_accept_judge(accepted, 4, &candidate, &order, &err));
    assert_int_equal(order.kind, GS_ORDER_NEWER);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_judge, fill), cmocka_unit_test_setup(test_nothing_lowers_the_highest, fill),
        cmocka_unit_test_setup(test_a_site_without_a_root_knows_no_epoch, fill), cmocka_unit_test(test_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
