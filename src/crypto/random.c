/* Random bytes, and the end of secrets. */
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "openssl.h"

int gs_random(void *out, size_t len, gs_error *err)
{
    int code = gs_openssl_ready(err);
    if (code != 0) {
        return code;
    }
    return RAND_bytes_ex(NULL, out, len, 0) == 1 ? 0 : gs_openssl_fail(err, GS_EINTERNAL, "no random bytes");
}

void gs_wipe(void *data, size_t len)
{
    if (data) {
        OPENSSL_cleanse(data, len);
    }
}
