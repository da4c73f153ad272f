/* Reads who may sign: a root document, or a lone public key that stands for one. Strict, because a mistake here is a hole. Writing
 * is in root_write.c. */
#include "root.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/bind.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"

typedef struct json_key {
    const char *id, *type, *pem, *minisign; /* one of the last two */
    gs_place place;
} json_key;

typedef struct json_role {
    gs_text_list keys;
    int64_t threshold;
    gs_place place;
} json_role;

typedef struct json_roles {
    json_role roles[GS_ROLES];
} json_roles;

typedef struct json_signed {
    const char *type, *expires;
    int64_t version, epoch;
    struct {
        json_key *items;
        size_t count;
    } keys;
    json_roles roles;
    gs_place place;
} json_signed;

typedef struct json_root {
    json_signed content;
    struct {
        gs_root_signature *items;
        size_t count;
    } signatures;
} json_root;

static bool is_root_type(const char *text)
{
    return strcmp(text, GS_ROOT_TYPE) == 0;
}

static bool is_key_id(const char *text)
{
    gs_digest id;
    return gs_hex_decode(text, id.bytes, sizeof id.bytes);
}

static bool is_key_type(const char *text)
{
    gs_key_type type;
    return gs_key_type_parse(text, &type);
}

static bool is_time(const char *text)
{
    int64_t seconds;
    return gs_parse_time(text, &seconds) && seconds > 0;
}

