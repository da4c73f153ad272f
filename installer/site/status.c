/* status: for each environment what it should run, by the ledger, and what it does run, by asking. What cannot be asked now is said
 * in its place; the rest is still shown. */
#include <string.h>

#include "gapship/text.h"
#include "site.h"

typedef struct looking {
    gs_installation *site;
    gs_arena *arena;
    gs_entry *rows; /* of environments, oldest first */
    size_t count;
} looking;

static gs_node *text_list(gs_arena *arena, const gs_text_list *texts)
{
    gs_node *list = gs_node_new_list(arena);
    for (size_t i = 0; i < texts->count; i++) {
        list = gs_node_append(arena, list, gs_node_new_text(arena, texts->items[i]));
    }
    return list;
}

/* ---- live ---- */

static int ask_unit(const looking *l, const gs_execution *execution, size_t environment, const gs_unit_spec *unit, gs_node *node,
                    gs_error *err)
{
    const gs_target_job job = gs_execution_target(execution, environment, unit);
    const gs_target_ops *target = gs_target_for(unit->target.kind);
    gs_text_list images = {0};
    gs_changes changes = {0};
    int code = target->observe(&job, l->arena, &images, err);
    if (code == 0) {
        code = target->diff(&job, l->arena, &changes, err);
    }
    if (code != 0) {
        return code;
    }
    size_t drift = 0;
    for (size_t i = 0; i < changes.count; i++) {
        drift += changes.items[i].protected_ ? 0 : 1;
    }
    node = gs_node_set(l->arena, node, "images", text_list(l->arena, &images));
    return gs_node_set_integer(l->arena, node, "drift", (int64_t)drift) ? 0 : gs_fail_nomem(err);
}

static int add_unit(const looking *l, const gs_execution *execution, size_t environment, const gs_unit_spec *unit, gs_node *units,
                    gs_error *err)
{
    gs_error failure = {0};
    gs_node *node = gs_node_set_text(l->arena, gs_node_new_map(l->arena), "name", unit->name);
    if (!node) {
        return gs_fail_nomem(err);
    }
    int code = ask_unit(l, execution, environment, unit, node, &failure);
    if (code == GS_ENOMEM || code == GS_EINTERRUPTED) {
        if (err) {
            *err = failure;
        }
        return code;
    }
    if (code != 0) {
        node = gs_node_set_text(l->arena, node, "error", failure.message);
    }
    return gs_node_append(l->arena, units, node) ? 0 : gs_fail_nomem(err);
}

/* A plan of nothing but this environment: what asking a target needs besides. */
static int ask_environment(const looking *l, const gs_entry *row, gs_node *units, gs_error *err)
{
    GS_AUTO_SUBJECT gs_subject subject = {0};
    GS_AUTO_EXECUTION gs_execution execution = {.work = GS_TEMPDIR_INIT};
    int code = gs_subject_kept(l->site, &row->bundle, true, &subject, err);
    const gs_environment_spec *spec = code == 0 ? gs_release_environment(subject.contents->release, row->environment) : NULL;
    if (code != 0 || !spec || !gs_site_environment_find(l->site->site, row->environment)) {
        return code;
    }
    size_t environment = (size_t)(spec - subject.contents->release->environments.items);
    gs_step record = {.kind = GS_STEP_RECORD, .id = row->environment, .environment = environment};
    gs_plan plan = {.verb = "status", .steps = &record, .count = 1};
    code = gs_execution_prepare(l->site, &subject, &plan, NULL, &execution, err);
    for (size_t i = 0; code == 0 && i < spec->units.count; i++) {
        code = add_unit(l, &execution, environment, &spec->units.items[i], units, err);
    }
    return code;
}

static int add_live(const looking *l, const gs_entry *row, gs_node *node, gs_error *err)
{
    gs_error failure = {0};
    gs_node *units = gs_node_new_list(l->arena);
    if (!gs_node_set(l->arena, node, "units", units)) {
        return gs_fail_nomem(err);
    }
    int code = ask_environment(l, row, units, &failure);
    if (code == GS_ENOMEM || code == GS_EINTERRUPTED) {
        if (err) {
            *err = failure;
        }
        return code;
    }
    return code == 0 || gs_node_set_text(l->arena, node, "error", failure.message) ? 0 : gs_fail_nomem(err);
}

