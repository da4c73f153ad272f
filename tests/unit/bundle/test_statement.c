/* Statements: written in one form, read in any that says the same, and DSSE's example. What is refused in whole files is in
 * bundle-spec/vectors; here are the texts. */
#include "statement.h"

#include <stdio.h>
#include <string.h>

#include "gapship/limits.h"
#include "support.h"

static const gs_statement example = {.product = "demo",
                                     .version = "1.2.3",
                                     .epoch = 1,
                                     .sequence = 42,
                                     .security_floor = 40,
                                     .issued_at = 1763733300,
                                     .total_length = 5000,
                                     .envelope_size = 2048,
                                     .index_size = 240,
                                     .upgrades_from = ">=1.1.0"};

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
static const char written[] =
    "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"gapship/index\",\"digest\":{\"sha256\":\"" ZEROS
    "\"}},{\"name\":\"index.json\",\"digest\":{\"sha256\":\"" ZEROS "\"}}],\"predicateType\":\"https://gapship.io/bundle/"
    "v1\",\"predicate\":{\"product\":\"demo\",\"version\":\"1.2.3\",\"epoch\":1,"
    "\"sequence\":42,\"securityFloor\":40,\"issuedAt\":\"2025-11-21T13:55:00Z\",\"totalLength\":5000,\"envelopeSize\":2048,"
    "\"index\":{\"sha256\":\"" ZEROS "\",\"size\":240},\"layout\":{\"sha256\":\"" ZEROS
    "\"},\"requires\":{\"upgradesFrom\":\">=1.1.0\"}}}";

static void test_the_written_form(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf out;
    gs_error err = {0};
    gs_buf_init(&out, GS_MAX_STATEMENT_BYTES);
    assert_ok(&err, gs_statement_write(&example, &out, &err));
    assert_string_equal(gs_buf_text(&out), written);
}

static void test_the_time_until_which_it_is_fresh(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf out;
    gs_statement fresh = example;
    gs_statement s;
    gs_error err = {0};
    gs_buf_init(&out, GS_MAX_STATEMENT_BYTES);
    fresh.fresh_until = fresh.issued_at + 90 * INT64_C(86400);
    assert_null(gs_statement_problem(&fresh));
    assert_ok(&err, gs_statement_write(&fresh, &out, &err));
    assert_non_null(
        strstr(gs_buf_text(&out), "\"issuedAt\":\"2025-11-21T13:55:00Z\",\"freshUntil\":\"2026-02-19T13:55:00Z\",\"total"));
    assert_ok(&err, gs_statement_parse(out.data, out.len, arena, &s, &err));
    assert_int_equal(s.fresh_until, fresh.fresh_until);
    fresh.fresh_until = fresh.issued_at - 1;
    assert_non_null(gs_statement_problem(&fresh));
}

static void test_reads_what_it_writes(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_statement s;
    gs_error err = {0};
    assert_ok(&err, gs_statement_parse(written, strlen(written), arena, &s, &err));
    assert_string_equal(s.product, "demo");
    assert_string_equal(s.version, "1.2.3");
    assert_string_equal(s.upgrades_from, ">=1.1.0");
    assert_int_equal(s.epoch, 1);
    assert_int_equal(s.sequence, 42);
    assert_int_equal(s.security_floor, 40);
    assert_int_equal(s.issued_at, 1763733300);
    assert_int_equal(s.fresh_until, 0);
    assert_int_equal(s.total_length, 5000);
    assert_int_equal(s.envelope_size, 2048);
    assert_int_equal(s.index_size, 240);
}

