/* OpenSSL's error queue as gapship's errors, and its version. */
#include "openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

void gs_crypto_start(void)
{
#ifndef GAPSHIP_BUILDER
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
#endif
}

int gs_openssl_ready(gs_error *err)
{
    return OSSL_LIB_CTX_get0_global_default() ? 0 : gs_fail_nomem(err);
}

int gs_openssl_fail(gs_error *err, int code, const char *what)
{
    unsigned long first = ERR_get_error();
    bool memory = false;
    /* Lack of memory often stands behind what OpenSSL made of it. */
    for (unsigned long next = first; next != 0; next = ERR_get_error()) {
        memory = memory || ERR_GET_REASON(next) == ERR_R_MALLOC_FAILURE;
    }
    if (memory) {
        return gs_fail_nomem(err);
    }
    const char *reason = first ? ERR_reason_error_string(first) : NULL;
    return reason ? gs_fail(err, code, "%s: %s", what, reason) : gs_fail(err, code, "%s", what);
}

const char *gs_crypto_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
