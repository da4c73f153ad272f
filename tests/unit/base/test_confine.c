/* Confined processes that try what they may not do. Where the kernel lacks a means, the test says so and looks at what is left. */
#include "gapship/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gapship/limits.h"
#include "gapship/proc.h"
#include "processes.h"
#include "support.h"

/* ---- tools: programs that gapship runs ---- */

/* The program itself: what a wrapper in somebody's HOME starts could not be read. */
#define PYTHON "/usr/bin/python3"

/* Runs a line of Python; it exits with 7 when the kernel refused. */
static int attempt(const char *line, const gs_confinement *confinement, const gs_tempdir *dir, gs_proc_result *result)
{
    gs_error err = {0};
    char script[2048];
    (void)snprintf(script, sizeof script,
                   "import ctypes, os, socket, sys\nlibc = ctypes.CDLL(None, use_errno=True)\n"
                   "def call(*words):\n  if libc.syscall(*words) < 0: raise OSError(ctypes.get_errno(), 'call')\n"
                   "try:\n  %s\nexcept (OSError, MemoryError) as e:\n  print(e, file=sys.stderr)\n  sys.exit(7)\n",
                   line);
    const char *const argv[] = {PYTHON, "-I", "-c", script, NULL};
    const gs_proc proc = {.argv = argv, .cwd = dir->fd, .confined = confinement, .deadline = 60000};
    int code = gs_proc_run(NULL, &proc, result, &err);
    if (code != 0) {
        fail_msg("%s", err.message);
    }
    return result->status;
}

static void expect(const char *line, const gs_confinement *confinement, const gs_tempdir *dir, int status, unsigned needed)
{
    GS_AUTO_PROC gs_proc_result result = {0};
    int got = attempt(line, confinement, dir, &result);
    if (result.unconfined & needed) {
        print_message("%s: not judged: this kernel lacks %u\n", line, result.unconfined);
    } else if (got != status) {
        fail_msg("%s: status %d instead of %d: %s", line, got, status, gs_buf_text(&result.errors));
    }
}

static void keeps_files_out_of_reach(void **state)
{
    gs_tempdir *dir = *state;
    GS_AUTO_TEMPDIR gs_tempdir other = GS_TEMPDIR_INIT;
    gs_error err = {0};
    char line[512];
    assert_ok(&err, gs_tempdir_make(&other, &err));
    assert_ok(&err, gs_fs_write_file(other.fd, "secret", "s", 1, 0644, &err));
    assert_ok(&err, gs_fs_write_file(dir->fd, "mine", "m", 1, 0644, &err));
    const char *const both[] = {dir->path, NULL};
    const gs_confinement writing = {.no_files = true, .writable = both};
    const gs_confinement reading = {.no_files = true, .readable = both};
    expect("open('/etc/passwd').read()", &writing, dir, 7, GS_UNCONFINED_FILES);
    expect("open('/etc/shadow').read()", &reading, dir, 7, GS_UNCONFINED_FILES);
    expect("os.listdir('/root' if os.path.isdir('/root') else '/home')", &writing, dir, 7, GS_UNCONFINED_FILES);
    expect("os.listdir('/proc/self/fd')", &writing, dir, 7, GS_UNCONFINED_FILES);
    (void)snprintf(line, sizeof line, "open('%s/secret').read()", other.path);
    expect(line, &writing, dir, 7, GS_UNCONFINED_FILES);
    (void)snprintf(line, sizeof line, "os.unlink('%s/secret')", other.path);
    expect(line, &writing, dir, 7, GS_UNCONFINED_FILES);
    (void)snprintf(line, sizeof line, "os.link('mine', '%s/mine')", other.path);
    expect(line, &writing, dir, 7, GS_UNCONFINED_FILES);
    expect("os.symlink('/etc/passwd', 'link'); open('link').read()", &writing, dir, 7, GS_UNCONFINED_FILES);
    expect("open('new', 'w').write('x')", &reading, dir, 7, GS_UNCONFINED_FILES);
    expect("os.truncate('mine', 0)", &reading, dir, 7, GS_UNCONFINED_FILES);
    expect("open('mine').read()", &reading, dir, 0, 0);
    expect("open('new', 'w').write('x'); os.rename('new', 'newer'); os.unlink('newer')", &writing, dir, 0, 0);
    expect("open('/etc/passwd').read()", &(gs_confinement){.no_files = false}, dir, 0, 0);
}

static void runs_nothing_that_it_was_given_to_read(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    const char *const paths[] = {dir->path, NULL};
    const gs_confinement confinement = {.no_files = true, .writable = paths};
    assert_ok(&err, gs_fs_write_file(dir->fd, "program", "#!/bin/sh\nexit 0\n", 17, 0755, &err));
    expect("os.execv('./program', ['program'])", &confinement, dir, 7, GS_UNCONFINED_FILES);
    expect("os.execv('/bin/true', ['true'])", &confinement, dir, 0, 0);
}

