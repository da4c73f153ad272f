/* Manifests: what is read from good ones, and each way in which one is refused. */
#include <stdio.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/oci.h"
#include "support.h"

#define F      "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define DIGEST "\"digest\":\"sha256:" F "\""
#define CONFIG "\"config\":{\"mediaType\":\"c\"," DIGEST ",\"size\":2}"
#define HEAD   "{\"schemaVersion\":2,"

static int parse(const char *text, const char *type, gs_arena *arena, gs_manifest *out, gs_error *err)
{
    return gs_manifest_parse(text, strlen(text), type, arena, out, err);
}

static void a_manifest_is_read(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_error err = {0};
    gs_manifest manifest;
    assert_ok(&err,
              parse(HEAD "\"mediaType\":\"" GS_MEDIA_MANIFEST "\",\"artifactType\":\"a/b\"," CONFIG
                         ",\"layers\":[{\"mediaType\":\"l\"," DIGEST ",\"size\":9007199254740993,\"annotations\":{\"k\":\"v\"}}],"
                         "\"subject\":{\"mediaType\":\"s\"," DIGEST
                         ",\"size\":0},\"annotations\":{\"x\":\"1\",\"y\":\"2\"},\"more\":[]}",
                    GS_MEDIA_MANIFEST, arena, &manifest, &err));
    assert_false(manifest.is_index);
    assert_string_equal(manifest.media_type, GS_MEDIA_MANIFEST);
    assert_string_equal(manifest.artifact_type, "a/b");
    assert_string_equal(manifest.config.media_type, "c");
    assert_int_equal(manifest.item_count, 1);
    assert_true(manifest.items[0].size == 9007199254740993u);
    assert_string_equal(gs_annotation(&manifest.items[0].annotations, "k"), "v");
    assert_string_equal(gs_annotation(&manifest.annotations, "y"), "2");
    assert_null(gs_annotation(&manifest.annotations, "z"));
    assert_string_equal(manifest.subject->media_type, "s");
    assert_null(manifest.items[0].platform.os);
}

static void an_index_is_read(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_error err = {0};
    gs_manifest index;
    assert_ok(&err, parse(HEAD "\"manifests\":[{\"mediaType\":\"m\"," DIGEST
                               ",\"size\":1,\"platform\":{\"os\":\"linux\",\"architecture\":"
                               "\"arm\",\"variant\":\"v7\"}},{\"mediaType\":\"m\"," DIGEST
                               ",\"size\":1,\"artifactType\":\"t\",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}",
                          NULL, arena, &index, &err));
    assert_true(index.is_index);
    assert_string_equal(index.media_type, GS_MEDIA_INDEX);
    assert_string_equal(index.items[0].platform.variant, "v7");
    assert_string_equal(index.items[1].platform.variant, "");
    assert_string_equal(index.items[1].artifact_type, "t");
}

static void the_type_is_told_from_what_there_is(void **state)
{
    (void)state;
    static const struct {
        const char *text, *content_type, *type;
    } cases[] = {
        {HEAD CONFIG ",\"layers\":[]}", NULL, GS_MEDIA_MANIFEST},
        {HEAD CONFIG "}", GS_MEDIA_DOCKER_MANIFEST, GS_MEDIA_DOCKER_MANIFEST},
        {HEAD "\"mediaType\":\"" GS_MEDIA_DOCKER_LIST "\",\"manifests\":[]}", NULL, GS_MEDIA_DOCKER_LIST},
        {HEAD "\"mediaType\":\"" GS_MEDIA_INDEX "\"}", NULL, GS_MEDIA_INDEX},
        {HEAD "\"mediaType\":null,\"manifests\":null}", GS_MEDIA_INDEX, GS_MEDIA_INDEX},
    };
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_error err = {0};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_manifest manifest;
        assert_ok(&err, parse(cases[i].text, cases[i].content_type, arena, &manifest, &err));
        assert_string_equal(manifest.media_type, cases[i].type);
    }
}

#define LAYER(members) HEAD CONFIG ",\"layers\":[{" members "}]}"

