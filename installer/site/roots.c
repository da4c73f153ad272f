/* The site's trust root as it grows: later roots are kept step by step, and the ledger remembers the newest.
 *
 * A step is three durable writes: a row that this very root was proven (BEGUN), the trust root file, a row that it is kept (DONE). So
 * a file that is one ahead of the newest DONE row needs no second proof, which would want the root before it, and that is gone: the
 * BEGUN row names its fingerprint, and was written only after the walk had checked both thresholds. Any other file that is ahead was
 * put there by somebody else, and one that is behind brings revoked keys back: both are refused before anything is believed. */
#include "roots.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "accept.h"
#include "gapship/limits.h"
#include "gapship/num.h"

/* ---- rows ---- */

int gs_roots_entry(const gs_trust *trust, gs_entry *out, gs_error *err)
{
    int code = gs_trust_fingerprint(trust, &out->bundle, err);
    if (code == 0) {
        out->has_bundle = true;
        out->epoch = (int64_t)gs_trust_epoch(trust);
        out->sequence = (int64_t)gs_trust_version(trust);
    }
    return code;
}

/* "root 1 -> 2, sha256:…, signed by 1f2e3d4c5b6a7988, …": of its signers those that the root before it knows. */
static int describe_step(const gs_trust *from, const gs_trust *to, const gs_digest *fingerprint, gs_buf *out, gs_error *err)
{
    gs_signature_report reports[GS_MAX_SIGNATURES];
    char text[GS_DIGEST_TEXT];
    size_t count = 0;
    unsigned good = 0;
    int code = gs_trust_signers(to, from, reports, &count, &good, err);
    if (code != 0) {
        return code;
    }
    gs_digest_text(fingerprint, text);
    gs_buf_printf(out, "root %" PRIu64 " -> %" PRIu64 ", %s, signed by ", gs_trust_version(from), gs_trust_version(to), text);
    for (size_t i = 0, said = 0; i < count; i++) {
        char id[GS_DIGEST_HEX];
        gs_digest_hex(&reports[i].key_id, id);
        if (reports[i].good) {
            gs_buf_printf(out, "%s%.16s", said++ > 0 ? ", " : "", id);
        }
    }
    return gs_buf_check(out, err);
}

static int append(gs_installation *site, gs_entry_state state, const gs_entry *row, gs_error *err)
{
    char version[24];
    gs_entry entry = gs_site_entry(site, GS_ENTRY_ROOT, "import", NULL);
    (void)snprintf(version, sizeof version, "%" PRId64, row->sequence);
    entry.state = state;
    entry.version = version;
    entry.bundle = row->bundle;
    entry.has_bundle = true;
    entry.epoch = row->epoch;
    entry.sequence = row->sequence;
    entry.detail = row->detail;
    return gs_ledger_append(site->ledger, &entry, err);
}

/* ---- one step ---- */

static int write_file(gs_installation *site, const gs_trust *next, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    int code = gs_trust_write(next, &text, err);
    if (code == 0) {
        code = gs_fs_write_file(AT_FDCWD, site->site->root, text.data, text.len, 0644, err);
    }
    if (code != 0) {
        (void)gs_error_context(err, "root %" PRIu64 " cannot be kept", gs_trust_version(next));
        (void)gs_error_hint(err, "make the trust root file and its directory writable, and run the same command again");
    }
    return code;
}

/* Called by the walk with each root whose thresholds were checked. */
static int keep(void *state, const gs_trust *next, gs_error *err)
{
    gs_installation *site = state;
    GS_AUTO_BUF gs_buf detail;
    gs_entry row = {0};
    gs_buf_init(&detail, GS_KIB(4));
    int code = gs_roots_entry(next, &row, err);
    if (code == 0) {
        code = describe_step(site->trust, next, &row.bundle, &detail, err);
    }
    row.detail = gs_buf_text(&detail);
    if (code == 0) {
        code = append(site, GS_STATE_BEGUN, &row, err);
    }
    if (code == 0) {
        code = write_file(site, next, err);
    }
    if (code == 0) {
        code = append(site, GS_STATE_DONE, &row, err);
    }
    if (code == 0) {
        const gs_fact facts[] = {GS_NUMBER_FACT("from", gs_trust_version(site->trust)), GS_NUMBER_FACT("to", row.sequence)};
        gs_emit(&site->run, GS_NOTICE, "rootReached", facts, 2, "%s", row.detail);
    }
    return code;
}

int gs_roots_walk(gs_installation *site, const gs_bundle *bundle, bool kept, gs_error *err)
{
    return site->trust ? gs_bundle_walk(bundle, &site->trust, kept ? keep : NULL, site, err) : 0;
}

/* ---- a chain alone ---- */

