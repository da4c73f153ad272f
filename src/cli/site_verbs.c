/* The verbs of the site side: results as tables that people can read aloud. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gapship/install.h"
#include "gapship/num.h"
#include "terminal.h"
#include "verbs.h"

static int open_site(gs_invocation *invocation, bool change, gs_installation **out, gs_error *err)
{
    int code = gs_installation_open(&invocation->run, gs_value(invocation->arguments, "site"), change, out, err);
    if (code == 0) {
        (*out)->volumes = gs_values(invocation->arguments, "volumes", &(*out)->volume_count);
    }
    const char *permit = gs_value(invocation->arguments, "permit");
    return code == 0 && permit ? gs_installation_permit(*out, permit, err) : code;
}

static const char *size_text(gs_arena *arena, int64_t bytes)
{
    char text[GS_SIZE_TEXT];
    gs_format_size((uint64_t)bytes, text);
    return gs_arena_text(arena, text);
}

/* "sha256:" and 12 digits: enough to tell bundles apart in a table; JSON has all of it. */
static const char *short_digest(gs_arena *arena, const char *digest)
{
    return digest ? gs_arena_printf(arena, "%.19s", digest) : NULL;
}

static size_t count_of(const gs_node *map, const char *key)
{
    const gs_node *list = gs_node_get(map, key);
    return list ? list->count : 0;
}

/* ---- site init, import, load ---- */

int gs_verb_site_init(gs_invocation *invocation, gs_error *err)
{
    const char *directory = gs_positional(invocation->arguments, 0);
    const char *root = gs_value(invocation->arguments, "root");
    gs_digest fingerprint;
    char text[GS_DIGEST_TEXT];
    if (!root) {
        gs_fail(err, GS_EUSAGE, "site init needs --root FILE: whom this site trusts");
        return gs_error_hint(err, "the public key or root document that you were given by another way than the bundle");
    }
    directory = directory ? directory : ".";
    int code = gs_site_create(&invocation->run, directory, root, &fingerprint, err);
    if (code < 0) {
        return code;
    }
    gs_digest_text(&fingerprint, text);
    gs_print(invocation->terminal,
             "wrote %s/site.yaml\nfingerprint of the trust root, to compare with what its owner says:\n  %s\nNext: look through "
             "site.yaml, then "
             "gapship plan BUNDLE\n",
             directory, text);
    gs_arena *arena = invocation->arena;
    gs_node *result = gs_node_set_text(arena, gs_node_new_map(arena), "directory", directory);
    return gs_print_result(invocation->terminal, gs_node_set_text(arena, result, "fingerprint", text), err);
}

static void print_roots(gs_invocation *invocation, const gs_node *result)
{
    const long long from = (long long)gs_node_integer(result, "rootFrom", 0);
    const long long to = (long long)gs_node_integer(result, "rootTo", 0);
    const char *fingerprint = gs_node_text(result, "fingerprint");
    if (from == to) {
        gs_print(invocation->terminal, "the trust root was root %lld already  %s\n", to, fingerprint);
    } else {
        gs_print(invocation->terminal, "root %lld -> %lld  %s\n", from, to, fingerprint);
    }
}

int gs_verb_import(gs_invocation *invocation, gs_error *err)
{
    gs_arena *arena = invocation->arena;
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    gs_node *imported = gs_node_new_list(arena);
    gs_node *roots = gs_node_new_list(arena);
    int code = open_site(invocation, true, &site, err);
    for (size_t i = 0; code == 0 && i < gs_positional_count(invocation->arguments); i++) {
        gs_node *result = NULL;
        code = gs_import(site, gs_positional(invocation->arguments, i), arena, &result, err);
        if (code < 0) {
            break;
        }
        if (gs_node_get(result, "rootTo")) {
            print_roots(invocation, result);
            roots = gs_node_append(arena, roots, result);
            continue;
        }
        gs_print(invocation->terminal, "%s %s %s, %s%s  %s\n", gs_node_bool(result, "new") ? "kept" : "was kept already",
                 gs_node_text(result, "product"), gs_node_text(result, "version"),
                 gs_node_bool(result, "authentic") ? "" : "not signed, ", size_text(arena, gs_node_integer(result, "size", 0)),
                 gs_node_text(result, "bundle"));
        imported = gs_node_append(arena, imported, result);
    }
    gs_node *result = gs_node_set(arena, gs_node_new_map(arena), "bundles", imported);
    return code < 0 ? code : gs_print_result(invocation->terminal, gs_node_set(arena, result, "roots", roots), err);
}

