/* A source of ours as libarchive's input. Knows of formats only how to switch tar on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

int gs_locale_enter(gs_locale *locale, gs_error *err)
{
    locale->own = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (locale->own == (locale_t)0) {
        return gs_fail(err, GS_EINTERNAL, "the system has no locale C.UTF-8");
    }
    locale->before = uselocale(locale->own);
    return 0;
}

void gs_locale_leave(gs_locale *locale)
{
    (void)uselocale(locale->before);
    freelocale(locale->own);
}

/* libarchive's read callback: a full block, or what is left. Readers of tar ask again only at multiples of a tar block, so a block
 * of theirs never lies across two of ours. */
static la_ssize_t on_read(struct archive *archive, void *state, const void **out)
{
    (void)archive;
    gs_feed *feed = state;
    int next = 1 - feed->latest;
    size_t len = 0;
    while (len < GS_FEED_BYTES && !feed->ended) {
        size_t got = 0;
        if (gs_source_read(feed->source, feed->blocks[next].data + len, GS_FEED_BYTES - len, &got, &feed->failure) != 0) {
            return -1;
        }
        feed->ended = got == 0;
        len += got;
    }
    feed->blocks[next].start = feed->fed;
    feed->blocks[next].len = len;
    feed->latest = next;
    feed->fed += len;
    *out = feed->blocks[next].data;
    return (la_ssize_t)len;
}

int gs_feed_init(gs_feed *feed, gs_source *source, gs_error *err)
{
    *feed = (gs_feed){.source = source};
    feed->archive = archive_read_new();
    feed->blocks[0].data = malloc(GS_FEED_BYTES);
    feed->blocks[1].data = malloc(GS_FEED_BYTES);
    if (!feed->archive || !feed->blocks[0].data || !feed->blocks[1].data) {
        gs_feed_done(feed);
        return gs_fail_nomem(err);
    }
    return 0;
}

int gs_feed_open(gs_feed *feed, gs_error *err)
{
    if (archive_read_open(feed->archive, feed, NULL, on_read, NULL) != ARCHIVE_OK) {
        return gs_feed_fail(feed, GS_EFORMAT, "the archive cannot be opened", err);
    }
    return 0;
}

int gs_feed_open_tar(gs_feed *feed, gs_source *plain, gs_error *err)
{
    int code = gs_feed_init(feed, plain, err);
    if (code != 0) {
        return code;
    }
    if (archive_read_support_format_tar(feed->archive) != ARCHIVE_OK ||
        archive_read_set_format_option(feed->archive, "tar", "hdrcharset", "UTF-8") != ARCHIVE_OK) {
        return gs_feed_fail(feed, GS_EINTERNAL, "libarchive does not read tar", err);
    }
    return gs_feed_open(feed, err);
}

void gs_feed_done(gs_feed *feed)
{
    if (feed->archive) {
        (void)archive_read_free(feed->archive);
    }
    free(feed->blocks[0].data);
    free(feed->blocks[1].data);
    *feed = (gs_feed){0};
}

uint64_t gs_feed_position(const gs_feed *feed)
{
    return (uint64_t)archive_filter_bytes(feed->archive, -1);
}

const unsigned char *gs_feed_block(const gs_feed *feed, uint64_t offset)
{
    for (size_t i = 0; i < 2; i++) {
        uint64_t start = feed->blocks[i].start;
        if (offset >= start && offset - start + GS_TAR_BLOCK <= feed->blocks[i].len) {
            return feed->blocks[i].data + (offset - start);
        }
    }
    return NULL;
}

int gs_feed_fail(gs_feed *feed, int code, const char *what, gs_error *err)
{
    if (feed->failure.code != 0) {
        if (err) {
            *err = feed->failure;
        }
        return feed->failure.code;
    }
    if (archive_errno(feed->archive) == ENOMEM) {
        return gs_fail_nomem(err);
    }
    const char *reason = archive_error_string(feed->archive);
    return gs_fail(err, code, "%s: %s", what, reason ? reason : "it is damaged");
}
