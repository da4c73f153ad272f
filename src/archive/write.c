/* Writing tar and gzip so that the same input gives the same bytes: fixed owner, mode, time, level, no name or time in the gzip
 * header. Knows nothing of what is packed. */
#include <errno.h>
#include <stdlib.h>

#include "gapship/limits.h"
#include "internal.h"

#define GZIP_LEVEL "6" /* zlib's own default; part of what makes the bytes, so never changed */

typedef struct writer {
    struct archive *archive;
    struct archive_entry *entry;
    gs_sink *sink; /* borrowed */
    gs_error failure;
} writer;

static la_ssize_t on_write(struct archive *archive, void *state, const void *data, size_t len)
{
    writer *out = state;
    if (out->failure.code != 0 || gs_sink_write(out->sink, data, len, &out->failure) != 0) {
        archive_set_error(archive, EIO, "the output cannot be written");
        return -1;
    }
    return (la_ssize_t)len;
}

static int writer_fail(writer *out, const char *what, gs_error *err)
{
    if (out->failure.code != 0) {
        if (err) {
            *err = out->failure;
        }
        return out->failure.code;
    }
    if (archive_errno(out->archive) == ENOMEM) {
        return gs_fail_nomem(err);
    }
    const char *reason = archive_error_string(out->archive);
    return gs_fail(err, GS_EINTERNAL, "%s: %s", what, reason ? reason : "libarchive gives no reason");
}

static void writer_done(writer *out)
{
    archive_entry_free(out->entry);
    if (out->archive) {
        out->failure.code = GS_EINTERNAL; /* freeing an unfinished one would write its end */
        (void)archive_write_free(out->archive);
    }
}

static int writer_open(writer *out, gs_sink *sink, bool tar, gs_error *err)
{
    *out = (writer){.sink = sink, .archive = archive_write_new(), .entry = archive_entry_new()};
    if (!out->archive || !out->entry) {
        return gs_fail_nomem(err);
    }
    /* No padding: behind the gzip member it would be trailing bytes. */
    bool ready = archive_write_set_bytes_per_block(out->archive, 0) == ARCHIVE_OK &&
                 archive_write_add_filter_gzip(out->archive) == ARCHIVE_OK &&
                 archive_write_set_filter_option(out->archive, "gzip", "compression-level", GZIP_LEVEL) == ARCHIVE_OK &&
                 archive_write_set_filter_option(out->archive, "gzip", "timestamp", NULL) == ARCHIVE_OK;
    if (tar) {
        ready = ready && archive_write_set_format_pax_restricted(out->archive) == ARCHIVE_OK &&
                archive_write_set_format_option(out->archive, "pax", "hdrcharset", "UTF-8") == ARCHIVE_OK;
    } else {
        ready = ready && archive_write_set_format_raw(out->archive) == ARCHIVE_OK;
    }
    if (!ready || archive_write_open(out->archive, out, NULL, on_write, NULL) != ARCHIVE_OK) {
        return writer_fail(out, "the archive cannot be begun", err);
    }
    return 0;
}

static int write_header(writer *out, const char *name, uint64_t size, bool executable, gs_error *err)
{
    archive_entry_clear(out->entry);
    archive_entry_set_pathname_utf8(out->entry, name);
    archive_entry_set_filetype(out->entry, AE_IFREG);
    archive_entry_set_perm(out->entry, executable ? 0755 : 0644);
    archive_entry_set_size(out->entry, (la_int64_t)size);
    archive_entry_set_mtime(out->entry, 0, 0);
    return archive_write_header(out->archive, out->entry) == ARCHIVE_OK ? 0 : writer_fail(out, "an entry cannot be begun", err);
}

/* Everything the source has; *written tells how much. */
static int write_content(writer *out, gs_source *in, uint64_t *written, gs_error *err)
{
    unsigned char *buffer = malloc(GS_BUFFER_BYTES);
    int code = buffer ? 0 : gs_fail_nomem(err);
    size_t got = 1;
    *written = 0;
    while (code == 0 && got > 0) {
        code = gs_source_read(in, buffer, GS_BUFFER_BYTES, &got, err);
        if (code == 0 && got > 0 && archive_write_data(out->archive, buffer, got) != (la_ssize_t)got) {
            code = writer_fail(out, "the content cannot be written", err);
        }
        *written += got;
    }
    free(buffer);
    return code;
}

static int write_input(writer *out, const gs_tar_input *input, gs_error *err)
{
    gs_source *source = NULL;
    uint64_t written = 0;
    int code = input->fd == -1 ? gs_source_memory(input->data, input->len, &source, err)
                               : gs_source_segment(input->fd, 0, input->len, &source, err);
    if (code == 0) {
        code = write_header(out, input->name, input->len, input->executable, err);
    }
    if (code == 0) {
        code = write_content(out, source, &written, err);
    }
    if (code != 0) {
        gs_source_cancel(&source);
        return gs_error_at(err, "%s", input->name);
    }
    return gs_source_close(&source, err);
}

static int writer_close(writer *out, gs_error *err)
{
    return archive_write_close(out->archive) == ARCHIVE_OK ? 0 : writer_fail(out, "the archive cannot be ended", err);
}

int gs_tar_gzip_write(const gs_tar_input *inputs, size_t count, gs_sink *sink, gs_error *err)
{
    writer out;
    gs_locale locale;
    int code = gs_locale_enter(&locale, err);
    if (code != 0) {
        return code;
    }
    code = writer_open(&out, sink, true, err);
    for (size_t i = 0; i < count && code == 0; i++) {
        code = write_input(&out, &inputs[i], err);
    }
    if (code == 0) {
        code = writer_close(&out, err);
    }
    writer_done(&out);
    gs_locale_leave(&locale);
    return code;
}

int gs_gzip_write(gs_source *in, gs_sink *sink, gs_error *err)
{
    writer out;
    uint64_t written;
    int code = writer_open(&out, sink, false, err);
    if (code == 0) {
        code = write_header(&out, "data", 0, false, err); /* the raw format wants one entry and writes nothing of it */
    }
    if (code == 0) {
        code = write_content(&out, in, &written, err);
    }
    if (code == 0) {
        code = writer_close(&out, err);
    }
    writer_done(&out);
    return code;
}

const char *gs_archive_version(void)
{
    return archive_version_string();
}
