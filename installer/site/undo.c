/* Whether the database can bear a rollback, and what has to be undone first. Pure.
 *
 * The old release's tools cannot be asked: most migration tools fail on a database that is newer than they are. So the old
 * release's migrations never run in a rollback; either it declares that it runs on the revision as it is, or the newer release
 * takes it back with its own image, or nothing is touched at all. */
#include <string.h>

#include "gapship/text.h"
#include "plan.h"

typedef struct undo {
    gs_planning *planning;
    size_t environment;
    const char *name; /* of the environment */
    const gs_plan_past *past;
    const gs_release *old;
    const gs_release *newer;
} undo;

static const char *find(const gs_text_map *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++) {
        if (gs_text_equal(map->items[i].key, key)) {
            return map->items[i].value;
        }
    }
    return NULL;
}

static int refuse(const undo *u, const char *migration, const gs_release *of, gs_error *err, const char *reason)
{
    (void)gs_fail(err, GS_EROLLBACK_REFUSED, "migration '%s' of %s %s cannot be undone: %s", migration, of->name, of->version,
                  reason);
    (void)gs_error_at(err, "%s/migrate/%s", u->name, migration);
    (void)gs_error_hint(err,
                        "nothing was changed. Install a corrected newer release, or restore the database from a backup made before "
                        "%s and then install",
                        of->version);
    return GS_EROLLBACK_REFUSED;
}

static bool lists_equal(const gs_text_list *a, const gs_text_list *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++) {
        equal = gs_text_equal(a->items[i], b->items[i]);
    }
    return equal;
}

/* The same command in the same image: running it in the new release changed nothing that the old one does not know. */
static bool same_migration(const undo *u, const gs_migration_spec *newer)
{
    const gs_environment_spec *environment = &u->old->environments.items[u->environment];
    for (size_t i = 0; i < environment->migrations.count; i++) {
        const gs_migration_spec *old = &environment->migrations.items[i];
        if (gs_text_equal(old->name, newer->name)) {
            const gs_locked_image *a = gs_lock_image(u->planning->request->contents->lock, old->image);
            const gs_locked_image *b = gs_lock_image(u->past->contents->lock, newer->image);
            return a && b && gs_text_equal(a->digest, b->digest) && lists_equal(&old->command, &newer->command);
        }
    }
    return false;
}

/* Every migration of `release` on the schema can be taken back. *found: whether there is one. */
static int check_reversible(const undo *u, const gs_release *release, const char *schema, const char *reason, bool *found,
                            gs_error *err)
{
    const gs_environment_spec *environment = gs_release_environment(release, u->name);
    for (size_t i = 0; environment && i < environment->migrations.count; i++) {
        const gs_migration_spec *migration = &environment->migrations.items[i];
        if (!gs_text_equal(migration->schema, schema)) {
            continue;
        }
        *found = true;
        if (!migration->reversible) {
            return refuse(u, migration->name, release, err, reason);
        }
    }
    return 0;
}

/* The revision is outside what the old release runs on: all that led to it has to be reversible. */
static int check_way_back(const undo *u, const gs_schema_spec *newer, const gs_schema_spec *old, const char *at, gs_error *err)
{
    char reason[GS_ERROR_MESSAGE_MAX / 2];
    gs_arena *arena = u->planning->plan->arena;
    const char *text = gs_arena_printf(arena, "schema '%s' is at %s, and %s %s runs on %s to %s", newer->name, at, u->old->name,
                                       u->old->version, old->app_min ? old->app_min : old->from,
                                       old->app_max ? old->app_max : old->to);
    if (!text) {
        return gs_fail_nomem(err);
    }
    gs_text_printable(text, reason, sizeof reason);
    /* Left behind by a rollback from a release that is newer still: no image but that one's knows the revision. */
    if (newer->to && gs_version_compare(at, newer->to) > 0) {
        (void)gs_fail(err, GS_EROLLBACK_REFUSED, "%s; %s %s, which runs there now, cannot take back what it does not know", reason,
                      u->newer->name, u->newer->version);
        (void)gs_error_at(err, "%s", u->name);
        return gs_error_hint(
            err,
            "nothing was changed. Install the release that brought the database to %s again (`gapship history` names "
            "it) and roll back from there",
            at);
    }
    bool found = false;
    int code = check_reversible(u, u->newer, newer->name, reason, &found, err);
    if (code == 0 && !found) {
        (void)gs_fail(err, GS_EROLLBACK_REFUSED, "%s, and no migration of %s %s takes it back", reason, u->newer->name,
                      u->newer->version);
        (void)gs_error_at(err, "%s", u->name);
        return gs_error_hint(err, "nothing was changed. Install a corrected newer release, or restore the database from a backup");
    }
    bool direct = newer->from && old->to && gs_version_compare(newer->from, old->to) <= 0;
    for (size_t i = 0; code == 0 && !direct && i < u->past->between_count; i++) {
        bool passed = false;
        if (!u->past->between[i]) {
            (void)gs_fail(err, GS_EROLLBACK_REFUSED, "%s, and a bundle that ran between them is not kept: what it did is unknown",
                          reason);
            (void)gs_error_at(err, "%s", u->name);
            return gs_error_hint(err, "import that bundle again (`gapship history` names it), then roll back");
        }
        code = check_reversible(u, u->past->between[i]->release, newer->name, reason, &passed, err);
    }
    return code;
}

