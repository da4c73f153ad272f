/* OCI distribution 1.1, the reading half: a request becomes a status, headers and bytes. Knows no HTTP library and no socket. */
#include "answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"
#include "route.h"

void gs_answer_header(gs_answer *out, const char *name, const char *value)
{
    size_t at = 0;
    while (at < out->header_count && strcmp(out->headers[at].name, name) != 0) {
        at++;
    }
    if (at < GS_ANSWER_HEADERS) {
        out->headers[at].name = name;
        (void)snprintf(out->headers[at].value, sizeof out->headers[at].value, "%s", value);
        out->header_count = at < out->header_count ? out->header_count : at + 1;
    }
}

void gs_answer_error(gs_answer *out, int status, const char *code, const char *message)
{
    out->status = status;
    gs_buf_clear(&out->body);
    gs_buf_printf(&out->body, "{\"errors\":[{\"code\":\"%s\",\"message\":", code);
    gs_buf_add_json_text(&out->body, message, strlen(message));
    gs_buf_add_text(&out->body, ",\"detail\":null}]}");
    gs_answer_header(out, "Content-Type", "application/json");
}

void gs_answer_done(gs_answer *answer)
{
    gs_buf_done(&answer->body);
}

/* ---- content ---- */

/* Content never changes behind its digest, so that it alone is the validator. */
static bool is_known(const gs_ask *ask, const char *etag, const char *digest)
{
    const char *known = ask->if_none_match;
    return known && (strcmp(known, "*") == 0 || strcmp(known, digest) == 0 || strstr(known, etag));
}

/* Sets what is to be sent of a blob; false when nothing is. */
static bool choose_range(const gs_served_blob *blob, const gs_ask *ask, gs_answer *out)
{
    char value[128];
    uint64_t first = 0, last = 0;
    bool unsatisfiable = false;
    const bool get = strcmp(ask->method, "GET") == 0; /* RFC 9110 knows ranges of nothing else */
    gs_answer_header(out, "Accept-Ranges", "bytes");
    if (get && gs_range_parse(ask->range, blob->size, &first, &last, &unsatisfiable)) {
        out->status = 206;
        out->offset += first;
        out->length = last - first + 1;
        (void)snprintf(value, sizeof value, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first, last, blob->size);
        gs_answer_header(out, "Content-Range", value);
    } else if (unsatisfiable) {
        (void)snprintf(value, sizeof value, "bytes */%" PRIu64, blob->size);
        gs_answer_header(out, "Content-Range", value);
        gs_answer_error(out, 416, "RANGE_INVALID", "the range is not inside the blob");
        return false;
    }
    gs_answer_header(out, "Cache-Control", "max-age=31536000");
    return true;
}

/* media_type NULL: as a blob, of which parts may be asked for. */
static void answer_span(const gs_served_blob *blob, const gs_ask *ask, const char *media_type, gs_answer *out)
{
    char digest[GS_DIGEST_TEXT], etag[GS_DIGEST_TEXT + 2];
    gs_digest_text(&blob->digest, digest);
    (void)snprintf(etag, sizeof etag, "\"%s\"", digest);
    gs_answer_header(out, "Docker-Content-Digest", digest);
    gs_answer_header(out, "ETag", etag);
    if (is_known(ask, etag, digest)) {
        out->status = 304;
        return;
    }
    out->status = 200;
    out->offset = blob->offset;
    out->length = blob->size;
    if (!media_type && !choose_range(blob, ask, out)) {
        return;
    }
    out->fd = blob->fd;
    gs_answer_header(out, "Content-Type", media_type ? media_type : "application/octet-stream");
}

static void answer_manifest(const gs_catalogue *catalogue, const gs_repository *repository, const gs_route *route,
                            const gs_ask *ask, gs_answer *out)
{
    gs_digest digest;
    gs_error bad = {0};
    if (strchr(route->reference, ':')) {
        if (gs_digest_parse(route->reference, &digest, &bad) < 0) {
            gs_answer_error(out, 400, "DIGEST_INVALID", bad.message);
            return;
        }
    } else {
        const gs_served_tag *tag = gs_catalogue_tag(repository, route->reference);
        if (!tag) {
            gs_answer_error(out, 404, "MANIFEST_UNKNOWN", "no such tag");
            return;
        }
        digest = tag->digest;
    }
    const gs_served_blob *blob = gs_catalogue_blob(catalogue, &digest);
    if (!blob || !blob->media_type) {
        gs_answer_error(out, 404, "MANIFEST_UNKNOWN", "no such manifest");
        return;
    }
    answer_span(blob, ask, blob->media_type, out);
}

