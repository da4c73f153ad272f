/* YAML: libyaml's events become a tree. The document loader of libyaml is not used: it expands aliases without a bound and knows
 * nothing of duplicate keys. Must not know what the documents mean.
 *
 * libyaml marks places in characters; nodes have bytes. Events come almost in the order of the text, so one cursor that walks to
 * the next mark, forward or back, costs time linear in the input. */
#include "doc_internal.h"

#include <string.h>

#include <yaml.h>

typedef struct anchor {
    const char *name;
    const gs_node *node;
} anchor;

typedef struct reader {
    gs_doc_builder builder;
    gs_yaml_rules rules;
    const char *data;
    size_t len;
    size_t at_byte, at_char; /* the cursor; characters count from behind the byte order mark */
    size_t bom;
    size_t documents;
    gs_node *stream; /* rules.many: the list of documents */
    size_t aliases;
    size_t anchor_count;
    anchor anchors[GS_MAX_DOC_ALIASES];
} reader;

static gs_doc_place place_of(const reader *r, const yaml_mark_t *mark)
{
    return (gs_doc_place){r->builder.name, (int)mark->line + 1, (int)mark->column + 1};
}

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xc0u) != 0x80u;
}

/* The byte offset of a mark. */
static size_t byte_offset(reader *r, const yaml_mark_t *mark)
{
    while (r->at_char < mark->index && r->at_byte < r->len) {
        do {
            r->at_byte++;
        } while (r->at_byte < r->len && !starts_character(r->data[r->at_byte]));
        r->at_char++;
    }
    while (r->at_char > mark->index) {
        do {
            r->at_byte--;
        } while (!starts_character(r->data[r->at_byte]));
        r->at_char--;
    }
    return r->at_byte;
}

/* An event begins with its anchor and tag; where the value itself begins. */
static size_t skip_properties(const char *data, size_t start, size_t end)
{
    while (start < end && (data[start] == '&' || data[start] == '!')) {
        while (start < end && !strchr(" \t\r\n", data[start])) {
            start++;
        }
        while (start < end && strchr(" \t\r\n#", data[start])) {
            if (data[start] == '#') {
                while (start < end && data[start] != '\n' && data[start] != '\r') {
                    start++;
                }
            } else {
                start++;
            }
        }
    }
    return start;
}

static void set_span(reader *r, gs_node *node, const yaml_event_t *event)
{
    size_t start = byte_offset(r, &event->start_mark);
    size_t end = byte_offset(r, &event->end_mark);
    if (event->data.scalar.anchor || event->data.scalar.tag) {
        start = skip_properties(r->data, start, end);
    }
    yaml_scalar_style_t style = event->data.scalar.style;
    if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE) {
        /* The line break that ends a block, and empty lines behind it, belong to what follows. */
        while (end > start && strchr(" \t\r\n", r->data[end - 1])) {
            end--;
        }
    }
    node->offset = start;
    node->length = end - start;
}

/* Anchors and aliases ----------------------------------------------------------------------------- */

/* A configuration may hold secrets, and an unquoted one may look like an anchor, alias or tag: refusing one does not repeat it. */
static int remember_anchor(reader *r, const yaml_char_t *name, const gs_node *node, const yaml_mark_t *mark, gs_error *err)
{
    if (!name) {
        return 0;
    }
    if (!r->rules.manifest) {
        gs_doc_fail(place_of(r, mark), err, GS_ESPEC, "an anchor (&) is not allowed in this file");
        return gs_error_hint(err, "write the value out where it is needed");
    }
    if (r->anchor_count == GS_MAX_DOC_ALIASES) {
        return gs_doc_fail(place_of(r, mark), err, GS_ELIMIT, "the file has more than %u anchors", GS_MAX_DOC_ALIASES);
    }
    char *copy = gs_arena_text(r->builder.arena, (const char *)name);
    if (!copy) {
        return gs_fail_nomem(err);
    }
    r->anchors[r->anchor_count++] = (anchor){.name = copy, .node = node};
    return 0;
}

