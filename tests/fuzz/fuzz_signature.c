/* Signatures as they stand in files: the first byte chooses the key. Whatever verifies over what was signed, verifies over nothing
 * else and by no other key; whatever does not is refused as such. */
#include <string.h>

#include "fuzz.h"
#include "gapship/crypto.h"
#include "keys.h"

static const char message[] = "what is signed";
static const char other[] = "what is zigned";
static gs_public_key *keys[FUZZ_KEYS];

static void read_keys(void)
{
    gs_error err = {0};
    for (size_t i = 0; i < FUZZ_KEYS && !keys[i]; i++) {
        check(gs_public_key_parse(fuzz_keys[i], strlen(fuzz_keys[i]), &keys[i], &err) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    if (size < 1) {
        return 0;
    }
    read_keys();
    size_t chosen = data[0] % FUZZ_KEYS;
    int code = gs_signature_verify(keys[chosen], message, sizeof message - 1, data + 1, size - 1, &err);
    check(code == 0 || (code == GS_ESIGNATURE && err.message[0] != '\0'));
    if (code == 0) {
        check(gs_signature_verify(keys[chosen], other, sizeof other - 1, data + 1, size - 1, &err) == GS_ESIGNATURE);
        check(gs_signature_verify(keys[chosen], message, sizeof message - 2, data + 1, size - 1, &err) == GS_ESIGNATURE);
        size_t next = (chosen + 1) % FUZZ_KEYS;
        check(gs_signature_verify(keys[next], message, sizeof message - 1, data + 1, size - 1, &err) == GS_ESIGNATURE);
    }
    return 0;
}
