/* Whole directory trees: finding every regular file below a directory, and removing one with all below. Follows no symbolic link.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs_internal.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"

/* Longer than any valid path below the start, so that gs_path_valid is what refuses it. */
#define PATH_BYTES GS_KIB(16)

typedef struct mount {
    uint64_t device;
    uint64_t id; /* tells bind mounts of one file system apart; 0 where the kernel does not say */
} mount;

static void close_dir(DIR **dir)
{
    if (*dir) {
        (void)closedir(*dir);
    }
}
#define AUTO_DIR __attribute__((cleanup(close_dir)))

/* The next name but "." and "..". NULL in *name at the end. */
static int next_name(DIR *dir, const char **name, gs_error *err)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry && errno != 0) {
            return gs_fs_fail(err, errno, "cannot read the directory", NULL);
        }
        if (!entry || (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)) {
            *name = entry ? entry->d_name : NULL;
            return 0;
        }
    }
}

/* The tree being gone through: where in it, for errors and results, and on which mount it began. */
typedef struct tree {
    gs_buf path;
    int depth;
    mount start;
} tree;

/* Opens a directory of the tree for reading its names; refuses a symbolic link and too deep a nesting. */
static int open_names(const tree *at, int parent, const char *name, DIR **out, gs_error *err)
{
    if (at->depth > GS_MAX_TREE_DEPTH) {
        return gs_fail(err, GS_ELIMIT, "directories are nested deeper than %d", GS_MAX_TREE_DEPTH);
    }
    GS_AUTO_FD int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        return gs_fs_fail(err, errno, "cannot open the directory", NULL);
    }
    fd = -1;
    *out = dir;
    return 0;
}

/* Appends a name to the path; *before is for leave(). */
static int enter(tree *at, const char *name, size_t *before, gs_error *err)
{
    *before = at->path.len;
    if (at->path.len > 0) {
        gs_buf_add(&at->path, "/", 1);
    }
    gs_buf_add_text(&at->path, name);
    at->depth++;
    return gs_buf_check(&at->path, err);
}

static void leave(tree *at, size_t before)
{
    at->path.len = before;
    at->depth--;
}

/* Adds the path to an error that has none yet: only the innermost caller knows the whole of it. */
static int place(tree *at, int code, gs_error *err)
{
    if (code != 0 && err && err->where[0] == '\0') {
        (void)gs_error_at(err, "%s", gs_buf_text(&at->path));
    }
    return code;
}

static int mount_of(int fd, mount *out, gs_error *err)
{
    struct statx info;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &info) != 0) {
        return gs_fs_fail(err, errno, "cannot examine", NULL);
    }
    out->device = ((uint64_t)info.stx_dev_major << 32) | info.stx_dev_minor;
    out->id = info.stx_mask & STATX_MNT_ID ? info.stx_mnt_id : 0;
    return 0;
}

static int check_mount(tree *at, int fd, gs_error *err)
{
    mount here;
    int code = mount_of(fd, &here, err);
    if (code == 0 && at->depth == 0) {
        at->start = here;
    } else if (code == 0 && (here.device != at->start.device || here.id != at->start.id)) {
        code = gs_fail(err, GS_EIO, "another file system is mounted here, and its content is left alone");
        (void)gs_error_hint(err, "unmount it first");
    }
    return code;
}

/* Removes name in parent, a directory with all below it. at->path already ends in name. */
static int remove_entry(tree *at, int parent, const char *name, gs_error *err)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) {
        return 0;
    }
    if (errno != EISDIR) {
        return place(at, gs_fs_fail(err, errno, "cannot remove", NULL), err);
    }
    AUTO_DIR DIR *dir = NULL;
    int code = open_names(at, parent, name, &dir, err);
    if (code == 0) {
        code = check_mount(at, dirfd(dir), err);
    }
    const char *child = NULL;
    while (code == 0 && (code = next_name(dir, &child, err)) == 0 && child) {
        size_t before;
        code = enter(at, child, &before, err);
        if (code == 0) {
            code = remove_entry(at, dirfd(dir), child, err);
        }
        leave(at, before);
    }
    if (code == 0 && unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
        code = gs_fs_fail(err, errno, "cannot remove the directory", NULL);
    }
    return place(at, code, err);
}

int gs_fs_remove_tree(int dirfd, const char *path, gs_error *err)
{
    tree at = {.depth = 0};
    gs_buf_init(&at.path, PATH_BYTES);
    gs_buf_add_text(&at.path, path);
    int code = gs_buf_check(&at.path, err);
    if (code == 0) {
        code = remove_entry(&at, dirfd, path, err);
    }
    gs_buf_done(&at.path);
    return code;
}

typedef struct walk {
    tree at;
    gs_arena *arena;
    gs_buf found; /* gs_fs_entry after gs_fs_entry */
    size_t max_entries;
} walk;

