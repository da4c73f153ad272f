/* Turns a plan into places: sizes in, offsets out (FORMAT.md sections 3 and 5). No I/O. */
#include "layout.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gapship/num.h"
#include "statement.h"
#include "tar.h"

static int check_plan(const gs_writer_plan *plan, gs_error *err)
{
    const char *problem = gs_statement_problem(&plan->statement);
    if (problem) {
        return gs_fail(err, GS_ESPEC, "this cannot become a bundle: %s", problem);
    }
    if (plan->index_json_len > GS_MAX_LAYOUT_INDEX_BYTES || plan->manifest_json_len > GS_MAX_LAYOUT_INDEX_BYTES) {
        return gs_fail(err, GS_ELIMIT, "index.json or manifest.json is larger than the %zu bytes of a bundle's",
                       GS_MAX_LAYOUT_INDEX_BYTES);
    }
    if (plan->roots_len > GS_MAX_ROOTS_BYTES) {
        return gs_fail(err, GS_ELIMIT, "the chain of roots has %zu bytes, more than the %zu of a bundle's", plan->roots_len,
                       GS_MAX_ROOTS_BYTES);
    }
    if (plan->blob_count > GS_MAX_MEMBERS - GS_FIRST_BLOB) {
        return gs_fail(err, GS_ELIMIT, "%zu blobs are more than the %u of a bundle", plan->blob_count,
                       GS_MAX_MEMBERS - GS_FIRST_BLOB);
    }
    return 0;
}

static void list_members(const gs_writer_plan *plan, gs_layout *layout)
{
    layout->members[0] = (gs_member){.kind = GS_MEMBER_LAYOUT, .size = sizeof GS_OCI_LAYOUT - 1};
    layout->members[1] = (gs_member){.kind = GS_MEMBER_INDEX_JSON, .size = plan->index_json_len};
    layout->members[2] = (gs_member){.kind = GS_MEMBER_MANIFEST_JSON, .size = plan->manifest_json_len};
    for (size_t i = 0; i < plan->blob_count; i++) {
        gs_member *member = &layout->members[GS_FIRST_BLOB + i];
        *member = (gs_member){.kind = GS_MEMBER_BLOB, .digest = plan->blobs[i].digest, .size = plan->blobs[i].size};
        layout->by_digest[i] = member;
    }
}

/* The rule of FORMAT.md "Room for signatures": from the longest that the statement can become. */
static int size_envelope(const gs_writer_plan *plan, gs_layout *layout, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_STATEMENT_BYTES);
    gs_statement longest = plan->statement;
    longest.total_length = GS_LARGEST_NUMBER;
    longest.envelope_size = GS_LARGEST_NUMBER;
    longest.index_size = layout->index_size;
    longest.roots_size = plan->roots_len;
    int code = gs_statement_write(&longest, &text, err);
    uint64_t size = GS_ENVELOPE_HEADER + text.len + plan->roots_len + GS_SIGNATURE_ROOM;
    layout->envelope_size = (size_t)(size + gs_tar_padding(size));
    return code;
}

static int count_chunks(gs_layout *layout, gs_error *err)
{
    uint64_t chunks = 0;
    for (size_t i = 0; i < layout->count; i++) {
        layout->first_chunk[i] = (size_t)chunks;
        chunks += gs_chunk_count(layout->members[i].size);
        if (gs_index_size(layout->count, chunks) > GS_MAX_INDEX_BYTES) {
            return gs_fail(err, GS_ELIMIT, "the content is too large for one bundle: its index would have more than %zu bytes",
                           GS_MAX_INDEX_BYTES);
        }
    }
    layout->first_chunk[layout->count] = (size_t)chunks;
    layout->index_size = (size_t)gs_index_size(layout->count, chunks);
    layout->chunks = calloc((size_t)chunks + 1, sizeof *layout->chunks);
    return layout->chunks ? 0 : gs_fail_nomem(err);
}

static int place_members(gs_layout *layout, gs_error *err)
{
    uint64_t next = 0;
    layout->index_offset = GS_ENVELOPE_OFFSET + layout->envelope_size + GS_BLOCK;
    bool fits = gs_tar_next(layout->index_offset, layout->index_size, &next);
    for (size_t i = 0; fits && i < layout->count; i++) {
        layout->members[i].offset = next;
        fits = gs_tar_next(next, layout->members[i].size, &next);
    }
    if (!fits) {
        return gs_fail(err, GS_ELIMIT, "the content is larger than a bundle can be");
    }
    layout->total_length = next - GS_BLOCK + GS_END_BYTES;
    return 0;
}

int gs_layout_make(const gs_writer_plan *plan, gs_layout *out, gs_error *err)
{
    int code = check_plan(plan, err);
    if (code != 0) {
        return code;
    }
    gs_layout layout = {.count = GS_FIRST_BLOB + plan->blob_count};
    layout.members = calloc(layout.count, sizeof *layout.members);
    layout.first_chunk = calloc(layout.count + 1, sizeof *layout.first_chunk);
    layout.by_digest = calloc(layout.count, sizeof *layout.by_digest);
    if (!layout.members || !layout.first_chunk || !layout.by_digest) {
        code = gs_fail_nomem(err);
    } else {
        list_members(plan, &layout);
        if (!gs_member_sort(layout.by_digest, plan->blob_count)) {
            code = gs_fail(err, GS_EINTERNAL, "the plan of a bundle names a blob twice");
        }
    }
    code = code == 0 ? count_chunks(&layout, err) : code;
    code = code == 0 ? size_envelope(plan, &layout, err) : code;
    code = code == 0 ? place_members(&layout, err) : code;
    if (code != 0) {
        gs_layout_done(&layout);
        return code;
    }
    *out = layout;
    return 0;
}

void gs_layout_done(gs_layout *layout)
{
    free(layout->members);
    free(layout->first_chunk);
    free(layout->chunks);
    free(layout->by_digest);
    *layout = (gs_layout){0};
}

const gs_member *gs_layout_find(const gs_layout *layout, const gs_digest *blob)
{
    return gs_member_find(layout->by_digest, layout->count - GS_FIRST_BLOB, blob);
}
