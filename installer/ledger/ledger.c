/* The ledger's file: made once, opened and checked, appended to. Rows are only ever added; the triggers stop the well-meant UPDATE
 * of a person with the sqlite3 shell, the chain (chain.c) shows any other. Reading is in read.c. */
#include "gapship/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/text.h"
#include "internal.h"

#define APPLICATION_ID 0x67617053 /* "gapS" */
#define LEDGER_VERSION 1
#define BUSY_MS        10000
#define TEXT_OF(x)     #x
#define NUMBER_TEXT(x) TEXT_OF(x)

static const char schema[] = "PRAGMA application_id = " NUMBER_TEXT(
    APPLICATION_ID) ";"
                    "PRAGMA user_version = " NUMBER_TEXT(
                        LEDGER_VERSION) ";"
                                        "CREATE TABLE entries ("
                                        " row INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, "
                                        "run TEXT, verb TEXT,"
                                        " product TEXT, version TEXT, bundle TEXT, epoch INTEGER NOT NULL, sequence INTEGER NOT "
                                        "NULL,"
                                        " security_floor INTEGER NOT NULL, environment TEXT, step TEXT, detail TEXT, duration "
                                        "INTEGER NOT NULL,"
                                        " hash TEXT NOT NULL) STRICT;"
                                        "CREATE TABLE head (row INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;"
                                        "CREATE TRIGGER entries_are_kept BEFORE DELETE ON entries BEGIN SELECT raise(ABORT, 'the "
                                        "ledger is only added to'); END;"
                                        "CREATE TRIGGER entries_are_final BEFORE UPDATE ON entries BEGIN SELECT raise(ABORT, 'the "
                                        "ledger is only added to'); END;"
                                        "INSERT INTO head VALUES (0, "
                                        "'0000000000000000000000000000000000000000000000000000000000000000');";

/* EXTRA and not FULL: in DELETE mode FULL may bring a finished journal back after a power cut, and with it the time before the
 * append. */
static const char settings[] = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA journal_mode = DELETE;"
                               "PRAGMA synchronous = EXTRA;";

static int connect(const char *path, gs_ledger **out, gs_error *err)
{
    GS_AUTO_LEDGER gs_ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger) {
        return gs_fail_nomem(err);
    }
    ledger->path = strdup(path);
    if (!ledger->path) {
        return gs_fail_nomem(err);
    }
    int result = sqlite3_open_v2(path, &ledger->db, SQLITE_OPEN_READWRITE, NULL);
    if (result != SQLITE_OK) {
        return gs_ledger_fail(ledger, result, err, "open the ledger");
    }
    (void)sqlite3_busy_timeout(ledger->db, BUSY_MS);
    int code = gs_ledger_exec(ledger, settings, err);
    if (code == 0) {
        *out = GS_STEAL(ledger);
    }
    return code;
}

static int read_number(gs_ledger *ledger, const char *sql, int64_t *out, gs_error *err)
{
    GS_AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    bool more = false;
    int code = gs_ledger_prepare(ledger, sql, &statement, err);
    if (code == 0) {
        code = gs_ledger_next(ledger, statement, &more, err);
    }
    if (code == 0) {
        *out = more ? sqlite3_column_int64(statement, 0) : 0;
    }
    return code;
}

static int check_version(gs_ledger *ledger, gs_error *err)
{
    int64_t application = 0;
    int64_t version = 0;
    int code = read_number(ledger, "PRAGMA application_id", &application, err);
    if (code == 0) {
        code = read_number(ledger, "PRAGMA user_version", &version, err);
    }
    if (code != 0) {
        return code;
    }
    if (application != APPLICATION_ID) {
        return gs_ledger_damaged(ledger, err, "this file is not a gapship ledger");
    }
    if (version != LEDGER_VERSION) {
        (void)gs_fail(err, GS_ESTATE, "the ledger is of version %lld, and this gapship knows version %d", (long long)version,
                      LEDGER_VERSION);
        (void)gs_error_at(err, "%s", ledger->path);
        return gs_error_hint(err, "use the gapship that the ledger was last used with, or a newer one");
    }
    return 0;
}

static int check_integrity(gs_ledger *ledger, gs_error *err)
{
    GS_AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    bool more = false;
    int code = gs_ledger_prepare(ledger, "PRAGMA quick_check(1)", &statement, err);
    if (code == 0) {
        code = gs_ledger_next(ledger, statement, &more, err);
    }
    if (code != 0) {
        return code;
    }
    const char *verdict = more ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    if (!gs_text_equal(verdict, "ok")) {
        return gs_ledger_damaged(ledger, err, "the ledger's file is damaged: %s", verdict ? verdict : "it does not say how");
    }
    return 0;
}

/* Inside a transaction: the row's number and hash follow from the head, and both become the new head. */
static int append_row(gs_ledger *ledger, gs_entry *entry, gs_error *err);