/* ---- wanted ---- */

static const char *state_name(gs_entry_state state)
{
    return state == GS_STATE_DONE ? "running" : state == GS_STATE_FAILED ? "failed" : "interrupted";
}

static gs_node *describe_bundle(gs_arena *arena, gs_node *node, const gs_entry *row)
{
    node = gs_node_set_text(arena, node, "version", row->version);
    node = gs_node_set_text(arena, node, "bundle", row->has_bundle ? gs_digest_in(arena, &row->bundle) : NULL);
    return gs_node_set_text(arena, node, "since", gs_time_text(arena, row->time));
}

static bool same_place(const gs_entry *a, const gs_entry *b)
{
    return gs_text_equal(a->environment, b->environment) && gs_text_equal(a->product, b->product);
}

static bool is_first(const looking *l, size_t row)
{
    for (size_t i = 0; i < row; i++) {
        if (same_place(&l->rows[i], &l->rows[row])) {
            return false;
        }
    }
    return true;
}

static size_t newest_of(const looking *l, size_t row)
{
    for (size_t i = l->count; i-- > row;) {
        if (same_place(&l->rows[i], &l->rows[row])) {
            return i;
        }
    }
    return row;
}

/* The newest row at or before this one that says it was verified there. */
static const gs_entry *last_good(const looking *l, size_t row)
{
    for (size_t i = row + 1; i-- > 0;) {
        if (same_place(&l->rows[i], &l->rows[row]) && l->rows[i].state == GS_STATE_DONE) {
            return &l->rows[i];
        }
    }
    return NULL;
}

static int add_environment(const looking *l, size_t row, gs_node *environments, gs_error *err)
{
    const gs_entry *newest = &l->rows[row];
    const gs_entry *good = last_good(l, row);
    gs_node *node = gs_node_new_map(l->arena);
    node = gs_node_set_text(l->arena, node, "name", newest->environment);
    node = gs_node_set_text(l->arena, node, "product", newest->product);
    node = describe_bundle(l->arena, node, newest);
    node = gs_node_set_text(l->arena, node, "state", state_name(newest->state));
    if (newest->state == GS_STATE_FAILED) {
        gs_node *failed = gs_node_set_text(l->arena, gs_node_new_map(l->arena), "step", newest->step);
        node = gs_node_set(l->arena, node, "failed", gs_node_set_text(l->arena, failed, "message", newest->detail));
    }
    if (good) {
        node = gs_node_set(l->arena, node, "lastGood", describe_bundle(l->arena, gs_node_new_map(l->arena), good));
    }
    if (!gs_node_append(l->arena, environments, node)) {
        return gs_fail_nomem(err);
    }
    return add_live(l, newest, node, err);
}

/* Environments of site.yaml that nothing was installed in yet. */
static gs_node *add_empty(const looking *l, gs_node *environments)
{
    for (size_t i = 0; i < l->site->site->environments.count; i++) {
        const char *name = l->site->site->environments.items[i].name;
        bool used = false;
        for (size_t k = 0; k < l->count && !used; k++) {
            used = gs_text_equal(l->rows[k].environment, name);
        }
        if (!used) {
            gs_node *node = gs_node_set_text(l->arena, gs_node_new_map(l->arena), "name", name);
            environments = gs_node_append(l->arena, environments, gs_node_set_text(l->arena, node, "state", "empty"));
        }
    }
    return environments;
}

/* ---- what came ---- */

/* A bundle's row with its place in the order. */
static gs_node *add_row(gs_arena *arena, gs_node *list, const gs_entry *row)
{
    gs_node *node = gs_node_set_text(arena, gs_node_new_map(arena), "product", row->product);
    node = describe_bundle(arena, node, row);
    node = gs_node_set_integer(arena, node, "epoch", row->epoch);
    return gs_node_append(arena, list, gs_node_set_integer(arena, node, "sequence", row->sequence));
}

