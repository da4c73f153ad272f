/* Private keys: files in PKCS#8, plain or encrypted, and, on the build side, keys that a URI names. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/proverr.h>
#include <openssl/x509.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "pem.h"
#ifdef GAPSHIP_BUILDER
#include "key_uri.h"
#endif

/* What makes scrypt expensive: 16 MiB, five times over. OpenSSL reads no more than 32 MiB without being told so. */
#define SCRYPT_N          16384
#define SCRYPT_BLOCK      8
#define SCRYPT_PARALLEL   5
#define SCRYPT_SALT_BYTES 16

/* ---- encrypted ---- */

/* A wrong passphrase shows as bad padding or, once in a few hundred times, as nonsense behind good padding. */
static bool says_wrong_passphrase(void)
{
    unsigned long first = ERR_peek_error();
    return (ERR_GET_LIB(first) == ERR_LIB_PROV && ERR_GET_REASON(first) == PROV_R_BAD_DECRYPT) ||
           ERR_GET_LIB(first) == ERR_LIB_ASN1;
}

/* Without this OpenSSL would ask on the terminal by itself. */
static int ask_nobody(char *out, int size, int writing, void *state)
{
    (void)out, (void)size, (void)writing, (void)state;
    return -1;
}

static int decrypt(const gs_buf *text, const gs_buf *secret, EVP_PKEY **out, gs_error *err)
{
    BIO *source = BIO_new_mem_buf(text->data, (int)text->len); /* at most GS_MAX_KEY_FILE_BYTES */
    X509_SIG *sealed = source ? PEM_read_bio_PKCS8(source, NULL, ask_nobody, NULL) : NULL;
    BIO_free(source);
    if (!sealed) {
        return gs_pem_unreadable(err);
    }
    ERR_clear_error();
    PKCS8_PRIV_KEY_INFO *opened = PKCS8_decrypt(sealed, secret->data, (int)secret->len);
    X509_SIG_free(sealed);
    if (!opened && says_wrong_passphrase()) {
        ERR_clear_error();
        return gs_fail(err, GS_ESPEC, "the passphrase does not fit this key");
    }
    EVP_PKEY *handle = opened ? EVP_PKCS82PKEY(opened) : NULL;
    PKCS8_PRIV_KEY_INFO_free(opened);
    if (!handle) {
        return gs_pem_unreadable(err);
    }
    *out = handle;
    return 0;
}

static int ask_and_decrypt(const gs_buf *text, const char *name, const gs_passphrase *passphrase, EVP_PKEY **out, gs_error *err)
{
    if (!passphrase) {
        (void)gs_fail(err, GS_ESPEC, "this private key is encrypted, and no passphrase was given");
        (void)gs_error_hint(err, "put it into a file of mode 0600 and give --passphrase-file FILE");
        return GS_ESPEC;
    }
    GS_AUTO_SECRET gs_buf secret;
    int code = gs_secret_init(&secret, GS_MAX_PASSPHRASE_BYTES, err);
    code = code == 0 ? gs_passphrase_get(passphrase, name, &secret, err) : code;
    return code == 0 ? decrypt(text, &secret, out, err) : code;
}

static X509_SIG *encrypt(EVP_PKEY *handle, const gs_buf *passphrase, unsigned char *salt)
{
    X509_ALGOR *method = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, SCRYPT_SALT_BYTES, NULL, SCRYPT_N, SCRYPT_BLOCK,
                                               SCRYPT_PARALLEL);
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(handle);
    X509_SIG *sealed = method && plain ? PKCS8_set0_pbe(passphrase->data, (int)passphrase->len, plain, method) : NULL;
    if (!sealed) {
        X509_ALGOR_free(method);
    }
    PKCS8_PRIV_KEY_INFO_free(plain);
    return sealed;
}

int gs_private_key_pem_encrypted(const gs_private_key *key, const gs_buf *passphrase, gs_buf *out, gs_error *err)
{
    unsigned char salt[SCRYPT_SALT_BYTES];
    int code = gs_passphrase_check(passphrase, err);
    code = code == 0 ? gs_random(salt, sizeof salt, err) : code;
    if (code != 0) {
        return code;
    }
    char *pem = NULL; /* the sink's */
    X509_SIG *sealed = encrypt(key->handle, passphrase, salt);
    BIO *sink = sealed ? BIO_new(BIO_s_mem()) : NULL;
    long len = sink && PEM_write_bio_PKCS8(sink, sealed) == 1 ? BIO_get_mem_data(sink, &pem) : 0;
    if (len > 0) {
        gs_buf_add(out, pem, (size_t)len);
        code = gs_buf_check(out, err);
    } else {
        code = gs_openssl_fail(err, GS_EINTERNAL, "cannot encrypt the key");
    }
    X509_SIG_free(sealed);
    BIO_free(sink);
    return code;
}

int gs_private_key_pem(const gs_private_key *key, gs_buf *out, gs_error *err)
{
    return gs_pem_encode(key->handle, false, out, err);
}

/* ---- files ---- */

static int parse(const gs_buf *text, const char *name, const gs_passphrase *passphrase, gs_private_key **out, gs_error *err)
{
    EVP_PKEY *handle = NULL;
    bool encrypted = false;
    int code = gs_openssl_ready(err);
    code = code == 0 ? gs_pem_check(text, false, &encrypted, err) : code;
    if (code == 0) {
        code = encrypted ? ask_and_decrypt(text, name, passphrase, &handle, err) : gs_pem_decode(text, false, &handle, err);
    }
    return code == 0 ? gs_private_key_wrap(handle, out, err) : code;
}

static int load_file(const char *path, const gs_passphrase *passphrase, gs_private_key **out, gs_error *err)
{
    GS_AUTO_SECRET gs_buf text;
    int code = gs_secret_init(&text, GS_MAX_KEY_FILE_BYTES, err);
    code = code == 0 ? gs_fs_read_secret(AT_FDCWD, path, &text, err) : code;
    if (code == GS_ELIMIT) {
        (void)gs_error_hint(err, "a key has a few hundred bytes: is this the right file?");
    }
    if (code != 0) {
        return code;
    }
    code = parse(&text, path, passphrase, out, err);
    if (code != 0) {
        (void)gs_error_at(err, "%s", path);
    }
    return code;
}

int gs_private_key_load(const char *name, const gs_passphrase *passphrase, gs_private_key **out, gs_error *err)
{
#ifdef GAPSHIP_BUILDER
    if (gs_key_uri_is(name) && !gs_fs_exists(AT_FDCWD, name)) {
        return gs_key_uri_load(name, passphrase, out, err);
    }
#endif
    return load_file(name, passphrase, out, err);
}
