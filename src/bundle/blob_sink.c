/* How blobs get to their place: as a stream, out of another bundle, or because an earlier run has put them there; hashed whole and
 * by chunk in every case, and framed by their tar header only when both are known. Safe on several threads. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bundle_internal.h"
#include "chunk_hash.h"
#include "gapship/fs.h"
#include "gapship/num.h"
#include "writer_internal.h"

static size_t number_of(const gs_writer *writer, const gs_member *member)
{
    return (size_t)(member - writer->layout.members);
}

static gs_blob_state swap_state(gs_writer *writer, size_t member, gs_blob_state only_from, gs_blob_state to)
{
    (void)pthread_mutex_lock(&writer->lock);
    gs_blob_state before = writer->states[member];
    if (before == only_from) {
        writer->states[member] = to;
    }
    (void)pthread_mutex_unlock(&writer->lock);
    return before;
}

bool gs_writer_has(const gs_writer *writer, const gs_digest *blob)
{
    const gs_member *member = gs_layout_find(&writer->layout, blob);
    if (!member) {
        return false;
    }
    /* The lock is not part of what the caller sees as the writer's value. */
    pthread_mutex_t *lock = (pthread_mutex_t *)&writer->lock;
    (void)pthread_mutex_lock(lock);
    bool there = writer->states[number_of(writer, member)] == GS_BLOB_THERE;
    (void)pthread_mutex_unlock(lock);
    return there;
}

int gs_writer_take(gs_writer *writer, const gs_digest *blob, size_t *member, gs_error *err)
{
    char text[GS_DIGEST_TEXT];
    gs_digest_text(blob, text);
    const gs_member *found = gs_layout_find(&writer->layout, blob);
    if (!found) {
        return gs_fail(err, GS_EINTERNAL, "%s is not in the plan of the bundle", text);
    }
    if (swap_state(writer, number_of(writer, found), GS_BLOB_ABSENT, GS_BLOB_ARRIVING) != GS_BLOB_ABSENT) {
        return gs_fail(err, GS_EINTERNAL, "%s is in the bundle or on its way already", text);
    }
    *member = number_of(writer, found);
    return 0;
}

void gs_writer_settle(gs_writer *writer, size_t member, bool there)
{
    (void)pthread_mutex_lock(&writer->lock);
    writer->states[member] = there ? GS_BLOB_THERE : GS_BLOB_ABSENT;
    (void)pthread_mutex_unlock(&writer->lock);
}

int gs_writer_fail_digest(const gs_member *member, const gs_digest *found, gs_error *err)
{
    char promised[GS_DIGEST_TEXT];
    char arrived[GS_DIGEST_TEXT];
    gs_digest_text(&member->digest, promised);
    gs_digest_text(found, arrived);
    return gs_fail(err, GS_EDIGEST, "content was promised as %s, but is %s", promised, arrived);
}

static int finish(gs_writer *writer, size_t member, gs_chunk_hash *hash, gs_error *err)
{
    gs_digest found;
    int code = gs_chunk_hash_finish(hash, &found, err);
    if (code == 0 && !gs_digest_equal(&found, &writer->layout.members[member].digest)) {
        code = gs_writer_fail_digest(&writer->layout.members[member], &found, err);
    }
    return code;
}

int gs_writer_prove(gs_writer *writer, size_t member, gs_error *err)
{
    const gs_member *m = &writer->layout.members[member];
    GS_AUTO_FREE unsigned char *buffer = malloc(GS_BUFFER_BYTES);
    if (!buffer) {
        return gs_fail_nomem(err);
    }
    gs_chunk_hash hash;
    int code = gs_chunk_hash_init(&hash, m->size, gs_writer_chunks(writer, member), err);
    if (code != 0) {
        return code;
    }
    for (uint64_t at = 0; code == 0 && at < m->size;) {
        uint64_t left = m->size - at;
        size_t piece = left < GS_BUFFER_BYTES ? (size_t)left : GS_BUFFER_BYTES;
        code = gs_check_stop(writer->run, 2, err);
        code = code == 0 ? gs_medium_read(&writer->file, buffer, piece, m->offset + at, err) : code;
        code = code == 0 ? gs_chunk_hash_add(&hash, buffer, piece, err) : code;
        at += piece;
    }
    code = code == 0 ? finish(writer, member, &hash, err) : code;
    gs_chunk_hash_done(&hash);
    return code;
}

static int copy_from(gs_writer *writer, const gs_digest *blob, const gs_medium *from, uint64_t offset, gs_error *err)
{
    size_t member;
    int code = gs_writer_take(writer, blob, &member, err);
    if (code != 0) {
        return code;
    }
    const gs_member *m = &writer->layout.members[member];
    code = gs_medium_copy(from, offset, &writer->file, m->offset, m->size, err);
    gs_medium_write_behind(&writer->file, m->offset, m->size);
    code = code == 0 ? gs_writer_prove(writer, member, err) : code;
    code = code == 0 ? gs_writer_frame(writer, member, err) : code;
    gs_writer_settle(writer, member, code == 0);
    return code;
}

