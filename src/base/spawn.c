/* fork and exec. Everything that may allocate, lock or fail at length is prepared before the fork: gapship has threads, so the
 * child may only make async-signal-safe calls. What the program is for and how long it may run is not known here. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "gapship/fs.h"
#include "gapship/text.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define MAP_BYTES    32
#define KEPT         3 /* descriptors of the child's own until its exec */

/* All that the child needs, made by the parent. */
typedef struct plan {
    gs_arena *arena;
    const char *program;
    char *const *argv;
    char *const *environment;
    int streams[3];
    int cwd;
    bool isolated;
    char uid_map[MAP_BYTES];
    char gid_map[MAP_BYTES];
    pid_t parent;
    int report;
    bool confined;
    gs_confine_plan confinement;
} plan;

/* What the child tells before its exec; the pipe ends when the exec succeeds. */
typedef struct report {
    enum {
        REPORT_ISOLATED = 1,
        REPORT_CONFINED,
        REPORT_NO_STREAMS,
        REPORT_NO_DIRECTORY,
        REPORT_NO_CONFINEMENT,
        REPORT_NO_EXEC
    } kind;
    int errnum; /* CONFINED: bits of what is missing */
} report;

/* --- preparation --- */

static const char *search_path(void)
{
    const char *path = getenv("PATH");
    return path && path[0] != '\0' ? path : DEFAULT_PATH;
}

static int not_found(const char *name, gs_error *err)
{
    (void)gs_fail(err, GS_ENOTFOUND, "the program %s was not found", name);
    (void)gs_error_hint(err, "install %s, or add its directory to PATH (which is %s)", name, search_path());
    return GS_ENOTFOUND;
}

static bool is_executable(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

/* Absolute directories of PATH only: what the working directory holds is never run by accident. */
static int find_program(gs_arena *arena, const char *name, const char **program, gs_error *err)
{
    if (strchr(name, '/')) {
        *program = name;
        return 0;
    }
    const char *directory = search_path();
    while (*directory) {
        size_t len = strcspn(directory, ":");
        if (directory[0] == '/') {
            const char *candidate = gs_arena_printf(arena, "%.*s/%s", (int)len, directory, name);
            if (!candidate) {
                return gs_fail_nomem(err);
            }
            if (is_executable(candidate)) {
                *program = candidate;
                return 0;
            }
        }
        directory += len + (directory[len] == ':');
    }
    return not_found(name, err);
}

static bool has_variable(const char *const *environment, const char *name, size_t name_len)
{
    for (size_t i = 0; environment && environment[i]; i++) {
        if (strncmp(environment[i], name, name_len) == 0 && environment[i][name_len] == '=') {
            return true;
        }
    }
    return false;
}

static int make_environment(gs_arena *arena, const gs_proc *proc, char *const **out, gs_error *err)
{
    const char *temporary = getenv("TMPDIR");
    const char *home = proc->home ? proc->home : getenv("HOME");
    const struct {
        const char *name;
        const char *value;
    } given[] = {
        {"PATH", search_path()}, {"HOME", home ? home : "/"}, {"TMPDIR", temporary ? temporary : "/tmp"}, {"LANG", "C.UTF-8"},
        {"TZ", "UTC"},
    };
    const size_t given_count = sizeof given / sizeof given[0];
    size_t extra_count = 0;
    while (proc->environment && proc->environment[extra_count]) {
        extra_count++;
    }
    char **variables = gs_arena_array(arena, given_count + extra_count + 1, sizeof *variables);
    if (!variables) {
        return gs_fail_nomem(err);
    }
    size_t n = 0;
    for (size_t i = 0; i < extra_count; i++) {
        variables[n] = gs_arena_text(arena, proc->environment[i]);
        if (!variables[n++]) {
            return gs_fail_nomem(err);
        }
    }
    for (size_t i = 0; i < given_count; i++) {
        if (has_variable(proc->environment, given[i].name, strlen(given[i].name))) {
            continue;
        }
        variables[n] = gs_arena_printf(arena, "%s=%s", given[i].name, given[i].value);
        if (!variables[n++]) {
            return gs_fail_nomem(err);
        }
    }
    *out = variables;
    return 0;
}

static int copy_arguments(gs_arena *arena, const char *const *argv, char *const **out, gs_error *err)
{
    size_t count = 0;
    while (argv[count]) {
        count++;
    }
    char **copy = gs_arena_array(arena, count + 1, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = gs_arena_text(arena, argv[i]);
        if (!copy[i]) {
            return gs_fail_nomem(err);
        }
    }
    *out = copy;
    return copy ? 0 : gs_fail_nomem(err);
}

/* stdin from a file in memory: unlike a pipe it needs nobody to feed it and breaks for nobody who does not read it. */
static int open_input(const gs_proc *proc, int *out, gs_error *err)
{
    if (proc->input_file > 0) {
        *out = fcntl(proc->input_file, F_DUPFD_CLOEXEC, 3);
        return *out < 0 ? gs_fail_errno(err, errno, "cannot give a child its input") : 0;
    }
    if (!proc->input) {
        *out = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return *out < 0 ? gs_fail_errno(err, errno, "cannot open /dev/null") : 0;
    }
    GS_AUTO_FD int fd = memfd_create("gapship-input", MFD_CLOEXEC);
    if (fd < 0) {
        return gs_fail_errno(err, errno, "cannot make a file in memory");
    }
    int code = gs_fs_pwrite(fd, proc->input, proc->input_len, 0, err);
    if (code == 0) {
        *out = fd;
        fd = -1;
    }
    return code;
}

/* --- in the child: async-signal-safe calls only --- */

static void tell(int fd, report said)
{
    ssize_t ignored = write(fd, &said, sizeof said);
    (void)ignored;
}

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t len = (ssize_t)strlen(text);
    bool written = write(fd, text, (size_t)len) == len;
    (void)close(fd);
    return written;
}

