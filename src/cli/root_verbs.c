/* The verbs that make trust roots: init, next, sign, bundle. What is said of one is in root_show.c. */
#include "root_verbs.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/signature.h"
#include "gapship/text.h"
#include "passphrase.h"
#include "terminal.h"
#include "verbs.h"

#define PREFIX_DIGITS 8u

/* ---- roles from the command line ---- */

typedef struct role_options {
    const char *key, *threshold;
} role_options;

static const role_options options_of[GS_ROLES] = {
    [GS_ROLE_ROOT] = {"key", "threshold"},
    [GS_ROLE_RELEASE] = {"release-key", "release-threshold"},
    [GS_ROLE_SITE] = {"site-key", "site-threshold"},
};

/* A role in the making; the lists have room for the keys that stay and for all that are given. */
typedef struct role_draft {
    const gs_public_key **keys;
    size_t count;
    unsigned threshold;    /* 0: not said */
    gs_public_key **owned; /* those that were loaded for it */
    size_t owned_count;
} role_draft;

typedef struct root_draft {
    role_draft roles[GS_ROLES];
    uint64_t version, epoch;
    int64_t expires;
} root_draft;

static void draft_done(root_draft *draft)
{
    for (size_t role = 0; role < GS_ROLES; role++) {
        for (size_t i = 0; i < draft->roles[role].owned_count; i++) {
            gs_public_key_free(draft->roles[role].owned[i]);
        }
    }
}
#define AUTO_DRAFT __attribute__((cleanup(draft_done)))

/* The keys of `old` (NULL: none) in a list with room for what the command line adds. */
static int take_over(gs_invocation *invocation, const gs_trust_role *old, const role_options *names, role_draft *out, gs_error *err)
{
    size_t given = 0;
    const size_t kept = old ? old->count : 0;
    (void)gs_values(invocation->arguments, names->key, &given);
    out->keys = gs_arena_array(invocation->arena, kept + given, sizeof *out->keys);
    out->owned = gs_arena_array(invocation->arena, given, sizeof *out->owned);
    if (!out->keys || !out->owned) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < kept; i++) {
        out->keys[out->count++] = old->keys[i];
    }
    out->threshold = old ? old->threshold : 0;
    return 0;
}

/* Adds what --key and --threshold of each role say, after take_over. */
static int add_options(gs_invocation *invocation, root_draft *draft, gs_error *err)
{
    int code = 0;
    for (size_t role = 0; code == 0 && role < GS_ROLES; role++) {
        role_draft *d = &draft->roles[role];
        size_t count = 0;
        uint64_t threshold = 0;
        const char *const *files = gs_values(invocation->arguments, options_of[role].key, &count);
        code = gs_number(invocation->arguments, options_of[role].threshold, GS_MAX_SIGNATURES, &threshold, err);
        d->threshold = threshold > 0 ? (unsigned)threshold : d->threshold;
        for (size_t i = 0; code == 0 && i < count; i++) {
            code = gs_public_key_load(files[i], &d->owned[d->owned_count], err);
            if (code == 0) {
                d->keys[d->count++] = d->owned[d->owned_count++];
            }
        }
    }
    return code;
}

static int read_expires(gs_invocation *invocation, int64_t *out, gs_error *err)
{
    const char *text = gs_value(invocation->arguments, "expires");
    int64_t time = 0;
    if (!text) {
        return 0;
    }
    if (strcmp(text, "never") == 0) {
        *out = 0;
        return 0;
    }
    if (!gs_parse_time(text, &time) || time <= 0) {
        gs_fail(err, GS_EUSAGE, "\"%s\" is no time", text);
        return gs_error_hint(err, "give it in UTC, as 2030-01-01T00:00:00Z");
    }
    *out = time;
    return 0;
}

static int make_root(const root_draft *draft, gs_trust **out, gs_error *err)
{
    gs_trust_draft spec = {.version = draft->version, .epoch = draft->epoch, .expires = draft->expires};
    for (size_t role = 0; role < GS_ROLES; role++) {
        const role_draft *d = &draft->roles[role];
        spec.roles[role] = (gs_trust_role){.keys = d->keys, .count = d->count, .threshold = d->threshold};
    }
    return gs_trust_make(&spec, out, err);
}

/* ---- files ---- */

