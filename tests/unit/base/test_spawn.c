/* Starting: what a child gets, what it does not get, and why it does not start. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes.h"
#include "support.h"

static void gives_exactly_this_environment(void **state)
{
    (void)state;
    assert_int_equal(setenv("SECRET_TOKEN", "hunter2", 1), 0);
    assert_int_equal(setenv("PATH", "/usr/bin:/bin", 1), 0);
    assert_int_equal(setenv("HOME", "/home/somebody", 1), 0);
    assert_int_equal(setenv("LANG", "de_DE.UTF-8", 1), 0);
    const char *const argv[] = {"env", NULL};
    const char *const extra[] = {"TZ=Europe/Berlin", "KUBECONFIG=/x", NULL};
    gs_error err = {0};
    char *tmpdir = getenv("TMPDIR") ? strdup(getenv("TMPDIR")) : NULL;
    assert_int_equal(setenv("TMPDIR", "/var/tmp", 1), 0);
    gs_proc proc = {.argv = argv};
    gs_proc_result result;
    assert_ok(&err, gs_proc_run(NULL, &proc, &result, &err));
    assert_string_equal(gs_buf_text(&result.output),
                        "PATH=/usr/bin:/bin\nHOME=/home/somebody\nTMPDIR=/var/tmp\nLANG=C.UTF-8\nTZ=UTC\n");
    gs_proc_result_done(&result);
    proc.environment = extra;
    proc.home = "/nowhere";
    assert_ok(&err, gs_proc_run(NULL, &proc, &result, &err));
    assert_string_equal(gs_buf_text(&result.output),
                        "TZ=Europe/Berlin\nKUBECONFIG=/x\nPATH=/usr/bin:/bin\nHOME=/nowhere\nTMPDIR=/var/tmp\nLANG=C.UTF-8\n");
    gs_proc_result_done(&result);
    if (tmpdir) {
        assert_int_equal(setenv("TMPDIR", tmpdir, 1), 0);
    } else {
        assert_int_equal(unsetenv("TMPDIR"), 0);
    }
    free(tmpdir);
}

static void starts_in_the_directory(void **state)
{
    gs_tempdir *dir = *state;
    const gs_proc proc = {.cwd = dir->fd};
    char *output = output_of("pwd", &proc);
    output[strcspn(output, "\n")] = '\0';
    assert_string_equal(output, dir->path);
    free(output);
    gs_error err = {0};
    GS_AUTO_PROC gs_proc_result result;
    const gs_proc bad = {.cwd = 9999};
    assert_fails(&err, GS_EIO, "working directory", run_script("true", &bad, &result, &err));
}

static void start(const char *program, int code, const char *text)
{
    gs_error err = {0};
    const char *const argv[] = {program, NULL};
    const gs_proc proc = {.argv = argv};
    GS_AUTO_PROC gs_proc_result result;
    assert_fails(&err, code, text, gs_proc_run(NULL, &proc, &result, &err));
}

static void tells_why_it_does_not_start(void **state)
{
    gs_tempdir *dir = *state;
    char path[512];
    size_t before = count_descriptors();
    start("no-such-program-anywhere", GS_ENOTFOUND, "the program no-such-program-anywhere was not found");
    start("/no/such/program", GS_ENOTFOUND, "/no/such/program");
    start("/", GS_EIO, "Permission denied");
    support_write(dir->fd, "plain", "text");
    (void)snprintf(path, sizeof path, "%s/plain", dir->path);
    start(path, GS_EIO, "cannot start the program");
    assert_int_equal(fchmodat(dir->fd, "plain", 0755, 0), 0);
    start(path, GS_EIO, "Exec format error");
    support_write(dir->fd, "script", "#!/no/such/interpreter\n");
    assert_int_equal(fchmodat(dir->fd, "script", 0755, 0), 0);
    (void)snprintf(path, sizeof path, "%s/script", dir->path);
    start(path, GS_ENOTFOUND, "was not found");
    assert_int_equal(count_descriptors(), before);
}

static void searches_absolute_directories_only(void **state)
{
    gs_tempdir *dir = *state;
    char path[1024];
    char *before = strdup(getenv("PATH"));
    char *cwd = getcwd(NULL, 0);
    support_write(dir->fd, "here", "#!/bin/sh\necho here\n");
    assert_int_equal(fchmodat(dir->fd, "here", 0755, 0), 0);
    assert_int_equal(mkdirat(dir->fd, "first", 0755), 0);
    assert_int_equal(mkdirat(dir->fd, "first/here", 0755), 0);
    assert_int_equal(fchdir(dir->fd), 0);
    assert_int_equal(setenv("PATH", ":.::", 1), 0);
    start("here", GS_ENOTFOUND, "PATH");
    /* A directory of that name is passed over. */
    (void)snprintf(path, sizeof path, ".:%s/first:%s", dir->path, dir->path);
    assert_int_equal(setenv("PATH", path, 1), 0);
    gs_error err = {0};
    const char *const argv[] = {"here", NULL};
    const gs_proc proc = {.argv = argv};
    gs_proc_result result;
    assert_ok(&err, gs_proc_run(NULL, &proc, &result, &err));
    assert_string_equal(gs_buf_text(&result.output), "here\n");
    gs_proc_result_done(&result);
    assert_int_equal(chdir(cwd), 0);
    assert_int_equal(setenv("PATH", before, 1), 0);
    free(before);
    free(cwd);
}

