/* Trees of small files and their packing. Private to src/builder. */
#ifndef GAPSHIP_BUILDER_PACK_H
#define GAPSHIP_BUILDER_PACK_H

#include "gapship/archive.h"
#include "gapship/crypto.h"
#include "gapship/fs.h"

/* Files to be packed, in the order added (which is the order in the archive). Content lives in the arena. */
typedef struct gs_tree {
    gs_tar_input *items;
    size_t count, room;
    uint64_t total;
} gs_tree;

int gs_tree_add(gs_tree *tree, gs_arena *arena, const char *name, const gs_tar_input *content, gs_error *err) GS_MUST_USE;
int gs_tree_add_file(gs_tree *tree, gs_arena *arena, int dirfd, const char *path, const char *name, bool executable,
                     gs_error *err) GS_MUST_USE;
/* All files below a directory, sorted, under PREFIX/. */
int gs_tree_add_directory(gs_tree *tree, gs_arena *arena, const char *directory, const char *prefix, gs_error *err) GS_MUST_USE;

/* tar+gzip, zstd; both the same bytes for the same input. */
int gs_pack_tree(const gs_tree *tree, const char *path, gs_error *err) GS_MUST_USE;
int gs_pack_file(const char *from, const char *path, gs_error *err) GS_MUST_USE;
/* Digest and size of a file. */
int gs_pack_measure(const char *path, gs_digest *digest, uint64_t *size, gs_error *err) GS_MUST_USE;
int gs_unpack_tree(const char *path, const char *directory, gs_error *err) GS_MUST_USE;

#endif
