/* A bundle as a tree of facts, for `inspect` and for reports. Reads manifests, never a layer. */
#include <string.h>

#include "gapship/contents.h"
#include "gapship/num.h"
#include "gapship/text.h"

static gs_node *digest_node(gs_arena *arena, const gs_digest *digest)
{
    char text[GS_DIGEST_TEXT];
    gs_digest_text(digest, text);
    return gs_node_new_text(arena, text);
}

static gs_node *time_node(gs_arena *arena, int64_t seconds)
{
    char text[GS_TIME_TEXT];
    gs_format_time(seconds, text);
    return gs_node_new_text(arena, text);
}

static gs_node *signature_list(const gs_verified *verified, gs_arena *arena)
{
    gs_node *list = gs_node_new_list(arena);
    size_t count = 0;
    const gs_signature_report *reports = gs_verified_signatures(verified, &count);
    for (size_t i = 0; i < count; i++) {
        char id[GS_DIGEST_HEX];
        gs_digest_hex(&reports[i].key_id, id);
        gs_node *map = gs_node_new_map(arena);
        map = gs_node_set_text(arena, map, "keyId", id);
        map = gs_node_set(arena, map, "known", gs_node_new_bool(arena, reports[i].known));
        map = gs_node_set(arena, map, "good", gs_node_new_bool(arena, reports[i].good));
        list = gs_node_append(arena, list, map);
    }
    return list;
}

/* Bytes that a content brings in: its blobs and manifests, each once. */
static int content_size(const gs_verified *verified, const gs_content *content, gs_arena *arena, uint64_t *size, size_t *layers,
                        gs_error *err)
{
    gs_needed *needed = NULL;
    size_t count = 0;
    int code = gs_contents_needed(verified, content, arena, &needed, &count, err);
    *size = 0;
    *layers = 0;
    for (size_t i = 0; code == 0 && i < count; i++) {
        *size += needed[i].descriptor.size;
        *layers += needed[i].manifest ? 0 : 1;
    }
    return code;
}

static int content_list(const gs_verified *verified, const gs_contents *contents, const char *kind, gs_arena *arena, gs_node **out,
                        gs_error *err)
{
    gs_node *list = gs_node_new_list(arena);
    for (size_t i = 0; i < contents->count; i++) {
        const gs_content *content = &contents->items[i];
        uint64_t size = 0;
        size_t blobs = 0;
        if (strcmp(content->kind, kind) != 0) {
            continue;
        }
        int code = content_size(verified, content, arena, &size, &blobs, err);
        if (code < 0) {
            return code;
        }
        gs_node *map = gs_node_new_map(arena);
        map = gs_node_set_text(arena, map, "name", content->name);
        map = gs_node_set_text(arena, map, "source", gs_annotation(&content->descriptor.annotations, GS_IMAGE_NAME_ANNOTATION));
        map = gs_node_set(arena, map, "digest", digest_node(arena, &content->descriptor.digest));
        map = gs_node_set_integer(arena, map, "blobs", (int64_t)blobs);
        map = gs_node_set_integer(arena, map, "size", (int64_t)size);
        list = gs_node_append(arena, list, map);
    }
    *out = list;
    return list ? 0 : gs_fail_nomem(err);
}

static gs_node *environment_list(const gs_release *release, gs_arena *arena)
{
    static const char *const targets[] = {"helm", "kubectl", "gitops"};
    gs_node *list = gs_node_new_list(arena);
    for (size_t e = 0; e < release->environments.count; e++) {
        const gs_environment_spec *environment = &release->environments.items[e];
        gs_node *units = gs_node_new_list(arena);
        gs_node *migrations = gs_node_new_list(arena);
        for (size_t u = 0; u < environment->units.count; u++) {
            const gs_unit_spec *unit = &environment->units.items[u];
            const char *source = unit->source.chart     ? unit->source.chart
                                 : unit->source.overlay ? unit->source.overlay
                                                        : unit->source.manifests;
            gs_node *map = gs_node_new_map(arena);
            map = gs_node_set_text(arena, map, "name", unit->name);
            map = gs_node_set_text(arena, map, "source", source);
            map = gs_node_set_text(arena, map, "target", targets[unit->target.kind]);
            units = gs_node_append(arena, units, map);
        }
        for (size_t m = 0; m < environment->migrations.count; m++) {
            const gs_migration_spec *migration = &environment->migrations.items[m];
            gs_node *map = gs_node_new_map(arena);
            map = gs_node_set_text(arena, map, "name", migration->name);
            map = gs_node_set_text(arena, map, "phase", migration->phase == GS_PHASE_PRE ? "pre" : "post");
            map = gs_node_set_text(arena, map, "image", migration->image);
            map = gs_node_set(arena, map, "reversible", gs_node_new_bool(arena, migration->reversible));
            migrations = gs_node_append(arena, migrations, map);
        }
        gs_node *map = gs_node_new_map(arena);
        map = gs_node_set_text(arena, map, "name", environment->name);
        map = gs_node_set(arena, map, "units", units);
        map = gs_node_set(arena, map, "migrations", migrations);
        list = gs_node_append(arena, list, map);
    }
    return list;
}

static gs_node *head_map(const gs_verified *verified, const gs_contents *contents, gs_arena *arena)
{
    const gs_statement *statement = gs_verified_statement(verified);
    gs_node *map = gs_node_new_map(arena);
    map = gs_node_set_text(arena, map, "product", statement->product);
    map = gs_node_set_text(arena, map, "version", statement->version);
    map = gs_node_set_integer(arena, map, "epoch", (int64_t)statement->epoch);
    map = gs_node_set_integer(arena, map, "sequence", (int64_t)statement->sequence);
    map = gs_node_set_integer(arena, map, "securityFloor", (int64_t)statement->security_floor);
    map = gs_node_set(arena, map, "issuedAt", time_node(arena, statement->issued_at));
    if (statement->fresh_until > 0) {
        map = gs_node_set(arena, map, "freshUntil", time_node(arena, statement->fresh_until));
    }
    map = gs_node_set(arena, map, "digest", digest_node(arena, gs_verified_digest(verified)));
    map = gs_node_set_integer(arena, map, "size", (int64_t)gs_verified_length(verified));
    map = gs_node_set_text(arena, map, "upgradesFrom", statement->upgrades_from);
    map = gs_node_set_text(arena, map, "commit", contents->lock->source.commit);
    map = gs_node_set_text(arena, map, "ref", contents->lock->source.ref);
    map = gs_node_set(arena, map, "authentic", gs_node_new_bool(arena, gs_verified_authentic(verified)));
    return gs_node_set(arena, map, "signatures", signature_list(verified, arena));
}

int gs_contents_describe(const gs_verified *verified, const gs_contents *contents, gs_arena *arena, gs_node **out, gs_error *err)
{
    static const struct {
        const char *kind, *key;
    } lists[] = {{"image", "images"}, {"chart", "charts"}, {"overlay", "overlays"}, {"file", "files"}};
    gs_node *map = head_map(verified, contents, arena);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        gs_node *list = NULL;
        int code = content_list(verified, contents, lists[i].kind, arena, &list, err);
        if (code < 0) {
            return code;
        }
        map = gs_node_set(arena, map, lists[i].key, list);
    }
    map = gs_node_set(arena, map, "environments", environment_list(contents->release, arena));
    if (!map) {
        return gs_fail_nomem(err);
    }
    *out = map;
    return 0;
}