static void inherits_no_descriptor(void **state)
{
    gs_tempdir *dir = *state;
    /* One that somebody forgot to mark close-on-exec. */
    int leak = dup(dir->fd);
    assert_true(leak > 2);
    /* sh reads the directory itself and so has one more open than it lists for us. */
    char *output = output_of("cd /proc/self/fd && echo *", NULL);
    assert_int_equal(close(leak), 0);
    assert_true(strcmp(output, "0 1 2\n") == 0 || strcmp(output, "0 1 2 3\n") == 0);
    free(output);
}

static void starts_with_default_signals(void **state)
{
    (void)state;
    sigset_t some;
    sigset_t before;
    assert_int_equal(sigemptyset(&some), 0);
    assert_int_equal(sigaddset(&some, SIGTERM), 0);
    assert_int_equal(sigprocmask(SIG_BLOCK, &some, &before), 0);
    assert_ptr_not_equal(signal(SIGPIPE, SIG_IGN), SIG_ERR);
    const char *const argv[] = {"grep", "-E", "Sig(Blk|Ign|Cgt)", "/proc/self/status", NULL};
    const gs_proc proc = {.argv = argv};
    gs_error err = {0};
    GS_AUTO_PROC gs_proc_result result;
    assert_ok(&err, gs_proc_run(NULL, &proc, &result, &err));
    assert_ptr_not_equal(signal(SIGPIPE, SIG_DFL), SIG_ERR);
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    assert_contains(gs_buf_text(&result.output), "SigBlk:\t0000000000000000");
    assert_contains(gs_buf_text(&result.output), "SigIgn:\t0000000000000000");
}

static int run_without_streams(void *argument)
{
    (void)argument;
    gs_error err = {0};
    gs_proc_result result;
    (void)close(0);
    (void)close(1);
    (void)close(2);
    const gs_proc proc = {.input = "in", .input_len = 2};
    int code = run_script("cat; echo err >&2", &proc, &result, &err);
    bool right = code == 0 && strcmp(gs_buf_text(&result.output), "in") == 0 && strcmp(gs_buf_text(&result.errors), "err\n") == 0;
    gs_proc_result_done(&result);
    return right ? 0 : 1;
}

static void works_without_standard_streams(void **state)
{
    (void)state;
    in_subprocess(run_without_streams, NULL);
}

static int run_and_wait_to_be_killed(int dirfd)
{
    gs_error err = {0};
    gs_proc_result result;
    const gs_proc proc = {.cwd = dirfd};
    return run_script("echo $$ > pid.tmp; mv pid.tmp pid; exec sleep 60", &proc, &result, &err);
}

