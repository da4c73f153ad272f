/* The fixture of fixture.h. */
#include "fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ARGUMENTS 24

static const char *const environment[] = {"GIT_CONFIG_GLOBAL=/dev/null",
                                          "GIT_CONFIG_SYSTEM=/dev/null",
                                          "GIT_AUTHOR_NAME=Ada",
                                          "GIT_AUTHOR_EMAIL=ada@example.com",
                                          "GIT_COMMITTER_NAME=Ada",
                                          "GIT_COMMITTER_EMAIL=ada@example.com",
                                          "GIT_AUTHOR_DATE=@1700000000",
                                          "GIT_COMMITTER_DATE=@1700000000 +0000",
                                          NULL};

int fixture_enter(void **state)
{
    gs_error err = {0};
    git_fixture *fx = calloc(1, sizeof(*fx));
    assert_non_null(fx);
    fx->dir = (gs_tempdir)GS_TEMPDIR_INIT;
    assert_ok(&err, gs_tempdir_make(&fx->dir, &err));
    fx->arena = gs_arena_new();
    assert_non_null(fx->arena);
    fx->origin = in(fx, "origin.git");
    (void)run(fx, "git", "init", "-q", "--bare", "-b", "main", fx->origin, NULL);
    (void)run(fx, "git", "-C", fx->origin, "config", "http.receivepack", "true", NULL);
    *state = fx;
    return 0;
}

int fixture_leave(void **state)
{
    git_fixture *fx = *state;
    gs_child_stop(fx->server);
    gs_arena_free(fx->arena);
    gs_tempdir_done(&fx->dir);
    free(fx);
    return 0;
}

const char *text(git_fixture *fx, const char *format, ...)
{
    char buffer[4096];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(buffer, sizeof(buffer), format, args);
    va_end(args);
    assert_in_range(len, 0, sizeof(buffer) - 1);
    char *copy = gs_arena_text(fx->arena, buffer);
    assert_non_null(copy);
    return copy;
}

const char *in(git_fixture *fx, const char *name)
{
    return text(fx, "%s/%s", fx->dir.path, name);
}

const char *run(git_fixture *fx, const char *program, ...)
{
    gs_error err = {0};
    const char *argv[MAX_ARGUMENTS] = {program};
    va_list args;
    va_start(args, program);
    for (size_t i = 1; i < MAX_ARGUMENTS - 1 && (argv[i] = va_arg(args, const char *)); i++) {
    }
    va_end(args);
    gs_proc proc = {.argv = argv, .environment = environment, .cwd = fx->dir.fd};
    GS_AUTO_PROC gs_proc_result result = {0};
    assert_ok(&err, gs_proc_check(NULL, &proc, GS_EINTERNAL, &result, &err));
    const char *output = gs_buf_text(&result.output);
    size_t len = strlen(output);
    return text(fx, "%.*s", (int)(len > 0 && output[len - 1] == '\n' ? len - 1 : len), output);
}

const char *push_file(git_fixture *fx, const char *branch, const char *path, const char *content)
{
    const char *work = in(fx, "work");
    if (!gs_fs_exists(AT_FDCWD, work)) {
        (void)run(fx, "git", "clone", "-q", fx->origin, work, NULL);
    }
    if (origin_head(fx, branch)[0]) {
        (void)run(fx, "git", "-C", work, "fetch", "-q", "origin", NULL);
        (void)run(fx, "git", "-C", work, "checkout", "-q", "-B", branch, text(fx, "origin/%s", branch), NULL);
    } else {
        (void)run(fx, "git", "-C", work, "checkout", "-q", "-B", branch, NULL);
    }
    support_write(fx->dir.fd, text(fx, "work/%s", path), content);
    (void)run(fx, "git", "-C", work, "add", "-A", NULL);
    (void)run(fx, "git", "-C", work, "commit", "-q", "-m", text(fx, "change %s", path), NULL);
    (void)run(fx, "git", "-C", work, "push", "-q", "origin", branch, NULL);
    return run(fx, "git", "-C", work, "rev-parse", "HEAD", NULL);
}

gs_git *open_cache(git_fixture *fx, const char *name, const char *url, const gs_git_access *access)
{
    gs_error err = {0};
    gs_git *git = NULL;
    assert_ok(&err, gs_git_open(in(fx, name), url, access, &git, &err));
    return git;
}

