/* What can be said of a bundle without changing anything: five verdicts, each with its reason, also when one of them fails. Asks the
 * same judges as import and install. Nothing of a bundle that is not authentic is read, so nothing but that is said of it. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "accept.h"
#include "gapship/num.h"

const char *gs_verdict_name(gs_verdict_state state)
{
    static const char *const names[] = {"unknown", "ok", "warn", "fail"};
    return names[state];
}

typedef struct examining {
    const gs_run *run;
    const gs_examine_options *options;
    gs_arena *arena;
    gs_installation *site;    /* or NULL */
    const char *without_site; /* why there is none */
    gs_trust *trust;          /* --root's, or that of a site that cannot be opened */
    gs_examination *out;
} examining;

static gs_verdict unknown(const char *reason)
{
    return (gs_verdict){.state = GS_VERDICT_UNKNOWN, .reason = reason};
}

/* The texts of an error as a verdict; NULL texts when out of memory. */
static gs_verdict failed(gs_arena *arena, const gs_error *err)
{
    return (gs_verdict){.state = GS_VERDICT_FAIL,
                        .code = err->code,
                        .reason = gs_arena_text(arena, err->message),
                        .hint = err->hint[0] != '\0' ? gs_arena_text(arena, err->hint) : NULL};
}

static bool is_about_the_bundle(int code)
{
    return code == GS_EFORMAT || code == GS_ESIGNATURE || code == GS_EDIGEST || code == GS_EDOWNGRADE;
}

/* ---- against what it is judged ---- */

/* A site that was not asked for and cannot be read is no reason to say nothing at all: a reviewer may look at a bundle where only the
 * operator may look into the store. */
static int find_site(examining *e, gs_error *err)
{
    gs_error why = {0};
    int code = gs_installation_open(e->run, e->options->site, false, &e->site, &why);
    if (code == 0) {
        return 0;
    }
    if (e->options->site || code == GS_ENOMEM) {
        *err = why;
        return code;
    }
    GS_AUTO_SITE gs_site *site = NULL;
    gs_error ignored = {0};
    code = gs_site_load(NULL, &site, &ignored);
    e->without_site = code == GS_ENOTFOUND ? "there is no site here to judge it against"
                                           : gs_arena_printf(e->arena, "the site's records cannot be read: %s", why.message);
    if (!e->without_site) {
        return gs_fail_nomem(err);
    }
    if (code == 0 && site->root && !e->options->root) {
        return gs_trust_load(site->root, &e->trust, err);
    }
    return 0;
}

static int find_trust(examining *e, gs_error *err)
{
    int code = find_site(e, err);
    if (code == 0 && e->options->root) {
        code = gs_trust_load(e->options->root, &e->trust, err);
    }
    if (code == 0 && e->options->need_trust && !e->trust && !(e->site && e->site->trust)) {
        (void)gs_fail(err, GS_EUSAGE, "there is nothing to check the signatures against");
        return gs_error_hint(err, "give the trust root or the public key that you were given by another way: --root FILE");
    }
    return code;
}

static gs_trust **trust_of(examining *e)
{
    return e->trust || !e->site ? &e->trust : &e->site->trust;
}

/* ---- integrity and authenticity ---- */

static const char *list_signers(const gs_verified *verified, gs_arena *arena, size_t *good)
{
    size_t count = 0;
    const gs_signature_report *reports = gs_verified_signatures(verified, &count);
    const char *text = "";
    *good = 0;
    for (size_t i = 0; i < count && text; i++) {
        char hex[GS_DIGEST_HEX];
        if (reports[i].known && reports[i].good) {
            gs_digest_hex(&reports[i].key_id, hex);
            text = gs_arena_printf(arena, "%s%s%.16s", text, *good > 0 ? ", " : "", hex);
            *good += 1;
        }
    }
    return text;
}

/* "1 of the 2 release keys is required". */
static const char *describe_role(const gs_trust *trust, gs_role role, gs_arena *arena)
{
    const gs_trust_role *keys = gs_trust_role_of(trust, role);
    return gs_arena_printf(arena, "%u of the %zu %s keys %s required", keys->threshold, keys->count, gs_role_name(role),
                           keys->threshold == 1 ? "is" : "are");
}