/* A network namespace without anything but a loopback that is down. Other users than root need a user namespace for it; they stay
 * themselves in it, so that files look as before. A failed mapping leaves the child nameless but isolated. */
static bool isolate(const plan *p)
{
    if (geteuid() == 0 && unshare(CLONE_NEWNET) == 0) {
        return true;
    }
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        return false;
    }
    bool mapped = write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/gid_map", p->gid_map) &&
                  write_text("/proc/self/uid_map", p->uid_map);
    (void)mapped;
    return true;
}

/* Handlers die with the exec, but what the parent ignores the child would ignore as well. */
static void reset_signals(void)
{
    for (int signal_number = 1; signal_number < NSIG; signal_number++) {
        (void)sigaction(signal_number, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    }
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* First away from 0, 1 and 2, where a descriptor may be when the parent began without them: dup2 onto itself would keep
 * close-on-exec, and onto another one close it. */
static bool place_streams(const int streams[3])
{
    int lifted[3];
    for (int i = 0; i < 3; i++) {
        lifted[i] = fcntl(streams[i], F_DUPFD_CLOEXEC, 3);
        if (lifted[i] < 0) {
            return false;
        }
    }
    return dup2(lifted[0], 0) == 0 && dup2(lifted[1], 1) == 1 && dup2(lifted[2], 2) == 2;
}

/* All from 3 on but these (-1: none): what libraries or gapship's own caller left inheritable, and the parent's locks, which
 * the child would hold until its exec, so that a run after a kill found them taken. An older kernel refuses, and they stay open. */
static void close_others(const int kept[KEPT])
{
    unsigned int first = 3;
    for (;;) {
        unsigned int next = ~0U;
        for (size_t i = 0; i < KEPT; i++) {
            if (kept[i] >= 0 && (unsigned int)kept[i] >= first && (unsigned int)kept[i] < next) {
                next = (unsigned int)kept[i];
            }
        }
        if (next > first) {
            (void)close_range(first, next == ~0U ? next : next - 1, 0);
        }
        if (next == ~0U) {
            return;
        }
        first = next + 1;
    }
}

static void confine(const plan *p, int report_fd)
{
    unsigned missing = 0;
    if (!gs_confine_enter(&p->confinement, &missing)) {
        tell(report_fd, (report){REPORT_NO_CONFINEMENT, errno});
        _exit(127);
    }
    tell(report_fd, (report){REPORT_CONFINED, (int)missing});
}

static _Noreturn void run_child(const plan *p)
{
    (void)setpgid(0, 0);
    reset_signals();
    int report_fd = fcntl(p->report, F_DUPFD_CLOEXEC, 3);
    int cwd = p->cwd > 0 ? fcntl(p->cwd, F_DUPFD_CLOEXEC, 3) : -1;
    if (!place_streams(p->streams)) {
        tell(report_fd, (report){REPORT_NO_STREAMS, errno});
        _exit(127);
    }
    close_others((const int[KEPT]){report_fd, cwd, p->confined ? p->confinement.ruleset : -1});
    if (p->isolated && isolate(p)) {
        tell(report_fd, (report){REPORT_ISOLATED, 0});
    }
    if (p->cwd > 0 && fchdir(cwd) != 0) {
        tell(report_fd, (report){REPORT_NO_DIRECTORY, errno});
        _exit(127);
    }
    /* A gapship that was killed is run again, and must not meet what its predecessor started. After the namespaces, which would
     * undo it; the parent may have died in the meantime. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != p->parent) {
        _exit(127);
    }
    if (p->confined) {
        confine(p, report_fd);
    }
    (void)execve(p->program, p->argv, p->environment);
    tell(report_fd, (report){REPORT_NO_EXEC, errno});
    _exit(127);
}

/* --- in the parent again --- */

static int explain(const report *said, const char *name, gs_error *err)
{
    if (said->kind == REPORT_NO_STREAMS) {
        return gs_fail_errno(err, said->errnum, "cannot give %s its input and output", name);
    }
    if (said->kind == REPORT_NO_DIRECTORY) {
        return gs_fail_errno(err, said->errnum, "cannot start %s in its working directory", name);
    }
    if (said->kind == REPORT_NO_CONFINEMENT) {
        return gs_fail_errno(err, said->errnum, "cannot confine %s", name);
    }
    if (said->errnum == ENOENT) {
        return not_found(name, err);
    }
    int code = gs_fail_errno(err, said->errnum, "cannot start the program %s", name);
    (void)gs_error_hint(err, "check that it is an executable built for this machine");
    return code;
}

/* Reads what the child tells until its exec or its end closes the pipe. */
static int hear_child(int fd, const char *name, gs_spawned *child, gs_error *err)
{
    for (;;) {
        report said;
        ssize_t got = read(fd, &said, sizeof said);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got == 0) {
            return 0;
        }
        if (got != (ssize_t)sizeof said) {
            return gs_fail_errno(err, got < 0 ? errno : EIO, "cannot learn whether %s started", name);
        }
        if (said.kind == REPORT_ISOLATED) {
            child->isolated = true;
        } else if (said.kind == REPORT_CONFINED) {
            child->unconfined = (unsigned)said.errnum;
        } else {
            return explain(&said, name, err);
        }
    }
}

static int fork_child(plan *p, gs_spawned *out, gs_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return gs_fail_errno(err, errno, "cannot make a pipe");
    }
    GS_AUTO_FD int hear = ends[0];
    p->report = ends[1];
    /* No handler of the parent may run in the child, which shares nothing with what the handler would tell. */
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        run_child(p);
    }
    int errnum = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    gs_fs_close_p(&p->report);
    if (pid < 0) {
        return gs_fail_errno(err, errnum, "cannot start a process for %s", p->argv[0]);
    }
    gs_spawned made = {.pid = pid};
    int code = hear_child(hear, p->argv[0], &made, err);
    if (code != 0) {
        (void)gs_spawn_reap(pid);
        return code;
    }
    *out = made;
    return 0;
}

