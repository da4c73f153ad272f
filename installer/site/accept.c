/* The order of bundles: what may come in, and what may come back. An old bundle that somebody brings again must not get past this,
 * whatever its signatures say. What an environment runs is not asked here; the planner does that. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gapship/num.h"
#include "gapship/text.h"
#include "site.h"

static int fail_below_floor(const gs_statement *statement, const gs_entry *floor, gs_error *err)
{
    (void)gs_fail(err, GS_EDOWNGRADE, "%s %s (sequence %" PRIu64 ") is below the security floor %" PRId64 " that version %s set",
                  statement->product, statement->version, statement->sequence, floor->security_floor, floor->version);
    (void)gs_error_hint(err, "versions below it have a known hole; install a newer one");
    return GS_EDOWNGRADE;
}

static int fail_older(const gs_statement *statement, const gs_entry *highest, gs_error *err)
{
    (void)gs_fail(err, GS_EDOWNGRADE,
                  "%s %s (epoch %" PRIu64 ", sequence %" PRIu64 ") is older than %s (epoch %" PRId64 ", sequence %" PRId64
                  "), which this site accepted",
                  statement->product, statement->version, statement->epoch, statement->sequence, highest->version, highest->epoch,
                  highest->sequence);
    (void)gs_error_hint(err,
                        "a bundle that this site accepted before comes back with `gapship rollback --to VERSION`; another needs a "
                        "higher sequence");
    return GS_EDOWNGRADE;
}

static int fail_twice(const gs_statement *statement, const gs_digest *digest, const gs_entry *other, gs_error *err)
{
    char here[GS_DIGEST_TEXT];
    char there[GS_DIGEST_TEXT];
    char when[GS_TIME_TEXT];
    gs_digest_text(digest, here);
    gs_digest_text(&other->bundle, there);
    gs_format_time(other->time, when);
    (void)gs_fail(err, GS_EDOWNGRADE,
                  "two different bundles claim to be %s epoch %" PRIu64 ", sequence %" PRIu64
                  ": this one is %s, and %s (version %s) was "
                  "accepted at %s",
                  statement->product, statement->epoch, statement->sequence, here, there, other->version, when);
    (void)gs_error_hint(
        err, "ask the release engineer which one is right: a sequence is given once, and two may mean that a signing key "
             "is misused");
    return GS_EDOWNGRADE;
}

/* The row that sets the highest floor, or NULL. */
static const gs_entry *find_floor(const gs_entry *accepted, size_t count)
{
    const gs_entry *floor = NULL;
    for (size_t i = 0; i < count; i++) {
        const gs_entry *row = &accepted[i];
        if (row->security_floor > 0 &&
            (!floor || gs_order_compare(row->epoch, row->security_floor, floor->epoch, floor->security_floor) > 0)) {
            floor = row;
        }
    }
    return floor;
}

static int check_floor(const gs_entry *floor, const gs_statement *statement, gs_error *err)
{
    bool below = floor &&
                 gs_order_compare((int64_t)statement->epoch, (int64_t)statement->sequence, floor->epoch, floor->security_floor) < 0;
    return below ? fail_below_floor(statement, floor, err) : 0;
}

int gs_accept_judge(const gs_entry *accepted, size_t count, const gs_statement *statement, const gs_digest *digest, bool *known,
                    gs_error *err)
{
    const gs_entry *highest = NULL;
    for (size_t i = 0; i < count; i++) {
        const gs_entry *row = &accepted[i];
        if (gs_digest_equal(&row->bundle, digest)) {
            int code = check_floor(find_floor(accepted, count), statement, err);
            *known = code == 0 ? true : *known;
            return code;
        }
        if (gs_order_compare((int64_t)statement->epoch, (int64_t)statement->sequence, row->epoch, row->sequence) == 0) {
            return fail_twice(statement, digest, row, err);
        }
        if (!highest || gs_order_compare(row->epoch, row->sequence, highest->epoch, highest->sequence) > 0) {
            highest = row;
        }
    }
    int code = check_floor(find_floor(accepted, count), statement, err);
    if (code == 0 && highest &&
        gs_order_compare((int64_t)statement->epoch, (int64_t)statement->sequence, highest->epoch, highest->sequence) < 0) {
        code = fail_older(statement, highest, err);
    }
    if (code == 0) {
        *known = false;
    }
    return code;
}

int gs_accept_check(gs_installation *site, const gs_verified *bundle, bool *known, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (!arena) {
        return gs_fail_nomem(err);
    }
    const gs_ledger_filter filter = {.kind = GS_ENTRY_ACCEPTED, .product = gs_verified_statement(bundle)->product};
    gs_entry *accepted = NULL;
    size_t count = 0;
    int code = gs_ledger_read(site->ledger, &filter, arena, &accepted, &count, err);
    return code == 0 ? gs_accept_judge(accepted, count, gs_verified_statement(bundle), gs_verified_digest(bundle), known, err)
                     : code;
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
