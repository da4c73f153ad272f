/* What a key is: the few types gapship accepts, how they are told apart, made, and named by their id. Their files are in
 * public_key_file.c and private_key_file.c. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"
#include "minisign.h"

#define RSA_LEAST_BITS 3072
#define RSA_MOST_BITS  ((int)GS_MAX_SIGNATURE_BYTES * 8)

static const char *const type_names[] = {
    [GS_KEY_ECDSA_P256] = "ecdsa-p256", [GS_KEY_ECDSA_P384] = "ecdsa-p384", [GS_KEY_ED25519] = "ed25519",
    [GS_KEY_RSA_PSS] = "rsa-pss",       [GS_KEY_MINISIGN] = "minisign",
};

const char *gs_key_type_name(gs_key_type type)
{
    return type_names[type];
}

bool gs_key_type_parse(const char *name, gs_key_type *out)
{
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++) {
        if (gs_text_equal(name, type_names[i])) {
            *out = (gs_key_type)i;
            return true;
        }
    }
    return false;
}

static int refuse(gs_error *err, const char *what)
{
    (void)gs_fail(err, GS_ESPEC, "%s", what);
    (void)gs_error_hint(err,
                        "gapship accepts ECDSA P-256 and P-384, Ed25519, and RSA of %d to %d bits; \"gapship key new\" makes one",
                        RSA_LEAST_BITS, RSA_MOST_BITS);
    return GS_ESPEC;
}

/* For the point at infinity, which has an encoding, anybody can sign. */
static int check_point(EVP_PKEY *handle, gs_error *err)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, handle, NULL);
    int valid = context ? EVP_PKEY_public_check_quick(context) : 0;
    EVP_PKEY_CTX_free(context);
    if (valid == 1) {
        return 0;
    }
    int code = gs_openssl_fail(err, GS_ESPEC, "");
    return code == GS_ESPEC ? refuse(err, "the key is no point of its elliptic curve") : code;
}

