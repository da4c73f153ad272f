/* Exchanges with a real server: credentials, TLS, redirects, and hosts that do not answer. ssh is in test_hostkey.c. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

static const char *secret(git_fixture *fx, const char *name, const char *content, mode_t mode)
{
    support_write(fx->dir.fd, name, content);
    assert_int_equal(fchmodat(fx->dir.fd, name, mode, 0), 0);
    return in(fx, name);
}

static void test_basic_authentication(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    const char *made = push_file(fx, "main", "a", "1");
    serve_http(fx, "--login", "ci:hunter2");
    const char *good = secret(fx, "good", "hunter2\n", 0600);
    const struct {
        gs_git_access access;
        int code;
        const char *text;
    } cases[] = {
        {{.user = "ci", .password_file = good}, 0, NULL},
        {{.user = "ci", .password_file = secret(fx, "wrong", "hunter3", 0600)}, GS_EAUTH, "refused the password of \"ci\""},
        {{.user = "eve", .password_file = good}, GS_EAUTH, "refused the password of \"eve\""},
        {{.user = "ci"}, GS_EAUTH, "none are configured"},
        {{.password_file = good}, GS_EAUTH, "none are configured"},
        {{.user = "ci", .password_file = secret(fx, "open", "hunter2", 0640)}, GS_ESPEC, "chmod 600"},
        {{.user = "ci", .password_file = secret(fx, "empty", "\n", 0600)}, GS_ESPEC, "first line is empty"},
        {{.user = "ci", .password_file = in(fx, "absent")}, GS_ENOTFOUND, "absent"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char commit[GS_COMMIT_TEXT] = "";
        const char *url = text(fx, "http://127.0.0.1:%d/origin.git", fx->port);
        GS_AUTO_GIT gs_git *git = open_cache(fx, text(fx, "cache%zu", i), url, &cases[i].access);
        if (cases[i].code == 0) {
            assert_ok(&err, gs_git_fetch(git, NULL, "main", commit, &err));
            assert_string_equal(commit, made);
        } else {
            assert_fails(&err, cases[i].code, cases[i].text, gs_git_fetch(git, NULL, "main", commit, &err));
        }
    }
}

static void test_the_user_of_the_address(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a", "1");
    serve_http(fx, "--login", "ci:hunter2");
    const char *url = text(fx, "http://ci@127.0.0.1:%d/origin.git", fx->port);
    const gs_git_access access = {.password_file = secret(fx, "password", "hunter2", 0600)};
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", url, &access);
    assert_ok(&err, gs_git_fetch(git, NULL, "main", commit, &err));
    gs_git *other = NULL;
    assert_fails(&err, GS_ESPEC, "those of \"eve\"",
                 gs_git_open(in(fx, "cache2"), url, &(gs_git_access){.user = "eve"}, &other, &err));
    assert_null(other);
}

static void test_what_servers_answer(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a", "1");
    serve_http(fx, NULL, NULL);
    const struct {
        const char *path;
        int code;
        const char *text;
    } cases[] = {{"absent.git", GS_ENOTFOUND, "there is no repository at"},
                 {"forbidden/origin.git", GS_EAUTH, "403"},
                 {"moved/origin.git", GS_ENETWORK, "redirect"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *url = text(fx, "http://127.0.0.1:%d/%s", fx->port, cases[i].path);
        GS_AUTO_GIT gs_git *git = open_cache(fx, text(fx, "cache%zu", i), url, NULL);
        assert_fails(&err, cases[i].code, cases[i].text, gs_git_fetch(git, NULL, "main", commit, &err));
    }
}

static void test_fetch_by_id_over_http(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    const char *first = push_file(fx, "main", "a", "1");
    (void)push_file(fx, "main", "a", "2");
    serve_http(fx, NULL, NULL);
    for (int allowed = 0; allowed < 2; allowed++) {
        (void)run(fx, "git", "-C", fx->origin, "config", "uploadpack.allowAnySHA1InWant", allowed ? "true" : "false", NULL);
        const char *url = text(fx, "http://127.0.0.1:%d/origin.git", fx->port);
        GS_AUTO_GIT gs_git *git = open_cache(fx, allowed ? "allowed" : "refused", url, NULL);
        assert_ok(&err, gs_git_fetch(git, NULL, first, commit, &err));
        assert_string_equal(commit, first);
        assert_fails(&err, GS_ENOTFOUND, "leads to commit 5555",
                     gs_git_fetch(git, NULL, "5555555555555555555555555555555555555555", commit, &err));
    }
}

static void test_an_empty_remote_over_http(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    serve_http(fx, NULL, NULL);
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", text(fx, "http://127.0.0.1:%d/origin.git", fx->port), NULL);
    assert_fails(&err, GS_ENOTFOUND, "the repository is empty", gs_git_fetch(git, NULL, "main", commit, &err));
}

static void test_a_local_remote_of_another_owner(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    if (geteuid() != 0) {
        skip(); /* only root can give a directory away */
    }
    (void)run(fx, "chown", "-R", "nobody", fx->origin, NULL);
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", fx->origin, NULL);
    assert_fails(&err, GS_ESPEC, "belongs to another user", gs_git_fetch(git, NULL, "main", commit, &err));
}

