/* Private key files: what openssl made is read, what gapship made openssl reads, and everything else that people have is refused with
 * what to do about it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gapship/limits.h"
#include "key_tool.h"

#define ED25519   "openssl genpkey -algorithm ed25519"
#define EC(curve) "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:" curve

/* ---- what is refused ---- */

static const bad_file bad_files[] = {
    {"readable by the group", ED25519 " -out x; chmod 640 x", GS_ESPEC, "its mode is 0640", "chmod 600"},
    {"readable by all", ED25519 " -out x; chmod 604 x", GS_ESPEC, "its mode is 0604", "chmod 600"},
    {"encrypted, no passphrase", ED25519 " -aes256 -pass pass:p -out x", GS_ESPEC, "encrypted, and no passphrase",
     "--passphrase-file"},
    {"public half", ED25519 " | openssl pkey -pubout -out x", GS_ESPEC, "but this is a public key", "the private half"},
    {"certificate", ED25519 " -out y; openssl req -new -x509 -key y -subj /CN=x -out x", GS_ESPEC, "a certificate",
     "the private half"},
    {"SEC1", "openssl ecparam -name prime256v1 -genkey -noout -out x", GS_ESPEC, "SEC1", "openssl pkcs8 -topk8"},
    {"SEC1 with parameters", "openssl ecparam -name prime256v1 -genkey -out x", GS_ESPEC, "SEC1", "openssl pkcs8 -topk8"},
    {"PKCS#1", "openssl genrsa -traditional -out x 3072", GS_ESPEC, "PKCS#1", "openssl pkcs8 -topk8"},
    {"OpenSSH", "echo '-----BEGIN OPENSSH PRIVATE KEY-----' > x", GS_ESPEC, "OpenSSH key", "gapship key new"},
    {"PGP", "echo '-----BEGIN PGP PRIVATE KEY BLOCK-----' > x", GS_ESPEC, "something else", "gapship key new"},
    {"minisign's secret key", "minisign -G -W -f -p y -s x", GS_ESPEC, "a minisign secret key", "gapship attach-signature"},
    {"minisign's public key", "minisign -G -W -f -p x -s y; chmod 600 x", GS_ESPEC, "a minisign public key",
     "minisign -S -H -m FILE"},
    {"RSA of 2048 bits", "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out x", GS_ESPEC, "size is not accepted",
     "ECDSA P-256 and P-384"},
    {"RSA-PSS for SHA-512",
     "openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:3072 -pkeyopt rsa_pss_keygen_md:sha512 -pkeyopt "
     "rsa_pss_keygen_mgf1_md:sha512 -pkeyopt rsa_pss_keygen_saltlen:64 -out x",
     GS_ESPEC, "does not allow SHA-256", "ECDSA P-256 and P-384"},
    {"P-521", EC("P-521") " -out x", GS_ESPEC, "curve is not accepted", "ECDSA P-256 and P-384"},
    {"secp256k1", EC("secp256k1") " -out x", GS_ESPEC, "curve is not accepted", "ECDSA P-256 and P-384"},
    {"brainpool", EC("brainpoolP256r1") " -out x", GS_ESPEC, "curve is not accepted", "ECDSA P-256 and P-384"},
    {"explicit parameters", EC("P-256") " -pkeyopt ec_param_enc:explicit -out x", GS_ESPEC, "not given by its name",
     "ECDSA P-256 and P-384"},
    {"DSA", "openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -out y; openssl genpkey -paramfile y -out x",
     GS_ESPEC, "type is not accepted", "ECDSA P-256 and P-384"},
    {"X25519", "openssl genpkey -algorithm X25519 -out x", GS_ESPEC, "type is not accepted", "ECDSA P-256 and P-384"},
    {"Ed448", "openssl genpkey -algorithm ed448 -out x", GS_ESPEC, "type is not accepted", "ECDSA P-256 and P-384"},
    {"two keys", ED25519 " -out y; cat y y > x", GS_ESPEC, "has several", "a file of its own"},
    {"cut off", ED25519 " -out y; head -c 60 y > x", GS_ESPEC, "breaks off", "copy the whole file"},
    {"cut base64", ED25519 " -out y; sed '2s/....$//' y > x", GS_ESPEC, "cannot be read", "damaged"},
    {"cut DER", EC("P-256") " -out y; sed '3d' y > x", GS_ESPEC, "cannot be read", "damaged"},
    {"another letter", ED25519 " -out y; sed 's/^MC/MD/' y > x", GS_ESPEC, "cannot be read", "damaged"},
    {"encrypted and cut", ED25519 " -aes256 -pass pass:p -out y; head -n 3 y > x", GS_ESPEC, "breaks off", "copy the whole file"},
    {"encrypted by PEM", "openssl genrsa -traditional -aes256 -passout pass:p 1024 | sed 's/RSA PRIVATE/PRIVATE/' > x", GS_ESPEC,
     "the old way of PEM", "openssl pkcs8 -topk8 -scrypt"},
    {"encrypted by PEM, twice",
     "openssl genrsa -traditional -aes256 -passout pass:p 1024 | sed 's/RSA PRIVATE/ENCRYPTED PRIVATE/' > x", GS_ESPEC,
     "the old way of PEM", "openssl pkcs8 -topk8 -scrypt"},
    {"two labels", ED25519 " -out y; sed '$s/PRIVATE/PUBLIC/' y > x", GS_ESPEC, "breaks off", "copy the whole file"},
    {"empty", ": > x", GS_ESPEC, "the file is empty", NULL},
    {"other text", "echo hello > x", GS_ESPEC, "PEM form was expected", "-----BEGIN PRIVATE KEY-----"},
    {"not text", "printf 'a\\000b' > x", GS_ESPEC, "not a text file", NULL},
    {"DER", ED25519 " -outform DER -out x", GS_ESPEC, "not a text file", NULL},
    {"too large", "head -c 70000 /dev/zero > x", GS_ELIMIT, "larger than the 65536 bytes", "is this the right file"},
    {"directory", "mkdir x", GS_ESPEC, "a regular file is needed", NULL},
    {"pipe", "mkfifo x", GS_ESPEC, "a regular file is needed", NULL},
    {"absent", ":", GS_ENOTFOUND, "no such file", NULL},
};

