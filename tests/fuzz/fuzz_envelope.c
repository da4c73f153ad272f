/* The envelope, all that is read of a file nobody has vouched for: no read outside the data, every place inside it, and what is
 * accepted and has known schemes only is written again as the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "bundle/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_places(const gs_envelope *e)
{
    size_t end = GS_ENVELOPE_HEADER + e->statement_length;
    if (e->roots_offset != end || e->roots_length > GS_MAX_ROOTS_BYTES) {
        abort();
    }
    end += e->roots_length;
    for (size_t i = 0; i < e->count; i++) {
        const gs_signature_entry *s = &e->signatures[i];
        if (s->offset != end + GS_SIGNATURE_HEADER || s->length == 0 || s->offset + s->length > e->size) {
            abort();
        }
        end = s->offset + s->length;
    }
    if (end != e->end || e->end > e->size) {
        abort();
    }
}

static void check_rewritten(const uint8_t *data, const gs_envelope *e)
{
    gs_buf out;
    gs_buf_init(&out, GS_MAX_ENVELOPE_BYTES);
    const gs_envelope_parts parts = {.statement = data + GS_ENVELOPE_HEADER,
                                     .statement_len = e->statement_length,
                                     .roots = data + e->roots_offset,
                                     .roots_len = e->roots_length};
    gs_envelope_write_head(&out, e->size, &parts, e->count);
    bool known = true;
    for (size_t i = 0; i < e->count; i++) {
        known = known && e->signatures[i].scheme == GS_SCHEME_KEY;
        gs_signature_entry_write(&out, GS_SCHEME_KEY, &e->signatures[i].key_id, data + e->signatures[i].offset,
                                 e->signatures[i].length);
    }
    gs_buf_add_zeros(&out, e->size - out.len);
    if (out.failed || out.len != e->size || (known && memcmp(out.data, data, out.len) != 0)) {
        abort();
    }
    gs_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_envelope envelope;
    gs_error err = {0};
    if (size < GS_ENVELOPE_HEADER || gs_envelope_parse_header(data, GS_ENVELOPE_OFFSET + size, &envelope, &err) != 0) {
        return 0;
    }
    if (envelope.size > size) {
        abort();
    }
    if (gs_envelope_parse_entries(data, &envelope, &err) == 0) {
        check_places(&envelope);
        if (gs_envelope_check_rest(data, &envelope, &err) == 0) {
            check_rewritten(data, &envelope);
        }
    }
    return 0;
}
