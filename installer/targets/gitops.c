/* The GitOps target: one commit per unit and environment into the site's repository, only its own paths, pushed forward. Whatever
 * watches the repository does the rest. A commit by somebody else in between is no failure: the edit is made again on the new head.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/git.h"
#include "gapship/limits.h"
#include "gapship/text.h"
#include "gitops_tree.h"

#define GS_PUSH_TRIES        3
#define GS_PUSH_PAUSE_MS     5000
#define GS_MAX_MESSAGE_BYTES GS_KIB(16)

/* An opened repository at the head of the unit's branch. */
typedef struct checkout {
    const gs_site_git *config;
    gs_git *git;
    const char *branch;
    char head[GS_COMMIT_TEXT]; /* "" when the branch does not exist yet */
} checkout;

static int fetch_head(const gs_target_job *job, checkout *at, gs_error *err)
{
    int code = gs_git_fetch(at->git, job->run, at->branch, at->head, err);
    if (code == GS_ENOTFOUND) { /* an empty repository, or a branch to be */
        *err = (gs_error){0};
        at->head[0] = '\0';
        return 0;
    }
    return code;
}

static int open_checkout(const gs_target_job *job, checkout *at, gs_error *err)
{
    const char *name = job->unit->target.repository ? job->unit->target.repository : "site";
    *at = (checkout){.config = gs_site_git_find(job->site, name),
                     .branch = job->unit->target.branch ? job->unit->target.branch : "main"};
    if (!at->config) {
        gs_fail(err, GS_ECHECK, "site.yaml has no git repository called %s", name);
        return gs_error_hint(err, "add under git:  %s: {url: \"…\"}", name);
    }
    const gs_git_access access = {.user = at->config->user,
                                  .password_file = at->config->password_file,
                                  .key_file = at->config->key_file,
                                  .known_hosts = at->config->known_hosts,
                                  .ca_file = at->config->ca};
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    const char *cache = arena ? gs_arena_printf(arena, "%s/%s.git", job->git_cache, name) : NULL;
    int code = cache ? gs_git_open(cache, at->config->url, &access, &at->git, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = fetch_head(job, at, err);
    }
    if (code < 0) {
        gs_git_free(at->git);
        at->git = NULL;
    }
    return code;
}

/* ---- what would change ---- */

typedef struct edit_list {
    gs_git_change *items;
    gs_change_kind *kinds;
    size_t count;
} edit_list;

static void add_edit(edit_list *list, gs_change_kind kind, gs_git_change change)
{
    list->kinds[list->count] = kind;
    list->items[list->count++] = change;
}

/* A changed file outside the unit's own path that another environment renders too would reach that environment with this commit,
 * before its turn. */
static int check_shared(const gs_target_job *job, const gs_tree_file *file, gs_error *err)
{
    if (job->unit->target.shared || gs_tree_owns(job->unit, file->path)) {
        return 0;
    }
    for (size_t e = 0; e < job->release->environments.count; e++) {
        const gs_environment_spec *other = &job->release->environments.items[e];
        for (size_t u = 0; other != job->environment && u < other->units.count; u++) {
            const gs_unit_spec *unit = &other->units.items[u];
            if (unit->target.kind != GS_TARGET_GITOPS || !gs_text_equal(unit->source.overlay, job->unit->source.overlay) ||
                !gs_text_equal(unit->target.branch, job->unit->target.branch) ||
                !gs_text_equal(unit->target.repository, job->unit->target.repository)) {
                continue;
            }
            gs_fail(err, GS_ECHECK, "%s changed, and %s reads it from the same branch: it would change before its turn",
                    file->target, other->name);
            gs_error_at(err, "%s/%s", job->environment->name, job->unit->name);
            return gs_error_hint(err, "give each environment a branch or a base of its own, or accept it with target.shared: true");
        }
    }
    return 0;
}

/* Adds the file to the edits unless the repository has it so, or keeps its own. */
static int compare_file(const gs_target_job *job, checkout *at, const gs_tree_file *file, edit_list *out, gs_error *err)
{
    GS_AUTO_BUF gs_buf there;
    gs_error missing = {0};
    gs_buf_init(&there, GS_MAX_ARCHIVE_FILE_BYTES);
    int found = at->head[0] != '\0' ? gs_git_read(at->git, at->head, file->target, &there, &missing) : GS_ENOTFOUND;
    if (found < 0 && found != GS_ENOTFOUND) {
        *err = missing;
        return found;
    }
    bool same = found == 0 && there.len == file->len && (there.len == 0 || memcmp(there.data, file->data, there.len) == 0);
    if (same || (found == 0 && gs_tree_preserves(job->unit, file->target))) {
        return 0;
    }
    int code = found == 0 ? check_shared(job, file, err) : 0;
    add_edit(out, found == 0 ? GS_CHANGE_MODIFY : GS_CHANGE_ADD,
             (gs_git_change){.path = file->target, .data = file->data, .len = file->len});
    return code;
}

