/* Requests as they come, and every part of their answers. */
#include "serve/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cargo.h"
#include "gapship/text.h"

#define UNKNOWN "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static char layer_bytes[2048];

enum { LAYER, EMPTY, IMAGE, OTHER, INDEX, SIGNATURE, SBOM, COUNT };

typedef struct port {
    gs_verified *bundle;
    gs_catalogue catalogue;
    gs_descriptor content[COUNT];
    char digest[COUNT][GS_DIGEST_TEXT];
} port;

static gs_descriptor make_referrer(cargo *c, const gs_descriptor *subject, const char *config_type, const char *more)
{
    char extra[1024];
    gs_descriptor layer = cargo_text(c, "application/octet-stream", "about it");
    char *text = cargo_json(subject, "");
    (void)snprintf(extra, sizeof extra, ",\"subject\":%s%s", text, more);
    test_free(text);
    return cargo_image(c, &layer, config_type, extra);
}

static int enter(void **state)
{
    if (support_enter(state) != 0) {
        return -1;
    }
    gs_tempdir *dir = *state;
    port *p = calloc(1, sizeof *p);
    gs_error err = {0};
    cargo c;
    for (size_t i = 0; i < sizeof layer_bytes; i++) {
        layer_bytes[i] = (char)(i * 7 + i / 256);
    }
    cargo_init(&c, dir, 1);
    gs_descriptor *content = p->content;
    content[LAYER] = cargo_blob(&c, GS_MEDIA_LAYER_GZIP, layer_bytes, sizeof layer_bytes);
    content[EMPTY] = cargo_blob(&c, GS_MEDIA_LAYER_GZIP, "", 0);
    content[IMAGE] = cargo_image(&c, &content[LAYER], GS_MEDIA_CONFIG, "");
    content[OTHER] = cargo_image(&c, &content[EMPTY], GS_MEDIA_CONFIG, "");
    char *child = cargo_json(&content[IMAGE], "");
    content[INDEX] = cargo_text(&c, GS_MEDIA_DOCKER_LIST, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s]}",
                                GS_MEDIA_DOCKER_LIST, child);
    test_free(child);
    content[SIGNATURE] = make_referrer(&c, &content[IMAGE], GS_MEDIA_EMPTY,
                                       ",\"artifactType\":\"application/x.signature\",\"annotations\":{\"by\":\"me\"}");
    content[SBOM] = make_referrer(&c, &content[IMAGE], "application/x.sbom", "");
    cargo_name(&c, &content[IMAGE], "app:1", "ghcr.io/org/app:v1");
    cargo_name(&c, &content[IMAGE], "app:2", "ghcr.io/org/app:v2");
    cargo_name(&c, &content[OTHER], "app:10", "ghcr.io/org/app:v10");
    cargo_name(&c, &content[INDEX], "multi:1", NULL);
    cargo_name(&c, &content[SIGNATURE], "app-signature:1", NULL);
    cargo_name(&c, &content[SBOM], "app-sbom:1", NULL);
    p->bundle = cargo_finish(&c);
    for (size_t i = 0; i < COUNT; i++) {
        gs_digest_text(&content[i].digest, p->digest[i]);
    }
    assert_ok(&err, gs_catalogue_make("", (const gs_verified *const *)&p->bundle, 1, &p->catalogue, &err));
    int left = support_leave(state); /* the open file is all that serving needs */
    *state = p;
    return left;
}

static int leave(void **state)
{
    port *p = *state;
    gs_catalogue_done(&p->catalogue);
    gs_verified_free(p->bundle);
    free(p);
    return 0;
}

static const char *value_of(const gs_answer *answer, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < answer->header_count; i++) {
        if (strcmp(answer->headers[i].name, name) == 0) {
            assert_null(found); /* no header twice */
            found = answer->headers[i].value;
        }
    }
    return found;
}

