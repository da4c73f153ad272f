/* Reads every byte of a verified bundle once and checks it, on several threads, in little memory: the unit of work is a chunk, the
 * unit of reading a small buffer. Copying is the same with a write between. */
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "bundle_internal.h"
#include "gapship/fs.h"
#include "tar.h"

typedef struct checking {
    const gs_run *run;
    const gs_verified *verified;
    const char *what;
    size_t *first_unit; /* of each member; one more at the end */
    int copy;           /* -1, or where everything is written as well */
    _Atomic uint64_t done;
} checking;

/* The member that unit i belongs to: the last whose first unit is at or before i. */
static size_t find_member(const checking *c, size_t i)
{
    size_t low = 0;
    size_t high = c->verified->index.count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (c->first_unit[middle] <= i) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static int pass_piece(checking *c, gs_hash *hash, void *buffer, size_t len, uint64_t offset, gs_error *err)
{
    int code = gs_check_stop(c->run, 2, err);
    code = code == 0 ? gs_medium_read(&c->verified->file->medium, buffer, len, offset, err) : code;
    code = code == 0 ? gs_hash_add(hash, buffer, len, err) : code;
    if (code == 0 && c->copy >= 0) {
        code = gs_fs_pwrite(c->copy, buffer, len, offset, err);
    }
    return code;
}

static int pass_unit(checking *c, const gs_unit *unit, gs_digest *digest, gs_error *err)
{
    GS_AUTO_HASH gs_hash *hash = NULL;
    GS_AUTO_FREE unsigned char *buffer = malloc(GS_BUFFER_BYTES);
    if (!buffer) {
        return gs_fail_nomem(err);
    }
    /* Several threads read at several places, which the kernel's own guess at what comes next does not follow. */
    gs_medium_read_ahead(&c->verified->file->medium, unit->offset, unit->length);
    int code = gs_hash_new(&hash, err);
    for (size_t at = 0; code == 0 && at < unit->length;) {
        size_t left = unit->length - at;
        size_t piece = left < GS_BUFFER_BYTES ? left : GS_BUFFER_BYTES;
        code = pass_piece(c, hash, buffer, piece, unit->offset + at, err);
        at += piece;
    }
    return code == 0 ? gs_hash_finish(hash, digest, err) : code;
}

static int check_unit(void *state, size_t i, gs_error *err)
{
    checking *c = state;
    size_t number = find_member(c, i);
    const gs_member *member = &c->verified->index.members[number];
    gs_unit unit;
    gs_digest digest;
    gs_unit_get(&c->verified->index, member, i - c->first_unit[number], &unit);
    int code = pass_unit(c, &unit, &digest, err);
    if (code != 0) {
        gs_bundle_name_error(c->verified->file, err);
        return code;
    }
    if (!gs_digest_equal(&digest, &unit.digest)) {
        return gs_unit_fail(c->verified, member, &unit, err);
    }
    if (c->copy >= 0) {
        gs_fs_write_behind(c->copy, unit.offset, unit.length);
    }
    uint64_t done = atomic_fetch_add(&c->done, unit.length) + unit.length;
    gs_report_progress(c->run, c->what, done, c->verified->file->medium.length);
    return 0;
}

static unsigned job_count(const gs_run *run)
{
    if (run && run->jobs > 0) {
        return run->jobs;
    }
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors > 0 ? (unsigned)processors : GS_DEFAULT_JOBS;
}

static int check_all(const gs_run *run, const gs_verified *verified, const char *what, int copy, gs_error *err)
{
    const gs_index *index = &verified->index;
    GS_AUTO_FREE size_t *first_unit = calloc(index->count + 1, sizeof *first_unit);
    if (!first_unit) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < index->count; i++) {
        first_unit[i + 1] = first_unit[i] + (size_t)gs_unit_count(&index->members[i]);
    }
    checking c = {.run = run, .verified = verified, .what = what, .first_unit = first_unit, .copy = copy};
    /* Head and gaps were checked when the bundle was verified. */
    uint64_t content = 0;
    for (size_t i = 0; i < index->count; i++) {
        content += index->members[i].size;
    }
    atomic_init(&c.done, verified->file->medium.length - content);
    return gs_parallel(job_count(run), first_unit[index->count], check_unit, &c, err);
}

int gs_verified_check(const gs_run *run, const gs_verified *verified, gs_error *err)
{
    return check_all(run, verified, "verifying", -1, err);
}

/* Everything but the content is written from memory: the medium could show something else the second time. */
static int write_head(const gs_verified *verified, int fd, gs_error *err)
{
    const gs_bundle *file = verified->file;
    const gs_index *index = &verified->index;
    const uint64_t index_header = GS_ENVELOPE_OFFSET + file->envelope.size;
    unsigned char header[GS_BLOCK];
    gs_tar_header(GS_NAME_ENVELOPE, file->envelope.size, header);
    int code = gs_fs_pwrite(fd, header, sizeof header, 0, err);
    code = code == 0 ? gs_fs_pwrite(fd, file->head, file->envelope.size, GS_ENVELOPE_OFFSET, err) : code;
    gs_tar_header(GS_NAME_INDEX, index->size, header);
    code = code == 0 ? gs_fs_pwrite(fd, header, sizeof header, index_header, err) : code;
    return code == 0 ? gs_fs_pwrite(fd, index->data, index->size, index_header + GS_BLOCK, err) : code;
}

static int write_gaps(const gs_verified *verified, int fd, gs_error *err)
{
    const gs_index *index = &verified->index;
    uint64_t end = GS_ENVELOPE_OFFSET + verified->file->envelope.size + GS_BLOCK + index->size;
    int code = 0;
    for (size_t i = 0; code == 0 && i < index->count; i++) {
        unsigned char gap[GS_GAP_BYTES];
        size_t len = gs_gap_before(&index->members[i], end, gap);
        code = gs_fs_pwrite(fd, gap, len, end, err);
        end = index->members[i].offset + index->members[i].size;
    }
    if (code == 0) {
        unsigned char tail[GS_TAIL_BYTES];
        size_t len = gs_gap_at_end(end, tail);
        code = gs_fs_pwrite(fd, tail, len, end, err);
    }
    return code;
}

int gs_verified_copy(const gs_run *run, const gs_verified *verified, int fd, gs_error *err)
{
    int code = gs_fs_allocate(fd, verified->file->medium.length, err);
    code = code == 0 ? write_head(verified, fd, err) : code;
    code = code == 0 ? write_gaps(verified, fd, err) : code;
    return code == 0 ? check_all(run, verified, "copying", fd, err) : code;
}