static int compare_files(const gs_target_job *job, checkout *at, gs_arena *arena, edit_list *out, gs_error *err)
{
    gs_tree_file *files = NULL;
    size_t count = 0;
    gs_text_list leftovers = {0};
    int code = gs_tree_desired(job, arena, &files, &count, err);
    if (code == 0 && at->head[0] != '\0') {
        const gs_leftovers_request request = {.git = at->git, .head = at->head, .wanted = files, .count = count};
        code = gs_tree_leftovers(job, &request, arena, &leftovers, err);
    }
    if (code < 0) {
        return code;
    }
    *out = (edit_list){.items = gs_arena_array(arena, count + leftovers.count + 1, sizeof *out->items),
                       .kinds = gs_arena_array(arena, count + leftovers.count + 1, sizeof *out->kinds)};
    if (!out->items || !out->kinds) {
        return gs_fail_nomem(err);
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = compare_file(job, at, &files[i], out, err);
    }
    for (size_t i = 0; i < leftovers.count; i++) {
        add_edit(out, GS_CHANGE_REMOVE, (gs_git_change){.path = leftovers.items[i]});
    }
    return code;
}

static int diff(const gs_target_job *job, gs_arena *arena, gs_changes *out, gs_error *err)
{
    checkout at;
    edit_list edits;
    gs_changes changes = {0};
    int code = open_checkout(job, &at, err);
    if (code < 0) {
        return code;
    }
    code = compare_files(job, &at, arena, &edits, err);
    for (size_t i = 0; code == 0 && i < edits.count; i++) {
        const char *what = gs_arena_printf(arena, "%s in %s", edits.items[i].path, at.branch);
        code = gs_changes_add(arena, &changes, edits.kinds[i], what, err);
    }
    gs_git_free(at.git);
    if (code == 0) {
        *out = changes;
    }
    return code;
}

/* ---- the commit ---- */

static int write_message(const gs_target_job *job, gs_arena *arena, gs_buf *out, gs_error *err)
{
    const gs_target_spec *target = &job->unit->target;
    const char *template = job->rollback ? target->rollback_message : target->message;
    gs_text_map variables = {0};
    int code = gs_unit_variables(job, arena, &variables, err);
    if (code == 0) {
        code = gs_expand(template, &variables, out, err);
    }
    if (code < 0) {
        return gs_error_at(err, "%s/%s target.%s", job->environment->name, job->unit->name,
                           job->rollback ? "rollbackMessage" : "message");
    }
    gs_buf_printf(out, "\n\n" GS_BUNDLE_TRAILER "%s@%s %s\n", job->release->name, job->release->version, job->bundle_digest);
    return gs_buf_check(out, err);
}

static int commit_and_push(const gs_target_job *job, checkout *at, const edit_list *edits, gs_arena *arena,
                           char made[GS_COMMIT_TEXT], gs_error *err)
{
    GS_AUTO_BUF gs_buf message;
    gs_buf_init(&message, GS_MAX_MESSAGE_BYTES);
    int code = write_message(job, arena, &message, err);
    if (code < 0) {
        return code;
    }
    const char *author = at->config->author ? at->config->author : gs_arena_printf(arena, "gapship <gapship@%s>", job->site->name);
    const gs_git_commit commit = {.parent = at->head[0] != '\0' ? at->head : NULL,
                                  .changes = edits->items,
                                  .change_count = edits->count,
                                  .message = gs_buf_text(&message),
                                  .author = author,
                                  .time = gs_now(job->run)};
    code = author ? gs_git_commit_make(at->git, &commit, made, err) : gs_fail_nomem(err);
    return code < 0 ? code : gs_git_push(at->git, job->run, made, at->branch, err);
}

/* One try on the head as it is now. */
static int try_once(const gs_target_job *job, checkout *at, char *note, gs_error *err)
{
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    edit_list edits;
    char made[GS_COMMIT_TEXT];
    int code = arena ? compare_files(job, at, arena, &edits, err) : gs_fail_nomem(err);
    if (code < 0) {
        return code;
    }
    if (edits.count == 0) {
        (void)snprintf(note, GS_TARGET_NOTE, "%s is so already at %.12s", at->branch, at->head);
        return 0;
    }
    code = commit_and_push(job, at, &edits, arena, made, err);
    if (code == 0) {
        (void)snprintf(note, GS_TARGET_NOTE, "commit %.12s on %s", made, at->branch);
    }
    return code;
}

