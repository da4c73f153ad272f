/* values.c: the values that relocate a chart's images, proved by rendering the chart with them. */
#include "render_support.h"

#include <stdio.h>
#include <string.h>

#define DIGEST "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static const gs_run run = {0};

/* "reg.internal:5000/p/AS:v2@DIGEST" for every image that is not called "unlisted"; "untagged" has no tag. */
static const char *relocate(void *state, const char *as)
{
    static char text[256];
    (void)state;
    if (strcmp(as, "unlisted") == 0) {
        return NULL;
    }
    (void)snprintf(text, sizeof text, "reg.internal:5000/p/%s%s@" DIGEST, as, strcmp(as, "untagged") == 0 ? "" : ":v2");
    return text;
}

static const char *value_of(const gs_text_map *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->items[i].key, key) == 0) {
            return map->items[i].value;
        }
    }
    return NULL;
}

static void a_chart_uses_the_new_references(void **state)
{
    static const char *const images[] = {"reg.internal:5000/p/org/app:v2", "reg.internal:5000/p/redis:v2@" DIGEST,
                                         "reg.internal:5000/p/gpu:v2", "reg.internal:5000/p/busybox:v2@" DIGEST};
    static const char *const helms[] = {"helm3", "helm4"};
    gs_tempdir *dir = *state;
    gs_text_pair wanted[] = {{"image", "org/app"}, {"full", "redis"}, {"gpu", "gpu"}, {"sidecar", "busybox"}};
    const gs_unit_spec unit = {.name = "web", .source = {.chart = "app", .image_values = {wanted, COUNT_OF(wanted)}}};
    const gs_environment_spec environment = {.name = "prod"};
    render_support_chart(dir->fd, "app");
    render_support_pack(dir, "app", "charts/app.tgz");
    for (size_t i = 0; i < COUNT_OF(helms); i++) {
        gs_error err = {0};
        gs_tools tools = {0};
        GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
        GS_AUTO_DOC gs_doc *doc = NULL;
        gs_text_map set = {0};
        gs_unit_render request = {.work = dir->path, .environment = &environment, .unit = &unit};
        render_support_tools(helms[i], &tools);
        assert_ok(&err, gs_image_values(&run, &tools, &request, &(gs_referencing){.reference = relocate}, arena, &set, &err));
        assert_string_equal(value_of(&set, "image.repository"), "reg.internal:5000/p/org/app");
        assert_string_equal(value_of(&set, "full.registry"), "reg.internal:5000");
        assert_string_equal(value_of(&set, "full.repository"), "p/redis");
        request.set = &set;
        assert_ok(&err, gs_render_unit(&run, &tools, &request, &doc, &err));
        const gs_node *containers = gs_node_at(render_support_object(doc, "Deployment", "web"), "spec/template/spec/containers");
        for (size_t k = 0; k < COUNT_OF(images); k++) {
            assert_string_equal(gs_node_text(containers->items[k], "image"), images[k]);
        }
        gs_tools_done(&tools);
    }
}

static void a_values_file_decides_the_shape(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_tools tools = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_text_map set = {0};
    const char *values[] = {"values.yaml"};
    gs_text_pair wanted[] = {{"image", "app"}, {"extra[1].image", "extra"}, {"new.image", "new"}};
    const gs_unit_spec unit = {.name = "web",
                               .source = {.chart = "app", .values = {values, 1}, .image_values = {wanted, COUNT_OF(wanted)}}};
    const gs_environment_spec environment = {.name = "prod"};
    const gs_unit_render request = {.work = dir->path, .environment = &environment, .unit = &unit};
    render_support_chart(dir->fd, "app");
    render_support_pack(dir, "app", "charts/app.tgz");
    support_write(dir->fd, "sources/values.yaml",
                  "image: {registry: a, repository: b, tag: c}\nextra: [{}, {image: {name: x, tag: y}}]\n");
    render_support_tools("helm3", &tools);
    assert_ok(&err, gs_image_values(&run, &tools, &request, &(gs_referencing){.reference = relocate}, arena, &set, &err));
    assert_string_equal(value_of(&set, "image.registry"), "reg.internal:5000");
    assert_string_equal(value_of(&set, "image.repository"), "p/app");
    assert_string_equal(value_of(&set, "image.tag"), "v2");
    assert_null(value_of(&set, "image.digest"));
    assert_string_equal(value_of(&set, "extra[1].image.name"), "reg.internal:5000/p/extra");
    assert_string_equal(value_of(&set, "extra[1].image.tag"), "v2");
    assert_string_equal(value_of(&set, "new.image"), "reg.internal:5000/p/new:v2@" DIGEST);
    gs_tools_done(&tools);
}

static void refuses_what_cannot_be_expressed(void **state)
{
    gs_tempdir *dir = *state;
    gs_error err = {0};
    gs_tools tools = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_text_map set = {0};
    gs_text_pair wanted[] = {{"image", "unlisted"}};
    const char *values[] = {"gone.yaml"};
    gs_unit_spec unit = {.name = "web", .source = {.chart = "app", .image_values = {wanted, 1}}};
    const gs_environment_spec environment = {.name = "prod"};
    const gs_unit_render request = {.work = dir->path, .environment = &environment, .unit = &unit};
    render_support_chart(dir->fd, "app");
    render_support_pack(dir, "app", "charts/app.tgz");
    render_support_tools("helm3", &tools);
    assert_fails(&err, GS_ESPEC, "\"unlisted\"",
                 gs_image_values(&run, &tools, &request, &(gs_referencing){.reference = relocate}, arena, &set, &err));
    wanted[0].value = "untagged";
    assert_fails(&err, GS_ECHECK, "prod/web",
                 gs_image_values(&run, &tools, &request, &(gs_referencing){.reference = relocate}, arena, &set, &err));
    wanted[0].key = "full";
    assert_ok(&err, gs_image_values(&run, &tools, &request, &(gs_referencing){.reference = relocate}, arena, &set, &err));
    assert_string_equal(value_of(&set, "full.digest"), DIGEST);
    unit.source.values = (gs_text_list){values, 1};
    assert_fails(&err, GS_ECHECK, "gone.yaml",
                 gs_image_values(&run, &tools, &request, &(gs_referencing){.reference = relocate}, arena, &set, &err));
    unit.source.image_values.count = 0;
    assert_ok(&err, gs_image_values(&run, &tools, &request, &(gs_referencing){.reference = relocate}, arena, &set, &err));
    assert_int_equal(set.count, 0);
    gs_tools_done(&tools);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(a_chart_uses_the_new_references),
        test_in_tempdir(a_values_file_decides_the_shape),
        test_in_tempdir(refuses_what_cannot_be_expressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
