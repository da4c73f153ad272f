/* The JSON that gapship writes. */
#include "doc_support.h"

static void assert_written(const gs_node *node, int flags, const char *json)
{
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, 4096);
    assert_ok(&err, gs_node_write_json(node, flags, &out, &err));
    assert_string_equal(gs_buf_text(&out), json);
    gs_buf_done(&out);
}

static void layout_and_order_are_as_asked(void **state)
{
    (void)state;
    gs_doc *doc = parsed(GS_MANIFEST, "b: [1, {}]\na: {d: [], c: x}\n");
    assert_written(doc->root, GS_JSON_COMPACT, "{\"b\":[1,{}],\"a\":{\"d\":[],\"c\":\"x\"}}");
    assert_written(doc->root, GS_JSON_SORTED, "{\"a\":{\"c\":\"x\",\"d\":[]},\"b\":[1,{}]}");
    assert_written(doc->root, GS_JSON_PRETTY,
                   "{\n  \"b\": [\n    1,\n    {}\n  ],\n  \"a\": {\n    \"d\": [],\n    \"c\": \"x\"\n  }\n}\n");
    assert_written(doc->root->pairs[0].value, GS_JSON_PRETTY | GS_JSON_SORTED, "[\n  1,\n  {}\n]\n");
    gs_doc_free(doc);
}

static void text_is_always_quoted_and_escaped(void **state)
{
    (void)state;
    gs_arena *arena = gs_arena_new();
    assert_written(gs_node_new_text(arena, "12"), 0, "\"12\"");
    assert_written(gs_node_new_text(arena, "null"), 0, "\"null\"");
    assert_written(gs_node_new_text(arena, "\"\\\n\x01é/"), 0, "\"\\\"\\\\\\n\\u0001é/\"");
    assert_written(gs_node_set_text(arena, gs_node_new_map(arena), "a\"b", ""), 0, "{\"a\\\"b\":\"\"}");
    gs_arena_free(arena);
}

static void what_was_written_reads_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"a\":[1,2.50,-1e5,\"x\\u0001\\u2028\",null,true],\"é\":{\"\":[[[]]]}}",
        "[18446744073709551615,1.000000000000000000000000000000000001]",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        gs_doc *first = parsed(GS_JSON, texts[i]);
        gs_error err = {0};
        gs_buf out;
        gs_buf_init(&out, 4096);
        assert_ok(&err, gs_node_write_json(first->root, GS_JSON_PRETTY, &out, &err));
        gs_doc *again = parsed(GS_JSON, gs_buf_text(&out));
        assert_true(gs_node_equal(first->root, again->root));
        gs_doc_free(again);
        again = parsed(GS_CONFIGURATION, gs_buf_text(&out));
        assert_true(gs_node_equal(first->root, again->root));
        gs_doc_free(again);
        gs_doc_free(first);
        gs_buf_done(&out);
    }
}

static void a_long_number_from_json_keeps_its_digits(void **state)
{
    (void)state;
    char digits[1001];
    memset(digits, '3', 1000);
    digits[1] = '.';
    digits[1000] = '\0';
    assert_parses(GS_JSON, digits, digits);
}

static void a_full_buffer_and_a_bottomless_tree_are_errors(void **state)
{
    (void)state;
    gs_arena *arena = gs_arena_new();
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, 4);
    assert_fails(&err, GS_ELIMIT, NULL, gs_node_write_json(gs_node_new_text(arena, "too long"), 0, &out, &err));
    gs_buf_done(&out);
    gs_node *node = gs_node_new_list(arena);
    for (int i = 0; i < 200; i++) {
        node = gs_node_append(arena, gs_node_new_list(arena), node);
    }
    gs_buf_init(&out, 4096);
    assert_fails(&err, GS_ELIMIT, "nested more than 128 deep", gs_node_write_json(node, 0, &out, &err));
    gs_buf_done(&out);
    gs_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_and_order_are_as_asked),
        cmocka_unit_test(text_is_always_quoted_and_escaped),
        cmocka_unit_test(what_was_written_reads_the_same),
        cmocka_unit_test(a_long_number_from_json_keeps_its_digits),
        cmocka_unit_test(a_full_buffer_and_a_bottomless_tree_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
