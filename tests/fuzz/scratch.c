/* See scratch.h. */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[SCRATCH_PATH];

static void fail(const char *what)
{
    perror(what);
    _exit(2);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    (void)remove(path);
    return 0;
}

static void remove_folder(void)
{
    (void)nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void scratch_path(const char *name, char out[SCRATCH_PATH])
{
    if (folder[0] == '\0') {
        const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        (void)snprintf(folder, sizeof folder, "%s/gapship-fuzz-XXXXXX", base);
        if (!mkdtemp(folder) || atexit(remove_folder) != 0) {
            fail(folder);
        }
    }
    if (snprintf(out, SCRATCH_PATH, "%s/%s", folder, name) >= SCRATCH_PATH) {
        fail(name);
    }
}

void scratch_folder(const char *name, char out[SCRATCH_PATH])
{
    scratch_path(name, out);
    if (mkdir(out, 0700) != 0 && errno != EEXIST) {
        fail(out);
    }
}

void scratch_write(const char *name, const void *data, size_t size, char out[SCRATCH_PATH])
{
    scratch_path(name, out);
    int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) != 0) {
        fail(out);
    }
}
