/* tar and gzip: reading charts, overlays and image archives, and writing them reproducibly. The only module that knows libarchive, of
 * which it uses tar, gzip and zstd alone, and never its write-to-disk API.
 */
#ifndef GAPSHIP_ARCHIVE_H
#define GAPSHIP_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/buf.h"
#include "gapship/confine.h"
#include "gapship/error.h"
#include "gapship/stream.h"

/* One entry. Regular files and directories always; symbolic and hard links only when the caller allows them. */
typedef struct gs_tar_entry {
    const char *name; /* passed gs_path_valid; a leading "./" is removed */
    enum { GS_TAR_FILE, GS_TAR_DIRECTORY, GS_TAR_LINK } kind;
    const char *target; /* LINK: the name of the entry it leads to, resolved against its own; passed gs_path_valid */
    uint64_t size;
    bool executable;
} gs_tar_entry;

typedef struct gs_tar_limits {
    size_t entries;     /* 0: GS_MAX_ARCHIVE_ENTRIES */
    uint64_t file_size; /* 0: GS_MAX_ARCHIVE_FILE_BYTES */
    uint64_t total;     /* 0: GS_MAX_ARCHIVE_BYTES */
    bool links;
} gs_tar_limits;

/* Called for each entry in order; content is closed by gs_tar_read and need not be read to its end. */
typedef int (*gs_tar_visitor)(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err);

/* Reads a tar, plain or in gzip or zstd (told from its first bytes). Refused with GS_EFORMAT, naming the entry: absolute names, "..",
 * devices, fifos, sparse files, duplicate names, links unless allowed, headers that two readers would read differently, a missing end
 * mark, trailing content; over a limit: GS_ELIMIT. Duplicate names are found at the end, after the visits. Takes `in` over. */
int gs_tar_read(gs_source *in, const gs_tar_limits *limits, gs_tar_visitor visit, void *state, gs_error *err) GS_MUST_USE;
/* Writes the entries below dirfd, an empty private directory: files 0644 or 0755, directories 0755; no links. Takes `in` over. */
int gs_tar_extract(gs_source *in, const gs_tar_limits *limits, int dirfd, gs_error *err) GS_MUST_USE;

/* gs_tar_read for archives that nobody vouches for, by a process of its own that can do nothing but read fd and tell what it finds
 * (gapship/confine.h). What it tells is checked again. fd is a regular file at its beginning, the caller's; nobody else may use it
 * meanwhile. Of a content of more than GS_KIB(256) only what is read travels. More errors: GS_EFORMAT when the process had to be
 * killed, GS_ELIMIT when it took too much memory or time, GS_EINTERRUPTED. */
int gs_tar_read_apart(const gs_run *run, int fd, const gs_tar_limits *limits, gs_tar_visitor visit, void *state,
                      gs_error *err) GS_MUST_USE;
/* Bits of GS_UNCONFINED_…: what this kernel would not do of it, for gs_confine_report. */
unsigned gs_tar_reader_unconfined(void);
/* That process: main() hands over to it, and returns its result, when the program was started with this word alone. Not for people. */
#define GS_TAR_READER "read-archive-apart"
int gs_tar_reader_main(void);

/* What goes into an archive of ours. */
typedef struct gs_tar_input {
    const char *name;
    bool executable;
    const void *data; /* used when fd is -1 */
    size_t len;
    int fd; /* read from offset 0, len bytes */
} gs_tar_input;

/* A deterministic tar in deterministic gzip: ustar (pax where a name needs it), sorted by the caller, uid and gid 0, mode 0644/0755,
 * mtime 0, no directories, no gzip name or time. The same input gives the same bytes. sink stays open. */
int gs_tar_gzip_write(const gs_tar_input *inputs, size_t count, gs_sink *sink, gs_error *err) GS_MUST_USE;
/* gzip of a stream, deterministic in the same way. `in` and sink stay open. */
int gs_gzip_write(gs_source *in, gs_sink *sink, gs_error *err) GS_MUST_USE;
/* A source that decodes gzip, zstd (also several members or frames) or passes plain bytes on, told from the first bytes; more than max
 * raw bytes are GS_ELIMIT. gzip's own checksum is not compared: what is decoded has a digest. Takes inner over. */
int gs_source_decompress(gs_source *inner, uint64_t max, gs_source **out, gs_error *err) GS_MUST_USE;

const char *gs_archive_version(void);

#endif
