/* What may come in: order, freshness and permits, judged (accept.c, clock.c, permit.c). The judges are pure; import, install, rollback
 * and `verify` all ask them, so that what is said before is what happens. */
#ifndef GAPSHIP_SITE_ACCEPT_H
#define GAPSHIP_SITE_ACCEPT_H

#include "site.h"

/* ---- order ---- */

/* The step of an ACCEPTED row that a permit let in, by the role that signed it. */
#define GS_STEP_RELEASE_PERMIT "permit/release"
#define GS_STEP_ROOT_PERMIT    "permit/root"

/* What asks to come in, and where. */
typedef struct gs_candidate {
    const gs_statement *statement;
    const gs_digest *digest;
    const char *site;        /* its name */
    uint64_t root_epoch;     /* of its trust root; 0: it has none */
    const gs_permit *permit; /* or NULL */
} gs_candidate;

typedef enum gs_order_kind {
    GS_ORDER_NEWER,    /* above all that was accepted, or the first */
    GS_ORDER_SAME,     /* the highest that was accepted, again */
    GS_ORDER_EARLIER,  /* accepted before, and below the highest: what a rollback may go to */
    GS_ORDER_PERMITTED /* it would be refused, but for the permit */
} gs_order_kind;

typedef struct gs_order {
    gs_order_kind kind;
    bool known;              /* accepted before */
    bool jump;               /* suspiciously far above the highest */
    const gs_entry *highest; /* of the rows given; NULL: none */
} gs_order;

/* Where a bundle stands, given the product's ACCEPTED rows, oldest first. GS_EDOWNGRADE: it may not come in, by no verb. */
int gs_accept_judge(const gs_entry *accepted, size_t count, const gs_candidate *candidate, gs_order *out,
                    gs_error *err) GS_MUST_USE;
/* Whether a permit is for this bundle at this site, and still counts. If not, problem says why. How it was signed is not asked. */
bool gs_permit_covers(const gs_permit *permit, const gs_candidate *candidate, const gs_entry *highest, char *problem, size_t size);

/* Judges the run's permit again when the site's root is another by now: by that one's keys it counts, or does not. */
int gs_permit_renew(gs_installation *site, gs_error *err) GS_MUST_USE;

/* The same from the ledger; rows in arena. */
gs_candidate gs_accept_candidate(const gs_installation *site, const gs_statement *statement, const gs_digest *digest);
int gs_accept_read(const gs_installation *site, const char *product, gs_arena *arena, gs_entry **out, size_t *count,
                   gs_error *err) GS_MUST_USE;
int gs_accept_check(const gs_installation *site, const gs_verified *bundle, gs_arena *arena, gs_order *out,
                    gs_error *err) GS_MUST_USE;
/* Order and time of a bundle that somebody brings, with their warnings: may it come in? */
int gs_accept_admit(gs_installation *site, const gs_verified *bundle, gs_arena *arena, gs_order *out, gs_error *err) GS_MUST_USE;
/* Writes a REFUSED row; a failure to write is only a warning: the refusal stands. */
void gs_accept_refused(gs_installation *site, const char *path, const gs_verified *bundle, gs_error *err);

/* ---- time ---- */

#define GS_TOLD_STALE 1u
#define GS_TOLD_JUMP  2u

/* What a run reckons with as now: the machine's clock, but never before what is known to have been. Pure. */
typedef struct gs_clock {
    int64_t now;
    bool behind; /* the machine's clock is before that */
} gs_clock;
gs_clock gs_clock_judge(int64_t machine, int64_t recorded, int64_t built);
/* Finds out the run's time from clock and ledger; warns when the clock is behind. */
int gs_clock_start(gs_installation *site, gs_error *err) GS_MUST_USE;
/* Something of this time was accepted: it cannot be earlier now. */
void gs_clock_saw(gs_installation *site, int64_t time);
/* Seconds since 1970, as far as this run knows: it goes on from its beginning however the machine's clock is set meanwhile. */
int64_t gs_site_now(const gs_installation *site);

typedef struct gs_age {
    int64_t now;
    const gs_statement *statement;
    int64_t max_age;      /* policy.maxAge; 0: none */
    int64_t root_expires; /* 0: never */
    bool refuse;          /* policy.onStale */
} gs_age;
/* Whether a bundle is fresh. Pure. GS_ENOMEM, or *out with a reason in arena: OK; WARN when the clock or the builder's is wrong, or when
 * it is stale and only warned of; FAIL (GS_ECHECK) when it is stale and the site refuses that. */
int gs_age_judge(const gs_age *age, gs_arena *arena, gs_verdict *out, gs_error *err) GS_MUST_USE;
gs_age gs_age_of(const gs_installation *site, const gs_statement *statement);
/* Warns, once a run, or with `enforce` refuses as the site's policy says. */
int gs_age_check(gs_installation *site, const gs_verified *bundle, bool enforce, gs_error *err) GS_MUST_USE;
/* The permit's own time, which is only warned of, or refused where policy.onStale says so. */
int gs_age_check_permit(gs_installation *site, const gs_permit *permit, gs_error *err) GS_MUST_USE;

#endif
