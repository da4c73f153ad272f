/* Signatures: every type of key, every bit of a signature, and the published vectors of RFC 8032. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gapship/crypto.h"
#include "gapship/limits.h"
#include "gapship/num.h"

static const gs_key_type all_types[] = {GS_KEY_ECDSA_P256, GS_KEY_ECDSA_P384, GS_KEY_ED25519, GS_KEY_RSA_PSS};
#define TYPE_COUNT (sizeof all_types / sizeof all_types[0])

static void make_pair(gs_key_type type, gs_private_key **private, gs_public_key **public)
{
    assert_int_equal(gs_key_generate(type, private, NULL), 0);
    assert_int_equal(gs_private_key_public(*private, public, NULL), 0);
    assert_int_equal(gs_public_key_type(*public), type);
}

static void test_each_type_signs_and_verifies(void **state)
{
    (void)state;
    static const char message[] = "DSSEv1 2 ab 3 cde";
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        GS_AUTO_PRIVATE_KEY gs_private_key *private = NULL;
        GS_AUTO_PUBLIC_KEY gs_public_key *public = NULL;
        GS_AUTO_BUF gs_buf signature;
        gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
        make_pair(all_types[i], &private, &public);
        assert_int_equal(gs_sign(private, message, sizeof message, &signature, NULL), 0);
        assert_int_equal(gs_signature_verify(public, message, sizeof message, signature.data, signature.len, NULL), 0);
        gs_error err = {0};
        assert_int_equal(gs_signature_verify(public, message, sizeof message - 1, signature.data, signature.len, &err),
                         GS_ESIGNATURE);
        assert_non_null(strstr(err.message, "does not fit"));
        assert_int_equal(gs_signature_verify(public, message, sizeof message, signature.data, 0, NULL), GS_ESIGNATURE);
    }
}

static void test_every_bit_of_a_signature_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        GS_AUTO_PRIVATE_KEY gs_private_key *private = NULL;
        GS_AUTO_PUBLIC_KEY gs_public_key *public = NULL;
        GS_AUTO_BUF gs_buf signature;
        gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
        make_pair(all_types[i], &private, &public);
        assert_int_equal(gs_sign(private, "m", 1, &signature, NULL), 0);
        for (size_t bit = 0; bit < signature.len * 8; bit++) {
            signature.data[bit / 8] = (char)(signature.data[bit / 8] ^ (1 << (bit % 8)));
            assert_int_equal(gs_signature_verify(public, "m", 1, signature.data, signature.len, NULL), GS_ESIGNATURE);
            signature.data[bit / 8] = (char)(signature.data[bit / 8] ^ (1 << (bit % 8)));
        }
        gs_buf_add(&signature, "", 1);
        if (!signature.failed) {
            assert_int_equal(gs_signature_verify(public, "m", 1, signature.data, signature.len, NULL), GS_ESIGNATURE);
        }
        assert_int_equal(gs_signature_verify(public, "m", 1, signature.data, signature.len - 2, NULL), GS_ESIGNATURE);
    }
}

static void test_no_key_accepts_anothers_signature(void **state)
{
    (void)state;
    gs_private_key *private[TYPE_COUNT] = {NULL};
    gs_public_key *public[TYPE_COUNT] = {NULL};
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        make_pair(all_types[i], &private[i], &public[i]);
    }
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        GS_AUTO_BUF gs_buf signature;
        gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
        assert_int_equal(gs_sign(private[i], "m", 1, &signature, NULL), 0);
        for (size_t j = 0; j < TYPE_COUNT; j++) {
            int expected = i == j ? 0 : GS_ESIGNATURE;
            assert_int_equal(gs_signature_verify(public[j], "m", 1, signature.data, signature.len, NULL), expected);
        }
    }
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        gs_private_key_free(private[i]);
        gs_public_key_free(public[i]);
    }
}

/* RFC 8032 section 7.1, tests 2 and 3. */
static void test_published_ed25519_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *message;
        const char *signature;
    } vectors[] = {
        {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d29161"
         "2bb"
         "0c00"},
        {"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027becee"
         "a1e"
         "c40a"},
    };
    static const unsigned char prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        unsigned char der[sizeof prefix + 32];
        unsigned char message[2];
        unsigned char signature[64];
        size_t message_len = strlen(vectors[i].message) / 2;
        memcpy(der, prefix, sizeof prefix);
        assert_true(gs_hex_decode(vectors[i].key, der + sizeof prefix, 32));
        assert_true(gs_hex_decode(vectors[i].message, message, message_len));
        assert_true(gs_hex_decode(vectors[i].signature, signature, sizeof signature));
        GS_AUTO_BUF gs_buf pem;
        gs_buf_init(&pem, 1000);
        gs_buf_add_text(&pem, "-----BEGIN PUBLIC KEY-----\n");
        assert_int_equal(gs_base64_encode(der, sizeof der, &pem, NULL), 0);
        gs_buf_add_text(&pem, "\n-----END PUBLIC KEY-----\n");
        GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
        assert_int_equal(gs_public_key_parse(gs_buf_text(&pem), pem.len, &key, NULL), 0);
        assert_int_equal(gs_signature_verify(key, message, message_len, signature, sizeof signature, NULL), 0);
        message[0] ^= 1;
        assert_int_equal(gs_signature_verify(key, message, message_len, signature, sizeof signature, NULL), GS_ESIGNATURE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type_signs_and_verifies),
        cmocka_unit_test(test_every_bit_of_a_signature_counts),
        cmocka_unit_test(test_no_key_accepts_anothers_signature),
        cmocka_unit_test(test_published_ed25519_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
