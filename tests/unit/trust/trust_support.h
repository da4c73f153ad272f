/* Keys, roots and their signatures for the tests of the trust module. */
#ifndef GAPSHIP_TEST_TRUST_SUPPORT_H
#define GAPSHIP_TEST_TRUST_SUPPORT_H

#include "gapship/trust.h"
#include "support.h"

#define TRUST_KEYS 6

/* Key 0, 2, 4 Ed25519, 1, 3, 5 ECDSA P-256; there between trust_enter and trust_leave, a group's setup and teardown. */
extern struct trust_keys {
    gs_private_key *private[TRUST_KEYS];
    gs_public_key *public[TRUST_KEYS];
} trust_keys;
int trust_enter(void **state);
int trust_leave(void **state);

/* A signature by key i over what is signed of a body of this type. */
void trust_sign_body(size_t i, gs_document_type type, const void *body, size_t len, gs_buf *out);

/* A root whose root role is `count` keys from `first` on, with a threshold; they have the release role as well. */
typedef struct trust_spec {
    uint64_t version, epoch;
    size_t first, count;
    unsigned threshold;
} trust_spec;
gs_trust *trust_root(const trust_spec *spec);
/* Adds the signature of key i. */
void trust_sign(gs_trust *trust, size_t i);

#endif
