/* The lock: one holder, named to the others, freed with its process and with nothing else. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gapship/num.h"
#include "support.h"

static void excludes_and_names_the_holder(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_filelock first = GS_FILELOCK_INIT;
    gs_filelock second = GS_FILELOCK_INIT;
    char text[128];
    assert_ok(&err, gs_filelock_acquire(&first, dir->fd, "lock", &err));
    (void)snprintf(text, sizeof text, "process %ld, since 20", (long)getpid());
    assert_fails(&err, GS_ELOCKED, text, gs_filelock_acquire(&second, dir->fd, "lock", &err));
    (void)snprintf(text, sizeof text, "ps -fp %ld", (long)getpid());
    assert_fails(&err, GS_ELOCKED, text, gs_filelock_acquire(&second, dir->fd, "lock", &err));
    assert_int_equal(second.fd, -1);
    gs_filelock_release(&first);
    assert_ok(&err, gs_filelock_acquire(&second, dir->fd, "lock", &err));
    gs_filelock_release(&second);
    gs_filelock_release(&second);
}

static void says_since_when(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_FILELOCK gs_filelock lock = GS_FILELOCK_INIT;
    support_write(dir->fd, "lock", "999999 1999-01-01T00:00:00Z, a longer text of an earlier holder\n");
    assert_ok(&err, gs_filelock_acquire(&lock, dir->fd, "lock", &err));
    gs_buf content;
    gs_buf_init(&content, 1000);
    assert_ok(&err, gs_fs_read_file(dir->fd, "lock", &content, &err));
    long pid = 0;
    char since[32] = "";
    int64_t seconds = 0;
    assert_int_equal(sscanf(gs_buf_text(&content), "%ld %31[^\n]", &pid, since), 2);
    assert_int_equal(strcspn(gs_buf_text(&content), "\n") + 1, content.len);
    assert_int_equal(pid, getpid());
    assert_true(gs_parse_time(since, &seconds));
    assert_in_range(seconds, (uint64_t)time(NULL) - 60, (uint64_t)time(NULL));
    gs_buf_done(&content);
}

static void does_not_trust_the_text(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    GS_AUTO_FILELOCK gs_filelock lock = GS_FILELOCK_INIT;
    gs_filelock other = GS_FILELOCK_INIT;
    static const char *const texts[] = {"",
                                        "\n",
                                        "nonsense\n",
                                        "12 yesterday\n",
                                        "x 2026-11-21T13:55:00Z\n",
                                        "12 2026-11-21T13:55:00Z",
                                        "-1 2026-11-21T13:55:00Z\n",
                                        "\x1b[2J 2026-11-21T13:55:00Z\n"};
    assert_ok(&err, gs_filelock_acquire(&lock, dir->fd, "lock", &err));
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_int_equal(ftruncate(lock.fd, 0), 0);
        assert_ok(&err, gs_fs_pwrite(lock.fd, texts[i], strlen(texts[i]), 0, &err));
        assert_fails(&err, GS_ELOCKED, "fuser", gs_filelock_acquire(&other, dir->fd, "lock", &err));
    }
}

static void is_freed_by_a_kill(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_filelock lock = GS_FILELOCK_INIT;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int failed = gs_filelock_acquire(&lock, dir->fd, "lock", &err);
        if (write(ready[1], failed ? "n" : "y", 1) == 1) {
            (void)pause();
        }
        _exit(1);
    }
    assert_true(pid > 0);
    char answer = 0;
    assert_int_equal(read(ready[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    assert_fails(&err, GS_ELOCKED, NULL, gs_filelock_acquire(&lock, dir->fd, "lock", &err));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_ok(&err, gs_filelock_acquire(&lock, dir->fd, "lock", &err));
    gs_filelock_release(&lock);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static void refuses_a_link(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_filelock lock = GS_FILELOCK_INIT;
    support_write(dir->fd, "victim", "kept");
    assert_int_equal(symlinkat("victim", dir->fd, "lock"), 0);
    assert_fails(&err, GS_ESPEC, "symbolic link", gs_filelock_acquire(&lock, dir->fd, "lock", &err));
    support_assert_file(dir->fd, "victim", "kept");
    assert_fails(&err, GS_ENOTFOUND, "none/lock", gs_filelock_acquire(&lock, dir->fd, "none/lock", &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(excludes_and_names_the_holder),
        test_in_tempdir(says_since_when),
        test_in_tempdir(does_not_trust_the_text),
        test_in_tempdir(is_freed_by_a_kill),
        test_in_tempdir(refuses_a_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
