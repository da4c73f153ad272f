/* import and load: the two use cases that bring a bundle in and change no environment. */
#include <stdio.h>
#include <string.h>

#include "gapship/num.h"
#include "roots.h"

/* A root-only bundle: from which root to which. */
static int import_roots(gs_installation *site, const char *path, gs_arena *arena, gs_node **result, gs_error *err)
{
    if (!site->trust) {
        (void)gs_fail(err, GS_EUSAGE, "this site trusts no root that another one could follow");
        return gs_error_hint(err, "site.yaml says whom it trusts: trust: {root: trust/root.json}");
    }
    const uint64_t from = gs_trust_version(site->trust);
    gs_digest fingerprint;
    int code = gs_roots_import(site, path, err);
    if (code == 0) {
        code = gs_trust_fingerprint(site->trust, &fingerprint, err);
    }
    if (code != 0) {
        return code;
    }
    gs_node *node = gs_node_set_integer(arena, gs_node_new_map(arena), "rootFrom", (int64_t)from);
    node = gs_node_set_integer(arena, node, "rootTo", (int64_t)gs_trust_version(site->trust));
    node = gs_node_set_text(arena, node, "fingerprint", gs_digest_in(arena, &fingerprint));
    *result = node ? node : *result;
    return node ? 0 : gs_fail_nomem(err);
}

int gs_import(gs_installation *installation, const char *bundle, gs_arena *arena, gs_node **result, gs_error *err)
{
    if (gs_names_file(bundle) && gs_roots_is_chain(bundle)) {
        return import_roots(installation, bundle, arena, result, err);
    }
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    int code = gs_installation_bundle(installation, bundle, true, &verified, err);
    if (code != 0) {
        return code;
    }
    const gs_ledger_filter filter = {.kind = GS_ENTRY_ACCEPTED, .bundle = gs_verified_digest(verified)};
    gs_entry row = {0};
    bool found = false;
    code = gs_ledger_newest(installation->ledger, &filter, arena, &row, &found, err);
    if (code != 0) {
        return code;
    }
    bool first = found && row.run && strcmp(row.run, installation->id) == 0;
    gs_node *node = gs_bundle_node(arena, verified);
    node = gs_node_set_integer(arena, node, "size", (int64_t)gs_verified_length(verified));
    node = gs_node_set(arena, node, "new", gs_node_new_bool(arena, first));
    *result = node ? node : *result;
    return node ? 0 : gs_fail_nomem(err);
}

static int write_load(gs_installation *site, const gs_subject *subject, gs_entry_state state, const char *detail, int64_t duration,
                      gs_error *err)
{
    gs_entry entry = gs_site_entry(site, GS_ENTRY_STEP, "load", subject->verified);
    entry.state = state;
    entry.step = "load";
    entry.detail = detail;
    entry.duration = duration;
    return gs_ledger_append(site->ledger, &entry, err);
}

static int push(gs_installation *site, const gs_subject *subject, gs_loading *loading, gs_error *err)
{
    gs_error lost = {0};
    int64_t start = gs_ticks();
    int code = write_load(site, subject, GS_STATE_BEGUN, NULL, 0, err);
    if (code != 0) {
        return code;
    }
    code = gs_loading_push(loading, err);
    if (code == GS_EINTERRUPTED) {
        return code;
    }
    if (code != 0) {
        if (write_load(site, subject, GS_STATE_FAILED, err ? err->message : NULL, gs_ticks() - start, &lost) != 0) {
            gs_emit(&site->run, GS_WARNING, "ledger", NULL, 0, "the failure could not be written to the ledger: %s", lost.message);
        }
        return code;
    }
    char size[GS_SIZE_TEXT];
    char detail[64];
    gs_format_size(gs_loading_bytes(loading), size);
    (void)snprintf(detail, sizeof detail, "%zu images, %s", gs_loading_images(loading), size);
    return write_load(site, subject, GS_STATE_DONE, detail, gs_ticks() - start, err);
}

int gs_load(gs_installation *installation, const char *bundle, gs_arena *arena, gs_node **result, gs_error *err)
{
    GS_AUTO_SUBJECT gs_subject subject = {0};
    GS_AUTO_LOADING gs_loading *loading = NULL;
    int code = gs_installation_bundle(installation, bundle, true, &subject.verified, err);
    if (code == 0) {
        code = gs_contents_load(subject.verified, &subject.contents, err);
    }
    if (code == 0) {
        code = gs_loading_survey(installation, &subject, &loading, err);
    }
    if (code == 0 && !installation->site->registry.url) {
        code = gs_served_wait(installation, &subject, err);
    }
    if (code == 0 && gs_loading_images(loading) > 0) {
        code = push(installation, &subject, loading, err);
    }
    if (code != 0) {
        return code;
    }
    gs_node *node = gs_bundle_node(arena, subject.verified);
    node = gs_node_set_text(arena, node, "registry", gs_site_registry_host(installation->site));
    node = gs_node_set_integer(arena, node, "images", (int64_t)subject.contents->lock->images.count);
    node = gs_node_set_integer(arena, node, "pushed", (int64_t)gs_loading_images(loading));
    node = gs_node_set_integer(arena, node, "bytes", (int64_t)gs_loading_bytes(loading));
    *result = node ? node : *result;
    return node ? 0 : gs_fail_nomem(err);
}
