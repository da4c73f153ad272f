/* Inputs that no parser should see, and the places of errors. */
#include "doc_support.h"

#include <stdlib.h>

#include "gapship/limits.h"

static const bad_input bad[] = {
    {.text = "a: 1\nb\0c: 2\n", .len = 12, .where = "in.yaml:2:2", .message = "this is not a text file: it has the byte 0x00"},
    {.text = "\x7f"
             "ELF\x02\x01",
     .where = "in.yaml:1:5",
     .message = "the text has the control character 0x02"},
    {.text = "a: 1\r\nb: \x1b[31m", .where = "in.yaml:2:4", .message = "the text has the control character 0x1b"},
    {.text = "a: 1\rb: \x01", .where = "in.yaml:2:4", .message = "the text has the control character 0x01"},
    {.text = "\xc3\xa4: \xff",
     .where = "in.yaml:1:4",
     .message = "the text is not valid UTF-8 at the byte 0xff",
     .hint = "save the file as UTF-8"},
    {.text = "a: \xc3",
     .where = "in.yaml:1:4",
     .message = "the text is not valid UTF-8 at the byte 0xc3",
     .hint = "save the file as UTF-8"},
    {.text = "a: \xed\xa0\x80",
     .where = "in.yaml:1:4",
     .message = "the text is not valid UTF-8 at the byte 0xed",
     .hint = "save the file as UTF-8"},
    {.text = "a: \xc0\xaf",
     .where = "in.yaml:1:4",
     .message = "the text is not valid UTF-8 at the byte 0xc0",
     .hint = "save the file as UTF-8"},
    {.text = "\xff\xfe"
             "a\0",
     .len = 4,
     .where = "in.yaml:1:1",
     .message = "the text is UTF-16, not UTF-8",
     .hint = "save the file as UTF-8"},
    {.text = "\xfe\xff\0a",
     .len = 4,
     .where = "in.yaml:1:1",
     .message = "the text is UTF-16, not UTF-8",
     .hint = "save the file as UTF-8"},
};

static void binary_input_is_refused_at_its_place(void **state)
{
    (void)state;
    static const gs_dialect dialects[] = {GS_CONFIGURATION, GS_MANIFEST, GS_JSON};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        for (size_t d = 0; d < COUNT_OF(dialects); d++) {
            assert_refused(dialects[d], &bad[i]);
        }
    }
}

static void a_byte_order_mark_is_skipped_and_counted_in_offsets(void **state)
{
    (void)state;
    gs_doc *doc = parsed(GS_CONFIGURATION, "\xef\xbb\xbf"
                                           "a: b\n");
    const gs_node *b = gs_node_get(doc->root, "a");
    assert_int_equal(b->offset, 6);
    assert_int_equal(b->length, 1);
    assert_int_equal(b->column, 4);
    gs_doc_free(doc);
    assert_parses(GS_JSON, "\xef\xbb\xbf[1]", "[1]");
}

/* JSON has them, and RFC 8785 writes them as they are. */
static void controls_from_delete_on_are_refused_in_yaml(void **state)
{
    (void)state;
    static const bad_input controls[] = {
        {.text = "a: 1\nb: x\xc2\x9b", .where = "in.yaml:2:5", .message = "control characters are not allowed"},
        {.text = "a: 1\nb: x\x7f", .where = "in.yaml:2:5", .message = "control characters are not allowed"},
    };
    for (size_t i = 0; i < COUNT_OF(controls); i++) {
        assert_refused(GS_CONFIGURATION, &controls[i]);
        assert_refused(GS_MANIFEST, &controls[i]);
    }
    assert_parses(GS_JSON, "[\"\xc2\x9b\x7f\\u007f\"]", "[\"\xc2\x9b\x7f\x7f\"]");
}

static void an_input_over_the_bound_is_refused_before_parsing(void **state)
{
    (void)state;
    char *data = calloc(1, GS_MAX_DOC_BYTES + 1);
    assert_non_null(data);
    const bad_input large = {.text = data,
                             .len = GS_MAX_DOC_BYTES + 1,
                             .where = "in.yaml",
                             .message = "the file has 16777217 bytes; gapship reads up to 16777216",
                             .code = GS_ELIMIT};
    assert_refused(GS_MANIFEST, &large);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_input_is_refused_at_its_place),
        cmocka_unit_test(a_byte_order_mark_is_skipped_and_counted_in_offsets),
        cmocka_unit_test(controls_from_delete_on_are_refused_in_yaml),
        cmocka_unit_test(an_input_over_the_bound_is_refused_before_parsing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
