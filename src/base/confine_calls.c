/* The filter on system calls, as a program for the kernel (seccomp-BPF). Two lists: what no tool needs, and all that a strict reader
 * needs. Knows nothing of who is confined. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "confine.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

/* x32 programs make their calls with this bit set, past every number below. */
#define X32_BIT 0x40000000u

/* Calls newer than the headers that gapship may be built with; numbered alike on all architectures. */
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
#define CALL_OPEN_TREE_ATTR 467

#define DENY(errnum)  (SECCOMP_RET_ERRNO | (unsigned)(errnum))
#define NEW_NAMESPACE (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP)

typedef struct program {
    struct sock_filter *filters;
    unsigned short count;
} program;

static void add(program *p, struct sock_filter instruction)
{
    if (p->count < GS_CONFINE_FILTERS) {
        p->filters[p->count] = instruction;
    }
    p->count++;
}

static void load(program *p, size_t offset)
{
    add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset));
}

static void load_call(program *p)
{
    load(p, offsetof(struct seccomp_data, nr));
}

/* The lower half of an argument: flags, domains and protections are ints. */
static void load_argument(program *p, unsigned index)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    load(p, offsetof(struct seccomp_data, args) + index * sizeof(uint64_t));
#else
    load(p, offsetof(struct seccomp_data, args) + index * sizeof(uint64_t) + sizeof(uint32_t));
#endif
}

static void end_with(program *p, unsigned verdict)
{
    add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

/* The next `skipped` instructions are for what equals value alone. */
static void unless_equal_skip(program *p, unsigned value, unsigned char skipped)
{
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped));
}

static void on_call(program *p, long call, unsigned verdict)
{
    unless_equal_skip(p, (unsigned)call, 1);
    end_with(p, verdict);
}

/* A call whose argument has any of these bits gets the verdict. */
static void on_bits(program *p, long call, unsigned argument, unsigned bits, unsigned verdict)
{
    unless_equal_skip(p, (unsigned)call, 4);
    load_argument(p, argument);
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1));
    end_with(p, verdict);
    load_call(p);
}

/* What no helm, kubectl or git does, and what would be a way around the other rules. */
static void deny_the_unneeded(program *p)
{
    static const long calls[] = {
        /* other processes */
        SYS_ptrace,
        SYS_process_vm_readv,
        SYS_process_vm_writev,
        SYS_process_madvise,
        SYS_pidfd_getfd,
        SYS_kcmp,
        /* another view of the files */
        SYS_mount,
        SYS_umount2,
        SYS_pivot_root,
        SYS_chroot,
        SYS_move_mount,
        SYS_open_tree,
        SYS_fsopen,
        SYS_fsconfig,
        SYS_fsmount,
        SYS_fspick,
        SYS_mount_setattr,
        CALL_OPEN_TREE_ATTR,
        SYS_unshare,
        SYS_setns,
        SYS_open_by_handle_at,
        SYS_fanotify_init,
        /* keys, and the kernel's own machines */
        SYS_keyctl,
        SYS_add_key,
        SYS_request_key,
        SYS_bpf,
        SYS_perf_event_open,
        SYS_userfaultfd,
        SYS_io_uring_setup,
        SYS_io_uring_enter,
        SYS_io_uring_register,
        /* the whole computer */
        SYS_kexec_load,
        SYS_kexec_file_load,
        SYS_init_module,
        SYS_finit_module,
        SYS_delete_module,
        SYS_reboot,
        SYS_swapon,
        SYS_swapoff,
        SYS_sethostname,
        SYS_setdomainname,
        SYS_settimeofday,
        SYS_clock_settime,
        SYS_clock_adjtime,
        SYS_adjtimex,
        SYS_acct,
        SYS_quotactl,
        SYS_quotactl_fd,
        SYS_syslog,
#if defined(__x86_64__)
        SYS_iopl,
        SYS_ioperm,
#endif
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        on_call(p, calls[i], DENY(EPERM));
    }
    on_bits(p, SYS_clone, 0, NEW_NAMESPACE, DENY(EPERM));
    on_call(p, SYS_clone3, DENY(ENOSYS)); /* its flags are in memory, where a filter cannot look; libraries then take clone */
}

/* Without a network not even local sockets: a daemon behind one may have all that is forbidden here. */
static void deny_sockets(program *p, bool network)
{
    static const int domains[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    if (!network) {
        on_call(p, SYS_socket, DENY(EPERM));
        return;
    }
    const unsigned count = sizeof domains / sizeof domains[0];
    unless_equal_skip(p, SYS_socket, (unsigned char)(2 * count + 2));
    load_argument(p, 0);
    for (unsigned i = 0; i < count; i++) {
        on_call(p, domains[i], SECCOMP_RET_ALLOW);
    }
    end_with(p, DENY(EAFNOSUPPORT));
}

/* Memory that is never executable, what is open already, locks, and the end. What a C library may try beside it (to learn how much
 * memory there is, to open a table) fails; what only an attacker tries ends the process. */
static void allow_the_strict(program *p)
{
    static const long attacks[] = {
        SYS_execve,
        SYS_execveat,
        SYS_clone,
        SYS_clone3,
        SYS_socket,
        SYS_ptrace,
        SYS_process_vm_readv,
        SYS_process_vm_writev,
        SYS_kill,
#if defined(__x86_64__)
        SYS_fork,
        SYS_vfork,
#endif
    };
    static const long calls[] = {
        SYS_read,        SYS_pread64,       SYS_write,  SYS_close,  SYS_lseek,       SYS_munmap,       SYS_mremap,
        SYS_madvise,     SYS_brk,           SYS_futex,  SYS_exit,   SYS_exit_group,  SYS_rt_sigreturn, SYS_rt_sigprocmask,
        SYS_sigaltstack, SYS_clock_gettime, SYS_gettid, SYS_getpid, SYS_sched_yield, SYS_getrandom,
    };
    on_bits(p, SYS_mmap, 2, PROT_EXEC, SECCOMP_RET_KILL_PROCESS);
    on_bits(p, SYS_mprotect, 2, PROT_EXEC, SECCOMP_RET_KILL_PROCESS);
    on_call(p, SYS_mmap, SECCOMP_RET_ALLOW);
    on_call(p, SYS_mprotect, SECCOMP_RET_ALLOW);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        on_call(p, calls[i], SECCOMP_RET_ALLOW);
    }
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        on_call(p, attacks[i], SECCOMP_RET_KILL_PROCESS);
    }
    end_with(p, DENY(EPERM));
}

unsigned short gs_confine_filter(const gs_confinement *wanted, struct sock_filter filters[GS_CONFINE_FILTERS])
{
    if (ARCHITECTURE == 0) {
        return 0;
    }
    program p = {.filters = filters};
    load(&p, offsetof(struct seccomp_data, arch));
    add(&p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
    end_with(&p, SECCOMP_RET_KILL_PROCESS);
    load_call(&p);
#if defined(__x86_64__)
    add(&p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
    end_with(&p, DENY(ENOSYS));
#endif
    if (wanted->strict) {
        allow_the_strict(&p);
    } else {
        deny_the_unneeded(&p);
        deny_sockets(&p, wanted->network);
        end_with(&p, SECCOMP_RET_ALLOW);
    }
    return p.count <= GS_CONFINE_FILTERS ? p.count : 0;
}
