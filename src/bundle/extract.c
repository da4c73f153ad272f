/* Writes parts of a bundle to files of their own. Names of files come from digests and fixed words, never from the bundle. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "gapship/contents.h"
#include "gapship/fs.h"
#include "gapship/text.h"

#define MEMBER_NAME_BYTES (sizeof "blobs/sha256/" + GS_DIGEST_HEX)

static void member_name(const gs_member *member, char out[MEMBER_NAME_BYTES])
{
    char hex[GS_DIGEST_HEX];
    static const char *const fixed[] = {
        [GS_MEMBER_LAYOUT] = "oci-layout", [GS_MEMBER_INDEX_JSON] = "index.json", [GS_MEMBER_MANIFEST_JSON] = "manifest.json"};
    if (member->kind == GS_MEMBER_BLOB) {
        gs_digest_hex(&member->digest, hex);
        (void)snprintf(out, MEMBER_NAME_BYTES, "blobs/sha256/%s", hex);
    } else {
        (void)snprintf(out, MEMBER_NAME_BYTES, "%s", fixed[member->kind]);
    }
}

static int write_member(const gs_verified *verified, const gs_member *member, int dirfd, const char *path, gs_error *err)
{
    GS_AUTO_NEWFILE gs_newfile file = GS_NEWFILE_INIT;
    GS_AUTO_SOURCE gs_source *source = NULL;
    GS_AUTO_SINK gs_sink *sink = NULL;
    int code = gs_verified_source(verified, member, &source, err);
    if (code == 0) {
        code = gs_newfile_begin(&file, dirfd, path, 0644, err);
    }
    if (code == 0) {
        code = gs_sink_range(file.fd, 0, member->size, &sink, err);
    }
    if (code == 0) {
        code = gs_stream_copy(source, sink, NULL, err);
    }
    if (code == 0) {
        code = gs_source_close(&source, err);
    }
    if (code == 0) {
        code = gs_sink_close(&sink, err);
    }
    return code < 0 ? code : gs_newfile_commit(&file, false, err);
}

int gs_extract_layout(const gs_run *run, const gs_verified *verified, int dirfd, gs_error *err)
{
    size_t count = 0;
    const gs_member *members = gs_verified_members(verified, &count);
    uint64_t done = 0;
    int code = gs_fs_make_dirs(dirfd, "blobs/sha256", 0755, err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        char name[MEMBER_NAME_BYTES];
        member_name(&members[i], name);
        code = gs_check_stop(run, 1, err);
        if (code == 0) {
            code = write_member(verified, &members[i], dirfd, name, err);
        }
        done += members[i].size;
        gs_report_progress(run, "extracting", done, gs_verified_length(verified));
    }
    return code;
}

/* What a person means by a name: the content of a chart, overlay or file; the manifest of an image. */
static int find_named(const gs_verified *verified, const gs_contents *contents, const char *name, gs_digest *out, gs_error *err)
{
    const gs_content *found = NULL;
    for (size_t i = 0; i < contents->count && !found; i++) {
        if (strcmp(contents->items[i].name, name) == 0) {
            found = &contents->items[i];
        }
    }
    if (!found) {
        gs_fail(err, GS_ENOTFOUND, "the bundle carries nothing called %s", name);
        return gs_error_hint(err, "`gapship inspect` lists the names");
    }
    *out = found->descriptor.digest;
    if (strcmp(found->kind, "image") == 0 || strcmp(found->kind, "release") == 0) {
        return 0;
    }
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_needed *needed = NULL;
    size_t count = 0;
    int code = arena ? gs_contents_needed(verified, found, arena, &needed, &count, err) : gs_fail_nomem(err);
    for (size_t i = 0; code == 0 && i < count; i++) { /* config, the one layer, the manifest */
        if (!needed[i].manifest) {
            *out = needed[i].descriptor.digest;
        }
    }
    return code;
}

int gs_extract_one(const gs_verified *verified, const gs_contents *contents, const char *name, int dirfd, const char *path,
                   gs_error *err)
{
    gs_digest digest;
    int code = gs_text_starts(name, "sha256:") ? gs_digest_parse(name, &digest, err)
                                               : find_named(verified, contents, name, &digest, err);
    if (code < 0) {
        return code;
    }
    const gs_member *member = gs_verified_blob(verified, &digest);
    if (!member) {
        return gs_fail(err, GS_ENOTFOUND, "the bundle carries no %s", name);
    }
    return write_member(verified, member, dirfd, path, err);
}
