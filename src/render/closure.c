/* Follows a kustomization through everything it reads, inside one tree. What it names outside that tree cannot be carried and is
 * refused, with its line. Must not know what the files say beyond the names in them. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

typedef struct closure {
    const gs_run *run;
    const char *root; /* the tree, as the caller named it */
    char *real_root;  /* with its links resolved */
    int tree;
    gs_arena *arena;
    const char **files; /* as they come, with repetitions */
    size_t file_count, file_room;
    const char **seen; /* directories followed */
    size_t seen_count, seen_room;
} closure;

/* One kustomization being followed. */
typedef struct following {
    closure *closure;
    const char *directory;
    const char *file;
    int depth;
} following;

static int push_text(gs_arena *arena, const char ***items, size_t *count, size_t *room, const char *text, gs_error *err)
{
    const char **all = gs_arena_more(arena, *items, *count, room, sizeof *all);
    if (!all) {
        return gs_fail_nomem(err);
    }
    *items = all;
    (*items)[(*count)++] = text;
    return 0;
}

static int add_file(closure *c, const char *path, gs_error *err)
{
    return push_text(c->arena, &c->files, &c->file_count, &c->file_room, path, err);
}

static int refuse(const following *f, const gs_node *entry, gs_error *err, const char *why)
{
    gs_fail(err, GS_ECHECK, "%s: \"%.200s\"", why, entry->text ? entry->text : "");
    return gs_error_at(err, "%s:%d:%d", f->file, entry->line, entry->column);
}

static int refuse_remote(const following *f, const gs_node *entry, gs_error *err)
{
    (void)refuse(f, entry, err, "this is read over the network, which the site does not have");
    return gs_error_hint(err,
                         "keep a copy in the tree and name that, or list the repository under `overlays` with `git: {url, ref}`");
}

static int refuse_outside(const following *f, const gs_node *entry, gs_error *err)
{
    (void)refuse(f, entry, err, "this leaves the tree that the bundle carries");
    return gs_error_hint(err, "let the overlay's `from` be a directory above both, and `path` the one below it");
}

typedef enum entry_kind { ENTRY_FILE, ENTRY_DIRECTORY } entry_kind;

/* Where entry leads; links are followed, and may not lead out of the tree either. */
static int look_up(const following *f, const gs_node *entry, const char *written, const char **path, entry_kind *kind,
                   gs_error *err)
{
    closure *c = f->closure;
    bool failed = false;
    struct stat info;
    if (gs_kustomization_remote(written)) {
        return refuse_remote(f, entry, err);
    }
    *path = gs_kustomization_join(c->arena, f->directory, written, &failed);
    if (failed) {
        return gs_fail_nomem(err);
    }
    if (!*path) {
        return refuse_outside(f, entry, err);
    }
    const char *whole = gs_arena_printf(c->arena, "%s/%s", c->root, *path);
    if (!whole) {
        return gs_fail_nomem(err);
    }
    GS_AUTO_FREE char *real = gs_fs_real_path(whole);
    if (!real || stat(real, &info) != 0) {
        return refuse(f, entry, err, "what this names does not exist");
    }
    size_t len = strlen(c->real_root);
    if (strncmp(real, c->real_root, len) != 0 || (real[len] != '/' && real[len] != '\0')) {
        return refuse_outside(f, entry, err);
    }
    *kind = S_ISDIR(info.st_mode) ? ENTRY_DIRECTORY : ENTRY_FILE;
    return 0;
}

static int follow_directory(closure *c, const char *directory, int depth, gs_error *err);

/* A text that stands where a file could be named: YAML itself, not a name. */
static bool is_inline(const gs_node *entry)
{
    return strchr(entry->text, '\n') || strchr(entry->text, '{');
}

static bool names_something(const gs_node *entry)
{
    return entry && entry->kind == GS_NODE_TEXT && entry->text_len > 0;
}

static int follow_file(const following *f, const gs_node *entry, const char *written, gs_error *err)
{
    const char *path = NULL;
    entry_kind kind = ENTRY_FILE;
    int code = look_up(f, entry, written, &path, &kind, err);
    if (code == 0 && kind == ENTRY_DIRECTORY) {
        code = refuse(f, entry, err, "this is a directory where a file is due");
    }
    return code < 0 ? code : add_file(f->closure, path, err);
}

