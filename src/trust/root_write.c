/* Makes root documents: from keys, with signatures, and as text. Reading is in root.c. */
#include <string.h>

#include "root.h"

#include "gapship/doc.h"
#include "gapship/num.h"

/* Copies the keys of a role into the trust, each key once however many roles have it. */
static int adopt_role(gs_trust *trust, const gs_trust_role *role, const char *name, gs_trust_role *out, gs_error *err)
{
    const gs_public_key **keys = gs_arena_array(trust->arena, role->count, sizeof *keys);
    if (!keys) {
        return gs_fail_nomem(err);
    }
    if (role->threshold < 1 || role->threshold > role->count) {
        return gs_fail(err, GS_ESPEC, "the threshold of the %s role is %u, but must be from 1 to its %zu keys", name,
                       role->threshold, role->count);
    }
    if (role->threshold > GS_MAX_SIGNATURES) {
        return gs_fail(err, GS_ESPEC, "there are at most %u signatures, so the threshold of the %s role cannot be above",
                       GS_MAX_SIGNATURES, name);
    }
    for (size_t i = 0; i < role->count; i++) {
        for (size_t j = 0; j < trust->key_count && !keys[i]; j++) {
            keys[i] = gs_public_key_same(trust->keys[j], role->keys[i]) ? trust->keys[j] : NULL;
        }
        for (size_t j = 0; j < i; j++) {
            if (keys[i] && keys[i] == keys[j]) {
                return gs_fail(err, GS_ESPEC, "the %s role has the same key twice", name);
            }
        }
        if (!keys[i]) {
            int code = gs_public_key_copy(role->keys[i], &trust->keys[trust->key_count], err);
            if (code != 0) {
                return code;
            }
            keys[i] = trust->keys[trust->key_count++];
        }
    }
    *out = (gs_trust_role){.keys = keys, .count = role->count, .threshold = role->threshold};
    return 0;
}

static bool is_counter(uint64_t value)
{
    return value >= 1 && value <= GS_LARGEST_NUMBER;
}

static bool is_absent(const gs_trust_role *role)
{
    return role->count == 0 && role->threshold == 0;
}

int gs_trust_make(const gs_trust_draft *draft, gs_trust **out, gs_error *err)
{
    GS_AUTO_TRUST gs_trust *trust = NULL;
    size_t keys = 0;
    int code = gs_trust_new(&trust, err);
    for (gs_role role = GS_ROLE_ROOT; role <= GS_ROLE_SITE; role++) {
        keys += draft->roles[role].count;
    }
    if (code == 0 && !(is_counter(draft->version) && is_counter(draft->epoch))) {
        code = gs_fail(err, GS_ESPEC, "version and epoch of a root must be from 1 to 2^53 - 1");
    }
    if (code == 0) {
        trust->version = draft->version;
        trust->epoch = draft->epoch;
        trust->expires = draft->expires;
        trust->keys = gs_arena_array(trust->arena, keys, sizeof *trust->keys);
        code = trust->keys ? 0 : gs_fail_nomem(err);
    }
    for (gs_role role = GS_ROLE_ROOT; code == 0 && role <= GS_ROLE_SITE; role++) {
        const gs_trust_role *given = &draft->roles[role];
        if (role != GS_ROLE_SITE || !is_absent(given)) {
            code = adopt_role(trust, given, gs_role_name(role), &trust->roles[role], err);
        }
    }
    if (code == 0) {
        *out = GS_STEAL(trust);
    }
    return code;
}

static gs_node *key_node(gs_arena *arena, const gs_public_key *key)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_KEY_FILE_BYTES);
    if (gs_public_key_text(key, &text, NULL) != 0) {
        return NULL;
    }
    char id[GS_DIGEST_HEX];
    gs_digest_hex(gs_public_key_id(key), id);
    gs_node *map = gs_node_set_text(arena, gs_node_new_map(arena), "id", id);
    map = gs_node_set_text(arena, map, "type", gs_key_type_name(gs_public_key_type(key)));
    if (gs_public_key_type(key) != GS_KEY_MINISIGN) {
        return gs_node_set_text(arena, map, "pem", gs_buf_text(&text));
    }
    const char *line = gs_arena_copy(arena, text.data, text.len - 1); /* without its line feed */
    return line ? gs_node_set_text(arena, map, "minisign", line) : NULL;
}

static gs_node *role_node(gs_arena *arena, const gs_trust_role *role)
{
    gs_node *ids = gs_node_new_list(arena);
    for (size_t i = 0; i < role->count; i++) {
        char id[GS_DIGEST_HEX];
        gs_digest_hex(gs_public_key_id(role->keys[i]), id);
        ids = gs_node_append(arena, ids, gs_node_new_text(arena, id));
    }
    gs_node *map = gs_node_set(arena, gs_node_new_map(arena), "keys", ids);
    return gs_node_set_integer(arena, map, "threshold", role->threshold);
}

