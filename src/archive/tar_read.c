/* Reading a tar entry by entry, refusing what cannot be meant well. Writes nothing. */
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"
#include "internal.h"

/* Headers, padding and end marks beside the content: generous for one entry, and a bound on them all. */
#define OVERHEAD_PER_ENTRY GS_KIB(16)

typedef struct reader {
    gs_feed feed;
    gs_names names;
    size_t entries;
    uint64_t file_size;
    uint64_t total;
    bool links;
    gs_tar_visitor visit;
    void *state;
    uint64_t content_end; /* of the last entry, in the tar */
    uint64_t read;        /* content bytes so far */
    char name[GS_MAX_ENTRY_NAME_BYTES + 1];
    char target[GS_MAX_ENTRY_NAME_BYTES + 1];
} reader;

/* The content of the current entry, as long as the visitor runs. */
static int content_read(void *state, void *out, size_t len, size_t *got, gs_error *err)
{
    reader *tar = state;
    la_ssize_t count = archive_read_data(tar->feed.archive, out, len);
    if (count < 0) {
        return gs_feed_fail(&tar->feed, GS_EFORMAT, "its content cannot be read", err);
    }
    *got = (size_t)count;
    return 0;
}

static int content_close(void *state, bool cancelled, gs_error *err)
{
    (void)state;
    (void)cancelled;
    (void)err;
    return 0;
}

static const gs_source_ops content_ops = {content_read, content_close};

/* The entry's name without "./" in front and "/" behind; "" for the root. */
static int take_name(const char *raw, char out[GS_MAX_ENTRY_NAME_BYTES + 1], gs_error *err)
{
    if (!raw) {
        return gs_fail(err, GS_EFORMAT, "the archive has a name that is not UTF-8");
    }
    while (gs_text_starts(raw, "./")) {
        raw += 2;
    }
    size_t len = strlen(raw);
    if (len > 0 && raw[len - 1] == '/') {
        len--;
    }
    if (len > GS_MAX_ENTRY_NAME_BYTES) {
        return gs_fail(err, GS_EFORMAT, "the archive has a name of more than %u bytes", GS_MAX_ENTRY_NAME_BYTES);
    }
    memcpy(out, raw, len);
    out[len] = '\0';
    if (out[0] && strcmp(out, ".") != 0 && !gs_path_valid(out)) {
        (void)gs_fail(err, GS_EFORMAT, "the archive has a name that leads out of it or cannot be carried");
        return gs_error_at(err, "%s", raw);
    }
    if (strcmp(out, ".") == 0) {
        out[0] = '\0';
    }
    return 0;
}

/* A link's target from the root of the archive: a hard link's is, a symbolic link's counts from its own directory. */
static int take_target(reader *tar, struct archive_entry *entry, gs_error *err)
{
    const char *hard = archive_entry_hardlink_utf8(entry);
    const char *target = hard ? hard : archive_entry_symlink_utf8(entry);
    const char *slash = strrchr(tar->name, '/');
    size_t len = hard || !slash ? 0 : (size_t)(slash - tar->name);
    memcpy(tar->target, tar->name, len);
    bool inside = target && target[0] != '/';
    while (inside && *target) {
        size_t part = strcspn(target, "/");
        if (part == 2 && target[0] == '.' && target[1] == '.') {
            inside = len > 0;
            while (len > 0 && tar->target[--len] != '/') {
            }
        } else if (part > 0 && !(part == 1 && target[0] == '.')) {
            inside = len + part + 2 <= sizeof(tar->target);
            if (inside) {
                tar->target[len] = '/';
                memcpy(tar->target + len + (len > 0), target, part);
                len += part + (len > 0);
            }
        }
        target += part + (target[part] == '/');
    }
    tar->target[len] = '\0';
    return inside && gs_path_valid(tar->target) ? 0 : gs_fail(err, GS_EFORMAT, "this link leads out of the archive");
}

static int take_kind(reader *tar, struct archive_entry *entry, gs_tar_entry *out, gs_error *err)
{
    mode_t type = archive_entry_filetype(entry);
    if (archive_entry_hardlink_utf8(entry) || archive_entry_hardlink(entry) || type == AE_IFLNK) {
        if (!tar->links) {
            return gs_fail(err, GS_EFORMAT, "this is a link, and none is accepted here");
        }
        out->kind = GS_TAR_LINK;
        out->target = tar->target;
        return take_target(tar, entry, err);
    }
    if (type != AE_IFREG && type != AE_IFDIR) {
        return gs_fail(err, GS_EFORMAT, "this is a device, a pipe or a socket");
    }
    out->kind = type == AE_IFDIR ? GS_TAR_DIRECTORY : GS_TAR_FILE;
    return 0;
}

static int take_size(reader *tar, struct archive_entry *entry, gs_tar_entry *out, gs_error *err)
{
    if (out->kind != GS_TAR_FILE) {
        return 0;
    }
    out->size = (uint64_t)archive_entry_size(entry);
    if (out->size > tar->file_size) {
        return gs_fail(err, GS_ELIMIT, "this file has %llu bytes; at most %llu are accepted", (unsigned long long)out->size,
                       (unsigned long long)tar->file_size);
    }
    if (!gs_add_u64(tar->read, out->size, &tar->read) || tar->read > tar->total) {
        return gs_fail(err, GS_ELIMIT, "with this file the archive has more than %llu bytes", (unsigned long long)tar->total);
    }
    return 0;
}

static int show(reader *tar, const gs_tar_entry *entry, gs_error *err)
{
    gs_source *content = NULL;
    int code = gs_source_new(&content_ops, tar, &content, err);
    if (code == 0) {
        code = tar->visit(tar->state, entry, content, err);
        gs_source_cancel(&content);
    }
    return code;
}