void make_commit(gs_git *git, const char *parent, const char *path, const char *content, char made[GS_COMMIT_TEXT])
{
    gs_error err = {0};
    gs_git_change change = {.path = path, .data = content, .len = strlen(content)};
    gs_git_commit commit = {.parent = parent,
                            .changes = &change,
                            .change_count = 1,
                            .message = "chore: change a file",
                            .author = "gapship <gapship@site>",
                            .time = 1700000001};
    assert_ok(&err, gs_git_commit_make(git, &commit, made, &err));
}

const char *origin_head(git_fixture *fx, const char *branch)
{
    return run(fx, "git", "-C", fx->origin, "for-each-ref", "--format=%(objectname)", text(fx, "refs/heads/%s", branch), NULL);
}

void set_hook(git_fixture *fx, const char *name, const char *body)
{
    const char *path = text(fx, "origin.git/hooks/%s", name);
    support_write(fx->dir.fd, path, text(fx, "#!/bin/sh\n%s\n", body));
    assert_int_equal(fchmodat(fx->dir.fd, path, 0755, 0), 0);
}

void serve_http(git_fixture *fx, const char *option, const char *value)
{
    gs_error err = {0};
    const char *port_file = in(fx, "port");
    const char *argv[] = {"python3", "tests/support/git_http.py", fx->dir.path, port_file, option, value, NULL};
    gs_proc proc = {.argv = argv, .environment = environment};
    assert_ok(&err, gs_child_start(&proc, &fx->server, &err));
    for (int i = 0; i < 200 && !gs_fs_exists(AT_FDCWD, port_file); i++) {
        assert_ok(&err, gs_sleep(NULL, 50, &err));
        if (!gs_child_running(fx->server)) {
            fail_msg("git_http.py: %s", gs_child_errors(fx->server));
        }
    }
    GS_AUTO_BUF gs_buf port;
    gs_buf_init(&port, 16);
    assert_ok(&err, gs_fs_read_file(AT_FDCWD, port_file, &port, &err));
    fx->port = (int)strtol(gs_buf_text(&port), NULL, 10);
    assert_int_not_equal(fx->port, 0);
}

static bool answers(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool connected = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    gs_fs_close_p(&fd);
    return connected;
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    gs_fs_close_p(&fd);
    return ntohs(address.sin_port);
}

void serve_ssh(git_fixture *fx)
{
    gs_error err = {0};
    if (geteuid() == 0) {
        assert_ok(&err, gs_fs_make_dirs(AT_FDCWD, "/run/sshd", 0755, &err)); /* sshd as root does not start without it */
    }
    (void)run(fx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", in(fx, "host_key"), NULL);
    (void)run(fx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", in(fx, "user_key"), NULL);
    (void)run(fx, "cp", in(fx, "user_key.pub"), in(fx, "authorized_keys"), NULL);
    support_write(
        fx->dir.fd, "sshd_config",
        text(fx,
             "ListenAddress 127.0.0.1\nHostKey %s/host_key\nAuthorizedKeysFile %s/authorized_keys\nStrictModes no\nUsePAM no\n"
             "PidFile none\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n",
             fx->dir.path, fx->dir.path));
    fx->port = free_port();
    const char *argv[] = {"/usr/sbin/sshd", "-D", "-e", "-f", in(fx, "sshd_config"), "-p", text(fx, "%d", fx->port), NULL};
    gs_proc proc = {.argv = argv, .environment = environment};
    assert_ok(&err, gs_child_start(&proc, &fx->server, &err));
    for (int i = 0; i < 200 && !answers(fx->port); i++) {
        assert_ok(&err, gs_sleep(NULL, 50, &err));
        if (!gs_child_running(fx->server)) {
            fail_msg("sshd: %s", gs_child_errors(fx->server));
        }
    }
    const char *key = run(fx, "cat", in(fx, "host_key.pub"), NULL);
    support_write(fx->dir.fd, "known_hosts", text(fx, "[127.0.0.1]:%d %s\n", fx->port, key));
}

const char *ssh_url(git_fixture *fx)
{
    const struct passwd *user = getpwuid(geteuid());
    assert_non_null(user);
    return text(fx, "ssh://%s@127.0.0.1:%d%s", user->pw_name, fx->port, fx->origin);
}
