/* The order of bundles: what may come in, and what may come back. An old bundle that somebody brings again must not get past this,
 * whatever its signatures say. Judges what it is given; who may read a ledger or a permit is elsewhere, and what an environment runs
 * is asked by the planner. */
#include "accept.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gapship/num.h"
#include "gapship/text.h"

/* A larger step within an epoch looks like a sequence that was mistyped, or signed to lock later bundles out. */
#define LARGEST_STEP INT64_C(1000000)

#define PROBLEM_TEXT 256

static int compare_statement(const gs_statement *statement, int64_t epoch, int64_t sequence)
{
    return gs_order_compare((int64_t)statement->epoch, (int64_t)statement->sequence, epoch, sequence);
}

/* ---- what the ledger says ---- */

typedef struct past {
    const gs_entry *highest; /* of all that was accepted */
    const gs_entry *same;    /* the newest row of this very bundle */
    const gs_entry *twin;    /* another bundle at this one's place */
    const gs_entry *floor;   /* the row that sets the highest floor */
} past;

static bool is_higher_floor(const gs_entry *row, const gs_entry *than)
{
    return row->security_floor > 0 &&
           (!than || gs_order_compare(row->epoch, row->security_floor, than->epoch, than->security_floor) > 0);
}

/* A permit by the root role takes a bundle out from under the floors that stood when it came in; those that came later hold. */
static past look_back(const gs_entry *accepted, size_t count, const gs_candidate *candidate)
{
    past found = {0};
    for (size_t i = 0; i < count; i++) {
        const gs_entry *row = &accepted[i];
        bool same = gs_digest_equal(&row->bundle, candidate->digest);
        if (same && gs_text_equal(row->step, GS_STEP_ROOT_PERMIT)) {
            found.floor = NULL;
        } else if (is_higher_floor(row, found.floor)) {
            found.floor = row;
        }
        found.same = same ? row : found.same;
        if (!same && compare_statement(candidate->statement, row->epoch, row->sequence) == 0) {
            found.twin = row;
        }
        if (!found.highest || gs_order_compare(row->epoch, row->sequence, found.highest->epoch, found.highest->sequence) > 0) {
            found.highest = row;
        }
    }
    return found;
}

/* ---- permits ---- */

bool gs_permit_covers(const gs_permit *permit, const gs_candidate *candidate, const gs_entry *highest, char *problem, size_t size)
{
    const gs_statement *statement = candidate->statement;
    char digest[GS_DIGEST_TEXT];
    gs_digest_text(&permit->bundle, digest);
    problem[0] = '\0';
    if (!gs_text_equal(permit->product, statement->product)) {
        (void)snprintf(problem, size, "it is for the product %s", permit->product);
    } else if (!gs_digest_equal(&permit->bundle, candidate->digest)) {
        (void)snprintf(problem, size, "it is for the bundle %s", digest);
    } else if (permit->site && !gs_text_equal(permit->site, candidate->site)) {
        (void)snprintf(problem, size, "it is for the site %s, and this is %s", permit->site, candidate->site);
    } else if (permit->epoch != statement->epoch || permit->sequence != statement->sequence) {
        (void)snprintf(problem, size, "it says epoch %" PRIu64 ", sequence %" PRIu64, permit->epoch, permit->sequence);
    } else if (highest && gs_order_compare((int64_t)permit->below_epoch, (int64_t)permit->below_sequence, highest->epoch,
                                           highest->sequence) < 0) {
        (void)snprintf(problem, size, "it counts up to epoch %" PRIu64 ", sequence %" PRIu64 ", and this site has gone on since",
                       permit->below_epoch, permit->below_sequence);
    }
    return problem[0] == '\0';
}

/* Whether the candidate's permit lets it in. If not, `problem` says why, to stand behind the refusal; empty when there is none. */
static bool is_permitted(const gs_candidate *candidate, const gs_entry *highest, bool by_root, char problem[PROBLEM_TEXT])
{
    char why[PROBLEM_TEXT / 2];
    problem[0] = '\0';
    if (!candidate->permit) {
        return false;
    }
    if (gs_permit_covers(candidate->permit, candidate, highest, why, sizeof why)) {
        if (!by_root || candidate->permit->role == GS_ROLE_ROOT) {
            return true;
        }
        (void)snprintf(why, sizeof why, "it is signed by the release role, and this needs the root role");
    }
    (void)snprintf(problem, PROBLEM_TEXT, "; the permit does not help: %s", why);
    return false;
}

