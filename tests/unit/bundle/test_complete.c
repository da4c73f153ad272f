/* Completeness: an image of two platforms, of which one was chosen; then each thing in turn is not there. */
#include "gapship/contents.h"

#include <stdio.h>
#include <string.h>

#include "sample.h"
#include "support.h"

enum { CONFIG = 4, LAYER, MANIFEST, INDEX, MANY, OFTEN }; /* behind the release's own blobs */

typedef struct image {
    const char *platforms; /* of the lock: "[\"linux/amd64\"]", or "[]" */
    size_t left_out;       /* this blob of the bundle; 0: none */
    int top;               /* what the bundle names: INDEX, MANIFEST for an image of one platform, OFTEN for one named too often */
    const char *locked;    /* NULL: what the bundle names */
    size_t size_off_by;    /* of the layer */
} image;

static const char *text_of(const sample *s, size_t blob, char out[GS_DIGEST_TEXT])
{
    gs_digest_text(&s->descriptors[blob].digest, out);
    return out;
}

/* An index that names one blob so often. */
static void make_index_of(sample *s, size_t index, size_t blob, const char *type, unsigned often)
{
    char digest[GS_DIGEST_TEXT];
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MIB(1));
    gs_buf_add_text(&text, "{\"schemaVersion\":2,\"manifests\":[");
    for (unsigned i = 0; i < often; i++) {
        gs_buf_printf(&text, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}", i > 0 ? "," : "", type,
                      text_of(s, blob, digest), s->blobs[blob].len);
    }
    gs_buf_add_text(&text, "]}");
    sample_text(s, index, gs_buf_text(&text));
}

static void make_image(sample *s, const image *i)
{
    char a[GS_DIGEST_TEXT];
    char b[GS_DIGEST_TEXT];
    char text[2048];
    sample_text(s, CONFIG, "{\"os\":\"linux\",\"architecture\":\"amd64\"}");
    sample_text(s, LAYER, "a layer");
    (void)snprintf(text, sizeof text,
                   "{\"schemaVersion\":2,\"mediaType\":\"" GS_MEDIA_MANIFEST "\",\"config\":{\"mediaType\":\"" GS_MEDIA_CONFIG
                   "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\","
                   "\"digest\":\"%s\",\"size\":%zu}]}",
                   text_of(s, CONFIG, a), s->blobs[CONFIG].len, text_of(s, LAYER, b), s->blobs[LAYER].len + i->size_off_by);
    sample_text(s, MANIFEST, text);
    (void)snprintf(text, sizeof text,
                   "{\"schemaVersion\":2,\"mediaType\":\"" GS_MEDIA_INDEX "\",\"manifests\":["
                   "{\"mediaType\":\"" GS_MEDIA_MANIFEST "\",\"digest\":\"%s\",\"size\":%zu,"
                   "\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}},"
                   "{\"mediaType\":\"" GS_MEDIA_MANIFEST "\",\"size\":9,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"},"
                   "\"digest\":\"sha256:2222222222222222222222222222222222222222222222222222222222222222\"}]}",
                   text_of(s, MANIFEST, a), s->blobs[MANIFEST].len);
    sample_text(s, INDEX, text);
    if (i->top == OFTEN) {
        make_index_of(s, MANY, MANIFEST, GS_MEDIA_MANIFEST, GS_MAX_DESCRIPTORS);
        make_index_of(s, OFTEN, MANY, GS_MEDIA_INDEX, GS_MAX_IMAGE_MANIFESTS / GS_MAX_DESCRIPTORS);
    }
}

