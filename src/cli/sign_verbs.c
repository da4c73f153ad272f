/* The verbs that sign what is built already, here or elsewhere. */
#include "gapship/build.h"
#include "passphrase.h"
#include "signing.h"
#include "terminal.h"
#include "verbs.h"

static int emit_tbs(gs_invocation *invocation, const char *bundle, const char *path, gs_error *err)
{
    gs_arena *arena = invocation->arena;
    char text[GS_DIGEST_TEXT];
    gs_digest digest;
    gs_tbs tbs;
    int code = gs_bundle_emit(bundle, path, false, &digest, &tbs, err);
    if (code < 0) {
        return code;
    }
    gs_digest_text(&digest, text);
    gs_node *result = gs_node_set(arena, gs_node_new_map(arena), "tbs", gs_tbs_node(invocation, "attach-signature", bundle, &tbs));
    return gs_print_result(invocation->terminal, gs_node_set_text(arena, result, "bundle", text), err);
}

int gs_verb_sign(gs_invocation *invocation, gs_error *err)
{
    const char *bundle = gs_positional(invocation->arguments, 0);
    const char *key = gs_value(invocation->arguments, "key");
    const char *tbs = gs_value(invocation->arguments, "emit-tbs");
    if (!key == !tbs) {
        gs_fail(err, GS_EUSAGE, "sign needs --key KEY, or --emit-tbs FILE");
        return gs_error_hint(err, "--key signs here; --emit-tbs writes what a key elsewhere is to sign");
    }
    if (tbs) {
        return emit_tbs(invocation, bundle, tbs, err);
    }
    gs_digest id;
    gs_passphrase passphrase = gs_passphrase_source(invocation);
    int code = gs_sign_bundle(bundle, key, &passphrase, &id, err);
    return code < 0 ? code : gs_print_result(invocation->terminal, gs_signer_node(invocation, &id), err);
}

int gs_verb_attach_signature(gs_invocation *invocation, gs_error *err)
{
    const gs_arguments *arguments = invocation->arguments;
    const gs_attach_options options = {.bundle = gs_positional(arguments, 0),
                                       .signature = gs_value(arguments, "signature"),
                                       .key = gs_value(arguments, "key"),
                                       .root = gs_value(arguments, "root"),
                                       .key_id = gs_value(arguments, "key-id")};
    if (!options.signature) {
        return gs_fail(err, GS_EUSAGE, "attach-signature needs --signature FILE");
    }
    if (!options.key == !options.root || !options.root != !options.key_id) {
        gs_fail(err, GS_EUSAGE, "attach-signature needs the public key of the signature, to prove it");
        return gs_error_hint(err, "give either --key PUBLIC-KEY, or --root ROOT and --key-id ID");
    }
    gs_digest id;
    int code = gs_attach_signature(&options, &id, err);
    return code < 0 ? code : gs_print_result(invocation->terminal, gs_signer_node(invocation, &id), err);
}
