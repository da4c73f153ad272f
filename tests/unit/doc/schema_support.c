/* A walk through a binder table and a JSON Schema side by side. */
#include "schema_support.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "gapship/doc.h"
#include "gapship/text.h"

typedef struct comparison {
    const gs_node *schema; /* the whole file */
    const gs_bind_table *table;
    const char *key;
} comparison;

static void fail_at(const comparison *c, const char *what)
{
    fail_msg("%s: \"%s\": %s", c->table->name, c->key ? c->key : "", what);
}

static void check(const comparison *c, bool holds, const char *what)
{
    if (!holds) {
        fail_at(c, what);
    }
}

/* The name in "#/$defs/name", or NULL. */
static const char *definition_name(const gs_node *node)
{
    static const char prefix[] = "#/$defs/";
    const char *ref = gs_node_text(node, "$ref");
    return ref && gs_text_starts(ref, prefix) ? ref + strlen(prefix) : NULL;
}

static const gs_node *definition(const gs_node *schema, const char *name)
{
    return gs_node_get(gs_node_get(schema, "$defs"), name);
}

/* A keyword of the node, or of what it refers to. */
static const gs_node *keyword(const comparison *c, const gs_node *node, const char *key)
{
    const gs_node *own = gs_node_get(node, key);
    const char *name = definition_name(node);
    if (own || !name) {
        return own;
    }
    check(c, definition(c->schema, name) != NULL, "a $ref leads nowhere");
    return gs_node_get(definition(c->schema, name), key);
}

static bool has_type(const comparison *c, const gs_node *node, const char *type)
{
    const gs_node *found = keyword(c, node, "type");
    return found && found->kind == GS_NODE_TEXT && strcmp(found->text, type) == 0;
}

static bool lists(const gs_node *list, const char *text)
{
    for (size_t i = 0; list && i < list->count; i++) {
        if (gs_text_equal(list->items[i]->text, text)) {
            return true;
        }
    }
    return false;
}

/* What wholeX adds to the required keys of x. */
static const gs_node *required_of_whole(const comparison *c, const gs_node *node)
{
    const char *name = definition_name(node);
    char whole[80];
    if (!name) {
        return NULL;
    }
    (void)snprintf(whole, sizeof whole, "whole%c%s", toupper((unsigned char)*name), name + 1);
    return gs_node_get(definition(c->schema, whole), "required");
}

static void compare_object(comparison c, const gs_node *node);

static void compare_choices(const comparison *c, const gs_bind_field *field, const gs_node *node)
{
    const gs_node *values = keyword(c, node, "enum");
    size_t count = 0;
    for (; field->choices[count]; count++) {
        check(c, lists(values, field->choices[count]), "a choice is missing in enum");
    }
    check(c, values && values->count == count, "enum has more than the choices");
}

static void compare_default(const comparison *c, const gs_bind_field *field, const gs_node *node)
{
    const gs_node *found = gs_node_get(node, "default");
    check(c, (found != NULL) == (field->otherwise != NULL), "the default is only on one side");
    if (found) {
        check(c, gs_text_equal(found->text, field->otherwise), "the defaults differ");
    }
}

