/* release.lock: written, read, refused, searched. */
#include "release_support.h"

#define D1   "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2   "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define D3   "sha256:3333333333333333333333333333333333333333333333333333333333333333"
#define LOCK "{\"apiVersion\":\"gapship/v1\",\"kind\":\"Lock\""
#define IMAGE(from, as, tag, digest)                                                                                               \
    "{\"from\":\"" from "\",\"as\":\"" as "\",\"tag\":\"" tag "\",\"digest\":\"" digest "\",\"mediaType\":\"m\",\"size\":7}"

static const char written_lock[] = "{\n"
                                   "  \"apiVersion\": \"gapship/v1\",\n"
                                   "  \"kind\": \"Lock\",\n"
                                   "  \"source\": {\n"
                                   "    \"commit\": \"abc\",\n"
                                   "    \"time\": \"2026-11-21T13:55:00Z\"\n"
                                   "  },\n"
                                   "  \"images\": [\n"
                                   "    {\n"
                                   "      \"from\": \"nginx:1\",\n"
                                   "      \"as\": \"library/nginx\",\n"
                                   "      \"tag\": \"1\",\n"
                                   "      \"digest\": \"" D1 "\",\n"
                                   "      \"mediaType\": \"application/vnd.oci.image.index.v1+json\",\n"
                                   "      \"size\": 1234,\n"
                                   "      \"platforms\": [\n"
                                   "        \"linux/amd64\"\n"
                                   "      ]\n"
                                   "    }\n"
                                   "  ],\n"
                                   "  \"charts\": [\n"
                                   "    {\n"
                                   "      \"name\": \"app\",\n"
                                   "      \"from\": \"deploy\",\n"
                                   "      \"digest\": \"" D2 "\",\n"
                                   "      \"size\": 99\n"
                                   "    }\n"
                                   "  ],\n"
                                   "  \"sources\": {\n"
                                   "    \"digest\": \"" D3 "\",\n"
                                   "    \"size\": 5\n"
                                   "  }\n"
                                   "}\n";

static gs_lock *good_lock(const char *text)
{
    gs_error err = {0};
    gs_lock *lock = NULL;
    assert_ok(&err, gs_lock_parse("release.lock", text, strlen(text), &lock, &err));
    return lock;
}

static void assert_written(const gs_lock *lock, const char *text)
{
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, 65536);
    assert_ok(&err, gs_lock_write(lock, &out, &err));
    assert_string_equal(gs_buf_text(&out), text);
    gs_buf_done(&out);
}

static void a_lock_made_in_memory_is_written_and_read_back(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_lock *lock = NULL;
    assert_ok(&err, gs_lock_new(&lock, &err));
    const char *platforms[] = {"linux/amd64"};
    gs_locked_image image = {.from = "nginx:1",
                             .as = "library/nginx",
                             .tag = "1",
                             .digest = D1,
                             .media_type = GS_MEDIA_INDEX,
                             .size = 1234,
                             .platforms = {platforms, 1}};
    gs_locked_content chart = {.name = "app", .from = "deploy", .digest = D2, .size = 99};
    lock->source.commit = "abc";
    lock->source.time = "2026-11-21T13:55:00Z";
    lock->images.items = &image;
    lock->images.count = 1;
    lock->charts.items = &chart;
    lock->charts.count = 1;
    lock->sources = (gs_locked_content){.digest = D3, .size = 5};
    assert_written(lock, written_lock);
    gs_lock_free(lock);
    lock = good_lock(written_lock);
    assert_written(lock, written_lock);
    assert_string_equal(gs_lock_image(lock, "library/nginx")->digest, D1);
    assert_null(gs_lock_image(lock, "nginx"));
    assert_string_equal(gs_lock_find(lock->charts.items, lock->charts.count, "app")->digest, D2);
    assert_null(gs_lock_find(lock->charts.items, lock->charts.count, "other"));
    assert_null(lock->source.ref);
    gs_lock_free(lock);
    lock = good_lock(LOCK "}");
    assert_null(lock->sources.digest);
    gs_lock_free(lock);
    gs_lock_free(NULL);
}

