/* PEM: PKCS#8 for private keys, SubjectPublicKeyInfo for public ones, one to a file. Says what to do about the other forms that people
 * have. */
#include "pem.h"

#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <string.h>

#include "gapship/text.h"
#include "minisign.h"

#define BEGIN "-----BEGIN "
#define END   "-----END "

#define GIVE_PUBLIC  "give the public half here: openssl pkey -in KEY -pubout -out KEY.pub"
#define GIVE_PRIVATE "give the private half here"
#define CONVERT      "convert it: openssl pkcs8 -topk8 -nocrypt -in OLD -out KEY"
#define USE_MINISIGN "minisign signs itself: gapship sign --emit-tbs FILE, minisign -S -H -m FILE, gapship attach-signature"
#define MAKE_ONE     "\"gapship key new\" makes a key for signing bundles"

/* What a PEM block may be called, and what to do when the other kind of key was due. */
typedef struct pem_label {
    const char *label;
    const char *what;
    const char *public_due;
    const char *private_due;
} pem_label;

static const pem_label public_label = {"PUBLIC KEY-----", "a public key", NULL, GIVE_PRIVATE};
static const pem_label private_label = {"PRIVATE KEY-----", "a private key", GIVE_PUBLIC, NULL};
static const pem_label encrypted_label = {"ENCRYPTED PRIVATE KEY-----", "a private key", GIVE_PUBLIC, NULL};
static const pem_label other_labels[] = {
    {"EC PRIVATE KEY-----", "a private key in the old SEC1 form", GIVE_PUBLIC, CONVERT},
    {"EC PARAMETERS-----", "a private key in the old SEC1 form", GIVE_PUBLIC, CONVERT},
    {"RSA PRIVATE KEY-----", "a private key in the old PKCS#1 form", GIVE_PUBLIC, CONVERT},
    {"RSA PUBLIC KEY-----", "a public key in the old PKCS#1 form",
     "convert it: openssl rsa -RSAPublicKey_in -in OLD -pubout -out KEY", GIVE_PRIVATE},
    {"CERTIFICATE-----", "a certificate", "take its key: openssl x509 -in CERTIFICATE -noout -pubkey", GIVE_PRIVATE},
    {"OPENSSH PRIVATE KEY-----", "an OpenSSH key", MAKE_ONE, MAKE_ONE},
};

static const pem_label *find_label(const char *text)
{
    static const pem_label *const wanted[] = {&public_label, &private_label, &encrypted_label};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (gs_text_starts(text, wanted[i]->label)) {
            return wanted[i];
        }
    }
    for (size_t i = 0; i < sizeof other_labels / sizeof other_labels[0]; i++) {
        if (gs_text_starts(text, other_labels[i].label)) {
            return &other_labels[i];
        }
    }
    return NULL;
}

static const char *wanted_kind(bool public)
{
    return public ? "a public key" : "a private key";
}

static int no_pem(const gs_buf *text, bool public, gs_error *err)
{
    if (gs_minisign_is_text(text->data)) {
        (void)gs_fail(err, GS_ESPEC, "%s in PEM form was expected, but this is %s", wanted_kind(public),
                      gs_minisign_what(text->data, text->len));
        (void)gs_error_hint(err, USE_MINISIGN);
        return GS_ESPEC;
    }
    (void)gs_fail(err, GS_ESPEC, "%s in PEM form was expected", wanted_kind(public));
    (void)gs_error_hint(err, "the file must have a line \"%s%s\"", BEGIN, public ? public_label.label : private_label.label);
    return GS_ESPEC;
}

int gs_pem_check(const gs_buf *text, bool public, bool *encrypted, gs_error *err)
{
    if (text->len == 0) {
        return gs_fail(err, GS_ESPEC, "%s in PEM form was expected, but the file is empty", wanted_kind(public));
    }
    if (strlen(text->data) != text->len) {
        return gs_fail(err, GS_ESPEC, "%s in PEM form was expected, but this is not a text file", wanted_kind(public));
    }
    const char *begin = strstr(text->data, BEGIN);
    if (!begin) {
        return no_pem(text, public, err);
    }
    const pem_label *found = find_label(begin + strlen(BEGIN));
    bool right = public ? found == &public_label : found == &private_label || found == &encrypted_label;
    if (!right) {
        (void)gs_fail(err, GS_ESPEC, "%s was expected, but this is %s", wanted_kind(public),
                      found ? found->what : "something else");
        (void)gs_error_hint(err, "%s", !found ? MAKE_ONE : public ? found->public_due : found->private_due);
        return GS_ESPEC;
    }
    if (strstr(begin + strlen(BEGIN), BEGIN)) {
        (void)gs_fail(err, GS_ESPEC, "one key a file was expected, but this has several");
        (void)gs_error_hint(err, "put each into a file of its own");
        return GS_ESPEC;
    }
    const char *end = strstr(begin, END);
    if (!end || !gs_text_starts(end + strlen(END), found->label)) {
        (void)gs_fail(err, GS_ESPEC, "the key breaks off: there is no line \"%s%s\"", END, found->label);
        (void)gs_error_hint(err, "copy the whole file again");
        return GS_ESPEC;
    }
    if (strstr(begin, "Proc-Type:")) {
        (void)gs_fail(err, GS_ESPEC, "the key is encrypted in the old way of PEM, which protects it badly");
        (void)gs_error_hint(err, "convert it: openssl pkcs8 -topk8 -scrypt -in OLD -out KEY");
        return GS_ESPEC;
    }
    *encrypted = found == &encrypted_label;
    return 0;
}

int gs_pem_unreadable(gs_error *err)
{
    int code = gs_openssl_fail(err, GS_ESPEC, "the key cannot be read");
    (void)gs_error_hint(err, "it is damaged, or not a key that OpenSSL knows; `openssl pkey -text` says more");
    return code;
}

int gs_pem_decode(const gs_buf *text, bool public, EVP_PKEY **out, gs_error *err)
{
    int code = gs_openssl_ready(err);
    if (code != 0) {
        return code;
    }
    EVP_PKEY *handle = NULL;
    const char *structure = public ? "SubjectPublicKeyInfo" : "PrivateKeyInfo";
    int selection = public ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(&handle, "PEM", structure, NULL, selection, NULL, NULL);
    const unsigned char *data = (const unsigned char *)text->data;
    size_t len = text->len;
    if (!decoder || OSSL_DECODER_from_data(decoder, &data, &len) != 1 || !handle) {
        OSSL_DECODER_CTX_free(decoder);
        EVP_PKEY_free(handle);
        return gs_pem_unreadable(err);
    }
    OSSL_DECODER_CTX_free(decoder);
    *out = handle;
    return 0;
}

int gs_pem_encode(EVP_PKEY *handle, bool public, gs_buf *out, gs_error *err)
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
