/* Files of a unit that an earlier release brought into the repository and this one has no more. Only what gapship itself added goes
 * away, as its commits in the branch's history tell: what people put beside it stays. Knows nothing of what the files say. */
#include <stdio.h>
#include <string.h>

#include "gapship/limits.h"
#include "gitops_tree.h"

#define GS_MAX_PAST_COMMITS 2000

/* A file at the head that nothing wants. Whose commit added it last decides. */
typedef struct leftover {
    const char *path; /* in the repository */
    bool decided, ours;
} leftover;

typedef struct search {
    gs_git *git;
    const char *mark; /* what the commits of this product say */
    leftover *items;
    size_t count, undecided, visited;
    bool newer_is_ours; /* the commit visited before, a child of this one */
} search;

static int exists(gs_git *git, const char *commit, const char *path, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_error missing = {0};
    gs_buf_init(&text, GS_MAX_ARCHIVE_FILE_BYTES);
    int code = gs_git_read(git, commit, path, &text, &missing);
    if (code == 0 || code == GS_ENOTFOUND) {
        return code == 0;
    }
    *err = missing;
    return code;
}

static void decide(search *self, leftover *item)
{
    item->decided = true;
    item->ours = self->newer_is_ours;
    self->undecided--;
}

static int visit(void *state, const char *commit, const char *message, gs_error *err)
{
    search *self = state;
    for (size_t i = 0; self->visited > 0 && i < self->count; i++) {
        int there = self->items[i].decided ? 1 : exists(self->git, commit, self->items[i].path, err);
        if (there < 0) {
            return there;
        }
        if (!there) {
            decide(self, &self->items[i]);
        }
    }
    self->newer_is_ours = strstr(message, self->mark) != NULL;
    self->visited++;
    return self->undecided == 0;
}

/* Where the unit's own files are in the repository; "" for all of it. */
static const char *own_folder(const gs_unit_spec *unit, gs_arena *arena)
{
    const char *top = unit->target.path && strcmp(unit->target.path, ".") != 0 ? unit->target.path : "";
    const char *own = strcmp(unit->source.path, ".") != 0 ? unit->source.path : "";
    return gs_arena_printf(arena, "%s%s%s", top, top[0] != '\0' && own[0] != '\0' ? "/" : "", own);
}

/* Whether another unit's folder, within this one's, has the file. */
static bool is_of_another(const gs_target_job *job, const char *own, const char *path, gs_arena *arena)
{
    for (size_t e = 0; e < job->release->environments.count; e++) {
        const gs_environment_spec *environment = &job->release->environments.items[e];
        for (size_t u = 0; u < environment->units.count; u++) {
            const gs_unit_spec *unit = &environment->units.items[u];
            const char *other = unit->target.kind == GS_TARGET_GITOPS ? own_folder(unit, arena) : NULL;
            size_t len = other ? strlen(other) : 0;
            if (len > strlen(own) && strncmp(path, other, len) == 0 && path[len] == '/') {
                return true;
            }
        }
    }
    return false;
}

static bool is_wanted(const gs_leftovers_request *request, const char *path)
{
    for (size_t i = 0; i < request->count; i++) {
        if (strcmp(request->wanted[i].target, path) == 0) {
            return true;
        }
    }
    return false;
}

static int find_unwanted(const gs_target_job *job, const gs_leftovers_request *request, gs_arena *arena, search *out, gs_error *err)
{
    const char *own = own_folder(job->unit, arena);
    gs_git_file *files = NULL;
    size_t count = 0;
    gs_error unlisted = {0};
    int code = own ? gs_git_list(request->git, request->head, own, arena, &files, &count, &unlisted) : gs_fail_nomem(err);
    if (code == GS_ENOTFOUND || code == GS_ESPEC) { /* nothing there yet; or links, which are people's own */
        return 0;
    }
    if (own && code < 0) {
        *err = unlisted;
    }
    out->items = code == 0 ? gs_arena_array(arena, count + 1, sizeof *out->items) : NULL;
    if (code == 0 && !out->items) {
        code = gs_fail_nomem(err);
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        const char *path = gs_arena_printf(arena, "%s%s%s", own, own[0] != '\0' ? "/" : "", files[i].path);
        if (!path) {
            code = gs_fail_nomem(err);
        } else if (!is_wanted(request, path) && !gs_tree_preserves(job->unit, path) && !is_of_another(job, own, path, arena)) {
            out->items[out->count++] = (leftover){.path = path};
        }
    }
    out->undecided = out->count;
    return code;
}

int gs_tree_leftovers(const gs_target_job *job, const gs_leftovers_request *request, gs_arena *arena, gs_text_list *out,
                      gs_error *err)
{
    search self = {.git = request->git, .mark = gs_arena_printf(arena, "\n" GS_BUNDLE_TRAILER "%s@", job->release->name)};
    int code = self.mark ? find_unwanted(job, request, arena, &self, err) : gs_fail_nomem(err);
    if (code == 0 && self.count > 0) {
        code = gs_git_log(request->git, request->head, GS_MAX_PAST_COMMITS, visit, &self, err);
    }
    const char **paths = code == 0 ? gs_arena_array(arena, self.count + 1, sizeof *paths) : NULL;
    if (code < 0 || !paths) {
        return code < 0 ? code : gs_fail_nomem(err);
    }
    size_t found = 0;
    for (size_t i = 0; i < self.count; i++) {
        if (!self.items[i].decided && self.visited < GS_MAX_PAST_COMMITS) { /* there since the first commit of all */
            decide(&self, &self.items[i]);
        }
        if (self.items[i].ours) {
            paths[found++] = self.items[i].path;
        }
    }
    *out = (gs_text_list){.items = paths, .count = found};
    return 0;
}
