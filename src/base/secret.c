/* Files with secrets: used only when nobody else could have read or written them. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs_internal.h"
#include "gapship/fs.h"

int gs_fs_check_secret(int fd, gs_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return gs_fs_fail(err, errno, "cannot examine", NULL);
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        (void)gs_fail(err, GS_ESPEC, "others can read this secret (its mode is %04o)", (unsigned)(info.st_mode & 07777));
        (void)gs_error_hint(err, "chmod 600 it; where others work on this machine, replace the secret too");
        return GS_ESPEC;
    }
    /* Root reads what is anybody's: it is the operator who says which file to take. */
    if (info.st_uid != geteuid() && geteuid() != 0) {
        (void)gs_fail(err, GS_ESPEC, "this secret belongs to another user (id %u)", (unsigned)info.st_uid);
        (void)gs_error_hint(err, "run as its owner, or make a file of your own");
        return GS_ESPEC;
    }
    return 0;
}

int gs_fs_read_secret(int dirfd, const char *path, gs_buf *out, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    uint64_t size = 0;
    int code = gs_fs_open_read(dirfd, path, false, &fd, &size, err);
    if (code != 0) {
        return code;
    }
    code = gs_fs_check_secret(fd, err);
    if (code == 0) {
        code = gs_fs_read_opened(fd, size, out, err);
    }
    if (code != 0) {
        (void)gs_error_at(err, "%s", path);
    }
    return code;
}
