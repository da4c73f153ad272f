/* Opens files that are changed in place, under a lock on the file itself. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "gapship/fs.h"

static int fail_open(int errnum, const char *path, gs_error *err)
{
    int code = errnum == ENOENT ? gs_fail(err, GS_ENOTFOUND, "there is no such file")
                                : gs_fail_errno(err, errnum, "cannot open for writing");
    (void)gs_error_at(err, "%s", path);
    return code;
}

static int lock(int fd, const char *path, gs_error *err)
{
    int failed;
    do {
        failed = flock(fd, LOCK_EX | LOCK_NB);
    } while (failed && errno == EINTR);
    if (!failed) {
        return 0;
    }
    int code = GS_ELOCKED;
    if (errno == EWOULDBLOCK) {
        (void)gs_fail(err, GS_ELOCKED, "another process is writing this file");
        (void)gs_error_hint(err, "wait until it has ended; `fuser -v %s` shows what it is", path);
    } else {
        code = gs_fail_errno(err, errno, "cannot lock");
    }
    (void)gs_error_at(err, "%s", path);
    return code;
}

/* Between open and lock the file may have got its final name from the process that had the lock, and path may be another one now.
 */
static bool is_still(const struct stat *opened, const char *path)
{
    struct stat named;
    return fstatat(AT_FDCWD, path, &named, 0) == 0 && opened->st_dev == named.st_dev && opened->st_ino == named.st_ino;
}

static int examine(int fd, const char *path, struct stat *info, gs_error *err)
{
    int code = 0;
    if (fstat(fd, info) != 0) {
        code = gs_fail_errno(err, errno, "cannot examine");
    } else if (!S_ISREG(info->st_mode)) {
        code = gs_fail(err, GS_ESPEC, "this is not a regular file");
    }
    if (code != 0) {
        (void)gs_error_at(err, "%s", path);
    }
    return code;
}

int gs_fs_open_locked(const char *path, bool create, int *fd, uint64_t *size, gs_error *err)
{
    const int flags = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (create ? O_CREAT | O_NOFOLLOW : 0);
    for (;;) {
        GS_AUTO_FD int opened = openat(AT_FDCWD, path, flags, 0644);
        if (opened < 0) {
            return fail_open(errno, path, err);
        }
        struct stat info;
        int code = lock(opened, path, err);
        code = code == 0 ? examine(opened, path, &info, err) : code;
        if (code != 0) {
            return code;
        }
        if (is_still(&info, path)) {
            *size = (uint64_t)info.st_size;
            *fd = opened;
            opened = -1;
            return 0;
        }
    }
}
