/* One directory: its regular files, and where a path really is. Goes into nothing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs_internal.h"
#include "gapship/fs.h"
#include "gapship/limits.h"

static int by_path(const void *a, const void *b)
{
    return strcmp(((const gs_fs_entry *)a)->path, ((const gs_fs_entry *)b)->path);
}

static int add_entry(gs_arena *arena, DIR *dir, const char *name, gs_fs_entry **entries, size_t *count, size_t *room, gs_error *err)
{
    struct stat status;
    if (fstatat(dirfd(dir), name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) {
        return 0; /* gone again, or no file */
    }
    if (*count >= GS_MAX_ARCHIVE_ENTRIES) {
        return gs_fail(err, GS_ELIMIT, "the directory has more than %u files", GS_MAX_ARCHIVE_ENTRIES);
    }
    if (*count == *room) {
        size_t larger_room = *room == 0 ? 32 : 2 * *room;
        gs_fs_entry *larger = gs_arena_array(arena, larger_room, sizeof *larger);
        if (!larger) {
            return gs_fail_nomem(err);
        }
        if (*count > 0) {
            memcpy(larger, *entries, *count * sizeof *larger);
        }
        *entries = larger;
        *room = larger_room;
    }
    gs_fs_entry *entry = &(*entries)[*count];
    *entry = (gs_fs_entry){.path = gs_arena_text(arena, name), .size = (uint64_t)status.st_size};
    entry->executable = (status.st_mode & S_IXUSR) != 0;
    if (!entry->path) {
        return gs_fail_nomem(err);
    }
    (*count)++;
    return 0;
}

int gs_fs_list(int dirfd, const char *path, gs_arena *arena, gs_fs_entry **out, size_t *count, gs_error *err)
{
    int fd = -1;
    gs_fs_entry *entries = NULL;
    size_t found = 0;
    size_t room = 0;
    int rc = gs_fs_open_dir(dirfd, path, &fd, err);
    if (rc < 0) {
        return rc;
    }
    DIR *dir = fdopendir(fd);
    if (!dir) {
        gs_fs_close_p(&fd);
        return gs_fail_errno(err, errno, "cannot read the directory");
    }
    const struct dirent *entry = NULL;
    do {
        errno = 0;
        entry = readdir(dir);
        if (!entry && errno != 0) {
            rc = gs_fail_errno(err, errno, "cannot read the directory");
        }
        if (entry) {
            rc = add_entry(arena, dir, entry->d_name, &entries, &found, &room, err);
        }
    } while (rc == 0 && entry);
    (void)closedir(dir);
    if (rc < 0) {
        return gs_error_at(err, "%s", path);
    }
    if (found > 0) {
        qsort(entries, found, sizeof *entries, by_path);
    }
    *out = entries;
    *count = found;
    return 0;
}

char *gs_fs_real_path(const char *path)
{
    return realpath(path, NULL);
}
