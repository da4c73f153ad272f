/* The registry client as a program, so that the tests can run it against real servers, and see it end.
 *
 *   driver [--ca FILE] [--credentials FILE] [--anonymous] [--idle MS] URL VERB ARGUMENTS…
 *
 * Verbs print facts, one "key value" a line. A failure prints "CODE", the message, where and hint, one a line, and ends with 1. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/registry.h"

static void print_event(void *state, const gs_event *event)
{
    (void)state;
    if (event->level >= GS_INFO) {
        printf("event %s %s\n", event->name, event->text);
    }
}

/* Progress that ran backwards would wrap around and seem right at the end: it becomes a sum that no test expects. */
static void add_moved(void *state, uint64_t bytes)
{
    uint64_t *moved = state;
    *moved = bytes > UINT64_MAX / 2 || *moved == UINT64_MAX ? UINT64_MAX : *moved + bytes;
}

static void print_digest(const char *key, const gs_digest *digest)
{
    char text[GS_DIGEST_TEXT];
    gs_digest_text(digest, text);
    printf("%s %s\n", key, text);
}

static void print_descriptor(const gs_descriptor *descriptor)
{
    print_digest("digest", &descriptor->digest);
    printf("size %" PRIu64 "\ntype %s\nartifactType %s\n", descriptor->size, descriptor->media_type,
           descriptor->artifact_type ? descriptor->artifact_type : "-");
}

static int ping(gs_registry *registry, char **words, gs_error *err)
{
    (void)words;
    return gs_registry_ping(registry, err);
}

/* get-manifest REPOSITORY REFERENCE FILE */
static int get_manifest(gs_registry *registry, char **words, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    gs_descriptor found;
    int code = gs_registry_get_manifest(registry, words[0], words[1], arena, &bytes, &found, err);
    code = code ? code : gs_fs_write_file(AT_FDCWD, words[2], bytes.data, bytes.len, 0600, err);
    if (code == 0) {
        print_descriptor(&found);
    }
    return code;
}

/* head REPOSITORY REFERENCE */
static int head(gs_registry *registry, char **words, gs_error *err)
{
    bool found;
    gs_digest digest;
    int code = gs_registry_head_manifest(registry, words[0], words[1], &found, &digest, err);
    if (code == 0) {
        printf("found %d\n", found);
        if (found) {
            print_digest("digest", &digest);
        }
    }
    return code;
}

/* get-blob REPOSITORY DIGEST SIZE FILE */
static int get_blob(gs_registry *registry, char **words, gs_error *err)
{
    gs_descriptor blob = {0};
    uint64_t moved = 0;
    gs_newfile file = GS_NEWFILE_INIT;
    GS_AUTO_SINK gs_sink *sink = NULL;
    if (!gs_parse_u64(words[2], UINT64_MAX, &blob.size)) {
        return gs_fail(err, GS_EUSAGE, "SIZE");
    }
    int code = gs_digest_parse(words[1], &blob.digest, err);
    code = code ? code : gs_newfile_begin(&file, AT_FDCWD, words[3], 0600, err);
    code = code ? code : gs_sink_range(file.fd, 0, UINT64_MAX / 2, &sink, err);
    code = code ? code : gs_registry_get_blob(registry, words[0], &blob, sink, add_moved, &moved, err);
    code = code ? code : gs_sink_close(&sink, err);
    code = code ? code : gs_newfile_commit(&file, true, err);
    gs_newfile_done(&file);
    printf("moved %" PRIu64 "\n", moved);
    return code;
}

/* has-blob REPOSITORY DIGEST */
static int has_blob(gs_registry *registry, char **words, gs_error *err)
{
    gs_digest digest;
    bool found;
    int code = gs_digest_parse(words[1], &digest, err);
    code = code ? code : gs_registry_has_blob(registry, words[0], &digest, &found, err);
    if (code == 0) {
        printf("found %d\n", found);
    }
    return code;
}

/* mount REPOSITORY FROM DIGEST */
static int mount_blob(gs_registry *registry, char **words, gs_error *err)
{
    gs_digest digest;
    bool mounted;
    int code = gs_digest_parse(words[2], &digest, err);
    code = code ? code : gs_registry_mount_blob(registry, words[0], words[1], &digest, &mounted, err);
    if (code == 0) {
        printf("mounted %d\n", mounted);
    }
    return code;
}

/* put-blob REPOSITORY DIGEST FILE OFFSET LENGTH */
static int put_blob(gs_registry *registry, char **words, gs_error *err)
{
    gs_digest digest;
    uint64_t size, offset, len;
    uint64_t moved = 0;
    GS_AUTO_FD int fd = -1;
    if (!gs_parse_u64(words[3], UINT64_MAX, &offset) || !gs_parse_u64(words[4], UINT64_MAX, &len)) {
        return gs_fail(err, GS_EUSAGE, "OFFSET LENGTH");
    }
    int code = gs_digest_parse(words[1], &digest, err);
    code = code ? code : gs_fs_open_read(AT_FDCWD, words[2], false, &fd, &size, err);
    code = code ? code : gs_registry_put_blob(registry, words[0], &digest, &(gs_span){fd, offset, len}, add_moved, &moved, err);
    printf("moved %" PRIu64 "\n", moved);
    return code;
}

