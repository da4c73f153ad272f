/* What is signed of a bundle. Private to src/builder. */
#ifndef GAPSHIP_BUILDER_SIGN_H
#define GAPSHIP_BUILDER_SIGN_H

#include "gapship/bundle.h"

/* The signed bytes of a finished bundle, whose head is found to be whole, and the bundle's digest. Reading takes the lock where a
 * signature is to follow: who adds one at the same moment leaves the head in between half written. */
typedef struct gs_signable {
    gs_buf statement, encoding;
    gs_digest digest;
} gs_signable;
void gs_signable_init(gs_signable *signable);
int gs_signable_read(const char *bundle, bool to_sign, gs_signable *signable, gs_error *err) GS_MUST_USE;
void gs_signable_done(gs_signable *signable);
#define GS_AUTO_SIGNABLE __attribute__((cleanup(gs_signable_done)))

#endif
