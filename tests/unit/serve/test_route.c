/* Paths and ranges. */
#include "serve/route.h"

#include <stdio.h>
#include <string.h>

#include "support.h"

#define HEX    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX

static void paths_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        gs_route_kind kind;
        const char *name, *reference;
    } cases[] = {
        {"/v2", GS_ROUTE_BASE, "", ""},
        {"/v2/", GS_ROUTE_BASE, "", ""},
        {"/v2/_catalog", GS_ROUTE_CATALOG, "", ""},
        {"/v2/app/tags/list", GS_ROUTE_TAGS, "app", "list"},
        {"/v2/a/b/c/tags/list", GS_ROUTE_TAGS, "a/b/c", "list"},
        {"/v2/app/manifests/1.0", GS_ROUTE_MANIFEST, "app", "1.0"},
        {"/v2/app/manifests/" DIGEST, GS_ROUTE_MANIFEST, "app", DIGEST},
        {"/v2/docker.io/library/app/manifests/1", GS_ROUTE_MANIFEST, "docker.io/library/app", "1"},
        {"/v2/app/blobs/" DIGEST, GS_ROUTE_BLOB, "app", DIGEST},
        {"/v2/app/referrers/" DIGEST, GS_ROUTE_REFERRERS, "app", DIGEST},
        {"/v2/app/blobs/uploads/", GS_ROUTE_UPLOAD, "app", ""},
        {"/v2/app/blobs/uploads/3f-77", GS_ROUTE_UPLOAD, "app", "3f-77"},
        /* Names with the words of the API in them: the last one counts. */
        {"/v2/blobs/blobs/" DIGEST, GS_ROUTE_BLOB, "blobs", DIGEST},
        {"/v2/a/blobs/b/manifests/1", GS_ROUTE_MANIFEST, "a/blobs/b", "1"},
        {"/v2/a/manifests/b/blobs/" DIGEST, GS_ROUTE_BLOB, "a/manifests/b", DIGEST},
        {"/v2/a/blobs/uploads/b/manifests/1", GS_ROUTE_MANIFEST, "a/blobs/uploads/b", "1"},
        {"/v2/a/blobs/uploads/tags/list", GS_ROUTE_TAGS, "a/blobs/uploads", "list"},
        {"/v2/tags/list/tags/list", GS_ROUTE_TAGS, "tags/list", "list"},
        {"/v2/a/tags/list/manifests/list", GS_ROUTE_MANIFEST, "a/tags/list", "list"},
        {"/v2/uploads/manifests/1", GS_ROUTE_MANIFEST, "uploads", "1"},
        /* Nothing. */
        {"", GS_ROUTE_NONE, "", ""},
        {"/", GS_ROUTE_NONE, "", ""},
        {"/v1/", GS_ROUTE_NONE, "", ""},
        {"/v2x", GS_ROUTE_NONE, "", ""},
        {"/v2//", GS_ROUTE_NONE, "", ""},
        {"v2/app/manifests/1", GS_ROUTE_NONE, "", ""},
        {"/v2/_catalog/", GS_ROUTE_NONE, "", ""},
        {"/v2/app", GS_ROUTE_NONE, "", ""},
        {"/v2/app/", GS_ROUTE_NONE, "", ""},
        {"/v2/app/manifests", GS_ROUTE_NONE, "", ""},
        {"/v2/app/manifests/", GS_ROUTE_NONE, "", ""},
        {"/v2/app/manifests/1/", GS_ROUTE_NONE, "", ""},
        {"/v2/app/manifests/1/2", GS_ROUTE_NONE, "", ""},
        {"/v2/app/blobs/", GS_ROUTE_NONE, "", ""},
        {"/v2/app/tags/", GS_ROUTE_NONE, "", ""},
        {"/v2/app/tags/list/", GS_ROUTE_NONE, "", ""},
        {"/v2/app/tags/lists", GS_ROUTE_NONE, "", ""},
        {"/v2/manifests/1", GS_ROUTE_NONE, "", ""},
        {"/v2//manifests/1", GS_ROUTE_NONE, "", ""},
        {"/v2//app/manifests/1", GS_ROUTE_NONE, "", ""},
        {"/v2/app//manifests/1", GS_ROUTE_NONE, "", ""},
        {"/v2/App/manifests/1", GS_ROUTE_NONE, "", ""},
        {"/v2/a..b/manifests/1", GS_ROUTE_NONE, "", ""},
        {"/v2/../manifests/1", GS_ROUTE_NONE, "", ""},
        {"/v2/../../etc/passwd/blobs/" DIGEST, GS_ROUTE_NONE, "", ""},
        {"/v2/a b/manifests/1", GS_ROUTE_NONE, "", ""},
        {"/v2/a\r\nb/manifests/1", GS_ROUTE_NONE, "", ""},
        {"/v2/\xc3\xa9/manifests/1", GS_ROUTE_NONE, "", ""},
        {"/v2/a-/manifests/1", GS_ROUTE_NONE, "", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_route route;
        gs_route_parse(cases[i].path, &route);
        if (route.kind != cases[i].kind || strcmp(route.name, cases[i].name) != 0 ||
            strcmp(route.reference, cases[i].reference) != 0) {
            fail_msg("%s: kind %d, name \"%s\", reference \"%s\"", cases[i].path, (int)route.kind, route.name, route.reference);
        }
    }
}

