/* What a unit's files are to be in the site's GitOps repository: the overlay as the bundle carries it, its `images:` pointed at the
 * site's registry in place, so that comments and layout stay and people can go on editing it. Proved by rendering. Knows no git. */
#include "gitops_tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"

static const char *join(gs_arena *arena, const char *directory, const char *path)
{
    if (strcmp(directory, ".") == 0 || directory[0] == '\0') {
        return gs_arena_text(arena, path);
    }
    return gs_arena_printf(arena, "%s/%s", directory, path);
}

bool gs_tree_owns(const gs_unit_spec *unit, const char *path)
{
    const char *own = unit->source.path;
    if (strcmp(own, ".") == 0) {
        return true;
    }
    size_t len = strlen(own);
    return strncmp(path, own, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

bool gs_tree_preserves(const gs_unit_spec *unit, const char *target)
{
    for (size_t i = 0; i < unit->target.preserve.count; i++) {
        if (gs_glob_match(unit->target.preserve.items[i], target)) {
            return true;
        }
    }
    return false;
}

static bool is_kustomization(const gs_unit_spec *unit, const char *path)
{
    static const char *const names[] = {"kustomization.yaml", "kustomization.yml", "Kustomization"};
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t directory = slash ? (size_t)(slash - path) : 0;
    const char *own = strcmp(unit->source.path, ".") == 0 ? "" : unit->source.path;
    if (strlen(own) != directory || strncmp(own, path, directory) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(base, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- relocation in place ---- */

/* The name without tag and digest, as kustomize compares it. */
static const char *bare_name(const char *image, gs_arena *arena)
{
    const char *at = strchr(image, '@');
    size_t len = at ? (size_t)(at - image) : strlen(image);
    const char *slash = memrchr(image, '/', len);
    const char *from = slash ? slash : image;
    const char *colon = memchr(from, ':', len - (size_t)(from - image));
    return gs_arena_copy(arena, image, colon ? (size_t)(colon - image) : len);
}

/* The name under which an entry of `images:` finds an image that is rendered as `rendered`: an entry that renames to it, else
 * itself. */
static const char *entry_name(const gs_node *kustomization, const char *rendered)
{
    const gs_node *images = gs_node_get(kustomization, "images");
    for (size_t i = 0; images && images->kind == GS_NODE_LIST && i < images->count; i++) {
        const char *name = gs_node_text(images->items[i], "name");
        const char *renamed = gs_node_text(images->items[i], "newName");
        if (name && gs_text_equal(renamed ? renamed : name, rendered)) {
            return name;
        }
    }
    return rendered;
}

static int make_edits(const gs_target_job *job, const gs_node *kustomization, gs_arena *arena, gs_image_edit **out, size_t *count,
                      gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_image_use *uses = NULL;
    size_t use_count = 0;
    size_t n = 0;
    const gs_unit_render request = {.work = job->work, .environment = job->environment, .unit = job->unit};
    int code = gs_render_unit(job->run, job->tools, &request, &doc, err);
    if (code == 0) {
        code = gs_kube_images(doc->root, doc->arena, &uses, &use_count, err);
    }
    gs_image_edit *edits = code == 0 ? gs_arena_array(arena, use_count + 1, sizeof *edits) : NULL;
    if (code == 0 && !edits) {
        code = gs_fail_nomem(err);
    }
    for (size_t i = 0; code == 0 && i < use_count; i++) {
        gs_reference reference;
        if (uses[i].certainty != GS_IMAGE_RUNS || gs_reference_parse(uses[i].image, &reference, err) < 0) {
            continue;
        }
        const gs_locked_image *locked = gs_lock_match(job->lock, &reference);
        if (!locked) {
            continue; /* the proof below names it, unless it is meant to stay */
        }
        const char *rendered = bare_name(uses[i].image, arena);
        gs_image_edit edit = {.new_name = gs_site_name(job->site, locked, arena), .new_tag = locked->tag};
        if (!rendered || !edit.new_name) {
            return gs_fail_nomem(err);
        }
        edit.name = gs_arena_text(arena, entry_name(kustomization, rendered));
        bool known = false;
        for (size_t k = 0; k < n && !known; k++) {
            known = gs_text_equal(edits[k].name, edit.name);
            if (known && !gs_text_equal(edits[k].new_tag, edit.new_tag)) {
                code = gs_fail(err, GS_ECHECK, "%s runs with two tags, %s and %s: one kustomization can name one alone", edit.name,
                               edits[k].new_tag, edit.new_tag);
            }
        }
        if (!known) {
            edits[n++] = edit;
        }
    }
    if (code == 0) {
        *out = edits;
        *count = n;
    }
    return code;
}

static int relocate(const gs_target_job *job, gs_arena *arena, gs_tree_file *file, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_BUF gs_buf edited;
    gs_image_edit *edits = NULL;
    size_t count = 0;
    gs_buf_init(&edited, GS_MAX_ARCHIVE_FILE_BYTES);
    int code = gs_doc_parse(GS_MANIFEST, file->path, file->data, file->len, &doc, err);
    if (code == 0) {
        code = make_edits(job, doc->root, arena, &edits, &count, err);
    }
    if (code == 0) {
        code = gs_kustomization_edit(file->path, file->data, file->len, edits, count, &edited, err);
    }
    if (code < 0) {
        return code;
    }
    file->len = edited.len;
    file->data = gs_arena_copy(arena, edited.data, edited.len);
    return file->data ? 0 : gs_fail_nomem(err);
}

/* ---- the proof ---- */

static int write_files(const gs_tree_file *files, size_t count, const gs_tempdir *dir, gs_arena *arena, gs_error *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < count; i++) {
        const char *slash = strrchr(files[i].path, '/');
        if (slash) {
            const char *parent = gs_arena_copy(arena, files[i].path, (size_t)(slash - files[i].path));
            code = parent ? gs_fs_make_dirs(dir->fd, parent, 0700, err) : gs_fail_nomem(err);
        }
        if (code == 0) {
            code = gs_fs_write_file(dir->fd, files[i].path, files[i].data, files[i].len, 0600, err);
        }
    }
    return code;
}

int gs_tree_render(const gs_target_job *job, const gs_tree_file *files, size_t count, const char *path, gs_doc **out, gs_error *err)
{
    GS_AUTO_TEMPDIR gs_tempdir dir = GS_TEMPDIR_INIT;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    int code = arena ? gs_tempdir_make(&dir, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = write_files(files, count, &dir, arena, err);
    }
    const char *overlay = code == 0 ? gs_arena_printf(arena, "%s/%s", dir.path, path) : NULL;
    if (code == 0 && !overlay) {
        code = gs_fail_nomem(err);
    }
    const gs_render_request request = {
        .environment = job->environment->name, .unit = job->unit->name, .overlay = overlay, .overlay_root = dir.path};
    return code < 0 ? code : gs_render(job->run, job->tools, &request, out, err);
}

static int prove(const gs_target_job *job, const gs_tree_file *files, size_t count, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_image_use *uses = NULL;
    size_t use_count = 0;
    int code = gs_tree_render(job, files, count, job->unit->source.path, &doc, err);
    if (code == 0) {
        code = gs_kube_images(doc->root, doc->arena, &uses, &use_count, err);
    }
    for (size_t i = 0; code == 0 && i < use_count; i++) {
        bool known = uses[i].certainty != GS_IMAGE_RUNS;
        for (size_t k = 0; k < job->release->ignore_images.count && !known; k++) {
            known = gs_glob_match(job->release->ignore_images.items[k], uses[i].image);
        }
        for (size_t k = 0; k < job->lock->images.count && !known; k++) {
            const gs_locked_image *image = &job->lock->images.items[k];
            const char *name = gs_site_name(job->site, image, doc->arena);
            const char *whole = name ? gs_arena_printf(doc->arena, "%s:%s", name, image->tag) : NULL;
            known = whole && strcmp(whole, uses[i].image) == 0;
        }
        if (!known) {
            code = gs_fail(err, GS_ECHECK, "after relocation this would still run %s, which is not in the site's registry",
                           uses[i].image);
        }
    }
    return code < 0 ? gs_error_at(err, "%s/%s", job->environment->name, job->unit->name) : 0;
}

/* ---- the files ---- */

int gs_tree_desired(const gs_target_job *job, gs_arena *arena, gs_tree_file **out, size_t *count, gs_error *err)
{
    const gs_source_spec *source = &job->unit->source;
    const char *root = source->overlay ? gs_arena_printf(arena, "%s/overlays/%s", job->work, source->overlay) : NULL;
    gs_text_list closure = {0};
    if (!source->overlay) {
        gs_fail(err, GS_ECHECK, "a gitops target needs an overlay as its source");
        return gs_error_at(err, "%s/%s", job->environment->name, job->unit->name);
    }
    int code = root ? gs_render_closure(root, source->path, arena, &closure, err) : gs_fail_nomem(err);
    gs_tree_file *files = code == 0 ? gs_arena_array(arena, closure.count + 1, sizeof *files) : NULL;
    if (code == 0 && !files) {
        code = gs_fail_nomem(err);
    }
    for (size_t i = 0; code == 0 && i < closure.count; i++) {
        GS_AUTO_BUF gs_buf text;
        gs_buf_init(&text, GS_MAX_ARCHIVE_FILE_BYTES);
        const char *path = gs_arena_printf(arena, "%s/%s", root, closure.items[i]);
        code = path ? gs_fs_read_file(AT_FDCWD, path, &text, err) : gs_fail_nomem(err);
        files[i] = (gs_tree_file){.path = closure.items[i], .len = text.len};
        files[i].target = join(arena, job->unit->target.path ? job->unit->target.path : ".", closure.items[i]);
        if (code == 0 && (!(files[i].data = gs_arena_copy(arena, text.data, text.len)) || !files[i].target)) {
            code = gs_fail_nomem(err);
        }
        if (code == 0 && is_kustomization(job->unit, files[i].path)) {
            code = relocate(job, arena, &files[i], err);
        }
    }
    if (code == 0) {
        code = prove(job, files, closure.count, err);
    }
    if (code == 0) {
        *out = files;
        *count = closure.count;
    }
    return code;
}
