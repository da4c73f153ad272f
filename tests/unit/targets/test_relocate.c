/* relocate.c: where images stand in the site's registry, and that nothing else runs. */
#include "support.h"

#include <stdio.h>

#include "targets.h"

#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER  "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static gs_locked_image images[] = {{.from = "ghcr.io/org/web:1", .as = "org/web", .tag = "1", .digest = DIGEST}};
static const char *ignored[] = {"example.com/mentioned:*"};
static const gs_lock lock = {.images = {.items = images, .count = 1}};
static const gs_release release = {.ignore_images = {.items = ignored, .count = 1}};
static gs_site site = {.registry = {.url = "https://registry.internal:5000", .prefix = "platform"}};
static const gs_target_job job = {.site = &site, .release = &release, .lock = &lock};

static void test_names(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_site bare = {.registry = {.url = "http://127.0.0.1:5000", .prefix = ""}};
    assert_non_null(arena);
    assert_string_equal(gs_relocated(&site, images, arena), "registry.internal:5000/platform/org/web:1@" DIGEST);
    assert_string_equal(gs_relocated(&bare, images, arena), "127.0.0.1:5000/org/web:1@" DIGEST);
}

static const struct {
    const char *image;
    bool runs;
} cases[] = {
    {"registry.internal:5000/platform/org/web:1@" DIGEST, true},
    {"registry.internal:5000/platform/org/web@" DIGEST, true},
    {"registry.internal:5000/platform/org/web:1", true},
    {"example.com/mentioned:7", true},
    {"registry.internal:5000/platform/org/web:2", false},
    {"registry.internal:5000/platform/org/web:1@" OTHER, false},
    {"registry.internal:5000/org/web:1@" DIGEST, false},
    {"ghcr.io/org/web:1", false},
    {"example.com/other:7", false},
};

static void test_only_the_sites_images_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        GS_AUTO_DOC gs_doc *doc = NULL;
        gs_error err = {0};
        char text[512];
        int len = snprintf(text, sizeof text,
                           "[{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: '%s'}]}}]",
                           cases[i].image);
        assert_ok(&err, gs_doc_parse(GS_MANIFEST, "objects", text, (size_t)len, &doc, &err));
        if (cases[i].runs) {
            assert_ok(&err, gs_check_relocated(&job, doc->root, &err));
        } else {
            assert_fails(&err, GS_ECHECK, cases[i].image, gs_check_relocated(&job, doc->root, &err));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_only_the_sites_images_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