static void long_names_are_nothing(void **state)
{
    (void)state;
    static const struct {
        size_t name, reference;
        gs_route_kind kind;
    } cases[] = {{255, 128, GS_ROUTE_MANIFEST}, {256, 128, GS_ROUTE_NONE},  {255, 255, GS_ROUTE_MANIFEST},
                 {255, 256, GS_ROUTE_NONE},     {9000, 128, GS_ROUTE_NONE}, {1, 9000, GS_ROUTE_NONE}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_buf path;
        gs_route route;
        gs_buf_init(&path, 32768);
        gs_buf_add_text(&path, "/v2/");
        for (size_t k = 0; k < cases[i].name; k++) {
            gs_buf_add_text(&path, "n");
        }
        gs_buf_add_text(&path, "/manifests/");
        for (size_t k = 0; k < cases[i].reference; k++) {
            gs_buf_add_text(&path, "r");
        }
        gs_route_parse(gs_buf_text(&path), &route);
        assert_int_equal(route.kind, cases[i].kind);
        assert_int_equal(strlen(route.name), route.kind == GS_ROUTE_NONE ? 0 : cases[i].name);
        gs_buf_done(&path);
    }
}

enum outcome { WHOLE, PART, REFUSED };

static void ranges_are_clamped_ignored_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        uint64_t size;
        enum outcome outcome;
        uint64_t first, last;
    } cases[] = {
        {"bytes=500-1499", 2048, PART, 500, 1499},
        {"bytes=500-", 2048, PART, 500, 2047},
        {"bytes=-500", 2048, PART, 1548, 2047},
        {"bytes=2000-5000", 2048, PART, 2000, 2047},
        {"bytes=500-0", 2048, REFUSED, 0, 0},
        {"bytes=5000-10000", 2048, REFUSED, 0, 0},
        {"bytes=0-", 2048, PART, 0, 2047},
        {"bytes=0-0", 2048, PART, 0, 0},
        {"bytes=2047-", 2048, PART, 2047, 2047},
        {"bytes=2047-2048", 2048, PART, 2047, 2047},
        {"bytes=1000-2048", 2048, PART, 1000, 2047}, /* regclient asks for the size as the last one */
        {"bytes=2048-", 2048, REFUSED, 0, 0},
        {"bytes=-2048", 2048, PART, 0, 2047},
        {"bytes=-5000", 2048, PART, 0, 2047},
        {"bytes=-0", 2048, REFUSED, 0, 0},
        {"Bytes=1-2", 2048, PART, 1, 2},
        {"bytes=0-18446744073709551615", 2048, PART, 0, 2047},
        {"bytes=18446744073709551615-", 2048, REFUSED, 0, 0},
        {"bytes=4294967296-4294967297", 8589934592, PART, 4294967296, 4294967297},
        {"bytes=0-", 0, REFUSED, 0, 0},
        {"bytes=0-0", 0, REFUSED, 0, 0},
        {"bytes=-1", 0, REFUSED, 0, 0},
        {NULL, 2048, WHOLE, 0, 0},
        {"", 2048, WHOLE, 0, 0},
        {"bytes", 2048, WHOLE, 0, 0},
        {"bytes=", 2048, WHOLE, 0, 0},
        {"bytes=-", 2048, WHOLE, 0, 0},
        {"bytes=5", 2048, WHOLE, 0, 0},
        {"bytes=a-b", 2048, WHOLE, 0, 0},
        {"bytes=1-2,4-5", 2048, WHOLE, 0, 0},
        {"bytes=1-,4-5", 2048, WHOLE, 0, 0},
        {"bytes=-1-2", 2048, WHOLE, 0, 0},
        {"bytes=--1", 2048, WHOLE, 0, 0},
        {"bytes=+1-2", 2048, WHOLE, 0, 0},
        {"bytes= 1-2", 2048, WHOLE, 0, 0},
        {"bytes=1-2 ", 2048, WHOLE, 0, 0},
        {"bytes=0x1-2", 2048, WHOLE, 0, 0},
        {"items=1-2", 2048, WHOLE, 0, 0},
        {"bytes=18446744073709551616-", 2048, WHOLE, 0, 0},
        {"bytes=0-99999999999999999999999999999999", 2048, WHOLE, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t first = 0, last = 0;
        bool unsatisfiable = true;
        bool part = gs_range_parse(cases[i].header, cases[i].size, &first, &last, &unsatisfiable);
        enum outcome outcome = part ? PART : unsatisfiable ? REFUSED : WHOLE;
        if (outcome != cases[i].outcome || first != cases[i].first || last != cases[i].last || (part && unsatisfiable)) {
            fail_msg("%s of %llu: outcome %d, %llu to %llu", cases[i].header, (unsigned long long)cases[i].size, (int)outcome,
                     (unsigned long long)first, (unsigned long long)last);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_told_apart),
        cmocka_unit_test(long_names_are_nothing),
        cmocka_unit_test(ranges_are_clamped_ignored_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
