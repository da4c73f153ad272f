/* What the files of src/git share: the cache, one exchange with the remote, and libgit2's errors. */
#ifndef GAPSHIP_GIT_INTERNAL_H
#define GAPSHIP_GIT_INTERNAL_H

#include <git2.h>

#include "gapship/fs.h"
#include "gapship/git.h"
#include "url.h"

struct gs_git {
    gs_arena *arena;
    git_repository *repo;
    gs_filelock alone; /* held by the first that opened the cache */
    gs_git_url url;
    gs_git_access access; /* copied */
};

/* libgit2 is counted: every start that succeeded needs its stop. The first one sets what is set for the whole process. */
int gs_git_library_start(gs_error *err) GS_MUST_USE;
void gs_git_library_stop(void);

/* libgit2's last error as ours: "WHAT: REASON". code is used unless libgit2 knew better (memory, a foreign owner). */
int gs_git_fail(gs_error *err, int status, int code, const char *format, ...) GS_PRINTF(4, 5);
/* A status of opening a repository, with libgit2 1.5's "there is no safe.directory" read as what it means: GIT_EOWNER. */
int gs_git_open_status(int status);
/* What libgit2 said last; never NULL, borrowed until its next call. */
const char *gs_git_reason(void);
/* Looks a commit up by its 40 digits. */
int gs_git_commit_find(gs_git *git, const char *id, git_commit **out, gs_error *err) GS_MUST_USE;

/* One exchange with the remote. Callbacks run inside libgit2, so what they fail with is kept here until libgit2 has returned. */
typedef struct gs_git_session {
    gs_git *git;
    const gs_run *run;
    gs_error *err;
    const char *what;   /* for progress: "fetching", "pushing" */
    int code;           /* what a callback failed with, or 0 */
    bool asked;         /* the credentials have been given once */
    char said[512];     /* what the remote said for people, in one line */
    char refused[256];  /* why the remote did not move the branch */
    git_remote *remote; /* connected by gs_git_session_open */
} gs_git_session;
int gs_git_session_open(gs_git_session *session, git_direction direction) GS_MUST_USE;
void gs_git_session_close(gs_git_session *session);
git_remote_callbacks gs_git_session_callbacks(gs_git_session *session);
/* The error of an exchange: a callback's, an interruption, or libgit2's with the host in `where`. */
int gs_git_session_fail(gs_git_session *session, int status, const char *action);

/* GS_ENETWORK unless known_hosts lists this key for the host. */
int gs_git_hostkey_check(const gs_git *git, const git_cert_hostkey *key, gs_error *err) GS_MUST_USE;

#endif
