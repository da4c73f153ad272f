/* Begins a bundle, or goes on with an unfinished one: lays it out, finds out which blobs are there. Its files are in partial.c, how
 * blobs arrive in blob_sink.c, how it ends in seal.c. */
#include "writer_internal.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "chunk_hash.h"
#include "gapship/fs.h"
#include "gapship/num.h"
#include "tar.h"

gs_digest *gs_writer_chunks(gs_writer *writer, size_t member)
{
    return writer->layout.chunks + writer->layout.first_chunk[member];
}

int gs_writer_frame(gs_writer *writer, size_t member, gs_error *err)
{
    const gs_member *m = &writer->layout.members[member];
    static const unsigned char zeros[GS_BLOCK];
    unsigned char header[GS_BLOCK];
    char name[GS_MEMBER_NAME];
    gs_member_name(m, name);
    gs_tar_header(name, m->size, header);
    int code = gs_medium_write(&writer->file, zeros, gs_tar_padding(m->size), m->offset + m->size, err);
    return code == 0 ? gs_medium_write(&writer->file, header, sizeof header, m->offset - GS_BLOCK, err) : code;
}

/* The three members that are known whole. */
static int put_known(gs_writer *writer, size_t member, const void *data, gs_error *err)
{
    gs_member *m = &writer->layout.members[member];
    gs_chunk_hash hash;
    int code = gs_medium_write(&writer->file, data, (size_t)m->size, m->offset, err);
    code = code == 0 ? gs_chunk_hash_init(&hash, m->size, gs_writer_chunks(writer, member), err) : code;
    if (code != 0) {
        return code;
    }
    code = gs_chunk_hash_add(&hash, data, (size_t)m->size, err);
    code = code == 0 ? gs_chunk_hash_finish(&hash, &m->digest, err) : code;
    gs_chunk_hash_done(&hash);
    code = code == 0 ? gs_writer_frame(writer, member, err) : code;
    if (code == 0) {
        writer->states[member] = GS_BLOB_THERE;
    }
    return code;
}

static int keep_statement(gs_writer *writer, const gs_statement *statement, gs_error *err)
{
    gs_statement *kept = &writer->statement;
    *kept = *statement;
    kept->product = gs_arena_text(writer->arena, statement->product);
    kept->version = gs_arena_text(writer->arena, statement->version);
    kept->upgrades_from = statement->upgrades_from ? gs_arena_text(writer->arena, statement->upgrades_from) : NULL;
    kept->total_length = writer->layout.total_length;
    kept->envelope_size = writer->layout.envelope_size;
    kept->index_size = writer->layout.index_size;
    return kept->product && kept->version && (kept->upgrades_from || !statement->upgrades_from) ? 0 : gs_fail_nomem(err);
}

static int new_writer(const gs_run *run, const char *path, const gs_writer_plan *plan, gs_writer **out, gs_error *err)
{
    GS_AUTO_WRITER gs_writer *writer = calloc(1, sizeof *writer);
    if (!writer || pthread_mutex_init(&writer->lock, NULL) != 0) {
        free(GS_STEAL(writer));
        return gs_fail_nomem(err);
    }
    writer->run = run;
    int code = gs_layout_make(plan, &writer->layout, err);
    if (code != 0) {
        return code;
    }
    writer->arena = gs_arena_new();
    writer->path = writer->arena ? gs_arena_text(writer->arena, path) : NULL;
    writer->states = calloc(writer->layout.count, sizeof *writer->states);
    if (!writer->path || !writer->states) {
        return gs_fail_nomem(err);
    }
    code = keep_statement(writer, &plan->statement, err);
    code = code == 0 ? gs_writer_keep_roots(writer, plan, err) : code;
    code = code == 0 ? gs_partial_name(writer, plan->volume_size, err) : code;
    if (code == 0) {
        *out = GS_STEAL(writer);
    }
    return code;
}

