/* The rules that every source and sink keeps: errors stick, the end stays the end, close happens once. Where bytes come from and go
 * to is in stream_io.c and in the modules that bring their own vtables. */
#include "gapship/stream.h"

#include <stdlib.h>

#include "gapship/limits.h"

struct gs_source {
    const gs_source_ops *ops;
    void *state;
    bool ended;
    gs_error failure; /* code 0: none so far */
};

struct gs_sink {
    const gs_sink_ops *ops;
    void *state;
    gs_error failure;
};

static int repeat(const gs_error *failure, gs_error *err)
{
    if (err) {
        *err = *failure;
    }
    return failure->code;
}

/* Remembers what an operation said. Its return value decides, should the error it filled say something else. */
static int remember(gs_error *failure, int code, gs_error *err)
{
    failure->code = code;
    return code == 0 ? 0 : repeat(failure, err);
}

int gs_source_new(const gs_source_ops *ops, void *state, gs_source **out, gs_error *err)
{
    gs_source *source = calloc(1, sizeof *source);
    if (!source) {
        (void)ops->close(state, true, NULL);
        return gs_fail_nomem(err);
    }
    source->ops = ops;
    source->state = state;
    *out = source;
    return 0;
}

int gs_source_read(gs_source *source, void *out, size_t len, size_t *got, gs_error *err)
{
    if (source->failure.code != 0) {
        return repeat(&source->failure, err);
    }
    size_t taken = 0;
    if (!source->ended && len > 0) {
        int code = remember(&source->failure, source->ops->read(source->state, out, len, &taken, &source->failure), err);
        if (code != 0) {
            return code;
        }
        source->ended = taken == 0;
    }
    *got = taken;
    return 0;
}

int gs_source_read_all(gs_source *source, void *out, size_t len, gs_error *err)
{
    char *into = out;
    while (len > 0) {
        size_t got = 0;
        int code = gs_source_read(source, into, len, &got, err);
        if (code != 0) {
            return code;
        }
        if (got == 0) {
            (void)gs_fail(&source->failure, GS_EFORMAT, "the data ends early: another %zu bytes are missing", len);
            return repeat(&source->failure, err);
        }
        into += got;
        len -= got;
    }
    return 0;
}

int gs_source_close(gs_source **source, gs_error *err)
{
    gs_source *closing = *source;
    *source = NULL;
    if (!closing) {
        return 0;
    }
    int code = closing->failure.code;
    if (code != 0) {
        (void)closing->ops->close(closing->state, true, NULL);
        (void)repeat(&closing->failure, err);
    } else {
        code = closing->ops->close(closing->state, false, err);
    }
    free(closing);
    return code;
}

void gs_source_cancel(gs_source **source)
{
    if (*source) {
        (void)(*source)->ops->close((*source)->state, true, NULL);
        free(*source);
        *source = NULL;
    }
}

int gs_sink_new(const gs_sink_ops *ops, void *state, gs_sink **out, gs_error *err)
{
    gs_sink *sink = calloc(1, sizeof *sink);
    if (!sink) {
        (void)ops->close(state, true, NULL);
        return gs_fail_nomem(err);
    }
    sink->ops = ops;
    sink->state = state;
    *out = sink;
    return 0;
}

bool gs_sink_proves(const gs_sink *sink)
{
    return sink->ops->proves;
}

int gs_sink_write(gs_sink *sink, const void *data, size_t len, gs_error *err)
{
    if (sink->failure.code != 0) {
        return repeat(&sink->failure, err);
    }
    return len == 0 ? 0 : remember(&sink->failure, sink->ops->write(sink->state, data, len, &sink->failure), err);
}

int gs_sink_close(gs_sink **sink, gs_error *err)
{
    gs_sink *closing = *sink;
    *sink = NULL;
    if (!closing) {
        return 0;
    }
    int code = closing->failure.code;
    if (code != 0) {
        (void)closing->ops->close(closing->state, true, NULL);
        (void)repeat(&closing->failure, err);
    } else {
        code = closing->ops->close(closing->state, false, err);
    }
    free(closing);
    return code;
}

void gs_sink_cancel(gs_sink **sink)
{
    if (*sink) {
        (void)(*sink)->ops->close((*sink)->state, true, NULL);
        free(*sink);
        *sink = NULL;
    }
}

int gs_stream_copy(gs_source *from, gs_sink *to, uint64_t *copied, gs_error *err)
{
    GS_AUTO_FREE char *buffer = malloc(GS_BUFFER_BYTES);
    if (!buffer) {
        return gs_fail_nomem(err);
    }
    uint64_t total = 0;
    for (;;) {
        size_t got = 0;
        int code = gs_source_read(from, buffer, GS_BUFFER_BYTES, &got, err);
        if (code == 0 && got > 0) {
            code = gs_sink_write(to, buffer, got, err);
        }
        if (code != 0) {
            return code;
        }
        if (got == 0) {
            break;
        }
        total += got;
    }
    if (copied) {
        *copied = total;
    }
    return 0;
}
