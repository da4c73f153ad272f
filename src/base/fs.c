/* Names in the file system: opening, making, reading and removing by path. Knows no bundle and no format. What is done through an
 * open descriptor is in fd.c, publishing in newfile.c, whole trees in tree.c. */
#include "gapship/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fs_internal.h"
#include "gapship/limits.h"
#include "gapship/num.h"

int gs_fs_fail(gs_error *err, int errnum, const char *action, const char *path)
{
    int code;
    if (errnum == ENOENT) {
        code = gs_fail(err, GS_ENOTFOUND, "%s: there is no such file or directory", action);
    } else if (errnum == ENOTDIR) {
        code = gs_fail(err, GS_ENOTFOUND, "%s: a part of the path is not a directory", action);
    } else if (errnum == EEXIST) {
        code = gs_fail(err, GS_EEXISTS, "%s: it exists already", action);
    } else if (errnum == ELOOP) {
        code = gs_fail(err, GS_ESPEC, "%s: symbolic links are not followed here", action);
    } else {
        code = gs_fail_errno(err, errnum, "%s", action);
    }
    if (errnum == EACCES || errnum == EPERM) {
        (void)gs_error_hint(err, "check the owner and the permissions of the path and of the directories above it");
    } else if (errnum == EROFS) {
        (void)gs_error_hint(err, "the file system is mounted read-only: mount it writable, or name another path");
    } else if (errnum == EFBIG) {
        (void)gs_error_hint(err, "the file system cannot hold a file of this size (FAT32 ends at 4 GiB): use exFAT, ext4 or XFS");
    }
    if (path) {
        (void)gs_error_at(err, "%s", path);
    }
    return code;
}

/* A path that a user gave may lead through symbolic links. Below an open directory is what gapship wrote itself or what gs_fs_walk
 * has seen as a regular file: a link there was put in its place. */
static int link_flag(int dirfd, const char *path)
{
    return dirfd == AT_FDCWD || path[0] == '/' ? 0 : O_NOFOLLOW;
}

int gs_fs_open_read(int dirfd, const char *path, bool allow_block, int *fd, uint64_t *size, gs_error *err)
{
    /* O_NONBLOCK, because opening a FIFO would wait for its writer; it changes nothing for what passes the check below. */
    GS_AUTO_FD int opened = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | link_flag(dirfd, path));
    if (opened < 0) {
        return gs_fs_fail(err, errno, "cannot open", path);
    }
    struct stat info;
    if (fstat(opened, &info) != 0) {
        return gs_fs_fail(err, errno, "cannot examine", path);
    }
    off_t length = info.st_size;
    if (S_ISBLK(info.st_mode) && allow_block) {
        length = lseek(opened, 0, SEEK_END);
        if (length < 0 || lseek(opened, 0, SEEK_SET) < 0) {
            return gs_fs_fail(err, errno, "cannot find the size of the device", path);
        }
    } else if (!S_ISREG(info.st_mode)) {
        const char *kind = S_ISDIR(info.st_mode) ? "a directory" : S_ISBLK(info.st_mode) ? "a block device" : "a special file";
        (void)gs_fail(err, GS_ESPEC, "a regular file is needed here, and this is %s", kind);
        (void)gs_error_at(err, "%s", path);
        return GS_ESPEC;
    }
    *size = (uint64_t)length;
    *fd = opened;
    opened = -1;
    return 0;
}

int gs_fs_open_dir(int dirfd, const char *path, int *fd, gs_error *err)
{
    int opened = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | link_flag(dirfd, path));
    if (opened < 0) {
        return gs_fs_fail(err, errno, "cannot open the directory", path);
    }
    *fd = opened;
    return 0;
}

int gs_fs_sync_dir(int dirfd, const char *path, gs_error *err)
{
    GS_AUTO_FD int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return gs_fs_fail(err, errno, "cannot open the directory", path);
    }
    int code = gs_fs_sync(fd, err);
    if (code != 0) {
        (void)gs_error_at(err, "%s", path);
    }
    return code;
}

