/* A tar with an image in it. Private to src/builder. */
#ifndef GAPSHIP_BUILDER_ORIGIN_ARCHIVE_H
#define GAPSHIP_BUILDER_ORIGIN_ARCHIVE_H

#include "gapship/archive.h"
#include "gapship/num.h"
#include "origin.h"

/* A file of the archive. data: kept in memory, when it is small enough for a manifest. target: it is a link. */
typedef struct gs_archive_file {
    const char *name;
    const char *target;
    const char *data;
    size_t len;
    bool compressed; /* begins as gzip does */
} gs_archive_file;

typedef struct gs_archive {
    const gs_run *run;
    const char *path;
    gs_arena *arena;
    bool scanned;
    gs_archive_file *files;
    size_t count, room;
    uint64_t total;
} gs_archive;

/* One pass over the archive. */
int gs_archive_each(const gs_archive *archive, gs_tar_visitor visit, void *state, gs_error *err) GS_MUST_USE;
/* The pass that lists the files and keeps the small ones; a second call does nothing. */
int gs_archive_scan(gs_archive *archive, gs_error *err) GS_MUST_USE;
/* A small file, or NULL. */
const gs_archive_file *gs_archive_find(const gs_archive *archive, const char *name);
/* A file of any size, a link followed, or NULL. */
const gs_archive_file *gs_archive_layer(const gs_archive *archive, const char *name);

#endif
