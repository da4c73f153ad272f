/* Child processes: an argument vector, never a shell; an explicit environment; a deadline; output and the end of stderr kept.
 *
 * Secrets go in through stdin or a 0600 file, never through argv or the environment.
 */
#ifndef GAPSHIP_PROC_H
#define GAPSHIP_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/buf.h"
#include "gapship/confine.h"
#include "gapship/error.h"
#include "gapship/run.h"

typedef struct gs_proc {
    const char *const *argv;        /* NULL-terminated; argv[0] is searched in PATH */
    const char *const *environment; /* extra NAME=VALUE, NULL-terminated, or NULL. The child gets PATH, HOME, TMPDIR, LANG=C.UTF-8,
                                       TZ=UTC and these, which win; HOME is home, else the caller's */
    const char *home;               /* HOME of the child, or NULL */
    int cwd;                        /* directory fd; 0 or -1: gapship's own */
    const void *input;              /* stdin; NULL: /dev/null */
    size_t input_len;
    int64_t deadline;  /* milliseconds; 0: one minute */
    size_t max_output; /* 0: GS_MAX_CHILD_OUTPUT_BYTES */
    bool isolated;     /* no network (own user and network namespace); where the kernel forbids it the child runs without and
                             gs_proc_result.isolated is false */
    const gs_confinement *confined; /* what it may do, beginning with its exec; NULL: what gapship may */
    int input_file;                 /* stdin is this descriptor, from where it stands; 0 or -1: input */
} gs_proc;

typedef struct gs_proc_result {
    int status;    /* exit status, or 128 + signal */
    gs_buf output; /* stdout, whole */
    gs_buf errors; /* the last GS_MAX_CHILD_ERROR_BYTES of stderr */
    bool isolated;
    unsigned unconfined; /* bits of GS_UNCONFINED_…: what the kernel did not do of proc->confined */
} gs_proc_result;

/* Runs to its end. 0 whatever the child's status; errors: GS_ENOTFOUND (no such program), GS_ETIMEOUT (killed with its process group),
 * GS_EINTERRUPTED, GS_ELIMIT (too much output): then the group gets SIGTERM and after 2 s SIGKILL. What the child left running in its
 * group dies with it, and the child dies with the thread that called (PR_SET_PDEATHSIG). result must be done'd in every case. */
int gs_proc_run(const gs_run *run, const gs_proc *proc, gs_proc_result *result, gs_error *err) GS_MUST_USE;
void gs_proc_result_done(gs_proc_result *result);
#define GS_AUTO_PROC __attribute__((cleanup(gs_proc_result_done)))
/* gs_proc_run, and a status other than 0 becomes `code` with the program's name, the status and the last lines of its stderr. */
int gs_proc_check(const gs_run *run, const gs_proc *proc, int code, gs_proc_result *result, gs_error *err) GS_MUST_USE;

/* A child that stays (kubectl proxy). Its stdout and stderr go to /dev/null and a kept buffer. It dies with
 * gapship, more exactly with the thread that started it (PR_SET_PDEATHSIG). deadline and max_output mean nothing here. */
typedef struct gs_child gs_child;
int gs_child_start(const gs_proc *proc, gs_child **out, gs_error *err) GS_MUST_USE;
/* The same, with a socket for the child's stdout: what it writes is read from *output, the caller's, and what is written there the
 * child reads from its stdout. */
int gs_child_start_talking(const gs_proc *proc, int *output, gs_child **out, gs_error *err) GS_MUST_USE;
bool gs_child_running(gs_child *child);
/* What it wrote to stderr so far, at most GS_MAX_CHILD_ERROR_BYTES; borrowed. */
const char *gs_child_errors(gs_child *child);
/* SIGTERM, after 2 s SIGKILL, reaped. NULL is fine. */
void gs_child_stop(gs_child *child);
/* Kills it at once, unless it has ended; its status, or 128 + signal. NULL is fine: -1. */
int gs_child_end(gs_child *child);

#endif
