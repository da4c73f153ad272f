/* `gapship images`: what each environment would run, and where it was found; --write lists what is missing. */
#include <fcntl.h>
#include <string.h>

#include "builder.h"
#include "gapship/limits.h"
#include "gapship/text.h"

static int add_row(gs_arena *arena, gs_node *rows, const gs_found_image *found, gs_error *err)
{
    gs_node *row = gs_node_new_map(arena);
    row = gs_node_set_text(arena, row, "environment", found->environment->name);
    row = gs_node_set_text(arena, row, "unit", found->unit->name);
    row = gs_node_set_text(arena, row, "object", found->object);
    row = gs_node_set_text(arena, row, "path", found->path);
    row = gs_node_set_text(arena, row, "image", found->image);
    row = gs_node_set(arena, row, "runs", gs_node_new_bool(arena, found->runs));
    row = gs_node_set(arena, row, "listed", gs_node_new_bool(arena, found->locked || found->ignored));
    return gs_node_append(arena, rows, row ? gs_node_copy(arena, row) : NULL) != NULL ? 0 : gs_fail_nomem(err);
}

/* A lock of what release.yaml lists, with no registry asked: enough to tell what is listed. */
static int list_of_release(const gs_release *release, gs_lock **out, gs_error *err)
{
    GS_AUTO_LOCK gs_lock *lock = NULL;
    int rc = gs_lock_new(&lock, err);
    if (rc < 0) {
        return rc;
    }
    lock->images.items = gs_arena_array(lock->arena, release->images.count + 1, sizeof *lock->images.items);
    if (!lock->images.items) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < release->images.count; i++) {
        const gs_image_spec *spec = &release->images.items[i];
        lock->images.items[i] = (gs_locked_image){.from = spec->from, .as = spec->as, .tag = "", .digest = ""};
    }
    lock->images.count = release->images.count;
    *out = GS_STEAL(lock);
    return 0;
}

/* ---- --write -------------------------------------------------------------------------------------------------------------------
 */

static bool is_repeated(const gs_found_image *found, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (strcmp(found[j].image, found[i].image) == 0) {
            return true;
        }
    }
    return false;
}

/* The byte behind the line in which the last entry of images: begins and ends, or behind the key of an empty list. */
static size_t insertion_point(const gs_node *images, const char *text, size_t len)
{
    size_t at = len;
    if (images && images->count > 0) {
        const gs_node *last = images->items[images->count - 1];
        at = last->offset + last->length;
        for (size_t i = 0; i < last->count; i++) {
            const gs_node *value = last->pairs[i].value;
            if (value->offset + value->length > at) {
                at = value->offset + value->length;
            }
        }
    }
    while (at < len && text[at] != '\n') {
        at++;
    }
    return at < len ? at + 1 : len;
}

static int write_missing(gs_builder *builder, const gs_found_image *found, size_t count, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    GS_AUTO_BUF gs_buf edited;
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_buf_init(&text, GS_MAX_SPEC_BYTES);
    gs_buf_init(&edited, GS_MAX_SPEC_BYTES);
    int rc = gs_fs_read_file(AT_FDCWD, builder->file, &text, err);
    if (rc == 0) {
        rc = gs_doc_parse(GS_CONFIGURATION, builder->file, text.data, text.len, &doc, err);
    }
    if (rc < 0) {
        return rc;
    }
    const gs_node *images = gs_node_get(doc->root, "images");
    size_t at = insertion_point(images, text.data, text.len);
    size_t indent = images && images->count > 0 && images->column > 0 ? (size_t)images->column - 1 : 0;
    gs_buf_add(&edited, text.data, at);
    if (edited.len > 0 && edited.data[edited.len - 1] != '\n') {
        gs_buf_add_text(&edited, "\n");
    }
    if (!images) {
        gs_buf_add_text(&edited, "images:\n");
    }
    for (size_t i = 0; i < count; i++) {
        if (found[i].runs && found[i].!locked && !found[i].ignored && !is_repeated(found, i)) {
            gs_buf_printf(&edited, "%*s- {from: \"%s\"}\n", (int)indent, "", found[i].image);
        }
    }
    gs_buf_add(&edited, text.data + at, text.len - at);
    rc = gs_buf_check(&edited, err);
    return rc < 0 ? rc : gs_fs_write_file(AT_FDCWD, builder->file, edited.data, edited.len, 0644, err);
}

int gs_images(const gs_run *run, const gs_images_options *options, gs_arena *arena, gs_node **rows, gs_error *err)
{
    GS_AUTO_BUILDER gs_builder builder = {.work = GS_TEMPDIR_INIT};
    GS_AUTO_LOCK gs_lock *listed = NULL;
    gs_gathered gathered;
    gs_found_image *found = NULL;
    size_t count = 0;
    int rc = gs_builder_open(run, options->release_file, &builder, err);
    if (rc == 0 && options->environment && !gs_release_environment(builder.release, options->environment)) {
        rc = gs_fail(err, GS_ENOTFOUND, "release.yaml has no environment called %s", options->environment);
    }
    if (rc == 0) {
        rc = gs_gather(&builder, &gathered, err);
    }
    if (rc == 0) {
        rc = list_of_release(builder.release, &listed, err);
    }
    if (rc == 0) {
        rc = gs_find_images(&builder, listed, options->environment, &found, &count, err);
    }
    gs_node *list = gs_node_new_list(arena);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = add_row(arena, list, &found[i], err);
    }
    if (rc == 0 && options->write) {
        rc = write_missing(&builder, found, count, err);
    }
    if (rc == 0) {
        *rows = list;
    }
    return rc;
}
