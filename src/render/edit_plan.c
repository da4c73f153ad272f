/* Where in the text of a kustomization its images change: from the tree's places to splices, in the style that the file has. A
 * layout that is not understood may be planned wrongly; edit.c proves every result. Must not know what the edits are for. */
#include <string.h>

#include "gapship/text.h"
#include "internal.h"

#define DASH "- "

/* Places -------------------------------------------------------------------------------------------------------------------------
 */

static size_t line_start(const gs_edit_plan *plan, int line)
{
    size_t at = 0;
    for (; line > 1 && at < plan->len; line--) {
        const char *end = memchr(plan->data + at, '\n', plan->len - at);
        at = end ? (size_t)(end - plan->data) + 1 : plan->len;
    }
    return at;
}

/* The start of the next line, or the end of the text. */
static size_t line_end(const gs_edit_plan *plan, size_t offset)
{
    const char *end = memchr(plan->data + offset, '\n', plan->len - offset);
    return end ? (size_t)(end - plan->data) + 1 : plan->len;
}

/* Where a list or map begins; only right where ASCII stands before it on its line, and where it is not, the proof fails. */
static size_t offset_of(const gs_edit_plan *plan, const gs_node *node)
{
    size_t at = line_start(plan, node->line) + (size_t)(node->column > 0 ? node->column - 1 : 0);
    return at < plan->len ? at : plan->len;
}

static bool is_flow(const gs_edit_plan *plan, const gs_node *node)
{
    size_t at = offset_of(plan, node);
    return at < plan->len && (plan->data[at] == '{' || plan->data[at] == '[');
}

/* The end of the last scalar inside. */
static size_t end_of(const gs_node *node)
{
    size_t end = node->kind == GS_NODE_LIST || node->kind == GS_NODE_MAP ? 0 : node->offset + node->length;
    for (size_t i = 0; i < node->count; i++) {
        size_t inner = end_of(node->kind == GS_NODE_LIST ? node->items[i] : node->pairs[i].value);
        if (inner > end) {
            end = inner;
        }
    }
    return end;
}

static bool ends_in_line_break(const gs_edit_plan *plan, size_t offset)
{
    return offset == 0 || plan->data[offset - 1] == '\n';
}

/* The column of the dash in front of a list's item, counted from 0; -1 where there is none. */
static int dash_column(const gs_edit_plan *plan, const gs_node *item)
{
    size_t start = line_start(plan, item->line);
    size_t at = start;
    while (at < plan->len && plan->data[at] == ' ') {
        at++;
    }
    return at < plan->len && plan->data[at] == '-' ? (int)(at - start) : -1;
}

/* Texts --------------------------------------------------------------------------------------------------------------------------
 */

static int add_splice(gs_edit_plan *plan, size_t offset, size_t removed, const char *text, gs_error *err)
{
    gs_splice *splices = gs_arena_more(plan->arena, plan->splices, plan->count, &plan->room, sizeof *splices);
    if (!text || !splices) {
        return gs_fail_nomem(err);
    }
    plan->splices = splices;
    plan->splices[plan->count++] = (gs_splice){.offset = offset, .removed = removed, .text = text};
    return 0;
}

/* Whether YAML reads value as this very text when it stands there without quotes. */
static bool is_plain(const gs_edit_plan *plan, const char *value, bool flow)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    const char *text = gs_arena_printf(plan->arena, flow ? "{k: %s}" : "k: %s", value);
    if (!text || gs_doc_parse(GS_MANIFEST, "value", text, strlen(text), &doc, NULL) < 0) {
        return false;
    }
    const gs_node *node = gs_node_get(doc->root, "k");
    return node && doc->root->count == 1 && node->kind == GS_NODE_TEXT && !node->quoted && strcmp(node->text, value) == 0;
}