/* put-manifest REPOSITORY REFERENCE TYPE FILE */
static int put_manifest(gs_registry *registry, char **words, gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, words[3], &bytes, err);
    return code ? code : gs_registry_put_manifest(registry, words[0], words[1], words[2], bytes.data, bytes.len, err);
}

/* tags REPOSITORY */
static int tags(gs_registry *registry, char **words, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_text_list list;
    int code = gs_registry_tags(registry, words[0], arena, &list, err);
    for (size_t i = 0; code == 0 && i < list.count; i++) {
        printf("tag %s\n", list.items[i]);
    }
    return code;
}

/* referrers REPOSITORY DIGEST */
static int referrers(gs_registry *registry, char **words, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_digest subject;
    gs_descriptor *items = NULL;
    size_t count = 0;
    int code = gs_digest_parse(words[1], &subject, err);
    code = code ? code : gs_registry_referrers(registry, words[0], &subject, arena, &items, &count, err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        print_descriptor(&items[i]);
    }
    return code;
}

typedef struct copying {
    gs_registry *from, *to;
    const char *from_repository, *to_repository;
    const gs_manifest *manifest;
} copying;

static int copy_blob(void *state, size_t i, gs_error *err)
{
    copying *self = state;
    const gs_descriptor *blob = i == 0 ? &self->manifest->config : &self->manifest->items[i - 1];
    bool found;
    int code = gs_registry_has_blob(self->to, self->to_repository, &blob->digest, &found, err);
    if (code || found) {
        return code;
    }
    gs_tempdir dir = GS_TEMPDIR_INIT;
    gs_newfile file = GS_NEWFILE_INIT;
    gs_sink *sink = NULL;
    code = gs_tempdir_make(&dir, err);
    code = code ? code : gs_newfile_begin(&file, dir.fd, "blob", 0600, err);
    code = code ? code : gs_sink_range(file.fd, 0, blob->size, &sink, err);
    code = code ? code : gs_registry_get_blob(self->from, self->from_repository, blob, sink, NULL, NULL, err);
    code = code ? code
                : gs_registry_put_blob(self->to, self->to_repository, &blob->digest, &(gs_span){file.fd, 0, blob->size}, NULL, NULL,
                                       err);
    gs_sink_cancel(&sink);
    gs_newfile_done(&file);
    gs_tempdir_done(&dir);
    return code;
}

/* copy REPOSITORY REFERENCE TO_REPOSITORY TO_TAG: an image within one registry, on four threads, blob by blob through the client.
 */
static int copy(gs_registry *registry, char **words, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    gs_descriptor found;
    gs_manifest manifest;
    int code = gs_registry_get_manifest(registry, words[0], words[1], arena, &bytes, &found, err);
    code = code ? code : gs_manifest_parse(bytes.data, bytes.len, found.media_type, arena, &manifest, err);
    copying self = {registry, registry, words[0], words[2], &manifest};
    code = code ? code : gs_parallel(4, manifest.item_count + 1, copy_blob, &self, err);
    return code ? code : gs_registry_put_manifest(registry, words[2], words[3], found.media_type, bytes.data, bytes.len, err);
}

static const struct {
    const char *name;
    int words;
    int (*act)(gs_registry *registry, char **words, gs_error *err);
} verbs[] = {
    {"ping", 0, ping},         {"get-manifest", 3, get_manifest}, {"head", 2, head},         {"get-blob", 4, get_blob},
    {"has-blob", 2, has_blob}, {"mount", 3, mount_blob},          {"put-blob", 5, put_blob}, {"put-manifest", 4, put_manifest},
    {"tags", 1, tags},         {"referrers", 2, referrers},       {"copy", 4, copy},
};

static int act(gs_registry *registry, int count, char **words, gs_error *err)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(words[0], verbs[i].name) == 0 && count == verbs[i].words + 1) {
            return verbs[i].act(registry, words + 1, err);
        }
    }
    return gs_fail(err, GS_EUSAGE, "%s with %d words", words[0], count - 1);
}

/* Reads the options; the index of the first other word. */
static int read_options(int argc, char **argv, gs_registry_options *options)
{
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (strcmp(argv[i], "--ca") == 0) {
            options->ca_file = argv[i + 1];
        } else if (strcmp(argv[i], "--credentials") == 0) {
            options->credentials_file = argv[i + 1];
        } else if (strcmp(argv[i], "--idle") == 0) {
            options->idle_ms = strtol(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--anonymous") == 0) {
            options->anonymous = true;
            i--;
        } else {
            return argc;
        }
    }
    return i;
}

int main(int argc, char **argv)
{
    const gs_run run = {.emit = print_event};
    gs_registry_options options = {0};
    int first = read_options(argc, argv, &options);
    if (argc - first < 2) {
        return 2;
    }
    options.url = argv[first];
    gs_registry *registry = NULL;
    gs_error err = {0};
    int code = gs_registry_new(&run, &options, &registry, &err);
    code = code ? code : act(registry, argc - first - 1, argv + first + 1, &err);
    gs_registry_free(registry);
    if (code) {
        printf("%s\n%s\n%s\n%s\n", gs_code_name(code), err.message, err.where, err.hint);
    }
    return code ? 1 : 0;
}
