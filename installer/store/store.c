/* The store as a directory: made, opened, locked. Knows nothing of what is in a bundle (keep.c) nor in the ledger. What is missing
 * or foreign is an error here, never a reason to start anew: an empty store would accept any old bundle again. */
#include "gapship/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

#define VERSION_FILE  "VERSION"
#define VERSION_TEXT  "gapship store 1"
#define VERSION_BYTES 256
#define LOCK_FILE     "lock"

static const char *const directories[] = {GS_STORE_BUNDLES, "git", "logs"};
/* What an interrupted creation may have left: VERSION is written last, so without it nothing was ever kept here. */
static const char *const unfinished[] = {GS_STORE_BUNDLES, "git", "logs", "ledger.sqlite", "ledger.sqlite-journal"};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool listed(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool left_by_creation(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || listed(name, unfinished, COUNT(unfinished)) ||
           (gs_text_starts(name, "." VERSION_FILE ".") && gs_text_ends(name, ".tmp"));
}

static int fail_foreign(const char *path, const char *name, gs_error *err)
{
    (void)gs_fail(err, GS_EEXISTS, "the directory is not empty: it holds '%s'", name);
    (void)gs_error_at(err, "%s", path);
    return gs_error_hint(err, "name a new or empty directory for the store");
}

/* Only an empty directory, or what an interrupted creation left, becomes a store. */
static int check_unused(int fd, const char *path, gs_error *err)
{
    if (gs_fs_exists(fd, VERSION_FILE)) {
        (void)gs_fail(err, GS_EEXISTS, "there is a store already");
        return gs_error_at(err, "%s", path);
    }
    int copy = -1;
    int code = gs_fs_open_dir(fd, ".", &copy, err);
    if (code != 0) {
        return code;
    }
    DIR *dir = fdopendir(copy);
    if (!dir) {
        code = gs_fail_errno(err, errno, "cannot read the directory");
        gs_fs_close_p(&copy);
        return code;
    }
    errno = 0;
    const struct dirent *entry;
    while (code == 0 && (entry = readdir(dir)) != NULL) {
        if (!left_by_creation(entry->d_name)) {
            code = fail_foreign(path, entry->d_name, err);
        }
    }
    if (code == 0 && errno != 0) {
        code = gs_fail_errno(err, errno, "cannot read the directory");
    }
    (void)closedir(dir);
    return code;
}

int gs_store_create(const char *path, gs_error *err)
{
    int code = gs_fs_make_dirs(AT_FDCWD, path, 0700, err);
    if (code != 0) {
        return code;
    }
    GS_AUTO_FD int fd = -1;
    code = gs_fs_open_dir(AT_FDCWD, path, &fd, err);
    if (code == 0) {
        code = check_unused(fd, path, err);
    }
    for (size_t i = 0; code == 0 && i < COUNT(directories); i++) {
        code = gs_fs_make_dirs(fd, directories[i], 0700, err);
    }
    return code == 0 ? gs_fs_write_file(fd, VERSION_FILE, VERSION_TEXT "\n", strlen(VERSION_TEXT "\n"), 0440, err) : code;
}

static int fail_state(const char *path, const char *hint, gs_error *err, const char *what)
{
    (void)gs_fail(err, GS_ESTATE, "%s", what);
    (void)gs_error_at(err, "%s", path);
    (void)gs_error_hint(err, "%s", hint);
    return GS_ESTATE;
}

static int check_permissions(int fd, const char *path, gs_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        (void)gs_fail_errno(err, errno, "cannot examine");
        return gs_error_at(err, "%s", path);
    }
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) == 0) {
        return 0;
    }
    (void)gs_fail(err, GS_ESTATE, "the store can be written by others (mode %04o)", (unsigned)info.st_mode & 07777u);
    (void)gs_error_at(err, "%s", path);
    return gs_error_hint(err, "check what they may have changed (`gapship history --audit`), then run `chmod go-w %s`", path);
}

