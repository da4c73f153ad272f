/* What a single text of release.yaml may be. Must not know where it stands: that, and the message, are the tables'. */
#include "release_internal.h"

#include <string.h>

#include "gapship/num.h"
#include "gapship/text.h"

static const char digits[] = "0123456789";
static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static bool is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

/* A tag's grammar: the version becomes a file name, a tag and an annotation. */
bool gs_rule_version(const char *text)
{
    return gs_tag_valid(text);
}

bool gs_rule_constraint(const char *text)
{
    bool valid = false;
    (void)gs_version_satisfies("1", text, &valid);
    return valid;
}

bool gs_rule_path(const char *text)
{
    return strcmp(text, ".") == 0 || gs_path_valid(text);
}

/* A letter or '_', then also digits and what extra has. */
static bool is_identifier(const char *text, const char *extra)
{
    if (is_in(*text, digits)) {
        return false;
    }
    size_t len = strlen(text);
    for (const char *p = text; *p; p++) {
        if (!is_in(*p, lower) && !is_in(*p, upper) && !is_in(*p, digits) && *p != '_' && (p == text || !is_in(*p, extra))) {
            return false;
        }
    }
    return len > 0 && len <= 253;
}

bool gs_rule_input_name(const char *text)
{
    return is_identifier(text, ".-");
}

bool gs_rule_env_name(const char *text)
{
    return is_identifier(text, "");
}

/* RFC 1123: letters and digits, and inside also what inner has. */
static bool is_dns(const char *text, const char *inner, size_t max)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        bool edge = i == 0 || i == len - 1;
        if (!is_in(text[i], lower) && !is_in(text[i], digits) && (edge || !is_in(text[i], inner))) {
            return false;
        }
    }
    return len > 0 && len <= max;
}

bool gs_rule_label(const char *text)
{
    return is_dns(text, "-", 63);
}

bool gs_rule_dns_name(const char *text)
{
    return is_dns(text, "-.", 253);
}

bool gs_rule_positive(const char *number)
{
    return *number != '-' && strcmp(number, "0") != 0;
}

bool gs_rule_age(const char *text)
{
    int64_t seconds = 0;
    return gs_parse_age(text, &seconds) && seconds > 0;
}

bool gs_rule_not_negative(const char *number)
{
    return *number != '-';
}

bool gs_rule_not_empty(const char *text)
{
    return *text != '\0';
}

bool gs_rule_url(const char *text)
{
    return gs_text_starts(text, "http://") || gs_text_starts(text, "https://") || gs_text_starts(text, "${");
}

bool gs_rule_digest(const char *text)
{
    gs_digest digest;
    return gs_digest_parse(text, &digest, NULL) == 0;
}

bool gs_rule_api_version(const char *text)
{
    return strcmp(text, "gapship/v1") == 0;
}

bool gs_rule_kind_release(const char *text)
{
    return strcmp(text, "Release") == 0;
}

bool gs_rule_kind_lock(const char *text)
{
    return strcmp(text, "Lock") == 0;
}
