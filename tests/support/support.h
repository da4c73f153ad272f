/* What every unit test needs: cmocka with its includes, assertions that print the gs_error, a temporary directory, fixtures.
 * Tests run with the source directory as working directory. */
#ifndef GAPSHIP_TEST_SUPPORT_H
#define GAPSHIP_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above before it. */
#include <cmocka.h>

#include "gapship/buf.h"
#include "gapship/error.h"
#include "gapship/fs.h"
#include "gapship/stream.h"

/* assert_ok(&err, call(…, &err)): the call returns 0. */
#define assert_ok(err, call) support_assert_ok((call), (err), #call, __FILE__, __LINE__)
/* assert_fails(&err, GS_ESPEC, "part of the text", call(…, &err)): the call returns that code, the error has it too, and its
 * message, its where or its hint contains the text (NULL: any). Clears the error afterwards. */
#define assert_fails(err, code, text, call) support_assert_fails((call), (err), (code), (text), #call, __FILE__, __LINE__)
#define assert_contains(text, part)         support_assert_contains((text), (part), __FILE__, __LINE__)

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

void support_assert_ok(int got, const gs_error *err, const char *call, const char *file, int line);
void support_assert_fails(int got, gs_error *err, int code, const char *text, const char *call, const char *file, int line);
void support_assert_contains(const char *text, const char *part, const char *file, int line);

/* An input that is refused, and the whole error that it gives. */
typedef struct bad_input {
    const char *text;
    const char *where, *message;
    const char *hint; /* NULL: none */
    int code;         /* 0: GS_ESPEC */
    size_t len;       /* 0: strlen */
} bad_input;
/* That the call returned this code, with this error. */
void support_assert_refused(const bad_input *bad, int got, const gs_error *err);

/* A gs_tempdir as cmocka's *state, made and removed around a test: cmocka_unit_test_setup_teardown(t, support_enter,
 * support_leave). */
int support_enter(void **state);
int support_leave(void **state);
/* The same as an entry of the test table; the test begins with `gs_tempdir *dir = *state;`. */
#define test_in_tempdir(function) cmocka_unit_test_setup_teardown(function, support_enter, support_leave)

/* A whole file of the source tree, NUL-terminated, for gs_buf_done. Fails the test when it cannot be read. */
void support_read_fixture(const char *path, gs_buf *out);
/* Appends what a source has, asked for in pieces of this size, and closes it. */
int support_drain(gs_source *source, size_t piece, gs_buf *out, gs_error *err);
/* Writes a text file below dirfd, its directories made. Fails the test when it cannot. */
void support_write(int dirfd, const char *path, const char *text);
/* Fails the test unless the file has exactly this content. */
void support_assert_file(int dirfd, const char *path, const char *text);

#endif
