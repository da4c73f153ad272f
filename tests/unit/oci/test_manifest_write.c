/* What gapship writes itself: keys in one order, and nothing that reading does not give back. */
#include <string.h>

#include "gapship/doc.h"
#include "gapship/limits.h"
#include "gapship/oci.h"
#include "support.h"

#define ZERO "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static void write_manifest(const gs_manifest *manifest, gs_buf *out)
{
    gs_error err = {0};
    gs_buf_init(out, GS_MAX_MANIFEST_BYTES);
    assert_ok(&err, gs_manifest_write(manifest, out, &err));
}

static void an_artifact_is_written_byte_for_byte(void **state)
{
    (void)state;
    gs_text_pair notes[] = {{"org.opencontainers.image.title", "a \"b\""}};
    gs_descriptor layer = {.media_type = GS_MEDIA_HELM_CHART, .size = 5, .annotations = {notes, 1}};
    gs_descriptor subject = {.media_type = GS_MEDIA_MANIFEST, .size = 7};
    const gs_manifest manifest = {.media_type = GS_MEDIA_MANIFEST,
                                  .artifact_type = "application/x",
                                  .config = {.media_type = GS_MEDIA_EMPTY, .size = 2},
                                  .items = &layer,
                                  .item_count = 1,
                                  .subject = &subject,
                                  .annotations = {notes, 1}};
    GS_AUTO_BUF gs_buf text;
    write_manifest(&manifest, &text);
    assert_string_equal(gs_buf_text(&text),
                        "{\"schemaVersion\":2,\"mediaType\":\"" GS_MEDIA_MANIFEST
                        "\",\"artifactType\":\"application/x\",\"config\":{\"mediaType\":\"" GS_MEDIA_EMPTY "\",\"digest\":\"" ZERO
                        "\",\"size\":2},\"layers\":[{\"mediaType\":\"" GS_MEDIA_HELM_CHART "\",\"digest\":\"" ZERO
                        "\",\"size\":5,\"annotations\":{\"org.opencontainers.image.title\":\"a "
                        "\\\"b\\\"\"}}],\"subject\":{\"mediaType\":\"" GS_MEDIA_MANIFEST "\",\"digest\":\"" ZERO
                        "\",\"size\":7},\"annotations\":{\"org.opencontainers.image.title\":\"a \\\"b\\\"\"}}");
}

static void an_index_is_written_and_read_back(void **state)
{
    (void)state;
    gs_descriptor items[] = {
        {.media_type = GS_MEDIA_MANIFEST, .size = 1, .platform = {"linux", "arm", "v7"}, .artifact_type = "t"},
        {.media_type = GS_MEDIA_MANIFEST, .size = 2, .platform = {"linux", "amd64", ""}},
    };
    const gs_manifest index = {.is_index = true, .media_type = GS_MEDIA_INDEX, .items = items, .item_count = 2};
    GS_AUTO_BUF gs_buf text;
    write_manifest(&index, &text);
    assert_contains(gs_buf_text(&text),
                    "\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\",\"variant\":\"v7\"},\"artifactType\":\"t\"");
    assert_contains(gs_buf_text(&text), "\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}}");
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_error err = {0};
    gs_manifest again;
    assert_ok(&err, gs_manifest_parse(text.data, text.len, NULL, arena, &again, &err));
    assert_int_equal(again.item_count, 2);
    assert_string_equal(again.items[0].platform.variant, "v7");
    GS_AUTO_BUF gs_buf second;
    write_manifest(&again, &second);
    assert_string_equal(gs_buf_text(&second), gs_buf_text(&text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_artifact_is_written_byte_for_byte),
        cmocka_unit_test(an_index_is_written_and_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