static int write_root(const gs_trust *root, const char *file, bool replace, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    if (!replace && gs_fs_exists(AT_FDCWD, file)) {
        gs_fail(err, GS_EEXISTS, "%s exists already", file);
        return gs_error_hint(err, "name another file with -o; a root that somebody trusts must not get lost");
    }
    int code = gs_trust_write(root, &text, err);
    return code == 0 ? gs_fs_write_file(AT_FDCWD, file, text.data, text.len, 0644, err) : code;
}

/* ---- root init ---- */

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
    AUTO_DRAFT root_draft draft = {.version = 1, .epoch = 1};
    GS_AUTO_TRUST gs_trust *root = NULL;
    gs_node *result = NULL;
    int code = 0;
    for (size_t role = 0; code == 0 && role < GS_ROLES; role++) {
        code = take_over(invocation, NULL, &options_of[role], &draft.roles[role], err);
    }
    code = code == 0 ? add_options(invocation, &draft, err) : code;
    if (code == 0 && draft.roles[GS_ROLE_ROOT].count == 0) {
        gs_fail(err, GS_EUSAGE, "root init needs the keys that sign later roots: --key PUB");
        return gs_error_hint(err,
                             "`gapship key new NAME` makes NAME.pub; three of them, held by different people, and --threshold 2 "
                             "are recommended");
    }
    code = code == 0 ? read_expires(invocation, &draft.expires, err) : code;
    role_draft *release = &draft.roles[GS_ROLE_RELEASE];
    if (release->count == 0) {
        release->keys = draft.roles[GS_ROLE_ROOT].keys;
        release->count = draft.roles[GS_ROLE_ROOT].count;
    }
    for (size_t role = 0; role < GS_ROLES; role++) {
        role_draft *d = &draft.roles[role];
        d->threshold = d->count > 0 && d->threshold == 0 ? 1 : d->threshold;
    }
    code = code == 0 ? make_root(&draft, &root, err) : code;
    code = code == 0 ? write_root(root, file, false, err) : code;
    if (code < 0) {
        return code;
    }
    recommend(invocation, root);
    code = gs_root_describe(invocation, root, file, &result, err);
    gs_print(invocation->terminal, "Sites are made with it: gapship site init --root %s; tell them the fingerprint another way.\n",
             file);
    return code < 0 ? code : gs_print_result(invocation->terminal, result, err);
}

/* ---- root next ---- */

static bool is_called(const gs_public_key *key, const char *prefix)
{
    char id[GS_DIGEST_HEX];
    gs_digest_hex(gs_public_key_id(key), id);
    return gs_text_starts(id, prefix);
}

/* The one key of the root that a prefix of an id means. */
static int find_key(const gs_trust *root, const char *prefix, const gs_public_key **out, gs_error *err)
{
    const gs_public_key *found = NULL;
    if (strlen(prefix) < PREFIX_DIGITS) {
        return gs_fail(err, GS_EUSAGE, "--drop needs at least %u digits of a key id, not \"%s\"", PREFIX_DIGITS, prefix);
    }
    for (gs_role role = GS_ROLE_ROOT; role <= GS_ROLE_SITE; role++) {
        const gs_trust_role *keys = gs_trust_role_of(root, role);
        for (size_t i = 0; i < keys->count; i++) {
            if (!is_called(keys->keys[i], prefix) || keys->keys[i] == found) {
                continue;
            }
            if (found) {
                return gs_fail(err, GS_EUSAGE, "\"%s\" means two keys; give more digits", prefix);
            }
            found = keys->keys[i];
        }
    }
    if (!found) {
        gs_fail(err, GS_ENOTFOUND, "no key of root %" PRIu64 " has an id that begins with \"%s\"", gs_trust_version(root), prefix);
        return gs_error_hint(err, "`gapship root show` lists them");
    }
    *out = found;
    return 0;
}

static int drop_keys(gs_invocation *invocation, const gs_trust *root, root_draft *draft, gs_error *err)
{
    size_t count = 0;
    const char *const *prefixes = gs_values(invocation->arguments, "drop", &count);
    for (size_t k = 0; k < count; k++) {
        const gs_public_key *dropped = NULL;
        int code = find_key(root, prefixes[k], &dropped, err);
        if (code < 0) {
            return code;
        }
        for (size_t role = 0; role < GS_ROLES; role++) {
            role_draft *d = &draft->roles[role];
            size_t kept = 0;
            for (size_t i = 0; i < d->count; i++) {
                if (d->keys[i] != dropped) {
                    d->keys[kept++] = d->keys[i];
                }
            }
            d->count = kept;
        }
    }
    return 0;
}