static gs_node *signed_node(gs_arena *arena, const gs_trust *trust)
{
    gs_node *keys = gs_node_new_list(arena);
    for (size_t i = 0; i < trust->key_count; i++) {
        keys = gs_node_append(arena, keys, key_node(arena, trust->keys[i]));
    }
    gs_node *roles = gs_node_new_map(arena);
    for (gs_role role = GS_ROLE_ROOT; role <= GS_ROLE_SITE; role++) {
        if (trust->roles[role].count > 0) {
            roles = gs_node_set(arena, roles, gs_role_name(role), role_node(arena, &trust->roles[role]));
        }
    }
    gs_node *map = gs_node_set_text(arena, gs_node_new_map(arena), "type", GS_ROOT_TYPE);
    map = gs_node_set_integer(arena, map, "version", (int64_t)trust->version);
    map = gs_node_set_integer(arena, map, "epoch", (int64_t)trust->epoch);
    if (trust->expires > 0) {
        char expires[GS_TIME_TEXT];
        gs_format_time(trust->expires, expires);
        map = gs_node_set_text(arena, map, "expires", expires);
    }
    return gs_node_set(arena, gs_node_set(arena, map, "keys", keys), "roles", roles);
}

static gs_node *document_node(gs_arena *arena, const gs_trust *trust)
{
    gs_node *document = gs_node_set(arena, gs_node_new_map(arena), "signed", signed_node(arena, trust));
    if (trust->signature_count == 0) {
        return document;
    }
    gs_node *signatures = gs_node_new_list(arena);
    for (size_t i = 0; i < trust->signature_count; i++) {
        const gs_root_signature *signature = &trust->signatures[i];
        gs_node *map = gs_node_set_text(arena, gs_node_new_map(arena), "keyid", signature->key_id);
        map = gs_node_set_text(arena, map, "sig", signature->signature);
        if (signature->scheme != GS_SCHEME_KEY) {
            map = gs_node_set_integer(arena, map, "scheme", signature->scheme);
        }
        signatures = gs_node_append(arena, signatures, map);
    }
    return gs_node_set(arena, document, "signatures", signatures);
}

int gs_trust_write(const gs_trust *trust, gs_buf *out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf text;
    /* What could not be read again is not written. */
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    gs_node *document = arena ? document_node(arena, trust) : NULL;
    int code = document ? gs_node_write_json(document, GS_JSON_PRETTY, &text, err) : gs_fail_nomem(err);
    if (code != 0) {
        return code;
    }
    gs_buf_add(out, text.data, text.len);
    return gs_buf_check(out, err);
}

int gs_trust_body(const gs_trust *trust, gs_buf *out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_node *content = arena ? signed_node(arena, trust) : NULL;
    return content ? gs_node_write_json(content, GS_JSON_COMPACT | GS_JSON_SORTED, out, err) : gs_fail_nomem(err);
}

int gs_trust_encoding(const gs_trust *trust, gs_buf *out, gs_error *err)
{
    GS_AUTO_BUF gs_buf body;
    gs_buf_init(&body, 2 * GS_MAX_ROOT_BYTES);
    int code = gs_trust_body(trust, &body, err);
    return code == 0 ? gs_document_encoding(GS_DOCUMENT_ROOT, body.data, body.len, out, err) : code;
}

int gs_trust_fingerprint(const gs_trust *trust, gs_digest *out, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, 2 * GS_MAX_ROOT_BYTES);
    int code = gs_trust_body(trust, &text, err);
    return code == 0 ? gs_digest_of(text.data, text.len, out, err) : code;
}

int gs_trust_keep_signature(gs_trust *trust, unsigned scheme, const gs_digest *key_id, const void *signature, size_t len,
                            gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, 2 * GS_MAX_SIGNATURE_BYTES);
    int code = gs_base64_encode(signature, len, &text, err);
    char id[GS_DIGEST_HEX];
    gs_digest_hex(key_id, id);
    gs_root_signature *list = gs_arena_array(trust->arena, trust->signature_count + 1, sizeof *list);
    const gs_root_signature added = {
        .key_id = gs_arena_text(trust->arena, id), .signature = gs_arena_text(trust->arena, gs_buf_text(&text)), .scheme = scheme};
    if (code != 0) {
        return code;
    }
    if (!list || !added.key_id || !added.signature) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < trust->signature_count; i++) {
        list[i] = trust->signatures[i];
    }
    list[trust->signature_count++] = added;
    trust->signatures = list;
    return 0;
}

int gs_trust_sign(gs_trust *trust, const gs_public_key *key, const void *signature, size_t len, gs_error *err)
{
    char id[GS_DIGEST_HEX];
    gs_digest_hex(gs_public_key_id(key), id);
    for (size_t i = 0; i < trust->signature_count; i++) {
        if (strcmp(trust->signatures[i].key_id, id) == 0) {
            return gs_fail(err, GS_EEXISTS, "the key %s has signed already", id);
        }
    }
    if (trust->signature_count == GS_MAX_SIGNATURES || len == 0 || len > GS_MAX_SIGNATURE_BYTES) {
        return gs_fail(err, GS_ELIMIT, "the root has no room for another signature: %u are the most, of %u bytes each",
                       GS_MAX_SIGNATURES, GS_MAX_SIGNATURE_BYTES);
    }
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&encoding, GS_ROOT_ENCODING_BYTES);
    int code = gs_trust_encoding(trust, &encoding, err);
    code = code == 0 ? gs_signature_verify(key, encoding.data, encoding.len, signature, len, err) : code;
    return code == 0 ? gs_trust_keep_signature(trust, gs_public_key_scheme(key), gs_public_key_id(key), signature, len, err) : code;
}
