/* Where the bytes of a bundle are: a logical file over one descriptor, or over several volumes that each carry a slice of it. */
#ifndef GAPSHIP_BUNDLE_MEDIUM_H
#define GAPSHIP_BUNDLE_MEDIUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/error.h"

typedef struct gs_part {
    int fd;
    char *path; /* for messages, owned */
} gs_part;

typedef struct gs_medium {
    gs_part *parts;
    size_t count;
    uint64_t lead;   /* bytes before the slice in each part; 0: one whole file */
    uint64_t slice;  /* bytes in each part but the last; UINT64_MAX in a whole file */
    uint64_t length; /* of the logical file */
} gs_medium;

/* A whole file. fd is taken over on success only. */
int gs_medium_whole(int fd, const char *path, uint64_t length, gs_medium *out, gs_error *err) GS_MUST_USE;
/* count parts that are not open yet: fd -1 and no path. */
int gs_medium_split(size_t count, uint64_t lead, uint64_t slice, uint64_t length, gs_medium *out, gs_error *err) GS_MUST_USE;
/* Closes everything. */
void gs_medium_done(gs_medium *medium);

/* How many bytes of the logical file part i carries. */
uint64_t gs_medium_part_length(const gs_medium *medium, size_t i);
/* The parts that bytes stand on: the first, and the last. len 0 is taken as 1; what lies beyond the end as standing on the last. */
size_t gs_medium_part_at(const gs_medium *medium, uint64_t offset, uint64_t len, size_t *last);

/* As their namesakes in gapship/fs.h, at offsets of the logical file. When it is split, an error says which part it is about. */
int gs_medium_read(const gs_medium *medium, void *out, size_t len, uint64_t offset, gs_error *err) GS_MUST_USE;
int gs_medium_write(const gs_medium *medium, const void *data, size_t len, uint64_t offset, gs_error *err) GS_MUST_USE;
int gs_medium_copy(const gs_medium *from, uint64_t from_offset, const gs_medium *to, uint64_t to_offset, uint64_t len,
                   gs_error *err) GS_MUST_USE;
/* Writes what stands before the slice of part i, lead bytes. */
int gs_medium_write_lead(const gs_medium *medium, size_t i, const void *data, gs_error *err) GS_MUST_USE;
/* Hints to the kernel; they promise nothing. */
void gs_medium_read_ahead(const gs_medium *medium, uint64_t offset, uint64_t len);
void gs_medium_write_behind(const gs_medium *medium, uint64_t offset, uint64_t len);

#endif
