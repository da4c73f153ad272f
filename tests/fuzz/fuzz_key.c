/* Files of public keys: what is accepted is written in the one form there is, which reads as the same key with the same id. */
#include <string.h>

#include "fuzz.h"
#include "gapship/crypto.h"
#include "gapship/limits.h"

static void check_rewritten(const gs_public_key *key)
{
    gs_error err = {0};
    gs_public_key *again = NULL;
    gs_buf first;
    gs_buf second;
    gs_buf_init(&first, GS_MAX_KEY_FILE_BYTES);
    gs_buf_init(&second, GS_MAX_KEY_FILE_BYTES);
    check(gs_public_key_text(key, &first, &err) == 0);
    check(gs_public_key_parse(first.data, first.len, &again, &err) == 0);
    check(gs_public_key_same(key, again) && gs_public_key_type(key) == gs_public_key_type(again));
    check(gs_digest_equal(gs_public_key_id(key), gs_public_key_id(again)));
    check(gs_public_key_text(again, &second, &err) == 0);
    check(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    gs_public_key_free(again);
    gs_buf_done(&first);
    gs_buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_public_key *key = NULL;
    if (gs_public_key_parse((const char *)data, size, &key, &err) == 0) {
        gs_key_type named;
        check(gs_key_type_parse(gs_key_type_name(gs_public_key_type(key)), &named) && named == gs_public_key_type(key));
        check_rewritten(key);
        /* Nothing is signed by nobody. */
        check(gs_signature_verify(key, "statement", 9, data, size < 512 ? size : 512, &err) == GS_ESIGNATURE);
        gs_public_key_free(key);
    } else {
        check(err.code == GS_ESPEC || err.code == GS_ELIMIT);
    }
    return 0;
}
