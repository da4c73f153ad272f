/* Plain scalars: what YAML 1.1 takes them for, as Kubernetes' own parser (sigs.k8s.io/yaml, a go-yaml v2) decides it, so that
 * gapship sees what kubectl and helm will see. Sexagesimal numbers and timestamps are text there, and so they are here. Must not
 * know about events, trees or files. */
#include "doc_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Longer plain scalars are taken for text. No number anybody means is longer. */
#define LONGEST_NUMBER 511

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(text, *words) == 0) {
            return true;
        }
    }
    return false;
}

/* The words with a meaning. False when text is none of them. */
static bool resolve_word(gs_node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL};
    static const char *const falses[] = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", NULL};
    static const char *const floats[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF", "+.inf",
                                         "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", NULL};
    if (is_one_of(node->text, nulls)) {
        node->kind = GS_NODE_NULL;
    } else if (is_one_of(node->text, trues)) {
        node->kind = GS_NODE_BOOL;
        node->integer = 1;
    } else if (is_one_of(node->text, falses)) {
        node->kind = GS_NODE_BOOL;
    } else if (is_one_of(node->text, floats)) {
        node->kind = GS_NODE_FLOAT;
    } else {
        return false;
    }
    return true;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return 16;
}

/* Digits with Go's prefixes 0x, 0o, 0b and 0, no sign. */
static bool parse_magnitude(const char *digits, uint64_t *out)
{
    unsigned base = 10;
    if (digits[0] == '0' && digits[1] != '\0') {
        char kind = (char)(digits[1] | 0x20);
        base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
        digits += kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1;
    }
    uint64_t value = 0;
    if (*digits == '\0') {
        return false;
    }
    for (; *digits; digits++) {
        unsigned digit = (unsigned)digit_value(*digits);
        if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

static bool parse_integer(const char *plain, int64_t *out)
{
    bool negative = *plain == '-';
    uint64_t magnitude;
    if (*plain == '-' || *plain == '+') {
        plain++;
    }
    if (!parse_magnitude(plain, &magnitude)) {
        return false;
    }
    if (negative && magnitude <= (uint64_t)INT64_MAX + 1) {
        *out = (int64_t)(0 - magnitude);
        return true;
    }
    *out = (int64_t)magnitude;
    return !negative && magnitude <= (uint64_t)INT64_MAX;
}

static const char *skip_digits(const char *text)
{
    return text + strspn(text, "0123456789");
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? and not too large for a double. */
static bool is_float(const char *plain)
{
    const char *p = plain + (*plain == '-' || *plain == '+');
    const char *end = skip_digits(p);
    bool digits = end > p;
    if (*end == '.') {
        const char *fraction = end + 1;
        end = skip_digits(fraction);
        digits = digits || end > fraction;
    }
    if (!digits) {
        return false;
    }
    if (*end == 'e' || *end == 'E') {
        const char *exponent = end + 1 + (end[1] == '-' || end[1] == '+');
        end = skip_digits(exponent);
        if (end == exponent) {
            return false;
        }
    }
    return *end == '\0' && !isinf(strtod(plain, NULL));
}

/* Copies text without its underscores. False when it is too long for a number. */
static bool without_underscores(const char *text, size_t len, char plain[LONGEST_NUMBER + 1])
{
    size_t n = 0;
    if (len > LONGEST_NUMBER) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '_') {
            plain[n++] = text[i];
        }
    }
    plain[n] = '\0';
    return true;
}

/* Go's own float syntax, which a number that begins with a point must have, allows underscores only between digits. */
static bool separates_digits(const char *text)
{
    for (const char *p = strchr(text, '_'); p; p = strchr(p + 1, '_')) {
        if (p == text || digit_value(p[-1]) > 9 || digit_value(p[1]) > 9) {
            return false;
        }
    }
    return true;
}

void gs_scalar_resolve(gs_node *node)
{
    char plain[LONGEST_NUMBER + 1];
    char first = node->text[0];
    node->kind = GS_NODE_TEXT;
    if (resolve_word(node)) {
        return;
    }
    bool numeric = first == '+' || first == '-' || first == '.' || (first >= '0' && first <= '9');
    if (!numeric || !without_underscores(node->text, node->text_len, plain)) {
        return;
    }
    if (first == '.') {
        if (separates_digits(node->text) && is_float(plain)) {
            node->kind = GS_NODE_FLOAT;
        }
        return;
    }
    int64_t integer;
    uint64_t magnitude;
    if (parse_integer(plain, &integer)) {
        node->kind = GS_NODE_INT;
        node->integer = integer;
    } else if (parse_magnitude(plain, &magnitude) || is_float(plain)) {
        node->kind = GS_NODE_FLOAT; /* a number, but not one that int64_t holds */
    }
}

bool gs_scalar_add_number(const gs_node *node, gs_buf *out)
{
    char plain[LONGEST_NUMBER + 1];
    uint64_t magnitude;
    if (node->kind == GS_NODE_INT) {
        gs_buf_printf(out, "%lld", (long long)node->integer);
        return true;
    }
    if (!without_underscores(node->text, node->text_len, plain)) {
        gs_buf_add(out, node->text, node->text_len); /* so long a number can only come from JSON */
        return true;
    }
    if (parse_magnitude(plain, &magnitude)) {
        gs_buf_printf(out, "%llu", (unsigned long long)magnitude);
        return true;
    }
    /* What YAML allows and JSON does not: a plus sign, leading zeros, no digit on one side of the point. */
    const char *p = plain + (*plain == '+');
    const bool negative = *p == '-';
    p += negative ? 1 : 0;
    while (*p == '0' && p[1] >= '0' && p[1] <= '9') {
        p++;
    }
    if (negative && strcmp(p, "0.") != 0) { /* as an integer, which it becomes, zero has no sign */
        gs_buf_add_text(out, "-");
    }
    const char *point = skip_digits(p);
    if (point == p) {
        if (*p != '.' || p[1] < '0' || p[1] > '9') {
            return false; /* .inf, .nan */
        }
        gs_buf_add_text(out, "0");
    }
    gs_buf_add(out, p, (size_t)(point - p));
    if (*point == '.' && (point[1] < '0' || point[1] > '9')) {
        point++;
    }
    gs_buf_add_text(out, point);
    return true;
}
