/* Signing statements. */
#ifndef GAPSHIP_BUNDLE_SIGNATURES_H
#define GAPSHIP_BUNDLE_SIGNATURES_H

#include "envelope.h"
#include "gapship/bundle.h"

/* Appends the envelope's data, envelope_size bytes: header, statement, chain, one signature by each key, zeros. GS_EEXISTS: a key
 * twice. GS_ELIMIT: no room. */
int gs_envelope_sign(const gs_envelope_parts *parts, size_t envelope_size, const gs_private_key *const *keys, size_t key_count,
                     gs_buf *out, gs_error *err) GS_MUST_USE;

#endif