/* value as a scalar; NULL when out of memory. */
static const char *written(const gs_edit_plan *plan, const char *value, bool flow)
{
    GS_AUTO_BUF gs_buf quoted;
    gs_buf_init(&quoted, 6 * strlen(value) + 3);
    if (is_plain(plan, value, flow)) {
        return value;
    }
    gs_buf_add_json_text(&quoted, value, strlen(value));
    return quoted.failed ? NULL : gs_arena_text(plan->arena, gs_buf_text(&quoted));
}

/* Whole lines that begin a line at offset, or follow a last line without a line break: then the text stays without one. */
static int add_lines(gs_edit_plan *plan, size_t offset, const char *lines, gs_error *err)
{
    if (!lines || ends_in_line_break(plan, offset)) {
        return add_splice(plan, offset, 0, lines, err);
    }
    size_t len = strlen(lines) - strlen(plan->line_break);
    return add_splice(plan, offset, 0, gs_arena_printf(plan->arena, "%s%.*s", plan->line_break, (int)len, lines), err);
}

/* One entry ----------------------------------------------------------------------------------------------------------------------
 */

static int refuse(const gs_node *node, gs_error *err, const char *why)
{
    gs_fail(err, GS_ESPEC, "the image entry at line %d cannot be edited in place: %s", node->line, why);
    return gs_error_hint(err, "write the entry as plain lines: name, newName and newTag");
}

static int replace_scalar(gs_edit_plan *plan, const gs_node *node, const char *value, bool flow, gs_error *err)
{
    char mark = node->length > 0 ? plan->data[node->offset] : '\0';
    if (node->kind == GS_NODE_TEXT && strcmp(node->text, value) == 0) {
        return 0;
    }
    if (mark == '|' || mark == '>') {
        return refuse(node, err, "a value is a block of lines");
    }
    if (node->length == 0) {
        return add_splice(plan, node->offset, 0, gs_arena_printf(plan->arena, " %s", written(plan, value, flow)), err);
    }
    if (mark == '\'' && !strchr(value, '\'')) {
        return add_splice(plan, node->offset, node->length, gs_arena_printf(plan->arena, "'%s'", value), err);
    }
    if (mark != '"') {
        return add_splice(plan, node->offset, node->length, written(plan, value, flow), err);
    }
    GS_AUTO_BUF gs_buf quoted;
    gs_buf_init(&quoted, 6 * strlen(value) + 3);
    gs_buf_add_json_text(&quoted, value, strlen(value));
    int code = gs_buf_check(&quoted, err);
    return code < 0 ? code : add_splice(plan, node->offset, node->length, gs_arena_text(plan->arena, gs_buf_text(&quoted)), err);
}

/* Puts "key: value" behind the scalar `after` of the entry. */
static int insert_pair(gs_edit_plan *plan, const gs_node *entry, const gs_node *after, const char *key, const char *value,
                       gs_error *err)
{
    bool flow = is_flow(plan, entry);
    const char *scalar = written(plan, value, flow);
    size_t end = after->offset + after->length;
    if (!scalar) {
        return gs_fail_nomem(err);
    }
    if (flow) {
        return add_splice(plan, end, 0, gs_arena_printf(plan->arena, ", %s: %s", key, scalar), err);
    }
    return add_lines(plan, line_end(plan, end),
                     gs_arena_printf(plan->arena, "%*s%s: %s%s", entry->column - 1, "", key, scalar, plan->line_break), err);
}

/* Takes a pair out with its line, or out of the braces. */
static int remove_pair(gs_edit_plan *plan, const gs_node *entry, const char *key, gs_error *err)
{
    size_t i = 0;
    while (i < entry->count && strcmp(entry->pairs[i].key, key) != 0) {
        i++;
    }
    if (i == entry->count) {
        return 0;
    }
    size_t start = line_start(plan, entry->pairs[i].line);
    size_t end = end_of(entry->pairs[i].value);
    if (i == 0) {
        return refuse(entry, err, "it begins with a key that has to go");
    }
    if (is_flow(plan, entry)) {
        start = end_of(entry->pairs[i - 1].value);
        return end < start ? refuse(entry, err, "it has anchors") : add_splice(plan, start, end - start, "", err);
    }
    end = line_end(plan, end);
    return end < start ? refuse(entry, err, "it has anchors") : add_splice(plan, start, end - start, "", err);
}

