/* replace.c: objects before and after, as JSON. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "gapship/kube.h"
#include "gapship/limits.h"

#define DIGEST "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

/* What runs as KEY becomes VALUE. */
static const char *const map[][2] = {
    {"a/app:1", "reg:5000/p/app:1@" DIGEST},
    {"nvcr.io/nvidia/driver:535", "reg:5000/p/nvidia/driver:535@" DIGEST},
    {"docker.io/bitnami/redis:7", "reg:5000/p/redis:7@" DIGEST},
    {"nvcr.io/nvidia/pinned:1", "reg:5000/p/pinned@" DIGEST},
    {"digest/only:1", "reg:5000/p/only@" DIGEST},
    {"tag/only@" DIGEST, "reg:5000/p/only:1"},
    {"bad/one:1", "Not A Reference"},
};

static const char *replace(void *state, const char *image)
{
    size_t *asked = state;
    ++*asked;
    for (size_t i = 0; i < COUNT_OF(map); i++) {
        if (strcmp(map[i][0], image) == 0) {
            return map[i][1];
        }
    }
    return NULL;
}

static const struct {
    const char *before, *after;
} cases[] = {
    {"{containers: [{image: 'a/app:1', args: ['a/app:1']}, {image: other}], volumes: [{image: {reference: 'a/app:1'}}]}",
     "{\"containers\":[{\"image\":\"reg:5000/p/app:1@" DIGEST "\",\"args\":[\"a/app:1\"]},{\"image\":\"other\"}],"
     "\"volumes\":[{\"image\":{\"reference\":\"reg:5000/p/app:1@" DIGEST "\"}}]}"},
    {"{deep: [[{image: 'a/app:1'}]]}", "{\"deep\":[[{\"image\":\"reg:5000/p/app:1@" DIGEST "\"}]]}"},
    {"{repository: a/app, tag: 1, x: z}", "{\"repository\":\"reg:5000/p/app\",\"tag\":\"1\",\"x\":\"z\"}"},
    {"{repository: a/app, tag: '1', digest: ''}", "{\"repository\":\"reg:5000/p/app\",\"tag\":\"1\",\"digest\":\"" DIGEST "\"}"},
    {"{registry: docker.io, repository: bitnami/redis, tag: '7'}",
     "{\"registry\":\"reg:5000\",\"repository\":\"p/redis\",\"tag\":\"7\"}"},
    {"{repository: nvcr.io/nvidia, image: driver, version: '535'}",
     "{\"repository\":\"reg:5000/p/nvidia\",\"image\":\"driver\",\"version\":\"535\"}"},
    {"{image: a/app, tag: '1'}", "{\"image\":\"reg:5000/p/app\",\"tag\":\"1\"}"},
    {"{repository: digest/only, tag: '1', digest: ''}",
     "{\"repository\":\"reg:5000/p/only\",\"tag\":\"\",\"digest\":\"" DIGEST "\"}"},
    {"{repository: nvcr.io/nvidia, image: pinned, version: '1'}",
     "{\"repository\":\"reg:5000/p\",\"image\":\"pinned\",\"version\":\"" DIGEST "\"}"},
    {"{data: {config: \"image: a/app:1\"}}", "{\"data\":{\"config\":\"image: a/app:1\"}}"},
};

static gs_doc *parse(const char *spec)
{
    gs_error err = {0};
    gs_doc *doc = NULL;
    char text[2048];
    int len = snprintf(text, sizeof text, "{apiVersion: v1, kind: Foo, metadata: {name: x}, spec: %s}", spec);
    assert_ok(&err, gs_doc_parse_manifests("case", text, (size_t)len, &doc, &err));
    return doc;
}

static void replaces_what_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        GS_AUTO_DOC gs_doc *doc = parse(cases[i].before);
        GS_AUTO_BUF gs_buf json;
        size_t asked = 0;
        gs_buf_init(&json, GS_MAX_DOC_BYTES);
        assert_ok(&err, gs_kube_replace_images(doc->arena, doc->root, replace, &asked, &err));
        assert_ok(&err, gs_node_write_json(gs_node_get(doc->root->items[0], "spec"), GS_JSON_COMPACT, &json, &err));
        assert_string_equal(gs_buf_text(&json), cases[i].after);
    }
}

/* Whatever is found to run is asked about: discovery and replacement may not differ. */
static void asks_about_every_image_that_runs(void **state)
{
    static const char spec[] =
        "{containers: [{image: x}, {image: 'Bad One'}], a: {image: yy, repository: 'https://z', version: 1}, image: {repository: "
        "q/r, tag: 1},"
        " volumes: [{image: {reference: v}}, {image: w}], list: [{registry: quay.io, image: o/p}], text: 'quay.io/o/p:1'}";
    (void)state;
    gs_error err = {0};
    GS_AUTO_DOC gs_doc *doc = parse(spec);
    gs_image_use *uses;
    size_t count, runs = 0, asked = 0;
    assert_ok(&err, gs_kube_images(doc->root, doc->arena, &uses, &count, &err));
    for (size_t i = 0; i < count; i++) {
        runs += uses[i].certainty == GS_IMAGE_RUNS;
    }
    assert_ok(&err, gs_kube_replace_images(doc->arena, doc->root, replace, &asked, &err));
    assert_int_equal(runs, 7);
    assert_int_equal(asked, runs);
}

static void refuses_what_has_no_place(void **state)
{
    static const struct {
        const char *spec, *part;
    } refused[] = {
        {"{repository: tag/only, digest: '" DIGEST "'}", "no key to take \"1\""},
        {"{repository: digest/only, tag: '1'}", "no key to take \"sha256:"},
        {"{repository: tag/only, digest: '" DIGEST "'}", "Foo x"},
        {"{repository: bad/one, tag: '1'}", "Not A Reference"},
        {"{registry: digest, image: only, version: '1'}", NULL},
        {"{registry: quay.io, image: app}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        gs_error err = {0};
        GS_AUTO_DOC gs_doc *doc = parse(refused[i].spec);
        size_t asked = 0;
        if (refused[i].part) {
            assert_fails(&err, GS_ESPEC, refused[i].part, gs_kube_replace_images(doc->arena, doc->root, replace, &asked, &err));
        } else {
            assert_ok(&err, gs_kube_replace_images(doc->arena, doc->root, replace, &asked, &err));
        }
        assert_int_equal(asked, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces_what_runs),
        cmocka_unit_test(asks_about_every_image_that_runs),
        cmocka_unit_test(refuses_what_has_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
