/* What the verbs that sign say, bundles, roots and permits alike. */
#include "signing.h"

#include "terminal.h"

gs_node *gs_signer_node(gs_invocation *invocation, const gs_digest *key_id)
{
    char hex[GS_DIGEST_HEX];
    gs_digest_hex(key_id, hex);
    gs_print(invocation->terminal, "signed by key %s\n", hex);
    return gs_node_set_text(invocation->arena, gs_node_new_map(invocation->arena), "keyId", hex);
}

gs_node *gs_tbs_node(gs_invocation *invocation, const char *verb, const char *file, const gs_tbs *tbs)
{
    const char *path = gs_value(invocation->arguments, "emit-tbs");
    gs_arena *arena = invocation->arena;
    char digest[GS_DIGEST_TEXT];
    gs_digest_text(&tbs->digest, digest);
    gs_print(invocation->terminal,
             "%s\n%zu bytes to be signed, %s\n"
             "Until enough keys have signed them, sites refuse it. Each signature is added by\n"
             "  gapship %s %s --signature SIGNATURE --key PUBLIC-KEY\n",
             path, tbs->size, digest, verb, file);
    gs_node *result = gs_node_new_map(arena);
    result = gs_node_set_text(arena, result, "path", path);
    result = gs_node_set_text(arena, result, "digest", digest);
    return gs_node_set_integer(arena, result, "size", (int64_t)tbs->size);
}
