/* `gapship`: finds the verb, prepares the run, prints the one error. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gapship/archive.h"
#include "gapship/buf.h"
#include "gapship/crypto.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "terminal.h"

/* The one mutable global: a signal handler can reach nothing else. Once: stop after the step; twice: at once. */
static volatile sig_atomic_t stop_requests;

static void on_signal(int number)
{
    static const char notice[] = "\nstopping after this step; Ctrl-C again stops at once\n";
    int before = errno;
    (void)number;
    stop_requests = stop_requests == 0 ? 1 : 2;
    if (stop_requests == 1 && write(STDERR_FILENO, notice, sizeof notice - 1) < 0) {
        stop_requests = 2; /* nobody is there who could ask again */
    }
    errno = before;
}

static void handle_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

/* What stands before and behind the verb. */
typedef struct command_line {
    gs_terminal_options terminal;
    const char *directory;
    bool help, version;
    int count; /* of the rest, argv[0] first */
    char **rest;
} command_line;

static int take_output(command_line *line, const char *value, gs_error *err)
{
    if (!value || (strcmp(value, "text") != 0 && strcmp(value, "json") != 0)) {
        return gs_fail(err, GS_EUSAGE, "--output takes text or json");
    }
    line->terminal.json = strcmp(value, "json") == 0;
    return 0;
}

/* Takes the global options out of argv, wherever they stand; everything else stays in order. */
static int read_globals(int argc, char **argv, command_line *line, gs_error *err)
{
    int code = 0;
    line->rest = argv;
    line->count = 1;
    for (int i = 1; code == 0 && i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--") == 0) {
            while (i < argc) {
                line->rest[line->count++] = argv[i++];
            }
        } else if (strcmp(word, "--output") == 0) {
            code = take_output(line, i + 1 < argc ? argv[++i] : NULL, err);
        } else if (gs_text_starts(word, "--output=")) {
            code = take_output(line, word + strlen("--output="), err);
        } else if (strcmp(word, "-C") == 0) {
            line->directory = i + 1 < argc ? argv[++i] : NULL;
            code = line->directory ? 0 : gs_fail(err, GS_EUSAGE, "-C needs a directory");
        } else if (strcmp(word, "-q") == 0 || strcmp(word, "--quiet") == 0) {
            line->terminal.quiet = true;
        } else if (strcmp(word, "-v") == 0 || strcmp(word, "--verbose") == 0) {
            line->terminal.verbose = true;
        } else if (strcmp(word, "--no-color") == 0) {
            line->terminal.no_color = true;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            line->help = true;
        } else if (strcmp(word, "--version") == 0) {
            line->version = true;
        } else {
            line->rest[line->count++] = argv[i];
        }
    }
    return code;
}

static const gs_command *find_name(const char *name)
{
    for (size_t i = 0; i < gs_command_count; i++) {
        if (strcmp(gs_commands[i].name, name) == 0) {
            return &gs_commands[i];
        }
    }
    return NULL;
}

/* The verb of two words, else of one: `permit` is one, and `permit sign` another. *words is how many it took. */
static const gs_command *find_command(const command_line *line, int *words)
{
    char two[64];
    const char *first = line->count > 1 ? line->rest[1] : "";
    const char *second = line->count > 2 ? line->rest[2] : "";
    snprintf(two, sizeof two, "%s %s", first, second);
    const gs_command *found = find_name(two);
    *words = found ? 2 : 1;
    return found ? found : find_name(first);
}

/* `gapship key`: a verb that goes on with a second word. */
static int half_verb(const char *verb, gs_error *err)
{
    GS_AUTO_BUF gs_buf whole;
    gs_buf_init(&whole, GS_ERROR_HINT_MAX);
    for (size_t i = 0; i < gs_command_count; i++) {
        if (gs_text_starts(gs_commands[i].name, verb) && gs_commands[i].name[strlen(verb)] == ' ') {
            gs_buf_printf(&whole, "%s%s", whole.len == 0 ? "" : ", ", gs_commands[i].name);
        }
    }
    if (whole.len == 0) {
        return 0;
    }
    gs_fail(err, GS_EUSAGE, "%s is half a verb", verb);
    return gs_error_hint(err, "say %s", gs_buf_text(&whole));
}

