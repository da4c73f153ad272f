/* `gapship lock`: release.lock on the disk, as its file says it and as it would say it now. Resolves nothing itself. */
#include <fcntl.h>
#include <string.h>

#include "builder.h"
#include "gapship/limits.h"
#include "gapship/text.h"

/* The file does not say where the release comes from: committing it would change that. The bundle's own lock does. */
static int file_text(const gs_lock *lock, gs_buf *out, gs_error *err)
{
    gs_lock file = *lock;
    memset(&file.source, 0, sizeof file.source);
    return gs_lock_write(&file, out, err);
}

/* What release.lock would hold, and whether it holds it. */
static int compare_file(gs_builder *builder, const gs_lock *lock, gs_buf *now, bool *same, gs_error *err)
{
    GS_AUTO_BUF gs_buf before;
    gs_buf_init(&before, GS_MAX_DOC_BYTES);
    const char *path = gs_builder_path(builder, "release.lock");
    int code = path ? file_text(lock, now, err) : gs_fail_nomem(err);
    if (code == 0 && builder->lock) {
        code = gs_fs_read_file(AT_FDCWD, path, &before, err);
    }
    if (code == 0) {
        *same = now->len == before.len && memcmp(now->data, before.data, now->len) == 0;
    }
    return code;
}

int gs_lock_save(gs_builder *builder, const gs_lock *lock, gs_error *err)
{
    GS_AUTO_BUF gs_buf now;
    gs_buf_init(&now, GS_MAX_DOC_BYTES);
    bool same;
    int code = compare_file(builder, lock, &now, &same, err);
    if (code < 0 || same) {
        return code;
    }
    return gs_fs_write_file(AT_FDCWD, gs_builder_path(builder, "release.lock"), now.data, now.len, 0644, err);
}

static int check_saved(gs_builder *builder, const gs_lock *lock, size_t changed, gs_error *err)
{
    GS_AUTO_BUF gs_buf now;
    gs_buf_init(&now, GS_MAX_DOC_BYTES);
    bool same;
    int code = compare_file(builder, lock, &now, &same, err);
    if (code < 0 || same) {
        return code;
    }
    if (!builder->lock) {
        gs_fail(err, GS_ECHECK, "there is no release.lock");
    } else if (changed == 0) {
        gs_fail(err, GS_ECHECK, "release.lock is not up to date");
    } else {
        gs_fail(err, GS_ECHECK, "release.lock is not up to date: %zu %s would change", changed, changed == 1 ? "entry" : "entries");
    }
    return gs_error_hint(err, "run `gapship lock` and commit release.lock");
}

/* A name that is misspelt would leave locked what somebody believes to be updated. */
static int check_names(gs_builder *builder, const gs_lock_options *options, gs_error *err)
{
    const gs_release *release = builder->release;
    size_t count = 0;
    const char **names = gs_arena_array(
        builder->arena, release->images.count + release->charts.count + release->overlays.count + release->files.count,
        sizeof *names);
    if (!names) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < release->images.count; i++) {
        names[count++] = release->images.items[i].as;
    }
    for (size_t i = 0; i < release->charts.count; i++) {
        names[count++] = release->charts.items[i].name;
    }
    for (size_t i = 0; i < release->overlays.count; i++) {
        names[count++] = release->overlays.items[i].name;
    }
    for (size_t i = 0; i < release->files.count; i++) {
        names[count++] = release->files.items[i].name;
    }
    for (size_t i = 0; i < options->name_count; i++) {
        const char *name = options->names[i];
        bool known = false;
        for (size_t k = 0; !known && k < count; k++) {
            known = strcmp(names[k], name) == 0;
        }
        if (!known) {
            const char *nearest = gs_text_nearest(name, names, count);
            gs_fail(err, GS_ENOTFOUND, "release.yaml has nothing called %s", name);
            return nearest ? gs_error_hint(err, "did you mean %s?", nearest)
                           : gs_error_hint(err, "names are the `as` of images and the `name` of charts, overlays and files");
        }
    }
    return 0;
}

int gs_lock_make(const gs_run *run, const gs_lock_options *options, size_t *changed, gs_error *err)
{
    GS_AUTO_BUILDER gs_builder builder = {.work = GS_TEMPDIR_INIT};
    GS_AUTO_LOCK gs_lock *lock = NULL;
    gs_gathered gathered;
    int code = gs_builder_open(run, options->release_file, &builder, err);
    if (code == 0) {
        code = check_names(&builder, options, err);
    }
    if (code == 0) {
        code = gs_gather(&builder, &gathered, err);
    }
    if (code < 0) {
        return code;
    }
    const gs_resolve_request request = {
        .gathered = &gathered, .update = options->update, .names = options->names, .name_count = options->name_count};
    code = gs_resolve(&builder, &request, &lock, changed, err);
    if (code < 0) {
        return code;
    }
    return options->check ? check_saved(&builder, lock, *changed, err) : gs_lock_save(&builder, lock, err);
}
