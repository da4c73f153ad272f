/* Runs programs that make or judge archives, and opens files as sources. */
#ifndef GAPSHIP_TEST_ARCHIVE_FIXTURE_H
#define GAPSHIP_TEST_ARCHIVE_FIXTURE_H

#include "gapship/archive.h"
#include "support.h"

/* Runs a program in the directory; the arguments end with NULL. Fails the test unless it exits with 0. Its output is in `out` (may
 * be NULL), for gs_buf_done. */
void run_in(const gs_tempdir *dir, gs_buf *out, const char *const *argv);
/* As support_enter, and make_tars.py has written its tars there. */
int enter_among_tars(void **state);
/* A file of the directory as a source that owns its descriptor. */
gs_source *open_file(const gs_tempdir *dir, const char *name);

#endif
