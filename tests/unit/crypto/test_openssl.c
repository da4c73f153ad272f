/* The openssl command as independent witness: what gapship signs it verifies, what it signs gapship verifies, with the very
 * commands that bundle-spec/FORMAT.md gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gapship/crypto.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/proc.h"

typedef struct witness {
    const char *make;
    const char *sign;
    const char *verify;
} witness;

#define DIGEST_WITNESS(make, options)                                                                                              \
    {                                                                                                                              \
        make, "openssl dgst " options " -sign key -out statement.sig statement.pae",                                               \
            "openssl dgst " options " -verify key.pub -signature statement.sig statement.pae"                                      \
    }
#define PSS "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"

static const witness witnesses[] = {
    DIGEST_WITNESS("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key", "-sha256"),
    DIGEST_WITNESS("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out key", "-sha384"),
    DIGEST_WITNESS("openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:3072 -out key", PSS),
    DIGEST_WITNESS("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out key", PSS),
    {"openssl genpkey -algorithm ed25519 -out key", "openssl pkeyutl -sign -inkey key -rawin -in statement.pae -out statement.sig",
     "openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in statement.pae -sigfile statement.sig"},
};

static int shell(const gs_tempdir *dir, const char *command)
{
    static const gs_run run = {0};
    const char *argv[] = {"sh", "-ec", command, NULL};
    const gs_proc proc = {.argv = argv, .cwd = dir->fd};
    GS_AUTO_PROC gs_proc_result result = {0};
    return gs_proc_check(&run, &proc, GS_ECHECK, &result, NULL);
}

static void check_witness(const witness *w)
{
    GS_AUTO_TEMPDIR gs_tempdir dir = GS_TEMPDIR_INIT;
    static const char message[] = "DSSEv1 28 application/vnd.in-toto+json 2 {}";
    char path[512];
    assert_int_equal(gs_tempdir_make(&dir, NULL), 0);
    assert_int_equal(gs_fs_write_file(dir.fd, "statement.pae", message, strlen(message), 0600, NULL), 0);
    assert_int_equal(shell(&dir, w->make), 0);
    assert_int_equal(shell(&dir, "openssl pkey -in key -pubout -out key.pub"), 0);

    GS_AUTO_PRIVATE_KEY gs_private_key *private = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *public = NULL;
    (void)snprintf(path, sizeof path, "%s/key", dir.path);
    assert_int_equal(gs_private_key_load(path, NULL, &private, NULL), 0);
    (void)snprintf(path, sizeof path, "%s/key.pub", dir.path);
    assert_int_equal(gs_public_key_load(path, &public, NULL), 0);

    GS_AUTO_BUF gs_buf ours;
    gs_buf_init(&ours, GS_MAX_SIGNATURE_BYTES);
    assert_int_equal(gs_sign(private, message, strlen(message), &ours, NULL), 0);
    assert_int_equal(gs_fs_write_file(dir.fd, "statement.sig", ours.data, ours.len, 0600, NULL), 0);
    assert_int_equal(shell(&dir, w->verify), 0);
    ours.data[ours.len / 2] = (char)(ours.data[ours.len / 2] ^ 1);
    assert_int_equal(gs_fs_write_file(dir.fd, "statement.sig", ours.data, ours.len, 0600, NULL), 0);
    assert_int_equal(shell(&dir, w->verify), GS_ECHECK);

    GS_AUTO_BUF gs_buf theirs;
    gs_buf_init(&theirs, GS_MAX_SIGNATURE_BYTES);
    assert_int_equal(shell(&dir, w->sign), 0);
    assert_int_equal(gs_fs_read_file(dir.fd, "statement.sig", &theirs, NULL), 0);
    assert_int_equal(gs_signature_verify(public, message, strlen(message), theirs.data, theirs.len, NULL), 0);
    assert_int_equal(gs_signature_verify(public, message, strlen(message) - 1, theirs.data, theirs.len, NULL), GS_ESIGNATURE);
}

static void test_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof witnesses / sizeof witnesses[0]; i++) {
        check_witness(&witnesses[i]);
    }
}

static void test_version_is_told(void **state)
{
    (void)state;
    assert_non_null(strstr(gs_crypto_version(), "OpenSSL 3"));
}

static void test_random_bytes_differ_and_wipe_clears(void **state)
{
    (void)state;
    unsigned char a[32];
    unsigned char b[32];
    static const unsigned char zeros[32];
    assert_int_equal(gs_random(a, sizeof a, NULL), 0);
    assert_int_equal(gs_random(b, sizeof b, NULL), 0);
    assert_memory_not_equal(a, b, sizeof a);
    gs_wipe(a, sizeof a);
    assert_memory_equal(a, zeros, sizeof a);
    gs_wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_version_is_told),
        cmocka_unit_test(test_random_bytes_differ_and_wipe_clears),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
