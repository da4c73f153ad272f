/* `gapship init`: looks at a directory and writes a commented release.yaml that parses. What it cannot know it leaves as a comment.
 */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "gapship/build.h"
#include "gapship/doc.h"
#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"

typedef struct discovery {
    gs_arena *arena;
    int dirfd;
    const gs_fs_entry *entries;
    size_t count;
    gs_buf *out;
} discovery;

/* The directory part of PATH when its file is called NAME, else NULL. "." for a file at the top. */
static const char *directory_with(const discovery *look, const char *path, const char *name)
{
    size_t len = strlen(path), tail = strlen(name);
    if (strcmp(path, name) == 0) {
        return ".";
    }
    if (len <= tail + 1 || path[len - tail - 1] != '/' || strcmp(path + len - tail, name) != 0) {
        return NULL;
    }
    return gs_arena_copy(look->arena, path, len - tail - 1);
}

/* A name out of a directory: its last component, lower case, what is not allowed as '-'. */
static const char *name_of(const discovery *look, const char *directory, const char *otherwise)
{
    const char *slash = strrchr(directory, '/');
    char *name = gs_arena_text(look->arena, slash ? slash + 1 : directory);
    for (char *c = name; c && *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z') {
            *c = (char)(*c - 'A' + 'a');
        } else if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9'))) {
            *c = '-';
        }
    }
    return name && gs_name_valid(name) ? name : otherwise;
}

static bool is_below(const char *path, const char *directory)
{
    return strcmp(directory, ".") == 0 || (gs_text_starts(path, directory) && path[strlen(directory)] == '/');
}

/* Charts inside charts are dependencies, not charts of the release. */
static bool is_nested_chart(const discovery *look, const char *directory)
{
    for (size_t i = 0; i < look->count; i++) {
        const char *other = directory_with(look, look->entries[i].path, "Chart.yaml");
        if (other && strcmp(other, directory) != 0 && is_below(directory, other)) {
            return true;
        }
    }
    return false;
}

static size_t write_charts(const discovery *look, gs_buf *environments)
{
    size_t found = 0;
    for (size_t i = 0; i < look->count; i++) {
        const char *directory = directory_with(look, look->entries[i].path, "Chart.yaml");
        if (!directory || is_nested_chart(look, directory)) {
            continue;
        }
        const char *name = name_of(look, directory, "app");
        if (found++ == 0) {
            gs_buf_add_text(look->out, "\ncharts:\n");
        }
        gs_buf_printf(look->out, "- {name: %s, from: \"%s\"}\n", name, directory);
        gs_buf_printf(environments,
                      "  - name: %s\n    source: {chart: %s}  # values: [values-staging.yaml], imageValues: {image: REPOSITORY}\n"
                      "    target: {kind: helm, release: %s, namespace: %s}\n",
                      name, name, name, name);
    }
    return found;
}

static bool is_in_chart(const discovery *look, const char *path)
{
    for (size_t i = 0; i < look->count; i++) {
        const char *chart = directory_with(look, look->entries[i].path, "Chart.yaml");
        if (chart && is_below(path, chart)) {
            return true;
        }
    }
    return false;
}

/* The one directory below which all kustomizations stand: overlays reach their bases with ../.., so they travel together. */
static const char *kustomization_root(const discovery *look)
{
    const char *root = NULL;
    for (size_t i = 0; i < look->count; i++) {
        const char *path = look->entries[i].path;
        const char *directory = directory_with(look, path, "kustomization.yaml");
        if (!directory || is_in_chart(look, path)) {
            continue;
        }
        if (!root) {
            root = directory;
        }
        while (!is_below(path, root)) {
            const char *slash = strrchr(root, '/');
            root = slash ? gs_arena_copy(look->arena, root, (size_t)(slash - root)) : ".";
        }
    }
    return root;
}

/* By convention overlays/NAME is an environment, and what is called base is built by others. */
static bool is_environment(const char *directory)
{
    const char *slash = strrchr(directory, '/');
    static const char parent[] = "overlays";
    size_t len = slash ? (size_t)(slash - directory) : 0;
    return len >= sizeof parent - 1 && memcmp(slash - (sizeof parent - 1), parent, sizeof parent - 1) == 0 &&
           (len == sizeof parent - 1 || slash[-(ptrdiff_t)sizeof parent] == '/');
}

static bool is_base(const char *directory)
{
    return strcmp(directory, "base") == 0 || gs_text_ends(directory, "/base");
}

/* A directory with a kustomization that may be installed, or NULL. */
static const char *overlay_at(const discovery *look, size_t i)
{
    const char *path = look->entries[i].path;
    const char *directory = directory_with(look, path, "kustomization.yaml");
    return directory && !is_base(directory) && !is_in_chart(look, path) ? directory : NULL;
}

