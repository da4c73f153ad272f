/* Files with secrets: read only when nobody else can read them. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gapship/fs.h"

int gs_fs_check_secret(int fd, gs_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return gs_fail_errno(err, errno, "cannot look at the file");
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) == 0 && (info.st_uid == geteuid() || geteuid() == 0)) {
        return 0;
    }
    gs_fail(err, GS_ESPEC, "others can read this secret (mode %04o)", (unsigned)(info.st_mode & 07777));
    return gs_error_hint(err, "chmod 600 it; if it was on a shared machine, replace the secret too");
}

int gs_fs_read_secret(int dirfd, const char *path, gs_buf *out, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    uint64_t size = 0;
    int rc = gs_fs_open_read(dirfd, path, false, &fd, &size, err);
    if (rc == 0) {
        rc = gs_fs_check_secret(fd, err);
    }
    void *room = rc == 0 ? gs_buf_reserve(out, (size_t)size) : NULL;
    if (rc == 0 && !room) {
        rc = gs_buf_check(out, err);
    }
    if (rc == 0) {
        rc = gs_fs_pread(fd, room, (size_t)size, 0, err);
    }
    if (rc < 0) {
        return gs_error_at(err, "%s", path);
    }
    out->len += (size_t)size;
    return 0;
}
