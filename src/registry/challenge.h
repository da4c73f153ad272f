/* WWW-Authenticate, taken apart. */
#ifndef GS_REGISTRY_CHALLENGE_H
#define GS_REGISTRY_CHALLENGE_H

#include "gapship/buf.h"

/* Members are NULL when absent. */
typedef struct gs_challenge {
    const char *scheme;
    const char *realm;
    const char *service;
    const char *scope;
    const char *error;
} gs_challenge;

#define GS_MAX_CHALLENGES 16u

/* The challenges of one header's value (RFC 7235 section 4.1), strings in arena; what follows a syntax error is left out. At most
 * GS_MAX_CHALLENGES. *count stays on failure (GS_ENOMEM only), and is added to, so that several headers can be collected. */
int gs_challenges_parse(const char *value, gs_arena *arena, gs_challenge out[GS_MAX_CHALLENGES], size_t *count,
                        gs_error *err) GS_MUST_USE;

#endif
