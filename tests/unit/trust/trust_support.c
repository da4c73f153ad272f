#include "trust_support.h"

#include "gapship/limits.h"

void trust_keys_init(trust_keys *keys)
{
    static const gs_key_type types[] = {GS_KEY_ED25519, GS_KEY_ECDSA_P256};
    gs_error err = {0};
    for (size_t i = 0; i < TRUST_KEYS; i++) {
        keys->private[i] = NULL;
        keys->public[i] = NULL;
        assert_ok(&err, gs_key_generate(types[i % 2], &keys->private[i], &err));
        assert_ok(&err, gs_private_key_public(keys->private[i], &keys -> public[i], &err));
    }
}

void trust_keys_done(trust_keys *keys)
{
    for (size_t i = 0; i < TRUST_KEYS; i++) {
        gs_private_key_free(keys->private[i]);
        gs_public_key_free(keys->public[i]);
    }
}

void trust_sign_body(const trust_keys *keys, size_t i, gs_document_type type, const void *body, size_t len, gs_buf *out)
{
    gs_error err = {0};
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&encoding, 2 * GS_MAX_DOCUMENT_BYTES);
    assert_ok(&err, gs_document_encoding(type, body, len, &encoding, &err));
    assert_ok(&err, gs_sign(keys->private[i], encoding.data, encoding.len, out, &err));
}

gs_trust *trust_root(const trust_keys *keys, const trust_spec *spec)
{
    gs_error err = {0};
    gs_trust *trust = NULL;
    const gs_public_key *list[TRUST_KEYS] = {0};
    for (size_t i = 0; i < spec->count; i++) {
        list[i] = keys->public[spec->first + i];
    }
    const gs_trust_role role = {.keys = list, .count = spec->count, .threshold = spec->threshold};
    const gs_trust_draft draft = {.version = spec->version, .epoch = spec->epoch, .roles = {role, role}};
    assert_ok(&err, gs_trust_make(&draft, &trust, &err));
    return trust;
}

void trust_sign(gs_trust *trust, const trust_keys *keys, size_t i)
{
    gs_error err = {0};
    GS_AUTO_BUF gs_buf body;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&body, 2 * GS_MAX_DOCUMENT_BYTES);
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    assert_ok(&err, gs_trust_body(trust, &body, &err));
    trust_sign_body(keys, i, GS_DOCUMENT_ROOT, body.data, body.len, &signature);
    assert_ok(&err, gs_trust_sign(trust, keys->public[i], signature.data, signature.len, &err));
}