/* The newest anchor of that name; the same name may be given again. */
static const gs_node *find_anchor(const reader *r, const char *name)
{
    for (size_t i = r->anchor_count; i > 0; i--) {
        if (strcmp(r->anchors[i - 1].name, name) == 0) {
            return r->anchors[i - 1].node;
        }
    }
    return NULL;
}

static bool is_open(const reader *r, const gs_node *node)
{
    for (size_t i = 0; i < r->builder.depth; i++) {
        if (r->builder.stack[i].node == node) {
            return true;
        }
    }
    return false;
}

static int on_alias(reader *r, const yaml_event_t *event, gs_error *err)
{
    const char *name = (const char *)event->data.alias.anchor;
    const yaml_mark_t *mark = &event->start_mark;
    if (!r->rules.manifest) {
        gs_doc_fail(place_of(r, mark), err, GS_ESPEC, "an alias (*) is not allowed in this file");
        return gs_error_hint(err, "write the value out; if a text begins with *, quote it");
    }
    if (++r->aliases > GS_MAX_DOC_ALIASES) {
        return gs_doc_fail(place_of(r, mark), err, GS_ELIMIT, "the file has more than %u aliases", GS_MAX_DOC_ALIASES);
    }
    const gs_node *node = find_anchor(r, name);
    if (!node) {
        return gs_doc_fail(place_of(r, mark), err, GS_ESPEC, "the alias *%s has no anchor &%s before it", name, name);
    }
    if (is_open(r, node)) {
        return gs_doc_fail(place_of(r, mark), err, GS_ESPEC, "the alias *%s stands inside the value that it names", name);
    }
    if (gs_doc_builder_wants_key(&r->builder)) {
        return gs_doc_fail(place_of(r, mark), err, GS_ESPEC, "the alias *%s stands where a key is due", name);
    }
    gs_node *copy = gs_doc_builder_copy(&r->builder, node, err);
    return copy ? gs_doc_builder_value(&r->builder, copy, err) : err->code;
}

/* Scalars ----------------------------------------------------------------------------------------- */

/* Tags of YAML's core schema that say what an untagged value would be anyway. */
static int check_tag(const reader *r, const yaml_char_t *tag, const char *const *allowed, const yaml_mark_t *mark, gs_error *err)
{
    const char *text = (const char *)tag;
    if (!text) {
        return 0;
    }
    if (!r->rules.manifest) {
        gs_doc_fail(place_of(r, mark), err, GS_ESPEC, "a tag (!) is not allowed in this file");
        return gs_error_hint(err, "leave it out; if a text begins with !, quote it");
    }
    for (; *allowed; allowed++) {
        if (strcmp(text, *allowed) == 0) {
            return 0;
        }
    }
    return gs_doc_fail(place_of(r, mark), err, GS_ESPEC, "the tag %s is not known here", text);
}

static int apply_scalar_tag(const reader *r, gs_node *node, const yaml_event_t *event, gs_error *err)
{
    static const char *const core[] = {"!", YAML_STR_TAG, YAML_INT_TAG, YAML_FLOAT_TAG, YAML_BOOL_TAG, YAML_NULL_TAG, NULL};
    static const struct {
        const char *tag;
        gs_node_kind kind;
    } kinds[] = {
        {YAML_INT_TAG, GS_NODE_INT}, {YAML_FLOAT_TAG, GS_NODE_FLOAT}, {YAML_BOOL_TAG, GS_NODE_BOOL}, {YAML_NULL_TAG, GS_NODE_NULL}};
    const char *tag = (const char *)event->data.scalar.tag;
    int code = check_tag(r, event->data.scalar.tag, core, &event->start_mark, err);
    if (code < 0 || !tag) {
        return code;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(tag, kinds[i].tag) != 0) {
            continue;
        }
        gs_scalar_resolve(node);
        if (node->kind != kinds[i].kind && !(node->kind == GS_NODE_INT && kinds[i].kind == GS_NODE_FLOAT)) {
            return gs_doc_fail(place_of(r, &event->start_mark), err, GS_ESPEC, "\"%s\" is not what its tag %s says", node->text,
                               tag);
        }
    }
    return 0;
}