static int check_version(int fd, const char *path, gs_error *err)
{
    gs_buf text;
    gs_buf_init(&text, VERSION_BYTES);
    int code = gs_fs_read_file(fd, VERSION_FILE, &text, err);
    if (code == GS_ENOTFOUND || code == GS_ELIMIT) {
        code = fail_state(path, "name the store's directory under `store` in site.yaml; a new one is made by `gapship site init`",
                          err, "this directory is not a gapship store: it has no VERSION");
    } else if (code == 0) {
        char *newline = memchr(text.data, '\n', text.len);
        if (newline) {
            *newline = '\0';
        }
        if (strcmp(gs_buf_text(&text), VERSION_TEXT) != 0) {
            (void)gs_fail(err, GS_ESTATE, "the store is of version '%s', and this gapship knows '%s'", gs_buf_text(&text),
                          VERSION_TEXT);
            (void)gs_error_at(err, "%s/%s", path, VERSION_FILE);
            code = gs_error_hint(err, "use the gapship that the store was last used with, or a newer one");
        }
    }
    gs_buf_done(&text);
    return code;
}

static int check_directories(gs_store *store, gs_error *err)
{
    for (size_t i = 0; i < COUNT(directories); i++) {
        if (!gs_fs_exists(store->fd, directories[i])) {
            (void)gs_fail(err, GS_ESTATE, "the store lacks its directory '%s'", directories[i]);
            (void)gs_error_at(err, "%s", store->path);
            return gs_error_hint(err, "restore the store from a backup; part of it was removed");
        }
    }
    return gs_fs_open_dir(store->fd, GS_STORE_BUNDLES, &store->bundles, err);
}

int gs_store_open(const char *path, gs_store **out, gs_error *err)
{
    GS_AUTO_STORE gs_store *store = calloc(1, sizeof *store);
    if (!store) {
        return gs_fail_nomem(err);
    }
    store->fd = -1;
    store->bundles = -1;
    store->path = strdup(path);
    if (!store->path) {
        return gs_fail_nomem(err);
    }
    int code = gs_fs_open_dir(AT_FDCWD, path, &store->fd, err);
    if (code == GS_ENOTFOUND) {
        return fail_state(path, "a site's store is made by `gapship site init`; if this site had one, restore it from a backup",
                          err, "the store's directory does not exist");
    }
    if (code == 0) {
        code = check_permissions(store->fd, path, err);
    }
    if (code == 0) {
        code = check_version(store->fd, path, err);
    }
    if (code == 0) {
        code = check_directories(store, err);
    }
    if (code == 0) {
        *out = GS_STEAL(store);
    }
    return code;
}

void gs_store_free(gs_store *store)
{
    if (store) {
        gs_fs_close_p(&store->bundles);
        gs_fs_close_p(&store->fd);
        free(store->path);
        free(store);
    }
}

void gs_store_free_p(gs_store **store)
{
    gs_store_free(*store);
    *store = NULL;
}

/* What a killed run left half copied. Only the holder of the lock may: another's copy would look the same. */
static int remove_leftovers(gs_store *store, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (!arena) {
        return gs_fail_nomem(err);
    }
    gs_fs_entry *entries = NULL;
    size_t count = 0;
    int code = gs_fs_walk(store->bundles, GS_MAX_MEMBERS, arena, &entries, &count, err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (entries[i].path[0] == '.' && gs_text_ends(entries[i].path, ".tmp")) {
            code = gs_fs_remove(store->bundles, entries[i].path, err);
        }
    }
    return code;
}

int gs_store_lock(gs_store *store, gs_filelock *lock, gs_error *err)
{
    GS_AUTO_FILELOCK gs_filelock taken = GS_FILELOCK_INIT;
    int code = gs_filelock_acquire(&taken, store->fd, LOCK_FILE, err);
    if (code == 0) {
        code = remove_leftovers(store, err);
    }
    if (code == 0) {
        *lock = taken;
        taken = (gs_filelock)GS_FILELOCK_INIT;
    }
    return code;
}

int gs_store_dirfd(const gs_store *store)
{
    return store->fd;
}

const char *gs_store_path(const gs_store *store, gs_arena *arena, const char *name)
{
    return gs_arena_printf(arena, "%s/%s", store->path, name);
}