static const char *path_below(const char *directory, const char *root)
{
    return strcmp(root, ".") == 0 ? directory : strcmp(directory, root) == 0 ? "." : directory + strlen(root) + 1;
}

static void write_unit(gs_buf *out, const char *comment, const char *unit, const char *overlay, const char *path)
{
    gs_buf_printf(out,
                  "%s  - name: %s\n%s    source: {overlay: %s, path: \"%s\"}\n"
                  "%s    target: {kind: gitops, repository: site, branch: main}  # or {kind: kubectl, namespace: NAMESPACE}\n",
                  comment, unit, comment, overlay, path, comment);
}

static bool is_production(const char *name)
{
    return gs_text_starts(name, "prod");
}

/* Each overlay an environment; what sounds like production comes last. */
static void write_environments(const discovery *look, const char *product, const char *root, const char *overlay, gs_buf *out)
{
    for (int last = 0; last < 2; last++) {
        for (size_t i = 0; i < look->count; i++) {
            const char *directory = overlay_at(look, i);
            const char *name = directory && is_environment(directory) ? name_of(look, directory, "environment") : NULL;
            if (name && is_production(name) == (last == 1)) {
                gs_buf_printf(out, "- name: %s\n  units:\n", name);
                write_unit(out, "", product, overlay, path_below(directory, root));
            }
        }
    }
}

/* Without overlays/ there is no telling which kustomization goes where: one unit, and the others to be chosen from. */
static size_t write_units(const discovery *look, const char *root, const char *overlay, gs_buf *out)
{
    size_t found = 0;
    for (size_t i = 0; i < look->count; i++) {
        const char *directory = overlay_at(look, i);
        if (directory) {
            const char *path = path_below(directory, root);
            write_unit(out, found++ > 0 ? "# " : "", name_of(look, path, "app"), overlay, path);
        }
    }
    return found;
}

/* Units for one environment, or, where there are overlays and nothing else, whole environments. */
static size_t write_overlays(const discovery *look, const char *product, gs_buf *units, gs_buf *environments)
{
    const char *root = kustomization_root(look);
    if (!root) {
        return 0;
    }
    const char *name = name_of(look, root, "overlays");
    gs_buf_printf(look->out, "\noverlays:\n- {name: %s, from: \"%s\"}\n", name, root);
    if (units->len == 0) {
        write_environments(look, product, root, name, environments);
    }
    return environments->len > 0 ? 0 : write_units(look, root, name, units);
}

/* ---- directories of manifests ---- */

static bool is_yaml(const char *path)
{
    return gs_text_ends(path, ".yaml") || gs_text_ends(path, ".yml");
}

/* Objects alone; Argo CD's own say where an application comes from, and are no part of it. */
static bool holds_objects(const discovery *look, const char *path)
{
    GS_AUTO_BUF gs_buf text;
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_error ignored = {0};
    gs_buf_init(&text, GS_MAX_SPEC_BYTES);
    if (gs_fs_read_file(look->dirfd, path, &text, &ignored) < 0 ||
        gs_doc_parse_manifests(path, gs_buf_text(&text), text.len, &doc, &ignored) < 0) {
        return false;
    }
    for (size_t i = 0; i < doc->root->count; i++) {
        const char *version = gs_node_text(doc->root->items[i], "apiVersion");
        if (!version || !gs_node_text(doc->root->items[i], "kind") || gs_text_starts(version, "argoproj.io/")) {
            return false;
        }
    }
    return doc->root->count > 0;
}

/* The top directory that PATH is in, when all YAML below it is objects that neither a chart nor a kustomization has; else NULL. */
static const char *manifests_at(const discovery *look, const char *path)
{
    const char *slash = strchr(path, '/');
    const char *root = kustomization_root(look);
    const char *directory = slash ? gs_arena_copy(look->arena, path, (size_t)(slash - path)) : NULL;
    bool all = directory && directory[0] != '.' && is_yaml(path);
    for (size_t i = 0; all && i < look->count; i++) {
        const char *other = look->entries[i].path;
        if (is_yaml(other) && is_below(other, directory)) {
            all = !is_in_chart(look, other) && !(root && is_below(other, root)) && holds_objects(look, other);
        }
    }
    return all ? directory : NULL;
}

static size_t write_manifests(const discovery *look, gs_buf *units)
{
    size_t found = 0;
    const char *before = "";
    for (size_t i = 0; i < look->count; i++) {
        if (before[0] != '\0' && is_below(look->entries[i].path, before)) {
            continue;
        }
        const char *directory = manifests_at(look, look->entries[i].path);
        if (directory) {
            gs_buf_printf(units, "  - name: %s\n    source: {manifests: \"%s\"}\n    target: {kind: kubectl, namespace: %s}\n",
                          name_of(look, directory, "app"), directory, name_of(look, directory, "app"));
            before = directory;
            found++;
        }
    }
    return found;
}

