/* Reading an archive by another process (reader.c), which is this program once more: what a damaged or hostile archive does to libarchive,
 * it does there. Here only the messages are read, each checked as if somebody hostile had written it. */
#include "apart.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "gapship/fs.h"
#include "gapship/num.h"
#include "gapship/proc.h"
#include "gapship/text.h"
#include "internal.h"

#define PATIENCE_SECONDS 600 /* without a word: it may be reading past a large layer on a slow disk */

typedef struct apart {
    const gs_run *run;
    int fd;
    gs_child *child;
    unsigned char *buffer; /* GS_APART_MESSAGE bytes, of them [at, have) not yet taken */
    size_t at, have;
    gs_tar_limits limits;
    gs_names names;
    uint64_t total;
    uint64_t left;     /* of the current content */
    uint64_t granted;  /* bytes that may come unasked */
    size_t in_message; /* of the current message */
    char name[GS_MAX_ENTRY_NAME_BYTES + 1];
    char target[GS_MAX_ENTRY_NAME_BYTES + 1];
} apart;

/* ---- bytes ---- */

static int distrust(gs_error *err)
{
    (void)gs_fail(err, GS_EFORMAT, "the process that reads this archive told something that no archive holds");
    return gs_error_hint(err, "do not use the archive: it is made to attack what reads it, or gapship has a bug");
}

/* The socket ended without an end of the archive. */
static int explain_end(apart *self, gs_error *err)
{
    char said[256];
    if (!self->child) { /* said before, and not heard */
        return gs_fail(err, GS_EFORMAT, "the process that read this archive has ended");
    }
    gs_text_printable(gs_child_errors(self->child), said, sizeof said);
    int status = gs_child_end(GS_STEAL(self->child));
    if (status == 128 + SIGXCPU || status == 128 + SIGKILL) {
        return gs_fail(err, GS_ELIMIT, "reading this archive takes more processor time than its size allows");
    }
    if (status == 128 + SIGSYS) {
        (void)gs_fail(err, GS_EFORMAT, "the process that read this archive tried what no reader does, and was killed");
        return gs_error_hint(err, "do not use the archive: it is made to attack what reads it, or gapship has a bug");
    }
    if (status > 128) {
        return gs_fail(err, GS_EFORMAT, "the process that read this archive was killed by signal %d", status - 128);
    }
    return gs_fail(err, GS_EINTERNAL, "the process that reads archives ended with status %d: %s", status, said);
}

/* Reads what is there, at least one byte. */
static int receive(apart *self, void *out, size_t room, size_t *got, gs_error *err)
{
    for (;;) {
        int code = gs_check_stop(self->run, 2, err);
        if (code != 0) {
            return code;
        }
        ssize_t len = read(self->fd, out, room);
        if (len > 0) {
            *got = (size_t)len;
            return 0;
        }
        if (len == 0 || (errno != EINTR && errno != EAGAIN)) {
            return explain_end(self, err);
        }
        if (errno == EAGAIN) {
            return gs_fail(err, GS_ETIMEOUT, "the process that reads this archive has said nothing for %d minutes",
                           PATIENCE_SECONDS / 60);
        }
    }
}

/* Exactly len bytes; out may be NULL. */
static int take(apart *self, void *out, size_t len, gs_error *err)
{
    unsigned char *to = out;
    while (len > 0) {
        if (self->at == self->have) {
            size_t got = 0;
            bool past = to && len >= GS_APART_MESSAGE / 2; /* large content goes straight to where it is wanted */
            int code = receive(self, past ? to : self->buffer, past ? len : GS_APART_MESSAGE, &got, err);
            if (code != 0) {
                return code;
            }
            if (past) {
                to += got;
                len -= got;
                continue;
            }
            self->at = 0;
            self->have = got;
        }
        size_t part = self->have - self->at < len ? self->have - self->at : len;
        if (to) {
            memcpy(to, self->buffer + self->at, part);
            to += part;
        }
        self->at += part;
        len -= part;
    }
    return 0;
}

static int say(apart *self, const void *data, size_t len, gs_error *err)
{
    ssize_t sent = send(self->fd, data, len, MSG_NOSIGNAL);
    return sent == (ssize_t)len ? 0 : explain_end(self, err);
}

