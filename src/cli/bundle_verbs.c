/* Verbs of either side: looking into a bundle. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "gapship/contents.h"
#include "gapship/fs.h"
#include "gapship/install.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "terminal.h"
#include "verbs.h"

/* ---- opening ---- */

/* A path, or where there is no such file and a site, NAME@VERSION or a digest prefix of a bundle that the site keeps. */
static int find_bundle(gs_invocation *invocation, const char **path, gs_error *err)
{
    const char *bundle = gs_positional(invocation->arguments, 0);
    GS_AUTO_INSTALLATION gs_installation *site = NULL;
    gs_error no_site = {0};
    *path = bundle;
    if (strchr(bundle, '/') || gs_fs_exists(AT_FDCWD, bundle) ||
        gs_installation_open(&invocation->run, gs_value(invocation->arguments, "site"), false, &site, &no_site) != 0) {
        return 0;
    }
    return gs_installation_kept(site, bundle, invocation->arena, path, err);
}

/* --root, or the root of the site found here; NULL when there is neither. */
static int find_trust(gs_invocation *invocation, gs_trust **out, gs_error *err)
{
    const char *root = gs_value(invocation->arguments, "root");
    GS_AUTO_SITE gs_site *site = NULL;
    if (!root) {
        int code = gs_site_load(NULL, &site, err);
        if (code == GS_ENOTFOUND) {
            *err = (gs_error){0};
            return 0;
        }
        if (code < 0) {
            return code;
        }
        root = site->root;
    }
    return gs_trust_load(root, out, err);
}

static void print_roots(gs_invocation *invocation, uint64_t from, uint64_t to)
{
    gs_print(invocation->terminal, "root %" PRIu64 " -> %" PRIu64 ", which the bundle carries\n", from, to);
}

/* For this look alone; a site keeps the roots it follows. */
static int follow_roots(gs_invocation *invocation, const gs_bundle *bundle, gs_trust **trust, gs_error *err)
{
    const uint64_t from = gs_trust_version(*trust);
    int code = gs_bundle_walk(bundle, trust, NULL, NULL, err);
    if (code == 0 && gs_trust_version(*trust) > from) {
        print_roots(invocation, from, gs_trust_version(*trust));
    }
    return code;
}

/* Without trust the head is only looked at, and everything said of the bundle is said with that. */
static int open_bundle(gs_invocation *invocation, gs_verified **out, gs_error *err)
{
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_TRUST gs_trust *trust = NULL;
    size_t count = 0;
    const char *const *volumes = gs_values(invocation->arguments, "volumes", &count);
    const char *path = NULL;
    int code = find_bundle(invocation, &path, err);
    if (code == 0) {
        code = gs_bundle_open_volumes(path, volumes, count, &bundle, err);
    }
    if (code == 0) {
        code = find_trust(invocation, &trust, err);
    }
    if (code == 0 && trust) {
        code = follow_roots(invocation, bundle, &trust, err);
    }
    const gs_terms terms = {.trust = trust, .allow_unsigned = !trust};
    return code < 0 ? code : gs_bundle_verify(&bundle, &terms, out, err);
}

/* ---- the five verdicts ---- */

static int examine(gs_invocation *invocation, bool whole, gs_examination *out, gs_error *err)
{
    const gs_arguments *arguments = invocation->arguments;
    gs_examine_options options = {
        .root = gs_value(arguments, "root"), .site = gs_value(arguments, "site"), .whole = whole, .need_trust = whole};
    options.volumes = gs_values(arguments, "volumes", &options.volume_count);
    int code = find_bundle(invocation, &options.bundle, err);
    return code < 0 ? code : gs_examine(&invocation->run, &options, invocation->arena, out, err);
}

static gs_node *add_verdicts(gs_invocation *invocation, gs_node *result, const gs_examination *examination)
{
    const struct {
        const char *name;
        const gs_verdict *verdict;
    } all[] = {{"integrity", &examination->integrity},
               {"authenticity", &examination->authenticity},
               {"order", &examination->order},
               {"freshness", &examination->freshness},
               {"completeness", &examination->completeness}};
    gs_arena *arena = invocation->arena;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const char *state = gs_verdict_name(all[i].verdict->state);
        gs_print(invocation->terminal, "%-13s %-8s %s\n", all[i].name, state, all[i].verdict->reason);
        gs_node *map = gs_node_set_text(arena, gs_node_new_map(arena), "verdict", state);
        map = gs_node_set_text(arena, map, "reason", all[i].verdict->reason);
        map = gs_node_set_text(arena, map, "hint", all[i].verdict->hint);
        result = gs_node_set(arena, result, all[i].name, map);
    }
    if (examination->root_to > examination->root_from) {
        print_roots(invocation, examination->root_from, examination->root_to);
        result = gs_node_set_integer(arena, result, "rootFrom", (int64_t)examination->root_from);
        result = gs_node_set_integer(arena, result, "rootTo", (int64_t)examination->root_to);
    }
    return result;
}