static void answer_blob(const gs_catalogue *catalogue, const gs_route *route, const gs_ask *ask, gs_answer *out)
{
    gs_digest digest;
    gs_error bad = {0};
    if (gs_digest_parse(route->reference, &digest, &bad) < 0) {
        gs_answer_error(out, 400, "DIGEST_INVALID", bad.message);
        return;
    }
    const gs_served_blob *blob = gs_catalogue_blob(catalogue, &digest);
    if (!blob) {
        gs_answer_error(out, 404, "BLOB_UNKNOWN", "no such blob");
        return;
    }
    answer_span(blob, ask, NULL, out);
}

/* ---- lists ---- */

/* Which names of a sorted list a page holds: those behind `last`, `n` at most. */
typedef struct page {
    uint64_t limit;
    const char *last;
    size_t shown;
    const char *previous; /* the last one shown */
    bool more;
} page;

static bool page_begin(const gs_ask *ask, page *out, gs_answer *answer)
{
    *out = (page){.limit = UINT64_MAX, .last = ask->last};
    if (ask->n && !gs_parse_u64(ask->n, UINT64_MAX, &out->limit)) {
        gs_answer_error(answer, 400, "PAGINATION_NUMBER_INVALID", "n is no number");
        return false;
    }
    return true;
}

static void page_add(page *at, gs_buf *body, const char *name)
{
    if (at->last && strcmp(name, at->last) <= 0) {
        return;
    }
    if (at->shown >= at->limit) {
        at->more = true;
        return;
    }
    gs_buf_add_text(body, at->shown > 0 ? "," : "");
    gs_buf_add_json_text(body, name, strlen(name));
    at->previous = name;
    at->shown++;
}

/* ns: of a mirror, or NULL. */
static void page_end(const page *at, const char *path, const char *ns, gs_answer *out)
{
    char link[GS_ANSWER_VALUE];
    if (at->more && at->previous) {
        const bool mirrored = ns && ns[0] != '\0';
        (void)snprintf(link, sizeof link, "<%s?n=%" PRIu64 "&last=%s%s%s>; rel=\"next\"", path, at->limit, at->previous,
                       mirrored ? "&ns=" : "", mirrored ? ns : "");
        gs_answer_header(out, "Link", link);
    }
    out->status = 200;
    gs_answer_header(out, "Content-Type", "application/json");
}

static void answer_catalog(const gs_catalogue *catalogue, const gs_ask *ask, gs_answer *out)
{
    page at;
    if (!page_begin(ask, &at, out)) {
        return;
    }
    gs_buf_add_text(&out->body, "{\"repositories\":[");
    for (size_t i = 0; i < catalogue->own.count; i++) {
        page_add(&at, &out->body, catalogue->own.items[i].name);
    }
    gs_buf_add_text(&out->body, "]}");
    page_end(&at, ask->path, NULL, out);
}

static void answer_tags(const gs_repository *repository, const char *name, const gs_ask *ask, gs_answer *out)
{
    page at;
    if (!page_begin(ask, &at, out)) {
        return;
    }
    gs_buf_add_text(&out->body, "{\"name\":");
    gs_buf_add_json_text(&out->body, name, strlen(name));
    gs_buf_add_text(&out->body, ",\"tags\":[");
    for (size_t i = 0; i < repository->tag_count; i++) {
        page_add(&at, &out->body, repository->tags[i].name);
    }
    gs_buf_add_text(&out->body, "]}");
    page_end(&at, ask->path, ask->ns, out);
}

static bool add_referrer(gs_answer *out, const gs_descriptor *descriptor, bool first)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_node *node = arena ? gs_descriptor_node(descriptor, arena) : NULL;
    gs_error ignored = {0};
    if (!node) {
        return false;
    }
    gs_buf_add_text(&out->body, first ? "" : ",");
    return gs_node_write_json(node, GS_JSON_COMPACT, &out->body, &ignored) == 0;
}

