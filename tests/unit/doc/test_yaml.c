/* YAML: places and spans of every kind of scalar, what configurations refuse, what manifests may have, syntax errors. */
#include "doc_support.h"

static const char kustomization[] = "# which images this overlay runs\n"
                                    "resources: [../base]   # relative\n"
                                    "images:\n"
                                    "- name: backend        # as the base writes it\n"
                                    "  newName: registry.example/äpp/backend # moved\n"
                                    "  newTag: \"1234567\"    # quoted: it is no number\n"
                                    "- name: 'front''end'   # single quotes\n"
                                    "  newTag: v1.2 # plain\n"
                                    "- name: multi\n"
                                    "  newTag: >-   # folded\n"
                                    "    v2\n"
                                    "\n"
                                    "# a comment behind the block\n"
                                    "labels: {a: b, \"c\": d}\n";

static void assert_span(const gs_doc *doc, const char *path, const char *raw, int line, int column)
{
    const gs_node *node = gs_node_at(doc->root, path);
    assert_non_null(node);
    assert_int_equal(node->length, strlen(raw));
    assert_memory_equal(kustomization + node->offset, raw, node->length);
    assert_int_equal(node->line, line);
    assert_int_equal(node->column, column);
}

static void spans_are_the_bytes_an_edit_would_replace(void **state)
{
    (void)state;
    gs_doc *doc = parsed(GS_MANIFEST, kustomization);
    assert_span(doc, "resources/0", "../base", 2, 13);
    assert_span(doc, "images/0/name", "backend", 4, 9);
    assert_span(doc, "images/0/newName", "registry.example/äpp/backend", 5, 12);
    assert_span(doc, "images/0/newTag", "\"1234567\"", 6, 11);
    assert_span(doc, "images/1/name", "'front''end'", 7, 9);
    assert_span(doc, "images/1/newTag", "v1.2", 8, 11);
    assert_span(doc, "images/2/newTag", ">-   # folded\n    v2", 10, 11);
    assert_span(doc, "labels/a", "b", 14, 13);
    assert_span(doc, "labels/c", "d", 14, 21);
    assert_string_equal(gs_node_at(doc->root, "images/2/newTag")->text, "v2");
    gs_doc_free(doc);
}

static void an_edit_by_span_keeps_everything_else(void **state)
{
    (void)state;
    gs_doc *doc = parsed(GS_MANIFEST, kustomization);
    const gs_node *tag = gs_node_at(doc->root, "images/2/newTag");
    gs_buf edited;
    gs_buf_init(&edited, 4096);
    gs_buf_add(&edited, kustomization, tag->offset);
    gs_buf_add_text(&edited, "v3");
    gs_buf_add_text(&edited, kustomization + tag->offset + tag->length);
    assert_contains(gs_buf_text(&edited), "  newTag: v3\n\n# a comment behind the block\nlabels:");
    gs_doc *again = parsed(GS_MANIFEST, gs_buf_text(&edited));
    assert_string_equal(gs_node_at(again->root, "images/2/newTag")->text, "v3");
    assert_string_equal(gs_node_at(again->root, "images/0/newTag")->text, "1234567");
    gs_doc_free(again);
    gs_buf_done(&edited);
    gs_doc_free(doc);
}

