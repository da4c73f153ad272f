/* What a person or a program sees: events, progress, results, errors. Several threads may speak at once. */
#include "terminal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"

#define GS_PROGRESS_INTERVAL_MS 200
#define GS_BAR_WIDTH            24

struct gs_terminal {
    gs_terminal_options options;
    bool live; /* stderr is a terminal: a bar may be drawn */
    bool color;
    pthread_mutex_t mutex;
    bool drawn;         /* a bar is on the screen */
    int64_t last_drawn; /* ticks */
    int64_t began;
    const char *what; /* of the bar */
};

int gs_terminal_new(const gs_terminal_options *options, gs_terminal **out, gs_error *err)
{
    gs_terminal *terminal = calloc(1, sizeof *terminal);
    if (!terminal) {
        return gs_fail_nomem(err);
    }
    terminal->options = *options;
    terminal->live = isatty(STDERR_FILENO) && !options->json && !options->quiet;
    const char *no_color = getenv("NO_COLOR");
    terminal->color = isatty(STDERR_FILENO) && !options->no_color && (!no_color || no_color[0] == '\0');
    pthread_mutex_init(&terminal->mutex, NULL);
    *out = terminal;
    return 0;
}

void gs_terminal_free(gs_terminal *terminal)
{
    if (terminal) {
        gs_terminal_settle(terminal);
        pthread_mutex_destroy(&terminal->mutex);
        free(terminal);
    }
}

bool gs_terminal_is_json(const gs_terminal *terminal)
{
    return terminal->options.json;
}

static void erase_bar(gs_terminal *terminal)
{
    if (terminal->drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        terminal->drawn = false;
    }
}

void gs_terminal_settle(gs_terminal *terminal)
{
    pthread_mutex_lock(&terminal->mutex);
    erase_bar(terminal);
    pthread_mutex_unlock(&terminal->mutex);
}

/* ---- events ---- */

static void add_fact(gs_buf *line, const gs_fact *fact)
{
    gs_buf_add_text(line, ",");
    gs_buf_add_json_text(line, fact->key, strlen(fact->key));
    gs_buf_add_text(line, ":");
    if (fact->kind == GS_FACT_NUMBER) {
        gs_buf_printf(line, "%lld", (long long)fact->number);
    } else if (fact->kind == GS_FACT_BOOL) {
        gs_buf_add_text(line, fact->number ? "true" : "false");
    } else if (fact->text) {
        gs_buf_add_json_text(line, fact->text, strlen(fact->text));
    } else {
        gs_buf_add_text(line, "null");
    }
}

static void emit_json(const gs_event *event)
{
    GS_AUTO_BUF gs_buf line;
    gs_buf_init(&line, GS_KIB(64));
    gs_buf_add_text(&line, "{\"event\":");
    gs_buf_add_json_text(&line, event->name, strlen(event->name));
    gs_buf_add_text(&line, ",\"text\":");
    gs_buf_add_json_text(&line, event->text, strlen(event->text));
    for (size_t i = 0; i < event->fact_count; i++) {
        add_fact(&line, &event->facts[i]);
    }
    gs_buf_add_text(&line, "}\n");
    if (!line.failed) {
        fwrite(line.data, 1, line.len, stdout);
        fflush(stdout);
    }
}

static void emit_text(gs_terminal *terminal, const gs_event *event)
{
    char text[GS_KIB(4)];
    gs_text_printable(event->text, text, sizeof text);
    erase_bar(terminal);
    if (event->level == GS_WARNING) {
        fprintf(stderr, "%swarning:%s %s\n", terminal->color ? "\033[33m" : "", terminal->color ? "\033[0m" : "", text);
    } else {
        fprintf(stderr, "%s\n", text);
    }
}

static void emit(void *state, const gs_event *event)
{
    gs_terminal *terminal = state;
    gs_level least = terminal->options.verbose ? GS_DEBUG : terminal->options.quiet ? GS_WARNING : GS_INFO;
    if (event->level < least) {
        return;
    }
    pthread_mutex_lock(&terminal->mutex);
    if (terminal->options.json) {
        emit_json(event);
    } else {
        emit_text(terminal, event);
    }
    pthread_mutex_unlock(&terminal->mutex);
}

/* ---- progress ---- */