static gs_verdict judge_authenticity(examining *e, const gs_verified *verified)
{
    const gs_trust *trust = *trust_of(e);
    if (!trust) {
        return unknown("no trust root was given, so no signature was checked");
    }
    if (!gs_verified_authentic(verified)) {
        return (gs_verdict){.state = GS_VERDICT_WARN, .reason = "not signed; site.yaml says policy.allowUnsigned"};
    }
    size_t good = 0;
    const char *signers = list_signers(verified, e->arena, &good);
    const char *needed = describe_role(trust, GS_ROLE_RELEASE, e->arena);
    if (needed && gs_trust_role_of(trust, GS_ROLE_SITE)->count > 0) {
        const char *site = describe_role(trust, GS_ROLE_SITE, e->arena);
        needed = site ? gs_arena_printf(e->arena, "%s, and %s", needed, site) : NULL;
    }
    const char *reason = signers && needed
                             ? gs_arena_printf(e->arena, "signed by %zu trusted %s: %s; %s (root version %" PRIu64 ")", good,
                                               good == 1 ? "key" : "keys", signers, needed, gs_trust_version(trust))
                             : NULL;
    return (gs_verdict){.state = GS_VERDICT_OK, .reason = reason};
}

static int judge_integrity(examining *e, const gs_verified *verified, gs_error *err)
{
    char size[GS_SIZE_TEXT];
    size_t members = 0;
    gs_error why = {0};
    (void)gs_verified_members(verified, &members);
    gs_format_size(gs_verified_length(verified), size);
    if (!e->options->whole) {
        e->out->integrity = unknown(
            "head only: statement and index fit the file; layers were not read, which `gapship verify` does");
        return 0;
    }
    int code = gs_verified_check(e->run, verified, &why);
    if (code != 0 && !is_about_the_bundle(code)) {
        *err = why;
        return code;
    }
    e->out->integrity = (gs_verdict){
        .state = GS_VERDICT_OK,
        .reason = gs_arena_printf(e->arena, "every byte of %s in %zu members is what was signed", size, members)};
    if (code != 0) {
        e->out->integrity = failed(e->arena, &why);
    }
    return 0;
}

/* ---- order, freshness, completeness ---- */

static const char *describe_place(const gs_statement *s, gs_arena *arena, const char *text)
{
    return gs_arena_printf(arena, "%s (epoch %" PRIu64 ", sequence %" PRIu64 ", security floor %" PRIu64 ")", text, s->epoch,
                           s->sequence, s->security_floor);
}

static const char *describe_order(const gs_order *order, const gs_statement *statement, gs_arena *arena)
{
    const char *text = "this site accepted nothing of this product yet";
    const gs_entry *highest = order->highest;
    if (order->kind == GS_ORDER_SAME) {
        text = "the newest that this site accepted";
    } else if (order->kind == GS_ORDER_EARLIER) {
        text = gs_arena_printf(arena, "accepted before, and older than %s: `gapship rollback --to %s` alone goes back to it",
                               highest->version, statement->version);
    } else if (order->kind == GS_ORDER_PERMITTED) {
        text = "a permit lets it in";
    } else if (order->jump) {
        text = gs_arena_printf(arena, "newer than %s, but by a suspicious step from sequence %" PRId64, highest->version,
                               highest->sequence);
    } else if (highest) {
        text = gs_arena_printf(arena, "newer than %s, the newest that this site accepted", highest->version);
    }
    return text ? describe_place(statement, arena, text) : NULL;
}

