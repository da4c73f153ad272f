/* SHA-256: the examples of FIPS 180-4, pieces of files, and digests as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gapship/crypto.h"
#include "gapship/fs.h"
#include "gapship/limits.h"

static const char abc[] = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char two_blocks[] = "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
static const char nothing[] = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static void assert_digest(const gs_digest *digest, const char *expected)
{
    char text[GS_DIGEST_TEXT];
    gs_digest_text(digest, text);
    assert_string_equal(text, expected);
}

static void test_standard_examples(void **state)
{
    (void)state;
    gs_digest digest;
    assert_int_equal(gs_digest_of("abc", 3, &digest, NULL), 0);
    assert_digest(&digest, abc);
    assert_int_equal(gs_digest_of("", 0, &digest, NULL), 0);
    assert_digest(&digest, nothing);
    const char *text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_int_equal(gs_digest_of(text, strlen(text), &digest, NULL), 0);
    assert_digest(&digest, two_blocks);
}

static void test_finish_starts_anew(void **state)
{
    (void)state;
    GS_AUTO_HASH gs_hash *hash = NULL;
    gs_digest digest;
    assert_int_equal(gs_hash_new(&hash, NULL), 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(gs_hash_add(hash, "a", 1, NULL), 0);
        assert_int_equal(gs_hash_add(hash, "bc", 2, NULL), 0);
        assert_int_equal(gs_hash_finish(hash, &digest, NULL), 0);
        assert_digest(&digest, abc);
    }
}

static void test_text_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "sha256:",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0",
        "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        "SHA256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2001../",
        "sha256: a7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    };
    gs_digest digest;
    memset(&digest, 7, sizeof digest);
    gs_digest before = digest;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(gs_digest_parse(bad[i], &digest, NULL), GS_EFORMAT);
        assert_true(gs_digest_equal(&digest, &before));
    }
    assert_int_equal(gs_digest_parse(abc, &digest, NULL), 0);
    assert_digest(&digest, abc);
}

static void test_order_is_that_of_the_bytes(void **state)
{
    (void)state;
    gs_digest low = {.bytes = {0x01}};
    gs_digest high = {.bytes = {0x80}};
    assert_true(gs_digest_compare(&low, &high) < 0);
    assert_true(gs_digest_compare(&high, &low) > 0);
    assert_int_equal(gs_digest_compare(&low, &low), 0);
    assert_false(gs_digest_equal(&low, &high));
}

static void test_part_of_a_file(void **state)
{
    (void)state;
    GS_AUTO_TEMPDIR gs_tempdir dir = GS_TEMPDIR_INIT;
    assert_int_equal(gs_tempdir_make(&dir, NULL), 0);
    size_t len = GS_BUFFER_BYTES * 2 + 17;
    GS_AUTO_FREE char *data = malloc(len);
    assert_non_null(data);
    for (size_t i = 0; i < len; i++) {
        data[i] = (char)(i * 31);
    }
    assert_int_equal(gs_fs_write_file(dir.fd, "f", data, len, 0600, NULL), 0);
    GS_AUTO_FD int fd = -1;
    uint64_t size;
    assert_int_equal(gs_fs_open_read(dir.fd, "f", false, &fd, &size, NULL), 0);
    static const struct {
        uint64_t offset;
        uint64_t len;
    } parts[] = {{0, 0}, {0, 1}, {3, GS_BUFFER_BYTES}, {0, GS_BUFFER_BYTES * 2 + 17}, {17, GS_BUFFER_BYTES * 2}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        gs_digest of_file;
        gs_digest of_memory;
        assert_int_equal(gs_digest_of_file(fd, parts[i].offset, parts[i].len, &of_file, NULL), 0);
        assert_int_equal(gs_digest_of(data + parts[i].offset, parts[i].len, &of_memory, NULL), 0);
        assert_true(gs_digest_equal(&of_file, &of_memory));
    }
    gs_digest unused;
    assert_int_equal(gs_digest_of_file(fd, 18, GS_BUFFER_BYTES * 2, &unused, NULL), GS_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standard_examples), cmocka_unit_test(test_finish_starts_anew),
        cmocka_unit_test(test_text_is_strict),    cmocka_unit_test(test_order_is_that_of_the_bytes),
        cmocka_unit_test(test_part_of_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
