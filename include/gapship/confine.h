/* What a process that reads other people's bytes may still do: limits on its resources, rules about files (Landlock), and a filter on
 * system calls (seccomp). What was given up cannot be taken back, by the process or by what it starts.
 *
 * A kernel may lack the one or the other. Then the rest still holds, and what is missing is told (gs_confine_report), never passed
 * over in silence.
 */
#ifndef GAPSHIP_CONFINE_H
#define GAPSHIP_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

#include "gapship/error.h"
#include "gapship/run.h"

/* What the kernel did not do: bits of a set. */
enum {
    GS_UNCONFINED_FILES = 1,   /* no Landlock */
    GS_UNCONFINED_CALLS = 2,   /* no seccomp, or not for this architecture */
    GS_UNCONFINED_NETWORK = 4, /* the network is within reach, although it should not be */
};

typedef struct gs_confinement {
    /* 0: as they are. There is no bound on processes: the kernel counts all of the user's, and none of root's. */
    uint64_t memory;      /* bytes of writable memory (RLIMIT_DATA: Go and the sanitizers reserve address space they never use) */
    uint64_t cpu_seconds; /* all threads together */
    uint64_t file_size;   /* bytes of any file written */
    uint64_t open_files;
    bool no_files; /* files only as listed here; false: no rules about files, and the lists mean nothing */
    /* NULL or NULL-terminated: files, or directories with all below. What is not there is passed over. A program that is run may
     * also read itself, the system's programs and libraries, and with a network the system's settings for it. */
    const char *const *readable;
    const char *const *writable; /* read too */
    const char *const *usable;   /* read, written and run */
    bool network;
    /* false: for tools, all calls but those that no tool needs (ptrace, mounts, namespaces, keys, kernel modules, io_uring …).
     * true: for a reader of gapship's own: reads and writes what it has open, takes memory, ends. Anything else
     * fails, and what only an attacker tries (a program, a process, a socket, code in memory) kills it. */
    bool strict;
} gs_confinement;

/* Confines the calling process, which has one thread, from here on; memory is what it may take beyond what it has. *missing: bits of GS_UNCONFINED_…. A child gets its confinement
 * by gs_proc.confined. */
int gs_confine_self(const gs_confinement *wanted, unsigned *missing, gs_error *err) GS_MUST_USE;

/* What *missing would be, without confining anything. */
unsigned gs_confine_probe(const gs_confinement *wanted);

/* The event "unconfined" (GS_NOTICE), which says what `who` ("helm and kubectl") can do because this kernel lacks something; nothing
 * when missing is 0. */
void gs_confine_report(const gs_run *run, const char *who, unsigned missing);

#endif
