/* Keys and their files: what is read back is what was written, and everything people mistake for a key is refused with what to do.
 * The files come from the openssl command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "gapship/crypto.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/proc.h"

static gs_tempdir dir = GS_TEMPDIR_INIT;

static int set_up(void **state)
{
    (void)state;
    return gs_tempdir_make(&dir, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    gs_tempdir_done(&dir);
    return 0;
}

/* Runs `sh -c` in the test's directory: the commands read as they stand in the documentation. */
static void shell(const char *command)
{
    static const gs_run run = {0};
    const char *argv[] = {"sh", "-ec", command, NULL};
    const gs_proc proc = {.argv = argv, .cwd = dir.fd};
    GS_AUTO_PROC gs_proc_result result = {0};
    gs_error err = {0};
    int code = gs_proc_check(&run, &proc, GS_ECHECK, &result, &err);
    if (code != 0) {
        fail_msg("%s: %s", command, err.message);
    }
}

static const char *path(const char *name)
{
    static char text[512];
    (void)snprintf(text, sizeof text, "%s/%s", dir.path, name);
    return text;
}

static void test_names_of_types(void **state)
{
    (void)state;
    static const char *const names[] = {"ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-pss"};
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
        assert_int_equal(gs_fs_write_file(dir.fd, "k", private_pem.data, private_pem.len, 0600, NULL), 0);
        assert_int_equal(gs_fs_write_file(dir.fd, "k.pub", public_pem.data, public_pem.len, 0644, NULL), 0);
        assert_int_equal(gs_private_key_load(path("k"), NULL, &read, NULL), 0);
        assert_int_equal(gs_private_key_public(read, &of_read, NULL), 0);
        assert_int_equal(gs_public_key_load(path("k.pub"), &public, NULL), 0);
        assert_true(gs_digest_equal(gs_public_key_id(of_made), gs_public_key_id(of_read)));
        assert_true(gs_digest_equal(gs_public_key_id(of_made), gs_public_key_id(public)));
        assert_true(gs_public_key_same(of_made, public));
    }
}

static void test_key_id_is_what_openssl_computes(void **state)
{
    (void)state;
    shell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out id.key 2>/dev/null;"
          "openssl pkey -in id.key -pubout -out id.pub; openssl pkey -pubin -in id.pub -outform DER -out id.der");
    GS_AUTO_BUF gs_buf der;
    gs_buf_init(&der, 1000);
    assert_int_equal(gs_fs_read_file(dir.fd, "id.der", &der, NULL), 0);
    gs_digest expected;
    assert_int_equal(gs_digest_of(der.data, der.len, &expected, NULL), 0);
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    assert_int_equal(gs_public_key_load(path("id.pub"), &key, NULL), 0);
    assert_true(gs_digest_equal(gs_public_key_id(key), &expected));
}

static void test_one_key_written_in_two_ways_is_one_key(void **state)
{
    (void)state;
    shell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key 2>/dev/null;"
          "openssl ec -in ec.key -pubout -out a.pub 2>/dev/null;"
          "openssl ec -in ec.key -pubout -conv_form compressed -out b.pub 2>/dev/null; ! cmp -s a.pub b.pub");
    GS_AUTO_PUBLIC_KEY gs_public_key *a = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *b = NULL;
    assert_int_equal(gs_public_key_load(path("a.pub"), &a, NULL), 0);
    assert_int_equal(gs_public_key_load(path("b.pub"), &b, NULL), 0);
    assert_true(gs_digest_equal(gs_public_key_id(a), gs_public_key_id(b)));
    assert_true(gs_public_key_same(a, b));

    /* The same modulus under both of RSA's names: cut out of one key file and put under the other's algorithm. */
    shell(
        "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out r.key 2>/dev/null;"
        "openssl pkey -in r.key -pubout -outform DER -out r.der; openssl rsa -in r.key -RSAPublicKey_out -outform DER -out raw.der "
        "2>/dev/null; printf '\\060\\202\\001\\240\\060\\013\\006\\011\\052\\206\\110\\206\\367\\015\\001\\001\\012\\003\\202\\001"
        "\\217\\000' > pss.der; cat raw.der >> pss.der;"
        "openssl pkey -pubin -inform DER -in r.der -out r.pub; openssl pkey -pubin -inform DER -in pss.der -out pss.pub");
    GS_AUTO_PUBLIC_KEY gs_public_key *rsa = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *pss = NULL;
    assert_int_equal(gs_public_key_load(path("r.pub"), &rsa, NULL), 0);
    assert_int_equal(gs_public_key_load(path("pss.pub"), &pss, NULL), 0);
    assert_false(gs_digest_equal(gs_public_key_id(rsa), gs_public_key_id(pss)));
    assert_true(gs_public_key_same(rsa, pss));
    assert_false(gs_public_key_same(rsa, a));
}

