/* Confinement of a process: limits, rules about files (Landlock, by its system calls: libc has none), and the filter of
 * confine_calls.c. All that can fail at length is made before the fork. Knows no program by name. */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gapship/buf.h"
#include "gapship/fs.h"

/* Landlock's interface up to version 6, which is more than the headers may have that gapship is built with. */
#define LANDLOCK_VERSION 1u /* the flag that asks for it */
#define LANDLOCK_BENEATH 1
enum {
    LANDLOCK_EXECUTE = 1 << 0,
    LANDLOCK_WRITE_FILE = 1 << 1,
    LANDLOCK_READ_FILE = 1 << 2,
    LANDLOCK_READ_DIR = 1 << 3,
    LANDLOCK_FIRST_RIGHTS = (1 << 13) - 1, /* of version 1 */
    LANDLOCK_REFER = 1 << 13,              /* 2 */
    LANDLOCK_TRUNCATE = 1 << 14,           /* 3 */
    LANDLOCK_TCP = 3,                      /* 4: bind and connect */
    LANDLOCK_IOCTL_DEVICE = 1 << 15,       /* 5 */
    LANDLOCK_OUTSIDERS = 3,                /* 6: abstract sockets and signals of processes outside */
};
#define LANDLOCK_NET_VERSION   4
#define LANDLOCK_SCOPE_VERSION 6

typedef struct landlock_rights {
    uint64_t files;
    uint64_t net;
    uint64_t scope;
} landlock_rights;

typedef struct __attribute__((packed)) landlock_path {
    uint64_t allowed;
    int32_t parent;
} landlock_path;

#define READING ((uint64_t)(LANDLOCK_READ_FILE | LANDLOCK_READ_DIR))
#define RUNNING (READING | (uint64_t)LANDLOCK_EXECUTE)
#define WRITING (UINT64_MAX & ~(uint64_t)LANDLOCK_EXECUTE)
#define FILE_ALONE                                                                                                                 \
    ((uint64_t)(RUNNING | LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE | LANDLOCK_IOCTL_DEVICE) & ~(uint64_t)LANDLOCK_READ_DIR)

/* Where programs and their libraries are. */
static const char *const system_programs[] = {
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store", "/etc/alternatives", NULL};
static const char *const system_files[] = {
    "/etc/ld.so.cache", "/etc/localtime", "/dev/random", "/dev/urandom", "/dev/zero", "/sys/kernel/mm/transparent_hugepage", NULL};
static const char *const system_devices[] = {"/dev/null", NULL};
/* How names become addresses, and whom to trust. */
static const char *const network_files[] = {"/etc/resolv.conf",
                                            "/etc/hosts",
                                            "/etc/host.conf",
                                            "/etc/nsswitch.conf",
                                            "/etc/gai.conf",
                                            "/etc/services",
                                            "/etc/protocols",
                                            "/etc/ssl",
                                            "/etc/pki",
                                            "/etc/crypto-policies",
                                            "/etc/ca-certificates",
                                            "/run/systemd/resolve",
                                            NULL};

/* The version of Landlock, 0 where there is none. */
static long landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
    return version > 0 ? version : 0;
}

static landlock_rights rights_of(long version, const gs_confinement *wanted)
{
    landlock_rights rights = {.files = LANDLOCK_FIRST_RIGHTS};
    rights.files |= version >= 2 ? LANDLOCK_REFER : 0;
    rights.files |= version >= 3 ? LANDLOCK_TRUNCATE : 0;
    rights.files |= version >= 5 ? LANDLOCK_IOCTL_DEVICE : 0;
    rights.net = version >= LANDLOCK_NET_VERSION && !wanted->network ? LANDLOCK_TCP : 0;
    rights.scope = version >= LANDLOCK_SCOPE_VERSION ? LANDLOCK_OUTSIDERS : 0;
    return rights;
}

static int make_ruleset(long version, const landlock_rights *rights, int *out, gs_error *err)
{
    size_t size = version >= LANDLOCK_SCOPE_VERSION ? sizeof *rights
                  : version >= LANDLOCK_NET_VERSION ? offsetof(landlock_rights, scope)
                                                    : offsetof(landlock_rights, net);
    long fd = syscall(SYS_landlock_create_ruleset, rights, size, 0);
    if (fd < 0) {
        return gs_fail_errno(err, errno, "cannot make rules about files (Landlock)");
    }
    *out = (int)fd;
    return 0;
}

