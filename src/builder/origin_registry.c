/* An image in a registry. Tags are asked for once, by the resolver; everything after that goes by digest. */
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "origin.h"

typedef struct registry_origin {
    gs_origin base;
    gs_registry *registry; /* the builder's */
    const char *repository;
    const char *reference; /* the tag or digest of release.yaml */
} registry_origin;

static int manifest(gs_origin *origin, const char *reference, gs_arena *arena, gs_buf *bytes, gs_descriptor *out, gs_error *err)
{
    registry_origin *self = (registry_origin *)origin;
    int code = gs_registry_get_manifest(self->registry, self->repository, reference ? reference : self->reference, arena, bytes,
                                        out, err);
    return code == GS_EFORMAT ? gs_error_recode(err, GS_EREGISTRY) : code; /* there is no bundle yet that could be malformed */
}

static int each(gs_origin *origin, const gs_descriptor *blob, gs_sink *sink, gs_moved moved, void *state, gs_error *err)
{
    registry_origin *self = (registry_origin *)origin;
    return gs_registry_get_blob(self->registry, self->repository, blob, sink, moved, state, err);
}

static int config(gs_origin *origin, const gs_descriptor *config, gs_sink *sink, gs_error *err)
{
    return each(origin, config, sink, NULL, NULL, err);
}

static void free_origin(gs_origin *origin)
{
    free(origin);
}

static const gs_origin_ops registry_ops = {.manifest = manifest, .config = config, .each = each, .free = free_origin};

/* What cannot leave this machine may go without TLS, as every engine allows. */
static bool is_loopback(const char *host)
{
    return gs_text_starts(host, "127.") || gs_text_starts(host, "localhost:") || strcmp(host, "localhost") == 0 ||
           gs_text_starts(host, "[::1]");
}

/* Plain HTTP only where something answers to it and nothing to https: a certificate that is refused stays the error that it is. */
static int try_plain(const gs_builder *builder, const char *host, gs_registry **registry, gs_error *err)
{
    GS_AUTO_REGISTRY gs_registry *plain = NULL;
    gs_error why = {0}, ignored = {0};
    if (!is_loopback(host) || gs_registry_ping(*registry, &why) != GS_ENETWORK) {
        return 0;
    }
    const gs_registry_options options = {.url = gs_arena_printf(builder->arena, "http://%s", host)};
    int code = options.url ? gs_registry_new(builder->run, &options, &plain, err) : gs_fail_nomem(err);
    if (code < 0) {
        return code;
    }
    code = gs_registry_ping(plain, &ignored);
    if (code < 0 && code != GS_EAUTH) {
        *err = why;
        return why.code;
    }
    gs_emit(builder->run, GS_INFO, "plainHttp", NULL, 0, "%s has no TLS; as it is this machine, plain HTTP is used", host);
    gs_registry_free(*registry);
    *registry = GS_STEAL(plain);
    return 0;
}

static int find_registry(gs_builder *builder, const char *host, gs_registry **out, gs_error *err)
{
    for (size_t i = 0; i < builder->registry_count; i++) {
        if (strcmp(builder->registries[i].host, host) == 0) {
            *out = builder->registries[i].registry;
            return 0;
        }
    }
    GS_AUTO_REGISTRY gs_registry *registry = NULL;
    const char *name = gs_arena_text(builder->arena, host);
    const gs_registry_options options = {.url = name};
    int code = name ? gs_registry_new(builder->run, &options, &registry, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = try_plain(builder, name, &registry, err);
    }
    if (code < 0) {
        return code;
    }
    *out = GS_STEAL(registry);
    builder->registries[builder->registry_count++] = (gs_known_registry){.host = name, .registry = *out};
    return 0;
}

int gs_origin_registry(gs_builder *builder, const gs_image_source *source, gs_origin **out, gs_error *err)
{
    const gs_reference *reference = &source->reference;
    registry_origin *self = calloc(1, sizeof *self);
    if (!self) {
        return gs_fail_nomem(err);
    }
    self->base = (gs_origin){.ops = &registry_ops, .run = builder->run};
    self->repository = gs_arena_text(builder->arena, reference->path);
    self->reference = gs_arena_text(builder->arena, reference->digest[0] != '\0' ? reference->digest : reference->tag);
    int code = self->repository && self->reference ? 0 : gs_fail_nomem(err);
    if (code == 0) {
        code = find_registry(builder, gs_reference_server(reference), &self->registry, err);
    }
    if (code < 0) {
        free(self);
        return code;
    }
    *out = &self->base;
    return 0;
}
