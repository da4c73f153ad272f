/* What the tests of child processes share. */
#ifndef GAPSHIP_TEST_PROCESSES_H
#define GAPSHIP_TEST_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gapship/proc.h"

/* Runs `sh -c script` with what else is in proc (may be NULL) and returns the error's code; result must be done'd. */
int run_script(const char *script, const gs_proc *proc, gs_proc_result *result, gs_error *err);
/* Its stdout, after asserting that it succeeded; to be freed. */
char *output_of(const char *script, const gs_proc *proc);
/* Whether the process is gone, or dead and only not yet reaped, within two seconds. */
bool dies(pid_t pid);
/* How many descriptors this process has open. */
size_t count_descriptors(void);
/* Runs body in a child made by fork and asserts that it returned 0. */
void in_subprocess(int (*body)(void *argument), void *argument);

#endif
