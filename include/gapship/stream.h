/* Streams: one pair of vtables, composable wrappers, sticky errors.
 *
 * A source that fails keeps failing with the same error. Closing a verifying source (gs_source_hash of crypto.h, or a segment)
 * before its end is an error unless gs_source_cancel was called: nobody can take half of a checked thing for the whole.
 * Wrappers own what they wrap, from the call that makes them on, also when it fails: closing or cancelling the outer one does so to
 * the inner. Closing what has failed cancels it and returns that failure.
 */
#ifndef GAPSHIP_STREAM_H
#define GAPSHIP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/buf.h"
#include "gapship/error.h"

typedef struct gs_source gs_source;
typedef struct gs_sink gs_sink;

typedef struct gs_source_ops {
    /* Up to len bytes; *got == 0 is the end. */
    int (*read)(void *state, void *out, size_t len, size_t *got, gs_error *err);
    /* Called once. cancelled: the reader gave up, verify nothing. Frees state. */
    int (*close)(void *state, bool cancelled, gs_error *err);
} gs_source_ops;

typedef struct gs_sink_ops {
    /* All of len or an error. */
    int (*write)(void *state, const void *data, size_t len, gs_error *err);
    /* Called once. cancelled: drop what was written where that is possible. Frees state. */
    int (*close)(void *state, bool cancelled, gs_error *err);
    bool proves; /* close succeeds only when what was written has the digest it should have */
} gs_sink_ops;

/* Takes over state; on GS_ENOMEM state is closed as cancelled. */
int gs_source_new(const gs_source_ops *ops, void *state, gs_source **out, gs_error *err) GS_MUST_USE;
int gs_source_read(gs_source *source, void *out, size_t len, size_t *got, gs_error *err) GS_MUST_USE;
/* Reads exactly len or fails ("ends early", GS_EFORMAT, sticky). */
int gs_source_read_all(gs_source *source, void *out, size_t len, gs_error *err) GS_MUST_USE;
/* Closes and sets *source to NULL. NULL is fine. */
int gs_source_close(gs_source **source, gs_error *err) GS_MUST_USE;
void gs_source_cancel(gs_source **source);
#define GS_AUTO_SOURCE __attribute__((cleanup(gs_source_cancel)))

int gs_sink_new(const gs_sink_ops *ops, void *state, gs_sink **out, gs_error *err) GS_MUST_USE;
int gs_sink_write(gs_sink *sink, const void *data, size_t len, gs_error *err) GS_MUST_USE;
int gs_sink_close(gs_sink **sink, gs_error *err) GS_MUST_USE;
void gs_sink_cancel(gs_sink **sink);
/* Whether closing proves the content, so that nobody else has to hash it on its way. */
bool gs_sink_proves(const gs_sink *sink);
#define GS_AUTO_SINK __attribute__((cleanup(gs_sink_cancel)))

/* Sources. The memory is borrowed. The segment reads [offset, offset + len) with pread and does not own fd; it is verifying: a short
 * file or an early close is an error. The limited source fails with GS_ELIMIT when its inner one has more than max bytes. */
int gs_source_memory(const void *data, size_t len, gs_source **out, gs_error *err) GS_MUST_USE;
int gs_source_segment(int fd, uint64_t offset, uint64_t len, gs_source **out, gs_error *err) GS_MUST_USE;
int gs_source_limited(gs_source *inner, uint64_t max, gs_source **out, gs_error *err) GS_MUST_USE;
/* Reads fd from where it stands; owns it when own is true. */
int gs_source_fd(int fd, bool own, gs_source **out, gs_error *err) GS_MUST_USE;

/* Sinks. Buffer and counter are borrowed. gs_sink_range writes with pwrite from offset and fails with GS_ELIMIT past max bytes. */
int gs_sink_buffer(gs_buf *buf, gs_sink **out, gs_error *err) GS_MUST_USE;
int gs_sink_range(int fd, uint64_t offset, uint64_t max, gs_sink **out, gs_error *err) GS_MUST_USE;
int gs_sink_tee(gs_sink *first, gs_sink *second, gs_sink **out, gs_error *err) GS_MUST_USE;
/* *count starts at 0. */
int gs_sink_count(gs_sink *inner, uint64_t *count, gs_sink **out, gs_error *err) GS_MUST_USE;

/* Copies to the end; closes neither. *copied may be NULL. */
int gs_stream_copy(gs_source *from, gs_sink *to, uint64_t *copied, gs_error *err) GS_MUST_USE;

#endif
