/* Asks for secrets: nothing is echoed, and nothing stays behind in buffers of stdio. Knows no key. */
#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "terminal.h"

/* The first line of a file that only its owner can read. */
static int read_first_line(const char *path, gs_buf *out, gs_error *err)
{
    GS_AUTO_SECRET gs_buf text;
    int code = gs_secret_init(&text, GS_MAX_KEY_FILE_BYTES, err);
    if (code == 0) {
        code = gs_fs_read_secret(AT_FDCWD, path, &text, err);
    }
    if (code == 0) {
        const char *feed = text.len > 0 ? memchr(text.data, '\n', text.len) : NULL;
        gs_buf_add(out, text.data, feed ? (size_t)(feed - text.data) : text.len);
    }
    return code;
}

/* Up to the end of the line. A signal ends it, too: the terminal must be put right, and nothing was done yet. */
static int read_line(gs_buf *out, gs_error *err)
{
    for (;;) {
        char c = '\0';
        ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0 && errno != EINTR) {
            return gs_fail_errno(err, errno, "cannot read from the terminal");
        }
        if (got < 0 || (got == 0 && out->len == 0)) {
            return gs_fail(err, GS_EINTERRUPTED, "no passphrase was given; nothing was done");
        }
        if (got == 0 || c == '\n') {
            return 0;
        }
        gs_buf_add(out, &c, 1);
    }
}

/* Ctrl-Z and Ctrl-\ do nothing meanwhile, or the shell would be left without echo. */
static int ask_without_echo(gs_buf *out, gs_error *err)
{
    struct termios before;
    if (tcgetattr(STDIN_FILENO, &before) != 0) {
        return gs_fail_errno(err, errno, "cannot turn off the echo of the terminal");
    }
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    silent.c_cc[VSUSP] = _POSIX_VDISABLE;
    silent.c_cc[VQUIT] = _POSIX_VDISABLE;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0) {
        return gs_fail_errno(err, errno, "cannot turn off the echo of the terminal");
    }
    int code = read_line(out, err);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
    return code;
}

static int ask_on_terminal(gs_invocation *invocation, const char *prompt, const char *what, gs_buf *out, gs_error *err)
{
    char shown[GS_KIB(1)];
    if (!gs_terminal_can_ask(invocation->terminal)) {
        gs_fail(err, GS_EUSAGE, "a passphrase is needed, and there is no terminal to ask on");
        return gs_error_hint(err, "put it into a file of mode 0600 and give --passphrase-file FILE");
    }
    gs_text_printable(what, shown, sizeof shown);
    gs_terminal_settle(invocation->terminal);
    fprintf(stderr, "%s %s: ", prompt, shown);
    fflush(stderr);
    return ask_without_echo(out, err);
}

static int ask(void *state, const char *what, gs_buf *out, gs_error *err)
{
    gs_invocation *invocation = state;
    const char *file = gs_value(invocation->arguments, "passphrase-file");
    return file ? read_first_line(file, out, err) : ask_on_terminal(invocation, "passphrase for", what, out, err);
}

gs_passphrase gs_passphrase_source(gs_invocation *invocation)
{
    return (gs_passphrase){.ask = ask, .state = invocation};
}

int gs_passphrase_choose(gs_invocation *invocation, const char *what, gs_buf *out, gs_error *err)
{
    if (gs_value(invocation->arguments, "passphrase-file")) {
        return ask(invocation, what, out, err);
    }
    GS_AUTO_SECRET gs_buf again;
    int code = gs_secret_init(&again, GS_MAX_PASSPHRASE_BYTES, err);
    if (code == 0) {
        code = ask_on_terminal(invocation, "new passphrase for", what, out, err);
    }
    if (code == 0) {
        code = ask_on_terminal(invocation, "once more, for", what, &again, err);
    }
    bool same = code == 0 && out->len == again.len && memcmp(out->data, again.data, out->len) == 0;
    return code < 0 || same ? code : gs_fail(err, GS_EUSAGE, "the two passphrases differ; nothing was done");
}
