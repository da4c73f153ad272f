/* Lists that come in pages (RFC 5988: Link: <…>; rel="next"). */
#ifndef GS_REGISTRY_PAGING_H
#define GS_REGISTRY_PAGING_H

#include "internal.h"

#define GS_MAX_PAGES 1000u

/* The URL of the next page into next; empty when this was the last. Only the registry's own origin is followed. */
int gs_page_next(const gs_registry *registry, const gs_http_response *response, gs_buf *next, gs_error *err);
/* Points a call at the next page. */
void gs_page_turn(gs_call *call, gs_buf *next);

#endif
