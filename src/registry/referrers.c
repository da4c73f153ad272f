/* What refers to a digest: the referrers API of OCI distribution 1.1, and its fallback, a tag that holds an index. */
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "internal.h"
#include "paging.h"

#define TAG_BYTES (GS_DIGEST_TEXT + 1)

static void fallback_tag(const gs_digest *subject, char out[TAG_BYTES])
{
    gs_digest_text(subject, out);
    *strchr(out, ':') = '-';
}

static int parse_list(const void *data, size_t len, gs_arena *arena, gs_manifest *out, gs_error *err)
{
    int code = gs_manifest_parse(data, len, NULL, arena, out, err);
    if (code == 0 && !out->is_index) {
        return gs_fail(err, GS_EREGISTRY, "the registry's list of referrers is not an index");
    }
    return code;
}

/* One page of the API; *supported false: the registry does not have it. */
static int get_page(gs_registry *registry, gs_call *call, gs_arena *arena, gs_manifest *page, gs_buf *next, bool *supported,
                    gs_error *err)
{
    GS_AUTO_RESPONSE gs_http_response response = {0};
    call->http.max_body = GS_MAX_MANIFEST_BYTES;
    int code = gs_call_send(registry, call, &response, err);
    if (code) {
        return code;
    }
    *supported = response.status == 200;
    if (response.status == 404 || response.status == 405 || response.status == 501 || response.status == 400) {
        return 0;
    }
    if (!*supported) {
        return gs_call_refused(registry, call, &response, err, "cannot ask for referrers");
    }
    code = parse_list(response.body.data, response.body.len, arena, page, err);
    return code ? gs_registry_at(registry, call->repository, err) : gs_page_next(registry, &response, next, err);
}

int gs_referrers_supported(gs_registry *registry, const char *repository, const gs_digest *subject, bool *supported, gs_error *err)
{
    char name[GS_DIGEST_TEXT];
    gs_digest_text(subject, name);
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_CALL gs_call call;
    gs_manifest page;
    GS_AUTO_BUF gs_buf next;
    gs_buf_init(&next, GS_MAX_HTTP_HEADER_BYTES);
    int code = gs_call_init(&call, registry, repository, GS_ACCESS_PULL, "referrers", name, err);
    code = code || arena ? code : gs_fail_nomem(err);
    return code ? code : get_page(registry, &call, arena, &page, &next, supported, err);
}

/* The index behind the fallback tag; an empty one when there is none. */
static int get_fallback(gs_registry *registry, const char *repository, const char *tag, gs_arena *arena, gs_manifest *out,
                        gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    gs_descriptor descriptor;
    int code = gs_registry_get_manifest(registry, repository, tag, arena, &bytes, &descriptor, err);
    if (code == GS_ENOTFOUND) {
        *out = (gs_manifest){.is_index = true, .media_type = GS_MEDIA_INDEX};
        return 0;
    }
    return code ? code : parse_list(bytes.data, bytes.len, arena, out, err);
}

static int append_items(gs_arena *arena, gs_descriptor **items, size_t *count, const gs_manifest *page, gs_error *err)
{
    if (*count + page->item_count > GS_MAX_DESCRIPTORS) {
        return gs_fail(err, GS_ELIMIT, "more than %u referrers", GS_MAX_DESCRIPTORS);
    }
    gs_descriptor *longer = gs_arena_array(arena, *count + page->item_count, sizeof *longer);
    if (!longer) {
        return gs_fail_nomem(err);
    }
    if (*count > 0) {
        memcpy(longer, *items, *count * sizeof *longer);
    }
    if (page->item_count > 0) {
        memcpy(longer + *count, page->items, page->item_count * sizeof *longer);
    }
    *items = longer;
    *count += page->item_count;
    return 0;
}

int gs_registry_referrers(gs_registry *registry, const char *repository, const gs_digest *subject, gs_arena *arena,
                          gs_descriptor **out, size_t *count, gs_error *err)
{
    char name[GS_DIGEST_TEXT];
    gs_digest_text(subject, name);
    GS_AUTO_CALL gs_call call;
    gs_descriptor *items = NULL;
    size_t found = 0;
    bool supported = true;
    GS_AUTO_BUF gs_buf next;
    gs_buf_init(&next, GS_MAX_HTTP_HEADER_BYTES);
    int code = gs_call_init(&call, registry, repository, GS_ACCESS_PULL, "referrers", name, err);
    for (unsigned pages = 0; code == 0 && supported; pages++) {
        gs_manifest page = {0};
        code = get_page(registry, &call, arena, &page, &next, &supported, err);
        code = code ? code : append_items(arena, &items, &found, &page, err);
        if (code == 0 && (next.len == 0 || pages == GS_MAX_PAGES)) {
            break;
        }
        gs_page_turn(&call, &next);
    }
    if (code == 0 && !supported) {
        char tag[TAG_BYTES];
        gs_manifest index;
        fallback_tag(subject, tag);
        code = get_fallback(registry, repository, tag, arena, &index, err);
        code = code ? code : append_items(arena, &items, &found, &index, err);
    }
    if (code == 0) {
        *out = items;
        *count = found;
    }
    return code;
}

static int compare_digests(const void *a, const void *b)
{
    const gs_descriptor *first = a;
    const gs_descriptor *second = b;
    return gs_digest_compare(&first->digest, &second->digest);
}

static int write_fallback(gs_registry *registry, const char *repository, const char *tag, const gs_manifest *index, gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    gs_buf_init(&bytes, GS_MAX_MANIFEST_BYTES);
    gs_descriptor descriptor = {.media_type = index->media_type};
    int code = gs_manifest_write(index, &bytes, err);
    code = code ? code : gs_digest_of(bytes.data, bytes.len, &descriptor.digest, err);
    descriptor.size = bytes.len;
    bool indexed;
    return code ? code : gs_manifest_put(registry, repository, tag, &descriptor, bytes.data, &indexed, err);
}

static int add_to_tag(gs_registry *registry, const char *repository, const gs_digest *subject, const gs_descriptor *referrer,
                      gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    char tag[TAG_BYTES];
    gs_manifest index;
    fallback_tag(subject, tag);
    int code = arena ? get_fallback(registry, repository, tag, arena, &index, err) : gs_fail_nomem(err);
    for (size_t i = 0; code == 0 && i < index.item_count; i++) {
        if (gs_digest_equal(&index.items[i].digest, &referrer->digest)) {
            return 0;
        }
    }
    const gs_manifest one = {.items = (gs_descriptor *)referrer, .item_count = 1};
    code = code ? code : append_items(arena, &index.items, &index.item_count, &one, err);
    if (code) {
        return code;
    }
    qsort(index.items, index.item_count, sizeof *index.items, compare_digests);
    return write_fallback(registry, repository, tag, &index, err);
}

int gs_referrers_tag_add(gs_registry *registry, const char *repository, const gs_digest *subject, const gs_descriptor *referrer,
                         gs_error *err)
{
    pthread_mutex_lock(&registry->referrers_lock);
    int code = add_to_tag(registry, repository, subject, referrer, err);
    pthread_mutex_unlock(&registry->referrers_lock);
    return code;
}
