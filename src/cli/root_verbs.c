/* The verbs that make trust roots: init, next, sign, bundle. What is said of one is in root_show.c. */
#include "root_verbs.h"

#include "gapship/ceremony.h"
#include "gapship/limits.h"
#include "passphrase.h"
#include "signing.h"
#include "terminal.h"
#include "verbs.h"

/* ---- root init, root next ---- */

static int read_change(gs_invocation *invocation, gs_root_change *out, gs_error *err)
{
    static const struct {
        const char *key, *threshold;
    } options[GS_ROLES] = {
        [GS_ROLE_ROOT] = {"key", "threshold"},
        [GS_ROLE_RELEASE] = {"release-key", "release-threshold"},
        [GS_ROLE_SITE] = {"site-key", "site-threshold"},
    };
    const gs_arguments *arguments = invocation->arguments;
    gs_root_change change = {.new_epoch = gs_flag(arguments, "new-epoch"), .expires = gs_value(arguments, "expires")};
    int code = 0;
    change.drop = gs_values(arguments, "drop", &change.drop_count);
    for (size_t role = 0; code == 0 && role < GS_ROLES; role++) {
        gs_role_change *r = &change.roles[role];
        uint64_t threshold = 0;
        r->keys = gs_values(arguments, options[role].key, &r->count);
        code = gs_number(arguments, options[role].threshold, GS_MAX_SIGNATURES, &threshold, err);
        r->threshold = (unsigned)threshold;
    }
    if (code == 0) {
        *out = change;
    }
    return code;
}

/* Keys that one person holds are one key to whoever steals from that person. */
static void recommend(gs_invocation *invocation, const gs_trust *root)
{
    const gs_trust_role *role = gs_trust_role_of(root, GS_ROLE_ROOT);
    if (role->threshold < 2) {
        gs_emit(&invocation->run, GS_WARNING, "oneRootKey", NULL, 0,
                "whoever has one root key decides alone whom every site trusts; 2 of 3 keys, held by different people, are "
                "recommended");
    }
}

int gs_verb_root_init(gs_invocation *invocation, gs_error *err)
{
    const char *out = gs_value(invocation->arguments, "out");
    const char *file = out ? out : "root.json";
    GS_AUTO_TRUST gs_trust *root = NULL;
    gs_root_change change;
    gs_node *result = NULL;
    int code = read_change(invocation, &change, err);
    code = code == 0 ? gs_root_init(&change, file, &root, err) : code;
    if (code < 0) {
        return code;
    }
    recommend(invocation, root);
    code = gs_root_describe(invocation, root, file, &result, err);
    gs_print(invocation->terminal, "Sites are made with it: gapship site init --root %s; tell them the fingerprint another way.\n",
             file);
    return code < 0 ? code : gs_print_result(invocation->terminal, result, err);
}

int gs_verb_root_next(gs_invocation *invocation, gs_error *err)
{
    const char *file = gs_value(invocation->arguments, "out");
    GS_AUTO_TRUST gs_trust *root = NULL;
    GS_AUTO_TRUST gs_trust *next = NULL;
    gs_root_change change;
    gs_node *result = NULL;
    gs_node *missing = gs_node_new_list(invocation->arena);
    if (!file) {
        return gs_fail(err, GS_EUSAGE, "root next needs -o FILE: the new root");
    }
    int code = read_change(invocation, &change, err);
    code = code == 0 ? gs_trust_load(gs_positional(invocation->arguments, 0), &root, err) : code;
    code = code == 0 ? gs_root_next(root, &change, file, &next, err) : code;
    if (code < 0) {
        return code;
    }
    recommend(invocation, next);
    code = gs_root_describe(invocation, next, file, &result, err);
    gs_print(invocation->terminal, "Before a site follows it, it is signed with `gapship root sign %s --key KEY`:\n", file);
    code = code == 0 ? gs_root_missing(invocation, next, root, &missing, err) : code;
    code = code == 0 ? gs_root_missing(invocation, next, next, &missing, err) : code;
    if (code < 0) {
        return code;
    }
    result = gs_node_set(invocation->arena, result, "missing", missing);
    return gs_print_result(invocation->terminal, result, err);
}

/* ---- root sign ---- */

static int emit(gs_invocation *invocation, const char *root, const char *file, gs_error *err)
{
    gs_tbs tbs;
    int code = gs_root_emit(root, file, &tbs, err);
    return code < 0 ? code : gs_print_result(invocation->terminal, gs_tbs_node(invocation, "root sign", root, &tbs), err);
}

int gs_verb_root_sign(gs_invocation *invocation, gs_error *err)
{
    const char *file = gs_positional(invocation->arguments, 0);
    const char *tbs = gs_value(invocation->arguments, "emit-tbs");
    const gs_passphrase passphrase = gs_passphrase_source(invocation);
    const gs_signer signer = {.key = gs_value(invocation->arguments, "key"),
                              .file = gs_value(invocation->arguments, "signature"),
                              .passphrase = &passphrase};
    GS_AUTO_TRUST gs_trust *root = NULL;
    gs_digest key_id;
    if (!signer.key == !tbs || (tbs && signer.file)) {
        gs_fail(err, GS_EUSAGE, "root sign needs --key KEY, or --emit-tbs FILE");
        return gs_error_hint(err,
                             "--key signs here; --emit-tbs writes what a key elsewhere is to sign; --signature FILE --key PUB adds "
                             "what it made");
    }
    if (tbs) {
        return emit(invocation, file, tbs, err);
    }
    int code = gs_root_sign(file, &signer, &key_id, &root, err);
    if (code < 0) {
        return code;
    }
    gs_arena *arena = invocation->arena;
    gs_node *missing = gs_node_new_list(arena);
    gs_node *result = gs_signer_node(invocation, &key_id);
    code = gs_root_missing(invocation, root, root, &missing, err);
    return code < 0 ? code : gs_print_result(invocation->terminal, gs_node_set(arena, result, "missing", missing), err);
}

/* ---- root bundle ---- */

int gs_verb_root_bundle(gs_invocation *invocation, gs_error *err)
{
    const char *file = gs_value(invocation->arguments, "out");
    const size_t count = gs_positional_count(invocation->arguments);
    gs_arena *arena = invocation->arena;
    if (!file) {
        return gs_fail(err, GS_EUSAGE, "root bundle needs -o FILE");
    }
    const char **roots = gs_arena_array(arena, count, sizeof *roots);
    for (size_t i = 0; roots && i < count; i++) {
        roots[i] = gs_positional(invocation->arguments, i);
    }
    int code = roots ? gs_root_bundle(roots, count, file, err) : gs_fail_nomem(err);
    if (code < 0) {
        return code;
    }
    gs_print(invocation->terminal, "wrote %s, %zu %s; sites take it in with gapship import\n", file, count,
             count == 1 ? "root" : "roots");
    gs_node *result = gs_node_set_text(arena, gs_node_new_map(arena), "path", file);
    result = gs_node_set_integer(arena, result, "roots", (int64_t)count);
    return gs_print_result(invocation->terminal, result, err);
}