static int find_curve(EVP_PKEY *handle, bool public, gs_key_type *type, gs_error *err)
{
    char curve[32] = "";
    int explicit_parameters = 0;
    (void)EVP_PKEY_get_int_param(handle, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_parameters);
    if (explicit_parameters || EVP_PKEY_get_group_name(handle, curve, sizeof curve, NULL) != 1) {
        return refuse(err, "the key's elliptic curve is not given by its name");
    }
    if (strcmp(curve, "prime256v1") == 0) {
        *type = GS_KEY_ECDSA_P256;
    } else if (strcmp(curve, "secp384r1") == 0) {
        *type = GS_KEY_ECDSA_P384;
    } else {
        return refuse(err, "the key's elliptic curve is not accepted");
    }
    /* One key has one id, however its file writes the point. A private key may be in a token, which cannot be told. */
    if (public && EVP_PKEY_set_utf8_string_param(handle, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") != 1) {
        return gs_openssl_fail(err, GS_EINTERNAL, "cannot use the key");
    }
    return public ? check_point(handle, err) : 0;
}

/* With an exponent of 1 anybody could sign. */
static bool is_usable_exponent(EVP_PKEY *handle)
{
    BIGNUM *exponent = NULL;
    bool usable = EVP_PKEY_get_bn_param(handle, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 && BN_is_odd(exponent) &&
                  !BN_is_one(exponent);
    BN_free(exponent);
    return usable;
}

/* An RSASSA-PSS key may carry restrictions of its own; one that forbids SHA-256 with a salt of 32 bytes is of no use here. */
static int check_rsa(EVP_PKEY *handle, bool public, gs_error *err)
{
    int bits = EVP_PKEY_get_bits(handle);
    if (bits < RSA_LEAST_BITS || bits > RSA_MOST_BITS) {
        return refuse(err, "the RSA key's size is not accepted");
    }
    if (public && !is_usable_exponent(handle)) {
        return refuse(err, "the RSA key's exponent is 1 or even");
    }
    EVP_MD_CTX *context = NULL;
    if (gs_signing_context(handle, GS_KEY_RSA_PSS, public, &context, NULL) != 0) {
        return refuse(err, "the RSA-PSS key does not allow SHA-256 with a salt of 32 bytes");
    }
    EVP_MD_CTX_free(context);
    return 0;
}

/* A point has one encoding, or one key would have two ids. And for a point of small order, of which these are the y coordinates,
 * anybody can sign. */
static int check_ed25519(EVP_PKEY *handle, gs_error *err)
{
    static const char *const small_order[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    unsigned char y[GS_ED25519_POINT];
    size_t len = sizeof y;
    if (EVP_PKEY_get_raw_public_key(handle, y, &len) != 1 || len != sizeof y) {
        return gs_openssl_fail(err, GS_EINTERNAL, "cannot use the key");
    }
    y[31] &= 0x7f; /* without the sign of x */
    bool weak = y[0] >= 0xed && y[31] == 0x7f;
    for (size_t i = 1; i < 31; i++) {
        weak = weak && y[i] == 0xff;
    }
    char hex[2 * GS_ED25519_POINT + 1];
    gs_hex_encode(y, sizeof y, hex);
    for (size_t i = 0; i < sizeof small_order / sizeof small_order[0]; i++) {
        weak = weak || strcmp(hex, small_order[i]) == 0;
    }
    return weak ? refuse(err, "this Ed25519 key is a point that proves nothing") : 0;
}

static int find_type(EVP_PKEY *handle, bool public, gs_key_type *type, gs_error *err)
{
    if (EVP_PKEY_is_a(handle, "EC")) {
        return find_curve(handle, public, type, err);
    }
    if (EVP_PKEY_is_a(handle, "ED25519")) {
        *type = GS_KEY_ED25519;
        return public ? check_ed25519(handle, err) : 0;
    }
    if (EVP_PKEY_is_a(handle, "RSA") || EVP_PKEY_is_a(handle, "RSA-PSS")) {
        *type = GS_KEY_RSA_PSS;
        return check_rsa(handle, public, err);
    }
    return refuse(err, "the key's type is not accepted");
}

static int compute_id(EVP_PKEY *handle, gs_digest *id, gs_error *err)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(handle, &der);
    if (len <= 0) {
        return gs_openssl_fail(err, GS_EINTERNAL, "cannot encode the public key");
    }
    int code = gs_digest_of(der, (size_t)len, id, err);
    OPENSSL_free(der);
    return code;
}

int gs_public_key_wrap(EVP_PKEY *handle, gs_public_key **out, gs_error *err)
{
    gs_key_type type = GS_KEY_ECDSA_P256;
    gs_digest id;
    int code = find_type(handle, true, &type, err);
    code = code == 0 ? compute_id(handle, &id, err) : code;
    gs_public_key *key = code == 0 ? malloc(sizeof *key) : NULL;
    if (!key) {
        EVP_PKEY_free(handle);
        return code != 0 ? code : gs_fail_nomem(err);
    }
    *key = (gs_public_key){.handle = handle, .type = type, .id = id};
    *out = key;
    return 0;
}

int gs_public_key_from_minisign(const gs_minisign_key *minisign, gs_public_key **out, gs_error *err)
{
    int code = gs_openssl_ready(err);
    if (code != 0) {
        return code;
    }
    EVP_PKEY *handle = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, minisign->point, sizeof minisign->point);
    gs_public_key *key = NULL;
    code = handle ? gs_public_key_wrap(handle, &key, err) : gs_openssl_fail(err, GS_EINTERNAL, "cannot use the key");
    if (code == 0) {
        key->type = GS_KEY_MINISIGN;
        memcpy(key->number, minisign->number, sizeof key->number);
        *out = key;
    }
    return code;
}

int gs_private_key_wrap(EVP_PKEY *handle, gs_private_key **out, gs_error *err)
{
    gs_key_type type = GS_KEY_ECDSA_P256;
    int code = find_type(handle, false, &type, err);
    gs_private_key *key = code == 0 ? malloc(sizeof *key) : NULL;
    if (!key) {
        EVP_PKEY_free(handle);
        return code != 0 ? code : gs_fail_nomem(err);
    }
    *key = (gs_private_key){.handle = handle, .type = type};
    *out = key;
    return 0;
}

/* Restricted to what gapship signs with, so that no other tool can be talked into a weaker use of the key. */
static EVP_PKEY *generate_rsa_pss(void)
{
    EVP_PKEY *handle = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    bool done = context && EVP_PKEY_keygen_init(context) > 0 && EVP_PKEY_CTX_set_rsa_keygen_bits(context, RSA_LEAST_BITS) > 0 &&
                EVP_PKEY_CTX_set_rsa_pss_keygen_md(context, EVP_sha256()) > 0 &&
                EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md(context, EVP_sha256()) > 0 &&
                EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(context, GS_DIGEST_BYTES) > 0 && EVP_PKEY_generate(context, &handle) > 0;
    EVP_PKEY_CTX_free(context);
    return done ? handle : NULL;
}

int gs_key_generate(gs_key_type type, gs_private_key **out, gs_error *err)
{
    int code = gs_openssl_ready(err);
    if (code != 0) {
        return code;
    }
    EVP_PKEY *handle = NULL;
    switch (type) {
    case GS_KEY_MINISIGN:
        (void)gs_fail(err, GS_EUSAGE, "gapship makes no keys for minisign");
        (void)gs_error_hint(err, "minisign -G -p NAME.pub -s NAME.key");
        return GS_EUSAGE;
    case GS_KEY_ECDSA_P256:
        handle = EVP_EC_gen("P-256");
        break;
    case GS_KEY_ECDSA_P384:
        handle = EVP_EC_gen("P-384");
        break;
    case GS_KEY_ED25519:
        handle = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        break;
    case GS_KEY_RSA_PSS:
        handle = generate_rsa_pss();
        break;
    }
    return handle ? gs_private_key_wrap(handle, out, err) : gs_openssl_fail(err, GS_EINTERNAL, "cannot make a key");
}

int gs_private_key_public(const gs_private_key *key, gs_public_key **out, gs_error *err)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->handle, &der);
    const unsigned char *read = der;
    EVP_PKEY *handle = len > 0 ? d2i_PUBKEY(NULL, &read, len) : NULL;
    OPENSSL_free(der);
    return handle ? gs_public_key_wrap(handle, out, err) : gs_openssl_fail(err, GS_EINTERNAL, "cannot derive the public key");
}

