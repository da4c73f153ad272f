/* The verbs that sign what is built already, here or elsewhere. */
#include "gapship/build.h"
#include "passphrase.h"
#include "tbs.h"
#include "terminal.h"
#include "verbs.h"

static int print_signer(gs_invocation *invocation, const gs_digest *id, gs_error *err)
{
    char hex[GS_DIGEST_HEX];
    gs_digest_hex(id, hex);
    gs_print(invocation->terminal, "signed by key %s\n", hex);
    gs_arena *arena = invocation->arena;
    return gs_print_result(invocation->terminal, gs_node_set_text(arena, gs_node_new_map(arena), "keyId", hex), err);
}

gs_node *gs_tbs_node(gs_invocation *invocation, const char *bundle, const gs_tbs *tbs)
{
    const char *path = gs_value(invocation->arguments, "emit-tbs");
    gs_arena *arena = invocation->arena;
    char digest[GS_DIGEST_TEXT];
    gs_digest_text(&tbs->digest, digest);
    gs_print(invocation->terminal,
             "%s\n%zu bytes to be signed, %s\n"
             "Until enough keys have signed them, sites refuse the bundle. Each signature is added by\n"
             "  gapship attach-signature %s --signature SIGNATURE --key PUBLIC-KEY\n",
             path, tbs->size, digest, bundle);
    gs_node *result = gs_node_new_map(arena);
    result = gs_node_set_text(arena, result, "path", path);
    result = gs_node_set_text(arena, result, "digest", digest);
    return gs_node_set_integer(arena, result, "size", (int64_t)tbs->size);
}

static int emit_tbs(gs_invocation *invocation, const char *bundle, const char *path, gs_error *err)
{
    gs_arena *arena = invocation->arena;
    char digest[GS_DIGEST_TEXT];
    gs_tbs tbs;
    int code = gs_tbs_write(bundle, path, false, &tbs, err);
    if (code < 0) {
        return code;
    }
    gs_digest_text(&tbs.bundle, digest);
    gs_node *result = gs_node_set(arena, gs_node_new_map(arena), "tbs", gs_tbs_node(invocation, bundle, &tbs));
    return gs_print_result(invocation->terminal, gs_node_set_text(arena, result, "bundle", digest), err);
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
    return code < 0 ? code : print_signer(invocation, &id, err);
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
    return code < 0 ? code : print_signer(invocation, &id, err);
}
