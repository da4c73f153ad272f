/* Streams that hash: a source that proves what passes through, a sink that learns its digest. */
#include <inttypes.h>
#include <stdlib.h>

#include "gapship/crypto.h"

typedef struct proving_source {
    gs_source *inner;
    gs_hash *hash;
    gs_digest expected;
    uint64_t size;
    uint64_t passed;
    bool proved;
} proving_source;

typedef struct learning_sink {
    gs_sink *inner;
    gs_hash *hash;
    gs_digest *digest;
} learning_sink;

static int fail_length(const proving_source *source, const char *how, gs_error *err)
{
    char promised[GS_DIGEST_TEXT];
    gs_digest_text(&source->expected, promised);
    return gs_fail(err, GS_EDIGEST, "%s was promised with %" PRIu64 " bytes, but %s", promised, source->size, how);
}

static int prove(proving_source *source, gs_error *err)
{
    if (source->passed != source->size) {
        return fail_length(source, "it ends early", err);
    }
    gs_digest found;
    int code = gs_hash_finish(source->hash, &found, err);
    if (code != 0) {
        return code;
    }
    if (!gs_digest_equal(&found, &source->expected)) {
        char promised[GS_DIGEST_TEXT];
        char arrived[GS_DIGEST_TEXT];
        gs_digest_text(&source->expected, promised);
        gs_digest_text(&found, arrived);
        return gs_fail(err, GS_EDIGEST, "content was promised as %s, but is %s", promised, arrived);
    }
    source->proved = true;
    return 0;
}

static int proving_read(void *state, void *out, size_t len, size_t *got, gs_error *err)
{
    proving_source *source = state;
    size_t received = 0;
    int code = gs_source_read(source->inner, out, len, &received, err);
    if (code != 0) {
        return code;
    }
    if (received == 0) {
        code = source->proved ? 0 : prove(source, err);
    } else if (received > source->size - source->passed) {
        code = fail_length(source, "it is longer", err);
    } else {
        source->passed += received;
        code = gs_hash_add(source->hash, out, received, err);
    }
    if (code == 0) {
        *got = received;
    }
    return code;
}

/* A reader that knows the size need not have asked for the end: it is asked for here. */
static int reach_end(proving_source *source, gs_error *err)
{
    if (source->proved) {
        return 0;
    }
    if (source->passed != source->size) {
        return fail_length(source, "it was closed before its end", err);
    }
    unsigned char extra;
    size_t got;
    return proving_read(source, &extra, sizeof extra, &got, err);
}

static int proving_close(void *state, bool cancelled, gs_error *err)
{
    proving_source *source = state;
    int code = cancelled ? 0 : reach_end(source, err);
    if (cancelled || code != 0) {
        gs_source_cancel(&source->inner);
    } else {
        code = gs_source_close(&source->inner, err);
    }
    gs_hash_free(source->hash);
    free(source);
    return code;
}

int gs_source_hash(gs_source *inner, const gs_digest *expected, uint64_t size, gs_source **out, gs_error *err)
{
    static const gs_source_ops ops = {proving_read, proving_close};
    proving_source *source = calloc(1, sizeof *source);
    if (!source) {
        gs_source_cancel(&inner);
        return gs_fail_nomem(err);
    }
    *source = (proving_source){.inner = inner, .expected = *expected, .size = size};
    int code = gs_hash_new(&source->hash, err);
    if (code != 0) {
        (void)proving_close(source, true, NULL);
        return code;
    }
    return gs_source_new(&ops, source, out, err);
}

static int learning_write(void *state, const void *data, size_t len, gs_error *err)
{
    learning_sink *sink = state;
    int code = sink->inner ? gs_sink_write(sink->inner, data, len, err) : 0;
    return code == 0 ? gs_hash_add(sink->hash, data, len, err) : code;
}

static int learning_close(void *state, bool cancelled, gs_error *err)
{
    learning_sink *sink = state;
    int code = 0;
    if (cancelled) {
        gs_sink_cancel(&sink->inner);
    } else {
        code = sink->inner ? gs_sink_close(&sink->inner, err) : 0;
        code = code == 0 ? gs_hash_finish(sink->hash, sink->digest, err) : code;
    }
    gs_hash_free(sink->hash);
    free(sink);
    return code;
}

int gs_sink_hash(gs_sink *inner, gs_digest *digest, gs_sink **out, gs_error *err)
{
    static const gs_sink_ops ops = {learning_write, learning_close};
    learning_sink *sink = calloc(1, sizeof *sink);
    if (!sink) {
        gs_sink_cancel(&inner);
        return gs_fail_nomem(err);
    }
    *sink = (learning_sink){.inner = inner, .digest = digest};
    int code = gs_hash_new(&sink->hash, err);
    if (code != 0) {
        (void)learning_close(sink, true, NULL);
        return code;
    }
    return gs_sink_new(&ops, sink, out, err);
}
