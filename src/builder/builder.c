/* Opens what every build-side command starts from: release.yaml, release.lock, the tools. Knows no stage. */
#include "builder.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/archive.h"
#include "gapship/limits.h"
#include "origin.h"

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) {
        return strdup(".");
    }
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int read_release(gs_builder *builder, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_SPEC_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, builder->file, &text, err);
    if (code == GS_ENOTFOUND) {
        return gs_error_hint(err, "`gapship init` writes one; -f names another file");
    }
    if (code < 0) {
        return code;
    }
    return gs_release_parse(builder->file, text.data, text.len, &builder->release, err);
}

static int read_lock(gs_builder *builder, gs_error *err)
{
    const char *path = gs_builder_path(builder, "release.lock");
    if (!path) {
        return gs_fail_nomem(err);
    }
    if (!gs_fs_exists(AT_FDCWD, path)) {
        return 0;
    }
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_DOC_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, path, &text, err);
    if (code < 0) {
        return code;
    }
    return gs_lock_parse(path, text.data, text.len, &builder->lock, err);
}

int gs_builder_open(const gs_run *run, const char *release_file, gs_builder *out, gs_error *err)
{
    gs_builder builder = {.run = run, .work = GS_TEMPDIR_INIT};
    builder.arena = gs_arena_new();
    builder.file = strdup(release_file ? release_file : "release.yaml");
    builder.directory = builder.file ? directory_of(builder.file) : NULL;
    int code = builder.arena && builder.directory ? 0 : gs_fail_nomem(err);
    if (code == 0) {
        code = read_release(&builder, err);
    }
    if (code == 0) {
        code = read_lock(&builder, err);
    }
    if (code == 0) {
        code = gs_tools_find(run, &builder.tools, err);
    }
    if (code == 0) {
        gs_confine_report(run, "the reader of charts and image archives", gs_tar_reader_unconfined());
        code = gs_tempdir_make(&builder.work, err);
    }
    if (code < 0) {
        gs_builder_done(&builder);
        return code;
    }
    *out = builder;
    return 0;
}

void gs_builder_done(gs_builder *builder)
{
    for (size_t i = 0; i < builder->origin_count; i++) {
        gs_origin_free(builder->origins[i]);
    }
    for (size_t i = 0; i < builder->registry_count; i++) {
        gs_registry_free(builder->registries[i].registry);
    }
    gs_tempdir_done(&builder->work);
    gs_lock_free(builder->lock);
    gs_release_free(builder->release);
    gs_tools_done(&builder->tools);
    gs_arena_free(builder->arena);
    free(builder->directory);
    free(builder->file);
    *builder = (gs_builder){.work = GS_TEMPDIR_INIT};
}

const char *gs_builder_path(gs_builder *builder, const char *path)
{
    if (path[0] == '/' || strcmp(builder->directory, ".") == 0) {
        return gs_arena_text(builder->arena, path);
    }
    return gs_arena_printf(builder->arena, "%s/%s", builder->directory, path);
}

const char *gs_builder_work(gs_builder *builder, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char text[GS_MAX_ENTRY_NAME_BYTES];
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof text) {
        return NULL;
    }
    return gs_arena_printf(builder->arena, "%s/%s", builder->work.path, text);
}

int gs_builder_fail(const gs_builder *builder, gs_place place, gs_error *err, const char *format, ...)
{
    char text[GS_ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return gs_bind_fail(builder->release->doc, place, err, "%s", text);
}
