/* Paths and ranges of requests. */
#include "route.h"

#include <string.h>

#include "gapship/num.h"
#include "gapship/oci.h"
#include "gapship/text.h"

/* The last place where `part` stands in path: names may contain "blobs" too. */
static const char *last_part(const char *path, const char *part)
{
    const char *found = NULL;
    for (const char *at = strstr(path, part); at; at = strstr(at + 1, part)) {
        found = at;
    }
    return found;
}

static bool split(const char *path, const char *part, gs_route *out)
{
    const char *at = last_part(path, part);
    if (!at) {
        return false;
    }
    size_t name = (size_t)(at - path);
    const char *reference = at + strlen(part);
    if (name == 0 || name >= sizeof out->name || strlen(reference) >= sizeof out->reference) {
        return false;
    }
    memcpy(out->name, path, name);
    out->name[name] = '\0';
    memcpy(out->reference, reference, strlen(reference) + 1);
    return gs_repository_valid(out->name) && reference[0] != '\0' && !strchr(reference, '/');
}

void gs_route_parse(const char *path, gs_route *out)
{
    static const struct {
        const char *part;
        gs_route_kind kind;
    } parts[] = {{"/manifests/", GS_ROUTE_MANIFEST},
                 {"/blobs/", GS_ROUTE_BLOB},
                 {"/referrers/", GS_ROUTE_REFERRERS},
                 {"/tags/", GS_ROUTE_TAGS}};
    *out = (gs_route){.kind = GS_ROUTE_NONE};
    if (strcmp(path, "/v2") == 0 || strcmp(path, "/v2/") == 0) {
        out->kind = GS_ROUTE_BASE;
        return;
    }
    if (!gs_text_starts(path, "/v2/")) {
        return;
    }
    path += strlen("/v2/");
    if (strcmp(path, "_catalog") == 0) {
        out->kind = GS_ROUTE_CATALOG;
        return;
    }
    if (strstr(path, "/blobs/uploads")) {
        out->kind = GS_ROUTE_UPLOAD;
        return;
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (split(path, parts[i].part, out)) {
            out->kind = parts[i].kind;
            break;
        }
    }
    if (out->kind == GS_ROUTE_TAGS && strcmp(out->reference, "list") != 0) {
        out->kind = GS_ROUTE_NONE;
    }
}

/* "N-M", "N-", "-N" in the text between start and end. */
static bool read_number(const char *start, size_t len, uint64_t *out)
{
    char digits[24];
    if (len == 0 || len >= sizeof digits) {
        return false;
    }
    memcpy(digits, start, len);
    digits[len] = '\0';
    return gs_parse_u64(digits, UINT64_MAX, out);
}

bool gs_range_parse(const char *header, uint64_t size, uint64_t *first, uint64_t *last, bool *unsatisfiable)
{
    *unsatisfiable = false;
    if (!header || !gs_text_starts(header, "bytes=") || strchr(header, ',')) {
        return false;
    }
    const char *range = header + strlen("bytes=");
    const char *dash = strchr(range, '-');
    uint64_t from = 0, to = size - 1;
    if (!dash) {
        return false;
    }
    bool has_from = read_number(range, (size_t)(dash - range), &from);
    bool has_to = read_number(dash + 1, strlen(dash + 1), &to);
    if ((!has_from && dash != range) || (!has_to && dash[1] != '\0') || (!has_from && !has_to)) {
        return false;
    }
    if (!has_from) { /* the last `to` bytes */
        from = to < size ? size - to : 0;
        *unsatisfiable = to == 0 || size == 0;
        to = size - 1;
    } else {
        *unsatisfiable = from >= size || (has_to && to < from);
        to = has_to && to < size ? to : size - 1;
    }
    if (*unsatisfiable) {
        return false;
    }
    *first = from;
    *last = to;
    return true;
}
