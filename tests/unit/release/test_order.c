/* Units stand behind what they need. */
#include "release_support.h"

#define U(name, needs) "  - {name: " name ", needs: [" needs "], source: {manifests: m}, target: {kind: kubectl}}\n"
#define ENV(units)     HEAD "environments:\n- name: a\n  units:\n" units

static void assert_order(const char *text, const char *order)
{
    gs_release *release = good_release(text);
    gs_buf names;
    gs_buf_init(&names, 1000);
    for (size_t i = 0; i < release->environments.items[0].units.count; i++) {
        gs_buf_printf(&names, "%s%s", i > 0 ? " " : "", release->environments.items[0].units.items[i].name);
    }
    assert_string_equal(gs_buf_text(&names), order);
    gs_buf_done(&names);
    gs_release_free(release);
}

static void needs_come_first_and_the_rest_keeps_its_order(void **state)
{
    (void)state;
    assert_order(ENV(U("c", "") U("b", "") U("a", "")), "c b a");
    assert_order(ENV(U("gateway", "services") U("services", "data") U("metrics", "") U("data", "")),
                 "metrics data services gateway");
    assert_order(ENV(U("d", "b, c") U("b", "a") U("c", "a") U("a", "")), "a b c d");
    assert_order(ENV(U("a", "b, b") U("b", "")), "b a");
}

static const bad_input bad[] = {
    {ENV(U("a", "b") U("b", "x")), "release.yaml:8:23", "\"b\" needs \"x\", which is no unit of \"a\""},
    {ENV(U("a", "") U("b", "a, zz")), "release.yaml:8:26", "\"b\" needs \"zz\", which is no unit of \"a\""},
    {ENV(U("a", "a")), "release.yaml:7:22", "the units of \"a\" need each other: a needs a"},
    {ENV(U("out", "a") U("a", "b") U("b", "c") U("c", "a") U("free", "")), "release.yaml:9:22",
     "the units of \"a\" need each other: b needs c needs a needs b"},
};

static void circles_and_unknown_needs_are_refused(void **state)
{
    (void)state;
    assert_bad_releases(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_come_first_and_the_rest_keeps_its_order),
        cmocka_unit_test(circles_and_unknown_needs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
