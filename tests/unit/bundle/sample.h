/* A small bundle for the tests of the bundle module: blobs of chosen sizes with known content, keys, and a finished file. */
#ifndef GAPSHIP_TEST_SAMPLE_H
#define GAPSHIP_TEST_SAMPLE_H

#include "gapship/bundle.h"
#include "gapship/limits.h"
#include "support.h"

#define SAMPLE_MAX_BLOBS 10

typedef struct sample {
    gs_tempdir *dir;
    char path[512]; /* of the bundle */
    gs_buf blobs[SAMPLE_MAX_BLOBS];
    gs_descriptor descriptors[SAMPLE_MAX_BLOBS];
    size_t blob_count;
    gs_buf index; /* of sample_release */
    gs_writer_plan plan;
    gs_private_key *private[2]; /* Ed25519, ECDSA P-256 */
    gs_public_key *public[2];
    gs_trust *trust; /* of the first key */
} sample;

/* Blob i is sizes[i] bytes; sizes end with SAMPLE_END. The plan is complete. */
#define SAMPLE_END UINT64_MAX
void sample_init(sample *s, gs_tempdir *dir, const uint64_t *sizes);
void sample_done(sample *s);
/* An ordinary small one: empty, tiny, a block, more than a block. */
extern const uint64_t sample_sizes[];

/* Makes blob i of this text; the blobs before it are there already. */
void sample_text(sample *s, size_t i, const char *text);
/* Makes the bundle a whole release of what its statement says: blobs 0 to 3, and the index that names them. `lock` is what stands behind
 * the lock's kind (",\"images\":[…]"), `more` what stands behind the release in the index (",{…}"). */
void sample_release(sample *s, const char *lock, const char *more);

/* Begins, puts all blobs, seals with the first key_count keys. */
void sample_write(sample *s, size_t key_count);
void sample_put(sample *s, gs_writer *writer, size_t blob);
/* Opens and verifies with s->trust. */
int sample_verify(const sample *s, gs_verified **out, gs_error *err);
/* A trust of the first `count` keys with a threshold. */
void sample_trust(sample *s, size_t count, unsigned threshold);

/* The bundle as bytes, changed, and written back. */
void sample_read(const sample *s, gs_buf *out);
void sample_replace(const sample *s, const gs_buf *bytes);
void sample_flip(const sample *s, uint64_t offset, unsigned char mask);
/* Signs a file again whose statement was exchanged or changed: the envelope is made anew around it, of the same size. */
void sample_forge(sample *s, gs_buf *bytes, const char *statement, size_t len);

#endif
