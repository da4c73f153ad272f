/* Files: by directory descriptor, O_CLOEXEC | O_NOFOLLOW, complete reads and writes, and one way to publish.
 *
 * The only place of gapship that opens, renames or removes files. A failed fsync, close or rename is final for that file: it is
 * discarded, never retried on the same descriptor. Errors carry the path in `where`.
 */
#ifndef GAPSHIP_FS_H
#define GAPSHIP_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gapship/buf.h"
#include "gapship/error.h"

/* dirfd is an open directory or AT_FDCWD in every call. A path may have several components. It may end in a symbolic link only where
 * a user gave it, that is, relative to AT_FDCWD or absolute; below an open directory no last link is followed (GS_ESPEC). */

/* Opens for reading; the path may be any path a user gave. Refuses what is not a regular file (a block device too when
 * allow_block). *size gets the length. The fd is the caller's. GS_ENOTFOUND when absent. */
int gs_fs_open_read(int dirfd, const char *path, bool allow_block, int *fd, uint64_t *size, gs_error *err) GS_MUST_USE;
/* Opens for reading and writing in place and locks exclusively until the descriptor and its duplicates are closed; made (0644) when absent
 * and create. *size gets the length. GS_ELOCKED: another process has it. GS_ENOTFOUND, GS_ESPEC: absent, or not a regular file. */
int gs_fs_open_locked(const char *path, bool create, int *fd, uint64_t *size, gs_error *err) GS_MUST_USE;
/* Opens a directory (any path). */
int gs_fs_open_dir(int dirfd, const char *path, int *fd, gs_error *err) GS_MUST_USE;
/* Makes a directory and its parents with mode (umask applies) unless there; fsyncs each parent it changed. */
int gs_fs_make_dirs(int dirfd, const char *path, mode_t mode, gs_error *err) GS_MUST_USE;
/* For unpacking into a private directory that can be unpacked again: path is below dirfd and passes gs_path_valid (else GS_ESPEC), its
 * parents are made (0755), no symbolic link is followed, nothing is synced. The file must not exist (GS_EEXISTS); it gets mode whatever
 * the umask is. */
int gs_fs_create_below(int dirfd, const char *path, mode_t mode, int *fd, gs_error *err) GS_MUST_USE;
/* The same for a directory, which may exist. */
int gs_fs_make_below(int dirfd, const char *path, gs_error *err) GS_MUST_USE;
/* Reads a whole regular file into buf (which has its own maximum). */
int gs_fs_read_file(int dirfd, const char *path, gs_buf *out, gs_error *err) GS_MUST_USE;
/* The same for a secret: GS_ESPEC when the group or others may read it, or it is another user's. The caller wipes the buffer. */
int gs_fs_read_secret(int dirfd, const char *path, gs_buf *out, gs_error *err) GS_MUST_USE;
/* The check alone, of an open file. */
int gs_fs_check_secret(int fd, gs_error *err) GS_MUST_USE;
/* Writes a new file or replaces an old one by temp, fsync, rename, fsync of the directory. */
int gs_fs_write_file(int dirfd, const char *path, const void *data, size_t len, mode_t mode, gs_error *err) GS_MUST_USE;
/* A file (0644) that somebody asked for and that must not be there yet: GS_EEXISTS. */
int gs_fs_write_new(const char *path, const gs_buf *data, gs_error *err) GS_MUST_USE;

/* Exactly len bytes at offset; a short file is GS_EIO ("ends early"). */
int gs_fs_pread(int fd, void *out, size_t len, uint64_t offset, gs_error *err) GS_MUST_USE;
int gs_fs_pwrite(int fd, const void *data, size_t len, uint64_t offset, gs_error *err) GS_MUST_USE;
/* Copies len bytes between files inside the kernel where it can (copy_file_range), else through a buffer. Leaves both file positions
 * alone. A short source is GS_EIO. */
int gs_fs_copy_range(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t len, gs_error *err) GS_MUST_USE;
/* Begins to bring what was written there to the disk, so that a later sync has little left to wait for. Promises nothing. */
void gs_fs_write_behind(int fd, uint64_t offset, uint64_t len);
/* Sets the length and reserves the room (where the file system can). GS_ENOSPACE when there is none; then nothing was reserved. */
int gs_fs_allocate(int fd, uint64_t size, gs_error *err) GS_MUST_USE;
int gs_fs_sync(int fd, gs_error *err) GS_MUST_USE;
/* Closes and reports what close says. *fd becomes -1. */
int gs_fs_close(int *fd, gs_error *err) GS_MUST_USE;
/* Closes ignoring errors: for files only read from, and for cleanup. Keeps errno. */
void gs_fs_close_p(int *fd);
#define GS_AUTO_FD __attribute__((cleanup(gs_fs_close_p)))