static void has_no_network(void **state)
{
    gs_tempdir *dir = *state;
    char line[256];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(line, sizeof line, "socket.create_connection(('127.0.0.1', %u))", ntohs(address.sin_port));
    expect(line, &(gs_confinement){.network = false}, dir, 7, GS_UNCONFINED_CALLS);
    expect(line, &(gs_confinement){.network = true}, dir, 0, 0);
    expect("socket.socket(socket.AF_UNIX).connect('/run/nothing')", &(gs_confinement){0}, dir, 7, GS_UNCONFINED_CALLS);
    expect("socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", &(gs_confinement){.network = true}, dir, 7, GS_UNCONFINED_CALLS);
    expect("socket.socket(38, socket.SOCK_SEQPACKET)", &(gs_confinement){.network = true}, dir, 7, GS_UNCONFINED_CALLS);
    (void)close(fd);
}

static void makes_no_forbidden_calls(void **state)
{
    gs_tempdir *dir = *state;
    const gs_confinement confinement = {.network = true};
    char line[256];
    const struct {
        const char *name;
        long number;
        const char *arguments;
    } calls[] = {{"ptrace", SYS_ptrace, "0, 0, 0, 0"},
                 {"process_vm_readv", SYS_process_vm_readv, "os.getppid(), 0, 0, 0, 0, 0"},
                 {"mount", SYS_mount, "0, 0, 0, 0, 0"},
                 {"unshare", SYS_unshare, "0x10000000"},
                 {"clone", SYS_clone, "0x10000200, 0, 0, 0, 0"},
                 {"keyctl", SYS_keyctl, "0, -3, 0"},
                 {"bpf", SYS_bpf, "0, 0, 0"},
                 {"perf_event_open", SYS_perf_event_open, "0, 0, -1, -1, 0"},
                 {"io_uring_setup", SYS_io_uring_setup, "1, 0"},
                 {"userfaultfd", SYS_userfaultfd, "1"},
                 {"finit_module", SYS_finit_module, "0, b'', 0"},
                 {"open_by_handle_at", SYS_open_by_handle_at, "0, 0, 0"}};
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        /* EPERM is the filter's: with these arguments the calls do nothing on a kernel without one, or fail with another number. */
        (void)snprintf(line, sizeof line, "libc.syscall(%ld, %s); sys.exit(0 if ctypes.get_errno() == 1 else 9)", calls[i].number,
                       calls[i].arguments);
        expect(line, &confinement, dir, 0, GS_UNCONFINED_CALLS);
    }
    (void)snprintf(line, sizeof line, "libc.syscall(%d, 0, 0); sys.exit(0 if ctypes.get_errno() == 38 else 9)", SYS_clone3);
    expect(line, &confinement, dir, 0, GS_UNCONFINED_CALLS);
    expect("import threading; t = threading.Thread(target=print); t.start(); t.join()", &confinement, dir, 0, 0);
    expect("sys.exit(os.waitstatus_to_exitcode(os.spawnl(os.P_WAIT, '/bin/true', 'true')))", &confinement, dir, 0, 0);
}

static void gains_nothing_from_set_user_id(void **state)
{
    gs_tempdir *dir = *state;
    expect("sys.exit(0 if 'NoNewPrivs:\\t1' in open('/proc/self/status').read() else 9)", &(gs_confinement){0}, dir, 0, 0);
    expect("sys.exit(0 if 'Seccomp:\\t2' in open('/proc/self/status').read() else 9)", &(gs_confinement){0}, dir, 0,
           GS_UNCONFINED_CALLS);
}

static void takes_no_more_than_its_share(void **state)
{
    gs_tempdir *dir = *state;
    const gs_confinement confinement = {.memory = GS_MIB(256), .cpu_seconds = 1, .file_size = GS_MIB(1), .open_files = 64};
    const int64_t begin = gs_ticks();
    expect("x = bytearray(10 << 30)", &confinement, dir, 7, 0);
    expect("x = bytearray(64 << 20)", &confinement, dir, 0, 0);
    expect("l = [os.open('/dev/null', 0) for _ in range(100)]", &confinement, dir, 7, 0);
    expect("import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); open('f', 'wb').write(bytes(2 << 20))", &confinement, dir,
           7, 0);
    expect("import resource; sys.exit(0 if resource.getrlimit(resource.RLIMIT_CORE) == (0, 0) else 9)", &confinement, dir, 0, 0);
    expect("\n  while True: pass", &confinement, dir, 128 + SIGKILL, 0);
    assert_true(gs_ticks() - begin < 30000);
}

