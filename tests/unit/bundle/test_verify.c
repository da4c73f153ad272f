/* Who is believed, and in which order things are looked at. Damage of every kind is in test_mutations.c and bundle-spec/vectors. */
#include <string.h>

#include "bundle_internal.h"
#include "sample.h"

static void test_thresholds(void **state)
{
    static const struct {
        size_t signed_by; /* the first so many keys */
        size_t trusted;
        unsigned threshold;
        const char *text; /* NULL: authentic */
    } cases[] = {
        {1, 1, 1, NULL},         {2, 1, 1, NULL}, {1, 2, 1, NULL}, {2, 2, 2, NULL}, {1, 2, 2, "signed by 1 of the 2"},
        {0, 1, 1, "not signed"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        sample s;
        gs_error err = {0};
        GS_AUTO_VERIFIED gs_verified *verified = NULL;
        sample_init(&s, *state, sample_sizes);
        sample_write(&s, cases[i].signed_by);
        sample_trust(&s, cases[i].trusted, cases[i].threshold);
        if (cases[i].text) {
            assert_fails(&err, GS_ESIGNATURE, cases[i].text, sample_verify(&s, &verified, &err));
        } else {
            assert_ok(&err, sample_verify(&s, &verified, &err));
            assert_true(gs_verified_authentic(verified));
        }
        sample_done(&s);
    }
}

static void test_reports(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    sample_init(&s, *state, sample_sizes);
    sample_write(&s, 2);
    assert_ok(&err, sample_verify(&s, &verified, &err));
    size_t count;
    const gs_signature_report *reports = gs_verified_signatures(verified, &count);
    assert_int_equal(count, 2);
    assert_true(reports[0].known && reports[0].good);
    assert_false(reports[1].known || reports[1].good);
    assert_true(gs_digest_equal(&reports[1].key_id, gs_public_key_id(s.public[1])));
    size_t len;
    const void *signature = gs_verified_signature(verified, 1, &len);
    GS_AUTO_BUF gs_buf statement;
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&statement, GS_MIB(1));
    gs_buf_init(&encoding, GS_MIB(2));
    assert_ok(&err, gs_verified_statement_bytes(verified, &statement, &encoding, &err));
    assert_ok(&err, gs_signature_verify(s.public[1], encoding.data, encoding.len, signature, len, &err));
    gs_digest digest;
    assert_ok(&err, gs_digest_of(statement.data, statement.len, &digest, &err));
    assert_true(gs_digest_equal(&digest, gs_verified_digest(verified)));
    sample_done(&s);
}

static void test_a_look_without_trust(void **state)
{
    sample s;
    gs_error err = {0};
    for (size_t keys = 0; keys < 2; keys++) {
        GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
        GS_AUTO_VERIFIED gs_verified *verified = NULL;
        sample_init(&s, *state, sample_sizes);
        sample_write(&s, keys);
        assert_ok(&err, gs_bundle_open(s.path, &bundle, &err));
        assert_int_equal(gs_bundle_signature_count(bundle), keys);
        assert_ok(&err, gs_bundle_verify(&bundle, &(gs_terms){0}, &verified, &err));
        assert_null(bundle);
        assert_false(gs_verified_authentic(verified));
        sample_done(&s);
    }
}

static void test_unsigned_where_allowed(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    sample_init(&s, *state, sample_sizes);
    sample_write(&s, 0);
    assert_ok(&err, gs_bundle_open(s.path, &bundle, &err));
    assert_fails(&err, GS_ESIGNATURE, "allowUnsigned", gs_bundle_verify(&bundle, &(gs_terms){.trust = s.trust}, &verified, &err));
    assert_non_null(bundle);
    assert_ok(&err, gs_bundle_verify(&bundle, &(gs_terms){.trust = s.trust, .allow_unsigned = true}, &verified, &err));
    assert_false(gs_verified_authentic(verified));
    sample_done(&s);
}

/* To allow unsigned bundles is not to allow bundles that a stranger signed. */
static void test_strangers_are_not_unsigned(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    GS_AUTO_TRUST gs_trust *other = NULL;
    sample_init(&s, *state, sample_sizes);
    sample_write(&s, 1);
    const gs_public_key *const keys[] = {s.public[1]};
    const gs_trust_role role = {.keys = keys, .count = 1, .threshold = 1};
    assert_ok(&err, gs_trust_make(&(gs_trust_draft){.version = 1, .epoch = 1, .roles = {role, role}}, &other, &err));
    assert_ok(&err, gs_bundle_open(s.path, &bundle, &err));
    assert_fails(&err, GS_ESIGNATURE, "signed by 0 of the 1",
                 gs_bundle_verify(&bundle, &(gs_terms){.trust = other, .allow_unsigned = true}, &verified, &err));
    sample_done(&s);
}

/* A statement that no parser would bear, under a signature that does not count: the signature is what is complained about. */
static void test_nothing_is_parsed_before_the_threshold(void **state)
{
    sample s;
    gs_buf bytes;
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    sample_init(&s, *state, sample_sizes);
    sample_write(&s, 1);
    sample_read(&s, &bytes);
    static const char bomb[] = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[";
    sample_forge(&s, &bytes, bomb, strlen(bomb));
    sample_replace(&s, &bytes);
    assert_fails(&err, GS_EFORMAT, "JSON", sample_verify(&s, &verified, &err));
    bytes.data[512 + 64 + strlen(bomb) + 40] ^= 1;
    sample_replace(&s, &bytes);
    assert_fails(&err, GS_ESIGNATURE, "does not fit", sample_verify(&s, &verified, &err));
    gs_buf_done(&bytes);
    sample_done(&s);
}

/* The order behind it: a wrong length is told before the header, the header before the index, the index before the gaps. */
static void test_order_of_steps(void **state)
{
    sample s;
    gs_buf bytes;
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    sample_init(&s, *state, sample_sizes);
    sample_write(&s, 1);
    sample_read(&s, &bytes);
    assert_ok(&err, sample_verify(&s, &verified, &err));
    const size_t index = 1024 + (size_t)gs_verified_statement(verified)->envelope_size;
    gs_verified_free_p(&verified);
    const size_t damaged[] = {bytes.len - 1, index + 50, 100};
    static const struct {
        int code;
        const char *text;
    } expected[] = {{GS_EFORMAT, "is not what the format has there"}, {GS_EDIGEST, "index"}, {GS_EFORMAT, "offset 100 "}};
    for (size_t i = 0; i < COUNT_OF(damaged); i++) {
        bytes.data[damaged[i]] ^= 1;
        sample_replace(&s, &bytes);
        assert_fails(&err, expected[i].code, expected[i].text, sample_verify(&s, &verified, &err));
    }
    gs_buf_add(&bytes, "x", 1);
    sample_replace(&s, &bytes);
    assert_fails(&err, GS_EFORMAT, "it was extended", sample_verify(&s, &verified, &err));
    gs_buf_done(&bytes);
    sample_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_thresholds),
        test_in_tempdir(test_reports),
        test_in_tempdir(test_a_look_without_trust),
        test_in_tempdir(test_unsigned_where_allowed),
        test_in_tempdir(test_strangers_are_not_unsigned),
        test_in_tempdir(test_nothing_is_parsed_before_the_threshold),
        test_in_tempdir(test_order_of_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
