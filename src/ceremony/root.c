/* Roots as people hand them round: signed one after the other, and packed into a chain. What they say is in root_draft.c. */
#include <fcntl.h>

#include "gapship/ceremony.h"
#include "gapship/fs.h"
#include "gapship/limits.h"

int gs_root_emit(const char *path, const char *output, gs_tbs *out, gs_error *err)
{
    GS_AUTO_TRUST gs_trust *root = NULL;
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&encoding, GS_ROOT_ENCODING_BYTES);
    int code = gs_trust_load(path, &root, err);
    if (code == 0) {
        code = gs_trust_encoding(root, &encoding, err);
    }
    return code == 0 ? gs_tbs_write(&encoding, output, false, out, err) : code;
}

static int sign(gs_trust *root, const gs_signer *signer, gs_digest *key_id, gs_error *err)
{
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    GS_AUTO_BUF gs_buf encoding;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&encoding, GS_ROOT_ENCODING_BYTES);
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    int code = gs_trust_encoding(root, &encoding, err);
    if (code == 0) {
        code = gs_signer_sign(signer, &encoding, &key, &signature, err);
    }
    if (code == 0) {
        code = gs_trust_sign(root, key, signature.data, signature.len, err);
    }
    if (code == 0) {
        *key_id = *gs_public_key_id(key);
    }
    return code;
}

int gs_root_sign(const char *path, const gs_signer *signer, gs_digest *key_id, gs_trust **out, gs_error *err)
{
    GS_AUTO_FD int lock = -1;
    uint64_t size = 0;
    GS_AUTO_TRUST gs_trust *root = NULL;
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    int code = gs_fs_open_locked(path, false, &lock, &size, err);
    if (code == 0) {
        code = gs_trust_load(path, &root, err);
    }
    if (code == 0) {
        code = sign(root, signer, key_id, err);
    }
    if (code == 0) {
        code = gs_trust_write(root, &text, err);
    }
    if (code == 0) {
        code = gs_fs_write_file(AT_FDCWD, path, text.data, text.len, 0644, err);
    }
    if (code == 0) {
        *out = GS_STEAL(root);
    }
    return code;
}

int gs_root_bundle(const char *const *paths, size_t count, const char *output, gs_error *err)
{
    GS_AUTO_BUF gs_buf chain;
    gs_buf_init(&chain, GS_MAX_ROOTS_BYTES);
    int code = gs_trust_chain(paths, count, &chain, err);
    return code == 0 ? gs_fs_write_new(output, &chain, err) : code;
}
