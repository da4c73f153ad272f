/* Signed documents, one behind the other: every place lies inside, what is accepted is written again as the same bytes, and nobody
 * is counted whom nobody knows. */
#include <string.h>

#include "fuzz.h"
#include "gapship/trust.h"

#define HEADER 24u

static void check_places(const gs_document *document, size_t size)
{
    check(document->type == GS_DOCUMENT_ROOT || document->type == GS_DOCUMENT_PERMIT);
    check(document->body_offset == HEADER && document->body_len >= 1 && document->body_len <= GS_MAX_DOCUMENT_BYTES);
    check(document->count <= GS_MAX_SIGNATURES && document->size <= size);
    size_t end = HEADER + document->body_len;
    for (size_t i = 0; i < document->count; i++) {
        const gs_signature_entry *entry = &document->entries[i];
        check(entry->offset == end + GS_SIGNATURE_HEADER && entry->length >= 1 && entry->length <= GS_MAX_SIGNATURE_BYTES);
        end = entry->offset + entry->length;
    }
    check(end == document->size);
}

static void check_rewritten(const gs_document *document)
{
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, 2 * GS_MAX_DOCUMENT_BYTES);
    check(gs_document_write(document->type, document->data + document->body_offset, document->body_len, &out, &err) == 0);
    /* The count of signatures, the last field of the header, is 0 in a new document. */
    check(memcmp(out.data, document->data, HEADER - 4) == 0);
    for (size_t i = 0; i < document->count; i++) {
        const gs_signature_entry *entry = &document->entries[i];
        gs_signature_entry_write(&out, entry->scheme, &entry->key_id, document->data + entry->offset, entry->length);
    }
    check(!out.failed && out.len == document->size);
    check(memcmp(out.data + HEADER, document->data + HEADER, out.len - HEADER) == 0);
    gs_buf_done(&out);
}

static void check_count(const gs_document *document)
{
    gs_error err = {0};
    gs_signature_report reports[GS_MAX_SIGNATURES];
    unsigned good = 1;
    check(gs_document_count(document, NULL, reports, &good, &err) == 0 && good == 0);
    for (size_t i = 0; i < document->count; i++) {
        check(!reports[i].known && !reports[i].good && gs_digest_equal(&reports[i].key_id, &document->entries[i].key_id));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_document document;
    size_t at = 0;
    while (at < size && gs_document_parse(data + at, size - at, &document, &err) == 0) {
        check_places(&document, size - at);
        check_rewritten(&document);
        check_count(&document);
        at += document.size;
    }
    check(at == size || err.code == GS_EFORMAT);
    return 0;
}
