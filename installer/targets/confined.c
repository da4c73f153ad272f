/* What helm and kubectl may do at the site: reach the cluster, read the kubeconfig with the files that it names and the release, and
 * write where they keep their caches. Knows of a kubeconfig only which files it names. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "targets.h"

/* Lists of paths in the making. */
typedef struct paths {
    gs_arena *arena;
    const char **items;
    size_t count, room;
    bool failed;
} paths;

static void add_path(paths *list, const char *path)
{
    if (list->count + 1 >= list->room) {
        size_t room = list->room == 0 ? 16 : 2 * list->room;
        const char **larger = gs_arena_array(list->arena, room, sizeof *larger);
        if (!larger || !path) {
            list->failed = true;
            return;
        }
        if (list->count > 0) {
            memcpy(larger, list->items, list->count * sizeof *larger);
        }
        list->items = larger;
        list->room = room;
    }
    list->failed |= !path;
    if (path) {
        list->items[list->count++] = path;
    }
}

/* What a kubeconfig names is relative to where it lies. whole: the directory with it, because a token is replaced by a new file. */
static void add_named(paths *list, const char *kubeconfig, const char *name, bool whole)
{
    const char *slash = strrchr(kubeconfig, '/');
    size_t base = name && name[0] != '/' && slash ? (size_t)(slash - kubeconfig) + 1 : 0;
    char *path = name ? gs_arena_printf(list->arena, "%.*s%s", (int)base, kubeconfig, name) : NULL;
    if (!name) {
        return;
    }
    char *last = path && whole ? strrchr(path, '/') : NULL;
    if (last && last > path) {
        *last = '\0';
    }
    add_path(list, path);
}

/* Adds the files of every cluster and user. False: somebody else's program fetches the credentials, and what that needs is unknown. */
static bool add_kubeconfig(paths *list, const char *kubeconfig, const gs_node *root)
{
    const gs_node *clusters = gs_node_list(root, "clusters");
    const gs_node *users = gs_node_list(root, "users");
    for (size_t i = 0; clusters && i < clusters->count; i++) {
        const gs_node *cluster = gs_node_get(clusters->items[i], "cluster");
        add_named(list, kubeconfig, gs_node_text(cluster, "certificate-authority"), false);
    }
    for (size_t i = 0; users && i < users->count; i++) {
        const gs_node *user = gs_node_get(users->items[i], "user");
        if (gs_node_get(user, "exec") || gs_node_get(user, "auth-provider")) {
            return false;
        }
        add_named(list, kubeconfig, gs_node_text(user, "client-certificate"), false);
        add_named(list, kubeconfig, gs_node_text(user, "client-key"), false);
        add_named(list, kubeconfig, gs_node_text(user, "tokenFile"), true);
    }
    return true;
}

/* True: every file that the kubeconfig needs is in the list. */
static bool read_kubeconfig(paths *list, const char *kubeconfig)
{
    GS_AUTO_BUF gs_buf text;
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_buf_init(&text, GS_MAX_SPEC_BYTES);
    add_path(list, kubeconfig);
    return gs_fs_read_file(AT_FDCWD, kubeconfig, &text, NULL) == 0 &&
           gs_doc_parse(GS_MANIFEST, kubeconfig, gs_buf_text(&text), text.len, &doc, NULL) == 0 &&
           add_kubeconfig(list, kubeconfig, doc->root);
}

static void add_below_home(paths *list, const char *const *names)
{
    const char *home = getenv("HOME");
    for (size_t i = 0; home && names[i]; i++) {
        add_path(list, gs_arena_printf(list->arena, "%s/%s", home, names[i]));
    }
}

int gs_tool_confinement(const gs_target_job *job, const char *directory, gs_arena *arena, gs_confinement *out, gs_error *err)
{
    static const char *const settings[] = {".kube/kuberc", ".config/helm", ".local/share/helm", NULL};
    static const char *const caches[] = {".kube/cache", ".cache/helm", NULL};
    paths readable = {.arena = arena};
    paths writable = {.arena = arena};
    const char *kubeconfig = job->place->kubeconfig;
    bool known = read_kubeconfig(&readable, kubeconfig);
    if (job->work) { /* `status` has none */
        add_path(&readable, job->work);
    }
    add_below_home(&readable, settings);
    add_path(&writable, directory);
    add_below_home(&writable, caches);
    const char *const *usable = gs_tools_paths(arena);
    if (readable.failed || writable.failed || !usable) {
        return gs_fail_nomem(err);
    }
    if (!known) {
        gs_emit(job->run, GS_DEBUG, "noFileRules", NULL, 0,
                "%s names a program for credentials or cannot be read: helm and kubectl run without rules about files", kubeconfig);
    }
    *out = (gs_confinement){.memory = GS_MAX_TOOL_MEMORY,
                            .file_size = GS_MAX_TOOL_FILE_BYTES,
                            .open_files = GS_MAX_TOOL_FILES,
                            .no_files = known,
                            .readable = readable.items,
                            .writable = writable.items,
                            .usable = usable,
                            .network = true};
    return 0;
}
