/* A bundle from its beginning to its end, and back: what was written is what is read; what may not be sealed is not. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sample.h"

static void assert_content(const sample *s, const gs_verified *verified)
{
    gs_error err = {0};
    for (size_t i = 0; i < s->blob_count; i++) {
        const gs_member *member = gs_verified_blob(verified, &s->descriptors[i].digest);
        assert_non_null(member);
        assert_int_equal(member->size, s->descriptors[i].size);
        GS_AUTO_BUF gs_buf read;
        gs_buf_init(&read, SIZE_MAX);
        assert_ok(&err, gs_verified_read(verified, member, SIZE_MAX, &read, &err));
        assert_int_equal(read.len, s->blobs[i].len);
        assert_true(read.len == 0 || memcmp(read.data, s->blobs[i].data, read.len) == 0);
    }
}

static void test_what_is_written_is_read(void **state)
{
    static const uint64_t around_chunks[] = {GS_CHUNK_BYTES, GS_CHUNK_BYTES + 1, 3 * GS_CHUNK_BYTES - 1, 0, 5, SAMPLE_END};
    const uint64_t *const all_sizes[] = {sample_sizes, around_chunks, sample_sizes + 4};
    for (size_t i = 0; i < COUNT_OF(all_sizes); i++) {
        sample s;
        gs_error err = {0};
        GS_AUTO_VERIFIED gs_verified *verified = NULL;
        sample_init(&s, *state, all_sizes[i]);
        sample_write(&s, 1);
        assert_ok(&err, sample_verify(&s, &verified, &err));
        assert_true(gs_verified_authentic(verified));
        assert_content(&s, verified);
        assert_ok(&err, gs_verified_check(NULL, verified, &err));
        const gs_statement *statement = gs_verified_statement(verified);
        assert_string_equal(statement->product, "demo");
        assert_string_equal(statement->version, "1.2.3");
        assert_string_equal(statement->upgrades_from, ">=1.1.0");
        assert_int_equal(statement->epoch, 1);
        assert_int_equal(statement->sequence, 42);
        assert_int_equal(statement->security_floor, 40);
        assert_int_equal(statement->issued_at, 1763733300);
        assert_int_equal(statement->total_length, gs_verified_length(verified));
        sample_done(&s);
    }
}

static void test_nothing_but_the_bundle_is_left(void **state)
{
    sample s;
    gs_error err = {0};
    sample_init(&s, *state, sample_sizes);
    sample_write(&s, 1);
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_fs_entry *entries = NULL;
    size_t count = 0;
    assert_ok(&err, gs_fs_walk(s.dir->fd, 100, arena, &entries, &count, &err));
    assert_int_equal(count, 1);
    assert_string_equal(entries[0].path, "demo.gapship");
    sample_done(&s);
}

static void test_same_input_same_bytes(void **state)
{
    sample s;
    gs_buf first;
    gs_buf second;
    sample_init(&s, *state, sample_sizes);
    sample_write(&s, 1);
    sample_read(&s, &first);
    sample_write(&s, 1);
    sample_read(&s, &second);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    gs_buf_done(&first);
    gs_buf_done(&second);
    sample_done(&s);
}

static void test_digest_does_not_depend_on_signatures(void **state)
{
    sample s;
    gs_error err = {0};
    gs_digest digests[3];
    sample_init(&s, *state, sample_sizes);
    for (size_t keys = 0; keys < 3; keys++) {
        GS_AUTO_WRITER gs_writer *writer = NULL;
        assert_ok(&err, gs_writer_begin(NULL, s.path, &s.plan, &writer, &err));
        for (size_t i = 0; i < s.blob_count; i++) {
            sample_put(&s, writer, i);
        }
        assert_ok(&err, gs_writer_seal(writer, (const gs_private_key *const *)s.private, keys, true, &digests[keys], &err));
        assert_true(gs_digest_equal(&digests[keys], &digests[0]));
    }
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    assert_ok(&err, sample_verify(&s, &verified, &err));
    assert_true(gs_digest_equal(gs_verified_digest(verified), &digests[0]));
    sample_done(&s);
}

static void test_refuses_a_missing_blob_and_goes_on(void **state)
{
    sample s;
    gs_error err = {0};
    gs_writer *writer = NULL;
    sample_init(&s, *state, sample_sizes);
    assert_ok(&err, gs_writer_begin(NULL, s.path, &s.plan, &writer, &err));
    for (size_t i = 1; i < s.blob_count; i++) {
        sample_put(&s, writer, i);
    }
    const gs_private_key *const *keys = (const gs_private_key *const *)s.private;
    assert_fails(&err, GS_EINTERNAL, "blobs/sha256/e3b0c442", gs_writer_seal(writer, keys, 1, false, NULL, &err));
    assert_false(gs_fs_exists(AT_FDCWD, s.path));
    sample_put(&s, writer, 0);
    assert_ok(&err, gs_writer_seal(writer, keys, 1, false, NULL, &err));
    gs_writer_free(writer);
    sample_done(&s);
}

static void test_does_not_replace_unless_told(void **state)
{
    sample s;
    gs_error err = {0};
    gs_writer *writer = NULL;
    sample_init(&s, *state, sample_sizes);
    support_write(s.dir->fd, "demo.gapship", "mine");
    assert_ok(&err, gs_writer_begin(NULL, s.path, &s.plan, &writer, &err));
    for (size_t i = 0; i < s.blob_count; i++) {
        sample_put(&s, writer, i);
    }
    const gs_private_key *const *keys = (const gs_private_key *const *)s.private;
    assert_fails(&err, GS_EEXISTS, "--force", gs_writer_seal(writer, keys, 1, false, NULL, &err));
    support_assert_file(s.dir->fd, "demo.gapship", "mine");
    assert_true(gs_fs_exists(s.dir->fd, "demo.gapship.partial"));
    assert_ok(&err, gs_writer_seal(writer, keys, 1, true, NULL, &err));
    gs_writer_free(writer);
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    assert_ok(&err, sample_verify(&s, &verified, &err));
    sample_done(&s);
}

static void test_one_key_signs_once(void **state)
{
    sample s;
    gs_error err = {0};
    gs_writer *writer = NULL;
    sample_init(&s, *state, sample_sizes + 4);
    assert_ok(&err, gs_writer_begin(NULL, s.path, &s.plan, &writer, &err));
    const gs_private_key *const twice[] = {s.private[0], s.private[0]};
    assert_fails(&err, GS_EEXISTS, "has signed already", gs_writer_seal(writer, twice, 2, false, NULL, &err));
    const gs_private_key *many[17];
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        many[i] = s.private[0];
    }
    assert_fails(&err, GS_ELIMIT, "at most 16 signatures", gs_writer_seal(writer, many, COUNT_OF(many), false, NULL, &err));
    gs_writer_free(writer);
    sample_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_what_is_written_is_read),
        test_in_tempdir(test_nothing_but_the_bundle_is_left),
        test_in_tempdir(test_same_input_same_bytes),
        test_in_tempdir(test_digest_does_not_depend_on_signatures),
        test_in_tempdir(test_refuses_a_missing_blob_and_goes_on),
        test_in_tempdir(test_does_not_replace_unless_told),
        test_in_tempdir(test_one_key_signs_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
