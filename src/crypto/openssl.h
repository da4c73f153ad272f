/* What the crypto module's own files share about OpenSSL. */
#ifndef GAPSHIP_CRYPTO_OPENSSL_H
#define GAPSHIP_CRYPTO_OPENSSL_H

#include <openssl/types.h>

#include "gapship/crypto.h"

#define GS_ED25519_POINT   32
#define GS_MINISIGN_NUMBER 8

struct gs_public_key {
    EVP_PKEY *handle;
    gs_key_type type;
    gs_digest id;
    unsigned char number[GS_MINISIGN_NUMBER]; /* of minisign alone */
};

struct gs_private_key {
    EVP_PKEY *handle;
    gs_key_type type;
    void (*release)(void *holder); /* what a key inside a token needs as long as it lives; may be NULL */
    void *holder;
};

typedef struct gs_span {
    const void *data;
    size_t len;
} gs_span;

/* Whether OpenSSL could start itself. Where it could not, for lack of memory, its functions crash: called before those that need its
 * default context. */
int gs_openssl_ready(gs_error *err) GS_MUST_USE;
/* An OpenSSL call failed: "WHAT: reason", and this thread's queue of OpenSSL errors is emptied. Out of memory is GS_ENOMEM whatever
 * code says. */
int gs_openssl_fail(gs_error *err, int code, const char *what);

/* Takes handle over, on failure too: finds its type, refuses what gapship does not accept (GS_ESPEC), computes the key id. */
int gs_public_key_wrap(EVP_PKEY *handle, gs_public_key **out, gs_error *err) GS_MUST_USE;
int gs_private_key_wrap(EVP_PKEY *handle, gs_private_key **out, gs_error *err) GS_MUST_USE;

/* A context ready to sign or verify with the key's own algorithm and parameters. */
int gs_signing_context(EVP_PKEY *handle, gs_key_type type, bool verify, EVP_MD_CTX **out, gs_error *err) GS_MUST_USE;
/* A signature by the algorithm of a type that is not minisign's. */
int gs_plain_verify(EVP_PKEY *handle, gs_key_type type, gs_span message, gs_span signature, gs_error *err) GS_MUST_USE;

/* Asks, and refuses what cannot be a passphrase. secret was made by gs_secret_init. */
int gs_passphrase_get(const gs_passphrase *passphrase, const char *what, gs_buf *secret, gs_error *err) GS_MUST_USE;
/* That a passphrase is neither empty nor too long nor has a NUL. */
int gs_passphrase_check(const gs_buf *secret, gs_error *err) GS_MUST_USE;

#endif
