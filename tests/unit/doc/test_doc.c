/* Parsing as callers see it: dialects, empty inputs, streams of manifests, ownership. */
#include "doc_support.h"

static void the_three_dialects_agree_on_json(void **state)
{
    (void)state;
    const char *json = "{\"a\":[1,true,null,\"x\"],\"b\":{\"c\":2.50}}";
    assert_parses(GS_CONFIGURATION, json, json);
    assert_parses(GS_MANIFEST, json, json);
    assert_parses(GS_JSON, json, json);
}

static void an_empty_file_is_an_error_only_where_a_value_is_due(void **state)
{
    (void)state;
    static const char *const empty[] = {"", "\n\n", "# only a comment\n"};
    for (size_t i = 0; i < COUNT_OF(empty); i++) {
        const bad_input configuration = {.text = empty[i], .where = "in.yaml", .message = "the file is empty"};
        assert_refused(GS_CONFIGURATION, &configuration);
        assert_parses(GS_MANIFEST, empty[i], "null");
    }
    const bad_input json = {.text = " \n", .where = "in.yaml:2:1", .message = "the JSON text ends too early: a value is due"};
    assert_refused(GS_JSON, &json);
}

static void parse_stream(const char *text, const char *json)
{
    gs_doc *doc = NULL;
    gs_error err = {0};
    assert_ok(&err, gs_doc_parse_manifests("in.yaml", text, strlen(text), &doc, &err));
    assert_json(doc->root, json);
    gs_doc_free(doc);
}

static void a_stream_is_the_list_of_its_documents_that_are_not_empty(void **state)
{
    (void)state;
    parse_stream("", "[]");
    parse_stream("---\n# nothing\n---\n", "[]");
    parse_stream("---\n# Source: a/b.yaml\nkind: A\n---\n\n---\n~\n---\nkind: B\n...\n", "[{\"kind\":\"A\"},{\"kind\":\"B\"}]");
    parse_stream("- 1\n---\ntext\n", "[[1],\"text\"]");
}

static void anchors_end_with_their_document(void **state)
{
    (void)state;
    const char *text = "a: &x 1\n---\nb: *x\n";
    gs_doc *doc = NULL;
    gs_error err = {0};
    assert_fails(&err, GS_ESPEC, "the alias *x has no anchor &x before it",
                 gs_doc_parse_manifests("in.yaml", text, strlen(text), &doc, &err));
    assert_null(doc);
}

static void a_stream_has_a_bounded_number_of_documents(void **state)
{
    (void)state;
    gs_buf text;
    gs_buf_init(&text, 100000);
    for (int i = 0; i < 10001; i++) {
        gs_buf_add_text(&text, "--- 1\n");
    }
    gs_doc *doc = NULL;
    gs_error err = {0};
    assert_fails(&err, GS_ELIMIT, "in.yaml:10001:1", gs_doc_parse_manifests("in.yaml", gs_buf_text(&text), text.len, &doc, &err));
    gs_buf_done(&text);
}

static void freeing_nothing_is_fine(void **state)
{
    (void)state;
    gs_doc_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_dialects_agree_on_json),
        cmocka_unit_test(an_empty_file_is_an_error_only_where_a_value_is_due),
        cmocka_unit_test(a_stream_is_the_list_of_its_documents_that_are_not_empty),
        cmocka_unit_test(anchors_end_with_their_document),
        cmocka_unit_test(a_stream_has_a_bounded_number_of_documents),
        cmocka_unit_test(freeing_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