/* The written form with one text exchanged. */
static const struct {
    const char *old;
    const char *new;
    const char *text; /* NULL: accepted */
} cases[] = {
    {"{\"_type\"", " { \n\t\"_type\"", NULL},
    {"{\"_type\"", "\xef\xbb\xbf{\"_type\"", "byte order mark"},
    {"\"demo\"", "\"d\\u0065mo\"", NULL},
    {",\"requires\":{\"upgradesFrom\":\">=1.1.0\"}", "", NULL},
    {"{\"upgradesFrom\":\">=1.1.0\"}", "{}", NULL},
    {"\">=1.1.0\"", "\">=1.1.0 <2,=1.5\"", NULL},
    {"\"product\":\"demo\",", "", "\"product\" is missing"},
    {"\"epoch\":1", "\"epoch\":1,\"base\":1", "unknown key \"base\""},
    {"\"epoch\":1", "\"epoch\":1,\"epoch\":2", "second time"},
    {"\"epoch\":1", "\"epoch\":true", "not a whole number"},
    {"\"epoch\":1", "\"epoch\":-1", "negative"},
    {"\"epoch\":1", "\"epoch\":9007199254740992", "2^53"},
    {"\"epoch\":1", "\"epoch\":9007199254740991", NULL},
    {"\"securityFloor\":40", "\"securityFloor\":43", "floor"},
    {"\"demo\"", "\"De mo\"", "not a name"},
    {"\"demo\"", "\"demo\\u0000x\"", "NUL"},
    {"\"1.2.3\"", "\"\"", "not a version"},
    {"\"1.2.3\"", "\"-1\"", "not a version"},
    {"\"1.2.3\"", "\"1\\\"2\"", "not a version"},
    {"13:55:00Z", "13:55:00", "not a time"},
    {"13:55:00Z", "13:55:00.5Z", "not a time"},
    {"2025-", "1969-", "not a time"},
    {"13:55:00Z\"", "13:55:00Z\",\"freshUntil\":\"2026-02-19T13:55:00Z\"", NULL},
    {"13:55:00Z\"", "13:55:00Z\",\"freshUntil\":\"2025-11-21T13:55:00Z\"", NULL},
    {"13:55:00Z\"", "13:55:00Z\",\"freshUntil\":\"2025-11-21T13:54:59Z\"", "never fresh"},
    {"13:55:00Z\"", "13:55:00Z\",\"freshUntil\":\"1970-01-01T00:00:00Z\"", "never fresh"},
    {"13:55:00Z\"", "13:55:00Z\",\"freshUntil\":\"soon\"", "not a time"},
    {"13:55:00Z\"", "13:55:00Z\",\"freshUntil\":null", "freshUntil"},
    {"\">=1.1.0\"", "\"\"", "not a constraint"},
    {"\">=1.1.0\"", "\"1.1.0\"", "not a constraint"},
    {"\">=1.1.0\"", "7", "not text"},
    {"Statement/v1", "Statement/v2", "Statement/v1"},
    {"bundle/v1", "bundle/v2", "bundle/v1"},
    {"gapship/index\"", "gapship/INDEX\"", "subjects are not"},
    {"\"size\":240", "\"size\":\"240\"", "not a whole number"},
    {"\"index\":{\"sha256\":\"0", "\"index\":{\"sha256\":\"1", "different digests"},
    {"\"layout\":{\"sha256\":\"0", "\"layout\":{\"sha256\":\"F", "64 lower-case"},
    {"\"layout\":{\"sha256\":\"0", "\"layout\":{\"sha512\":\"0", "sha512"},
};

static void test_readings(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
        GS_AUTO_BUF gs_buf changed;
        gs_statement s;
        gs_error err = {0};
        const char *at = strstr(written, cases[i].old);
        assert_non_null(at);
        gs_buf_init(&changed, GS_MAX_STATEMENT_BYTES);
        gs_buf_add(&changed, written, (size_t)(at - written));
        gs_buf_add_text(&changed, cases[i].new);
        gs_buf_add_text(&changed, at + strlen(cases[i].old));
        if (cases[i].text) {
            assert_fails(&err, GS_EFORMAT, cases[i].text, gs_statement_parse(changed.data, changed.len, arena, &s, &err));
        } else {
            assert_ok(&err, gs_statement_parse(changed.data, changed.len, arena, &s, &err));
        }
    }
}

/* The protocol's own example: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md has "DSSEv1 29 http://… 11 hello
 * world"; here with our type. */
static void test_encoding(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf out;
    gs_error err = {0};
    gs_buf_init(&out, 1000);
    assert_ok(&err, gs_pae(GS_STATEMENT_TYPE, "hello world", 11, &out, &err));
    assert_string_equal(gs_buf_text(&out), "DSSEv1 28 application/vnd.in-toto+json 11 hello world");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_written_form),
        cmocka_unit_test(test_the_time_until_which_it_is_fresh),
        cmocka_unit_test(test_reads_what_it_writes),
        cmocka_unit_test(test_readings),
        cmocka_unit_test(test_encoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
