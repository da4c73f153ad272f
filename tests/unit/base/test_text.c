/* Strings, names, paths and patterns. */
#include <string.h>

#include "gapship/text.h"
#include "support.h"

static void compares(void **state)
{
    (void)state;
    assert_true(gs_text_equal("a", "a"));
    assert_true(gs_text_equal(NULL, NULL));
    assert_false(gs_text_equal("a", NULL));
    assert_false(gs_text_equal(NULL, "a"));
    assert_false(gs_text_equal("a", "ab"));
    assert_true(gs_text_starts("release.yaml", "release"));
    assert_true(gs_text_starts("x", ""));
    assert_false(gs_text_starts("rel", "release"));
    assert_true(gs_text_ends("release.yaml", ".yaml"));
    assert_true(gs_text_ends("x", ""));
    assert_false(gs_text_ends("yaml", ".yaml"));
}

static void finds_the_nearest(void **state)
{
    (void)state;
    static const char *const fields[] = {"images", "charts", "environments", "migrations", "name", "to"};
    static const struct {
        const char *text;
        const char *nearest;
    } cases[] = {
        {"imags", "images"},
        {"imagse", "images"},
        {"Images", "images"},
        {"enviroments", "environments"},
        {"migration", "migrations"},
        {"naem", "name"},
        {"chart", "charts"},
        {"nane", "name"},
        {"name", "name"},
        {"nnmm", NULL},
        {"t", NULL},
        {"", NULL},
        {"zebra", NULL},
        {"ot", NULL},
        {"to", "to"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *nearest = gs_text_nearest(cases[i].text, fields, COUNT_OF(fields));
        if (!gs_text_equal(nearest, cases[i].nearest)) {
            fail_msg("%s: %s", cases[i].text, nearest ? nearest : "none");
        }
    }
    char huge[5000];
    memset(huge, 'a', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_null(gs_text_nearest(huge, fields, COUNT_OF(fields)));
    assert_null(gs_text_nearest("images", (const char *const[]){huge}, 1));
    assert_null(gs_text_nearest("images", NULL, 0));
}

static void judges_names(void **state)
{
    (void)state;
    char longest[65];
    memset(longest, 'n', sizeof longest);
    longest[63] = '\0';
    assert_true(gs_name_valid(longest));
    longest[63] = 'n';
    longest[64] = '\0';
    assert_false(gs_name_valid(longest));
    static const char *const good[] = {"a", "7", "team-a", "v1.2_3", "0-0"};
    static const char *const bad[] = {"", "-a", "a-", ".a", "a.", "_a", "a_", "A", "a b", "a/b", "ü", "a\n", ".", ".."};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(gs_name_valid(good[i]));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(gs_name_valid(bad[i]));
    }
}

static void judges_paths(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "a/b", ".hidden", "..a", "a..", "...", "a b/ü€", "a/.git", "-x"};
    static const char *const bad[] = {"",     "/",    "/a",     "a/",   "a//b", ".",     "..",      "./a",   "a/.",
                                      "a/..", "../a", "a/../b", "a\\b", "a\nb", "a\x7f", "a\x01/b", "a\xff", "\xc0\xaf"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(gs_path_valid(good[i]));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(gs_path_valid(bad[i]));
    }
    char path[5000];
    memset(path, 'p', sizeof path);
    path[255] = '\0';
    assert_true(gs_path_valid(path));
    path[255] = 'p';
    path[256] = '\0';
    assert_false(gs_path_valid(path));
    memset(path, 'p', sizeof path);
    for (size_t i = 1; i < 4096; i += 2) {
        path[i] = '/';
    }
    path[4095] = 'p';
    path[4096] = '\0';
    assert_true(gs_path_valid(path));
    path[4096] = 'p';
    path[4097] = '\0';
    assert_false(gs_path_valid(path));
}

static void matches_globs(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *text;
        bool matches;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "a/b", true},
        {"**", "a", true},
        {"?", "a", true},
        {"?", "", false},
        {"a?c", "abc", true},
        {"*.internal", "harbor.internal", true},
        {"*.internal", "harbor.internal.evil", false},
        {"a*b*c", "a-b-b-c", true},
        {"a*b*c", "a-c-b", false},
        {"*aab", "aaaab", true},
        {"*a", "ab", false},
        {"[a]", "a", false},
        {"a*", "b", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (gs_glob_match(cases[i].pattern, cases[i].text) != cases[i].matches) {
            fail_msg("%s against %s", cases[i].pattern, cases[i].text);
        }
    }
    /* Must not take exponential time. */
    char text[2001];
    memset(text, 'a', 2000);
    text[2000] = '\0';
    assert_false(gs_glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),     cmocka_unit_test(finds_the_nearest), cmocka_unit_test(judges_names),
        cmocka_unit_test(judges_paths), cmocka_unit_test(matches_globs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