static int plan_entry(gs_edit_plan *plan, const gs_node *entry, const gs_image_edit *edit, gs_error *err)
{
    const struct {
        const char *key, *value;
        bool removed; /* when value is NULL */
    } fields[] = {{"newName", edit->new_name, false}, {"newTag", edit->new_tag, true}, {"digest", edit->digest, true}};
    const gs_node *after = gs_node_get(entry, "name");
    bool flow = is_flow(plan, entry);
    int code = remove_pair(plan, entry, "tagSuffix", err);
    for (size_t i = 0; code == 0 && i < sizeof fields / sizeof fields[0]; i++) {
        const gs_node *node = gs_node_get(entry, fields[i].key);
        bool pointless = strcmp(fields[i].key, "newName") == 0 && gs_text_equal(fields[i].value, edit->name);
        if (node && fields[i].value) {
            code = replace_scalar(plan, node, fields[i].value, flow, err);
        } else if (node && fields[i].removed) {
            code = remove_pair(plan, entry, fields[i].key, err);
        } else if (!node && fields[i].value && !pointless) {
            code = insert_pair(plan, entry, after, fields[i].key, fields[i].value, err);
        }
        if (node && fields[i].value) {
            after = node;
        }
    }
    return code;
}

/* New entries --------------------------------------------------------------------------------------------------------------------
 */

static void add_pair_text(gs_edit_plan *plan, gs_buf *out, const char *before, const char *key, const char *value, bool flow)
{
    const char *scalar = written(plan, value, flow);
    gs_buf_printf(out, "%s%s: ", before, key);
    if (scalar) {
        gs_buf_add_text(out, scalar);
    } else {
        out->failed = GS_ENOMEM;
    }
}

/* The entry's pairs, with `between` before each but the first. */
static void add_entry_text(gs_edit_plan *plan, gs_buf *out, const gs_image_edit *edit, const char *between, bool flow)
{
    add_pair_text(plan, out, "", "name", edit->name, flow);
    if (edit->new_name && strcmp(edit->new_name, edit->name) != 0) {
        add_pair_text(plan, out, between, "newName", edit->new_name, flow);
    }
    if (edit->new_tag) {
        add_pair_text(plan, out, between, "newTag", edit->new_tag, flow);
    }
    if (edit->digest) {
        add_pair_text(plan, out, between, "digest", edit->digest, flow);
    }
}

/* A list's entry as lines, the dash at column; in braces where the list's others are. */
static void add_entry_lines(gs_edit_plan *plan, gs_buf *out, const gs_image_edit *edit, int column, bool flow)
{
    const char *between = flow ? ", " : gs_arena_printf(plan->arena, "%s%*s", plan->line_break, column + (int)strlen(DASH), "");
    if (!between) {
        out->failed = GS_ENOMEM;
        return;
    }
    gs_buf_printf(out, "%*s%s%s", column, "", DASH, flow ? "{" : "");
    add_entry_text(plan, out, edit, between, flow);
    gs_buf_printf(out, "%s%s", flow ? "}" : "", plan->line_break);
}

/* The column of dashes in this file: that of its first list. */
static int usual_column(const gs_edit_plan *plan, const gs_node *root)
{
    for (size_t i = 0; i < root->count; i++) {
        const gs_node *list = root->pairs[i].value;
        if (list->kind == GS_NODE_LIST && list->count > 0 && !is_flow(plan, list)) {
            int column = dash_column(plan, list->items[0]);
            return column >= 0 ? column : 0;
        }
    }
    return 0;
}

