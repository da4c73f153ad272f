/* `root show`, and what the other verbs of trust roots say of one. */
#include <inttypes.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/num.h"
#include "root_verbs.h"
#include "terminal.h"
#include "verbs.h"

/* Who signed, as the root's own root role sees it. */
typedef struct signers {
    gs_signature_report reports[GS_MAX_SIGNATURES];
    size_t count;
    unsigned good;
} signers;

static int find_signers(const gs_trust *root, const gs_trust *by, signers *out, gs_error *err)
{
    return gs_trust_signers(root, by, out->reports, &out->count, &out->good, err);
}

static bool has_signed(const signers *by, const gs_public_key *key)
{
    for (size_t i = 0; i < by->count; i++) {
        if (by->reports[i].good && gs_digest_equal(&by->reports[i].key_id, gs_public_key_id(key))) {
            return true;
        }
    }
    return false;
}

static gs_node *key_node(gs_arena *arena, const gs_public_key *key)
{
    char id[GS_DIGEST_HEX];
    char number[GS_KEY_NUMBER_TEXT];
    gs_digest_hex(gs_public_key_id(key), id);
    gs_node *node = gs_node_set_text(arena, gs_node_new_map(arena), "keyId", id);
    node = gs_node_set_text(arena, node, "type", gs_key_type_name(gs_public_key_type(key)));
    return gs_public_key_number(key, number) ? gs_node_set_text(arena, node, "keyNumber", number) : node;
}

/* In groups, so that two people can read it to each other. */
static void print_fingerprint(gs_invocation *invocation, const gs_digest *fingerprint)
{
    char hex[GS_DIGEST_HEX];
    gs_digest_hex(fingerprint, hex);
    for (size_t line = 0; line < 64; line += 32) {
        gs_print(invocation->terminal, "%s", line == 0 ? "fingerprint  " : "             ");
        for (size_t i = line; i < line + 32; i += 4) {
            gs_print(invocation->terminal, "%.4s%s", hex + i, i + 4 < line + 32 ? " " : "\n");
        }
    }
}

static gs_node *print_role(gs_invocation *invocation, const gs_trust *root, gs_role role, const signers *by)
{
    gs_arena *arena = invocation->arena;
    const gs_trust_role *keys = gs_trust_role_of(root, role);
    gs_node *list = gs_node_new_list(arena);
    gs_print(invocation->terminal, "%s: %u of %zu\n", gs_role_name(role), keys->threshold, keys->count);
    for (size_t i = 0; i < keys->count; i++) {
        char id[GS_DIGEST_HEX];
        const bool good = role == GS_ROLE_ROOT && has_signed(by, keys->keys[i]);
        gs_digest_hex(gs_public_key_id(keys->keys[i]), id);
        gs_print(invocation->terminal, "  %s  %s%s\n", id, gs_key_type_name(gs_public_key_type(keys->keys[i])),
                 good ? "  signed this root" : "");
        list = gs_node_append(arena, list, key_node(arena, keys->keys[i]));
    }
    gs_node *node = gs_node_set_integer(arena, gs_node_new_map(arena), "threshold", keys->threshold);
    return gs_node_set(arena, node, "keys", list);
}

/* A signature by a key that is not of this root is most often by one of the root before it. */
static gs_node *print_signatures(gs_invocation *invocation, const signers *by)
{
    gs_arena *arena = invocation->arena;
    gs_node *list = gs_node_new_list(arena);
    for (size_t i = 0; i < by->count; i++) {
        char id[GS_DIGEST_HEX];
        gs_digest_hex(&by->reports[i].key_id, id);
        if (!by->reports[i].known) {
            gs_print(invocation->terminal, "signed by %s, which is no root key of this root and was not checked\n", id);
        }
        gs_node *node = gs_node_set_text(arena, gs_node_new_map(arena), "keyId", id);
        node = gs_node_set(arena, node, "known", gs_node_new_bool(arena, by->reports[i].known));
        list = gs_node_append(arena, list, gs_node_set(arena, node, "good", gs_node_new_bool(arena, by->reports[i].good)));
    }
    return list;
}