static bool is_base64(const char *text)
{
    GS_AUTO_BUF gs_buf decoded;
    gs_buf_init(&decoded, GS_MAX_SIGNATURE_BYTES);
    return gs_base64_decode(text, &decoded, NULL) == 0 && decoded.len > 0;
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define PLACE(T)                                                                                                                   \
    {                                                                                                                              \
        .kind = GS_BIND_PLACE, .offset = offsetof(T, place)                                                                        \
    }
#define KEY_ID "a key id: 64 lower-case hexadecimal digits"

static const gs_bind_field key_fields[] = {
    {.key = "id", .kind = GS_BIND_TEXT, .offset = offsetof(json_key, id), .required = true, .valid = is_key_id, .expects = KEY_ID},
    {.key = "type",
     .kind = GS_BIND_TEXT,
     .offset = offsetof(json_key, type),
     .required = true,
     .valid = is_key_type,
     .expects = "ecdsa-p256, ecdsa-p384, ed25519, rsa-pss or minisign"},
    {.key = "pem", .kind = GS_BIND_TEXT, .offset = offsetof(json_key, pem)},
    {.key = "minisign", .kind = GS_BIND_TEXT, .offset = offsetof(json_key, minisign)},
    PLACE(json_key),
};
static const gs_bind_table key_table = {
    .name = "a key", .size = sizeof(json_key), .fields = key_fields, .field_count = COUNT(key_fields)};

static const gs_bind_field role_fields[] = {
    {.key = "keys",
     .kind = GS_BIND_TEXT_LIST,
     .offset = offsetof(json_role, keys),
     .required = true,
     .valid = is_key_id,
     .expects = KEY_ID},
    {.key = "threshold", .kind = GS_BIND_INTEGER, .offset = offsetof(json_role, threshold), .required = true},
    PLACE(json_role),
};
static const gs_bind_table role_table = {
    .name = "a role", .size = sizeof(json_role), .fields = role_fields, .field_count = COUNT(role_fields)};

static const gs_bind_field roles_fields[] = {
    {.key = "root",
     .kind = GS_BIND_STRUCT,
     .offset = offsetof(json_roles, roles[GS_ROLE_ROOT]),
     .required = true,
     .table = &role_table},
    {.key = "release",
     .kind = GS_BIND_STRUCT,
     .offset = offsetof(json_roles, roles[GS_ROLE_RELEASE]),
     .required = true,
     .table = &role_table},
    {.key = "site", .kind = GS_BIND_STRUCT, .offset = offsetof(json_roles, roles[GS_ROLE_SITE]), .table = &role_table},
};
static const gs_bind_table roles_table = {
    .name = "the roles", .size = sizeof(json_roles), .fields = roles_fields, .field_count = COUNT(roles_fields)};

static const gs_bind_field signed_fields[] = {
    {.key = "type",
     .kind = GS_BIND_TEXT,
     .offset = offsetof(json_signed, type),
     .required = true,
     .valid = is_root_type,
     .expects = "\"" GS_ROOT_TYPE "\""},
    {.key = "version", .kind = GS_BIND_INTEGER, .offset = offsetof(json_signed, version), .required = true},
    {.key = "epoch", .kind = GS_BIND_INTEGER, .offset = offsetof(json_signed, epoch), .required = true},
    {.key = "expires",
     .kind = GS_BIND_TEXT,
     .offset = offsetof(json_signed, expires),
     .valid = is_time,
     .expects = "a time of RFC 3339 in UTC"},
    {.key = "keys", .kind = GS_BIND_STRUCT_LIST, .offset = offsetof(json_signed, keys), .required = true, .table = &key_table},
    {.key = "roles", .kind = GS_BIND_STRUCT, .offset = offsetof(json_signed, roles), .required = true, .table = &roles_table},
    PLACE(json_signed),
};
static const gs_bind_table signed_table = {
    .name = "the signed part of a root", .size = sizeof(json_signed), .fields = signed_fields, .field_count = COUNT(signed_fields)};

static const gs_bind_field signature_fields[] = {
    {.key = "keyid",
     .kind = GS_BIND_TEXT,
     .offset = offsetof(gs_root_signature, key_id),
     .required = true,
     .valid = is_key_id,
     .expects = KEY_ID},
    {.key = "sig",
     .kind = GS_BIND_TEXT,
     .offset = offsetof(gs_root_signature, signature),
     .required = true,
     .valid = is_base64,
     .expects = "a signature in base64"},
    {.key = "scheme", .kind = GS_BIND_INTEGER, .offset = offsetof(gs_root_signature, scheme)},
};
static const gs_bind_table signature_table = {
    .name = "a signature", .size = sizeof(gs_root_signature), .fields = signature_fields, .field_count = COUNT(signature_fields)};

static const gs_bind_field root_fields[] = {
    {.key = "signed", .kind = GS_BIND_STRUCT, .offset = offsetof(json_root, content), .required = true, .table = &signed_table},
    {.key = "signatures", .kind = GS_BIND_STRUCT_LIST, .offset = offsetof(json_root, signatures), .table = &signature_table},
};
static const gs_bind_table root_table = {
    .name = "a root document", .size = sizeof(json_root), .fields = root_fields, .field_count = COUNT(root_fields)};

int gs_trust_new(gs_trust **out, gs_error *err)
{
    gs_trust *trust = calloc(1, sizeof *trust);
    if (trust) {
        trust->arena = gs_arena_new();
    }
    if (!trust || !trust->arena) {
        free(trust);
        return gs_fail_nomem(err);
    }
    *out = trust;
    return 0;
}

void gs_trust_free(gs_trust *trust)
{
    if (trust) {
        for (size_t i = 0; i < trust->key_count; i++) {
            gs_public_key_free(trust->keys[i]);
        }
        gs_arena_free(trust->arena);
        free(trust);
    }
}

void gs_trust_free_p(gs_trust **trust)
{
    gs_trust_free(*trust);
    *trust = NULL;
}

static bool is_id_of(const gs_public_key *key, const char *hex)
{
    char id[GS_DIGEST_HEX];
    gs_digest_hex(gs_public_key_id(key), id);
    return strcmp(id, hex) == 0;
}

/* The document says each thing in one way, so that its fingerprint does not depend on who wrote it. */
static int check_text(const gs_public_key *key, const gs_doc *doc, const json_key *json, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_KEY_FILE_BYTES);
    int code = gs_public_key_text(key, &text, err);
    if (code != 0) {
        return code;
    }
    if (gs_public_key_type(key) == GS_KEY_MINISIGN) {
        const char *line = json->minisign;
        const bool same = line && strlen(line) + 1 == text.len && memcmp(line, text.data, text.len - 1) == 0;
        return same ? 0 : gs_bind_fail(doc, json->place, err, "\"minisign\" is not the one line of base64 that minisign writes");
    }
    if (!json->pem || strcmp(gs_buf_text(&text), json->pem) != 0) {
        (void)gs_bind_fail(doc, json->place, err,
                           "the PEM is not written as openssl writes it (64 columns, line feeds, nothing else)");
        return gs_error_hint(err, "openssl pkey -pubin -ec_conv_form uncompressed -in KEY");
    }
    return 0;
}

