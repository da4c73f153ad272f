/* Errors: what is kept, cut and cleaned; and that docs/errors.md has a row for each code. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support.h"

static void fills_all_fields(void **state)
{
    (void)state;
    gs_error err = {.code = 1, .where = "old", .hint = "old"};
    assert_int_equal(gs_fail(&err, GS_ESPEC, "unknown field %s", "\"imags\""), GS_ESPEC);
    assert_int_equal(err.code, GS_ESPEC);
    assert_string_equal(err.message, "unknown field \"imags\"");
    assert_string_equal(err.where, "");
    assert_string_equal(err.hint, "");
    assert_int_equal(gs_error_at(&err, "%d:%d", 7, 3), GS_ESPEC);
    assert_int_equal(gs_error_at(&err, "release.yaml"), GS_ESPEC);
    assert_string_equal(err.where, "release.yaml: 7:3");
    assert_int_equal(gs_error_context(&err, "cannot read %s", "the release"), GS_ESPEC);
    assert_string_equal(err.message, "cannot read the release: unknown field \"imags\"");
    assert_int_equal(gs_error_hint(&err, "did you mean images?"), GS_ESPEC);
    assert_int_equal(gs_error_hint(&err, "the caller knows less"), GS_ESPEC);
    assert_string_equal(err.hint, "did you mean images?");
    assert_int_equal(gs_error_recode(&err, GS_EREGISTRY), GS_EREGISTRY);
    assert_int_equal(err.code, GS_EREGISTRY);
    assert_string_equal(err.hint, "did you mean images?");
}

static void accepts_no_error(void **state)
{
    (void)state;
    gs_error none = {0};
    assert_int_equal(gs_fail(NULL, GS_EGATE, "x"), GS_EGATE);
    assert_int_equal(gs_fail_errno(NULL, ENOMEM, "x"), GS_ENOMEM);
    assert_int_equal(gs_fail_nomem(NULL), GS_ENOMEM);
    assert_int_equal(gs_error_recode(NULL, GS_EGATE), GS_EGATE);
    assert_int_equal(gs_error_context(NULL, "x"), GS_EINTERNAL);
    assert_int_equal(gs_error_at(NULL, "x"), GS_EINTERNAL);
    assert_int_equal(gs_error_hint(NULL, "x"), GS_EINTERNAL);
    assert_int_equal(gs_error_context(&none, "x"), GS_EINTERNAL);
}

static void maps_errno(void **state)
{
    (void)state;
    static const struct {
        int errnum;
        int code;
        const char *text;
    } cases[] = {
        {ENOMEM, GS_ENOMEM, "cannot write x: Cannot allocate memory"},
        {ENOSPC, GS_ENOSPACE, "cannot write x: No space left on device"},
        {EDQUOT, GS_ENOSPACE, "cannot write x: Disk quota exceeded"},
        {EIO, GS_EIO, "cannot write x: Input/output error"},
        {EACCES, GS_EIO, "cannot write x: Permission denied"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        assert_int_equal(gs_fail_errno(&err, cases[i].errnum, "cannot write %s", "x"), cases[i].code);
        assert_int_equal(err.code, cases[i].code);
        assert_string_equal(err.message, cases[i].text);
    }
}

static void cleans_what_comes_from_outside(void **state)
{
    (void)state;
    gs_error err = {0};
    (void)gs_fail(&err, GS_EREGISTRY, "said %s", "\x1b[31mred\r\n\x7f \xff \xc2\x85 \xe2\x80\xae ok ü€𝄞");
    assert_string_equal(err.message, "said ?[31mred??? ? ? ? ok ü€𝄞");
}

static void cuts_on_a_character(void **state)
{
    (void)state;
    /* Characters of two bytes, from both alignments, so that a cut in the middle would show. */
    for (size_t shift = 0; shift < 2; shift++) {
        char text[3 * GS_ERROR_MESSAGE_MAX];
        memset(text, 'x', sizeof text);
        for (size_t i = shift; i + 2 < sizeof text; i += 2) {
            memcpy(text + i, "ü", 2);
        }
        text[sizeof text - 1] = '\0';
        gs_error err = {0};
        (void)gs_fail(&err, GS_ESPEC, "%s", text);
        size_t len = strlen(err.message);
        assert_in_range(len, GS_ERROR_MESSAGE_MAX - 3, GS_ERROR_MESSAGE_MAX - 1);
        assert_string_equal(err.message + len - 3, "…");
        assert_memory_equal(err.message + len - 5, "ü", 2);
        assert_null(strchr(err.message, '?'));
    }
}

