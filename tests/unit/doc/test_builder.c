/* What both syntaxes share: caps, duplicate keys, merge keys, expanded aliases. */
#include "doc_support.h"

#include <stdlib.h>
#include <time.h>

#include "gapship/limits.h"

static const bad_input duplicates[] = {
    {.text = "{\"a\": 1,\n \"b\": 2,\n \"a\": 3}",
     .where = "in.yaml:3:2",
     .message = "the key \"a\" stands here a second time; the first is at line 1, column 2"},
    {.text = "{\"x\": {\"k\": 1, \"l\": 2, \"l\": 3, \"k\": 4}}",
     .where = "in.yaml:1:24",
     .message = "the key \"l\" stands here a second time; the first is at line 1, column 16"},
    {.text = "{\"l\": 1, \"k\": 2, \"k\": 3, \"l\": 4}",
     .where = "in.yaml:1:18",
     .message = "the key \"k\" stands here a second time; the first is at line 1, column 10"},
    {.text = "[{\"\": 1, \"\": 2}]",
     .where = "in.yaml:1:10",
     .message = "the key \"\" stands here a second time; the first is at line 1, column 3"},
};

static void duplicate_keys_are_refused_with_the_place_of_the_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(duplicates); i++) {
        assert_refused(GS_JSON, &duplicates[i]);
        assert_refused(GS_CONFIGURATION, &duplicates[i]);
        assert_refused(GS_MANIFEST, &duplicates[i]);
    }
    /* Different in the text, the same once Kubernetes has read them. */
    const bad_input typed = {.text = "on: 1\ntrue: 2\n",
                             .where = "in.yaml:2:1",
                             .message = "the key \"true\" stands here a second time; the first is at line 1, column 1"};
    assert_refused(GS_MANIFEST, &typed);
    assert_parses(GS_CONFIGURATION, "on: 1\ntrue: 2\n", "{\"on\":1,\"true\":2}");
}

static void merge_keys_give_way_to_own_keys(void **state)
{
    (void)state;
    static const char *const good[][2] = {
        {"a: &x {k: 1, z: 5}\nb: {<<: *x, k: 2}\n", "{\"a\":{\"k\":1,\"z\":5},\"b\":{\"k\":2,\"z\":5}}"},
        {"b: {<<: [{k: 7}, {k: 8, q: 2}], r: 3}\n", "{\"b\":{\"r\":3,\"k\":7,\"q\":2}}"},
        {"b: {r: 3, <<: {q: 2}}\n", "{\"b\":{\"r\":3,\"q\":2}}"},
        {"b: {<<: {}}\n", "{\"b\":{}}"},
        {"b: {'<<': 1}\n", "{\"b\":{\"<<\":1}}"},
    };
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_parses(GS_MANIFEST, good[i][0], good[i][1]);
    }
    static const bad_input bad[] = {
        {.text = "a: {k: 2, <<: {k: 1}}\n",
         .where = "in.yaml:1:11",
         .message = "<< brings the key \"k\" again after line 1, and YAML parsers disagree about which one counts",
         .hint = "put << before the map's own keys"},
        {.text = "a: {<<: 1}\n", .where = "in.yaml:1:5", .message = "the merge key << has neither a map nor a list of maps"},
        {.text = "a: {<<: [1]}\n", .where = "in.yaml:1:5", .message = "the merge key << has neither a map nor a list of maps"},
        {.text = "a: {<<: {b: 1},\n <<: {c: 1}}\n",
         .where = "in.yaml:2:2",
         .message = "the merge key << stands here a second time; the first is at line 1"},
        {.text = "a: {<<: {b: 1}, c: 1, c: 2}\n",
         .where = "in.yaml:1:23",
         .message = "the key \"c\" stands here a second time; the first is at line 1, column 17"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_refused(GS_MANIFEST, &bad[i]);
    }
}

static char *repeated(const char *piece, size_t count)
{
    size_t len = strlen(piece);
    char *text = malloc(len * count + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++) {
        memcpy(text + i * len, piece, len);
    }
    text[len * count] = '\0';
    return text;
}

