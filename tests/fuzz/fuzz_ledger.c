/* The ledger, in two forms: a file of SQLite, or rows as text (columns separated by tabs, each beginning with i, t or b for its type,
 * or empty), which a hostile file could hold. Rows are read or refused, never misread: a chain that fits is accepted, one of which a
 * single value was changed is not. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "gapship/buf.h"
#include "gapship/limits.h"
#include "ledger/internal.h"
#include "scratch.h"

#define COLUMNS  17
#define MAX_ROWS 16u

static void check_entry(const gs_entry *entry)
{
    check(entry->kind > GS_ENTRY_ANY && gs_entry_kind_name(entry->kind)[0] != '\0');
    check(gs_entry_state_name(entry->state) != NULL && strlen(entry->hash) == GS_DIGEST_HEX - 1);
}

static size_t read_all(gs_ledger *ledger, gs_arena *arena, gs_entry **entries, int *code)
{
    static const gs_ledger_filter everything = {0};
    gs_error err = {0};
    size_t count = 0;
    *code = gs_ledger_read(ledger, &everything, arena, entries, &count, &err);
    for (size_t i = 0; *code == 0 && i < count; i++) {
        check_entry(&(*entries)[i]);
    }
    return *code == 0 ? count : 0;
}

/* ---- a file ---- */

static void judge_file(const uint8_t *data, size_t size)
{
    char path[SCRATCH_PATH];
    gs_error err = {0};
    gs_ledger *ledger = NULL;
    gs_arena *arena = gs_arena_new();
    scratch_write("ledger.sqlite", data, size, path);
    if (arena && gs_ledger_open(path, &ledger, &err) == 0) {
        gs_entry *entries = NULL;
        int code;
        int64_t rows = 0;
        size_t count = read_all(ledger, arena, &entries, &code);
        if (gs_ledger_check(ledger, &rows, &err) == 0) {
            check(code == 0 && rows == (int64_t)count && (count == 0 || entries[count - 1].row == rows));
        }
        gs_ledger_free(ledger);
    } else {
        check(err.code != 0);
    }
    gs_arena_free(arena);
}

/* ---- rows ---- */