static void dies_with_its_parent(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    pid_t parent = fork();
    if (parent == 0) {
        _exit(run_and_wait_to_be_killed(dir->fd));
    }
    assert_true(parent > 0);
    for (int i = 0; i < 500 && !gs_fs_exists(dir->fd, "pid"); i++) {
        assert_ok(&err, gs_sleep(NULL, 20, &err));
    }
    gs_buf text;
    gs_buf_init(&text, 100);
    assert_ok(&err, gs_fs_read_file(dir->fd, "pid", &text, &err));
    int child = 0;
    assert_int_equal(sscanf(gs_buf_text(&text), "%d", &child), 1);
    gs_buf_done(&text);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_true(dies(child));
}

/* A server on the loopback, which every child can reach but an isolated one. */
static int listen_somewhere(unsigned *port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static int connect_from_child(unsigned port, bool isolated, gs_proc_result *result, gs_error *err)
{
    char script[128];
    (void)snprintf(script, sizeof script, "exec 3<>/dev/tcp/127.0.0.1/%u && cat /proc/net/dev | wc -l", port);
    const char *const argv[] = {"bash", "-c", script, NULL};
    const gs_proc proc = {.argv = argv, .isolated = isolated};
    return gs_proc_run(NULL, &proc, result, err);
}

static void isolates_from_the_network(void **state)
{
    (void)state;
    gs_error err = {0};
    unsigned port = 0;
    GS_AUTO_FD int server = listen_somewhere(&port);
    assert_true(server >= 0);
    gs_proc_result result;
    assert_ok(&err, connect_from_child(port, false, &result, &err));
    assert_int_equal(result.status, 0);
    assert_false(result.isolated);
    gs_proc_result_done(&result);
    assert_ok(&err, connect_from_child(port, true, &result, &err));
    bool isolated = result.isolated;
    int status = result.status;
    gs_proc_result_done(&result);
    if (!isolated) {
        print_message("this kernel forbids network namespaces\n");
        skip();
    }
    assert_int_not_equal(status, 0);
}

/* Not 65534, which is what an unmapped user looks like. */
#define ORDINARY 12345

/* As an ordinary user, a user namespace is needed; the user stays itself in it, and its private files readable. */
static int isolate_as_ordinary_user(void *argument)
{
    gs_tempdir *dir = argument;
    gs_error err = {0};
    gs_proc_result result;
    if (geteuid() == 0 && (fchown(dir->fd, ORDINARY, ORDINARY) != 0 || setresgid(ORDINARY, ORDINARY, ORDINARY) != 0 ||
                           setresuid(ORDINARY, ORDINARY, ORDINARY) != 0)) {
        return 1;
    }
    /* Changing the user made /proc/self root's, which it is not for a process that began as this user. */
    (void)prctl(PR_SET_DUMPABLE, 1);
    if (gs_fs_write_file(dir->fd, "private", "mine", 4, 0600, &err) != 0) {
        return 2;
    }
    const gs_proc proc = {.cwd = dir->fd, .isolated = true};
    int code = run_script("id -u; cat private; echo made > made; grep -c : /proc/net/dev", &proc, &result, &err);
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "%u\nmine1\n", (unsigned)geteuid());
    bool right = code == 0 && result.status == 0 && (!result.isolated || strcmp(gs_buf_text(&result.output), wanted) == 0);
    if (!right) {
        print_error("code %d: %s%s%s\n", code, err.message, gs_buf_text(&result.output), gs_buf_text(&result.errors));
    } else if (!result.isolated) {
        print_message("this kernel forbids user namespaces\n");
    }
    gs_proc_result_done(&result);
    return right ? 0 : 3;
}

static void isolates_ordinary_users(void **state)
{
    in_subprocess(isolate_as_ordinary_user, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_exactly_this_environment), test_in_tempdir(starts_in_the_directory),
        test_in_tempdir(tells_why_it_does_not_start),     test_in_tempdir(searches_absolute_directories_only),
        test_in_tempdir(inherits_no_descriptor),          cmocka_unit_test(starts_with_default_signals),
        cmocka_unit_test(works_without_standard_streams), test_in_tempdir(dies_with_its_parent),
        cmocka_unit_test(isolates_from_the_network),      test_in_tempdir(isolates_ordinary_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