static void spans_leave_anchors_tags_and_line_breaks_out(void **state)
{
    (void)state;
    static const struct {
        const char *text, *raw;
    } cases[] = {
        {"a: &t v1 # c\n", "v1"},
        {"a: !!str &t 12\n", "12"},
        {"a: &t # c\n  !!str\n  'x'\n", "'x'"},
        {"a: |\n  x\n  y\n\n\n", "|\n  x\n  y"},
        {"a: |+\n  x\n\n", "|+\n  x"},
        {"a:\r\n  - \"q\"\r\n", NULL},
        {"a:\n", ""},
        {"a: x y z   \n", "x y z"},
        {"a: x\n  y # c\n", "x\n  y"},
        {"a: &t\n", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_doc *doc = parsed(GS_MANIFEST, cases[i].text);
        const gs_node *a = gs_node_get(doc->root, "a");
        const char *raw = cases[i].raw;
        if (!raw) { /* CR LF before it */
            a = a->items[0];
            raw = "\"q\"";
            assert_int_equal(a->line, 2);
            assert_int_equal(a->column, 5);
        }
        if (a->length != strlen(raw)) {
            print_error("%s\n", cases[i].text);
        }
        assert_int_equal(a->length, strlen(raw));
        assert_memory_equal(cases[i].text + a->offset, raw, a->length);
        gs_doc_free(doc);
    }
}

static void scalars_of_every_style_have_their_text(void **state)
{
    (void)state;
    assert_parses(GS_CONFIGURATION, "a: |\n  x\n  y\nb: >\n  x\n  y\nc: 'it''s'\nd: \"\\u00e9\\n\\x41\"\ne: x # c\nf: x#c\n",
                  "{\"a\":\"x\\ny\\n\",\"b\":\"x y\\n\",\"c\":\"it's\",\"d\":\"é\\nA\",\"e\":\"x\",\"f\":\"x#c\"}");
    gs_doc *doc = parsed(GS_CONFIGURATION, "[a, 'b', \"c\"]");
    assert_false(doc->root->items[0]->quoted);
    assert_true(doc->root->items[1]->quoted);
    assert_true(doc->root->items[2]->quoted);
    gs_doc_free(doc);
}

static void keys_have_their_places(void **state)
{
    (void)state;
    gs_doc *doc = parsed(GS_CONFIGURATION, "a:\n  - b: 1\n    \"c d\": 2\n");
    const gs_node *item = gs_node_at(doc->root, "a/0");
    assert_int_equal(item->line, 2);
    assert_int_equal(item->column, 5);
    assert_string_equal(item->pairs[1].key, "c d");
    assert_int_equal(item->pairs[1].line, 3);
    assert_int_equal(item->pairs[1].column, 5);
    gs_doc_free(doc);
}

static const bad_input configuration_refuses[] = {
    {.text = "a: &x 1\n",
     .where = "in.yaml:1:4",
     .message = "an anchor (&) is not allowed in this file",
     .hint = "write the value out where it is needed"},
    {.text = "a: &x\n  b: 1\n",
     .where = "in.yaml:1:4",
     .message = "an anchor (&) is not allowed in this file",
     .hint = "write the value out where it is needed"},
    {.text = "a: *x\n",
     .where = "in.yaml:1:4",
     .message = "an alias (*) is not allowed in this file",
     .hint = "write the value out; if a text begins with *, quote it"},
    {.text = "a: !secret x\n",
     .where = "in.yaml:1:4",
     .message = "a tag (!) is not allowed in this file",
     .hint = "leave it out; if a text begins with !, quote it"},
    {.text = "a: !!str 1\n",
     .where = "in.yaml:1:4",
     .message = "a tag (!) is not allowed in this file",
     .hint = "leave it out; if a text begins with !, quote it"},
    {.text = "a: !!map {}\n",
     .where = "in.yaml:1:4",
     .message = "a tag (!) is not allowed in this file",
     .hint = "leave it out; if a text begins with !, quote it"},
    {.text = "<<: {a: 1}\n",
     .where = "in.yaml:1:1",
     .message = "the merge key << is not allowed in this file",
     .hint = "write the keys out"},
    {.text = "a: 1\n---\nb: 2\n",
     .where = "in.yaml:2:1",
     .message = "a second document begins here; this file may have one",
     .hint = "remove this --- and what follows, or keep it in a file of its own"},
    {.text = "? [a]\n: 1\n", .where = "in.yaml:1:3", .message = "a list stands where a key is due"},
    {.text = "? {a: b}\n: 1\n", .where = "in.yaml:1:3", .message = "a map stands where a key is due"},
    {.text = "a: \"x\\0y\"\n", .where = "in.yaml:1:4", .message = "the text has the escape \\0, a NUL character"},
    {.text = "\"x\\0\": 1\n", .where = "in.yaml:1:1", .message = "the text has the escape \\0, a NUL character"},
};

static void configurations_refuse_what_hides_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(configuration_refuses); i++) {
        assert_refused(GS_CONFIGURATION, &configuration_refuses[i]);
    }
}

static void manifests_take_what_kubernetes_takes(void **state)
{
    (void)state;
    static const char *const good[][2] = {
        {"a: &x 1\nb: *x\n", "{\"a\":1,\"b\":1}"},
        {"a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}"},
        {"a: !!str 12\nb: !!int \"7\"\nc: !!float 3\nd: !!bool 'yes'\ne: !!null ''\nf: ! 12\n",
         "{\"a\":\"12\",\"b\":7,\"c\":3,\"d\":true,\"e\":null,\"f\":\"12\"}"},
        {"!!map {a: !!seq [1]}\n", "{\"a\":[1]}"},
        {"8080: web\nyes: 1\n1.5: 2\n'8': 3\n0x10: 4\n", "{\"8080\":\"web\",\"true\":1,\"1.5\":2,\"8\":3,\"16\":4}"},
        {"? a\n: 1\n", "{\"a\":1}"},
        {"%YAML 1.1\n---\na: 1\n", "{\"a\":1}"},
    };
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_parses(GS_MANIFEST, good[i][0], good[i][1]);
    }
}

