/* release.yaml from text to struct and back. Must not know single keys: they are the tables'; nor what makes them fit together. */
#include "release_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"

int gs_release_fail(const gs_release *release, gs_place place, const char *path, gs_error *err, const char *format, ...)
{
    char message[GS_ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (path) {
        place = gs_bind_place_of(release->doc, place, path);
    }
    return gs_bind_fail(release->doc, place, err, "%s", message);
}

/* What gs_release_write wrote is JSON to the letter; what a person wrote is YAML, even where it looks like JSON. */
static gs_dialect dialect_of(const char *data, size_t len)
{
    size_t i = 0;
    while (i < len && strchr(" \t\r\n", data[i])) {
        i++;
    }
    if (i == len || data[i] != '{') {
        return GS_CONFIGURATION;
    }
    for (i++; i < len && strchr(" \t\r\n", data[i]);) {
        i++;
    }
    return i < len && data[i] == '"' ? GS_JSON : GS_CONFIGURATION;
}

static int parse_doc(const char *name, const char *data, size_t len, gs_doc **out, gs_error *err)
{
    if (len > GS_MAX_SPEC_BYTES) {
        (void)gs_fail(err, GS_ELIMIT, "the release has %zu bytes; gapship reads up to %zu", len, GS_MAX_SPEC_BYTES);
        return gs_error_at(err, "%s", name);
    }
    return gs_doc_parse(dialect_of(data, len), name, data, len, out, err);
}

static int bind_release(gs_release *release, gs_error *err)
{
    gs_release_file file;
    int code = gs_bind_read(&gs_release_table, release->doc, release->doc->root, release->arena, &file, err);
    if (code < 0) {
        return code;
    }
    file.release.doc = release->doc;
    file.release.arena = release->arena;
    file.release.name = file.metadata.name;
    file.release.version = file.metadata.version;
    file.release.sequence = file.metadata.sequence;
    file.release.epoch = file.metadata.epoch;
    file.release.security_floor = file.metadata.security_floor;
    file.release.fresh_for = file.metadata.fresh_for;
    file.release.notes = file.metadata.notes;
    file.release.keep = file.rollback.keep;
    *release = file.release;
    return 0;
}

int gs_release_parse(const char *name, const char *data, size_t len, gs_release **out, gs_error *err)
{
    gs_error ignored = {0};
    if (!err) {
        err = &ignored;
    }
    GS_AUTO_RELEASE gs_release *release = calloc(1, sizeof *release);
    if (!release || !(release->arena = gs_arena_new())) {
        return gs_fail_nomem(err);
    }
    int code = parse_doc(name, data, len, &release->doc, err);
    if (code == 0) {
        code = gs_release_inherit(release->doc, err);
    }
    if (code == 0) {
        code = bind_release(release, err);
    }
    if (code == 0) {
        code = gs_release_fill(release, err);
    }
    if (code == 0) {
        code = gs_release_check(release, err);
    }
    if (code < 0) {
        return code;
    }
    *out = GS_STEAL(release);
    return 0;
}

/* The environments as they are once nothing extends anything. */
static int forget_extends(gs_release *release, gs_arena *arena, gs_error *err)
{
    gs_environment_spec *copy = gs_arena_array(arena, release->environments.count, sizeof *copy);
    if (!copy) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < release->environments.count; i++) {
        copy[i] = release->environments.items[i];
        copy[i].extends = NULL;
    }
    release->environments.items = copy;
    return 0;
}

int gs_release_write(const gs_release *release, gs_buf *out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (!arena) {
        return gs_fail_nomem(err);
    }
    gs_release_file file = {
        .api_version = "gapship/v1",
        .kind = "Release",
        .metadata = {.name = release->name,
                     .version = release->version,
                     .sequence = release->sequence,
                     .epoch = release->epoch,
                     .security_floor = release->security_floor,
                     .fresh_for = release->fresh_for,
                     .notes = release->notes},
        .rollback = {.keep = release->keep},
        .release = *release,
    };
    int code = forget_extends(&file.release, arena, err);
    if (code < 0) {
        return code;
    }
    gs_node *node = gs_bind_write(&gs_release_table, &file, arena);
    if (!node) {
        return gs_fail_nomem(err);
    }
    size_t before = out->len;
    code = gs_node_write_json(node, GS_JSON_PRETTY, out, err);
    if (code == 0 && out->len - before > GS_MAX_SPEC_BYTES) {
        return gs_fail(err, GS_ELIMIT, "the release has %zu bytes once every `extends` is resolved; gapship reads up to %zu",
                       out->len - before, GS_MAX_SPEC_BYTES);
    }
    return code;
}

void gs_release_free(gs_release *release)
{
    if (!release) {
        return;
    }
    gs_doc_free(release->doc);
    gs_arena_free(release->arena);
    free(release);
}

void gs_release_free_p(gs_release **release)
{
    gs_release_free(*release);
}

const gs_environment_spec *gs_release_environment(const gs_release *release, const char *name)
{
    for (size_t i = 0; i < release->environments.count; i++) {
        if (gs_text_equal(release->environments.items[i].name, name)) {
            return &release->environments.items[i];
        }
    }
    return NULL;
}

const gs_schema_spec *gs_release_schema(const gs_release *release, const char *name)
{
    for (size_t i = 0; i < release->schemas.count; i++) {
        if (gs_text_equal(release->schemas.items[i].name, name)) {
            return &release->schemas.items[i];
        }
    }
    return NULL;
}
