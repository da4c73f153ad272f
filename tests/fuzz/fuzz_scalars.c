/* The small grammars that every file has: versions, constraints, times, durations, sizes, numbers, names, paths, references to
 * variables. One line each; an order is an order, and what is read says the same when it is written. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/release.h"
#include "gapship/text.h"

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void check_versions(const char *a, const char *b, const char *c)
{
    int ab = sign(gs_version_compare(a, b));
    int bc = sign(gs_version_compare(b, c));
    int ac = sign(gs_version_compare(a, c));
    check(gs_version_compare(a, a) == 0 && sign(gs_version_compare(b, a)) == -ab);
    /* Not across both orders: semver's, in which "1.0.0-1" comes before "1.0.0", and that of other dotted things. */
    if (!strchr(a, '-') && !strchr(b, '-') && !strchr(c, '-')) {
        check(!(ab <= 0 && bc <= 0) || ac <= 0);
        check(!(ab >= 0 && bc >= 0) || ac >= 0);
    }
    bool valid = false;
    bool holds = gs_version_satisfies(a, b, &valid);
    check(!holds || valid);
}

static void check_numbers(const char *text)
{
    char written[GS_SIZE_TEXT * 4];
    uint64_t number = 0;
    int64_t seconds = 0;
    int64_t again = -1;
    int64_t milliseconds = 0;
    if (gs_parse_u64(text, UINT64_MAX, &number)) {
        (void)snprintf(written, sizeof written, "%llu", (unsigned long long)number);
        check(strcmp(text, written) == 0 || text[0] == '0');
    }
    if (gs_parse_i64(text, &seconds)) {
        (void)snprintf(written, sizeof written, "%lld", (long long)seconds);
        check(strlen(written) <= strlen(text));
    }
    if (gs_parse_time(text, &seconds)) {
        char time[GS_TIME_TEXT];
        gs_format_time(seconds, time);
        check(strcmp(time, text) == 0 && gs_parse_time(time, &again) && again == seconds);
    }
    if (gs_parse_duration(text, &milliseconds)) {
        check(milliseconds >= 0 && milliseconds <= INT64_C(30) * 24 * 60 * 60 * 1000);
    }
    if (gs_parse_size(text, &number)) {
        check(text[0] >= '0' && text[0] <= '9');
    }
}

static void check_names(const char *text, size_t len)
{
    char printable[300];
    gs_text_printable(text, printable, sizeof printable);
    check(gs_text_is_utf8(printable, strlen(printable)));
    for (const char *p = printable; *p; p++) {
        check((unsigned char)*p >= 0x20 && *p != 0x7f);
    }
    check(!gs_name_valid(text) || (gs_path_valid(text) && len <= 63));
    if (gs_path_valid(text)) {
        check(text[0] != '/' && !strchr(text, '\\') && !strstr(text, "//") && gs_text_is_utf8(text, len));
        check(strcmp(text, "..") != 0 && strncmp(text, "../", 3) != 0 && !strstr(text, "/../") && !gs_text_ends(text, "/.."));
    }
    gs_digest digest;
    if (gs_digest_parse(text, &digest, NULL) == 0) {
        char written[GS_DIGEST_TEXT];
        gs_digest_text(&digest, written);
        check(strcmp(written, text) == 0);
    }
}

static void check_base64(const char *text)
{
    gs_error err = {0};
    gs_buf bytes;
    gs_buf written;
    gs_buf_init(&bytes, GS_MIB(1));
    gs_buf_init(&written, GS_MIB(2));
    if (gs_base64_decode(text, &bytes, &err) == 0) {
        check(gs_base64_encode(bytes.data, bytes.len, &written, &err) == 0 && strcmp(gs_buf_text(&written), text) == 0);
    }
    gs_buf_done(&bytes);
    gs_buf_done(&written);
}

static void check_expansion(const char *text)
{
    gs_text_pair pairs[] = {{"name", "N"}, {"version", "1"}};
    const gs_text_map variables = {.items = pairs, .count = 2};
    gs_error err = {0};
    gs_buf out;
    gs_buf_init(&out, GS_MIB(1));
    if (gs_expand(text, &variables, &out, &err) == 0) {
        check(out.len <= strlen(text) && (strstr(text, "${") || strcmp(gs_buf_text(&out), text) == 0));
    } else {
        check(err.code == GS_ESPEC);
    }
    gs_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *lines[3] = {NULL};
    char *text = strndup((const char *)data, size);
    char *rest = text;
    for (size_t i = 0; i < 3 && rest; i++) {
        char *end = strchr(rest, '\n');
        if (end && i < 2) {
            *end++ = '\0';
        }
        lines[i] = rest;
        rest = end;
    }
    for (size_t i = 0; i < 3 && lines[i]; i++) {
        check_numbers(lines[i]);
        check_names(lines[i], strlen(lines[i]));
        check_base64(lines[i]);
        check_expansion(lines[i]);
    }
    if (lines[2]) {
        check_versions(lines[0], lines[1], lines[2]);
        (void)gs_glob_match(lines[0], lines[1]);
    }
    free(text);
    return 0;
}
