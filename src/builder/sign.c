/* `gapship sign`: one more signature in the space a finished bundle reserves. */
#include "gapship/build.h"
#include "gapship/bundle.h"
#include "gapship/limits.h"

int gs_sign_bundle(const gs_run *run, const char *path, const char *key_name, const gs_passphrase *passphrase, gs_digest *key_id,
                   gs_error *err)
{
    (void)run;
    gs_private_key *key = NULL;
    gs_public_key *public_key = NULL;
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    GS_AUTO_BUF gs_buf statement;
    GS_AUTO_BUF gs_buf encoding;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&statement, GS_MAX_STATEMENT_BYTES);
    gs_buf_init(&encoding, GS_MAX_STATEMENT_BYTES + GS_KIB(1));
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    int rc = gs_private_key_load(key_name, passphrase, &key, err);
    if (rc == 0) {
        rc = gs_private_key_public(key, &public_key, err);
    }
    if (rc == 0) {
        rc = gs_bundle_open(path, &bundle, err);
    }
    if (rc == 0) {
        rc = gs_bundle_verify(&bundle, &(gs_terms){0}, &verified, err);
    }
    if (rc == 0) {
        rc = gs_verified_statement_bytes(verified, &statement, &encoding, err);
    }
    if (rc == 0) {
        rc = gs_sign(key, encoding.data, encoding.len, &signature, err);
    }
    if (rc == 0) {
        rc = gs_bundle_add_signature(path, public_key, signature.data, signature.len, err);
    }
    if (rc == 0) {
        *key_id = *gs_public_key_id(public_key);
    }
    gs_public_key_free(public_key);
    gs_private_key_free(key);
    return rc;
}
