/* YAML from outside, in every dialect: every span lies inside the input, and what is read is written as JSON, which reads and is written
 * as the same again. */
#include <string.h>

#include "fuzz.h"
#include "gapship/doc.h"
#include "gapship/limits.h"

static void check_spans(const gs_node *node, size_t size)
{
    check(node->offset <= size && node->length <= size - node->offset);
    for (size_t i = 0; i < node->count; i++) {
        check_spans(node->kind == GS_NODE_LIST ? node->items[i] : node->pairs[i].value, size);
    }
}

static void check_doc(gs_doc *doc, size_t size)
{
    gs_error err = {0};
    gs_doc *again = NULL;
    gs_buf first;
    gs_buf second;
    gs_buf_init(&first, GS_MIB(64));
    gs_buf_init(&second, GS_MIB(64));
    check_spans(doc->root, size);
    if (gs_node_write_json(doc->root, GS_JSON_SORTED, &first, &err) == 0) {
        int code = gs_doc_parse(GS_JSON, "again", first.data, first.len, &again, &err);
        check(code == 0 || code == GS_ELIMIT);
        if (code == 0) {
            check(gs_node_write_json(again->root, GS_JSON_SORTED, &second, &err) == 0);
            check(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
        }
        gs_doc_free(again);
    }
    gs_buf_done(&first);
    gs_buf_done(&second);
    gs_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_doc *doc = NULL;
    const char *text = (const char *)data;
    if (gs_doc_parse(GS_CONFIGURATION, "fuzz", text, size, &doc, &err) == 0) {
        check_doc(doc, size);
    }
    doc = NULL;
    if (gs_doc_parse_manifests("fuzz", text, size, &doc, &err) == 0) {
        check_doc(doc, size);
    }
    return 0;
}
