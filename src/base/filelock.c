/* One exclusive lock, freed by the kernel with the process that holds it. The text in the file only says who: it decides nothing,
 * so what an earlier holder left there does no harm. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "fs_internal.h"
#include "gapship/fs.h"
#include "gapship/num.h"

#define HOLDER_BYTES 64

static int fail_busy(int fd, const char *name, gs_error *err)
{
    char text[HOLDER_BYTES] = "";
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    char *newline = strchr(text, '\n');
    char *space = strchr(text, ' ');
    uint64_t pid;
    int64_t since;
    bool known = newline && space && space < newline;
    if (known) {
        *newline = '\0';
        *space = '\0';
        known = gs_parse_u64(text, INT32_MAX, &pid) && gs_parse_time(space + 1, &since);
    }
    if (known) {
        (void)gs_fail(err, GS_ELOCKED, "another run holds the lock: process %s, since %s", text, space + 1);
        (void)gs_error_hint(err, "wait until it has ended; `ps -fp %s` shows what it is", text);
    } else {
        (void)gs_fail(err, GS_ELOCKED, "another run holds the lock");
        (void)gs_error_hint(err, "wait until it has ended; `fuser -v %s` shows what it is", name);
    }
    (void)gs_error_at(err, "%s", name);
    return GS_ELOCKED;
}

/* Says who holds the lock. A full disk must not keep anybody from rolling back, so failing costs only that information. */
static void write_holder(int fd)
{
    char since[GS_TIME_TEXT];
    char text[HOLDER_BYTES];
    gs_format_time((int64_t)time(NULL), since);
    int len = snprintf(text, sizeof text, "%ld %s\n", (long)getpid(), since);
    int failed = ftruncate(fd, 0);
    if (failed == 0 && len > 0) {
        failed = gs_fs_pwrite(fd, text, (size_t)len, 0, NULL);
    }
    (void)failed;
}

int gs_filelock_acquire(gs_filelock *lock, int dirfd, const char *name, gs_error *err)
{
    GS_AUTO_FD int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        return gs_fs_fail(err, errno, "cannot open the lock", name);
    }
    int failed;
    do {
        failed = flock(fd, LOCK_EX | LOCK_NB);
    } while (failed && errno == EINTR);
    if (failed) {
        return errno == EWOULDBLOCK ? fail_busy(fd, name, err) : gs_fs_fail(err, errno, "cannot lock", name);
    }
    write_holder(fd);
    lock->fd = fd;
    fd = -1;
    return 0;
}

void gs_filelock_release(gs_filelock *lock)
{
    gs_fs_close_p(&lock->fd);
}
