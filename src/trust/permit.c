/* What a permit says, as struct and as the text that is signed (FORMAT.md section 15). Knows no file and no key. */
#include <string.h>

#include "gapship/permit.h"

#include "gapship/bind.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"

#define PERMIT_TYPE      "gapship-permit"
#define MAX_REASON_BYTES 512u

typedef struct json_place {
    int64_t epoch, sequence;
} json_place;

typedef struct json_permit {
    json_place below;
    const char *bundle;
    int64_t epoch;
    const char *expires, *issued_at, *product, *reason;
    int64_t sequence;
    const char *site, *type;
} json_permit;

static bool is_type(const char *text)
{
    return strcmp(text, PERMIT_TYPE) == 0;
}

static bool is_digest(const char *text)
{
    gs_digest digest;
    return gs_digest_parse(text, &digest, NULL) == 0;
}

static bool is_time(const char *text)
{
    int64_t seconds;
    return gs_parse_time(text, &seconds);
}

/* One printable line: people read it in the ledger for years, and its JSON has one form everywhere. */
static bool is_reason(const char *text)
{
    size_t len = strlen(text);
    bool valid = len > 0 && len <= MAX_REASON_BYTES && gs_text_is_utf8(text, len);
    for (size_t i = 0; valid && i < len; i++) {
        valid = (unsigned char)text[i] >= ' ' && text[i] != 0x7f;
    }
    return valid;
}

static bool is_number(const char *digits)
{
    uint64_t value;
    return gs_parse_u64(digits, GS_LARGEST_NUMBER, &value);
}

#define COUNT_OF(list) (sizeof(list) / sizeof(list)[0])
#define A_NUMBER       .valid = is_number, .expects = "a whole number from 0 to 2^53 - 1"
#define A_NAME         .valid = gs_name_valid, .expects = "a name"
#define A_TIME         .valid = is_time, .expects = "a time of RFC 3339 in UTC"

/* In the order of RFC 8785: a map is written as it stands here. */
static const gs_bind_field place_fields[] = {
    GS_FIELD(json_place, epoch, "epoch", INTEGER, .required = true, A_NUMBER),
    GS_FIELD(json_place, sequence, "sequence", INTEGER, .required = true, A_NUMBER),
};
static const gs_bind_table place_table = {"the place in the order", sizeof(json_place), place_fields, COUNT_OF(place_fields), NULL};

static const gs_bind_field permit_fields[] = {
    GS_FIELD(json_permit, below, "below", STRUCT, .required = true, .table = &place_table),
    GS_FIELD(json_permit, bundle, "bundle", TEXT, .required = true, .valid = is_digest, .expects = "sha256: and 64 digits"),
    GS_FIELD(json_permit, epoch, "epoch", INTEGER, .required = true, A_NUMBER),
    GS_FIELD(json_permit, expires, "expires", TEXT, A_TIME),
    GS_FIELD(json_permit, issued_at, "issuedAt", TEXT, .required = true, A_TIME),
    GS_FIELD(json_permit, product, "product", TEXT, .required = true, A_NAME),
    GS_FIELD(json_permit, reason, "reason", TEXT, .required = true, .valid = is_reason, .expects = "one line of up to 512 bytes"),
    GS_FIELD(json_permit, sequence, "sequence", INTEGER, .required = true, A_NUMBER),
    GS_FIELD(json_permit, site, "site", TEXT, A_NAME),
    GS_FIELD(json_permit, type, "type", TEXT, .required = true, .valid = is_type, .expects = PERMIT_TYPE),
};
static const gs_bind_table permit_table = {"a permit", sizeof(json_permit), permit_fields, COUNT_OF(permit_fields), NULL};

int gs_order_compare(int64_t epoch, int64_t sequence, int64_t other_epoch, int64_t other_sequence)
{
    if (epoch != other_epoch) {
        return epoch < other_epoch ? -1 : 1;
    }
    return sequence < other_sequence ? -1 : sequence > other_sequence ? 1 : 0;
}

