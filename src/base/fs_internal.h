/* What the file functions of the base module share with each other. */
#ifndef GAPSHIP_BASE_FS_INTERNAL_H
#define GAPSHIP_BASE_FS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "gapship/buf.h"
#include "gapship/error.h"

/* An errno about a file: GS_ENOTFOUND, GS_EEXISTS, or what gs_fail_errno says, with a hint where one is known. action: "cannot
 * open"; path goes to `where` and may be NULL when only the caller knows it. */
int gs_fs_fail(gs_error *err, int errnum, const char *action, const char *path);
/* fsync of a directory, so that a name made, changed or removed in it survives a power loss. */
int gs_fs_sync_dir(int dirfd, const char *path, gs_error *err) GS_MUST_USE;

/* Appends a file that gs_fs_open_read opened and measured; on failure out is as it was. */
int gs_fs_read_opened(int fd, uint64_t size, gs_buf *out, gs_error *err) GS_MUST_USE;

#define GS_RANDOM_TEXT 17 /* 16 hex digits and NUL */
/* A name that nobody can guess. */
int gs_fs_random_name(char out[GS_RANDOM_TEXT], gs_error *err) GS_MUST_USE;

#endif
