/* What a key is: its type, its id, and when two are one. */
#include <string.h>

#include "gapship/limits.h"
#include "key_tool.h"

static void test_names_of_types(void **state)
{
    (void)state;
    static const char *const names[] = {"ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-pss", "minisign"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        gs_key_type type;
        assert_true(gs_key_type_parse(names[i], &type));
        assert_string_equal(gs_key_type_name(type), names[i]);
    }
    gs_key_type type = GS_KEY_ED25519;
    assert_false(gs_key_type_parse("rsa", &type));
    assert_false(gs_key_type_parse("", &type));
    assert_int_equal(type, GS_KEY_ED25519);
}

static void test_files_round_trip(void **state)
{
    (void)state;
    for (int type = GS_KEY_ECDSA_P256; type <= GS_KEY_RSA_PSS; type++) {
        GS_AUTO_PRIVATE_KEY gs_private_key *made = NULL;
        GS_AUTO_PRIVATE_KEY gs_private_key *read = NULL;
        GS_AUTO_PUBLIC_KEY gs_public_key *of_made = NULL;
        GS_AUTO_PUBLIC_KEY gs_public_key *of_read = NULL;
        GS_AUTO_PUBLIC_KEY gs_public_key *public = NULL;
        GS_AUTO_BUF gs_buf private_pem;
        GS_AUTO_BUF gs_buf public_pem;
        gs_buf_init(&private_pem, GS_MAX_KEY_FILE_BYTES);
        gs_buf_init(&public_pem, GS_MAX_KEY_FILE_BYTES);
        assert_int_equal(gs_key_generate((gs_key_type)type, &made, NULL), 0);
        assert_int_equal(gs_private_key_public(made, &of_made, NULL), 0);
        assert_int_equal(gs_private_key_pem(made, &private_pem, NULL), 0);
        assert_int_equal(gs_public_key_pem(of_made, &public_pem, NULL), 0);
        assert_int_equal(gs_fs_write_file(key_directory(), "k", private_pem.data, private_pem.len, 0600, NULL), 0);
        assert_int_equal(gs_fs_write_file(key_directory(), "k.pub", public_pem.data, public_pem.len, 0644, NULL), 0);
        assert_int_equal(gs_private_key_load(key_path("k"), NULL, &read, NULL), 0);
        assert_int_equal(gs_private_key_public(read, &of_read, NULL), 0);
        assert_int_equal(gs_public_key_load(key_path("k.pub"), &public, NULL), 0);
        assert_true(gs_digest_equal(gs_public_key_id(of_made), gs_public_key_id(of_read)));
        assert_true(gs_digest_equal(gs_public_key_id(of_made), gs_public_key_id(public)));
        assert_true(gs_public_key_same(of_made, public));
    }
}

static void test_key_id_is_what_openssl_computes(void **state)
{
    (void)state;
    key_shell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out id.key 2>/dev/null;"
              "openssl pkey -in id.key -pubout -out id.pub; openssl pkey -pubin -in id.pub -outform DER -out id.der");
    GS_AUTO_BUF gs_buf der;
    gs_buf_init(&der, 1000);
    assert_int_equal(gs_fs_read_file(key_directory(), "id.der", &der, NULL), 0);
    gs_digest expected;
    assert_int_equal(gs_digest_of(der.data, der.len, &expected, NULL), 0);
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    assert_int_equal(gs_public_key_load(key_path("id.pub"), &key, NULL), 0);
    assert_true(gs_digest_equal(gs_public_key_id(key), &expected));
}

static void test_one_key_written_in_two_ways_is_one_key(void **state)
{
    (void)state;
    key_shell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key 2>/dev/null;"
              "openssl ec -in ec.key -pubout -out a.pub 2>/dev/null;"
              "openssl ec -in ec.key -pubout -conv_form compressed -out b.pub 2>/dev/null; ! cmp -s a.pub b.pub");
    GS_AUTO_PUBLIC_KEY gs_public_key *a = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *b = NULL;
    assert_int_equal(gs_public_key_load(key_path("a.pub"), &a, NULL), 0);
    assert_int_equal(gs_public_key_load(key_path("b.pub"), &b, NULL), 0);
    assert_true(gs_digest_equal(gs_public_key_id(a), gs_public_key_id(b)));
    assert_true(gs_public_key_same(a, b));

    /* The same modulus under both of RSA's names: cut out of one key file and put under the other's algorithm. */
    key_shell(
        "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out r.key 2>/dev/null;"
        "openssl pkey -in r.key -pubout -outform DER -out r.der; openssl rsa -in r.key -RSAPublicKey_out -outform DER -out raw.der "
        "2>/dev/null; printf '\\060\\202\\001\\240\\060\\013\\006\\011\\052\\206\\110\\206\\367\\015\\001\\001\\012\\003\\202\\001"
        "\\217\\000' > pss.der; cat raw.der >> pss.der;"
        "openssl pkey -pubin -inform DER -in r.der -out r.pub; openssl pkey -pubin -inform DER -in pss.der -out pss.pub");
    GS_AUTO_PUBLIC_KEY gs_public_key *rsa = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *pss = NULL;
    assert_int_equal(gs_public_key_load(key_path("r.pub"), &rsa, NULL), 0);
    assert_int_equal(gs_public_key_load(key_path("pss.pub"), &pss, NULL), 0);
    assert_false(gs_digest_equal(gs_public_key_id(rsa), gs_public_key_id(pss)));
    assert_true(gs_public_key_same(rsa, pss));
    assert_false(gs_public_key_same(rsa, a));
}

static void test_a_copy_outlives_its_original(void **state)
{
    (void)state;
    GS_AUTO_PRIVATE_KEY gs_private_key *private = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *copy = NULL;
    gs_public_key *public = NULL;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    assert_int_equal(gs_key_generate(GS_KEY_ED25519, &private, NULL), 0);
    assert_int_equal(gs_private_key_public(private, &public, NULL), 0);
    assert_int_equal(gs_public_key_copy(public, &copy, NULL), 0);
    assert_true(gs_public_key_same(public, copy));
    gs_public_key_free(public);
    assert_int_equal(gs_sign(private, "m", 1, &signature, NULL), 0);
    assert_int_equal(gs_signature_verify(copy, "m", 1, signature.data, signature.len, NULL), 0);
}

static void test_minisign_makes_its_own_keys(void **state)
{
    (void)state;
    gs_private_key *key = NULL;
    gs_error err = {0};
    assert_fails(&err, GS_EUSAGE, "minisign -G", gs_key_generate(GS_KEY_MINISIGN, &key, &err));
    assert_null(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_types),
        cmocka_unit_test(test_files_round_trip),
        cmocka_unit_test(test_key_id_is_what_openssl_computes),
        cmocka_unit_test(test_one_key_written_in_two_ways_is_one_key),
        cmocka_unit_test(test_a_copy_outlives_its_original),
        cmocka_unit_test(test_minisign_makes_its_own_keys),
    };
    return cmocka_run_group_tests(tests, key_tool_enter, key_tool_leave);
}
