/* A bundle in the making as the module's files share it. */
#ifndef GAPSHIP_BUNDLE_WRITER_INTERNAL_H
#define GAPSHIP_BUNDLE_WRITER_INTERNAL_H

#include <pthread.h>

#include "layout.h"
#include "medium.h"

typedef enum gs_blob_state { GS_BLOB_ABSENT, GS_BLOB_ARRIVING, GS_BLOB_THERE } gs_blob_state;

struct gs_writer {
    const gs_run *run;
    gs_medium file; /* of the partial files, which it locks */
    char *path;
    gs_arena *arena; /* of the statement's strings */
    gs_statement statement;
    const void *roots; /* the chain that it carries, in arena */
    gs_layout layout;
    pthread_mutex_t lock; /* guards states; each member's place, digest and chunks belong to who has set ARRIVING */
    gs_blob_state *states;
};

gs_digest *gs_writer_chunks(gs_writer *writer, size_t member);

/* ---- partial.c ---- */

/* Decides into how many files of which names the layout goes. GS_ELIMIT: volumes too small, or too many. */
int gs_partial_name(gs_writer *writer, uint64_t volume_size, gs_error *err) GS_MUST_USE;
/* Opens, locks and sizes the files. resumed: what is in some of them may be of use. */
int gs_partial_open(gs_writer *writer, bool *resumed, gs_error *err) GS_MUST_USE;
/* GS_EEXISTS: a final name is taken. */
int gs_partial_check_free(const gs_writer *writer, gs_error *err) GS_MUST_USE;
/* The headers of the volumes, where there are any. */
int gs_partial_write_headers(const gs_writer *writer, const gs_digest *digest, gs_error *err) GS_MUST_USE;
/* Makes the files durable and gives them their names, the first one last. */
int gs_partial_publish(gs_writer *writer, bool replace, gs_error *err) GS_MUST_USE;

/* ---- blobs ---- */

/* Takes a blob for writing: ABSENT becomes ARRIVING. GS_EINTERNAL: not in the plan, or there, or taken. */
int gs_writer_take(gs_writer *writer, const gs_digest *blob, size_t *member, gs_error *err) GS_MUST_USE;
/* Ends what gs_writer_take began: THERE, or ABSENT again. */
void gs_writer_settle(gs_writer *writer, size_t member, bool there);
/* Writes the header and padding around data that was proven: from now on a resumed build believes the place worth re-hashing. */
int gs_writer_frame(gs_writer *writer, size_t member, gs_error *err) GS_MUST_USE;
/* Hashes what stands at a blob's place; GS_EDIGEST when it is something else. */
int gs_writer_prove(gs_writer *writer, size_t member, gs_error *err) GS_MUST_USE;
/* Keeps the plan's chain of roots, and its digest and size in the statement (roots.c). */
int gs_writer_keep_roots(gs_writer *writer, const gs_writer_plan *plan, gs_error *err) GS_MUST_USE;
int gs_writer_fail_digest(const gs_member *member, const gs_digest *found, gs_error *err);

#endif
