/* Everything that is printed. Results on stdout; progress, events and errors on stderr; with --output json one object a line on
 * stdout. Private to src/cli. */
#ifndef GAPSHIP_CLI_TERMINAL_H
#define GAPSHIP_CLI_TERMINAL_H

#include "command.h"

typedef struct gs_terminal_options {
    bool json, quiet, verbose, no_color;
} gs_terminal_options;

int gs_terminal_new(const gs_terminal_options *options, gs_terminal **out, gs_error *err) GS_MUST_USE;
void gs_terminal_free(gs_terminal *terminal);
/* Makes run speak through this terminal. */
void gs_terminal_attach(gs_terminal *terminal, gs_run *run);
bool gs_terminal_is_json(const gs_terminal *terminal);
/* A line of a result. Says nothing in JSON. */
void gs_print(gs_terminal *terminal, const char *format, ...) GS_PRINTF(2, 3);
/* The one last object of --output json; says nothing in text. result NULL: there was no memory for it. */
int gs_print_result(gs_terminal *terminal, const gs_node *result, gs_error *err) GS_MUST_USE;
void gs_print_error(gs_terminal *terminal, const gs_error *err);
/* Takes the progress bar off the screen. */
void gs_terminal_settle(gs_terminal *terminal);
/* Whether there is somebody to ask. */
bool gs_terminal_can_ask(const gs_terminal *terminal);
/* Asks on a terminal, yes or no. Without one, or in JSON: GS_EUSAGE "needs --yes". A no: GS_EINTERRUPTED. */
int gs_confirm(gs_terminal *terminal, const char *question, gs_error *err) GS_MUST_USE;

/* A table with left-aligned columns; the last column is not padded. Cells are borrowed until gs_table_print. */
typedef struct gs_table gs_table;
int gs_table_new(gs_arena *arena, size_t columns, const char *const *titles, gs_table **out, gs_error *err) GS_MUST_USE;
/* `columns` cells; NULL is printed as "-". */
int gs_table_add(gs_table *table, const char *const *cells, gs_error *err) GS_MUST_USE;
void gs_table_print(gs_terminal *terminal, const gs_table *table);

#endif