static void assert_header(const gs_answer *answer, const char *name, const char *wanted)
{
    const char *seen = value_of(answer, name);
    if (!gs_text_equal(seen, wanted)) {
        fail_msg("%s: %s, wanted %s", name, seen ? seen : "none", wanted ? wanted : "none");
    }
}

/* "%s" in a path is the digest of content[i]. */
static void ask_path(const port *p, const gs_ask *ask, const char *path, int content, gs_answer *out)
{
    char text[512];
    gs_ask full = *ask;
    const char *hole = strstr(path, "%s");
    (void)snprintf(text, sizeof text, "%.*s%s%s", hole ? (int)(hole - path) : (int)strlen(path), path,
                   hole ? p->digest[content] : "", hole ? hole + 2 : "");
    full.path = text;
    full.method = ask->method ? ask->method : "GET";
    gs_answer_make(&p->catalogue, &full, out);
    assert_header(out, "Docker-Distribution-Api-Version", "registry/2.0");
}

static void assert_body(const port *p, const gs_ask *ask, const char *path, int content, const char *body)
{
    gs_answer answer;
    ask_path(p, ask, path, content, &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.fd, -1);
    assert_string_equal(gs_buf_text(&answer.body), body);
    gs_answer_done(&answer);
}

static void every_request_has_its_status_and_code(void **state)
{
    static const struct {
        const char *method, *path;
        int content;
        const char *ns;
        int status;
        const char *code; /* of an error */
    } cases[] = {
        {"GET", "/v2/", 0, NULL, 200, NULL},
        {"HEAD", "/v2/", 0, NULL, 200, NULL},
        {"GET", "/v2", 0, NULL, 200, NULL},
        {"GET", "/", 0, NULL, 404, "NAME_INVALID"},
        {"GET", "/v2/App/manifests/1", 0, NULL, 404, "NAME_INVALID"},
        {"GET", "/v2/app/manifests/1", 0, NULL, 200, NULL},
        {"HEAD", "/v2/app/manifests/1", 0, NULL, 200, NULL},
        {"GET", "/v2/app/manifests/%s", IMAGE, NULL, 200, NULL},
        {"GET", "/v2/org/app/manifests/v1", 0, "ghcr.io", 200, NULL},
        {"GET", "/v2/org/app/manifests/1", 0, "ghcr.io", 404, "MANIFEST_UNKNOWN"},
        {"GET", "/v2/org/app/manifests/v1", 0, "quay.io", 404, "NAME_UNKNOWN"},
        {"GET", "/v2/ghcr.io/org/app/manifests/v1", 0, NULL, 200, NULL},
        {"GET", "/v2/app/manifests/3", 0, NULL, 404, "MANIFEST_UNKNOWN"},
        {"GET", "/v2/app/manifests/.bad", 0, NULL, 404, "MANIFEST_UNKNOWN"},
        {"GET", "/v2/app/manifests/" UNKNOWN, 0, NULL, 404, "MANIFEST_UNKNOWN"},
        {"GET", "/v2/app/manifests/%s", LAYER, NULL, 404, "MANIFEST_UNKNOWN"}, /* a blob is no manifest */
        {"GET", "/v2/app/manifests/sha256:12", 0, NULL, 400, "DIGEST_INVALID"},
        {"GET", "/v2/app/manifests/md5:d41d8cd98f00b204e9800998ecf8427e", 0, NULL, 400, "DIGEST_INVALID"},
        {"GET", "/v2/app/manifests/1:2", 0, NULL, 400, "DIGEST_INVALID"},
        {"GET", "/v2/none/manifests/1", 0, NULL, 404, "NAME_UNKNOWN"},
        {"GET", "/v2/app/blobs/%s", LAYER, NULL, 200, NULL},
        {"HEAD", "/v2/app/blobs/%s", LAYER, NULL, 200, NULL},
        {"GET", "/v2/app/blobs/%s", IMAGE, NULL, 200, NULL}, /* a manifest is a blob, too */
        {"GET", "/v2/org/app/blobs/%s", LAYER, "ghcr.io", 200, NULL},
        {"GET", "/v2/app/blobs/" UNKNOWN, 0, NULL, 404, "BLOB_UNKNOWN"},
        {"GET", "/v2/app/blobs/1", 0, NULL, 400, "DIGEST_INVALID"},
        {"GET", "/v2/none/blobs/%s", LAYER, NULL, 404, "NAME_UNKNOWN"},
        {"GET", "/v2/app/tags/list", 0, NULL, 200, NULL},
        {"GET", "/v2/none/tags/list", 0, NULL, 404, "NAME_UNKNOWN"},
        {"GET", "/v2/app/referrers/%s", IMAGE, NULL, 200, NULL},
        {"GET", "/v2/app/referrers/" UNKNOWN, 0, NULL, 200, NULL},
        {"GET", "/v2/none/referrers/" UNKNOWN, 0, NULL, 200, NULL},
        {"GET", "/v2/app/referrers/1", 0, NULL, 400, "DIGEST_INVALID"},
        {"GET", "/v2/_catalog", 0, NULL, 200, NULL},
        {"GET", "/v2/app/blobs/uploads/77", 0, NULL, 404, "BLOB_UPLOAD_UNKNOWN"},
        {"POST", "/v2/app/blobs/uploads/", 0, NULL, 405, "UNSUPPORTED"},
        {"PATCH", "/v2/app/blobs/uploads/77", 0, NULL, 405, "UNSUPPORTED"},
        {"PUT", "/v2/app/manifests/1", 0, NULL, 405, "UNSUPPORTED"},
        {"DELETE", "/v2/app/manifests/1", 0, NULL, 405, "UNSUPPORTED"},
        {"get", "/v2/", 0, NULL, 405, "UNSUPPORTED"},
        {"OPTIONS", "*", 0, NULL, 405, "UNSUPPORTED"},
    };
    const port *p = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const gs_ask ask = {.method = cases[i].method, .ns = cases[i].ns};
        gs_answer answer;
        char wanted[64];
        ask_path(p, &ask, cases[i].path, cases[i].content, &answer);
        if (answer.status != cases[i].status) {
            fail_msg("%s %s: %d", cases[i].method, cases[i].path, answer.status);
        }
        if (cases[i].code) {
            (void)snprintf(wanted, sizeof wanted, "{\"errors\":[{\"code\":\"%s\",\"message\":\"", cases[i].code);
            assert_contains(gs_buf_text(&answer.body), wanted);
            assert_header(&answer, "Content-Type", "application/json");
            assert_int_equal(answer.fd, -1);
        }
        assert_header(&answer, "Allow", answer.status == 405 ? "GET, HEAD" : NULL);
        gs_answer_done(&answer);
    }
}

