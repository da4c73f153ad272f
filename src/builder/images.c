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
    int code = gs_lock_new(&lock, err);
    if (code < 0) {
        return code;
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

/* ---- --write ---- */

static bool is_repeated(const gs_found_image *found, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (strcmp(found[j].image, found[i].image) == 0) {
            return true;
        }
    }
    return false;
}

/* release.yaml with more images: what is kept before and after the span that new entries take the place of. */
typedef struct image_edit {
    size_t from, to;
    size_t indent;
    bool new_key;
} image_edit;

static size_t line_end(const char *text, size_t len, size_t at)
{
    while (at < len && text[at] != '\n') {
        at++;
    }
    return at < len ? at + 1 : len;
}

/* The byte behind the line in which the last entry of images: begins and ends. */
static size_t behind_last(const gs_node *images, const char *text, size_t len)
{
    const gs_node *last = images->items[images->count - 1];
    size_t at = last->offset + last->length;
    for (size_t i = 0; i < last->count; i++) {
        const gs_node *value = last->pairs[i].value;
        if (value->offset + value->length > at) {
            at = value->offset + value->length;
        }
    }
    return line_end(text, len, at);
}

/* An empty list is written "[]", which has to go. What stands behind it on its line goes behind the new entries. */
static void plan_empty(const gs_node *images, const char *text, size_t len, image_edit *edit)
{
    size_t at = 0;
    for (int line = 1; line < images->line; line++) {
        at = line_end(text, len, at);
    }
    at += (size_t)images->column - 1;
    size_t end = at + 1;
    while (end < len && text[end] == ' ') {
        end++;
    }
    if (end < len && text[at] == '[' && text[end] == ']') {
        while (at > 0 && text[at - 1] == ' ') {
            at--;
        }
        *edit = (image_edit){.from = at, .to = end + 1};
    }
}

static image_edit plan_edit(const gs_node *root, const char *text, size_t len)
{
    const gs_node *images = gs_node_get(root, "images");
    image_edit edit = {.from = len, .to = len, .new_key = images == NULL};
    if (images != NULL && images->count > 0) {
        edit.from = edit.to = behind_last(images, text, len);
        edit.indent = images->column > 0 ? (size_t)images->column - 1 : 0;
    } else if (images != NULL && images->column > 0) {
        plan_empty(images, text, len, &edit);
    }
    return edit;
}

/* The edit is one of text; whether it meant the right thing is seen in the tree. */
static int prove(const gs_builder *builder, const gs_buf *edited, size_t wanted, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_error ignored = {0};
    const gs_node *images = NULL;
    if (gs_doc_parse(GS_CONFIGURATION, builder->file, edited->data, edited->len, &doc, &ignored) == 0) {
        images = gs_node_get(doc->root, "images");
    }
    if (images != NULL && images->kind == GS_NODE_LIST && images->count == wanted) {
        return 0;
    }
    gs_fail(err, GS_ESPEC, "the images of this file are written in a way that gapship cannot add to");
    (void)gs_error_at(err, "%s", builder->file);
    return gs_error_hint(err, "write `images:` as a list with one entry a line, or add the images of `gapship images` yourself");
}

static size_t add_missing(const gs_found_image *found, size_t count, size_t indent, gs_buf *out)
{
    size_t added = 0;
    for (size_t i = 0; i < count; i++) {
        if (found[i].runs && found[i].locked == NULL && !found[i].ignored && !is_repeated(found, i)) {
            gs_buf_printf(out, "%*s- {from: \"%s\"}\n", (int)indent, "", found[i].image);
            added++;
        }
    }
    return added;
}

static int write_missing(gs_builder *builder, const gs_found_image *found, size_t count, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    GS_AUTO_BUF gs_buf edited;
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_buf_init(&text, GS_MAX_SPEC_BYTES);
    gs_buf_init(&edited, GS_MAX_SPEC_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, builder->file, &text, err);
    if (code == 0) {
        code = gs_doc_parse(GS_CONFIGURATION, builder->file, text.data, text.len, &doc, err);
    }
    if (code < 0) {
        return code;
    }
    const image_edit edit = plan_edit(doc->root, text.data, text.len);
    gs_buf_add(&edited, text.data, edit.from);
    if (edited.len > 0 && edited.data[edited.len - 1] != '\n') {
        gs_buf_add_text(&edited, "\n");
    }
    if (edit.new_key) {
        gs_buf_add_text(&edited, "images:\n");
    }
    const size_t added = add_missing(found, count, edit.indent, &edited);
    const size_t behind = edit.to < text.len && edit.to > edit.from && text.data[edit.to] == '\n' ? edit.to + 1 : edit.to;
    gs_buf_add(&edited, text.data + behind, text.len - behind);
    code = gs_buf_check(&edited, err);
    if (code < 0 || added == 0) {
        return code;
    }
    code = prove(builder, &edited, builder->release->images.count + added, err);
    return code < 0 ? code : gs_fs_write_file(AT_FDCWD, builder->file, edited.data, edited.len, 0644, err);
}

int gs_images(const gs_run *run, const gs_images_options *options, gs_arena *arena, gs_node **rows, gs_error *err)
{
    GS_AUTO_BUILDER gs_builder builder = {.work = GS_TEMPDIR_INIT};
    GS_AUTO_LOCK gs_lock *listed = NULL;
    gs_gathered gathered;
    gs_found_image *found = NULL;
    size_t count = 0;
    int code = gs_builder_open(run, options->release_file, &builder, err);
    if (code == 0 && options->environment && !gs_release_environment(builder.release, options->environment)) {
        code = gs_fail(err, GS_ENOTFOUND, "release.yaml has no environment called %s", options->environment);
    }
    if (code == 0) {
        code = gs_gather(&builder, &gathered, err);
    }
    if (code == 0) {
        code = list_of_release(builder.release, &listed, err);
    }
    if (code == 0) {
        code = gs_find_images(&builder, listed, options->environment, &found, &count, err);
    }
    gs_node *list = gs_node_new_list(arena);
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = add_row(arena, list, &found[i], err);
    }
    if (code == 0 && options->write) {
        code = write_missing(&builder, found, count, err);
    }
    if (code == 0) {
        *rows = list;
    }
    return code;
}