static void refuses(void **state)
{
    const bad_file *row = *state;
    gs_private_key *key = NULL;
    gs_error err = {0};
    key_make(row);
    int code = gs_private_key_load(key_path("x"), NULL, &key, &err);
    key_assert_refused(row, code, &err);
    assert_null(key);
}

/* ---- passphrases ---- */

typedef struct answer {
    const char *text;
    size_t len;
    int code; /* what asking ends with */
    unsigned asked;
} answer;

static int give(void *state, const char *what, gs_buf *out, gs_error *err)
{
    answer *given = state;
    given->asked++;
    assert_non_null(strstr(what, "/x"));
    gs_buf_add(out, given->text, given->len);
    return given->code == 0 ? 0 : gs_fail(err, given->code, "nobody answers");
}

static int load(answer *given, gs_private_key **out, gs_error *err)
{
    gs_passphrase passphrase = {.ask = give, .state = given};
    return gs_private_key_load(key_path("x"), &passphrase, out, err);
}

static void test_encrypted_keys_of_openssl(void **state)
{
    (void)state;
    static const char *const commands[] = {
        ED25519 " -aes256 -pass pass:secret -out x",
        ED25519 " -aes-128-cbc -pass pass:secret -out x",
        EC("P-384") " -out y; openssl pkcs8 -topk8 -in y -passout pass:secret -scrypt -out x",
        EC("P-256") " -out y; openssl pkcs8 -topk8 -in y -passout pass:secret -v2 aes-256-cbc -v2prf hmacWithSHA512 -iter 1000 "
                    "-out x",
    };
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        GS_AUTO_PRIVATE_KEY gs_private_key *key = NULL;
        answer given = {.text = "secret", .len = 6};
        gs_error err = {0};
        key_make(&(bad_file){.command = commands[i]});
        assert_ok(&err, load(&given, &key, &err));
        assert_int_equal(given.asked, 1);
    }
}

