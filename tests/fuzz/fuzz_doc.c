/* YAML from outside, in every dialect: no crash, no leak, every span inside the input, and what is read can be written. */
#include <stdlib.h>

#include "gapship/doc.h"
#include "gapship/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_spans(const gs_node *node, size_t size)
{
    if (node->offset > size || node->length > size - node->offset)
        abort();
    for (size_t i = 0; i < node->count; i++)
        check_spans(node->kind == GS_NODE_LIST ? node->items[i] : node->pairs[i].value, size);
}

static void check_doc(gs_doc *doc, size_t size)
{
    gs_error err = {0};
    gs_buf json;
    gs_buf_init(&json, GS_MIB(64));
    check_spans(doc->root, size);
    if (gs_node_write_json(doc->root, GS_JSON_SORTED, &json, &err) == 0) {
        gs_doc *again = NULL;
        if (gs_doc_parse(GS_JSON, "again", json.data, json.len, &again, &err) < 0 && err.code != GS_ELIMIT)
            abort();
        gs_doc_free(again);
    }
    gs_buf_done(&json);
    gs_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_doc *doc = NULL;
    const char *text = (const char *)data;
    if (gs_doc_parse(GS_CONFIGURATION, "fuzz", text, size, &doc, &err) == 0)
        check_doc(doc, size);
    doc = NULL;
    if (gs_doc_parse_manifests("fuzz", text, size, &doc, &err) == 0)
        check_doc(doc, size);
    return 0;
}