static void compare_value(const comparison *c, const gs_bind_field *field, const gs_node *node)
{
    const gs_node *items = keyword(c, node, "items"), *values = keyword(c, node, "additionalProperties");
    const comparison below = {.schema = c->schema, .table = field->table};
    switch (field->kind) {
    case GS_BIND_TEXT:
        check(c, has_type(c, node, "string"), "is no string");
        break;
    case GS_BIND_SCALAR:
        check(c, lists(keyword(c, node, "type"), "string") && lists(keyword(c, node, "type"), "number"), "is no scalar");
        break;
    case GS_BIND_INTEGER:
        check(c, has_type(c, node, "integer"), "is no integer");
        break;
    case GS_BIND_BOOL:
        check(c, has_type(c, node, "boolean"), "is no boolean");
        break;
    case GS_BIND_DURATION:
        check(c, gs_text_equal(definition_name(node), "duration"), "is no duration");
        break;
    case GS_BIND_CHOICE:
        compare_choices(c, field, node);
        break;
    case GS_BIND_TEXT_LIST:
        check(c, has_type(c, node, "array") && items && has_type(c, items, "string"), "is no list of strings");
        break;
    case GS_BIND_TEXT_MAP:
        check(c, has_type(c, node, "object") && values && has_type(c, values, "string"), "is no map of strings");
        break;
    case GS_BIND_STRUCT:
    case GS_BIND_STRUCT_PTR:
        compare_object(below, node);
        break;
    case GS_BIND_STRUCT_LIST:
        check(c, has_type(c, node, "array") && items, "is no list");
        compare_object(below, items);
        break;
    case GS_BIND_STRUCT_MAP:
        check(c, has_type(c, node, "object") && values && values->kind == GS_NODE_MAP, "is no map of maps");
        compare_object(below, values);
        break;
    case GS_BIND_NODE:
    case GS_BIND_KEY:
    case GS_BIND_PLACE:
        break;
    }
}

static void compare_object(comparison c, const gs_node *node)
{
    const gs_node *properties = keyword(&c, node, "properties"), *closed = keyword(&c, node, "additionalProperties");
    const gs_node *required = keyword(&c, node, "required"), *required_whole = required_of_whole(&c, node);
    size_t count = 0, required_count = 0;
    check(&c, has_type(&c, node, "object"), "is no object");
    check(&c, closed && closed->kind == GS_NODE_BOOL && !closed->integer, "takes unknown keys");
    for (size_t i = 0; i < c.table->field_count; i++) {
        const gs_bind_field *field = &c.table->fields[i];
        if (!field->key || field->kind == GS_BIND_KEY) {
            continue;
        }
        c.key = field->key;
        const gs_node *property = gs_node_get(properties, field->key);
        check(&c, property != NULL, "is missing in the schema");
        const char *description = property ? gs_node_text(property, "description") : NULL;
        check(&c, description && *description, "has no description");
        check(&c, field->required == (lists(required, field->key) || lists(required_whole, field->key)),
              "is required on one side only");
        compare_default(&c, field, property);
        compare_value(&c, field, property);
        count++;
        required_count += field->required;
    }
    c.key = NULL;
    check(&c, properties && properties->count == count, "the schema has more keys than the table");
    check(&c, (required ? required->count : 0) + (required_whole ? required_whole->count : 0) == required_count,
          "required names more");
}

static gs_doc *read_schema(const char *path)
{
    gs_error err = {0};
    gs_doc *doc = NULL;
    gs_buf text;
    support_read_fixture(path, &text);
    assert_ok(&err, gs_doc_parse(GS_JSON, path, text.data, text.len, &doc, &err));
    gs_buf_done(&text);
    return doc;
}

void schema_assert_matches(const char *path, const gs_bind_table *table)
{
    gs_doc *doc = read_schema(path);
    assert_string_equal(gs_node_text(doc->root, "$schema"), "https://json-schema.org/draft/2020-12/schema");
    compare_object((comparison){.schema = doc->root, .table = table}, doc->root);
    gs_doc_free(doc);
}

static void assert_keys_explained(const char *prose, const gs_bind_table *table)
{
    for (size_t i = 0; i < table->field_count; i++) {
        const gs_bind_field *field = &table->fields[i];
        char quoted[80];
        if (!field->key || field->kind == GS_BIND_KEY) {
            continue;
        }
        (void)snprintf(quoted, sizeof quoted, "`%s`", field->key);
        if (!strstr(prose, quoted)) {
            fail_msg("%s: the key %s is not explained", table->name, quoted);
        }
        if (field->table) {
            assert_keys_explained(prose, field->table);
        }
    }
}

void schema_assert_explained(const char *path, const gs_bind_table *table)
{
    gs_buf text;
    support_read_fixture(path, &text);
    assert_keys_explained(gs_buf_text(&text), table);
    gs_buf_done(&text);
}
