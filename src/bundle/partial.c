/* The files of a bundle in the making: their names, how they are opened again after an interruption, the room they need, and how they
 * get their final names. Knows nothing of what is in them but the header of a volume. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gapship/fs.h"
#include "gapship/num.h"
#include "volume.h"
#include "writer_internal.h"

static bool is_split(const gs_writer *writer)
{
    return writer->file.lead > 0;
}

/* ---- names ---- */

/* Number 0 is the one whole file. malloc'ed. */
static int make_name(const char *path, size_t number, bool partial, char **out, gs_error *err)
{
    const char *end = partial ? ".partial" : "";
    char *name = NULL;
    int made = number == 0 ? asprintf(&name, "%s%s", path, end) : asprintf(&name, "%s.%03zu%s", path, number, end);
    if (made < 0) {
        return gs_fail_nomem(err);
    }
    *out = name;
    return 0;
}

static int is_there(const char *path, size_t number, bool partial, bool *there, gs_error *err)
{
    GS_AUTO_FREE char *name = NULL;
    int code = make_name(path, number, partial, &name, err);
    if (code == 0) {
        *there = gs_fs_exists(AT_FDCWD, name);
    }
    return code;
}

static int fail_exists(const char *path, size_t number, gs_error *err)
{
    GS_AUTO_FREE char *name = NULL;
    int code = make_name(path, number, false, &name, err);
    if (code != 0) {
        return code;
    }
    (void)gs_fail(err, GS_EEXISTS, "the bundle exists already");
    (void)gs_error_hint(err, "remove it, name another with -o, or replace it with --force");
    (void)gs_error_at(err, "%s", name);
    return GS_EEXISTS;
}

/* Whether a volume with its final name is one that an interrupted build gave it to: it is no unfinished one any more. */
static int is_own(const char *path, size_t number, bool *own, gs_error *err)
{
    bool partial = false;
    int code = is_there(path, number, true, &partial, err);
    *own = !partial;
    return code;
}

/* interrupted: volumes behind the first may have their names already. */
static int check_names(const char *path, bool split, bool interrupted, gs_error *err)
{
    const size_t last = split ? GS_MAX_VOLUMES : 0;
    int code = 0;
    for (size_t number = split ? 1 : 0; code == 0 && number <= last; number++) {
        bool there = false;
        bool own = false;
        code = is_there(path, number, false, &there, err);
        if (code == 0 && there && interrupted && number > 1) {
            code = is_own(path, number, &own, err);
        }
        if (code == 0 && there && !own) {
            code = fail_exists(path, number, err);
        }
    }
    return code;
}

int gs_writer_check_free(const char *path, bool split, gs_error *err)
{
    bool interrupted = false;
    int code = split ? is_there(path, 1, true, &interrupted, err) : 0;
    return code == 0 ? check_names(path, split, interrupted, err) : code;
}

int gs_partial_check_free(const gs_writer *writer, gs_error *err)
{
    return check_names(writer->path, is_split(writer), false, err);
}

static int fail_volumes(const gs_writer *writer, uint64_t slice, uint64_t count, gs_error *err)
{
    char size[GS_SIZE_TEXT];
    gs_format_size(writer->layout.total_length, size);
    (void)gs_fail(err, GS_ELIMIT, "the bundle of %s would become %" PRIu64 " volumes, and %u are the most", size, count,
                  GS_MAX_VOLUMES);
    (void)gs_error_hint(err, "make them larger: --volume-size %" PRIu64 "MiB",
                        (writer->layout.total_length / GS_MAX_VOLUMES + slice % GS_BLOCK + GS_BLOCK) / GS_MIB(1) + 1);
    return GS_ELIMIT;
}

/* The size is what the user has room for: the header counts. */
static int split(gs_writer *writer, uint64_t volume_size, gs_error *err)
{
    const gs_layout *layout = &writer->layout;
    const uint64_t head = GS_ENVELOPE_OFFSET + layout->envelope_size;
    const uint64_t rounded = volume_size - volume_size % GS_BLOCK;
    if (rounded < GS_BLOCK + head) {
        (void)gs_fail(err, GS_ELIMIT, "volumes of %" PRIu64 " bytes are too small for this bundle, whose head has %" PRIu64,
                      volume_size, head);
        (void)gs_error_hint(err, "make them larger: --volume-size %" PRIu64 "MiB", (GS_BLOCK + head) / GS_MIB(1) + 1);
        return GS_ELIMIT;
    }
    const uint64_t room = rounded - GS_BLOCK;
    const uint64_t slice = room < layout->total_length ? room : layout->total_length;
    const uint64_t count = gs_volume_count(layout->total_length, slice);
    if (count > GS_MAX_VOLUMES) {
        return fail_volumes(writer, slice, count, err);
    }
    return gs_medium_split((size_t)count, GS_BLOCK, slice, layout->total_length, &writer->file, err);
}