static void test_wrong_passphrases(void **state)
{
    (void)state;
    static char long_text[GS_MAX_PASSPHRASE_BYTES + 1];
    memset(long_text, 'a', sizeof long_text);
    static const struct {
        answer given;
        int code;
        const char *text;
    } rows[] = {
        {{.text = "Secret", .len = 6}, GS_ESPEC, "the passphrase does not fit this key"},
        {{.text = "secret\n", .len = 7}, GS_ESPEC, "the passphrase does not fit this key"},
        {{.text = "", .len = 0}, GS_ESPEC, "the passphrase is empty"},
        {{.text = long_text, .len = sizeof long_text}, GS_ESPEC, "a passphrase has at most 1024 bytes"},
        {{.text = long_text, .len = sizeof long_text - 1}, GS_ESPEC, "the passphrase does not fit this key"},
        {{.text = "sec\0ret", .len = 7}, GS_ESPEC, "the passphrase has a zero byte"},
        {{.text = "secret", .len = 6, .code = GS_EINTERRUPTED}, GS_EINTERRUPTED, "nobody answers"},
    };
    key_make(&(bad_file){.command = ED25519 " -aes256 -pass pass:secret -out x"});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        gs_private_key *key = NULL;
        gs_error err = {0};
        answer given = rows[i].given;
        int code = load(&given, &key, &err);
        key_assert_refused(&(bad_file){.name = rows[i].text, .code = rows[i].code, .message = rows[i].text}, code, &err);
    }
}

/* One wrong passphrase in some 256 gives right padding, and nonsense behind it. */
static void test_no_wrong_passphrase_is_taken_for_damage(void **state)
{
    (void)state;
    key_make(
        &(bad_file){.command = ED25519 " -out y; openssl pkcs8 -topk8 -in y -passout pass:secret -v2 aes-256-cbc -iter 1 -out x"});
    for (unsigned i = 0; i < 2000; i++) {
        char text[16];
        gs_private_key *key = NULL;
        gs_error err = {0};
        answer given = {.text = text, .len = (size_t)snprintf(text, sizeof text, "%u", i)};
        assert_fails(&err, GS_ESPEC, "the passphrase does not fit", load(&given, &key, &err));
    }
}

static void test_a_damaged_encrypted_key(void **state)
{
    (void)state;
    static const char *const commands[] = {
        ED25519 " -aes256 -pass pass:secret -out y; sed '2s/^M/N/' y > x",
        ED25519 " -aes256 -pass pass:secret -out y; sed '2d' y > x",
        /* A cipher that there is not: another object identifier. */
        ED25519
        " -aes256 -pass pass:secret -outform DER -out y; openssl pkcs8 -inform DER -in y -passin pass:secret -topk8 -passout "
        "pass:secret -v1 PBE-SHA1-RC2-40 -provider default -provider legacy -out x",
    };
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        gs_private_key *key = NULL;
        gs_error err = {0};
        answer given = {.text = "secret", .len = 6};
        key_make(&(bad_file){.command = commands[i]});
        assert_fails(&err, GS_ESPEC, "the key cannot be read", load(&given, &key, &err));
    }
}

static void test_nobody_is_asked_for_a_plain_key(void **state)
{
    (void)state;
    GS_AUTO_PRIVATE_KEY gs_private_key *key = NULL;
    gs_error err = {0};
    answer given = {.code = GS_EINTERNAL};
    key_make(&(bad_file){.command = ED25519 " -out x"});
    assert_ok(&err, load(&given, &key, &err));
    assert_int_equal(given.asked, 0);
}

/* ---- writing ---- */

