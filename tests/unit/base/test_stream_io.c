/* Each source and sink of the base: whole, short, long, closed early, cancelled. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gapship/stream.h"
#include "support.h"

static gs_source *memory_of(const char *text)
{
    gs_error err = {0};
    gs_source *source = NULL;
    assert_ok(&err, gs_source_memory(text, strlen(text), &source, &err));
    return source;
}

static gs_sink *buffer_of(gs_buf *buf)
{
    gs_error err = {0};
    gs_sink *sink = NULL;
    assert_ok(&err, gs_sink_buffer(buf, &sink, &err));
    return sink;
}

/* Reads to the end or the error, which is returned; the content goes to out. Closes nothing. */
static int drain(gs_source *source, gs_buf *out, gs_error *err)
{
    gs_sink *sink = buffer_of(out);
    int code = gs_stream_copy(source, sink, NULL, err);
    gs_error ignored = {0};
    assert_ok(&ignored, gs_sink_close(&sink, &ignored));
    return code;
}

static void reads_memory(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, 100);
    gs_source *source = memory_of("in memory");
    char head[3] = "";
    assert_ok(&err, gs_source_read_all(source, head, 2, &err));
    assert_string_equal(head, "in");
    assert_ok(&err, drain(source, &out, &err));
    assert_string_equal(gs_buf_text(&out), " memory");
    assert_ok(&err, gs_source_close(&source, &err));
    assert_ok(&err, gs_source_memory(NULL, 0, &source, &err));
    size_t got = 1;
    assert_ok(&err, gs_source_read(source, head, 2, &got, &err));
    assert_int_equal(got, 0);
    /* Not a verifying source: what it has need not be read. */
    gs_source_cancel(&source);
    source = memory_of("unread");
    assert_ok(&err, gs_source_close(&source, &err));
    gs_buf_done(&out);
}

static void reads_segments(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_FD int fd = -1;
    uint64_t size;
    gs_source *source = NULL;
    gs_buf out;
    gs_buf_init(&out, 100);
    support_write(dir->fd, "f", "0123456789");
    assert_ok(&err, gs_fs_open_read(dir->fd, "f", false, &fd, &size, &err));
    assert_ok(&err, gs_source_segment(fd, 2, 5, &source, &err));
    assert_ok(&err, drain(source, &out, &err));
    assert_string_equal(gs_buf_text(&out), "23456");
    assert_ok(&err, gs_source_close(&source, &err));
    /* Closed early. */
    char part[2];
    assert_ok(&err, gs_source_segment(fd, 2, 5, &source, &err));
    assert_ok(&err, gs_source_read_all(source, part, 2, &err));
    assert_fails(&err, GS_EINTERNAL, "3 bytes before the end", gs_source_close(&source, &err));
    assert_ok(&err, gs_source_segment(fd, 2, 5, &source, &err));
    gs_source_cancel(&source);
    /* A file that is shorter than promised. */
    gs_buf_clear(&out);
    assert_ok(&err, gs_source_segment(fd, 8, 5, &source, &err));
    assert_fails(&err, GS_EFORMAT, "at offset 10 another 3 bytes", drain(source, &out, &err));
    assert_fails(&err, GS_EFORMAT, "ends early", gs_source_close(&source, &err));
    /* Nothing at all, and more than can be. */
    assert_ok(&err, gs_source_segment(fd, 10, 0, &source, &err));
    assert_ok(&err, gs_source_close(&source, &err));
    assert_fails(&err, GS_EFORMAT, NULL, gs_source_segment(fd, UINT64_MAX, 2, &source, &err));
    assert_fails(&err, GS_EFORMAT, NULL, gs_source_segment(fd, (uint64_t)INT64_MAX, 1, &source, &err));
    assert_null(source);
    gs_buf_done(&out);
}

static void limits_a_source(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, 100);
    gs_source *source = NULL;
    assert_ok(&err, gs_source_limited(memory_of("12345"), 5, &source, &err));
    assert_ok(&err, drain(source, &out, &err));
    assert_string_equal(gs_buf_text(&out), "12345");
    assert_ok(&err, gs_source_close(&source, &err));
    gs_buf_clear(&out);
    assert_ok(&err, gs_source_limited(memory_of("123456"), 5, &source, &err));
    assert_fails(&err, GS_ELIMIT, "5 bytes", drain(source, &out, &err));
    assert_string_equal(gs_buf_text(&out), "12345");
    assert_fails(&err, GS_ELIMIT, NULL, gs_source_close(&source, &err));
    assert_ok(&err, gs_source_limited(memory_of(""), 0, &source, &err));
    assert_ok(&err, drain(source, &out, &err));
    gs_source_cancel(&source);
    gs_buf_done(&out);
}

/* A wrapper hands the early close on to the verifying source inside. */
static void passes_on_an_early_close(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_source *inner = NULL;
    gs_source *outer = NULL;
    assert_ok(&err, gs_source_segment(dir->fd, 0, 5, &inner, &err));
    assert_ok(&err, gs_source_limited(inner, 10, &outer, &err));
    assert_fails(&err, GS_EINTERNAL, "5 bytes before", gs_source_close(&outer, &err));
    assert_ok(&err, gs_source_segment(dir->fd, 0, 5, &inner, &err));
    assert_ok(&err, gs_source_limited(inner, 10, &outer, &err));
    gs_source_cancel(&outer);
}

