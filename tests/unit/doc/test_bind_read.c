/* Reading by table: every kind of member, every mistake with its whole message. */
#include "bind_sample.h"

static void read_good(const char *text, gs_doc **doc, sample *out)
{
    gs_error err = {0};
    *doc = parsed(GS_CONFIGURATION, text);
    assert_ok(&err, gs_bind_read(&sample_table, *doc, (*doc)->root, (*doc)->arena, out, &err));
}

static void every_kind_of_member_is_read(void **state)
{
    (void)state;
    gs_doc *doc;
    sample s;
    read_good("name: demo\nnote: \"\"\nsequence: 42\nkeep: no\nstrict: true\ntimeout: 90s\nkind: helm\n"
              "labels: {a: \"1\", b: x}\n"
              "retry: {attempts: 3, reason: why}\nbackup: {reason: r}\n"
              "images:\n- {from: a, tag: \"1234567\", platforms: [linux/amd64, linux/arm64]}\n- from: b\n"
              "schemas: {main: {tool: alembic}, other: {}}\nextra: [1, {x: ~}]\n",
              &doc, &s);
    assert_string_equal(s.name, "demo");
    assert_string_equal(s.note, "");
    assert_int_equal(s.sequence, 42);
    assert_false(s.keep);
    assert_true(s.strict);
    assert_int_equal(s.timeout, 90000);
    assert_int_equal(s.kind, KIND_HELM);
    assert_int_equal(s.labels.count, 2);
    assert_string_equal(s.labels.items[0].key, "a");
    assert_string_equal(s.labels.items[0].value, "1");
    assert_int_equal(s.retry.attempts, 3);
    assert_int_equal(s.retry.initial, 2000);
    assert_int_equal(s.backup->attempts, 6);
    assert_int_equal(s.images.count, 2);
    assert_string_equal(s.images.items[0].tag, "1234567");
    assert_string_equal(s.images.items[0].platforms.items[1], "linux/arm64");
    assert_null(s.images.items[1].tag);
    assert_int_equal(s.images.items[1].place.line, 13);
    assert_int_equal(s.images.items[1].place.column, 3);
    assert_int_equal(s.schemas.count, 2);
    assert_string_equal(s.schemas.items[0].name, "main");
    assert_string_equal(s.schemas.items[0].tool, "alembic");
    assert_string_equal(s.schemas.items[1].name, "other");
    assert_json(s.extra, "[1,{\"x\":null}]");
    gs_doc_free(doc);
}

static void absent_members_have_their_defaults(void **state)
{
    (void)state;
    gs_doc *doc;
    sample s;
    memset(&s, 0x5a, sizeof s);
    read_good("name: demo\n", &doc, &s);
    assert_string_equal(s.note, "12");
    assert_int_equal(s.sequence, 0);
    assert_true(s.keep);
    assert_false(s.strict);
    assert_int_equal(s.timeout, 300000);
    assert_int_equal(s.kind, KIND_KUBECTL);
    assert_int_equal(s.retry.attempts, 6); /* though its reason is required where a retry is written */
    assert_null(s.retry.reason);
    assert_int_equal(s.retry.place.line, 0);
    assert_null(s.backup);
    assert_int_equal(s.images.count + s.schemas.count + s.labels.count, 0);
    assert_null(s.extra);
    gs_doc_free(doc);
}

