/* Sources of images and their platforms. */
#include <string.h>

#include "gapship/oci.h"
#include "gapship/text.h"
#include "support.h"

static void sources_are_told_by_their_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        gs_transport transport;
        const char *path;
        const char *name; /* of a registry image: the repository */
    } cases[] = {
        {"busybox:1", GS_DOCKER, NULL, "library/busybox"},
        {"docker://ghcr.io/a/b", GS_DOCKER, NULL, "a/b"},
        {"dir:1", GS_DOCKER, NULL, "library/dir"},
        {"oci:images", GS_OCI_DIRECTORY, "images", NULL},
        {"oci:/srv/images:app", GS_OCI_DIRECTORY, "/srv/images", "app"},
        {"oci-archive:a.tar:ghcr.io/a/b:1", GS_OCI_ARCHIVE, "a.tar", "ghcr.io/a/b:1"},
        {"docker-archive:a.tar", GS_DOCKER_ARCHIVE, "a.tar", NULL},
        {"docker-archive:a.tar:app:1", GS_DOCKER_ARCHIVE, "a.tar", "app:1"},
    };
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_error err = {0};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_image_source source;
        assert_ok(&err, gs_image_source_parse(cases[i].text, arena, &source, &err));
        assert_int_equal(source.transport, cases[i].transport);
        bool docker = cases[i].transport == GS_DOCKER;
        assert_true(gs_text_equal(source.path, cases[i].path));
        assert_true(gs_text_equal(docker ? source.reference.path : source.name, cases[i].name));
    }
}

static void sources_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"docker-daemon:app", "not a source"}, {"oci://ghcr.io/a/chart", "not a source"},
        {"https://ghcr.io/a", "not a source"}, {"oci:", "names no file"},
        {"oci:dir:", "nothing after"},         {"docker://App", "must be lower case"},
    };
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_error err = {0};
    gs_image_source source;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_fails(&err, GS_ESPEC, cases[i].says, gs_image_source_parse(cases[i].text, arena, &source, &err));
    }
}

static void platforms(void **state)
{
    (void)state;
    static const struct {
        const char *wanted, *offered;
        bool match;
    } cases[] = {
        {"linux/amd64", "linux/amd64", true},     {"linux/amd64", "linux/amd64/v1", true},
        {"linux/amd64", "linux/amd64/v3", false}, {"linux/arm64", "linux/arm64/v8", true},
        {"linux/arm64/v8", "linux/arm64", true},  {"linux/arm64/v9", "linux/arm64", false},
        {"linux/arm", "linux/arm/v7", true},      {"linux/arm/v6", "linux/arm/v7", false},
        {"linux/amd64", "windows/amd64", false},  {"linux/amd64", "unknown/unknown", false},
    };
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_error err = {0};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_platform wanted, offered;
        assert_ok(&err, gs_platform_parse(cases[i].wanted, arena, &wanted, &err));
        assert_ok(&err, gs_platform_parse(cases[i].offered, arena, &offered, &err));
        if (gs_platform_match(&wanted, &offered) != cases[i].match) {
            fail_msg("%s and %s", cases[i].wanted, cases[i].offered);
        }
    }
    assert_false(gs_platform_match(&(gs_platform){"linux", "amd64", ""}, &(gs_platform){0}));
}

static void platforms_that_are_none(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "", "linux", "linux/", "/amd64", "linux/amd64/", "linux/amd64/v1/x", "Linux/amd64", "linux amd64"};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_error err = {0};
    gs_platform platform;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_fails(&err, GS_ESPEC, "OS/ARCHITECTURE", gs_platform_parse(cases[i], arena, &platform, &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_told_by_their_prefix),
        cmocka_unit_test(sources_that_are_none),
        cmocka_unit_test(platforms),
        cmocka_unit_test(platforms_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