static void keeps_what_just_fits(void **state)
{
    (void)state;
    char text[GS_ERROR_HINT_MAX + 1];
    memset(text, 'h', sizeof text);
    text[GS_ERROR_HINT_MAX - 1] = '\0';
    gs_error err = {0};
    (void)gs_fail(&err, GS_ESPEC, "x");
    (void)gs_error_hint(&err, "%s", text);
    assert_string_equal(err.hint, text);
    text[GS_ERROR_HINT_MAX - 1] = 'h';
    text[GS_ERROR_HINT_MAX] = '\0';
    (void)gs_fail(&err, GS_ESPEC, "x");
    (void)gs_error_hint(&err, "%s", text);
    assert_int_equal(strlen(err.hint), GS_ERROR_HINT_MAX - 1);
    assert_string_equal(err.hint + GS_ERROR_HINT_MAX - 4, "…");
}

static void takes_its_own_text(void **state)
{
    (void)state;
    gs_error err = {0};
    (void)gs_fail(&err, GS_EIO, "disk gone");
    (void)gs_error_at(&err, "db");
    (void)gs_fail(&err, GS_ESTATE, "%s at %s", err.message, err.where);
    assert_string_equal(err.message, "disk gone at db");
    (void)gs_error_context(&err, "%s", err.message);
    assert_string_equal(err.message, "disk gone at db: disk gone at db");
}

static void has_a_table(void **state)
{
    (void)state;
    assert_string_equal(gs_code_name(GS_ESPEC), "SPEC");
    assert_int_equal(gs_code_exit(GS_ESPEC), 2);
    assert_int_equal(gs_code_exit(GS_EROLLBACK_REFUSED), 11);
    assert_string_equal(gs_code_sentence(GS_EGATE), "a gate is closed");
    static const int unknown[] = {0, 1, 99, -(int)GS_CODE_COUNT, -1000000, INT32_MIN};
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        assert_string_equal(gs_code_name(unknown[i]), "INTERNAL");
        assert_int_equal(gs_code_exit(unknown[i]), 1);
    }
}

/* The codes are the product's interface: their statuses never move, and each has its row for the person who meets it. */
static void documents_each_code(void **state)
{
    (void)state;
    gs_buf docs;
    support_read_fixture("docs/errors.md", &docs);
    size_t rows = 0;
    for (const char *row = strstr(gs_buf_text(&docs), "\n| `"); row; row = strstr(row + 1, "\n| `")) {
        rows++;
    }
    assert_int_equal(rows, GS_CODE_COUNT - 1);
    for (int code = -1; code > -(int)GS_CODE_COUNT; code--) {
        char row[256];
        (void)snprintf(row, sizeof row, "\n| `%s` | %d | %s | ", gs_code_name(code), gs_code_exit(code), gs_code_sentence(code));
        assert_contains(gs_buf_text(&docs), row);
        const char *advice = strstr(gs_buf_text(&docs), row) + strlen(row);
        assert_true(strcspn(advice, "|\n") > 10);
    }
    gs_buf_done(&docs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_all_fields),    cmocka_unit_test(accepts_no_error),
        cmocka_unit_test(maps_errno),          cmocka_unit_test(cleans_what_comes_from_outside),
        cmocka_unit_test(cuts_on_a_character), cmocka_unit_test(keeps_what_just_fits),
        cmocka_unit_test(takes_its_own_text),  cmocka_unit_test(has_a_table),
        cmocka_unit_test(documents_each_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