int gs_partial_name(gs_writer *writer, uint64_t volume_size, gs_error *err)
{
    int code = volume_size > 0 ? split(writer, volume_size, err)
                               : gs_medium_split(1, 0, UINT64_MAX, writer->layout.total_length, &writer->file, err);
    for (size_t i = 0; code == 0 && i < writer->file.count; i++) {
        code = make_name(writer->path, is_split(writer) ? i + 1 : 0, true, &writer->file.parts[i].path, err);
    }
    return code;
}

/* ---- opening ---- */

static uint64_t file_length(const gs_medium *file, size_t i)
{
    return file->lead + gs_medium_part_length(file, i);
}

/* A volume that had its final name when the build was interrupted becomes an unfinished one again: the first has none yet, so that no
 * bundle was there. */
static int take_back(gs_writer *writer, size_t i, gs_error *err)
{
    GS_AUTO_NEWFILE gs_newfile file = {.fd = -1, .dirfd = AT_FDCWD};
    GS_AUTO_FREE char *name = NULL;
    const char *partial = writer->file.parts[i].path;
    uint64_t length = 0;
    int code = make_name(writer->path, i + 1, false, &name, err);
    if (code != 0 || !gs_fs_exists(AT_FDCWD, name) || gs_fs_exists(AT_FDCWD, partial)) {
        return code;
    }
    file.name = strdup(partial);
    code = file.name ? gs_fs_open_locked(name, false, &file.fd, &length, err) : gs_fail_nomem(err);
    if (code != 0) {
        return code;
    }
    file.temporary = GS_STEAL(name);
    return gs_newfile_commit(&file, false, err);
}

/* The first is opened, and so locked, before anything is done about the others. present: the length of each. */
static int open_files(gs_writer *writer, uint64_t *present, gs_error *err)
{
    gs_medium *file = &writer->file;
    bool begun = is_split(writer) && gs_fs_exists(AT_FDCWD, file->parts[0].path);
    bool published = false;
    int code = 0;
    for (size_t i = 0; code == 0 && i < file->count; i++) {
        if (i == 1) {
            code = is_there(writer->path, 1, false, &published, err);
        }
        if (code == 0 && i > 0 && begun && !published) {
            code = take_back(writer, i, err);
        }
        code = code == 0 ? gs_fs_open_locked(file->parts[i].path, true, &file->parts[i].fd, &present[i], err) : code;
    }
    return code;
}

/* Unfinished volumes of a build that had more of them. */
static int remove_surplus(const gs_writer *writer, bool partial, gs_error *err)
{
    int code = 0;
    for (size_t number = writer->file.count + 1; code == 0 && is_split(writer) && number <= GS_MAX_VOLUMES; number++) {
        GS_AUTO_FREE char *name = NULL;
        code = make_name(writer->path, number, partial, &name, err);
        code = code == 0 ? gs_fs_remove(AT_FDCWD, name, err) : code;
    }
    return code;
}

/* ---- room ---- */

/* Says before hours of fetching that the disk is too small. */
static int check_space(const gs_writer *writer, gs_error *err)
{
    const gs_medium *file = &writer->file;
    const uint64_t wanted = file->length + file->count * file->lead;
    uint64_t space = 0;
    uint64_t inodes = 0;
    uint64_t own = 0;
    for (size_t i = 0; i < file->count; i++) {
        struct stat info;
        if (fstat(file->parts[i].fd, &info) != 0) {
            return gs_fail_errno(err, errno, "cannot examine the unfinished bundle");
        }
        own += (uint64_t)info.st_blocks * 512;
    }
    int code = gs_fs_space(file->parts[0].fd, &space, &inodes, err);
    if (code == 0 && wanted > own && wanted - own > space) {
        char needed[GS_SIZE_TEXT];
        char there[GS_SIZE_TEXT];
        gs_format_size(wanted - own, needed);
        gs_format_size(space, there);
        code = gs_fail(err, GS_ENOSPACE, "the bundle needs another %s, but the disk has %s free", needed, there);
        (void)gs_error_hint(err, "name another place with -o, or make room");
    }
    return code;
}

/* What could be reserved of a full disk is given back, but nothing of what an earlier run has brought. */
static void give_back(const gs_writer *writer, const uint64_t *present)
{
    const gs_medium *file = &writer->file;
    for (size_t i = 0; i < file->count; i++) {
        if (present[i] != file_length(file, i) && gs_fs_allocate(file->parts[i].fd, 0, NULL) != 0) {
            gs_emit(writer->run, GS_WARNING, "partialKept", NULL, 0, "%s: takes room on the full disk; remove it",
                    file->parts[i].path);
        }
    }
}

