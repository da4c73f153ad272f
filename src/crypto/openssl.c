/* OpenSSL's error queue as gapship's errors, and its version. */
#include "openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

int gs_openssl_fail(gs_error *err, int code, const char *what)
{
    unsigned long first = ERR_peek_error();
    const char *reason = first ? ERR_reason_error_string(first) : NULL;
    bool memory = first && ERR_GET_REASON(first) == ERR_R_MALLOC_FAILURE;
    ERR_clear_error();
    if (memory) {
        return gs_fail_nomem(err);
    }
    return reason ? gs_fail(err, code, "%s: %s", what, reason) : gs_fail(err, code, "%s", what);
}

const char *gs_crypto_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
