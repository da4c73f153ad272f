/* The helpers of support.h. */
#include "support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURE_BYTES ((size_t)64 << 20)

static void print_err(const gs_error *err)
{
    if (err && err->code != 0) {
        print_error("  GS_E%s: %s\n  where: %s\n  hint: %s\n", gs_code_name(err->code), err->message, err->where, err->hint);
    }
}

void support_assert_ok(int got, const gs_error *err, const char *call, const char *file, int line)
{
    if (got != 0) {
        print_error("%s returned %d (%s)\n", call, got, gs_code_name(got));
        print_err(err);
        _fail(file, line);
    }
}

void support_assert_fails(int got, gs_error *err, int code, const char *text, const char *call, const char *file, int line)
{
    bool said = !text || strstr(err->message, text) || strstr(err->where, text) || strstr(err->hint, text);
    if (got != code || err->code != code || err->message[0] == '\0' || !said) {
        print_error("%s returned %d, wanted %d (%s) with \"%s\"\n", call, got, code, gs_code_name(code), text ? text : "");
        print_err(err);
        _fail(file, line);
    }
    *err = (gs_error){0};
}

void support_assert_contains(const char *text, const char *part, const char *file, int line)
{
    if (!text || !strstr(text, part)) {
        print_error("\"%s\" does not contain \"%s\"\n", text ? text : "(null)", part);
        _fail(file, line);
    }
}

void support_assert_refused(const bad_input *bad, int got, const gs_error *err)
{
    if (got == 0) {
        print_error("accepted: %s\n", bad->text);
    }
    assert_int_equal(got, bad->code ? bad->code : GS_ESPEC);
    assert_int_equal(err->code, got);
    assert_string_equal(err->message, bad->message);
    assert_string_equal(err->where, bad->where);
    assert_string_equal(err->hint, bad->hint ? bad->hint : "");
}

int support_enter(void **state)
{
    gs_error err = {0};
    gs_tempdir *dir = malloc(sizeof *dir);
    assert_non_null(dir);
    *dir = (gs_tempdir)GS_TEMPDIR_INIT;
    assert_ok(&err, gs_tempdir_make(dir, &err));
    *state = dir;
    return 0;
}

int support_leave(void **state)
{
    gs_tempdir_done(*state);
    free(*state);
    return 0;
}

void support_read_fixture(const char *path, gs_buf *out)
{
    gs_error err = {0};
    gs_buf_init(out, FIXTURE_BYTES);
    assert_ok(&err, gs_fs_read_file(AT_FDCWD, path, out, &err));
}

int support_drain(gs_source *source, size_t piece, gs_buf *out, gs_error *err)
{
    int code = 0;
    for (size_t got = 1; code == 0 && got > 0;) {
        void *room = gs_buf_reserve(out, piece);
        assert_non_null(room);
        code = gs_source_read(source, room, piece, &got, err);
        out->len += code == 0 ? got : 0;
    }
    if (code != 0) {
        gs_source_cancel(&source);
        return code;
    }
    return gs_source_close(&source, err);
}

void support_write(int dirfd, const char *path, const char *text)
{
    gs_error err = {0};
    const char *slash = strrchr(path, '/');
    if (slash) {
        char *parent = strndup(path, (size_t)(slash - path));
        assert_non_null(parent);
        assert_ok(&err, gs_fs_make_dirs(dirfd, parent, 0755, &err));
        free(parent);
    }
    assert_ok(&err, gs_fs_write_file(dirfd, path, text, strlen(text), 0644, &err));
}

void support_assert_file(int dirfd, const char *path, const char *text)
{
    gs_error err = {0};
    gs_buf content;
    gs_buf_init(&content, FIXTURE_BYTES);
    assert_ok(&err, gs_fs_read_file(dirfd, path, &content, &err));
    assert_int_equal(content.len, strlen(text));
    assert_string_equal(gs_buf_text(&content), text);
    gs_buf_done(&content);
}
