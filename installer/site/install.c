/* install and rollback: which bundle, what ran before, the plan; then its execution. Both take the same way; only the choice of the
 * bundle and the planner know the direction. */
#include <string.h>

#include "gapship/text.h"
#include "site.h"

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

int gs_prepare_install(gs_installation *site, const gs_install_options *options, bool keep, gs_prepared *out, gs_error *err)
{
    GS_AUTO_PREPARED gs_prepared prepared = {0};
    bool known = false;
    int code = gs_installation_bundle(site, options->bundle, keep, &prepared.subject.verified, err);
    if (code == 0) {
        code = gs_accept_check(site, prepared.subject.verified, &known, err);
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
    const gs_ledger_filter filter = {.kind = GS_ENTRY_ACCEPTED, .product = c->product};
    gs_entry *rows = NULL;
    size_t count = 0;
    int code = gs_ledger_read(site->ledger, &filter, arena, &rows, &count, err);
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

int gs_prepare_rollback(gs_installation *site, const gs_install_options *options, gs_prepared *out, gs_error *err)
{
    GS_AUTO_PREPARED gs_prepared prepared = {0};
    gs_digest digest;
    bool known = false;
    int code = choose(site, options, &digest, err);
    if (code == 0) {
        code = gs_subject_kept(site, &digest, false, &prepared.subject, err);
    }
    if (code == 0) {
        code = gs_accept_check(site, prepared.subject.verified, &known, err);
    }
    if (code == 0 && !known) {
        code = gs_fail(err, GS_EDOWNGRADE, "this site never accepted the bundle that the ledger says ran here");
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
    return code == 0 ? execute(installation, &prepared, arena, result, err) : code;
}