static int add_file(walk *w, const struct stat *info, gs_error *err)
{
    if (w->found.len / sizeof(gs_fs_entry) >= w->max_entries) {
        return gs_fail(err, GS_ELIMIT, "more than %zu files", w->max_entries);
    }
    gs_fs_entry entry = {.path = gs_arena_text(w->arena, gs_buf_text(&w->at.path)),
                         .size = (uint64_t)info->st_size,
                         .executable = (info->st_mode & S_IXUSR) != 0};
    gs_buf_add(&w->found, &entry, sizeof entry);
    return entry.path ? gs_buf_check(&w->found, err) : gs_fail_nomem(err);
}

static int walk_directory(walk *w, int parent, const char *name, gs_error *err);

/* at.path already ends in name. */
static int walk_entry(walk *w, int parent, const char *name, gs_error *err)
{
    struct stat info;
    if (!gs_path_valid(gs_buf_text(&w->at.path))) {
        (void)gs_fail(err, GS_ESPEC, "the name has control characters or a backslash, is not UTF-8, or is too long");
        (void)gs_error_hint(err, "rename it");
        return GS_ESPEC;
    }
    if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return gs_fs_fail(err, errno, "cannot examine", NULL);
    }
    if (S_ISREG(info.st_mode)) {
        return add_file(w, &info, err);
    }
    if (S_ISDIR(info.st_mode)) {
        return strcmp(name, ".git") == 0 ? 0 : walk_directory(w, parent, name, err);
    }
    (void)gs_fail(err, GS_ESPEC, "this is a %s; only files and directories can be taken",
                  S_ISLNK(info.st_mode) ? "symbolic link" : "special file");
    (void)gs_error_hint(err, "replace it by a copy of what it stands for, or remove it");
    return GS_ESPEC;
}

static int walk_directory(walk *w, int parent, const char *name, gs_error *err)
{
    AUTO_DIR DIR *dir = NULL;
    int code = open_names(&w->at, parent, name, &dir, err);
    const char *child = NULL;
    while (code == 0 && (code = next_name(dir, &child, err)) == 0 && child) {
        size_t before;
        code = enter(&w->at, child, &before, err);
        if (code == 0) {
            code = walk_entry(w, dirfd(dir), child, err);
        }
        (void)place(&w->at, code, err);
        leave(&w->at, before);
    }
    return place(&w->at, code, err);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const gs_fs_entry *)a)->path, ((const gs_fs_entry *)b)->path);
}

static void start_walk(walk *w, gs_arena *arena, size_t max_entries)
{
    *w = (walk){.arena = arena, .max_entries = max_entries};
    gs_buf_init(&w->at.path, PATH_BYTES);
    gs_buf_init(&w->found, SIZE_MAX);
}

/* Hands out what was found, sorted, unless code says that the walk failed; frees the rest. */
static int end_walk(walk *w, int code, gs_fs_entry **entries, size_t *count, gs_error *err)
{
    size_t found = w->found.len / sizeof(gs_fs_entry);
    gs_fs_entry *sorted = NULL;
    if (code == 0) {
        sorted = gs_arena_array(w->arena, found, sizeof *sorted);
        code = sorted ? 0 : gs_fail_nomem(err);
    }
    if (code == 0 && found > 0) {
        memcpy(sorted, w->found.data, w->found.len);
        qsort(sorted, found, sizeof *sorted, compare_paths);
    }
    gs_buf_done(&w->found);
    gs_buf_done(&w->at.path);
    if (code == 0) {
        *entries = sorted;
        *count = found;
    }
    return code;
}

int gs_fs_walk(int dirfd, size_t max_entries, gs_arena *arena, gs_fs_entry **entries, size_t *count, gs_error *err)
{
    walk w;
    start_walk(&w, arena, max_entries);
    int code = walk_directory(&w, dirfd, ".", err);
    return end_walk(&w, code, entries, count, err);
}

/* Adds name when it is a regular file. What has gone since its name was read is none. */
static int list_entry(walk *w, int parent, const char *name, gs_error *err)
{
    struct stat info;
    if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? 0 : gs_fs_fail(err, errno, "cannot examine", name);
    }
    if (!S_ISREG(info.st_mode)) {
        return 0;
    }
    size_t before;
    int code = enter(&w->at, name, &before, err);
    if (code == 0) {
        code = add_file(w, &info, err);
    }
    leave(&w->at, before);
    return code;
}

int gs_fs_list(int dirfd, const char *path, gs_arena *arena, gs_fs_entry **entries, size_t *count, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    int code = gs_fs_open_dir(dirfd, path, &fd, err);
    if (code != 0) {
        return code;
    }
    walk w;
    start_walk(&w, arena, GS_MAX_ARCHIVE_ENTRIES);
    AUTO_DIR DIR *dir = NULL;
    code = open_names(&w.at, fd, ".", &dir, err);
    const char *name = NULL;
    while (code == 0 && (code = next_name(dir, &name, err)) == 0 && name) {
        code = list_entry(&w, fd, name, err);
    }
    if (code != 0) {
        (void)gs_error_at(err, "%s", path);
    }
    return end_walk(&w, code, entries, count, err);
}