/* The bytes that the answer points at have the digest that it promises. */
static void assert_content(const port *p, const gs_answer *answer, int content)
{
    gs_error err = {0};
    gs_digest digest;
    char etag[GS_DIGEST_TEXT + 2];
    assert_int_equal(answer->status, 200);
    assert_int_equal(answer->fd, gs_verified_fd(p->bundle));
    assert_int_equal(answer->length, p->content[content].size);
    assert_ok(&err, gs_digest_of_file(answer->fd, answer->offset, answer->length, &digest, &err));
    assert_true(gs_digest_equal(&digest, &p->content[content].digest));
    (void)snprintf(etag, sizeof etag, "\"%s\"", p->digest[content]);
    assert_header(answer, "Docker-Content-Digest", p->digest[content]);
    assert_header(answer, "ETag", etag);
    assert_header(answer, "Content-Range", NULL);
}

static void content_is_sent_byte_for_byte(void **state)
{
    static const struct {
        const char *path;
        int content;
        const char *type;
    } cases[] = {
        {"/v2/app/manifests/1", IMAGE, GS_MEDIA_MANIFEST},       {"/v2/app/manifests/%s", OTHER, GS_MEDIA_MANIFEST},
        {"/v2/multi/manifests/1", INDEX, GS_MEDIA_DOCKER_LIST},  {"/v2/app/blobs/%s", LAYER, "application/octet-stream"},
        {"/v2/app/blobs/%s", EMPTY, "application/octet-stream"}, {"/v2/app/blobs/%s", INDEX, "application/octet-stream"},
    };
    const port *p = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const bool blob = strstr(cases[i].path, "/blobs/") != NULL;
        gs_answer answer;
        ask_path(p, &(gs_ask){0}, cases[i].path, cases[i].content, &answer);
        assert_content(p, &answer, cases[i].content);
        assert_header(&answer, "Content-Type", cases[i].type);
        assert_header(&answer, "Accept-Ranges", blob ? "bytes" : NULL);
        assert_header(&answer, "Cache-Control", blob ? "max-age=31536000" : NULL);
        gs_answer_done(&answer);
    }
}