static void leaves_lower_limits_alone(void **state)
{
    gs_tempdir *dir = *state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const gs_confinement confinement = {.open_files = (uint64_t)before.rlim_max + 1000};
    expect("pass", &confinement, dir, 0, 0);
}

static void needs_what_it_was_given_to_exist_only_if_it_does(void **state)
{
    gs_tempdir *dir = *state;
    const char *const paths[] = {"/nonexistent/path", dir->path, NULL};
    expect("open('f', 'w')", &(gs_confinement){.no_files = true, .readable = paths, .writable = paths}, dir, 0, 0);
}

/* ---- a strict process: one of gapship's own ---- */

/* Does one thing after it was confined. Returns the wait status of a child that tried; 0 when the kernel lacks what it takes. */
static int try_strictly(void (*thing)(void *argument), void *argument)
{
    static const gs_confinement strict = {
        .strict = true, .no_files = true, .open_files = 16, .memory = GS_MIB(64), .cpu_seconds = 5};
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        gs_error err = {0};
        unsigned missing = 0;
        if (gs_confine_self(&strict, &missing, &err) != 0) {
            _exit(3);
        }
        if (missing & GS_UNCONFINED_CALLS) {
            _exit(4);
        }
        thing(argument);
        _exit(5);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* Ends with 0 when all of it was refused. */
static void open_and_look_around(void *argument)
{
    char room[4096];
    struct stat info;
    (void)argument;
    bool refused = syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0) < 0 && errno == EPERM &&
                   syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", room, sizeof room) < 0 && errno == EPERM &&
                   syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &info, 0) < 0 && errno == EPERM &&
                   syscall(SYS_unlinkat, AT_FDCWD, "/tmp/nothing", 0) < 0 && errno == EPERM && syscall(SYS_sysinfo, room) < 0 &&
                   errno == EPERM;
    _exit(refused ? 0 : 6);
}

static void make_a_socket(void *argument)
{
    (void)argument;
    (void)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static void start_a_process(void *argument)
{
    (void)argument;
    (void)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void run_a_program(void *argument)
{
    const char *const argv[] = {"true", NULL};
    (void)argument;
    (void)syscall(SYS_execve, "/bin/true", argv, NULL);
}

static void kill_its_parent(void *argument)
{
    (void)syscall(SYS_kill, *(pid_t *)argument, SIGTERM);
}

static void trace_its_parent(void *argument)
{
    (void)syscall(SYS_ptrace, 16, *(pid_t *)argument, 0, 0);
}

static void make_code(void *argument)
{
    (void)argument;
    (void)syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void turn_memory_into_code(void *argument)
{
    long page = syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)argument;
    (void)syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
}

static void kills_an_attacker(void **state)
{
    (void)state;
    void (*const things[])(void *) = {make_a_socket,    start_a_process, run_a_program,        kill_its_parent,
                                      trace_its_parent, make_code,       turn_memory_into_code};
    pid_t self = getpid();
    for (size_t i = 0; i < COUNT_OF(things); i++) {
        int status = try_strictly(things[i], &self);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 4) {
            print_message("this kernel has no seccomp\n");
            skip();
        }
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
            fail_msg("thing %zu: wait status %d", i, status);
        }
    }
}

static void refuses_what_a_library_may_try(void **state)
{
    (void)state;
    int status = try_strictly(open_and_look_around, NULL);
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 4));
}

static void read_and_write(void *argument)
{
    int *ends = argument;
    char byte = 0;
    char *memory = malloc(GS_MIB(8));
    if (memory && read(ends[0], &byte, 1) == 1 && byte == 'a') {
        memory[GS_MIB(7)] = 'b';
        if (write(ends[3], memory + GS_MIB(7), 1) == 1) {
            free(memory);
            _exit(0);
        }
    }
    _exit(6);
}

static void lets_a_reader_read(void **state)
{
    (void)state;
    int ends[4];
    char byte = 0;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pipe(ends + 2), 0);
    assert_int_equal(write(ends[1], "a", 1), 1);
    int status = try_strictly(read_and_write, ends);
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 4));
    if (WEXITSTATUS(status) == 0) {
        assert_int_equal(read(ends[2], &byte, 1), 1);
        assert_int_equal(byte, 'b');
    }
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        (void)close(ends[i]);
    }
}

/* ---- a kernel that has neither ---- */

