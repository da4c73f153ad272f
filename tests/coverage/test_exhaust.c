/* Opening, walking and verifying with everything failing that can fail: each piece of work is repeated with its first, second, third …
 * allocation, read or open failing, until none is left to fail. Nothing is accepted that way that was refused before, an error is always
 * said, and nothing is left behind (the sanitizers look). */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "allocations.h"
#include "gapship/bundle.h"
#include "trust_support.h"

typedef enum fault { NONE, MEMORY, CRYPTO, READ, END, EXAMINE, OPEN } fault;

static fault failing;
static long allowed; /* calls that still succeed */

static bool refuses(fault kind)
{
    return failing == kind && allowed-- == 0;
}

ssize_t __real_pread64(int fd, void *out, size_t len, off_t offset);
int __real_fstat64(int fd, struct stat *info);
int __real_openat64(int dirfd, const char *path, int flags, ...);
ssize_t __wrap_pread64(int fd, void *out, size_t len, off_t offset);
int __wrap_fstat64(int fd, struct stat *info);
int __wrap_openat64(int dirfd, const char *path, int flags, ...);

bool allocation_refused(void)
{
    return refuses(MEMORY);
}

ssize_t __wrap_pread64(int fd, void *out, size_t len, off_t offset)
{
    if (refuses(READ)) {
        errno = EIO;
        return -1;
    }
    return refuses(END) ? 0 : __real_pread64(fd, out, len, offset);
}

int __wrap_fstat64(int fd, struct stat *info)
{
    if (refuses(EXAMINE)) {
        errno = EIO;
        return -1;
    }
    return __real_fstat64(fd, info);
}

int __wrap_openat64(int dirfd, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (refuses(OPEN)) {
        errno = EMFILE;
        return -1;
    }
    return __real_openat64(dirfd, path, flags, mode);
}

/* OpenSSL leaks some of its own when others of its allocations fail. */
extern void __lsan_disable(void) __attribute__((weak));
extern void __lsan_enable(void) __attribute__((weak));

static void *crypto_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (refuses(CRYPTO)) {
        return NULL;
    }
    bool forgiven = failing == CRYPTO && __lsan_disable;
    if (forgiven) {
        __lsan_disable();
    }
    void *made = __real_malloc(size);
    if (forgiven) {
        __lsan_enable();
    }
    return made;
}

static void *crypto_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return refuses(CRYPTO) ? NULL : __real_realloc(old, size);
}

static void crypto_free(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

/* ---- the work ---- */

#define VECTORS "bundle-spec/vectors/"

static gs_buf chain, first_root, document, signature;

static int verify(const char *root, const char *path, gs_error *err)
{
    GS_AUTO_TRUST gs_trust *trust = NULL;
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    int code = gs_trust_load(root, &trust, err);
    code = code == 0 ? gs_bundle_open(path, &bundle, err) : code;
    code = code == 0 ? gs_bundle_walk(bundle, &trust, NULL, NULL, err) : code;
    const gs_terms terms = {.trust = trust};
    return code == 0 ? gs_bundle_verify(&bundle, &terms, &verified, err) : code;
}

static int accept(gs_error *err)
{
    return verify(VECTORS "root.json", VECTORS "good/ordinary.gapship", err);
}

static int accept_volumes(gs_error *err)
{
    return verify(VECTORS "root.json", VECTORS "good/volumes.gapship.002", err);
}

static int refuse(gs_error *err)
{
    return verify(VECTORS "root-of-two.json", VECTORS "good/ordinary.gapship", err);
}

static int refuse_unsigned(gs_error *err)
{
    return verify(VECTORS "root.json", VECTORS "good/unsigned.gapship", err);
}

static int walk(gs_error *err)
{
    GS_AUTO_TRUST gs_trust *trust = NULL;
    int code = gs_trust_parse("root", first_root.data, first_root.len, &trust, err);
    return code == 0 ? gs_trust_walk(&trust, chain.data, chain.len, NULL, NULL, err) : code;
}

static int make_and_follow(gs_error *err)
{
    GS_AUTO_TRUST gs_trust *first = NULL;
    GS_AUTO_TRUST gs_trust *second = NULL;
    GS_AUTO_BUF gs_buf body;
    GS_AUTO_BUF gs_buf made;
    gs_signature_report reports[GS_MAX_SIGNATURES];
    size_t count;
    unsigned good;
    gs_buf_init(&body, GS_MAX_DOCUMENT_BYTES);
    gs_buf_init(&made, GS_MAX_SIGNATURE_BYTES);
    const gs_public_key *const one[] = {trust_keys.public[0]};
    const gs_trust_role role = {.keys = one, .count = 1, .threshold = 1};
    const gs_trust_draft draft = {
        .version = 2, .epoch = 1, .expires = 1900000000, .roles = {[GS_ROLE_ROOT] = role, [GS_ROLE_RELEASE] = role}};
    int code = gs_trust_parse("root", first_root.data, first_root.len, &first, err);
    code = code == 0 ? gs_trust_make(&draft, &second, err) : code;
    code = code == 0 ? gs_trust_body(second, &body, err) : code;
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&encoding, 2 * GS_MAX_DOCUMENT_BYTES);
    code = code == 0 ? gs_document_encoding(GS_DOCUMENT_ROOT, body.data, body.len, &encoding, err) : code;
    code = code == 0 ? gs_sign(trust_keys.private[0], encoding.data, encoding.len, &made, err) : code;
    code = code == 0 ? gs_trust_sign(second, trust_keys.public[0], made.data, made.len, err) : code;
    code = code == 0 ? gs_trust_signers(second, first, reports, &count, &good, err) : code;
    return code == 0 ? gs_trust_follows(first, second, err) : code;
}

