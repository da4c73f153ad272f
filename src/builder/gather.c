/* Gathers the small things of a release: charts, overlays, values and manifests, files. Packs each and lays work/ out as the site
 * will, so that what is rendered here is what is rendered there. Fetches no image. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "gapship/contents.h"
#include "gapship/git.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "pack.h"

/* ---- charts ---- */

typedef struct chart_search {
    gs_arena *arena;
    const char *text; /* of Chart.yaml */
    size_t len;
} chart_search;

static int find_chart_yaml(void *state, const gs_tar_entry *entry, gs_source *content, gs_error *err)
{
    chart_search *search = state;
    const char *slash = strchr(entry->name, '/');
    if (!slash || strcmp(slash, "/Chart.yaml") != 0) {
        return 0;
    }
    char *text = gs_arena_alloc(search->arena, (size_t)entry->size + 1);
    if (!text) {
        return gs_fail_nomem(err);
    }
    search->text = text;
    search->len = (size_t)entry->size;
    return gs_source_read_all(content, text, (size_t)entry->size, err);
}

/* Reads what the chart says of itself out of the packed archive: the one place both a directory and a .tgz end up in. */
static int read_chart(gs_builder *builder, const gs_chart_spec *spec, gs_packed *packed, gs_error *err)
{
    chart_search search = {.arena = builder->arena};
    GS_AUTO_FD int fd = -1;
    uint64_t size = 0;
    int code = gs_fs_open_read(AT_FDCWD, packed->path, false, &fd, &size, err);
    if (code == 0) {
        code = gs_tar_read_apart(builder->run, fd, &(gs_tar_limits){0}, find_chart_yaml, &search, err);
    }
    if (code == GS_EFORMAT) { /* no bundle, but a file that release.yaml names */
        code = gs_error_recode(err, GS_ESPEC);
    }
    if (code < 0) {
        return gs_error_at(err, "%s", spec->from);
    }
    if (!search.text) {
        return gs_builder_fail(builder, spec->place, err, "%s is no chart: it has no Chart.yaml", spec->from);
    }
    GS_AUTO_DOC gs_doc *doc = NULL;
    code = gs_doc_parse(GS_MANIFEST, "Chart.yaml", search.text, search.len, &doc, err);
    if (code < 0) {
        return gs_error_at(err, "%s", spec->from);
    }
    const char *version = gs_node_text(doc->root, "version");
    if (!version || version[0] == '\0') {
        return gs_builder_fail(builder, spec->place, err, "Chart.yaml of %s names no version", spec->from);
    }
    GS_AUTO_BUF gs_buf config;
    gs_buf_init(&config, GS_MAX_CONFIG_BYTES);
    code = gs_node_write_json(doc->root, GS_JSON_COMPACT | GS_JSON_SORTED, &config, err);
    if (code < 0) {
        return code;
    }
    packed->version = gs_arena_text(builder->arena, version);
    packed->config = gs_arena_text(builder->arena, gs_buf_text(&config));
    return packed->version && packed->config ? 0 : gs_fail_nomem(err);
}

/* A directory is packed under the chart's own name, as `helm package` would, but with fixed times and owners. */
static int pack_chart_directory(gs_builder *builder, const gs_chart_spec *spec, const char *from, const char *path, gs_error *err)
{
    const char *chart_file = gs_arena_printf(builder->arena, "%s/Chart.yaml", from);
    GS_AUTO_BUF gs_buf text;
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_buf_init(&text, GS_MAX_SPEC_BYTES);
    int code = chart_file ? gs_fs_read_file(AT_FDCWD, chart_file, &text, err) : gs_fail_nomem(err);
    if (code == GS_ENOTFOUND) {
        return gs_builder_fail(builder, spec->place, err, "%s is no chart: it has no Chart.yaml", spec->from);
    }
    if (code == 0) {
        code = gs_doc_parse(GS_MANIFEST, chart_file, text.data, text.len, &doc, err);
    }
    if (code < 0) {
        return code;
    }
    const char *name = gs_node_text(doc->root, "name");
    if (!name || !gs_name_valid(name)) {
        return gs_builder_fail(builder, spec->place, err, "Chart.yaml of %s names no valid chart", spec->from);
    }
    gs_tree tree = {0};
    code = gs_tree_add_directory(&tree, builder->arena, from, name, err);
    return code < 0 ? code : gs_pack_tree(&tree, path, err);
}

static int copy_file(const char *from, const char *to, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_ARCHIVE_BYTES);
    int code = gs_fs_read_file(AT_FDCWD, from, &text, err);
    return code < 0 ? code : gs_fs_write_file(AT_FDCWD, to, text.data, text.len, 0644, err);
}

