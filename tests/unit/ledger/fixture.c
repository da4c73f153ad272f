#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "gapship/proc.h"

int fixture_enter(void **state)
{
    gs_error err = {0};
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->dir = (gs_tempdir)GS_TEMPDIR_INIT;
    assert_ok(&err, gs_tempdir_make(&f->dir, &err));
    f->arena = gs_arena_new();
    assert_non_null(f->arena);
    f->path = gs_arena_printf(f->arena, "%s/ledger.sqlite", f->dir.path);
    const gs_entry first = {.kind = GS_ENTRY_CREATED, .time = T0, .detail = "plant-7, root sha256:00"};
    assert_ok(&err, gs_ledger_create(f->path, &first, &err));
    assert_ok(&err, gs_ledger_open(f->path, &f->ledger, &err));
    *state = f;
    return 0;
}

int fixture_leave(void **state)
{
    fixture *f = *state;
    gs_ledger_free(f->ledger);
    gs_arena_free(f->arena);
    gs_tempdir_done(&f->dir);
    free(f);
    return 0;
}

gs_digest digest_of_byte(unsigned char byte)
{
    gs_digest digest;
    memset(digest.bytes, byte, sizeof digest.bytes);
    return digest;
}

void append(fixture *f, gs_entry entry)
{
    gs_error err = {0};
    entry.time = T0 + 1;
    assert_ok(&err, gs_ledger_append(f->ledger, &entry, &err));
}

void close_ledger(fixture *f)
{
    gs_ledger_free(f->ledger);
    f->ledger = NULL;
}

void tamper(fixture *f, const char *sql)
{
    gs_error err = {0};
    close_ledger(f);
    const char *script = gs_arena_printf(
        f->arena, "DROP TRIGGER IF EXISTS entries_are_kept; DROP TRIGGER IF EXISTS entries_are_final; %s", sql);
    const char *const argv[] = {"sqlite3", "-bail", f->path, script, NULL};
    const gs_proc proc = {.argv = argv, .cwd = -1};
    GS_AUTO_PROC gs_proc_result result = {0};
    assert_ok(&err, gs_proc_check(NULL, &proc, GS_EINTERNAL, &result, &err));
}
