/* The end of a build: index, statement, signatures. How the files get their names is in partial.c. */
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"
#include "signatures.h"
#include "statement.h"
#include "tar.h"
#include "writer_internal.h"

static int check_complete(gs_writer *writer, gs_error *err)
{
    for (size_t i = 0; i < writer->layout.count; i++) {
        (void)pthread_mutex_lock(&writer->lock);
        bool there = writer->states[i] == GS_BLOB_THERE;
        (void)pthread_mutex_unlock(&writer->lock);
        if (!there) {
            char name[GS_MEMBER_NAME];
            gs_member_name(&writer->layout.members[i], name);
            return gs_fail(err, GS_EINTERNAL, "the bundle is to be sealed, but %s was never written", name);
        }
    }
    return 0;
}

/* Header, data and padding of the index, and the two blocks at the end of the file. */
static int write_index(gs_writer *writer, gs_digest *digest, gs_error *err)
{
    static const unsigned char end[GS_END_BYTES];
    const gs_layout *layout = &writer->layout;
    unsigned char header[GS_BLOCK];
    GS_AUTO_BUF gs_buf index;
    gs_buf_init(&index, GS_MAX_INDEX_BYTES + GS_BLOCK);
    gs_index_write(layout->members, layout->count, layout->chunks, &index);
    int code = gs_buf_check(&index, err);
    code = code == 0 ? gs_digest_of(index.data, index.len, digest, err) : code;
    gs_buf_add_zeros(&index, gs_tar_padding(index.len));
    code = code == 0 ? gs_buf_check(&index, err) : code;
    gs_tar_header(GS_NAME_INDEX, layout->index_size, header);
    code = code == 0 ? gs_medium_write(&writer->file, header, sizeof header, layout->index_offset - GS_BLOCK, err) : code;
    code = code == 0 ? gs_medium_write(&writer->file, index.data, index.len, layout->index_offset, err) : code;
    return code == 0 ? gs_medium_write(&writer->file, end, sizeof end, layout->total_length - sizeof end, err) : code;
}

/* The first member whole, in one write. */
static int write_envelope(gs_writer *writer, const gs_buf *statement, const gs_private_key *const *keys, size_t key_count,
                          gs_error *err)
{
    unsigned char header[GS_BLOCK];
    GS_AUTO_BUF gs_buf head;
    gs_buf_init(&head, GS_MAX_ENVELOPE_BYTES + GS_BLOCK);
    gs_tar_header(GS_NAME_ENVELOPE, writer->layout.envelope_size, header);
    gs_buf_add(&head, header, sizeof header);
    const gs_envelope_parts parts = {.statement = statement->data,
                                     .statement_len = statement->len,
                                     .roots = writer->roots,
                                     .roots_len = (size_t)writer->statement.roots_size};
    int code = gs_envelope_sign(&parts, writer->layout.envelope_size, keys, key_count, &head, err);
    return code == 0 ? gs_medium_write(&writer->file, head.data, head.len, 0, err) : code;
}

int gs_writer_seal(gs_writer *writer, const gs_private_key *const *keys, size_t key_count, bool replace, gs_digest *digest,
                   gs_error *err)
{
    GS_AUTO_BUF gs_buf statement;
    gs_buf_init(&statement, GS_MAX_STATEMENT_BYTES);
    gs_digest sealed;
    /* Looked at before the rename does, because a file that could not get its name is removed, and this one took long to make. */
    int code = replace ? 0 : gs_partial_check_free(writer, err);
    code = code == 0 ? check_complete(writer, err) : code;
    code = code == 0 ? write_index(writer, &writer->statement.index, err) : code;
    writer->statement.layout = writer->layout.members[1].digest;
    code = code == 0 ? gs_statement_write(&writer->statement, &statement, err) : code;
    code = code == 0 ? gs_digest_of(statement.data, statement.len, &sealed, err) : code;
    code = code == 0 ? gs_partial_write_headers(writer, &sealed, err) : code;
    code = code == 0 ? write_envelope(writer, &statement, keys, key_count, err) : code;
    code = code == 0 ? gs_partial_publish(writer, replace, err) : code;
    if (code != 0 && err && err->where[0] == '\0') {
        (void)gs_error_at(err, "%s", writer->path);
    }
    if (code == 0 && digest) {
        *digest = sealed;
    }
    return code;
}
