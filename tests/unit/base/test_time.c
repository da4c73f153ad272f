/* Times, durations and sizes: what people write is read strictly, what they read is rounded right. */
#include "gapship/num.h"
#include "support.h"

static void parses_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value; /* -1: refused */
    } cases[] = {
        {"0s", 0},
        {"1ms", 1},
        {"300s", 300000},
        {"5m", 300000},
        {"2h", 7200000},
        {"720h", INT64_C(2592000000)},
        {"721h", -1},
        {"2592000001ms", -1},
        {"2.5s", -1},
        {"300", -1},
        {"", -1},
        {"s", -1},
        {"5M", -1},
        {"5 m", -1},
        {"-5m", -1},
        {"5m30s", -1},
        {"5d", -1},
        {"18446744073709551616s", -1},
        {"18446744073709551615h", -1},
        {"00000000000000000000000000001s", -1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t value = -7;
        assert_int_equal(gs_parse_duration(cases[i].text, &value), cases[i].value >= 0);
        assert_true(value == (cases[i].value >= 0 ? cases[i].value : -7));
    }
}

static void parses_ages(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value; /* -1: refused */
    } cases[] = {
        {"36h", 129600},
        {"180d", 15552000},
        {"0d", 0},
        {"36500d", INT64_C(3153600000)},
        {"36501d", -1},
        {"876001h", -1},
        {"", -1},
        {"d", -1},
        {"90", -1},
        {"90s", -1},
        {"90 d", -1},
        {"-1d", -1},
        {"1.5d", -1},
        {"90dd", -1},
        {"99999999999999999999d", -1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t value = -7;
        assert_int_equal(gs_parse_age(cases[i].text, &value), cases[i].value >= 0);
        assert_true(value == (cases[i].value >= 0 ? cases[i].value : -7));
    }
}

static void parses_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
        uint64_t value;
    } cases[] = {
        {"0", true, 0},
        {"512", true, 512},
        {"4kB", true, 4000},
        {"4KiB", true, 4096},
        {"4kiB", true, 4096},
        {"3MB", true, 3000000},
        {"3MiB", true, 3145728},
        {"4GB", true, UINT64_C(4000000000)},
        {"4GiB", true, UINT64_C(4294967296)},
        {"2TB", true, UINT64_C(2000000000000)},
        {"2TiB", true, UINT64_C(2199023255552)},
        {"16777215TiB", true, UINT64_C(16777215) << 40},
        {"16777216TiB", false, 0},
        {"4G", false, 0},
        {"4gb", false, 0},
        {"4 GB", false, 0},
        {"4.5GB", false, 0},
        {"GB", false, 0},
        {"", false, 0},
        {"-1", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t value = 99;
        assert_int_equal(gs_parse_size(cases[i].text, &value), cases[i].valid);
        assert_true(value == (cases[i].valid ? cases[i].value : 99));
    }
}

static void parses_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-21T13:55:00Z", INT64_C(1795269300)},
        {"2000-02-29T23:59:59Z", INT64_C(951868799)},
        {"2038-01-19T03:14:08Z", INT64_C(2147483648)},
        {"9999-12-31T23:59:59Z", INT64_C(253402300799)},
    };
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        int64_t value = -7;
        char text[GS_TIME_TEXT];
        assert_true(gs_parse_time(good[i].text, &value));
        assert_true(value == good[i].value);
        gs_format_time(value, text);
        assert_string_equal(text, good[i].text);
    }
    static const char *const bad[] = {
        "",
        "2026-11-21",
        "2026-11-21T13:55:00",
        "2026-11-21T13:55:00z",
        "2026-11-21 13:55:00Z",
        "2026-11-21T13:55:00+00:00",
        "2026-11-21T13:55:00.5Z",
        "2026-11-21T13:55:00Z ",
        "1969-12-31T23:59:59Z",
        "1900-02-29T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-00-10T00:00:00Z",
        "2026-13-10T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-10T24:00:00Z",
        "2026-01-10T23:60:00Z",
        "2026-01-10T23:59:60Z",
        "+026-01-10T23:59:50Z",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int64_t value = -7;
        assert_false(gs_parse_time(bad[i], &value));
        assert_int_equal(value, -7);
    }
}

static void bounds_times(void **state)
{
    (void)state;
    char text[GS_TIME_TEXT];
    gs_format_time(-1, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    gs_format_time(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
}

static void formats_sizes(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {999, "999 B"},
        {1000, "1.0 kB"},
        {1049, "1.0 kB"},
        {1050, "1.1 kB"},
        {999949, "999.9 kB"},
        {999950, "1.0 MB"},
        {741800000, "741.8 MB"},
        {UINT64_C(999949999999), "999.9 GB"},
        {UINT64_C(999950000000), "1.0 TB"},
        {UINT64_MAX, "18.4 EB"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[GS_SIZE_TEXT];
        gs_format_size(cases[i].bytes, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void formats_durations(void **state)
{
    (void)state;
    static const struct {
        int64_t milliseconds;
        const char *text;
    } cases[] = {
        {-5, "0 ms"},
        {0, "0 ms"},
        {999, "999 ms"},
        {1300, "1.3 s"},
        {1349, "1.3 s"},
        {1350, "1.4 s"},
        {59949, "59.9 s"},
        {59950, "1 m 0 s"},
        {250000, "4 m 10 s"},
        {3599499, "59 m 59 s"},
        {3599500, "1 h 0 m"},
        {7500000, "2 h 5 m"},
        {INT64_MAX, "99999999 h 12 m"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[GS_SIZE_TEXT];
        gs_format_duration(cases[i].milliseconds, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_durations),  cmocka_unit_test(parses_ages),  cmocka_unit_test(parses_sizes),
        cmocka_unit_test(parses_times),      cmocka_unit_test(bounds_times), cmocka_unit_test(formats_sizes),
        cmocka_unit_test(formats_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
