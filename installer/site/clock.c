/* Time as far as a site can know it. A machine without a network easily has a wrong clock, so time is never more than advice: it warns,
 * and refuses only where the site's own policy says so, which its operator can change. */
#include <inttypes.h>

#include "accept.h"
#include "gapship/num.h"

#define DAY INT64_C(86400)

/* ---- now ---- */

gs_clock gs_clock_judge(int64_t machine, int64_t recorded, int64_t built)
{
    int64_t floor = recorded > built ? recorded : built;
    return (gs_clock){.now = machine < floor ? floor : machine, .behind = machine < floor};
}

int gs_clock_start(gs_installation *site, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (!arena) {
        return gs_fail_nomem(err);
    }
    /* Rows of accepted bundles are never older than those (gs_clock_saw), so the newest row speaks for them too. */
    const gs_ledger_filter any = {0};
    gs_entry newest = {0};
    bool found = false;
    int code = gs_ledger_newest(site->ledger, &any, arena, &newest, &found, err);
    if (code != 0) {
        return code;
    }
    const int64_t machine = gs_now(&site->run);
    const gs_clock clock = gs_clock_judge(machine, found ? newest.time : 0, GAPSHIP_BUILT);
    site->now = clock.now;
    site->ticks = gs_ticks();
    if (clock.behind) {
        char here[GS_TIME_TEXT];
        char there[GS_TIME_TEXT];
        gs_format_time(machine, here);
        gs_format_time(clock.now, there);
        const gs_fact facts[] = {GS_TEXT_FACT("clock", here), GS_TEXT_FACT("atLeast", there)};
        gs_emit(
            &site->run, GS_WARNING, "clockBehind", facts, 2,
            "this machine's clock says %s, but it is at least %s: what happened here, or this gapship, is younger than the clock. "
            "Set the clock",
            here, there);
    }
    return 0;
}

void gs_clock_saw(gs_installation *site, int64_t time)
{
    int64_t now = gs_site_now(site);
    site->now += time > now ? time - now : 0;
}

int64_t gs_site_now(const gs_installation *site)
{
    return site->now + (gs_ticks() - site->ticks) / 1000;
}

/* ---- freshness ---- */

static const char *days(gs_arena *arena, int64_t seconds)
{
    int64_t count = seconds / DAY;
    return count == 1 ? "1 day" : gs_arena_printf(arena, "%" PRId64 " days", count);
}

/* Why the bundle, or the root it is judged by, is too old; "" when neither is, NULL when out of memory. */
static const char *find_stale(const gs_age *age, gs_arena *arena)
{
    const gs_statement *statement = age->statement;
    char when[GS_TIME_TEXT];
    if (statement->fresh_until > 0 && age->now > statement->fresh_until) {
        gs_format_time(statement->fresh_until, when);
        return gs_arena_printf(arena, "its maker said that it is fresh until %s", when);
    }
    if (age->max_age > 0 && age->now - statement->issued_at > age->max_age) {
        const char *since = days(arena, age->now - statement->issued_at);
        const char *most = days(arena, age->max_age);
        return since && most ? gs_arena_printf(arena, "it was issued %s ago, and policy.maxAge is %s", since, most) : NULL;
    }
    if (age->root_expires > 0 && age->now > age->root_expires) {
        gs_format_time(age->root_expires, when);
        return gs_arena_printf(arena, "the trust root was to be replaced by %s", when);
    }
    return "";
}

static bool is_ahead(const gs_age *age)
{
    return age->statement->issued_at - age->now > DAY;
}

static const char *describe(const gs_age *age, gs_arena *arena)
{
    const gs_statement *statement = age->statement;
    char issued[GS_TIME_TEXT];
    char until[GS_TIME_TEXT];
    gs_format_time(statement->issued_at, issued);
    if (statement->fresh_until == 0) {
        return gs_arena_printf(arena, "issued %s", issued);
    }
    gs_format_time(statement->fresh_until, until);
    return gs_arena_printf(arena, "issued %s, fresh until %s", issued, until);
}