/* An entry that may be a file or a directory with a kustomization of its own. */
static int follow_any(const following *f, const gs_node *entry, const char **file, gs_error *err)
{
    const char *path = NULL;
    entry_kind kind = ENTRY_FILE;
    int code = look_up(f, entry, entry->text, &path, &kind, err);
    if (code < 0) {
        return code;
    }
    if (kind == ENTRY_DIRECTORY) {
        code = follow_directory(f->closure, path, f->depth + 1, err);
        /* What is wrong in there has its own place; that nothing is there has this one. */
        if (code < 0 && err && err->where[0] == '\0') {
            (void)gs_error_at(err, "%s:%d:%d", f->file, entry->line, entry->column);
        }
        return code;
    }
    *file = path;
    return add_file(f->closure, path, err);
}

/* Fields -------------------------------------------------------------------------------------------------------------------------
 */

/* A field is a list of names, or one name. */
static int each_name(const following *f, const gs_node *field,
                     int (*follow)(const following *f, const gs_node *entry, gs_error *err), gs_error *err)
{
    int code = 0;
    if (!field) {
        return 0;
    }
    if (names_something(field)) {
        return follow(f, field, err);
    }
    for (size_t i = 0; code == 0 && field->kind == GS_NODE_LIST && i < field->count; i++) {
        if (names_something(field->items[i])) {
            code = follow(f, field->items[i], err);
        }
    }
    return code;
}

static int plain_file(const following *f, const gs_node *entry, gs_error *err)
{
    return follow_file(f, entry, entry->text, err);
}

static int file_or_inline(const following *f, const gs_node *entry, gs_error *err)
{
    return is_inline(entry) ? 0 : plain_file(f, entry, err);
}

/* "key=path" or "path". */
static int keyed_file(const following *f, const gs_node *entry, gs_error *err)
{
    const char *equals = strchr(entry->text, '=');
    return follow_file(f, entry, equals ? equals + 1 : entry->text, err);
}

static int resource(const following *f, const gs_node *entry, gs_error *err)
{
    const char *file = NULL;
    return follow_any(f, entry, &file, err);
}

static int generator_files(const following *f, const gs_node *generator, gs_error *err)
{
    int code = each_name(f, gs_node_get(generator, "files"), keyed_file, err);
    if (code == 0) {
        code = each_name(f, gs_node_get(generator, "envs"), plain_file, err);
    }
    return code < 0 ? code : each_name(f, gs_node_get(generator, "env"), plain_file, err);
}

static int path_of(const following *f, const gs_node *map, gs_error *err)
{
    return each_name(f, gs_node_get(map, "path"), plain_file, err);
}

/* A field that is a list of maps. */
static int each_map(const following *f, const gs_node *field, int (*follow)(const following *f, const gs_node *map, gs_error *err),
                    gs_error *err)
{
    int code = 0;
    for (size_t i = 0; field && field->kind == GS_NODE_LIST && code == 0 && i < field->count; i++) {
        code = follow(f, field->items[i], err);
    }
    return code;
}

static int refuse_chart(const following *f, const gs_node *chart, gs_error *err)
{
    const char *name = gs_node_text(chart, "name");
    gs_fail(err, GS_ECHECK, "kustomize would fetch the chart \"%s\" over the network", name ? name : "");
    (void)gs_error_at(err, "%s:%d:%d", f->file, chart->line, chart->column);
    return gs_error_hint(
        err, "list the chart under `charts` and give it a unit of its own, or keep its rendered objects in the overlay");
}

/* A generator's or transformer's own configuration names files as the field of a kustomization does that it stands for. */
static int plugin_document(const following *f, const gs_node *plugin, gs_error *err)
{
    if (gs_text_equal(gs_node_text(plugin, "kind"), "HelmChartInflationGenerator")) {
        return refuse_chart(f, plugin, err);
    }
    int code = path_of(f, plugin, err);
    return code < 0 ? code : generator_files(f, plugin, err);
}

static int plugin_text(const following *f, const char *name, const char *text, size_t len, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    const following in_file = {.closure = f->closure, .directory = f->directory, .file = name, .depth = f->depth};
    int code = gs_doc_parse_manifests(name, text, len, &doc, err);
    if (code < 0) {
        return code == GS_ESPEC ? gs_error_recode(err, GS_ECHECK) : code;
    }
    return each_map(&in_file, doc->root, plugin_document, err);
}

static int plugin(const following *f, const gs_node *entry, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    const char *file = NULL;
    gs_buf_init(&text, GS_MAX_DOC_BYTES);
    if (is_inline(entry)) {
        return plugin_text(f, f->file, entry->text, entry->text_len, err);
    }
    int code = follow_any(f, entry, &file, err);
    if (code < 0 || !file) {
        return code;
    }
    code = gs_fs_read_file(f->closure->tree, file, &text, err);
    return code < 0 ? code : plugin_text(f, file, gs_buf_text(&text), text.len, err);
}

