/* install and rollback: which bundle, what ran before, the plan; then its execution. Both take the same way; only the choice of the
 * bundle and the planner know the direction. */
#include <string.h>

#include "accept.h"
#include "gapship/text.h"

void gs_prepared_done(gs_prepared *prepared)
{
    gs_plan_free(prepared->plan);
    gs_past_done(&prepared->past);
    gs_subject_done(&prepared->subject);
    *prepared = (gs_prepared){0};
}

/* The plan of a bundle that is open. */
static int make_plan(gs_installation *site, const gs_install_options *options, bool rollback, gs_prepared *prepared, gs_error *err)
{
    int code = gs_past_read(site, &prepared->subject, rollback, &prepared->past, err);
    if (code != 0) {
        return code;
    }
    const gs_plan_request request = {.contents = prepared->subject.contents,
                                     .bundle = gs_verified_digest(prepared->subject.verified),
                                     .site = site->site,
                                     .past = prepared->past.items,
                                     .to = rollback ? NULL : options->to,
                                     .only = rollback ? options->environment : NULL,
                                     .rollback = rollback};
    return gs_plan_make(&request, &prepared->plan, err);
}

/* Whether some environment runs the bundle, or was last on its way to it: then the command is one that is said again. */
static int is_under_way(gs_installation *site, const gs_verified *bundle, gs_arena *arena, bool *under_way, gs_error *err)
{
    const gs_ledger_filter filter = {.kind = GS_ENTRY_ENVIRONMENT, .product = gs_verified_statement(bundle)->product};
    gs_entry *rows = NULL;
    size_t count = 0;
    int code = gs_ledger_read(site->ledger, &filter, arena, &rows, &count, err);
    *under_way = false;
    for (size_t i = 0; code == 0 && i < count && !*under_way; i++) {
        bool newest = true;
        for (size_t k = i + 1; k < count && newest; k++) {
            newest = !gs_text_equal(rows[k].environment, rows[i].environment);
        }
        *under_way = newest && gs_digest_equal(&rows[i].bundle, gs_verified_digest(bundle));
    }
    return code;
}

/* A file that somebody brings again is no wish to go back, whatever its name says; who means the kept one says so. */
static int fail_replay(const gs_statement *statement, const gs_entry *highest, gs_error *err)
{
    (void)gs_fail(err, GS_EDOWNGRADE, "%s %s is older than %s, which this site accepted", statement->product, statement->version,
                  highest->version);
    return gs_error_hint(
        err,
        "where something newer runs, go back with `gapship rollback --to %s`; elsewhere `gapship install %s@%s` takes the "
        "kept one",
        statement->version, statement->product, statement->version);
}

/* May a bundle that is there be installed? With the warnings of its age. */
static int check_entry(gs_installation *site, const gs_install_options *options, const gs_verified *bundle, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_order order = {0};
    bool under_way = false;
    int code = arena ? gs_accept_check(site, bundle, arena, &order, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = is_under_way(site, bundle, arena, &under_way, err);
    }
    if (code == 0 && order.kind == GS_ORDER_EARLIER && gs_names_file(options->bundle) && !under_way) {
        code = fail_replay(gs_verified_statement(bundle), order.highest, err);
    }
    return code == 0 ? gs_age_check(site, bundle, !under_way, err) : code;
}

int gs_prepare_install(gs_installation *site, const gs_install_options *options, bool keep, gs_prepared *out, gs_error *err)
{
    GS_AUTO_PREPARED gs_prepared prepared = {0};
    int code = gs_installation_bundle(site, options->bundle, keep, &prepared.subject.verified, err);
    if (code == 0) {
        code = check_entry(site, options, prepared.subject.verified, err);
    }
    if (code == 0) {
        code = gs_contents_load(prepared.subject.verified, &prepared.subject.contents, err);
    }
    if (code == 0) {
        code = make_plan(site, options, false, &prepared, err);
    }
    if (code == 0) {
        *out = prepared;
        prepared = (gs_prepared){0};
    }
    return code;
}

/* ---- which bundle a rollback goes to ---- */

typedef struct choice {
    gs_entry *rows; /* of environments, oldest first */
    size_t count;
    const char *product;
    const char *version; /* wanted, or NULL */
} choice;

/* "NAME@VERSION" or "VERSION"; without a name there must be one product only. */
static int choose_product(choice *c, const char *to, gs_arena *arena, gs_error *err)
{
    const char *at = to ? strchr(to, '@') : NULL;
    c->version = at ? at + 1 : to;
    if (at) {
        c->product = gs_arena_copy(arena, to, (size_t)(at - to));
        return c->product ? 0 : gs_fail_nomem(err);
    }
    c->product = c->rows[0].product;
    for (size_t i = 1; i < c->count; i++) {
        if (!gs_text_equal(c->rows[i].product, c->product)) {
            (void)gs_fail(err, GS_EUSAGE, "this site runs %s and %s; which one is to go back?", c->product, c->rows[i].product);
            return gs_error_hint(err, "name it: --to %s@VERSION", c->product);
        }
    }
    return 0;
}

