/* JSON from outside: what was read is written and read again as the same tree. */
#include "fuzz.h"
#include "gapship/doc.h"
#include "gapship/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gs_error err = {0};
    gs_doc *doc = NULL;
    gs_doc *again = NULL;
    if (gs_doc_parse(GS_JSON, "fuzz", (const char *)data, size, &doc, &err) < 0) {
        return 0;
    }
    gs_buf json;
    gs_buf_init(&json, GS_MIB(64));
    check(gs_node_write_json(doc->root, GS_JSON_PRETTY, &json, &err) == 0);
    check(gs_doc_parse(GS_JSON, "again", json.data, json.len, &again, &err) == 0);
    check(gs_node_equal(doc->root, again->root));
    gs_buf_done(&json);
    gs_doc_free(again);
    gs_doc_free(doc);
    return 0;
}