bool gs_fs_exists(int dirfd, const char *path);
/* Removes a file; absent is no error. */
int gs_fs_remove(int dirfd, const char *path, gs_error *err) GS_MUST_USE;
/* Removes a directory with all below, never crossing a symbolic link or a mount; absent is no error. */
int gs_fs_remove_tree(int dirfd, const char *path, gs_error *err) GS_MUST_USE;
/* Free bytes and inodes of the file system that holds dirfd; UINT64_MAX inodes where it does not count them. */
int gs_fs_space(int dirfd, uint64_t *bytes, uint64_t *inodes, gs_error *err) GS_MUST_USE;

/* A file that becomes visible whole or not at all. Zero-initialise `file` (fd = -1) by GS_NEWFILE_INIT. */
typedef struct gs_newfile {
    int fd;          /* write here */
    int dirfd;       /* borrowed */
    char *name;      /* the final name */
    char *temporary; /* its name until then, in the same directory */
} gs_newfile;
#define GS_NEWFILE_INIT                                                                                                            \
    {                                                                                                                              \
        .fd = -1, .dirfd = -1                                                                                                      \
    }

/* Starts: `.NAME.RANDOM.tmp` beside the final name, mode as given whatever the umask is. */
int gs_newfile_begin(gs_newfile *file, int dirfd, const char *name, mode_t mode, gs_error *err) GS_MUST_USE;
/* fsync, close, rename (GS_EEXISTS when the name exists and replace is false), fsync of the directory. Ends with gs_newfile_done in
 * every case. */
int gs_newfile_commit(gs_newfile *file, bool replace, gs_error *err) GS_MUST_USE;
/* Drops what was not committed; safe on anything. */
void gs_newfile_done(gs_newfile *file);
#define GS_AUTO_NEWFILE __attribute__((cleanup(gs_newfile_done)))

/* A private directory (0700) under $TMPDIR or /tmp, removed with all below by gs_tempdir_done; those that killed processes of this user
 * left there go when the next one is made. */
typedef struct gs_tempdir {
    int fd;
    char *path;
} gs_tempdir;
#define GS_TEMPDIR_INIT                                                                                                            \
    {                                                                                                                              \
        .fd = -1                                                                                                                   \
    }
int gs_tempdir_make(gs_tempdir *dir, gs_error *err) GS_MUST_USE;
void gs_tempdir_done(gs_tempdir *dir);
#define GS_AUTO_TEMPDIR __attribute__((cleanup(gs_tempdir_done)))

/* One regular file found by gs_fs_walk: path relative to the start, in byte order of the whole paths. */
typedef struct gs_fs_entry {
    const char *path;
    uint64_t size;
    bool executable;
} gs_fs_entry;
/* All regular files below a directory, sorted; symbolic links and special files are GS_ESPEC naming the path; at most max_entries
 * (GS_ELIMIT). Names that gs_path_valid refuses are GS_ESPEC. Directories called ".git" are passed over. Entries live in arena. */
int gs_fs_walk(int dirfd, size_t max_entries, gs_arena *arena, gs_fs_entry **entries, size_t *count, gs_error *err) GS_MUST_USE;

/* The regular files of one directory (not below it), sorted by name, at most GS_MAX_ARCHIVE_ENTRIES; links and special files are
 * passed over. In arena. */
int gs_fs_list(int dirfd, const char *path, gs_arena *arena, gs_fs_entry **entries, size_t *count, gs_error *err) GS_MUST_USE;
/* The absolute path with every link resolved, malloc'ed; NULL when it does not exist, or when out of memory. */
char *gs_fs_real_path(const char *path);

/* An exclusive lock on a file, held until gs_filelock_release or the end of the process (the kernel frees it; there are no stale
 * locks). Busy: GS_ELOCKED, naming the holder that wrote its pid and start time into the file. */
typedef struct gs_filelock {
    int fd;
} gs_filelock;
#define GS_FILELOCK_INIT                                                                                                           \
    {                                                                                                                              \
        .fd = -1                                                                                                                   \
    }
int gs_filelock_acquire(gs_filelock *lock, int dirfd, const char *name, gs_error *err) GS_MUST_USE;
void gs_filelock_release(gs_filelock *lock);
#define GS_AUTO_FILELOCK __attribute__((cleanup(gs_filelock_release)))

#endif
