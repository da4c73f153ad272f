/* A private place for the files of one run, gone when the run is. A run that was killed leaves its own behind; the next one removes
 * it, because what was rendered there may hold secrets. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs_internal.h"
#include "gapship/fs.h"
#include "gapship/text.h"

#define PREFIX    "gapship-work-"
#define NAME_TEXT (sizeof PREFIX + GS_RANDOM_TEXT - 1)

/* Removes a directory whose maker is dead: nobody holds its lock. */
static void remove_dead(int parent, const char *name)
{
    GS_AUTO_FD int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat info;
    if (fd >= 0 && fstat(fd, &info) == 0 && info.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        int ignored = gs_fs_remove_tree(parent, name, NULL);
        (void)ignored; /* as in gs_tempdir_done */
    }
}

static void remove_leftovers(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) {
        return;
    }
    const struct dirent *entry = NULL;
    while ((entry = readdir(dir)) != NULL) {
        const size_t len = strlen(PREFIX);
        if (gs_text_starts(entry->d_name, PREFIX) && strlen(entry->d_name) == len + GS_RANDOM_TEXT - 1 &&
            strspn(entry->d_name + len, "0123456789abcdef") == GS_RANDOM_TEXT - 1) {
            remove_dead(dirfd(dir), entry->d_name);
        }
    }
    (void)closedir(dir);
}

/* Made under another name and locked before it gets its own, so that no other run takes it for a leftover. */
static int make_locked(int parent, const char random[GS_RANDOM_TEXT], char name[NAME_TEXT], int *fd, gs_error *err)
{
    char unlocked[NAME_TEXT + 1];
    (void)snprintf(name, NAME_TEXT, PREFIX "%.*s", GS_RANDOM_TEXT - 1, random);
    (void)snprintf(unlocked, sizeof unlocked, "." PREFIX "%.*s", GS_RANDOM_TEXT - 1, random);
    if (mkdirat(parent, unlocked, 0700) != 0) {
        return gs_fs_fail(err, errno, "cannot make a temporary directory", NULL);
    }
    GS_AUTO_FD int made = openat(parent, unlocked, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (made < 0 || flock(made, LOCK_EX | LOCK_NB) != 0 || renameat(parent, unlocked, parent, name) != 0) {
        int code = gs_fs_fail(err, errno, "cannot make a temporary directory", NULL);
        (void)unlinkat(parent, unlocked, AT_REMOVEDIR);
        return code;
    }
    *fd = made;
    made = -1;
    return 0;
}

int gs_tempdir_make(gs_tempdir *dir, gs_error *err)
{
    /* Children run in other directories, so a relative TMPDIR could not be passed on to them. */
    const char *parent = getenv("TMPDIR");
    parent = parent && parent[0] == '/' ? parent : "/tmp";
    char random[GS_RANDOM_TEXT];
    char name[NAME_TEXT];
    GS_AUTO_FD int parent_fd = -1;
    int fd = -1;
    remove_leftovers(parent);
    int code = gs_fs_random_name(random, err);
    code = code == 0 ? gs_fs_open_dir(AT_FDCWD, parent, &parent_fd, err) : code;
    code = code == 0 ? make_locked(parent_fd, random, name, &fd, err) : code;
    if (code != 0) {
        (void)gs_error_at(err, "%s", parent);
        return gs_error_hint(err, "set TMPDIR to a directory that can be written");
    }
    char *path = NULL;
    if (asprintf(&path, "%s/%s", parent, name) < 0) {
        (void)unlinkat(parent_fd, name, AT_REMOVEDIR);
        gs_fs_close_p(&fd);
        return gs_fail_nomem(err);
    }
    *dir = (gs_tempdir){.fd = fd, .path = path};
    return 0;
}

void gs_tempdir_done(gs_tempdir *dir)
{
    if (dir->path) {
        /* Cleanup at the end of a run whose result is known: what cannot be removed is left to the next one. */
        int ignored = gs_fs_remove_tree(AT_FDCWD, dir->path, NULL);
        (void)ignored;
    }
    gs_fs_close_p(&dir->fd);
    free(dir->path);
    dir->path = NULL;
}