static gs_node *list_kept(const looking *l, const gs_entry *accepted, size_t count)
{
    gs_node *list = gs_node_new_list(l->arena);
    for (size_t i = 0; i < count; i++) {
        bool told = false; /* it came in again since, signed by others or by a permit */
        for (size_t k = i + 1; k < count && !told; k++) {
            told = gs_digest_equal(&accepted[k].bundle, &accepted[i].bundle);
        }
        if (!told && gs_store_has(l->site->store, &accepted[i].bundle)) {
            list = add_row(l->arena, list, &accepted[i]);
        }
    }
    return list;
}

/* The newest of each product in the order of bundles, kept or not. */
static gs_node *list_highest(const looking *l, const gs_entry *accepted, size_t count)
{
    gs_node *list = gs_node_new_list(l->arena);
    for (size_t i = 0; i < count; i++) {
        const gs_entry *row = &accepted[i];
        bool highest = true;
        for (size_t k = 0; k < count && highest; k++) {
            int order = gs_order_compare(accepted[k].epoch, accepted[k].sequence, row->epoch, row->sequence);
            highest = !gs_text_equal(accepted[k].product, row->product) || order < 0 || (order == 0 && k <= i);
        }
        list = highest ? add_row(l->arena, list, row) : list;
    }
    return list;
}

static int describe_root(const looking *l, gs_node **out, gs_error *err)
{
    const gs_trust *root = l->site->trust;
    gs_digest fingerprint;
    int code = gs_trust_fingerprint(root, &fingerprint, err);
    if (code != 0) {
        return code;
    }
    gs_node *node = gs_node_set_integer(l->arena, gs_node_new_map(l->arena), "version", (int64_t)gs_trust_version(root));
    node = gs_node_set_integer(l->arena, node, "epoch", (int64_t)gs_trust_epoch(root));
    node = gs_node_set_text(l->arena, node, "expires",
                            gs_trust_expires(root) > 0 ? gs_time_text(l->arena, gs_trust_expires(root)) : NULL);
    *out = gs_node_set_text(l->arena, node, "fingerprint", gs_digest_in(l->arena, &fingerprint));
    return *out ? 0 : gs_fail_nomem(err);
}

int gs_status(gs_installation *installation, gs_arena *arena, gs_node **result, gs_error *err)
{
    looking l = {.site = installation, .arena = arena};
    const gs_ledger_filter of_environments = {.kind = GS_ENTRY_ENVIRONMENT};
    const gs_ledger_filter of_bundles = {.kind = GS_ENTRY_ACCEPTED};
    gs_node *environments = gs_node_new_list(arena);
    gs_node *root = NULL;
    gs_entry *accepted = NULL;
    size_t count = 0;
    int code = environments ? 0 : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_ledger_read(installation->ledger, &of_environments, arena, &l.rows, &l.count, err);
    }
    if (code == 0) {
        code = gs_ledger_read(installation->ledger, &of_bundles, arena, &accepted, &count, err);
    }
    if (code == 0 && installation->trust) {
        code = describe_root(&l, &root, err);
    }
    for (size_t i = 0; code == 0 && i < l.count; i++) {
        /* In the order in which they were first installed: the release's. */
        code = is_first(&l, i) ? add_environment(&l, newest_of(&l, i), environments, err) : 0;
    }
    if (code != 0) {
        return code;
    }
    gs_node *node = gs_node_set_text(arena, gs_node_new_map(arena), "site", installation->site->name);
    node = gs_node_set_text(arena, node, "registry", gs_site_registry_host(installation->site));
    node = gs_node_set(arena, node, "environments", add_empty(&l, environments));
    node = gs_node_set(arena, node, "accepted", list_highest(&l, accepted, count));
    node = gs_node_set(arena, node, "bundles", list_kept(&l, accepted, count));
    node = root ? gs_node_set(arena, node, "root", root) : node;
    if (!node) {
        return gs_fail_nomem(err);
    }
    *result = node;
    return 0;
}
