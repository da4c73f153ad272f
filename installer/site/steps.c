/* What each kind of step asks and does. Whether it is done is asked of the registry, the repository or the cluster, never of
 * memory; order, ledger and failure are execute.c's. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gapship/num.h"
#include "gapship/text.h"
#include "site.h"

const char *gs_step_name(const gs_step *step)
{
    const char *slash = strchr(step->id, '/');
    return slash ? slash + 1 : step->id;
}

const gs_environment_spec *gs_step_environment(const gs_execution *execution, const gs_step *step)
{
    return &execution->subject->contents->release->environments.items[step->environment];
}

gs_target_job gs_execution_target(const gs_execution *execution, size_t environment, const gs_unit_spec *unit)
{
    const gs_contents *contents = execution->subject->contents;
    const gs_environment_spec *spec = &contents->release->environments.items[environment];
    return (gs_target_job){.run = &execution->site->run,
                           .tools = &execution->site->tools,
                           .site = execution->site->site,
                           .place = gs_site_environment_find(execution->site->site, spec->name),
                           .release = contents->release,
                           .lock = contents->lock,
                           .environment = spec,
                           .unit = unit,
                           .work = execution->work.path,
                           .git_cache = execution->git_cache,
                           .bundle_digest = execution->bundle,
                           .variables = &execution->variables[environment],
                           .rollback = execution->plan && execution->plan->rollback};
}

/* ---- migrations ---- */

typedef struct migration {
    gs_target_job target;
    gs_text_map variables;
    gs_migration_job job;
} migration;

/* A DOWN step belongs to the newer release: its image, its command, and a Job named after its bundle. */
static int take_newer(const gs_execution *execution, const gs_step *step, migration *m, gs_error *err)
{
    const gs_plan_past *past = &execution->past->items[step->environment];
    if (!past->contents) {
        return gs_fail(err, GS_EINTERNAL, "the bundle of a down step is not open");
    }
    m->target.release = past->contents->release;
    m->target.lock = past->contents->lock;
    m->target.environment = gs_release_environment(past->contents->release, past->environment);
    m->target.bundle_digest = gs_digest_in(execution->arena, &past->bundle);
    return m->target.bundle_digest ? 0 : gs_fail_nomem(err);
}

/* "${schema.from}" in a down command is where it has to go: what the older release leaves, not where the newer one once began. */
static int make_migration(const gs_execution *execution, const gs_step *step, migration *out, gs_error *err)
{
    bool down = step->kind == GS_STEP_DOWN;
    out->target = gs_execution_target(execution, step->environment, NULL);
    int code = down ? take_newer(execution, step, out, err) : 0;
    if (code != 0) {
        return code;
    }
    const gs_migration_spec *spec = &out->target.environment->migrations.items[step->index];
    const gs_schema_spec *schema = spec->schema ? gs_release_schema(out->target.release, spec->schema) : NULL;
    const gs_text_pair more[] = {{"schema", spec->schema},
                                 {"schema.from", down     ? step->revision
                                                 : schema ? schema->from
                                                          : NULL},
                                 {"schema.to", schema ? schema->to : NULL}};
    code = gs_variables_with(&execution->variables[step->environment], more, sizeof more / sizeof more[0], execution->arena,
                             &out->variables, err);
    const char *path = gs_store_path(execution->site->store, execution->arena, "logs");
    const char *log = path ? gs_arena_printf(execution->arena, "%s/%s-%s-%s-%s.log", path, execution->site->id,
                                             out->target.environment->name, down ? "down" : "migrate", spec->name)
                           : NULL;
    if (code == 0 && !log) {
        code = gs_fail_nomem(err);
    }
    out->target.variables = &out->variables;
    out->job = (gs_migration_job){.target = &out->target, .migration = spec, .down = down, .log = log};
    return code;
}

static int observe_migration(const gs_execution *execution, const gs_step *step, bool *done, gs_error *err)
{
    migration m;
    gs_job_state state = GS_JOB_ABSENT;
    int code = make_migration(execution, step, &m, err);
    if (code == 0) {
        code = gs_migration_observe(&m.job, &state, err);
    }
    if (code == 0) {
        *done = state == GS_JOB_COMPLETE;
    }
    return code;
}

static int run_migration(const gs_execution *execution, const gs_step *step, char note[GS_STEP_NOTE], gs_error *err)
{
    migration m;
    int code = make_migration(execution, step, &m, err);
    if (code == 0) {
        code = gs_migration_run(&m.job, err);
    }
    if (code == 0 && step->revision) {
        (void)snprintf(note, GS_STEP_NOTE, "schema %s at %s", step->schema, step->revision);
    }
    return code;
}

/* ---- the others ---- */

static const gs_unit_spec *unit_of(const gs_execution *execution, const gs_step *step)
{
    return &gs_step_environment(execution, step)->units.items[step->index];
}