static int sign_document(gs_error *err)
{
    GS_AUTO_BUF gs_buf copy;
    gs_buf_init(&copy, 2 * GS_MAX_DOCUMENT_BYTES);
    gs_buf_add(&copy, document.data, document.len);
    int code = gs_buf_check(&copy, err);
    return code == 0 ? gs_document_sign(&copy, trust_keys.public[1], signature.data, signature.len, err) : code;
}

static int read_key(const char *name, gs_error *err)
{
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    GS_AUTO_BUF gs_buf text;
    char path[200];
    gs_buf_init(&text, GS_MAX_KEY_FILE_BYTES);
    (void)snprintf(path, sizeof path, "tests/fuzz/corpus/key/%s", name);
    int code = gs_public_key_load(path, &key, err);
    return code == 0 ? gs_public_key_text(key, &text, err) : code;
}

static int read_p384(gs_error *err)
{
    return read_key("p384", err);
}

static int read_rsa(gs_error *err)
{
    return read_key("rsa-pss", err);
}

static int read_minisign(gs_error *err)
{
    return read_key("minisign", err);
}

/* ---- the exhaustion ---- */

static bool is_expected(fault kind, int code, int usual)
{
    switch (kind) {
    case MEMORY:
        /* What was refused may be told with less detail. */
        return code == GS_ENOMEM || (usual != 0 && code == usual);
    case CRYPTO:
        /* OpenSSL can do without some of what it asks for, and does not always say that it was memory. */
        return code == usual || code == GS_ENOMEM || code == GS_EINTERNAL || code == GS_ESPEC || code == GS_ESIGNATURE ||
               code == GS_EFORMAT;
    case READ:
    case EXAMINE:
        return code == GS_EIO;
    case OPEN:
        return code == GS_EIO || code == GS_ENOTFOUND;
    default:
        return code == GS_EFORMAT || code == GS_EIO;
    }
}

/* Returns how often it could fail. */
static int exhaust(int (*work)(gs_error *err), fault kind, int usual)
{
    /* OpenSSL takes memory ten thousand times to read one key: not each of them. */
    int tried = 0;
    for (int i = 0; i < 100000; i += kind == CRYPTO ? 1 + i / 20 : 1, tried++) {
        gs_error err = {0};
        failing = kind;
        allowed = i;
        int code = work(&err);
        bool reached = allowed < 0;
        failing = NONE;
        if (!reached) {
            assert_int_equal(code, usual);
            return tried;
        }
        if (!is_expected(kind, code, usual)) {
            fail_msg("fault %d, call %d: %d %s (%s)", (int)kind, i, code, err.message, err.where);
        }
        assert_true(code == 0 || (err.code == code && err.message[0] != '\0'));
    }
    fail_msg("it never ends");
    return 0;
}

static void nothing_is_accepted_that_should_not_be(void **state)
{
    (void)state;
    static const struct {
        int (*work)(gs_error *err);
        int usual;
    } works[] = {{accept, 0},   {accept_volumes, 0},  {refuse, GS_ESIGNATURE}, {refuse_unsigned, GS_ESIGNATURE},
                 {walk, 0},     {make_and_follow, 0}, {sign_document, 0},      {read_p384, 0},
                 {read_rsa, 0}, {read_minisign, 0}};
    int faults = 0;
    for (size_t i = 0; i < COUNT_OF(works); i++) {
        for (fault kind = MEMORY; kind <= OPEN; kind++) {
            faults += exhaust(works[i].work, kind, works[i].usual);
        }
    }
    assert_true(faults > 1000);
}

static int prepare(void **state)
{
    gs_error err = {0};
    GS_AUTO_BUF gs_buf body;
    gs_buf_init(&body, GS_MAX_DOCUMENT_BYTES);
    gs_buf_init(&chain, GS_MAX_ROOTS_BYTES);
    gs_buf_init(&first_root, GS_MAX_ROOT_BYTES);
    gs_buf_init(&document, GS_MAX_DOCUMENT_BYTES);
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    assert_int_equal(trust_enter(state), 0);
    GS_AUTO_TRUST gs_trust *first = trust_root(&(trust_spec){.version = 1, .epoch = 1, .first = 0, .count = 1, .threshold = 1});
    GS_AUTO_TRUST gs_trust *second = trust_root(&(trust_spec){.version = 2, .epoch = 1, .first = 0, .count = 2, .threshold = 2});
    GS_AUTO_TRUST gs_trust *third = trust_root(&(trust_spec){.version = 3, .epoch = 2, .first = 1, .count = 2, .threshold = 1});
    for (size_t i = 0; i < 2; i++) {
        trust_sign(second, i);
        trust_sign(third, i);
    }
    assert_ok(&err, gs_trust_write(first, &first_root, &err));
    assert_ok(&err, gs_trust_link(first, &chain, &err));
    assert_ok(&err, gs_trust_link(second, &chain, &err));
    assert_ok(&err, gs_trust_link(third, &chain, &err));
    assert_ok(&err, gs_document_write(GS_DOCUMENT_PERMIT, "{}", 2, &document, &err));
    trust_sign_body(1, GS_DOCUMENT_PERMIT, "{}", 2, &signature);
    return 0;
}

static int tidy(void **state)
{
    (void)trust_leave(state);
    gs_buf_done(&chain);
    gs_buf_done(&first_root);
    gs_buf_done(&document);
    gs_buf_done(&signature);
    return 0;
}

int main(void)
{
    /* Before OpenSSL takes any memory. */
    if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1) {
        return 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_accepted_that_should_not_be)};
    return cmocka_run_group_tests(tests, prepare, tidy);
}
