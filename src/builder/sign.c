/* Signing a finished bundle: by a key at hand, into the space it reserves; or by writing down what a key elsewhere is to sign. */
#include "sign.h"

#include <fcntl.h>

#include "gapship/build.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/signature.h"

void gs_signable_init(gs_signable *signable)
{
    gs_buf_init(&signable->statement, GS_MAX_STATEMENT_BYTES);
    gs_buf_init(&signable->encoding, GS_MAX_STATEMENT_BYTES + GS_KIB(1));
}

void gs_signable_done(gs_signable *signable)
{
    gs_buf_done(&signable->statement);
    gs_buf_done(&signable->encoding);
}

int gs_signable_read(const char *path, bool to_sign, gs_signable *signable, gs_error *err)
{
    GS_AUTO_FD int lock = -1;
    uint64_t size = 0;
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    int code = to_sign ? gs_fs_open_locked(path, false, &lock, &size, err) : 0;
    if (code == 0) {
        code = gs_bundle_open(path, &bundle, err);
    }
    if (code == 0) {
        code = gs_bundle_verify(&bundle, &(gs_terms){0}, &verified, err);
    }
    if (code == 0) {
        signable->digest = *gs_verified_digest(verified);
        code = gs_verified_statement_bytes(verified, &signable->statement, &signable->encoding, err);
    }
    return code;
}

int gs_sign_bundle(const char *path, const char *key_name, const gs_passphrase *passphrase, gs_digest *key_id, gs_error *err)
{
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    GS_AUTO_SIGNABLE gs_signable signable;
    GS_AUTO_BUF gs_buf signature;
    gs_signable_init(&signable);
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    int code = gs_signable_read(path, true, &signable, err);
    if (code == 0) {
        code = gs_signer_sign(&(gs_signer){.key = key_name, .passphrase = passphrase}, &signable.encoding, &key, &signature, err);
    }
    if (code == 0) {
        code = gs_bundle_add_signature(path, key, signature.data, signature.len, err);
    }
    if (code == 0) {
        *key_id = *gs_public_key_id(key);
    }
    return code;
}

int gs_bundle_emit(const char *bundle, const char *path, bool replace, gs_digest *digest, gs_tbs *out, gs_error *err)
{
    GS_AUTO_SIGNABLE gs_signable signable;
    gs_signable_init(&signable);
    int code = gs_signable_read(bundle, false, &signable, err);
    if (code == 0) {
        code = gs_tbs_write(&signable.encoding, path, replace, out, err);
    }
    if (code == 0) {
        *digest = signable.digest;
    }
    return code;
}
