/* Roots made from keys, written and read again. */
#include <string.h>

#include "gapship/limits.h"
#include "sample.h"

static void test_roles_may_share_keys(void **state)
{
    sample s;
    gs_error err = {0};
    sample_init(&s, *state, sample_sizes);
    const gs_public_key *const both[] = {s.public[0], s.public[1]};
    const gs_public_key *const second[] = {s.public[1]};
    const gs_trust_role root = {.keys = both, .count = 2, .threshold = 2};
    const gs_trust_role release = {.keys = second, .count = 1, .threshold = 1};
    GS_AUTO_TRUST gs_trust *made = NULL;
    GS_AUTO_TRUST gs_trust *read = NULL;
    GS_AUTO_BUF gs_buf text;
    GS_AUTO_BUF gs_buf again;
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    gs_buf_init(&again, GS_MAX_ROOT_BYTES);
    assert_ok(&err, gs_trust_make(&(gs_trust_draft){.version = 1, .epoch = 1, .roles = {root, release}}, &made, &err));
    assert_ok(&err, gs_trust_write(made, &text, &err));
    assert_ok(&err, gs_trust_parse("root", text.data, text.len, &read, &err));
    assert_int_equal(gs_trust_role_of(read, GS_ROLE_RELEASE)->threshold, 1);
    assert_int_equal(gs_trust_role_of(read, GS_ROLE_RELEASE)->count, 1);
    assert_true(gs_public_key_same(gs_trust_role_of(read, GS_ROLE_RELEASE)->keys[0], s.public[1]));
    assert_int_equal(gs_trust_role_of(read, GS_ROLE_ROOT)->threshold, 2);
    assert_int_equal(gs_trust_role_of(read, GS_ROLE_ROOT)->count, 2);
    assert_ok(&err, gs_trust_write(read, &again, &err));
    assert_string_equal(gs_buf_text(&text), gs_buf_text(&again));
    gs_digest a;
    gs_digest b;
    assert_ok(&err, gs_trust_fingerprint(made, &a, &err));
    assert_ok(&err, gs_trust_fingerprint(read, &b, &err));
    assert_true(gs_digest_equal(&a, &b));
    sample_done(&s);
}

static void test_signatures_are_kept_and_not_fingerprinted(void **state)
{
    (void)state;
    GS_AUTO_TRUST gs_trust *plain = NULL;
    GS_AUTO_TRUST gs_trust *with = NULL;
    GS_AUTO_BUF gs_buf text;
    GS_AUTO_BUF gs_buf again;
    gs_error err = {0};
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    gs_buf_init(&again, GS_MAX_ROOT_BYTES);
    assert_ok(&err, gs_trust_load("bundle-spec/vectors/root.json", &plain, &err));
    assert_ok(&err, gs_trust_write(plain, &text, &err));
    static const char signatures[] =
        ",\"signatures\":[{\"keyid\":\"0000000000000000000000000000000000000000000000000000000000000000\","
        "\"sig\":\"c2lnbmF0dXJl\"}]}";
    text.len = (size_t)(strrchr(gs_buf_text(&text), '}') - text.data);
    gs_buf_add_text(&text, signatures);
    assert_ok(&err, gs_trust_parse("root", text.data, text.len, &with, &err));
    assert_ok(&err, gs_trust_write(with, &again, &err));
    assert_contains(gs_buf_text(&again), "c2lnbmF0dXJl");
    gs_digest a;
    gs_digest b;
    assert_ok(&err, gs_trust_fingerprint(plain, &a, &err));
    assert_ok(&err, gs_trust_fingerprint(with, &b, &err));
    assert_true(gs_digest_equal(&a, &b));
}

static void test_sixteen_signatures(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_BUF gs_buf text;
    GS_AUTO_TRUST gs_trust *full = NULL;
    GS_AUTO_TRUST gs_trust *over = NULL;
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    sample_init(&s, *state, sample_sizes);
    assert_ok(&err, gs_trust_write(s.trust, &text, &err));
    text.len = (size_t)(strrchr(gs_buf_text(&text), '}') - text.data);
    gs_buf_add_text(&text, ",\"signatures\":[");
    for (unsigned i = 0; i < GS_MAX_SIGNATURES; i++) {
        gs_buf_printf(&text, "{\"keyid\":\"%064x\",\"sig\":\"c2lnbmF0dXJl\"},", i);
    }
    const size_t end = --text.len; /* without the last comma */
    gs_buf_add_text(&text, "]}");
    assert_ok(&err, gs_trust_parse("root", text.data, text.len, &full, &err));
    assert_fails(&err, GS_ELIMIT, "16 are the most", gs_trust_sign(full, s.public[0], "signature", 9, &err));
    text.len = end;
    gs_buf_printf(&text, ",{\"keyid\":\"%064x\",\"sig\":\"c2lnbmF0dXJl\"}]}", GS_MAX_SIGNATURES);
    assert_fails(&err, GS_ESPEC, "17 signatures, 16 are the most", gs_trust_parse("root", text.data, text.len, &over, &err));
    sample_done(&s);
}

static void test_refuses(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_TRUST gs_trust *trust = NULL;
    sample_init(&s, *state, sample_sizes);
    const gs_public_key *const twice[] = {s.public[0], s.public[0]};
    const gs_trust_role good = {.keys = twice, .count = 1, .threshold = 1};
    const gs_trust_role none = {.keys = twice, .count = 1, .threshold = 0};
    const gs_trust_role many = {.keys = twice, .count = 1, .threshold = 2};
    const gs_trust_role repeated = {.keys = twice, .count = 2, .threshold = 1};
    const gs_trust_role empty = {.threshold = 1};
    assert_fails(&err, GS_ESPEC, "root role is 0",
                 gs_trust_make(&(gs_trust_draft){.version = 1, .epoch = 1, .roles = {none, good}}, &trust, &err));
    assert_fails(&err, GS_ESPEC, "release role is 2",
                 gs_trust_make(&(gs_trust_draft){.version = 1, .epoch = 1, .roles = {good, many}}, &trust, &err));
    assert_fails(&err, GS_ESPEC, "same key twice",
                 gs_trust_make(&(gs_trust_draft){.version = 1, .epoch = 1, .roles = {repeated, good}}, &trust, &err));
    assert_fails(&err, GS_ESPEC, "from 1 to its 0 keys",
                 gs_trust_make(&(gs_trust_draft){.version = 1, .epoch = 1, .roles = {good, empty}}, &trust, &err));
    assert_null(trust);
    sample_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_roles_may_share_keys),
        cmocka_unit_test(test_signatures_are_kept_and_not_fingerprinted),
        test_in_tempdir(test_sixteen_signatures),
        test_in_tempdir(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