int gs_verb_load(gs_invocation *invocation, gs_error *err)
{
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    gs_node *result = NULL;
    int code = open_site(invocation, true, &site, err);
    if (code == 0) {
        code = gs_load(site, gs_positional(invocation->arguments, 0), invocation->arena, &result, err);
    }
    if (code < 0) {
        return code;
    }
    gs_print(invocation->terminal, "%s: %lld of %lld images pushed, %s\n", gs_node_text(result, "registry"),
             (long long)gs_node_integer(result, "pushed", 0), (long long)gs_node_integer(result, "images", 0),
             size_text(invocation->arena, gs_node_integer(result, "bytes", 0)));
    return gs_print_result(invocation->terminal, result, err);
}

/* ---- plan ---- */

static void print_unit(gs_invocation *invocation, const gs_node *unit)
{
    static const struct {
        const char *name, *sign;
    } signs[] = {{"add", "+"}, {"modify", "~"}, {"remove", "-"}};
    const gs_node *changes = gs_node_get(unit, "changes");
    gs_print(invocation->terminal, "  unit %s (%s): %s\n", gs_node_text(unit, "name"), gs_node_text(unit, "target"),
             changes && changes->count > 0 ? "" : "nothing to change");
    for (size_t i = 0; changes && i < changes->count; i++) {
        const gs_node *change = changes->items[i];
        const char *sign = "?";
        for (size_t k = 0; k < sizeof signs / sizeof signs[0]; k++) {
            sign = strcmp(gs_node_text(change, "change"), signs[k].name) == 0 ? signs[k].sign : sign;
        }
        gs_print(invocation->terminal, "    %s %s%s\n", sign, gs_node_text(change, "what"),
                 gs_node_bool(change, "protected") ? "  (protected: stays)" : "");
    }
}

static void print_planned(gs_invocation *invocation, const gs_node *environment)
{
    const char *from = gs_node_text(environment, "from");
    const gs_node *images = gs_node_get(environment, "images");
    const gs_node *gates = gs_node_get(environment, "gates");
    const gs_node *migrations = gs_node_get(environment, "migrations");
    const gs_node *units = gs_node_get(environment, "units");
    const gs_node *checks = gs_node_get(environment, "verify");
    gs_print(invocation->terminal, "%s%s%s\n", gs_node_text(environment, "name"), from ? ", from " : ", first installation",
             from ? from : "");
    if (images && gs_node_integer(images, "push", 0) > 0) {
        gs_print(invocation->terminal, "  %lld images to push, %s\n", (long long)gs_node_integer(images, "push", 0),
                 size_text(invocation->arena, gs_node_integer(images, "bytes", 0)));
    }
    for (size_t i = 0; gates && i < gates->count; i++) {
        gs_print(invocation->terminal, "  gate: verified in %s\n", gs_node_text(gates->items[i], "verifiedIn"));
    }
    for (size_t i = 0; migrations && i < migrations->count; i++) {
        const char *reason = gs_node_text(migrations->items[i], "reason");
        gs_print(invocation->terminal, "  migration %s: %s%s%s\n", gs_node_text(migrations->items[i], "name"),
                 gs_node_text(migrations->items[i], "action"), reason ? ", " : "", reason ? reason : "");
    }
    for (size_t i = 0; units && i < units->count; i++) {
        print_unit(invocation, units->items[i]);
    }
    for (size_t i = 0; checks && i < checks->count; i++) {
        gs_print(invocation->terminal, "  verify %s\n", gs_node_text(checks->items[i], "url"));
    }
}

static void print_plan(gs_invocation *invocation, const gs_node *result, bool changes)
{
    const gs_node *environments = gs_node_get(result, "environments");
    gs_print(invocation->terminal, "%s of %s %s\n", gs_node_text(result, "verb"), gs_node_text(result, "product"),
             gs_node_text(result, "version"));
    for (size_t i = 0; i < environments->count; i++) {
        print_planned(invocation, environments->items[i]);
    }
    gs_print(invocation->terminal, "%s\nplan %s\n", changes ? "" : "nothing would change", gs_node_text(result, "plan"));
}

int gs_verb_plan(gs_invocation *invocation, gs_error *err)
{
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    gs_node *result = NULL;
    bool changes = false;
    const gs_install_options options = {.bundle = gs_positional(invocation->arguments, 0),
                                        .to = gs_value(invocation->arguments, "to")};
    int code = open_site(invocation, false, &site, err);
    if (code == 0) {
        code = gs_plan_show(site, &options, invocation->arena, &result, &changes, err);
    }
    if (code < 0) {
        return code;
    }
    print_plan(invocation, result, changes);
    code = gs_print_result(invocation->terminal, result, err);
    return code < 0 ? code : changes ? GS_EXIT_CHANGES : 0;
}

/* ---- install, rollback ---- */

