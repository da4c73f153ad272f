/* A child process that is run to its end: its output kept, its time limited, its failure put into words. Starting is in spawn.c. */
#include "gapship/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"
#include "spawn.h"

#define DEFAULT_DEADLINE  60000
#define LOOK_AROUND       100 /* milliseconds between looks at run->stop */
#define BLIND_LOOK_AROUND 10  /* the same where the kernel cannot wake us at the child's end */
#define READ_BYTES        GS_KIB(16)
#define DRAIN_READS       64 /* of READ_BYTES: more than a pipe can hold */
#define LAST_WORDS_BYTES  512
#define LAST_WORDS_LINES  3

typedef struct running {
    pid_t pid;
    int ended; /* a pidfd, readable at the child's end, or -1 */
    int output;
    int errors;
    gs_proc_result *result;
} running;

/* Keeps the last GS_MAX_CHILD_ERROR_BYTES. */
static void add_tail(gs_buf *tail, const char *data, size_t len)
{
    const size_t max = GS_MAX_CHILD_ERROR_BYTES;
    if (len > max) {
        data += len - max;
        len = max;
    }
    if (tail->len + len > max) {
        size_t dropped = tail->len + len - max;
        memmove(tail->data, tail->data + dropped, tail->len - dropped);
        tail->len -= dropped;
    }
    gs_buf_add(tail, data, len);
}

/* Reads once from *fd, which becomes -1 at its end. True when something came. */
static bool read_some(int *fd, gs_buf *buf, bool tail)
{
    char chunk[READ_BYTES];
    ssize_t got = *fd >= 0 ? read(*fd, chunk, sizeof chunk) : 0;
    if (got > 0) {
        if (tail) {
            add_tail(buf, chunk, (size_t)got);
        } else {
            gs_buf_add(buf, chunk, (size_t)got);
        }
        return true;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        gs_fs_close_p(fd);
    }
    return false;
}

/* Waits up to `timeout` milliseconds for output or the end, and takes what is there. */
static void attend(running *r, int64_t timeout)
{
    struct pollfd watched[] = {
        {.fd = r->output, .events = POLLIN}, {.fd = r->errors, .events = POLLIN}, {.fd = r->ended, .events = POLLIN}};
    int64_t longest = r->ended >= 0 ? LOOK_AROUND : BLIND_LOOK_AROUND;
    int wait = (int)(timeout < 0 ? 0 : timeout < longest ? timeout : longest);
    if (poll(watched, sizeof watched / sizeof watched[0], wait) <= 0) {
        return;
    }
    if (watched[0].revents) {
        (void)read_some(&r->output, &r->result->output, false);
    }
    if (watched[1].revents) {
        (void)read_some(&r->errors, &r->result->errors, true);
    }
}

static const char *base_name(const char *program)
{
    const char *slash = strrchr(program, '/');
    return slash ? slash + 1 : program;
}

/* Attends until the child has ended, or something says that it has to. */
static int attend_to_end(const gs_run *run, const gs_proc *proc, running *r, gs_error *err)
{
    const int64_t allowed = proc->deadline > 0 ? proc->deadline : DEFAULT_DEADLINE;
    const int64_t deadline = gs_ticks() + allowed;
    while (!gs_spawn_ended(r->pid)) {
        int code = gs_check_stop(run, 2, err);
        if (code == 0) {
            code = gs_buf_check(&r->result->output, err);
        }
        int64_t left = deadline - gs_ticks();
        if (code == 0 && left <= 0) {
            char text[GS_SIZE_TEXT];
            gs_format_duration(allowed, text);
            code = gs_fail(err, GS_ETIMEOUT, "%s did not end within %s and was killed", base_name(proc->argv[0]), text);
        }
        if (code != 0) {
            return code;
        }
        attend(r, left);
    }
    return 0;
}

/* Asks, waits a little, and leaves the rest to gs_spawn_reap. */
static void terminate(running *r)
{
    const int64_t patience = gs_ticks() + GS_SPAWN_GRACE;
    (void)kill(-r->pid, SIGTERM);
    while (!gs_spawn_ended(r->pid) && gs_ticks() < patience) {
        attend(r, patience - gs_ticks());
    }
}

/* Takes what the pipes still hold. Not until their end: a process that left the group could keep them open for ever. */
static void drain(running *r)
{
    for (int i = 0; i < DRAIN_READS && read_some(&r->output, &r->result->output, false); i++) {
    }
    for (int i = 0; i < DRAIN_READS && read_some(&r->errors, &r->result->errors, true); i++) {
    }
}

static void close_running(running *r)
{
    gs_fs_close_p(&r->ended);
    gs_fs_close_p(&r->output);
    gs_fs_close_p(&r->errors);
}