/* The verdicts stand in the result; a bundle that fails is an error besides. */
static int finish_examination(gs_invocation *invocation, gs_node *result, const gs_examination *examination, gs_error *err)
{
    int code = gs_print_result(invocation->terminal, result, err);
    return code == 0 ? gs_examination_error(examination, err) : code;
}

/* ---- verify ---- */

int gs_verb_verify(gs_invocation *invocation, gs_error *err)
{
    gs_arena *arena = invocation->arena;
    GS_AUTO_EXAMINATION gs_examination examination = {0};
    int code = examine(invocation, true, &examination, err);
    if (code < 0) {
        return code;
    }
    gs_node *result = gs_node_new_map(arena);
    if (examination.verified) {
        char digest[GS_DIGEST_TEXT];
        const gs_statement *statement = gs_verified_statement(examination.verified);
        gs_digest_text(gs_verified_digest(examination.verified), digest);
        gs_print(invocation->terminal, "%s %s  %s\n", statement->product, statement->version, digest);
        result = gs_node_set_text(arena, result, "product", statement->product);
        result = gs_node_set_text(arena, result, "version", statement->version);
        result = gs_node_set_text(arena, result, "digest", digest);
    }
    result = add_verdicts(invocation, result, &examination);
    return finish_examination(invocation, result, &examination, err);
}

/* ---- inspect ---- */

static void print_signatures(gs_invocation *invocation, const gs_node *result, bool checked)
{
    const gs_node *signatures = gs_node_get(result, "signatures");
    for (size_t i = 0; i < signatures->count; i++) {
        const gs_node *signature = signatures->items[i];
        const char *says = !checked                            ? "not checked: no trust root given"
                           : !gs_node_bool(signature, "known") ? "by a key this root does not know"
                           : gs_node_bool(signature, "good")   ? "good"
                                                               : "bad";
        gs_print(invocation->terminal, "signature  %.16s…  %s\n", gs_node_text(signature, "keyId"), says);
    }
    if (signatures->count == 0) {
        gs_print(invocation->terminal, "signature  none: this bundle is not signed\n");
    }
}

static int print_contents(gs_invocation *invocation, const gs_node *result, gs_error *err)
{
    static const char *const titles[] = {"KIND", "NAME", "SIZE", "DIGEST"};
    static const struct {
        const char *key, *kind;
    } lists[] = {{"images", "image"}, {"charts", "chart"}, {"overlays", "overlay"}, {"files", "file"}};
    gs_table *table = NULL;
    int code = gs_table_new(invocation->arena, 4, titles, &table, err);
    for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++) {
        const gs_node *list = gs_node_get(result, lists[k].key);
        for (size_t i = 0; code == 0 && i < list->count; i++) {
            const gs_node *item = list->items[i];
            char *size = gs_arena_alloc(invocation->arena, GS_SIZE_TEXT);
            if (!size) {
                return gs_fail_nomem(err);
            }
            gs_format_size((uint64_t)gs_node_integer(item, "size", 0), size);
            const char *const cells[] = {lists[k].kind, gs_node_text(item, "name"), size, gs_node_text(item, "digest")};
            code = gs_table_add(table, cells, err);
        }
    }
    if (code == 0) {
        gs_table_print(invocation->terminal, table);
    }
    return code;
}

static void print_environments(gs_invocation *invocation, const gs_node *result)
{
    const gs_node *environments = gs_node_get(result, "environments");
    for (size_t e = 0; e < environments->count; e++) {
        const gs_node *environment = environments->items[e];
        const gs_node *units = gs_node_get(environment, "units");
        const gs_node *migrations = gs_node_get(environment, "migrations");
        gs_print(invocation->terminal, "environment %zu: %s\n", e + 1, gs_node_text(environment, "name"));
        for (size_t i = 0; i < migrations->count; i++) {
            gs_print(invocation->terminal, "  migration %s (%s)\n", gs_node_text(migrations->items[i], "name"),
                     gs_node_text(migrations->items[i], "phase"));
        }
        for (size_t i = 0; i < units->count; i++) {
            gs_print(invocation->terminal, "  unit %s from %s by %s\n", gs_node_text(units->items[i], "name"),
                     gs_node_text(units->items[i], "source"), gs_node_text(units->items[i], "target"));
        }
    }
}