static void reads_descriptors(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, 100);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    gs_source *source = NULL;
    assert_int_equal(write(ends[1], "piped", 5), 5);
    assert_int_equal(close(ends[1]), 0);
    assert_ok(&err, gs_source_fd(ends[0], false, &source, &err));
    assert_ok(&err, drain(source, &out, &err));
    assert_string_equal(gs_buf_text(&out), "piped");
    assert_ok(&err, gs_source_close(&source, &err));
    assert_true(fcntl(ends[0], F_GETFD) >= 0);
    assert_ok(&err, gs_source_fd(ends[0], true, &source, &err));
    gs_source_cancel(&source);
    assert_int_equal(fcntl(ends[0], F_GETFD), -1);
    assert_ok(&err, gs_source_fd(-1, false, &source, &err));
    assert_fails(&err, GS_EIO, "cannot read", drain(source, &out, &err));
    gs_source_cancel(&source);
    gs_buf_done(&out);
}

static void fills_buffers(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, 10);
    gs_buf_add_text(&out, "had ");
    gs_sink *sink = buffer_of(&out);
    assert_ok(&err, gs_sink_write(sink, "more", 4, &err));
    assert_ok(&err, gs_sink_close(&sink, &err));
    assert_string_equal(gs_buf_text(&out), "had more");
    sink = buffer_of(&out);
    assert_ok(&err, gs_sink_write(sink, "!!", 2, &err));
    gs_sink_cancel(&sink);
    assert_string_equal(gs_buf_text(&out), "had more");
    sink = buffer_of(&out);
    assert_fails(&err, GS_ELIMIT, "10 bytes", gs_sink_write(sink, "too much", 8, &err));
    assert_fails(&err, GS_ELIMIT, NULL, gs_sink_close(&sink, &err));
    gs_buf_done(&out);
}

static void writes_ranges(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_FD int fd = openat(dir->fd, "f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_ok(&err, gs_fs_pwrite(fd, "..........", 10, 0, &err));
    gs_sink *sink = NULL;
    assert_ok(&err, gs_sink_range(fd, 3, 4, &sink, &err));
    assert_ok(&err, gs_sink_write(sink, "ab", 2, &err));
    assert_ok(&err, gs_sink_write(sink, "cd", 2, &err));
    assert_fails(&err, GS_ELIMIT, "4 bytes", gs_sink_write(sink, "e", 1, &err));
    assert_fails(&err, GS_ELIMIT, NULL, gs_sink_close(&sink, &err));
    support_assert_file(dir->fd, "f", "...abcd...");
}

static void tees_and_counts(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_buf first;
    gs_buf second;
    gs_buf_init(&first, 100);
    gs_buf_init(&second, 5);
    gs_sink *tee = NULL;
    gs_sink *counted = NULL;
    uint64_t count = 99;
    assert_ok(&err, gs_sink_tee(buffer_of(&first), buffer_of(&second), &tee, &err));
    assert_ok(&err, gs_sink_count(tee, &count, &counted, &err));
    assert_int_equal(count, 0);
    assert_ok(&err, gs_sink_write(counted, "abc", 3, &err));
    assert_ok(&err, gs_sink_write(counted, "de", 2, &err));
    assert_int_equal(count, 5);
    assert_string_equal(gs_buf_text(&first), "abcde");
    assert_string_equal(gs_buf_text(&second), "abcde");
    assert_fails(&err, GS_ELIMIT, NULL, gs_sink_write(counted, "f", 1, &err));
    assert_int_equal(count, 5);
    /* The failure cancels both, so that neither looks complete. */
    assert_fails(&err, GS_ELIMIT, NULL, gs_sink_close(&counted, &err));
    assert_int_equal(first.len, 0);
    assert_int_equal(second.len, 0);
    gs_buf_done(&first);
    gs_buf_done(&second);
}

static int refuse_close(void *state, bool cancelled, gs_error *err)
{
    (void)state;
    return cancelled ? 0 : gs_fail(err, GS_EDIGEST, "wrong digest");
}

static int take_all(void *state, const void *data, size_t len, gs_error *err)
{
    (void)state;
    (void)data;
    (void)len;
    (void)err;
    return 0;
}

static void tee_cancels_after_a_failed_close(void **state)
{
    (void)state;
    static const gs_sink_ops refusing = {take_all, refuse_close};
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, 100);
    gs_sink *first = NULL;
    gs_sink *tee = NULL;
    assert_ok(&err, gs_sink_new(&refusing, NULL, &first, &err));
    assert_ok(&err, gs_sink_tee(first, buffer_of(&out), &tee, &err));
    assert_ok(&err, gs_sink_write(tee, "x", 1, &err));
    assert_fails(&err, GS_EDIGEST, "wrong digest", gs_sink_close(&tee, &err));
    assert_int_equal(out.len, 0);
    gs_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_memory),
        test_in_tempdir(reads_segments),
        cmocka_unit_test(limits_a_source),
        test_in_tempdir(passes_on_an_early_close),
        cmocka_unit_test(reads_descriptors),
        cmocka_unit_test(fills_buffers),
        test_in_tempdir(writes_ranges),
        cmocka_unit_test(tees_and_counts),
        cmocka_unit_test(tee_cancels_after_a_failed_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