int gs_root_describe(gs_invocation *invocation, const gs_trust *root, const char *file, gs_node **result, gs_error *err)
{
    gs_arena *arena = invocation->arena;
    signers by = {0};
    gs_digest fingerprint;
    char text[GS_DIGEST_TEXT];
    char expires[GS_TIME_TEXT] = "";
    int code = gs_trust_fingerprint(root, &fingerprint, err);
    if (code == 0) {
        code = find_signers(root, root, &by, err);
    }
    if (code < 0) {
        return code;
    }
    const int64_t until = gs_trust_expires(root);
    const bool expired = until > 0 && until < gs_now(&invocation->run);
    gs_digest_text(&fingerprint, text);
    if (until > 0) {
        gs_format_time(until, expires);
    }
    gs_print(invocation->terminal, "%s: root %" PRIu64 ", epoch %" PRIu64 "%s%s\n", file, gs_trust_version(root),
             gs_trust_epoch(root),
             until == 0 ? ""
             : expired  ? ", expired at "
                        : ", expires at ",
             expires);
    print_fingerprint(invocation, &fingerprint);
    gs_node *node = gs_node_set_text(arena, gs_node_new_map(arena), "file", file);
    node = gs_node_set_integer(arena, node, "version", (int64_t)gs_trust_version(root));
    node = gs_node_set_integer(arena, node, "epoch", (int64_t)gs_trust_epoch(root));
    node = gs_node_set_text(arena, node, "expires", until > 0 ? expires : NULL);
    node = gs_node_set(arena, node, "expired", gs_node_new_bool(arena, expired));
    node = gs_node_set_text(arena, node, "fingerprint", text);
    gs_node *roles = gs_node_new_map(arena);
    for (gs_role role = GS_ROLE_ROOT; role <= GS_ROLE_SITE; role++) {
        if (gs_trust_role_of(root, role)->count > 0) {
            roles = gs_node_set(arena, roles, gs_role_name(role), print_role(invocation, root, role, &by));
        }
    }
    node = gs_node_set(arena, node, "roles", roles);
    node = gs_node_set(arena, node, "signatures", print_signatures(invocation, &by));
    *result = node ? node : *result;
    return node ? 0 : gs_fail_nomem(err);
}

int gs_root_missing(gs_invocation *invocation, const gs_trust *root, const gs_trust *by, gs_node **list, gs_error *err)
{
    gs_arena *arena = invocation->arena;
    const gs_trust_role *role = gs_trust_role_of(by, GS_ROLE_ROOT);
    signers there = {0};
    int code = find_signers(root, by, &there, err);
    if (code < 0 || there.good >= role->threshold) {
        return code;
    }
    gs_node *keys = gs_node_new_list(arena);
    gs_print(invocation->terminal, "needs %u more of these root keys of root %" PRIu64 ":\n", role->threshold - there.good,
             gs_trust_version(by));
    for (size_t i = 0; i < role->count; i++) {
        if (!has_signed(&there, role->keys[i])) {
            char id[GS_DIGEST_HEX];
            gs_digest_hex(gs_public_key_id(role->keys[i]), id);
            gs_print(invocation->terminal, "  %s  %s\n", id, gs_key_type_name(gs_public_key_type(role->keys[i])));
            keys = gs_node_append(arena, keys, gs_node_new_text(arena, id));
        }
    }
    gs_node *node = gs_node_set_integer(arena, gs_node_new_map(arena), "root", (int64_t)gs_trust_version(by));
    node = gs_node_set_integer(arena, node, "signatures", role->threshold - there.good);
    gs_node *grown = gs_node_append(arena, *list, gs_node_set(arena, node, "of", keys));
    if (!grown) {
        return gs_fail_nomem(err);
    }
    *list = grown;
    return 0;
}

int gs_verb_root_show(gs_invocation *invocation, gs_error *err)
{
    const char *file = gs_positional(invocation->arguments, 0);
    GS_AUTO_TRUST gs_trust *root = NULL;
    gs_node *result = NULL;
    int code = gs_trust_load(file, &root, err);
    if (code == 0) {
        code = gs_root_describe(invocation, root, file, &result, err);
    }
    return code < 0 ? code : gs_print_result(invocation->terminal, result, err);
}
