/* Questions about strings and the rules for names that come from outside. Pure: no allocation, no error texts. */
#include "gapship/text.h"

#include <stdint.h>
#include <string.h>

#include "gapship/limits.h"
#include "utf8.h"

#define NAME_BYTES      63u
#define COMPONENT_BYTES 255u
#define WORD_BYTES      64u /* longer words are not compared for "did you mean" */

bool gs_text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool gs_text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool gs_text_ends(const char *text, const char *suffix)
{
    size_t len = strlen(text);
    size_t suffix_len = strlen(suffix);
    return len >= suffix_len && memcmp(text + len - suffix_len, suffix, suffix_len) == 0;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours count one each. Three rolling rows; row r
 * is the distance of a[0..r) to each prefix of b. */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned rows[3][WORD_BYTES + 1];
    for (size_t j = 0; j <= b_len; j++) {
        rows[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3];
        const unsigned *two_above = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], two_above[j - 2] + 1);
            }
        }
    }
    return rows[a_len % 3][b_len];
}

const char *gs_text_nearest(const char *text, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    unsigned nearest_distance = 0;
    size_t len = strlen(text);
    for (size_t i = 0; i < count && len <= WORD_BYTES; i++) {
        size_t candidate_len = strlen(candidates[i]);
        if (candidate_len > WORD_BYTES) {
            continue;
        }
        unsigned distance = edit_distance(text, len, candidates[i], candidate_len);
        if (distance <= candidate_len / 3 && (!nearest || distance < nearest_distance)) {
            nearest = candidates[i];
            nearest_distance = distance;
        }
    }
    return nearest;
}

bool gs_text_is_utf8(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len) {
        size_t length = gs_utf8_length(text + i, len - i);
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

void gs_text_printable(const char *text, char *out, size_t size)
{
    (void)gs_utf8_printable(text, out, size);
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool gs_name_valid(const char *name)
{
    size_t len = strnlen(name, NAME_BYTES + 1);
    if (len == 0 || len > NAME_BYTES || !is_alphanumeric(name[0]) || !is_alphanumeric(name[len - 1])) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_alphanumeric(name[i]) && name[i] != '-' && name[i] != '.' && name[i] != '_') {
            return false;
        }
    }
    return true;
}

static bool component_valid(const char *component, size_t len)
{
    bool is_dot = len == 1 && component[0] == '.';
    bool is_dot_dot = len == 2 && component[0] == '.' && component[1] == '.';
    return len > 0 && len <= COMPONENT_BYTES && !is_dot && !is_dot_dot;
}

bool gs_path_valid(const char *path)
{
    size_t len = strnlen(path, GS_MAX_ENTRY_NAME_BYTES + 1);
    if (len > GS_MAX_ENTRY_NAME_BYTES || !gs_text_is_utf8(path, len)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)path[i];
        if (byte < 0x20 || byte == 0x7f || byte == '\\') {
            return false;
        }
    }
    for (const char *component = path;; component++) {
        size_t component_len = strcspn(component, "/");
        if (!component_valid(component, component_len)) {
            return false;
        }
        component += component_len;
        if (*component == '\0') {
            return true;
        }
    }
}

bool gs_glob_match(const char *pattern, const char *text)
{
    /* On a mismatch only the last star needs to take one more byte: what an earlier star could gain, the last one can too. */
    const char *after_star = NULL;
    const char *star_text = NULL;
    while (*text) {
        if (*pattern == '*') {
            after_star = ++pattern;
            star_text = text;
        } else if (*pattern == '?' || (*pattern && *pattern == *text)) {
            pattern++;
            text++;
        } else if (after_star) {
            pattern = after_star;
            text = ++star_text;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}