static int add_down(const undo *u, size_t index, const char *revision, gs_error *err)
{
    const gs_migration_spec *migration = &gs_release_environment(u->newer, u->name)->migrations.items[index];
    gs_step step = {
        .kind = GS_STEP_DOWN, .environment = u->environment, .index = index, .schema = migration->schema, .revision = revision};
    const char *name = gs_arena_printf(u->planning->plan->arena, "down/%s", migration->name);
    return name ? gs_plan_add(u->planning, &step, name, err) : gs_fail_nomem(err);
}

/* One schema of the newer release. *back: its migrations have to be undone. */
static int judge_schema(const undo *u, const gs_schema_spec *newer, bool *back, gs_error *err)
{
    const gs_schema_spec *old = gs_release_schema(u->old, newer->name);
    const char *recorded = find(&u->past->revisions, newer->name);
    const char *at = recorded ? recorded : newer->to;
    *back = false;
    if (!old || !at) {
        return 0; /* the old release does not use it */
    }
    const char *lowest = old->app_min ? old->app_min : old->from;
    const char *highest = old->app_max ? old->app_max : old->to;
    if ((!lowest || gs_version_compare(at, lowest) >= 0) && (!highest || gs_version_compare(at, highest) <= 0)) {
        return 0;
    }
    *back = true;
    return check_way_back(u, newer, old, at, err);
}

/* One migration of the newer release, seen from its end. */
static int undo_migration(const undo *u, const gs_environment_spec *environment, size_t index, gs_error *err)
{
    const gs_migration_spec *migration = &environment->migrations.items[index];
    const gs_schema_spec *schema = migration->schema ? gs_release_schema(u->newer, migration->schema) : NULL;
    if (schema) {
        bool back = false;
        int code = judge_schema(u, schema, &back, err);
        return code == 0 && back ? add_down(u, index, gs_release_schema(u->old, schema->name)->to, err) : code;
    }
    if (same_migration(u, migration)) {
        return 0;
    }
    if (!migration->reversible) {
        return refuse(u, migration->name, u->newer, err,
                      "it is not reversible, and it names no schema that would say what the older release bears");
    }
    return add_down(u, index, NULL, err);
}

static int undo_phase(const undo *u, const gs_environment_spec *environment, int phase, gs_error *err)
{
    size_t *order = NULL;
    size_t count = 0;
    int code = gs_plan_phase(environment, phase, u->planning->plan->arena, &order, &count, err);
    for (size_t i = count; code == 0 && i-- > 0;) {
        code = undo_migration(u, environment, order[i], err);
    }
    return code;
}

int gs_plan_undo(gs_planning *planning, size_t environment, gs_error *err)
{
    const gs_plan_request *request = planning->request;
    const gs_plan_past *past = &request->past[environment];
    if (gs_digest_equal(&past->bundle, request->bundle)) {
        return 0;
    }
    if (!past->contents) {
        (void)gs_fail(err, GS_EROLLBACK_REFUSED,
                      "the bundle of %s, which runs there now, is not kept: what it did to the database is unknown",
                      past->version ? past->version : "a newer release");
        (void)gs_error_at(err, "%s", past->environment);
        return gs_error_hint(err, "import that bundle again, then roll back");
    }
    const undo u = {.planning = planning,
                    .environment = environment,
                    .name = past->environment,
                    .past = past,
                    .old = request->contents->release,
                    .newer = past->contents->release};
    /* Schemas without a migration of ours (a chart's own hook brings them forward) are judged too. */
    for (size_t i = 0; i < u.newer->schemas.count; i++) {
        bool back;
        int code = judge_schema(&u, &u.newer->schemas.items[i], &back, err);
        if (code != 0) {
            return code;
        }
    }
    const gs_environment_spec *newer = gs_release_environment(u.newer, u.name);
    if (!newer) {
        return 0;
    }
    int code = undo_phase(&u, newer, GS_PHASE_POST, err);
    return code == 0 ? undo_phase(&u, newer, GS_PHASE_PRE, err) : code;
}

const char *gs_plan_undo_reason(const gs_planning *planning, const gs_migration_spec *migration)
{
    const gs_release *release = planning->request->contents->release;
    gs_arena *arena = planning->plan->arena;
    if (migration->schema) {
        return gs_arena_printf(arena, "a rollback runs no older migration; %s %s runs on schema '%s' as it is left", release->name,
                               release->version, migration->schema);
    }
    return gs_arena_printf(arena, "a rollback runs no older migration; it ran when %s %s was installed", release->name,
                           release->version);
}
