/* Small things that every use case writes: rows of the ledger and facts of a bundle. */
#include <string.h>

#include "accept.h"
#include "gapship/num.h"

gs_entry gs_site_entry(const gs_installation *site, gs_entry_kind kind, const char *verb, const gs_verified *bundle)
{
    gs_entry entry = {.kind = kind, .verb = verb, .run = site->id, .time = gs_site_now(site)};
    if (bundle) {
        const gs_statement *statement = gs_verified_statement(bundle);
        entry.product = statement->product;
        entry.version = statement->version;
        entry.bundle = *gs_verified_digest(bundle);
        entry.has_bundle = true;
        entry.epoch = (int64_t)statement->epoch;
        entry.sequence = (int64_t)statement->sequence;
        entry.security_floor = (int64_t)statement->security_floor;
    }
    return entry;
}

const char *gs_digest_in(gs_arena *arena, const gs_digest *digest)
{
    char text[GS_DIGEST_TEXT];
    gs_digest_text(digest, text);
    return gs_arena_text(arena, text);
}

const char *gs_time_text(gs_arena *arena, int64_t seconds)
{
    char text[GS_TIME_TEXT];
    gs_format_time(seconds, text);
    return gs_arena_text(arena, text);
}

gs_node *gs_bundle_node(gs_arena *arena, const gs_verified *bundle)
{
    const gs_statement *statement = gs_verified_statement(bundle);
    gs_node *node = gs_node_new_map(arena);
    const char *digest = gs_digest_in(arena, gs_verified_digest(bundle));
    node = gs_node_set_text(arena, node, "product", statement->product);
    node = gs_node_set_text(arena, node, "version", statement->version);
    node = digest ? gs_node_set_text(arena, node, "bundle", digest) : NULL;
    node = gs_node_set_integer(arena, node, "epoch", (int64_t)statement->epoch);
    node = gs_node_set_integer(arena, node, "sequence", (int64_t)statement->sequence);
    return gs_node_set(arena, node, "authentic", gs_node_new_bool(arena, gs_verified_authentic(bundle)));
}
