/* What a commit holds: files, lists, time, history. Reads the object database alone, so nothing is checked out, filtered or
 * followed. */
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

static int commit_tree(gs_git *git, const char *commit, git_tree **out, gs_error *err)
{
    git_commit *found = NULL;
    int code = gs_git_commit_find(git, commit, &found, err);
    if (code != 0) {
        return code;
    }
    int status = git_commit_tree(out, found);
    git_commit_free(found);
    return status == 0 ? 0 : gs_git_fail(err, status, GS_EIO, "the tree of commit %s cannot be read", commit);
}

/* The entry at path, whatever its kind. */
static int find_entry(gs_git *git, const char *commit, const char *path, git_tree_entry **out, gs_error *err)
{
    git_tree *tree = NULL;
    int code = commit_tree(git, commit, &tree, err);
    if (code != 0) {
        return code;
    }
    int status = git_tree_entry_bypath(out, tree, path);
    git_tree_free(tree);
    if (status == GIT_ENOTFOUND) {
        (void)gs_fail(err, GS_ENOTFOUND, "commit %.12s has no such file or directory", commit);
        return gs_error_at(err, "%s", path);
    }
    return status == 0 ? 0 : gs_git_fail(err, status, GS_EIO, "commit %s cannot be read", commit);
}

static int read_blob(gs_git *git, const git_oid *id, gs_buf *out, gs_error *err)
{
    git_odb *odb = NULL;
    git_blob *blob = NULL;
    size_t size = 0;
    git_object_t type;
    int code = 0;
    int status = git_repository_odb(&odb, git->repo);
    if (status == 0) {
        status = git_odb_read_header(&size, &type, odb, id);
    }
    if (status == 0 && size > out->max - out->len) {
        code = gs_fail(err, GS_ELIMIT, "the file has %zu bytes, and at most %zu are accepted here", size, out->max - out->len);
    } else if (status == 0) {
        status = git_blob_lookup(&blob, git->repo, id);
    }
    if (status < 0) {
        code = gs_git_fail(err, status, GS_EIO, "the file cannot be read from the cache");
    } else if (code == 0) {
        gs_buf_add(out, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
        code = gs_buf_check(out, err);
    }
    git_blob_free(blob);
    git_odb_free(odb);
    return code;
}

int gs_git_read(gs_git *git, const char *commit, const char *path, gs_buf *out, gs_error *err)
{
    git_tree_entry *entry = NULL;
    int code = find_entry(git, commit, path, &entry, err);
    if (code != 0) {
        return code;
    }
    git_filemode_t mode = git_tree_entry_filemode(entry);
    if (mode == GIT_FILEMODE_LINK) {
        code = gs_fail(err, GS_ESPEC, "this is a symbolic link, and none is followed");
    } else if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB) {
        code = gs_fail(err, GS_ESPEC, "a file is needed here, and this is a directory or a submodule");
    } else {
        code = read_blob(git, git_tree_entry_id(entry), out, err);
    }
    git_tree_entry_free(entry);
    if (code != 0) {
        (void)gs_error_at(err, "%s", path);
    }
    return code;
}

typedef struct listing {
    gs_arena *arena;
    gs_git_file *files;
    size_t count;
    size_t room;
    int code;
    gs_error *err;
} listing;

static int list_grow(listing *list)
{
    if (list->count < list->room) {
        return 0;
    }
    if (list->count >= GS_MAX_ARCHIVE_ENTRIES) {
        return gs_fail(list->err, GS_ELIMIT, "there are more than %u files", GS_MAX_ARCHIVE_ENTRIES);
    }
    size_t room = list->room ? list->room * 2 : 64;
    gs_git_file *files = gs_arena_array(list->arena, room, sizeof(*files));
    if (!files) {
        return gs_fail_nomem(list->err);
    }
    if (list->count > 0) {
        memcpy(files, list->files, list->count * sizeof(*files));
    }
    list->files = files;
    list->room = room;
    return 0;
}

