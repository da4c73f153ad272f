/* Finds the volumes of one bundle: by their names, in the directories where somebody says they are. The header says which one each is;
 * a name only helps to find it, so a wrong name does no harm. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "gapship/fs.h"
#include "gapship/text.h"
#include "volume.h"

/* The volumes met so far. */
typedef struct volume_set {
    gs_volume first; /* the header of the one that was named, which all others must fit */
    const char *named;
    gs_medium medium;
} volume_set;

static int read_header(int fd, uint64_t file_length, gs_volume *out, gs_error *err)
{
    unsigned char header[GS_BLOCK];
    if (file_length < sizeof header) {
        return gs_fail(err, GS_EFORMAT, "this is not a volume of a split bundle: it is too short");
    }
    int code = gs_fs_pread(fd, header, sizeof header, 0, err);
    return code == 0 ? gs_volume_parse(header, file_length, out, err) : code;
}

static int fail_stray(const volume_set *set, const gs_volume *volume, gs_error *err)
{
    const bool same_bundle = gs_digest_equal(&volume->bundle, &set->first.bundle);
    (void)gs_fail(err, GS_EFORMAT, "this is volume %" PRIu32 " of %" PRIu32 " of %s, while %s is volume %" PRIu32 " of %" PRIu32,
                  volume->number, volume->count, same_bundle ? "the same bundle in slices of another size" : "another bundle",
                  set->named, set->first.number, set->first.count);
    (void)gs_error_hint(err,
                        "keep the volumes of one bundle together and all others elsewhere; if a build that was to replace them "
                        "was interrupted, run it again");
    return GS_EFORMAT;
}

/* Takes the volume, or closes it when there is one of this number already: with the same header, either will do. */
static int add(volume_set *set, int fd, uint64_t file_length, const char *path, gs_error *err)
{
    GS_AUTO_FD int opened = fd;
    gs_volume volume;
    int code = read_header(fd, file_length, &volume, err);
    if (code == 0 && !gs_volume_same_set(&volume, &set->first)) {
        code = fail_stray(set, &volume, err);
    }
    if (code != 0) {
        (void)gs_error_context(err, "%s", path);
        return code;
    }
    gs_part *part = &set->medium.parts[volume.number - 1];
    if (part->fd >= 0) {
        return 0;
    }
    part->path = strdup(path);
    if (!part->path) {
        return gs_fail_nomem(err);
    }
    part->fd = opened;
    opened = -1;
    return 0;
}

/* Looks for each volume at "DIRECTORY/NAME.001" and so on; directory may be empty, or ends in a slash. */
static int add_named(volume_set *set, const char *directory, const char *name, size_t name_length, gs_error *err)
{
    int code = 0;
    for (uint32_t number = 1; code == 0 && number <= set->first.count; number++) {
        GS_AUTO_FREE char *path = NULL;
        int fd = -1;
        uint64_t length = 0;
        if (asprintf(&path, "%s%.*s.%03" PRIu32, directory, (int)name_length, name, number) < 0) {
            path = NULL;
            return gs_fail_nomem(err);
        }
        if (gs_fs_exists(AT_FDCWD, path)) {
            code = gs_fs_open_read(AT_FDCWD, path, false, &fd, &length, err);
            code = code == 0 ? add(set, fd, length, path, err) : code;
        }
    }
    return code;
}

static int add_directory(volume_set *set, const char *directory, const char *name, size_t name_length, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    GS_AUTO_FREE char *with_slash = NULL;
    int code = gs_fs_open_dir(AT_FDCWD, directory, &fd, err);
    if (code != 0) {
        return code;
    }
    if (asprintf(&with_slash, "%s/", directory) < 0) {
        with_slash = NULL;
        return gs_fail_nomem(err);
    }
    return add_named(set, with_slash, name, name_length, err);
}

/* "2, 4 to 7": the numbers of what is missing, and how many. */
static size_t list_missing(const gs_medium *medium, gs_buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < medium->count;) {
        size_t end = i;
        while (end < medium->count && medium->parts[end].fd < 0) {
            end++;
        }
        if (end > i) {
            gs_buf_printf(out, "%s%zu", count > 0 ? ", " : "", i + 1);
            if (end - i > 1) {
                gs_buf_printf(out, "%s%zu", end - i > 2 ? " to " : ", ", end);
            }
            count += end - i;
        }
        i = end + 1;
    }
    return count;
}