/* A role whose last key is gone: the site's is no role any more, the other two must have one. */
static int check_roles(root_draft *draft, gs_error *err)
{
    for (gs_role role = GS_ROLE_ROOT; role <= GS_ROLE_SITE; role++) {
        role_draft *d = &draft->roles[role];
        if (d->count > 0) {
            d->threshold = d->threshold > 0 ? d->threshold : 1;
        } else if (role == GS_ROLE_SITE) {
            d->threshold = 0;
        } else {
            gs_fail(err, GS_ESPEC, "the %s role has no keys left", gs_role_name(role));
            return gs_error_hint(err, "add one with --%s PUB", options_of[role].key);
        }
    }
    return 0;
}

static int draft_next(gs_invocation *invocation, const gs_trust *root, root_draft *draft, gs_error *err)
{
    draft->version = gs_trust_version(root) + 1;
    draft->epoch = gs_trust_epoch(root) + (gs_flag(invocation->arguments, "new-epoch") ? 1 : 0);
    draft->expires = gs_trust_expires(root);
    int code = 0;
    for (gs_role role = GS_ROLE_ROOT; code == 0 && role <= GS_ROLE_SITE; role++) {
        code = take_over(invocation, gs_trust_role_of(root, role), &options_of[role], &draft->roles[role], err);
    }
    code = code == 0 ? drop_keys(invocation, root, draft, err) : code;
    code = code == 0 ? add_options(invocation, draft, err) : code;
    code = code == 0 ? check_roles(draft, err) : code;
    return code == 0 ? read_expires(invocation, &draft->expires, err) : code;
}

int gs_verb_root_next(gs_invocation *invocation, gs_error *err)
{
    const char *file = gs_value(invocation->arguments, "out");
    AUTO_DRAFT root_draft draft = {0};
    GS_AUTO_TRUST gs_trust *root = NULL;
    GS_AUTO_TRUST gs_trust *next = NULL;
    gs_node *result = NULL;
    gs_node *missing = gs_node_new_list(invocation->arena);
    if (!file) {
        return gs_fail(err, GS_EUSAGE, "root next needs -o FILE: the new root");
    }
    int code = gs_trust_load(gs_positional(invocation->arguments, 0), &root, err);
    code = code == 0 ? draft_next(invocation, root, &draft, err) : code;
    code = code == 0 ? make_root(&draft, &next, err) : code;
    code = code == 0 ? write_root(next, file, false, err) : code;
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

/* What is signed of a root. */
static int encode(const gs_trust *root, gs_buf *out, gs_error *err)
{
    GS_AUTO_BUF gs_buf body;
    gs_buf_init(&body, 2 * GS_MAX_ROOT_BYTES);
    int code = gs_trust_body(root, &body, err);
    return code == 0 ? gs_document_encoding(GS_DOCUMENT_ROOT, body.data, body.len, out, err) : code;
}

static int emit_tbs(gs_invocation *invocation, const gs_trust *root, const char *file, gs_error *err)
{
    gs_arena *arena = invocation->arena;
    GS_AUTO_BUF gs_buf encoding;
    gs_digest digest;
    char text[GS_DIGEST_TEXT];
    gs_buf_init(&encoding, 3 * GS_MAX_ROOT_BYTES);
    int code = encode(root, &encoding, err);
    if (code == 0) {
        code = gs_digest_of(encoding.data, encoding.len, &digest, err);
    }
    if (code == 0) {
        code = gs_fs_write_file(AT_FDCWD, file, encoding.data, encoding.len, 0644, err);
    }
    if (code < 0) {
        return code;
    }
    gs_digest_text(&digest, text);
    gs_print(
        invocation->terminal,
        "%s\n%zu bytes to be signed, %s\nThe signature is added by gapship root sign %s --signature SIGNATURE --key PUBLIC-KEY\n",
        file, encoding.len, text, gs_positional(invocation->arguments, 0));
    gs_node *result = gs_node_set_text(arena, gs_node_new_map(arena), "path", file);
    result = gs_node_set_text(arena, result, "digest", text);
    result = gs_node_set_integer(arena, result, "size", (int64_t)encoding.len);
    return gs_print_result(invocation->terminal, result, err);
}

/* A signature made elsewhere, in the form that verifies. */
static int take_signature(const char *file, const gs_public_key *key, const gs_buf *encoding, gs_buf *signature, gs_error *err)
{
    GS_AUTO_SIGNATURE_FILE gs_signature_file given = {0};
    const gs_buf *fits = NULL;
    int code = gs_signature_file_read(file, gs_public_key_type(key), &given, err);
    code = code == 0 ? gs_signature_file_fit(&given, key, encoding, &fits, err) : code;
    if (code == GS_ESIGNATURE) {
        (void)gs_error_at(err, "%s", file);
        (void)gs_error_hint(err, "what is to be signed is what --emit-tbs writes, whole and as it is");
    }
    if (code < 0) {
        return code;
    }
    gs_buf_add(signature, fits->data, fits->len);
    return gs_buf_check(signature, err);
}

/* The signature, and the public key that proves it. */
static int make_signature(gs_invocation *invocation, const gs_trust *root, gs_public_key **key, gs_buf *signature, gs_error *err)
{
    const char *name = gs_value(invocation->arguments, "key");
    const char *file = gs_value(invocation->arguments, "signature");
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&encoding, 3 * GS_MAX_ROOT_BYTES);
    const gs_passphrase passphrase = gs_passphrase_source(invocation);
    int code = encode(root, &encoding, err);
    if (code == 0 && !file) {
        return gs_sign_by_name(name, &passphrase, &encoding, key, signature, err);
    }
    code = code == 0 ? gs_public_key_load(name, key, err) : code;
    return code == 0 ? take_signature(file, *key, &encoding, signature, err) : code;
}

