/* Image references: the grammar of distribution/reference and the normalisation of Docker and CRI. Knows no registry. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/oci.h"
#include "gapship/text.h"

#define HUB          "docker.io"
#define HUB_OFFICIAL "library/"
#define SHA256_HEX   64u
#define SHA512_HEX   128u
#define SHOWN        300 /* of a text that is refused */

/* A part of the text that is being taken apart. */
typedef struct span {
    const char *text;
    size_t len;
} span;

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
    return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool is_hex(span part)
{
    for (size_t i = 0; i < part.len; i++) {
        if (!((part.text[i] >= '0' && part.text[i] <= '9') || (part.text[i] >= 'a' && part.text[i] <= 'f'))) {
            return false;
        }
    }
    return true;
}

/* [a-z0-9]+ joined by '.', '_', '__' or any number of '-'. */
static bool component_valid(span part)
{
    size_t i = 0;
    while (i < part.len) {
        size_t start = i;
        while (i < part.len && is_lower_alnum(part.text[i])) {
            i++;
        }
        if (i == start) {
            return false;
        }
        if (i == part.len) {
            return true;
        }
        char separator = part.text[i];
        size_t run = 0;
        while (i < part.len && part.text[i] == separator) {
            i++;
            run++;
        }
        bool joined = (separator == '.' && run == 1) || (separator == '_' && run <= 2) || separator == '-';
        if (!joined) {
            return false;
        }
    }
    return false;
}

static bool path_valid(span path)
{
    size_t start = 0;
    for (size_t i = 0; i <= path.len; i++) {
        if (i == path.len || path.text[i] == '/') {
            if (!component_valid((span){path.text + start, i - start})) {
                return false;
            }
            start = i + 1;
        }
    }
    return true;
}

bool gs_repository_valid(const char *path)
{
    size_t len = strlen(path);
    return len < sizeof(((gs_reference *)NULL)->path) && path_valid((span){path, len});
}

static bool tag_valid(span tag)
{
    if (tag.len == 0 || tag.len >= sizeof(((gs_reference *)NULL)->tag) || tag.text[0] == '.' || tag.text[0] == '-') {
        return false;
    }
    for (size_t i = 0; i < tag.len; i++) {
        char c = tag.text[i];
        if (!is_alnum(c) && c != '_' && c != '.' && c != '-') {
            return false;
        }
    }
    return true;
}

bool gs_tag_valid(const char *tag)
{
    return tag_valid((span){tag, strlen(tag)});
}

static bool digest_valid(span digest)
{
    size_t hex = digest.len > 7 && memcmp(digest.text, "sha256:", 7) == 0   ? SHA256_HEX
                 : digest.len > 7 && memcmp(digest.text, "sha512:", 7) == 0 ? SHA512_HEX
                                                                            : 0;
    return hex != 0 && digest.len == 7 + hex && is_hex((span){digest.text + 7, hex});
}

static bool port_valid(span port)
{
    uint64_t number;
    char text[6];
    if (port.len == 0 || port.len >= sizeof text) {
        return false;
    }
    memcpy(text, port.text, port.len);
    text[port.len] = '\0';
    return gs_parse_u64(text, 65535, &number) && number > 0;
}

/* Labels of letters, digits and inner '-', joined by '.'. */
static bool name_labels_valid(span name)
{
    char before = '.';
    for (size_t i = 0; i < name.len; i++) {
        char c = name.text[i];
        bool edge = before == '.' || i + 1 == name.len || name.text[i + 1] == '.';
        if (!(is_alnum(c) || (c == '-' && !edge) || (c == '.' && before != '.'))) {
            return false;
        }
        before = c;
    }
    return name.len > 0 && before != '.';
}

static bool host_valid(span host)
{
    size_t name_len = host.len;
    if (host.len > 0 && host.text[0] == '[') {
        const char *end = memchr(host.text, ']', host.len);
        if (!end || end == host.text + 1) {
            return false;
        }
        name_len = (size_t)(end - host.text) + 1;
        for (const char *p = host.text + 1; p < end; p++) {
            if (!isxdigit((unsigned char)*p) && *p != ':') {
                return false;
            }
        }
    } else {
        const char *colon = memchr(host.text, ':', host.len);
        name_len = colon ? (size_t)(colon - host.text) : host.len;
        if (!name_labels_valid((span){host.text, name_len})) {
            return false;
        }
    }
    if (name_len == host.len) {
        return true;
    }
    return host.text[name_len] == ':' && port_valid((span){host.text + name_len + 1, host.len - name_len - 1});
}