int gs_age_judge(const gs_age *age, gs_arena *arena, gs_verdict *out, gs_error *err)
{
    gs_verdict verdict = {.state = GS_VERDICT_OK};
    const char *stale = find_stale(age, arena);
    const char *facts = describe(age, arena);
    if (!stale || !facts) {
        return gs_fail_nomem(err);
    }
    if (stale[0] != '\0') {
        verdict.state = age->refuse ? GS_VERDICT_FAIL : GS_VERDICT_WARN;
        verdict.code = age->refuse ? GS_ECHECK : 0;
        verdict.reason = gs_arena_printf(arena, "%s: %s", facts, stale);
        verdict.hint =
            age->refuse
                ? "ask for a newer bundle, or a newer root; the site's own policy refuses what is stale: with onStale: warn "
                  "under `policy` in site.yaml it is only warned of"
                : "ask whether there is a newer one";
    } else if (is_ahead(age)) {
        const char *ahead = days(arena, age->statement->issued_at - age->now);
        verdict.state = GS_VERDICT_WARN;
        verdict.reason = ahead ? gs_arena_printf(arena, "%s: that is %s in the future", facts, ahead) : NULL;
        verdict.hint = "this machine's clock is behind, or that of the builder was ahead";
    } else {
        verdict.reason = facts;
    }
    if (!verdict.reason) {
        return gs_fail_nomem(err);
    }
    *out = verdict;
    return 0;
}

gs_age gs_age_of(const gs_installation *site, const gs_statement *statement)
{
    return (gs_age){.now = gs_site_now(site),
                    .statement = statement,
                    .max_age = site->site->max_age,
                    .root_expires = site->trust ? gs_trust_expires(site->trust) : 0,
                    .refuse = site->site->refuse_stale};
}

/* Said once a run: import, plan and install of one command ask again. */
static void warn_once(gs_installation *site, unsigned what, const char *name, const char *text, const char *hint)
{
    if (!(site->told & what)) {
        site->told |= what;
        gs_emit(&site->run, GS_WARNING, name, NULL, 0, "%s; %s", text, hint);
    }
}

int gs_age_check(gs_installation *site, const gs_verified *bundle, bool enforce, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_age age = gs_age_of(site, gs_verified_statement(bundle));
    gs_verdict verdict;
    age.refuse = age.refuse && enforce;
    int code = arena ? gs_age_judge(&age, arena, &verdict, err) : gs_fail_nomem(err);
    if (code != 0 || verdict.state == GS_VERDICT_OK) {
        return code;
    }
    const gs_statement *statement = gs_verified_statement(bundle);
    if (verdict.state == GS_VERDICT_FAIL) {
        (void)gs_fail(err, verdict.code, "%s %s is stale: %s", statement->product, statement->version, verdict.reason);
        return gs_error_hint(err, "%s", verdict.hint);
    }
    const char *text = gs_arena_printf(arena, "%s %s: %s", statement->product, statement->version, verdict.reason);
    if (!text) {
        return gs_fail_nomem(err);
    }
    warn_once(site, GS_TOLD_STALE, "notFresh", text, verdict.hint);
    return 0;
}

int gs_age_check_permit(gs_installation *site, const gs_permit *permit, gs_error *err)
{
    char when[GS_TIME_TEXT];
    gs_format_time(permit->expires, when);
    if (permit->expires == 0 || gs_site_now(site) <= permit->expires) {
        return 0;
    }
    if (site->site->refuse_stale) {
        (void)gs_fail(err, GS_ECHECK, "the permit expired at %s", when);
        return gs_error_hint(err,
                             "ask for a new one; with onStale: warn under `policy` in site.yaml an expired one is only warned of");
    }
    gs_emit(&site->run, GS_WARNING, "permitExpired", NULL, 0,
            "the permit expired at %s; it is taken all the same, as site.yaml says", when);
    return 0;
}
