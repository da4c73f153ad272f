/* Content: handed out only after it was checked, piece by piece. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static const uint64_t long_sizes[] = {2 * GS_CHUNK_BYTES + 10, 5, 0, SAMPLE_END};

static const gs_member *open_long(sample *s, gs_tempdir *dir, gs_verified **verified)
{
    gs_error err = {0};
    sample_init(s, dir, long_sizes);
    sample_write(s, 1);
    assert_ok(&err, sample_verify(s, verified, &err));
    const gs_member *member = gs_verified_blob(*verified, &s->descriptors[0].digest);
    assert_non_null(member);
    return member;
}

static void damage(const sample *s, uint64_t offset)
{
    gs_error err = {0};
    char byte;
    /* In place: the verified bundle has the file open. */
    GS_AUTO_FD int fd = open(s->path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_ok(&err, gs_fs_pread(fd, &byte, 1, offset, &err));
    byte ^= 1;
    assert_ok(&err, gs_fs_pwrite(fd, &byte, 1, offset, &err));
}

static void test_source_gives_the_content(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    (void)open_long(&s, *state, &verified);
    for (size_t i = 0; i < s.blob_count; i++) {
        const gs_member *member = gs_verified_blob(verified, &s.descriptors[i].digest);
        GS_AUTO_BUF gs_buf read;
        gs_source *source = NULL;
        gs_sink *sink = NULL;
        gs_buf_init(&read, SIZE_MAX);
        assert_ok(&err, gs_verified_source(verified, member, &source, &err));
        assert_ok(&err, gs_sink_buffer(&read, &sink, &err));
        assert_ok(&err, gs_stream_copy(source, sink, NULL, &err));
        assert_ok(&err, gs_source_close(&source, &err));
        assert_ok(&err, gs_sink_close(&sink, &err));
        assert_int_equal(read.len, s.blobs[i].len);
        assert_true(read.len == 0 || memcmp(read.data, s.blobs[i].data, read.len) == 0);
    }
    sample_done(&s);
}

static void test_no_byte_of_a_damaged_chunk_is_handed_out(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    const gs_member *member = open_long(&s, *state, &verified);
    damage(&s, member->offset + 2 * GS_CHUNK_BYTES - 1);
    gs_source *source = NULL;
    char *buffer = malloc(GS_CHUNK_BYTES);
    size_t got = 99;
    assert_non_null(buffer);
    assert_ok(&err, gs_verified_source(verified, member, &source, &err));
    assert_ok(&err, gs_source_read_all(source, buffer, GS_CHUNK_BYTES, &err));
    assert_memory_equal(buffer, s.blobs[0].data, GS_CHUNK_BYTES);
    assert_fails(&err, GS_EDIGEST, "is damaged", gs_source_read(source, buffer, 1, &got, &err));
    assert_int_equal(got, 99);
    assert_fails(&err, GS_EDIGEST, "is damaged", gs_source_read(source, buffer, 1, &got, &err));
    gs_source_cancel(&source);
    free(buffer);

    GS_AUTO_BUF gs_buf read;
    gs_buf_init(&read, SIZE_MAX);
    gs_buf_add_text(&read, "kept");
    assert_fails(&err, GS_EDIGEST, "is damaged", gs_verified_read(verified, member, SIZE_MAX, &read, &err));
    assert_int_equal(read.len, 4);
    sample_done(&s);
}

static void test_early_close_is_an_error(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    const gs_member *member = open_long(&s, *state, &verified);
    gs_source *source = NULL;
    char byte;
    size_t got;
    assert_ok(&err, gs_verified_source(verified, member, &source, &err));
    assert_ok(&err, gs_source_read(source, &byte, 1, &got, &err));
    assert_fails(&err, GS_EINTERNAL, "before its end", gs_source_close(&source, &err));
    assert_ok(&err, gs_verified_source(verified, member, &source, &err));
    gs_source_cancel(&source);
    sample_done(&s);
}

static void test_read_has_a_maximum(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    GS_AUTO_BUF gs_buf read;
    (void)open_long(&s, *state, &verified);
    const gs_member *member = gs_verified_blob(verified, &s.descriptors[1].digest);
    gs_buf_init(&read, 100);
    assert_fails(&err, GS_EFORMAT, "5 bytes, more than the 4", gs_verified_read(verified, member, 4, &read, &err));
    assert_ok(&err, gs_verified_read(verified, member, 5, &read, &err));
    assert_ok(&err, gs_verified_read(verified, member, 5, &read, &err));
    assert_int_equal(read.len, 10);
    gs_buf small;
    gs_buf_init(&small, 3);
    assert_int_equal(gs_verified_read(verified, member, 5, &small, &err), GS_ELIMIT);
    gs_buf_done(&small);
    sample_done(&s);
}

static void test_absent_blob(void **state)
{
    sample s;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    (void)open_long(&s, *state, &verified);
    const gs_digest absent = {{1}};
    assert_null(gs_verified_blob(verified, &absent));
    size_t count;
    const gs_member *members = gs_verified_members(verified, &count);
    assert_int_equal(count, 6);
    /* index.json is no blob, though it has a digest. */
    assert_null(gs_verified_blob(verified, &members[1].digest));
    sample_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_source_gives_the_content),
        test_in_tempdir(test_no_byte_of_a_damaged_chunk_is_handed_out),
        test_in_tempdir(test_early_close_is_an_error),
        test_in_tempdir(test_read_has_a_maximum),
        test_in_tempdir(test_absent_blob),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