/* The first component names a host when no repository of Docker Hub could start so. */
static bool looks_like_host(span first)
{
    if (first.len == 9 && memcmp(first.text, "localhost", 9) == 0) {
        return true;
    }
    for (size_t i = 0; i < first.len; i++) {
        char c = first.text[i];
        if (c == '.' || c == ':' || (c >= 'A' && c <= 'Z')) {
            return true;
        }
    }
    return false;
}

static void copy_span(char *out, span from)
{
    memcpy(out, from.text, from.len);
    out[from.len] = '\0';
}

static int refuse(const char *text, gs_error *err, const char *reason)
{
    gs_fail(err, GS_ESPEC, "\"%.*s%s\" is not an image reference: %s", SHOWN, text, strlen(text) > SHOWN ? "…" : "", reason);
    return gs_error_hint(err, "write [HOST[:PORT]/]REPOSITORY[:TAG][@sha256:DIGEST]");
}

/* Splits "REPOSITORY[:TAG][@DIGEST]". A part that is not there has text NULL. */
static void split_name(const char *name, span *path, span *tag, span *digest)
{
    size_t len = strlen(name);
    const char *at = strchr(name, '@');
    *digest = at ? (span){at + 1, strlen(at + 1)} : (span){0};
    len = at ? (size_t)(at - name) : len;
    const char *colon = memchr(name, ':', len);
    *tag = colon ? (span){colon + 1, (size_t)(name + len - colon) - 1} : (span){0};
    *path = (span){name, colon ? (size_t)(colon - name) : len};
}

static const char *path_problem(span path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.text[i] >= 'A' && path.text[i] <= 'Z') {
            return "the repository must be lower case";
        }
    }
    return path.len == 0 ? "the repository is missing" : "the repository has characters or separators that are not allowed";
}

static int read_name(const char *text, const char *name, gs_reference *out, gs_error *err)
{
    span path, tag, digest;
    split_name(name, &path, &tag, &digest);
    bool official = strcmp(out->host, HUB) == 0 && !memchr(path.text, '/', path.len);
    size_t prefix = official ? strlen(HUB_OFFICIAL) : 0;
    if (!path_valid(path)) {
        return refuse(text, err, path_problem(path));
    }
    if (path.len + prefix >= sizeof out->path) {
        return refuse(text, err, "the repository is longer than 255 characters");
    }
    if (tag.text && !tag_valid(tag)) {
        return refuse(text, err, "a tag has 1 to 128 letters, digits, '_', '.' and '-', and starts with none of the last two");
    }
    if (digest.text && !digest_valid(digest)) {
        return refuse(text, err, "a digest is sha256: or sha512: and 64 or 128 lower-case hex digits");
    }
    memcpy(out->path, HUB_OFFICIAL, prefix);
    copy_span(out->path + prefix, path);
    if (tag.text) {
        copy_span(out->tag, tag);
    }
    if (digest.text) {
        copy_span(out->digest, digest);
    }
    if (!tag.text && !digest.text) {
        copy_span(out->tag, (span){"latest", 6});
    }
    return 0;
}

int gs_reference_parse(const char *text, gs_reference *out, gs_error *err)
{
    gs_reference reference = {.host = HUB};
    size_t len = strlen(text);
    if (len == 0 || len > GS_MAX_REFERENCE_BYTES) {
        return refuse(text, err, len == 0 ? "it is empty" : "it is too long");
    }
    if (strstr(text, "://")) {
        return refuse(text, err, "it has a transport prefix");
    }
    if (len == SHA256_HEX && is_hex((span){text, len})) {
        return refuse(text, err, "a bare digest names no repository");
    }
    const char *name = text;
    const char *slash = strchr(text, '/');
    if (slash && looks_like_host((span){text, (size_t)(slash - text)})) {
        span host = {text, (size_t)(slash - text)};
        if (!host_valid(host) || host.len >= sizeof reference.host) {
            return refuse(text, err, "what stands before the first '/' is not a host name or address with an optional port");
        }
        if (host.len != 15 || memcmp(host.text, "index.docker.io", 15) != 0) {
            copy_span(reference.host, host);
        }
        name = slash + 1;
    }
    int code = read_name(text, name, &reference, err);
    if (code == 0) {
        *out = reference;
    }
    return code;
}

void gs_reference_text(const gs_reference *reference, char out[GS_REFERENCE_TEXT])
{
    (void)snprintf(out, GS_REFERENCE_TEXT, "%s/%s%s%s%s%s", reference->host, reference->path, reference->tag[0] ? ":" : "",
                   reference->tag, reference->digest[0] ? "@" : "", reference->digest);
}

const char *gs_reference_server(const gs_reference *reference)
{
    return strcmp(reference->host, HUB) == 0 ? "registry-1.docker.io" : reference->host;
}
