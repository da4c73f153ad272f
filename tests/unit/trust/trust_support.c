#include "trust_support.h"

#include "gapship/limits.h"

struct trust_keys trust_keys;

int trust_enter(void **state)
{
    (void)state;
    static const gs_key_type types[] = {GS_KEY_ED25519, GS_KEY_ECDSA_P256};
    gs_error err = {0};
    for (size_t i = 0; i < TRUST_KEYS; i++) {
        assert_ok(&err, gs_key_generate(types[i % 2], &trust_keys.private[i], &err));
        assert_ok(&err, gs_private_key_public(trust_keys.private[i], &trust_keys.public[i], &err));
    }
    return 0;
}

int trust_leave(void **state)
{
    (void)state;
    for (size_t i = 0; i < TRUST_KEYS; i++) {
        gs_private_key_free(trust_keys.private[i]);
        gs_public_key_free(trust_keys.public[i]);
    }
    return 0;
}

void trust_sign_body(size_t i, gs_document_type type, const void *body, size_t len, gs_buf *out)
{
    gs_error err = {0};
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&encoding, 2 * GS_MAX_DOCUMENT_BYTES);
    assert_ok(&err, gs_document_encoding(type, body, len, &encoding, &err));
    assert_ok(&err, gs_sign(trust_keys.private[i], encoding.data, encoding.len, out, &err));
}

gs_trust *trust_root(const trust_spec *spec)
{
    gs_error err = {0};
    gs_trust *trust = NULL;
    const gs_public_key *list[TRUST_KEYS] = {0};
    for (size_t i = 0; i < spec->count; i++) {
        list[i] = trust_keys.public[spec->first + i];
    }
    const gs_trust_role role = {.keys = list, .count = spec->count, .threshold = spec->threshold};
    const gs_trust_draft draft = {.version = spec->version, .epoch = spec->epoch, .roles = {role, role}};
    assert_ok(&err, gs_trust_make(&draft, &trust, &err));
    return trust;
}

void trust_sign(gs_trust *trust, size_t i)
{
    gs_error err = {0};
    GS_AUTO_BUF gs_buf body;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&body, 2 * GS_MAX_DOCUMENT_BYTES);
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    assert_ok(&err, gs_trust_body(trust, &body, &err));
    trust_sign_body(i, GS_DOCUMENT_ROOT, body.data, body.len, &signature);
    assert_ok(&err, gs_trust_sign(trust, trust_keys.public[i], signature.data, signature.len, &err));
}
