/* The files of a unit in a GitOps repository. Private to installer/targets. */
#ifndef GAPSHIP_TARGETS_GITOPS_TREE_H
#define GAPSHIP_TARGETS_GITOPS_TREE_H

#include "gapship/git.h"
#include "targets.h"

/* The last line of every commit that gapship makes: "Bundle: NAME@VERSION sha256:…". */
#define GS_BUNDLE_TRAILER "Bundle: "

typedef struct gs_tree_file {
    const char *path;   /* in the overlay */
    const char *target; /* in the repository */
    const char *data;
    size_t len;
} gs_tree_file;

/* What the unit's kustomization reads, relocated and proved; in arena. */
int gs_tree_desired(const gs_target_job *job, gs_arena *arena, gs_tree_file **out, size_t *count, gs_error *err) GS_MUST_USE;
/* Whether a file stands below the unit's own path, where no other environment looks. */
bool gs_tree_owns(const gs_unit_spec *unit, const char *path);
/* Whether the site keeps its own copy of a file of the repository. */
bool gs_tree_preserves(const gs_unit_spec *unit, const char *target);
/* The objects that a tree of files gives, from the kustomization at path. */
int gs_tree_render(const gs_target_job *job, const gs_tree_file *files, size_t count, const char *path, gs_doc **out,
                   gs_error *err) GS_MUST_USE;

/* The files of the unit at a commit that gapship once added and that are not wanted any more; in arena. */
typedef struct gs_leftovers_request {
    gs_git *git;
    const char *head;
    const gs_tree_file *wanted;
    size_t count;
} gs_leftovers_request;
int gs_tree_leftovers(const gs_target_job *job, const gs_leftovers_request *request, gs_arena *arena, gs_text_list *out,
                      gs_error *err) GS_MUST_USE;

#endif
