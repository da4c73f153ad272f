/* Private keys that are not in a file but in a token or a key store. Private to src/crypto, on the build side only. */
#ifndef GAPSHIP_CRYPTO_KEY_URI_H
#define GAPSHIP_CRYPTO_KEY_URI_H

#include "openssl.h"

/* Whether a name starts with a URI's scheme. */
bool gs_key_uri_is(const char *name);
/* pkcs11:…, engine:ENGINE:KEY, or whatever else one of OpenSSL's stores knows. passphrase is asked for the PIN. Proves that the key
 * can sign. GS_ESPEC, GS_ENOTFOUND. */
int gs_key_uri_load(const char *uri, const gs_passphrase *passphrase, gs_private_key **out, gs_error *err) GS_MUST_USE;

/* OpenSSL asks for a PIN through a UI: when the key is loaded, and tokens that want it so whenever the key signs. */
typedef struct gs_key_prompt {
    UI_METHOD *method;
    const gs_passphrase *passphrase; /* NULL: none */
    char *what;
    gs_error error; /* why no PIN was given; code 0: none was asked for, or it was given */
} gs_key_prompt;

/* In key_engine.c, the one file that uses OpenSSL's deprecated engines. *holder is released after the key was freed. */
int gs_key_engine_load(const char *engine, const char *key, gs_key_prompt *prompt, EVP_PKEY **out, void **holder,
                       gs_error *err) GS_MUST_USE;
void gs_key_engine_release(void *holder);

#endif
