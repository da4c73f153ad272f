/* Keys of OpenSSL's engines. OpenSSL 3 calls engines deprecated, but the way to PKCS#11 tokens on Debian 12 is one; only this file may
 * use them. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/engine.h>

#include "key_uri.h"

#ifdef OPENSSL_NO_ENGINE

int gs_key_engine_load(const char *engine, const char *key, gs_key_prompt *prompt, EVP_PKEY **out, void **holder, gs_error *err)
{
    (void)key, (void)prompt, (void)out, (void)holder;
    return gs_fail(err, GS_ESPEC, "this OpenSSL has no engines, so none called %s", engine);
}

void gs_key_engine_release(void *holder)
{
    (void)holder;
}

#else

/* A started engine, or NULL. */
static ENGINE *start(const char *name)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_ALL_BUILTIN, NULL);
    ENGINE *engine = ENGINE_by_id(name);
    /* Engines that can be told so leave stderr to us. */
    bool started = engine && ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 1) == 1 && ENGINE_init(engine) == 1;
    ENGINE_free(engine);
    return started ? engine : NULL;
}

/* For what an engine asks later on, when a key signs. One that cannot be told so does not ask. */
static bool set_prompt(ENGINE *engine, gs_key_prompt *prompt)
{
    return ENGINE_ctrl_cmd(engine, "SET_USER_INTERFACE", 0, prompt ? prompt->method : NULL, NULL, 1) == 1 &&
           ENGINE_ctrl_cmd(engine, "SET_CALLBACK_DATA", 0, prompt, NULL, 1) == 1;
}

int gs_key_engine_load(const char *engine, const char *key, gs_key_prompt *prompt, EVP_PKEY **out, void **holder, gs_error *err)
{
    ENGINE *started = start(engine);
    if (!started) {
        int code = gs_openssl_fail(err, GS_ENOTFOUND, "OpenSSL's engine cannot be started");
        (void)gs_error_at(err, "engine %s", engine);
        (void)gs_error_hint(err,
                            "for PKCS#11 tokens install libengine-pkcs11-openssl; PKCS11_MODULE_PATH names the token's module");
        return code;
    }
    EVP_PKEY *handle = set_prompt(started, prompt) ? ENGINE_load_private_key(started, key, prompt->method, prompt) : NULL;
    if (!handle) {
        gs_key_engine_release(started);
        return gs_openssl_fail(err, GS_ENOTFOUND, "the engine has no such private key, or does not give it");
    }
    *out = handle;
    *holder = started;
    return 0;
}

void gs_key_engine_release(void *holder)
{
    if (holder) {
        (void)set_prompt(holder, NULL);
        (void)ENGINE_finish(holder);
    }
}

#endif
