/* The statement: JSON of the in-toto shape, written in one way only, read strictly. Knows no file. */
#include "statement.h"

#include <inttypes.h>
#include <string.h>

#include "envelope.h"
#include "gapship/bind.h"
#include "gapship/num.h"
#include "gapship/text.h"

#define STATEMENT_KIND "https://in-toto.io/Statement/v1"
#define PREDICATE_KIND "https://gapship.io/bundle/v1"

#define MAX_VERSION_BYTES    128u
#define MAX_CONSTRAINT_BYTES 256u

/* The JSON, field by field. */
typedef struct json_digest {
    const char *sha256;
    int64_t size;
} json_digest;

typedef struct json_subject {
    const char *name;
    json_digest digest;
} json_subject;

typedef struct json_requires {
    const char *upgrades_from;
} json_requires;

typedef struct json_predicate {
    const char *product, *version, *issued_at, *fresh_until;
    int64_t epoch, sequence, security_floor, total_length, envelope_size;
    json_digest index, layout, roots;
    json_requires requires;
} json_predicate;

typedef struct json_statement {
    const char *type, *predicate_type;
    struct {
        json_subject *items;
        size_t count;
    } subject;
    json_predicate predicate;
} json_statement;

static bool is_statement_kind(const char *text)
{
    return strcmp(text, STATEMENT_KIND) == 0;
}

static bool is_predicate_kind(const char *text)
{
    return strcmp(text, PREDICATE_KIND) == 0;
}

static bool is_hex_digest(const char *text)
{
    unsigned char bytes[GS_DIGEST_BYTES];
    return gs_hex_decode(text, bytes, sizeof bytes);
}

static bool is_version(const char *text)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static const char others[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+~-";
    size_t len = strlen(text);
    return len > 0 && len <= MAX_VERSION_BYTES && strspn(text, first) > 0 && strspn(text, others) == len;
}

/* Also keeps quotes and control characters out: a constraint is made of versions and signs. */
static bool is_constraint(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+~-<>=, ";
    bool valid = false;
    size_t len = strlen(text);
    if (len == 0 || len > MAX_CONSTRAINT_BYTES || strspn(text, allowed) != len) {
        return false;
    }
    (void)gs_version_satisfies("0", text, &valid);
    return valid;
}

