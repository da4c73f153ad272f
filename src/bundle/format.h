/* The numbers of bundle-spec/FORMAT.md. Bounds on what comes from outside are in gapship/limits.h. */
#ifndef GAPSHIP_BUNDLE_FORMAT_H
#define GAPSHIP_BUNDLE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gapship/limits.h"

#define GS_FORMAT_VERSION 1u

#define GS_BLOCK     512u
#define GS_END_BYTES (2 * GS_BLOCK)

#define GS_ENVELOPE_MAGIC  "GAPSHIP1"
#define GS_PARTIAL_MAGIC   "GSPARTL1"
#define GS_INDEX_MAGIC     "GSINDEX1"
#define GS_MAGIC_BYTES     8u
#define GS_ENVELOPE_HEADER 64u
#define GS_SIGNATURE_ROOM  GS_KIB(16)

#define GS_VOLUME_VERSION 1u

#define GS_INDEX_VERSION 1u
#define GS_INDEX_HEADER  24u
#define GS_INDEX_ENTRY   72u
#define GS_CHUNK_LOG2    22u
#define GS_FIRST_BLOB    3u /* entries before the first blob */

#define GS_ENVELOPE_OFFSET GS_BLOCK

#define GS_OCI_LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"

#define GS_NAME_ENVELOPE "gapship/envelope"
#define GS_NAME_INDEX    "gapship/index"

_Static_assert(GS_CHUNK_BYTES == (size_t)1 << GS_CHUNK_LOG2, "the chunk size is part of the format");

#endif
