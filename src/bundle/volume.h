/* The header that stands before each slice of a split bundle (FORMAT.md section 14), and the names of volumes. */
#ifndef GAPSHIP_BUNDLE_VOLUME_H
#define GAPSHIP_BUNDLE_VOLUME_H

#include "format.h"
#include "gapship/buf.h"
#include "gapship/crypto.h"
#include "medium.h"

#define GS_VOLUME_MAGIC "GSVOLUM1"

typedef struct gs_volume {
    uint32_t number; /* from 1 */
    uint32_t count;
    uint64_t slice; /* bytes of the bundle in each volume but the last */
    uint64_t total; /* of the bundle */
    gs_digest bundle;
} gs_volume;

/* Whether a file that begins with these bytes says that it is a volume. */
bool gs_volume_begins(const unsigned char header[GS_MAGIC_BYTES]);
/* The header of a file of file_length bytes. Nothing but arithmetic: whose bundle it is shows later. GS_EFORMAT. */
int gs_volume_parse(const unsigned char header[GS_BLOCK], uint64_t file_length, gs_volume *out, gs_error *err) GS_MUST_USE;
void gs_volume_write(const gs_volume *volume, unsigned char out[GS_BLOCK]);
/* Whether two headers are of one set: equal but for the number. */
bool gs_volume_same_set(const gs_volume *a, const gs_volume *b);

/* How many volumes a bundle has in slices of this size. */
uint64_t gs_volume_count(uint64_t total, uint64_t slice);

/* ".001" */
#define GS_VOLUME_SUFFIX 5
/* path without the suffix; 0: it has none. */
size_t gs_volume_base(const char *path);

/* An open file that says it is a volume. Its fd is taken over on success only. */
typedef struct gs_volume_file {
    int fd;
    uint64_t length;
    const char *path;
} gs_volume_file;

/* Where else than beside the named one volumes are looked for. */
typedef struct gs_volume_search {
    const char *const *directories;
    size_t count;
} gs_volume_search;

/* Opens all volumes of the set that one is of, by their names. GS_EFORMAT: one that is not of the set, or malformed; GS_ENOTFOUND: some
 * are missing, all of which are told. */
int gs_volumes_open(const gs_volume_file *named, const gs_volume_search *where, gs_medium *medium, gs_digest *bundle,
                    gs_error *err) GS_MUST_USE;
/* The first volume alone, as the head of a bundle: signatures are added there. GS_EFORMAT: it is another one. */
int gs_volume_open_head(const gs_volume_file *named, gs_medium *medium, gs_error *err) GS_MUST_USE;

#endif
