/* Numbers, booleans, durations and choices: what is taken, what is refused, and a table whose default is wrong. */
#include "bind_sample.h"

static int read_one(const char *line, sample *out, gs_error *err)
{
    gs_buf text;
    gs_buf_init(&text, 1024);
    gs_buf_printf(&text, "name: a\n%s\n", line);
    gs_doc *doc = parsed(GS_CONFIGURATION, gs_buf_text(&text));
    int rc = gs_bind_read(&sample_table, doc, doc->root, doc->arena, out, err);
    gs_doc_free(doc);
    gs_buf_done(&text);
    return rc;
}

static void good_values_are_taken(void **state)
{
    (void)state;
    gs_error err = {0};
    sample s;
    assert_ok(&err, read_one("sequence: -0x10", &s, &err));
    assert_int_equal(s.sequence, -16);
    assert_ok(&err, read_one("keep: off", &s, &err));
    assert_false(s.keep);
    assert_ok(&err, read_one("timeout: 1500ms", &s, &err));
    assert_int_equal(s.timeout, 1500);
    assert_ok(&err, read_one("timeout: \"2h\"", &s, &err));
    assert_int_equal(s.timeout, 7200000);
    assert_ok(&err, read_one("kind: 'helm'", &s, &err));
    assert_int_equal(s.kind, KIND_HELM);
}

static const bad_input bad[] = {
    {.text = "sequence: 1.5", .where = "in.yaml:2:11", .message = "\"sequence\" is the number 1.5 here, not a whole number"},
    {.text = "sequence: 9223372036854775808",
     .where = "in.yaml:2:11",
     .message = "\"sequence\" is the number 9223372036854775808 here, not a whole number"},
    {.text = "sequence: '12'",
     .where = "in.yaml:2:11",
     .message = "\"sequence\" is \"12\" here, not a whole number",
     .hint = "write it without quotes"},
    {.text = "sequence: many", .where = "in.yaml:2:11", .message = "\"sequence\" is \"many\" here, not a whole number"},
    {.text = "sequence:", .where = "in.yaml:2:10", .message = "\"sequence\" is empty here, not a whole number"},
    {.text = "retry: {reason: r, attempts: 0}",
     .where = "in.yaml:2:30",
     .message = "\"attempts\" is the number 0 here, not a positive number"},
    {.text = "keep: 1", .where = "in.yaml:2:7", .message = "\"keep\" is the number 1 here, not true or false"},
    {.text = "keep: \"true\"",
     .where = "in.yaml:2:7",
     .message = "\"keep\" is \"true\" here, not true or false",
     .hint = "write it without quotes"},
    {.text = "timeout: 120",
     .where = "in.yaml:2:10",
     .message = "\"timeout\" is the number 120 here, not a duration",
     .hint = "write a whole number and ms, s, m or h, like 90s"},
    {.text = "timeout: 2.5s",
     .where = "in.yaml:2:10",
     .message = "\"timeout\" is \"2.5s\" here, not a duration",
     .hint = "write a whole number and ms, s, m or h, like 90s"},
    {.text = "timeout: -1s",
     .where = "in.yaml:2:10",
     .message = "\"timeout\" is \"-1s\" here, not a duration",
     .hint = "write a whole number and ms, s, m or h, like 90s"},
    {.text = "kind: helmm",
     .where = "in.yaml:2:7",
     .message = "\"kind\" is \"helmm\" here, not one of helm, kubectl",
     .hint = "did you mean \"helm\"?"},
    {.text = "kind: docker", .where = "in.yaml:2:7", .message = "\"kind\" is \"docker\" here, not one of helm, kubectl"},
    {.text = "kind: [helm]", .where = "in.yaml:2:7", .message = "\"kind\" is a list here, not one of helm, kubectl"},
};

static void bad_values_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        gs_error err = {0};
        sample s;
        int rc = read_one(bad[i].text, &s, &err);
        support_assert_refused(&bad[i], rc, &err);
    }
}

static void a_malformed_default_is_a_bug(void **state)
{
    (void)state;
    static const gs_bind_field fields[] = {{.key = "n", .kind = GS_BIND_INTEGER, .offset = 0, .otherwise = "many"}};
    static const gs_bind_table table = {"a thing", sizeof(int64_t), fields, 1};
    gs_doc *doc = parsed(GS_CONFIGURATION, "{}");
    gs_error err = {0};
    int64_t n;
    assert_fails(&err, GS_EINTERNAL, "the default of \"n\" is malformed",
                 gs_bind_read(&table, doc, doc->root, doc->arena, &n, &err));
    gs_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_values_are_taken),
        cmocka_unit_test(bad_values_are_refused),
        cmocka_unit_test(a_malformed_default_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
