/* The verbs of permits: what lets a site take back an older bundle. */
#include "gapship/ceremony.h"
#include "gapship/num.h"
#include "passphrase.h"
#include "signing.h"
#include "terminal.h"
#include "verbs.h"

static int check_options(const gs_permit_options *options, bool any_site, gs_error *err)
{
    if (!options->site == !any_site) {
        gs_fail(err, GS_EUSAGE, "permit needs --site NAME, or --any-site");
        return gs_error_hint(err, "a permit for one site alone cannot be used at another; the name stands in its site.yaml");
    }
    if (!options->below) {
        gs_fail(err, GS_EUSAGE, "permit needs --below EPOCH.SEQUENCE");
        return gs_error_hint(err, "the newest that the site has accepted: once it has gone on, the permit does not count any more");
    }
    if (!options->reason) {
        gs_fail(err, GS_EUSAGE, "permit needs --reason TEXT");
        return gs_error_hint(err, "it stands in the site's ledger");
    }
    return options->output ? 0 : gs_fail(err, GS_EUSAGE, "permit needs -o FILE");
}

int gs_verb_permit(gs_invocation *invocation, gs_error *err)
{
    const gs_arguments *arguments = invocation->arguments;
    gs_arena *arena = invocation->arena;
    const gs_passphrase passphrase = gs_passphrase_source(invocation);
    gs_permit_options options = {.bundle = gs_positional(arguments, 0),
                                 .root = gs_value(arguments, "root"),
                                 .site = gs_value(arguments, "site"),
                                 .below = gs_value(arguments, "below"),
                                 .reason = gs_value(arguments, "reason"),
                                 .lasts = gs_value(arguments, "expires"),
                                 .passphrase = &passphrase,
                                 .output = gs_value(arguments, "out")};
    gs_permit permit;
    options.keys = gs_values(arguments, "key", &options.key_count);
    int code = check_options(&options, gs_flag(arguments, "any-site"), err);
    if (code == 0) {
        code = gs_permit_make(&invocation->run, &options, arena, &permit, err);
    }
    if (code < 0) {
        return code;
    }
    char digest[GS_DIGEST_TEXT], expires[GS_TIME_TEXT];
    gs_digest_text(&permit.bundle, digest);
    gs_format_time(permit.expires, expires);
    gs_print(invocation->terminal, "%s\n%s %s may come in at %s%s until %s\n%s", options.output, permit.product, digest,
             permit.site ? "the site " : "any site", permit.site ? permit.site : "", expires,
             options.key_count == 0 ? "nobody has signed it yet: `gapship permit sign`\n" : "");
    gs_node *result = gs_node_set_text(arena, gs_node_new_map(arena), "path", options.output);
    result = gs_node_set_text(arena, result, "bundle", digest);
    result = gs_node_set_text(arena, result, "expires", expires);
    return gs_print_result(invocation->terminal, gs_node_set_integer(arena, result, "signatures", (int64_t)options.key_count), err);
}

static int emit(gs_invocation *invocation, const char *permit, const char *path, gs_error *err)
{
    gs_tbs tbs;
    int code = gs_permit_emit(permit, path, &tbs, err);
    return code < 0 ? code : gs_print_result(invocation->terminal, gs_tbs_node(invocation, "permit sign", permit, &tbs), err);
}

int gs_verb_permit_sign(gs_invocation *invocation, gs_error *err)
{
    const gs_arguments *arguments = invocation->arguments;
    const char *permit = gs_positional(arguments, 0);
    const char *tbs = gs_value(arguments, "emit-tbs");
    const gs_passphrase passphrase = gs_passphrase_source(invocation);
    const gs_signer signer = {
        .key = gs_value(arguments, "key"), .file = gs_value(arguments, "signature"), .passphrase = &passphrase};
    gs_digest id;
    if (!signer.key == !tbs || (signer.file && !signer.key)) {
        gs_fail(err, GS_EUSAGE, "permit sign needs --key KEY, or --emit-tbs FILE, or --signature FILE with --key PUBLIC-KEY");
        return gs_error_hint(err, "--key signs here; --emit-tbs writes what a key elsewhere is to sign");
    }
    if (tbs) {
        return emit(invocation, permit, tbs, err);
    }
    int code = gs_permit_sign(permit, &signer, &id, err);
    return code < 0 ? code : gs_print_result(invocation->terminal, gs_signer_node(invocation, &id), err);
}
