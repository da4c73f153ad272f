/* Keys by URI: asks OpenSSL's stores, and for PKCS#11 its engine where no store knows the scheme. */
#include "key_uri.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"

/* What a key from a token needs as long as it lives. */
typedef struct key_holder {
    gs_key_prompt prompt;
    void *engine;
} key_holder;

static void holder_release(void *pointer)
{
    key_holder *holder = pointer;
    gs_key_engine_release(holder->engine);
    UI_destroy_method(holder->prompt.method);
    free(holder->prompt.what);
    free(holder);
}

/* ---- the PIN ---- */

static int give_pin(UI *ui, UI_STRING *string, gs_key_prompt *prompt)
{
    GS_AUTO_SECRET gs_buf pin;
    int code = gs_secret_init(&pin, GS_MAX_PASSPHRASE_BYTES, &prompt->error);
    if (code == 0 && !prompt->passphrase) {
        code = gs_fail(&prompt->error, GS_ESPEC, "the key asks for a PIN, and none was given");
        (void)gs_error_hint(&prompt->error, "put it into a file of mode 0600 and give --passphrase-file FILE");
    }
    code = code == 0 ? gs_passphrase_get(prompt->passphrase, prompt->what, &pin, &prompt->error) : code;
    if (code == 0 && UI_set_result_ex(ui, string, pin.data, (int)pin.len) != 0) {
        code = gs_openssl_fail(&prompt->error, GS_ESPEC, "the PIN is not accepted");
    }
    return code == 0;
}

static int read_string(UI *ui, UI_STRING *string)
{
    enum UI_string_types type = UI_get_string_type(string);
    return type == UIT_PROMPT || type == UIT_VERIFY ? give_pin(ui, string, UI_get0_user_data(ui)) : 1;
}

static int holder_new(const gs_passphrase *passphrase, const char *uri, key_holder **out, gs_error *err)
{
    key_holder *holder = calloc(1, sizeof *holder);
    if (!holder) {
        return gs_fail_nomem(err);
    }
    holder->prompt = (gs_key_prompt){.method = UI_create_method("gapship"), .passphrase = passphrase, .what = strdup(uri)};
    if (!holder->prompt.method || !holder->prompt.what || UI_method_set_reader(holder->prompt.method, read_string) != 0) {
        holder_release(holder);
        return gs_fail_nomem(err);
    }
    *out = holder;
    return 0;
}

/* ---- stores ---- */

static bool has_store(const char *scheme)
{
    OSSL_STORE_LOADER *loader = OSSL_STORE_LOADER_fetch(NULL, scheme, NULL);
    OSSL_STORE_LOADER_free(loader);
    ERR_clear_error();
    return loader != NULL;
}

/* The next private key, or NULL. */
static EVP_PKEY *next_key(OSSL_STORE_CTX *store)
{
    EVP_PKEY *key = NULL;
    while (!key && !OSSL_STORE_eof(store) && !OSSL_STORE_error(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        key = info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY ? OSSL_STORE_INFO_get1_PKEY(info) : NULL;
        OSSL_STORE_INFO_free(info);
    }
    return key;
}

static int load_store(const char *uri, gs_key_prompt *prompt, EVP_PKEY **out, gs_error *err)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open_ex(uri, NULL, NULL, prompt->method, prompt, NULL, NULL, NULL);
    EVP_PKEY *key = store && OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) == 1 ? next_key(store) : NULL;
    EVP_PKEY *another = key ? next_key(store) : NULL;
    (void)OSSL_STORE_close(store);
    if (key && !another) {
        *out = key;
        return 0;
    }
    EVP_PKEY_free(key);
    EVP_PKEY_free(another);
    return another ? gs_fail(err, GS_ESPEC, "the URI names several private keys")
                   : gs_openssl_fail(err, GS_ENOTFOUND, "the URI names no private key, or the store does not give it");
}

/* ---- the whole ---- */

#define SCHEME_MAX 32

/* The scheme of RFC 3986, or "" when the name has none. */
static void find_scheme(const char *name, char out[SCHEME_MAX])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-";
    size_t len = strspn(name, letters);
    bool is_scheme = len > 0 && len < SCHEME_MAX && name[len] == ':' && !strchr("0123456789+.-", name[0]);
    len = is_scheme ? len : 0;
    memcpy(out, name, len);
    out[len] = '\0';
}

bool gs_key_uri_is(const char *name)
{
    char scheme[SCHEME_MAX];
    find_scheme(name, scheme);
    return scheme[0] != '\0';
}

static int load_engine(const char *rest, gs_key_prompt *prompt, EVP_PKEY **out, void **holder, gs_error *err)
{
    char engine[SCHEME_MAX];
    size_t len = strcspn(rest, ":");
    if (len == 0 || len >= sizeof engine || rest[len] != ':' || rest[len + 1] == '\0') {
        return gs_fail(err, GS_EUSAGE, "a key of an engine is written engine:ENGINE:KEY");
    }
    memcpy(engine, rest, len);
    engine[len] = '\0';
    return gs_key_engine_load(engine, rest + len + 1, prompt, out, holder, err);
}

