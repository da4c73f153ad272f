/* Files that are changed in place: the one thing a bundle needs that publishing whole files does not give. */
#ifndef GAPSHIP_BUNDLE_FILE_H
#define GAPSHIP_BUNDLE_FILE_H

#include <stdbool.h>

#include "gapship/fs.h"

/* Opens for reading and writing and locks exclusively until the descriptor and its duplicates are closed; made when absent and
 * create. *size gets the length. GS_ELOCKED: another process has it. GS_ENOTFOUND, GS_ESPEC: absent, or not a regular file. */
int gs_file_open_locked(const char *path, bool create, int *fd, uint64_t *size, gs_error *err) GS_MUST_USE;

#endif
