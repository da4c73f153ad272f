/* The verbs that sign what is built already. */
#include "gapship/build.h"
#include "passphrase.h"
#include "terminal.h"
#include "verbs.h"

int gs_verb_sign(gs_invocation *invocation, gs_error *err)
{
    const char *key = gs_value(invocation->arguments, "key");
    gs_digest id;
    char hex[GS_DIGEST_HEX];
    if (!key) {
        return gs_fail(err, GS_EUSAGE, "sign needs --key KEY");
    }
    gs_passphrase passphrase = gs_passphrase_source(invocation);
    int rc = gs_sign_bundle(&invocation->run, gs_positional(invocation->arguments, 0), key, &passphrase, &id, err);
    if (rc < 0) {
        return rc;
    }
    gs_digest_hex(&id, hex);
    gs_print(invocation->terminal, "signed by key %s\n", hex);
    gs_arena *arena = invocation->arena;
    gs_node *result = gs_node_set_text(arena, gs_node_new_map(arena), "keyId", hex);
    return result ? gs_print_result(invocation->terminal, result, err) : gs_fail_nomem(err);
}
