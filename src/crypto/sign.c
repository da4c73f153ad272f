/* Signing and verifying. The algorithm follows from the key alone: nothing here takes it from a signature or a bundle. */
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <stdio.h>

#include "gapship/limits.h"
#include "minisign.h"

/* NULL: the scheme hashes by itself. */
static const char *digest_name(gs_key_type type)
{
    switch (type) {
    case GS_KEY_ED25519:
    case GS_KEY_MINISIGN:
        return NULL;
    case GS_KEY_ECDSA_P384:
        return "SHA384";
    case GS_KEY_ECDSA_P256:
    case GS_KEY_RSA_PSS:
        break;
    }
    return "SHA256";
}

static bool set_pss(EVP_PKEY_CTX *parameters)
{
    return EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, EVP_sha256()) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) > 0;
}

/* A key of a token's provider signs there. Without being told so OpenSSL takes its own implementation of the algorithm, to which such a
 * key gives its public half only. */
static const char *own_provider(EVP_PKEY *handle, char *out, size_t size)
{
    const OSSL_PROVIDER *provider = EVP_PKEY_get0_provider(handle);
    if (!provider) {
        return NULL;
    }
    (void)snprintf(out, size, "?provider=%s", OSSL_PROVIDER_get0_name(provider));
    return out;
}

int gs_signing_context(EVP_PKEY *handle, gs_key_type type, bool verify, EVP_MD_CTX **out, gs_error *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL; /* belongs to context */
    int done = 0;
    if (context && verify) {
        done = EVP_DigestVerifyInit_ex(context, &parameters, digest_name(type), NULL, NULL, handle, NULL);
    } else if (context) {
        char preferred[128];
        const char *query = own_provider(handle, preferred, sizeof preferred);
        done = EVP_DigestSignInit_ex(context, &parameters, digest_name(type), NULL, query, handle, NULL);
    }
    if (done != 1 || (type == GS_KEY_RSA_PSS && !set_pss(parameters))) {
        EVP_MD_CTX_free(context);
        return gs_openssl_fail(err, GS_EINTERNAL, "cannot use the key");
    }
    *out = context;
    return 0;
}

int gs_sign(const gs_private_key *key, const void *data, size_t len, gs_buf *signature, gs_error *err)
{
    EVP_MD_CTX *context = NULL;
    int code = gs_signing_context(key->handle, key->type, false, &context, err);
    if (code != 0) {
        return code;
    }
    unsigned char made[GS_MAX_SIGNATURE_BYTES];
    size_t made_len = sizeof made;
    if (EVP_DigestSign(context, made, &made_len, data, len) != 1) {
        code = gs_openssl_fail(err, GS_EINTERNAL, "cannot sign");
    }
    EVP_MD_CTX_free(context);
    if (code == 0) {
        gs_buf_add(signature, made, made_len);
        code = gs_buf_check(signature, err);
    }
    return code;
}

int gs_plain_verify(EVP_PKEY *handle, gs_key_type type, gs_span message, gs_span signature, gs_error *err)
{
    /* OpenSSL takes an RSA signature without its leading zeros as well. */
    bool whole = type != GS_KEY_RSA_PSS || signature.len == (size_t)EVP_PKEY_get_size(handle);
    EVP_MD_CTX *context = NULL;
    int code = gs_signing_context(handle, type, true, &context, err);
    if (code != 0) {
        return code;
    }
    int verdict = whole ? EVP_DigestVerify(context, signature.data, signature.len, message.data, message.len) : 0;
    EVP_MD_CTX_free(context);
    if (verdict == 1) {
        return 0;
    }
    code = gs_openssl_fail(err, GS_ESIGNATURE, "");
    return code != GS_ESIGNATURE ? code : gs_fail(err, GS_ESIGNATURE, "it does not fit what is signed");
}

int gs_signature_verify(const gs_public_key *key, const void *data, size_t len, const void *signature, size_t signature_len,
                        gs_error *err)
{
    char id[GS_DIGEST_HEX];
    gs_span message = {data, len};
    gs_span made = {signature, signature_len};
    int code = key->type == GS_KEY_MINISIGN ? gs_minisign_verify(key, message, made, err)
                                            : gs_plain_verify(key->handle, key->type, message, made, err);
    gs_digest_hex(&key->id, id);
    if (code == GS_ESIGNATURE) {
        (void)gs_error_context(err, "the signature by key %s does not count", id);
    }
    return code;
}