static int read_entry(reader *tar, struct archive_entry *entry, gs_error *err)
{
    gs_tar_entry found = {.name = tar->name};
    int code = take_name(archive_entry_pathname_utf8(entry), tar->name, err);
    if (code != 0) {
        return code;
    }
    found.executable = (archive_entry_perm(entry) & 0100) != 0;
    code = gs_headers_check(&tar->feed, (uint64_t)archive_read_header_position(tar->feed.archive), gs_feed_position(&tar->feed),
                            entry, err);
    if (code == 0) {
        code = take_kind(tar, entry, &found, err);
    }
    if (code == 0 && !tar->name[0]) {
        return found.kind == GS_TAR_DIRECTORY ? 0 : gs_fail(err, GS_EFORMAT, "the archive has a file without a name");
    }
    if (code == 0) {
        code = take_size(tar, entry, &found, err);
    }
    if (code == 0) {
        code = gs_names_add(&tar->names, tar->name, found.kind == GS_TAR_DIRECTORY, err);
    }
    if (code == 0 && tar->names.count > tar->entries) {
        code = gs_fail(err, GS_ELIMIT, "the archive has more than %zu entries", tar->entries);
    }
    if (code != 0) {
        return gs_error_at(err, "%s", tar->name);
    }
    return show(tar, &found, err);
}

static int skip_content(reader *tar, gs_error *err)
{
    if (archive_read_data_skip(tar->feed.archive) != ARCHIVE_OK) {
        (void)gs_feed_fail(&tar->feed, GS_EFORMAT, "its content cannot be read", err);
        return gs_error_at(err, "%s", tar->name);
    }
    tar->content_end = gs_feed_position(&tar->feed);
    return 0;
}

/* At the end: the end mark is there, and after it nothing but the zeros that fill a record. */
static int check_end(reader *tar, gs_error *err)
{
    const gs_feed *feed = &tar->feed;
    uint64_t position = gs_feed_position(feed);
    bool marked = position > tar->content_end;
    for (uint64_t at = tar->content_end; at < position; at += GS_TAR_BLOCK) {
        const unsigned char *block = gs_feed_block(feed, at);
        marked = marked && block && gs_all_zero(block, GS_TAR_BLOCK);
    }
    if (!marked) {
        return gs_fail(err, GS_EFORMAT, "the archive ends early: it has no end mark");
    }
    unsigned char buffer[4096];
    size_t rest = (size_t)(feed->fed - position);
    size_t len = feed->blocks[feed->latest].len;
    bool clean = rest <= len && gs_all_zero(feed->blocks[feed->latest].data + (len - rest), rest);
    size_t got = 1;
    while (clean && got > 0) {
        int code = gs_source_read(feed->source, buffer, sizeof(buffer), &got, err);
        if (code != 0) {
            return code;
        }
        clean = gs_all_zero(buffer, got);
    }
    return clean ? 0 : gs_fail(err, GS_EFORMAT, "there is something after the end of the archive");
}

static int read_entries(reader *tar, gs_error *err)
{
    struct archive_entry *entry;
    int status;
    while ((status = archive_read_next_header(tar->feed.archive, &entry)) == ARCHIVE_OK) {
        int code = read_entry(tar, entry, err);
        if (code == 0) {
            code = skip_content(tar, err);
        }
        if (code != 0) {
            return code;
        }
    }
    if (status != ARCHIVE_EOF) {
        return gs_feed_fail(&tar->feed, GS_EFORMAT, "this is not a tar archive, or it is damaged", err);
    }
    int code = check_end(tar, err);
    return code == 0 ? gs_names_check(&tar->names, err) : code;
}

static int read_tar(reader *tar, gs_source *plain, gs_error *err)
{
    gs_locale locale;
    int code = gs_locale_enter(&locale, err);
    if (code != 0) {
        return code;
    }
    code = gs_feed_open_tar(&tar->feed, plain, err);
    if (code == 0) {
        code = read_entries(tar, err);
    }
    gs_feed_done(&tar->feed);
    gs_names_done(&tar->names);
    gs_locale_leave(&locale);
    return code;
}

gs_tar_limits gs_tar_limits_filled(const gs_tar_limits *given)
{
    gs_tar_limits filled = given ? *given : (gs_tar_limits){0};
    filled.entries = filled.entries ? filled.entries : GS_MAX_ARCHIVE_ENTRIES;
    filled.file_size = filled.file_size ? filled.file_size : GS_MAX_ARCHIVE_FILE_BYTES;
    filled.total = filled.total ? filled.total : GS_MAX_ARCHIVE_BYTES;
    return filled;
}

int gs_tar_read(gs_source *in, const gs_tar_limits *limits, gs_tar_visitor visit, void *state, gs_error *err)
{
    const gs_tar_limits given = gs_tar_limits_filled(limits);
    uint64_t max;
    gs_source *plain = NULL;
    reader *tar = calloc(1, sizeof(*tar));
    if (!tar) {
        gs_source_cancel(&in);
        return gs_fail_nomem(err);
    }
    tar->entries = given.entries;
    tar->file_size = given.file_size;
    tar->total = given.total;
    tar->links = given.links;
    tar->visit = visit;
    tar->state = state;
    if (!gs_mul_u64(tar->entries, OVERHEAD_PER_ENTRY, &max) || !gs_add_u64(max, tar->total, &max)) {
        max = UINT64_MAX;
    }
    int code = gs_source_decompress(in, max, &plain, err);
    if (code == 0) {
        code = read_tar(tar, plain, err);
    }
    free(tar);
    if (code != 0) {
        gs_source_cancel(&plain);
        return code;
    }
    return gs_source_close(&plain, err);
}
