#include "key_tool.h"

#include <stdio.h>
#include <string.h>

#include "gapship/proc.h"

static gs_tempdir directory = GS_TEMPDIR_INIT;

int key_tool_enter(void **state)
{
    (void)state;
    return gs_tempdir_make(&directory, NULL);
}

int key_tool_leave(void **state)
{
    (void)state;
    gs_tempdir_done(&directory);
    return 0;
}

const char *key_path(const char *name)
{
    static char text[512];
    (void)snprintf(text, sizeof text, "%s/%s", directory.path, name);
    return text;
}

int key_directory(void)
{
    return directory.fd;
}

static int run(const char *command, gs_error *err)
{
    static const gs_run quiet = {0};
    const char *argv[] = {"sh", "-ec", command, NULL};
    const gs_proc proc = {.argv = argv, .cwd = directory.fd};
    GS_AUTO_PROC gs_proc_result result = {0};
    return gs_proc_check(&quiet, &proc, GS_ECHECK, &result, err);
}

void key_shell(const char *command)
{
    gs_error err = {0};
    if (run(command, &err) != 0) {
        fail_msg("%s: %s", command, err.message);
    }
}

bool key_shell_says(const char *command)
{
    return run(command, NULL) == 0;
}

void key_make(const bad_file *row)
{
    char script[1024];
    (void)snprintf(script, sizeof script, "umask 077; rm -rf x y; exec 2>/dev/null; %s", row->command);
    key_shell(script);
}

void key_assert_refused(const bad_file *row, int code, const gs_error *err)
{
    bool hinted = row->hint ? strstr(err->hint, row->hint) != NULL : err->hint[0] == '\0';
    size_t len = strlen(err->where);
    bool placed = len > 2 && strcmp(err->where + len - 2, "/x") == 0;
    if (code != row->code || err->code != code || !strstr(err->message, row->message) || !hinted || !placed) {
        fail_msg("%s: code %d, message \"%s\", hint \"%s\", at \"%s\"", row->name, code, err->message, err->hint, err->where);
    }
}

int key_run_refused(const char *group, const bad_file *rows, size_t count, CMUnitTestFunction refuses)
{
    struct CMUnitTest tests[64];
    assert_in_range(count, 1, COUNT_OF(tests));
    for (size_t i = 0; i < count; i++) {
        tests[i] = (struct CMUnitTest){.name = rows[i].name, .test_func = refuses, .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    return _cmocka_run_group_tests(group, tests, count, key_tool_enter, key_tool_leave);
}