static void test_nobody_listens(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    static const char *const urls[] = {"http://127.0.0.1:1/x.git", "https://127.0.0.1:1/x.git", "ssh://git@127.0.0.1:1/x.git",
                                       "http://no-such-host.invalid/x.git"};
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        GS_AUTO_GIT gs_git *git = open_cache(fx, text(fx, "cache%zu", i), urls[i], NULL);
        assert_fails(&err, GS_ENETWORK, i == 3 ? "no-such-host.invalid" : "127.0.0.1",
                     gs_git_fetch(git, NULL, "main", commit, &err));
    }
}

static volatile sig_atomic_t stop;

static void on_alarm(int number)
{
    (void)number;
    stop = 1;
}

/* libgit2 1.5 has no timeouts: the signal that asks to stop must end the wait for a server that accepts and says nothing. */
static void test_a_silent_server_can_be_interrupted(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    GS_AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);

    const struct sigaction action = {.sa_handler = on_alarm};
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    stop = 0;
    const gs_run interruptible = {.stop = &stop};
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", text(fx, "http://127.0.0.1:%d/x.git", ntohs(address.sin_port)), NULL);
    (void)alarm(1);
    assert_fails(&err, GS_EINTERRUPTED, NULL, gs_git_fetch(git, &interruptible, "main", commit, &err));
}

static void on_progress(void *state, const gs_progress *progress)
{
    uint64_t *most = state;
    assert_string_equal(progress->what, "fetching");
    *most = progress->done > *most ? progress->done : *most;
}

static void test_progress_is_told(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    uint64_t most = 0;
    (void)push_file(fx, "main", "a", "1");
    serve_http(fx, NULL, NULL);
    const gs_run watched = {.progress = on_progress, .state = &most};
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", text(fx, "http://127.0.0.1:%d/origin.git", fx->port), NULL);
    assert_ok(&err, gs_git_fetch(git, &watched, "main", commit, &err));
    assert_true(most > 100);
}

/* A certificate for a name or an address, with its key, in one file. */
static const char *make_certificate(git_fixture *fx, const char *name, const char *subject)
{
    (void)run(fx, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=test", "-addext",
              text(fx, "subjectAltName=%s", subject), "-keyout", "key.pem", "-out", text(fx, "%s.crt", name), NULL);
    (void)run(fx, "sh", "-c", text(fx, "cat %s.crt key.pem > %s.pem", name, name), NULL);
    return in(fx, text(fx, "%s.pem", name));
}

static void test_tls(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    const char *made = push_file(fx, "main", "a", "1");
    serve_http(fx, "--certificate", make_certificate(fx, "server", "DNS:localhost"));
    (void)make_certificate(fx, "other", "DNS:localhost");
    const struct {
        const char *host;
        const char *ca;
        int code;
        const char *text;
    } cases[] = {{"localhost", in(fx, "server.crt"), 0, NULL},
                 {"localhost", in(fx, "other.crt"), GS_ENETWORK, "certificate"},
                 {"127.0.0.1", in(fx, "server.crt"), GS_ENETWORK, "certificate"}, /* trusted, but made out to another name */
                 {"localhost", in(fx, "absent.crt"), GS_ESPEC, "absent.crt"},
                 {"localhost", in(fx, "port"), GS_ESPEC, "CA certificates cannot be read"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const gs_git_access access = {.ca_file = cases[i].ca};
        const char *url = text(fx, "https://%s:%d/origin.git", cases[i].host, fx->port);
        GS_AUTO_GIT gs_git *git = open_cache(fx, text(fx, "cache%zu", i), url, &access);
        if (cases[i].code == 0) {
            assert_ok(&err, gs_git_fetch(git, NULL, "main", commit, &err));
            assert_string_equal(commit, made);
        } else {
            assert_fails(&err, cases[i].code, cases[i].text, gs_git_fetch(git, NULL, "main", commit, &err));
        }
    }
}

static void test_tls_without_a_ca_of_its_own(void **state)
{
    git_fixture *fx = *state;
    gs_error err = {0};
    char commit[GS_COMMIT_TEXT];
    (void)push_file(fx, "main", "a", "1");
    serve_http(fx, "--certificate", make_certificate(fx, "server", "DNS:localhost"));
    GS_AUTO_GIT gs_git *git = open_cache(fx, "cache", text(fx, "https://localhost:%d/origin.git", fx->port), NULL);
    assert_fails(&err, GS_ENETWORK, "certificate", gs_git_fetch(git, NULL, "main", commit, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_with_fixture(test_basic_authentication),
                                       test_with_fixture(test_the_user_of_the_address),
                                       test_with_fixture(test_what_servers_answer),
                                       test_with_fixture(test_fetch_by_id_over_http),
                                       test_with_fixture(test_an_empty_remote_over_http),
                                       test_with_fixture(test_nobody_listens),
                                       test_with_fixture(test_a_local_remote_of_another_owner),
                                       test_with_fixture(test_a_silent_server_can_be_interrupted),
                                       test_with_fixture(test_progress_is_told),
                                       test_with_fixture(test_tls),
                                       test_with_fixture(test_tls_without_a_ca_of_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