static void parts_are_the_right_bytes(void **state)
{
    static const struct {
        const char *range;
        int status;
        const char *content_range;
        size_t first, length;
    } cases[] = {
        {"bytes=500-1499", 206, "bytes 500-1499/2048", 500, 1000},
        {"bytes=500-", 206, "bytes 500-2047/2048", 500, 1548},
        {"bytes=-500", 206, "bytes 1548-2047/2048", 1548, 500},
        {"bytes=2000-5000", 206, "bytes 2000-2047/2048", 2000, 48},
        {"bytes=500-0", 416, "bytes */2048", 0, 0},
        {"bytes=5000-10000", 416, "bytes */2048", 0, 0},
        {"bytes=0-1,5-6", 200, NULL, 0, 2048},
        {"lines=1-2", 200, NULL, 0, 2048},
    };
    const port *p = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char seen[2048];
        gs_answer answer;
        ask_path(p, &(gs_ask){.range = cases[i].range}, "/v2/app/blobs/%s", LAYER, &answer);
        assert_int_equal(answer.status, cases[i].status);
        assert_header(&answer, "Content-Range", cases[i].content_range);
        if (answer.status == 416) {
            assert_int_equal(answer.fd, -1);
            assert_contains(gs_buf_text(&answer.body), "RANGE_INVALID");
            assert_header(&answer, "Cache-Control", NULL);
        } else {
            assert_int_equal(answer.length, cases[i].length);
            assert_int_equal(pread(answer.fd, seen, answer.length, (off_t)answer.offset), (ssize_t)cases[i].length);
            assert_memory_equal(seen, layer_bytes + cases[i].first, cases[i].length);
        }
        gs_answer_done(&answer);
    }
}

static void ranges_are_for_getting_blobs_alone(void **state)
{
    const port *p = *state;
    gs_answer answer;
    ask_path(p, &(gs_ask){.method = "HEAD", .range = "bytes=1-2"}, "/v2/app/blobs/%s", LAYER, &answer);
    assert_content(p, &answer, LAYER);
    gs_answer_done(&answer);
    ask_path(p, &(gs_ask){.range = "bytes=1-2"}, "/v2/app/manifests/1", IMAGE, &answer);
    assert_content(p, &answer, IMAGE);
    gs_answer_done(&answer);
    ask_path(p, &(gs_ask){.range = "bytes=0-"}, "/v2/app/blobs/%s", EMPTY, &answer);
    assert_int_equal(answer.status, 416);
    assert_header(&answer, "Content-Range", "bytes */0");
    gs_answer_done(&answer);
}

