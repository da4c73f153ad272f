/* Statements: what is accepted is within its bounds, is written in the one form of a writer, and says the same when it is read again. */
#include <string.h>

#include "bundle/format.h"
#include "bundle/statement.h"
#include "fuzz.h"
#include "gapship/limits.h"
#include "gapship/num.h"

static void check_bounds(const gs_statement *s)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    static const char version[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+~-";
    check(strlen(s->product) >= 1 && strlen(s->product) <= 63 && strspn(s->product, name) == strlen(s->product));
    check(strlen(s->version) >= 1 && strlen(s->version) <= 128 && strspn(s->version, version) == strlen(s->version));
    check(s->epoch <= GS_LARGEST_NUMBER && s->sequence <= GS_LARGEST_NUMBER && s->security_floor <= s->sequence);
    check(s->total_length <= GS_LARGEST_NUMBER && s->envelope_size <= GS_LARGEST_NUMBER && s->index_size <= GS_LARGEST_NUMBER);
    check(s->issued_at >= 0 && s->issued_at < INT64_C(253402300800)); /* the year 10000 */
    check(!s->upgrades_from || (strlen(s->upgrades_from) >= 1 && strlen(s->upgrades_from) <= 256));
}

static void check_rewritten(gs_arena *arena, const gs_statement *statement)
{
    gs_statement again;
    gs_error err = {0};
    gs_buf first;
    gs_buf second;
    gs_buf_init(&first, GS_MAX_STATEMENT_BYTES);
    gs_buf_init(&second, GS_MAX_STATEMENT_BYTES);
    check(gs_statement_write(statement, &first, &err) == 0);
    check(gs_statement_parse(first.data, first.len, arena, &again, &err) == 0);
    check(gs_statement_write(&again, &second, &err) == 0);
    check(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    gs_buf_done(&first);
    gs_buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_arena *arena = gs_arena_new();
    gs_statement statement;
    gs_error err = {0};
    if (gs_statement_parse(data, size, arena, &statement, &err) == 0) {
        check_bounds(&statement);
        check_rewritten(arena, &statement);
    } else {
        check(err.code == GS_EFORMAT);
    }
    gs_arena_free(arena);
    return 0;
}