/* Where there is nothing yet, something to begin with: a release needs an object. */
static int write_first_object(const gs_run *run, int dirfd, const char *product, gs_buf *units, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_KIB(4));
    gs_buf_printf(&text,
                  "# An object to begin with: put those of the application here.\napiVersion: v1\nkind: ConfigMap\n"
                  "metadata: {name: %s}\ndata: {}\n",
                  product);
    gs_buf_printf(units, "  - name: %s\n    source: {manifests: k8s}\n    target: {kind: kubectl, namespace: %s}\n", product,
                  product);
    int code = gs_buf_check(&text, err);
    if (code == 0) {
        code = gs_fs_make_dirs(dirfd, "k8s", 0755, err);
    }
    if (code == 0) {
        code = gs_fs_write_file(dirfd, "k8s/app.yaml", text.data, text.len, 0644, err);
    }
    if (code == 0) {
        gs_emit(run, GS_NOTICE, "firstObject", NULL, 0,
                "there is no chart, kustomization or manifest yet: wrote k8s/app.yaml, too");
    }
    return code;
}

static void write_hints(const discovery *look)
{
    for (size_t i = 0; i < look->count; i++) {
        const char *path = look->entries[i].path;
        if (gs_text_ends(path, "Dockerfile")) {
            gs_buf_printf(look->out, "# %s builds an image: list it as {from: \"REGISTRY/REPOSITORY:TAG\", as: REPOSITORY}\n",
                          path);
        }
    }
}

static int compose(const gs_run *run, discovery *look, const char *product, gs_error *err)
{
    GS_AUTO_BUF gs_buf units;
    GS_AUTO_BUF gs_buf environments;
    gs_buf_init(&units, GS_MAX_SPEC_BYTES);
    gs_buf_init(&environments, GS_MAX_SPEC_BYTES);
    gs_buf_printf(look->out,
                  "# What this release is, for `gapship build`. Every key: bundle-spec/RELEASE.md\n"
                  "apiVersion: gapship/v1\n"
                  "kind: Release\n"
                  "metadata: {name: %s, version: \"0.1.0\", sequence: 1}  # sequence grows with every release\n\n"
                  "# Every image an environment runs. `gapship images --write` adds the ones that are missing.\n",
                  product);
    write_hints(look);
    gs_buf_add_text(look->out, "images: []\n");
    size_t found = write_charts(look, &units) + write_manifests(look, &units);
    found += write_overlays(look, product, &units, &environments);
    int code = found == 0 && environments.len == 0 ? write_first_object(run, look->dirfd, product, &units, err) : 0;
    if (code < 0) {
        return code;
    }
    gs_buf_add_text(look->out, "\n# Installed in this order; each has to pass before the next is touched.\n");
    if (environments.len > 0) {
        gs_buf_add_text(look->out, "environments:\n");
        gs_buf_add(look->out, environments.data, environments.len);
    } else {
        gs_buf_add_text(look->out, "environments:\n- name: staging\n  units:\n");
        gs_buf_add(look->out, units.data, units.len);
        gs_buf_add_text(look->out, "# - name: production\n#   extends: staging\n");
    }
    code = gs_buf_check(&units, err);
    code = code < 0 ? code : gs_buf_check(&environments, err);
    return code < 0 ? code : gs_buf_check(look->out, err);
}

int gs_init(const gs_run *run, const char *directory, gs_error *err)
{
    GS_AUTO_FD int dirfd = -1;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, GS_MAX_SPEC_BYTES);
    gs_fs_entry *entries = NULL;
    discovery look = {.arena = arena, .dirfd = -1, .out = &text};
    int code = arena ? gs_fs_open_dir(AT_FDCWD, directory, &dirfd, err) : gs_fail_nomem(err);
    if (code == 0 && gs_fs_exists(dirfd, "release.yaml")) {
        gs_fail(err, GS_EEXISTS, "%s/release.yaml exists already", directory);
        return gs_error_hint(err, "`gapship build` builds it");
    }
    if (code == 0) {
        code = gs_fs_walk(dirfd, GS_MAX_ARCHIVE_ENTRIES, arena, &entries, &look.count, err);
    }
    GS_AUTO_FREE char *full = code == 0 ? gs_fs_real_path(directory) : NULL;
    look.entries = entries;
    if (code == 0) {
        look.dirfd = dirfd;
        code = compose(run, &look, name_of(&look, full ? full : "release", "release"), err);
    }
    if (code == 0) {
        code = gs_fs_write_file(dirfd, "release.yaml", text.data, text.len, 0644, err);
    }
    return code;
}
