/* An opened site, and which bundle somebody means. Opens, verifies and keeps; what is done with a bundle is elsewhere. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "accept.h"
#include "gapship/num.h"
#include "gapship/text.h"
#include "roots.h"

#define PREFIX_DIGITS 8u

static int make_id(char out[17], gs_error *err)
{
    unsigned char bytes[8];
    int code = gs_random(bytes, sizeof bytes, err);
    if (code == 0) {
        gs_hex_encode(bytes, sizeof bytes, out);
    }
    return code;
}

static int open_ledger(gs_installation *site, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *path = arena ? gs_store_path(site->store, arena, "ledger.sqlite") : NULL;
    return path ? gs_ledger_open(path, &site->ledger, err) : gs_fail_nomem(err);
}

int gs_installation_open(const gs_run *run, const char *site_file, bool change, gs_installation **out, gs_error *err)
{
    GS_AUTO_INSTALLATION gs_installation *site = calloc(1, sizeof *site);
    if (!site) {
        return gs_fail_nomem(err);
    }
    site->lock = (gs_filelock)GS_FILELOCK_INIT;
    site->run = run ? *run : (gs_run){0};
    int code = make_id(site->id, err);
    if (code == 0) {
        code = gs_site_load(site_file, &site->site, err);
    }
    if (code == 0) {
        code = gs_store_open(site->site->store, &site->store, err);
    }
    if (code == 0 && change) {
        code = gs_store_lock(site->store, &site->lock, err);
    }
    if (code == 0) {
        code = open_ledger(site, err);
    }
    if (code == 0) {
        code = gs_clock_start(site, err);
    }
    if (code == 0) {
        code = gs_roots_open(site, change, err);
    }
    if (code == 0) {
        *out = GS_STEAL(site);
    }
    return code;
}

void gs_installation_free(gs_installation *installation)
{
    if (installation) {
        gs_tools_done(&installation->tools);
        gs_ledger_free(installation->ledger);
        gs_trust_free(installation->trust);
        /* Last, so that no other run begins while this one still has something open. */
        gs_filelock_release(&installation->lock);
        gs_store_free(installation->store);
        gs_site_free(installation->site);
        free(installation);
    }
}

void gs_installation_free_p(gs_installation **installation)
{
    gs_installation_free(*installation);
    *installation = NULL;
}

gs_terms gs_site_terms(const gs_installation *site)
{
    return (gs_terms){.trust = site->trust, .allow_unsigned = site->site->allow_unsigned};
}

/* ---- a bundle file ---- */

/* "signed by 1f2e3d4c5b6a7988, …", or that nobody did whom the site trusts. */
static const char *describe_signers(const gs_verified *bundle, gs_arena *arena)
{
    if (!gs_verified_authentic(bundle)) {
        return "not signed; accepted because site.yaml says policy.allowUnsigned";
    }
    size_t count = 0;
    const gs_signature_report *signatures = gs_verified_signatures(bundle, &count);
    const char *text = NULL;
    for (size_t i = 0; i < count; i++) {
        char hex[GS_DIGEST_HEX];
        gs_digest_hex(&signatures[i].key_id, hex);
        if (signatures[i].known && signatures[i].good) {
            text = text ? gs_arena_printf(arena, "%s, %.16s", text, hex) : gs_arena_printf(arena, "signed by %.16s", hex);
            if (!text) {
                return NULL;
            }
        }
    }
    return text ? text : "its signers were revoked";
}

int gs_site_accepted(gs_installation *site, const gs_verified *bundle, const char *verb, bool permitted, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *detail = arena ? describe_signers(bundle, arena) : NULL;
    const gs_permit *permit = site->permit;
    if (detail && permitted) {
        detail = gs_arena_printf(arena, "%s; by a permit of the %s role (%s): %s", detail, gs_role_name(permit->role),
                                 permit->signers, permit->reason);
    }
    if (!detail) {
        return gs_fail_nomem(err);
    }
    gs_clock_saw(site, gs_verified_statement(bundle)->issued_at);
    gs_entry entry = gs_site_entry(site, GS_ENTRY_ACCEPTED, verb, bundle);
    entry.state = GS_STATE_DONE;
    entry.step = !permitted ? NULL : permit->role == GS_ROLE_ROOT ? GS_STEP_ROOT_PERMIT : GS_STEP_RELEASE_PERMIT;
    entry.detail = detail;
    return gs_ledger_append(site->ledger, &entry, err);
}

