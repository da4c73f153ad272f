/* The forms of a signature: what each tool writes, and what is none. */
#include <stdio.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/signature.h"
#include "support.h"

#define ZERO8  "00000000"
#define ONES8  "11111111"
#define TEXT24 "111111111111111111111111111111111111111111111111"

static void write_bytes(const gs_tempdir *dir, const void *data, size_t len)
{
    assert_int_equal(gs_fs_write_file(dir->fd, "signature", data, len, 0600, NULL), 0);
}

static int take(const gs_tempdir *dir, gs_key_type type, gs_signature_file *out, gs_error *err)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/signature", dir->path);
    return gs_signature_file_read(path, type, out, err);
}

static void assert_form(const gs_signature_file *file, size_t i, const void *data, size_t len)
{
    assert_true(i < file->count);
    assert_int_equal(file->forms[i].len, len);
    assert_memory_equal(file->forms[i].data, data, len);
}

static void test_the_bytes_alone_and_in_base64(void **state)
{
    const gs_tempdir *dir = *state;
    static const struct {
        const char *text;
        size_t forms;
    } cases[] = {{"c2lnbmF0dXJl", 2}, {"c2ln\r\nbmF0\n dXJl\t\n", 2}, {"c2lnbmF0dXJ", 1}, {"c2lnbmF0dXJl!", 1}, {"  \n", 1},
                 {"signature", 1}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        GS_AUTO_SIGNATURE_FILE gs_signature_file file = {0};
        write_bytes(dir, cases[i].text, strlen(cases[i].text));
        assert_ok(&err, take(dir, GS_KEY_RSA_PSS, &file, &err));
        assert_int_equal(file.count, cases[i].forms);
        assert_form(&file, 0, cases[i].text, strlen(cases[i].text));
        if (cases[i].forms == 2) {
            assert_form(&file, 1, "signature", 9);
        }
    }
    gs_error err = {0};
    GS_AUTO_SIGNATURE_FILE gs_signature_file file = {0};
    write_bytes(dir, "c2ln\0bmF0", 9); /* text with a NUL in it is no text */
    assert_ok(&err, take(dir, GS_KEY_ED25519, &file, &err));
    assert_int_equal(file.count, 1);
}

/* r and s in hexadecimal, and the SEQUENCE that they become. */
static const struct {
    const char *plain, *der;
} pairs[] = {
    {TEXT24 ONES8 ONES8 TEXT24 ONES8 ONES8, "3044"
                                            "0220" TEXT24 ONES8 ONES8 "0220" TEXT24 ONES8 ONES8},
    {"80000000" TEXT24 ONES8 "ff000000" TEXT24 ONES8, "3046"
                                                      "022100"
                                                      "80000000" TEXT24 ONES8 "022100"
                                                      "ff000000" TEXT24 ONES8},
    {"00ff0000" TEXT24 ONES8 "007f0000" TEXT24 ONES8, "3043"
                                                      "022000"
                                                      "ff0000" TEXT24 ONES8 "021f"
                                                      "7f0000" TEXT24 ONES8},
    {ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 "00000001", "3006"
                                                                                                           "020100"
                                                                                                           "020101"},
};

static void test_r_and_s_become_der(void **state)
{
    const gs_tempdir *dir = *state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        unsigned char plain[64], der[80];
        const size_t len = strlen(pairs[i].der) / 2;
        gs_error err = {0};
        GS_AUTO_SIGNATURE_FILE gs_signature_file file = {0};
        assert_true(gs_hex_decode(pairs[i].plain, plain, sizeof plain));
        assert_true(gs_hex_decode(pairs[i].der, der, len));
        write_bytes(dir, plain, sizeof plain);
        assert_ok(&err, take(dir, GS_KEY_ECDSA_P256, &file, &err));
        assert_int_equal(file.count, 2);
        assert_form(&file, 1, der, len);
        gs_signature_file_done(&file);
        assert_ok(&err, take(dir, GS_KEY_ECDSA_P384, &file, &err)); /* whose numbers are longer */
        assert_int_equal(file.count, 1);
    }
}

static void test_base64_of_r_and_s(void **state)
{
    const gs_tempdir *dir = *state;
    unsigned char plain[96];
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_KIB(1));
    memset(plain, 0xff, sizeof plain);
    assert_int_equal(gs_base64_encode(plain, sizeof plain, &text, NULL), 0);
    write_bytes(dir, text.data, text.len);
    gs_error err = {0};
    GS_AUTO_SIGNATURE_FILE gs_signature_file file = {0};
    assert_ok(&err, take(dir, GS_KEY_ECDSA_P384, &file, &err));
    assert_int_equal(file.count, 3);
    assert_form(&file, 1, plain, sizeof plain);
    assert_int_equal(file.forms[2].len, 2 + 2 * (2 + 1 + 48));
    assert_memory_equal(file.forms[2].data, "\x30\x66\x02\x31\x00\xff", 6);
}

static void test_what_is_no_signature(void **state)
{
    const gs_tempdir *dir = *state;
    static const struct {
        const char *data;
        size_t len;
        gs_key_type type;
        const char *says;
    } cases[] = {
        {"", 0, GS_KEY_ECDSA_P256, "empty"},
        {"-----BEGIN PUBLIC KEY-----\n", 27, GS_KEY_ECDSA_P256, "PEM"},
        {"-----BEGIN SSH SIGNATURE-----\n", 30, GS_KEY_ED25519, "PEM"},
        {"\x30\x82\x01\x02\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0", 16, GS_KEY_RSA_PSS, "CMS"},
        {"\x30\x80\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17\xa0", 16, GS_KEY_RSA_PSS, "CMS"},
        {"untrusted comment: x\n", 21, GS_KEY_ED25519, "the key is not minisign's"},
        {"c2lnbmF0dXJl", 12, GS_KEY_MINISIGN, "no signature of minisign"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        gs_signature_file file = {0};
        write_bytes(dir, cases[i].data, cases[i].len);
        assert_fails(&err, GS_ESPEC, cases[i].says, take(dir, cases[i].type, &file, &err));
        assert_int_equal(file.count, 0);
    }
    gs_error err = {0};
    gs_signature_file file = {0};
    GS_AUTO_BUF gs_buf large;
    gs_buf_init(&large, GS_KIB(65));
    gs_buf_add_zeros(&large, GS_KIB(65));
    write_bytes(dir, large.data, large.len);
    assert_fails(&err, GS_ELIMIT, NULL, take(dir, GS_KEY_ED25519, &file, &err));
    assert_int_equal(gs_fs_remove(dir->fd, "signature", NULL), 0);
    assert_fails(&err, GS_ENOTFOUND, "signature", take(dir, GS_KEY_ED25519, &file, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_in_tempdir(test_the_bytes_alone_and_in_base64),
                                       test_in_tempdir(test_r_and_s_become_der), test_in_tempdir(test_base64_of_r_and_s),
                                       test_in_tempdir(test_what_is_no_signature)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
