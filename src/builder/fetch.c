/* Brings every blob to its place in the unfinished file: several at once, each hashed as it arrives, none stored twice. What an
 * earlier bundle holds is copied; what the .partial holds is left. */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "gapship/limits.h"
#include "origin.h"

typedef struct fetch_state {
    gs_builder *builder;
    const gs_build_layout *layout;
    const gs_reuse *reuse;
    gs_writer *writer;
    pthread_mutex_t mutex; /* of done and result */
    uint64_t done, total;
    gs_fetched result;
} fetch_state;

static void advance(fetch_state *state, uint64_t bytes, bool copied)
{
    pthread_mutex_lock(&state->mutex);
    state->done += bytes;
    if (copied) {
        state->result.copied += bytes;
    } else {
        state->result.fetched += bytes;
    }
    uint64_t done = state->done;
    pthread_mutex_unlock(&state->mutex);
    gs_report_progress(state->builder->run, "fetching", done, state->total);
}

static void moved(void *state, uint64_t bytes)
{
    advance(state, bytes, false);
}

static int write_memory(fetch_state *state, const gs_piece *piece, gs_error *err)
{
    GS_AUTO_SINK gs_sink *sink = NULL;
    int code = gs_writer_blob(state->writer, &piece->descriptor.digest, &sink, err);
    if (code == 0) {
        code = gs_sink_write(sink, piece->data, (size_t)piece->descriptor.size, err);
    }
    if (code == 0) {
        code = gs_sink_close(&sink, err);
    }
    return code;
}

static int write_file(fetch_state *state, const gs_piece *piece, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    uint64_t size = 0;
    int code = gs_fs_open_read(AT_FDCWD, piece->path, false, &fd, &size, err);
    return code < 0 ? code : gs_writer_copy(state->writer, &piece->descriptor.digest, fd, 0, err);
}

static int write_image_blob(fetch_state *state, const gs_piece *piece, gs_error *err)
{
    const gs_verified *earlier = gs_reuse_find(state->reuse, &piece->descriptor.digest);
    if (earlier) {
        gs_error why = {0};
        if (gs_writer_reuse(state->writer, &piece->descriptor.digest, earlier, &why) == 0) {
            advance(state, piece->descriptor.size, true);
            return 0;
        }
        gs_emit(state->builder->run, GS_WARNING, "reuseFailed", NULL, 0, "a blob of an earlier bundle is not used: %s",
                why.message);
    }
    if (!piece->origin->ops->each) {
        return 0; /* its archive is swept afterwards */
    }
    GS_AUTO_SINK gs_sink *sink = NULL;
    int code = gs_writer_blob(state->writer, &piece->descriptor.digest, &sink, err);
    if (code == 0) {
        code = piece->origin->ops->each(piece->origin, &piece->descriptor, sink, moved, state, err);
    }
    if (code == 0) {
        code = gs_sink_close(&sink, err);
    }
    if (code < 0 && err->where[0] == '\0') { /* a registry says where itself */
        gs_error_at(err, "%s", piece->origin->name);
    }
    return code;
}

static int fetch_piece(void *pointer, size_t i, gs_error *err)
{
    fetch_state *state = pointer;
    const gs_piece *piece = &state->layout->pieces[i];
    int code = gs_check_stop(state->builder->run, 1, err);
    if (code < 0 || gs_writer_has(state->writer, &piece->descriptor.digest)) {
        return code;
    }
    if (piece->data) {
        return write_memory(state, piece, err);
    }
    return piece->path ? write_file(state, piece, err) : write_image_blob(state, piece, err);
}

/* ---- archives: one pass each ---- */

static const gs_piece *find_piece(const fetch_state *state, const gs_digest *digest)
{
    for (size_t i = 0; i < state->layout->count; i++) {
        if (gs_digest_equal(&state->layout->pieces[i].descriptor.digest, digest)) {
            return &state->layout->pieces[i];
        }
    }
    return NULL;
}

/* What is handed out counts as fetched: it is, unless the build ends. */
static int open_wanted(void *pointer, const gs_digest *digest, gs_sink **sink, gs_error *err)
{
    fetch_state *state = pointer;
    const gs_piece *piece = find_piece(state, digest);
    *sink = NULL;
    if (!piece || gs_writer_has(state->writer, digest)) {
        return 0;
    }
    advance(state, piece->descriptor.size, false);
    return gs_writer_blob(state->writer, digest, sink, err);
}

/* The first blob of an origin that is still to come, or NULL. */
static const gs_digest *first_missing(const fetch_state *state, const gs_origin *origin)
{
    for (size_t i = 0; i < state->layout->count; i++) {
        const gs_piece *piece = &state->layout->pieces[i];
        if (piece->origin == origin && !gs_writer_has(state->writer, &piece->descriptor.digest)) {
            return &piece->descriptor.digest;
        }
    }
    return NULL;
}

static int sweep_archive(fetch_state *state, gs_origin *origin, gs_error *err)
{
    if (!origin->ops->sweep || !first_missing(state, origin)) {
        return 0;
    }
    int code = gs_check_stop(state->builder->run, 1, err);
    if (code == 0) {
        code = origin->ops->sweep(origin, open_wanted, state, err);
    }
    const gs_digest *missing = code == 0 ? first_missing(state, origin) : NULL;
    if (missing) {
        char digest[GS_DIGEST_TEXT];
        gs_digest_text(missing, digest);
        gs_fail(err, GS_ENOTFOUND, "the archive does not hold %s, which the image needs", digest);
        code = gs_error_hint(err, "make the archive anew; some tools leave out layers that they did not pull");
    }
    return code < 0 ? gs_error_at(err, "%s", origin->name) : 0;
}

static int sweep_archives(fetch_state *state, gs_error *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < state->builder->origin_count; i++) {
        code = sweep_archive(state, state->builder->origins[i], err);
    }
    return code;
}

int gs_fetch(gs_builder *builder, const gs_build_layout *layout, const gs_build_options *options, const char *output,
             gs_writer *writer, gs_fetched *out, gs_error *err)
{
    fetch_state state = {.builder = builder, .layout = layout, .writer = writer};
    gs_reuse *reuse = NULL;
    int code = gs_reuse_open(builder, options, output, &reuse, err);
    if (code < 0) {
        return code;
    }
    state.reuse = reuse;
    for (size_t i = 0; i < layout->count; i++) {
        if (layout->pieces[i].origin && !gs_writer_has(writer, &layout->pieces[i].descriptor.digest)) {
            state.total += layout->pieces[i].descriptor.size;
        }
    }
    pthread_mutex_init(&state.mutex, NULL);
    code = gs_parallel(builder->run->jobs, layout->count, fetch_piece, &state, err);
    if (code == 0) {
        code = sweep_archives(&state, err);
    }
    pthread_mutex_destroy(&state.mutex);
    gs_reuse_free(reuse);
    if (code == 0) {
        *out = state.result;
    }
    return code;
}
