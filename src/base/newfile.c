/* Publishing: a file gets its name only when all its bytes are on the disk. Knows nothing of what is in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs_internal.h"
#include "gapship/fs.h"

/* So that ".NAME.RANDOM.tmp" stays below the usual 255 bytes of a name whatever NAME is. */
#define KEPT_NAME_BYTES 200

/* Length of the part of path up to and with its last slash. */
static size_t parent_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

static int make_temporary_name(const char *name, char **out, gs_error *err)
{
    char random[GS_RANDOM_TEXT];
    int code = gs_fs_random_name(random, err);
    if (code != 0) {
        return code;
    }
    int parent = (int)parent_length(name);
    char *text = NULL;
    if (asprintf(&text, "%.*s.%.*s.%s.tmp", parent, name, KEPT_NAME_BYTES, name + parent, random) < 0) {
        return gs_fail_nomem(err);
    }
    *out = text;
    return 0;
}

/* The mode whatever the umask is. FAT has no modes and refuses: there it stays what the mount says. */
static int set_mode(int fd, mode_t mode, const char *name, gs_error *err)
{
    if (fchmod(fd, mode) != 0 && errno != EPERM && errno != EOPNOTSUPP) {
        return gs_fs_fail(err, errno, "cannot set the permissions", name);
    }
    return 0;
}

int gs_newfile_begin(gs_newfile *file, int dirfd, const char *name, mode_t mode, gs_error *err)
{
    GS_AUTO_NEWFILE gs_newfile made = {.fd = -1, .dirfd = dirfd, .name = strdup(name)};
    if (!made.name) {
        return gs_fail_nomem(err);
    }
    GS_AUTO_FREE char *temporary = NULL;
    int code = make_temporary_name(name, &temporary, err);
    if (code != 0) {
        return code;
    }
    made.fd = openat(dirfd, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (made.fd < 0) {
        return gs_fs_fail(err, errno, "cannot make a file", name);
    }
    made.temporary = GS_STEAL(temporary);
    code = set_mode(made.fd, mode, name, err);
    if (code == 0) {
        *file = made;
        made = (gs_newfile)GS_NEWFILE_INIT;
    }
    return code;
}

/* Without RENAME_NOREPLACE (NFS has none) a hard link does the same: it never replaces. */
static int rename_exclusively(const gs_newfile *file)
{
    if (renameat2(file->dirfd, file->temporary, file->dirfd, file->name, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return -1;
    }
    if (linkat(file->dirfd, file->temporary, file->dirfd, file->name, 0) != 0) {
        return -1;
    }
    return unlinkat(file->dirfd, file->temporary, 0);
}

static int publish(gs_newfile *file, bool replace, gs_error *err)
{
    int code = gs_fs_sync(file->fd, err);
    if (code == 0) {
        code = gs_fs_close(&file->fd, err);
    }
    if (code != 0) {
        (void)gs_error_at(err, "%s", file->name);
        return code;
    }
    int failed = replace ? renameat(file->dirfd, file->temporary, file->dirfd, file->name) : rename_exclusively(file);
    if (failed) {
        return gs_fs_fail(err, errno, "cannot give the finished file its name", file->name);
    }
    free(file->temporary);
    file->temporary = NULL;
    size_t parent = parent_length(file->name);
    GS_AUTO_FREE char *directory = parent > 0 ? strndup(file->name, parent) : strdup(".");
    return directory ? gs_fs_sync_dir(file->dirfd, directory, err) : gs_fail_nomem(err);
}

int gs_newfile_commit(gs_newfile *file, bool replace, gs_error *err)
{
    int code = publish(file, replace, err);
    gs_newfile_done(file);
    return code;
}

void gs_newfile_done(gs_newfile *file)
{
    gs_fs_close_p(&file->fd);
    if (file->temporary) {
        (void)unlinkat(file->dirfd, file->temporary, 0);
    }
    free(file->temporary);
    free(file->name);
    *file = (gs_newfile)GS_NEWFILE_INIT;
}
