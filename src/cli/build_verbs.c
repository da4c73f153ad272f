/* The verbs of the build side. */
#include "gapship/build.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "passphrase.h"
#include "signing.h"
#include "terminal.h"
#include "verbs.h"

static gs_node *digest_node(gs_arena *arena, const gs_digest *digest)
{
    char text[GS_DIGEST_TEXT];
    gs_digest_text(digest, text);
    return gs_node_new_text(arena, text);
}

int gs_verb_init(gs_invocation *invocation, gs_error *err)
{
    const char *directory = gs_positional(invocation->arguments, 0);
    gs_arena *arena = invocation->arena;
    const char *file = directory ? gs_arena_printf(arena, "%s/release.yaml", directory) : "release.yaml";
    int code = file ? gs_init(&invocation->run, directory ? directory : ".", err) : gs_fail_nomem(err);
    if (code < 0) {
        return code;
    }
    gs_print(invocation->terminal, "wrote %s; `gapship images --write` adds the images it needs\n", file);
    return gs_print_result(invocation->terminal, gs_node_set_text(arena, gs_node_new_map(arena), "file", file), err);
}

int gs_verb_images(gs_invocation *invocation, gs_error *err)
{
    static const char *const titles[] = {"ENVIRONMENT", "IMAGE", "LISTED", "OBJECT"};
    const gs_arguments *arguments = invocation->arguments;
    const gs_images_options options = {.release_file = gs_value(arguments, "file"),
                                       .environment = gs_value(arguments, "environment"),
                                       .write = gs_flag(arguments, "write")};
    gs_node *rows = NULL;
    gs_table *table = NULL;
    int code = gs_images(&invocation->run, &options, invocation->arena, &rows, err);
    if (code == 0) {
        code = gs_table_new(invocation->arena, 4, titles, &table, err);
    }
    for (size_t i = 0; code == 0 && i < rows->count; i++) {
        const gs_node *row = rows->items[i];
        const char *const cells[] = {gs_node_text(row, "environment"), gs_node_text(row, "image"),
                                     gs_node_bool(row, "listed") ? "yes"
                                     : gs_node_bool(row, "runs") ? options.write ? "added" : "no"
                                                                 : "mentioned",
                                     gs_node_text(row, "object")};
        code = gs_table_add(table, cells, err);
    }
    if (code < 0) {
        return code;
    }
    gs_table_print(invocation->terminal, table);
    return gs_print_result(invocation->terminal, gs_node_set(invocation->arena, gs_node_new_map(invocation->arena), "images", rows),
                           err);
}

int gs_verb_lock(gs_invocation *invocation, gs_error *err)
{
    const gs_arguments *arguments = invocation->arguments;
    const char *names[256];
    size_t count = gs_positional_count(arguments);
    if (count > sizeof names / sizeof names[0]) {
        return gs_fail(err, GS_ELIMIT, "more than %zu names; --update without a name updates all", sizeof names / sizeof names[0]);
    }
    if (count > 0 && !gs_flag(arguments, "update")) {
        return gs_fail(err, GS_EUSAGE, "names go with --update");
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = gs_positional(arguments, i);
    }
    const gs_lock_options options = {.release_file = gs_value(arguments, "file"),
                                     .check = gs_flag(arguments, "check"),
                                     .update = gs_flag(arguments, "update"),
                                     .names = names,
                                     .name_count = count};
    size_t changed = 0;
    int code = gs_lock_make(&invocation->run, &options, &changed, err);
    if (code < 0) {
        return code;
    }
    gs_print(invocation->terminal, changed == 0 ? "release.lock is up to date\n" : "release.lock: %zu changed\n", changed);
    gs_arena *arena = invocation->arena;
    return gs_print_result(invocation->terminal, gs_node_set_integer(arena, gs_node_new_map(arena), "changed", (int64_t)changed),
                           err);
}

static int print_built(gs_invocation *invocation, const gs_build_result *built, gs_error *err)
{
    char size[GS_SIZE_TEXT], fetched[GS_SIZE_TEXT], copied[GS_SIZE_TEXT], digest[GS_DIGEST_TEXT];
    gs_arena *arena = invocation->arena;
    gs_format_size(built->size, size);
    gs_format_size(built->fetched, fetched);
    gs_format_size(built->copied, copied);
    gs_digest_text(&built->digest, digest);
    const char *last = "";
    if (built->volumes > 1) {
        last = gs_arena_printf(arena, " to .%03zu", built->volumes);
    }
    gs_print(invocation->terminal, "%s%s\n%s, %zu images, %zu blobs; %s fetched, %s copied from earlier bundles\n%s\n", built->path,
             last ? last : "", size, built->images, built->blobs, fetched, copied, digest);
    gs_node *result = gs_node_new_map(arena);
    result = gs_node_set_text(arena, result, "path", built->path);
    result = gs_node_set(arena, result, "digest", digest_node(arena, &built->digest));
    result = gs_node_set_integer(arena, result, "size", (int64_t)built->size);
    result = gs_node_set_integer(arena, result, "images", (int64_t)built->images);
    result = gs_node_set_integer(arena, result, "blobs", (int64_t)built->blobs);
    result = gs_node_set_integer(arena, result, "fetched", (int64_t)built->fetched);
    result = gs_node_set_integer(arena, result, "copied", (int64_t)built->copied);
    if (built->volumes > 0) {
        result = gs_node_set_integer(arena, result, "volumes", (int64_t)built->volumes);
    }
    if (built->tbs.size > 0) {
        result = gs_node_set(arena, result, "tbs", gs_tbs_node(invocation, "attach-signature", built->path, &built->tbs));
    }
    return gs_print_result(invocation->terminal, result, err);
}

static int volume_size(const gs_arguments *arguments, uint64_t *out, gs_error *err)
{
    const char *text = gs_value(arguments, "volume-size");
    if (text && (!gs_parse_size(text, out) || *out < GS_MIN_VOLUME_BYTES)) {
        return gs_fail(err, GS_EUSAGE, "--volume-size takes a size of at least 1MiB, such as 4GB or 700MiB, not \"%s\"", text);
    }
    return 0;
}

int gs_verb_build(gs_invocation *invocation, gs_error *err)
{
    const gs_arguments *arguments = invocation->arguments;
    gs_passphrase passphrase = gs_passphrase_source(invocation);
    gs_build_options options = {.passphrase = &passphrase,
                                .release_file = gs_value(arguments, "file"),
                                .output = gs_value(arguments, "out"),
                                .emit_tbs = gs_value(arguments, "emit-tbs"),
                                .allow_unsigned = gs_flag(arguments, "unsigned"),
                                .force = gs_flag(arguments, "force")};
    options.keys = gs_values(arguments, "key", &options.key_count);
    options.reuse = gs_values(arguments, "reuse", &options.reuse_count);
    options.roots = gs_values(arguments, "root", &options.root_count);
    gs_build_result built = {0};
    int code = volume_size(arguments, &options.volume_size, err);
    if (code == 0) {
        code = gs_build(&invocation->run, &options, &built, err);
    }
    if (code == 0) {
        code = print_built(invocation, &built, err);
    }
    gs_build_result_done(&built);
    return code;
}
