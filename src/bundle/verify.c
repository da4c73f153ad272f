/* The only maker of gs_verified (FORMAT.md section 7). Each step runs only when all before it have succeeded: framing was read by
 * bundle.c; here follow threshold, statement, headers, index, and the place of every byte. No JSON is parsed before the threshold
 * is met. */
#include "bundle_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"
#include "statement.h"
#include "tar.h"

static int fail_threshold(const gs_verified *verified, const gs_trust *trust, gs_role role, unsigned good, gs_error *err)
{
    const gs_envelope *envelope = &verified->file->envelope;
    if (envelope->count == 0) {
        (void)gs_fail(err, GS_ESIGNATURE, "the bundle is not signed");
        (void)gs_error_hint(err, "sign it with \"gapship sign\"; a site takes unsigned bundles only where its site.yaml says "
                                 "allowUnsigned: true");
        return GS_ESIGNATURE;
    }
    GS_AUTO_BUF gs_buf ids;
    gs_buf_init(&ids, GS_ERROR_MESSAGE_MAX);
    for (size_t i = 0; i < envelope->count; i++) {
        char id[GS_DIGEST_HEX];
        gs_digest_hex(&verified->reports[i].key_id, id);
        gs_buf_printf(&ids, "%s%.16s… (%s)", i > 0 ? ", " : "", id, verified->reports[i].good ? "trusted" : "not trusted");
    }
    (void)gs_fail(err, GS_ESIGNATURE, "signed by %u of the %u trusted %s keys that are required; its signatures are by %s", good,
                  gs_trust_role_of(trust, role)->threshold, gs_role_name(role), gs_buf_text(&ids));
    (void)gs_error_hint(err,
                        "compare the key ids with `gapship key show PUBLIC-KEY`; a missing signature is added by `gapship sign`");
    return GS_ESIGNATURE;
}

static int check_role(gs_verified *verified, const gs_trust *trust, gs_role role, const gs_signed *what, gs_error *err)
{
    const gs_trust_role *keys = gs_trust_role_of(trust, role);
    gs_signature_report reports[GS_MAX_SIGNATURES];
    unsigned good = 0;
    int code = gs_signatures_count(keys, what, reports, &good, err);
    if (code == GS_ESIGNATURE) {
        (void)gs_error_hint(err, "the bundle or its signature was changed; get it again from where it was made");
    }
    for (size_t i = 0; code == 0 && i < what->count; i++) {
        verified->reports[i].known |= reports[i].known;
        verified->reports[i].good |= reports[i].good;
    }
    return code == 0 && good < keys->threshold ? fail_threshold(verified, trust, role, good, err) : code;
}

static int check_threshold(gs_verified *verified, const gs_terms *terms, gs_error *err)
{
    const gs_bundle *file = verified->file;
    const gs_envelope *envelope = &file->envelope;
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&encoding, GS_MAX_STATEMENT_BYTES + GS_BLOCK);
    int code = gs_pae(GS_STATEMENT_TYPE, file->head + GS_ENVELOPE_HEADER, envelope->statement_length, &encoding, err);
    for (size_t i = 0; i < envelope->count; i++) {
        verified->reports[i] = (gs_signature_report){.key_id = envelope->signatures[i].key_id};
    }
    if (code == 0) {
        code = gs_digest_of(file->head + GS_ENVELOPE_HEADER, envelope->statement_length, &verified->digest, err);
    }
    if (code != 0 || !terms->trust) {
        return code;
    }
    verified->authentic = terms->vouched && gs_digest_equal(terms->vouched, &verified->digest);
    if (verified->authentic || (terms->allow_unsigned && envelope->count == 0)) {
        return 0;
    }
    const gs_signed what = {.encoding = &encoding, .data = file->head, .entries = envelope->signatures, .count = envelope->count};
    code = check_role(verified, terms->trust, GS_ROLE_RELEASE, &what, err);
    if (code == 0 && gs_trust_role_of(terms->trust, GS_ROLE_SITE)->count > 0) {
        code = check_role(verified, terms->trust, GS_ROLE_SITE, &what, err);
    }
    verified->authentic = code == 0;
    return code;
}

static int read_statement(gs_verified *verified, gs_error *err)
{
    const gs_bundle *file = verified->file;
    const unsigned char *bytes = file->head + GS_ENVELOPE_HEADER;
    verified->arena = gs_arena_new();
    int code = verified->arena ? 0 : gs_fail_nomem(err);
    code = code == 0 ? gs_statement_parse(bytes, file->envelope.statement_length, verified->arena, &verified->statement, err)
                     : code;
    if (code != 0) {
        return code;
    }
    const gs_statement *statement = &verified->statement;
    if (statement->total_length != file->medium.length) {
        (void)gs_fail(err, GS_EFORMAT, "the file has %" PRIu64 " bytes, but its signed statement says %" PRIu64 ": it was %s",
                      file->medium.length, statement->total_length,
                      file->medium.length < statement->total_length ? "cut short" : "extended");
        (void)gs_error_hint(err, "copy it again from where it was made");
        return GS_EFORMAT;
    }
    if (statement->envelope_size != file->envelope.size) {
        return gs_fail(err, GS_EFORMAT, "envelope and statement do not agree on the size of the envelope");
    }
    uint64_t head = GS_ENVELOPE_OFFSET + statement->envelope_size + GS_BLOCK;
    if (statement->index_size > GS_MAX_INDEX_BYTES || head > file->medium.length ||
        statement->index_size > file->medium.length - head) {
        return gs_fail(err, GS_EFORMAT, "the index of %" PRIu64 " bytes does not fit the file", statement->index_size);
    }
    return gs_bundle_check_roots(file, statement, err);
}

