/* The order of versions: Semantic Versioning 2.0.0, section 11, and beyond it whatever dotted thing a tag may be. */
#include <string.h>

#include "gapship/text.h"

#define CONSTRAINT_BYTES   128u
#define VERSION_CHARACTERS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.+-_"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static const char *skip_v(const char *version)
{
    return (*version == 'v' || *version == 'V') && is_digit(version[1]) ? version + 1 : version;
}

static size_t digit_count(const char *text)
{
    return strspn(text, "0123456789");
}

/* Of any length: a build number may be larger than any integer type. */
static int compare_numbers(const char *a, size_t a_len, const char *b, size_t b_len)
{
    while (a_len > 0 && *a == '0') {
        a++;
        a_len--;
    }
    while (b_len > 0 && *b == '0') {
        b++;
        b_len--;
    }
    if (a_len != b_len) {
        return a_len < b_len ? -1 : 1;
    }
    return sign(memcmp(a, b, a_len));
}

static int compare_words(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = sign(memcmp(a, b, a_len < b_len ? a_len : b_len));
    return order != 0 || a_len == b_len ? order : a_len < b_len ? -1 : 1;
}

/* Length of a number without a leading zero, 0 when there is none. */
static size_t strict_number(const char *text)
{
    size_t len = digit_count(text);
    return len > 1 && text[0] == '0' ? 0 : len;
}

/* Skips identifiers of [0-9A-Za-z-] separated by dots; NULL when one is empty or, if strict, a number with a leading zero. */
static const char *skip_identifiers(const char *text, bool strict)
{
    for (;; text++) {
        size_t len = 0;
        while (is_digit(text[len]) || is_letter(text[len]) || text[len] == '-') {
            len++;
        }
        if (len == 0 || (strict && digit_count(text) == len && strict_number(text) == 0)) {
            return NULL;
        }
        text += len;
        if (*text != '.') {
            return text;
        }
    }
}

static bool is_semver(const char *text)
{
    for (int i = 0; i < 3; i++) {
        size_t len = strict_number(text);
        if (len == 0 || (i < 2 && text[len] != '.')) {
            return false;
        }
        text += len + (i < 2);
    }
    if (*text == '-') {
        text = skip_identifiers(text + 1, true);
    }
    if (text && *text == '+') {
        text = skip_identifiers(text + 1, false);
    }
    return text && *text == '\0';
}

/* Compares the leading dotted numbers, a missing one counting as 0, and moves both past them. */
static int compare_cores(const char **a, const char **b)
{
    int order = 0;
    bool a_more;
    bool b_more;
    do {
        size_t a_len = digit_count(*a);
        size_t b_len = digit_count(*b);
        order = order != 0 ? order : compare_numbers(*a, a_len, *b, b_len);
        *a += a_len;
        *b += b_len;
        a_more = **a == '.' && is_digit((*a)[1]);
        b_more = **b == '.' && is_digit((*b)[1]);
        *a += a_more;
        *b += b_more;
    } while (a_more || b_more);
    return order;
}

/* Both start after '-'. Numbers sort before words, a shorter list before its own extension. */
static int compare_prereleases(const char *a, const char *b)
{
    for (;;) {
        size_t a_len = strcspn(a, ".+");
        size_t b_len = strcspn(b, ".+");
        bool a_number = digit_count(a) == a_len;
        bool b_number = digit_count(b) == b_len;
        int order;
        if (a_number && b_number) {
            order = compare_numbers(a, a_len, b, b_len);
        } else if (a_number != b_number) {
            order = a_number ? -1 : 1;
        } else {
            order = compare_words(a, a_len, b, b_len);
        }
        if (order != 0) {
            return order;
        }
        a += a_len;
        b += b_len;
        if (*a != '.' || *b != '.') {
            return (*a == '.') - (*b == '.');
        }
        a++;
        b++;
    }
}

/* The next run of digits or of letters. The end of the text, like "+build", reads as an endless row of zeros, so that a word
 * ("-rc1", "-alpine") sorts before it and a number after it. */
static const char *next_field(const char **text, size_t *len)
{
    while (**text && **text != '+' && !is_digit(**text) && !is_letter(**text)) {
        (*text)++;
    }
    const char *field = *text;
    *len = 0;
    if (is_digit(*field)) {
        *len = digit_count(field);
    } else {
        while (is_letter(field[*len])) {
            (*len)++;
        }
    }
    *text += *len;
    return field;
}

static int compare_fields(const char *a, const char *b)
{
    for (;;) {
        size_t a_len;
        size_t b_len;
        const char *a_field = next_field(&a, &a_len);
        const char *b_field = next_field(&b, &b_len);
        if (a_len == 0 && b_len == 0) {
            return 0;
        }
        bool a_word = a_len > 0 && is_letter(*a_field);
        bool b_word = b_len > 0 && is_letter(*b_field);
        int order = 0;
        if (a_word && b_word) {
            order = compare_words(a_field, a_len, b_field, b_len);
        } else if (a_word != b_word) {
            order = a_word ? -1 : 1;
        } else {
            order = compare_numbers(a_field, a_len, b_field, b_len);
        }
        if (order != 0) {
            return order;
        }
    }
}

/* Whether what stands behind the numbers is of before the release (-1), the release (0), or of after it (1). */
static int phase(const char *rest, bool semver)
{
    return semver ? -(*rest == '-') : compare_fields(rest, "");
}

int gs_version_compare(const char *a, const char *b)
{
    a = skip_v(a);
    b = skip_v(b);
    bool a_semver = is_semver(a);
    bool b_semver = is_semver(b);
    int order = compare_cores(&a, &b);
    if (order != 0) {
        return order;
    }
    int a_phase = phase(a, a_semver);
    int b_phase = phase(b, b_semver);
    if (a_phase != b_phase) {
        return a_phase < b_phase ? -1 : 1;
    }
    if (a_phase < 0 && a_semver != b_semver) {
        return a_semver ? -1 : 1; /* the two rules say different things of "rc10" and "rc2": one order needs them apart */
    }
    return a_phase < 0 && a_semver ? compare_prereleases(a + 1, b + 1) : compare_fields(a, b);
}

typedef struct comparison {
    const char *sign;
    bool less;
    bool equal;
    bool greater;
} comparison;

/* The longer signs first: "<" is a prefix of "<=". */
static const comparison comparisons[] = {
    {">=", false, true, true}, {"<=", true, true, false}, {">", false, false, true},
    {"<", true, false, false}, {"=", false, true, false},
};

static const comparison *find_comparison(const char *text)
{
    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++) {
        if (gs_text_starts(text, comparisons[i].sign)) {
            return &comparisons[i];
        }
    }
    return NULL;
}

bool gs_version_satisfies(const char *version, const char *constraint, bool *valid)
{
    bool holds = true;
    size_t terms = 0;
    const char *p = constraint + strspn(constraint, " ,");
    for (; *p; terms++) {
        const comparison *wanted = find_comparison(p);
        if (!wanted) {
            break;
        }
        p += strlen(wanted->sign);
        p += strspn(p, " ");
        char bound[CONSTRAINT_BYTES];
        size_t len = strspn(p, VERSION_CHARACTERS);
        if (len >= sizeof bound || !is_digit(*skip_v(p))) {
            break;
        }
        memcpy(bound, p, len);
        bound[len] = '\0';
        int order = gs_version_compare(version, bound);
        holds = holds && (order < 0 ? wanted->less : order > 0 ? wanted->greater : wanted->equal);
        p += len;
        p += strspn(p, " ,");
    }
    *valid = *p == '\0' && terms > 0;
    return *valid && holds;
}