static int check_complete(const volume_set *set, const char *name, size_t name_length, gs_error *err)
{
    GS_AUTO_BUF gs_buf numbers;
    gs_buf_init(&numbers, GS_ERROR_MESSAGE_MAX / 2);
    size_t first = 0;
    while (first < set->medium.count && set->medium.parts[first].fd >= 0) {
        first++;
    }
    size_t missing = list_missing(&set->medium, &numbers);
    if (missing == 0) {
        return 0;
    }
    if (numbers.failed) {
        gs_buf_clear(&numbers);
        gs_buf_printf(&numbers, "%zu and %zu others", first + 1, missing - 1);
    }
    (void)gs_fail(err, GS_ENOTFOUND, "%s %s of %" PRIu32 " %s missing (%.*s.%03zu%s)", missing == 1 ? "volume" : "volumes",
                  gs_buf_text(&numbers), set->first.count, missing == 1 ? "is" : "are", (int)name_length, name, first + 1,
                  missing == 1 ? "" : ", …");
    (void)gs_error_hint(err, "put all volumes into one directory, or name the directories of the others: --volumes DIR");
    return GS_ENOTFOUND;
}

static int find_all(volume_set *set, const gs_volume_search *where, gs_error *err)
{
    const size_t base = gs_volume_base(set->named);
    const char *slash = strrchr(set->named, '/');
    const char *name = slash ? slash + 1 : set->named;
    const size_t name_length = base - (size_t)(name - set->named);
    int code = add_named(set, "", set->named, base, err);
    for (size_t i = 0; code == 0 && i < where->count; i++) {
        code = add_directory(set, where->directories[i], name, name_length, err);
    }
    return code == 0 ? check_complete(set, name, name_length, err) : code;
}

static int fail_name(const gs_volume *volume, const char *path, gs_error *err)
{
    /* A build was interrupted when all but the name was there. */
    if (gs_text_ends(path, ".partial")) {
        return gs_envelope_fail_partial(err);
    }
    (void)gs_fail(err, GS_EFORMAT, "this is volume %" PRIu32 " of %" PRIu32 " of a split bundle, but its name has no number",
                  volume->number, volume->count);
    (void)gs_error_hint(err, "give the volumes one name that ends in .001, .002 and so on, as the build did");
    return GS_EFORMAT;
}

static int put_named(gs_medium *medium, size_t i, const gs_volume_file *named, gs_error *err)
{
    medium->parts[i].path = strdup(named->path);
    if (!medium->parts[i].path) {
        return gs_fail_nomem(err);
    }
    medium->parts[i].fd = named->fd;
    return 0;
}

int gs_volumes_open(const gs_volume_file *named, const gs_volume_search *where, gs_medium *medium, gs_digest *bundle, gs_error *err)
{
    volume_set set = {.named = named->path};
    int code = read_header(named->fd, named->length, &set.first, err);
    if (code == 0 && set.first.count > 1 && gs_volume_base(named->path) == 0) {
        code = fail_name(&set.first, named->path, err);
    }
    if (code != 0) {
        (void)gs_error_at(err, "%s", named->path);
        return code;
    }
    const size_t own = set.first.number - 1;
    code = gs_medium_split(set.first.count, GS_BLOCK, set.first.slice, set.first.total, &set.medium, err);
    if (code != 0) {
        return code;
    }
    code = put_named(&set.medium, own, named, err);
    code = code == 0 && set.first.count > 1 ? find_all(&set, where, err) : code;
    if (code != 0) {
        set.medium.parts[own].fd = -1; /* stays the caller's */
        gs_medium_done(&set.medium);
        return code;
    }
    *medium = set.medium;
    *bundle = set.first.bundle;
    return 0;
}

int gs_volume_open_head(const gs_volume_file *named, gs_medium *medium, gs_error *err)
{
    gs_volume volume;
    gs_medium head = {0};
    int code = read_header(named->fd, named->length, &volume, err);
    if (code == 0 && volume.number != 1) {
        (void)gs_fail(err, GS_EFORMAT, "this is volume %" PRIu32 " of %" PRIu32 ", and signatures are in volume 1", volume.number,
                      volume.count);
        (void)gs_error_hint(err, "name the volume that ends in .001");
        code = GS_EFORMAT;
    }
    code = code == 0 ? gs_medium_split(1, GS_BLOCK, volume.slice, volume.slice, &head, err) : code;
    code = code == 0 ? put_named(&head, 0, named, err) : code;
    if (code != 0) {
        gs_medium_done(&head);
        return code;
    }
    *medium = head;
    return 0;
}
