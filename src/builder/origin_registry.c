/* An image in a registry. Tags are asked for once, by the resolver; everything after that goes by digest. */
#include <stdlib.h>
#include <string.h>

#include "gapship/limits.h"
#include "gapship/text.h"
#include "origin.h"

typedef struct registry_origin {
    gs_origin base;
    gs_registry *registry;
    const char *repository;
    const char *reference; /* the tag or digest of release.yaml */
} registry_origin;

static int manifest(gs_origin *origin, const char *reference, gs_arena *arena, gs_buf *bytes, gs_descriptor *out, gs_error *err)
{
    registry_origin *self = (registry_origin *)origin;
    return gs_registry_get_manifest(self->registry, self->repository, reference ? reference : self->reference, arena, bytes, out,
                                    err);
}

static int each(gs_origin *origin, const gs_descriptor *blob, gs_sink *sink, gs_moved moved, void *state, gs_error *err)
{
    registry_origin *self = (registry_origin *)origin;
    return gs_registry_get_blob(self->registry, self->repository, blob, sink, moved, state, err);
}

static void free_origin(gs_origin *origin)
{
    registry_origin *self = (registry_origin *)origin;
    gs_registry_free(self->registry);
    free(self);
}

static const gs_origin_ops registry_ops = {.manifest = manifest, .each = each, .free = free_origin};

/* What cannot leave this machine may go without TLS, as every engine allows; said once, and only after https was tried. */
static bool is_loopback(const char *host)
{
    return gs_text_starts(host, "127.") || gs_text_starts(host, "localhost:") || strcmp(host, "localhost") == 0 ||
           gs_text_starts(host, "[::1]");
}

static int open_registry(const gs_run *run, const char *host, gs_arena *arena, gs_registry **out, gs_error *err)
{
    GS_AUTO_REGISTRY gs_registry *registry = NULL;
    gs_registry_options options = {.url = host};
    int rc = gs_registry_new(run, &options, &registry, err);
    gs_error why = {0};
    if (rc == 0 && is_loopback(host) && gs_registry_ping(registry, &why) == GS_ENETWORK) {
        gs_registry_free(registry);
        registry = NULL;
        options.url = gs_arena_printf(arena, "http://%s", host);
        rc = options.url ? gs_registry_new(run, &options, &registry, err) : gs_fail_nomem(err);
        gs_emit(run, GS_INFO, "plainHttp", NULL, 0, "%s has no TLS; as it is this machine, plain HTTP is used", host);
    }
    if (rc == 0) {
        *out = GS_STEAL(registry);
    }
    return rc;
}

int gs_origin_registry(const gs_run *run, const gs_image_source *source, gs_arena *arena, gs_origin **out, gs_error *err)
{
    const gs_reference *reference = &source->reference;
    registry_origin *self = calloc(1, sizeof *self);
    if (!self) {
        return gs_fail_nomem(err);
    }
    self->base = (gs_origin){.ops = &registry_ops, .run = run};
    self->repository = gs_arena_text(arena, reference->path);
    self->reference = gs_arena_text(arena, reference->digest[0] != '\0' ? reference->digest : reference->tag);
    int rc = self->repository && self->reference ? 0 : gs_fail_nomem(err);
    if (rc == 0) {
        rc = open_registry(run, gs_reference_server(reference), arena, &self->registry, err);
    }
    if (rc < 0) {
        free(self);
        return rc;
    }
    *out = &self->base;
    return 0;
}