/* ---- messages ---- */

static int take_failure(apart *self, size_t value, gs_error *err)
{
    static const int codes[] = {GS_EFORMAT, GS_ELIMIT, GS_ENOMEM, GS_EIO, GS_EINTERNAL};
    gs_apart_failure told;
    char texts[3][GS_ERROR_MESSAGE_MAX] = {{0}};
    int code = value >= sizeof told ? take(self, &told, sizeof told, err) : distrust(err);
    if (code != 0) {
        return code;
    }
    value -= sizeof told;
    for (size_t i = 0; i < 3; i++) {
        if (told.lengths[i] > value || told.lengths[i] >= sizeof texts[i]) {
            return distrust(err);
        }
        code = take(self, texts[i], told.lengths[i], err);
        if (code != 0) {
            return code;
        }
        value -= told.lengths[i];
    }
    if (value != 0 || texts[0][0] == '\0') {
        return distrust(err);
    }
    int known = GS_EFORMAT;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        known = codes[i] == told.code ? codes[i] : known;
    }
    (void)gs_fail(err, known, "%s", texts[0]);
    if (texts[1][0]) {
        (void)gs_error_at(err, "%s", texts[1]);
    }
    if (texts[2][0]) {
        (void)gs_error_hint(err, "%s", texts[2]);
    }
    return known;
}

/* The next message's head; a failure that it tells becomes ours. */
static int next_message(apart *self, gs_apart_message *out, gs_error *err)
{
    int code = take(self, out, sizeof *out, err);
    if (code == 0 && out->value > GS_APART_MESSAGE) {
        return distrust(err);
    }
    return code == 0 && out->kind == GS_APART_FAILED ? take_failure(self, out->value, err) : code;
}

/* ---- content ---- */

static int next_data(apart *self, gs_error *err)
{
    gs_apart_message message;
    int code = next_message(self, &message, err);
    if (code != 0) {
        return code;
    }
    if (message.kind != GS_APART_DATA || message.value == 0 || message.value > self->left || message.value > self->granted) {
        return distrust(err);
    }
    self->in_message = message.value;
    self->granted -= message.value;
    return 0;
}

static int content_read(void *state, void *out, size_t len, size_t *got, gs_error *err)
{
    static const char more = GS_APART_MORE;
    apart *self = state;
    int code = 0;
    *got = 0;
    if (self->left == 0) {
        return 0;
    }
    if (self->in_message == 0 && self->granted == 0) {
        self->granted = GS_APART_WINDOW;
        code = say(self, &more, 1, err);
    }
    if (code == 0 && self->in_message == 0) {
        code = next_data(self, err);
    }
    size_t part = len < self->in_message ? len : self->in_message;
    if (code == 0) {
        code = take(self, out, part, err);
    }
    if (code == 0) {
        self->in_message -= part;
        self->left -= part;
        *got = part;
    }
    return code;
}

static int content_close(void *state, bool cancelled, gs_error *err)
{
    (void)state;
    (void)cancelled;
    (void)err;
    return 0;
}

static const gs_source_ops content_ops = {content_read, content_close};

/* What the visitor left of the content: what is under way is dropped, the rest stays where it is. */
static int pass_over(apart *self, gs_error *err)
{
    static const char enough = GS_APART_ENOUGH;
    int code = 0;
    while (code == 0 && self->left > 0) {
        if (self->in_message > 0) {
            code = take(self, NULL, self->in_message, err);
            self->left -= self->in_message;
            self->in_message = 0;
        } else if (self->granted > 0) {
            code = next_data(self, err);
        } else {
            self->left = 0;
            code = say(self, &enough, 1, err);
        }
    }
    return code;
}

/* ---- entries ---- */

static bool plausible(const apart *self, const gs_apart_entry *told, size_t value)
{
    bool link = told->kind == GS_TAR_LINK;
    bool file = told->kind == GS_TAR_FILE;
    return (file || link || told->kind == GS_TAR_DIRECTORY) && told->name <= GS_MAX_ENTRY_NAME_BYTES &&
           told->target <= GS_MAX_ENTRY_NAME_BYTES && value == sizeof *told + told->name + told->target &&
           (link ? self->limits.links : told->target == 0) && (file ? told->size <= self->limits.file_size : told->size == 0);
}