static bool is_time(const char *text)
{
    int64_t seconds;
    return gs_parse_time(text, &seconds);
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define TABLE(T, f, what)                                                                                                          \
    {                                                                                                                              \
        .name = (what), .size = sizeof(T), .fields = (f), .field_count = COUNT(f)                                                  \
    }
#define TEXT(T, k, m, v, e)                                                                                                        \
    {                                                                                                                              \
        .key = (k), .kind = GS_BIND_TEXT, .offset = offsetof(T, m), .required = true, .valid = (v), .expects = (e)                 \
    }
#define NUMBER(T, k, m)                                                                                                            \
    {                                                                                                                              \
        .key = (k), .kind = GS_BIND_INTEGER, .offset = offsetof(T, m), .required = true                                            \
    }
#define STRUCT(T, k, m, t)                                                                                                         \
    {                                                                                                                              \
        .key = (k), .kind = GS_BIND_STRUCT, .offset = offsetof(T, m), .required = true, .table = (t)                               \
    }

#define NEVER_FRESH "freshUntil is before issuedAt, so the bundle was never fresh"
#define A_TIME      "a time of RFC 3339 in UTC"
#define HEX_DIGEST  "64 lower-case hexadecimal digits"

static const gs_bind_field digest_fields[] = {TEXT(json_digest, "sha256", sha256, is_hex_digest, HEX_DIGEST)};
static const gs_bind_table digest_table = TABLE(json_digest, digest_fields, "a digest");

static const gs_bind_field sized_fields[] = {
    TEXT(json_digest, "sha256", sha256, is_hex_digest, HEX_DIGEST),
    NUMBER(json_digest, "size", size),
};
static const gs_bind_table sized_table = TABLE(json_digest, sized_fields, "a digest with a size");

static const gs_bind_field subject_fields[] = {
    TEXT(json_subject, "name", name, NULL, NULL),
    STRUCT(json_subject, "digest", digest, &digest_table),
};
static const gs_bind_table subject_table = TABLE(json_subject, subject_fields, "a subject");

static const gs_bind_field requires_fields[] = {
    {.key = "upgradesFrom",
     .kind = GS_BIND_TEXT,
     .offset = offsetof(json_requires, upgrades_from),
     .valid = is_constraint,
     .expects = "a constraint on versions"},
};
static const gs_bind_table requires_table = TABLE(json_requires, requires_fields, "the requirements");

static const gs_bind_field predicate_fields[] = {
    TEXT(json_predicate, "product", product, gs_name_valid, "a name"),
    TEXT(json_predicate, "version", version, is_version, "a version"),
    NUMBER(json_predicate, "epoch", epoch),
    NUMBER(json_predicate, "sequence", sequence),
    NUMBER(json_predicate, "securityFloor", security_floor),
    TEXT(json_predicate, "issuedAt", issued_at, is_time, A_TIME),
    {.key = "freshUntil",
     .kind = GS_BIND_TEXT,
     .offset = offsetof(json_predicate, fresh_until),
     .valid = is_time,
     .expects = A_TIME},
    NUMBER(json_predicate, "totalLength", total_length),
    NUMBER(json_predicate, "envelopeSize", envelope_size),
    STRUCT(json_predicate, "index", index, &sized_table),
    STRUCT(json_predicate, "layout", layout, &digest_table),
    {.key = "roots", .kind = GS_BIND_STRUCT, .offset = offsetof(json_predicate, roots), .table = &sized_table},
    {.key = "requires", .kind = GS_BIND_STRUCT, .offset = offsetof(json_predicate, requires), .table = &requires_table},
};
static const gs_bind_table predicate_table = TABLE(json_predicate, predicate_fields, "the predicate");

static const gs_bind_field statement_fields[] = {
    TEXT(json_statement, "_type", type, is_statement_kind, STATEMENT_KIND),
    {.key = "subject",
     .kind = GS_BIND_STRUCT_LIST,
     .offset = offsetof(json_statement, subject),
     .required = true,
     .table = &subject_table},
    TEXT(json_statement, "predicateType", predicate_type, is_predicate_kind, PREDICATE_KIND),
    STRUCT(json_statement, "predicate", predicate, &predicate_table),
};
static const gs_bind_table statement_table = TABLE(json_statement, statement_fields, "the statement");

const char *gs_statement_problem(const gs_statement *statement)
{
    if (!statement->product || !gs_name_valid(statement->product)) {
        return "the product is not a name of lower-case letters, digits and inside '-', '.' and '_'";
    }
    if (!statement->version || !is_version(statement->version)) {
        return "the version is not of letters, digits, '.', '_', '+', '~' and '-', up to 128 of them, beginning with a letter or "
               "digit";
    }
    if (statement->epoch > GS_LARGEST_NUMBER || statement->sequence > GS_LARGEST_NUMBER) {
        return "epoch or sequence is larger than 2^53 - 1";
    }
    if (statement->security_floor > statement->sequence) {
        return "the security floor is above the sequence, so the bundle would forbid itself";
    }
    if (statement->fresh_until != 0 && statement->fresh_until < statement->issued_at) {
        return NEVER_FRESH;
    }
    if (statement->upgrades_from && !is_constraint(statement->upgrades_from)) {
        return "upgradesFrom is not a constraint on versions such as \">=1.1.0\"";
    }
    return NULL;
}

int gs_statement_write(const gs_statement *statement, gs_buf *out, gs_error *err)
{
    char index[GS_DIGEST_HEX];
    char layout[GS_DIGEST_HEX];
    char issued_at[GS_TIME_TEXT];
    gs_digest_hex(&statement->index, index);
    gs_digest_hex(&statement->layout, layout);
    gs_format_time(statement->issued_at, issued_at);
    gs_buf_printf(out,
                  "{\"_type\":\"" STATEMENT_KIND "\",\"subject\":[{\"name\":\"" GS_NAME_INDEX "\",\"digest\":{\"sha256\":\"%s\"}},"
                  "{\"name\":\"index.json\",\"digest\":{\"sha256\":\"%s\"}}],\"predicateType\":\"" PREDICATE_KIND "\",",
                  index, layout);
    /* Product, version and constraint have no character that JSON would escape: gs_statement_problem saw to that. */
    gs_buf_printf(out,
                  "\"predicate\":{\"product\":\"%s\",\"version\":\"%s\",\"epoch\":%" PRIu64 ",\"sequence\":%" PRIu64
                  ",\"securityFloor\":%" PRIu64 ",\"issuedAt\":\"%s\"",
                  statement->product, statement->version, statement->epoch, statement->sequence, statement->security_floor,
                  issued_at);
    if (statement->fresh_until != 0) {
        char fresh_until[GS_TIME_TEXT];
        gs_format_time(statement->fresh_until, fresh_until);
        gs_buf_printf(out, ",\"freshUntil\":\"%s\"", fresh_until);
    }
    gs_buf_printf(out,
                  ",\"totalLength\":%" PRIu64 ",\"envelopeSize\":%" PRIu64 ",\"index\":{\"sha256\":\"%s\",\"size\":%" PRIu64
                  "},\"layout\":{\"sha256\":\"%s\"}",
                  statement->total_length, statement->envelope_size, index, statement->index_size, layout);
    if (statement->roots_size > 0) {
        char roots[GS_DIGEST_HEX];
        gs_digest_hex(&statement->roots, roots);
        gs_buf_printf(out, ",\"roots\":{\"sha256\":\"%s\",\"size\":%" PRIu64 "}", roots, statement->roots_size);
    }
    if (statement->upgrades_from) {
        gs_buf_printf(out, ",\"requires\":{\"upgradesFrom\":\"%s\"}", statement->upgrades_from);
    }
    gs_buf_add_text(out, "}}");
    return gs_buf_check(out, err);
}

static bool in_range(int64_t value)
{
    return value >= 0 && (uint64_t)value <= GS_LARGEST_NUMBER;
}

static const char *find_contradiction(const json_statement *json)
{
    const json_predicate *p = &json->predicate;
    if (!in_range(p->epoch) || !in_range(p->sequence) || !in_range(p->security_floor) || !in_range(p->total_length) ||
        !in_range(p->envelope_size) || !in_range(p->index.size)) {
        return "a number is negative or larger than 2^53 - 1";
    }
    if (json->subject.count != 2 || strcmp(json->subject.items[0].name, GS_NAME_INDEX) != 0 ||
        strcmp(json->subject.items[1].name, "index.json") != 0) {
        return "its subjects are not " GS_NAME_INDEX " and index.json";
    }
    if (strcmp(json->subject.items[0].digest.sha256, p->index.sha256) != 0 ||
        strcmp(json->subject.items[1].digest.sha256, p->layout.sha256) != 0) {
        return "its subjects and its predicate name different digests";
    }
    /* Both are of one shape, in which the order of texts is that of times. */
    if (p->fresh_until && strcmp(p->fresh_until, p->issued_at) < 0) {
        return NEVER_FRESH;
    }
    if (p->roots.sha256 && (p->roots.size < 1 || p->roots.size > (int64_t)GS_MAX_ROOTS_BYTES)) {
        return "its chain of roots has an impossible size";
    }
    return NULL;
}

static void convert(const json_statement *json, gs_statement *out)
{
    const json_predicate *p = &json->predicate;
    *out = (gs_statement){
        .product = p->product,
        .version = p->version,
        .epoch = (uint64_t)p->epoch,
        .sequence = (uint64_t)p->sequence,
        .security_floor = (uint64_t)p->security_floor,
        .total_length = (uint64_t)p->total_length,
        .envelope_size = (uint64_t)p->envelope_size,
        .index_size = (uint64_t)p->index.size,
        .upgrades_from = p->requires.upgrades_from,
    };
    /* The binder has accepted them all. */
    (void)gs_parse_time(p->issued_at, &out->issued_at);
    if (p->fresh_until) {
        (void)gs_parse_time(p->fresh_until, &out->fresh_until);
    }
    (void)gs_hex_decode(p->index.sha256, out->index.bytes, GS_DIGEST_BYTES);
    (void)gs_hex_decode(p->layout.sha256, out->layout.bytes, GS_DIGEST_BYTES);
    if (p->roots.sha256) {
        out->roots_size = (uint64_t)p->roots.size;
        (void)gs_hex_decode(p->roots.sha256, out->roots.bytes, GS_DIGEST_BYTES);
    }
}

int gs_statement_parse(const void *data, size_t len, gs_arena *arena, gs_statement *out, gs_error *err)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    GS_AUTO_DOC gs_doc *doc = NULL;
    json_statement json;
    if (len >= 3 && memcmp(data, byte_order_mark, 3) == 0) {
        return gs_fail(err, GS_EFORMAT, "the statement begins with a byte order mark");
    }
    int code = gs_doc_parse(GS_JSON, "statement", data, len, &doc, err);
    code = code == 0 ? gs_bind_read(&statement_table, doc, doc->root, arena, &json, err) : code;
    if (code != 0) {
        /* For documents that is a person's mistake; a statement is written by gapship. */
        return code == GS_ENOMEM ? code : gs_error_recode(err, GS_EFORMAT);
    }
    const char *problem = find_contradiction(&json);
    gs_statement parsed;
    if (!problem) {
        convert(&json, &parsed);
        problem = gs_statement_problem(&parsed);
    }
    if (problem) {
        return gs_fail(err, GS_EFORMAT, "the statement is wrong: %s", problem);
    }
    *out = parsed;
    return 0;
}