static const bad_input manifests_refuse_table[] = {
    {.text = "a: !foo x\n", .where = "in.yaml:1:4", .message = "the tag !foo is not known here"},
    {.text = "a: !!binary aGk=\n", .where = "in.yaml:1:4", .message = "the tag tag:yaml.org,2002:binary is not known here"},
    {.text = "a: !!int x\n", .where = "in.yaml:1:4", .message = "\"x\" is not what its tag tag:yaml.org,2002:int says"},
    {.text = "a: !!map [1]\n", .where = "in.yaml:1:4", .message = "the tag tag:yaml.org,2002:map is not known here"},
    {.text = "a: *x\n", .where = "in.yaml:1:4", .message = "the alias *x has no anchor &x before it"},
    {.text = "a: &x\n  b: *x\n", .where = "in.yaml:2:6", .message = "the alias *x stands inside the value that it names"},
    {.text = "a: &x b\n*x : 1\n", .where = "in.yaml:2:1", .message = "the alias *x stands where a key is due"},
    {.text = "~: 1\n", .where = "in.yaml:1:1", .message = "a key is empty or null"},
    {.text = "? \n: 1\n", .where = "in.yaml:1:2", .message = "a key is empty or null"},
    {.text = "a: 1\n---\nb: 2\n",
     .where = "in.yaml:2:1",
     .message = "a second document begins here; this file may have one",
     .hint = "remove this --- and what follows, or keep it in a file of its own"},
};

static void manifests_refuse_what_nobody_agrees_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(manifests_refuse_table); i++) {
        assert_refused(GS_MANIFEST, &manifests_refuse_table[i]);
    }
}

static const bad_input syntax[] = {
    {.text = "a:\n\tb: 1\n",
     .where = "in.yaml:2:1",
     .message = "found character that cannot start any token while scanning for the next token",
     .hint = "a tab stands here; YAML is indented with spaces"},
    {.text = "a: [1, 2\nb: 3\n",
     .where = "in.yaml:2:2",
     .message = "did not find expected ',' or ']' while parsing a flow sequence that begins at line 1"},
    {.text = "a: 'x\n",
     .where = "in.yaml:2:1",
     .message = "found unexpected end of stream while scanning a quoted scalar that begins at line 1"},
    {.text = "a: 1\n b: 2\n", .where = "in.yaml:2:3", .message = "mapping values are not allowed in this context"},
    {.text = "a: @x\n",
     .where = "in.yaml:1:4",
     .message = "found character that cannot start any token while scanning for the next token"},
    {.text = "a: \"\\q\"\n", .where = "in.yaml:1:5", .message = "found unknown escape character while parsing a quoted scalar"},
    {.text = "%YAML 3.0\n---\na: 1\n", .where = "in.yaml:1:1", .message = "found incompatible YAML document"},
};

static void syntax_errors_say_where_and_what(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(syntax); i++) {
        assert_refused(GS_CONFIGURATION, &syntax[i]);
        assert_refused(GS_MANIFEST, &syntax[i]);
    }
}

static void anchors_and_aliases_are_counted(void **state)
{
    (void)state;
    for (int aliases = 0; aliases < 2; aliases++) {
        gs_buf text;
        gs_buf_init(&text, 65536);
        gs_buf_add_text(&text, "- &a x\n");
        for (int i = 0; i < 1025; i++) {
            gs_buf_add_text(&text, aliases ? "- *a\n" : "- &a x\n");
        }
        const bad_input many = {.text = gs_buf_text(&text),
                                .where = aliases ? "in.yaml:1026:3" : "in.yaml:1025:3",
                                .message = aliases ? "the file has more than 1024 aliases" : "the file has more than 1024 anchors",
                                .code = GS_ELIMIT};
        assert_refused(GS_MANIFEST, &many);
        gs_buf_done(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_the_bytes_an_edit_would_replace),
        cmocka_unit_test(an_edit_by_span_keeps_everything_else),
        cmocka_unit_test(spans_leave_anchors_tags_and_line_breaks_out),
        cmocka_unit_test(scalars_of_every_style_have_their_text),
        cmocka_unit_test(keys_have_their_places),
        cmocka_unit_test(configurations_refuse_what_hides_meaning),
        cmocka_unit_test(manifests_take_what_kubernetes_takes),
        cmocka_unit_test(manifests_refuse_what_nobody_agrees_on),
        cmocka_unit_test(syntax_errors_say_where_and_what),
        cmocka_unit_test(anchors_and_aliases_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
