/* The cache of one remote: opening and freeing it, libgit2's process-wide settings, and its errors. Knows no exchange with a
 * remote. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

#define ALONE_FILE "in-use"

static int set_options(void)
{
    static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                                 GIT_CONFIG_LEVEL_GLOBAL};
    int status = 0;
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]) && status == 0; i++) {
        status = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
    }
    /* The first three are libgit2's defaults; they are stated because the rest of gapship relies on them. */
    static const int switches[] = {GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, GIT_OPT_ENABLE_STRICT_OBJECT_CREATION,
                                   GIT_OPT_SET_OWNER_VALIDATION, GIT_OPT_ENABLE_FSYNC_GITDIR};
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]) && status == 0; i++) {
        status = git_libgit2_opts(switches[i], 1);
    }
    return status == 0 ? git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, (size_t)GS_MAX_GIT_OBJECTS) : status;
}

int gs_git_library_start(gs_error *err)
{
    int count = git_libgit2_init();
    if (count < 0) {
        return gs_git_fail(err, count, GS_EINTERNAL, "libgit2 does not start");
    }
    int status = count == 1 ? set_options() : 0;
    if (status < 0) {
        int code = gs_git_fail(err, status, GS_EINTERNAL, "libgit2 does not take its settings");
        gs_git_library_stop();
        return code;
    }
    return 0;
}

void gs_git_library_stop(void)
{
    (void)git_libgit2_shutdown();
}

int gs_git_open_status(int status)
{
    const git_error *last = git_error_last();
    bool foreign = status < 0 && last && last->klass == GIT_ERROR_CONFIG && strstr(last->message, "safe.directory");
    return foreign ? GIT_EOWNER : status;
}

const char *gs_git_reason(void)
{
    const git_error *last = git_error_last();
    return last && last->message ? last->message : "libgit2 gives no reason";
}

int gs_git_fail(gs_error *err, int status, int code, const char *format, ...)
{
    char what[GS_ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);

    const git_error *last = git_error_last();
    if (last && last->klass == GIT_ERROR_NOMEMORY) {
        return gs_fail_nomem(err);
    }
    if (status == GIT_EOWNER) {
        (void)gs_fail(err, GS_ESPEC, "%s: the repository belongs to another user, who could have prepared it", what);
        return gs_error_hint(err, "run gapship as the owner of the directory, or change its owner (chown -R)");
    }
    return gs_fail(err, code, "%s: %s", what, gs_git_reason());
}

int gs_git_commit_find(gs_git *git, const char *id, git_commit **out, gs_error *err)
{
    git_oid oid;
    if (strlen(id) != GS_COMMIT_TEXT - 1 || git_oid_fromstr(&oid, id) != 0) {
        return gs_fail(err, GS_ESPEC, "\"%s\" is not a full commit id", id);
    }
    int status = git_commit_lookup(out, git->repo, &oid);
    if (status == GIT_ENOTFOUND) {
        (void)gs_fail(err, GS_ENOTFOUND, "there is no commit %s", id);
        return gs_error_at(err, "%s", git->url.text);
    }
    return status == 0 ? 0 : gs_git_fail(err, status, GS_EIO, "commit %s cannot be read", id);
}

static bool is_lock(const char *name)
{
    return gs_text_ends(name, ".lock");
}

static bool is_temporary(const char *name)
{
    return strstr(name, "_git2_") != NULL;
}

static int remove_files(int cache, const char *directory, bool (*is_left)(const char *name), gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_FD int fd = -1;
    gs_fs_entry *entries = NULL;
    size_t count = 0;
    gs_error missing = {0};
    if (!arena) {
        return gs_fail_nomem(err);
    }
    if (gs_fs_open_dir(cache, directory, &fd, &missing) != 0) {
        return 0; /* nothing was ever there */
    }
    int code = gs_fs_list(fd, ".", arena, &entries, &count, err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = is_left(entries[i].path) ? gs_fs_remove(fd, entries[i].path, err) : 0;
    }
    return code;
}

/* libgit2's locks are files, and those of a killed run would be in the way for ever. Who has the cache alone, as the kernel knows,
 * removes them. Who does not have it alone leaves everything as it is. */
