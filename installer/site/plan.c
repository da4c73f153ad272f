/* From a release, a site and its past to the list of steps, in the one order there is. Pure: it asks nobody and touches nothing, so
 * that what `plan` shows is what `install` does. What a rollback needs of the database is decided in undo.c. */
#include <stdlib.h>
#include <string.h>

#include "gapship/text.h"
#include "plan.h"

int gs_plan_add(gs_planning *planning, const gs_step *step, const char *name, gs_error *err)
{
    gs_step added = *step;
    const gs_environment_spec *environment = &planning->request->contents->release->environments.items[step->environment];
    added.id = gs_arena_printf(planning->plan->arena, "%s/%s", environment->name, name);
    if (!added.id) {
        return gs_fail_nomem(err);
    }
    gs_buf_add(&planning->steps, &added, sizeof added);
    return gs_buf_check(&planning->steps, err);
}

int gs_plan_phase(const gs_environment_spec *environment, int phase, gs_arena *arena, size_t **out, size_t *count, gs_error *err)
{
    size_t *order = gs_arena_array(arena, environment->migrations.count, sizeof *order);
    if (!order) {
        return gs_fail_nomem(err);
    }
    size_t found = 0;
    for (size_t i = 0; i < environment->migrations.count; i++) {
        const gs_migration_spec *migration = &environment->migrations.items[i];
        if (migration->phase != phase) {
            continue;
        }
        /* Insertion keeps the order written within a wave. */
        size_t at = found++;
        while (at > 0 && environment->migrations.items[order[at - 1]].wave > migration->wave) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
    *out = order;
    *count = found;
    return 0;
}

static int add_migration(gs_planning *planning, size_t environment, size_t index, gs_error *err)
{
    const gs_release *release = planning->request->contents->release;
    const gs_migration_spec *migration = &release->environments.items[environment].migrations.items[index];
    const gs_schema_spec *schema = migration->schema ? gs_release_schema(release, migration->schema) : NULL;
    gs_step step = {.kind = GS_STEP_MIGRATE,
                    .environment = environment,
                    .index = index,
                    .schema = schema ? schema->name : NULL,
                    .revision = schema ? schema->to : NULL};
    if (planning->request->rollback) {
        step.skip = gs_plan_undo_reason(planning, migration);
        if (!step.skip) {
            return gs_fail_nomem(err);
        }
    }
    const char *name = gs_arena_printf(planning->plan->arena, "migrate/%s", migration->name);
    return name ? gs_plan_add(planning, &step, name, err) : gs_fail_nomem(err);
}

static int add_migrations(gs_planning *planning, size_t environment, int phase, gs_error *err)
{
    size_t *order = NULL;
    size_t count = 0;
    int code = gs_plan_phase(&planning->request->contents->release->environments.items[environment], phase, planning->plan->arena,
                             &order, &count, err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = add_migration(planning, environment, order[i], err);
    }
    return code;
}

static int add_named(gs_planning *planning, const gs_step *step, const char *verb, const char *name, gs_error *err)
{
    const char *path = gs_arena_printf(planning->plan->arena, "%s/%s", verb, name);
    return path ? gs_plan_add(planning, step, path, err) : gs_fail_nomem(err);
}

static int add_units(gs_planning *planning, size_t environment, gs_error *err)
{
    const gs_environment_spec *spec = &planning->request->contents->release->environments.items[environment];
    int code = 0;
    for (size_t i = 0; code == 0 && i < spec->units.count; i++) {
        gs_step step = {.kind = GS_STEP_APPLY, .environment = environment, .index = i};
        code = add_named(planning, &step, "apply", spec->units.items[i].name, err);
        if (code == 0) {
            step.kind = GS_STEP_WAIT;
            code = add_named(planning, &step, "wait", spec->units.items[i].name, err);
        }
    }
    return code;
}

static int add_verifications(gs_planning *planning, size_t environment, gs_error *err)
{
    const gs_environment_spec *spec = &planning->request->contents->release->environments.items[environment];
    int code = 0;
    for (size_t i = 0; code == 0 && i < spec->verify.count; i++) {
        const gs_step step = {.kind = GS_STEP_VERIFY, .environment = environment, .index = i};
        const char *number = gs_arena_printf(planning->plan->arena, "%zu", i + 1);
        code = number ? add_named(planning, &step, "verify", number, err) : gs_fail_nomem(err);
    }
    return code;
}

static bool runs_this(const gs_plan_request *request, const gs_plan_past *past)
{
    return past->known && gs_digest_equal(&past->bundle, request->bundle);
}

static bool is_newer(const gs_plan_past *past, const gs_release *release)
{
    return past->epoch != release->epoch ? past->epoch > release->epoch : past->sequence > release->sequence;
}

static bool is_planned(const gs_plan_request *request, size_t environment)
{
    const gs_plan_past *past = &request->past[environment];
    const char *name = request->contents->release->environments.items[environment].name;
    if (request->only && !gs_text_equal(request->only, name)) {
        return false;
    }
    return !request->rollback || runs_this(request, past) || (past->known && is_newer(past, request->contents->release));
}

/* An environment that must have been verified first was so in an earlier run, or comes before in this one. */
static int check_gate(const gs_plan_request *request, size_t environment, gs_error *err)
{
    const gs_release *release = request->contents->release;
    const gs_environment_spec *spec = &release->environments.items[environment];
    for (size_t i = 0; i < spec->gates.verified_in.count; i++) {
        const char *needed = spec->gates.verified_in.items[i];
        bool open = false;
        for (size_t k = 0; k < release->environments.count && !open; k++) {
            open = gs_text_equal(release->environments.items[k].name, needed) &&
                   (request->past[k].verified || (k < environment && is_planned(request, k)));
        }
        if (!open) {
            (void)gs_fail(err, GS_EGATE, "%s %s must first be verified in '%s'", release->name, release->version, needed);
            (void)gs_error_at(err, "%s", spec->name);
            return gs_error_hint(err, "bring it to '%s' first", needed);
        }
    }
    return 0;
}

/* An install is never a rollback by accident: going back needs its own verb, which asks what the database can bear. */
static int check_direction(const gs_plan_request *request, const gs_plan_past *past, gs_error *err)
{
    const gs_release *release = request->contents->release;
    if (request->rollback || !past->known || !is_newer(past, release)) {
        return 0;
    }
    (void)gs_fail(err, GS_EDOWNGRADE, "%s %s is older than %s, which was installed here", release->name, release->version,
                  past->version);
    (void)gs_error_at(err, "%s", past->environment);
    return gs_error_hint(err, "go back with `gapship rollback --to %s`", release->version);
}

static int check_upgrade(const gs_plan_request *request, const gs_plan_past *past, gs_error *err)
{
    const gs_release *release = request->contents->release;
    const char *from = release->requires.upgrades_from;
    if (request->rollback || !from || !past->known || runs_this(request, past)) {
        return 0;
    }
    bool valid = false;
    if (gs_version_satisfies(past->version, from, &valid)) {
        return 0;
    }
    if (!valid) {
        return gs_fail(err, GS_ESPEC, "requires.upgradesFrom '%s' of %s %s is not a version constraint", from, release->name,
                       release->version);
    }
    (void)gs_fail(err, GS_ECHECK, "%s %s upgrades from versions %s, and %s runs here", release->name, release->version, from,
                  past->version);
    (void)gs_error_at(err, "%s", past->environment);
    return gs_error_hint(err, "install a release in between first");
}

static int check_environment(const gs_plan_request *request, size_t environment, gs_error *err)
{
    const char *name = request->contents->release->environments.items[environment].name;
    if (!gs_site_environment_find(request->site, name)) {
        (void)gs_fail(err, GS_ECHECK, "the site does not configure the environment '%s' of the release", name);
        (void)gs_error_at(err, "%s", request->site->path);
        return gs_error_hint(err, "add it under `environments`, or stop before it with --to");
    }
    int code = check_direction(request, &request->past[environment], err);
    if (code == 0) {
        code = check_upgrade(request, &request->past[environment], err);
    }
    return code == 0 ? check_gate(request, environment, err) : code;
}

static int add_environment(gs_planning *planning, size_t environment, gs_error *err)
{
    const gs_plan_request *request = planning->request;
    const gs_environment_spec *spec = &request->contents->release->environments.items[environment];
    bool first = planning->steps.len == 0;
    int code = check_environment(request, environment, err);
    gs_step step = {.kind = GS_STEP_GATE, .environment = environment};
    if (code == 0 && spec->gates.verified_in.count > 0) {
        code = gs_plan_add(planning, &step, "gate", err);
    }
    if (code == 0 && first) {
        step.kind = GS_STEP_LOAD;
        code = gs_plan_add(planning, &step, "load", err);
    }
    if (code == 0 && request->rollback) {
        code = gs_plan_undo(planning, environment, err);
    }
    if (code == 0) {
        code = add_migrations(planning, environment, GS_PHASE_PRE, err);
    }
    if (code == 0) {
        code = add_units(planning, environment, err);
    }
    if (code == 0) {
        code = add_migrations(planning, environment, GS_PHASE_POST, err);
    }
    if (code == 0) {
        code = add_verifications(planning, environment, err);
    }
    step.kind = GS_STEP_RECORD;
    return code == 0 ? gs_plan_add(planning, &step, "record", err) : code;
}

/* --to and --environment name an environment of the release. */
static int check_name(const gs_release *release, const char *name, gs_error *err)
{
    if (!name || gs_release_environment(release, name)) {
        return 0;
    }
    (void)gs_fail(err, GS_EUSAGE, "%s %s has no environment '%s'", release->name, release->version, name);
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; i < release->environments.count && count < sizeof names / sizeof names[0]; i++) {
        names[count++] = release->environments.items[i].name;
    }
    const char *nearest = gs_text_nearest(name, names, count);
    return nearest ? gs_error_hint(err, "did you mean '%s'?", nearest) : GS_EUSAGE;
}

