/* The loop over the steps of a plan: ask, write down that it begins, do, write down how it ended. The first step that fails ends
 * the line: nothing behind it is touched. A step that began and has no end in the ledger was cut off; the next run asks again how
 * it stands, so it needs no memory of it. Knows no registry, no cluster and no repository. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "gapship/text.h"
#include "site.h"

/* Only now: a load or an import needs neither kubectl nor helm, and asking them takes longer than a load of what is there. */
static int find_tools(gs_installation *site, gs_error *err)
{
    return site->tools.kubectl || site->tools.helm ? 0 : gs_tools_find(&site->run, &site->tools, err);
}

int gs_execution_prepare(gs_installation *site, const gs_subject *subject, const gs_plan *plan, const gs_past *past,
                         gs_execution *out, gs_error *err)
{
    const gs_release *release = subject->contents->release;
    *out = (gs_execution){
        .site = site, .subject = subject, .plan = plan, .past = past, .work = GS_TEMPDIR_INIT, .arena = gs_arena_new()};
    if (out->arena) {
        out->variables = gs_arena_array(out->arena, release->environments.count, sizeof *out->variables);
        out->bundle = gs_digest_in(out->arena, gs_verified_digest(subject->verified));
        out->git_cache = gs_store_path(site->store, out->arena, "git");
    }
    if (!out->variables || !out->bundle || !out->git_cache) {
        return gs_fail_nomem(err);
    }
    int code = find_tools(site, err);
    if (code == 0 && plan) {
        code = gs_preflight(site, subject->contents, plan, err);
    }
    for (size_t i = 0; code == 0 && plan && i < plan->count; i++) {
        if (plan->steps[i].kind == GS_STEP_RECORD) { /* one of each planned environment */
            size_t environment = plan->steps[i].environment;
            code = gs_variables_make(site, subject, &release->environments.items[environment], out->arena,
                                     &out->variables[environment], err);
        }
    }
    if (code == 0) {
        code = gs_tempdir_make(&out->work, err);
    }
    return code == 0 ? gs_contents_extract(subject->verified, subject->contents, out->work.fd, err) : code;
}

void gs_execution_done(gs_execution *execution)
{
    gs_loading_free(execution->loading);
    gs_tempdir_done(&execution->work);
    gs_arena_free(execution->arena);
    *execution = (gs_execution){.work = GS_TEMPDIR_INIT};
}

/* One run of a plan. */
typedef struct running {
    gs_execution *execution;
    gs_arena *arena; /* of the result */
    gs_node *environments;
    gs_node *steps; /* of the environment at hand */
    size_t environment;
    bool entered; /* any environment yet */
    bool settled; /* the environment ran this bundle when the run came to it, and nothing had to be changed since */
    bool owned;   /* the ledger's newest row of the environment is of this bundle */
} running;

/* ---- the ledger ---- */

static int write_row(const running *r, gs_entry_kind kind, gs_entry_state state, const gs_step *step, const char *detail,
                     int64_t duration, gs_error *err)
{
    const gs_execution *execution = r->execution;
    gs_entry entry = gs_site_entry(execution->site, kind, execution->plan->verb, execution->subject->verified);
    entry.state = state;
    entry.environment = gs_step_environment(execution, step)->name;
    entry.step = kind == GS_ENTRY_SCHEMA                             ? step->schema
                 : kind == GS_ENTRY_STEP || state == GS_STATE_FAILED ? gs_step_name(step)
                                                                     : NULL;
    entry.detail = detail && detail[0] != '\0' ? detail : NULL;
    entry.duration = duration;
    return gs_ledger_append(execution->site->ledger, &entry, err);
}

/* Which revision the database has from here on, as far as anybody can tell: what a migration that was cut off left is not known, so
 * its goal counts as soon as it begins. */
static int write_schema(const running *r, gs_entry_state state, const gs_step *step, gs_error *err)
{
    return step->revision ? write_row(r, GS_ENTRY_SCHEMA, state, step, step->revision, 0, err) : 0;
}

static int read_state(const running *r, const gs_step *step, gs_entry_state *out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (!arena) {
        return gs_fail_nomem(err);
    }
    const gs_ledger_filter filter = {.kind = GS_ENTRY_STEP,
                                     .environment = gs_step_environment(r->execution, step)->name,
                                     .step = gs_step_name(step),
                                     .bundle = gs_verified_digest(r->execution->subject->verified)};
    gs_entry row = {0};
    bool found = false;
    int code = gs_ledger_newest(r->execution->site->ledger, &filter, arena, &row, &found, err);
    if (code == 0) {
        *out = found ? row.state : GS_STATE_NONE;
    }
    return code;
}

/* ---- telling ---- */

