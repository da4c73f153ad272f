/* What the ledger's files share: the connection, the columns, the chain. */
#ifndef GAPSHIP_LEDGER_INTERNAL_H
#define GAPSHIP_LEDGER_INTERNAL_H

#include <sqlite3.h>

#include "gapship/ledger.h"

struct gs_ledger {
    sqlite3 *db;
    char *path;
};

/* Every column of the table of entries in the order of GS_LEDGER_COLUMNS; what gs_ledger_row reads and gs_ledger_append binds. */
#define GS_LEDGER_COLUMNS                                                                                                          \
    "row, time, kind, state, run, verb, product, version, bundle, epoch, sequence, security_floor, environment, step, detail, "    \
    "duration, hash"

/* Where the chain ends: what stands in the table `head`. row 0 and a zero hash before the first. */
typedef struct gs_ledger_head {
    int64_t row;
    gs_digest hash;
} gs_ledger_head;

/* An error of SQLite as one of ours, `where` = the ledger's path. */
int gs_ledger_fail(const gs_ledger *ledger, int result, gs_error *err, const char *action);
/* GS_ESTATE with the one way to recover. */
int gs_ledger_damaged(const gs_ledger *ledger, gs_error *err, const char *format, ...) GS_PRINTF(3, 4);
int gs_ledger_exec(gs_ledger *ledger, const char *sql, gs_error *err) GS_MUST_USE;
int gs_ledger_prepare(gs_ledger *ledger, const char *sql, sqlite3_stmt **out, gs_error *err) GS_MUST_USE;
/* *more false at the end. */
int gs_ledger_next(gs_ledger *ledger, sqlite3_stmt *statement, bool *more, gs_error *err) GS_MUST_USE;
void gs_ledger_finish(sqlite3_stmt **statement);
#define GS_AUTO_STATEMENT __attribute__((cleanup(gs_ledger_finish)))

/* The current row of a statement that selects GS_LEDGER_COLUMNS. */
int gs_ledger_row(gs_ledger *ledger, sqlite3_stmt *statement, gs_arena *arena, gs_entry *out, gs_error *err) GS_MUST_USE;
/* The hash of a row whose predecessor has the hash `before`; entry->hash is not looked at. */
int gs_ledger_hash(const gs_entry *entry, const gs_digest *before, gs_digest *out, gs_error *err) GS_MUST_USE;
/* The head, compared with the newest row: GS_ESTATE when rows were cut off or added behind it. */
int gs_ledger_read_head(gs_ledger *ledger, gs_ledger_head *out, gs_error *err) GS_MUST_USE;

#endif