int gs_verb_root_sign(gs_invocation *invocation, gs_error *err)
{
    const char *file = gs_positional(invocation->arguments, 0);
    const char *tbs = gs_value(invocation->arguments, "emit-tbs");
    const bool signs = gs_value(invocation->arguments, "key");
    GS_AUTO_TRUST gs_trust *root = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    if (signs == (tbs != NULL) || (tbs && gs_value(invocation->arguments, "signature"))) {
        gs_fail(err, GS_EUSAGE, "root sign needs --key KEY, or --emit-tbs FILE");
        return gs_error_hint(err,
                             "--key signs here; --emit-tbs writes what a key elsewhere is to sign; --signature FILE --key PUB adds "
                             "what it made");
    }
    int code = gs_trust_load(file, &root, err);
    if (code == 0 && tbs) {
        return emit_tbs(invocation, root, tbs, err);
    }
    code = code == 0 ? make_signature(invocation, root, &key, &signature, err) : code;
    code = code == 0 ? gs_trust_sign(root, key, signature.data, signature.len, err) : code;
    code = code == 0 ? write_root(root, file, true, err) : code;
    if (code < 0) {
        return code;
    }
    gs_arena *arena = invocation->arena;
    char id[GS_DIGEST_HEX];
    gs_digest_hex(gs_public_key_id(key), id);
    gs_print(invocation->terminal, "signed by key %s\n", id);
    gs_node *missing = gs_node_new_list(arena);
    code = gs_root_missing(invocation, root, root, &missing, err);
    gs_node *result = gs_node_set_text(arena, gs_node_new_map(arena), "keyId", id);
    result = gs_node_set(arena, result, "missing", missing);
    return code < 0 ? code : gs_print_result(invocation->terminal, result, err);
}

/* ---- root bundle ---- */

int gs_verb_root_bundle(gs_invocation *invocation, gs_error *err)
{
    const char *file = gs_value(invocation->arguments, "out");
    const size_t count = gs_positional_count(invocation->arguments);
    gs_arena *arena = invocation->arena;
    GS_AUTO_BUF gs_buf chain;
    gs_buf_init(&chain, GS_MAX_ROOTS_BYTES);
    if (!file) {
        return gs_fail(err, GS_EUSAGE, "root bundle needs -o FILE");
    }
    if (gs_fs_exists(AT_FDCWD, file)) {
        return gs_fail(err, GS_EEXISTS, "%s exists already", file);
    }
    const char **roots = gs_arena_array(arena, count, sizeof *roots);
    for (size_t i = 0; roots && i < count; i++) {
        roots[i] = gs_positional(invocation->arguments, i);
    }
    int code = roots ? gs_trust_chain(roots, count, &chain, err) : gs_fail_nomem(err);
    code = code == 0 ? gs_fs_write_file(AT_FDCWD, file, chain.data, chain.len, 0644, err) : code;
    if (code < 0) {
        return code;
    }
    gs_print(invocation->terminal, "wrote %s, %zu %s; sites take it in with gapship import\n", file, count,
             count == 1 ? "root" : "roots");
    gs_node *result = gs_node_set_text(arena, gs_node_new_map(arena), "path", file);
    result = gs_node_set_integer(arena, result, "roots", (int64_t)count);
    return gs_print_result(invocation->terminal, result, err);
}
