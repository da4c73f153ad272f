/* Memory for secrets: it is all there from the start, so that growing never leaves a copy behind. That it is wiped in the end is looked
 * for in the memory of a running build (tests/e2e/test_keys.py). */
#include "gapship/crypto.h"
#include "gapship/limits.h"
#include "support.h"

static void test_a_secret_does_not_move(void **state)
{
    (void)state;
    GS_AUTO_SECRET gs_buf secret;
    gs_error err = {0};
    assert_ok(&err, gs_secret_init(&secret, GS_MAX_PASSPHRASE_BYTES, &err));
    const char *place = secret.data;
    for (size_t i = 0; i < GS_MAX_PASSPHRASE_BYTES; i++) {
        gs_buf_add(&secret, "s", 1);
    }
    assert_ok(&err, gs_buf_check(&secret, &err));
    assert_ptr_equal(secret.data, place);
    gs_buf_add(&secret, "s", 1);
    assert_int_equal(secret.failed, GS_ELIMIT);
    assert_ptr_equal(secret.data, place);
}

static void test_a_secret_ends_as_often_as_asked(void **state)
{
    (void)state;
    gs_buf secret;
    gs_error err = {0};
    assert_ok(&err, gs_secret_init(&secret, 10, &err));
    gs_buf_add_text(&secret, "secret");
    gs_secret_done(&secret);
    assert_null(secret.data);
    gs_secret_done(&secret);
    gs_buf_init(&secret, 10);
    gs_secret_done(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_secret_does_not_move),
        cmocka_unit_test(test_a_secret_ends_as_often_as_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