/* Whether the header that is written last for each blob stands before this one. */
static bool is_framed(const gs_writer *writer, size_t member)
{
    const gs_member *m = &writer->layout.members[member];
    unsigned char expected[GS_BLOCK];
    unsigned char found[GS_BLOCK];
    char name[GS_MEMBER_NAME];
    gs_member_name(m, name);
    gs_tar_header(name, m->size, expected);
    return gs_medium_read(&writer->file, found, sizeof found, m->offset - GS_BLOCK, NULL) == 0 &&
           memcmp(found, expected, sizeof found) == 0;
}

typedef struct resuming {
    gs_writer *writer;
    size_t *members; /* that are framed */
    uint64_t total;
    _Atomic uint64_t done;
} resuming;

static int resume_blob(void *state, size_t i, gs_error *err)
{
    resuming *r = state;
    size_t member = r->members[i];
    int code = gs_writer_prove(r->writer, member, err);
    uint64_t size = r->writer->layout.members[member].size;
    uint64_t done = atomic_fetch_add(&r->done, size) + size;
    gs_report_progress(r->writer->run, "resuming", done, r->total);
    /* A blob that is not what its header says is fetched again. */
    gs_writer_settle(r->writer, member, code == 0);
    return code == GS_EDIGEST ? 0 : code;
}

/* Re-hashes every blob that seems to be there, several at once. */
static int resume(gs_writer *writer, gs_error *err)
{
    const gs_layout *layout = &writer->layout;
    GS_AUTO_FREE size_t *members = calloc(layout->count, sizeof *members);
    if (!members) {
        return gs_fail_nomem(err);
    }
    resuming r = {.writer = writer, .members = members};
    size_t count = 0;
    for (size_t i = GS_FIRST_BLOB; i < layout->count; i++) {
        if (is_framed(writer, i)) {
            members[count++] = i;
            r.total += layout->members[i].size;
        }
    }
    int code = gs_parallel(writer->run ? writer->run->jobs : 0, count, resume_blob, &r, err);
    size_t there = 0;
    for (size_t i = 0; i < count; i++) {
        there += writer->states[members[i]] == GS_BLOB_THERE ? 1 : 0;
    }
    if (code == 0) {
        const gs_fact facts[] = {GS_NUMBER_FACT("blobs", there), GS_NUMBER_FACT("blobsInAll", layout->count - GS_FIRST_BLOB)};
        gs_emit(writer->run, GS_NOTICE, "partialResumed", facts, 2, "%s: going on with %zu of %zu blobs",
                writer->file.parts[0].path, there, layout->count - GS_FIRST_BLOB);
    }
    return code;
}

int gs_writer_begin(const gs_run *run, const char *path, const gs_writer_plan *plan, gs_writer **out, gs_error *err)
{
    GS_AUTO_WRITER gs_writer *writer = NULL;
    bool resumed = false;
    int code = new_writer(run, path, plan, &writer, err);
    if (code != 0) {
        return code;
    }
    code = gs_partial_open(writer, &resumed, err);
    code = code == 0 && resumed ? resume(writer, err) : code;
    code = code == 0 ? put_known(writer, 0, GS_OCI_LAYOUT, err) : code;
    code = code == 0 ? put_known(writer, 1, plan->index_json, err) : code;
    code = code == 0 ? put_known(writer, 2, plan->manifest_json, err) : code;
    if (code != 0) {
        if (err && err->where[0] == '\0') {
            (void)gs_error_at(err, "%s", writer->file.parts[0].path);
        }
        return code;
    }
    *out = GS_STEAL(writer);
    return 0;
}

uint64_t gs_writer_length(const gs_writer *writer)
{
    return writer->layout.total_length;
}

size_t gs_writer_volume_count(const gs_writer *writer)
{
    return writer->file.lead > 0 ? writer->file.count : 0;
}

void gs_writer_free(gs_writer *writer)
{
    if (writer) {
        gs_medium_done(&writer->file);
        gs_layout_done(&writer->layout);
        gs_arena_free(writer->arena);
        free(writer->states);
        (void)pthread_mutex_destroy(&writer->lock);
        free(writer);
    }
}

void gs_writer_free_p(gs_writer **writer)
{
    gs_writer_free(*writer);
    *writer = NULL;
}
