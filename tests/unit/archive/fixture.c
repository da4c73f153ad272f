/* The fixture of fixture.h. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gapship/proc.h"

void run_in(const gs_tempdir *dir, gs_buf *out, const char *const *argv)
{
    gs_error err = {0};
    const gs_proc proc = {.argv = argv, .cwd = dir->fd};
    gs_proc_result result = {0};
    assert_ok(&err, gs_proc_check(NULL, &proc, GS_EINTERNAL, &result, &err));
    if (out) {
        *out = result.output;
        result.output = (gs_buf){0};
    }
    gs_proc_result_done(&result);
}

int enter_among_tars(void **state)
{
    assert_int_equal(support_enter(state), 0);
    char script[4096];
    const gs_tempdir *dir = *state;
    char *here = getcwd(NULL, 0);
    assert_non_null(here);
    (void)snprintf(script, sizeof(script), "%s/tests/unit/archive/make_tars.py", here);
    free(here);
    run_in(dir, NULL, (const char *const[]){"python3", script, dir->path, NULL});
    return 0;
}

gs_source *open_file(const gs_tempdir *dir, const char *name)
{
    gs_error err = {0};
    int fd = -1;
    uint64_t size;
    gs_source *source = NULL;
    assert_ok(&err, gs_fs_open_read(dir->fd, name, false, &fd, &size, &err));
    assert_ok(&err, gs_source_fd(fd, true, &source, &err));
    return source;
}
