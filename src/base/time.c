/* Times, durations and sizes as people write and read them. Reads no clock: run.c does. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gapship/num.h"

#define LAST_SECOND         INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define LONGEST_DURATION    (INT64_C(30) * 24 * 3600 * 1000)
#define SECONDS_OF_DAY      (UINT64_C(24) * 3600)
#define OLDEST_AGE          (36500 * SECONDS_OF_DAY)
#define LONGEST_SHOWN_HOURS INT64_C(99999999)

typedef struct unit {
    const char *suffix;
    uint64_t factor;
} unit;

/* A number directly followed by one of the units. The empty suffix, where a table has it, stands for no unit. */
static bool parse_with_unit(const char *text, const unit *units, size_t count, uint64_t *out)
{
    char digits[24];
    size_t len = strspn(text, "0123456789");
    if (len == 0 || len >= sizeof digits) {
        return false;
    }
    memcpy(digits, text, len);
    digits[len] = '\0';
    uint64_t number;
    if (!gs_parse_u64(digits, UINT64_MAX, &number)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text + len, units[i].suffix) == 0) {
            return gs_mul_u64(number, units[i].factor, out);
        }
    }
    return false;
}

bool gs_parse_duration(const char *text, int64_t *milliseconds)
{
    static const unit units[] = {{"ms", 1}, {"s", 1000}, {"m", UINT64_C(60) * 1000}, {"h", UINT64_C(3600) * 1000}};
    uint64_t value;
    if (!parse_with_unit(text, units, sizeof units / sizeof units[0], &value) || value > (uint64_t)LONGEST_DURATION) {
        return false;
    }
    *milliseconds = (int64_t)value;
    return true;
}

bool gs_parse_age(const char *text, int64_t *seconds)
{
    static const unit units[] = {{"h", 3600}, {"d", SECONDS_OF_DAY}};
    uint64_t value;
    if (!parse_with_unit(text, units, sizeof units / sizeof units[0], &value) || value > OLDEST_AGE) {
        return false;
    }
    *seconds = (int64_t)value;
    return true;
}

bool gs_parse_size(const char *text, uint64_t *bytes)
{
    static const unit units[] = {
        {"", 1},
        {"kB", 1000},
        {"MB", UINT64_C(1000) * 1000},
        {"GB", UINT64_C(1000) * 1000 * 1000},
        {"TB", UINT64_C(1000) * 1000 * 1000 * 1000},
        {"kiB", UINT64_C(1) << 10},
        {"KiB", UINT64_C(1) << 10},
        {"MiB", UINT64_C(1) << 20},
        {"GiB", UINT64_C(1) << 30},
        {"TiB", UINT64_C(1) << 40},
    };
    return parse_with_unit(text, units, sizeof units / sizeof units[0], bytes);
}

static int digits_at(const char *text, size_t len)
{
    int value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

bool gs_parse_time(const char *text, int64_t *seconds)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
    for (size_t i = 0; i < sizeof shape; i++) {
        bool fits = shape[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == shape[i];
        if (!fits) {
            return false;
        }
    }
    struct tm parts = {.tm_year = digits_at(text, 4) - 1900,
                       .tm_mon = digits_at(text + 5, 2) - 1,
                       .tm_mday = digits_at(text + 8, 2),
                       .tm_hour = digits_at(text + 11, 2),
                       .tm_min = digits_at(text + 14, 2),
                       .tm_sec = digits_at(text + 17, 2)};
    const struct tm asked = parts;
    time_t when = timegm(&parts);
    /* timegm carries what is out of range over (February 30th is March 2nd), so a date that does not exist comes back changed. */
    bool exists = parts.tm_year == asked.tm_year && parts.tm_mon == asked.tm_mon && parts.tm_mday == asked.tm_mday &&
                  parts.tm_hour == asked.tm_hour && parts.tm_min == asked.tm_min && parts.tm_sec == asked.tm_sec;
    if (!exists || when < 0) {
        return false;
    }
    *seconds = (int64_t)when;
    return true;
}

void gs_format_time(int64_t seconds, char out[GS_TIME_TEXT])
{
    time_t when = (time_t)(seconds < 0 ? 0 : seconds > LAST_SECOND ? LAST_SECOND : seconds);
    struct tm parts;
    if (!gmtime_r(&when, &parts) || strftime(out, GS_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
        out[0] = '\0';
    }
}

void gs_format_size(uint64_t bytes, char out[GS_SIZE_TEXT])
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        (void)snprintf(out, GS_SIZE_TEXT, "%" PRIu64 " B", bytes);
        return;
    }
    size_t i = 0;
    uint64_t unit_bytes = 1000;
    /* The next unit already from 999.95 on, which one decimal would show as 1000.0. */
    while (i + 1 < sizeof units / sizeof units[0] && bytes / unit_bytes >= 999 && bytes >= unit_bytes * 1000 - unit_bytes / 20) {
        unit_bytes *= 1000;
        i++;
    }
    uint64_t tenth = unit_bytes / 10;
    uint64_t tenths = bytes / tenth + (bytes % tenth >= tenth / 2 ? 1 : 0);
    (void)snprintf(out, GS_SIZE_TEXT, "%u.%u %s", (unsigned)(tenths / 10), (unsigned)(tenths % 10), units[i]);
}

void gs_format_duration(int64_t milliseconds, char out[GS_SIZE_TEXT])
{
    int64_t ms = milliseconds < 0 ? 0 : milliseconds;
    if (ms < 1000) {
        (void)snprintf(out, GS_SIZE_TEXT, "%d ms", (int)ms);
    } else if (ms < 59950) {
        int tenths = (int)((ms + 50) / 100);
        (void)snprintf(out, GS_SIZE_TEXT, "%d.%d s", tenths / 10, tenths % 10);
    } else {
        int64_t seconds = ms / 1000 + (ms % 1000 >= 500);
        int64_t minutes = seconds / 60;
        int64_t hours = minutes / 60;
        if (hours == 0) {
            (void)snprintf(out, GS_SIZE_TEXT, "%d m %d s", (int)minutes, (int)(seconds % 60));
        } else {
            hours = hours > LONGEST_SHOWN_HOURS ? LONGEST_SHOWN_HOURS : hours;
            (void)snprintf(out, GS_SIZE_TEXT, "%d h %d m", (int)hours, (int)(minutes % 60));
        }
    }
}
