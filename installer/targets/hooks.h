/* Private to installer/targets. */
#ifndef GAPSHIP_TARGETS_HOOKS_H
#define GAPSHIP_TARGETS_HOOKS_H

#include "kubeapi.h"

#define GS_BUNDLE_ANNOTATION "gapship.io/bundle"

/* Runs the unit's hooks of one kind in the order of their waves, each to its end. A failing PRE hook is GS_EMIGRATION. */
int gs_hooks_run(const gs_target_job *job, gs_api *api, const gs_node *objects, gs_hook_kind kind, gs_error *err) GS_MUST_USE;

#endif
