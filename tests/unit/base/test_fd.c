/* Complete reads and writes, copies, room and close through descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gapship/limits.h"
#include "support.h"

static int open_file(int dirfd, const char *name, int flags)
{
    int fd = openat(dirfd, name, flags | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static uint64_t size_of(int fd)
{
    struct stat info;
    assert_int_equal(fstat(fd, &info), 0);
    return (uint64_t)info.st_size;
}

static void reads_and_writes_at_offsets(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_FD int fd = open_file(dir->fd, "f", O_RDWR);
    char text[6] = "";
    assert_ok(&err, gs_fs_pwrite(fd, "world", 5, 6, &err));
    assert_ok(&err, gs_fs_pwrite(fd, "hello ", 6, 0, &err));
    assert_ok(&err, gs_fs_pread(fd, text, 5, 4, &err));
    assert_string_equal(text, "o wor");
    assert_ok(&err, gs_fs_pread(fd, NULL, 0, 1000, &err));
    assert_fails(&err, GS_EIO, "ends early: at offset 11 another 1 bytes", gs_fs_pread(fd, text, 5, 7, &err));
    assert_fails(&err, GS_ELIMIT, "beyond the largest file", gs_fs_pread(fd, text, 5, UINT64_MAX - 2, &err));
    assert_fails(&err, GS_ELIMIT, "beyond the largest file", gs_fs_pwrite(fd, text, 5, INT64_MAX - 2, &err));
    assert_fails(&err, GS_EIO, "cannot read", gs_fs_pread(-1, text, 5, 0, &err));
    assert_fails(&err, GS_EIO, "cannot write", gs_fs_pwrite(-1, text, 5, 0, &err));
}

static void reports_a_full_disk(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_FD int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    assert_fails(&err, GS_ENOSPACE, "No space left", gs_fs_pwrite(full, "x", 1, 0, &err));
}

static void hints_at_file_size(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_FD int fd = open_file(dir->fd, "f", O_RDWR);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_ptr_not_equal(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 4096, .rlim_max = before.rlim_max}), 0);
    int wrote = gs_fs_pwrite(fd, "x", 1, 4096, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_fails(&err, GS_EIO, "FAT32", wrote);
}

static void copies_ranges(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    const size_t len = 700001;
    char *content = malloc(len);
    char *back = malloc(len);
    assert_non_null(content);
    assert_non_null(back);
    for (size_t i = 0; i < len; i++) {
        content[i] = (char)(i * 31 + i / 251);
    }
    GS_AUTO_FD int from = open_file(dir->fd, "from", O_RDWR);
    assert_ok(&err, gs_fs_pwrite(from, content, len, 10, &err));
    GS_AUTO_FD int to = open_file(dir->fd, "to", O_RDWR);
    assert_ok(&err, gs_fs_copy_range(from, 10, to, 4000, len, &err));
    assert_ok(&err, gs_fs_pread(to, back, len, 4000, &err));
    assert_memory_equal(back, content, len);
    assert_int_equal(lseek(from, 0, SEEK_CUR), 0);
    assert_int_equal(lseek(to, 0, SEEK_CUR), 0);
    assert_fails(&err, GS_EIO, "ends early", gs_fs_copy_range(from, 11, to, 0, len, &err));
    assert_fails(&err, GS_ELIMIT, NULL, gs_fs_copy_range(from, UINT64_MAX, to, 0, len, &err));
    assert_ok(&err, gs_fs_copy_range(from, 0, to, 0, 0, &err));
    free(content);
    free(back);
}

static void copies_where_the_kernel_cannot(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    char back[11] = "";
    GS_AUTO_FD int to = open_file(dir->fd, "to", O_RDWR);
    /* Another file system, whose files have no size: copy_file_range answers EXDEV, EINVAL or 0. */
    GS_AUTO_FD int from = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    assert_true(from >= 0);
    assert_ok(&err, gs_fs_copy_range(from, 0, to, 3, 10, &err));
    assert_ok(&err, gs_fs_pread(to, back, 10, 3, &err));
    assert_string_equal(back, "Name:\ttest");
    assert_ok(&err, gs_fs_copy_range(to, 3, to, 100, 10, &err));
    assert_ok(&err, gs_fs_pread(to, back, 10, 100, &err));
    assert_string_equal(back, "Name:\ttest");
}

static void allocates(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_FD int fd = open_file(dir->fd, "f", O_RDWR);
    assert_ok(&err, gs_fs_allocate(fd, 100000, &err));
    assert_int_equal(size_of(fd), 100000);
    assert_ok(&err, gs_fs_allocate(fd, 10, &err));
    assert_int_equal(size_of(fd), 10);
    assert_ok(&err, gs_fs_allocate(fd, 0, &err));
    assert_int_equal(size_of(fd), 0);
    assert_fails(&err, GS_ELIMIT, NULL, gs_fs_allocate(fd, UINT64_MAX, &err));
    uint64_t bytes = 0;
    uint64_t inodes = 0;
    assert_ok(&err, gs_fs_space(dir->fd, &bytes, &inodes, &err));
    assert_fails(&err, GS_ENOSPACE, "cannot reserve the room", gs_fs_allocate(fd, bytes + GS_GIB(64), &err));
    assert_int_equal(size_of(fd), 0);
}

static void closes_once(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    int fd = open_file(dir->fd, "f", O_RDWR);
    int same = fd;
    assert_ok(&err, gs_fs_sync(fd, &err));
    assert_ok(&err, gs_fs_sync(dir->fd, &err));
    assert_ok(&err, gs_fs_close(&fd, &err));
    assert_int_equal(fd, -1);
    assert_ok(&err, gs_fs_close(&fd, &err));
    assert_fails(&err, GS_EIO, "durable", gs_fs_sync(same, &err));
    assert_fails(&err, GS_EIO, "finish writing", gs_fs_close(&same, &err));
    assert_int_equal(same, -1);
    errno = EDOM;
    fd = 1 << 30;
    gs_fs_close_p(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(errno, EDOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(reads_and_writes_at_offsets),
        cmocka_unit_test(reports_a_full_disk),
        test_in_tempdir(hints_at_file_size),
        test_in_tempdir(copies_ranges),
        test_in_tempdir(copies_where_the_kernel_cannot),
        test_in_tempdir(allocates),
        test_in_tempdir(closes_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
