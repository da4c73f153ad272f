/* The process that reads somebody's archive: its stdin is the archive, its stdout a socket to who asked. Before it looks at the first
 * byte it gives up everything but these two. Knows nothing of who asked, and decides nothing: what it tells is checked again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apart.h"
#include "gapship/confine.h"
#include "internal.h"

#define ARCHIVE_FD        0
#define SOCKET_FD         1
#define CPU_SECONDS       60u
#define CPU_SECONDS_MIB   4u /* and for each MiB of the archive */
#define READER_OPEN_FILES 16u

typedef struct reader {
    unsigned char *pending; /* not yet sent; GS_APART_MESSAGE bytes and a message's head */
    size_t count;
} reader;

#define PENDING_BYTES (GS_APART_MESSAGE + sizeof(gs_apart_message))

static int flush(reader *self, gs_error *err)
{
    size_t sent = 0;
    while (sent < self->count) {
        ssize_t got = write(SOCKET_FD, self->pending + sent, self->count - sent);
        if (got < 0 && errno != EINTR) {
            return gs_fail_errno(err, errno, "the reader of the archive cannot tell what it found");
        }
        sent += got > 0 ? (size_t)got : 0;
    }
    self->count = 0;
    return 0;
}

static int send_bytes(reader *self, const void *data, size_t len, gs_error *err)
{
    const unsigned char *rest = data;
    while (len > 0) {
        size_t room = PENDING_BYTES - self->count;
        size_t part = len < room ? len : room;
        memcpy(self->pending + self->count, rest, part);
        self->count += part;
        rest += part;
        len -= part;
        int code = self->count == PENDING_BYTES ? flush(self, err) : 0;
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static int send_head(reader *self, unsigned kind, size_t value, gs_error *err)
{
    const gs_apart_message head = {.kind = kind, .value = (uint32_t)value};
    return send_bytes(self, &head, sizeof head, err);
}

static int send_entry(reader *self, const gs_tar_entry *entry, gs_error *err)
{
    const char *target = entry->kind == GS_TAR_LINK ? entry->target : "";
    const gs_apart_entry told = {.size = entry->size,
                                 .name = (uint32_t)strlen(entry->name),
                                 .target = (uint32_t)strlen(target),
                                 .kind = entry->kind,
                                 .executable = entry->executable};
    int code = send_head(self, GS_APART_ENTRY, sizeof told + told.name + told.target, err);
    if (code == 0) {
        code = send_bytes(self, &told, sizeof told, err);
    }
    if (code == 0) {
        code = send_bytes(self, entry->name, told.name, err);
    }
    return code == 0 ? send_bytes(self, target, told.target, err) : code;
}

/* Whether more of this content is wanted. */
static int wait_for_word(reader *self, bool *more, gs_error *err)
{
    char word = 0;
    int code = flush(self, err);
    if (code != 0) {
        return code;
    }
    if (read(SOCKET_FD, &word, 1) != 1) {
        return gs_fail(err, GS_EINTERRUPTED, "nobody waits for the archive any more");
    }
    *more = word == GS_APART_MORE;
    return 0;
}

/* One message of content, read to where it is sent from. *ended: there was none. */
static int send_some(reader *self, gs_source *content, size_t most, size_t *sent, gs_error *err)
{
    int code = self->count + sizeof(gs_apart_message) + most > PENDING_BYTES ? flush(self, err) : 0;
    unsigned char *head = self->pending + self->count;
    size_t len = 0;
    size_t got = 1;
    while (code == 0 && got > 0 && len < most) {
        code = gs_source_read(content, head + sizeof(gs_apart_message) + len, most - len, &got, err);
        len += code == 0 ? got : 0;
    }
    if (code == 0 && len > 0) {
        const gs_apart_message message = {.kind = GS_APART_DATA, .value = (uint32_t)len};
        memcpy(head, &message, sizeof message);
        self->count += sizeof message + len;
        *sent = len;
    } else {
        *sent = 0;
    }
    return code;
}

static int tell_entry(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    reader *self = state;
    uint64_t left = entry->kind == GS_TAR_FILE ? entry->size : 0;
    uint64_t allowed = GS_APART_MESSAGE;
    int code = send_entry(self, entry, err);
    while (code == 0 && left > 0) {
        if (allowed == 0) {
            bool more = false;
            code = wait_for_word(self, &more, err);
            if (code != 0 || !more) {
                return code;
            }
            allowed = GS_APART_WINDOW;
        }
        size_t most = left < GS_APART_MESSAGE ? (size_t)left : GS_APART_MESSAGE;
        most = most < allowed ? most : (size_t)allowed;
        size_t sent = 0;
        code = send_some(self, content, most, &sent, err);
        if (code == 0 && sent == 0) {
            code = gs_fail(err, GS_EFORMAT, "its content ends early");
        }
        left -= sent;
        allowed -= sent;
    }
    return code;
}

static int tell_failure(reader *self, const gs_error *why)
{
    const char *const texts[] = {why->message, why->where, why->hint};
    gs_apart_failure told = {.code = why->code};
    size_t len = sizeof told;
    for (size_t i = 0; i < 3; i++) {
        told.lengths[i] = (uint32_t)strlen(texts[i]);
        len += told.lengths[i];
    }
    int code = send_head(self, GS_APART_FAILED, len, NULL);
    if (code == 0) {
        code = send_bytes(self, &told, sizeof told, NULL);
    }
    for (size_t i = 0; code == 0 && i < 3; i++) {
        code = send_bytes(self, texts[i], told.lengths[i], NULL);
    }
    return code == 0 ? flush(self, NULL) : code;
}

static int take_request(gs_tar_limits *out, gs_error *err)
{
    gs_apart_request asked = {0};
    size_t len = 0;
    while (len < sizeof asked) {
        ssize_t got = recv(SOCKET_FD, (unsigned char *)&asked + len, sizeof asked - len, 0);
        if (got <= 0) {
            return gs_fail(err, GS_EUSAGE, "this is for gapship itself, which speaks to it over a socket");
        }
        len += (size_t)got;
    }
    *out = (gs_tar_limits){
        .entries = (size_t)asked.entries, .file_size = asked.file_size, .total = asked.total, .links = asked.links};
    return 0;
}

/* What the kernel lacks of it was told before (gs_tar_reader_unconfined). */
static int confine(gs_error *err)
{
    unsigned missing;
    struct stat info = {0};
    (void)fstat(ARCHIVE_FD, &info);
    const gs_confinement wanted = {.memory = GS_MAX_READER_MEMORY,
                                   .cpu_seconds = CPU_SECONDS + CPU_SECONDS_MIB * ((uint64_t)info.st_size >> 20),
                                   .file_size = 1,
                                   .open_files = READER_OPEN_FILES,
                                   .no_files = true,
                                   .strict = true};
    return gs_confine_self(&wanted, &missing, err);
}

static int read_archive(reader *self, const gs_tar_limits *limits, gs_error *err)
{
    gs_locale locale;
    gs_source *source = NULL;
    int code = gs_locale_enter(&locale, err); /* reads files, so it comes first; what it loaded is found again */
    if (code == 0) {
        code = gs_source_fd(ARCHIVE_FD, false, &source, err);
    }
    if (code == 0) {
        code = confine(err);
    }
    if (code == 0) {
        code = gs_tar_read(GS_STEAL(source), limits, tell_entry, self, err);
    }
    gs_source_cancel(&source);
    if (code == 0) {
        code = send_head(self, GS_APART_END, 0, err);
    }
    return code == 0 ? flush(self, err) : code;
}

int gs_tar_reader_main(void)
{
    reader self = {.pending = malloc(PENDING_BYTES)};
    gs_tar_limits limits;
    gs_error err = {0};
    if (!self.pending || take_request(&limits, &err) != 0) {
        free(self.pending);
        return 1;
    }
    int code = read_archive(&self, &limits, &err);
    if (code != 0) {
        (void)tell_failure(&self, &err);
    }
    free(self.pending);
    return code == 0 ? 0 : 1;
}
