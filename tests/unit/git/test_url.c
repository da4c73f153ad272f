/* Addresses of remotes: the four kinds, and what is refused because the other side could take it for something else. */
#include <string.h>

#include "../../../src/git/url.h"
#include "support.h"

static const struct {
    const char *text;
    int scheme;
    const char *user;
    const char *host;
    int port;
} good[] = {
    {"/srv/git/site.git", GS_GIT_LOCAL, NULL, "/srv/git/site.git", -1},
    {".", GS_GIT_LOCAL, NULL, ".", -1},
    {"./a:b", GS_GIT_LOCAL, NULL, "./a:b", -1},
    {"file:///srv/git/site.git", GS_GIT_LOCAL, NULL, "file:///srv/git/site.git", -1},
    {"http://git.internal/site.git", GS_GIT_HTTP, NULL, "git.internal", -1},
    {"https://git.internal:8443/a%20b/site.git", GS_GIT_HTTPS, NULL, "git.internal", 8443},
    {"https://ci@git.internal/site.git", GS_GIT_HTTPS, "ci", "git.internal", -1},
    {"https://[::1]:3000/site.git", GS_GIT_HTTPS, NULL, "::1", 3000},
    {"ssh://git@git.internal/platform/deploy.git", GS_GIT_SSH, "git", "git.internal", -1},
    {"ssh://git@git.internal:2222/~ops/deploy.git", GS_GIT_SSH, "git", "git.internal", 2222},
    {"ssh://git.internal/deploy.git", GS_GIT_SSH, NULL, "git.internal", -1},
    {"git@git.internal:platform/deploy.git", GS_GIT_SSH, "git", "git.internal", -1},
};

static void test_accepts_the_four_kinds(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        gs_git_url url = {0};
        assert_ok(&err, gs_git_url_parse(good[i].text, arena, &url, &err));
        assert_string_equal(url.text, good[i].text);
        assert_int_equal(url.scheme, good[i].scheme);
        assert_string_equal(url.user ? url.user : "-", good[i].user ? good[i].user : "-");
        assert_string_equal(url.host, good[i].host);
        assert_int_equal(url.port, good[i].port);
    }
}

static const struct {
    const char *text;
    const char *why;
} bad[] = {
    {"", "empty"},
    {"git://git.internal/site.git", "scheme"},
    {"ftp://git.internal/site.git", "scheme"},
    {"ext::sh -c whoami", "user@host"},
    {"file://relative/site.git", "scheme"},
    {"host:path", "./path"},
    {"https://ci:secret@git.internal/site.git", "password"},
    {"https:///site.git", "no host"},
    {"https://@git.internal/site.git", "user name"},
    {"https://-oProxyCommand=x/site.git", "no host"},
    {"https://git.internal:0/site.git", "port"},
    {"https://git.internal:65536/site.git", "port"},
    {"https://git.internal:443000/site.git", "host has a character"},
    {"https://git internal/site.git", "host has a character"},
    {"https://git.internal/a b", "spaces"},
    {"https://git.internal/a?b", "queries"},
    {"https://git.internal/a\nb", "control"},
    {"https://[::1/site.git", "bracket"},
    {"ssh://git@git.internal", "path"},
    {"ssh://git@git.internal/a'b", "path"},
    {"ssh://git@git.internal/$(id)", "path"},
    {"ssh://git@git.internal/a b", "path"},
    {"ssh://git@-x/a", "no host"},
    {"ssh://-x@git.internal/a", "user name"},
    {"git@git.internal:-x", "path"},
    {"git@git.internal:", "path"},
    {"git@git.internal:a;b", "path"},
};

static void test_refuses_the_rest(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        gs_git_url url = {0};
        assert_fails(&err, GS_ESPEC, bad[i].why, gs_git_url_parse(bad[i].text, arena, &url, &err));
        assert_null(url.text);
    }
}

static void test_a_password_is_not_repeated(void **state)
{
    (void)state;
    /* Whatever is wrong with the address besides. */
    static const char *const texts[] = {
        "https://ci:hunter2@git.internal/site.git",   "https://ci:hun/hunter2@git.internal/site.git",
        "https://ci:a@hunter2@git.internal/site.git", "ci:hunter2@git.internal:site.git",
        "https://ci:hunter2@git internal/site.git",   "gopher://ci:hunter2@git.internal/"};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        gs_error err = {0};
        gs_git_url url = {0};
        assert_int_equal(gs_git_url_parse(texts[i], arena, &url, &err), GS_ESPEC);
        assert_null(strstr(err.message, "hunter2"));
        assert_null(strstr(err.where, "hunter2"));
        assert_null(strstr(err.hint, "hunter2"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_accepts_the_four_kinds), cmocka_unit_test(test_refuses_the_rest),
                                       cmocka_unit_test(test_a_password_is_not_repeated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
