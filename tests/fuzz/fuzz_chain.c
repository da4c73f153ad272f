/* Chains of roots, where a signature counts when it begins with a G: so the links behind the first are reached at all. Each root that
 * is reached may follow the one before by what both say, it reads as what it was written, and a walk never leads back. */
#include <string.h>

#include "fuzz.h"
#include "gapship/trust.h"
#include "keys.h"

/* Instead of gs_signature_verify. */
int __wrap_gs_signature_verify(const gs_public_key *key, const void *data, size_t len, const void *signature, size_t signature_len,
                               gs_error *err);

int __wrap_gs_signature_verify(const gs_public_key *key, const void *data, size_t len, const void *signature, size_t signature_len,
                               gs_error *err)
{
    static const char begin[] = "DSSEv1 33 application/vnd.gapship.root+json ";
    check(key && len > sizeof begin && memcmp(data, begin, sizeof begin - 1) == 0);
    check(signature_len >= 1 && signature_len <= GS_MAX_SIGNATURE_BYTES);
    return *(const char *)signature == 'G' ? 0 : gs_fail(err, GS_ESIGNATURE, "no G");
}

typedef struct walk {
    uint64_t version, epoch;
} walk;

static int reached(void *state, const gs_trust *next, gs_error *err)
{
    walk *self = state;
    gs_trust *again = NULL;
    gs_buf text;
    gs_digest first;
    gs_digest second;
    gs_buf_init(&text, 4 * GS_MAX_ROOT_BYTES);
    check(gs_trust_version(next) == self->version + 1 && gs_trust_epoch(next) >= self->epoch);
    check(gs_trust_write(next, &text, err) == 0);
    check(gs_trust_parse("again", text.data, text.len, &again, err) == 0);
    check(gs_trust_fingerprint(next, &first, err) == 0 && gs_trust_fingerprint(again, &second, err) == 0);
    check(gs_digest_equal(&first, &second));
    *self = (walk){gs_trust_version(next), gs_trust_epoch(next)};
    gs_trust_free(again);
    gs_buf_done(&text);
    return 0;
}

/* Version 1 with two root keys, both of them needed. */
static gs_trust *begin(gs_error *err)
{
    static gs_public_key *keys[3];
    static const gs_public_key *root[2];
    static const gs_public_key *release[1];
    for (size_t i = 0; i < 3 && !keys[i]; i++) {
        check(gs_public_key_parse(fuzz_keys[i], strlen(fuzz_keys[i]), &keys[i], err) == 0);
    }
    root[0] = keys[0];
    root[1] = keys[1];
    release[0] = keys[2];
    const gs_trust_draft draft = {.version = 1,
                                  .epoch = 1,
                                  .roles = {[GS_ROLE_ROOT] = {.keys = root, .count = 2, .threshold = 2},
                                            [GS_ROLE_RELEASE] = {.keys = release, .count = 1, .threshold = 1}}};
    gs_trust *trust = NULL;
    check(gs_trust_make(&draft, &trust, err) == 0);
    return trust;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_trust *trust = begin(&err);
    walk walked = {gs_trust_version(trust), gs_trust_epoch(trust)};
    int code = gs_trust_walk(&trust, data, size, reached, &walked, &err);
    check(code == 0 || ((code == GS_EFORMAT || code == GS_ESIGNATURE) && err.code == code));
    check(gs_trust_version(trust) == walked.version && gs_trust_epoch(trust) == walked.epoch);
    gs_trust_free(trust);
    return 0;
}
