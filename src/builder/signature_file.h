/* A signature that was made elsewhere, in the forms in which it may be meant. Private to src/builder. */
#ifndef GAPSHIP_BUILDER_SIGNATURE_FILE_H
#define GAPSHIP_BUILDER_SIGNATURE_FILE_H

#include "gapship/crypto.h"

#define GS_SIGNATURE_FORMS 4
/* forms[0] is the file as it is. */
typedef struct gs_signature_file {
    gs_buf forms[GS_SIGNATURE_FORMS];
    size_t count;
} gs_signature_file;

/* Reads a file with a signature by a key of this type. GS_ESPEC: it is empty, or plainly something else: which. */
int gs_signature_file_read(const char *path, gs_key_type type, gs_signature_file *out, gs_error *err) GS_MUST_USE;
/* Safe on zeros. */
void gs_signature_file_done(gs_signature_file *file);
#define GS_AUTO_SIGNATURE_FILE __attribute__((cleanup(gs_signature_file_done)))

#endif
