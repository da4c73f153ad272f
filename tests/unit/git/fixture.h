/* A bare repository to be the remote, the real git to fill and inspect it, and real servers in front of it. */
#ifndef GAPSHIP_TEST_GIT_FIXTURE_H
#define GAPSHIP_TEST_GIT_FIXTURE_H

#include "gapship/git.h"
#include "gapship/proc.h"
#include "support.h"

typedef struct git_fixture {
    gs_tempdir dir;
    gs_arena *arena;
    gs_child *server;
    const char *origin; /* path of the bare repository, empty at first */
    int port;           /* of the server */
} git_fixture;

int fixture_enter(void **state);
int fixture_leave(void **state);
#define test_with_fixture(function) cmocka_unit_test_setup_teardown(function, fixture_enter, fixture_leave)

/* The path of a name in the fixture's directory; the text lives as long as the fixture. */
const char *in(git_fixture *fx, const char *name);
/* A formatted text that lives as long as the fixture. */
const char *text(git_fixture *fx, const char *format, ...) GS_PRINTF(2, 3);
/* Runs a program in the fixture's directory (arguments up to NULL); fails the test unless it exits with 0. Gives its output without
 * the last newline. */
const char *run(git_fixture *fx, const char *program, ...) __attribute__((sentinel));
/* Pushes a commit with one file to a branch of origin, with the real git. Gives its id. */
const char *push_file(git_fixture *fx, const char *branch, const char *path, const char *content);
/* A cache called `name` of a remote. */
gs_git *open_cache(git_fixture *fx, const char *name, const char *url, const gs_git_access *access);
/* A commit of one file on top of parent (NULL: the first one). */
void make_commit(gs_git *git, const char *parent, const char *path, const char *content, char made[GS_COMMIT_TEXT]);
/* What origin's branch stands on; "" when it is not there. */
const char *origin_head(git_fixture *fx, const char *branch);
/* A hook of origin: a shell script's body. */
void set_hook(git_fixture *fx, const char *name, const char *body);
/* Starts tests/support/git_http.py with two more arguments (NULL: none). */
void serve_http(git_fixture *fx, const char *option, const char *value);
/* Starts sshd: host key "host_key", the user's key "user_key" allowed, a known_hosts file "known_hosts" that knows the host. */
void serve_ssh(git_fixture *fx);
/* The ssh address of origin. */
const char *ssh_url(git_fixture *fx);

#endif