int gs_writer_copy(gs_writer *writer, const gs_digest *blob, int fd, uint64_t offset, gs_error *err)
{
    gs_part borrowed = {.fd = fd};
    const gs_medium from = {.parts = &borrowed, .count = 1, .slice = UINT64_MAX};
    return copy_from(writer, blob, &from, offset, err);
}

int gs_writer_reuse(gs_writer *writer, const gs_digest *blob, const gs_verified *from, gs_error *err)
{
    const gs_member *member = gs_verified_blob(from, blob);
    if (!member) {
        return gs_fail(err, GS_EINTERNAL, "the bundle to be copied from does not carry the blob");
    }
    return copy_from(writer, blob, &from->file->medium, member->offset, err);
}

/* What arrives in small pieces is written in large ones: each write locks the file against the other blobs' writers. */
typedef struct blob_sink {
    gs_writer *writer;
    size_t member;
    gs_chunk_hash hash;
    uint64_t written;
    uint64_t urged; /* of those written, on their way to the disk */
    size_t held;    /* bytes in buffer, behind those written */
    unsigned char buffer[GS_BUFFER_BYTES];
} blob_sink;

static int flush(blob_sink *sink, gs_error *err)
{
    const uint64_t start = sink->writer->layout.members[sink->member].offset;
    int code = gs_medium_write(&sink->writer->file, sink->buffer, sink->held, start + sink->written, err);
    if (code != 0) {
        return code;
    }
    sink->written += sink->held;
    sink->held = 0;
    if (sink->written - sink->urged >= GS_CHUNK_BYTES) {
        gs_medium_write_behind(&sink->writer->file, start + sink->urged, sink->written - sink->urged);
        sink->urged = sink->written;
    }
    return 0;
}

static int blob_sink_write(void *state, const void *data, size_t len, gs_error *err)
{
    blob_sink *sink = state;
    const gs_member *m = &sink->writer->layout.members[sink->member];
    if (len > m->size - sink->hash.passed) {
        char text[GS_DIGEST_TEXT];
        gs_digest_text(&m->digest, text);
        return gs_fail(err, GS_EDIGEST, "%s was promised with %" PRIu64 " bytes, but it is longer", text, m->size);
    }
    int code = gs_chunk_hash_add(&sink->hash, data, len, err);
    for (const unsigned char *bytes = data; code == 0 && len > 0;) {
        size_t room = sizeof sink->buffer - sink->held;
        size_t piece = len < room ? len : room;
        memcpy(sink->buffer + sink->held, bytes, piece);
        sink->held += piece;
        bytes += piece;
        len -= piece;
        code = sink->held == sizeof sink->buffer ? flush(sink, err) : 0;
    }
    return code;
}

static int prove_arrived(blob_sink *sink, gs_error *err)
{
    const gs_member *m = &sink->writer->layout.members[sink->member];
    if (sink->hash.passed != m->size) {
        char text[GS_DIGEST_TEXT];
        gs_digest_text(&m->digest, text);
        return gs_fail(err, GS_EDIGEST, "%s was promised with %" PRIu64 " bytes, but ends after %" PRIu64, text, m->size,
                       sink->hash.passed);
    }
    int code = flush(sink, err);
    code = code == 0 ? finish(sink->writer, sink->member, &sink->hash, err) : code;
    return code == 0 ? gs_writer_frame(sink->writer, sink->member, err) : code;
}

static int blob_sink_close(void *state, bool cancelled, gs_error *err)
{
    blob_sink *sink = state;
    int code = cancelled ? 0 : prove_arrived(sink, err);
    gs_writer_settle(sink->writer, sink->member, !cancelled && code == 0);
    gs_chunk_hash_done(&sink->hash);
    free(sink);
    return code;
}

int gs_writer_blob(gs_writer *writer, const gs_digest *blob, gs_sink **out, gs_error *err)
{
    static const gs_sink_ops ops = {.write = blob_sink_write, .close = blob_sink_close, .proves = true};
    blob_sink *sink = malloc(sizeof *sink);
    if (!sink) {
        return gs_fail_nomem(err);
    }
    sink->writer = writer;
    sink->written = 0;
    sink->urged = 0;
    sink->held = 0;
    int code = gs_writer_take(writer, blob, &sink->member, err);
    if (code != 0) {
        free(sink);
        return code;
    }
    const gs_member *m = &writer->layout.members[sink->member];
    code = gs_chunk_hash_init(&sink->hash, m->size, gs_writer_chunks(writer, sink->member), err);
    if (code != 0) {
        gs_writer_settle(writer, sink->member, false);
        free(sink);
        return code;
    }
    return gs_sink_new(&ops, sink, out, err);
}
