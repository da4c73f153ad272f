/* SQLite spoken to in gapship's manner: its results as errors, its statements with a cleanup. Knows no table. */
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

static int code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_NOMEM:
        return GS_ENOMEM;
    case SQLITE_FULL:
        return GS_ENOSPACE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return GS_ELOCKED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return GS_ESTATE;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return GS_EINTERNAL;
    default:
        return GS_EIO;
    }
}

static void hint_recovery(gs_error *err)
{
    (void)gs_error_hint(err,
                        "keep this file for an inquiry and restore the ledger from a backup: without it gapship cannot tell which "
                        "bundles are older than what this site runs");
}

int gs_ledger_fail(const gs_ledger *ledger, int result, gs_error *err, const char *action)
{
    const char *reason = ledger->db ? sqlite3_errmsg(ledger->db) : sqlite3_errstr(result);
    int code = code_of(result);
    if (code == GS_ENOMEM) {
        return gs_fail_nomem(err);
    }
    (void)gs_fail(err, code, "cannot %s: %s", action, reason);
    (void)gs_error_at(err, "%s", ledger->path);
    if (code == GS_ESTATE) {
        hint_recovery(err);
    }
    return code;
}

int gs_ledger_damaged(const gs_ledger *ledger, gs_error *err, const char *format, ...)
{
    char message[GS_ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    (void)gs_fail(err, GS_ESTATE, "%s", len < 0 ? "the ledger is damaged" : message);
    (void)gs_error_at(err, "%s", ledger->path);
    hint_recovery(err);
    return GS_ESTATE;
}

int gs_ledger_exec(gs_ledger *ledger, const char *sql, gs_error *err)
{
    int result = sqlite3_exec(ledger->db, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? 0 : gs_ledger_fail(ledger, result, err, "write the ledger");
}

int gs_ledger_prepare(gs_ledger *ledger, const char *sql, sqlite3_stmt **out, gs_error *err)
{
    int result = sqlite3_prepare_v2(ledger->db, sql, -1, out, NULL);
    return result == SQLITE_OK ? 0 : gs_ledger_fail(ledger, result, err, "read the ledger");
}

int gs_ledger_next(gs_ledger *ledger, sqlite3_stmt *statement, bool *more, gs_error *err)
{
    int result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        return gs_ledger_fail(ledger, result, err, "read the ledger");
    }
    *more = result == SQLITE_ROW;
    return 0;
}

void gs_ledger_finish(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
    *statement = NULL;
}

const char *gs_ledger_version(void)
{
    return sqlite3_libversion();
}