static void execute(sqlite3 *db, const char *sql)
{
    check(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static void bind_column(sqlite3_stmt *statement, int index, const char *text, size_t len)
{
    if (len == 0) {
        (void)sqlite3_bind_null(statement, index);
    } else if (text[0] == 'i') {
        char number[32];
        (void)snprintf(number, sizeof number, "%.*s", (int)len - 1, text + 1);
        (void)sqlite3_bind_int64(statement, index, strtoll(number, NULL, 10));
    } else if (text[0] == 'b') {
        (void)sqlite3_bind_blob(statement, index, text + 1, (int)len - 1, SQLITE_TRANSIENT);
    } else {
        (void)sqlite3_bind_text(statement, index, text + 1, (int)len - 1, SQLITE_TRANSIENT);
    }
}

/* Rows with a number that is there already are left out by SQLite itself. */
static void insert_row(sqlite3 *db, const char *line, size_t len)
{
    sqlite3_stmt *statement = NULL;
    check(sqlite3_prepare_v2(db, "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", -1, &statement,
                             NULL) == SQLITE_OK);
    for (int column = 1; column <= COLUMNS; column++) {
        const char *tab = memchr(line, '\t', len);
        size_t width = tab ? (size_t)(tab - line) : len;
        bind_column(statement, column, line, width);
        size_t taken = tab ? width + 1 : width;
        line += taken;
        len -= taken;
    }
    (void)sqlite3_step(statement);
    (void)sqlite3_finalize(statement);
}

static void insert_rows(sqlite3 *db, const char *text, size_t len)
{
    for (unsigned i = 0; i < MAX_ROWS && len > 0; i++) {
        const char *end = memchr(text, '\n', len);
        size_t width = end ? (size_t)(end - text) : len;
        insert_row(db, text, width);
        size_t taken = end ? width + 1 : width;
        text += taken;
        len -= taken;
    }
}

/* Numbers the rows and chains them as gapship does. False when one of them is none of its. */
static bool chain(gs_ledger *ledger, gs_arena *arena)
{
    gs_error err = {0};
    gs_entry *entries = NULL;
    gs_digest before = {{0}};
    int code;
    execute(ledger->db, "CREATE TABLE numbered AS SELECT * FROM entries ORDER BY row; DELETE FROM entries;"
                        "UPDATE numbered SET row = rowid, hash = printf('%064d', 0); INSERT INTO entries SELECT * FROM numbered;");
    size_t count = read_all(ledger, arena, &entries, &code);
    for (size_t i = 0; i < count; i++) {
        char hex[GS_DIGEST_HEX];
        check(entries[i].row == (int64_t)i + 1 && gs_ledger_hash(&entries[i], &before, &before, &err) == 0);
        gs_digest_hex(&before, hex);
        char *sql = sqlite3_mprintf("UPDATE entries SET hash = %Q WHERE row = %lld; UPDATE head SET row = %lld, hash = %Q", hex,
                                    (long long)entries[i].row, (long long)entries[i].row, hex);
        execute(ledger->db, sql);
        sqlite3_free(sql);
    }
    return code == 0;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_entry(const gs_entry *a, const gs_entry *b)
{
    return a->row == b->row && a->time == b->time && a->kind == b->kind && a->state == b->state && same_text(a->run, b->run) &&
           same_text(a->verb, b->verb) && same_text(a->product, b->product) && same_text(a->version, b->version) &&
           a->has_bundle == b->has_bundle && gs_digest_equal(&a->bundle, &b->bundle) && a->epoch == b->epoch &&
           a->sequence == b->sequence && a->security_floor == b->security_floor && same_text(a->environment, b->environment) &&
           same_text(a->step, b->step) && same_text(a->detail, b->detail) && a->duration == b->duration &&
           strcmp(a->hash, b->hash) == 0;
}

/* Changes one value of one row, or takes a row away: what then reads differently is found by the chain. */
static void tamper(gs_ledger *ledger, gs_arena *arena, unsigned how, const gs_entry *entries, size_t count)
{
    static const char *const columns[] = {"time",    "kind",   "state",    "run",      "verb",           "product",
                                          "version", "bundle", "epoch",    "sequence", "security_floor", "environment",
                                          "step",    "detail", "duration", "hash"};
    gs_error err = {0};
    gs_entry *after = NULL;
    int code;
    size_t which = sizeof columns / sizeof columns[0];
    char sql[200];
    long long row = (long long)(how / 32 % count) + 1;
    if (how % 32 < which) {
        (void)snprintf(sql, sizeof sql,
                       "UPDATE entries SET %s = CASE WHEN typeof(%s) = 'integer' THEN %s + 1 ELSE %s || 'x' END WHERE row = %lld",
                       columns[how % 32], columns[how % 32], columns[how % 32], columns[how % 32], row);
    } else {
        (void)snprintf(sql, sizeof sql, "DELETE FROM entries WHERE row = %lld", row);
    }
    execute(ledger->db, sql);
    size_t left = read_all(ledger, arena, &after, &code);
    bool same = code == 0 && left == count;
    for (size_t i = 0; same && i < count; i++) {
        same = same_entry(&entries[i], &after[i]);
    }
    int verdict = gs_ledger_check(ledger, NULL, &err);
    check(same ? verdict == 0 : verdict == GS_ESTATE);
}

static void judge_rows(const uint8_t *data, size_t size)
{
    char path[] = "rows";
    gs_ledger ledger = {.path = path};
    gs_error err = {0};
    gs_arena *arena = gs_arena_new();
    check(arena && sqlite3_open_v2(":memory:", &ledger.db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    execute(ledger.db,
            "CREATE TABLE entries (row INTEGER PRIMARY KEY, time, kind, state, run, verb, product, version, bundle, epoch, "
            "sequence, security_floor, environment, step, detail, duration, hash);"
            "CREATE TABLE head (row, hash); INSERT INTO head VALUES (0, printf('%064d', 0));");
    insert_rows(ledger.db, (const char *)data + 2, size - 2);
    int64_t rows = 0;
    if (gs_ledger_check(&ledger, &rows, &err) == 0) {
        check(rows == 0); /* the hashes of an input that were never computed do not fit */
    } else {
        check(err.code == GS_ESTATE && err.message[0] != '\0');
    }
    gs_entry *entries = NULL;
    int code;
    if (chain(&ledger, arena)) {
        size_t count = read_all(&ledger, arena, &entries, &code);
        check(code == 0 && gs_ledger_check(&ledger, &rows, &err) == 0 && rows == (int64_t)count);
        if (count > 0) {
            tamper(&ledger, arena, (unsigned)data[0] | (unsigned)data[1] << 8, entries, count);
        }
    }
    (void)sqlite3_close(ledger.db);
    gs_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char magic[] = "SQLite format 3";
    if (size >= sizeof magic && memcmp(data, magic, sizeof magic) == 0) {
        judge_file(data, size);
    } else if (size >= 2) {
        judge_rows(data, size);
    }
    return 0;
}