/* *renew: there is a kept copy, and its signatures do not meet today's trust, as those of this one do. */
static int look_at_kept(const gs_installation *site, const gs_verified *bundle, bool *renew, gs_error *err)
{
    const gs_terms terms = gs_site_terms(site);
    GS_AUTO_VERIFIED gs_verified *kept = NULL;
    gs_error why = {0};
    *renew = false;
    if (!gs_store_has(site->store, gs_verified_digest(bundle))) {
        return 0;
    }
    int code = gs_store_bundle(site->store, gs_verified_digest(bundle), &terms, &kept, &why);
    if (code == GS_ESIGNATURE) {
        *renew = true;
        return 0;
    }
    if (code != 0 && err) {
        *err = why;
    }
    return code;
}

/* The row follows the file: a file without its row is not accepted yet, and the next import finishes it. */
static int keep_bundle(gs_installation *site, const gs_order *order, gs_verified **bundle, gs_error *err)
{
    bool permitted = order->kind == GS_ORDER_PERMITTED;
    bool renew = false;
    int code = look_at_kept(site, *bundle, &renew, err);
    if (code == 0) {
        code = gs_store_keep(&site->run, site->store, *bundle, renew, err);
    }
    if (code == 0 && (!order->known || permitted || renew)) {
        code = gs_site_accepted(site, *bundle, "import", permitted, err);
    }
    const gs_terms terms = gs_site_terms(site);
    GS_AUTO_VERIFIED gs_verified *kept = NULL;
    if (code == 0) {
        code = gs_store_bundle(site->store, gs_verified_digest(*bundle), &terms, &kept, err);
    }
    if (code == 0) {
        /* From here on the kept copy is read: it was checked while it was written, and the medium may go. */
        gs_verified_free(*bundle);
        *bundle = GS_STEAL(kept);
    }
    return code;
}

static bool is_refusal(int code)
{
    return code == GS_EFORMAT || code == GS_ESIGNATURE || code == GS_EDIGEST || code == GS_EDOWNGRADE || code == GS_ECHECK;
}

/* What could never be installed has no place in the order: a corrected bundle may want the same one. */
static int check_contents(const gs_verified *verified, gs_error *err)
{
    GS_AUTO_CONTENTS gs_contents *contents = NULL;
    int code = gs_contents_load(verified, &contents, err);
    return code == 0 ? gs_contents_complete(verified, contents, NULL, err) : code;
}

static int bundle_of_file(gs_installation *site, const char *path, bool keep, gs_verified **out, gs_error *err)
{
    gs_error local = {0};
    err = err ? err : &local;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    gs_order order = {0};
    int code = arena ? gs_bundle_open_volumes(path, site->volumes, site->volume_count, &bundle, err) : gs_fail_nomem(err);
    if (code == GS_EFORMAT && gs_roots_is_chain(path)) {
        return gs_roots_fail_chain(path, err);
    }
    if (code == 0) {
        code = gs_roots_walk(site, bundle, keep, err);
    }
    if (code == 0) {
        code = gs_permit_renew(site, err);
    }
    if (code == 0) {
        const gs_terms terms = gs_site_terms(site);
        code = gs_bundle_verify(&bundle, &terms, &verified, err);
    }
    if (code == 0) {
        code = gs_accept_admit(site, verified, arena, &order, err);
    }
    if (code == 0) {
        code = check_contents(verified, err);
    }
    if (code == 0 && keep) {
        code = keep_bundle(site, &order, &verified, err);
    }
    if (is_refusal(code)) {
        if (keep) {
            gs_accept_refused(site, path, verified, err);
        }
        if (err->where[0] == '\0') {
            (void)gs_error_at(err, "%s", path);
        }
    }
    if (code == 0) {
        *out = GS_STEAL(verified);
    }
    return code;
}

/* ---- a kept bundle ---- */

