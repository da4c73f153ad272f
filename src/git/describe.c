/* The commit that a person's working tree stands on. Reads the tree and its index, writes neither. */
#include <string.h>

#include "gapship/text.h"
#include "internal.h"

typedef struct tag_search {
    git_repository *repo;
    const git_oid *commit;
    gs_arena *arena;
    const char *best;
    bool failed;
} tag_search;

static int on_tag(const char *name, git_oid *id, void *payload)
{
    tag_search *search = payload;
    git_object *object = NULL;
    git_object *peeled = NULL;
    bool here = git_object_lookup(&object, search->repo, id, GIT_OBJECT_ANY) == 0 &&
                git_object_peel(&peeled, object, GIT_OBJECT_COMMIT) == 0 && git_oid_equal(git_object_id(peeled), search->commit);
    git_object_free(object);
    git_object_free(peeled);
    if (here && (!search->best || gs_version_compare(name, search->best) > 0)) {
        search->best = gs_arena_text(search->arena, name);
        search->failed = !search->best;
    }
    return search->failed ? GIT_EUSER : 0;
}

/* The branch that HEAD is on; on a detached HEAD the highest tag there; else NULL. */
static int find_ref(git_repository *repo, git_reference *head, const git_oid *commit, gs_arena *arena, const char **out,
                    gs_error *err)
{
    if (git_repository_head_detached(repo) != 1) {
        *out = gs_arena_text(arena, git_reference_name(head));
        return *out ? 0 : gs_fail_nomem(err);
    }
    tag_search search = {.repo = repo, .commit = commit, .arena = arena};
    int status = git_tag_foreach(repo, on_tag, &search);
    if (search.failed) {
        return gs_fail_nomem(err);
    }
    if (status < 0) {
        return gs_git_fail(err, status, GS_EIO, "the tags of the repository cannot be read");
    }
    *out = search.best;
    return 0;
}

static int find_dirty(git_repository *repo, bool *out, gs_error *err)
{
    git_status_options options = GIT_STATUS_OPTIONS_INIT;
    options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
    options.flags = 0; /* tracked files alone */
    git_status_list *list = NULL;
    int status = git_status_list_new(&list, repo, &options);
    if (status < 0) {
        return gs_git_fail(err, status, GS_EIO, "the working tree cannot be compared with its commit");
    }
    *out = git_status_list_entrycount(list) > 0;
    git_status_list_free(list);
    return 0;
}

static int describe_head(git_repository *repo, gs_arena *arena, gs_git_state *out, gs_error *err)
{
    gs_git_state state = {0};
    git_reference *head = NULL;
    git_commit *commit = NULL;
    int code;
    int status = git_repository_head(&head, repo);
    if (status == 0) {
        status = git_reference_peel((git_object **)&commit, head, GIT_OBJECT_COMMIT);
    }
    if (status == GIT_EUNBORNBRANCH || status == GIT_ENOTFOUND) {
        (void)gs_fail(err, GS_ENOTFOUND, "the git repository has no commit yet");
        code = gs_error_hint(err, "commit what the release is made from");
    } else if (status < 0) {
        code = gs_git_fail(err, status, GS_EIO, "the commit of the working tree cannot be read");
    } else {
        git_oid_tostr(state.commit, sizeof(state.commit), git_commit_id(commit));
        state.time = git_commit_time(commit);
        code = find_ref(repo, head, git_commit_id(commit), arena, &state.ref, err);
    }
    if (code == 0) {
        code = find_dirty(repo, &state.dirty, err);
    }
    if (code == 0) {
        *out = state;
    }
    git_commit_free(commit);
    git_reference_free(head);
    return code;
}

int gs_git_describe(const char *path, gs_arena *arena, gs_git_state *out, gs_error *err)
{
    int code = gs_git_library_start(err);
    if (code != 0) {
        return code;
    }
    git_repository *repo = NULL;
    int status = gs_git_open_status(git_repository_open_ext(&repo, path, 0, NULL));
    if (status == GIT_ENOTFOUND || (status == 0 && git_repository_is_bare(repo))) {
        code = gs_fail(err, GS_ENOTFOUND, "this is not inside the working tree of a git repository");
    } else if (status < 0) {
        code = gs_git_fail(err, status, GS_EIO, "the git repository cannot be opened");
    } else {
        code = describe_head(repo, arena, out, err);
    }
    git_repository_free(repo);
    gs_git_library_stop();
    return code != 0 ? gs_error_at(err, "%s", path) : 0;
}
