/* Plain scalars mean here what they mean to kubectl and helm. The table was checked against sigs.k8s.io/yaml 1.6.0. */
#include "doc_support.h"

typedef struct scalar_case {
    const char *plain;
    gs_node_kind kind;
    const char *json;
} scalar_case;

static const scalar_case cases[] = {
    {"~", GS_NODE_NULL, "null"},
    {"null", GS_NODE_NULL, "null"},
    {"NULL", GS_NODE_NULL, "null"},
    {"nULL", GS_NODE_TEXT, "\"nULL\""},
    {"y", GS_NODE_BOOL, "true"},
    {"Yes", GS_NODE_BOOL, "true"},
    {"on", GS_NODE_BOOL, "true"},
    {"TRUE", GS_NODE_BOOL, "true"},
    {"n", GS_NODE_BOOL, "false"},
    {"NO", GS_NODE_BOOL, "false"},
    {"off", GS_NODE_BOOL, "false"},
    {"yEs", GS_NODE_TEXT, "\"yEs\""},
    {"0", GS_NODE_INT, "0"},
    {"-0", GS_NODE_INT, "0"},
    {"+12", GS_NODE_INT, "12"},
    {"0777", GS_NODE_INT, "511"},
    {"0o17", GS_NODE_INT, "15"},
    {"-0xFF", GS_NODE_INT, "-255"},
    {"0b101", GS_NODE_INT, "5"},
    {"1_000", GS_NODE_INT, "1000"},
    {"0_x1", GS_NODE_INT, "1"},
    {"1234567", GS_NODE_INT, "1234567"},
    {"9223372036854775807", GS_NODE_INT, "9223372036854775807"},
    {"-9223372036854775808", GS_NODE_INT, "-9223372036854775808"},
    {"9223372036854775808", GS_NODE_FLOAT, "9223372036854775808"},
    {"0xFFFFFFFFFFFFFFFF", GS_NODE_FLOAT, "18446744073709551615"},
    {"-9223372036854775809", GS_NODE_FLOAT, "-9223372036854775809"},
    {"0x10000000000000000", GS_NODE_TEXT, "\"0x10000000000000000\""},
    {"1.50", GS_NODE_FLOAT, "1.50"},
    {"1.", GS_NODE_FLOAT, "1"},
    {".5", GS_NODE_FLOAT, "0.5"},
    {"-.5e3", GS_NODE_FLOAT, "-0.5e3"},
    {"-0.", GS_NODE_FLOAT, "0"},
    {"-000.", GS_NODE_FLOAT, "0"},
    {"-0.0", GS_NODE_FLOAT, "-0.0"},
    {"+007.5", GS_NODE_FLOAT, "7.5"},
    {"08", GS_NODE_FLOAT, "8"},
    {"1e3", GS_NODE_FLOAT, "1e3"},
    {"1E+05", GS_NODE_FLOAT, "1E+05"},
    {"5e22160", GS_NODE_TEXT, "\"5e22160\""}, /* no double is that large */
    {"1e-400", GS_NODE_FLOAT, "1e-400"},
    {".5_0", GS_NODE_FLOAT, "0.50"},
    {"._5", GS_NODE_TEXT, "\"._5\""},
    {"1:30", GS_NODE_TEXT, "\"1:30\""}, /* not sexagesimal */
    {"2001-01-01", GS_NODE_TEXT, "\"2001-01-01\""},
    {"1.2.3", GS_NODE_TEXT, "\"1.2.3\""},
    {"e5c2216", GS_NODE_TEXT, "\"e5c2216\""},
    {"0x", GS_NODE_TEXT, "\"0x\""},
    {"0b2", GS_NODE_TEXT, "\"0b2\""},
    {"1e", GS_NODE_TEXT, "\"1e\""},
    {"+-1", GS_NODE_TEXT, "\"+-1\""},
    {".", GS_NODE_TEXT, "\".\""},
    {"'12'", GS_NODE_TEXT, "\"12\""},
    {"\"true\"", GS_NODE_TEXT, "\"true\""},
};

static void plain_scalars_have_the_kind_kubernetes_gives_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_doc *doc = parsed(GS_MANIFEST, cases[i].plain);
        if (doc->root->kind != cases[i].kind) {
            print_error("%s is of kind %d\n", cases[i].plain, (int)doc->root->kind);
        }
        assert_int_equal(doc->root->kind, cases[i].kind);
        assert_json(doc->root, cases[i].json);
        gs_doc_free(doc);
    }
}

static void text_is_kept_as_written_whatever_the_kind(void **state)
{
    (void)state;
    gs_doc *doc = parsed(GS_CONFIGURATION, "[0777, +1.50, Yes]");
    assert_string_equal(doc->root->items[0]->text, "0777");
    assert_int_equal(doc->root->items[0]->integer, 511);
    assert_string_equal(doc->root->items[1]->text, "+1.50");
    assert_string_equal(doc->root->items[2]->text, "Yes");
    assert_int_equal(doc->root->items[2]->integer, 1);
    gs_doc_free(doc);
}

static void json_cannot_say_infinity(void **state)
{
    (void)state;
    static const char *const words[] = {".inf", "-.Inf", "+.INF", ".nan"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        gs_doc *doc = parsed(GS_MANIFEST, words[i]);
        gs_error err = {0};
        gs_buf out;
        gs_buf_init(&out, 100);
        assert_int_equal(doc->root->kind, GS_NODE_FLOAT);
        assert_fails(&err, GS_ESPEC, words[i], gs_node_write_json(doc->root, 0, &out, &err));
        gs_buf_done(&out);
        gs_doc_free(doc);
    }
}

static void endless_digits_are_text(void **state)
{
    (void)state;
    char digits[2001];
    memset(digits, '7', 2000);
    digits[2000] = '\0';
    gs_doc *doc = parsed(GS_MANIFEST, digits);
    assert_int_equal(doc->root->kind, GS_NODE_TEXT);
    gs_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_scalars_have_the_kind_kubernetes_gives_them),
        cmocka_unit_test(text_is_kept_as_written_whatever_the_kind),
        cmocka_unit_test(json_cannot_say_infinity),
        cmocka_unit_test(endless_digits_are_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