static bool names_digest(const char *text)
{
    size_t len = strlen(text);
    return len >= PREFIX_DIGITS && len <= GS_DIGEST_HEX - 1 && strspn(text, "0123456789abcdef") == len;
}

static bool means(const gs_entry *row, const char *bundle, const char *prefix)
{
    if (prefix) {
        char hex[GS_DIGEST_HEX];
        gs_digest_hex(&row->bundle, hex);
        return gs_text_starts(hex, prefix);
    }
    size_t product = row->product ? strlen(row->product) : 0;
    return row->product && row->version && strncmp(bundle, row->product, product) == 0 && bundle[product] == '@' &&
           strcmp(bundle + product + 1, row->version) == 0;
}

static int fail_unknown(const gs_installation *site, const char *bundle, gs_error *err)
{
    (void)gs_fail(err, GS_ENOTFOUND, "there is no file '%s', and no kept bundle is called so", bundle);
    (void)gs_error_at(err, "%s", site->site->store);
    return gs_error_hint(err, "give a path, NAME@VERSION, or at least %u digits of a digest; `gapship status` lists what is kept",
                         PREFIX_DIGITS);
}

int gs_fail_revoked(gs_error *err)
{
    if (!err) {
        return GS_ESIGNATURE;
    }
    err->hint[0] = '\0'; /* what helps with a bundle on a medium does not help here */
    (void)gs_error_context(err, "this site accepted it once, and its signers were revoked since");
    (void)gs_error_hint(
        err, "have it signed by today's keys (`gapship sign`) and import that file; or go back to it with `gapship rollback "
             "--to VERSION --accept-revoked-signer --permit FILE`, by a permit of today's keys");
    return GS_ESIGNATURE;
}

/* The newest accepted bundle that is meant. Only what was accepted counts, whatever files are in the store. */
static int find_kept(gs_installation *site, const char *bundle, gs_digest *out, gs_error *err)
{
    const char *prefix = gs_text_starts(bundle, "sha256:") ? bundle + strlen("sha256:") : bundle;
    prefix = names_digest(prefix) ? prefix : NULL;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    if (!arena) {
        return gs_fail_nomem(err);
    }
    const gs_ledger_filter accepted = {.kind = GS_ENTRY_ACCEPTED};
    gs_entry *rows = NULL;
    size_t count = 0;
    int code = gs_ledger_read(site->ledger, &accepted, arena, &rows, &count, err);
    const gs_entry *found = NULL;
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (!rows[i].has_bundle || !means(&rows[i], bundle, prefix)) {
            continue;
        }
        if (prefix && found) {
            code = gs_fail(err, GS_EUSAGE, "the digest prefix '%s' means both %s %s and %s %s; give more digits", prefix,
                           found->product, found->version, rows[i].product, rows[i].version);
        }
        found = &rows[i];
    }
    if (code == 0 && !found) {
        code = fail_unknown(site, bundle, err);
    }
    if (code == 0) {
        *out = found->bundle;
    }
    return code;
}

bool gs_names_file(const char *bundle)
{
    return strchr(bundle, '/') || gs_fs_exists(AT_FDCWD, bundle);
}

int gs_installation_bundle(gs_installation *installation, const char *bundle, bool keep, gs_verified **out, gs_error *err)
{
    if (gs_names_file(bundle)) {
        return bundle_of_file(installation, bundle, keep, out, err);
    }
    gs_digest digest;
    int code = find_kept(installation, bundle, &digest, err);
    const gs_terms terms = gs_site_terms(installation);
    if (code == 0) {
        code = gs_store_bundle(installation->store, &digest, &terms, out, err);
    }
    return code == GS_ESIGNATURE ? gs_fail_revoked(err) : code;
}

int gs_installation_kept(gs_installation *installation, const char *bundle, gs_arena *arena, const char **path, gs_error *err)
{
    gs_digest digest;
    int code = find_kept(installation, bundle, &digest, err);
    const char *file = code == 0 ? gs_store_bundle_path(installation->store, arena, &digest) : NULL;
    if (code == 0 && !file) {
        code = gs_fail_nomem(err);
    }
    if (code == 0) {
        *path = file;
    }
    return code;
}