/* What is of another length than it will have belongs to another layout. */
static int discard(gs_writer *writer, const uint64_t *present, bool *any_fits, gs_error *err)
{
    const gs_medium *file = &writer->file;
    bool told = false;
    int code = 0;
    for (size_t i = 0; code == 0 && i < file->count; i++) {
        if (present[i] == file_length(file, i)) {
            *any_fits = true;
        } else if (present[i] > 0) {
            if (!told) {
                gs_emit(writer->run, GS_NOTICE, "partialDiscarded", NULL, 0, "%s: is of another layout and begun anew",
                        file->parts[i].path);
            }
            told = true;
            code = gs_fs_allocate(file->parts[i].fd, 0, err);
        }
    }
    return code;
}

static int make_room(gs_writer *writer, const uint64_t *present, bool *resumed, gs_error *err)
{
    const gs_medium *file = &writer->file;
    int code = discard(writer, present, resumed, err);
    code = code == 0 ? check_space(writer, err) : code;
    if (code != 0) {
        return code;
    }
    for (size_t i = 0; code == 0 && i < file->count; i++) {
        code = gs_fs_allocate(file->parts[i].fd, file_length(file, i), err);
    }
    if (code != 0) {
        give_back(writer, present);
    }
    return code;
}

/* From here until the seal nobody takes the files for a bundle. */
static int write_markers(const gs_writer *writer, gs_error *err)
{
    unsigned char marker[GS_BLOCK] = {0};
    int code = 0;
    memcpy(marker, GS_PARTIAL_MAGIC, GS_MAGIC_BYTES);
    for (size_t i = 0; code == 0 && is_split(writer) && i < writer->file.count; i++) {
        code = gs_medium_write_lead(&writer->file, i, marker, err);
    }
    return code == 0 ? gs_medium_write(&writer->file, marker, GS_ENVELOPE_HEADER, GS_ENVELOPE_OFFSET, err) : code;
}

int gs_partial_open(gs_writer *writer, bool *resumed, gs_error *err)
{
    GS_AUTO_FREE uint64_t *present = calloc(writer->file.count, sizeof *present);
    if (!present) {
        return gs_fail_nomem(err);
    }
    int code = open_files(writer, present, err);
    code = code == 0 ? remove_surplus(writer, true, err) : code;
    code = code == 0 ? make_room(writer, present, resumed, err) : code;
    return code == 0 ? write_markers(writer, err) : code;
}

/* ---- the end ---- */

int gs_partial_write_headers(const gs_writer *writer, const gs_digest *digest, gs_error *err)
{
    const gs_medium *file = &writer->file;
    int code = 0;
    for (size_t i = 0; code == 0 && is_split(writer) && i < file->count; i++) {
        unsigned char header[GS_BLOCK];
        const gs_volume volume = {.number = (uint32_t)(i + 1),
                                  .count = (uint32_t)file->count,
                                  .slice = file->slice,
                                  .total = file->length,
                                  .bundle = *digest};
        gs_volume_write(&volume, header);
        code = gs_medium_write_lead(file, i, header, err);
    }
    return code;
}

static int publish_file(gs_writer *writer, size_t i, bool replace, gs_error *err)
{
    GS_AUTO_NEWFILE gs_newfile file = {.fd = -1, .dirfd = AT_FDCWD};
    int code = make_name(writer->path, is_split(writer) ? i + 1 : 0, false, &file.name, err);
    char *temporary = code == 0 ? strdup(writer->file.parts[i].path) : NULL;
    if (!temporary) {
        return code != 0 ? code : gs_fail_nomem(err);
    }
    file.temporary = temporary;
    file.fd = writer->file.parts[i].fd;
    writer->file.parts[i].fd = -1;
    return gs_newfile_commit(&file, replace, err);
}

/* Before volumes of an old bundle are replaced, its first one goes: from then on the rest is none, and no mixture ever looks like one.
 */
static int withdraw(const gs_writer *writer, gs_error *err)
{
    GS_AUTO_FREE char *first = NULL;
    int code = make_name(writer->path, 1, false, &first, err);
    return code == 0 ? gs_fs_remove(AT_FDCWD, first, err) : code;
}

/* The lock is held until the first file has its name, or another build could take what is finished for unfinished. */
int gs_partial_publish(gs_writer *writer, bool replace, gs_error *err)
{
    GS_AUTO_FD int lock = fcntl(writer->file.parts[0].fd, F_DUPFD_CLOEXEC, 0);
    if (lock < 0) {
        return gs_fail_errno(err, errno, "cannot keep the lock");
    }
    int code = replace && is_split(writer) ? withdraw(writer, err) : 0;
    for (size_t i = writer->file.count; code == 0 && i-- > 1;) {
        code = publish_file(writer, i, replace, err);
    }
    if (code == 0 && replace) {
        code = remove_surplus(writer, false, err);
    }
    return code == 0 ? publish_file(writer, 0, replace, err) : code;
}
