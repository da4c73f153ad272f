/* Bundles for the tests of the embedded registry: blobs and manifests put in one after the other, then names, then a whole file. */
#ifndef GAPSHIP_TEST_CARGO_H
#define GAPSHIP_TEST_CARGO_H

#include "gapship/contents.h"
#include "gapship/limits.h"
#include "support.h"

#define CARGO_BLOBS 32

typedef struct cargo {
    gs_tempdir *dir;
    unsigned sequence;
    gs_buf blobs[CARGO_BLOBS];
    gs_descriptor descriptors[CARGO_BLOBS];
    size_t blob_count;
    gs_buf entries; /* of index.json */
} cargo;

void cargo_init(cargo *c, gs_tempdir *dir, unsigned sequence);
/* A blob of these bytes; where it is. The same bytes again are the same blob. media_type is a literal. */
gs_descriptor cargo_blob(cargo *c, const char *media_type, const void *data, size_t len);
gs_descriptor cargo_text(cargo *c, const char *media_type, const char *format, ...) GS_PRINTF(3, 4);
/* `{"mediaType":…,"digest":…,"size":…EXTRA}`, in memory that cmocka watches: test_free it. */
char *cargo_json(const gs_descriptor *descriptor, const char *extra);
/* A manifest with one config and one layer; extra: further keys, each with a comma before it. */
gs_descriptor cargo_image(cargo *c, const gs_descriptor *layer, const char *config_type, const char *extra);
/* Names an image in index.json; source may be NULL. */
void cargo_name(cargo *c, const gs_descriptor *image, const char *name, const char *source);
/* Adds the release, writes the file, opens and verifies it without trust. The cargo is empty afterwards. */
gs_verified *cargo_finish(cargo *c);

#endif