static void print_run(gs_invocation *invocation, const gs_node *result)
{
    const gs_node *environments = gs_node_get(result, "environments");
    for (size_t e = 0; environments && e < environments->count; e++) {
        const gs_node *steps = gs_node_get(environments->items[e], "steps");
        size_t done = 0;
        for (size_t i = 0; steps && i < steps->count; i++) {
            done += strcmp(gs_node_text(steps->items[i], "state"), "done") == 0 ? 1 : 0;
        }
        gs_print(invocation->terminal, "%s runs %s %s (%zu steps, %zu of them changed something)\n",
                 gs_node_text(environments->items[e], "name"), gs_node_text(result, "product"), gs_node_text(result, "version"),
                 count_of(environments->items[e], "steps"), done);
    }
}

typedef int (*site_change)(gs_installation *site, const gs_install_options *options, gs_arena *arena, gs_node **result,
                           gs_error *err);

static int change_site(gs_invocation *invocation, site_change change, const gs_install_options *options, const char *question,
                       gs_error *err)
{
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    gs_node *result = NULL;
    int code = 0;
    if (!gs_flag(invocation->arguments, "yes")) {
        code = gs_confirm(invocation->terminal, question, err);
    }
    if (code == 0) {
        code = open_site(invocation, true, &site, err);
    }
    if (code == 0) {
        code = change(site, options, invocation->arena, &result, err);
    }
    if (code < 0) {
        return code;
    }
    print_run(invocation, result);
    return gs_print_result(invocation->terminal, result, err);
}

/* On a terminal the plan is shown before the question. */
static int show_plan_first(gs_invocation *invocation, const gs_install_options *options, gs_error *err)
{
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    gs_node *result = NULL;
    bool changes = false;
    if (gs_flag(invocation->arguments, "yes") || !gs_terminal_can_ask(invocation->terminal)) {
        return 0;
    }
    int code = open_site(invocation, false, &site, err);
    if (code == 0) {
        code = gs_plan_show(site, options, invocation->arena, &result, &changes, err);
    }
    if (code == 0) {
        print_plan(invocation, result, changes);
    }
    return code;
}

int gs_verb_install(gs_invocation *invocation, gs_error *err)
{
    const gs_install_options options = {.bundle = gs_positional(invocation->arguments, 0),
                                        .to = gs_value(invocation->arguments, "to")};
    int code = show_plan_first(invocation, &options, err);
    return code < 0 ? code : change_site(invocation, gs_install, &options, "Install this?", err);
}

int gs_verb_rollback(gs_invocation *invocation, gs_error *err)
{
    const gs_install_options options = {.to_version = gs_value(invocation->arguments, "to"),
                                        .environment = gs_value(invocation->arguments, "environment"),
                                        .accept_revoked = gs_flag(invocation->arguments, "accept-revoked-signer")};
    char question[128];
    (void)snprintf(question, sizeof question, "Roll %s back to %s?",
                   options.environment ? options.environment : "every environment",
                   options.to_version ? options.to_version : "the version before");
    return change_site(invocation, gs_rollback, &options, question, err);
}

/* ---- status, history ---- */

static const char *images_text(gs_arena *arena, const gs_node *unit)
{
    const gs_node *images = gs_node_get(unit, "images");
    const char *text = images && images->count > 0 ? images->items[0]->text : NULL;
    for (size_t i = 1; text && i < images->count; i++) {
        text = gs_arena_printf(arena, "%s, %s", text, images->items[i]->text);
    }
    return text;
}

static int add_units(gs_invocation *invocation, gs_table *table, const gs_node *environment, gs_error *err)
{
    const gs_node *units = gs_node_get(environment, "units");
    int code = 0;
    for (size_t i = 0; code == 0 && units && i < units->count; i++) {
        const gs_node *unit = units->items[i];
        const char *error = gs_node_text(unit, "error");
        const char *cells[] = {"", "", gs_node_text(unit, "name"),
                               error                                   ? "unknown"
                               : gs_node_integer(unit, "drift", 0) > 0 ? "drifted"
                                                                       : "as wanted",
                               error ? error : images_text(invocation->arena, unit)};
        code = gs_table_add(table, cells, err);
    }
    return code;
}

static void print_site(gs_invocation *invocation, const gs_node *status)
{
    const gs_node *root = gs_node_get(status, "root");
    const gs_node *accepted = gs_node_get(status, "accepted");
    const char *registry = gs_node_text(status, "registry");
    gs_print(invocation->terminal, "site %s, registry %s, %zu bundles kept\n", gs_node_text(status, "site"),
             registry ? registry : "none", count_of(status, "bundles"));
    if (root) {
        const char *expires = gs_node_text(root, "expires");
        gs_print(invocation->terminal, "trust root %" PRId64 ", epoch %" PRId64 "%s%s\n", gs_node_integer(root, "version", 0),
                 gs_node_integer(root, "epoch", 0), expires ? ", expires at " : "", expires ? expires : "");
    }
    for (size_t i = 0; i < accepted->count; i++) {
        const gs_node *newest = accepted->items[i];
        gs_print(invocation->terminal, "%s: accepted up to %" PRId64 ".%" PRId64 " (%s)\n", gs_node_text(newest, "product"),
                 gs_node_integer(newest, "epoch", 0), gs_node_integer(newest, "sequence", 0), gs_node_text(newest, "version"));
    }
}