static int fill(gs_planning *planning, gs_error *err)
{
    const gs_plan_request *request = planning->request;
    const gs_release *release = request->contents->release;
    int code = check_name(release, request->to, err);
    if (code == 0) {
        code = check_name(release, request->only, err);
    }
    for (size_t i = 0; code == 0 && i < release->environments.count; i++) {
        if (is_planned(request, i)) {
            code = add_environment(planning, i, err);
        }
        if (request->to && gs_text_equal(request->to, release->environments.items[i].name)) {
            break;
        }
    }
    return code;
}

int gs_plan_make(const gs_plan_request *request, gs_plan **out, gs_error *err)
{
    GS_AUTO_PLAN gs_plan *plan = calloc(1, sizeof *plan);
    if (!plan) {
        return gs_fail_nomem(err);
    }
    plan->arena = gs_arena_new();
    if (!plan->arena) {
        return gs_fail_nomem(err);
    }
    plan->rollback = request->rollback;
    plan->verb = request->rollback ? "rollback" : "install";
    gs_planning planning = {.request = request, .plan = plan};
    gs_buf_init(&planning.steps, SIZE_MAX);
    int code = fill(&planning, err);
    if (code == 0) {
        plan->count = planning.steps.len / sizeof *plan->steps;
        plan->steps = gs_arena_array(plan->arena, plan->count, sizeof *plan->steps);
        code = plan->steps ? 0 : gs_fail_nomem(err);
    }
    if (code == 0 && plan->count > 0) {
        memcpy(plan->steps, planning.steps.data, planning.steps.len);
    }
    gs_buf_done(&planning.steps);
    if (code == 0) {
        *out = GS_STEAL(plan);
    }
    return code;
}

void gs_plan_free(gs_plan *plan)
{
    if (plan) {
        gs_arena_free(plan->arena);
        free(plan);
    }
}

void gs_plan_free_p(gs_plan **plan)
{
    gs_plan_free(*plan);
    *plan = NULL;
}
