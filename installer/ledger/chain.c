/* The chain of hashes. Each row's hash is the SHA-256 of
 *
 *   the hash before it (32 bytes, zeros before the first row), then its columns in the order of the table but for the hash:
 *   numbers as 8 bytes, texts as a byte 1, their length in 4 bytes and their bytes, or as a byte 0 where there is none;
 * little-endian
 *
 * so that no two different rows have the same encoding. docs/security.md tells auditors so; it must not change. */
#include <inttypes.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/num.h"
#include "internal.h"

static void add_text(gs_buf *buf, const char *text)
{
    gs_buf_add(buf, text ? "\1" : "\0", 1);
    if (text) {
        size_t len = strlen(text);
        gs_buf_add_u32(buf, (uint32_t)len);
        gs_buf_add(buf, text, len);
    }
}

static void add_entry(gs_buf *buf, const gs_entry *entry)
{
    char bundle[GS_DIGEST_TEXT];
    gs_digest_text(&entry->bundle, bundle);
    gs_buf_add_u64(buf, (uint64_t)entry->row);
    gs_buf_add_u64(buf, (uint64_t)entry->time);
    add_text(buf, gs_entry_kind_name(entry->kind));
    add_text(buf, gs_entry_state_name(entry->state));
    add_text(buf, entry->run);
    add_text(buf, entry->verb);
    add_text(buf, entry->product);
    add_text(buf, entry->version);
    add_text(buf, entry->has_bundle ? bundle : NULL);
    gs_buf_add_u64(buf, (uint64_t)entry->epoch);
    gs_buf_add_u64(buf, (uint64_t)entry->sequence);
    gs_buf_add_u64(buf, (uint64_t)entry->security_floor);
    add_text(buf, entry->environment);
    add_text(buf, entry->step);
    add_text(buf, entry->detail);
    gs_buf_add_u64(buf, (uint64_t)entry->duration);
}

int gs_ledger_hash(const gs_entry *entry, const gs_digest *before, gs_digest *out, gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MIB(1));
    gs_buf_add(&bytes, before->bytes, GS_DIGEST_BYTES);
    add_entry(&bytes, entry);
    int code = gs_buf_check(&bytes, err);
    return code == 0 ? gs_digest_of(bytes.data, bytes.len, out, err) : code;
}

int gs_ledger_read_head(gs_ledger *ledger, gs_ledger_head *out, gs_error *err)
{
    GS_AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int code = gs_ledger_prepare(ledger,
                                 "SELECT h.row, h.hash, (SELECT max(row) FROM entries), e.hash FROM head h LEFT JOIN entries e ON "
                                 "e.row = h.row",
                                 &statement, err);
    bool more = false;
    if (code == 0) {
        code = gs_ledger_next(ledger, statement, &more, err);
    }
    if (code != 0) {
        return code;
    }
    if (!more) {
        return gs_ledger_damaged(ledger, err, "the ledger's head is missing");
    }
    gs_ledger_head head = {.row = sqlite3_column_int64(statement, 0)};
    const char *hash = (const char *)sqlite3_column_text(statement, 1);
    int64_t last = sqlite3_column_int64(statement, 2);
    const char *of_row = (const char *)sqlite3_column_text(statement, 3);
    if (!hash || !gs_hex_decode(hash, head.hash.bytes, GS_DIGEST_BYTES)) {
        return gs_ledger_damaged(ledger, err, "the ledger's head is not a hash");
    }
    if (last != head.row) {
        return gs_ledger_damaged(ledger, err, "the ledger ends at row %" PRId64 ", and its head says %" PRId64 ": rows were %s",
                                 last, head.row, last < head.row ? "removed" : "added");
    }
    if (head.row > 0 && (!of_row || strcmp(of_row, hash) != 0)) {
        return gs_ledger_damaged(ledger, err, "the newest row, %" PRId64 ", is not the one that the ledger's head names", head.row);
    }
    *out = head;
    return 0;
}

/* One row against the chain so far; *head moves to it. */
static int check_row(gs_ledger *ledger, const gs_entry *entry, gs_ledger_head *head, gs_error *err)
{
    if (entry->row != head->row + 1) {
        return gs_ledger_damaged(ledger, err, "row %" PRId64 " of the ledger is missing: it was removed", head->row + 1);
    }
    gs_digest expected;
    int code = gs_ledger_hash(entry, &head->hash, &expected, err);
    if (code != 0) {
        return code;
    }
    char hex[GS_DIGEST_HEX];
    gs_digest_hex(&expected, hex);
    if (strcmp(hex, entry->hash) != 0) {
        return gs_ledger_damaged(
            ledger, err, "row %" PRId64 " of the ledger does not fit the chain: it or a row before it was changed", entry->row);
    }
    *head = (gs_ledger_head){.row = entry->row, .hash = expected};
    return 0;
}

int gs_ledger_check(gs_ledger *ledger, int64_t *rows, gs_error *err)
{
    /* One transaction, so that the rows and the head are of one moment while a run appends. */
    int code = gs_ledger_exec(ledger, "BEGIN", err);
    if (code != 0) {
        return code;
    }
    sqlite3_stmt *statement = NULL;
    gs_ledger_head walked = {0};
    gs_ledger_head stored;
    bool more = true;
    code = gs_ledger_prepare(ledger, "SELECT " GS_LEDGER_COLUMNS " FROM entries ORDER BY row", &statement, err);
    while (code == 0 && (code = gs_ledger_next(ledger, statement, &more, err)) == 0 && more) {
        gs_arena *arena = gs_arena_new();
        gs_entry entry;
        code = arena ? gs_ledger_row(ledger, statement, arena, &entry, err) : gs_fail_nomem(err);
        if (code == 0) {
            code = check_row(ledger, &entry, &walked, err);
        }
        gs_arena_free(arena);
    }
    gs_ledger_finish(&statement);
    if (code == 0) {
        code = gs_ledger_read_head(ledger, &stored, err);
    }
    int ended = gs_ledger_exec(ledger, "ROLLBACK", code == 0 ? err : NULL);
    code = code == 0 ? ended : code;
    if (code == 0 && rows) {
        *rows = walked.row;
    }
    return code;
}
