/* Help and version, from the one table. */
#include <string.h>

#include "gapship/archive.h"
#include "gapship/codec.h"
#include "gapship/crypto.h"
#include "gapship/git.h"
#include "gapship/http.h"
#include "gapship/ledger.h"
#include "gapship/limits.h"
#include "gapship/serve.h"
#include "terminal.h"

static void add_group(gs_buf *out, gs_command_group group, const char *title)
{
    gs_buf_printf(out, "\n%s\n", title);
    for (size_t i = 0; i < gs_command_count; i++) {
        if (gs_commands[i].group == group) {
            gs_buf_printf(out, "  %-16s  %s\n", gs_commands[i].name, gs_commands[i].summary);
        }
    }
}

/* The text for people; for programs the same as {"help": …}. */
static int print_help(gs_terminal *terminal, gs_arena *arena, gs_buf *text, gs_error *err)
{
    int code = gs_buf_check(text, err);
    if (code < 0) {
        return code;
    }
    gs_print(terminal, "%s", gs_buf_text(text));
    gs_node *result = gs_node_set_text(arena, gs_node_new_map(arena), "help", gs_buf_text(text));
    return gs_print_result(terminal, result, err);
}

int gs_help_overview(gs_terminal *terminal, gs_arena *arena, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_KIB(64));
    gs_buf_add_text(&text, "gapship carries a release across an air gap.\n\n"
                           "  gapship [--output text|json] [-q|--quiet] [-v|--verbose] [--no-color] [-C DIR] VERB [ARGUMENTS]\n");
#ifdef GAPSHIP_BUILDER
    add_group(&text, GS_GROUP_BUILD, "On the connected side:");
#endif
    add_group(&text, GS_GROUP_EITHER, "On either side:");
    add_group(&text, GS_GROUP_SITE, "On site:");
    gs_buf_add_text(&text, "\nTo begin:\n"
#ifdef GAPSHIP_BUILDER
                           "  gapship init                           writes a release.yaml for what is here\n"
                           "  gapship build --key release.key        makes the bundle\n"
#endif
                           "  gapship site init --root release.pub   makes a site that trusts it\n"
                           "  gapship install NAME-VERSION.gapship   brings the site to the release\n"
                           "\n`gapship VERB --help` says more.\n");
    return print_help(terminal, arena, &text, err);
}

static void add_option(gs_buf *out, const gs_option *option)
{
    size_t begin = out->len;
    if (option->letter != 0) {
        gs_buf_printf(out, "  -%c, --%s", option->letter, option->name);
    } else {
        gs_buf_printf(out, "      --%s", option->name);
    }
    if (option->argument) {
        gs_buf_printf(out, " %s", option->argument);
    }
    size_t width = out->len - begin;
    gs_buf_printf(out, "%*s %s\n", width < 32 ? (int)(32 - width) : 0, "", option->help);
}

int gs_help_command(gs_terminal *terminal, gs_arena *arena, const gs_command *command, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_KIB(64));
    gs_buf_printf(&text, "%s\n\ngapship %s%s%s%s: %s.\n", command->example, command->name,
                  command->option_count > 0 ? " [OPTIONS]" : "", command->positional[0] != '\0' ? " " : "", command->positional,
                  command->summary);
    for (size_t i = 0; i < command->option_count; i++) {
        gs_buf_add_text(&text, i == 0 ? "\n" : "");
        add_option(&text, &command->options[i]);
    }
    return print_help(terminal, arena, &text, err);
}

int gs_help_version(gs_terminal *terminal, gs_arena *arena, gs_error *err)
{
    const char *sqlite = gs_arena_printf(arena, "SQLite %s", gs_ledger_version());
    const char *const libraries[] = {gs_crypto_version(), gs_http_version(), gs_archive_version(),
                                     gs_codec_version(),  gs_git_version(),  sqlite,
                                     gs_serve_version()};
    if (!sqlite) {
        return gs_fail_nomem(err);
    }
    gs_print(terminal, "gapship %s (%s)\n", GAPSHIP_VERSION, GAPSHIP_REVISION);
    gs_node *list = gs_node_new_list(arena);
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        gs_print(terminal, "%s\n", libraries[i]);
        list = gs_node_append(arena, list, gs_node_new_text(arena, libraries[i]));
    }
    gs_node *result = gs_node_set_text(arena, gs_node_new_map(arena), "version", GAPSHIP_VERSION);
    result = gs_node_set_text(arena, result, "revision", GAPSHIP_REVISION);
    result = gs_node_set(arena, result, "libraries", list);
    return gs_print_result(terminal, result, err);
}
