/* A child that stays beside gapship until it is stopped. Starting is in spawn.c. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "spawn.h"

struct gs_child {
    pid_t pid;
    int errors; /* a file in memory: nobody has to read it for the child to go on */
    gs_buf tail;
};

/* output: -1, or where its stdout goes. */
static int start(const gs_proc *proc, int output, gs_child **out, gs_error *err)
{
    gs_child *child = calloc(1, sizeof *child);
    if (!child) {
        return gs_fail_nomem(err);
    }
    gs_spawned spawned = {0};
    child->errors = memfd_create("gapship-stderr", MFD_CLOEXEC);
    int code = child->errors < 0 ? gs_fail_errno(err, errno, "cannot make a file in memory")
                                 : gs_spawn(proc, output, child->errors, &spawned, err);
    if (code != 0) {
        gs_fs_close_p(&child->errors);
        free(child);
        return code;
    }
    child->pid = spawned.pid;
    gs_buf_init(&child->tail, GS_MAX_CHILD_ERROR_BYTES);
    *out = child;
    return 0;
}

int gs_child_start(const gs_proc *proc, gs_child **out, gs_error *err)
{
    return start(proc, -1, out, err);
}

int gs_child_start_talking(const gs_proc *proc, int *output, gs_child **out, gs_error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return gs_fail_errno(err, errno, "cannot make a pair of sockets");
    }
    int code = start(proc, ends[1], out, err);
    gs_fs_close_p(&ends[1]);
    if (code != 0) {
        gs_fs_close_p(&ends[0]);
        return code;
    }
    *output = ends[0];
    return 0;
}

/* Where the kept end of stderr begins. Memory for what is before it is given back, so that a talkative child does not fill it. */
static uint64_t forget_old_errors(const gs_child *child, uint64_t *size)
{
    struct stat info;
    *size = fstat(child->errors, &info) == 0 ? (uint64_t)info.st_size : 0;
    uint64_t start = *size > GS_MAX_CHILD_ERROR_BYTES ? *size - GS_MAX_CHILD_ERROR_BYTES : 0;
    if (start > 0) {
        (void)fallocate(child->errors, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)start);
    }
    return start;
}

bool gs_child_running(gs_child *child)
{
    uint64_t size;
    (void)forget_old_errors(child, &size);
    return !gs_spawn_ended(child->pid);
}

const char *gs_child_errors(gs_child *child)
{
    uint64_t size;
    uint64_t start = forget_old_errors(child, &size);
    gs_buf_clear(&child->tail);
    char *room = gs_buf_reserve(&child->tail, (size_t)(size - start));
    if (room && gs_fs_pread(child->errors, room, (size_t)(size - start), start, NULL) == 0) {
        child->tail.len = (size_t)(size - start);
    }
    return gs_buf_text(&child->tail);
}

void gs_child_stop(gs_child *child)
{
    if (!child) {
        return;
    }
    const int64_t patience = gs_ticks() + GS_SPAWN_GRACE;
    (void)kill(-child->pid, SIGTERM);
    while (!gs_spawn_ended(child->pid) && gs_ticks() < patience) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    (void)gs_child_end(child);
}

int gs_child_end(gs_child *child)
{
    if (!child) {
        return -1;
    }
    int status = gs_spawn_reap(child->pid);
    gs_fs_close_p(&child->errors);
    gs_buf_done(&child->tail);
    free(child);
    return status;
}