static void tell(const running *r, const gs_step *step, const char *state, int64_t duration, const char *detail)
{
    const gs_environment_spec *environment = gs_step_environment(r->execution, step);
    const char *colon = detail && detail[0] != '\0' ? ": " : "";
    const gs_fact facts[] = {GS_TEXT_FACT("environment", environment->name), GS_TEXT_FACT("step", gs_step_name(step)),
                             GS_TEXT_FACT("state", state), GS_NUMBER_FACT("duration", duration / 1000)};
    gs_emit(&r->execution->site->run, strcmp(state, "begun") == 0 ? GS_INFO : GS_NOTICE, "step", facts,
            sizeof facts / sizeof facts[0], "%s %s%s%s", step->id, state, colon, *colon ? detail : "");
}

static int add_result(running *r, const gs_step *step, const char *state, int64_t duration, const char *detail, gs_error *err)
{
    gs_node *node = gs_node_new_map(r->arena);
    node = gs_node_set_text(r->arena, node, "step", gs_step_name(step));
    node = gs_node_set_text(r->arena, node, "state", state);
    node = gs_node_set_integer(r->arena, node, "duration", duration / 1000);
    node = gs_node_set_text(r->arena, node, "detail", detail && detail[0] != '\0' ? detail : NULL);
    tell(r, step, state, duration, detail);
    return gs_node_append(r->arena, r->steps, node) ? 0 : gs_fail_nomem(err);
}

/* ---- one step ---- */

/* A failure whose code says nothing about the kind of step gets the kind's own exit status. */
static int code_of_failure(const gs_step *step, int code, gs_error *err)
{
    static const int kept[] = {GS_EINTERNAL,  GS_ENOMEM, GS_ENOSPACE,  GS_ECHECK,       GS_EGATE,
                               GS_EMIGRATION, GS_EAPPLY, GS_ECONFLICT, GS_EVERIFY,      GS_ETIMEOUT,
                               GS_EUNCERTAIN, GS_ESTATE, GS_EDIGEST,   GS_EINTERRUPTED, GS_ELOCKED};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (kept[i] == code) {
            return code;
        }
    }
    switch (step->kind) {
    case GS_STEP_DOWN:
    case GS_STEP_MIGRATE:
        return gs_error_recode(err, GS_EMIGRATION);
    case GS_STEP_APPLY:
    case GS_STEP_WAIT:
        return gs_error_recode(err, GS_EAPPLY);
    case GS_STEP_VERIFY:
        return gs_error_recode(err, GS_EVERIFY);
    case GS_STEP_GATE:
    case GS_STEP_LOAD:
    case GS_STEP_RECORD:
        break;
    }
    return code;
}

/* Adds to a failure what the ledger could not take. */
static void keep_failure(int written, const gs_error *lost, gs_error *err)
{
    if (written != 0) {
        (void)gs_error_context(err, "the ledger could not take the failure (%s)", lost->message);
    }
}

static int fail_step(running *r, const gs_step *step, int code, int64_t duration, gs_error *err)
{
    gs_error lost = {0};
    code = code_of_failure(step, code, err);
    (void)gs_error_at(err, "%s", step->id);
    if (code == GS_EINTERRUPTED) {
        return code; /* neither done nor failed: the next run asks */
    }
    (void)gs_error_hint(
        err, "mend the cause and run the same command again; what was done is not done twice. `gapship rollback` goes back");
    gs_entry_state state = code == GS_EUNCERTAIN ? GS_STATE_UNCERTAIN : GS_STATE_FAILED;
    keep_failure(write_row(r, GS_ENTRY_STEP, state, step, err->message, duration, &lost), &lost, err);
    if (r->owned) {
        keep_failure(write_row(r, GS_ENTRY_ENVIRONMENT, GS_STATE_FAILED, step, err->message, 0, &lost), &lost, err);
    }
    tell(r, step, "failed", duration, err->message);
    return code;
}

static bool changes(const gs_step *step)
{
    return step->kind == GS_STEP_DOWN || step->kind == GS_STEP_MIGRATE || step->kind == GS_STEP_APPLY;
}

static bool only_asks(const gs_step *step)
{
    return step->kind == GS_STEP_GATE || step->kind == GS_STEP_WAIT || step->kind == GS_STEP_VERIFY;
}

/* From here on the environment is between two bundles. */
static int begin_environment(running *r, const gs_step *step, gs_error *err)
{
    if (!changes(step) || (r->owned && !r->settled)) {
        return 0;
    }
    int code = write_row(r, GS_ENTRY_ENVIRONMENT, GS_STATE_BEGUN, step, NULL, 0, err);
    if (code == 0) {
        r->owned = true;
        r->settled = false;
    }
    return code;
}

