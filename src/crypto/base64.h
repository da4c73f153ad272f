/* Base64 of a known length. Private to src/crypto. */
#ifndef GAPSHIP_CRYPTO_BASE64_H
#define GAPSHIP_CRYPTO_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Characters of the base64 of count bytes. */
#define GS_BASE64_LENGTH(count) (((count) + 2) / 3 * 4)
/* Whether text, all text_len characters of it, is the base64 of exactly len bytes; out has them then. Strict, and without memory of its
 * own. */
bool gs_base64_decode_exactly(const char *text, size_t text_len, unsigned char *out, size_t len);

#endif
