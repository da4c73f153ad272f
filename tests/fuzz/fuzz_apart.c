/* What the process that reads archives tells, as if somebody hostile had written it (the first byte is how that process ends): names
 * stay below, contents have the size that was told, all of it is within the limits. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "gapship/archive.h"
#include "gapship/proc.h"
#include "gapship/text.h"

#define ENTRIES    20u
#define FILE_BYTES 100000u
#define TOTAL      200000u

static const uint8_t *told;
static size_t told_len;
static int ending;
static int other_end = -1;
static size_t entries;
static uint64_t total;

/* Instead of the process and its end. */
int __wrap_gs_child_start_talking(const gs_proc *proc, int *output, gs_child **out, gs_error *err);
const char *__wrap_gs_child_errors(gs_child *child);
int __wrap_gs_child_end(gs_child *child);

int __wrap_gs_child_start_talking(const gs_proc *proc, int *output, gs_child **out, gs_error *err)
{
    static char nobody;
    int pair[2];
    (void)err;
    check(strcmp(proc->argv[1], GS_TAR_READER) == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    /* More than the socket takes is cut off, as any end could be. */
    (void)!send(pair[1], told, told_len, MSG_DONTWAIT | MSG_NOSIGNAL);
    check(shutdown(pair[1], SHUT_WR) == 0);
    other_end = pair[1];
    *output = pair[0];
    *out = (gs_child *)(void *)&nobody;
    return 0;
}

const char *__wrap_gs_child_errors(gs_child *child)
{
    check(child != NULL);
    return "what it wrote";
}

int __wrap_gs_child_end(gs_child *child)
{
    if (child && other_end >= 0) {
        close(other_end);
        other_end = -1;
    }
    return child ? ending : -1;
}

static int visit(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    unsigned char buffer[4096];
    uint64_t have = 0;
    (void)state;
    entries++;
    total += entry->size;
    check(gs_path_valid(entry->name) && entries <= ENTRIES && entry->size <= FILE_BYTES && total <= TOTAL);
    check((entry->kind == GS_TAR_LINK) == (entry->target != NULL) && (!entry->target || gs_path_valid(entry->target)));
    check(entry->kind == GS_TAR_FILE || entry->size == 0);
    if (strlen(entry->name) % 3 == 0) {
        return 0; /* not looked at */
    }
    for (size_t got = 1; got > 0; have += got) {
        int code = gs_source_read(content, buffer, sizeof buffer, &got, err);
        if (code != 0) {
            return code;
        }
    }
    check(have == entry->size);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const gs_tar_limits limits = {.entries = ENTRIES, .file_size = FILE_BYTES, .total = TOTAL, .links = true};
    gs_error err = {0};
    if (size < 1) {
        return 0;
    }
    ending = data[0];
    told = data + 1;
    told_len = size - 1;
    entries = 0;
    total = 0;
    int code = gs_tar_read_apart(NULL, -1, &limits, visit, NULL, &err);
    check(code == 0 || err.code == code);
    check(other_end == -1);
    return 0;
}
