/* The list of tags, and the pages that such lists come in. */
#include <stdlib.h>
#include <string.h>

#include "gapship/doc.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "paging.h"

#define LINK_BYTES     GS_KIB(8)
#define MAX_TAGS       100000u
#define MAX_PAGE_BYTES GS_MIB(16)

int gs_page_next(const gs_registry *registry, const gs_http_response *response, gs_buf *next, gs_error *err)
{
    char link[LINK_BYTES];
    gs_buf_clear(next);
    if (!gs_http_header_get(response, "Link", 0, link, sizeof link) || !strstr(link, "next")) {
        return 0;
    }
    char *start = strchr(link, '<');
    char *end = start ? strchr(start, '>') : NULL;
    if (!end) {
        return 0;
    }
    *end = '\0';
    int code = gs_url_resolve(response->url, start + 1, next, err);
    if (code == 0 && !gs_url_same_origin(gs_buf_text(next), registry->base)) {
        gs_buf_clear(next);
    }
    return code;
}

void gs_page_turn(gs_call *call, gs_buf *next)
{
    gs_buf turned = *next;
    *next = call->url;
    call->url = turned;
    gs_buf_clear(next);
    call->http.url = gs_buf_text(&call->url);
}

typedef struct tag_list {
    const char **items;
    size_t count, room;
} tag_list;

static int add_tag(tag_list *list, const char *tag, gs_arena *arena, gs_error *err)
{
    if (list->count == MAX_TAGS) {
        return gs_fail(err, GS_ELIMIT, "the repository has more than %u tags", MAX_TAGS);
    }
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        const char **items = gs_arena_array(arena, room, sizeof *items);
        if (!items) {
            return gs_fail_nomem(err);
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof *items);
        }
        list->items = items;
        list->room = room;
    }
    list->items[list->count] = gs_arena_text(arena, tag);
    return list->items[list->count++] ? 0 : gs_fail_nomem(err);
}

/* Some registries list null, or digests: what is no tag is passed over. */
static int take_page(const gs_http_response *response, tag_list *list, gs_arena *arena, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    int code = gs_doc_parse(GS_JSON, "tags", response->body.data, response->body.len, &doc, err);
    if (code) {
        return code == GS_ENOMEM ? code : gs_fail(err, GS_EREGISTRY, "the registry's list of tags is not JSON");
    }
    const gs_node *tags = gs_node_get(doc->root, "tags");
    for (size_t i = 0; code == 0 && tags && tags->kind == GS_NODE_LIST && i < tags->count; i++) {
        const gs_node *tag = tags->items[i];
        if (tag->kind == GS_NODE_TEXT && gs_tag_valid(tag->text)) {
            code = add_tag(list, tag->text, arena, err);
        }
    }
    return code;
}

static int get_page(gs_registry *registry, gs_call *call, tag_list *list, gs_arena *arena, gs_buf *next, gs_error *err)
{
    GS_AUTO_RESPONSE gs_http_response response = {0};
    call->http.max_body = MAX_PAGE_BYTES;
    gs_buf_clear(next);
    int code = gs_call_send(registry, call, &response, err);
    if (code || response.status == 404) {
        return code;
    }
    if (response.status != 200) {
        return gs_call_refused(registry, call, &response, err, "the tags cannot be listed");
    }
    code = take_page(&response, list, arena, err);
    if (code) {
        return gs_registry_at(registry, call->repository, err);
    }
    return gs_page_next(registry, &response, next, err);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t drop_doubles(const char **items, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || strcmp(items[kept - 1], items[i]) != 0) {
            items[kept++] = items[i];
        }
    }
    return kept;
}

int gs_registry_tags(gs_registry *registry, const char *repository, gs_arena *arena, gs_text_list *out, gs_error *err)
{
    GS_AUTO_CALL gs_call call;
    tag_list list = {0};
    GS_AUTO_BUF gs_buf next;
    gs_buf_init(&next, GS_MAX_HTTP_HEADER_BYTES);
    int code = gs_call_init(&call, registry, repository, GS_ACCESS_PULL, "tags", "list?n=1000", err);
    for (unsigned pages = 0; code == 0 && pages < GS_MAX_PAGES; pages++) {
        code = get_page(registry, &call, &list, arena, &next, err);
        if (code || next.len == 0) {
            break;
        }
        gs_page_turn(&call, &next);
    }
    if (code) {
        return code;
    }
    if (list.count > 0) {
        qsort(list.items, list.count, sizeof *list.items, compare_texts);
        list.count = drop_doubles(list.items, list.count);
    }
    *out = (gs_text_list){.items = list.items, .count = list.count};
    return 0;
}
