/* The names in an image layer. A layer is opaque to gapship: it is carried byte for byte and never unpacked, so nothing in it is
 * refused here; a name is only looked at. */
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

/* A layer holds a system's worth of files. Past these it is not read any further. */
#define MAX_LAYER_ENTRIES 2000000u
#define MAX_LAYER_BYTES   ((uint64_t)256 << 30)

static int visit_names(gs_feed *feed, int (*visit)(void *state, const char *name, gs_error *err), void *state, gs_error *err)
{
    struct archive_entry *entry;
    size_t count = 0;
    int code = 0;
    int status = ARCHIVE_OK;
    while (code == 0) {
        status = archive_read_next_header(feed->archive, &entry);
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
            break;
        }
        if (++count > MAX_LAYER_ENTRIES) {
            return gs_fail(err, GS_ELIMIT, "the layer has more than %u entries", MAX_LAYER_ENTRIES);
        }
        const char *name = archive_entry_pathname_utf8(entry);
        while (name && (gs_text_starts(name, "./") || name[0] == '/')) {
            name += name[0] == '/' ? 1 : 2;
        }
        code = name && name[0] ? visit(state, name, err) : 0;
    }
    if (code == 0 && status != ARCHIVE_EOF) {
        return gs_feed_fail(feed, GS_EFORMAT, "the layer cannot be read", err);
    }
    return code;
}

static int read_layer(gs_source *plain, int (*visit)(void *state, const char *name, gs_error *err), void *state, gs_error *err)
{
    gs_locale locale;
    gs_feed feed = {0};
    int code = gs_locale_enter(&locale, err);
    if (code != 0) {
        return code;
    }
    code = gs_feed_open_tar(&feed, plain, err);
    if (code == 0) {
        code = visit_names(&feed, visit, state, err);
    }
    gs_feed_done(&feed);
    gs_locale_leave(&locale);
    /* What follows the end mark is part of the layer: a source that checks a digest has to see it. */
    char rest[4096];
    for (size_t got = 1; code == 0 && got > 0;) {
        code = gs_source_read(plain, rest, sizeof(rest), &got, err);
    }
    return code;
}

int gs_layer_names(gs_source *in, int (*visit)(void *state, const char *name, gs_error *err), void *state, gs_error *err)
{
    gs_source *plain = NULL;
    int code = gs_source_decompress(in, MAX_LAYER_BYTES, &plain, err);
    if (code == 0) {
        code = read_layer(plain, visit, state, err);
    }
    if (code != 0) {
        gs_source_cancel(&plain);
        return code > 0 ? 0 : code;
    }
    return gs_source_close(&plain, err);
}