static int remove_leftovers(gs_git *git, const char *path, gs_error *err)
{
    GS_AUTO_FD int cache = -1;
    int code = gs_fs_open_dir(AT_FDCWD, path, &cache, err);
    if (code != 0) {
        return code;
    }
    gs_error busy = {0};
    if (gs_filelock_acquire(&git->alone, cache, ALONE_FILE, &busy) != 0) {
        return 0;
    }
    static const struct {
        const char *directory;
        bool (*is_left)(const char *name);
    } places[] = {{".", is_lock}, {"refs/gapship", is_lock}, {"objects", is_temporary}, {"objects/pack", is_temporary}};
    for (size_t i = 0; code == 0 && i < sizeof(places) / sizeof(places[0]); i++) {
        code = remove_files(cache, places[i].directory, places[i].is_left, err);
    }
    return code;
}

static int open_cache(gs_git *git, const char *path, gs_error *err)
{
    int code = gs_fs_make_dirs(AT_FDCWD, path, 0700, err);
    if (code != 0) {
        return code;
    }
    const unsigned int flags = GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE;
    int status = gs_git_open_status(git_repository_open_ext(&git->repo, path, flags, NULL));
    if (status == 0 || status == GIT_ENOTFOUND) { /* nobody else's: that is known now */
        code = remove_leftovers(git, path, err);
        if (code != 0) {
            return code;
        }
    }
    if (status == GIT_ENOTFOUND) {
        git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
        options.flags = GIT_REPOSITORY_INIT_BARE;
        status = git_repository_init_ext(&git->repo, path, &options);
    }
    if (status < 0) {
        (void)gs_git_fail(err, status, GS_EIO, "the cache of a git repository cannot be opened");
        (void)gs_error_hint(err, "it holds nothing that is not in the remote: remove the directory and run the command again");
        return gs_error_at(err, "%s", path);
    }
    return 0;
}

static const char *copy_text(gs_arena *arena, const char *text, bool *failed)
{
    char *copy = text ? gs_arena_text(arena, text) : NULL;
    *failed |= text && !copy;
    return copy;
}

static int copy_access(gs_git *git, const gs_git_access *access, gs_error *err)
{
    static const gs_git_access nothing;
    const gs_git_access *from = access ? access : &nothing;
    bool failed = false;
    git->access = (gs_git_access){.user = copy_text(git->arena, from->user, &failed),
                                  .password_file = copy_text(git->arena, from->password_file, &failed),
                                  .key_file = copy_text(git->arena, from->key_file, &failed),
                                  .known_hosts = copy_text(git->arena, from->known_hosts, &failed),
                                  .ca_file = copy_text(git->arena, from->ca_file, &failed)};
    if (failed) {
        return gs_fail_nomem(err);
    }
    if (git->access.user && git->url.user && !gs_text_equal(git->access.user, git->url.user)) {
        (void)gs_fail(err, GS_ESPEC, "the address names the user \"%s\", and the credentials are those of \"%s\"", git->url.user,
                      git->access.user);
        return gs_error_at(err, "%s", git->url.text);
    }
    if (!git->access.user) {
        git->access.user = git->url.user;
    }
    return 0;
}

int gs_git_open(const char *path, const char *url, const gs_git_access *access, gs_git **out, gs_error *err)
{
    gs_git *git = calloc(1, sizeof(*git));
    if (!git) {
        return gs_fail_nomem(err);
    }
    git->alone = (gs_filelock)GS_FILELOCK_INIT;
    int code = gs_git_library_start(err);
    if (code != 0) {
        free(git);
        return code;
    }
    git->arena = gs_arena_new();
    code = git->arena ? gs_git_url_parse(url, git->arena, &git->url, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = copy_access(git, access, err);
    }
    if (code == 0) {
        code = open_cache(git, path, err);
    }
    if (code != 0) {
        gs_git_free(git);
        return code;
    }
    *out = git;
    return 0;
}

void gs_git_free(gs_git *git)
{
    if (!git) {
        return;
    }
    git_repository_free(git->repo);
    gs_filelock_release(&git->alone);
    gs_arena_free(git->arena);
    free(git);
    gs_git_library_stop();
}

void gs_git_free_p(gs_git **git)
{
    gs_git_free(*git);
    *git = NULL;
}

const char *gs_git_version(void)
{
    return "libgit2 " LIBGIT2_VERSION;
}