static int allow(int ruleset, const char *path, uint64_t rights, gs_error *err)
{
    struct stat info;
    GS_AUTO_FD int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) {
        return 0;
    }
    if (fd < 0 || fstat(fd, &info) != 0) {
        return gs_fail_errno(err, errno, "cannot make a rule about %s", path);
    }
    landlock_path rule = {.allowed = S_ISDIR(info.st_mode) ? rights : rights & FILE_ALONE, .parent = fd};
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_BENEATH, &rule, 0) != 0) {
        return gs_fail_errno(err, errno, "cannot make a rule about %s", path);
    }
    return 0;
}

static int allow_all(int ruleset, const char *const *paths, uint64_t rights, gs_error *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && paths && paths[i]; i++) {
        code = allow(ruleset, paths[i], rights, err);
    }
    return code;
}

static int allow_program(int ruleset, const gs_confinement *wanted, const char *program, uint64_t known, gs_error *err)
{
    int code = allow(ruleset, program, RUNNING, err);
    if (code == 0) {
        code = allow_all(ruleset, system_programs, RUNNING, err);
    }
    if (code == 0) {
        code = allow_all(ruleset, system_files, READING, err);
    }
    if (code == 0) {
        code = allow_all(ruleset, system_devices, WRITING & known, err);
    }
    return code == 0 && wanted->network ? allow_all(ruleset, network_files, READING, err) : code;
}

static int make_rules(const gs_confinement *wanted, const char *program, gs_confine_plan *plan, gs_error *err)
{
    long version = landlock_version();
    if (version == 0) {
        plan->missing |= GS_UNCONFINED_FILES;
        return 0;
    }
    const landlock_rights rights = rights_of(version, wanted);
    int code = make_ruleset(version, &rights, &plan->ruleset, err);
    if (code == 0 && program) {
        code = allow_program(plan->ruleset, wanted, program, rights.files, err);
    }
    if (code == 0) {
        code = allow_all(plan->ruleset, wanted->readable, READING, err);
    }
    if (code == 0) {
        code = allow_all(plan->ruleset, wanted->writable, WRITING & rights.files, err);
    }
    if (code == 0) {
        code = allow_all(plan->ruleset, wanted->usable, rights.files, err);
    }
    return code;
}

static void add_limit(gs_confine_plan *plan, int resource, uint64_t value)
{
    plan->limits[plan->limit_count].resource = resource;
    plan->limits[plan->limit_count++].value = value;
}

int gs_confine_plan_make(const gs_confinement *wanted, const char *program, gs_confine_plan *plan, gs_error *err)
{
    const struct {
        int resource;
        uint64_t value;
    } limits[] = {{RLIMIT_DATA, wanted->memory},
                  {RLIMIT_CPU, wanted->cpu_seconds},
                  {RLIMIT_FSIZE, wanted->file_size},
                  {RLIMIT_NOFILE, wanted->open_files}};
    *plan = (gs_confine_plan){.ruleset = -1, .strict = wanted->strict};
    add_limit(plan, RLIMIT_CORE, 0);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (limits[i].value > 0) {
            add_limit(plan, limits[i].resource, limits[i].value);
        }
    }
    plan->filter_count = gs_confine_filter(wanted, plan->filters);
    return wanted->no_files ? make_rules(wanted, program, plan, err) : 0;
}

void gs_confine_plan_done(gs_confine_plan *plan)
{
    gs_fs_close_p(&plan->ruleset);
}

/* Lowers a limit; never above what holds already. */
static bool set_limit(int resource, uint64_t value)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) {
        return false;
    }
    limit.rlim_max = limit.rlim_max < value ? limit.rlim_max : value;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

