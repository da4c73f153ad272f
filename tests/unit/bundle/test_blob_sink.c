/* Blobs on their way: in any order, on several threads, out of other bundles; and every way to be wrong. */
#include <fcntl.h>
#include <string.h>

#include "sample.h"

static const uint64_t sizes[] = {2 * GS_CHUNK_BYTES + 3, 7, 512, 0, GS_CHUNK_BYTES, 90000, 1, 2, SAMPLE_END};

static gs_writer *begin(sample *s, gs_tempdir *dir)
{
    gs_error err = {0};
    gs_writer *writer = NULL;
    sample_init(s, dir, sizes);
    assert_ok(&err, gs_writer_begin(NULL, s->path, &s->plan, &writer, &err));
    return writer;
}

static void seal_and_verify(sample *s, gs_writer *writer)
{
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    assert_ok(&err, gs_writer_seal(writer, (const gs_private_key *const *)s->private, 1, true, NULL, &err));
    assert_ok(&err, sample_verify(s, &verified, &err));
    assert_ok(&err, gs_verified_check(NULL, verified, &err));
}

/* What arrives is wrong: nothing counts as there, and the right blob can still come. */
static void test_wrong_content(void **state)
{
    static const struct {
        size_t blob;
        const char *content;
        const char *text;
    } cases[] = {
        {1, "1234567", "was promised as sha256:"}, {1, "123456", "ends after 6"}, {1, "", "ends after 0"},
        {1, "12345678", "it is longer"},           {3, "1", "it is longer"},
    };
    sample s;
    gs_error err = {0};
    gs_writer *writer = begin(&s, *state);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const gs_digest *digest = &s.descriptors[cases[i].blob].digest;
        gs_sink *sink = NULL;
        assert_ok(&err, gs_writer_blob(writer, digest, &sink, &err));
        assert_true(gs_sink_proves(sink));
        int code = gs_sink_write(sink, cases[i].content, strlen(cases[i].content), &err);
        code = code == 0 ? gs_sink_close(&sink, &err) : code;
        assert_int_equal(code, GS_EDIGEST);
        assert_contains(err.message, cases[i].text);
        gs_sink_cancel(&sink);
        assert_false(gs_writer_has(writer, digest));
    }
    for (size_t i = 0; i < s.blob_count; i++) {
        sample_put(&s, writer, i);
    }
    seal_and_verify(&s, writer);
    gs_writer_free(writer);
    sample_done(&s);
}

/* As networks deliver: in pieces that fit neither the sink's buffer nor a chunk. */
static void test_in_pieces(void **state)
{
    static const size_t pieces[] = {1, 16384, GS_BUFFER_BYTES, GS_BUFFER_BYTES + 1, GS_CHUNK_BYTES - 1, 3 * GS_CHUNK_BYTES};
    sample s;
    gs_error err = {0};
    gs_writer *writer = begin(&s, *state);
    for (size_t i = 0; i < s.blob_count; i++) {
        GS_AUTO_SINK gs_sink *sink = NULL;
        size_t piece = pieces[i % COUNT_OF(pieces)];
        piece = piece == 1 && s.blobs[i].len > GS_BUFFER_BYTES ? 100003 : piece;
        assert_ok(&err, gs_writer_blob(writer, &s.descriptors[i].digest, &sink, &err));
        for (size_t at = 0; at < s.blobs[i].len; at += piece) {
            size_t left = s.blobs[i].len - at;
            assert_ok(&err, gs_sink_write(sink, s.blobs[i].data + at, left < piece ? left : piece, &err));
        }
        assert_ok(&err, gs_sink_close(&sink, &err));
    }
    seal_and_verify(&s, writer);
    gs_writer_free(writer);
    sample_done(&s);
}

