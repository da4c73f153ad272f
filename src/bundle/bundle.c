/* Opens a bundle: reads its framing, and believes nothing. Verifying is in verify.c. */
#include "bundle_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"

int gs_bundle_read_head(int fd, uint64_t length, const char *name, gs_bundle **out, gs_error *err)
{
    unsigned char header[GS_ENVELOPE_HEADER];
    if (length < GS_ENVELOPE_OFFSET + sizeof header) {
        return gs_fail(err, GS_EFORMAT, "this is not a bundle: it is too short");
    }
    GS_AUTO_BUNDLE gs_bundle *bundle = calloc(1, sizeof *bundle);
    if (!bundle) {
        return gs_fail_nomem(err);
    }
    *bundle = (gs_bundle){.fd = -1, .length = length, .name = strdup(name)};
    if (!bundle->name) {
        return gs_fail_nomem(err);
    }
    int code = gs_fs_pread(fd, header, sizeof header, GS_ENVELOPE_OFFSET, err);
    code = code == 0 ? gs_envelope_parse_header(header, length, &bundle->envelope, err) : code;
    if (code != 0) {
        return code;
    }
    bundle->head = malloc(bundle->envelope.size);
    if (!bundle->head) {
        return gs_fail_nomem(err);
    }
    code = gs_fs_pread(fd, bundle->head, bundle->envelope.size, GS_ENVELOPE_OFFSET, err);
    /* Parsed again from the buffer that is used from here on: what was read twice could differ. */
    code = code == 0 ? gs_envelope_parse_header(bundle->head, length, &bundle->envelope, err) : code;
    if (code == 0 && memcmp(bundle->head, header, sizeof header) != 0) {
        code = gs_fail(err, GS_EFORMAT, "the file changes while it is read");
    }
    code = code == 0 ? gs_envelope_parse_entries(bundle->head, &bundle->envelope, err) : code;
    if (code == 0) {
        bundle->fd = fd;
        *out = GS_STEAL(bundle);
    }
    return code;
}

int gs_bundle_open_at(int dirfd, const char *name, gs_bundle **out, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    uint64_t length = 0;
    int code = gs_fs_open_read(dirfd, name, false, &fd, &length, err);
    if (code != 0) {
        return code;
    }
    code = gs_bundle_read_head(fd, length, name, &bundle, err);
    if (code == 0) {
        fd = -1;
        code = gs_envelope_check_rest(bundle->head, &bundle->envelope, err);
    }
    if (code != 0) {
        (void)gs_error_at(err, "%s", name);
        return code;
    }
    *out = GS_STEAL(bundle);
    return 0;
}

int gs_bundle_open(const char *path, gs_bundle **out, gs_error *err)
{
    return gs_bundle_open_at(AT_FDCWD, path, out, err);
}

void gs_bundle_free(gs_bundle *bundle)
{
    if (bundle) {
        gs_fs_close_p(&bundle->fd);
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
    return bundle->length;
}

size_t gs_bundle_signature_count(const gs_bundle *bundle)
{
    return bundle->envelope.count;
}