static gs_node *new_scalar(reader *r, const yaml_event_t *event, gs_error *err)
{
    const yaml_mark_t *mark = &event->start_mark;
    const char *value = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    gs_node *node = gs_doc_builder_node(&r->builder, GS_NODE_TEXT, (int)mark->line + 1, (int)mark->column + 1, err);
    if (!node) {
        return NULL;
    }
    if (memchr(value, '\0', len)) {
        (void)gs_doc_fail(place_of(r, mark), err, GS_ESPEC, "the text has the escape \\0, a NUL character");
        return NULL;
    }
    node->text = gs_arena_copy(r->builder.arena, value, len);
    if (!node->text) {
        (void)gs_fail_nomem(err);
        return NULL;
    }
    node->text_len = len;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    set_span(r, node, event);
    if (!node->quoted && !event->data.scalar.tag) {
        gs_scalar_resolve(node);
    }
    return apply_scalar_tag(r, node, event, err) == 0 ? node : NULL;
}

/* A plain key that is a number or boolean: its JSON text, as Kubernetes converts it. */
static int on_typed_key(reader *r, gs_node *node, const yaml_event_t *event, gs_error *err)
{
    const char *text = node->text;
    if (!r->rules.manifest) {
        return 0;
    }
    if (node->kind == GS_NODE_NULL) {
        return gs_doc_fail(place_of(r, &event->start_mark), err, GS_ESPEC, "a key is empty or null");
    }
    if (node->kind == GS_NODE_BOOL) {
        text = node->integer ? "true" : "false";
    } else if (node->kind == GS_NODE_INT) {
        text = gs_arena_printf(r->builder.arena, "%lld", (long long)node->integer);
    }
    node->text = text;
    return text ? 0 : gs_fail_nomem(err);
}

static int on_key(reader *r, gs_node *node, const yaml_event_t *event, gs_error *err)
{
    bool merge = !node->quoted && !event->data.scalar.tag && strcmp(node->text, "<<") == 0;
    if (merge && r->rules.manifest) {
        return gs_doc_builder_merge_key(&r->builder, node->line, node->column, err);
    }
    if (merge) {
        gs_doc_fail(place_of(r, &event->start_mark), err, GS_ESPEC, "the merge key << is not allowed in this file");
        return gs_error_hint(err, "write the keys out");
    }
    int code = on_typed_key(r, node, event, err);
    if (code == 0) {
        gs_doc_builder_key(&r->builder, node->text, node->line, node->column);
    }
    return code;
}

static int on_scalar(reader *r, const yaml_event_t *event, gs_error *err)
{
    gs_node *node = new_scalar(r, event, err);
    if (!node) {
        return err->code;
    }
    int code = remember_anchor(r, event->data.scalar.anchor, node, &event->start_mark, err);
    if (code < 0) {
        return code;
    }
    return gs_doc_builder_wants_key(&r->builder) ? on_key(r, node, event, err) : gs_doc_builder_value(&r->builder, node, err);
}

/* Everything else --------------------------------------------------------------------------------- */

static int on_open(reader *r, gs_node_kind kind, const yaml_char_t *tag, const yaml_char_t *name, const yaml_mark_t *mark,
                   gs_error *err)
{
    static const char *const list_tags[] = {YAML_SEQ_TAG, NULL};
    static const char *const map_tags[] = {YAML_MAP_TAG, NULL};
    if (gs_doc_builder_wants_key(&r->builder)) {
        return gs_doc_fail(place_of(r, mark), err, GS_ESPEC, "a %s stands where a key is due",
                           kind == GS_NODE_LIST ? "list" : "map");
    }
    int code = check_tag(r, tag, kind == GS_NODE_LIST ? list_tags : map_tags, mark, err);
    if (code < 0) {
        return code;
    }
    gs_node *node = gs_doc_builder_node(&r->builder, kind, (int)mark->line + 1, (int)mark->column + 1, err);
    if (!node) {
        return err->code;
    }
    code = remember_anchor(r, name, node, mark, err);
    return code < 0 ? code : gs_doc_builder_open(&r->builder, node, err);
}

