/* helm_command.c: values that helm takes as they were written. */
#include "support.h"

#include "helm_command.h"

static const struct {
    const char *key, *value, *words;
} cases[] = {
    {"image.tag", "1.0.0", "image.tag=1.0.0"},
    {"a", "", "a="},
    {"a", "b,c", "a=b\\,c"},
    {"a", "{b}", "a=\\{b\\}"},
    {"a", "C:\\new", "a=C:\\\\new"},
    {"a", "x=y \"z\"", "a=x=y \"z\""},
};

static void test_assignments(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    assert_non_null(arena);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const gs_text_pair pair = {.key = cases[i].key, .value = cases[i].value};
        assert_string_equal(gs_helm_assignment(&pair, arena), cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_assignments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