int gs_verb_status(gs_invocation *invocation, gs_error *err)
{
    static const char *const titles[] = {"ENVIRONMENT", "VERSION", "UNIT", "STATE", "LIVE"};
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    gs_node *result = NULL;
    gs_table *table = NULL;
    int code = open_site(invocation, false, &site, err);
    if (code == 0) {
        code = gs_status(site, invocation->arena, &result, err);
    }
    if (code == 0) {
        code = gs_table_new(invocation->arena, 5, titles, &table, err);
    }
    const gs_node *environments = code == 0 ? gs_node_get(result, "environments") : NULL;
    for (size_t i = 0; code == 0 && environments && i < environments->count; i++) {
        const gs_node *environment = environments->items[i];
        const char *since = gs_node_text(environment, "since");
        const gs_node *failed = gs_node_get(environment, "failed");
        const char *detail = failed  ? gs_arena_printf(invocation->arena, "%s: %s",
                                                      gs_node_text(failed, "step") ? gs_node_text(failed, "step") : "",
                                                      gs_node_text(failed, "message") ? gs_node_text(failed, "message") : "")
                             : since ? gs_arena_printf(invocation->arena, "since %s", since)
                                     : NULL;
        const char *cells[] = {gs_node_text(environment, "name"), gs_node_text(environment, "version"), "",
                               gs_node_text(environment, "state"), detail};
        code = gs_table_add(table, cells, err);
        if (code == 0) {
            code = add_units(invocation, table, environment, err);
        }
    }
    if (code < 0) {
        return code;
    }
    print_site(invocation, result);
    gs_table_print(invocation->terminal, table);
    return gs_print_result(invocation->terminal, result, err);
}

int gs_verb_history(gs_invocation *invocation, gs_error *err)
{
    static const char *const titles[] = {"TIME", "VERB", "WHAT", "STATE", "VERSION", "BUNDLE", "DETAIL"};
    gs_arena *arena = invocation->arena;
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    gs_node *result = NULL;
    gs_table *table = NULL;
    int code = open_site(invocation, false, &site, err);
    if (code == 0) {
        code = gs_history(site, gs_flag(invocation->arguments, "audit"), arena, &result, err);
    }
    if (code == 0) {
        code = gs_table_new(arena, 7, titles, &table, err);
    }
    const gs_node *rows = code == 0 ? gs_node_get(result, "rows") : NULL;
    for (size_t i = 0; code == 0 && i < rows->count; i++) {
        const gs_node *row = rows->items[i];
        const char *environment = gs_node_text(row, "environment");
        const char *step = gs_node_text(row, "step");
        const char *what = environment && step ? gs_arena_printf(arena, "%s/%s", environment, step)
                           : environment       ? environment
                           : step              ? step
                                               : gs_node_text(row, "kind");
        const char *cells[] = {gs_node_text(row, "time"),
                               gs_node_text(row, "verb"),
                               what,
                               gs_node_text(row, "state") ? gs_node_text(row, "state") : gs_node_text(row, "kind"),
                               gs_node_text(row, "version"),
                               short_digest(arena, gs_node_text(row, "bundle")),
                               gs_node_text(row, "detail")};
        code = gs_table_add(table, cells, err);
    }
    if (code < 0) {
        return code;
    }
    gs_table_print(invocation->terminal, table);
    if (gs_flag(invocation->arguments, "audit")) {
        gs_print(invocation->terminal, "%lld rows, the chain is whole; its head is %s\n",
                 (long long)gs_node_integer(result, "checked", 0),
                 gs_node_text(result, "head") ? gs_node_text(result, "head") : "-");
    }
    return gs_print_result(invocation->terminal, result, err);
}

/* ---- serve ---- */

static void announce(void *state, const char *address)
{
    const gs_invocation *invocation = state;
    const gs_fact facts[] = {GS_TEXT_FACT("address", address)};
    gs_emit(&invocation->run, GS_NOTICE, "serving", facts, 1, "serving on %s; Ctrl-C ends it", address);
}

int gs_verb_serve(gs_invocation *invocation, gs_error *err)
{
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    int code = open_site(invocation, false, &site, err);
    return code < 0 ? code : gs_serve(site, gs_value(invocation->arguments, "listen"), announce, invocation, err);
}