static int judge_order(examining *e, const gs_verified *verified, gs_error *err)
{
    const gs_statement *statement = gs_verified_statement(verified);
    gs_error why = {0};
    gs_order order = {0};
    if (!e->site) { /* only the root can speak: it bounds the epoch */
        const gs_trust *trust = *trust_of(e);
        const gs_candidate candidate = {
            .statement = statement, .digest = gs_verified_digest(verified), .root_epoch = trust ? gs_trust_epoch(trust) : 0};
        int judged = gs_accept_judge(NULL, 0, &candidate, &order, &why);
        e->out->order = judged == 0 ? unknown(describe_place(statement, e->arena, e->without_site)) : failed(e->arena, &why);
        return 0;
    }
    int code = gs_accept_check(e->site, verified, e->arena, &order, &why);
    if (code != 0 && !is_about_the_bundle(code)) {
        *err = why;
        return code;
    }
    if (code != 0) {
        e->out->order = failed(e->arena, &why);
        return 0;
    }
    bool suspicious = order.jump || order.kind == GS_ORDER_EARLIER;
    e->out->order = (gs_verdict){.state = suspicious ? GS_VERDICT_WARN : GS_VERDICT_OK,
                                 .reason = describe_order(&order, statement, e->arena)};
    return 0;
}

static int judge_freshness(examining *e, const gs_verified *verified, gs_error *err)
{
    const gs_statement *statement = gs_verified_statement(verified);
    if (e->site) {
        const gs_age age = gs_age_of(e->site, statement);
        return gs_age_judge(&age, e->arena, &e->out->freshness, err);
    }
    char issued[GS_TIME_TEXT];
    char until[GS_TIME_TEXT];
    gs_format_time(statement->issued_at, issued);
    gs_format_time(statement->fresh_until, until);
    e->out->freshness = unknown(gs_arena_printf(e->arena, "%s (issued %s%s%s)", e->without_site, issued,
                                                statement->fresh_until > 0 ? ", fresh until " : "",
                                                statement->fresh_until > 0 ? until : ""));
    return 0;
}

static int judge_completeness(examining *e, const gs_verified *verified, gs_error *err)
{
    GS_AUTO_CONTENTS gs_contents *contents = NULL;
    gs_completeness counts = {0};
    gs_error why = {0};
    int code = gs_contents_load(verified, &contents, &why);
    if (code == 0) {
        code = gs_contents_complete(verified, contents, &counts, &why);
    }
    if (code != 0 && !is_about_the_bundle(code) && code != GS_ESPEC && code != GS_ELIMIT) {
        *err = why;
        return code;
    }
    if (code != 0) {
        (void)gs_error_recode(&why, GS_EFORMAT);
        e->out->completeness = failed(e->arena, &why);
        return 0;
    }
    size_t volumes = gs_verified_volume_count(verified);
    const char *in = volumes > 1 ? gs_arena_printf(e->arena, ", in all of its %zu volumes", volumes) : "";
    e->out->completeness = (gs_verdict){
        .state = GS_VERDICT_OK,
        .reason = in ? gs_arena_printf(e->arena, "all that its lock pinned and its %zu contents need is there%s", counts.contents,
                                       in)
                     : NULL};
    return 0;
}

/* ---- all five ---- */

/* Nothing but the verdict at hand can be said. */
static void know_nothing(gs_examination *out, const char *reason)
{
    out->integrity = out->authenticity = out->order = out->freshness = out->completeness = unknown(reason);
}

/* What an open that failed says of the bundle, or the error itself when it says nothing. */
static int judge_unopened(examining *e, const gs_error *why, gs_error *err)
{
    if (why->code == GS_EFORMAT) {
        know_nothing(e->out, "the envelope cannot be read");
        e->out->integrity = failed(e->arena, why);
        return 0;
    }
    if (why->code == GS_ENOTFOUND && gs_fs_exists(AT_FDCWD, e->options->bundle)) {
        know_nothing(e->out, "not all of its volumes are here");
        e->out->completeness = failed(e->arena, why);
        e->out->completeness.code = GS_EFORMAT;
        return 0;
    }
    *err = *why;
    return why->code;
}

static int judge_unauthentic(examining *e, const gs_error *why)
{
    know_nothing(e->out, "nothing is read of a bundle that is not authentic");
    e->out->authenticity = failed(e->arena, why);
    return 0;
}