static void make_bundle(sample *s, const image *i)
{
    char digest[GS_DIGEST_TEXT];
    char lock[1024];
    char more[1024];
    for (size_t k = 0; k < CONFIG; k++) {
        sample_text(s, k, ""); /* sample_release fills them */
    }
    make_image(s, i);
    const size_t top = (size_t)i->top;
    const char *type = i->top == MANIFEST ? GS_MEDIA_MANIFEST : GS_MEDIA_INDEX;
    (void)text_of(s, top, digest);
    (void)snprintf(
        lock, sizeof lock,
        ",\"images\":[{\"from\":\"r/app:1\",\"as\":\"app\",\"tag\":\"1\",\"digest\":\"%s\",\"mediaType\":\"%s\",\"size\":%zu,"
        "\"platforms\":%s}]",
        i->locked ? i->locked : digest, type, s->blobs[top].len, i->platforms);
    (void)snprintf(more, sizeof more,
                   ",{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{\"" GS_KIND_ANNOTATION
                   "\":\"image\",\"" GS_REF_NAME_ANNOTATION "\":\"app:1\"}}",
                   type, digest, s->blobs[top].len);
    sample_release(s, lock, more);
    if (i->left_out) {
        /* The last blob moves to its place. */
        size_t last = --s->blob_count;
        s->plan.blob_count--;
        gs_buf left = s->blobs[i->left_out];
        s->blobs[i->left_out] = s->blobs[last];
        s->descriptors[i->left_out] = s->descriptors[last];
        s->blobs[last] = left;
        gs_buf_done(&s->blobs[last]);
    }
}

/* What a load would push has the same bound. */
static void check_needed_often(const gs_verified *verified, const gs_contents *contents, int top)
{
    gs_error err = {0};
    gs_needed *needed = NULL;
    size_t count = 0;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (top == OFTEN) {
        const gs_content *app = gs_contents_find(contents, "image", "app:1");
        assert_non_null(app);
        assert_fails(&err, GS_EFORMAT, "indexes name more than 4096 manifests",
                     gs_contents_needed(verified, app, arena, &needed, &count, &err));
    }
}

static void test_what_is_missing(void **state)
{
    static const char one[] = "[\"linux/amd64\"]";
    static const char other[] = "sha256:3333333333333333333333333333333333333333333333333333333333333333";
    static const struct {
        image image;
        const char *text; /* NULL: complete */
    } cases[] = {
        {{one, 0, INDEX, NULL, 0}, NULL},
        {{one, 0, MANIFEST, NULL, 0}, NULL},
        {{"[]", 0, MANIFEST, NULL, 0}, NULL},
        {{one, CONFIG, INDEX, NULL, 0}, "app:1 needs the config sha256:"},
        {{one, LAYER, INDEX, NULL, 0}, "app:1 needs the layer sha256:"},
        {{one, MANIFEST, INDEX, NULL, 0}, "app:1 needs the manifest sha256:"},
        {{one, INDEX, INDEX, NULL, 0}, "app:1 needs the manifest sha256:"},
        {{one, 0, INDEX, NULL, 1}, "app:1 needs the layer sha256:"}, /* of another size */
        {{"[]", 0, INDEX, NULL, 0}, "app:1 needs the manifest sha256:2222"},
        {{"[\"linux/amd64\",\"linux/arm64\"]", 0, INDEX, NULL, 0}, "app:1 needs the manifest sha256:2222"},
        {{"[\"linux/amd64\",\"linux/s390x\"]", 0, INDEX, NULL, 0},
         "app:1 was locked for the platform linux/s390x, and the bundle has nothing"},
        {{"[]", 0, OFTEN, NULL, 0}, "app:1: indexes name more than 4096 manifests"},
        {{one, 0, INDEX, other, 0}, "the image app of the lock is not in the bundle"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        static const uint64_t none[] = {SAMPLE_END};
        gs_error err = {0};
        sample s;
        GS_AUTO_VERIFIED gs_verified *verified = NULL;
        GS_AUTO_CONTENTS gs_contents *contents = NULL;
        gs_completeness counts = {0};
        sample_init(&s, *state, none);
        make_bundle(&s, &cases[i].image);
        sample_write(&s, 1);
        assert_ok(&err, sample_verify(&s, &verified, &err));
        assert_ok(&err, gs_contents_load(verified, &contents, &err));
        int code = gs_contents_complete(verified, contents, &counts, &err);
        if (cases[i].text) {
            assert_fails(&err, GS_EFORMAT, cases[i].text, code);
            assert_int_equal(counts.contents, 0);
            check_needed_often(verified, contents, cases[i].image.top);
        } else {
            assert_ok(&err, code);
            assert_int_equal(counts.contents, 2);
            assert_int_equal(counts.blobs, cases[i].image.top == INDEX ? 8 : 7);
        }
        sample_done(&s);
        assert_ok(&err, gs_fs_remove(((gs_tempdir *)*state)->fd, "demo.gapship", &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {test_in_tempdir(test_what_is_missing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