static void what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *type, *says;
    } cases[] = {
        {"", NULL, NULL},
        {"[]", NULL, "not a JSON object"},
        {"{\"schemaVersion\":1,\"fsLayers\":[]}", NULL, "schema 1"},
        {"{\"schemaVersion\":2}", "application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1"},
        {"{\"schemaVersion\":\"2\"," CONFIG "}", NULL, "\"schemaVersion\" is not 2"},
        {"{" CONFIG "}", NULL, "\"schemaVersion\" is not 2"},
        {HEAD "\"mediaType\":3}", NULL, "\"mediaType\" is not a string"},
        {HEAD CONFIG ",\"manifests\":[]}", NULL, "both \"manifests\" and \"layers\""},
        {HEAD "\"layers\":[],\"manifests\":[]}", NULL, "both \"manifests\" and \"layers\""},
        {HEAD "\"mediaType\":\"" GS_MEDIA_INDEX "\"," CONFIG "}", NULL, "not built so"},
        {HEAD "\"mediaType\":\"" GS_MEDIA_MANIFEST "\",\"manifests\":[]}", NULL, "not built so"},
        {HEAD "\"mediaType\":\"" GS_MEDIA_MANIFEST "\"," CONFIG "}", GS_MEDIA_DOCKER_MANIFEST, "calls itself"},
        {HEAD CONFIG "}", "image/png", "image/png is not the type"},
        {HEAD "\"blobs\":[]}", "application/vnd.oci.artifact.manifest.v1+json", "withdrawn"},
        {HEAD "\"layers\":[]}", NULL, "config: not an object"},
        {HEAD CONFIG ",\"layers\":{}}", NULL, "\"layers\" is not a list"},
        {HEAD CONFIG ",\"layers\":[1]}", NULL, "layers[0]: not an object"},
        {LAYER(DIGEST ",\"size\":1"), NULL, "layers[0]: \"mediaType\" is missing"},
        {LAYER("\"mediaType\":\"\"," DIGEST ",\"size\":1"), NULL, "\"mediaType\" is missing"},
        {LAYER("\"mediaType\":\"l\",\"size\":1"), NULL, "\"digest\" is missing"},
        {LAYER("\"mediaType\":\"l\",\"digest\":\"sha256:12\",\"size\":1"), NULL, NULL},
        {LAYER("\"mediaType\":\"l\",\"digest\":\"sha512:" F F "\",\"size\":1"), NULL, "sha512"},
        {LAYER("\"mediaType\":\"l\",\"digest\":\"sha256:../../x\",\"size\":1"), NULL, NULL},
        {LAYER("\"mediaType\":\"l\"," DIGEST), NULL, "\"size\" is not a number"},
        {LAYER("\"mediaType\":\"l\"," DIGEST ",\"size\":-1"), NULL, "\"size\" is not a number"},
        {LAYER("\"mediaType\":\"l\"," DIGEST ",\"size\":1.5"), NULL, "\"size\" is not a number"},
        {LAYER("\"mediaType\":\"l\"," DIGEST ",\"size\":99999999999999999999"), NULL, "\"size\" is not a number"},
        {LAYER("\"mediaType\":\"l\"," DIGEST ",\"size\":\"1\""), NULL, "\"size\" is not a number"},
        {LAYER("\"mediaType\":\"l\"," DIGEST ",\"size\":1,\"annotations\":[]"), NULL, "\"annotations\" is not an object"},
        {LAYER("\"mediaType\":\"l\"," DIGEST ",\"size\":1,\"annotations\":{\"a\":1}"), NULL, "annotation \"a\" is not a string"},
        {LAYER("\"mediaType\":\"l\"," DIGEST ",\"size\":1,\"platform\":1"), NULL, "\"platform\" is not an object"},
        {LAYER("\"mediaType\":\"l\"," DIGEST ",\"size\":1,\"platform\":{\"os\":\"linux\"}"), NULL, "no architecture"},
        {LAYER("\"mediaType\":\"l\"," DIGEST ",\"size\":2,\"data\":\"e30=\""), NULL, "embedded \"data\""},
        {LAYER("\"mediaType\":\"l\"," DIGEST ",\"size\":2,\"data\":\"***\""), NULL, "embedded \"data\""},
        {HEAD CONFIG ",\"subject\":{}}", NULL, "subject: "},
        {HEAD CONFIG ",\"config\":{}}", NULL, NULL},
    };
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_error err = {0};
    gs_manifest manifest = {.item_count = 77};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_fails(&err, GS_EFORMAT, cases[i].says, parse(cases[i].text, cases[i].type, arena, &manifest, &err));
        assert_int_equal(manifest.item_count, 77);
    }
}

static void embedded_content_is_checked(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_error err = {0};
    gs_manifest manifest;
    assert_ok(
        &err,
        parse(LAYER("\"mediaType\":\"l\",\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\","
                    "\"size\":2,\"data\":\"e30=\""),
              NULL, arena, &manifest, &err));
}

static void a_list_has_a_bound(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf text;
    gs_error err = {0};
    gs_manifest manifest;
    gs_buf_init(&text, GS_MIB(5));
    gs_buf_add_text(&text, HEAD CONFIG ",\"layers\":[");
    for (unsigned i = 0; i <= GS_MAX_DESCRIPTORS; i++) {
        gs_buf_printf(&text, "%s{\"mediaType\":\"l\"," DIGEST ",\"size\":1}", i ? "," : "");
    }
    gs_buf_add_text(&text, "]}");
    assert_fails(&err, GS_EFORMAT, "1025 entries", parse(gs_buf_text(&text), NULL, arena, &manifest, &err));
    gs_buf_add_zeros(&text, GS_MAX_MANIFEST_BYTES);
    assert_fails(&err, GS_EFORMAT, "the manifest has", gs_manifest_parse(text.data, text.len, NULL, arena, &manifest, &err));
}

static void a_walk_has_a_bound(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_walked often = {0};
    gs_walked large = {0};
    assert_fails(&err, GS_ELIMIT, "deeper than 3", gs_walked_add(&often, GS_MAX_INDEX_DEPTH + 1, 1, &err));
    for (unsigned i = 0; i < GS_MAX_IMAGE_MANIFESTS; i++) {
        assert_ok(&err, gs_walked_add(&often, GS_MAX_INDEX_DEPTH, 4096, &err));
    }
    assert_fails(&err, GS_ELIMIT, "more than 4096 manifests", gs_walked_add(&often, 0, 0, &err));
    assert_ok(&err, gs_walked_add(&large, 0, GS_MAX_IMAGE_MANIFEST_BYTES - 1, &err));
    assert_fails(&err, GS_ELIMIT, "more than 16777216 bytes", gs_walked_add(&large, 0, 2, &err));
    assert_fails(&err, GS_ELIMIT, "bytes", gs_walked_add(&large, 0, UINT64_MAX, &err));
    assert_ok(&err, gs_walked_add(&large, 0, 1, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_is_read),
        cmocka_unit_test(an_index_is_read),
        cmocka_unit_test(the_type_is_told_from_what_there_is),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(embedded_content_is_checked),
        cmocka_unit_test(a_list_has_a_bound),
        cmocka_unit_test(a_walk_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