/* Of a PKCS#11 URI (RFC 7512). */
static bool has_attribute(const char *uri, const char *name)
{
    static const char before[] = ":;?&";
    size_t len = strlen(name);
    for (const char *at = strpbrk(uri, before); at; at = strpbrk(at + 1, before)) {
        if (strncmp(at + 1, name, len) == 0 && at[1 + len] == '=') {
            return true;
        }
    }
    return false;
}

static int load(const char *uri, const char *scheme, key_holder *holder, EVP_PKEY **out, gs_error *err)
{
    gs_key_prompt *prompt = &holder->prompt;
    if (strcmp(scheme, "engine") == 0) {
        return load_engine(uri + strlen("engine:"), prompt, out, &holder->engine, err);
    }
    if (has_store(scheme)) {
        return load_store(uri, prompt, out, err);
    }
    if (strcmp(scheme, "pkcs11") == 0 && !has_attribute(uri, "object") && !has_attribute(uri, "id")) {
        (void)gs_fail(err, GS_EUSAGE, "the URI names no object, and the first key that there is may not be the one");
        (void)gs_error_hint(err, "add object=LABEL or id=%%01");
        return GS_EUSAGE;
    }
    if (strcmp(scheme, "pkcs11") == 0) {
        return gs_key_engine_load("pkcs11", uri, prompt, out, &holder->engine, err);
    }
    (void)gs_fail(err, GS_ENOTFOUND, "there is neither a file of this name nor an OpenSSL provider for keys by \"%s:\"", scheme);
    (void)gs_error_hint(err, "providers are activated in openssl.cnf; keys of an engine are written engine:ENGINE:KEY");
    return GS_ENOTFOUND;
}

/* Now and not after an hour of building: some tokens give out keys that may not sign, or not so. */
static int prove(const gs_private_key *key, gs_error *err)
{
    static const char sample[] = "gapship: can this key sign?";
    GS_AUTO_PUBLIC_KEY gs_public_key *public = NULL;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    int code = gs_private_key_public(key, &public, err);
    code = code == 0 ? gs_sign(key, sample, sizeof sample, &signature, err) : code;
    code = code == 0 ? gs_signature_verify(public, sample, sizeof sample, signature.data, signature.len, err) : code;
    if (code == GS_EINTERNAL || code == GS_ESIGNATURE) {
        code = gs_error_recode(err, GS_ESPEC);
        (void)gs_error_hint(err, "the key was tried out before anything else: is its PIN right, and may it sign?");
    }
    return code;
}

/* Why somebody gave no PIN says more than what OpenSSL made of that. */
static int prefer_prompt(const gs_key_prompt *prompt, int code, gs_error *err)
{
    if (code != 0 && prompt->error.code != 0 && err) {
        *err = prompt->error;
        return err->code;
    }
    return code;
}

static int check_uri(const char *uri, const char *scheme, gs_error *err)
{
    if (strcmp(scheme, "file") == 0) {
        (void)gs_fail(err, GS_EUSAGE, "a key in a file is named by its path alone, without \"file:\"");
        (void)gs_error_at(err, "%s", uri);
        return GS_EUSAGE;
    }
    if (strstr(uri, "pin-value=")) {
        /* Not repeated in the error: the command line has shown it often enough. */
        (void)gs_fail(err, GS_EUSAGE, "a PIN does not belong on the command line, where everybody on this machine can read it");
        (void)gs_error_hint(err, "leave pin-value out, and give --passphrase-file FILE");
        return GS_EUSAGE;
    }
    return 0;
}

int gs_key_uri_load(const char *uri, const gs_passphrase *passphrase, gs_private_key **out, gs_error *err)
{
    char scheme[SCHEME_MAX];
    key_holder *holder = NULL;
    EVP_PKEY *handle = NULL;
    GS_AUTO_PRIVATE_KEY gs_private_key *key = NULL;
    find_scheme(uri, scheme);
    int code = check_uri(uri, scheme, err);
    code = code == 0 ? gs_openssl_ready(err) : code;
    if (code != 0) {
        return code;
    }
    code = holder_new(passphrase, uri, &holder, err);
    if (code != 0) {
        return code;
    }
    code = prefer_prompt(&holder->prompt, load(uri, scheme, holder, &handle, err), err);
    code = code == 0 ? gs_private_key_wrap(handle, &key, err) : code;
    if (code == 0) {
        key->release = holder_release;
        key->holder = holder;
        code = prefer_prompt(&holder->prompt, prove(key, err), err);
    } else {
        holder_release(holder);
    }
    if (code != 0) {
        (void)gs_error_at(err, "%s", uri);
        return code;
    }
    *out = GS_STEAL(key);
    return 0;
}
