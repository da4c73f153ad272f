/* Which target a unit wants. */
#include "targets.h"

const gs_target_ops *gs_target_for(int target_kind)
{
    switch (target_kind) {
    case GS_TARGET_GITOPS:
        return &gs_target_gitops;
    case GS_TARGET_HELM:
        return &gs_target_helm;
    default:
        return &gs_target_kubectl;
    }
}
