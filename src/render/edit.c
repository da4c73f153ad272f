/* Edits the images of a kustomization without touching anything else in the file. The plan works on the text; whether it did the
 * right thing is proved on the tree: the result is parsed and has to equal what the edit means. Must not know about git or
 * registries. */
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "internal.h"

static int refuse(const char *name, gs_error *err)
{
    gs_fail(err, GS_ESPEC, "the images of this kustomization are written in a way that gapship cannot edit in place");
    (void)gs_error_at(err, "%s", name);
    return gs_error_hint(err, "write `images:` as a plain list of entries with name, newName and newTag, without anchors");
}

/* What is put in at a place comes before what is taken out there. */
static int compare_splices(const void *a, const void *b)
{
    const gs_splice *left = *(const gs_splice *const *)a;
    const gs_splice *right = *(const gs_splice *const *)b;
    if (left->offset != right->offset) {
        return left->offset < right->offset ? -1 : 1;
    }
    if ((left->removed == 0) != (right->removed == 0)) {
        return left->removed == 0 ? -1 : 1;
    }
    return left < right ? -1 : left > right;
}

static int apply(const char *name, const gs_edit_plan *plan, gs_buf *out, gs_error *err)
{
    const gs_splice **sorted = gs_arena_array(plan->arena, plan->count, sizeof *sorted);
    size_t from = 0;
    if (!sorted) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < plan->count; i++) {
        sorted[i] = &plan->splices[i];
    }
    qsort((void *)sorted, plan->count, sizeof *sorted, compare_splices);
    for (size_t i = 0; i < plan->count; i++) {
        if (sorted[i]->offset < from || sorted[i]->removed > plan->len - sorted[i]->offset) {
            return refuse(name, err); /* an alias has its place where its anchor is */
        }
        gs_buf_add(out, plan->data + from, sorted[i]->offset - from);
        gs_buf_add_text(out, sorted[i]->text);
        from = sorted[i]->offset + sorted[i]->removed;
    }
    gs_buf_add(out, plan->data + from, plan->len - from);
    return gs_buf_check(out, err);
}

static bool set_or_remove(gs_arena *arena, gs_node *entry, const char *key, const char *value)
{
    if (value) {
        return gs_node_set_text(arena, entry, key, value) != NULL;
    }
    (void)gs_node_remove(entry, key);
    return true;
}

static bool set_entry(gs_arena *arena, gs_node *entry, const gs_image_edit *edit)
{
    (void)gs_node_remove(entry, "tagSuffix");
    if (edit->new_name && (gs_node_get(entry, "newName") || strcmp(edit->new_name, edit->name) != 0) &&
        !gs_node_set_text(arena, entry, "newName", edit->new_name)) {
        return false;
    }
    return set_or_remove(arena, entry, "newTag", edit->new_tag) && set_or_remove(arena, entry, "digest", edit->digest);
}

/* The meaning of one edit, on the tree. */
static bool edit_tree(gs_arena *arena, gs_node *root, const gs_image_edit *edit)
{
    gs_node *images = gs_node_get(root, "images");
    bool found = false;
    if (!images || images->kind == GS_NODE_NULL) {
        images = gs_node_new_list(arena);
        if (!gs_node_set(arena, root, "images", images)) {
            return false;
        }
    }
    for (size_t i = 0; i < images->count; i++) {
        const char *name = gs_node_text(images->items[i], "name");
        if (!name || strcmp(name, edit->name) != 0) {
            continue;
        }
        found = true;
        if (!set_entry(arena, images->items[i], edit)) {
            return false;
        }
    }
    if (found) {
        return true;
    }
    gs_node *entry = gs_node_set_text(arena, gs_node_new_map(arena), "name", edit->name);
    return entry && set_entry(arena, entry, edit) && gs_node_append(arena, images, entry);
}

static int prove(const char *name, const gs_doc *before, const gs_image_edit *edits, size_t count, const gs_buf *text,
                 gs_error *err)
{
    GS_AUTO_DOC gs_doc *after = NULL;
    gs_node *expected = before->root->kind == GS_NODE_NULL ? gs_node_new_map(before->arena)
                                                           : gs_node_copy(before->arena, before->root);
    if (!expected) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < count; i++) {
        if (!edit_tree(before->arena, expected, &edits[i])) {
            return gs_fail_nomem(err);
        }
    }
    int code = gs_doc_parse(GS_MANIFEST, name, text->data, text->len, &after, NULL);
    if (code == GS_ENOMEM) {
        return gs_fail_nomem(err);
    }
    return code == 0 && gs_node_equal(after->root, expected) ? 0 : refuse(name, err);
}

static bool is_map_or_empty(const gs_node *root)
{
    return root->kind == GS_NODE_MAP || root->kind == GS_NODE_NULL;
}

int gs_kustomization_edit(const char *name, const char *data, size_t len, const gs_image_edit *edits, size_t count, gs_buf *out,
                          gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_DOC_BYTES);
    int code = gs_doc_parse(GS_MANIFEST, name, data, len, &doc, err);
    if (code < 0) {
        return code;
    }
    if (!is_map_or_empty(doc->root)) {
        return refuse(name, err);
    }
    const char *first_break = memchr(data, '\n', len);
    bool crlf = first_break && first_break > data && first_break[-1] == '\r';
    gs_edit_plan plan = {.arena = doc->arena, .data = data, .len = len, .line_break = crlf ? "\r\n" : "\n"};
    code = gs_edit_plan_images(&plan, doc->root, edits, count, err);
    if (code < 0) {
        return code == GS_ESPEC ? gs_error_at(err, "%s", name) : code;
    }
    code = apply(name, &plan, &text, err);
    if (code < 0) {
        return code;
    }
    code = prove(name, doc, edits, count, &text, err);
    if (code < 0) {
        return code;
    }
    gs_buf_add(out, text.data, text.len);
    return gs_buf_check(out, err);
}