int gs_ledger_create(const char *path, const gs_entry *first, gs_error *err)
{
    /* An empty file is an empty database to SQLite; made here it is private and never replaces one. */
    GS_AUTO_NEWFILE gs_newfile file = GS_NEWFILE_INIT;
    int code = gs_newfile_begin(&file, AT_FDCWD, path, 0600, err);
    if (code == 0) {
        code = gs_newfile_commit(&file, false, err);
    }
    GS_AUTO_LEDGER gs_ledger *ledger = NULL;
    if (code == 0) {
        code = connect(path, &ledger, err);
    }
    if (code == 0) {
        code = gs_ledger_exec(ledger, "BEGIN IMMEDIATE", err);
    }
    if (code == 0) {
        code = gs_ledger_exec(ledger, schema, err);
    }
    gs_entry entry = *first;
    if (code == 0) {
        code = append_row(ledger, &entry, err);
    }
    return code == 0 ? gs_ledger_exec(ledger, "COMMIT", err) : code;
}

int gs_ledger_open(const char *path, gs_ledger **out, gs_error *err)
{
    if (!gs_fs_exists(AT_FDCWD, path)) {
        (void)gs_fail(err, GS_ESTATE, "the site's ledger is missing");
        (void)gs_error_at(err, "%s", path);
        return gs_error_hint(
            err, "restore it from a backup: without it gapship cannot tell which bundles are older than what this site runs");
    }
    GS_AUTO_LEDGER gs_ledger *ledger = NULL;
    gs_ledger_head head;
    int code = connect(path, &ledger, err);
    if (code == 0) {
        code = check_version(ledger, err);
    }
    if (code == 0) {
        code = check_integrity(ledger, err);
    }
    if (code == 0) {
        code = gs_ledger_read_head(ledger, &head, err);
    }
    if (code == 0) {
        *out = GS_STEAL(ledger);
    }
    return code;
}

void gs_ledger_free(gs_ledger *ledger)
{
    if (ledger) {
        (void)sqlite3_close_v2(ledger->db);
        free(ledger->path);
        free(ledger);
    }
}

void gs_ledger_free_p(gs_ledger **ledger)
{
    gs_ledger_free(*ledger);
    *ledger = NULL;
}

static int bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    return text ? sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT) : sqlite3_bind_null(statement, index);
}

static int bind_entry(sqlite3_stmt *statement, const gs_entry *entry)
{
    char bundle[GS_DIGEST_TEXT];
    gs_digest_text(&entry->bundle, bundle);
    const int64_t numbers[] = {entry->row, entry->time};
    const char *const texts[] = {gs_entry_kind_name(entry->kind),
                                 gs_entry_state_name(entry->state),
                                 entry->run,
                                 entry->verb,
                                 entry->product,
                                 entry->version,
                                 entry->has_bundle ? bundle : NULL};
    const int64_t order[] = {entry->epoch, entry->sequence, entry->security_floor};
    const char *const place[] = {entry->environment, entry->step, entry->detail};
    int index = 0;
    int failed = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        failed |= sqlite3_bind_int64(statement, ++index, numbers[i]);
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        failed |= bind_text(statement, ++index, texts[i]);
    }
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        failed |= sqlite3_bind_int64(statement, ++index, order[i]);
    }
    for (size_t i = 0; i < sizeof place / sizeof place[0]; i++) {
        failed |= bind_text(statement, ++index, place[i]);
    }
    failed |= sqlite3_bind_int64(statement, ++index, entry->duration);
    failed |= bind_text(statement, ++index, entry->hash);
    return failed;
}

static int insert_row(gs_ledger *ledger, const gs_entry *entry, gs_error *err)
{
    GS_AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int code = gs_ledger_prepare(
        ledger, "INSERT INTO entries (" GS_LEDGER_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &statement, err);
    if (code != 0) {
        return code;
    }
    int result = bind_entry(statement, entry);
    bool more;
    return result == SQLITE_OK ? gs_ledger_next(ledger, statement, &more, err)
                               : gs_ledger_fail(ledger, result, err, "write the ledger");
}

static int move_head(gs_ledger *ledger, const gs_entry *entry, gs_error *err)
{
    GS_AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int code = gs_ledger_prepare(ledger, "UPDATE head SET row = ?, hash = ?", &statement, err);
    if (code != 0) {
        return code;
    }
    int result = sqlite3_bind_int64(statement, 1, entry->row) | bind_text(statement, 2, entry->hash);
    bool more;
    return result == SQLITE_OK ? gs_ledger_next(ledger, statement, &more, err)
                               : gs_ledger_fail(ledger, result, err, "write the ledger");
}

static int append_row(gs_ledger *ledger, gs_entry *entry, gs_error *err)
{
    gs_ledger_head head;
    gs_digest hash;
    int code = gs_ledger_read_head(ledger, &head, err);
    if (code != 0) {
        return code;
    }
    gs_entry row = *entry;
    row.row = head.row + 1;
    code = gs_ledger_hash(&row, &head.hash, &hash, err);
    if (code != 0) {
        return code;
    }
    gs_digest_hex(&hash, row.hash);
    code = insert_row(ledger, &row, err);
    if (code == 0) {
        code = move_head(ledger, &row, err);
    }
    if (code == 0) {
        *entry = row;
    }
    return code;
}

int gs_ledger_append(gs_ledger *ledger, gs_entry *entry, gs_error *err)
{
    int code = gs_ledger_exec(ledger, "BEGIN IMMEDIATE", err);
    if (code != 0) {
        return code;
    }
    gs_entry row = *entry;
    code = append_row(ledger, &row, err);
    if (code == 0) {
        code = gs_ledger_exec(ledger, "COMMIT", err);
    }
    if (code != 0) {
        (void)sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
        return code;
    }
    *entry = row;
    return 0;
}