static void what_the_client_has_is_not_sent_again(void **state)
{
    const port *p = *state;
    static const struct {
        const char *format; /* "%s" is the digest */
        int status;
    } cases[] = {{"\"%s\"", 304}, {"%s", 304},    {"W/\"%s\"", 304},        {"\"x\", \"%s\"", 304},
                 {"*", 304},      {"\"x\"", 200}, {"\"" UNKNOWN "\"", 200}, {"", 200}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char known[256];
        const char *hole = strstr(cases[i].format, "%s");
        (void)snprintf(known, sizeof known, "%.*s%s%s", hole ? (int)(hole - cases[i].format) : (int)strlen(cases[i].format),
                       cases[i].format, hole ? p->digest[IMAGE] : "", hole ? hole + 2 : "");
        gs_answer answer;
        ask_path(p, &(gs_ask){.if_none_match = known}, "/v2/app/manifests/1", 0, &answer);
        if (answer.status != cases[i].status) {
            fail_msg("%s: %d", known, answer.status);
        }
        assert_header(&answer, "Docker-Content-Digest", p->digest[IMAGE]);
        assert_int_equal(answer.status == 304, answer.fd == -1);
        gs_answer_done(&answer);
    }
}

static void lists_come_in_pages(void **state)
{
    static const struct {
        const char *path, *n, *last, *ns, *body, *link;
    } cases[] = {
        {"/v2/app/tags/list", NULL, NULL, NULL, "{\"name\":\"app\",\"tags\":[\"1\",\"10\",\"2\"]}", NULL},
        {"/v2/app/tags/list", "2", NULL, NULL, "{\"name\":\"app\",\"tags\":[\"1\",\"10\"]}",
         "</v2/app/tags/list?n=2&last=10>; rel=\"next\""},
        {"/v2/app/tags/list", "2", "10", NULL, "{\"name\":\"app\",\"tags\":[\"2\"]}", NULL},
        {"/v2/app/tags/list", "3", NULL, NULL, "{\"name\":\"app\",\"tags\":[\"1\",\"10\",\"2\"]}", NULL},
        {"/v2/app/tags/list", "1000", NULL, NULL, "{\"name\":\"app\",\"tags\":[\"1\",\"10\",\"2\"]}", NULL},
        {"/v2/app/tags/list", "0", NULL, NULL, "{\"name\":\"app\",\"tags\":[]}", NULL},
        {"/v2/app/tags/list", NULL, "11", NULL, "{\"name\":\"app\",\"tags\":[\"2\"]}", NULL}, /* one that is not there */
        {"/v2/app/tags/list", NULL, "2", NULL, "{\"name\":\"app\",\"tags\":[]}", NULL},
        {"/v2/app/tags/list", NULL, "", NULL, "{\"name\":\"app\",\"tags\":[\"1\",\"10\",\"2\"]}", NULL},
        {"/v2/org/app/tags/list", "1", NULL, "ghcr.io", "{\"name\":\"org/app\",\"tags\":[\"v1\"]}",
         "</v2/org/app/tags/list?n=1&last=v1&ns=ghcr.io>; rel=\"next\""},
        {"/v2/_catalog", NULL, NULL, NULL, "{\"repositories\":[\"app\",\"app-sbom\",\"app-signature\",\"multi\"]}", NULL},
        {"/v2/_catalog", "3", NULL, "x\r\nEvil: y", "{\"repositories\":[\"app\",\"app-sbom\",\"app-signature\"]}",
         "</v2/_catalog?n=3&last=app-signature>; rel=\"next\""},
        {"/v2/_catalog", "3", "app-signature", NULL, "{\"repositories\":[\"multi\"]}", NULL},
        {"/v2/_catalog", "0", NULL, NULL, "{\"repositories\":[]}", NULL},
    };
    const port *p = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const gs_ask ask = {.n = cases[i].n, .last = cases[i].last, .ns = cases[i].ns};
        gs_answer answer;
        assert_body(p, &ask, cases[i].path, 0, cases[i].body);
        ask_path(p, &ask, cases[i].path, 0, &answer);
        assert_header(&answer, "Content-Type", "application/json");
        assert_header(&answer, "Link", cases[i].link);
        gs_answer_done(&answer);
    }
    static const char *const bad[] = {"-1", "x", "", "1e3", "18446744073709551616"};
    for (size_t i = 0; i < 2 * COUNT_OF(bad); i++) {
        gs_answer answer;
        ask_path(p, &(gs_ask){.n = bad[i / 2]}, i % 2 ? "/v2/_catalog" : "/v2/app/tags/list", 0, &answer);
        assert_int_equal(answer.status, 400);
        assert_contains(gs_buf_text(&answer.body), "PAGINATION_NUMBER_INVALID");
        gs_answer_done(&answer);
    }
}

