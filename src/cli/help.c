/* Help and version, from the one table. */
#include <string.h>

#include "gapship/archive.h"
#include "gapship/codec.h"
#include "gapship/crypto.h"
#include "gapship/git.h"
#include "gapship/http.h"
#include "gapship/ledger.h"
#include "gapship/serve.h"
#include "terminal.h"

static void print_group(gs_terminal *terminal, gs_command_group group, const char *title)
{
    gs_print(terminal, "\n%s\n", title);
    for (size_t i = 0; i < gs_command_count; i++) {
        if (gs_commands[i].group == group) {
            gs_print(terminal, "  %-10s %s\n", gs_commands[i].name, gs_commands[i].summary);
        }
    }
}

void gs_help_overview(gs_terminal *terminal)
{
    gs_print(terminal, "gapship carries a release across an air gap.\n\n"
                       "  gapship [--output text|json] [-q|--quiet] [-v|--verbose] [--no-color] [-C DIR] VERB [ARGUMENTS]\n");
    print_group(terminal, GS_GROUP_BUILD, "On the connected side:");
    print_group(terminal, GS_GROUP_EITHER, "On either side:");
    print_group(terminal, GS_GROUP_SITE, "On site:");
    gs_print(terminal, "\nTo begin:\n"
#ifdef GAPSHIP_BUILDER
                       "  gapship init                           writes a release.yaml for what is here\n"
                       "  gapship build --key release.key        makes the bundle\n"
#endif
                       "  gapship site init --root release.pub   makes a site that trusts it\n"
                       "  gapship install NAME-VERSION.gapship   brings the site to the release\n"
                       "\n`gapship VERB --help` says more.\n");
}

void gs_help_command(gs_terminal *terminal, const gs_command *command)
{
    gs_print(terminal, "%s\n\n", command->example);
    gs_print(terminal, "gapship %s", command->name);
    if (command->option_count > 0) {
        gs_print(terminal, " [OPTIONS]");
    }
    gs_print(terminal, "%s%s: %s.\n", command->positional[0] != '\0' ? " " : "", command->positional, command->summary);
    if (command->option_count > 0) {
        gs_print(terminal, "\n");
    }
    for (size_t i = 0; i < command->option_count; i++) {
        const gs_option *option = &command->options[i];
        char left[64];
        size_t used = 0;
        const char *parts[] = {option->name, option->argument ? " " : "", option->argument ? option->argument : ""};
        for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
            size_t len = strlen(parts[p]);
            if (used + len < sizeof left) {
                memcpy(left + used, parts[p], len);
                used += len;
            }
        }
        left[used] = '\0';
        gs_print(terminal, "  %c%c%s --%-24s %s\n", option->letter != 0 ? '-' : ' ', option->letter != 0 ? option->letter : ' ',
                 option->letter != 0 ? "," : " ", left, option->help);
    }
}

void gs_help_version(gs_terminal *terminal)
{
    gs_print(terminal, "gapship %s (%s)\n", GAPSHIP_VERSION, GAPSHIP_REVISION);
    gs_print(terminal, "%s\n%s\n%s\n%s\n%s\n%s\n%s\n", gs_crypto_version(), gs_http_version(), gs_archive_version(),
             gs_codec_version(), gs_git_version(), gs_ledger_version(), gs_serve_version());
}
