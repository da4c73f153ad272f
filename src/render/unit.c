/* From a unit of the release to a request to render: where gs_contents_extract put what it needs. Must not know how rendering
 * works. */
#include <string.h>

#include "internal.h"

/* The unit's own values first, then those that the caller adds. */
static const gs_text_map *join_sets(gs_arena *arena, const gs_text_map *own, const gs_text_map *more)
{
    gs_text_map *all = gs_arena_alloc(arena, sizeof *all);
    if (!all || !more || more->count == 0) {
        return all ? own : NULL;
    }
    all->items = gs_arena_array(arena, own->count + more->count, sizeof *all->items);
    if (!all->items) {
        return NULL;
    }
    if (own->count > 0) {
        memcpy(all->items, own->items, own->count * sizeof *own->items);
    }
    memcpy(all->items + own->count, more->items, more->count * sizeof *more->items);
    all->count = own->count + more->count;
    return all;
}

int gs_render_chart_request(const gs_unit_render *unit, gs_arena *arena, gs_render_request *out, gs_error *err)
{
    const gs_source_spec *source = &unit->unit->source;
    const gs_target_spec *target = &unit->unit->target;
    const char **values = gs_arena_array(arena, source->values.count, sizeof *values);
    *out = (gs_render_request){.environment = unit->environment->name,
                               .unit = unit->unit->name,
                               .chart = gs_arena_printf(arena, "%s/charts/%s.tgz", unit->work, source->chart),
                               .release = target->release ? target->release : unit->unit->name,
                               .namespace = target->namespace,
                               .values = values,
                               .value_count = source->values.count,
                               .set = join_sets(arena, &source->set, unit->set),
                               .upgrade = unit->upgrade,
                               .kube_version = unit->kube_version,
                               .api_versions = unit->api_versions};
    bool complete = values && out->chart && out->set;
    for (size_t i = 0; complete && i < source->values.count; i++) {
        values[i] = gs_arena_printf(arena, "%s/sources/%s", unit->work, source->values.items[i]);
        complete = values[i] != NULL;
    }
    return complete ? 0 : gs_fail_nomem(err);
}

static int render_overlay(const gs_run *run, const gs_tools *tools, const gs_unit_render *unit, gs_arena *arena, gs_doc **out,
                          gs_error *err)
{
    const gs_source_spec *source = &unit->unit->source;
    const char *path = source->path ? source->path : ".";
    const char *root = gs_arena_printf(arena, "%s/overlays/%s", unit->work, source->overlay);
    gs_render_request request = {.environment = unit->environment->name,
                                 .unit = unit->unit->name,
                                 .overlay = root ? gs_arena_printf(arena, "%s/%s", root, path) : NULL,
                                 .overlay_root = root};
    if (!request.overlay) {
        return gs_fail_nomem(err);
    }
    /* kustomize tells a remote base only by failing to reach it. */
    int code = gs_render_check_hermetic(run, root, path, err);
    if (code < 0) {
        return gs_error_at(err, "%s/%s", request.environment, request.unit);
    }
    return gs_render(run, tools, &request, out, err);
}

int gs_render_unit(const gs_run *run, const gs_tools *tools, const gs_unit_render *unit, gs_doc **out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_render_request request = {.environment = unit->environment->name, .unit = unit->unit->name};
    if (!arena) {
        return gs_fail_nomem(err);
    }
    if (unit->unit->source.overlay) {
        return render_overlay(run, tools, unit, arena, out, err);
    }
    if (unit->unit->source.chart) {
        int code = gs_render_chart_request(unit, arena, &request, err);
        if (code < 0) {
            return code;
        }
    } else {
        request.manifests = gs_arena_printf(arena, "%s/sources/%s", unit->work, unit->unit->source.manifests);
        if (!request.manifests) {
            return gs_fail_nomem(err);
        }
    }
    return gs_render(run, tools, &request, out, err);
}
