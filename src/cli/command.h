/* The command line's one table: verbs, options, help. Private to src/cli.
 *
 * A verb's function gets parsed arguments, calls one use case and prints. It returns 0, a negative GS_E… code, or a positive exit
 * status that is no error (GS_EXIT_CHANGES).
 */
#ifndef GAPSHIP_CLI_COMMAND_H
#define GAPSHIP_CLI_COMMAND_H

#include "gapship/doc.h"
#include "gapship/run.h"

typedef struct gs_option {
    const char *name;     /* "key": --key */
    char letter;          /* 'o': -o; 0: none */
    const char *argument; /* what it takes, for the help; NULL: a flag */
    const char *help;
} gs_option;

typedef struct gs_arguments gs_arguments;
typedef struct gs_terminal gs_terminal;

/* What every verb gets. */
typedef struct gs_invocation {
    gs_run run;
    gs_terminal *terminal;
    const gs_arguments *arguments;
    gs_arena *arena;
} gs_invocation;

typedef enum gs_command_group { GS_GROUP_BUILD, GS_GROUP_EITHER, GS_GROUP_SITE } gs_command_group;

typedef struct gs_command {
    const char *name; /* "key new" */
    gs_command_group group;
    const char *positional; /* "BUNDLE", "BUNDLE [NAME]", "BUNDLE…"; "" for none */
    size_t least, most;     /* positional arguments */
    const char *summary;    /* one line, lower case */
    const char *example;    /* one or two command lines */
    const gs_option *options;
    size_t option_count;
    int (*run)(gs_invocation *invocation, gs_error *err);
} gs_command;

extern const gs_command *const gs_commands;
extern const size_t gs_command_count;

/* ---- arguments (arguments.c) ---- */

/* Parses what stands behind the verb. GS_EUSAGE names the option and the nearest one. */
int gs_arguments_parse(const gs_command *command, int argc, char **argv, gs_arena *arena, gs_arguments **out,
                       gs_error *err) GS_MUST_USE;
bool gs_flag(const gs_arguments *arguments, const char *name);
const char *gs_value(const gs_arguments *arguments, const char *name); /* the last one, or NULL */
const char *const *gs_values(const gs_arguments *arguments, const char *name, size_t *count);
const char *gs_positional(const gs_arguments *arguments, size_t i); /* NULL when there are fewer */
size_t gs_positional_count(const gs_arguments *arguments);
/* The number of an option, within [1, max]; 0 when it is not given. */
int gs_number(const gs_arguments *arguments, const char *name, uint64_t max, uint64_t *out, gs_error *err) GS_MUST_USE;

/* ---- help (help.c) ---- */

int gs_help_overview(gs_terminal *terminal, gs_arena *arena, gs_error *err) GS_MUST_USE;
int gs_help_command(gs_terminal *terminal, gs_arena *arena, const gs_command *command, gs_error *err) GS_MUST_USE;
int gs_help_version(gs_terminal *terminal, gs_arena *arena, gs_error *err) GS_MUST_USE;

#endif