bool gs_roots_is_chain(const char *path)
{
    char magic[sizeof GS_DOCUMENT_MAGIC - 1];
    GS_AUTO_FD int fd = -1;
    uint64_t size = 0;
    return gs_fs_open_read(AT_FDCWD, path, false, &fd, &size, NULL) == 0 && size >= sizeof magic &&
           gs_fs_pread(fd, magic, sizeof magic, 0, NULL) == 0 && memcmp(magic, GS_DOCUMENT_MAGIC, sizeof magic) == 0;
}

int gs_roots_fail_chain(const char *path, gs_error *err)
{
    (void)gs_fail(err, GS_EUSAGE, "this is no bundle, but a chain of trust roots");
    (void)gs_error_at(err, "%s", path);
    return gs_error_hint(err, "`gapship import` takes it in");
}

int gs_roots_import(gs_installation *site, const char *path, gs_error *err)
{
    gs_error local = {0};
    err = err ? err : &local;
    GS_AUTO_BUF gs_buf chain;
    gs_buf_init(&chain, GS_MAX_ROOTS_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, path, &chain, err);
    if (code != 0) {
        return code;
    }
    code = gs_trust_walk(&site->trust, chain.data, chain.len, keep, site, err);
    if (code == GS_EFORMAT || code == GS_ESIGNATURE) {
        gs_accept_refused(site, path, NULL, err);
        (void)gs_error_at(err, "%s", path);
    }
    return code;
}

/* ---- what the ledger remembers ---- */

static int newest(gs_installation *site, gs_entry_kind kind, gs_entry_state state, gs_arena *arena, gs_entry *out, bool *found,
                  gs_error *err)
{
    const gs_ledger_filter filter = {.kind = kind, .state = state};
    return gs_ledger_newest(site->ledger, &filter, arena, out, found, err);
}

/* Where the site has come: the last root that was kept, or the one it was made with. */
static int find_reached(gs_installation *site, gs_arena *arena, gs_entry *out, bool *found, gs_error *err)
{
    int code = newest(site, GS_ENTRY_ROOT, GS_STATE_DONE, arena, out, found, err);
    if (code == 0 && !*found) {
        code = newest(site, GS_ENTRY_CREATED, GS_STATE_DONE, arena, out, found, err);
        *found = *found && out->has_bundle;
    }
    return code;
}

static int fail_other(const gs_installation *site, const gs_entry *reached, const gs_entry *file, gs_error *err)
{
    char text[GS_DIGEST_TEXT];
    gs_digest_text(&reached->bundle, text);
    if (file->sequence == reached->sequence) {
        (void)gs_fail(err, GS_ESTATE, "the trust root is another root %" PRId64 " than the one that this site trusts, %s",
                      file->sequence, text);
    } else if (file->sequence < reached->sequence) {
        (void)gs_fail(err, GS_ESTATE, "the trust root is root %" PRId64 ", but this site has reached root %" PRId64 ", %s",
                      file->sequence, reached->sequence, text);
    } else {
        (void)gs_fail(err, GS_ESTATE,
                      "the trust root is root %" PRId64 ", but no signatures have brought this site beyond root %" PRId64 ", %s",
                      file->sequence, reached->sequence, text);
    }
    (void)gs_error_at(err, "%s", site->site->root);
    return gs_error_hint(err,
                         "find out who exchanged the file, and put root %" PRId64 " of this fingerprint back: a backup has it, or "
                         "who made it; newer ones come in by `gapship import`",
                         reached->sequence);
}

/* The file is ahead of the newest DONE row: was its root proven here? Then its row is lacking because of a kill, or because another run
 * is at it. */
static int finish_step(gs_installation *site, const gs_entry *reached, const gs_entry *file, bool change, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_entry begun = {0};
    bool found = false;
    int code = arena ? newest(site, GS_ENTRY_ROOT, GS_STATE_BEGUN, arena, &begun, &found, err) : gs_fail_nomem(err);
    if (code != 0) {
        return code;
    }
    if (!found || !gs_digest_equal(&begun.bundle, &file->bundle)) {
        return fail_other(site, reached, file, err);
    }
    return change ? append(site, GS_STATE_DONE, &begun, err) : 0;
}

int gs_roots_open(gs_installation *site, bool change, gs_error *err)
{
    if (!site->site->root) {
        return 0; /* a site that takes unsigned bundles needs to trust nobody */
    }
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_entry reached = {0};
    gs_entry file = {0};
    bool found = false;
    /* First the ledger, then the file, then again the ledger: whoever reads while another run walks sees a file that is as new as the
     * rows or newer, never an older one. */
    int code = arena ? find_reached(site, arena, &reached, &found, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_trust_load(site->site->root, &site->trust, err);
    }
    if (code == 0) {
        code = gs_roots_entry(site->trust, &file, err);
    }
    if (code != 0 || !found) {
        return code;
    }
    if (file.sequence > reached.sequence) {
        return finish_step(site, &reached, &file, change, err);
    }
    bool same = file.sequence == reached.sequence && gs_digest_equal(&file.bundle, &reached.bundle);
    return same ? 0 : fail_other(site, &reached, &file, err);
}
