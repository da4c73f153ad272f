/* WWW-Authenticate as servers write it, and as nobody should. */
#include "../../../src/registry/challenge.h"

#include <string.h>

#include "gapship/text.h"
#include "support.h"

typedef struct expected {
    const char *header;
    size_t count;
    gs_challenge challenges[3];
} expected;

static const expected cases[] = {
    {"", 0, {{0}}},
    {"Basic realm=\"r\"", 1, {{"Basic", "r"}}},
    {"basic REALM=r", 1, {{"basic", "r"}}},
    {"Bearer realm=\"https://a/token?x=1,2\",service=\"s\",scope=\"repository:a/b:pull,push\"",
     1,
     {{"Bearer", "https://a/token?x=1,2", "s", "repository:a/b:pull,push"}}},
    {"Bearer realm=https://a/token, service=s", 1, {{"Bearer", "https://a/token", "s"}}},
    {"Bearer realm=\"a\",error=\"insufficient_scope\",error_description=\"x\"",
     1,
     {{"Bearer", "a", NULL, NULL, "insufficient_scope"}}},
    {"Basic realm=\"a \\\"b\\\" \\\\ c\"", 1, {{"Basic", "a \"b\" \\ c"}}},
    {"Negotiate", 1, {{"Negotiate"}}},
    {"Negotiate YIIC+/==, Basic realm=\"r\"", 2, {{"Negotiate"}, {"Basic", "r"}}},
    {"Negotiate, NTLM, Basic realm=\"r\"", 3, {{"Negotiate"}, {"NTLM"}, {"Basic", "r"}}},
    {"Basic realm=\"r\", Bearer realm=\"t\",service=\"s\"", 2, {{"Basic", "r"}, {"Bearer", "t", "s"}}},
    {"Bearer realm=\"t\" , , service=\"s\"", 1, {{"Bearer", "t", "s"}}},
    {"Bearer realm = \"t\"", 1, {{"Bearer", "t"}}},
    {"Bearer realm=\"first\",realm=\"second\"", 1, {{"Bearer", "first"}}},
    {"Bearer realm=\"\"", 1, {{"Bearer", ""}}},
    {" ,, Basic realm=\"r\" ,", 1, {{"Basic", "r"}}},
    {"Bearer realm=\"not closed", 0, {{0}}},
    {"Bearer realm=\"r\",service=\"not closed", 1, {{"Bearer", "r"}}},
    {"Bearer realm=\"r\" service=\"s\"", 1, {{"Bearer", "r"}}},
    {"Bearer realm=\"r\"x", 1, {{"Bearer", "r"}}},
    {"\"Basic\" realm=\"r\"", 0, {{0}}},
    {"Basic=realm", 0, {{0}}},
    {"=,=", 0, {{0}}},
};

static void check_text(const char *header, const char *what, const char *seen, const char *wanted)
{
    if (!gs_text_equal(seen, wanted)) {
        fail_msg("%s: the %s is %s, wanted %s", header, what, seen ? seen : "absent", wanted ? wanted : "absent");
    }
}

static void challenges_are_taken_apart(void **state)
{
    (void)state;
    gs_error err = {0};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
        gs_challenge seen[GS_MAX_CHALLENGES];
        size_t count = 0;
        assert_ok(&err, gs_challenges_parse(cases[i].header, arena, seen, &count, &err));
        if (count != cases[i].count) {
            fail_msg("%s: %zu challenges, wanted %zu", cases[i].header, count, cases[i].count);
        }
        for (size_t j = 0; j < count; j++) {
            check_text(cases[i].header, "scheme", seen[j].scheme, cases[i].challenges[j].scheme);
            check_text(cases[i].header, "realm", seen[j].realm, cases[i].challenges[j].realm);
            check_text(cases[i].header, "service", seen[j].service, cases[i].challenges[j].service);
            check_text(cases[i].header, "scope", seen[j].scope, cases[i].challenges[j].scope);
            check_text(cases[i].header, "error", seen[j].error, cases[i].challenges[j].error);
        }
    }
}

static void several_headers_are_collected_up_to_a_bound(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_challenge seen[GS_MAX_CHALLENGES];
    size_t count = 0;
    for (unsigned i = 0; i < 20; i++) {
        assert_ok(&err, gs_challenges_parse("Basic realm=\"a\", Bearer realm=\"b\"", arena, seen, &count, &err));
    }
    assert_int_equal(count, GS_MAX_CHALLENGES);
    assert_string_equal(seen[GS_MAX_CHALLENGES - 1].scheme, "Bearer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(challenges_are_taken_apart),
        cmocka_unit_test(several_headers_are_collected_up_to_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
