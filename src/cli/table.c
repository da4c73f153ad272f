/* Tables that people can read aloud. */
#include "terminal.h"

struct gs_table {
    gs_arena *arena;
    size_t columns, rows, room;
    const char **cells; /* row by row, titles first */
};

static int add_row(gs_table *table, const char *const *cells, gs_error *err)
{
    const char **all = gs_arena_more(table->arena, table->cells, table->rows, &table->room, table->columns * sizeof *all);
    if (!all) {
        return gs_fail_nomem(err);
    }
    table->cells = all;
    for (size_t i = 0; i < table->columns; i++) {
        table->cells[table->rows * table->columns + i] = cells[i] ? cells[i] : "-";
    }
    table->rows++;
    return 0;
}

int gs_table_new(gs_arena *arena, size_t columns, const char *const *titles, gs_table **out, gs_error *err)
{
    gs_table *table = gs_arena_alloc(arena, sizeof *table);
    if (!table) {
        return gs_fail_nomem(err);
    }
    *table = (gs_table){.arena = arena, .columns = columns};
    int code = add_row(table, titles, err);
    if (code == 0) {
        *out = table;
    }
    return code;
}

int gs_table_add(gs_table *table, const char *const *cells, gs_error *err)
{
    return add_row(table, cells, err);
}

/* Columns on the screen: one per UTF-8 character; names and sizes need no more. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80 ? 1 : 0;
    }
    return width;
}

void gs_table_print(gs_terminal *terminal, const gs_table *table)
{
    for (size_t row = 0; row < table->rows; row++) {
        const char *const *cells = &table->cells[row * table->columns];
        for (size_t i = 0; i + 1 < table->columns; i++) {
            size_t widest = 0;
            for (size_t r = 0; r < table->rows; r++) {
                size_t width = width_of(table->cells[r * table->columns + i]);
                widest = width > widest ? width : widest;
            }
            gs_print(terminal, "%s%*s  ", cells[i], (int)(widest - width_of(cells[i])), "");
        }
        gs_print(terminal, "%s\n", cells[table->columns - 1]);
    }
}
