/* ssh against Debian's sshd on a port of its own: which host is trusted, which key is sent. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fixture.h"

/* libgit2 1.5 does not free the known hosts and some texts of an ssh connection, once for each: its leaks, not this module's. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libgit2.so\nleak:libssh2.so\n";
}

static const char *known(git_fixture *fx, const char *content)
{
    support_write(fx->dir.fd, "case_hosts", content);
    return in(fx, "case_hosts");
}

static void test_fetch_and_push(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char base[GS_COMMIT_TEXT];
    char made[GS_COMMIT_TEXT];
    const char *first = push_file(fx, "main", "a", "1");
    serve_ssh(fx);
    const gs_git_access access = {.key_file = in(fx, "user_key"), .known_hosts = in(fx, "known_hosts")};
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", ssh_url(fx), &access);
    assert_ok(&err, gs_git_fetch(git, NULL, "main", base, &err));
    assert_string_equal(base, first);
    make_commit(git, base, "b", "2", made);
    assert_ok(&err, gs_git_push(git, NULL, made, "main", &err));
    assert_string_equal(origin_head(fx, "main"), made);
    set_hook(fx, "pre-receive", "echo frozen >&2; exit 1");
    make_commit(git, made, "b", "3", base);
    assert_fails(&err, GS_EAPPLY, "frozen", gs_git_push(git, NULL, base, "main", &err));
}

static void test_only_known_hosts_are_trusted(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a", "1");
    serve_ssh(fx);
    (void)run(fx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", in(fx, "other_key"), NULL);
    (void)run(fx, "ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", in(fx, "ecdsa_key"), NULL);
    (void)run(fx, "cp", "known_hosts", "hashed_hosts", NULL);
    (void)run(fx, "sh", "-c", "ssh-keygen -q -H -f hashed_hosts >/dev/null 2>&1", NULL);
    const char *key = run(fx, "cat", "host_key.pub", NULL);
    const char *bare = run(fx, "cut", "-d ", "-f1,2", "host_key.pub", NULL); /* as ssh-keyscan writes it: no comment behind it */
    const char *other = run(fx, "cat", "other_key.pub", NULL);
    const char *ecdsa = run(fx, "cat", "ecdsa_key.pub", NULL);
    const char *print = run(fx, "sh", "-c", "ssh-keygen -l -f host_key.pub | cut -d' ' -f2", NULL);
    const struct {
        const char *content;
        int code;
        const char *text;
    } cases[] = {
        {text(fx, "[127.0.0.1]:%d %s\n", fx->port, key), 0, NULL},
        {text(fx, "# sites\n\n[127.0.0.1]:%d %s\n", fx->port, key), 0, NULL},
        {text(fx, "[127.0.0.1]:%d %s\n# end\n", fx->port, bare), 0, NULL},
        {text(fx, " [127.0.0.1]:%d %s", fx->port, bare), 0, NULL},
        {text(fx, "[127.0.0.1]:%d %s\n[127.0.0.1]:%d %s\n", fx->port, ecdsa, fx->port, key), 0, NULL},
        {run(fx, "cat", "hashed_hosts", NULL), 0, NULL},
        {"", GS_ENETWORK, print},
        {"", GS_ENETWORK, "no key for it"},
        {"", GS_ENETWORK, text(fx, "ssh-keyscan -p %d 127.0.0.1 >>", fx->port)},
        {text(fx, "git.internal %s\n", key), GS_ENETWORK, "no key for it"},
        {text(fx, "[127.0.0.1]:%d %s\n", fx->port, other), GS_ENETWORK, "not the one in known_hosts"},
        {text(fx, "[127.0.0.1]:%d %s\n", fx->port, ecdsa), GS_ENETWORK, "only keys of other types"},
        {text(fx, "@cert-authority [127.0.0.1]:%d %s\n", fx->port, key), GS_ENETWORK, "no key for it"},
        {text(fx, "[127.0.0.1]:%d %s\n@revoked * %s\n", fx->port, key, key), GS_ESPEC, "case_hosts:2"},
        {text(fx, "[127.0.0.1]:%d %s\n \t@revoked * %s\n", fx->port, key, key), GS_ESPEC, "case_hosts:2"},
        {"one-word\n", GS_ESPEC, "case_hosts:1"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const gs_git_access access = {.key_file = in(fx, "user_key"), .known_hosts = known(fx, cases[i].content)};
        GS_AUTO_GIT gs_git *git = open_cache(fx, text(fx, "cache%zu", i), ssh_url(fx), &access);
        if (cases[i].code == 0) {
            assert_ok(&err, gs_git_fetch(git, NULL, "main", commit, &err));
        } else {
            assert_fails(&err, cases[i].code, cases[i].text, gs_git_fetch(git, NULL, "main", commit, &err));
        }
    }
    const gs_git_access absent = {.key_file = in(fx, "user_key"), .known_hosts = in(fx, "absent")};
    GS_AUTO_GIT gs_git *git = open_cache(fx, "absent_cache", ssh_url(fx), &absent);
    assert_fails(&err, GS_ENOTFOUND, "absent", gs_git_fetch(git, NULL, "main", commit, &err));
}

