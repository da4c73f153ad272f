/* A private place for the files of one run, gone when the run is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fs_internal.h"
#include "gapship/fs.h"

int gs_tempdir_make(gs_tempdir *dir, gs_error *err)
{
    /* Children run in other directories, so a relative TMPDIR could not be passed on to them. */
    const char *parent = getenv("TMPDIR");
    parent = parent && parent[0] == '/' ? parent : "/tmp";
    char random[GS_RANDOM_TEXT];
    int code = gs_fs_random_name(random, err);
    if (code != 0) {
        return code;
    }
    char *text = NULL;
    if (asprintf(&text, "%s/gapship-%s", parent, random) < 0) {
        return gs_fail_nomem(err);
    }
    GS_AUTO_FREE char *path = text;
    if (mkdirat(AT_FDCWD, path, 0700) != 0) {
        code = gs_fs_fail(err, errno, "cannot make a temporary directory", path);
        (void)gs_error_hint(err, "set TMPDIR to a directory that can be written");
        return code;
    }
    int fd = -1;
    code = gs_fs_open_dir(AT_FDCWD, path, &fd, err);
    if (code != 0) {
        gs_tempdir made = {.fd = -1, .path = GS_STEAL(path)};
        gs_tempdir_done(&made);
        return code;
    }
    *dir = (gs_tempdir){.fd = fd, .path = GS_STEAL(path)};
    return 0;
}

void gs_tempdir_done(gs_tempdir *dir)
{
    gs_fs_close_p(&dir->fd);
    if (dir->path) {
        /* Cleanup at the end of a run whose result is known: what cannot be removed is left to the system's own cleaning of /tmp.
         */
        int ignored = gs_fs_remove_tree(AT_FDCWD, dir->path, NULL);
        (void)ignored;
    }
    free(dir->path);
    dir->path = NULL;
}
