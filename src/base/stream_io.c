/* The sources and sinks of the base: memory, file ranges, descriptors, limits, tees and counters. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs_internal.h"
#include "gapship/fs.h"
#include "gapship/num.h"
#include "gapship/stream.h"

/* --- memory --- */

typedef struct memory {
    const char *data;
    size_t left;
} memory;

static int memory_read(void *state, void *out, size_t len, size_t *got, gs_error *err)
{
    (void)err;
    memory *m = state;
    size_t part = len < m->left ? len : m->left;
    if (part > 0) {
        memcpy(out, m->data, part);
        m->data += part;
        m->left -= part;
    }
    *got = part;
    return 0;
}

static int plain_close(void *state, bool cancelled, gs_error *err)
{
    (void)cancelled;
    (void)err;
    free(state);
    return 0;
}

int gs_source_memory(const void *data, size_t len, gs_source **out, gs_error *err)
{
    static const gs_source_ops ops = {memory_read, plain_close};
    memory *state = malloc(sizeof *state);
    if (!state) {
        return gs_fail_nomem(err);
    }
    *state = (memory){.data = data, .left = len};
    return gs_source_new(&ops, state, out, err);
}

/* --- segment of a file --- */

typedef struct segment {
    int fd;
    uint64_t offset;
    uint64_t left;
} segment;

static int segment_read(void *state, void *out, size_t len, size_t *got, gs_error *err)
{
    segment *s = state;
    size_t part = len < s->left ? len : (size_t)s->left;
    ssize_t taken;
    if (part == 0) {
        *got = 0;
        return 0;
    }
    do {
        taken = pread(s->fd, out, part, (off_t)s->offset);
    } while (taken < 0 && errno == EINTR);
    if (taken < 0) {
        return gs_fs_fail(err, errno, "cannot read", NULL);
    }
    if (taken == 0) {
        return gs_fail(err, GS_EFORMAT, "the file ends early: at offset %llu another %llu bytes are missing",
                       (unsigned long long)s->offset, (unsigned long long)s->left);
    }
    s->offset += (uint64_t)taken;
    s->left -= (uint64_t)taken;
    *got = (size_t)taken;
    return 0;
}

static int segment_close(void *state, bool cancelled, gs_error *err)
{
    segment *s = state;
    uint64_t left = s->left;
    free(s);
    if (left > 0 && !cancelled) {
        return gs_fail(err, GS_EINTERNAL, "a reader stopped %llu bytes before the end of what it was to read whole",
                       (unsigned long long)left);
    }
    return 0;
}

int gs_source_segment(int fd, uint64_t offset, uint64_t len, gs_source **out, gs_error *err)
{
    static const gs_source_ops ops = {segment_read, segment_close};
    uint64_t end;
    if (!gs_add_u64(offset, len, &end) || end > (uint64_t)INT64_MAX) {
        return gs_fail(err, GS_EFORMAT, "offset and length lie beyond the largest file");
    }
    segment *state = malloc(sizeof *state);
    if (!state) {
        return gs_fail_nomem(err);
    }
    *state = (segment){.fd = fd, .offset = offset, .left = len};
    return gs_source_new(&ops, state, out, err);
}

/* --- limit --- */

typedef struct limited {
    gs_source *inner;
    uint64_t max;
    uint64_t left;
} limited;

static int limited_read(void *state, void *out, size_t len, size_t *got, gs_error *err)
{
    limited *l = state;
    char beyond;
    bool full = l->left == 0;
    size_t part = len < l->left ? len : (size_t)l->left;
    size_t taken = 0;
    int code = gs_source_read(l->inner, full ? &beyond : out, full ? sizeof beyond : part, &taken, err);
    if (code != 0) {
        return code;
    }
    if (full && taken > 0) {
        return gs_fail(err, GS_ELIMIT, "more than the %llu bytes that gapship accepts here", (unsigned long long)l->max);
    }
    l->left -= taken;
    *got = taken;
    return 0;
}

static int limited_close(void *state, bool cancelled, gs_error *err)
{
    limited *l = state;
    int code = 0;
    if (cancelled) {
        gs_source_cancel(&l->inner);
    } else {
        code = gs_source_close(&l->inner, err);
    }
    free(l);
    return code;
}

int gs_source_limited(gs_source *inner, uint64_t max, gs_source **out, gs_error *err)
{
    static const gs_source_ops ops = {limited_read, limited_close};
    limited *state = malloc(sizeof *state);
    if (!state) {
        gs_source_cancel(&inner);
        return gs_fail_nomem(err);
    }
    *state = (limited){.inner = inner, .max = max, .left = max};
    return gs_source_new(&ops, state, out, err);
}

/* --- descriptor --- */

typedef struct descriptor {
    int fd;
    bool own;
} descriptor;

static int descriptor_read(void *state, void *out, size_t len, size_t *got, gs_error *err)
{
    const descriptor *d = state;
    ssize_t taken;
    do {
        taken = read(d->fd, out, len);
    } while (taken < 0 && errno == EINTR);
    if (taken < 0) {
        return gs_fs_fail(err, errno, "cannot read", NULL);
    }
    *got = (size_t)taken;
    return 0;
}

