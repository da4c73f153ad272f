/* See scratch.h. */
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[SCRATCH_PATH];

static void fail(const char *what)
{
    perror(what);
    _exit(2);
}

static void remove_folder(void)
{
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char path[SCRATCH_PATH + sizeof entry->d_name];
        if (entry->d_name[0] != '.' && snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) > 0) {
            unlink(path);
        }
    }
    if (directory) {
        closedir(directory);
    }
    rmdir(folder);
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

void scratch_write(const char *name, const void *data, size_t size, char out[SCRATCH_PATH])
{
    scratch_path(name, out);
    int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) != 0) {
        fail(out);
    }
}