static void test_a_blob_is_taken_once(void **state)
{
    sample s;
    gs_error err = {0};
    gs_writer *writer = begin(&s, *state);
    gs_sink *sink = NULL;
    gs_sink *second = NULL;
    assert_ok(&err, gs_writer_blob(writer, &s.descriptors[1].digest, &sink, &err));
    assert_fails(&err, GS_EINTERNAL, "on its way already", gs_writer_blob(writer, &s.descriptors[1].digest, &second, &err));
    gs_sink_cancel(&sink);
    assert_false(gs_writer_has(writer, &s.descriptors[1].digest));
    sample_put(&s, writer, 1);
    assert_true(gs_writer_has(writer, &s.descriptors[1].digest));
    assert_fails(&err, GS_EINTERNAL, "in the bundle or", gs_writer_blob(writer, &s.descriptors[1].digest, &second, &err));
    const gs_digest unplanned = {{1}};
    assert_fails(&err, GS_EINTERNAL, "not in the plan", gs_writer_blob(writer, &unplanned, &second, &err));
    assert_false(gs_writer_has(writer, &unplanned));
    gs_writer_free(writer);
    sample_done(&s);
}

typedef struct both {
    sample *s;
    gs_writer *writer;
} both;

static int put_one(void *state, size_t i, gs_error *err)
{
    both *b = state;
    size_t blob = b->s->blob_count - 1 - i;
    gs_sink *sink = NULL;
    int code = gs_writer_blob(b->writer, &b->s->descriptors[blob].digest, &sink, err);
    for (size_t at = 0; code == 0 && at < b->s->blobs[blob].len; at += 5000) {
        size_t left = b->s->blobs[blob].len - at;
        code = gs_sink_write(sink, b->s->blobs[blob].data + at, left < 5000 ? left : 5000, err);
    }
    return code == 0 ? gs_sink_close(&sink, err) : code;
}

static void test_on_several_threads(void **state)
{
    sample s;
    gs_error err = {0};
    both b = {.s = &s};
    b.writer = begin(&s, *state);
    assert_ok(&err, gs_parallel(6, s.blob_count, put_one, &b, &err));
    seal_and_verify(&s, b.writer);
    gs_writer_free(b.writer);
    GS_AUTO_BUF gs_buf threaded;
    GS_AUTO_BUF gs_buf ordered;
    sample_read(&s, &threaded);
    sample_write(&s, 1);
    sample_read(&s, &ordered);
    assert_int_equal(threaded.len, ordered.len);
    assert_memory_equal(threaded.data, ordered.data, ordered.len);
    sample_done(&s);
}

static void test_out_of_another_bundle(void **state)
{
    sample s;
    gs_error err = {0};
    gs_writer *writer = begin(&s, *state);
    gs_writer_free(writer);
    sample_write(&s, 1);
    GS_AUTO_VERIFIED gs_verified *older = NULL;
    assert_ok(&err, sample_verify(&s, &older, &err));
    assert_ok(&err, gs_writer_begin(NULL, s.path, &s.plan, &writer, &err));
    for (size_t i = 0; i < s.blob_count; i++) {
        const gs_member *member = gs_verified_blob(older, &s.descriptors[i].digest);
        if (i == 0) {
            assert_fails(&err, GS_EDIGEST, "was promised as",
                         gs_writer_copy(writer, &s.descriptors[i].digest, gs_verified_fd(older), member->offset + 1, &err));
            assert_false(gs_writer_has(writer, &s.descriptors[i].digest));
        }
        assert_ok(&err, i % 2 == 0 ? gs_writer_reuse(writer, &s.descriptors[i].digest, older, &err)
                                   : gs_writer_copy(writer, &s.descriptors[i].digest, gs_verified_fd(older), member->offset, &err));
        assert_true(gs_writer_has(writer, &s.descriptors[i].digest));
    }
    seal_and_verify(&s, writer);
    gs_writer_free(writer);
    sample_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_wrong_content),         test_in_tempdir(test_in_pieces),
        test_in_tempdir(test_a_blob_is_taken_once),  test_in_tempdir(test_on_several_threads),
        test_in_tempdir(test_out_of_another_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