static int print_bundle(gs_invocation *invocation, const gs_node *result, bool checked, gs_error *err)
{
    char size[GS_SIZE_TEXT];
    gs_format_size((uint64_t)gs_node_integer(result, "size", 0), size);
    gs_print(invocation->terminal, "%s %s, sequence %lld, %s, issued %s\ndigest     %s\n", gs_node_text(result, "product"),
             gs_node_text(result, "version"), (long long)gs_node_integer(result, "sequence", 0), size,
             gs_node_text(result, "issuedAt"), gs_node_text(result, "digest"));
    if (gs_node_text(result, "commit")) {
        gs_print(invocation->terminal, "commit     %s %s\n", gs_node_text(result, "commit"),
                 gs_node_text(result, "ref") ? gs_node_text(result, "ref") : "");
    }
    print_signatures(invocation, result, checked);
    int code = print_contents(invocation, result, err);
    if (code == 0) {
        print_environments(invocation, result);
    }
    return code;
}

/* What an incomplete bundle lists cannot be told; its verdicts can. */
static int describe(gs_invocation *invocation, const gs_examination *examination, gs_node **result, gs_error *err)
{
    GS_AUTO_CONTENTS gs_contents *contents = NULL;
    const gs_verified *verified = examination->verified;
    if (!verified || examination->completeness.state == GS_VERDICT_FAIL) {
        *result = gs_node_new_map(invocation->arena);
        return *result ? 0 : gs_fail_nomem(err);
    }
    int code = gs_contents_load(verified, &contents, err);
    if (code == 0) {
        code = gs_contents_describe(verified, contents, invocation->arena, result, err);
    }
    return code < 0 ? code : print_bundle(invocation, *result, examination->authenticity.state != GS_VERDICT_UNKNOWN, err);
}

int gs_verb_inspect(gs_invocation *invocation, gs_error *err)
{
    GS_AUTO_EXAMINATION gs_examination examination = {0};
    gs_node *result = NULL;
    int code = examine(invocation, false, &examination, err);
    if (code == 0) {
        code = describe(invocation, &examination, &result, err);
    }
    if (code < 0) {
        return code;
    }
    return finish_examination(invocation, add_verdicts(invocation, result, &examination), &examination, err);
}

/* ---- extract ---- */

static int open_new_directory(const char *path, int *fd, gs_error *err)
{
    if (gs_fs_exists(AT_FDCWD, path)) {
        return gs_fail(err, GS_EEXISTS, "%s exists already", path);
    }
    int code = gs_fs_make_dirs(AT_FDCWD, path, 0755, err);
    return code < 0 ? code : gs_fs_open_dir(AT_FDCWD, path, fd, err);
}

static int extract_named(const gs_verified *verified, const char *name, const char *out, gs_error *err)
{
    GS_AUTO_CONTENTS gs_contents *contents = NULL;
    int code = gs_contents_load(verified, &contents, err);
    return code < 0 ? code : gs_extract_one(verified, contents, name, AT_FDCWD, out, err);
}

int gs_verb_extract(gs_invocation *invocation, gs_error *err)
{
    const char *signatures = gs_value(invocation->arguments, "signatures");
    const char *out = gs_value(invocation->arguments, "out");
    const char *name = gs_positional(invocation->arguments, 1);
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    GS_AUTO_FD int dirfd = -1;
    if (!out && !signatures) {
        return gs_fail(err, GS_EUSAGE, "extract needs -o PATH, or --signatures DIR");
    }
    int code = open_bundle(invocation, &verified, err);
    if (code == 0 && !gs_verified_authentic(verified)) {
        gs_emit(&invocation->run, GS_WARNING, "notAuthentic", NULL, 0,
                "no signature was checked: what is extracted is whole, but anybody may have made it");
    }
    if (code == 0 && signatures) {
        code = open_new_directory(signatures, &dirfd, err);
        if (code == 0) {
            code = gs_extract_signatures(verified, dirfd, err);
        }
    }
    if (code == 0 && out && name) {
        code = extract_named(verified, name, out, err);
    } else if (code == 0 && out) {
        gs_fs_close_p(&dirfd);
        code = open_new_directory(out, &dirfd, err);
        if (code == 0) {
            code = gs_extract_layout(&invocation->run, verified, dirfd, err);
        }
    }
    if (code < 0) {
        return code;
    }
    gs_print(invocation->terminal, "wrote %s\n", out ? out : signatures);
    gs_arena *arena = invocation->arena;
    return gs_print_result(invocation->terminal, gs_node_set_text(arena, gs_node_new_map(arena), "path", out ? out : signatures),
                           err);
}
