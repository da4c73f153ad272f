/* The root document (FORMAT.md section 8) as the module's files share it. */
#ifndef GAPSHIP_TRUST_ROOT_H
#define GAPSHIP_TRUST_ROOT_H

#include "gapship/buf.h"
#include "gapship/trust.h"

#define GS_ROOT_TYPE       "gapship-root"
#define GS_LARGEST_COUNTER ((UINT64_C(1) << 53) - 1) /* what every JSON reader can hold */

typedef struct gs_root_signature {
    const char *key_id;
    const char *signature;
} gs_root_signature;

struct gs_trust {
    gs_arena *arena; /* everything but the keys */
    uint64_t version, epoch;
    int64_t expires;
    gs_public_key **keys; /* each owned */
    size_t key_count;
    gs_trust_role roles[GS_ROLES];
    gs_root_signature *signatures; /* kept for later versions */
    size_t signature_count;
};

int gs_trust_new(gs_trust **out, gs_error *err) GS_MUST_USE;

#endif