static int apply(const gs_target_job *job, char *note, gs_error *err)
{
    checkout at;
    int code = open_checkout(job, &at, err);
    for (int tries = 1; code == 0; tries++) {
        code = try_once(job, &at, note, err);
        if (code != GS_ECONFLICT) {
            break;
        }
        if (tries == GS_PUSH_TRIES) {
            gs_error_context(err, "after %d tries", tries);
            if (err) {
                err->hint[0] = '\0'; /* what git advises is what was done */
            }
            gs_error_hint(err, "others push to %s without pause; run the same command again when they have finished", at.branch);
            break;
        }
        gs_emit(job->run, GS_NOTICE, "pushConflict", NULL, 0, "somebody else pushed to %s; trying again on the new head",
                at.branch);
        code = gs_sleep(job->run, GS_PUSH_PAUSE_MS, err);
        if (code == 0) {
            code = fetch_head(job, &at, err);
        }
    }
    gs_git_free(at.git);
    return code;
}

/* ---- afterwards ---- */

/* Without a cluster to ask, the pushed commit is all there is to wait for. */
static int wait(const gs_target_job *job, gs_error *err)
{
    GS_AUTO_DOC gs_doc *doc = NULL;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    gs_tree_file *files = NULL;
    size_t count = 0;
    if (!job->place || !job->place->kubeconfig) {
        return 0;
    }
    int code = arena ? gs_tree_desired(job, arena, &files, &count, err) : gs_fail_nomem(err);
    if (code == 0) {
        code = gs_tree_render(job, files, count, job->unit->source.path, &doc, err);
    }
    if (code == 0) {
        code = gs_kube_set_namespace(doc->arena, doc->root, gs_unit_namespace(job), err);
    }
    return code < 0 ? code : gs_live_wait(job, doc->root, err);
}

/* The images that the repository names at its head: what whatever watches it will run. */
static int observe(const gs_target_job *job, gs_arena *arena, gs_text_list *out, gs_error *err)
{
    checkout at;
    GS_AUTO_DOC gs_doc *doc = NULL;
    gs_git_file *listed = NULL;
    gs_image_use *uses = NULL;
    size_t count = 0, use_count = 0;
    const char *top = job->unit->target.path && strcmp(job->unit->target.path, ".") != 0 ? job->unit->target.path : "";
    int code = open_checkout(job, &at, err);
    if (code < 0) {
        return code;
    }
    if (at.head[0] == '\0') {
        gs_git_free(at.git);
        *out = (gs_text_list){0};
        return 0;
    }
    code = gs_git_list(at.git, at.head, top, arena, &listed, &count, err);
    gs_tree_file *files = code == 0 ? gs_arena_array(arena, count + 1, sizeof *files) : NULL;
    if (code == 0 && !files) {
        code = gs_fail_nomem(err);
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        GS_AUTO_BUF gs_buf text;
        gs_buf_init(&text, GS_MAX_ARCHIVE_FILE_BYTES);
        const char *path = top[0] == '\0' ? listed[i].path : gs_arena_printf(arena, "%s/%s", top, listed[i].path);
        code = path ? gs_git_read(at.git, at.head, path, &text, err) : gs_fail_nomem(err);
        files[i] = (gs_tree_file){.path = listed[i].path, .len = text.len};
        if (code == 0 && !(files[i].data = gs_arena_copy(arena, text.data, text.len))) {
            code = gs_fail_nomem(err);
        }
    }
    gs_git_free(at.git);
    if (code == 0) {
        code = gs_tree_render(job, files, count, job->unit->source.path, &doc, err);
    }
    if (code == 0) {
        code = gs_kube_images(doc->root, arena, &uses, &use_count, err);
    }
    const char **images = code == 0 ? gs_arena_array(arena, use_count + 1, sizeof *images) : NULL;
    if (code == 0 && !images) {
        code = gs_fail_nomem(err);
    }
    size_t found = 0;
    for (size_t i = 0; code == 0 && i < use_count; i++) {
        if (uses[i].certainty == GS_IMAGE_RUNS) {
            images[found++] = uses[i].image;
        }
    }
    if (code == 0) {
        *out = (gs_text_list){.items = images, .count = found};
    }
    return code;
}

const gs_target_ops gs_target_gitops = {.name = "gitops", .diff = diff, .apply = apply, .wait = wait, .observe = observe};
