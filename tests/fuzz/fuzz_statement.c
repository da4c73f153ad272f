/* Statements: what is accepted is written in the one form of a writer, and says the same when it is read again. */
#include <stdlib.h>
#include <string.h>

#include "bundle/statement.h"
#include "gapship/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rewritten(gs_arena *arena, const gs_statement *statement)
{
    gs_statement again;
    gs_error err = {0};
    gs_buf first;
    gs_buf second;
    gs_buf_init(&first, GS_MAX_STATEMENT_BYTES);
    gs_buf_init(&second, GS_MAX_STATEMENT_BYTES);
    if (gs_statement_write(statement, &first, &err) != 0 || gs_statement_parse(first.data, first.len, arena, &again, &err) != 0 ||
        gs_statement_write(&again, &second, &err) != 0 || first.len != second.len ||
        memcmp(first.data, second.data, first.len) != 0) {
        abort();
    }
    gs_buf_done(&first);
    gs_buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_arena *arena = gs_arena_new();
    gs_statement statement;
    gs_error err = {0};
    if (gs_statement_parse(data, size, arena, &statement, &err) == 0) {
        check_rewritten(arena, &statement);
    } else if (err.code != GS_EFORMAT) {
        abort();
    }
    gs_arena_free(arena);
    return 0;
}
