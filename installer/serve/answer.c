/* OCI distribution 1.1, the reading half: a request becomes a status, headers and bytes. Knows no HTTP library and no socket. */
#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/num.h"
#include "gapship/text.h"
#include "route.h"

void gs_answer_header(gs_answer *out, const char *name, const char *value)
{
    if (out->header_count < GS_ANSWER_HEADERS) {
        out->headers[out->header_count].name = name;
        (void)snprintf(out->headers[out->header_count].value, sizeof out->headers[0].value, "%s", value);
        out->header_count++;
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

static void answer_span(const gs_served_blob *blob, const gs_ask *ask, const char *media_type, gs_answer *out)
{
    char digest[GS_DIGEST_TEXT], etag[GS_DIGEST_TEXT + 2], value[128];
    uint64_t first = 0, last = blob->size - 1;
    bool unsatisfiable = false;
    gs_digest_text(&blob->digest, digest);
    (void)snprintf(etag, sizeof etag, "\"%s\"", digest);
    gs_answer_header(out, "Docker-Content-Digest", digest);
    gs_answer_header(out, "ETag", etag);
    if (ask->if_none_match && (strcmp(ask->if_none_match, etag) == 0 || strcmp(ask->if_none_match, digest) == 0)) {
        out->status = 304;
        return;
    }
    out->status = 200;
    out->fd = gs_verified_fd(blob->bundle);
    if (!blob->media_type || strcmp(media_type, "application/octet-stream") == 0) {
        gs_answer_header(out, "Accept-Ranges", "bytes");
        gs_answer_header(out, "Cache-Control", "max-age=31536000");
        if (gs_range_parse(ask->range, blob->size, &first, &last, &unsatisfiable)) {
            out->status = 206;
            (void)snprintf(value, sizeof value, "bytes %llu-%llu/%llu", (unsigned long long)first, (unsigned long long)last,
                           (unsigned long long)blob->size);
            gs_answer_header(out, "Content-Range", value);
        } else if (unsatisfiable) {
            (void)snprintf(value, sizeof value, "bytes */%llu", (unsigned long long)blob->size);
            gs_answer_header(out, "Content-Range", value);
            out->fd = -1;
            gs_answer_error(out, 416, "RANGE_INVALID", "the range is not inside the blob");
            return;
        }
    }
    gs_answer_header(out, "Content-Type", media_type);
    out->offset = blob->offset + first;
    out->length = last - first + 1;
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
    answer_span(blob, ask, "application/octet-stream", out);
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

static void page_end(const page *at, const char *path, gs_answer *out)
{
    char link[512];
    if (at->more && at->previous) {
        (void)snprintf(link, sizeof link, "<%s?n=%llu&last=%s>; rel=\"next\"", path, (unsigned long long)at->limit, at->previous);
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
    for (size_t i = 0; i < catalogue->repository_count; i++) {
        page_add(&at, &out->body, catalogue->repositories[i].name);
    }
    gs_buf_add_text(&out->body, "]}");
    page_end(&at, "/v2/_catalog", out);
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
    page_end(&at, ask->path, out);
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

static void answer_route(const gs_catalogue *catalogue, const gs_route *route, const gs_ask *ask, gs_answer *out)
{
    if (route->kind == GS_ROUTE_BASE) {
        out->status = 200;
        gs_buf_add_text(&out->body, "{}");
        gs_answer_header(out, "Content-Type", "application/json");
        return;
    }
    if (route->kind == GS_ROUTE_CATALOG) {
        answer_catalog(catalogue, ask, out);
        return;
    }
    const gs_repository *repository = route->kind != GS_ROUTE_NONE ? gs_catalogue_repository(catalogue, route->name, ask->ns)
                                                                   : NULL;
    if (!repository) {
        gs_answer_error(out, 404, "NAME_UNKNOWN", "this registry serves no such repository");
        return;
    }
    if (ask->ns) {
        gs_answer_header(out, "OCI-Namespace", ask->ns);
    }
    if (route->kind == GS_ROUTE_MANIFEST) {
        answer_manifest(catalogue, repository, route, ask, out);
    } else if (route->kind == GS_ROUTE_BLOB) {
        answer_blob(catalogue, route, ask, out);
    } else if (route->kind == GS_ROUTE_TAGS) {
        answer_tags(repository, route->name, ask, out);
    } else {
        answer_referrers(catalogue, route, ask, out);
    }
}

void gs_answer_make(const gs_catalogue *catalogue, const gs_ask *ask, gs_answer *out)
{
    gs_route route;
    *out = (gs_answer){.fd = -1};
    gs_buf_init(&out->body, GS_MIB(64));
    gs_answer_header(out, "Docker-Distribution-Api-Version", "registry/2.0");
    if (strcmp(ask->method, "GET") != 0 && strcmp(ask->method, "HEAD") != 0) {
        gs_answer_error(out, 405, "UNSUPPORTED", "this registry is read-only: it serves what bundles brought");
        return;
    }
    gs_route_parse(ask->path, &route);
    if (route.kind == GS_ROUTE_UPLOAD) {
        gs_answer_error(out, 404, "BLOB_UPLOAD_UNKNOWN", "this registry is read-only: it takes no uploads");
        return;
    }
    answer_route(catalogue, &route, ask, out);
    if (out->body.failed) {
        gs_answer_error(out, 500, "UNKNOWN", "out of memory");
    }
}
