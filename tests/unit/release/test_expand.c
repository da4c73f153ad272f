/* "${…}" in texts. */
#include "release_support.h"

static const gs_text_pair pairs[] = {{"version", "1.2"}, {"tag.team/app", "e5c"}, {"empty", ""}};

static const struct {
    const char *text, *expanded;
} good[] = {
    {"", ""},
    {"plain $VERSION $", "plain $VERSION $"},
    {"${version}", "1.2"},
    {"a${version}b${tag.team/app}c${empty}", "a1.2be5cc"},
    {"$${version}", "${version}"},
    {"$$${version}", "$${version}"},
    {"${version}$${x}${version}", "1.2${x}1.2"},
    {"$$ {version} }", "$$ {version} }"},
};

static void variables_are_replaced(void **state)
{
    (void)state;
    const gs_text_map variables = {(gs_text_pair *)(uintptr_t)pairs, COUNT_OF(pairs)};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        gs_error err = {0};
        gs_buf out;
        gs_buf_init(&out, 1000);
        assert_ok(&err, gs_expand(good[i].text, &variables, &out, &err));
        assert_string_equal(gs_buf_text(&out), good[i].expanded);
        gs_buf_done(&out);
    }
}

static void unknown_and_unclosed_variables_are_refused(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"${versio}", "there is no variable \"${versio}\""},
        {"${version.x}", "there is no variable \"${version.x}\""},
        {"${}", "there is no variable \"${}\""},
        {"a ${version", "the variable \"${version\" lacks its }"},
        {"${version} ${", "the variable \"${\" lacks its }"},
        {"${a${version}}", "there is no variable \"${a${version}\""},
    };
    const gs_text_map variables = {(gs_text_pair *)(uintptr_t)pairs, COUNT_OF(pairs)};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        gs_error err = {0};
        gs_buf out;
        gs_buf_init(&out, 1000);
        assert_fails(&err, GS_ESPEC, bad[i][1], gs_expand(bad[i][0], &variables, &out, &err));
        assert_int_equal(gs_expand(bad[i][0], &variables, &out, NULL), GS_ESPEC);
        gs_buf_done(&out);
    }
}

static void a_full_buffer_is_an_error(void **state)
{
    (void)state;
    const gs_text_map none = {0};
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, 3);
    assert_fails(&err, GS_ELIMIT, NULL, gs_expand("four", &none, &out, &err));
    gs_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_replaced),
        cmocka_unit_test(unknown_and_unclosed_variables_are_refused),
        cmocka_unit_test(a_full_buffer_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