static void test_the_users_own_known_hosts(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a", "1");
    serve_ssh(fx);
    const gs_git_access access = {.key_file = in(fx, "user_key")};
    assert_int_equal(setenv("HOME", fx->dir.path, 1), 0);
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", ssh_url(fx), &access);
    assert_fails(&err, GS_ENETWORK, "no key for it", gs_git_fetch(git, NULL, "main", commit, &err));
    support_write(fx->dir.fd, ".ssh/known_hosts", run(fx, "cat", "known_hosts", NULL));
    assert_ok(&err, gs_git_fetch(git, NULL, "main", commit, &err));
}

static void test_keys(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a", "1");
    serve_ssh(fx);
    (void)run(fx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", in(fx, "stranger"), NULL);
    (void)run(fx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", in(fx, "locked"), NULL);
    (void)run(fx, "cp", "user_key", "open_key", NULL);
    assert_int_equal(fchmodat(fx->dir.fd, "open_key", 0644, 0), 0);
    support_write(fx->dir.fd, "garbage", "not a key");
    assert_int_equal(fchmodat(fx->dir.fd, "garbage", 0600, 0), 0);
    const struct {
        const char *key;
        int code;
        const char *text;
    } cases[] = {{"stranger", GS_EAUTH, "refused the ssh key"},
                 {"locked", GS_EAUTH, NULL},
                 {"garbage", GS_EAUTH, NULL},
                 {"open_key", GS_ESPEC, "chmod 600"},
                 {"absent", GS_ENOTFOUND, "absent"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const gs_git_access access = {.key_file = in(fx, cases[i].key), .known_hosts = in(fx, "known_hosts")};
        GS_AUTO_GIT gs_git *git = open_cache(fx, text(fx, "cache%zu", i), ssh_url(fx), &access);
        assert_fails(&err, cases[i].code, cases[i].text, gs_git_fetch(git, NULL, "main", commit, &err));
    }
    const gs_git_access nobody = {.key_file = in(fx, "user_key"), .known_hosts = in(fx, "known_hosts")};
    GS_AUTO_GIT gs_git *git = open_cache(fx, "nobody", text(fx, "ssh://127.0.0.1:%d%s", fx->port, fx->origin), &nobody);
    assert_fails(&err, GS_EAUTH, "no user is configured", gs_git_fetch(git, NULL, "main", commit, &err));
}

static void test_agent(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a", "1");
    serve_ssh(fx);
    const char *socket = in(fx, "agent");
    const gs_git_access access = {.known_hosts = in(fx, "known_hosts")};
    assert_int_equal(setenv("SSH_AUTH_SOCK", socket, 1), 0);
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", ssh_url(fx), &access);
    assert_fails(&err, GS_EAUTH, NULL, gs_git_fetch(git, NULL, "main", commit, &err)); /* nobody at the socket */

    const char *argv[] = {"ssh-agent", "-D", "-a", socket, NULL};
    const gs_proc proc = {.argv = argv};
    gs_child *agent = NULL;
    assert_ok(&err, gs_child_start(&proc, &agent, &err));
    for (int i = 0; i < 100 && !gs_fs_exists(AT_FDCWD, socket); i++) {
        assert_ok(&err, gs_sleep(NULL, 50, &err));
    }
    gs_error refusal = {0};
    int without = gs_git_fetch(git, NULL, "main", commit, &refusal);
    (void)run(fx, "env", text(fx, "SSH_AUTH_SOCK=%s", socket), "ssh-add", "-q", in(fx, "user_key"), NULL);
    int with = gs_git_fetch(git, NULL, "main", commit, &err);
    gs_child_stop(agent);
    assert_int_equal(unsetenv("SSH_AUTH_SOCK"), 0);
    assert_fails(&refusal, GS_EAUTH, NULL, without);
    assert_ok(&err, with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_with_fixture(test_fetch_and_push), test_with_fixture(test_only_known_hosts_are_trusted),
                                       test_with_fixture(test_the_users_own_known_hosts), test_with_fixture(test_keys),
                                       test_with_fixture(test_agent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