bool gs_confine_enter(const gs_confine_plan *plan, unsigned *missing)
{
    *missing = plan->missing;
    for (unsigned i = 0; i < plan->limit_count; i++) {
        if (!set_limit(plan->limits[i].resource, plan->limits[i].value)) {
            return false;
        }
    }
    /* Without it a set-user-id program would escape, and the kernel refuses what follows. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return false;
    }
    if (plan->strict && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) { /* an exec would undo it */
        return false;
    }
    if (plan->ruleset >= 0 && syscall(SYS_landlock_restrict_self, plan->ruleset, 0) != 0) {
        *missing |= GS_UNCONFINED_FILES;
    }
    struct sock_fprog filter = {.len = plan->filter_count, .filter = (struct sock_filter *)plan->filters};
    if (filter.len == 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0) {
        *missing |= GS_UNCONFINED_CALLS;
    } else if (plan->strict) {
        *missing &= ~(unsigned)GS_UNCONFINED_FILES; /* it cannot open any */
    }
    return true;
}

/* Writable memory that the process has already, in bytes: in a build with a sanitizer many terabytes of it. */
static uint64_t memory_in_use(void)
{
    static const unsigned data_column = 5;
    char text[256] = "";
    GS_AUTO_FD int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    const char *column = len > 0 ? text : NULL;
    for (unsigned i = 0; column && i < data_column; i++) {
        column = strchr(column, ' ');
        column = column ? column + 1 : NULL;
    }
    uint64_t pages = 0;
    for (; column && *column >= '0' && *column <= '9'; column++) {
        pages = pages * 10 + (uint64_t)(*column - '0');
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Without a filter nothing keeps this process from the network. */
static unsigned with_network(const gs_confinement *wanted, unsigned missing)
{
    return missing | (!wanted->network && (missing & GS_UNCONFINED_CALLS) ? (unsigned)GS_UNCONFINED_NETWORK : 0);
}

int gs_confine_self(const gs_confinement *wanted, unsigned *missing, gs_error *err)
{
    gs_confine_plan plan;
    gs_confinement own = *wanted;
    unsigned found = 0;
    own.memory += own.memory > 0 ? memory_in_use() : 0;
    int code = gs_confine_plan_make(&own, NULL, &plan, err);
    if (code == 0 && !gs_confine_enter(&plan, &found)) {
        code = gs_fail_errno(err, errno, "this process cannot be confined");
    }
    /* A strict filter still lets it close a file. */
    gs_confine_plan_done(&plan);
    if (code == 0) {
        *missing = with_network(wanted, found);
    }
    return code;
}

unsigned gs_confine_probe(const gs_confinement *wanted)
{
    struct sock_filter filters[GS_CONFINE_FILTERS];
    const uint32_t action = SECCOMP_RET_KILL_PROCESS;
    bool filtered = gs_confine_filter(wanted, filters) > 0 && syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
    bool ruled = !wanted->no_files || (filtered && wanted->strict) || landlock_version() > 0;
    return with_network(wanted, (filtered ? 0 : (unsigned)GS_UNCONFINED_CALLS) | (ruled ? 0 : (unsigned)GS_UNCONFINED_FILES));
}

void gs_confine_report(const gs_run *run, const char *who, unsigned missing)
{
    static const struct {
        unsigned bit;
        const char *text;
    } texts[] = {
        {GS_UNCONFINED_FILES, "it has no Landlock, so there are no rules about files"},
        {GS_UNCONFINED_CALLS, "it has no seccomp, so there is no filter on system calls"},
        {GS_UNCONFINED_NETWORK, "it does not let gapship take the network away"},
    };
    const gs_fact facts[] = {GS_BOOL_FACT("files", !(missing & GS_UNCONFINED_FILES)),
                             GS_BOOL_FACT("calls", !(missing & GS_UNCONFINED_CALLS)),
                             GS_BOOL_FACT("network", !(missing & GS_UNCONFINED_NETWORK)), GS_TEXT_FACT("who", who)};
    char text[GS_ERROR_MESSAGE_MAX] = "";
    size_t used = 0;
    if (missing == 0) {
        return;
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (missing & texts[i].bit) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? "; " : "", texts[i].text);
        }
    }
    gs_emit(run, GS_NOTICE, "unconfined", facts, sizeof facts / sizeof facts[0], "%s: less confined than usual on this kernel: %s",
            who, text);
}