int gs_public_key_copy(const gs_public_key *key, gs_public_key **out, gs_error *err)
{
    gs_public_key *copy = malloc(sizeof *copy);
    if (!copy || EVP_PKEY_up_ref(key->handle) != 1) {
        free(copy);
        return gs_fail_nomem(err);
    }
    *copy = *key;
    *out = copy;
    return 0;
}

gs_key_type gs_public_key_type(const gs_public_key *key)
{
    return key->type;
}

unsigned gs_public_key_scheme(const gs_public_key *key)
{
    return key->type == GS_KEY_MINISIGN ? GS_SCHEME_MINISIGN : GS_SCHEME_KEY;
}

const gs_digest *gs_public_key_id(const gs_public_key *key)
{
    return &key->id;
}

static bool equal_numbers(const gs_public_key *a, const gs_public_key *b, const char *name)
{
    BIGNUM *of_a = NULL;
    BIGNUM *of_b = NULL;
    bool equal = EVP_PKEY_get_bn_param(a->handle, name, &of_a) == 1 && EVP_PKEY_get_bn_param(b->handle, name, &of_b) == 1 &&
                 BN_cmp(of_a, of_b) == 0;
    BN_free(of_a);
    BN_free(of_b);
    return equal;
}

bool gs_public_key_same(const gs_public_key *a, const gs_public_key *b)
{
    /* rsaEncryption and RSASSA-PSS write one key in two ways, which have two ids. */
    return a->type == GS_KEY_RSA_PSS && b->type == GS_KEY_RSA_PSS ? equal_numbers(a, b, OSSL_PKEY_PARAM_RSA_N)
                                                                  : gs_digest_equal(&a->id, &b->id);
}

void gs_private_key_free(gs_private_key *key)
{
    if (key) {
        EVP_PKEY_free(key->handle);
        if (key->release) {
            key->release(key->holder);
        }
        free(key);
    }
}

void gs_public_key_free(gs_public_key *key)
{
    if (key) {
        EVP_PKEY_free(key->handle);
        free(key);
    }
}

void gs_private_key_free_p(gs_private_key **key)
{
    gs_private_key_free(*key);
    *key = NULL;
}

void gs_public_key_free_p(gs_public_key **key)
{
    gs_public_key_free(*key);
    *key = NULL;
}