static int list_add(listing *list, const char *root, const git_tree_entry *entry)
{
    git_filemode_t mode = git_tree_entry_filemode(entry);
    const char *name = git_tree_entry_name(entry);
    /* Checked for directories too: libgit2 walks by recursion, and the bound on a path's length bounds its depth. */
    const char *path = gs_arena_printf(list->arena, "%s%s", root, name);
    if (!path) {
        return gs_fail_nomem(list->err);
    }
    if (!gs_path_valid(path)) {
        (void)gs_fail(list->err, GS_ESPEC, "this name cannot be carried");
        return gs_error_at(list->err, "%s", path);
    }
    if (mode == GIT_FILEMODE_TREE) {
        return 0;
    }
    if (mode == GIT_FILEMODE_LINK || mode == GIT_FILEMODE_COMMIT) {
        (void)gs_fail(list->err, GS_ESPEC, "this is a %s, which cannot be carried",
                      mode == GIT_FILEMODE_LINK ? "symbolic link" : "submodule");
        return gs_error_at(list->err, "%s", path);
    }
    int code = list_grow(list);
    if (code == 0) {
        list->files[list->count++] = (gs_git_file){.path = path, .executable = mode == GIT_FILEMODE_BLOB_EXECUTABLE};
    }
    return code;
}

static int on_entry(const char *root, const git_tree_entry *entry, void *payload)
{
    listing *list = payload;
    list->code = list_add(list, root, entry);
    return list->code;
}

static int subtree(gs_git *git, const char *commit, const char *path, git_tree **out, gs_error *err)
{
    if (path[0] == '\0') {
        return commit_tree(git, commit, out, err);
    }
    git_tree_entry *entry = NULL;
    int code = find_entry(git, commit, path, &entry, err);
    if (code != 0) {
        return code;
    }
    if (git_tree_entry_type(entry) != GIT_OBJECT_TREE) {
        (void)gs_fail(err, GS_ESPEC, "a directory is needed here, and this is none");
        code = gs_error_at(err, "%s", path);
    } else {
        int status = git_tree_lookup(out, git->repo, git_tree_entry_id(entry));
        code = status == 0 ? 0 : gs_git_fail(err, status, GS_EIO, "a directory of commit %s cannot be read", commit);
    }
    git_tree_entry_free(entry);
    return code;
}

int gs_git_list(gs_git *git, const char *commit, const char *path, gs_arena *arena, gs_git_file **files, size_t *count,
                gs_error *err)
{
    git_tree *tree = NULL;
    int code = subtree(git, commit, path, &tree, err);
    if (code != 0) {
        return code;
    }
    /* Git sorts the names of a directory as if those of directories ended in '/': walked in depth, that is the order of the paths.
     */
    listing list = {.arena = arena, .err = err};
    int status = git_tree_walk(tree, GIT_TREEWALK_PRE, on_entry, &list);
    git_tree_free(tree);
    if (list.code != 0) {
        return list.code;
    }
    if (status < 0) {
        return gs_git_fail(err, status, GS_EIO, "commit %s cannot be read", commit);
    }
    *files = list.files;
    *count = list.count;
    return 0;
}

int gs_git_time(gs_git *git, const char *commit, int64_t *seconds, gs_error *err)
{
    git_commit *found = NULL;
    int code = gs_git_commit_find(git, commit, &found, err);
    if (code == 0) {
        *seconds = git_commit_time(found);
        git_commit_free(found);
    }
    return code;
}

int gs_git_log(gs_git *git, const char *commit, size_t max,
               int (*visit)(void *state, const char *commit, const char *message, gs_error *err), void *state, gs_error *err)
{
    git_commit *at = NULL;
    int code = max > 0 ? gs_git_commit_find(git, commit, &at, err) : 0;
    while (at && code == 0) {
        char id[GS_COMMIT_TEXT];
        git_oid_tostr(id, sizeof(id), git_commit_id(at));
        code = visit(state, id, git_commit_message(at), err);
        git_commit *parent = NULL;
        if (code == 0 && --max > 0 && git_commit_parentcount(at) > 0) {
            int status = git_commit_parent(&parent, at, 0);
            code = status == 0 ? 0 : gs_git_fail(err, status, GS_EIO, "a parent of commit %s cannot be read", id);
        }
        git_commit_free(at);
        at = parent;
    }
    return code > 0 ? 0 : code;
}