static const bad_input bad[] = {
    {.text = "name: a\nimages: [{from: x, platform: [y]}]\n",
     .where = "in.yaml:2:20",
     .message = "unknown key \"platform\" in an image",
     .hint = "did you mean \"platforms\"?"},
    {.text = "name: a\nimges: []\n",
     .where = "in.yaml:2:1",
     .message = "unknown key \"imges\" in a release",
     .hint = "did you mean \"images\"?"},
    {.text = "name: a\nretry: {somethingelse: 1}\n",
     .where = "in.yaml:2:9",
     .message = "unknown key \"somethingelse\" in a retry",
     .hint = "its keys are attempts, initial, reason"},
    {.text = "name: a\nschemas: {main: {NAME: x}}\n",
     .where = "in.yaml:2:18",
     .message = "unknown key \"NAME\" in a schema",
     .hint = "its keys are tool"},
    {.text = "note: a\n", .where = "in.yaml:1:1", .message = "\"name\" is missing in a release"},
    {.text = "name: a\nimages:\n- from: x\n- tag: y\n", .where = "in.yaml:4:3", .message = "\"from\" is missing in an image"},
    {.text = "name: a\nretry: {}\n", .where = "in.yaml:2:8", .message = "\"reason\" is missing in a retry"},
    {.text = "name: a\nimages: [{from: x, tag: 1234567}]\n",
     .where = "in.yaml:2:25",
     .message = "\"tag\" is the number 1234567 here, not text",
     .hint = "write tag: \"1234567\""},
    {.text = "name: a\nimages: [{from: x, tag: 1.20}]\n",
     .where = "in.yaml:2:25",
     .message = "\"tag\" is the number 1.20 here, not text",
     .hint = "write tag: \"1.20\""},
    {.text = "name: a\nimages: [{from: x, tag: 5e2}]\n",
     .where = "in.yaml:2:25",
     .message = "\"tag\" is the number 5e2 here, not text",
     .hint = "write tag: \"5e2\""},
    {.text = "name: no\n",
     .where = "in.yaml:1:7",
     .message = "\"name\" is the boolean no here, not text",
     .hint = "write name: \"no\""},
    {.text = "name: ~\n",
     .where = "in.yaml:1:7",
     .message = "\"name\" is null here, not text",
     .hint = "write a value, \"\" for an empty text, or leave the key out"},
    {.text = "name:\n",
     .where = "in.yaml:1:6",
     .message = "\"name\" is empty here, not text",
     .hint = "write a value, \"\" for an empty text, or leave the key out"},
    {.text = "name: [a]\n", .where = "in.yaml:1:7", .message = "\"name\" is a list here, not text"},
    {.text = "name: {a: b}\n", .where = "in.yaml:1:7", .message = "\"name\" is a map here, not text"},
    {.text = "name: A b\n", .where = "in.yaml:1:7", .message = "\"name\" is \"A b\" here, not a name"},
    {.text = "name: a\nimages: [{from: x, platforms: [p, 7]}]\n",
     .where = "in.yaml:2:35",
     .message = "an item of \"platforms\" is the number 7 here, not text",
     .hint = "write \"7\""},
    {.text = "name: a\nimages: [{from: x, platforms: p}]\n",
     .where = "in.yaml:2:31",
     .message = "\"platforms\" is \"p\" here, not a list"},
    {.text = "name: a\nimages: {from: x}\n", .where = "in.yaml:2:9", .message = "\"images\" is a map here, not a list"},
    {.text = "name: a\nimages: [x]\n",
     .where = "in.yaml:2:10",
     .message = "an item of \"images\" is \"x\" here, not a map (an image)"},
    {.text = "name: a\nschemas: [x]\n", .where = "in.yaml:2:10", .message = "\"schemas\" is a list here, not a map"},
    {.text = "name: a\nschemas: {main: x}\n", .where = "in.yaml:2:17", .message = "\"main\" is \"x\" here, not a map (a schema)"},
    {.text = "name: a\nschemas: {\"A B\": {}}\n", .where = "in.yaml:2:11", .message = "the key \"A B\" of a schema is not a name"},
    {.text = "name: a\nretry: 6\n", .where = "in.yaml:2:8", .message = "\"retry\" is the number 6 here, not a map (a retry)"},
    {.text = "name: a\nbackup:\n", .where = "in.yaml:2:8", .message = "\"backup\" is empty here, not a map (a retry)"},
    {.text = "name: a\nlabels: {b: 1}\n",
     .where = "in.yaml:2:13",
     .message = "\"b\" is the number 1 here, not text",
     .hint = "write b: \"1\""},
    {.text = "name: a\nlabels: [b]\n", .where = "in.yaml:2:9", .message = "\"labels\" is a list here, not a map"},
    {.text = "- a\n", .where = "in.yaml:1:1", .message = "a release is due here, as a map; this is a list"},
};

static void assert_bad(const bad_input *input)
{
    gs_doc *doc = parsed(GS_CONFIGURATION, input->text);
    gs_error err = {0};
    sample s;
    int rc = gs_bind_read(&sample_table, doc, doc->root, doc->arena, &s, &err);
    support_assert_refused(input, rc, &err);
    assert_int_equal(gs_bind_read(&sample_table, doc, doc->root, doc->arena, &s, NULL), GS_ESPEC);
    gs_doc_free(doc);
}

static void mistakes_are_told_in_full(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_bad(&bad[i]);
    }
}

static void errors_can_be_placed_after_reading(void **state)
{
    (void)state;
    gs_doc *doc;
    sample s;
    read_good("name: demo\nimages:\n- from: a\n  platforms:\n  - p\n  - q\n", &doc, &s);
    gs_place place = gs_bind_place_of(doc, s.images.items[0].place, "platforms/1");
    gs_error err = {0};
    assert_int_equal(gs_bind_fail(doc, place, &err, "no platform %s", "q"), GS_ESPEC);
    const bad_input said = {.where = "in.yaml:6:5", .message = "no platform q"};
    support_assert_refused(&said, err.code, &err);
    place = gs_bind_place_of(doc, s.images.items[0].place, "tag");
    assert_int_equal(place.line, 3);
    assert_int_equal(gs_bind_fail(doc, (gs_place){0}, &err, "the whole file"), GS_ESPEC);
    assert_string_equal(err.where, "in.yaml");
    gs_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_member_is_read),
        cmocka_unit_test(absent_members_have_their_defaults),
        cmocka_unit_test(mistakes_are_told_in_full),
        cmocka_unit_test(errors_can_be_placed_after_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
