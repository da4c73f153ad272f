/* Finds out how a signature was made that does not verify, so that whoever made it can be told. Nothing here is ever taken for proof. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "openssl.h"

typedef struct way {
    const char *digest;
    const char *name; /* in a message: "… was made with NAME" */
    int padding;      /* of RSA; 0: any other type */
} way;

static const way ways[] = {
    {"SHA1", "SHA-1", 0},
    {"SHA224", "SHA-224", 0},
    {"SHA256", "SHA-256", 0},
    {"SHA384", "SHA-384", 0},
    {"SHA512", "SHA-512", 0},
    {"SHA256", "PKCS #1 v1.5 padding and SHA-256 instead of PSS", RSA_PKCS1_PADDING},
    {"SHA384", "PKCS #1 v1.5 padding and SHA-384 instead of PSS", RSA_PKCS1_PADDING},
    {"SHA512", "PKCS #1 v1.5 padding and SHA-512 instead of PSS", RSA_PKCS1_PADDING},
    {"SHA1", "PKCS #1 v1.5 padding and SHA-1 instead of PSS", RSA_PKCS1_PADDING},
    {"SHA256", "a salt that has not 32 bytes", RSA_PKCS1_PSS_PADDING},
    {"SHA384", "SHA-384", RSA_PKCS1_PSS_PADDING},
    {"SHA512", "SHA-512", RSA_PKCS1_PSS_PADDING},
};

static bool fits(const gs_public_key *key, const way *tried, gs_span message, gs_span signature)
{
    EVP_PKEY_CTX *parameters = NULL; /* belongs to context */
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool verified = context && EVP_DigestVerifyInit_ex(context, &parameters, tried->digest, NULL, NULL, key->handle, NULL) == 1 &&
                    (tried->padding == 0 || EVP_PKEY_CTX_set_rsa_padding(parameters, tried->padding) > 0) &&
                    (tried->padding != RSA_PKCS1_PSS_PADDING ||
                     EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_AUTO) > 0) &&
                    EVP_DigestVerify(context, signature.data, signature.len, message.data, message.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return verified;
}

const char *gs_signature_guess(const gs_public_key *key, const void *data, size_t len, const void *signature, size_t signature_len)
{
    if (key->type == GS_KEY_ED25519 || key->type == GS_KEY_MINISIGN) {
        return NULL; /* there is one way only */
    }
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if ((key->type == GS_KEY_RSA_PSS) == (ways[i].padding != 0) &&
            fits(key, &ways[i], (gs_span){data, len}, (gs_span){signature, signature_len})) {
            return ways[i].name;
        }
    }
    return NULL;
}
