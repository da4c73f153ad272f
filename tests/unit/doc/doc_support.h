/* Shared by the tests of src/doc: parsing literals, comparing a tree's JSON, and exact errors. */
#ifndef GAPSHIP_TEST_DOC_SUPPORT_H
#define GAPSHIP_TEST_DOC_SUPPORT_H

#include "support.h"

#include <string.h>

#include "gapship/doc.h"

static inline gs_doc *parsed(gs_dialect dialect, const char *text)
{
    gs_doc *doc = NULL;
    gs_error err = {0};
    assert_ok(&err, gs_doc_parse(dialect, "in.yaml", text, strlen(text), &doc, &err));
    return doc;
}

static inline void assert_json(const gs_node *node, const char *json)
{
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, (size_t)16 << 20);
    assert_ok(&err, gs_node_write_json(node, GS_JSON_COMPACT, &out, &err));
    assert_string_equal(gs_buf_text(&out), json);
    gs_buf_done(&out);
}

/* The text parses to this JSON. */
static inline void assert_parses(gs_dialect dialect, const char *text, const char *json)
{
    gs_doc *doc = parsed(dialect, text);
    assert_json(doc->root, json);
    gs_doc_free(doc);
}

static inline void assert_refused(gs_dialect dialect, const bad_input *bad)
{
    gs_doc *doc = NULL;
    gs_error err = {0};
    size_t len = bad->len ? bad->len : strlen(bad->text);
    int rc = gs_doc_parse(dialect, "in.yaml", bad->text, len, &doc, &err);
    support_assert_refused(bad, rc, &err);
    assert_null(doc);
    assert_int_equal(gs_doc_parse(dialect, "in.yaml", bad->text, len, &doc, NULL), rc);
}

#endif
