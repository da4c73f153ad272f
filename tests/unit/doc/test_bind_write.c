/* Structs back into trees: what reading fills in is left out, and the round trip is exact. */
#include "bind_sample.h"

static void assert_round_trip(const char *text, const char *json)
{
    gs_error err = {0};
    sample first, second;
    gs_doc *doc = parsed(GS_CONFIGURATION, text);
    assert_ok(&err, gs_bind_read(&sample_table, doc, doc->root, doc->arena, &first, &err));
    gs_node *written = gs_bind_write(&sample_table, &first, doc->arena);
    assert_json(written, json);
    gs_doc *again = parsed(GS_JSON, json);
    assert_ok(&err, gs_bind_read(&sample_table, again, again->root, again->arena, &second, &err));
    gs_node *rewritten = gs_bind_write(&sample_table, &second, again->arena);
    assert_true(gs_node_equal(written, rewritten));
    gs_doc_free(again);
    gs_doc_free(doc);
}

static void what_was_read_is_written(void **state)
{
    (void)state;
    assert_round_trip(
        "name: demo\nsequence: 42\nkeep: no\nstrict: yes\ntimeout: 90s\nkind: helm\nnote: \"\"\n"
        "labels: {a: \"1\"}\nretry: {attempts: 3, reason: why}\nbackup: {reason: r, initial: 1500ms}\n"
        "images: [{from: a, tag: \"1234567\", platforms: [x]}, {from: b}]\n"
        "schemas: {main: {tool: alembic}, other: {}}\nextra: [1, {x: ~}]\n",
        "{\"name\":\"demo\",\"note\":\"\",\"sequence\":42,\"keep\":false,\"strict\":true,\"timeout\":\"90s\",\"kind\":\"helm\","
        "\"labels\":{\"a\":\"1\"},\"retry\":{\"attempts\":3,\"reason\":\"why\"},\"backup\":{\"initial\":\"1500ms\","
        "\"reason\":\"r\"},\"images\":[{\"from\":\"a\",\"tag\":\"1234567\",\"platforms\":[\"x\"]},{\"from\":\"b\"}],"
        "\"schemas\":{\"main\":{\"tool\":\"alembic\"},\"other\":{}},\"extra\":[1,{\"x\":null}]}");
}

static void defaults_are_left_out(void **state)
{
    (void)state;
    assert_round_trip("name: demo\n", "{\"name\":\"demo\"}");
    assert_round_trip("name: demo\nkeep: true\nnote: \"12\"\ntimeout: 300s\nkind: kubectl\nimages: []\n", "{\"name\":\"demo\"}");
}

static void durations_use_the_largest_exact_unit(void **state)
{
    (void)state;
    static const char *const durations[][2] = {{"0s", "0s"},     {"60s", "1m"},  {"120m", "2h"},      {"90m", "90m"},
                                               {"1000ms", "1s"}, {"1ms", "1ms"}, {"3600000ms", "1h"}, {"86400s", "24h"}};
    for (size_t i = 0; i < COUNT_OF(durations); i++) {
        gs_buf text, json;
        gs_buf_init(&text, 200);
        gs_buf_init(&json, 200);
        gs_buf_printf(&text, "name: a\ntimeout: %s\n", durations[i][0]);
        gs_buf_printf(&json, "{\"name\":\"a\",\"timeout\":\"%s\"}", durations[i][1]);
        assert_round_trip(gs_buf_text(&text), gs_buf_text(&json));
        gs_buf_done(&text);
        gs_buf_done(&json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_read_is_written),
        cmocka_unit_test(defaults_are_left_out),
        cmocka_unit_test(durations_use_the_largest_exact_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