static const struct {
    const char *command; /* makes the file "x" */
    const char *text;    /* of the message or the hint */
} bad_private[] = {
    {"openssl genpkey -algorithm ed25519 -out x; chmod 640 x", "its mode is 0640"},
    {"openssl genpkey -algorithm ed25519 -out x; chmod 604 x", "chmod 600"},
    {"openssl genpkey -algorithm ed25519 -aes256 -pass pass:p -out x", "no passphrase was given"},
    {"openssl genpkey -algorithm ed25519 | openssl pkey -pubout -out x", "this is a public key"},
    {"openssl ecparam -name prime256v1 -genkey -noout -out x", "openssl pkcs8 -topk8"},
    {"openssl ecparam -name prime256v1 -genkey -out x", "openssl pkcs8 -topk8"},
    {"openssl genrsa -traditional -out x 3072", "PKCS#1"},
    {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out x", "curve is not accepted"},
    {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -out x",
     "not given by its name"},
    {"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out x", "size is not accepted"},
    {"openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:3072 -pkeyopt rsa_pss_keygen_md:sha512 -pkeyopt "
     "rsa_pss_keygen_mgf1_md:sha512 -pkeyopt rsa_pss_keygen_saltlen:64 -out x",
     "does not allow SHA-256"},
    {"openssl genpkey -algorithm X25519 -out x", "type is not accepted"},
    {"openssl genpkey -algorithm ed25519 -out y; cat y y > x", "has several"},
    {"openssl genpkey -algorithm ed25519 -out y; sed 's/^MC/MD/' y > x", "cannot be read"},
    {"openssl genpkey -algorithm ed25519 -out y; head -c 60 y > x", "breaks off"},
    {": > x", "PEM form was expected"},
    {"echo hello > x", "PEM form was expected"},
    {"printf 'a\\000b' > x", "not a text file"},
    {"head -c 70000 /dev/zero > x", "at most 65536 bytes"},
    {"echo '-----BEGIN OPENSSH PRIVATE KEY-----' > x", "OpenSSH key"},
    {"echo '-----BEGIN PGP PUBLIC KEY BLOCK-----' > x", "something else"},
};

static const struct {
    const char *command;
    const char *text;
} bad_public[] = {
    {"openssl genpkey -algorithm ed25519 -out x", "this is a private key"},
    {"openssl genpkey -algorithm ed25519 -out y; openssl req -new -x509 -key y -subj /CN=x -out x", "openssl x509 -in"},
    {"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out y; openssl pkey -in y -pubout -out x",
     "size is not accepted"},
    {"openssl genpkey -algorithm ed448 -out y; openssl pkey -in y -pubout -out x", "type is not accepted"},
    {"printf -- '-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----\\n' > x", "cannot be read"},
    {"echo '-----BEGIN RSA PUBLIC KEY-----' > x", "RSAPublicKey_in"},
};

static void assert_refused(int code, const gs_error *err, const char *command, const char *text)
{
    if (code != GS_ESPEC || (!strstr(err->message, text) && !strstr(err->hint, text)) || !strstr(err->where, "/x")) {
        fail_msg("%s: code %d, \"%s\" (%s) at %s; expected \"%s\"", command, code, err->message, err->hint, err->where, text);
    }
}

static void make_file(const char *command)
{
    char script[1024];
    (void)snprintf(script, sizeof script, "umask 077; rm -f x y; exec 2>/dev/null; %s", command);
    shell(script);
}

static void test_bad_private_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_private / sizeof bad_private[0]; i++) {
        make_file(bad_private[i].command);
        gs_private_key *key = NULL;
        gs_error err = {0};
        int code = gs_private_key_load(path("x"), NULL, &key, &err);
        assert_refused(code, &err, bad_private[i].command, bad_private[i].text);
        assert_null(key);
    }
}

static void test_bad_public_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_public / sizeof bad_public[0]; i++) {
        make_file(bad_public[i].command);
        gs_public_key *key = NULL;
        gs_error err = {0};
        int code = gs_public_key_load(path("x"), &key, &err);
        assert_refused(code, &err, bad_public[i].command, bad_public[i].text);
        assert_null(key);
    }
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

static void test_absent_file(void **state)
{
    (void)state;
    gs_private_key *private = NULL;
    gs_public_key *public = NULL;
    assert_int_equal(gs_private_key_load(path("absent"), NULL, &private, NULL), GS_ENOTFOUND);
    assert_int_equal(gs_public_key_load(path("absent"), &public, NULL), GS_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_types),
        cmocka_unit_test(test_files_round_trip),
        cmocka_unit_test(test_key_id_is_what_openssl_computes),
        cmocka_unit_test(test_one_key_written_in_two_ways_is_one_key),
        cmocka_unit_test(test_bad_private_keys),
        cmocka_unit_test(test_bad_public_keys),
        cmocka_unit_test(test_a_copy_outlives_its_original),
        cmocka_unit_test(test_absent_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
