/* The ledger's questions. Every filter is one statement; what is asked for is bound, never written into it. */
#include <stdio.h>
#include <string.h>

#include "gapship/text.h"
#include "internal.h"

static const char *const kinds[] = {
    [GS_ENTRY_ANY] = "",
    [GS_ENTRY_CREATED] = "created",
    [GS_ENTRY_ACCEPTED] = "accepted",
    [GS_ENTRY_REFUSED] = "refused",
    [GS_ENTRY_STEP] = "step",
    [GS_ENTRY_ENVIRONMENT] = "environment",
    [GS_ENTRY_SCHEMA] = "schema",
    [GS_ENTRY_REMOVED] = "removed",
    [GS_ENTRY_ROOT] = "root",
};
static const char *const states[] = {
    [GS_STATE_NONE] = "",         [GS_STATE_BEGUN] = "begun",     [GS_STATE_DONE] = "done",
    [GS_STATE_FAILED] = "failed", [GS_STATE_SKIPPED] = "skipped", [GS_STATE_UNCERTAIN] = "uncertain",
};
#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

const char *gs_entry_kind_name(gs_entry_kind kind)
{
    return kinds[kind];
}

const char *gs_entry_state_name(gs_entry_state state)
{
    return states[state];
}

/* -1: none of them */
static int index_of(const char *text, const char *const *names, int count)
{
    for (int i = 0; text && i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

static bool copy_text(sqlite3_stmt *statement, int column, gs_arena *arena, const char **out)
{
    const char *text = column_text(statement, column);
    *out = text ? gs_arena_text(arena, text) : NULL;
    return *out || !text;
}

static int read_names(gs_ledger *ledger, sqlite3_stmt *statement, gs_entry *entry, gs_error *err)
{
    int kind = index_of(column_text(statement, 2), kinds, COUNT(kinds));
    int state = index_of(column_text(statement, 3), states, COUNT(states));
    const char *bundle = column_text(statement, 8);
    const char *hash = column_text(statement, 16);
    if (kind <= GS_ENTRY_ANY || state < 0 || (bundle && gs_digest_parse(bundle, &entry->bundle, NULL) != 0) || !hash ||
        strlen(hash) != GS_DIGEST_HEX - 1) {
        return gs_ledger_damaged(ledger, err, "row %lld of the ledger holds what gapship never writes", (long long)entry->row);
    }
    entry->kind = (gs_entry_kind)kind;
    entry->state = (gs_entry_state)state;
    entry->has_bundle = bundle != NULL;
    memcpy(entry->hash, hash, GS_DIGEST_HEX);
    return 0;
}

int gs_ledger_row(gs_ledger *ledger, sqlite3_stmt *statement, gs_arena *arena, gs_entry *out, gs_error *err)
{
    gs_entry entry = {.row = sqlite3_column_int64(statement, 0),
                      .time = sqlite3_column_int64(statement, 1),
                      .epoch = sqlite3_column_int64(statement, 9),
                      .sequence = sqlite3_column_int64(statement, 10),
                      .security_floor = sqlite3_column_int64(statement, 11),
                      .duration = sqlite3_column_int64(statement, 15)};
    int code = read_names(ledger, statement, &entry, err);
    if (code != 0) {
        return code;
    }
    const struct {
        int column;
        const char **member;
    } texts[] = {{4, &entry.run},          {5, &entry.verb},  {6, &entry.product}, {7, &entry.version},
                 {12, &entry.environment}, {13, &entry.step}, {14, &entry.detail}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!copy_text(statement, texts[i].column, arena, texts[i].member)) {
            return gs_fail_nomem(err);
        }
    }
    *out = entry;
    return 0;
}

/* The parameters of WHERE below. */
#define WHERE                                                                                                                      \
    " FROM entries WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR product = ?3)"                \
    " AND (?4 IS NULL OR environment = ?4) AND (?5 IS NULL OR step = ?5) AND (?6 IS NULL OR run = ?6)"                             \
    " AND (?7 IS NULL OR bundle = ?7)"

static int bind_filter(sqlite3_stmt *statement, const gs_ledger_filter *filter)
{
    char bundle[GS_DIGEST_TEXT];
    if (filter->bundle) {
        gs_digest_text(filter->bundle, bundle);
    }
    const char *const values[] = {filter->kind == GS_ENTRY_ANY ? NULL : kinds[filter->kind],
                                  filter->state == GS_STATE_NONE ? NULL : states[filter->state],
                                  filter->product,
                                  filter->environment,
                                  filter->step,
                                  filter->run,
                                  filter->bundle ? bundle : NULL};
    int failed = 0;
    for (int i = 0; i < COUNT(values); i++) {
        failed |= values[i] ? sqlite3_bind_text(statement, i + 1, values[i], -1, SQLITE_TRANSIENT)
                            : sqlite3_bind_null(statement, i + 1);
    }
    return failed;
}

static int ask(gs_ledger *ledger, const char *sql, const gs_ledger_filter *filter, sqlite3_stmt **out, gs_error *err)
{
    int code = gs_ledger_prepare(ledger, sql, out, err);
    if (code != 0) {
        return code;
    }
    int result = bind_filter(*out, filter);
    return result == SQLITE_OK ? 0 : gs_ledger_fail(ledger, result, err, "read the ledger");
}

int gs_ledger_newest(gs_ledger *ledger, const gs_ledger_filter *filter, gs_arena *arena, gs_entry *out, bool *found, gs_error *err)
{
    GS_AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    bool more = false;
    int code = ask(ledger, "SELECT " GS_LEDGER_COLUMNS WHERE " ORDER BY row DESC LIMIT 1", filter, &statement, err);
    if (code == 0) {
        code = gs_ledger_next(ledger, statement, &more, err);
    }
    if (code == 0 && more) {
        code = gs_ledger_row(ledger, statement, arena, out, err);
    }
    if (code == 0) {
        *found = more;
    }
    return code;
}

int gs_ledger_read(gs_ledger *ledger, const gs_ledger_filter *filter, gs_arena *arena, gs_entry **out, size_t *count, gs_error *err)
{
    GS_AUTO_BUF gs_buf rows;
    gs_buf_init(&rows, SIZE_MAX);
    GS_AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int code = ask(ledger,
                   "SELECT " GS_LEDGER_COLUMNS " FROM (SELECT " GS_LEDGER_COLUMNS WHERE " ORDER BY row DESC LIMIT ?8) ORDER BY row",
                   filter, &statement, err);
    if (code != 0) {
        return code;
    }
    sqlite3_int64 limit = filter->newest == 0 || filter->newest > INT64_MAX ? -1 : (sqlite3_int64)filter->newest;
    int result = sqlite3_bind_int64(statement, 8, limit);
    if (result != SQLITE_OK) {
        return gs_ledger_fail(ledger, result, err, "read the ledger");
    }
    bool more = true;
    while (code == 0 && (code = gs_ledger_next(ledger, statement, &more, err)) == 0 && more) {
        gs_entry entry;
        code = gs_ledger_row(ledger, statement, arena, &entry, err);
        if (code == 0) {
            gs_buf_add(&rows, &entry, sizeof entry);
        }
    }
    if (code == 0) {
        code = gs_buf_check(&rows, err);
    }
    if (code != 0) {
        return code;
    }
    gs_entry *entries = gs_arena_array(arena, rows.len / sizeof *entries, sizeof *entries);
    if (!entries) {
        return gs_fail_nomem(err);
    }
    if (rows.len > 0) {
        memcpy(entries, rows.data, rows.len);
    }
    *out = entries;
    *count = rows.len / sizeof *entries;
    return 0;
}
