/* What is served, and under which names. */
#include "serve/catalogue.h"

#include <stdio.h>
#include <string.h>

#include "cargo.h"

static char layer_bytes[2048];

typedef struct fleet {
    gs_verified *bundles[2];
    gs_catalogue catalogue;
    gs_descriptor backend[3], multi, child, tool, layer;
} fleet;

static void make_first(fleet *f, gs_tempdir *dir)
{
    cargo c;
    cargo_init(&c, dir, 1);
    f->layer = cargo_blob(&c, GS_MEDIA_LAYER_GZIP, layer_bytes, sizeof layer_bytes);
    f->backend[0] = cargo_image(&c, &f->layer, GS_MEDIA_CONFIG, "");
    f->child = cargo_image(&c, &f->layer, GS_MEDIA_CONFIG, ",\"annotations\":{\"a\":\"b\"}");
    char *child = cargo_json(&f->child, ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}");
    f->multi = cargo_text(&c, GS_MEDIA_INDEX,
                          "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s,{\"mediaType\":\"%s\",\"digest\":\"sha256:"
                          "1111111111111111111111111111111111111111111111111111111111111111\",\"size\":9}]}",
                          GS_MEDIA_INDEX, child, GS_MEDIA_MANIFEST);
    test_free(child);
    f->tool = cargo_image(&c, &f->layer, GS_MEDIA_CONFIG, ",\"annotations\":{\"a\":\"tool\"}");
    cargo_name(&c, &f->backend[0], "shop/backend:1.0", "ghcr.io/org/backend:v1");
    cargo_name(&c, &f->backend[0], "shop/worker:1.0", "ghcr.io/org/backend:worker");
    cargo_name(&c, &f->multi, "multi:1", "docker.io/library/multi:1");
    cargo_name(&c, &f->tool, "blobs/tool:2",
               "localhost:5000/tool@sha256:2222222222222222222222222222222222222222222222222222222222222222");
    cargo_name(&c, &f->tool, "from/file:2", NULL);
    f->bundles[0] = cargo_finish(&c);
}

static void make_second(fleet *f, gs_tempdir *dir)
{
    cargo c;
    cargo_init(&c, dir, 2);
    f->layer = cargo_blob(&c, GS_MEDIA_LAYER_GZIP, layer_bytes, sizeof layer_bytes);
    f->backend[1] = cargo_image(&c, &f->layer, GS_MEDIA_CONFIG, ",\"annotations\":{\"a\":\"moved\"}");
    f->backend[2] = cargo_image(&c, &f->layer, GS_MEDIA_CONFIG, ",\"annotations\":{\"a\":\"new\"}");
    cargo_name(&c, &f->backend[2], "shop/backend:1.1", "ghcr.io/org/backend:v2");
    cargo_name(&c, &f->backend[1], "shop/backend:1.0", "ghcr.io/org/backend:v1");
    f->bundles[1] = cargo_finish(&c);
}

static void make(fleet *f, gs_tempdir *dir, const char *prefix)
{
    gs_error err = {0};
    make_first(f, dir);
    make_second(f, dir);
    assert_ok(&err, gs_catalogue_make(prefix, (const gs_verified *const *)f->bundles, 2, &f->catalogue, &err));
}

static void done(fleet *f)
{
    gs_catalogue_done(&f->catalogue);
    gs_verified_free(f->bundles[0]);
    gs_verified_free(f->bundles[1]);
}

static void names_and_tags_are_sorted_and_the_last_bundle_wins(void **state)
{
    static const char *const names[] = {"blobs/tool", "from/file", "multi", "shop/backend", "shop/worker"};
    fleet f;
    make(&f, *state, "");
    assert_int_equal(f.catalogue.own.count, COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_string_equal(f.catalogue.own.items[i].name, names[i]);
    }
    const gs_repository *backend = gs_catalogue_repository(&f.catalogue, "shop/backend", NULL);
    assert_non_null(backend);
    assert_int_equal(backend->tag_count, 2);
    assert_string_equal(backend->tags[0].name, "1.0");
    assert_true(gs_digest_equal(&backend->tags[0].digest, &f.backend[1].digest));
    assert_true(gs_digest_equal(&gs_catalogue_tag(backend, "1.1")->digest, &f.backend[2].digest));
    assert_null(gs_catalogue_tag(backend, "1"));
    assert_null(gs_catalogue_tag(backend, ""));
    done(&f);
}

static void shared_blobs_are_listed_once(void **state)
{
    fleet f;
    make(&f, *state, "");
    /* A layer, a config, three backends, an index with one child, a tool. */
    assert_int_equal(f.catalogue.blob_count, 8);
    for (size_t i = 1; i < f.catalogue.blob_count; i++) {
        assert_true(gs_digest_compare(&f.catalogue.blobs[i - 1].digest, &f.catalogue.blobs[i].digest) < 0);
    }
    const gs_served_blob *layer = gs_catalogue_blob(&f.catalogue, &f.layer.digest);
    assert_non_null(layer);
    assert_null(layer->media_type);
    assert_int_equal(layer->size, sizeof layer_bytes);
    assert_string_equal(gs_catalogue_blob(&f.catalogue, &f.multi.digest)->media_type, GS_MEDIA_INDEX);
    assert_string_equal(gs_catalogue_blob(&f.catalogue, &f.child.digest)->media_type, GS_MEDIA_MANIFEST);
    /* The old image of a moved tag is still there by its digest. */
    assert_non_null(gs_catalogue_blob(&f.catalogue, &f.backend[0].digest));
    const gs_digest unknown = {{0}};
    assert_null(gs_catalogue_blob(&f.catalogue, &unknown));
    done(&f);
}