/* The key is of the type and has the id that the document says, and is not there yet. */
static int add_key(gs_trust *trust, const gs_doc *doc, const json_key *json, gs_error *err)
{
    if (!json->pem == !json->minisign) {
        return gs_bind_fail(doc, json->place, err, "a key has either \"pem\" or \"minisign\"");
    }
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    const char *text = json->pem ? json->pem : json->minisign;
    int code = gs_public_key_parse(text, strlen(text), &key, err);
    if (code != 0) {
        (void)gs_error_at(err, "%s:%d:%d", doc->name, json->place.line, json->place.column);
        return code;
    }
    if (strcmp(gs_key_type_name(gs_public_key_type(key)), json->type) != 0) {
        return gs_bind_fail(doc, json->place, err, "the key is of type %s, not %s", gs_key_type_name(gs_public_key_type(key)),
                            json->type);
    }
    if (!is_id_of(key, json->id)) {
        return gs_bind_fail(doc, json->place, err, "the key has another id than %s", json->id);
    }
    for (size_t i = 0; i < trust->key_count; i++) {
        if (gs_public_key_same(trust->keys[i], key)) {
            return gs_bind_fail(doc, json->place, err, "the same key stands twice in \"keys\"");
        }
    }
    code = check_text(key, doc, json, err);
    if (code == 0) {
        trust->keys[trust->key_count++] = GS_STEAL(key);
    }
    return code;
}

static const gs_public_key *find_key(const gs_trust *trust, const char *id)
{
    for (size_t i = 0; i < trust->key_count; i++) {
        if (is_id_of(trust->keys[i], id)) {
            return trust->keys[i];
        }
    }
    return NULL;
}

static bool has_key(const gs_public_key *const *keys, size_t count, const gs_public_key *key)
{
    for (size_t i = 0; i < count; i++) {
        if (keys[i] == key) {
            return true;
        }
    }
    return false;
}

static int read_role(gs_trust *trust, const gs_doc *doc, const json_role *json, gs_role role, gs_error *err)
{
    const gs_public_key **keys = gs_arena_array(trust->arena, json->keys.count, sizeof *keys);
    if (!keys) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < json->keys.count; i++) {
        const char *id = json->keys.items[i];
        const gs_public_key *key = find_key(trust, id);
        if (!key) {
            return gs_bind_fail(doc, json->place, err, "the role \"%s\" names a key that is not in \"keys\": %s",
                                gs_role_name(role), id);
        }
        if (has_key(keys, i, key)) {
            return gs_bind_fail(doc, json->place, err, "the role \"%s\" names a key twice: %s", gs_role_name(role), id);
        }
        keys[i] = key;
    }
    const size_t count = json->keys.count;
    if (json->threshold < 1 || (uint64_t)json->threshold > count) {
        return gs_bind_fail(doc, json->place, err, "the threshold of \"%s\" is %" PRId64 ", but must be from 1 to its %zu keys",
                            gs_role_name(role), json->threshold, count);
    }
    if (json->threshold > GS_MAX_SIGNATURES) {
        return gs_bind_fail(doc, json->place, err, "there are at most %u signatures, so the threshold of \"%s\" cannot be above",
                            GS_MAX_SIGNATURES, gs_role_name(role));
    }
    trust->roles[role] = (gs_trust_role){.keys = keys, .count = count, .threshold = (unsigned)json->threshold};
    return 0;
}

