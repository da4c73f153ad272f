/* What the files of src/archive share: a stream of ours in front of libarchive, and the names of an archive. */
#ifndef GAPSHIP_ARCHIVE_INTERNAL_H
#define GAPSHIP_ARCHIVE_INTERNAL_H

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include "gapship/archive.h"

/* Names are UTF-8 whatever the caller's locale is; libarchive converts through the locale, so the calling thread gets one of UTF-8
 * until gs_locale_leave. GS_EINTERNAL where the system has none. */
typedef struct gs_locale {
    locale_t own;
    locale_t before;
} gs_locale;
int gs_locale_enter(gs_locale *locale, gs_error *err) GS_MUST_USE;
void gs_locale_leave(gs_locale *locale);

#define GS_TAR_BLOCK  512u
#define GS_FEED_BYTES ((size_t)128 * GS_TAR_BLOCK)

/* Feeds a source to libarchive in full blocks and keeps the last two, so that what libarchive has just read can be looked at again.
 */
typedef struct gs_feed {
    gs_source *source; /* borrowed */
    struct archive *archive;
    struct {
        unsigned char *data;
        uint64_t start;
        size_t len;
    } blocks[2];
    int latest;
    uint64_t fed;
    bool ended;
    gs_error failure; /* the source's, code 0: none */
} gs_feed;
/* A reader without formats or filters; the caller adds them and then calls gs_feed_open. */
int gs_feed_init(gs_feed *feed, gs_source *source, gs_error *err) GS_MUST_USE;
int gs_feed_open(gs_feed *feed, gs_error *err) GS_MUST_USE;
/* Both, for a tar without compression. */
int gs_feed_open_tar(gs_feed *feed, gs_source *plain, gs_error *err) GS_MUST_USE;
void gs_feed_done(gs_feed *feed);
/* How far libarchive has come in what it was fed. */
uint64_t gs_feed_position(const gs_feed *feed);
/* One tar block at an offset that is a multiple of it, or NULL when it is no longer kept. */
const unsigned char *gs_feed_block(const gs_feed *feed, uint64_t offset);
/* The source's own error, or what libarchive says; code is for the latter. */
int gs_feed_fail(gs_feed *feed, int code, const char *what, gs_error *err);

/* The limits with what was left open filled in. */
gs_tar_limits gs_tar_limits_filled(const gs_tar_limits *given);

/* What was allowed to be in a tar so far. */
typedef struct gs_names {
    gs_arena *arena;
    struct gs_name {
        const char *text;
        bool directory;
    } * list;
    size_t count;
    size_t room;
} gs_names;
int gs_names_add(gs_names *names, const char *text, bool directory, gs_error *err) GS_MUST_USE;
/* GS_EFORMAT when a name is there twice, or something lies below what is not a directory. */
int gs_names_check(gs_names *names, gs_error *err) GS_MUST_USE;
void gs_names_done(gs_names *names);

/* Looks at the raw headers of an entry, from where its first one begins to where its content begins: what two readers could take
 * for two different things is GS_EFORMAT. */
int gs_headers_check(const gs_feed *feed, uint64_t from, uint64_t to, struct archive_entry *entry, gs_error *err) GS_MUST_USE;

#endif
