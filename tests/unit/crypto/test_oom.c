/* Out of memory, in gapship's code or in OpenSSL's, never makes a forged signature good, and leaves nothing behind (the sanitizers
 * look): each operation is repeated with its first, second, third… allocation failing, alone or with all that follow. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "allocations.h"
#include "gapship/limits.h"
#include "key_tool.h"

#define MESSAGE "DSSEv1 28 application/vnd.in-toto+json 2 {}"

static long allowed = -1; /* allocations that still succeed; negative: all */
static bool lasting;      /* the ones after the first that fails fail as well */
static bool starved;      /* one has failed */

bool allocation_refused(void)
{
    if (allowed < 0 || (starved && !lasting)) {
        return false;
    }
    bool refused = allowed == 0;
    allowed -= refused ? 0 : 1;
    starved = starved || refused;
    return refused;
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return __wrap_malloc(size);
}

static void *openssl_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return __wrap_realloc(old, size);
}

static void openssl_free(void *data, const char *file, int line)
{
    (void)file, (void)line;
    free(data);
}

/* What is repeated. */
typedef struct task {
    const char *public_file, *private_file, *signature_file;
    bool forged;
} task;

static int give(void *state, const char *what, gs_buf *out, gs_error *err)
{
    (void)state, (void)what;
    gs_buf_add_text(out, "secret");
    return gs_buf_check(out, err);
}

static int verify(const task *what, gs_error *err)
{
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    int code = gs_fs_read_file(key_directory(), what->signature_file, &signature, err);
    code = code == 0 ? gs_public_key_load(key_path(what->public_file), &key, err) : code;
    if (code == 0 && what->forged) {
        signature.data[signature.len / 2] = (char)(signature.data[signature.len / 2] ^ 1);
    }
    return code == 0 ? gs_signature_verify(key, MESSAGE, strlen(MESSAGE), signature.data, signature.len, err) : code;
}

static int sign(const task *what, gs_error *err)
{
    GS_AUTO_PRIVATE_KEY gs_private_key *key = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *public = NULL;
    GS_AUTO_BUF gs_buf signature;
    gs_passphrase passphrase = {.ask = give};
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    int code = gs_private_key_load(key_path(what->private_file), &passphrase, &key, err);
    code = code == 0 ? gs_private_key_public(key, &public, err) : code;
    code = code == 0 ? gs_sign(key, MESSAGE, strlen(MESSAGE), &signature, err) : code;
    return code == 0 ? gs_signature_verify(public, MESSAGE, strlen(MESSAGE), signature.data, signature.len, err) : code;
}

/* Repeats work until nothing fails any more. Until then a good signature may be refused, but a forged one is never taken. That OpenSSL
 * lacked memory does not always show in what it reports, so the code is not always GS_ENOMEM. */
static void starve(int (*work)(const task *what, gs_error *err), const task *what, int right)
{
    long failures = 0;
    for (long i = 0;; i += 1 + i / 30) { /* OpenSSL allocates thousands of times: later ones are sampled */
        gs_error err = {0};
        allowed = i;
        starved = false;
        int code = work(what, &err);
        allowed = -1;
        if (code == 0 && right != 0) {
            fail_msg("%s: allocation %ld%s: code %d, \"%s\"", what->public_file, i, lasting ? " and later" : "", code, err.message);
        }
        if (!starved) {
            assert_int_equal(code, right);
            break;
        }
        failures += code == GS_ENOMEM ? 1 : 0;
    }
    assert_true(failures > 0);
}

static void starve_both_ways(int (*work)(const task *what, gs_error *err), const task *what, int right)
{
    gs_error err = {0};
    assert_int_equal(work(what, &err), right); /* what OpenSSL keeps for ever is there then */
    lasting = false;
    starve(work, what, right);
    lasting = true;
    starve(work, what, right);
}

static void test_verdicts(void **state)
{
    (void)state;
    static const char *const names[] = {"ec", "ed", "rsa", "mini"};
    key_shell("umask 077; printf %s '" MESSAGE "' > m; openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec; "
              "openssl genpkey -algorithm ed25519 -out ed; openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out rsa "
              "2>/dev/null; "
              "for k in ec ed rsa; do openssl pkey -in $k -pubout -out $k.pub; done; openssl dgst -sha256 -sign ec -out ec.sig m; "
              "openssl pkeyutl -sign -inkey ed -rawin -in m -out ed.sig; openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt "
              "rsa_pss_saltlen:digest -sign rsa -out rsa.sig m; minisign -G -W -f -p mini.pub -s mini >/dev/null; minisign -S -H "
              "-s mini -m m "
              "-x mini.sig");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char public[16], signature[16];
        (void)snprintf(public, sizeof public, "%s.pub", names[i]);
        (void)snprintf(signature, sizeof signature, "%s.sig", names[i]);
        starve_both_ways(verify, &(task){.public_file = public, .signature_file = signature}, 0);
        starve_both_ways(verify, &(task){.public_file = public, .signature_file = signature, .forged = true}, GS_ESIGNATURE);
    }
}

static void test_private_keys(void **state)
{
    (void)state;
    key_shell("umask 077; openssl pkcs8 -topk8 -in ed -passout pass:secret -v2 aes-256-cbc -iter 1 -out sealed");
    static const char *const names[] = {"ec", "ed", "sealed"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        starve_both_ways(sign, &(task){.public_file = names[i], .private_file = names[i]}, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_private_keys),
    };
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1) {
        return 1;
    }
    return cmocka_run_group_tests(tests, key_tool_enter, key_tool_leave);
}
