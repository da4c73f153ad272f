/* What the tests of key files share: a directory, the openssl command in it, and tables of files that are refused. */
#ifndef GAPSHIP_TEST_KEY_TOOL_H
#define GAPSHIP_TEST_KEY_TOOL_H

#include "gapship/crypto.h"
#include "support.h"

/* A file that people mistake for a key. Each row is a test of its own. */
typedef struct bad_file {
    const char *name;
    const char *command; /* makes the file "x", with umask 077 */
    int code;
    const char *message; /* parts of what is said */
    const char *hint;    /* NULL: there is none */
} bad_file;

int key_tool_enter(void **state);
int key_tool_leave(void **state);
/* The path of a file in the directory; borrowed until the next call. */
const char *key_path(const char *name);
int key_directory(void);
/* `sh -c` there: the commands read as they stand in the documentation. */
void key_shell(const char *command);
/* Whether it succeeds. */
bool key_shell_says(const char *command);
void key_assert_refused(const bad_file *row, int code, const gs_error *err);
/* As key_shell, for the row's file. */
void key_make(const bad_file *row);
/* Runs a test for each row, named after it, with the row as its state; returns how many failed. */
int key_run_refused(const char *group, const bad_file *rows, size_t count, CMUnitTestFunction refuses);

#endif