/* The newest row of an environment of the product says what it runs, or was on its way to. */
static bool is_current(const choice *c, size_t row)
{
    for (size_t i = row + 1; i < c->count; i++) {
        if (gs_text_equal(c->rows[i].product, c->product) && gs_text_equal(c->rows[i].environment, c->rows[row].environment)) {
            return false;
        }
    }
    return gs_text_equal(c->rows[row].product, c->product);
}

static bool is_higher(const gs_entry *a, const gs_entry *b)
{
    return !b || gs_order_compare(a->epoch, a->sequence, b->epoch, b->sequence) > 0;
}

/* The highest bundle that ran somewhere and is lower than the highest that runs now. A rollback that did not come to its end goes on to
 * where it went: the same command again must not go back further. */
static int choose_before(const choice *c, gs_digest *out, gs_error *err)
{
    const gs_entry *top = NULL;
    const gs_entry *before = NULL;
    for (size_t i = 0; i < c->count; i++) {
        const gs_entry *row = &c->rows[i];
        if (!is_current(c, i)) {
            continue;
        }
        if (row->state != GS_STATE_DONE && gs_text_equal(row->verb, "rollback")) {
            *out = row->bundle;
            return 0;
        }
        top = is_higher(row, top) ? row : top;
    }
    for (size_t i = 0; top && i < c->count; i++) {
        const gs_entry *row = &c->rows[i];
        bool ran = row->state == GS_STATE_DONE && gs_text_equal(row->product, c->product);
        before = ran && is_higher(top, row) && is_higher(row, before) ? row : before;
    }
    if (!before) {
        (void)gs_fail(err, GS_ENOTFOUND, "no bundle of %s ran here before %s", c->product, top ? top->version : "this one");
        return gs_error_hint(err, "`gapship history` shows what ran");
    }
    *out = before->bundle;
    return 0;
}

static int choose_version(gs_installation *site, const choice *c, gs_arena *arena, gs_digest *out, gs_error *err)
{
    gs_entry *rows = NULL;
    size_t count = 0;
    int code = gs_accept_read(site, c->product, arena, &rows, &count, err);
    for (size_t i = count; code == 0 && i-- > 0;) {
        if (gs_text_equal(rows[i].version, c->version)) {
            *out = rows[i].bundle;
            return 0;
        }
    }
    if (code == 0) {
        code = gs_fail(err, GS_ENOTFOUND, "this site never accepted %s %s", c->product, c->version);
        (void)gs_error_hint(err, "a rollback goes to what ran here before: `gapship history` shows it");
    }
    return code;
}

static int choose(gs_installation *site, const gs_install_options *options, gs_digest *out, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (!arena) {
        return gs_fail_nomem(err);
    }
    choice c = {0};
    const gs_ledger_filter filter = {.kind = GS_ENTRY_ENVIRONMENT, .environment = options->environment};
    int code = gs_ledger_read(site->ledger, &filter, arena, &c.rows, &c.count, err);
    if (code == 0 && c.count == 0) {
        code = gs_fail(err, GS_ENOTFOUND, "nothing was installed %s%s yet", options->environment ? "in " : "here",
                       options->environment ? options->environment : "");
    }
    if (code == 0) {
        code = choose_product(&c, options->to_version, arena, err);
    }
    if (code == 0) {
        code = c.version ? choose_version(site, &c, arena, out, err) : choose_before(&c, out, err);
    }
    return code;
}

static int check_any(const gs_prepared *prepared, gs_error *err)
{
    if (prepared->plan->count > 0) {
        return 0;
    }
    const gs_statement *statement = gs_verified_statement(prepared->subject.verified);
    (void)gs_fail(err, GS_EUSAGE, "no environment runs anything newer than %s %s", statement->product, statement->version);
    return gs_error_hint(err, "to go forward: `gapship install %s@%s`", statement->product, statement->version);
}

/* ---- what a rollback goes to, opened ---- */

/* The row by which a bundle came in, and the highest of its product. Only what this site's ledger knows is a target, whatever files are
 * in the store. */
static int find_accepted(gs_installation *site, const gs_digest *digest, gs_arena *arena, gs_entry *out, gs_entry *highest,
                         gs_error *err)
{
    const gs_ledger_filter filter = {.kind = GS_ENTRY_ACCEPTED, .bundle = digest};
    bool found = false;
    gs_entry *rows = NULL;
    size_t count = 0;
    int code = gs_ledger_newest(site->ledger, &filter, arena, out, &found, err);
    if (code == 0 && !found) {
        return gs_fail(err, GS_EDOWNGRADE, "this site never accepted the bundle that the ledger says ran here");
    }
    if (code == 0) {
        code = gs_accept_read(site, out->product, arena, &rows, &count, err);
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        *highest = i == 0 || is_higher(&rows[i], highest) ? rows[i] : *highest;
    }
    return code;
}

