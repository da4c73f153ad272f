/* Out of memory is an ordinary error: each operation is repeated with its first, second, third… allocation failing, until it
 * succeeds. Every time it must say GS_ENOMEM, and leave nothing behind (the sanitizers look). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "allocations.h"
#include "gapship/proc.h"
#include "gapship/stream.h"
#include "support.h"

static long allowed = -1; /* allocations that still succeed; negative: all */

bool allocation_refused(void)
{
    return allowed >= 0 && allowed-- == 0;
}

/* Repeats work until it succeeds; returns how often it failed. */
static int starve(int (*work)(gs_tempdir *dir, gs_error *err), gs_tempdir *dir)
{
    for (int i = 0; i < 1000; i++) {
        gs_error err = {0};
        allowed = i;
        int code = work(dir, &err);
        bool reached = allowed < 0;
        allowed = -1;
        if (!reached) {
            assert_ok(&err, code);
            return i;
        }
        assert_int_equal(code, GS_ENOMEM);
        assert_int_equal(err.code, GS_ENOMEM);
    }
    fail_msg("never had enough");
    return 0;
}

static int work_buf(gs_tempdir *dir, gs_error *err)
{
    (void)dir;
    GS_AUTO_BUF gs_buf buf;
    gs_buf_init(&buf, 100000);
    for (int i = 0; i < 1000; i++) {
        gs_buf_printf(&buf, "line %d\n", i);
    }
    gs_buf_add_json_text(&buf, "x\n", 2);
    return gs_buf_check(&buf, err);
}

static int work_arena(gs_tempdir *dir, gs_error *err)
{
    (void)dir;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (!arena) {
        return gs_fail_nomem(err);
    }
    for (int i = 0; i < 1000; i++) {
        if (!gs_arena_text(arena, "some text") || !gs_arena_printf(arena, "%d", i) || !gs_arena_array(arena, 10, 100)) {
            return gs_fail_nomem(err);
        }
    }
    return 0;
}

static int work_files(gs_tempdir *dir, gs_error *err)
{
    GS_AUTO_BUF gs_buf buf;
    gs_buf_init(&buf, 1000);
    int code = gs_fs_make_dirs(dir->fd, "a/b/c", 0700, err);
    if (code == 0) {
        code = gs_fs_write_file(dir->fd, "a/b/c/f", "text", 4, 0600, err);
    }
    if (code == 0) {
        code = gs_fs_read_file(dir->fd, "a/b/c/f", &buf, err);
    }
    return code;
}

static int work_trees(gs_tempdir *dir, gs_error *err)
{
    (void)dir;
    GS_AUTO_TEMPDIR gs_tempdir made = GS_TEMPDIR_INIT;
    int code = gs_tempdir_make(&made, err);
    if (code == 0) {
        code = gs_fs_write_file(made.fd, "f", "text", 4, 0600, err);
    }
    gs_arena *arena = code == 0 ? gs_arena_new() : NULL;
    if (code == 0 && !arena) {
        code = gs_fail_nomem(err);
    }
    gs_fs_entry *entries;
    size_t count;
    if (code == 0) {
        code = gs_fs_walk(made.fd, 10, arena, &entries, &count, err);
    }
    gs_arena_free(arena);
    if (code == 0) {
        code = gs_fs_remove_tree(made.fd, "f", err);
    }
    /* The cleanup that follows must not starve: what it cannot do stays behind. */
    allowed = allowed < 0 ? allowed : 1000;
    return code;
}

/* Each wrapper takes over what it is given also when it fails, so that there is nothing to close but the outermost. */
static int work_streams(gs_tempdir *dir, gs_error *err)
{
    GS_AUTO_BUF gs_buf first;
    GS_AUTO_BUF gs_buf second;
    GS_AUTO_SOURCE gs_source *source = NULL;
    GS_AUTO_SINK gs_sink *sink = NULL;
    gs_sink *left = NULL;
    gs_sink *right = NULL;
    gs_sink *tee = NULL;
    gs_source *inner = NULL;
    uint64_t count;
    gs_buf_init(&first, 100);
    gs_buf_init(&second, 100);
    int code = gs_source_fd(dup(dir->fd), true, &source, err);
    gs_source_cancel(&source);
    if (code == 0) {
        code = gs_source_segment(dir->fd, 0, 0, &source, err);
    }
    gs_source_cancel(&source);
    if (code == 0) {
        code = gs_sink_range(dir->fd, 0, 0, &sink, err);
    }
    gs_sink_cancel(&sink);
    if (code == 0) {
        code = gs_source_memory("text", 4, &inner, err);
    }
    if (code == 0) {
        code = gs_source_limited(inner, 10, &source, err);
    }
    if (code == 0) {
        code = gs_sink_buffer(&first, &left, err);
    }
    if (code == 0) {
        code = gs_sink_buffer(&second, &right, err);
        if (code != 0) {
            gs_sink_cancel(&left);
        }
    }
    if (code == 0) {
        code = gs_sink_tee(left, right, &tee, err);
    }
    if (code == 0) {
        code = gs_sink_count(tee, &count, &sink, err);
    }
    return code == 0 ? gs_stream_copy(source, sink, NULL, err) : code;
}

static int work_processes(gs_tempdir *dir, gs_error *err)
{
    (void)dir;
    const char *const argv[] = {"sh", "-c", "echo out; echo err >&2", NULL};
    const char *const extra[] = {"A=b", NULL};
    const gs_proc proc = {.argv = argv, .environment = extra, .input = "x", .input_len = 1};
    gs_child *child = NULL;
    GS_AUTO_PROC gs_proc_result result;
    int code = gs_proc_run(NULL, &proc, &result, err);
    if (code == 0) {
        code = gs_child_start(&proc, &child, err);
    }
    gs_child_stop(child);
    return code;
}

static void survives(void **state)
{
    gs_tempdir *dir = *state;
    static const struct {
        int (*work)(gs_tempdir *dir, gs_error *err);
        int allocations; /* at least */
    } cases[] = {
        {work_buf, 5}, {work_arena, 10}, {work_files, 3}, {work_trees, 6}, {work_streams, 15}, {work_processes, 5},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(starve(cases[i].work, dir) >= cases[i].allocations);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_in_tempdir(survives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
