/* What the store's files share. */
#ifndef GAPSHIP_STORE_INTERNAL_H
#define GAPSHIP_STORE_INTERNAL_H

#include "gapship/store.h"

#define GS_STORE_BUNDLES "bundles"
#define GS_STORE_SUFFIX  ".gapship"

struct gs_store {
    char *path;
    int fd;      /* the store */
    int bundles; /* its directory of bundles */
};

/* "HEX.gapship" */
#define GS_STORE_NAME (GS_DIGEST_HEX + sizeof GS_STORE_SUFFIX - 1)
void gs_store_name(const gs_digest *digest, char out[GS_STORE_NAME]);

#endif
