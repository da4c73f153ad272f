/* Keys as PEM: PKCS#8 for private ones, SubjectPublicKeyInfo for public ones, one to a file. Says what to do about the other forms
 * that people have. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "openssl.h"

#define BEGIN "-----BEGIN "

/* What a PEM block may be called, and what to say when it is not what was asked for. */
typedef struct pem_label {
    const char *label;
    const char *what;
    const char *hint;
} pem_label;

static const pem_label private_label = {"PRIVATE KEY-----", "a private key", "give the public half here: openssl pkey -pubout"};
static const pem_label public_label = {"PUBLIC KEY-----", "a public key", "give the private half here"};
static const pem_label other_labels[] = {
    {"ENCRYPTED PRIVATE KEY-----", "an encrypted private key",
     "gapship asks for no passphrase; decrypt it into a file of mode 0600: openssl pkcs8 -in ENCRYPTED -out KEY"},
    {"EC PRIVATE KEY-----", "a private key in the old SEC1 form", "convert it: openssl pkcs8 -topk8 -nocrypt -in OLD -out KEY"},
    {"EC PARAMETERS-----", "a private key in the old SEC1 form", "convert it: openssl pkcs8 -topk8 -nocrypt -in OLD -out KEY"},
    {"RSA PRIVATE KEY-----", "a private key in the old PKCS#1 form", "convert it: openssl pkcs8 -topk8 -nocrypt -in OLD -out KEY"},
    {"RSA PUBLIC KEY-----", "a public key in the old PKCS#1 form",
     "convert it: openssl rsa -RSAPublicKey_in -in OLD -pubout -out KEY"},
    {"CERTIFICATE-----", "a certificate", "take its key: openssl x509 -in CERTIFICATE -noout -pubkey"},
    {"OPENSSH PRIVATE KEY-----", "an OpenSSH key", "\"gapship key new\" makes a key for signing bundles"},
};

static const pem_label *find_label(const char *text)
{
    if (gs_text_starts(text, private_label.label)) {
        return &private_label;
    }
    if (gs_text_starts(text, public_label.label)) {
        return &public_label;
    }
    for (size_t i = 0; i < sizeof other_labels / sizeof other_labels[0]; i++) {
        if (gs_text_starts(text, other_labels[i].label)) {
            return &other_labels[i];
        }
    }
    return NULL;
}

/* Exactly one block, and of the wanted kind. */
static int check_label(const char *pem, const pem_label *wanted, gs_error *err)
{
    const char *begin = strstr(pem, BEGIN);
    if (!begin) {
        (void)gs_fail(err, GS_ESPEC, "%s in PEM form was expected", wanted->what);
        (void)gs_error_hint(err, "the file must have a line \"%s%s\"", BEGIN, wanted->label);
        return GS_ESPEC;
    }
    const pem_label *found = find_label(begin + strlen(BEGIN));
    if (found != wanted) {
        (void)gs_fail(err, GS_ESPEC, "%s was expected, but this is %s", wanted->what, found ? found->what : "something else");
        if (found) {
            (void)gs_error_hint(err, "%s", found->hint);
        }
        return GS_ESPEC;
    }
    if (strstr(begin + strlen(BEGIN), BEGIN)) {
        return gs_fail(err, GS_ESPEC, "one key a file was expected, but this has several");
    }
    return 0;
}

static int decode(const char *pem, size_t len, bool public, EVP_PKEY **out, gs_error *err)
{
    int code = gs_openssl_ready(err);
    if (code != 0) {
        return code;
    }
    EVP_PKEY *handle = NULL;
    const char *structure = public ? "SubjectPublicKeyInfo" : "PrivateKeyInfo";
    int selection = public ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(&handle, "PEM", structure, NULL, selection, NULL, NULL);
    const unsigned char *data = (const unsigned char *)pem;
    if (!decoder || OSSL_DECODER_from_data(decoder, &data, &len) != 1 || !handle) {
        OSSL_DECODER_CTX_free(decoder);
        EVP_PKEY_free(handle);
        return gs_openssl_fail(err, GS_ESPEC, "the key cannot be read");
    }
    OSSL_DECODER_CTX_free(decoder);
    *out = handle;
    return 0;
}