static int unknown_verb(const command_line *line, gs_error *err)
{
    const char *names[64];
    size_t count = 0;
    const char *verb = line->rest[1];
    int code = half_verb(verb, err);
    for (size_t i = 0; i < gs_command_count && count < sizeof names / sizeof names[0]; i++) {
        names[count++] = gs_commands[i].name;
    }
    if (code < 0) {
        return code;
    }
    gs_fail(err, GS_EUSAGE, "there is no verb \"%s\"", verb);
    const char *nearest = gs_text_nearest(verb, names, count);
    return nearest ? gs_error_hint(err, "did you mean %s?", nearest) : gs_error_hint(err, "`gapship` alone lists the verbs");
}

static int run_command(gs_terminal *terminal, gs_arena *arena, const gs_command *command, int argc, char **argv, gs_error *err)
{
    gs_arguments *arguments = NULL;
    int code = gs_arguments_parse(command, argc, argv, arena, &arguments, err);
    if (code < 0) {
        return code;
    }
    gs_invocation invocation = {.terminal = terminal, .arguments = arguments, .arena = arena};
    gs_terminal_attach(terminal, &invocation.run);
    invocation.run.stop = &stop_requests;
    uint64_t jobs = 0;
    code = gs_number(arguments, "jobs", GS_MAX_JOBS, &jobs, err);
    invocation.run.jobs = jobs > 0 ? (unsigned)jobs : GS_DEFAULT_JOBS;
    return code < 0 ? code : command->run(&invocation, err);
}

/* `gapship help VERB` is `gapship VERB --help`. */
static void take_help_verb(command_line *line)
{
    if (line->count > 1 && strcmp(line->rest[1], "help") == 0) {
        line->help = true;
        line->rest[1] = line->rest[0];
        line->rest++;
        line->count--;
    }
}

static int dispatch(gs_terminal *terminal, command_line *line, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    int words = 0;
    if (!arena) {
        return gs_fail_nomem(err);
    }
    take_help_verb(line);
    if (line->version) {
        return gs_help_version(terminal, arena, err);
    }
    if (line->count < 2) {
        return gs_help_overview(terminal, arena, err);
    }
    const gs_command *command = find_command(line, &words);
    if (!command) {
        return unknown_verb(line, err);
    }
    if (line->help) {
        return gs_help_command(terminal, arena, command, err);
    }
    if (line->directory && chdir(line->directory) != 0) {
        return gs_fail(err, GS_EUSAGE, "-C: cannot go to %s: %s", line->directory, strerrordesc_np(errno));
    }
    line->rest[words] = line->rest[0];
    return run_command(terminal, arena, command, line->count - words, line->rest + words, err);
}

int main(int argc, char **argv)
{
    command_line line = {0};
    gs_terminal *terminal = NULL;
    gs_error err = {0};
    if (argc == 2 && strcmp(argv[1], GS_TAR_READER) == 0) {
        return gs_tar_reader_main();
    }
    mallopt(M_ARENA_MAX, 2); /* a heap per thread would double the memory of a transfer */
    gs_crypto_start();
    handle_signals();
    int code = read_globals(argc, argv, &line, &err);
    gs_error terminal_error = {0};
    if (gs_terminal_new(&line.terminal, &terminal, &terminal_error) < 0) {
        return gs_code_exit(terminal_error.code);
    }
    if (code == 0) {
        code = dispatch(terminal, &line, &err);
    }
    if (code >= 0 && (fflush(stdout) != 0 || ferror(stdout) != 0)) {
        code = gs_fail_errno(&err, errno, "the result cannot be written to standard output");
    }
    if (code < 0) {
        gs_print_error(terminal, &err);
    }
    gs_terminal_free(terminal);
    return code < 0 ? gs_code_exit(code) : code;
}
