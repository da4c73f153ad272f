/* minisign's two files. Private to src/crypto. */
#ifndef GAPSHIP_CRYPTO_MINISIGN_H
#define GAPSHIP_CRYPTO_MINISIGN_H

#include "openssl.h"

/* What a .pub file says. */
typedef struct gs_minisign_key {
    unsigned char number[GS_MINISIGN_NUMBER];
    unsigned char point[GS_ED25519_POINT];
} gs_minisign_key;

/* Whether a text means to be one of minisign's files, so that errors can speak of minisign. */
bool gs_minisign_is_text(const char *text);
/* What a text of minisign is: "a minisign secret key". */
const char *gs_minisign_what(const char *text, size_t len);
/* An untrusted comment and the key in base64, or that line alone. GS_ESPEC. */
int gs_minisign_parse_key(const char *text, size_t len, gs_minisign_key *out, gs_error *err) GS_MUST_USE;
/* The line alone. */
int gs_minisign_write_key(const gs_minisign_key *key, gs_buf *out, gs_error *err) GS_MUST_USE;
/* In key.c. */
int gs_public_key_from_minisign(const gs_minisign_key *minisign, gs_public_key **out, gs_error *err) GS_MUST_USE;
/* key is one of minisign; signature is the content of a .minisig file. GS_ESIGNATURE says why not. */
int gs_minisign_verify(const gs_public_key *key, gs_span message, gs_span signature, gs_error *err) GS_MUST_USE;

#endif
