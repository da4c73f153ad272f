/* Options and arguments of a verb, by its table. Knows no verb. */
#include <getopt.h>
#include <string.h>

#include "command.h"
#include "gapship/num.h"
#include "gapship/text.h"

#define GS_MAX_OPTIONS 24

struct gs_arguments {
    const gs_command *command;
    const char **values[GS_MAX_OPTIONS]; /* per option of the table */
    size_t counts[GS_MAX_OPTIONS];
    const char *const *positional;
    size_t positional_count;
};

static int find_option(const gs_command *command, const char *name)
{
    for (size_t i = 0; i < command->option_count; i++) {
        if (strcmp(command->options[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int unknown_option(const gs_command *command, const char *written, gs_error *err)
{
    const char *names[GS_MAX_OPTIONS];
    for (size_t i = 0; i < command->option_count; i++) {
        names[i] = command->options[i].name;
    }
    gs_fail(err, GS_EUSAGE, "%s has no option %s", command->name, written);
    const char *nearest = written[0] == '-' && written[1] == '-' ? gs_text_nearest(written + 2, names, command->option_count)
                                                                 : NULL;
    if (nearest) {
        return gs_error_hint(err, "did you mean --%s? `gapship %s --help` lists all", nearest, command->name);
    }
    return gs_error_hint(err, "`gapship %s --help` lists the options", command->name);
}

static void make_tables(const gs_command *command, struct option *longs, char *shorts)
{
    size_t s = 0;
    shorts[s++] = ':'; /* a missing argument is told from an unknown option */
    for (size_t i = 0; i < command->option_count; i++) {
        const gs_option *option = &command->options[i];
        longs[i] = (struct option){
            .name = option->name, .has_arg = option->argument ? required_argument : no_argument, .val = 256 + (int)i};
        if (option->letter != 0) {
            shorts[s++] = option->letter;
            if (option->argument) {
                shorts[s++] = ':';
            }
        }
    }
    longs[command->option_count] = (struct option){0};
    shorts[s] = '\0';
}

static int index_of(const gs_command *command, int value)
{
    if (value >= 256) {
        return value - 256;
    }
    for (size_t i = 0; i < command->option_count; i++) {
        if (command->options[i].letter == value) {
            return (int)i;
        }
    }
    return -1;
}

/* What getopt has just met: optopt is the option when it is known, the letter of an unknown short one, 0 for an unknown long one. */
static int refuse_option(const gs_command *command, char **argv, bool value_missing, gs_error *err)
{
    int i = optopt == 0 ? -1 : index_of(command, optopt);
    if (i >= 0) {
        return gs_fail(err, GS_EUSAGE, value_missing ? "--%s needs a value" : "--%s takes no value", command->options[i].name);
    }
    const char letter[] = {'-', (char)optopt, '\0'};
    return unknown_option(command, optopt == 0 ? argv[optind - 1] : letter, err);
}

static int check_count(const gs_command *command, size_t count, gs_error *err)
{
    if (count >= command->least && count <= command->most) {
        return 0;
    }
    if (count > command->most) {
        gs_fail(err, GS_EUSAGE, "%s takes %s%s", command->name, command->most == 0 ? "no argument" : command->positional,
                command->most == 0 ? "" : " and nothing more");
    } else {
        gs_fail(err, GS_EUSAGE, "%s needs %s", command->name, command->positional);
    }
    return gs_error_hint(err, "for example: %s", command->example);
}

int gs_arguments_parse(const gs_command *command, int argc, char **argv, gs_arena *arena, gs_arguments **out, gs_error *err)
{
    struct option longs[GS_MAX_OPTIONS + 1];
    char shorts[2 * GS_MAX_OPTIONS + 2];
    gs_arguments *arguments = gs_arena_alloc(arena, sizeof *arguments);
    if (!arguments || command->option_count > GS_MAX_OPTIONS) {
        return gs_fail_nomem(err);
    }
    arguments->command = command;
    make_tables(command, longs, shorts);
    opterr = 0;
    optind = 1;
    for (;;) {
        int value = getopt_long(argc, argv, shorts, longs, NULL);
        if (value == -1) {
            break;
        }
        if (value == ':' || value == '?') {
            return refuse_option(command, argv, value == ':', err);
        }
        int i = index_of(command, value);
        if (!arguments->values[i]) {
            arguments->values[i] = gs_arena_array(arena, (size_t)argc, sizeof(char *));
        }
        if (!arguments->values[i]) {
            return gs_fail_nomem(err);
        }
        arguments->values[i][arguments->counts[i]++] = optarg;
    }
    arguments->positional = (const char *const *)(argv + optind);
    arguments->positional_count = (size_t)(argc - optind);
    int code = check_count(command, arguments->positional_count, err);
    if (code == 0) {
        *out = arguments;
    }
    return code;
}

bool gs_flag(const gs_arguments *arguments, const char *name)
{
    int i = find_option(arguments->command, name);
    return i >= 0 && arguments->counts[i] > 0;
}

const char *gs_value(const gs_arguments *arguments, const char *name)
{
    int i = find_option(arguments->command, name);
    return i >= 0 && arguments->counts[i] > 0 ? arguments->values[i][arguments->counts[i] - 1] : NULL;
}

const char *const *gs_values(const gs_arguments *arguments, const char *name, size_t *count)
{
    int i = find_option(arguments->command, name);
    *count = i >= 0 ? arguments->counts[i] : 0;
    return i >= 0 ? arguments->values[i] : NULL;
}

const char *gs_positional(const gs_arguments *arguments, size_t i)
{
    return i < arguments->positional_count ? arguments->positional[i] : NULL;
}

size_t gs_positional_count(const gs_arguments *arguments)
{
    return arguments->positional_count;
}

int gs_number(const gs_arguments *arguments, const char *name, uint64_t max, uint64_t *out, gs_error *err)
{
    const char *text = gs_value(arguments, name);
    *out = 0;
    if (!text) {
        return 0;
    }
    if (!gs_parse_u64(text, max, out) || *out == 0) {
        return gs_fail(err, GS_EUSAGE, "--%s takes a number from 1 to %llu, not \"%s\"", name, (unsigned long long)max, text);
    }
    return 0;
}
