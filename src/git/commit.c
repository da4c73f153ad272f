/* A new commit from a parent and a few changed files, made in the object database alone. Moves no reference, knows no remote. */
#include <stdlib.h>
#include <string.h>

#include "gapship/text.h"
#include "internal.h"

static int parse_author(const char *author, int64_t time, git_signature **out, gs_error *err)
{
    const char *open = strstr(author, " <");
    size_t len = strlen(author);
    if (!open || open == author || author[len - 1] != '>' || open + 2 == author + len - 1) {
        (void)gs_fail(err, GS_ESPEC, "\"%s\" is not the author of a commit", author);
        return gs_error_hint(err, "write \"Name <mail@host>\"");
    }
    char *name = strndup(author, (size_t)(open - author));
    char *mail = strndup(open + 2, (size_t)(author + len - 1 - (open + 2)));
    int code = 0;
    if (!name || !mail) {
        code = gs_fail_nomem(err);
    } else {
        int status = git_signature_new(out, name, mail, time, 0);
        code = status == 0 ? 0 : gs_git_fail(err, status, GS_ESPEC, "\"%s\" is not the author of a commit", author);
    }
    free(name);
    free(mail);
    return code;
}

static int write_blobs(gs_git *git, const gs_git_commit *commit, git_tree_update *updates, gs_error *err)
{
    for (size_t i = 0; i < commit->change_count; i++) {
        const gs_git_change *change = &commit->changes[i];
        if (!gs_path_valid(change->path)) {
            (void)gs_fail(err, GS_ESPEC, "this is not the path of a file in a repository");
            return gs_error_at(err, "%s", change->path);
        }
        updates[i].path = change->path;
        updates[i].action = change->data ? GIT_TREE_UPDATE_UPSERT : GIT_TREE_UPDATE_REMOVE;
        updates[i].filemode = change->executable ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
        if (!change->data) {
            continue;
        }
        int status = git_blob_create_from_buffer(&updates[i].id, git->repo, change->data, change->len);
        if (status < 0) {
            (void)gs_git_fail(err, status, GS_EIO, "a file cannot be written to the cache");
            return gs_error_at(err, "%s", change->path);
        }
    }
    return 0;
}

static int write_tree(gs_git *git, const gs_git_commit *commit, git_tree *base, git_oid *out, gs_error *err)
{
    git_tree_update *updates = calloc(commit->change_count + 1, sizeof(*updates));
    if (!updates) {
        return gs_fail_nomem(err);
    }
    int code = write_blobs(git, commit, updates, err);
    if (code == 0) {
        int status = git_tree_create_updated(out, git->repo, base, commit->change_count, updates);
        if (status < 0) {
            (void)gs_git_fail(err, status, GS_ESPEC, "the changes do not fit what the repository holds");
            code = gs_error_at(err, "%s", git->url.text);
        }
    }
    free(updates);
    return code;
}

static int write_commit(gs_git *git, const gs_git_commit *commit, git_commit *parent, const git_oid *tree_id, git_oid *out,
                        gs_error *err)
{
    git_signature *author = NULL;
    git_tree *tree = NULL;
    git_buf message = GIT_BUF_INIT;
    const git_commit *parents[] = {parent};
    int code = parse_author(commit->author, commit->time, &author, err);
    if (code == 0) {
        int status = git_message_prettify(&message, commit->message, 0, '#');
        if (status == 0) {
            status = git_tree_lookup(&tree, git->repo, tree_id);
        }
        if (status == 0) {
            status = git_commit_create(out, git->repo, NULL, author, author, NULL, message.ptr, tree, parent ? 1 : 0, parents);
        }
        code = status == 0 ? 0 : gs_git_fail(err, status, GS_EIO, "a commit cannot be written to the cache");
    }
    git_buf_dispose(&message);
    git_tree_free(tree);
    git_signature_free(author);
    return code;
}

int gs_git_commit_make(gs_git *git, const gs_git_commit *commit, char made[GS_COMMIT_TEXT], gs_error *err)
{
    git_commit *parent = NULL;
    git_tree *base = NULL;
    git_oid tree;
    git_oid id;
    int code = commit->parent ? gs_git_commit_find(git, commit->parent, &parent, err) : 0;
    if (code == 0 && parent) {
        int status = git_commit_tree(&base, parent);
        code = status == 0 ? 0 : gs_git_fail(err, status, GS_EIO, "commit %s cannot be read", commit->parent);
    }
    if (code == 0) {
        code = write_tree(git, commit, base, &tree, err);
    }
    if (code == 0 && base && git_oid_equal(&tree, git_tree_id(base))) {
        git_oid_cpy(&id, git_commit_id(parent));
    } else if (code == 0) {
        code = write_commit(git, commit, parent, &tree, &id, err);
    }
    if (code == 0) {
        git_oid_tostr(made, GS_COMMIT_TEXT, &id);
    }
    git_tree_free(base);
    git_commit_free(parent);
    return code;
}
