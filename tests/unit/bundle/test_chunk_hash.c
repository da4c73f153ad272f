/* Whole and chunk digests, however the bytes come. */
#include "chunk_hash.h"

#include <stdlib.h>

#include "index.h"
#include "support.h"

static void check(const unsigned char *data, size_t size, size_t step)
{
    gs_digest chunks[4] = {0};
    gs_digest whole;
    gs_digest expected;
    gs_chunk_hash hash;
    gs_error err = {0};
    assert_ok(&err, gs_chunk_hash_init(&hash, size, chunks, &err));
    for (size_t at = 0; at < size; at += step) {
        assert_ok(&err, gs_chunk_hash_add(&hash, data + at, size - at < step ? size - at : step, &err));
    }
    assert_int_equal(hash.passed, size);
    assert_ok(&err, gs_chunk_hash_finish(&hash, &whole, &err));
    gs_chunk_hash_done(&hash);
    assert_ok(&err, gs_digest_of(data, size, &expected, &err));
    assert_true(gs_digest_equal(&whole, &expected));
    for (size_t i = 0; i < gs_chunk_count(size); i++) {
        size_t left = size - i * GS_CHUNK_BYTES;
        assert_ok(&err, gs_digest_of(data + i * GS_CHUNK_BYTES, left < GS_CHUNK_BYTES ? left : GS_CHUNK_BYTES, &expected, &err));
        assert_true(gs_digest_equal(&chunks[i], &expected));
    }
}

static void test_any_step(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, GS_CHUNK_BYTES, GS_CHUNK_BYTES + 1, 2 * GS_CHUNK_BYTES, 3 * GS_CHUNK_BYTES + 5};
    static const size_t steps[] = {65537, GS_CHUNK_BYTES - 1, GS_CHUNK_BYTES, GS_CHUNK_BYTES + 1, 3 * GS_CHUNK_BYTES};
    const size_t most = 3 * GS_CHUNK_BYTES + 5;
    unsigned char *data = malloc(most);
    assert_non_null(data);
    for (size_t i = 0; i < most; i++) {
        data[i] = (unsigned char)(i * 7 + i / 1000);
    }
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        for (size_t j = 0; j < COUNT_OF(steps); j++) {
            check(data, sizes[i], steps[j]);
        }
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_step)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