static int take_text(apart *self, char *out, size_t len, gs_error *err)
{
    int code = take(self, out, len, err);
    out[len] = '\0';
    return code == 0 && (strlen(out) != len || !gs_path_valid(out)) ? distrust(err) : code;
}

static int take_entry(apart *self, size_t value, gs_tar_entry *out, gs_error *err)
{
    gs_apart_entry told = {0};
    int code = value >= sizeof told ? take(self, &told, sizeof told, err) : distrust(err);
    if (code == 0 && !plausible(self, &told, value)) {
        code = distrust(err);
    }
    if (code == 0) {
        code = take_text(self, self->name, told.name, err);
    }
    if (code == 0 && told.kind == GS_TAR_LINK) {
        code = take_text(self, self->target, told.target, err);
    }
    if (code == 0) {
        code = gs_names_add(&self->names, self->name, told.kind == GS_TAR_DIRECTORY, err);
    }
    if (code == 0 && (self->names.count > self->limits.entries || !gs_add_u64(self->total, told.size, &self->total) ||
                      self->total > self->limits.total)) {
        code = distrust(err);
    }
    if (code == 0) {
        *out = (gs_tar_entry){.name = self->name,
                              .kind = told.kind,
                              .target = told.kind == GS_TAR_LINK ? self->target : NULL,
                              .size = told.size,
                              .executable = told.executable != 0};
        self->left = told.size;
        self->granted = GS_APART_MESSAGE;
        self->in_message = 0;
    }
    return code;
}

static int show(apart *self, const gs_tar_entry *entry, gs_tar_visitor visit, void *state, gs_error *err)
{
    gs_source *content = NULL;
    int code = gs_source_new(&content_ops, self, &content, err);
    if (code == 0) {
        code = visit(state, entry, content, err);
        gs_source_cancel(&content);
    }
    return code == 0 ? pass_over(self, err) : code;
}

static int take_entries(apart *self, gs_tar_visitor visit, void *state, gs_error *err)
{
    gs_apart_message message;
    int code = 0;
    while (code == 0) {
        gs_tar_entry entry;
        code = next_message(self, &message, err);
        if (code == 0 && message.kind == GS_APART_END) {
            return gs_names_check(&self->names, err);
        }
        if (code == 0) {
            code = message.kind == GS_APART_ENTRY ? take_entry(self, message.value, &entry, err) : distrust(err);
        }
        if (code == 0) {
            code = show(self, &entry, visit, state, err);
        }
    }
    return code;
}

/* ---- the process ---- */

static int start(apart *self, int fd, gs_error *err)
{
    static const char *const argv[] = {"/proc/self/exe", GS_TAR_READER, NULL};
    static const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    const gs_proc proc = {.argv = argv, .input_file = fd};
    const gs_apart_request request = {.entries = self->limits.entries,
                                      .file_size = self->limits.file_size,
                                      .total = self->limits.total,
                                      .links = self->limits.links};
    int code = gs_child_start_talking(&proc, &self->fd, &self->child, err);
    if (code != 0) {
        return gs_error_context(err, "the process that reads archives cannot be started");
    }
    (void)setsockopt(self->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return say(self, &request, sizeof request, err);
}

int gs_tar_read_apart(const gs_run *run, int fd, const gs_tar_limits *limits, gs_tar_visitor visit, void *state, gs_error *err)
{
    apart *self = calloc(1, sizeof *self);
    unsigned char *buffer = malloc(GS_APART_MESSAGE);
    if (!self || !buffer) {
        free(self);
        free(buffer);
        return gs_fail_nomem(err);
    }
    *self = (apart){.run = run, .fd = -1, .buffer = buffer, .limits = gs_tar_limits_filled(limits)};
    int code = start(self, fd, err);
    if (code == 0) {
        code = take_entries(self, visit, state, err);
    }
    (void)gs_child_end(self->child);
    gs_fs_close_p(&self->fd);
    gs_names_done(&self->names);
    free(self->buffer);
    free(self);
    return code;
}

unsigned gs_tar_reader_unconfined(void)
{
    return gs_confine_probe(&(gs_confinement){.no_files = true, .strict = true});
}
