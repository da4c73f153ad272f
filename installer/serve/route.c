/* Paths and ranges of requests. */
#include "route.h"

#include <string.h>
#include <strings.h>

#include "gapship/num.h"
#include "gapship/oci.h"
#include "gapship/text.h"

/* path is NAME, then part, then a slash and what it refers to. Names may contain every part too: the last one counts, and what is
 * referred to has no slash. */
static bool split(const char *path, const char *part, gs_route *out)
{
    const char *slash = strrchr(path, '/');
    const size_t len = strlen(part);
    if (!slash || (size_t)(slash - path) <= len || memcmp(slash - len, part, len) != 0) {
        return false;
    }
    const size_t name = (size_t)(slash - path) - len;
    const char *reference = slash + 1;
    if (name >= sizeof out->name || strlen(reference) >= sizeof out->reference) {
        return false;
    }
    memcpy(out->name, path, name);
    out->name[name] = '\0';
    memcpy(out->reference, reference, strlen(reference) + 1);
    return gs_repository_valid(out->name);
}

static bool reference_fits(const gs_route *route)
{
    return route->kind == GS_ROUTE_UPLOAD ||
           (route->kind == GS_ROUTE_TAGS ? strcmp(route->reference, "list") == 0 : route->reference[0] != '\0');
}

void gs_route_parse(const char *path, gs_route *out)
{
    static const struct {
        const char *part;
        gs_route_kind kind;
    } parts[] = {{"/manifests", GS_ROUTE_MANIFEST},
                 {"/blobs", GS_ROUTE_BLOB},
                 {"/referrers", GS_ROUTE_REFERRERS},
                 {"/tags", GS_ROUTE_TAGS},
                 {"/blobs/uploads", GS_ROUTE_UPLOAD}};
    static const char base[] = "/v2/";
    *out = (gs_route){.kind = GS_ROUTE_NONE};
    if (strcmp(path, "/v2") == 0 || strcmp(path, base) == 0) {
        out->kind = GS_ROUTE_BASE;
        return;
    }
    if (!gs_text_starts(path, base)) {
        return;
    }
    path += strlen(base);
    if (strcmp(path, "_catalog") == 0) {
        out->kind = GS_ROUTE_CATALOG;
        return;
    }
    gs_route found = {.kind = GS_ROUTE_NONE};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (split(path, parts[i].part, &found)) {
            found.kind = parts[i].kind;
            break;
        }
    }
    if (found.kind != GS_ROUTE_NONE && reference_fits(&found)) {
        *out = found;
    }
}

/* ---- ranges ---- */

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
    static const char unit[] = "bytes=";
    *unsatisfiable = false;
    if (!header || strncasecmp(header, unit, strlen(unit)) != 0) {
        return false;
    }
    const char *range = header + strlen(unit);
    const char *dash = strchr(range, '-');
    if (!dash) {
        return false;
    }
    uint64_t from = 0, to = 0;
    const bool has_from = read_number(range, (size_t)(dash - range), &from);
    const bool has_to = read_number(dash + 1, strlen(dash + 1), &to);
    if ((!has_from && dash != range) || (!has_to && dash[1] != '\0') || (!has_from && !has_to)) {
        return false;
    }
    if (has_from) {
        *unsatisfiable = from >= size || (has_to && to < from);
    } else { /* the last `to` bytes */
        *unsatisfiable = size == 0 || to == 0;
        from = to < size ? size - to : 0;
    }
    if (*unsatisfiable) {
        return false;
    }
    *first = from;
    *last = has_from && has_to && to < size ? to : size - 1;
    return true;
}
