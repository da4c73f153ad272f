/* Finds `images:` entries of kustomizations that are not what they seem. One that matches nothing: kustomize passes over it in
 * silence, and the site would run a tag nobody chose; an overlay that retags ghcr.io/x while its base renames ghcr.io/x to something
 * else is the usual way there. And a tag that YAML reads as a number.
 *
 * The proof is a rendering: the kustomization without its images: entries, and the names that come out of it. work/overlays is the
 * builder's own copy, so it can be changed and put back. */
#include <fcntl.h>
#include <string.h>

#include "builder.h"
#include "gapship/kube.h"
#include "gapship/limits.h"
#include "gapship/text.h"

typedef struct kustomization {
    const char *root;      /* of the overlay in work/ */
    const char *overlay;   /* its name */
    const char *file;      /* relative to root */
    const char *directory; /* relative to root */
} kustomization;

static bool has_name(const gs_image_use *uses, size_t count, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(uses[i].image, name, len) == 0 &&
            (uses[i].image[len] == '\0' || uses[i].image[len] == ':' || uses[i].image[len] == '@')) {
            return true;
        }
    }
    return false;
}

static int unmatched(const kustomization *k, const gs_node *entry, const char *name, const gs_image_use *uses, size_t count,
                     gs_error *err)
{
    gs_fail(err, GS_ECHECK, "images: names %s, but nothing below this kustomization runs it", name);
    gs_error_at(err, "overlay %s: %s:%d", k->overlay, k->file, entry->line);
    for (size_t i = 0; i < count; i++) {
        if (uses[i].certainty == GS_IMAGE_RUNS) {
            return gs_error_hint(err, "what runs is %s: a base may have renamed it; name it as it comes out of the base",
                                 uses[i].image);
        }
    }
    return gs_error_hint(err, "kustomize ignores such an entry in silence; remove it or correct its name");
}

/* A short commit id of digits alone. kustomize refuses it without saying where it stands. */
static int check_tag(const kustomization *k, const gs_node *entry, gs_error *err)
{
    const gs_node *tag = gs_node_get(entry, "newTag");
    if (!tag || tag->kind == GS_NODE_TEXT || tag->kind == GS_NODE_NULL || !tag->text) {
        return 0;
    }
    gs_fail(err, GS_ECHECK, "newTag: %s is no text to YAML, but a tag has to be one", tag->text);
    gs_error_at(err, "overlay %s: %s:%d:%d", k->overlay, k->file, tag->line, tag->column);
    return gs_error_hint(err, "quote it: newTag: \"%s\"", tag->text);
}

static int check_entries(gs_builder *builder, const kustomization *k, const gs_node *images, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    const char *directory = gs_arena_printf(builder->arena, "%s/%s", k->root, k->directory);
    const gs_render_request request = {.environment = "overlay", .unit = k->overlay, .overlay = directory, .overlay_root = k->root};
    gs_image_use *uses = NULL;
    size_t count = 0;
    int code = directory ? gs_render(builder->run, &builder->tools, &request, &doc, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_kube_images(doc->root, builder->arena, &uses, &count, err);
    }
    for (size_t i = 0; code == 0 && i < images->count; i++) {
        const char *name = gs_node_text(images->items[i], "name");
        code = check_tag(k, images->items[i], err);
        if (code == 0 && name && !has_name(uses, count, name)) {
            code = unmatched(k, images->items[i], name, uses, count, err);
        }
    }
    return code;
}

static int lint_file(gs_builder *builder, const kustomization *k, gs_error *err)
{
    const char *path = gs_arena_printf(builder->arena, "%s/%s", k->root, k->file);
    GS_AUTO_BUF gs_buf text;
    GS_AUTO_BUF gs_buf bare;
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_buf_init(&text, GS_MAX_ARCHIVE_FILE_BYTES);
    gs_buf_init(&bare, GS_MAX_ARCHIVE_FILE_BYTES);
    int code = path ? gs_fs_read_file(AT_FDCWD, path, &text, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_doc_parse(GS_MANIFEST, k->file, text.data, text.len, &doc, err);
    }
    if (code < 0) {
        return code;
    }
    gs_node *images = gs_node_get(doc->root, "images");
    const char *kind = gs_node_text(doc->root, "kind");
    if (!images || images->kind != GS_NODE_LIST || gs_text_equal(kind, "Component")) {
        return 0; /* a component is not rendered by itself */
    }
    gs_node_remove(doc->root, "images");
    code = gs_node_write_json(doc->root, GS_JSON_PRETTY, &bare, err);
    if (code == 0) {
        code = gs_fs_write_file(AT_FDCWD, path, bare.data, bare.len, 0644, err);
    }
    if (code == 0) {
        code = check_entries(builder, k, images, err);
    }
    gs_error restore = {0};
    int restored = gs_fs_write_file(AT_FDCWD, path, text.data, text.len, 0644, code == 0 ? err : &restore);
    return code < 0 ? code : restored;
}

static int lint_unit(gs_builder *builder, const gs_source_spec *source, gs_error *err)
{
    const char *root = gs_builder_work(builder, "overlays/%s", source->overlay);
    gs_text_list files = {0};
    if (!root) {
        return gs_fail_nomem(err);
    }
    int code = gs_render_check_hermetic(builder->run, root, source->path, err);
    if (code == 0) {
        code = gs_render_closure(root, source->path, builder->arena, &files, err);
    }
    if (code < 0) {
        return gs_error_at(err, "overlay %s", source->overlay);
    }
    for (size_t i = 0; code == 0 && i < files.count; i++) {
        const char *slash = strrchr(files.items[i], '/');
        const char *base = slash ? slash + 1 : files.items[i];
        if (strcmp(base, "kustomization.yaml") != 0 && strcmp(base, "kustomization.yml") != 0 &&
            strcmp(base, "Kustomization") != 0) {
            continue;
        }
        kustomization k = {.root = root, .overlay = source->overlay, .file = files.items[i]};
        k.directory = slash ? gs_arena_copy(builder->arena, files.items[i], (size_t)(slash - files.items[i])) : ".";
        code = k.directory ? lint_file(builder, &k, err) : gs_fail_nomem(err);
    }
    return code;
}

int gs_lint_overlays(gs_builder *builder, gs_error *err)
{
    const gs_release *release = builder->release;
    int code = 0;
    for (size_t e = 0; code == 0 && e < release->environments.count; e++) {
        for (size_t u = 0; code == 0 && u < release->environments.items[e].units.count; u++) {
            const gs_source_spec *source = &release->environments.items[e].units.items[u].source;
            if (source->overlay) {
                code = lint_unit(builder, source, err);
            }
        }
    }
    return code;
}
