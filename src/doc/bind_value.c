/* Scalars of the binder, as values: one reading of what a node says, used for what was written and for the tables' defaults.
 * Must not know about structs. */
#include "bind_internal.h"

#include <string.h>

#include "doc_internal.h"
#include "gapship/num.h"

static bool find_choice(const char *const *choices, const char *text, int64_t *out)
{
    for (int64_t i = 0; choices[i]; i++) {
        if (strcmp(choices[i], text) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool gs_bind_value(const gs_bind_field *field, const gs_node *node, int64_t *out)
{
    switch (field->kind) {
    case GS_BIND_INTEGER:
    case GS_BIND_BOOL:
        if (node->kind != (field->kind == GS_BIND_BOOL ? GS_NODE_BOOL : GS_NODE_INT)) {
            return false;
        }
        *out = node->integer;
        return true;
    case GS_BIND_DURATION:
        return node->kind == GS_NODE_TEXT && gs_parse_duration(node->text, out);
    case GS_BIND_CHOICE:
        return node->kind == GS_NODE_TEXT && find_choice(field->choices, node->text, out);
    default:
        return false;
    }
}

bool gs_bind_default(const gs_bind_field *field, int64_t *out)
{
    gs_node node = {.kind = GS_NODE_TEXT, .text = field->otherwise};
    *out = 0;
    if (!field->otherwise) {
        return true;
    }
    node.text_len = strlen(node.text);
    if (field->kind == GS_BIND_INTEGER || field->kind == GS_BIND_BOOL) {
        gs_scalar_resolve(&node);
    }
    return gs_bind_value(field, &node, out);
}