const char *gs_permit_problem(const gs_permit *permit)
{
    if (!permit->product || !gs_name_valid(permit->product)) {
        return "the product is not a name";
    }
    if (permit->site && !gs_name_valid(permit->site)) {
        return "the site is not a name of lower-case letters, digits and inside '-', '.' and '_'";
    }
    if (!permit->reason || !is_reason(permit->reason)) {
        return "the reason is not one line of 1 to 512 bytes";
    }
    if (permit->epoch > GS_LARGEST_NUMBER || permit->sequence > GS_LARGEST_NUMBER || permit->below_epoch > GS_LARGEST_NUMBER ||
        permit->below_sequence > GS_LARGEST_NUMBER) {
        return "epoch or sequence is larger than 2^53 - 1";
    }
    if (gs_order_compare((int64_t)permit->epoch, (int64_t)permit->sequence, (int64_t)permit->below_epoch,
                         (int64_t)permit->below_sequence) >= 0) {
        return "the bundle is not below what the permit is to count below";
    }
    if (permit->expires != 0 && permit->expires < permit->issued_at) {
        return "it expires before it is issued";
    }
    return NULL;
}

int gs_permit_body(const gs_permit *permit, gs_buf *out, gs_error *err)
{
    const char *problem = gs_permit_problem(permit);
    if (problem) {
        return gs_fail(err, GS_ESPEC, "the permit cannot be written: %s", problem);
    }
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    char bundle[GS_DIGEST_TEXT];
    char issued_at[GS_TIME_TEXT];
    char expires[GS_TIME_TEXT];
    gs_digest_text(&permit->bundle, bundle);
    gs_format_time(permit->issued_at, issued_at);
    gs_format_time(permit->expires, expires);
    const json_permit json = {.below = {(int64_t)permit->below_epoch, (int64_t)permit->below_sequence},
                              .bundle = bundle,
                              .epoch = (int64_t)permit->epoch,
                              .expires = permit->expires != 0 ? expires : NULL,
                              .issued_at = issued_at,
                              .product = permit->product,
                              .reason = permit->reason,
                              .sequence = (int64_t)permit->sequence,
                              .site = permit->site,
                              .type = PERMIT_TYPE};
    gs_node *node = arena ? gs_bind_write(&permit_table, &json, arena) : NULL;
    return node ? gs_node_write_json(node, GS_JSON_COMPACT | GS_JSON_SORTED, out, err) : gs_fail_nomem(err);
}

static void convert(const json_permit *json, gs_permit *out)
{
    *out = (gs_permit){.product = json->product,
                       .site = json->site,
                       .epoch = (uint64_t)json->epoch,
                       .sequence = (uint64_t)json->sequence,
                       .below_epoch = (uint64_t)json->below.epoch,
                       .below_sequence = (uint64_t)json->below.sequence,
                       .reason = json->reason};
    /* The binder has accepted them. */
    (void)gs_hex_decode(json->bundle + strlen("sha256:"), out->bundle.bytes, GS_DIGEST_BYTES);
    (void)gs_parse_time(json->issued_at, &out->issued_at);
    if (json->expires) {
        (void)gs_parse_time(json->expires, &out->expires);
    }
}

/* There is one text for one permit: what two readers could read differently is not read at all. */
static int check_form(const gs_permit *permit, const void *body, size_t len, gs_error *err)
{
    GS_AUTO_BUF gs_buf again;
    gs_buf_init(&again, GS_MAX_DOCUMENT_BYTES);
    int code = gs_permit_body(permit, &again, err);
    if (code == 0 && (again.len != len || memcmp(again.data, body, len) != 0)) {
        code = gs_fail(err, GS_EFORMAT, "the permit is not in the form of RFC 8785");
    }
    return code;
}

int gs_permit_parse(const void *body, size_t len, gs_arena *arena, gs_permit *out, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    json_permit json;
    gs_permit permit;
    int code = gs_doc_parse(GS_JSON, "permit", body, len, &doc, err);
    code = code == 0 ? gs_bind_read(&permit_table, doc, doc->root, arena, &json, err) : code;
    if (code == 0) {
        convert(&json, &permit);
        code = check_form(&permit, body, len, err);
    }
    if (code == 0) {
        *out = permit;
        return 0;
    }
    /* For documents that is a person's mistake; a permit is written by gapship. */
    return code == GS_ENOMEM ? code : gs_error_recode(err, GS_EFORMAT);
}