/* The order of checks tells what was found out before one of them failed: signatures come first. */
static int judge_refused(examining *e, bool is_signed, const gs_error *why, gs_error *err)
{
    if (!is_about_the_bundle(why->code)) {
        *err = *why;
        return why->code;
    }
    if (why->code == GS_ESIGNATURE) {
        return judge_unauthentic(e, why);
    }
    know_nothing(e->out, "the head of the bundle is damaged");
    e->out->integrity = failed(e->arena, why);
    if (*trust_of(e) && is_signed) {
        e->out->authenticity = (gs_verdict){.state = GS_VERDICT_OK, .reason = "the statement is signed by enough trusted keys"};
    }
    return 0;
}

static int judge_verified(examining *e, gs_error *err)
{
    const gs_verified *verified = e->out->verified;
    e->out->authenticity = judge_authenticity(e, verified);
    int code = judge_integrity(e, verified, err);
    if (code == 0) {
        code = judge_order(e, verified, err);
    }
    if (code == 0) {
        code = judge_freshness(e, verified, err);
    }
    return code == 0 ? judge_completeness(e, verified, err) : code;
}

static int judge(examining *e, gs_error *err)
{
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    gs_error why = {0};
    if (gs_bundle_open_volumes(e->options->bundle, e->options->volumes, e->options->volume_count, &bundle, &why) != 0) {
        return judge_unopened(e, &why, err);
    }
    int code = find_trust(e, err);
    if (code != 0) {
        return code;
    }
    bool is_signed = gs_bundle_signature_count(bundle) > 0;
    gs_trust **trust = trust_of(e);
    e->out->root_from = *trust ? gs_trust_version(*trust) : 0;
    code = *trust ? gs_bundle_walk(bundle, trust, NULL, NULL, &why) : 0;
    e->out->root_to = *trust ? gs_trust_version(*trust) : 0;
    if (is_about_the_bundle(code)) {
        return judge_unauthentic(e, &why); /* a chain that leads nowhere is no trust */
    }
    bool lenient = !*trust || (e->site && !e->options->root && e->site->site->allow_unsigned);
    const gs_terms terms = {.trust = *trust, .allow_unsigned = lenient};
    if (code == 0) {
        code = gs_bundle_verify(&bundle, &terms, &e->out->verified, &why);
    }
    return code == 0 ? judge_verified(e, err) : judge_refused(e, is_signed, &why, err);
}

static gs_verdict *const *all_of(gs_examination *examination, gs_verdict *list[5])
{
    list[0] = &examination->authenticity;
    list[1] = &examination->integrity;
    list[2] = &examination->completeness;
    list[3] = &examination->order;
    list[4] = &examination->freshness;
    return list;
}

int gs_examine(const gs_run *run, const gs_examine_options *options, gs_arena *arena, gs_examination *out, gs_error *err)
{
    GS_AUTO_EXAMINATION gs_examination examination = {0};
    gs_verdict *list[5];
    examining e = {.run = run, .options = options, .arena = arena, .out = &examination};
    gs_error local = {0};
    err = err ? err : &local;
    int code = judge(&e, err);
    for (size_t i = 0; code == 0 && i < 5; i++) {
        code = all_of(&examination, list)[i]->reason ? 0 : gs_fail_nomem(err);
    }
    gs_installation_free(e.site);
    gs_trust_free(e.trust);
    if (code == 0) {
        *out = examination;
        examination = (gs_examination){0};
    }
    return code;
}

void gs_examination_done(gs_examination *examination)
{
    gs_verified_free(examination->verified);
    *examination = (gs_examination){0};
}

int gs_examination_error(const gs_examination *examination, gs_error *err)
{
    gs_examination copy = *examination;
    gs_verdict *list[5];
    for (size_t i = 0; i < 5; i++) {
        const gs_verdict *verdict = all_of(&copy, list)[i];
        if (verdict->state == GS_VERDICT_FAIL) {
            (void)gs_fail(err, verdict->code, "%s", verdict->reason);
            return verdict->hint ? gs_error_hint(err, "%s", verdict->hint) : verdict->code;
        }
    }
    return 0;
}
