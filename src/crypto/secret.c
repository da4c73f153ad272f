/* Secrets in memory: passphrases and the text of private keys. */
#include <string.h>

#include "gapship/limits.h"
#include "openssl.h"

int gs_secret_init(gs_buf *out, size_t max, gs_error *err)
{
    gs_buf_init(out, max);
    return gs_buf_reserve(out, max) ? 0 : gs_buf_check(out, err);
}

void gs_secret_done(gs_buf *secret)
{
    gs_wipe(secret->data, secret->cap);
    gs_buf_done(secret);
}

int gs_passphrase_check(const gs_buf *secret, gs_error *err)
{
    if (secret->failed == GS_ELIMIT || secret->len > GS_MAX_PASSPHRASE_BYTES) {
        return gs_fail(err, GS_ESPEC, "a passphrase has at most %u bytes", GS_MAX_PASSPHRASE_BYTES);
    }
    int code = gs_buf_check(secret, err);
    if (code != 0) {
        return code;
    }
    if (secret->len == 0) {
        return gs_fail(err, GS_ESPEC, "the passphrase is empty");
    }
    return memchr(secret->data, '\0', secret->len) ? gs_fail(err, GS_ESPEC, "the passphrase has a zero byte") : 0;
}

int gs_passphrase_get(const gs_passphrase *passphrase, const char *what, gs_buf *secret, gs_error *err)
{
    int code = passphrase->ask(passphrase->state, what, secret, err);
    return code == 0 ? gs_passphrase_check(secret, err) : code;
}
