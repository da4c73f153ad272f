/* Public key files: PEM and minisign's text, and everything else that people have is refused with what to do about it. */
#include <string.h>

#include "gapship/limits.h"
#include "key_tool.h"

#define ED25519 "openssl genpkey -algorithm ed25519"
#define PUBLIC_EC(curve, more)                                                                                                     \
    "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:" curve " -out y; openssl pkey -in y -pubout " more " -out x"

static const bad_file bad_files[] = {
    {"private half", ED25519 " -out x", GS_ESPEC, "but this is a private key", "openssl pkey -in KEY -pubout"},
    {"encrypted private half", ED25519 " -aes256 -pass pass:p -out x", GS_ESPEC, "but this is a private key",
     "openssl pkey -in KEY -pubout"},
    {"SEC1", "openssl ecparam -name prime256v1 -genkey -noout -out x", GS_ESPEC, "SEC1", "openssl pkey -in KEY -pubout"},
    {"certificate", ED25519 " -out y; openssl req -new -x509 -key y -subj /CN=x -out x", GS_ESPEC, "but this is a certificate",
     "openssl x509 -in"},
    {"PKCS#1", "openssl genrsa 3072 | openssl rsa -RSAPublicKey_out -out x", GS_ESPEC, "PKCS#1", "RSAPublicKey_in"},
    {"PGP", "echo '-----BEGIN PGP PUBLIC KEY BLOCK-----' > x", GS_ESPEC, "something else", "gapship key new"},
    {"RSA of 2048 bits", "openssl genrsa 2048 | openssl pkey -pubout -out x", GS_ESPEC, "size is not accepted",
     "ECDSA P-256 and P-384"},
    {"P-521", PUBLIC_EC("P-521", ""), GS_ESPEC, "curve is not accepted", "ECDSA P-256 and P-384"},
    {"secp256k1", PUBLIC_EC("secp256k1", ""), GS_ESPEC, "curve is not accepted", "ECDSA P-256 and P-384"},
    {"explicit parameters", PUBLIC_EC("P-256", "-ec_param_enc explicit"), GS_ESPEC, "not given by its name",
     "ECDSA P-256 and P-384"},
    {"X25519", "openssl genpkey -algorithm X25519 | openssl pkey -pubout -out x", GS_ESPEC, "type is not accepted",
     "ECDSA P-256 and P-384"},
    {"Ed448", "openssl genpkey -algorithm ed448 | openssl pkey -pubout -out x", GS_ESPEC, "type is not accepted",
     "ECDSA P-256 and P-384"},
    {"two keys", ED25519 " | openssl pkey -pubout -out y; cat y y > x", GS_ESPEC, "has several", "a file of its own"},
    {"key and certificate", ED25519 " -out y; openssl pkey -in y -pubout -out x; openssl req -new -x509 -key y -subj /CN=x >> x",
     GS_ESPEC, "has several", "a file of its own"},
    {"cut off", ED25519 " | openssl pkey -pubout -out y; head -c 60 y > x", GS_ESPEC, "breaks off", "copy the whole file"},
    {"cut base64", ED25519 " | openssl pkey -pubout -out y; sed '2s/....$//' y > x", GS_ESPEC, "cannot be read", "damaged"},
    {"nonsense", "printf -- '-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----\\n' > x", GS_ESPEC, "cannot be read",
     "damaged"},
    {"encrypted by PEM", "openssl genrsa -traditional -aes256 -passout pass:p 1024 | sed 's/RSA PRIVATE/PUBLIC/' > x", GS_ESPEC,
     "the old way of PEM", "openssl pkcs8 -topk8 -scrypt"},
    {"empty", ": > x", GS_ESPEC, "the file is empty", NULL},
    {"other text", "echo hello > x", GS_ESPEC, "PEM form was expected", "-----BEGIN PUBLIC KEY-----"},
    {"not text", "printf 'a\\000b' > x", GS_ESPEC, "not a text file", NULL},
    {"too large", "head -c 70000 /dev/zero > x", GS_ELIMIT, "larger than the 65536 bytes", NULL},
    {"directory", "mkdir x", GS_ESPEC, "a regular file is needed", NULL},
    {"absent", ":", GS_ENOTFOUND, "no such file", NULL},
    {"minisign's secret key", "minisign -G -W -f -p y -s x", GS_ESPEC, "this is a minisign secret key", ".pub file"},
    {"minisign's signature", "minisign -G -W -f -p z -s y; echo m > m; minisign -S -s y -m m -x x; rm z", GS_ESPEC,
     "this is a minisign signature", ".pub file"},
    {"minisign's key, cut", "minisign -G -W -f -p y -s z; rm z; head -c 80 y > x", GS_ESPEC, "something else of minisign",
     ".pub file"},
    {"minisign's key with line ends of Windows", "minisign -G -W -f -p y -s z; rm z; sed 's/$/\\r/' y > x", GS_ESPEC,
     "a public key was expected", ".pub file"},
};

static void refuses(void **state)
{
    const bad_file *row = *state;
    gs_public_key *key = NULL;
    gs_error err = {0};
    key_make(row);
    int code = gs_public_key_load(key_path("x"), &key, &err);
    key_assert_refused(row, code, &err);
    assert_null(key);
}

/* What gs_public_key_text writes is read again, and is what was there. */
static void check_text(const gs_public_key *key, const char *expected)
{
    GS_AUTO_PUBLIC_KEY gs_public_key *again = NULL;
    GS_AUTO_BUF gs_buf text;
    gs_error err = {0};
    gs_buf_init(&text, GS_MAX_KEY_FILE_BYTES);
    assert_ok(&err, gs_public_key_text(key, &text, &err));
    assert_string_equal(gs_buf_text(&text), expected);
    assert_ok(&err, gs_public_key_parse(text.data, text.len, &again, &err));
    assert_true(gs_public_key_same(key, again));
    assert_int_equal(gs_public_key_type(key), gs_public_key_type(again));
}