static int on_document(reader *r, const yaml_event_t *event, gs_error *err)
{
    r->anchor_count = 0;
    r->builder.root = NULL;
    if (++r->documents > GS_MAX_DOC_DOCUMENTS) {
        return gs_doc_fail(place_of(r, &event->start_mark), err, GS_ELIMIT, "the file has more than %u documents",
                           GS_MAX_DOC_DOCUMENTS);
    }
    if (r->documents > 1 && !r->rules.many) {
        gs_doc_fail(place_of(r, &event->start_mark), err, GS_ESPEC, "a second document begins here; this file may have one");
        return gs_error_hint(err, "remove this --- and what follows, or keep it in a file of its own");
    }
    return 0;
}

static int on_document_end(reader *r, gs_error *err)
{
    gs_node *root = r->builder.root;
    if (r->rules.many && root && root->kind != GS_NODE_NULL && !gs_node_push_item(r->builder.arena, r->stream, root)) {
        return gs_fail_nomem(err);
    }
    return 0;
}

static int on_event(reader *r, const yaml_event_t *event, gs_error *err)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(r, event, err);
    case YAML_DOCUMENT_END_EVENT:
        return on_document_end(r, err);
    case YAML_ALIAS_EVENT:
        return on_alias(r, event, err);
    case YAML_SCALAR_EVENT:
        return on_scalar(r, event, err);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(r, GS_NODE_LIST, event->data.sequence_start.tag, event->data.sequence_start.anchor, &event->start_mark, err);
    case YAML_MAPPING_START_EVENT:
        return on_open(r, GS_NODE_MAP, event->data.mapping_start.tag, event->data.mapping_start.anchor, &event->start_mark, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return gs_doc_builder_close(&r->builder, err);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
        break;
    }
    return 0;
}

/* libyaml's own words, which people can search for, with the one hint that is needed most. */
static int fail_parser(reader *r, const yaml_parser_t *parser, gs_error *err)
{
    yaml_mark_t mark = parser->problem_mark;
    if (parser->error == YAML_MEMORY_ERROR) {
        return gs_fail_nomem(err);
    }
    if (parser->error == YAML_READER_ERROR) {
        gs_doc_cursor place = gs_doc_cursor_at_start(r->data, r->len);
        gs_doc_cursor_forward(&place, r->bom + parser->problem_offset);
        return gs_doc_fail((gs_doc_place){r->builder.name, place.line, place.column}, err, GS_ESPEC, "%s", parser->problem);
    }
    if (parser->context && parser->context_mark.line != mark.line) {
        gs_doc_fail(place_of(r, &mark), err, GS_ESPEC, "%s %s that begins at line %zu", parser->problem, parser->context,
                    parser->context_mark.line + 1);
    } else {
        gs_doc_fail(place_of(r, &mark), err, GS_ESPEC, "%s%s%s", parser->problem, parser->context ? " " : "",
                    parser->context ? parser->context : "");
    }
    size_t offset = byte_offset(r, &mark);
    if (offset < r->len && r->data[offset] == '\t') {
        return gs_error_hint(err, "a tab stands here; YAML is indented with spaces");
    }
    return GS_ESPEC;
}

static int read_events(reader *r, yaml_parser_t *parser, gs_error *err)
{
    int code = 0;
    for (bool done = false; !done && code == 0;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            return fail_parser(r, parser, err);
        }
        code = on_event(r, &event, err);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return code;
}

int gs_yaml_parse(gs_doc *doc, gs_yaml_rules rules, const char *data, size_t len, gs_error *err)
{
    size_t bom = gs_doc_bom(data, len);
    reader *r = gs_arena_alloc(doc->arena, sizeof *r);
    yaml_parser_t parser;
    if (!r || !yaml_parser_initialize(&parser)) {
        return gs_fail_nomem(err);
    }
    r->builder.arena = doc->arena;
    r->builder.name = doc->name;
    r->rules = rules;
    r->data = data;
    r->len = len;
    r->at_byte = bom;
    r->bom = bom;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)data + bom, len - bom);
    r->stream = rules.many ? gs_node_new_list(doc->arena) : NULL;
    int code = rules.many && !r->stream ? gs_fail_nomem(err) : read_events(r, &parser, err);
    yaml_parser_delete(&parser);
    if (code < 0) {
        return code;
    }
    doc->root = rules.many ? r->stream : r->builder.root;
    return 0;
}