/* Behind the last entry of a list that has some. */
static int append_entry(gs_edit_plan *plan, const gs_node *images, const gs_image_edit *edit, gs_buf *text, gs_error *err)
{
    const gs_node *last = images->items[images->count - 1];
    bool flow = is_flow(plan, last);
    size_t end = end_of(last);
    if (is_flow(plan, images)) {
        const char *brace = memchr(plan->data + end, '}', plan->len - end);
        if (!brace) {
            return refuse(last, err, "its end is not found");
        }
        gs_buf_add_text(text, ", {");
        add_entry_text(plan, text, edit, ", ", true);
        gs_buf_add_text(text, "}");
        int code = gs_buf_check(text, err);
        return code < 0 ? code
                        : add_splice(plan, (size_t)(brace - plan->data) + 1, 0, gs_arena_text(plan->arena, gs_buf_text(text)), err);
    }
    int column = dash_column(plan, last);
    if (column < 0) {
        return refuse(last, err, "its dash is not on its line");
    }
    add_entry_lines(plan, text, edit, column, flow);
    int code = gs_buf_check(text, err);
    return code < 0 ? code : add_lines(plan, line_end(plan, end), gs_arena_text(plan->arena, gs_buf_text(text)), err);
}

/* Under `images:` with nothing in it, written so, or as ~ or []. */
static int fill_list(gs_edit_plan *plan, const gs_node *root, const gs_node *images, const char *lines, gs_error *err)
{
    size_t start = images->offset;
    size_t end = images->offset + images->length;
    if (images->kind == GS_NODE_LIST) {
        start = offset_of(plan, images);
        const char *bracket = memchr(plan->data + start, ']', plan->len - start);
        if (!bracket) {
            return refuse(images, err, "its end is not found");
        }
        end = (size_t)(bracket - plan->data) + 1;
    }
    if (is_flow(plan, root)) {
        return refuse(images, err, "the file is written in braces");
    }
    while (end > start && start > 0 && plan->data[start - 1] == ' ') {
        start--;
    }
    int code = end > start ? add_splice(plan, start, end - start, "", err) : 0;
    return code < 0 ? code : add_lines(plan, line_end(plan, end), lines, err);
}

static int plan_missing(gs_edit_plan *plan, const gs_node *root, const gs_image_edit *const *missing, size_t count, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    const gs_node *images = gs_node_get(root, "images");
    int code = 0;
    gs_buf_init(&text, plan->len + GS_ERROR_MESSAGE_MAX * (count + 1));
    if (images && images->count > 0) {
        for (size_t i = 0; code == 0 && i < count; i++) {
            gs_buf_clear(&text);
            code = append_entry(plan, images, missing[i], &text, err);
        }
        return code;
    }
    if (!images) {
        gs_buf_printf(&text, "images:%s", plan->line_break);
    }
    for (size_t i = 0; i < count; i++) {
        add_entry_lines(plan, &text, missing[i], usual_column(plan, root), false);
    }
    code = gs_buf_check(&text, err);
    if (code < 0) {
        return code;
    }
    const char *lines = gs_arena_text(plan->arena, gs_buf_text(&text));
    return images ? fill_list(plan, root, images, lines, err) : add_lines(plan, plan->len, lines, err);
}

int gs_edit_plan_images(gs_edit_plan *plan, const gs_node *root, const gs_image_edit *edits, size_t count, gs_error *err)
{
    const gs_node *images = gs_node_get(root, "images");
    const gs_image_edit **missing = gs_arena_array(plan->arena, count, sizeof *missing);
    size_t missing_count = 0;
    if (!missing) {
        return gs_fail_nomem(err);
    }
    if (images && images->kind != GS_NODE_LIST && images->kind != GS_NODE_NULL) {
        return gs_fail(err, GS_ESPEC, "`images` at line %d is not a list", images->line);
    }
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; images && k < images->count; k++) {
            if (!gs_text_equal(gs_node_text(images->items[k], "name"), edits[i].name)) {
                continue;
            }
            found = true;
            int code = plan_entry(plan, images->items[k], &edits[i], err);
            if (code < 0) {
                return code;
            }
        }
        if (!found) {
            missing[missing_count++] = &edits[i];
        }
    }
    return missing_count > 0 ? plan_missing(plan, root, missing, missing_count, err) : 0;
}