static int do_step(running *r, const gs_step *step, gs_error *err)
{
    bool quiet = r->settled && only_asks(step);
    char note[GS_STEP_NOTE] = "";
    int code = begin_environment(r, step, err);
    if (code == 0 && step->kind == GS_STEP_MIGRATE) {
        code = write_schema(r, GS_STATE_BEGUN, step, err);
    }
    if (code == 0 && !quiet) {
        code = write_row(r, GS_ENTRY_STEP, GS_STATE_BEGUN, step, NULL, 0, err);
    }
    if (code != 0) {
        return code;
    }
    tell(r, step, "begun", 0, NULL);
    int64_t start = gs_ticks();
    code = gs_step_run(r->execution, step, note, err);
    int64_t duration = gs_ticks() - start;
    if (code != 0) {
        return fail_step(r, step, code, duration, err);
    }
    code = write_schema(r, GS_STATE_DONE, step, err);
    if (code == 0 && !quiet) {
        code = write_row(r, GS_ENTRY_STEP, GS_STATE_DONE, step, note, duration, err);
    }
    return code == 0 ? add_result(r, step, only_asks(step) ? "passed" : "done", duration, note, err) : code;
}

/* The step is so already. When the ledger does not say so, a run was cut off between the deed and the row, or somebody else did it.
 */
static int confirm_step(running *r, const gs_step *step, gs_error *err)
{
    gs_entry_state state = GS_STATE_NONE;
    int code = read_state(r, step, &state, err);
    if (code == 0 && state != GS_STATE_DONE) {
        code = write_schema(r, GS_STATE_DONE, step, err);
        if (code == 0) {
            code = write_row(r, GS_ENTRY_STEP, GS_STATE_DONE, step, "it was so already", 0, err);
        }
    }
    return code == 0 ? add_result(r, step, "unchanged", 0, NULL, err) : code;
}

static int skip_step(running *r, const gs_step *step, gs_error *err)
{
    gs_entry_state state = GS_STATE_NONE;
    int code = read_state(r, step, &state, err);
    if (code == 0 && state != GS_STATE_SKIPPED) {
        code = write_row(r, GS_ENTRY_STEP, GS_STATE_SKIPPED, step, step->skip, 0, err);
    }
    return code == 0 ? add_result(r, step, "skipped", 0, step->skip, err) : code;
}

static int record(running *r, const gs_step *step, gs_error *err)
{
    int code = r->settled ? 0 : write_row(r, GS_ENTRY_ENVIRONMENT, GS_STATE_DONE, step, NULL, 0, err);
    return code == 0 ? add_result(r, step, r->settled ? "unchanged" : "done", 0, NULL, err) : code;
}

static int run_step(running *r, const gs_step *step, gs_error *err)
{
    int code = gs_check_stop(&r->execution->site->run, 1, err);
    if (code != 0 || step->kind == GS_STEP_RECORD) {
        return code == 0 ? record(r, step, err) : code;
    }
    if (step->skip) {
        return skip_step(r, step, err);
    }
    bool done = false;
    code = gs_step_observe(r->execution, step, &done, err);
    if (code != 0) {
        return fail_step(r, step, code, 0, err);
    }
    return done ? confirm_step(r, step, err) : do_step(r, step, err);
}

/* ---- the plan ---- */

static int enter_environment(running *r, const gs_step *step, gs_error *err)
{
    const gs_environment_spec *environment = gs_step_environment(r->execution, step);
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (!arena) {
        return gs_fail_nomem(err);
    }
    const gs_ledger_filter filter = {
        .kind = GS_ENTRY_ENVIRONMENT, .product = r->execution->subject->contents->release->name, .environment = environment->name};
    gs_entry row = {0};
    bool found = false;
    int code = gs_ledger_newest(r->execution->site->ledger, &filter, arena, &row, &found, err);
    if (code != 0) {
        return code;
    }
    r->entered = true;
    r->environment = step->environment;
    r->owned = found && gs_digest_equal(&row.bundle, gs_verified_digest(r->execution->subject->verified));
    r->settled = r->owned && row.state == GS_STATE_DONE;
    r->steps = gs_node_new_list(r->arena);
    gs_node *node = gs_node_new_map(r->arena);
    node = gs_node_set_text(r->arena, node, "name", environment->name);
    node = gs_node_set(r->arena, node, "steps", r->steps);
    return gs_node_append(r->arena, r->environments, node) ? 0 : gs_fail_nomem(err);
}

int gs_execution_run(gs_execution *execution, gs_arena *arena, gs_node **result, gs_error *err)
{
    gs_error local = {0};
    running r = {.execution = execution, .arena = arena, .environments = gs_node_new_list(arena)};
    gs_node *node = gs_bundle_node(arena, execution->subject->verified);
    node = gs_node_set_text(arena, node, "verb", execution->plan->verb);
    node = gs_node_set(arena, node, "environments", r.environments);
    int code = node ? 0 : gs_fail_nomem(err);
    for (size_t i = 0; code == 0 && i < execution->plan->count; i++) {
        const gs_step *step = &execution->plan->steps[i];
        if (!r.entered || r.environment != step->environment) {
            code = enter_environment(&r, step, err ? err : &local);
        }
        if (code == 0) {
            code = run_step(&r, step, err ? err : &local);
        }
    }
    if (code == 0) {
        *result = node;
    }
    return code;
}
