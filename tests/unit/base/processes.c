/* The helpers of processes.h. */
#include "processes.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

int run_script(const char *script, const gs_proc *proc, gs_proc_result *result, gs_error *err)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    gs_proc whole = proc ? *proc : (gs_proc){0};
    whole.argv = argv;
    return gs_proc_run(NULL, &whole, result, err);
}

char *output_of(const char *script, const gs_proc *proc)
{
    gs_error err = {0};
    GS_AUTO_PROC gs_proc_result result;
    assert_ok(&err, run_script(script, proc, &result, &err));
    if (result.status != 0) {
        fail_msg("%s: status %d: %s", script, result.status, gs_buf_text(&result.errors));
    }
    return gs_buf_steal(&result.output);
}

static bool is_dead(pid_t pid)
{
    char path[64];
    char stat[512] = "";
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "re");
    if (!file) {
        return true;
    }
    size_t got = fread(stat, 1, sizeof stat - 1, file);
    (void)fclose(file);
    const char *after_name = strrchr(stat, ')');
    return got == 0 || !after_name || after_name[2] == 'Z' || after_name[2] == 'X';
}

bool dies(pid_t pid)
{
    gs_error err = {0};
    for (int i = 0; i < 100; i++) {
        if (is_dead(pid)) {
            return true;
        }
        assert_ok(&err, gs_sleep(NULL, 20, &err));
    }
    return false;
}

size_t count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    size_t count = 0;
    while (readdir(dir)) {
        count++;
    }
    (void)closedir(dir);
    return count;
}

void in_subprocess(int (*body)(void *argument), void *argument)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(body(argument));
    }
    int status = -1;
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}
