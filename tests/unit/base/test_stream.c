/* The rules of streams, on sources and sinks that count what is done to them. */
#include <string.h>

#include "gapship/stream.h"
#include "support.h"

/* Gives "ab" per read up to `chunks` times, then fails with `failure` or ends. */
typedef struct probe {
    int chunks;
    int failure;
    int calls;
    int closed;
    bool cancelled;
    int close_failure;
} probe;

static int probe_read(void *state, void *out, size_t len, size_t *got, gs_error *err)
{
    probe *p = state;
    p->calls++;
    if (p->chunks == 0) {
        *got = 0;
        return p->failure ? gs_fail(err, p->failure, "failed in call %d", p->calls) : 0;
    }
    p->chunks--;
    *got = len < 2 ? len : 2;
    memcpy(out, "ab", *got);
    return 0;
}

static int probe_write(void *state, const void *data, size_t len, gs_error *err)
{
    (void)data;
    (void)len;
    probe *p = state;
    p->calls++;
    if (p->chunks-- == 0) {
        return gs_fail(err, p->failure, "failed in call %d", p->calls);
    }
    return 0;
}

static int probe_close(void *state, bool cancelled, gs_error *err)
{
    probe *p = state;
    p->closed++;
    p->cancelled = cancelled;
    return cancelled || !p->close_failure ? 0 : gs_fail(err, p->close_failure, "cannot close");
}

static const gs_source_ops source_ops = {probe_read, probe_close};
static const gs_sink_ops sink_ops = {probe_write, probe_close};

static gs_source *source_of(probe *p)
{
    gs_error err = {0};
    gs_source *source = NULL;
    assert_ok(&err, gs_source_new(&source_ops, p, &source, &err));
    return source;
}

static gs_sink *sink_of(probe *p)
{
    gs_error err = {0};
    gs_sink *sink = NULL;
    assert_ok(&err, gs_sink_new(&sink_ops, p, &sink, &err));
    return sink;
}

static void end_stays_the_end(void **state)
{
    (void)state;
    gs_error err = {0};
    probe p = {.chunks = 1};
    gs_source *source = source_of(&p);
    char out[4];
    size_t got = 9;
    assert_ok(&err, gs_source_read(source, out, 0, &got, &err));
    assert_int_equal(got, 0);
    assert_int_equal(p.calls, 0);
    assert_ok(&err, gs_source_read(source, out, 4, &got, &err));
    assert_int_equal(got, 2);
    for (int i = 0; i < 3; i++) {
        assert_ok(&err, gs_source_read(source, out, 4, &got, &err));
        assert_int_equal(got, 0);
    }
    assert_int_equal(p.calls, 2);
    assert_ok(&err, gs_source_close(&source, &err));
    assert_null(source);
    assert_int_equal(p.closed, 1);
    assert_false(p.cancelled);
    assert_ok(&err, gs_source_close(&source, &err));
    gs_source_cancel(&source);
}

static void source_errors_stick(void **state)
{
    (void)state;
    gs_error err = {0};
    probe p = {.failure = GS_EDIGEST};
    gs_source *source = source_of(&p);
    char out[4];
    size_t got = 9;
    for (int i = 0; i < 3; i++) {
        assert_fails(&err, GS_EDIGEST, "failed in call 1", gs_source_read(source, out, 4, &got, &err));
        assert_fails(&err, GS_EDIGEST, "failed in call 1", gs_source_read_all(source, out, 4, &err));
    }
    assert_int_equal(gs_source_read(source, out, 4, &got, NULL), GS_EDIGEST);
    assert_int_equal(got, 9);
    assert_int_equal(p.calls, 1);
    assert_fails(&err, GS_EDIGEST, "failed in call 1", gs_source_close(&source, &err));
    assert_true(p.cancelled);
}

static void reads_all_or_fails(void **state)
{
    (void)state;
    gs_error err = {0};
    probe p = {.chunks = 3};
    gs_source *source = source_of(&p);
    char out[8] = "";
    assert_ok(&err, gs_source_read_all(source, out, 5, &err));
    assert_string_equal(out, "ababa");
    assert_fails(&err, GS_EFORMAT, "another 1 bytes", gs_source_read_all(source, out, 1, &err));
    assert_fails(&err, GS_EFORMAT, "ends early", gs_source_close(&source, &err));
}

static void sink_errors_stick(void **state)
{
    (void)state;
    gs_error err = {0};
    probe p = {.chunks = 1, .failure = GS_ENOSPACE};
    gs_sink *sink = sink_of(&p);
    assert_false(gs_sink_proves(sink));
    assert_ok(&err, gs_sink_write(sink, "x", 1, &err));
    assert_ok(&err, gs_sink_write(sink, NULL, 0, &err));
    assert_fails(&err, GS_ENOSPACE, "failed in call 2", gs_sink_write(sink, "x", 1, &err));
    assert_fails(&err, GS_ENOSPACE, "failed in call 2", gs_sink_write(sink, "x", 1, &err));
    assert_int_equal(p.calls, 2);
    assert_fails(&err, GS_ENOSPACE, "failed in call 2", gs_sink_close(&sink, &err));
    assert_true(p.cancelled);
    assert_int_equal(p.closed, 1);
    assert_null(sink);
}

static void close_reports(void **state)
{
    (void)state;
    gs_error err = {0};
    probe p = {.close_failure = GS_EIO};
    gs_source *source = source_of(&p);
    assert_fails(&err, GS_EIO, "cannot close", gs_source_close(&source, &err));
    gs_sink *sink = sink_of(&p);
    assert_fails(&err, GS_EIO, "cannot close", gs_sink_close(&sink, &err));
    sink = sink_of(&p);
    gs_sink_cancel(&sink);
    assert_true(p.cancelled);
    assert_int_equal(p.closed, 3);
}

static void copies_to_the_end(void **state)
{
    (void)state;
    gs_error err = {0};
    probe from = {.chunks = 1000};
    probe to = {.chunks = 100000, .failure = GS_EIO};
    gs_source *source = source_of(&from);
    gs_sink *sink = sink_of(&to);
    uint64_t copied = 0;
    assert_ok(&err, gs_stream_copy(source, sink, &copied, &err));
    assert_int_equal(copied, 2000);
    assert_int_equal(to.calls, 1000);
    assert_int_equal(from.closed + to.closed, 0);
    gs_source_cancel(&source);
    gs_sink_cancel(&sink);
}

static void copy_reports_either_side(void **state)
{
    (void)state;
    gs_error err = {0};
    probe from = {.chunks = 2, .failure = GS_ENETWORK};
    probe to = {.chunks = 100, .failure = GS_EIO};
    gs_source *source = source_of(&from);
    gs_sink *sink = sink_of(&to);
    uint64_t copied = 77;
    assert_fails(&err, GS_ENETWORK, NULL, gs_stream_copy(source, sink, &copied, &err));
    assert_int_equal(copied, 77);
    gs_source_cancel(&source);
    gs_sink_cancel(&sink);
    from = (probe){.chunks = 2};
    to = (probe){.chunks = 1, .failure = GS_EIO};
    source = source_of(&from);
    sink = sink_of(&to);
    assert_fails(&err, GS_EIO, NULL, gs_stream_copy(source, sink, NULL, &err));
    gs_source_cancel(&source);
    gs_sink_cancel(&sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(end_stays_the_end),        cmocka_unit_test(source_errors_stick), cmocka_unit_test(reads_all_or_fails),
        cmocka_unit_test(sink_errors_stick),        cmocka_unit_test(close_reports),       cmocka_unit_test(copies_to_the_end),
        cmocka_unit_test(copy_reports_either_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