static void bytes_that_are_manifest_and_blob_stay_a_manifest(void **state)
{
    gs_error err = {0};
    gs_catalogue catalogue;
    cargo c;
    cargo_init(&c, *state, 1);
    gs_descriptor layer = cargo_blob(&c, GS_MEDIA_LAYER_GZIP, layer_bytes, sizeof layer_bytes);
    gs_descriptor image = cargo_image(&c, &layer, GS_MEDIA_CONFIG, "");
    gs_descriptor wrapper = cargo_image(&c, &image, "application/x-wrapper", "");
    cargo_name(&c, &wrapper, "a:1", NULL);
    cargo_name(&c, &image, "b:1", NULL);
    gs_verified *bundle = cargo_finish(&c);
    assert_ok(&err, gs_catalogue_make(NULL, (const gs_verified *const *)&bundle, 1, &catalogue, &err));
    assert_string_equal(gs_catalogue_blob(&catalogue, &image.digest)->media_type, GS_MEDIA_MANIFEST);
    gs_catalogue_done(&catalogue);
    gs_verified_free(bundle);
}

static void repositories_answer_to_their_names_and_to_their_sources(void **state)
{
    static const struct {
        const char *name, *ns, *tag;
        int digest; /* of backend, or -1 multi, -2 tool, -3: the repository is there, the tag not; -4: no repository */
    } cases[] = {
        {"platform/shop/backend", NULL, "1.0", 1},
        {"platform/shop/backend", "", "1.0", 1},
        {"platform/shop/backend", NULL, "v1", -3}, /* the source's tags are the source's */
        {"shop/backend", NULL, "1.0", -4},
        {"org/backend", "ghcr.io", "v1", 1},
        {"org/backend", "ghcr.io", "v2", 2},
        {"org/backend", "ghcr.io", "worker", 0}, /* two names here were one there */
        {"org/backend", "ghcr.io", "1.0", -3},
        {"org/backend", "quay.io", "v1", -4},
        {"org/backend", NULL, "v1", -4},
        {"platform/shop/backend", "ghcr.io", "1.0", -4},
        {"backend", "ghcr.io/org", "v1", 1},
        {"ghcr.io/org/backend", NULL, "v2", 2},
        {"ghcr.io/org/backend", "ghcr.io", "v2", -4},
        {"library/multi", "docker.io", "1", -1},
        {"docker.io/library/multi", NULL, "1", -1},
        {"docker.io/multi", NULL, "1", -1},
        {"library/multi", NULL, "1", -1},
        {"multi", NULL, "1", -1},
        {"multi", NULL, "latest", -3},
        {"tool", "localhost:5000", "2", -3}, /* it came by its digest alone */
        {"platform/blobs/tool", NULL, "2", -2},
        {"platform/from/file", NULL, "2", -2},
        {"from/file", "docker.io", "2", -4},
        {"nothing", NULL, "1", -4},
    };
    fleet f;
    make(&f, *state, "platform");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const gs_repository *found = gs_catalogue_repository(&f.catalogue, cases[i].name, cases[i].ns);
        const gs_served_tag *tag = found ? gs_catalogue_tag(found, cases[i].tag) : NULL;
        const int wanted = cases[i].digest;
        const gs_digest *digest = wanted >= 0    ? &f.backend[wanted].digest
                                  : wanted == -1 ? &f.multi.digest
                                  : wanted == -2 ? &f.tool.digest
                                                 : NULL;
        if ((found != NULL) != (wanted != -4) || (tag != NULL) != (digest != NULL) ||
            (tag && !gs_digest_equal(&tag->digest, digest))) {
            fail_msg("%s of %s: %s, %s", cases[i].name, cases[i].ns ? cases[i].ns : "-", found ? found->name : "none",
                     tag ? tag->name : "no tag");
        }
    }
    done(&f);
}

static void no_bundles_are_an_empty_registry(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_catalogue catalogue;
    const gs_digest digest = {{7}};
    assert_ok(&err, gs_catalogue_make("", NULL, 0, &catalogue, &err));
    assert_null(gs_catalogue_repository(&catalogue, "app", NULL));
    assert_null(gs_catalogue_repository(&catalogue, "app", "docker.io"));
    assert_null(gs_catalogue_blob(&catalogue, &digest));
    gs_catalogue_done(&catalogue);
}

static void bundles_that_lack_something_are_refused(void **state)
{
    static const gs_descriptor missing = {.media_type = GS_MEDIA_LAYER_GZIP, .digest = {{9}}, .size = 3};
    gs_error err = {0};
    for (unsigned i = 0; i < 3; i++) {
        gs_catalogue catalogue;
        cargo c;
        cargo_init(&c, *state, i + 1);
        gs_descriptor layer = cargo_blob(&c, GS_MEDIA_LAYER_GZIP, layer_bytes, sizeof layer_bytes);
        gs_descriptor image = cargo_image(&c, i == 0 ? &missing : &layer, GS_MEDIA_CONFIG, "");
        cargo_name(&c, &image, i == 1 ? "app" : i == 2 ? "app:-" : "app:1", NULL);
        gs_verified *bundle = cargo_finish(&c);
        assert_fails(&err, GS_EFORMAT, i == 0 ? "does not carry a blob" : "has no tag",
                     gs_catalogue_make("", (const gs_verified *const *)&bundle, 1, &catalogue, &err));
        gs_verified_free(bundle);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(names_and_tags_are_sorted_and_the_last_bundle_wins),
        test_in_tempdir(shared_blobs_are_listed_once),
        test_in_tempdir(bytes_that_are_manifest_and_blob_stay_a_manifest),
        test_in_tempdir(repositories_answer_to_their_names_and_to_their_sources),
        cmocka_unit_test(no_bundles_are_an_empty_registry),
        test_in_tempdir(bundles_that_lack_something_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
