/* A folder of this process in memory (/dev/shm where there is one), gone when it ends: for what gapship reads by its path. */
#ifndef GAPSHIP_FUZZ_SCRATCH_H
#define GAPSHIP_FUZZ_SCRATCH_H

#include <stddef.h>

#define SCRATCH_PATH 108 /* a socket has no longer one */

/* The path of NAME in the folder. */
void scratch_path(const char *name, char out[SCRATCH_PATH]);
/* The same, as a folder. */
void scratch_folder(const char *name, char out[SCRATCH_PATH]);
/* The same, as a file with this content, mode 0600. */
void scratch_write(const char *name, const void *data, size_t size, char out[SCRATCH_PATH]);

#endif