static int gather_chart(gs_builder *builder, const gs_chart_spec *spec, gs_packed *out, gs_error *err)
{
    const char *from = gs_builder_path(builder, spec->from);
    *out = (gs_packed){.kind = "chart", .name = spec->name, .from = spec->from, .media_type = GS_MEDIA_HELM_CHART};
    out->path = gs_builder_work(builder, "charts/%s.tgz", spec->name);
    if (!from || !out->path) {
        return gs_fail_nomem(err);
    }
    int code = gs_text_ends(from, ".tgz") || gs_text_ends(from, ".tar.gz")
                   ? copy_file(from, out->path, err)
                   : pack_chart_directory(builder, spec, from, out->path, err);
    return code < 0 ? code : read_chart(builder, spec, out, err);
}

/* ---- overlays ---- */

static int read_git_tree(gs_builder *builder, const gs_overlay_spec *spec, gs_tree *tree, const char **commit, gs_error *err)
{
    const char *cache = gs_builder_work(builder, "git/%s", spec->name);
    GS_AUTO_GIT gs_git *git = NULL;
    char id[GS_COMMIT_TEXT];
    gs_git_file *files = NULL;
    size_t count = 0;
    int code = cache ? gs_git_open(cache, spec->git->url, &(gs_git_access){0}, &git, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_git_fetch(git, builder->run, spec->git->ref, id, err);
    }
    if (code == 0) {
        code = gs_git_list(git, id, strcmp(spec->from, ".") == 0 ? "" : spec->from, builder->arena, &files, &count, err);
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        GS_AUTO_BUF gs_buf text;
        gs_buf_init(&text, GS_MAX_ARCHIVE_FILE_BYTES);
        const char *path = strcmp(spec->from, ".") == 0 ? files[i].path
                                                        : gs_arena_printf(builder->arena, "%s/%s", spec->from, files[i].path);
        code = path ? gs_git_read(git, id, path, &text, err) : gs_fail_nomem(err);
        gs_tar_input input = {.executable = files[i].executable, .len = text.len, .fd = -1};
        if (code == 0 && !(input.data = gs_arena_copy(builder->arena, text.data, text.len))) {
            code = gs_fail_nomem(err);
        }
        if (code == 0) {
            code = gs_tree_add(tree, builder->arena, files[i].path, &input, err);
        }
    }
    if (code == 0 && !(*commit = gs_arena_text(builder->arena, id))) {
        code = gs_fail_nomem(err);
    }
    return code < 0 ? gs_error_at(err, "overlay %s", spec->name) : 0;
}

static int gather_overlay(gs_builder *builder, const gs_overlay_spec *spec, gs_packed *out, gs_error *err)
{
    *out = (gs_packed){.kind = "overlay",
                       .name = spec->name,
                       .from = spec->from,
                       .media_type = GS_MEDIA_TREE,
                       .artifact_type = GS_MEDIA_OVERLAY_ARTIFACT};
    out->path = gs_builder_work(builder, "packed/overlay-%s", spec->name);
    const char *directory = gs_builder_work(builder, "overlays/%s", spec->name);
    const char *from = gs_builder_path(builder, spec->from);
    if (!out->path || !directory || !from) {
        return gs_fail_nomem(err);
    }
    gs_tree tree = {0};
    int code = spec->git ? read_git_tree(builder, spec, &tree, &out->commit, err)
                         : gs_tree_add_directory(&tree, builder->arena, from, "", err);
    if (code == 0) {
        code = gs_pack_tree(&tree, out->path, err);
    }
    return code < 0 ? code : gs_unpack_tree(out->path, directory, err);
}

/* ---- sources: values files, manifest directories, the notes ---- */

typedef struct source_list {
    const char **paths;
    size_t count, room;
} source_list;

static int add_path(gs_builder *builder, source_list *list, const char *path, gs_place place, gs_error *err)
{
    if (!gs_path_valid(path)) {
        return gs_builder_fail(builder, place, err, "\"%s\" is not a path below the directory of release.yaml", path);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->paths[i], path) == 0) {
            return 0;
        }
    }
    if (list->count == list->room) {
        return gs_fail(err, GS_EINTERNAL, "the list of sources is full");
    }
    list->paths[list->count++] = path;
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list_sources(gs_builder *builder, source_list *list, gs_error *err)
{
    const gs_release *release = builder->release;
    list->room = 1;
    for (size_t e = 0; e < release->environments.count; e++) {
        for (size_t u = 0; u < release->environments.items[e].units.count; u++) {
            list->room += release->environments.items[e].units.items[u].source.values.count + 1;
        }
    }
    list->paths = gs_arena_array(builder->arena, list->room, sizeof *list->paths);
    if (!list->paths) {
        return gs_fail_nomem(err);
    }
    int code = 0;
    for (size_t e = 0; code == 0 && e < release->environments.count; e++) {
        const gs_environment_spec *environment = &release->environments.items[e];
        for (size_t u = 0; code == 0 && u < environment->units.count; u++) {
            const gs_source_spec *source = &environment->units.items[u].source;
            for (size_t v = 0; code == 0 && v < source->values.count; v++) {
                code = add_path(builder, list, source->values.items[v], source->place, err);
            }
            if (code == 0 && source->manifests) {
                code = add_path(builder, list, source->manifests, source->place, err);
            }
        }
    }
    if (code == 0 && release->notes) {
        code = add_path(builder, list, release->notes, (gs_place){1, 1}, err);
    }
    if (code == 0) {
        qsort(list->paths, list->count, sizeof *list->paths, by_text);
    }
    return code;
}

