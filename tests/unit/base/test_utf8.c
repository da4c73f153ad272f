/* What is UTF-8, and what a terminal is shown of the rest. */
#include <string.h>

#include "gapship/text.h"
#include "support.h"

static void judges_sequences(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"ascii", true},
        {"\xc2\x80", true},
        {"\xdf\xbf", true},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xee\x80\x80", true},
        {"\xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\x80", false},
        {"\xbf", false},
        {"\xc0\x80", false},
        {"\xc1\xbf", false},
        {"\xc2", false},
        {"\xc2 ", false},
        {"\xe0\x9f\xbf", false},
        {"\xe2\x82", false},
        {"\xe2\x82 ", false},
        {"\xed\xa0\x80", false},
        {"\xed\xbf\xbf", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf0\x90\x80", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"ok \xfe", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(gs_text_is_utf8(cases[i].text, strlen(cases[i].text)), cases[i].valid);
    }
    assert_true(gs_text_is_utf8("a\0b", 3));
    assert_false(gs_text_is_utf8("€", 2));
}

static void shows_what_is_harmless(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *shown;
    } cases[] = {
        {"", ""},
        {"plain ü€𝄞", "plain ü€𝄞"},
        {"\x1b[2J\a\t\n\x7f", "?[2J????"},
        {"\xc2\x9b"
         "31m",
         "?31m"},
        {"\xc2\xa0", "\xc2\xa0"},
        {"\xe2\x80\xa8|\xe2\x80\xae|\xe2\x81\xa6|\xe2\x80\x8f|\xd8\x9c", "?|?|?|?|?"},
        {"\xe2\x80\xa6", "\xe2\x80\xa6"},
        {"a\xe2\x82", "a??"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char shown[64];
        gs_text_printable(cases[i].text, shown, sizeof shown);
        assert_string_equal(shown, cases[i].shown);
    }
}

static void cuts_between_characters(void **state)
{
    (void)state;
    char shown[8];
    gs_text_printable("12345€", shown, 8);
    assert_string_equal(shown, "12345");
    gs_text_printable("1234€", shown, 8);
    assert_string_equal(shown, "1234€");
    gs_text_printable("x", shown, 1);
    assert_string_equal(shown, "");
    shown[0] = 'k';
    gs_text_printable("x", shown, 0);
    assert_int_equal(shown[0], 'k');
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(judges_sequences), cmocka_unit_test(shows_what_is_harmless),
                                       cmocka_unit_test(cuts_between_characters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
