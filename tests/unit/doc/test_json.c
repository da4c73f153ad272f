/* JSON (RFC 8259): every error at its place, and the same verdict as jansson on valid, broken and truncated texts. */
#include "doc_support.h"

#include <jansson.h>

static const char *const good[][2] = {
    {"null", "null"},
    {" \t\r\n[ ] ", "[]"},
    {"{ }", "{}"},
    {"[1,-0,10,-9223372036854775808]", "[1,0,10,-9223372036854775808]"},
    {"[9223372036854775808,1.0,2e+5,0.5E-3]", "[9223372036854775808,1.0,2e+5,0.5E-3]"},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E9\\uD83D\\uDE00\"", "\"\\\"\\\\/\\b\\f\\n\\r\\té😀\""},
    {"{\"a\":{\"b\":[{\"c\":false}]},\"\":true}", "{\"a\":{\"b\":[{\"c\":false}]},\"\":true}"},
    {"[\"\xe2\x80\xa8\"]", "[\"\xe2\x80\xa8\"]"},
};

static void valid_texts_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_parses(GS_JSON, good[i][0], good[i][1]);
    }
}

static const bad_input bad[] = {
    {.text = "[1,]", .where = "in.yaml:1:4", .message = "this is not JSON: a value is due"},
    {.text = "[1 2]", .where = "in.yaml:1:4", .message = "this is not JSON: a comma or ] is due"},
    {.text = "[1}", .where = "in.yaml:1:3", .message = "this is not JSON: a comma or ] is due"},
    {.text = "{\"a\":1,}", .where = "in.yaml:1:8", .message = "this is not JSON: a key in quotes is due"},
    {.text = "{a:1}", .where = "in.yaml:1:2", .message = "this is not JSON: a key in quotes is due"},
    {.text = "{1:1}", .where = "in.yaml:1:2", .message = "this is not JSON: a key in quotes is due"},
    {.text = "{\"a\" 1}", .where = "in.yaml:1:6", .message = "this is not JSON: a colon is due after a key"},
    {.text = "{\"a\":1\n\"b\":2}", .where = "in.yaml:2:1", .message = "this is not JSON: a comma or } is due"},
    {.text = "{\"a\"", .where = "in.yaml:1:5", .message = "the JSON text ends too early: a colon is due after a key"},
    {.text = "[", .where = "in.yaml:1:2", .message = "the JSON text ends too early: a value is due"},
    {.text = "[1", .where = "in.yaml:1:3", .message = "the JSON text ends too early: a comma or ] is due"},
    {.text = "\"abc", .where = "in.yaml:1:5", .message = "the JSON text ends too early: a string lacks its closing quote"},
    {.text = "\"abc\\", .where = "in.yaml:1:6", .message = "the JSON text ends too early: no such escape"},
    {.text = "\"a\nb\"", .where = "in.yaml:1:3", .message = "this is not JSON: a control character in a string needs an escape"},
    {.text = "\"\\x41\"", .where = "in.yaml:1:3", .message = "this is not JSON: no such escape"},
    {.text = "\"\\u12g4\"", .where = "in.yaml:1:4", .message = "this is not JSON: four hexadecimal digits are due after \\u"},
    {.text = "\"\\u0000\"",
     .where = "in.yaml:1:8",
     .message = "this is not JSON: the escape \\u0000, a NUL character, is not accepted"},
    {.text = "\"\\ud800x\"", .where = "in.yaml:1:8", .message = "this is not JSON: a surrogate pair lacks its second half"},
    {.text = "\"\\ud800\\u0041\"", .where = "in.yaml:1:14", .message = "this is not JSON: a surrogate pair lacks its second half"},
    {.text = "\"\\udc00\"", .where = "in.yaml:1:8", .message = "this is not JSON: a surrogate pair lacks its first half"},
    {.text = "01", .where = "in.yaml:1:2", .message = "this is not JSON: something follows the value"},
    {.text = "-", .where = "in.yaml:1:2", .message = "the JSON text ends too early: a number lacks a digit"},
    {.text = "[1.]", .where = "in.yaml:1:4", .message = "this is not JSON: a number lacks a digit"},
    {.text = "[1e+]", .where = "in.yaml:1:5", .message = "this is not JSON: a number lacks a digit"},
    {.text = "+1", .where = "in.yaml:1:1", .message = "this is not JSON: a value is due"},
    {.text = ".5", .where = "in.yaml:1:1", .message = "this is not JSON: a value is due"},
    {.text = "nul", .where = "in.yaml:1:1", .message = "this is not JSON: a value is due"},
    {.text = "NaN", .where = "in.yaml:1:1", .message = "this is not JSON: a value is due"},
    {.text = "'a'", .where = "in.yaml:1:1", .message = "this is not JSON: a value is due"},
    {.text = "truex", .where = "in.yaml:1:5", .message = "this is not JSON: something follows the value"},
    {.text = "{} {}", .where = "in.yaml:1:4", .message = "this is not JSON: something follows the value"},
    {.text = "[] // c", .where = "in.yaml:1:4", .message = "this is not JSON: something follows the value"},
};

