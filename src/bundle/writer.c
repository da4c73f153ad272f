/* Begins a bundle, or goes on with an unfinished one: lays it out, makes room for it, finds out which blobs are there. How blobs
 * arrive is in blob_sink.c, how it ends in seal.c. */
#include "writer_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "chunk_hash.h"
#include "envelope.h"
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
    int code = gs_fs_pwrite(writer->fd, zeros, gs_tar_padding(m->size), m->offset + m->size, err);
    return code == 0 ? gs_fs_pwrite(writer->fd, header, sizeof header, m->offset - GS_BLOCK, err) : code;
}

/* The three members that are known whole. */
static int put_known(gs_writer *writer, size_t member, const void *data, gs_error *err)
{
    gs_member *m = &writer->layout.members[member];
    gs_chunk_hash hash;
    int code = gs_fs_pwrite(writer->fd, data, (size_t)m->size, m->offset, err);
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
    writer->fd = -1;
    int code = gs_layout_make(plan, &writer->layout, err);
    if (code != 0) {
        return code;
    }
    writer->arena = gs_arena_new();
    writer->path = writer->arena ? gs_arena_text(writer->arena, path) : NULL;
    writer->partial = writer->arena ? gs_arena_printf(writer->arena, "%s.partial", path) : NULL;
    writer->states = calloc(writer->layout.count, sizeof *writer->states);
    if (!writer->path || !writer->partial || !writer->states) {
        return gs_fail_nomem(err);
    }
    code = keep_statement(writer, &plan->statement, err);
    code = code == 0 ? gs_writer_keep_roots(writer, plan, err) : code;
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
    return gs_fs_pread(writer->fd, found, sizeof found, m->offset - GS_BLOCK, NULL) == 0 &&
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
        gs_emit(writer->run, GS_NOTICE, "partialResumed", facts, 2, "%s: going on with %zu of %zu blobs", writer->partial, there,
                layout->count - GS_FIRST_BLOB);
    }
    return code;
}

/* Says before hours of fetching that the disk is too small. */
static int check_space(const gs_writer *writer, gs_error *err)
{
    struct stat info;
    uint64_t space = 0;
    uint64_t inodes = 0;
    if (fstat(writer->fd, &info) != 0) {
        return gs_fail_errno(err, errno, "cannot examine the unfinished bundle");
    }
    int code = gs_fs_space(writer->fd, &space, &inodes, err);
    uint64_t own = (uint64_t)info.st_blocks * 512;
    if (code == 0 && writer->layout.total_length > own && writer->layout.total_length - own > space) {
        char needed[GS_SIZE_TEXT];
        char there[GS_SIZE_TEXT];
        gs_format_size(writer->layout.total_length - own, needed);
        gs_format_size(space, there);
        code = gs_fail(err, GS_ENOSPACE, "the bundle needs another %s, but the disk has %s free", needed, there);
        (void)gs_error_hint(err, "name another place with -o, or make room");
    }
    return code;
}

/* present: the length of what an earlier run has left. */
static int make_room(gs_writer *writer, uint64_t present, gs_error *err)
{
    const bool fits = present == writer->layout.total_length;
    int code = 0;
    if (!fits && present > 0) {
        gs_emit(writer->run, GS_NOTICE, "partialDiscarded", NULL, 0, "%s: is of another layout and begun anew", writer->partial);
        code = gs_fs_allocate(writer->fd, 0, err);
    }
    code = code == 0 ? check_space(writer, err) : code;
    if (code == 0) {
        code = gs_fs_allocate(writer->fd, writer->layout.total_length, err);
        /* What could be reserved of a full disk is given back. */
        if (code != 0 && !fits && gs_fs_allocate(writer->fd, 0, NULL) != 0) {
            gs_emit(writer->run, GS_WARNING, "partialKept", NULL, 0, "%s: takes room on the full disk; remove it", writer->partial);
        }
    }
    return code;
}

/* From here until the seal nobody takes the file for a bundle. */
static int write_marker(const gs_writer *writer, gs_error *err)
{
    unsigned char marker[GS_ENVELOPE_HEADER] = {0};
    memcpy(marker, GS_PARTIAL_MAGIC, GS_MAGIC_BYTES);
    return gs_fs_pwrite(writer->fd, marker, sizeof marker, GS_ENVELOPE_OFFSET, err);
}

int gs_writer_begin(const gs_run *run, const char *path, const gs_writer_plan *plan, gs_writer **out, gs_error *err)
{
    GS_AUTO_WRITER gs_writer *writer = NULL;
    uint64_t present = 0;
    int code = new_writer(run, path, plan, &writer, err);
    code = code == 0 ? gs_fs_open_locked(writer->partial, true, &writer->fd, &present, err) : code;
    if (code != 0) {
        return code;
    }
    code = make_room(writer, present, err);
    code = code == 0 ? write_marker(writer, err) : code;
    code = code == 0 && present == writer->layout.total_length ? resume(writer, err) : code;
    code = code == 0 ? put_known(writer, 0, GS_OCI_LAYOUT, err) : code;
    code = code == 0 ? put_known(writer, 1, plan->index_json, err) : code;
    code = code == 0 ? put_known(writer, 2, plan->manifest_json, err) : code;
    if (code != 0) {
        (void)gs_error_at(err, "%s", writer->partial);
        return code;
    }
    *out = GS_STEAL(writer);
    return 0;
}

uint64_t gs_writer_length(const gs_writer *writer)
{
    return writer->layout.total_length;
}

void gs_writer_free(gs_writer *writer)
{
    if (writer) {
        gs_fs_close_p(&writer->fd);
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
