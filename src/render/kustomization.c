/* A kustomization as a file: its three names, and what an entry in it may name. Must not know what the fields mean. */
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "internal.h"

static const char *const file_names[] = {"kustomization.yaml", "kustomization.yml", "Kustomization"};
#define FILE_NAME_COUNT (sizeof file_names / sizeof file_names[0])

static const char *path_below(gs_arena *arena, const char *directory, const char *name)
{
    return strcmp(directory, ".") == 0 ? gs_arena_text(arena, name) : gs_arena_printf(arena, "%s/%s", directory, name);
}

static int find_file(int tree, const char *directory, gs_arena *arena, const char **out, gs_error *err)
{
    const char *found = NULL;
    for (size_t i = 0; i < FILE_NAME_COUNT; i++) {
        const char *path = path_below(arena, directory, file_names[i]);
        if (!path) {
            return gs_fail_nomem(err);
        }
        if (!gs_fs_exists(tree, path)) {
            continue;
        }
        if (found) {
            gs_fail(err, GS_ECHECK, "the directory has two kustomizations, %s and %s", found, path);
            return gs_error_hint(err, "remove one: kustomize takes neither");
        }
        found = path;
    }
    if (!found) {
        gs_fail(err, GS_ECHECK, "there is no kustomization.yaml in the directory %s", directory);
        return gs_error_hint(err,
                             "name the directory of an overlay: `path` of the unit's source is relative to the overlay's `from`");
    }
    *out = found;
    return 0;
}

int gs_kustomization_read(int tree, const char *path, gs_arena *arena, gs_kustomization *out, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    const char *file = NULL;
    gs_doc *doc = NULL;
    gs_buf_init(&text, GS_MAX_DOC_BYTES);
    int code = find_file(tree, path, arena, &file, err);
    if (code == 0) {
        code = gs_fs_read_file(tree, file, &text, err);
    }
    if (code == 0) {
        code = gs_doc_parse(GS_MANIFEST, file, gs_buf_text(&text), text.len, &doc, err);
    }
    if (code == 0) {
        *out = (gs_kustomization){.path = file, .doc = doc};
    }
    return code == GS_ESPEC || code == GS_ENOTFOUND ? gs_error_recode(err, GS_ECHECK) : code;
}

/* "git@host:path", "org-1234@github.com:path": a user, then a host with a colon. */
static bool is_scp_path(const char *entry)
{
    size_t user = strcspn(entry, "@/:");
    return user > 0 && entry[user] == '@' && strchr(entry + user, ':');
}

bool gs_kustomization_remote(const char *entry)
{
    static const char *const starts[] = {"git::", "github.com/", "github.com:", "gh:"};
    static const char *const marks[] = {"://", "?ref=", "?version=", "&ref=", ".git/", "/_git/"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (gs_text_starts(entry, starts[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strstr(entry, marks[i])) {
            return true;
        }
    }
    return gs_text_ends(entry, ".git") || is_scp_path(entry);
}

/* Takes the last component off path. False when there is none. */
static bool pop(char *path, size_t *len)
{
    if (*len == 0) {
        return false;
    }
    while (*len > 0 && path[*len - 1] != '/') {
        --*len;
    }
    if (*len > 0) {
        --*len;
    }
    path[*len] = '\0';
    return true;
}

static void push(char *path, size_t *len, const char *component, size_t size)
{
    if (*len > 0) {
        path[(*len)++] = '/';
    }
    memcpy(path + *len, component, size);
    *len += size;
    path[*len] = '\0';
}

const char *gs_kustomization_join(gs_arena *arena, const char *base, const char *entry, bool *failed)
{
    char *path = gs_arena_alloc(arena, strlen(base) + strlen(entry) + 3);
    size_t len = 0;
    if (!path) {
        *failed = true;
        return NULL;
    }
    if (*entry == '/') {
        return NULL;
    }
    if (strcmp(base, ".") != 0) {
        push(path, &len, base, strlen(base));
    }
    while (*entry) {
        size_t size = strcspn(entry, "/");
        if (size == 2 && memcmp(entry, "..", 2) == 0) {
            if (!pop(path, &len)) {
                return NULL;
            }
        } else if (size > 0 && !(size == 1 && *entry == '.')) {
            push(path, &len, entry, size);
        }
        entry += size + (entry[size] == '/');
    }
    return len > 0 ? path : ".";
}