static void test_what_is_written_openssl_reads(void **state)
{
    (void)state;
    for (int type = GS_KEY_ECDSA_P256; type <= GS_KEY_RSA_PSS; type++) {
        GS_AUTO_PRIVATE_KEY gs_private_key *key = NULL;
        GS_AUTO_PRIVATE_KEY gs_private_key *read = NULL;
        GS_AUTO_SECRET gs_buf pem;
        GS_AUTO_SECRET gs_buf passphrase;
        gs_error err = {0};
        assert_ok(&err, gs_secret_init(&pem, GS_MAX_KEY_FILE_BYTES, &err));
        assert_ok(&err, gs_secret_init(&passphrase, GS_MAX_PASSPHRASE_BYTES, &err));
        assert_ok(&err, gs_key_generate((gs_key_type)type, &key, &err));
        gs_buf_add_text(&passphrase, "correct horse");
        assert_ok(&err, gs_private_key_pem_encrypted(key, &passphrase, &pem, &err));
        assert_ok(&err, gs_fs_write_file(key_directory(), "x", pem.data, pem.len, 0600, &err));
        gs_buf_clear(&pem);
        assert_ok(&err, gs_private_key_pem(key, &pem, &err));
        assert_ok(&err, gs_fs_write_file(key_directory(), "plain", pem.data, pem.len, 0600, &err));
        key_shell("openssl pkey -in x -passin 'pass:correct horse' -out read && openssl pkey -in plain -pubout > a && openssl pkey "
                  "-in read "
                  "-pubout > b && cmp a b");
        assert_false(key_shell_says("openssl pkey -in x -passin pass:wrong -noout"));
        key_shell("openssl asn1parse -in x > dump && grep -q PBES2 dump && grep -q scrypt dump && grep -q aes-256-cbc dump");
        answer given = {.text = "correct horse", .len = 13};
        assert_ok(&err, load(&given, &read, &err));
    }
}

static void test_bad_passphrases_are_not_written(void **state)
{
    (void)state;
    GS_AUTO_PRIVATE_KEY gs_private_key *key = NULL;
    GS_AUTO_BUF gs_buf pem;
    GS_AUTO_BUF gs_buf passphrase;
    gs_error err = {0};
    gs_buf_init(&pem, GS_MAX_KEY_FILE_BYTES);
    gs_buf_init(&passphrase, GS_MAX_PASSPHRASE_BYTES);
    assert_ok(&err, gs_key_generate(GS_KEY_ED25519, &key, &err));
    assert_fails(&err, GS_ESPEC, "empty", gs_private_key_pem_encrypted(key, &passphrase, &pem, &err));
    gs_buf_add(&passphrase, "a\0b", 3);
    assert_fails(&err, GS_ESPEC, "zero byte", gs_private_key_pem_encrypted(key, &passphrase, &pem, &err));
    gs_buf_add_zeros(&passphrase, GS_MAX_PASSPHRASE_BYTES);
    assert_fails(&err, GS_ESPEC, "at most 1024", gs_private_key_pem_encrypted(key, &passphrase, &pem, &err));
    assert_int_equal(pem.len, 0);
}

/* ---- names ---- */

static void test_a_file_whose_name_looks_like_a_uri(void **state)
{
    (void)state;
    GS_AUTO_PRIVATE_KEY gs_private_key *key = NULL;
    gs_error err = {0};
    key_shell("umask 077; " ED25519 " -out pkcs11:object=x");
    /* Relative, so that the name begins with the scheme. */
    GS_AUTO_FD int before = -1;
    assert_ok(&err, gs_fs_open_dir(AT_FDCWD, ".", &before, &err));
    assert_int_equal(fchdir(key_directory()), 0);
    int code = gs_private_key_load("pkcs11:object=x", NULL, &key, &err);
    assert_int_equal(fchdir(before), 0);
    assert_ok(&err, code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encrypted_keys_of_openssl),
        cmocka_unit_test(test_wrong_passphrases),
        cmocka_unit_test(test_no_wrong_passphrase_is_taken_for_damage),
        cmocka_unit_test(test_a_damaged_encrypted_key),
        cmocka_unit_test(test_nobody_is_asked_for_a_plain_key),
        cmocka_unit_test(test_what_is_written_openssl_reads),
        cmocka_unit_test(test_bad_passphrases_are_not_written),
        cmocka_unit_test(test_a_file_whose_name_looks_like_a_uri),
    };
    int failed = key_run_refused("private keys that are refused", bad_files, COUNT_OF(bad_files), refuses);
    return failed + cmocka_run_group_tests_name("private keys", tests, key_tool_enter, key_tool_leave);
}