/* A copy with a NUL behind it, because the text of a key file is searched as a string. */
static int copy_text(const char *pem, size_t len, gs_buf *text, gs_error *err)
{
    gs_buf_init(text, GS_MAX_KEY_FILE_BYTES);
    gs_buf_add(text, pem, len);
    int code = gs_buf_check(text, err);
    if (code == 0 && strlen(gs_buf_text(text)) != len) {
        code = gs_fail(err, GS_ESPEC, "this is not a text file");
    }
    return code;
}

int gs_public_key_parse(const char *pem, size_t len, gs_public_key **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    EVP_PKEY *handle = NULL;
    int code = copy_text(pem, len, &text, err);
    code = code == 0 ? check_label(gs_buf_text(&text), &public_label, err) : code;
    code = code == 0 ? decode(text.data, text.len, true, &handle, err) : code;
    return code == 0 ? gs_public_key_wrap(handle, out, err) : code;
}

static int private_key_parse(gs_buf *text, gs_private_key **out, gs_error *err)
{
    EVP_PKEY *handle = NULL;
    int code = strlen(gs_buf_text(text)) == text->len ? 0 : gs_fail(err, GS_ESPEC, "this is not a text file");
    code = code == 0 ? check_label(gs_buf_text(text), &private_label, err) : code;
    code = code == 0 ? decode(text->data, text->len, false, &handle, err) : code;
    return code == 0 ? gs_private_key_wrap(handle, out, err) : code;
}

static int check_mode(int fd, const char *path, gs_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return gs_fail_errno(err, errno, "cannot examine the key file");
    }
    if (info.st_mode & (S_IRWXG | S_IRWXO)) {
        (void)gs_fail(err, GS_ESPEC, "others than its owner may read this private key (mode %04o)",
                      (unsigned)(info.st_mode & 07777));
        (void)gs_error_hint(err, "chmod 600 %s", path);
        return GS_ESPEC;
    }
    return 0;
}

static int read_private(int fd, uint64_t size, gs_private_key **out, gs_error *err)
{
    if (size > GS_MAX_KEY_FILE_BYTES) {
        return gs_fail(err, GS_ESPEC, "a key file has at most %zu bytes", GS_MAX_KEY_FILE_BYTES);
    }
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_KEY_FILE_BYTES);
    void *room = gs_buf_reserve(&text, (size_t)size);
    int code = room ? gs_fs_pread(fd, room, (size_t)size, 0, err) : gs_buf_check(&text, err);
    if (code == 0) {
        text.len = (size_t)size;
        code = private_key_parse(&text, out, err);
    }
    gs_wipe(text.data, text.cap);
    return code;
}

int gs_private_key_load(const char *path, gs_private_key **out, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    uint64_t size = 0;
    int code = gs_fs_open_read(AT_FDCWD, path, false, &fd, &size, err);
    if (code != 0) {
        return code;
    }
    code = check_mode(fd, path, err);
    code = code == 0 ? read_private(fd, size, out, err) : code;
    if (code != 0) {
        (void)gs_error_at(err, "%s", path);
    }
    return code;
}

int gs_public_key_load(const char *path, gs_public_key **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_KEY_FILE_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, path, &text, err);
    if (code != 0) {
        return code;
    }
    code = gs_public_key_parse(gs_buf_text(&text), text.len, out, err);
    if (code != 0) {
        (void)gs_error_at(err, "%s", path);
    }
    return code;
}

static int encode(EVP_PKEY *handle, bool public, gs_buf *out, gs_error *err)
{
    const char *structure = public ? "SubjectPublicKeyInfo" : "PrivateKeyInfo";
    int selection = public ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
    unsigned char *pem = NULL;
    size_t len = 0;
    OSSL_ENCODER_CTX *encoder = OSSL_ENCODER_CTX_new_for_pkey(handle, selection, "PEM", structure, NULL);
    if (!encoder || OSSL_ENCODER_to_data(encoder, &pem, &len) != 1) {
        OSSL_ENCODER_CTX_free(encoder);
        return gs_openssl_fail(err, GS_EINTERNAL, "cannot write the key as PEM");
    }
    OSSL_ENCODER_CTX_free(encoder);
    gs_buf_add(out, pem, len);
    OPENSSL_clear_free(pem, len);
    return gs_buf_check(out, err);
}

int gs_private_key_pem(const gs_private_key *key, gs_buf *out, gs_error *err)
{
    return encode(key->handle, false, out, err);
}

int gs_public_key_pem(const gs_public_key *key, gs_buf *out, gs_error *err)
{
    return encode(key->handle, true, out, err);
}