/* A pipe whose reading end does not block. */
static int make_pipe(int *reading, int *writing, gs_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return gs_fail_errno(err, errno, "cannot make a pipe");
    }
    *reading = ends[0];
    *writing = ends[1];
    return fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 ? 0 : gs_fail_errno(err, errno, "cannot set up a pipe");
}

static int run_to_end(const gs_run *run, const gs_proc *proc, gs_proc_result *result, gs_error *err)
{
    __attribute__((cleanup(close_running))) running r = {.ended = -1, .output = -1, .errors = -1, .result = result};
    GS_AUTO_FD int output = -1;
    GS_AUTO_FD int errors = -1;
    gs_spawned child = {0};
    int code = make_pipe(&r.output, &output, err);
    if (code == 0) {
        code = make_pipe(&r.errors, &errors, err);
    }
    if (code == 0) {
        code = gs_spawn(proc, output, errors, &child, err);
    }
    if (code != 0) {
        return code;
    }
    /* The child's copies are the only ones now: when they close, reading ends. */
    gs_fs_close_p(&output);
    gs_fs_close_p(&errors);
    r.pid = child.pid;
    r.ended = (int)syscall(SYS_pidfd_open, child.pid, 0);
    result->isolated = child.isolated;
    result->unconfined = child.unconfined;
    code = attend_to_end(run, proc, &r, err);
    if (code != 0) {
        terminate(&r);
    }
    result->status = gs_spawn_reap(r.pid);
    drain(&r);
    if (code == 0 && result->status < 0) {
        code = gs_fail(err, GS_EINTERNAL, "the exit status of %s is lost: SIGCHLD is ignored", base_name(proc->argv[0]));
    }
    if (code == 0) {
        code = gs_buf_check(&result->output, err);
    }
    return code != 0 ? code : gs_buf_check(&result->errors, err);
}

int gs_proc_run(const gs_run *run, const gs_proc *proc, gs_proc_result *result, gs_error *err)
{
    *result = (gs_proc_result){.status = 0};
    gs_buf_init(&result->output, proc->max_output > 0 ? proc->max_output : GS_MAX_CHILD_OUTPUT_BYTES);
    gs_buf_init(&result->errors, GS_MAX_CHILD_ERROR_BYTES);
    int code = run_to_end(run, proc, result, err);
    (void)gs_buf_text(&result->output);
    if (code != 0 && code != GS_ENOTFOUND && err && err->where[0] == '\0') {
        (void)gs_error_at(err, "%s", base_name(proc->argv[0]));
    }
    return code;
}

void gs_proc_result_done(gs_proc_result *result)
{
    gs_buf_done(&result->output);
    gs_buf_done(&result->errors);
}

/* The last lines of what the program wrote to stderr, as one line. */
static void last_words(gs_buf *errors, char *out, size_t size)
{
    const char *text = gs_buf_text(errors);
    size_t end = errors->len;
    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' ')) {
        end--;
    }
    size_t start = end;
    for (int lines = 0; start > 0 && end - start < size / 2; start--) {
        lines += text[start - 1] == '\n' && text[start] != '\n';
        if (lines == LAST_WORDS_LINES) {
            break;
        }
    }
    size_t used = 0;
    for (size_t i = start; i < end && used + 3 < size; i++) {
        if (text[i] != '\n') {
            out[used++] = text[i];
        } else if (used > 0 && text[i + 1] != '\n') {
            out[used++] = ';';
            out[used++] = ' ';
        }
    }
    out[used] = '\0';
}

/* "helm template": the program, and its verb where the first argument is one. */
static void describe(const gs_proc *proc, char *out, size_t size)
{
    const char *verb = proc->argv[1];
    bool has_verb = verb && gs_name_valid(verb);
    (void)snprintf(out, size, "%s%s%s", base_name(proc->argv[0]), has_verb ? " " : "", has_verb ? verb : "");
}

int gs_proc_check(const gs_run *run, const gs_proc *proc, int code, gs_proc_result *result, gs_error *err)
{
    int failed = gs_proc_run(run, proc, result, err);
    if (failed != 0 || result->status == 0) {
        return failed;
    }
    char what[128];
    char words[LAST_WORDS_BYTES];
    char how[64];
    describe(proc, what, sizeof what);
    last_words(&result->errors, words, sizeof words);
    if (result->status > 128) {
        (void)snprintf(how, sizeof how, "was killed by signal %d", result->status - 128);
    } else {
        (void)snprintf(how, sizeof how, "failed with status %d", result->status);
    }
    return gs_fail(err, code, "%s %s%s%s", what, how, words[0] ? ": " : " and did not say why", words);
}
