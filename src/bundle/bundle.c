/* Opens a bundle: reads its framing, and believes nothing. Verifying is in verify.c. */
#include "bundle_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"

bool gs_bundle_is_split(const gs_bundle *bundle)
{
    return bundle->medium.lead > 0;
}

void gs_bundle_name_error(const gs_bundle *bundle, gs_error *err)
{
    if (err && err->where[0] == '\0') {
        (void)gs_error_at(err, "%s", bundle->name);
    }
}

void gs_bundle_place(const gs_bundle *bundle, uint64_t offset, uint64_t len, char out[GS_PLACE_TEXT])
{
    size_t last = 0;
    size_t first = gs_medium_part_at(&bundle->medium, offset, len, &last);
    const size_t count = bundle->medium.count;
    if (!gs_bundle_is_split(bundle)) {
        (void)snprintf(out, GS_PLACE_TEXT, "of the file");
    } else if (first == last) {
        const char *path = bundle->medium.parts[first].path;
        const char *slash = strrchr(path, '/');
        (void)snprintf(out, GS_PLACE_TEXT, "of the bundle, on volume %zu of %zu (%s),", first + 1, count, slash ? slash + 1 : path);
    } else {
        (void)snprintf(out, GS_PLACE_TEXT, "of the bundle, on volumes %zu to %zu of %zu,", first + 1, last + 1, count);
    }
}

/* The envelope stands on the first volume whole, so that a signature can be added there. */
static uint64_t room_for_envelope(const gs_medium *medium)
{
    return gs_medium_part_length(medium, 0);
}

int gs_bundle_read_head(gs_medium *medium, const char *name, gs_bundle **out, gs_error *err)
{
    unsigned char header[GS_ENVELOPE_HEADER];
    const uint64_t length = room_for_envelope(medium);
    if (length < GS_ENVELOPE_OFFSET + sizeof header) {
        return gs_fail(err, GS_EFORMAT, "this is not a bundle: it is too short");
    }
    GS_AUTO_BUNDLE gs_bundle *bundle = calloc(1, sizeof *bundle);
    if (!bundle) {
        return gs_fail_nomem(err);
    }
    bundle->name = strdup(name);
    if (!bundle->name) {
        return gs_fail_nomem(err);
    }
    int code = gs_medium_read(medium, header, sizeof header, GS_ENVELOPE_OFFSET, err);
    code = code == 0 ? gs_envelope_parse_header(header, length, &bundle->envelope, err) : code;
    if (code != 0) {
        return code;
    }
    bundle->head = malloc(bundle->envelope.size);
    if (!bundle->head) {
        return gs_fail_nomem(err);
    }
    code = gs_medium_read(medium, bundle->head, bundle->envelope.size, GS_ENVELOPE_OFFSET, err);
    /* Parsed again from the buffer that is used from here on: what was read twice could differ. */
    code = code == 0 ? gs_envelope_parse_header(bundle->head, length, &bundle->envelope, err) : code;
    if (code == 0 && memcmp(bundle->head, header, sizeof header) != 0) {
        code = gs_fail(err, GS_EFORMAT, "the file changes while it is read");
    }
    code = code == 0 ? gs_envelope_parse_entries(bundle->head, &bundle->envelope, err) : code;
    if (code == 0) {
        bundle->medium = *medium;
        *medium = (gs_medium){0};
        *out = GS_STEAL(bundle);
    }
    return code;
}

/* Whether the file begins as a volume does. One that is too short for that is left to who reads the envelope. */
static int begins_as(int fd, uint64_t length, bool *volume, bool *partial, gs_error *err)
{
    unsigned char start[GS_MAGIC_BYTES] = {0};
    int code = length < sizeof start ? 0 : gs_fs_pread(fd, start, sizeof start, 0, err);
    *volume = gs_volume_begins(start);
    *partial = memcmp(start, GS_PARTIAL_MAGIC, GS_MAGIC_BYTES) == 0;
    return code;
}

/* where NULL: it has to be one file. */
static int open_medium(int *fd, uint64_t length, const char *name, const gs_volume_search *where, gs_medium *medium,
                       gs_digest *named, gs_error *err)
{
    bool volume = false;
    bool partial = false;
    int code = begins_as(*fd, length, &volume, &partial, err);
    if (code == 0 && partial) {
        code = gs_envelope_fail_partial(err);
    } else if (code == 0 && volume && !where) {
        code = gs_fail(err, GS_EFORMAT, "this is a volume of a split bundle, and a whole one has to be here");
    }
    if (code != 0) {
        (void)gs_error_at(err, "%s", name);
        return code;
    }
    const gs_volume_file file = {.fd = *fd, .length = length, .path = name};
    code = volume ? gs_volumes_open(&file, where, medium, named, err) : gs_medium_whole(*fd, name, length, medium, err);
    if (code == 0) {
        *fd = -1;
    }
    return code;
}

/* Who names a bundle as the release engineer did may have been given volumes of it. */
static void hint_at_volumes(const char *path, gs_error *err)
{
    GS_AUTO_FREE char *first = NULL;
    if (asprintf(&first, "%s.001", path) < 0) {
        first = NULL;
    }
    if (first && gs_fs_exists(AT_FDCWD, first)) {
        (void)gs_error_hint(err, "it was split into volumes: name %s", first);
    }
}

static int open_bundle(int dirfd, const char *name, const gs_volume_search *where, gs_bundle **out, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    gs_medium medium = {0};
    gs_digest named = {0};
    uint64_t length = 0;
    int code = gs_fs_open_read(dirfd, name, false, &fd, &length, err);
    if (code == GS_ENOTFOUND && where) {
        hint_at_volumes(name, err);
    }
    code = code == 0 ? open_medium(&fd, length, name, where, &medium, &named, err) : code;
    if (code != 0) {
        return code;
    }
    code = gs_bundle_read_head(&medium, name, &bundle, err);
    code = code == 0 ? gs_envelope_check_rest(bundle->head, &bundle->envelope, err) : code;
    if (code != 0) {
        if (err && err->where[0] == '\0') {
            (void)gs_error_at(err, "%s", name);
        }
        gs_medium_done(&medium);
        return code;
    }
    bundle->volume = named;
    *out = GS_STEAL(bundle);
    return 0;
}

int gs_bundle_open_at(int dirfd, const char *name, gs_bundle **out, gs_error *err)
{
    return open_bundle(dirfd, name, NULL, out, err);
}

int gs_bundle_open(const char *path, gs_bundle **out, gs_error *err)
{
    return gs_bundle_open_volumes(path, NULL, 0, out, err);
}

int gs_bundle_open_volumes(const char *path, const char *const *directories, size_t count, gs_bundle **out, gs_error *err)
{
    const gs_volume_search where = {.directories = directories, .count = count};
    return open_bundle(AT_FDCWD, path, &where, out, err);
}

void gs_bundle_free(gs_bundle *bundle)
{
    if (bundle) {
        gs_medium_done(&bundle->medium);
        free(bundle->name);
        free(bundle->head);
        free(bundle);
    }
}

void gs_bundle_free_p(gs_bundle **bundle)
{
    gs_bundle_free(*bundle);
    *bundle = NULL;
}

uint64_t gs_bundle_length(const gs_bundle *bundle)
{
    return bundle->medium.length;
}

size_t gs_bundle_volume_count(const gs_bundle *bundle)
{
    return bundle->medium.count;
}

size_t gs_bundle_signature_count(const gs_bundle *bundle)
{
    return bundle->envelope.count;
}