static int gather_sources(gs_builder *builder, gs_packed *out, gs_error *err)
{
    source_list list = {0};
    int code = list_sources(builder, &list, err);
    if (code < 0 || list.count == 0) {
        return code;
    }
    *out = (gs_packed){.kind = "sources",
                       .name = "",
                       .media_type = GS_MEDIA_TREE,
                       .artifact_type = GS_MEDIA_SOURCES_ARTIFACT,
                       .path = gs_builder_work(builder, "packed/sources")};
    const char *directory = gs_builder_work(builder, "sources");
    if (!out->path || !directory) {
        return gs_fail_nomem(err);
    }
    gs_tree tree = {0};
    for (size_t i = 0; code == 0 && i < list.count; i++) {
        const char *path = gs_builder_path(builder, list.paths[i]);
        GS_AUTO_FD int fd = -1;
        gs_error ignored = {0};
        if (!path) {
            return gs_fail_nomem(err);
        }
        code = gs_fs_open_dir(AT_FDCWD, path, &fd, &ignored) == 0
                   ? gs_tree_add_directory(&tree, builder->arena, path, list.paths[i], err)
                   : gs_tree_add_file(&tree, builder->arena, AT_FDCWD, path, list.paths[i], false, err);
    }
    if (code == 0) {
        code = gs_pack_tree(&tree, out->path, err);
    }
    return code < 0 ? code : gs_unpack_tree(out->path, directory, err);
}

static int gather_file(gs_builder *builder, const gs_file_spec *spec, gs_packed *out, gs_error *err)
{
    *out = (gs_packed){.kind = "file",
                       .name = spec->name,
                       .from = spec->from,
                       .media_type = GS_MEDIA_FILE_ZSTD,
                       .artifact_type = GS_MEDIA_FILE_ARTIFACT,
                       .path = gs_builder_work(builder, "packed/file-%s", spec->name)};
    const char *from = gs_builder_path(builder, spec->from);
    if (!out->path || !from) {
        return gs_fail_nomem(err);
    }
    return gs_pack_file(from, out->path, err);
}

/* ---- all of it ---- */

int gs_gather(gs_builder *builder, gs_gathered *out, gs_error *err)
{
    const gs_release *release = builder->release;
    size_t room = release->charts.count + release->overlays.count + release->files.count + 1;
    gs_packed *items = gs_arena_array(builder->arena, room, sizeof *items);
    if (!items) {
        return gs_fail_nomem(err);
    }
    size_t count = 0;
    int code = 0;
    static const char *const directories[] = {"charts", "overlays", "packed", "git"};
    for (size_t i = 0; code == 0 && i < sizeof directories / sizeof directories[0]; i++) {
        code = gs_fs_make_dirs(builder->work.fd, directories[i], 0700, err);
    }
    for (size_t i = 0; code == 0 && i < release->charts.count; i++) {
        code = gather_chart(builder, &release->charts.items[i], &items[count++], err);
    }
    for (size_t i = 0; code == 0 && i < release->overlays.count; i++) {
        code = gather_overlay(builder, &release->overlays.items[i], &items[count++], err);
    }
    if (code == 0) {
        code = gather_sources(builder, &items[count], err);
    }
    if (code == 0 && items[count].kind) {
        count++;
    }
    for (size_t i = 0; code == 0 && i < release->files.count; i++) {
        code = gather_file(builder, &release->files.items[i], &items[count++], err);
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = gs_pack_measure(items[i].path, &items[i].digest, &items[i].size, err);
    }
    if (code == 0) {
        *out = (gs_gathered){.items = items, .count = count};
    }
    return code;
}

const gs_packed *gs_gathered_find(const gs_gathered *gathered, const char *kind, const char *name)
{
    for (size_t i = 0; i < gathered->count; i++) {
        if (strcmp(gathered->items[i].kind, kind) == 0 && strcmp(gathered->items[i].name, name) == 0) {
            return &gathered->items[i];
        }
    }
    return NULL;
}