/* ---- refusals ---- */

static int fail_below_floor(const gs_statement *statement, const gs_entry *floor, const char *problem, gs_error *err)
{
    (void)gs_fail(err, GS_EDOWNGRADE, "%s %s (sequence %" PRIu64 ") is below the security floor %" PRId64 " that version %s set%s",
                  statement->product, statement->version, statement->sequence, floor->security_floor, floor->version, problem);
    (void)gs_error_hint(err,
                        "versions below it have a known hole; install a newer one. Only a permit by the root keys would take it "
                        "(`gapship permit`)");
    return GS_EDOWNGRADE;
}

static int fail_older(const gs_statement *statement, const gs_entry *highest, const char *problem, gs_error *err)
{
    (void)gs_fail(err, GS_EDOWNGRADE,
                  "%s %s (epoch %" PRIu64 ", sequence %" PRIu64 ") is older than %s (epoch %" PRId64 ", sequence %" PRId64
                  "), which this site accepted%s",
                  statement->product, statement->version, statement->epoch, statement->sequence, highest->version, highest->epoch,
                  highest->sequence, problem);
    (void)gs_error_hint(err,
                        "a bundle that this site accepted before comes back with `gapship rollback --to VERSION`; another needs a "
                        "higher sequence, or a permit by the release keys (`gapship permit`)");
    return GS_EDOWNGRADE;
}

static int fail_twice(const gs_candidate *candidate, const gs_entry *other, gs_error *err)
{
    const gs_statement *statement = candidate->statement;
    char here[GS_DIGEST_TEXT];
    char there[GS_DIGEST_TEXT];
    char when[GS_TIME_TEXT];
    gs_digest_text(candidate->digest, here);
    gs_digest_text(&other->bundle, there);
    gs_format_time(other->time, when);
    (void)gs_fail(err, GS_EDOWNGRADE,
                  "two different bundles claim to be %s epoch %" PRIu64 ", sequence %" PRIu64
                  ": this one is %s, and %s (version %s) was "
                  "accepted at %s",
                  statement->product, statement->epoch, statement->sequence, here, there, other->version, when);
    (void)gs_error_hint(
        err, "ask the release engineer which one is right: a sequence is given once, and two may mean that a signing key "
             "is misused. No permit lets the second one in");
    return GS_EDOWNGRADE;
}

static int fail_epoch(const gs_candidate *candidate, gs_error *err)
{
    const gs_statement *statement = candidate->statement;
    (void)gs_fail(err, GS_EDOWNGRADE, "%s %s is of epoch %" PRIu64 ", and the trust root of epoch %" PRIu64, statement->product,
                  statement->version, statement->epoch, candidate->root_epoch);
    (void)gs_error_hint(err,
                        "the root keys alone raise the epoch: bring a bundle that carries the newer root first, or have this one "
                        "built with an epoch of at most the root's");
    return GS_EDOWNGRADE;
}

/* ---- the judgement ---- */

static bool is_jump(const gs_statement *statement, const gs_entry *highest)
{
    return highest && (int64_t)statement->epoch == highest->epoch &&
           (int64_t)statement->sequence - highest->sequence > LARGEST_STEP;
}

int gs_accept_judge(const gs_entry *accepted, size_t count, const gs_candidate *candidate, gs_order *out, gs_error *err)
{
    const gs_statement *statement = candidate->statement;
    const past seen = look_back(accepted, count, candidate);
    gs_order order = {.known = seen.same != NULL, .highest = seen.highest};
    char problem[PROBLEM_TEXT];
    if (seen.twin) {
        return fail_twice(candidate, seen.twin, err);
    }
    if (candidate->root_epoch > 0 && statement->epoch > candidate->root_epoch) {
        return fail_epoch(candidate, err);
    }
    int above = seen.highest ? compare_statement(statement, seen.highest->epoch, seen.highest->sequence) : 1;
    if (seen.floor && compare_statement(statement, seen.floor->epoch, seen.floor->security_floor) < 0) {
        if (!is_permitted(candidate, seen.highest, true, problem)) {
            return fail_below_floor(statement, seen.floor, problem, err);
        }
        order.kind = GS_ORDER_PERMITTED;
    } else if (order.known) {
        order.kind = above == 0 ? GS_ORDER_SAME : GS_ORDER_EARLIER;
    } else if (above < 0) {
        if (!is_permitted(candidate, seen.highest, false, problem)) {
            return fail_older(statement, seen.highest, problem, err);
        }
        order.kind = GS_ORDER_PERMITTED;
    } else {
        order.kind = GS_ORDER_NEWER;
        order.jump = is_jump(statement, seen.highest);
    }
    *out = order;
    return 0;
}