static void answer_referrers(const gs_catalogue *catalogue, const gs_route *route, const gs_ask *ask, gs_answer *out)
{
    gs_digest subject;
    gs_error bad = {0};
    bool first = true;
    if (gs_digest_parse(route->reference, &subject, &bad) < 0) {
        gs_answer_error(out, 400, "DIGEST_INVALID", bad.message);
        return;
    }
    gs_buf_add_text(&out->body, "{\"schemaVersion\":2,\"mediaType\":\"" GS_MEDIA_INDEX "\",\"manifests\":[");
    for (size_t i = 0; i < catalogue->blob_count; i++) {
        const gs_served_blob *blob = &catalogue->blobs[i];
        if (!blob->has_subject || !gs_digest_equal(&blob->subject, &subject) ||
            (ask->artifact_type && !gs_text_equal(ask->artifact_type, blob->descriptor.artifact_type))) {
            continue;
        }
        if (!add_referrer(out, &blob->descriptor, first)) {
            gs_answer_error(out, 500, "UNKNOWN", "out of memory");
            return;
        }
        first = false;
    }
    gs_buf_add_text(&out->body, "]}");
    out->status = 200;
    gs_answer_header(out, "Content-Type", GS_MEDIA_INDEX);
    if (ask->artifact_type) {
        gs_answer_header(out, "OCI-Filters-Applied", "artifactType");
    }
}

/* ---- all of it ---- */

static void answer_named(const gs_catalogue *catalogue, const gs_route *route, const gs_ask *ask, gs_answer *out)
{
    const gs_repository *repository = gs_catalogue_repository(catalogue, route->name, ask->ns);
    if (!repository) {
        gs_answer_error(out, 404, "NAME_UNKNOWN", "this registry serves no such repository");
        return;
    }
    if (ask->ns && ask->ns[0] != '\0') {
        gs_answer_header(out, "OCI-Namespace", ask->ns);
    }
    if (route->kind == GS_ROUTE_MANIFEST) {
        answer_manifest(catalogue, repository, route, ask, out);
    } else if (route->kind == GS_ROUTE_BLOB) {
        answer_blob(catalogue, route, ask, out);
    } else {
        answer_tags(repository, route->name, ask, out);
    }
}

static void answer_route(const gs_catalogue *catalogue, const gs_route *route, const gs_ask *ask, gs_answer *out)
{
    switch (route->kind) {
    case GS_ROUTE_NONE:
        gs_answer_error(out, 404, "NAME_INVALID", "no such endpoint, or no name that a repository can have");
        break;
    case GS_ROUTE_BASE:
        out->status = 200;
        gs_buf_add_text(&out->body, "{}");
        gs_answer_header(out, "Content-Type", "application/json");
        break;
    case GS_ROUTE_CATALOG:
        answer_catalog(catalogue, ask, out);
        break;
    case GS_ROUTE_REFERRERS: /* of an unknown repository too: a 404 says that the whole API is missing */
        answer_referrers(catalogue, route, ask, out);
        break;
    case GS_ROUTE_UPLOAD:
        gs_answer_error(out, 404, "BLOB_UPLOAD_UNKNOWN", "this registry is read-only: it takes no uploads");
        break;
    case GS_ROUTE_TAGS:
    case GS_ROUTE_MANIFEST:
    case GS_ROUTE_BLOB:
        answer_named(catalogue, route, ask, out);
        break;
    }
}

void gs_answer_make(const gs_catalogue *catalogue, const gs_ask *ask, gs_answer *out)
{
    gs_route route;
    *out = (gs_answer){.fd = -1};
    gs_buf_init(&out->body, GS_MIB(64));
    gs_answer_header(out, "Docker-Distribution-Api-Version", "registry/2.0");
    if (strcmp(ask->method, "GET") != 0 && strcmp(ask->method, "HEAD") != 0) {
        gs_answer_header(out, "Allow", "GET, HEAD");
        gs_answer_error(out, 405, "UNSUPPORTED", "this registry is read-only: it serves what bundles brought");
        return;
    }
    gs_route_parse(ask->path, &route);
    answer_route(catalogue, &route, ask, out);
    if (out->body.failed) {
        gs_answer_error(out, 500, "UNKNOWN", "out of memory");
    }
}
