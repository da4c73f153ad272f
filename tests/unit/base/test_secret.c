/* Secrets: read whole when they are private, refused when others could have read them. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static void reads_private_files(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, 7);
    static const mode_t modes[] = {0600, 0400, 0700};
    support_write(dir->fd, "key", "hunter2");
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        gs_buf_clear(&out);
        assert_int_equal(fchmodat(dir->fd, "key", modes[i], 0), 0);
        assert_ok(&err, gs_fs_read_secret(dir->fd, "key", &out, &err));
        assert_string_equal(gs_buf_text(&out), "hunter2");
    }
    assert_fails(&err, GS_ELIMIT, "key", gs_fs_read_secret(dir->fd, "key", &out, &err));
    assert_string_equal(gs_buf_text(&out), "hunter2");
    gs_buf_done(&out);
}

static void refuses_what_others_may_touch(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, 100);
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0644, 0666};
    support_write(dir->fd, "key", "hunter2");
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        assert_int_equal(fchmodat(dir->fd, "key", modes[i], 0), 0);
        assert_fails(&err, GS_ESPEC, "chmod 600", gs_fs_read_secret(dir->fd, "key", &out, &err));
    }
    assert_fails(&err, GS_ENOTFOUND, "absent", gs_fs_read_secret(dir->fd, "absent", &out, &err));
    assert_int_equal(out.len, 0);
    gs_buf_done(&out);
}

static void refuses_another_users(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    if (getuid() != 0) {
        print_message("only root can make a file of another user\n");
        skip();
    }
    support_write(dir->fd, "key", "hunter2");
    assert_int_equal(fchmodat(dir->fd, "key", 0600, 0), 0);
    GS_AUTO_FD int fd = openat(dir->fd, "key", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(seteuid(12345), 0);
    int code = gs_fs_check_secret(fd, &err);
    assert_int_equal(seteuid(0), 0);
    assert_fails(&err, GS_ESPEC, "another user (id 0)", code);
    assert_int_equal(fchown(fd, 12345, 12345), 0);
    assert_ok(&err, gs_fs_check_secret(fd, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(reads_private_files),
        test_in_tempdir(refuses_what_others_may_touch),
        test_in_tempdir(refuses_another_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
