/* Signed documents (FORMAT.md section 13): binary framing around a body and its signatures. Knows nothing of what a body says, and
 * parsing allocates nothing: what it is given was not checked by anybody yet. */
#include <inttypes.h>
#include <string.h>

#include "gapship/num.h"
#include "root.h"

#define MAGIC_BYTES      8u
#define HEADER_BYTES     24u
#define COUNT_OFFSET     20u
#define DOCUMENT_VERSION 1u
#define ENCODING_BYTES   (GS_MAX_DOCUMENT_BYTES + 256) /* "DSSEv1", type, lengths and body */

static const char *payload_type(uint32_t type)
{
    switch (type) {
    case GS_DOCUMENT_ROOT:
        return "application/vnd.gapship.root+json";
    case GS_DOCUMENT_PERMIT:
        return "application/vnd.gapship.permit+json";
    default:
        return NULL;
    }
}

static int fail_newer(gs_error *err)
{
    (void)gs_error_hint(err, "use a gapship as new as the one that made it");
    return GS_EFORMAT;
}

static int parse_header(const unsigned char *data, size_t len, gs_document *out, gs_error *err)
{
    if (len < HEADER_BYTES) {
        return gs_fail(err, GS_EFORMAT, "a signed document ends inside its header: it was cut short");
    }
    if (memcmp(data, GS_DOCUMENT_MAGIC, MAGIC_BYTES) != 0) {
        return gs_fail(err, GS_EFORMAT, "this is not a signed document: it does not begin with %s", GS_DOCUMENT_MAGIC);
    }
    const uint32_t version = gs_load_u32(data + 8);
    const uint32_t type = gs_load_u32(data + 12);
    const uint32_t body = gs_load_u32(data + 16);
    const uint32_t count = gs_load_u32(data + COUNT_OFFSET);
    if (version != DOCUMENT_VERSION) {
        (void)gs_fail(err, GS_EFORMAT, "the signed document has version %" PRIu32 ", this gapship reads version %u", version,
                      DOCUMENT_VERSION);
        return fail_newer(err);
    }
    if (!payload_type(type)) {
        (void)gs_fail(err, GS_EFORMAT, "the signed document is of type %" PRIu32 ", which this gapship does not know", type);
        return fail_newer(err);
    }
    if (body == 0 || body > GS_MAX_DOCUMENT_BYTES) {
        return gs_fail(err, GS_EFORMAT, "the body of a signed document has from 1 to %zu bytes, not %" PRIu32,
                       GS_MAX_DOCUMENT_BYTES, body);
    }
    if (body > len - HEADER_BYTES) {
        return gs_fail(err, GS_EFORMAT, "a signed document ends inside its body: it was cut short");
    }
    if (count > GS_MAX_SIGNATURES) {
        return gs_fail(err, GS_EFORMAT, "the signed document has %" PRIu32 " signatures, %u are the most", count,
                       GS_MAX_SIGNATURES);
    }
    *out = (gs_document){
        .type = (gs_document_type)type, .data = data, .body_offset = HEADER_BYTES, .body_len = body, .count = count};
    return 0;
}

int gs_document_parse(const void *data, size_t len, gs_document *out, gs_error *err)
{
    gs_document parsed;
    int code = parse_header(data, len, &parsed, err);
    code = code == 0 ? gs_signature_entries_parse(data, len, HEADER_BYTES + parsed.body_len, parsed.count, parsed.entries,
                                                  &parsed.size, err)
                     : code;
    if (code == 0) {
        *out = parsed;
    }
    return code;
}

int gs_document_encoding(gs_document_type type, const void *body, size_t len, gs_buf *out, gs_error *err)
{
    return gs_pae(payload_type(type), body, len, out, err);
}

int gs_document_count(const gs_document *document, const gs_trust_role *role, gs_signature_report *reports, unsigned *good,
                      gs_error *err)
{
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&encoding, ENCODING_BYTES);
    int code = gs_document_encoding(document->type, document->data + document->body_offset, document->body_len, &encoding, err);
    const gs_signed what = {.encoding = &encoding, .data = document->data, .entries = document->entries, .count = document->count};
    return code == 0 ? gs_signatures_count(role, &what, reports, good, err) : code;
}

static void write_header(gs_document_type type, size_t len, size_t count, gs_buf *out)
{
    gs_buf_add(out, GS_DOCUMENT_MAGIC, MAGIC_BYTES);
    gs_buf_add_u32(out, DOCUMENT_VERSION);
    gs_buf_add_u32(out, (uint32_t)type);
    gs_buf_add_u32(out, (uint32_t)len);
    gs_buf_add_u32(out, (uint32_t)count);
}

int gs_document_write(gs_document_type type, const void *body, size_t len, gs_buf *out, gs_error *err)
{
    if (len == 0 || len > GS_MAX_DOCUMENT_BYTES) {
        return gs_fail(err, GS_ELIMIT, "the body of a signed document has from 1 to %zu bytes, not %zu", GS_MAX_DOCUMENT_BYTES,
                       len);
    }
    write_header(type, len, 0, out);
    gs_buf_add(out, body, len);
    return gs_buf_check(out, err);
}

int gs_document_frame(gs_document_type type, const gs_buf *body, size_t count, const gs_buf *entries, gs_buf *out, gs_error *err)
{
    write_header(type, body->len, count, out);
    gs_buf_add(out, body->data, body->len);
    gs_buf_add(out, entries->data, entries->len);
    return gs_buf_check(out, err);
}

static int check_addition(const gs_document *document, const gs_public_key *key, const void *signature, size_t len, gs_error *err)
{
    const gs_digest *id = gs_public_key_id(key);
    for (size_t i = 0; i < document->count; i++) {
        if (gs_digest_equal(&document->entries[i].key_id, id)) {
            char hex[GS_DIGEST_HEX];
            gs_digest_hex(id, hex);
            return gs_fail(err, GS_EEXISTS, "the key %s has signed already", hex);
        }
    }
    if (document->count == GS_MAX_SIGNATURES || len == 0 || len > GS_MAX_SIGNATURE_BYTES) {
        return gs_fail(err, GS_ELIMIT, "the signed document has no room for another signature");
    }
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&encoding, ENCODING_BYTES);
    int code = gs_document_encoding(document->type, document->data + document->body_offset, document->body_len, &encoding, err);
    return code == 0 ? gs_signature_verify(key, encoding.data, encoding.len, signature, len, err) : code;
}

int gs_document_sign(gs_buf *document, const gs_public_key *key, const void *signature, size_t len, gs_error *err)
{
    gs_document parsed;
    int code = gs_document_parse(document->data, document->len, &parsed, err);
    if (code == 0 && parsed.size != document->len) {
        code = gs_fail(err, GS_EFORMAT, "the signed document has bytes behind its end");
    }
    code = code == 0 ? check_addition(&parsed, key, signature, len, err) : code;
    if (code != 0) {
        return code;
    }
    /* Made beside the document, so that it is whole or as it was. */
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, document->max);
    gs_buf_add(&bytes, document->data, COUNT_OFFSET);
    gs_buf_add_u32(&bytes, (uint32_t)(parsed.count + 1));
    gs_buf_add(&bytes, document->data + HEADER_BYTES, document->len - HEADER_BYTES);
    gs_signature_entry_write(&bytes, gs_public_key_scheme(key), gs_public_key_id(key), signature, len);
    code = gs_buf_check(&bytes, err);
    if (code == 0) {
        const gs_buf old = *document;
        *document = bytes;
        bytes = old;
    }
    return code;
}