/* The permit speaks for a bundle whose signers were revoked. */
static int check_vouched(gs_installation *site, const gs_entry *row, const gs_entry *highest, gs_error *err)
{
    const gs_statement statement = {.product = row->product,
                                    .version = row->version,
                                    .epoch = (uint64_t)row->epoch,
                                    .sequence = (uint64_t)row->sequence,
                                    .security_floor = (uint64_t)row->security_floor};
    const gs_candidate candidate = gs_accept_candidate(site, &statement, &row->bundle);
    char problem[GS_ERROR_HINT_MAX];
    if (!gs_permit_covers(site->permit, &candidate, highest, problem, sizeof problem)) {
        return gs_fail(err, GS_EDOWNGRADE, "the permit does not speak for %s %s: %s", row->product, row->version, problem);
    }
    return gs_age_check_permit(site, site->permit, err);
}

/* Opens it, by today's trust, or else by the permit. *vouched: the permit was needed. */
static int open_target(gs_installation *site, const gs_install_options *options, const gs_digest *digest, gs_subject *out,
                       bool *vouched, gs_error *err)
{
    gs_error local = {0};
    err = err ? err : &local;
    *vouched = false;
    int code = gs_subject_kept(site, digest, false, out, err);
    if (code != GS_ESIGNATURE) {
        return code;
    }
    if (!options->accept_revoked) {
        return gs_fail_revoked(err);
    }
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_entry row = {0};
    gs_entry highest = {0};
    *err = (gs_error){0};
    code = arena ? find_accepted(site, digest, arena, &row, &highest, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = check_vouched(site, &row, &highest, err);
    }
    if (code == 0) {
        code = gs_subject_kept(site, digest, true, out, err);
        *vouched = code == 0;
    }
    return code;
}

/* May the site go back to it? permitted: only by the permit. */
static int check_target(gs_installation *site, const gs_verified *target, bool *permitted, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_order order = {0};
    int code = arena ? gs_accept_check(site, target, arena, &order, err) : gs_fail_nomem(err);
    if (code == 0 && !order.known) {
        code = gs_fail(err, GS_EDOWNGRADE, "this site never accepted the bundle that the ledger says ran here");
    }
    if (code == 0 && order.kind == GS_ORDER_PERMITTED) {
        code = gs_age_check_permit(site, site->permit, err);
        *permitted = true;
    }
    return code == 0 ? gs_age_check(site, target, false, err) : code;
}

int gs_prepare_rollback(gs_installation *site, const gs_install_options *options, gs_prepared *out, gs_error *err)
{
    GS_AUTO_PREPARED gs_prepared prepared = {0};
    gs_digest digest;
    if (options->accept_revoked && !site->permit) {
        (void)gs_fail(err, GS_EUSAGE, "--accept-revoked-signer needs --permit FILE");
        return gs_error_hint(err, "today's keys make one: `gapship permit BUNDLE --site %s …`", site->site->name);
    }
    int code = choose(site, options, &digest, err);
    if (code == 0) {
        code = open_target(site, options, &digest, &prepared.subject, &prepared.permitted, err);
    }
    if (code == 0) {
        code = check_target(site, prepared.subject.verified, &prepared.permitted, err);
    }
    if (code == 0) {
        code = make_plan(site, options, true, &prepared, err);
    }
    if (code == 0) {
        code = check_any(&prepared, err);
    }
    if (code == 0) {
        *out = prepared;
        prepared = (gs_prepared){0};
    }
    return code;
}

/* ---- the use cases ---- */

static int execute(gs_installation *site, const gs_prepared *prepared, gs_arena *arena, gs_node **result, gs_error *err)
{
    GS_AUTO_EXECUTION gs_execution execution = {.work = GS_TEMPDIR_INIT};
    int code = gs_execution_prepare(site, &prepared->subject, prepared->plan, &prepared->past, &execution, err);
    return code == 0 ? gs_execution_run(&execution, arena, result, err) : code;
}

int gs_install(gs_installation *installation, const gs_install_options *options, gs_arena *arena, gs_node **result, gs_error *err)
{
    GS_AUTO_PREPARED gs_prepared prepared = {0};
    int code = gs_prepare_install(installation, options, true, &prepared, err);
    return code == 0 ? execute(installation, &prepared, arena, result, err) : code;
}

int gs_rollback(gs_installation *installation, const gs_install_options *options, gs_arena *arena, gs_node **result, gs_error *err)
{
    GS_AUTO_PREPARED gs_prepared prepared = {0};
    int code = gs_prepare_rollback(installation, options, &prepared, err);
    if (code == 0 && prepared.permitted) {
        code = gs_site_accepted(installation, prepared.subject.verified, "rollback", true, err);
    }
    return code == 0 ? execute(installation, &prepared, arena, result, err) : code;
}