/* A volume's header is not signed, but it has no byte that may differ from what was. */
static int check_volumes(const gs_verified *verified, gs_error *err)
{
    const gs_bundle *file = verified->file;
    if (!gs_bundle_is_split(file) || gs_digest_equal(&file->volume, &verified->digest)) {
        return 0;
    }
    (void)gs_fail(err, GS_EFORMAT, "the headers of the volumes name another bundle than the one that is in them");
    (void)gs_error_hint(err, "copy the volumes again from where they were made");
    return GS_EFORMAT;
}

static int compare(const gs_bundle *file, const unsigned char *expected, size_t len, uint64_t offset, gs_error *err)
{
    unsigned char found[GS_TAIL_BYTES];
    int code = gs_medium_read(&file->medium, found, len, offset, err);
    if (code != 0 || memcmp(found, expected, len) == 0) {
        return code;
    }
    size_t at = 0;
    while (found[at] == expected[at]) {
        at++;
    }
    char place[GS_PLACE_TEXT];
    gs_bundle_place(file, offset + at, 1, place);
    return gs_fail(err, GS_EFORMAT, "the byte at offset %" PRIu64 " %s is not what the format has there: it was changed",
                   offset + at, place);
}

static int check_head_headers(const gs_verified *verified, gs_error *err)
{
    const gs_bundle *file = verified->file;
    unsigned char header[GS_BLOCK];
    gs_tar_header(GS_NAME_ENVELOPE, file->envelope.size, header);
    int code = compare(file, header, sizeof header, 0, err);
    gs_tar_header(GS_NAME_INDEX, verified->statement.index_size, header);
    return code == 0 ? compare(file, header, sizeof header, GS_ENVELOPE_OFFSET + file->envelope.size, err) : code;
}

static int read_index(gs_verified *verified, gs_error *err)
{
    const gs_statement *statement = &verified->statement;
    const gs_index_frame frame = {.offset = GS_ENVELOPE_OFFSET + statement->envelope_size + GS_BLOCK,
                                  .total_length = statement->total_length,
                                  .layout = statement->layout};
    const size_t size = (size_t)statement->index_size;
    unsigned char *data = malloc(size ? size : 1);
    if (!data) {
        return gs_fail_nomem(err);
    }
    gs_digest digest;
    int code = gs_medium_read(&verified->file->medium, data, size, frame.offset, err);
    code = code == 0 ? gs_digest_of(data, size, &digest, err) : code;
    if (code == 0 && !gs_digest_equal(&digest, &statement->index)) {
        code = gs_fail(err, GS_EDIGEST, "the index does not have the digest that was signed: the file was changed");
    }
    if (code != 0) {
        free(data);
        return code;
    }
    return gs_index_parse(data, size, &frame, &verified->index, err);
}

/* What stands between the data: the headers, zeros, and the end. */
static int check_gaps(const gs_verified *verified, gs_error *err)
{
    const gs_statement *statement = &verified->statement;
    uint64_t end = GS_ENVELOPE_OFFSET + statement->envelope_size + GS_BLOCK + statement->index_size;
    int code = 0;
    for (size_t i = 0; code == 0 && i < verified->index.count; i++) {
        const gs_member *member = &verified->index.members[i];
        unsigned char gap[GS_GAP_BYTES];
        size_t len = gs_gap_before(member, end, gap);
        code = compare(verified->file, gap, len, end, err);
        end = member->offset + member->size;
    }
    if (code == 0) {
        unsigned char tail[GS_TAIL_BYTES];
        size_t len = gs_gap_at_end(end, tail);
        code = compare(verified->file, tail, len, end, err);
    }
    return code;
}

int gs_bundle_verify(gs_bundle **bundle, const gs_terms *terms, gs_verified **out, gs_error *err)
{
    GS_AUTO_VERIFIED gs_verified *verified = calloc(1, sizeof *verified);
    if (!verified) {
        return gs_fail_nomem(err);
    }
    verified->file = *bundle;
    int code = check_threshold(verified, terms, err);
    code = code == 0 ? read_statement(verified, err) : code;
    code = code == 0 ? check_volumes(verified, err) : code;
    code = code == 0 ? check_head_headers(verified, err) : code;
    code = code == 0 ? read_index(verified, err) : code;
    code = code == 0 ? check_gaps(verified, err) : code;
    if (code != 0) {
        gs_bundle_name_error(verified->file, err);
        verified->file = NULL; /* stays the caller's */
        return code;
    }
    *bundle = NULL;
    *out = GS_STEAL(verified);
    return 0;
}