static int descriptor_close(void *state, bool cancelled, gs_error *err)
{
    (void)cancelled;
    (void)err;
    descriptor *d = state;
    if (d->own) {
        gs_fs_close_p(&d->fd);
    }
    free(d);
    return 0;
}

int gs_source_fd(int fd, bool own, gs_source **out, gs_error *err)
{
    static const gs_source_ops ops = {descriptor_read, descriptor_close};
    descriptor *state = malloc(sizeof *state);
    if (!state) {
        if (own) {
            gs_fs_close_p(&fd);
        }
        return gs_fail_nomem(err);
    }
    *state = (descriptor){.fd = fd, .own = own};
    return gs_source_new(&ops, state, out, err);
}

/* --- buffer --- */

typedef struct buffer {
    gs_buf *buf;
    size_t before;
} buffer;

static int buffer_write(void *state, const void *data, size_t len, gs_error *err)
{
    buffer *b = state;
    gs_buf_add(b->buf, data, len);
    return gs_buf_check(b->buf, err);
}

static int buffer_close(void *state, bool cancelled, gs_error *err)
{
    (void)err;
    buffer *b = state;
    if (cancelled && b->buf->len > b->before) {
        b->buf->len = b->before;
        (void)gs_buf_text(b->buf);
    }
    free(b);
    return 0;
}

int gs_sink_buffer(gs_buf *buf, gs_sink **out, gs_error *err)
{
    static const gs_sink_ops ops = {buffer_write, buffer_close};
    buffer *state = malloc(sizeof *state);
    if (!state) {
        return gs_fail_nomem(err);
    }
    *state = (buffer){.buf = buf, .before = buf->len};
    return gs_sink_new(&ops, state, out, err);
}

/* --- range of a file --- */

typedef struct range {
    int fd;
    uint64_t offset;
    uint64_t max;
    uint64_t left;
} range;

static int range_write(void *state, const void *data, size_t len, gs_error *err)
{
    range *r = state;
    if (len > r->left) {
        return gs_fail(err, GS_ELIMIT, "more than the %llu bytes that have their place here", (unsigned long long)r->max);
    }
    int code = gs_fs_pwrite(r->fd, data, len, r->offset, err);
    if (code == 0) {
        r->offset += len;
        r->left -= len;
    }
    return code;
}

int gs_sink_range(int fd, uint64_t offset, uint64_t max, gs_sink **out, gs_error *err)
{
    static const gs_sink_ops ops = {range_write, plain_close};
    range *state = malloc(sizeof *state);
    if (!state) {
        return gs_fail_nomem(err);
    }
    *state = (range){.fd = fd, .offset = offset, .max = max, .left = max};
    return gs_sink_new(&ops, state, out, err);
}

/* --- wrappers of sinks --- */

static int close_inner(gs_sink **inner, bool cancelled, gs_error *err)
{
    if (cancelled) {
        gs_sink_cancel(inner);
        return 0;
    }
    return gs_sink_close(inner, err);
}

typedef struct tee {
    gs_sink *first;
    gs_sink *second;
} tee;

static int tee_write(void *state, const void *data, size_t len, gs_error *err)
{
    const tee *t = state;
    int code = gs_sink_write(t->first, data, len, err);
    return code != 0 ? code : gs_sink_write(t->second, data, len, err);
}

/* When the first cannot be closed, the second must not look complete either. */
static int tee_close(void *state, bool cancelled, gs_error *err)
{
    tee *t = state;
    int code = close_inner(&t->first, cancelled, err);
    int second = close_inner(&t->second, cancelled || code != 0, err);
    free(t);
    return code != 0 ? code : second;
}

int gs_sink_tee(gs_sink *first, gs_sink *second, gs_sink **out, gs_error *err)
{
    static const gs_sink_ops ops = {tee_write, tee_close};
    tee *state = malloc(sizeof *state);
    if (!state) {
        gs_sink_cancel(&first);
        gs_sink_cancel(&second);
        return gs_fail_nomem(err);
    }
    *state = (tee){.first = first, .second = second};
    return gs_sink_new(&ops, state, out, err);
}

typedef struct counted {
    gs_sink *inner;
    uint64_t *count;
} counted;

static int counted_write(void *state, const void *data, size_t len, gs_error *err)
{
    const counted *c = state;
    int code = gs_sink_write(c->inner, data, len, err);
    if (code == 0) {
        *c->count += len;
    }
    return code;
}

static int counted_close(void *state, bool cancelled, gs_error *err)
{
    counted *c = state;
    int code = close_inner(&c->inner, cancelled, err);
    free(c);
    return code;
}

int gs_sink_count(gs_sink *inner, uint64_t *count, gs_sink **out, gs_error *err)
{
    static const gs_sink_ops ops = {counted_write, counted_close};
    counted *state = malloc(sizeof *state);
    if (!state) {
        gs_sink_cancel(&inner);
        return gs_fail_nomem(err);
    }
    *count = 0;
    *state = (counted){.inner = inner, .count = count};
    return gs_sink_new(&ops, state, out, err);
}
