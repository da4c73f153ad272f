/* Bytes through an open descriptor: complete reads and writes, copies, room, fsync and close. Knows no paths: callers add them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs_internal.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/num.h"

static bool in_file_range(uint64_t offset, uint64_t len)
{
    uint64_t end;
    return gs_add_u64(offset, len, &end) && end <= (uint64_t)INT64_MAX;
}

int gs_fs_pread(int fd, void *out, size_t len, uint64_t offset, gs_error *err)
{
    char *into = out;
    if (!in_file_range(offset, len)) {
        return gs_fail(err, GS_ELIMIT, "cannot read at an offset beyond the largest file");
    }
    while (len > 0) {
        ssize_t got = pread(fd, into, len, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return gs_fs_fail(err, errno, "cannot read", NULL);
        }
        if (got == 0) {
            return gs_fail(err, GS_EIO, "the file ends early: at offset %llu another %zu bytes are missing",
                           (unsigned long long)offset, len);
        }
        into += got;
        len -= (size_t)got;
        offset += (uint64_t)got;
    }
    return 0;
}

int gs_fs_pwrite(int fd, const void *data, size_t len, uint64_t offset, gs_error *err)
{
    const char *from = data;
    if (!in_file_range(offset, len)) {
        return gs_fail(err, GS_ELIMIT, "cannot write at an offset beyond the largest file");
    }
    while (len > 0) {
        ssize_t put = pwrite(fd, from, len, (off_t)offset);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return gs_fs_fail(err, put < 0 ? errno : EIO, "cannot write", NULL);
        }
        from += put;
        len -= (size_t)put;
        offset += (uint64_t)put;
    }
    return 0;
}

static int copy_through_buffer(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t len, gs_error *err)
{
    GS_AUTO_FREE char *buffer = malloc(GS_BUFFER_BYTES);
    if (!buffer) {
        return gs_fail_nomem(err);
    }
    while (len > 0) {
        size_t part = len < GS_BUFFER_BYTES ? (size_t)len : GS_BUFFER_BYTES;
        int code = gs_fs_pread(from, buffer, part, from_offset, err);
        if (code == 0) {
            code = gs_fs_pwrite(to, buffer, part, to_offset, err);
        }
        if (code != 0) {
            return code;
        }
        from_offset += part;
        to_offset += part;
        len -= part;
    }
    return 0;
}

/* What copy_file_range says when it cannot serve this pair of files, while plain reads and writes can. EPERM comes from sandboxes.
 */
static bool is_unsupported(int errnum)
{
    return errnum == EXDEV || errnum == EINVAL || errnum == ENOSYS || errnum == EOPNOTSUPP || errnum == EPERM;
}

int gs_fs_copy_range(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t len, gs_error *err)
{
    if (!in_file_range(from_offset, len) || !in_file_range(to_offset, len)) {
        return gs_fail(err, GS_ELIMIT, "cannot copy at an offset beyond the largest file");
    }
    off_t in = (off_t)from_offset;
    off_t out = (off_t)to_offset;
    while (len > 0) {
        size_t part = len < GS_GIB(1) ? (size_t)len : GS_GIB(1);
        ssize_t copied = copy_file_range(from, &in, to, &out, part, 0);
        if (copied < 0 && errno == EINTR) {
            continue;
        }
        if (copied < 0 && !is_unsupported(errno)) {
            return gs_fs_fail(err, errno, "cannot copy", NULL);
        }
        if (copied <= 0) {
            /* 0 is the end of the file, but some file systems answer so for files that have no size; reading tells which. */
            return copy_through_buffer(from, (uint64_t)in, to, (uint64_t)out, len, err);
        }
        len -= (uint64_t)copied;
    }
    return 0;
}

/* A reservation that does not fit takes all that there is before it fails, and everybody else on the disk has nothing meanwhile. */
static int check_room(int fd, uint64_t size, gs_error *err)
{
    struct stat info;
    uint64_t space = 0;
    uint64_t inodes = 0;
    if (fstat(fd, &info) != 0) {
        return gs_fs_fail(err, errno, "cannot examine", NULL);
    }
    int code = gs_fs_space(fd, &space, &inodes, err);
    uint64_t own = (uint64_t)info.st_blocks * 512;
    return code == 0 && size > own && size - own > space ? gs_fs_fail(err, ENOSPC, "cannot reserve the room", NULL) : code;
}

int gs_fs_allocate(int fd, uint64_t size, gs_error *err)
{
    if (!in_file_range(0, size)) {
        return gs_fail(err, GS_ELIMIT, "a file of %llu bytes is larger than any file can be", (unsigned long long)size);
    }
    int code = check_room(fd, size, err);
    if (code != 0) {
        return code;
    }
    if (ftruncate(fd, (off_t)size) != 0) {
        return gs_fs_fail(err, errno, "cannot set the length", NULL);
    }
    /* Not posix_fallocate: where the file system cannot reserve, the C library would write to every block instead. */
    int failed = 0;
    do {
        failed = size > 0 ? fallocate(fd, 0, 0, (off_t)size) : 0;
    } while (failed && errno == EINTR);
    if (failed && errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS) {
        return gs_fs_fail(err, errno, "cannot reserve the room", NULL);
    }
    return 0;
}

void gs_fs_write_behind(int fd, uint64_t offset, uint64_t len)
{
    if (in_file_range(offset, len)) {
        (void)sync_file_range(fd, (off_t)offset, (off_t)len, SYNC_FILE_RANGE_WRITE);
    }
}

int gs_fs_sync(int fd, gs_error *err)
{
    /* EINVAL: this kind of file has nothing that could be synchronised, as directories on some network file systems. */
    if (fsync(fd) != 0 && errno != EINVAL) {
        return gs_fs_fail(err, errno, "cannot make what was written durable", NULL);
    }
    return 0;
}

int gs_fs_close(int *fd, gs_error *err)
{
    int closing = *fd;
    *fd = -1;
    /* After EINTR the descriptor is closed all the same on Linux; a second close could hit another thread's file. */
    if (closing >= 0 && close(closing) != 0 && errno != EINTR) {
        return gs_fs_fail(err, errno, "cannot finish writing", NULL);
    }
    return 0;
}

void gs_fs_close_p(int *fd)
{
    int saved = errno;
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
    errno = saved;
}