static void draw_bar(const gs_terminal *terminal, const gs_progress *progress, int64_t now)
{
    char done[GS_SIZE_TEXT], total[GS_SIZE_TEXT], rate[GS_SIZE_TEXT], left[GS_SIZE_TEXT];
    int64_t elapsed = now - terminal->began > 0 ? now - terminal->began : 1;
    uint64_t per_second = progress->done * 1000 / (uint64_t)elapsed;
    gs_format_size(progress->done, done);
    gs_format_size(progress->total, total);
    gs_format_size(per_second, rate);
    uint64_t rest = progress->total > progress->done ? progress->total - progress->done : 0;
    gs_format_duration(per_second > 0 ? (int64_t)(rest * 1000 / per_second) : 0, left);
    int filled = progress->total > 0 ? (int)(progress->done * GS_BAR_WIDTH / progress->total) : 0;
    filled = filled > GS_BAR_WIDTH ? GS_BAR_WIDTH : filled;
    fprintf(stderr, "\r\033[K%s [%.*s%*s] %s of %s, %s/s, %s left", progress->what, filled, "########################",
            GS_BAR_WIDTH - filled, "", done, total, rate, left);
    fflush(stderr);
}

static void report(void *state, const gs_progress *progress)
{
    gs_terminal *terminal = state;
    int64_t now = gs_ticks();
    pthread_mutex_lock(&terminal->mutex);
    if (!gs_text_equal(terminal->what, progress->what)) {
        terminal->what = progress->what;
        terminal->began = now;
        terminal->last_drawn = 0;
    }
    if (now - terminal->last_drawn >= GS_PROGRESS_INTERVAL_MS) {
        terminal->last_drawn = now;
        terminal->drawn = true;
        draw_bar(terminal, progress, now);
    }
    pthread_mutex_unlock(&terminal->mutex);
}

void gs_terminal_attach(gs_terminal *terminal, gs_run *run)
{
    run->emit = emit;
    run->progress = terminal->live ? report : NULL;
    run->state = terminal;
}

/* ---- results and errors ---- */

void gs_print(gs_terminal *terminal, const char *format, ...)
{
    if (terminal->options.json) {
        return;
    }
    gs_terminal_settle(terminal);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stdout, format, arguments);
    va_end(arguments);
}

int gs_print_result(gs_terminal *terminal, const gs_node *result, gs_error *err)
{
    if (!result) {
        return gs_fail_nomem(err);
    }
    if (!terminal->options.json) {
        return 0;
    }
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MIB(64));
    int code = gs_node_write_json(result, GS_JSON_COMPACT, &text, err);
    if (code == 0) {
        fprintf(stdout, "{\"result\":%s}\n", gs_buf_text(&text));
    }
    return code;
}

static void print_json_error(const gs_error *err)
{
    const char *name = gs_code_name(err->code);
    GS_AUTO_BUF gs_buf line;
    gs_buf_init(&line, GS_KIB(64));
    gs_buf_add_text(&line, "{\"error\":{\"code\":");
    gs_buf_add_json_text(&line, name, strlen(name));
    gs_buf_printf(&line, ",\"exit\":%d,\"message\":", gs_code_exit(err->code));
    gs_buf_add_json_text(&line, err->message, strlen(err->message));
    gs_buf_add_text(&line, ",\"where\":");
    gs_buf_add_json_text(&line, err->where, strlen(err->where));
    gs_buf_add_text(&line, ",\"hint\":");
    gs_buf_add_json_text(&line, err->hint, strlen(err->hint));
    gs_buf_add_text(&line, "}}\n");
    if (!line.failed) {
        fwrite(line.data, 1, line.len, stdout);
    }
}

void gs_print_error(gs_terminal *terminal, const gs_error *err)
{
    gs_terminal_settle(terminal);
    if (terminal->options.json) {
        print_json_error(err);
        return;
    }
    fprintf(stderr, "%sgapship:%s %s%s%s\n", terminal->color ? "\033[31m" : "", terminal->color ? "\033[0m" : "", err->where,
            err->where[0] != '\0' ? ": " : "", err->message[0] != '\0' ? err->message : gs_code_sentence(err->code));
    if (err->hint[0] != '\0') {
        fprintf(stderr, "  %s\n", err->hint);
    }
}

bool gs_terminal_can_ask(const gs_terminal *terminal)
{
    return !terminal->options.json && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

int gs_confirm(gs_terminal *terminal, const char *question, gs_error *err)
{
    char answer[16];
    if (!gs_terminal_can_ask(terminal)) {
        gs_fail(err, GS_EUSAGE, "this changes something and there is no terminal to ask on");
        return gs_error_hint(err, "give --yes to go on without a question");
    }
    gs_terminal_settle(terminal);
    fprintf(stderr, "%s [y/N] ", question);
    fflush(stderr);
    if (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y')) {
        return 0;
    }
    return gs_fail(err, GS_EINTERRUPTED, "not confirmed; nothing was changed");
}
