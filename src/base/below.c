/* Making what an archive names, below a directory that is private and can be made again: no symbolic link is followed, nothing that
 * is there is written to, and nothing is synced. Knows no archive. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs_internal.h"
#include "gapship/fs.h"
#include "gapship/text.h"

#define DIRECTORY_MODE 0755

/* Makes one component in *at unless there, and moves *at into it. */
static int enter(int *at, const char *name, const char *path, gs_error *err)
{
    bool made = mkdirat(*at, name, DIRECTORY_MODE) == 0;
    if (!made && errno != EEXIST) {
        return gs_fs_fail(err, errno, "cannot make the directory", path);
    }
    int fd = openat(*at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || (made && fchmod(fd, DIRECTORY_MODE) != 0)) {
        int errnum = errno;
        gs_fs_close_p(&fd);
        return gs_fs_fail(err, errnum, "cannot make the directory", path);
    }
    gs_fs_close_p(at);
    *at = fd;
    return 0;
}

/* Enters the first len bytes of path, made where they are not there. The fd is the caller's. */
static int enter_all(int dirfd, const char *path, size_t len, int *out, gs_error *err)
{
    char name[NAME_MAX + 1];
    if (!gs_path_valid(path)) {
        (void)gs_fail(err, GS_ESPEC, "the path leads out of the directory or has a character that is not allowed");
        return gs_error_at(err, "%s", path);
    }
    int at = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) {
        return gs_fs_fail(err, errno, "cannot open the directory", path);
    }
    for (size_t from = 0; from < len;) {
        size_t part = strcspn(path + from, "/");
        memcpy(name, path + from, part);
        name[part] = '\0';
        int code = enter(&at, name, path, err);
        if (code != 0) {
            gs_fs_close_p(&at);
            return code;
        }
        from += part + 1;
    }
    *out = at;
    return 0;
}

int gs_fs_make_below(int dirfd, const char *path, gs_error *err)
{
    GS_AUTO_FD int at = -1;
    return enter_all(dirfd, path, strlen(path), &at, err);
}

int gs_fs_create_below(int dirfd, const char *path, mode_t mode, int *fd, gs_error *err)
{
    GS_AUTO_FD int at = -1;
    const char *slash = strrchr(path, '/');
    int code = enter_all(dirfd, path, slash ? (size_t)(slash - path) : 0, &at, err);
    if (code != 0) {
        return code;
    }
    int made = openat(at, slash ? slash + 1 : path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (made < 0 || fchmod(made, mode) != 0) {
        int errnum = errno;
        gs_fs_close_p(&made);
        return gs_fs_fail(err, errnum, "cannot make the file", path);
    }
    *fd = made;
    return 0;
}
