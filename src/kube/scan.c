/* Words in a text that read like image references. Deliberately strict in what it takes for one: a host and a port, a path and a
 * label, a role and a group all have the shape NAME:WORD. Must not know where the text stands. */
#include "internal.h"

#include <string.h>

#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"

#define LARGEST_PORT 65535

/* Hosts that serve nothing but images, and how such hosts begin or end. */
static bool is_image_host(const char *host)
{
    static const char *const hosts[] = {"docker.io",  "index.docker.io", "ghcr.io",        "quay.io",           "gcr.io",
                                        "k8s.gcr.io", "registry.k8s.io", "public.ecr.aws", "mcr.microsoft.com", "nvcr.io"};
    static const char *const suffixes[] = {".gcr.io", ".pkg.dev", ".azurecr.io", ".amazonaws.com"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        if (strcmp(host, hosts[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (gs_text_ends(host, suffixes[i])) {
            return true;
        }
    }
    return gs_text_starts(host, "registry.");
}

/* The word without its tag and digest. */
static size_t name_length(const char *word)
{
    const char *slash = strrchr(word, '/');
    size_t name = slash ? (size_t)(slash - word) : 0;
    return name + strcspn(word + name, ":@");
}

static bool has_digit(const char *text)
{
    return strpbrk(text, "0123456789") != NULL;
}

static bool is_port(const char *tag)
{
    uint64_t number;
    return gs_parse_u64(tag, LARGEST_PORT, &number);
}

/* A tag that says version, not role or port: "1.36", "v2.1", "sha-1a2b3c4d", "latest". */
static bool tag_says_version(const char *tag, bool has_path)
{
    if (strcmp(tag, "latest") == 0) {
        return true;
    }
    if (!has_digit(tag) || is_port(tag)) {
        return false;
    }
    return has_path || strchr(tag, '.') || gs_text_starts(tag, "sha-");
}

/* word parses as reference. */
static bool means_image(const gs_image_scan *scan, const char *word, const gs_reference *reference)
{
    size_t name = name_length(word);
    bool complete = word[name] != '\0';
    const char *slash = memchr(word, '/', name);
    bool host = slash && (gs_text_starts(word, "localhost/") || strcspn(word, ".:") < (size_t)(slash - word));
    if (*reference->digest) {
        return true;
    }
    if (!complete) {
        return host && is_image_host(reference->host) && !scan->known(scan->state, reference);
    }
    if (host || scan->hint || scan->known(scan->state, reference)) {
        return !is_port(reference->tag) || host || scan->hint || slash;
    }
    return tag_says_version(reference->tag, slash != NULL);
}

static int judge_word(const gs_image_scan *scan, const char *word, gs_error *err)
{
    gs_reference reference;
    if (gs_reference_parse(word, &reference, NULL) < 0 || !means_image(scan, word, &reference)) {
        return 0;
    }
    return scan->found(scan->state, word, err);
}

int gs_image_scan_text(const gs_image_scan *scan, const char *text, gs_error *err)
{
    static const char between[] = " \t\r\n\"'`,;()[]{}<>=|&\\$";
    char word[GS_MAX_REFERENCE_BYTES];
    int code = 0;
    while (code == 0 && *(text += strspn(text, between))) {
        size_t len = strcspn(text, between);
        size_t end = len;
        while (end > 0 && strchr(".:!?", text[end - 1])) {
            end--;
        }
        if (end > 0 && end < sizeof word) {
            memcpy(word, text, end);
            word[end] = '\0';
            code = judge_word(scan, word, err);
        }
        text += len;
    }
    return code;
}