/* One component below *at: made unless there, *at moved into it. path is the whole, for the error. */
static int enter_component(int *at, const char *component, mode_t mode, const char *path, gs_error *err)
{
    if (mkdirat(*at, component, mode) == 0) {
        int code = gs_fs_sync_dir(*at, ".", err);
        if (code != 0) {
            return code;
        }
    } else if (errno != EEXIST) {
        return gs_fs_fail(err, errno, "cannot make the directory", path);
    }
    int below = openat(*at, component, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (below < 0) {
        return gs_fs_fail(err, errno, "cannot make the directory", path);
    }
    gs_fs_close_p(at);
    *at = below;
    return 0;
}

int gs_fs_make_dirs(int dirfd, const char *path, mode_t mode, gs_error *err)
{
    GS_AUTO_FREE char *copy = strdup(path);
    if (!copy) {
        return gs_fail_nomem(err);
    }
    GS_AUTO_FD int at = openat(dirfd, path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) {
        return gs_fs_fail(err, errno, "cannot make the directory", path);
    }
    char *rest = copy;
    for (char *component = strsep(&rest, "/"); component; component = strsep(&rest, "/")) {
        int code = *component ? enter_component(&at, component, mode, path, err) : 0;
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

/* Reads to the end, which may lie beyond what fstat said (in /proc it always does). Asks for `expected` bytes and one more first,
 * so that a buffer grows once for most files. */
static int read_to_end(int fd, gs_buf *out, uint64_t expected, gs_error *err)
{
    char beyond;
    for (;;) {
        size_t room = out->max - out->len;
        bool full = room == 0;
        size_t want = expected < GS_BUFFER_BYTES ? (size_t)expected + 1 : GS_BUFFER_BYTES;
        want = full ? sizeof beyond : room < want ? room : want;
        void *into = full ? &beyond : gs_buf_reserve(out, want);
        if (!into) {
            return gs_buf_check(out, err);
        }
        ssize_t got = read(fd, into, want);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return gs_fs_fail(err, errno, "cannot read", NULL);
        }
        if (got == 0) {
            return 0;
        }
        if (full) {
            return gs_fail(err, GS_ELIMIT, "larger than the %zu bytes that gapship accepts here", out->max);
        }
        out->len += (size_t)got;
        expected = (uint64_t)got < expected ? expected - (uint64_t)got : 0;
    }
}

int gs_fs_read_opened(int fd, uint64_t size, gs_buf *out, gs_error *err)
{
    int code = gs_buf_check(out, err);
    if (code != 0) {
        return code;
    }
    size_t before = out->len;
    code = read_to_end(fd, out, size, err);
    if (code != 0) {
        out->len = before;
        out->failed = 0;
    }
    (void)gs_buf_text(out);
    return code;
}

int gs_fs_read_file(int dirfd, const char *path, gs_buf *out, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    uint64_t size = 0;
    int code = gs_fs_open_read(dirfd, path, false, &fd, &size, err);
    if (code != 0) {
        return code;
    }
    code = gs_fs_read_opened(fd, size, out, err);
    if (code != 0) {
        (void)gs_error_at(err, "%s", path);
    }
    return code;
}

static int fill(gs_newfile *file, const void *data, size_t len, bool replace, gs_error *err)
{
    int code = gs_fs_pwrite(file->fd, data, len, 0, err);
    if (code != 0) {
        return gs_error_at(err, "%s", file->name);
    }
    return gs_newfile_commit(file, replace, err);
}

int gs_fs_write_file(int dirfd, const char *path, const void *data, size_t len, mode_t mode, gs_error *err)
{
    GS_AUTO_NEWFILE gs_newfile file = GS_NEWFILE_INIT;
    int code = gs_newfile_begin(&file, dirfd, path, mode, err);
    return code == 0 ? fill(&file, data, len, true, err) : code;
}

int gs_fs_write_new(const char *path, const gs_buf *data, gs_error *err)
{
    GS_AUTO_NEWFILE gs_newfile file = GS_NEWFILE_INIT;
    int code = gs_fs_exists(AT_FDCWD, path) ? GS_EEXISTS : gs_newfile_begin(&file, AT_FDCWD, path, 0644, err);
    if (code == 0) {
        code = fill(&file, data->data, data->len, false, err);
    }
    return code == GS_EEXISTS ? gs_fail(err, GS_EEXISTS, "%s exists already", path) : code;
}

bool gs_fs_exists(int dirfd, const char *path)
{
    struct stat info;
    return fstatat(dirfd, path, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

int gs_fs_remove(int dirfd, const char *path, gs_error *err)
{
    if (unlinkat(dirfd, path, 0) != 0 && errno != ENOENT) {
        return gs_fs_fail(err, errno, "cannot remove", path);
    }
    return 0;
}

char *gs_fs_real_path(const char *path)
{
    return realpath(path, NULL);
}

int gs_fs_space(int dirfd, uint64_t *bytes, uint64_t *inodes, gs_error *err)
{
    struct statvfs info;
    int failed = dirfd == AT_FDCWD ? statvfs(".", &info) : fstatvfs(dirfd, &info);
    if (failed) {
        return gs_fs_fail(err, errno, "cannot ask the file system for its free space", NULL);
    }
    uint64_t free_bytes;
    if (!gs_mul_u64(info.f_bavail, info.f_frsize, &free_bytes)) {
        free_bytes = UINT64_MAX;
    }
    *bytes = free_bytes;
    /* btrfs and others have no table of inodes and report none at all. */
    *inodes = info.f_files == 0 ? UINT64_MAX : info.f_favail;
    return 0;
}

int gs_fs_random_name(char out[GS_RANDOM_TEXT], gs_error *err)
{
    unsigned char bytes[(GS_RANDOM_TEXT - 1) / 2];
    ssize_t got;
    do {
        got = getrandom(bytes, sizeof bytes, 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof bytes) {
        return gs_fail_errno(err, got < 0 ? errno : EIO, "cannot get random bytes from the kernel");
    }
    gs_hex_encode(bytes, sizeof bytes, out);
    return 0;
}