static void errors_say_where_and_what(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_refused(GS_JSON, &bad[i]);
    }
}

static void values_have_places_and_spans(void **state)
{
    (void)state;
    const char *text = "{\"ä\":\n  [ 12, \"x\\ty\" ]}";
    gs_doc *doc = parsed(GS_JSON, text);
    const gs_node *list = gs_node_get(doc->root, "ä");
    assert_int_equal(doc->root->pairs[0].column, 2);
    assert_int_equal(list->line, 2);
    assert_int_equal(list->column, 3);
    assert_int_equal(list->items[1]->column, 9);
    assert_memory_equal(text + list->items[1]->offset, "\"x\\ty\"", list->items[1]->length);
    assert_int_equal(list->items[1]->length, 6);
    assert_int_equal(list->items[0]->integer, 12);
    gs_doc_free(doc);
}

static void compare_with_jansson(const char *text, size_t len)
{
    gs_doc *doc = NULL;
    gs_error err = {0};
    json_error_t jansson_err;
    json_t *theirs = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &jansson_err);
    int rc = gs_doc_parse(GS_JSON, "in.json", text, len, &doc, &err);
    if ((rc == 0) != (theirs != NULL)) {
        print_error("%.*s\n  ours: %s at %s\n  jansson: %s\n", (int)len, text, err.message, err.where,
                    theirs ? "accepts" : jansson_err.text);
    }
    assert_true((rc == 0) == (theirs != NULL));
    json_decref(theirs);
    gs_doc_free(doc);
}

static void jansson_gives_the_same_verdicts(void **state)
{
    (void)state;
    static const char sample[] =
        "{\"k\\u00e9\": [1, -2.5e+3, true, false, null, \"\\ud83d\\ude00 \\\"\"],\n \"m\": {\"a\": {}, \"b\": []}, \"n\": 0}";
    static const char replacements[] = "\"\\{}[],:0-1.eEtfnu \n\x01x";
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        compare_with_jansson(bad[i].text, strlen(bad[i].text));
    }
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        compare_with_jansson(good[i][0], strlen(good[i][0]));
    }
    for (size_t len = 0; len < sizeof sample; len++) {
        compare_with_jansson(sample, len);
    }
    for (size_t i = 0; i < sizeof sample - 1; i++) {
        char mutant[sizeof sample];
        for (size_t k = 0; k < sizeof replacements - 1; k++) {
            memcpy(mutant, sample, sizeof sample);
            mutant[i] = replacements[k];
            compare_with_jansson(mutant, sizeof sample - 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts_are_read),
        cmocka_unit_test(errors_say_where_and_what),
        cmocka_unit_test(values_have_places_and_spans),
        cmocka_unit_test(jansson_gives_the_same_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