static int prepare(plan *p, const gs_proc *proc, gs_error *err)
{
    if (!p->arena) {
        return gs_fail_nomem(err);
    }
    int code = copy_arguments(p->arena, proc->argv, &p->argv, err);
    if (code == 0) {
        code = find_program(p->arena, proc->argv[0], &p->program, err);
    }
    if (code == 0) {
        code = make_environment(p->arena, proc, &p->environment, err);
    }
    (void)snprintf(p->uid_map, sizeof p->uid_map, "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
    (void)snprintf(p->gid_map, sizeof p->gid_map, "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
    return code;
}

static int prepare_and_fork(plan *p, const gs_proc *proc, gs_spawned *out, gs_error *err)
{
    int code = prepare(p, proc, err);
    if (code == 0 && p->confined) {
        code = gs_confine_plan_make(proc->confined, p->program, &p->confinement, err);
    }
    if (code == 0) {
        code = fork_child(p, out, err);
    }
    if (code == 0 && p->confined && !proc->confined->network && !out->isolated && (out->unconfined & GS_UNCONFINED_CALLS)) {
        out->unconfined |= GS_UNCONFINED_NETWORK;
    }
    return code;
}

int gs_spawn(const gs_proc *proc, int output, int errors, gs_spawned *out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_FD int input = -1;
    GS_AUTO_FD int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0) {
        return gs_fail_errno(err, errno, "cannot open /dev/null");
    }
    int code = open_input(proc, &input, err);
    if (code != 0) {
        return code;
    }
    plan p = {.arena = arena,
              .streams = {input, output >= 0 ? output : null, errors >= 0 ? errors : null},
              .cwd = proc->cwd,
              .isolated = proc->isolated,
              .parent = getpid(),
              .confined = proc->confined != NULL,
              .confinement.ruleset = -1};
    code = prepare_and_fork(&p, proc, out, err);
    gs_confine_plan_done(&p.confinement);
    return code;
}

bool gs_spawn_ended(pid_t pid)
{
    siginfo_t info = {0};
    int failed;
    do {
        failed = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
    } while (failed && errno == EINTR);
    return failed || info.si_pid == pid;
}

int gs_spawn_reap(pid_t pid)
{
    int status = 0;
    pid_t got;
    (void)kill(-pid, SIGKILL);
    (void)kill(pid, SIGKILL);
    do {
        got = waitpid(pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return -1;
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
