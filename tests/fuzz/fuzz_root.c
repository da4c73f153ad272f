/* Root documents and PEM keys: what is accepted is written, read again, and has the same fingerprint. */
#include <stdlib.h>

#include "gapship/limits.h"
#include "gapship/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rewritten(const gs_trust *trust)
{
    gs_error err = {0};
    gs_trust *again = NULL;
    gs_digest before;
    gs_digest after;
    gs_buf text;
    gs_buf_init(&text, 4 * GS_MAX_ROOT_BYTES);
    int code = gs_trust_write(trust, &text, &err);
    /* Pretty text may be longer than what was read, and so longer than a root may be. */
    if (code != 0 && code != GS_ELIMIT) {
        abort();
    }
    if (code == 0 &&
        (gs_trust_parse("again", text.data, text.len, &again, &err) != 0 || gs_trust_fingerprint(trust, &before, &err) != 0 ||
         gs_trust_fingerprint(again, &after, &err) != 0 || !gs_digest_equal(&before, &after))) {
        abort();
    }
    gs_trust_free(again);
    gs_buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_trust *trust = NULL;
    gs_error err = {0};
    if (gs_trust_parse("fuzz", data, size, &trust, &err) == 0) {
        if (gs_trust_role_of(trust, GS_ROLE_RELEASE)->threshold < 1 ||
            gs_trust_role_of(trust, GS_ROLE_RELEASE)->threshold > gs_trust_role_of(trust, GS_ROLE_RELEASE)->count) {
            abort();
        }
        check_rewritten(trust);
        gs_trust_free(trust);
    } else if (err.code != GS_ESPEC && err.code != GS_ELIMIT) {
        abort();
    }
    return 0;
}
