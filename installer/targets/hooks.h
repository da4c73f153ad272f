/* Private to installer/targets. */
#ifndef GAPSHIP_TARGETS_HOOKS_H
#define GAPSHIP_TARGETS_HOOKS_H

#include "kubeapi.h"

/* Runs the unit's hooks of one kind in the order of their waves, each to its end; they get the bundle's digest as an
 * annotation. A failing PRE hook is GS_EMIGRATION. */
int gs_hooks_run(const gs_target_job *job, gs_api *api, gs_doc *unit, gs_hook_kind kind, gs_error *err) GS_MUST_USE;
bool gs_hooks_any(const gs_node *objects, gs_hook_kind kind);

#endif
