/* Starting a child process: what gs_proc_run and gs_child_start have in common. */
#ifndef GAPSHIP_BASE_SPAWN_H
#define GAPSHIP_BASE_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "gapship/proc.h"

typedef struct gs_spawned {
    pid_t pid; /* leads a process group of its own */
    bool isolated;
    unsigned unconfined; /* as in gs_proc_result */
} gs_spawned;

/* Starts proc with these as stdout and stderr (-1: /dev/null), both stay the caller's. Returns once the program itself runs:
 * GS_ENOTFOUND and other reasons why it does not are told here. The caller reaps. */
int gs_spawn(const gs_proc *proc, int output, int errors, gs_spawned *out, gs_error *err) GS_MUST_USE;

/* True once the child has ended. It is not reaped, so that its process group keeps its number. */
bool gs_spawn_ended(pid_t pid);
/* Kills what is left of the process group and reaps the child; returns its exit status, or 128 + signal, or -1 when the kernel
 * threw the status away because whoever started gapship has SIGCHLD ignored. */
int gs_spawn_reap(pid_t pid);

#define GS_SPAWN_GRACE 2000 /* milliseconds between SIGTERM and SIGKILL */

#endif
