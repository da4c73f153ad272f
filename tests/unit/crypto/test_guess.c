/* How signatures were made that do not count: openssl makes them in every way there is a name for. */
#include <stdio.h>
#include <string.h>

#include "gapship/limits.h"
#include "key_tool.h"

#define PKCS1 "-sigopt rsa_padding_mode:pkcs1"
#define PSS   "-sigopt rsa_padding_mode:pss"

static const struct {
    const char *key, *options, *says; /* NULL: nothing is known of it */
} cases[] = {
    {"p256", "-sha1", "SHA-1"},
    {"p256", "-sha224", "SHA-224"},
    {"p256", "-sha384", "SHA-384"},
    {"p256", "-sha512", "SHA-512"},
    {"p256", "-sha3-256", NULL},
    {"p384", "-sha256", "SHA-256"},
    {"rsa", "-sha256 " PKCS1, "PKCS #1 v1.5 padding and SHA-256 instead of PSS"},
    {"rsa", "-sha1 " PKCS1, "PKCS #1 v1.5 padding and SHA-1 instead of PSS"},
    {"rsa", "-sha512 " PKCS1, "PKCS #1 v1.5 padding and SHA-512 instead of PSS"},
    {"rsa", "-sha256 " PSS " -sigopt rsa_pss_saltlen:20", "a salt that has not 32 bytes"},
    {"rsa", "-sha384 " PSS " -sigopt rsa_pss_saltlen:48", "SHA-384"},
    {"rsa", "-sha512 " PSS " -sigopt rsa_pss_saltlen:32", "SHA-512"},
};

static gs_public_key *make_key(const char *name)
{
    static const char generate[] =
        "[ -e %s.pub ] || { openssl genpkey %s -out %s.key 2>/dev/null; openssl pkey -in %s.key -pubout -out %s.pub; }";
    const char *how = strcmp(name, "rsa") == 0    ? "-algorithm RSA -pkeyopt rsa_keygen_bits:3072"
                      : strcmp(name, "ed") == 0   ? "-algorithm ed25519"
                      : strcmp(name, "p384") == 0 ? "-algorithm EC -pkeyopt ec_paramgen_curve:P-384"
                                                  : "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
    char command[512], file[32];
    gs_public_key *key = NULL;
    assert_true(snprintf(command, sizeof command, generate, name, how, name, name, name) < (int)sizeof command);
    key_shell(command);
    (void)snprintf(file, sizeof file, "%s.pub", name);
    assert_int_equal(gs_public_key_load(key_path(file), &key, NULL), 0);
    return key;
}

static void read_file(const char *name, gs_buf *out)
{
    gs_buf_init(out, GS_KIB(64));
    assert_int_equal(gs_fs_read_file(key_directory(), name, out, NULL), 0);
}

static void test_each_way_has_its_name(void **state)
{
    (void)state;
    key_shell("printf 'what is signed' > message; printf 'something else' > other");
    GS_AUTO_BUF gs_buf message;
    GS_AUTO_BUF gs_buf other;
    read_file("message", &message);
    read_file("other", &other);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        GS_AUTO_PUBLIC_KEY gs_public_key *key = make_key(cases[i].key);
        GS_AUTO_BUF gs_buf signature;
        char command[512];
        (void)snprintf(command, sizeof command, "openssl dgst %s -sign %s.key -out made message", cases[i].options, cases[i].key);
        key_shell(command);
        read_file("made", &signature);
        assert_int_equal(gs_signature_verify(key, message.data, message.len, signature.data, signature.len, NULL), GS_ESIGNATURE);
        const char *said = gs_signature_guess(key, message.data, message.len, signature.data, signature.len);
        if (cases[i].says) {
            assert_non_null(said);
            assert_string_equal(said, cases[i].says);
        } else {
            assert_null(said);
        }
        assert_null(gs_signature_guess(key, other.data, other.len, signature.data, signature.len));
        signature.data[signature.len - 1] = (char)(signature.data[signature.len - 1] ^ 1);
        assert_null(gs_signature_guess(key, message.data, message.len, signature.data, signature.len));
    }
}

static void test_where_there_is_one_way_nothing_is_guessed(void **state)
{
    (void)state;
    GS_AUTO_PUBLIC_KEY gs_public_key *key = make_key("ed");
    key_shell("printf m > m; openssl pkeyutl -sign -inkey ed.key -rawin -in m -out made");
    GS_AUTO_BUF gs_buf signature;
    read_file("made", &signature);
    assert_int_equal(gs_signature_verify(key, "m", 1, signature.data, signature.len, NULL), 0);
    assert_null(gs_signature_guess(key, "m", 1, signature.data, signature.len));
    assert_null(gs_signature_guess(key, "", 0, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_way_has_its_name),
                                       cmocka_unit_test(test_where_there_is_one_way_nothing_is_guessed)};
    return cmocka_run_group_tests(tests, key_tool_enter, key_tool_leave);
}