static int observe_unit(const gs_execution *execution, const gs_step *step, bool *done, gs_error *err)
{
    const gs_unit_spec *unit = unit_of(execution, step);
    const gs_target_job job = gs_execution_target(execution, step->environment, unit);
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (!arena) {
        return gs_fail_nomem(err);
    }
    gs_changes changes = {0};
    int code = gs_target_for(unit->target.kind)->diff(&job, arena, &changes, err);
    if (code != 0) {
        return code;
    }
    bool nothing = true;
    for (size_t i = 0; i < changes.count; i++) {
        nothing = nothing && changes.items[i].protected_;
    }
    *done = nothing;
    return 0;
}

static int apply_unit(const gs_execution *execution, const gs_step *step, char note[GS_STEP_NOTE], gs_error *err)
{
    const gs_unit_spec *unit = unit_of(execution, step);
    const gs_target_job job = gs_execution_target(execution, step->environment, unit);
    char said[GS_TARGET_NOTE] = "";
    int code = gs_target_for(unit->target.kind)->apply(&job, said, err);
    if (code == 0) {
        (void)snprintf(note, GS_STEP_NOTE, "%s", said);
    }
    return code;
}

static int wait_unit(const gs_execution *execution, const gs_step *step, gs_error *err)
{
    const gs_unit_spec *unit = unit_of(execution, step);
    const gs_target_job job = gs_execution_target(execution, step->environment, unit);
    return gs_target_for(unit->target.kind)->wait(&job, err);
}

static int verify(const gs_execution *execution, const gs_step *step, gs_error *err)
{
    const gs_verify_spec *spec = &gs_step_environment(execution, step)->verify.items[step->index];
    return spec->http ? gs_http_check_run(&execution->site->run, spec->http, &execution->variables[step->environment], err) : 0;
}

/* The planner knew that it would be so; only the ledger knows that it is. */
static int check_gate(const gs_execution *execution, const gs_step *step, gs_error *err)
{
    const gs_environment_spec *spec = gs_step_environment(execution, step);
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (!arena) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; i < spec->gates.verified_in.count; i++) {
        const gs_ledger_filter filter = {.kind = GS_ENTRY_ENVIRONMENT,
                                         .state = GS_STATE_DONE,
                                         .environment = spec->gates.verified_in.items[i],
                                         .bundle = gs_verified_digest(execution->subject->verified)};
        gs_entry row;
        bool found = false;
        int code = gs_ledger_newest(execution->site->ledger, &filter, arena, &row, &found, err);
        if (code != 0) {
            return code;
        }
        if (!found) {
            (void)gs_fail(err, GS_EGATE, "the bundle was never verified in '%s'", filter.environment);
            return gs_error_hint(err, "bring it to '%s' first", filter.environment);
        }
    }
    return 0;
}

static int observe_registry(gs_execution *execution, bool *done, gs_error *err)
{
    gs_loading_free_p(&execution->loading);
    int code = gs_loading_survey(execution->site, execution->subject, &execution->loading, err);
    if (code == 0 && !execution->site->site->registry.url) {
        code = gs_served_wait(execution->site, execution->subject, err);
    }
    if (code == 0) {
        *done = gs_loading_images(execution->loading) == 0;
    }
    return code;
}

static int load(gs_execution *execution, char note[GS_STEP_NOTE], gs_error *err)
{
    int code = gs_loading_push(execution->loading, err);
    if (code == 0) {
        char size[GS_SIZE_TEXT];
        gs_format_size(gs_loading_bytes(execution->loading), size);
        (void)snprintf(note, GS_STEP_NOTE, "%zu image%s, %s", gs_loading_images(execution->loading),
                       gs_loading_images(execution->loading) == 1 ? "" : "s", size);
    }
    gs_loading_free_p(&execution->loading);
    return code;
}

int gs_step_observe(gs_execution *execution, const gs_step *step, bool *done, gs_error *err)
{
    *done = false;
    switch (step->kind) {
    case GS_STEP_LOAD:
        return observe_registry(execution, done, err);
    case GS_STEP_DOWN:
    case GS_STEP_MIGRATE:
        return observe_migration(execution, step, done, err);
    case GS_STEP_APPLY:
        return observe_unit(execution, step, done, err);
    case GS_STEP_GATE:
    case GS_STEP_WAIT:
    case GS_STEP_VERIFY:
    case GS_STEP_RECORD:
        break; /* running them is asking */
    }
    return 0;
}

int gs_step_run(gs_execution *execution, const gs_step *step, char note[GS_STEP_NOTE], gs_error *err)
{
    switch (step->kind) {
    case GS_STEP_GATE:
        return check_gate(execution, step, err);
    case GS_STEP_LOAD:
        return load(execution, note, err);
    case GS_STEP_DOWN:
    case GS_STEP_MIGRATE:
        return run_migration(execution, step, note, err);
    case GS_STEP_APPLY:
        return apply_unit(execution, step, note, err);
    case GS_STEP_WAIT:
        return wait_unit(execution, step, err);
    case GS_STEP_VERIFY:
        return verify(execution, step, err);
    case GS_STEP_RECORD:
        break; /* the row that execute.c writes is the step */
    }
    return 0;
}
