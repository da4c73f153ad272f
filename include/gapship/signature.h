/* Signatures as people come by them: made here with a key that has a name, or made elsewhere and handed in as a file. Both are of the
 * bytes of a pre-authentication encoding (trust.h), and neither is believed before it verified.
 */
#ifndef GAPSHIP_SIGNATURE_H
#define GAPSHIP_SIGNATURE_H

#include "gapship/crypto.h"

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

/* How a signature comes about. */
typedef struct gs_signer {
    const char *key;                 /* the private key (gs_private_key_load); beside a file the file of the public key */
    const char *file;                /* holds a signature that was made elsewhere; NULL: it is made here */
    const gs_passphrase *passphrase; /* of the private key; may be NULL */
} gs_signer;
/* Appends the signature over data; *key gets the public key that it verifies with, the caller's. GS_ESIGNATURE: the one in the file is
 * not over these bytes. */
int gs_signer_sign(const gs_signer *signer, const gs_buf *data, gs_public_key **key, gs_buf *signature, gs_error *err) GS_MUST_USE;

/* What is to be signed elsewhere, to be compared on both sides of the way it takes. */
typedef struct gs_tbs {
    gs_digest digest;
    size_t size;
} gs_tbs;
/* Writes the bytes to be signed to a file. GS_EEXISTS unless replace. */
int gs_tbs_write(const gs_buf *data, const char *path, bool replace, gs_tbs *out, gs_error *err) GS_MUST_USE;

#endif