static void a_namespace_is_said_back_only_when_it_is_known(void **state)
{
    const port *p = *state;
    gs_answer answer;
    ask_path(p, &(gs_ask){.ns = "ghcr.io"}, "/v2/org/app/manifests/v1", 0, &answer);
    assert_header(&answer, "OCI-Namespace", "ghcr.io");
    gs_answer_done(&answer);
    ask_path(p, &(gs_ask){.ns = "x\r\nEvil: y"}, "/v2/org/app/manifests/v1", 0, &answer);
    assert_header(&answer, "OCI-Namespace", NULL);
    gs_answer_done(&answer);
    ask_path(p, &(gs_ask){0}, "/v2/app/manifests/1", 0, &answer);
    assert_header(&answer, "OCI-Namespace", NULL);
    gs_answer_done(&answer);
}

/* The referrers of content[IMAGE] by artifact type: digests of SIGNATURE and SBOM, or none. */
static void check_referrers(const port *p, const char *type, bool signature, bool sbom)
{
    gs_answer answer;
    ask_path(p, &(gs_ask){.artifact_type = type}, "/v2/app/referrers/%s", IMAGE, &answer);
    const char *body = gs_buf_text(&answer.body);
    assert_int_equal(answer.status, 200);
    assert_header(&answer, "Content-Type", GS_MEDIA_INDEX);
    assert_header(&answer, "OCI-Filters-Applied", type ? "artifactType" : NULL);
    assert_contains(body, "{\"schemaVersion\":2,\"mediaType\":\"" GS_MEDIA_INDEX "\",\"manifests\":[");
    assert_int_equal(strstr(body, p->digest[SIGNATURE]) != NULL, signature);
    assert_int_equal(strstr(body, p->digest[SBOM]) != NULL, sbom);
    if (signature) {
        assert_contains(body, "\"artifactType\":\"application/x.signature\"");
        assert_contains(body, "\"annotations\":{\"by\":\"me\"}");
    }
    if (sbom) {
        assert_contains(body, "\"artifactType\":\"application/x.sbom\""); /* its config's media type */
    }
    gs_error err = {0};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_manifest index;
    assert_ok(&err, gs_manifest_parse(answer.body.data, answer.body.len, GS_MEDIA_INDEX, arena, &index, &err));
    assert_int_equal(index.item_count, (size_t)signature + sbom);
    gs_answer_done(&answer);
}

static void what_refers_to_an_image_is_listed(void **state)
{
    const port *p = *state;
    check_referrers(p, NULL, true, true);
    check_referrers(p, "application/x.signature", true, false);
    check_referrers(p, "application/x.sbom", false, true);
    check_referrers(p, "application/x.other", false, false);
    assert_body(p, &(gs_ask){0}, "/v2/app/referrers/%s", OTHER,
                "{\"schemaVersion\":2,\"mediaType\":\"" GS_MEDIA_INDEX "\",\"manifests\":[]}");
}

#define test_in_port(function) cmocka_unit_test_setup_teardown(function, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_port(every_request_has_its_status_and_code),
        test_in_port(content_is_sent_byte_for_byte),
        test_in_port(parts_are_the_right_bytes),
        test_in_port(ranges_are_for_getting_blobs_alone),
        test_in_port(what_the_client_has_is_not_sent_again),
        test_in_port(lists_come_in_pages),
        test_in_port(a_namespace_is_said_back_only_when_it_is_known),
        test_in_port(what_refers_to_an_image_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