static void test_pem_is_its_own_text(void **state)
{
    (void)state;
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    GS_AUTO_BUF gs_buf file;
    gs_error err = {0};
    char number[GS_KEY_NUMBER_TEXT];
    gs_buf_init(&file, GS_MAX_KEY_FILE_BYTES);
    key_shell(PUBLIC_EC("P-256", ""));
    assert_ok(&err, gs_fs_read_file(key_directory(), "x", &file, &err));
    assert_ok(&err, gs_public_key_load(key_path("x"), &key, &err));
    assert_int_equal(gs_public_key_scheme(key), GS_SCHEME_KEY);
    assert_false(gs_public_key_number(key, number));
    check_text(key, gs_buf_text(&file));
}

static void test_minisign_keys(void **state)
{
    (void)state;
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *line = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *pem = NULL;
    GS_AUTO_BUF gs_buf file;
    GS_AUTO_BUF gs_buf none;
    gs_error err = {0};
    char number[GS_KEY_NUMBER_TEXT];
    gs_buf_init(&file, GS_MAX_KEY_FILE_BYTES);
    gs_buf_init(&none, GS_MAX_KEY_FILE_BYTES);
    key_shell("minisign -G -W -f -p m.pub -s m.key >/dev/null; tail -n 1 m.pub > line");
    key_shell("grep -o '[0-9A-F]*$' m.pub | head -n 1 | tr -d '\\n' > number");
    /* The same key in PEM: the 12 bytes that say Ed25519, and the last 32 of minisign's 42. */
    key_shell("{ printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'; base64 -d line | tail -c 32; } > der");
    key_shell("openssl pkey -pubin -inform DER -in der -out pem");
    assert_ok(&err, gs_public_key_load(key_path("m.pub"), &key, &err));
    assert_ok(&err, gs_public_key_load(key_path("line"), &line, &err));
    assert_ok(&err, gs_public_key_load(key_path("pem"), &pem, &err));
    assert_int_equal(gs_public_key_type(key), GS_KEY_MINISIGN);
    assert_int_equal(gs_public_key_scheme(key), GS_SCHEME_MINISIGN);
    assert_int_equal(gs_public_key_type(pem), GS_KEY_ED25519);
    assert_true(gs_public_key_same(key, line));
    assert_true(gs_public_key_same(key, pem));
    assert_true(gs_public_key_same(pem, key));
    assert_true(gs_digest_equal(gs_public_key_id(key), gs_public_key_id(pem)));
    assert_ok(&err, gs_fs_read_file(key_directory(), "number", &file, &err));
    assert_true(gs_public_key_number(key, number));
    assert_string_equal(number, gs_buf_text(&file));
    gs_buf_clear(&file);
    assert_ok(&err, gs_fs_read_file(key_directory(), "line", &file, &err));
    check_text(key, gs_buf_text(&file));
    assert_fails(&err, GS_EUSAGE, "not written as PEM", gs_public_key_pem(key, &none, &err));
}

static void test_a_number_has_no_leading_zeros(void **state)
{
    (void)state;
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    GS_AUTO_BUF gs_buf text;
    gs_error err = {0};
    char number[GS_KEY_NUMBER_TEXT];
    /* The base point of Ed25519, and the number 0x2a in eight bytes. */
    unsigned char bytes[42] = {'E', 'd', 0x2a, [10] = 0x58};
    memset(bytes + 11, 0x66, 31);
    gs_buf_init(&text, GS_MAX_KEY_FILE_BYTES);
    assert_ok(&err, gs_base64_encode(bytes, sizeof bytes, &text, &err));
    assert_ok(&err, gs_public_key_parse(text.data, text.len, &key, &err));
    assert_true(gs_public_key_number(key, number));
    assert_string_equal(number, "2A");
}

/* The openssl command writes such a file on demand, so it is read; a key keeps its one id whatever the file. */
static void test_compressed_points(void **state)
{
    (void)state;
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *compressed = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *hybrid = NULL;
    GS_AUTO_BUF gs_buf file;
    gs_error err = {0};
    gs_buf_init(&file, GS_MAX_KEY_FILE_BYTES);
    key_shell(PUBLIC_EC(
        "P-384", "") "; openssl ec -in y -pubout -conv_form compressed -out c 2>/dev/null; openssl ec -in y -pubout -conv_form "
                     "hybrid -out h 2>/dev/null; ! cmp -s x c; ! cmp -s x h");
    assert_ok(&err, gs_public_key_load(key_path("x"), &key, &err));
    assert_ok(&err, gs_public_key_load(key_path("c"), &compressed, &err));
    assert_ok(&err, gs_public_key_load(key_path("h"), &hybrid, &err));
    assert_true(gs_digest_equal(gs_public_key_id(key), gs_public_key_id(compressed)));
    assert_true(gs_digest_equal(gs_public_key_id(key), gs_public_key_id(hybrid)));
    assert_ok(&err, gs_fs_read_file(key_directory(), "x", &file, &err));
    check_text(compressed, gs_buf_text(&file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pem_is_its_own_text),
        cmocka_unit_test(test_minisign_keys),
        cmocka_unit_test(test_a_number_has_no_leading_zeros),
        cmocka_unit_test(test_compressed_points),
    };
    int failed = key_run_refused("public keys that are refused", bad_files, COUNT_OF(bad_files), refuses);
    return failed + cmocka_run_group_tests_name("public keys", tests, key_tool_enter, key_tool_leave);
}
