/* Signatures as people come by them: made here with a key that has a name, or made elsewhere and handed in as a file. Both are of the
 * bytes of a pre-authentication encoding (trust.h), and neither is believed before it verified.
 */
#ifndef GAPSHIP_SIGNATURE_H
#define GAPSHIP_SIGNATURE_H

#include "gapship/crypto.h"

/* Signs with the private key of this name (gs_private_key_load); passphrase may be NULL. *public_key is the caller's. */
int gs_sign_by_name(const char *name, const gs_passphrase *passphrase, const gs_buf *data, gs_public_key **public_key,
                    gs_buf *signature, gs_error *err) GS_MUST_USE;

/* A signature that was made elsewhere, in the forms in which it may be meant: the bytes of the file, the same decoded from base64, and
 * for elliptic curves r and s side by side, as tokens write them, as the SEQUENCE that FORMAT.md wants. forms[0] is the file as it is. */
#define GS_SIGNATURE_FORMS 4
typedef struct gs_signature_file {
    gs_buf forms[GS_SIGNATURE_FORMS];
    size_t count;
} gs_signature_file;
/* Reads a file (at most GS_MAX_KEY_FILE_BYTES) with a signature by a key of this type. GS_ESPEC: it is empty, or plainly something else:
 * which. */
int gs_signature_file_read(const char *path, gs_key_type type, gs_signature_file *out, gs_error *err) GS_MUST_USE;
/* The form that verifies; borrowed. GS_ESIGNATURE: none does. */
int gs_signature_file_fit(const gs_signature_file *file, const gs_public_key *key, const gs_buf *data, const gs_buf **out,
                          gs_error *err) GS_MUST_USE;
/* Safe on zeros. */
void gs_signature_file_done(gs_signature_file *file);
#define GS_AUTO_SIGNATURE_FILE __attribute__((cleanup(gs_signature_file_done)))

#endif