/* Of the processor: what else the machine does must not matter. */
static double seconds_now(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void deep_input_is_refused_at_once(void **state)
{
    (void)state;
    static const char *const pieces[] = {"[", "{\"a\":", "- ", "[\n"};
    static const char *const wheres[] = {"in.yaml:1:65", "in.yaml:1:321", "in.yaml:1:129", "in.yaml:65:1"};
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        char *text = repeated(pieces[i], 100000);
        bad_input deep = {
            .text = text, .where = wheres[i], .message = "lists and maps are nested more than 64 deep", .code = GS_ELIMIT};
        double start = seconds_now();
        assert_refused(GS_CONFIGURATION, &deep);
        assert_refused(GS_MANIFEST, &deep);
        if (i != 2) {
            assert_refused(GS_JSON, &deep);
        }
        assert_true(seconds_now() - start < 2.0); /* six refusals, with sanitizers */
        free(text);
    }
}

static void depth_64_is_read(void **state)
{
    (void)state;
    char text[129];
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    text[128] = '\0';
    assert_parses(GS_JSON, text, text);
    assert_parses(GS_CONFIGURATION, text, text);
}

static void wide_input_is_read_in_linear_time(void **state)
{
    (void)state;
    static const char *const pieces[] = {"- abcdefg\n", "- {a: b}\n", "- 'x y z'\n"};
    double start = seconds_now();
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        size_t count = GS_MIB(1) / strlen(pieces[i]);
        char *text = repeated(pieces[i], count);
        gs_doc *doc = parsed(GS_CONFIGURATION, text);
        assert_int_equal(doc->root->count, count);
        gs_doc_free(doc);
        free(text);
    }
    assert_true(seconds_now() - start < 20.0);
}

static void a_wide_map_is_read_in_linear_time(void **state)
{
    (void)state;
    gs_buf text;
    gs_buf_init(&text, GS_MIB(4));
    gs_buf_add_text(&text, "{");
    for (int i = 0; i < 80000; i++) {
        gs_buf_printf(&text, "\"key%d\": 1, ", i);
    }
    gs_buf_add_text(&text, "\"last\": 1}");
    double start = seconds_now();
    gs_doc *doc = parsed(GS_JSON, gs_buf_text(&text));
    assert_int_equal(doc->root->count, 80001);
    gs_doc_free(doc);
    doc = parsed(GS_MANIFEST, gs_buf_text(&text));
    assert_int_equal(doc->root->count, 80001);
    gs_doc_free(doc);
    gs_buf_done(&text);
    assert_true(seconds_now() - start < 20.0);
}

static void aliases_count_with_everything_they_stand_for(void **state)
{
    (void)state;
    assert_parses(GS_MANIFEST, "a: &x [1, {b: 2}]\nc: *x\nd: [*x, *x]\n",
                  "{\"a\":[1,{\"b\":2}],\"c\":[1,{\"b\":2}],\"d\":[[1,{\"b\":2}],[1,{\"b\":2}]]}");
    gs_buf laughs;
    gs_buf_init(&laughs, 4096);
    gs_buf_add_text(&laughs, "l0: &l0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        gs_buf_printf(&laughs, "l%d: &l%d [", i, i);
        for (int k = 0; k < 10; k++) {
            gs_buf_printf(&laughs, "%s*l%d", k > 0 ? "," : "", i - 1);
        }
        gs_buf_add_text(&laughs, "]\n");
    }
    const bad_input billion = {.text = gs_buf_text(&laughs),
                               .where = "in.yaml:5:5",
                               .message = "the document has more than 1000000 values",
                               .code = GS_ELIMIT};
    assert_refused(GS_MANIFEST, &billion);
    gs_buf_done(&laughs);
}

static void aliases_do_not_dig_below_the_depth(void **state)
{
    (void)state;
    gs_buf text;
    gs_buf_init(&text, 8192);
    gs_buf_add_text(&text, "a0: &a0 []\n");
    for (int i = 1; i < 70; i++) {
        gs_buf_printf(&text, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    }
    const bad_input deep = {.text = gs_buf_text(&text),
                            .where = "in.yaml:63:6",
                            .message = "lists and maps are nested more than 64 deep",
                            .code = GS_ELIMIT};
    assert_refused(GS_MANIFEST, &deep);
    gs_buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(duplicate_keys_are_refused_with_the_place_of_the_first),
        cmocka_unit_test(merge_keys_give_way_to_own_keys),
        cmocka_unit_test(deep_input_is_refused_at_once),
        cmocka_unit_test(depth_64_is_read),
        cmocka_unit_test(wide_input_is_read_in_linear_time),
        cmocka_unit_test(a_wide_map_is_read_in_linear_time),
        cmocka_unit_test(aliases_count_with_everything_they_stand_for),
        cmocka_unit_test(aliases_do_not_dig_below_the_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
