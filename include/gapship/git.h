/* Git: where a release comes from, and the site's GitOps repository. The only module that knows libgit2.
 *
 * No check-out ever: trees are read from the object database, so no hook, filter, submodule or symbolic link is followed. Remotes: a local
 * path, file://, http(s)://, ssh:// and user@host:path. Configuration of the system and the user is not read. Redirects to another host
 * are not followed, no proxy is used. The hooks of a remote that is a local path do not run.
 *
 * libgit2 1.5 keeps its settings for the whole process, the CA certificates among them: gs_git_open, gs_git_free and gs_git_describe
 * are called from one thread at a time, and remotes with different ca_file are not used at once. It has no timeouts: what waits for a
 * silent server is ended by the signal that sets gs_run.stop (over http; libssh2 waits on).
 */
#ifndef GAPSHIP_GIT_H
#define GAPSHIP_GIT_H

#include <stdbool.h>
#include <stdint.h>

#include "gapship/buf.h"
#include "gapship/error.h"
#include "gapship/run.h"

#define GS_COMMIT_TEXT 41 /* 40 hex digits and NUL */

/* The commit a working tree stands on. Strings live in arena. */
typedef struct gs_git_state {
    char commit[GS_COMMIT_TEXT];
    const char *ref; /* "refs/heads/main", "refs/tags/v1.2.3" when HEAD is detached on one, or NULL */
    int64_t time;    /* of the commit */
    bool dirty;      /* a tracked file differs */
} gs_git_state;
/* path is inside the working tree. GS_ENOTFOUND when it is not in a git repository or has no commit. */
int gs_git_describe(const char *path, gs_arena *arena, gs_git_state *out, gs_error *err) GS_MUST_USE;

/* How a remote is reached. Members may be NULL. */
typedef struct gs_git_access {
    const char *user;
    const char *password_file; /* http(s): read when asked for, 0600 */
    const char *key_file;      /* ssh; NULL: the agent */
    const char *known_hosts;   /* ssh; NULL: ~/.ssh/known_hosts. An unknown host is refused */
    const char *ca_file;       /* https */
} gs_git_access;

/* A bare repository kept as a cache of one remote. */
typedef struct gs_git gs_git;
/* Opens or makes the cache at path (a directory of gapship's own). */
int gs_git_open(const char *path, const char *url, const gs_git_access *access, gs_git **out, gs_error *err) GS_MUST_USE;
void gs_git_free(gs_git *git);
void gs_git_free_p(gs_git **git);
#define GS_AUTO_GIT __attribute__((cleanup(gs_git_free_p)))

/* Fetches a ref ("main", "refs/tags/v1", or a full commit id where the server allows) and gives the commit it names. An empty remote or
 * an absent ref: GS_ENOTFOUND. No route, refused credentials: GS_ENETWORK, GS_EAUTH with the host in `where`. */
int gs_git_fetch(gs_git *git, const gs_run *run, const char *ref, char commit[GS_COMMIT_TEXT], gs_error *err) GS_MUST_USE;
/* Appends a file of a commit to out; GS_ENOTFOUND when absent, GS_ELIMIT when it does not fit. */
int gs_git_read(gs_git *git, const char *commit, const char *path, gs_buf *out, gs_error *err) GS_MUST_USE;
/* All files below path ("" for all) of a commit, in byte order. Symbolic links and submodules are GS_ESPEC. */
typedef struct gs_git_file {
    const char *path; /* relative to the path asked for */
    bool executable;
} gs_git_file;
int gs_git_list(gs_git *git, const char *commit, const char *path, gs_arena *arena, gs_git_file **files, size_t *count,
                gs_error *err) GS_MUST_USE;
/* Time of a commit. */
int gs_git_time(gs_git *git, const char *commit, int64_t *seconds, gs_error *err) GS_MUST_USE;
/* Walks from `commit` along first parents, newest first, at most max commits; visit returns 1 to stop. message is borrowed. */
int gs_git_log(gs_git *git, const char *commit, size_t max,
               int (*visit)(void *state, const char *commit, const char *message, gs_error *err), void *state,
               gs_error *err) GS_MUST_USE;

/* One change of a tree: new content, or data NULL to remove. */
typedef struct gs_git_change {
    const char *path;
    const void *data;
    size_t len;
    bool executable;
} gs_git_change;
typedef struct gs_git_commit {
    const char *parent; /* commit id; NULL: the first commit */
    const gs_git_change *changes;
    size_t change_count;
    const char *message;
    const char *author; /* "Name <mail>" */
    int64_t time;
} gs_git_commit;
/* Makes a commit object (no ref moves). When the tree equals the parent's, `made` is the parent itself. */
int gs_git_commit_make(gs_git *git, const gs_git_commit *commit, char made[GS_COMMIT_TEXT], gs_error *err) GS_MUST_USE;
/* Moves the remote branch to commit, only forward: somebody else's newer commit is GS_ECONFLICT (fetch and do it again). */
int gs_git_push(gs_git *git, const gs_run *run, const char *commit, const char *branch, gs_error *err) GS_MUST_USE;
const char *gs_git_version(void);

#endif