/* ---- from the ledger ---- */

gs_candidate gs_accept_candidate(const gs_installation *site, const gs_statement *statement, const gs_digest *digest)
{
    return (gs_candidate){.statement = statement,
                          .digest = digest,
                          .site = site->site->name,
                          .root_epoch = site->trust ? gs_trust_epoch(site->trust) : 0,
                          .permit = site->permit};
}

int gs_accept_read(const gs_installation *site, const char *product, gs_arena *arena, gs_entry **out, size_t *count, gs_error *err)
{
    const gs_ledger_filter filter = {.kind = GS_ENTRY_ACCEPTED, .product = product};
    return gs_ledger_read(site->ledger, &filter, arena, out, count, err);
}

int gs_accept_check(const gs_installation *site, const gs_verified *bundle, gs_arena *arena, gs_order *out, gs_error *err)
{
    const gs_candidate candidate = gs_accept_candidate(site, gs_verified_statement(bundle), gs_verified_digest(bundle));
    gs_entry *accepted = NULL;
    size_t count = 0;
    int code = gs_accept_read(site, candidate.statement->product, arena, &accepted, &count, err);
    return code == 0 ? gs_accept_judge(accepted, count, &candidate, out, err) : code;
}

static void warn_of_jump(gs_installation *site, const gs_statement *statement, const gs_entry *highest)
{
    if (!(site->told & GS_TOLD_JUMP)) {
        site->told |= GS_TOLD_JUMP;
        const gs_fact facts[] = {GS_NUMBER_FACT("sequence", statement->sequence), GS_NUMBER_FACT("highest", highest->sequence)};
        gs_emit(
            &site->run, GS_WARNING, "sequenceJump", facts, 2,
            "%s %s goes from sequence %" PRId64 " to %" PRIu64
            ": once it is accepted, everything between is too old for this site. Ask the release engineer whether this is meant",
            statement->product, statement->version, highest->sequence, statement->sequence);
    }
}

int gs_accept_admit(gs_installation *site, const gs_verified *bundle, gs_arena *arena, gs_order *out, gs_error *err)
{
    gs_order order = {0};
    int code = gs_accept_check(site, bundle, arena, &order, err);
    if (code == 0 && order.jump) {
        warn_of_jump(site, gs_verified_statement(bundle), order.highest);
    }
    if (code == 0 && order.kind == GS_ORDER_EARLIER) {
        const gs_statement *statement = gs_verified_statement(bundle);
        gs_emit(&site->run, GS_NOTICE, "earlierBundle", NULL, 0,
                "%s %s is older than %s, which this site accepted: `gapship rollback --to %s` goes back to it", statement->product,
                statement->version, order.highest->version, statement->version);
    }
    if (code == 0 && order.kind == GS_ORDER_PERMITTED) {
        code = gs_age_check_permit(site, site->permit, err);
    }
    if (code == 0) {
        /* What was accepted before has its place already, and age takes it away from nobody. */
        code = gs_age_check(site, bundle, !order.known, err);
    }
    if (code == 0) {
        *out = order;
    }
    return code;
}

void gs_accept_refused(gs_installation *site, const char *path, const gs_verified *bundle, gs_error *err)
{
    char detail[GS_ERROR_MESSAGE_MAX + GS_ERROR_WHERE_MAX];
    gs_error failure = {0};
    int len = snprintf(detail, sizeof detail, "%s: %s", path, err->message);
    gs_entry entry = gs_site_entry(site, GS_ENTRY_REFUSED, "import", bundle);
    entry.detail = len < 0 ? err->message : detail;
    if (gs_ledger_append(site->ledger, &entry, &failure) != 0) {
        gs_emit(&site->run, GS_WARNING, "ledger", NULL, 0, "the refusal could not be written to the ledger: %s", failure.message);
    }
}