/* As an older kernel would answer: ENOSYS to Landlock, EINVAL to a filter. */
static bool become_old(bool without_landlock, bool without_seccomp)
{
#define FIELD(name) (unsigned)offsetof(struct seccomp_data, name)
    struct sock_filter filters[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, without_landlock ? SYS_landlock_create_ruleset : 0xffffu, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 38),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, without_seccomp ? SYS_prctl : 0xffffu, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 22),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = COUNT_OF(filters), .filter = filters};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static void remember(void *state, const gs_event *event)
{
    gs_buf *said = state;
    gs_buf_printf(said, "%d %s %s;", event->level, event->name, event->text);
    for (size_t i = 0; i < event->fact_count; i++) {
        if (event->facts[i].kind == GS_FACT_BOOL) {
            gs_buf_printf(said, " %s=%d", event->facts[i].key, (int)event->facts[i].number);
        }
    }
}

static int run_on_an_old_kernel(void *argument)
{
    const gs_confinement confinement = {.no_files = true, .memory = GS_MIB(512)};
    const bool *given = argument;
    /* This kernel may be one. */
    const bool without[] = {given[0] || (gs_confine_probe(&confinement) & GS_UNCONFINED_FILES), given[1]};
    const unsigned expected = (without[0] ? GS_UNCONFINED_FILES : 0u) |
                              (without[1] ? (unsigned)(GS_UNCONFINED_CALLS | GS_UNCONFINED_NETWORK) : 0u);
    gs_error err = {0};
    GS_AUTO_BUF gs_buf said;
    gs_buf_init(&said, GS_KIB(4));
    const gs_run run = {.emit = remember, .state = &said};
    GS_AUTO_PROC gs_proc_result result = {0};
    if (!become_old(without[0], without[1])) {
        print_message("this kernel has no seccomp to play an older one with\n");
        return 0;
    }
    const gs_proc proc = {.confined = &confinement};
    int code = run_script("ulimit -d; ulimit -c", &proc, &result, &err);
    gs_confine_report(&run, "helm", result.unconfined);
    /* What is left holds all the same. */
    bool limited = strcmp(gs_buf_text(&result.output), "524288\n0\n") == 0;
    bool told = (strstr(gs_buf_text(&said), "no Landlock") != NULL) == without[0] &&
                (strstr(gs_buf_text(&said), "no seccomp") != NULL) == without[1] &&
                (strstr(gs_buf_text(&said), "network away") != NULL) == without[1] && (said.len == 0) == (expected == 0) &&
                (expected == 0 || strstr(gs_buf_text(&said), "2 unconfined helm: ") != NULL);
    unsigned missing = 0;
    bool itself = gs_confine_self(&confinement, &missing, &err) == 0 && missing == expected;
    if (code != 0 || result.unconfined != expected || !limited || !told || !itself) {
        print_error("%s; missing %u and %u, not %u; \"%s\" \"%s\"\n", err.message, result.unconfined, missing, expected,
                    gs_buf_text(&said), gs_buf_text(&result.output));
        return 1;
    }
    return 0;
}

static void says_what_an_old_kernel_lacks(void **state)
{
    (void)state;
    bool cases[][2] = {{true, false}, {false, true}, {true, true}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        in_subprocess(run_on_an_old_kernel, cases[i]);
    }
}

static void says_nothing_when_nothing_is_missing(void **state)
{
    (void)state;
    gs_buf said;
    gs_buf_init(&said, GS_KIB(4));
    const gs_run run = {.emit = remember, .state = &said};
    gs_confine_report(&run, "helm", 0);
    assert_int_equal(said.len, 0);
}

/* What is foretold is what happens. */
static void foretells(void **state)
{
    (void)state;
    const gs_confinement cases[] = {{.no_files = true}, {.no_files = false}, {.no_files = true, .network = true}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        GS_AUTO_PROC gs_proc_result result = {0};
        const gs_proc proc = {.confined = &cases[i]};
        assert_ok(&err, run_script("exit 0", &proc, &result, &err));
        assert_int_equal(result.unconfined, gs_confine_probe(&cases[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(keeps_files_out_of_reach),
        test_in_tempdir(runs_nothing_that_it_was_given_to_read),
        test_in_tempdir(has_no_network),
        test_in_tempdir(makes_no_forbidden_calls),
        test_in_tempdir(gains_nothing_from_set_user_id),
        test_in_tempdir(takes_no_more_than_its_share),
        test_in_tempdir(leaves_lower_limits_alone),
        test_in_tempdir(needs_what_it_was_given_to_exist_only_if_it_does),
        cmocka_unit_test(kills_an_attacker),
        cmocka_unit_test(refuses_what_a_library_may_try),
        cmocka_unit_test(lets_a_reader_read),
        cmocka_unit_test(says_what_an_old_kernel_lacks),
        cmocka_unit_test(says_nothing_when_nothing_is_missing),
        cmocka_unit_test(foretells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