typedef struct name_field {
    const char *key;
    int (*follow)(const following *f, const gs_node *entry, gs_error *err);
} name_field;

static int follow_fields(const following *f, const gs_node *root, gs_error *err)
{
    static const name_field names[] = {
        {"resources", resource},        {"bases", resource},
        {"components", resource},       {"crds", plain_file},
        {"configurations", plain_file}, {"patchesStrategicMerge", file_or_inline},
        {"generators", plugin},         {"transformers", plugin},
        {"validators", plugin},
    };
    static const name_field maps[] = {
        {"patches", path_of},
        {"patchesJson6902", path_of},
        {"replacements", path_of},
        {"configMapGenerator", generator_files},
        {"secretGenerator", generator_files},
        {"helmCharts", refuse_chart},
        {"helmChartInflationGenerator", refuse_chart},
    };
    int code = path_of(f, gs_node_get(root, "openapi"), err);
    for (size_t i = 0; code == 0 && i < sizeof names / sizeof names[0]; i++) {
        code = each_name(f, gs_node_get(root, names[i].key), names[i].follow, err);
    }
    for (size_t i = 0; code == 0 && i < sizeof maps / sizeof maps[0]; i++) {
        code = each_map(f, gs_node_get(root, maps[i].key), maps[i].follow, err);
    }
    return code;
}

/* Directories --------------------------------------------------------------------------------------------------------------------
 */

static bool is_seen(const closure *c, const char *directory)
{
    for (size_t i = 0; i < c->seen_count; i++) {
        if (strcmp(c->seen[i], directory) == 0) {
            return true;
        }
    }
    return false;
}

static int follow_directory(closure *c, const char *directory, int depth, gs_error *err)
{
    gs_kustomization kustomization;
    if (is_seen(c, directory)) {
        return 0;
    }
    if (depth > GS_MAX_DOC_DEPTH) {
        return gs_fail(err, GS_ELIMIT, "kustomizations name each other more than %d deep", GS_MAX_DOC_DEPTH);
    }
    int code = gs_check_stop(c->run, 2, err);
    if (code == 0) {
        code = push_text(c->arena, &c->seen, &c->seen_count, &c->seen_room, directory, err);
    }
    if (code == 0) {
        code = gs_kustomization_read(c->tree, directory, c->arena, &kustomization, err);
    }
    if (code < 0) {
        return code;
    }
    const following f = {.closure = c, .directory = directory, .file = kustomization.path, .depth = depth};
    code = add_file(c, kustomization.path, err);
    if (code == 0) {
        code = follow_fields(&f, kustomization.doc->root, err);
    }
    gs_doc_free(kustomization.doc);
    return code;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_files(closure *c)
{
    size_t kept = 0;
    qsort((void *)c->files, c->file_count, sizeof *c->files, compare_texts);
    for (size_t i = 0; i < c->file_count; i++) {
        if (kept == 0 || strcmp(c->files[kept - 1], c->files[i]) != 0) {
            c->files[kept++] = c->files[i];
        }
    }
    c->file_count = kept;
}

static int close_over(const gs_run *run, const char *root, const char *path, gs_arena *arena, gs_text_list *out, gs_error *err)
{
    GS_AUTO_FD int tree = -1;
    bool failed = false;
    const char *start = gs_kustomization_join(arena, ".", path, &failed);
    if (failed) {
        return gs_fail_nomem(err);
    }
    if (!start) {
        return gs_fail(err, GS_ECHECK, "the path %s leaves the overlay", path);
    }
    int code = gs_fs_open_dir(AT_FDCWD, root, &tree, err);
    if (code < 0) {
        return code == GS_ENOTFOUND ? gs_error_recode(err, GS_ECHECK) : code;
    }
    GS_AUTO_FREE char *real_root = gs_fs_real_path(root);
    if (!real_root) {
        return gs_fail_nomem(err);
    }
    closure c = {.run = run, .root = root, .real_root = real_root, .tree = tree, .arena = arena};
    code = follow_directory(&c, start, 0, err);
    if (code < 0) {
        return code;
    }
    sort_files(&c);
    *out = (gs_text_list){.items = c.files, .count = c.file_count};
    return 0;
}

int gs_render_closure(const char *root, const char *path, gs_arena *arena, gs_text_list *out, gs_error *err)
{
    static const gs_run quiet = {0};
    return close_over(&quiet, root, path, arena, out, err);
}

int gs_render_check_hermetic(const gs_run *run, const char *root, const char *path, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_text_list files;
    return arena ? close_over(run, root, path, arena, &files, err) : gs_fail_nomem(err);
}
