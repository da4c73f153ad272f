/* Tar headers as the format has them: a function of name and size. */
#ifndef GAPSHIP_BUNDLE_TAR_H
#define GAPSHIP_BUNDLE_TAR_H

#include "format.h"
#include "gapship/bundle.h"

void gs_tar_header(const char *name, uint64_t size, unsigned char out[GS_BLOCK]);
/* Bytes of padding after data of this size. */
size_t gs_tar_padding(uint64_t size);
/* Where the data of the next member starts, or, plus GS_END_BYTES less one block, where the file ends. False: beyond any file. */
bool gs_tar_next(uint64_t offset, uint64_t size, uint64_t *next);

#endif
