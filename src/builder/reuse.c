/* Blobs that earlier bundles hold already. They are taken by digest and hashed on the way, so a bundle is only looked into here,
 * not trusted. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "gapship/text.h"

#define GS_MAX_REUSED_BUNDLES 64u

struct gs_reuse {
    gs_verified *bundles[GS_MAX_REUSED_BUNDLES];
    size_t count;
};

/* A file that is no bundle, or a damaged one, is passed over: it only costs a fetch. */
static void add_bundle(gs_builder *builder, gs_reuse *reuse, const char *path)
{
    gs_error ignored = {0};
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    if (reuse->count == GS_MAX_REUSED_BUNDLES) {
        return;
    }
    gs_verified *verified = NULL;
    if (gs_bundle_open(path, &bundle, &ignored) == 0 && gs_bundle_verify(&bundle, &(gs_terms){0}, &verified, &ignored) == 0) {
        reuse->bundles[reuse->count++] = verified;
    } else {
        gs_emit(builder->run, GS_DEBUG, "reuseSkipped", NULL, 0, "%s is not used: %s", path, ignored.message);
    }
}

static int add_directory(gs_builder *builder, gs_reuse *reuse, const char *path, gs_error *err)
{
    gs_fs_entry *entries = NULL;
    size_t count = 0;
    int code = gs_fs_list(AT_FDCWD, path, builder->arena, &entries, &count, err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (!gs_text_ends(entries[i].path, ".gapship") && !gs_text_ends(entries[i].path, ".gapship.001")) {
            continue;
        }
        const char *file = gs_arena_printf(builder->arena, "%s/%s", path, entries[i].path);
        if (!file) {
            return gs_fail_nomem(err);
        }
        add_bundle(builder, reuse, file);
    }
    return code;
}

static int add_named(gs_builder *builder, gs_reuse *reuse, const char *path, gs_error *err)
{
    GS_AUTO_FD int fd = -1;
    gs_error ignored = {0};
    if (gs_fs_open_dir(AT_FDCWD, path, &fd, &ignored) == 0) {
        return add_directory(builder, reuse, path, err);
    }
    if (!gs_fs_exists(AT_FDCWD, path)) {
        return gs_fail(err, GS_ENOTFOUND, "--reuse: there is no %s", path);
    }
    add_bundle(builder, reuse, path);
    return 0;
}

int gs_reuse_open(gs_builder *builder, const gs_build_options *options, const char *output, gs_reuse **out, gs_error *err)
{
    gs_reuse *reuse = calloc(1, sizeof *reuse);
    if (!reuse) {
        return gs_fail_nomem(err);
    }
    int code = 0;
    for (size_t i = 0; code == 0 && i < options->reuse_count; i++) {
        code = add_named(builder, reuse, options->reuse[i], err);
    }
    const char *slash = strrchr(output, '/');
    const char *beside = !slash ? "." : gs_arena_copy(builder->arena, output, slash == output ? 1 : (size_t)(slash - output));
    if (code == 0) {
        code = beside ? add_directory(builder, reuse, beside, err) : gs_fail_nomem(err);
    }
    if (code < 0) {
        gs_reuse_free(reuse);
        return code;
    }
    *out = reuse;
    return 0;
}

const gs_verified *gs_reuse_find(const gs_reuse *reuse, const gs_digest *digest)
{
    for (size_t i = 0; i < reuse->count; i++) {
        if (gs_verified_blob(reuse->bundles[i], digest)) {
            return reuse->bundles[i];
        }
    }
    return NULL;
}

void gs_reuse_free(gs_reuse *reuse)
{
    if (!reuse) {
        return;
    }
    for (size_t i = 0; i < reuse->count; i++) {
        gs_verified_free(reuse->bundles[i]);
    }
    free(reuse);
}