static const bad_input bad[] = {
    {"{\"kind\":\"Lock\"}", "release.lock:1:1", "\"apiVersion\" is missing in a release lock"},
    {"{\"apiVersion\":\"gapship/v1\",\"kind\":\"Release\"}", "release.lock:1:35", "\"kind\" is \"Release\" here, not Lock"},
    {LOCK ",\"imges\":[]}", "release.lock:1:42", "unknown key \"imges\" in a release lock", "did you mean \"images\"?"},
    {LOCK ",\n\"images\":[" IMAGE("a:1", "a", "1", "sha256:12") "]}", "release.lock:2:53",
     "\"digest\" is \"sha256:12\" here, not a digest: sha256: and 64 lower-case hexadecimal digits"},
    {LOCK ",\n\"images\":[" IMAGE("a:1", "a", "x y", D1) "]}", "release.lock:2:11", "the tag is malformed"},
    {LOCK ",\n\"images\":[" IMAGE("a:1", "a", "1", D1) ",\n" IMAGE("b:1", "a", "1", D2) "]}", "release.lock:3:1",
     "the same site repository is locked twice"},
    {LOCK ",\"images\":[{\"from\":\"a\"}]}", "release.lock:1:52", "\"as\" is missing in a locked image"},
    {LOCK ",\"kind\":\"Lock\"}", "release.lock:1:42",
     "the key \"kind\" stands here a second time; the first is at line 1, column 28"},
    {"apiVersion: gapship/v1\n", "release.lock:1:1", "this is not JSON: a value is due"},
    {LOCK, "release.lock:1:41", "the JSON text ends too early: a comma or } is due"},
};

static void mistakes_are_told_in_full(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        gs_error err = {0};
        gs_lock *lock = NULL;
        assert_int_equal(gs_lock_parse("release.lock", bad[i].text, strlen(bad[i].text), &lock, &err), GS_ESPEC);
        assert_string_equal(err.message, bad[i].message);
        assert_string_equal(err.where, bad[i].where);
        assert_string_equal(err.hint, bad[i].hint ? bad[i].hint : "");
        assert_null(lock);
    }
}

static void rendered_references_find_their_image(void **state)
{
    (void)state;
    gs_lock *lock = good_lock(
        LOCK ",\"images\":[" IMAGE("nginx:1.25", "web", "1.25", D1) "," IMAGE("docker://ghcr.io/o/a:v1", "o/a", "v1", D2) "," IMAGE(
            "ghcr.io/o/a:v2", "o/a2", "v2", D3) "," IMAGE("docker-archive:x.tar:built/here:3", "h", "3",
                                                          D1) "," IMAGE("oci:dir", "team/tool", "9", D2) "]}");
    static const char *const cases[][2] = {
        {"nginx:1.25", "web"},
        {"docker.io/library/nginx:1.25", "web"},
        {"nginx@" D1, "web"},
        {"nginx:other@" D1, "web"},
        {"ghcr.io/o/a:v1", "o/a"},
        {"ghcr.io/o/a:v2", "o/a2"},
        {"ghcr.io/o/a@" D3, "o/a2"},
        {"built/here:3", "h"},
        {"team/tool:9", "team/tool"},
        {"nginx", NULL},
        {"nginx:1.26", NULL},
        {"nginx@" D2, NULL},
        {"quay.io/library/nginx:1.25", NULL},
        {"ghcr.io/o/a:v3", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        gs_reference reference;
        assert_ok(&err, gs_reference_parse(cases[i][0], &reference, &err));
        const gs_locked_image *image = gs_lock_match(lock, &reference);
        if ((image != NULL) != (cases[i][1] != NULL)) {
            print_error("%s\n", cases[i][0]);
        }
        assert_true((image != NULL) == (cases[i][1] != NULL));
        if (image) {
            assert_string_equal(image->as, cases[i][1]);
        }
    }
    gs_lock_free(lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_made_in_memory_is_written_and_read_back),
        cmocka_unit_test(mistakes_are_told_in_full),
        cmocka_unit_test(rendered_references_find_their_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
