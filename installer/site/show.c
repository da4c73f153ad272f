/* `gapship plan`: the plan together with what its steps find. Asks registry, repositories and clusters; changes nothing. */
#include <inttypes.h>
#include <string.h>

#include "gapship/text.h"
#include "site.h"

typedef struct showing {
    gs_execution *execution;
    gs_arena *arena;
    gs_node *environments;
    gs_node *gates, *migrations, *units, *checks; /* of the environment at hand */
    gs_node *node;                                /* the environment itself */
    size_t environment;
    bool entered;
    bool changes; /* anything would change anywhere */
} showing;

static const char *const change_names[] = {[GS_CHANGE_ADD] = "add", [GS_CHANGE_MODIFY] = "modify", [GS_CHANGE_REMOVE] = "remove"};
static const char *const target_names[] = {
    [GS_TARGET_HELM] = "helm", [GS_TARGET_KUBECTL] = "kubectl", [GS_TARGET_GITOPS] = "gitops"};

static int enter_environment(showing *s, const gs_step *step, gs_error *err)
{
    const gs_plan_past *past = &s->execution->past->items[step->environment];
    bool runs = past->known && gs_digest_equal(&past->bundle, gs_verified_digest(s->execution->subject->verified));
    s->entered = true;
    s->environment = step->environment;
    s->gates = gs_node_new_list(s->arena);
    s->migrations = gs_node_new_list(s->arena);
    s->units = gs_node_new_list(s->arena);
    s->checks = gs_node_new_list(s->arena);
    s->node = gs_node_new_map(s->arena);
    s->node = gs_node_set_text(s->arena, s->node, "name", past->environment);
    s->node = gs_node_set_text(s->arena, s->node, "from", past->known ? past->version : NULL);
    s->node = gs_node_set(s->arena, s->node, "gates", s->gates);
    s->node = gs_node_set(s->arena, s->node, "migrations", s->migrations);
    s->node = gs_node_set(s->arena, s->node, "units", s->units);
    s->node = gs_node_set(s->arena, s->node, "verify", s->checks);
    s->changes = s->changes || !runs;
    return gs_node_append(s->arena, s->environments, s->node) ? 0 : gs_fail_nomem(err);
}

static int show_images(showing *s, gs_error *err)
{
    GS_AUTO_LOADING gs_loading *loading = NULL;
    int code = gs_loading_survey(s->execution->site, s->execution->subject, &loading, err);
    if (code != 0) {
        return code;
    }
    gs_node *images = gs_node_new_map(s->arena);
    images = gs_node_set_integer(s->arena, images, "push", (int64_t)gs_loading_images(loading));
    images = gs_node_set_integer(s->arena, images, "bytes", (int64_t)gs_loading_bytes(loading));
    s->changes = s->changes || gs_loading_images(loading) > 0;
    return gs_node_set(s->arena, s->node, "images", images) ? 0 : gs_fail_nomem(err);
}

static int show_migration(showing *s, const gs_step *step, gs_error *err)
{
    bool done = false;
    int code = step->skip ? 0 : gs_step_observe(s->execution, step, &done, err);
    if (code != 0) {
        return code;
    }
    const char *action = step->skip ? "skip" : done ? "done" : step->kind == GS_STEP_DOWN ? "undo" : "run";
    gs_node *node = gs_node_new_map(s->arena);
    node = gs_node_set_text(s->arena, node, "name", strchr(gs_step_name(step), '/') + 1);
    node = gs_node_set_text(s->arena, node, "action", action);
    node = gs_node_set_text(s->arena, node, "schema", step->schema);
    node = gs_node_set_text(s->arena, node, "revision", step->revision);
    node = gs_node_set_text(s->arena, node, "reason", step->skip);
    s->changes = s->changes || (!step->skip && !done);
    return gs_node_append(s->arena, s->migrations, node) ? 0 : gs_fail_nomem(err);
}

static int show_unit(showing *s, const gs_step *step, gs_error *err)
{
    const gs_unit_spec *unit = &gs_step_environment(s->execution, step)->units.items[step->index];
    const gs_target_job job = gs_execution_target(s->execution, step->environment, unit);
    gs_changes changes = {0};
    int code = gs_target_for(unit->target.kind)->diff(&job, s->arena, &changes, err);
    if (code != 0) {
        (void)gs_error_at(err, "%s", step->id);
        return code;
    }
    gs_node *list = gs_node_new_list(s->arena);
    for (size_t i = 0; i < changes.count; i++) {
        gs_node *change = gs_node_new_map(s->arena);
        change = gs_node_set_text(s->arena, change, "change", change_names[changes.items[i].kind]);
        change = gs_node_set_text(s->arena, change, "what", changes.items[i].what);
        if (changes.items[i].protected_) {
            change = gs_node_set(s->arena, change, "protected", gs_node_new_bool(s->arena, true));
        }
        list = gs_node_append(s->arena, list, change);
        s->changes = s->changes || !changes.items[i].protected_;
    }
    gs_node *node = gs_node_new_map(s->arena);
    node = gs_node_set_text(s->arena, node, "name", unit->name);
    node = gs_node_set_text(s->arena, node, "target", target_names[unit->target.kind]);
    node = gs_node_set(s->arena, node, "changes", list);
    return gs_node_append(s->arena, s->units, node) ? 0 : gs_fail_nomem(err);
}

