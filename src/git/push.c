/* Moving a branch of the remote forward. Makes no commit and never forces. */
#include <string.h>

#include "gapship/text.h"
#include "internal.h"

#define SOURCE_REF "refs/gapship/push" /* libgit2 pushes refs, not commit ids */

/* What servers (git's receive-pack and libgit2's local transport) answer when the branch moved between our look and our update. */
static bool moved_meanwhile(const char *status)
{
    static const char *const texts[] = {
        "failed to update ref", "fetch first",    "non-fast-forward",          "cannot lock ref", "failed to lock",
        "incorrect old value",  "already exists", "failed to write reference", "stale info",      "reference has changed"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strstr(status, texts[i])) {
            return true;
        }
    }
    return false;
}

static int conflict(gs_git_session *session, const char *branch)
{
    (void)gs_fail(session->err, GS_ECONFLICT, "somebody else pushed to \"%s\" in the meantime", branch);
    (void)gs_error_hint(session->err, "fetch the branch and make the change again on what is there now");
    return gs_error_at(session->err, "%s", session->git->url.text);
}

static int refused(gs_git_session *session, const char *branch)
{
    if (moved_meanwhile(session->refused)) {
        return conflict(session, branch);
    }
    (void)gs_fail(session->err, GS_EAPPLY, "the remote refused the push to \"%s\": %s%s%s", branch, session->refused,
                  session->said[0] ? ": " : "", session->said);
    (void)gs_error_hint(session->err, "a rule of the git server forbids it: allow this user to push to the branch");
    return gs_error_at(session->err, "%s", session->git->url.text);
}

/* Whether the branch stands on the commit already. */
static int already_there(gs_git_session *session, const char *branch_ref, const git_oid *id, bool *out)
{
    const git_remote_head **heads = NULL;
    size_t count = 0;
    int status = git_remote_ls(&heads, &count, session->remote);
    if (status < 0) {
        return gs_git_session_fail(session, status, "the git repository does not list its refs");
    }
    *out = false;
    for (size_t i = 0; i < count; i++) {
        *out |= strcmp(heads[i]->name, branch_ref) == 0 && git_oid_equal(&heads[i]->oid, id);
    }
    return 0;
}

static int upload(gs_git_session *session, const char *branch, char *refspec)
{
    git_strarray list = {&refspec, 1};
    git_push_options options = GIT_PUSH_OPTIONS_INIT;
    options.callbacks = gs_git_session_callbacks(session);
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    int status = git_remote_upload(session->remote, &list, &options);
    if (status == GIT_ENONFASTFORWARD) {
        return conflict(session, branch);
    }
    if (status < 0 && session->code == 0 && strstr(gs_git_reason(), "unpacking the sent packfile failed")) {
        (void)gs_fail(session->err, GS_EAPPLY, "the remote could not take in the commit: %s",
                      session->said[0] ? session->said : "it gives no reason");
        return gs_error_at(session->err, "%s", session->git->url.text);
    }
    if (status < 0) {
        return gs_git_session_fail(session, status, "the commit cannot be pushed");
    }
    return session->refused[0] ? refused(session, branch) : 0;
}

static int push_commit(gs_git_session *session, const git_oid *id, const char *branch)
{
    GS_AUTO_BUF gs_buf refspec;
    gs_buf_init(&refspec, 2048);
    gs_buf_add_text(&refspec, SOURCE_REF ":refs/heads/");
    gs_buf_add_text(&refspec, branch);
    int code = gs_buf_check(&refspec, session->err);
    if (code != 0) {
        return code;
    }
    bool there = false;
    code = gs_git_session_open(session, GIT_DIRECTION_PUSH);
    if (code == 0) {
        code = already_there(session, refspec.data + strlen(SOURCE_REF ":"), id, &there);
    }
    return code == 0 && !there ? upload(session, branch, refspec.data) : code;
}

int gs_git_push(gs_git *git, const gs_run *run, const char *commit, const char *branch, gs_error *err)
{
    int valid = 0;
    if (git_branch_name_is_valid(&valid, branch) < 0 || !valid) {
        return gs_fail(err, GS_ESPEC, "\"%s\" is not the name of a git branch", branch);
    }
    git_commit *found = NULL;
    int code = gs_git_commit_find(git, commit, &found, err);
    if (code != 0) {
        return code;
    }
    git_reference *source = NULL;
    int status = git_reference_create(&source, git->repo, SOURCE_REF, git_commit_id(found), 1, NULL);
    git_reference_free(source);
    if (status < 0) {
        code = gs_git_fail(err, status, GS_EIO, "the cache cannot record what is pushed");
    } else {
        gs_git_session session = {.git = git, .run = run, .err = err, .what = "pushing"};
        code = push_commit(&session, git_commit_id(found), branch);
        gs_git_session_close(&session);
    }
    git_commit_free(found);
    return code;
}