static bool is_counter(int64_t value)
{
    return value >= 1 && (uint64_t)value <= GS_LARGEST_NUMBER;
}

static int fill(gs_trust *trust, const gs_doc *doc, const json_signed *content, gs_error *err)
{
    if (!is_counter(content->version) || !is_counter(content->epoch)) {
        return gs_bind_fail(doc, content->place, err, "\"version\" and \"epoch\" must be from 1 to 2^53 - 1");
    }
    trust->version = (uint64_t)content->version;
    trust->epoch = (uint64_t)content->epoch;
    if (content->expires) {
        (void)gs_parse_time(content->expires, &trust->expires);
    }
    trust->keys = gs_arena_array(trust->arena, content->keys.count, sizeof *trust->keys);
    int code = trust->keys ? 0 : gs_fail_nomem(err);
    for (size_t i = 0; code == 0 && i < content->keys.count; i++) {
        code = add_key(trust, doc, &content->keys.items[i], err);
    }
    for (gs_role role = GS_ROLE_ROOT; code == 0 && role <= GS_ROLE_SITE; role++) {
        const json_role *spec = &content->roles.roles[role];
        code = spec->place.line > 0 ? read_role(trust, doc, spec, role, err) : 0;
    }
    return code;
}

/* A signature without a scheme is by the key's own algorithm. */
static int fill_signatures(gs_trust *trust, const gs_doc *doc, const json_root *json, gs_error *err)
{
    const size_t count = json->signatures.count;
    gs_root_signature *items = json->signatures.items;
    if (count > GS_MAX_SIGNATURES) {
        return gs_bind_fail(doc, json->content.place, err, "there are %zu signatures, %u are the most", count, GS_MAX_SIGNATURES);
    }
    for (size_t i = 0; i < count; i++) {
        items[i].scheme = items[i].scheme == 0 ? (int64_t)GS_SCHEME_KEY : items[i].scheme;
        if (items[i].scheme != GS_SCHEME_KEY && items[i].scheme != GS_SCHEME_MINISIGN) {
            return gs_bind_fail(doc, json->content.place, err, "a signature is of scheme %" PRId64 ", which gapship does not know",
                                items[i].scheme);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(items[i].key_id, items[j].key_id) == 0) {
                return gs_bind_fail(doc, json->content.place, err, "there are two signatures by the key %s", items[i].key_id);
            }
        }
    }
    trust->signatures = items;
    trust->signature_count = count;
    return 0;
}

static int parse_document(const char *name, const char *data, size_t len, gs_trust **out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_TRUST gs_trust *trust = NULL;
    json_root json;
    int code = gs_trust_new(&trust, err);
    code = code == 0 ? gs_doc_parse(GS_JSON, name, data, len, &doc, err) : code;
    code = code == 0 ? gs_bind_read(&root_table, doc, doc->root, trust->arena, &json, err) : code;
    code = code == 0 ? fill(trust, doc, &json.content, err) : code;
    code = code == 0 ? fill_signatures(trust, doc, &json, err) : code;
    if (code == 0) {
        *out = GS_STEAL(trust);
    }
    return code;
}