static int show_gates(showing *s, const gs_step *step, gs_error *err)
{
    const gs_gates_spec *gates = &gs_step_environment(s->execution, step)->gates;
    for (size_t i = 0; i < gates->verified_in.count; i++) {
        gs_node *node = gs_node_set_text(s->arena, gs_node_new_map(s->arena), "verifiedIn", gates->verified_in.items[i]);
        if (!gs_node_append(s->arena, s->gates, node)) {
            return gs_fail_nomem(err);
        }
    }
    return 0;
}

static int show_check(showing *s, const gs_step *step, gs_error *err)
{
    const gs_verify_spec *spec = &gs_step_environment(s->execution, step)->verify.items[step->index];
    gs_node *node = gs_node_set_text(s->arena, gs_node_new_map(s->arena), "url", spec->http ? spec->http->url : NULL);
    return gs_node_append(s->arena, s->checks, node) ? 0 : gs_fail_nomem(err);
}

static int show_step(showing *s, const gs_step *step, gs_error *err)
{
    switch (step->kind) {
    case GS_STEP_GATE:
        return show_gates(s, step, err);
    case GS_STEP_LOAD:
        return show_images(s, err);
    case GS_STEP_DOWN:
    case GS_STEP_MIGRATE:
        return show_migration(s, step, err);
    case GS_STEP_APPLY:
        return show_unit(s, step, err);
    case GS_STEP_VERIFY:
        return show_check(s, step, err);
    case GS_STEP_WAIT:
    case GS_STEP_RECORD:
        break;
    }
    return 0;
}

/* What two people compare who speak of the same plan: the bundle and every step, not what the site looks like today. */
static int plan_digest(const gs_execution *execution, gs_arena *arena, const char **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_digest digest;
    gs_buf_init(&text, SIZE_MAX);
    gs_buf_printf(&text, "%s %s\n", execution->plan->verb, execution->bundle);
    for (size_t i = 0; i < execution->plan->count; i++) {
        const gs_step *step = &execution->plan->steps[i];
        gs_buf_printf(&text, "%s%s%s\n", step->id, step->skip ? " skipped: " : "", step->skip ? step->skip : "");
    }
    int code = gs_buf_check(&text, err);
    if (code == 0) {
        code = gs_digest_of(text.data, text.len, &digest, err);
    }
    if (code == 0) {
        *out = gs_digest_in(arena, &digest);
        code = *out ? 0 : gs_fail_nomem(err);
    }
    return code;
}

static int show(gs_execution *execution, gs_arena *arena, gs_node **result, bool *changes, gs_error *err)
{
    showing s = {.execution = execution, .arena = arena, .environments = gs_node_new_list(arena)};
    const char *digest = NULL;
    int code = plan_digest(execution, arena, &digest, err);
    for (size_t i = 0; code == 0 && i < execution->plan->count; i++) {
        const gs_step *step = &execution->plan->steps[i];
        if (!s.entered || s.environment != step->environment) {
            code = enter_environment(&s, step, err);
        }
        if (code == 0) {
            code = show_step(&s, step, err);
        }
    }
    if (code != 0) {
        return code;
    }
    gs_node *node = gs_bundle_node(arena, execution->subject->verified);
    node = gs_node_set_text(arena, node, "verb", execution->plan->verb);
    node = gs_node_set_text(arena, node, "plan", digest);
    node = gs_node_set(arena, node, "changes", gs_node_new_bool(arena, s.changes));
    node = gs_node_set(arena, node, "environments", s.environments);
    if (!node) {
        return gs_fail_nomem(err);
    }
    *result = node;
    *changes = s.changes;
    return 0;
}

int gs_plan_show(gs_installation *installation, const gs_install_options *options, gs_arena *arena, gs_node **result, bool *changes,
                 gs_error *err)
{
    GS_AUTO_PREPARED gs_prepared prepared = {0};
    GS_AUTO_EXECUTION gs_execution execution = {.work = GS_TEMPDIR_INIT};
    int code = options->bundle ? gs_prepare_install(installation, options, false, &prepared, err)
                               : gs_prepare_rollback(installation, options, &prepared, err);
    if (code == 0) {
        code = gs_execution_prepare(installation, &prepared.subject, prepared.plan, &prepared.past, &execution, err);
    }
    return code == 0 ? show(&execution, arena, result, changes, err) : code;
}
