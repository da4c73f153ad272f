/* What the targets share. Private to installer/targets. */
#ifndef GAPSHIP_TARGETS_TARGETS_H
#define GAPSHIP_TARGETS_TARGETS_H

#include "gapship/confine.h"
#include "gapship/kube.h"
#include "gapship/target.h"

extern const gs_target_ops gs_target_gitops, gs_target_kubectl, gs_target_helm;

/* ---- relocation (relocate.c) ---- */

/* "HOST/PREFIX/AS" of a locked image; in arena. */
const char *gs_site_name(const gs_site *site, const gs_locked_image *image, gs_arena *arena);

bool gs_is_hook(const gs_node *object); /* hooks.c */
/* Where a unit's objects go that name no namespace. */
const char *gs_unit_namespace(const gs_target_job *job);
/* A unit's objects with every image that runs relocated; an image that is not in the lock is GS_ECHECK. Hooks included. */
int gs_unit_objects(const gs_target_job *job, gs_doc **out, gs_error *err) GS_MUST_USE;
/* GS_ECHECK unless every image that the objects run is one of the lock, in the site's registry. */
int gs_check_relocated(const gs_target_job *job, const gs_node *objects, gs_error *err) GS_MUST_USE;
/* The variables of job and ${unit}. */
int gs_unit_variables(const gs_target_job *job, gs_arena *arena, gs_text_map *out, gs_error *err) GS_MUST_USE;
/* The list of changes, one more. */
int gs_changes_add(gs_arena *arena, gs_changes *changes, gs_change_kind kind, const char *what, gs_error *err) GS_MUST_USE;

/* What helm or kubectl may do for the job (confined.c): the network, the release, the kubeconfig with what it names; and the
 * directory is theirs. A kubeconfig that names a program for credentials leaves no rules about files. In arena. */
int gs_tool_confinement(const gs_target_job *job, const char *directory, gs_arena *arena, gs_confinement *out,
                        gs_error *err) GS_MUST_USE;

/* ---- the live cluster (live.c) ---- */

/* Waits until every one of the objects is there, healthy and runs the images it names, for unit.wait.stable, at most
 * unit.wait.timeout. GS_EAPPLY at once with the Pod's message when it cannot get healthy. */
int gs_live_wait(const gs_target_job *job, const gs_node *objects, gs_error *err) GS_MUST_USE;
/* Those of the objects (no hooks) that the cluster does not have; ids in arena. */
int gs_live_missing(const gs_target_job *job, const gs_node *objects, gs_arena *arena, gs_object_id **out, size_t *count,
                    gs_error *err) GS_MUST_USE;
/* The images that the live counterparts of the objects run. */
int gs_live_images(const gs_target_job *job, const gs_node *objects, gs_arena *arena, gs_text_list *out, gs_error *err) GS_MUST_USE;

#endif