int gs_trust_parse_body(const gs_document *link, gs_trust **out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_TRUST gs_trust *trust = NULL;
    json_signed json;
    int code = gs_trust_new(&trust, err);
    const char *body = (const char *)link->data + link->body_offset;
    code = code == 0 ? gs_doc_parse(GS_JSON, "root", body, link->body_len, &doc, err) : code;
    code = code == 0 ? gs_bind_read(&signed_table, doc, doc->root, trust->arena, &json, err) : code;
    code = code == 0 ? fill(trust, doc, &json, err) : code;
    for (size_t i = 0; code == 0 && i < link->count; i++) {
        const gs_signature_entry *entry = &link->entries[i];
        if (entry->scheme == GS_SCHEME_KEY || entry->scheme == GS_SCHEME_MINISIGN) {
            code = gs_trust_keep_signature(trust, entry->scheme, &entry->key_id, link->data + entry->offset, entry->length, err);
        }
    }
    if (code == 0) {
        *out = GS_STEAL(trust);
    }
    return code;
}

/* A root document is a JSON object; neither PEM nor what minisign writes begins so. */
static bool is_json(const char *data, size_t len)
{
    size_t at = 0;
    while (at < len && (data[at] == ' ' || data[at] == '\t' || data[at] == '\n' || data[at] == '\r')) {
        at++;
    }
    return at == len || data[at] == '{';
}

int gs_trust_parse(const char *name, const void *data, size_t len, gs_trust **out, gs_error *err)
{
    if (len > GS_MAX_ROOT_BYTES) {
        (void)gs_fail(err, GS_ESPEC, "a root document has at most %zu bytes", GS_MAX_ROOT_BYTES);
        (void)gs_error_at(err, "%s", name);
        return GS_ESPEC;
    }
    if (is_json(data, len)) {
        return parse_document(name, data, len, out, err);
    }
    GS_AUTO_PUBLIC_KEY gs_public_key *key = NULL;
    int code = gs_public_key_parse(data, len, &key, err);
    if (code != 0) {
        (void)gs_error_at(err, "%s", name);
        return code;
    }
    const gs_public_key *const keys[] = {key};
    const gs_trust_role alone = {.keys = keys, .count = 1, .threshold = 1};
    const gs_trust_draft draft = {.version = 1, .epoch = 1, .roles = {alone, alone}};
    return gs_trust_make(&draft, out, err);
}

int gs_trust_load(const char *path, gs_trust **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, path, &text, err);
    return code == 0 ? gs_trust_parse(path, gs_buf_text(&text), text.len, out, err) : code;
}

const gs_trust_role *gs_trust_role_of(const gs_trust *trust, gs_role role)
{
    return &trust->roles[role];
}

int gs_trust_find_key(const gs_trust *trust, const char *prefix, const gs_public_key **out, gs_error *err)
{
    const gs_public_key *found = NULL;
    if (strlen(prefix) < GS_KEY_PREFIX) {
        return gs_fail(err, GS_EUSAGE, "a key is named by at least %u digits of its id, not \"%s\"", GS_KEY_PREFIX, prefix);
    }
    for (size_t role = 0; role < GS_ROLES; role++) {
        const gs_trust_role *keys = &trust->roles[role];
        for (size_t i = 0; i < keys->count; i++) {
            char id[GS_DIGEST_HEX];
            gs_digest_hex(gs_public_key_id(keys->keys[i]), id);
            /* A key of several roles is the same there. */
            if (!gs_text_starts(id, prefix) || keys->keys[i] == found) {
                continue;
            }
            if (found) {
                return gs_fail(err, GS_EUSAGE, "\"%s\" means two keys; give more digits", prefix);
            }
            found = keys->keys[i];
        }
    }
    if (!found) {
        (void)gs_fail(err, GS_ENOTFOUND, "no key of root %" PRIu64 " has an id that begins with \"%s\"", trust->version, prefix);
        return gs_error_hint(err, "`gapship root show` lists them");
    }
    *out = found;
    return 0;
}

const char *gs_role_name(gs_role role)
{
    static const char *const names[] = {"root", "release", "site"};
    return names[role];
}

uint64_t gs_trust_version(const gs_trust *trust)
{
    return trust->version;
}

uint64_t gs_trust_epoch(const gs_trust *trust)
{
    return trust->epoch;
}

int64_t gs_trust_expires(const gs_trust *trust)
{
    return trust->expires;
}
