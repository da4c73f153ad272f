/* One signature, whether it is made here or was made elsewhere, and what is taken there to be signed. */
#include <fcntl.h>

#include "gapship/fs.h"
#include "gapship/signature.h"

static int make(const gs_signer *signer, const gs_buf *data, gs_public_key **public_key, gs_buf *signature, gs_error *err)
{
    GS_AUTO_PRIVATE_KEY gs_private_key *key = NULL;
    int code = gs_private_key_load(signer->key, signer->passphrase, &key, err);
    if (code == 0) {
        code = gs_private_key_public(key, public_key, err);
    }
    return code == 0 ? gs_sign(key, data->data, data->len, signature, err) : code;
}

static int take(const gs_signer *signer, const gs_buf *data, gs_public_key **public_key, gs_buf *signature, gs_error *err)
{
    GS_AUTO_SIGNATURE_FILE gs_signature_file given = {0};
    const gs_buf *fits = NULL;
    int code = gs_public_key_load(signer->key, public_key, err);
    if (code == 0) {
        code = gs_signature_file_read(signer->file, gs_public_key_type(*public_key), &given, err);
    }
    if (code == 0) {
        code = gs_signature_file_fit(&given, *public_key, data, &fits, err);
    }
    if (code == GS_ESIGNATURE) {
        (void)gs_error_at(err, "%s", signer->file);
        (void)gs_error_hint(err, "what is to be signed is what --emit-tbs writes, whole and as it is");
    }
    if (code == 0) {
        gs_buf_add(signature, fits->data, fits->len);
        code = gs_buf_check(signature, err);
    }
    return code;
}

int gs_signer_sign(const gs_signer *signer, const gs_buf *data, gs_public_key **key, gs_buf *signature, gs_error *err)
{
    GS_AUTO_PUBLIC_KEY gs_public_key *own = NULL;
    int code = signer->file ? take(signer, data, &own, signature, err) : make(signer, data, &own, signature, err);
    if (code == 0) {
        *key = GS_STEAL(own);
    }
    return code;
}

int gs_tbs_write(const gs_buf *data, const char *path, bool replace, gs_tbs *out, gs_error *err)
{
    gs_tbs tbs = {.size = data->len};
    int code = gs_digest_of(data->data, data->len, &tbs.digest, err);
    if (code == 0) {
        code = replace ? gs_fs_write_file(AT_FDCWD, path, data->data, data->len, 0644, err) : gs_fs_write_new(path, data, err);
    }
    if (code == 0) {
        *out = tbs;
    }
    return code;
}
