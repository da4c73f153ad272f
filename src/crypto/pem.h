/* One key in a PEM file. Private to src/crypto. */
#ifndef GAPSHIP_CRYPTO_PEM_H
#define GAPSHIP_CRYPTO_PEM_H

#include "openssl.h"

/* That text is not another kind of file (GS_ESPEC), and has exactly one whole PEM block: of a public key, or of a private one, which
 * may then be encrypted. */
int gs_pem_check(const gs_buf *text, bool public, bool *encrypted, gs_error *err) GS_MUST_USE;
/* Reads what gs_pem_check let pass and is not encrypted. */
int gs_pem_decode(const gs_buf *text, bool public, EVP_PKEY **out, gs_error *err) GS_MUST_USE;
int gs_pem_encode(EVP_PKEY *handle, bool public, gs_buf *out, gs_error *err) GS_MUST_USE;
/* GS_ESPEC "the key cannot be read: REASON". */
int gs_pem_unreadable(gs_error *err);

#endif
